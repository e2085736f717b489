-- Bound values with their types, as text.
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN word AS text;
PREPARE many (smallint, int, bigint, bool, text, numeric, timestamptz, bytea, int[], mood, pair, word, jsonb, uuid, text) AS
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15;
SET timezone = 'UTC';
\t
\o /dev/null
EXECUTE many(1, -2, 3000000000, true, 'ein Text', 1.50, '2026-01-02 03:04:05+00', '\xdeadbeef', '{1,NULL}', 'sad',
             '(1,x)', 'w', '{"k": 1}', '00000000-0000-0000-0000-000000000001', NULL);
\o
\t
SELECT p->>'type' AS type, p->>'value' AS value, p->>'length' AS length
    FROM hoopguard.statement, jsonb_array_elements(parameters) AS p
    WHERE pid = pg_backend_pid() AND statement LIKE 'PREPARE many%' AND parent_no IS NOT NULL;

-- Long values are cut; their length is kept.
PREPARE long (text) AS SELECT length($1);
EXECUTE long(repeat('0123456789', 100000));
SELECT length(p->>'value') AS kept, p->>'length' AS length
    FROM hoopguard.statement, jsonb_array_elements(parameters) AS p
    WHERE pid = pg_backend_pid() AND statement LIKE 'PREPARE long%' AND parent_no IS NOT NULL;

-- Variables of a PL/pgSQL function, where a statement uses them.
DO $$DECLARE n int := 7; unused text := 'no'; BEGIN PERFORM n + 1; END$$;
SELECT statement, parameters FROM hoopguard.statement
    WHERE pid = pg_backend_pid() AND statement = 'SELECT n + 1';

DEALLOCATE ALL;
DROP DOMAIN word;
DROP TYPE pair;
DROP TYPE mood;
