-- Passwords and tokens are never in the journal, however the statement ends.
-- What a subscription warns of is worded anew in 16.
SET client_min_messages = error;
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset
\set seen 'SELECT statement_no - :mark AS no, sqlstate, statement, error FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement_no > :mark AND outcome <> ''running'' ORDER BY statement_no; SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \\gset'

CREATE ROLE secret_keeper LOGIN PASSWORD 'geheim1';
ALTER ROLE secret_keeper PASSWORD 'geheim2' VALID UNTIL '2030-01-01';
ALTER ROLE secret_keeper PASSWORD "geheim3";
ALTER ROLE secret_keeper PASSWORT 'geheim4';
ALTER ROLE secret_keeper PASSWORD geheim5;
SELECT 1 AS one \; ALTER ROLE secret_keeper PASSWORD 'geheim6' \; SELECT 2 AS two;
DO $$BEGIN ALTER ROLE secret_keeper PASSWORD 'geheim7'; END$$;
DO $$BEGIN EXECUTE format('ALTER ROLE %I PASSWORD %L', 'secret_keeper', 'geheim8'); END$$;
SELECT hoopguard.login('geheim9');
CREATE SUBSCRIPTION s CONNECTION 'host=nowhere password=geheim10' PUBLICATION p WITH (connect = false, enabled = off, create_slot = off, slot_name = NONE);
:seen
DROP SUBSCRIPTION s;

-- Connection strings and tokens among bound values.
PREPARE carry (text) AS SELECT length($1);
EXECUTE carry('host=a password=geheim12');
SELECT parameters FROM hoopguard.statement
    WHERE pid = pg_backend_pid() AND statement LIKE 'PREPARE carry%' AND parent_no IS NOT NULL;

-- The backslash may or may not end a string.
SET standard_conforming_strings = off;
SET escape_string_warning = off;
ALTER ROLE secret_keeper PASSWORD 'x\'geheim13';
RESET standard_conforming_strings;

SELECT count(*) FROM hoopguard.statement
    WHERE pid = pg_backend_pid() AND outcome <> 'running'
        AND concat_ws(' ', statement, error, parameters) ~ 'geheim(1|2|3|4|5|6|7|8|9|10|11|12|13)\M'
        AND statement NOT LIKE '%EXECUTE carry%' AND command_tag IS DISTINCT FROM 'SELECT';
DROP ROLE secret_keeper;
