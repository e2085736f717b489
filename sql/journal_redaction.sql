-- Literals and values that meet classified columns, and whatever the detector recognises, are tokens in the journal.
CREATE TABLE redacted (id int PRIMARY KEY, name text, account bigint, note text);
INSERT INTO redacted VALUES (1, 'Ann', 4155550100, 'x');
SELECT hoopguard.classify_column('redacted', 'name', 'person_name'), hoopguard.classify_column('redacted', 'account', 'secret');
-- The token of a value, by what stands in a statement's text.
CREATE FUNCTION shown(pattern text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(statement, '<redacted:[0-9a-f]{12}>', '<token>', 'g') ||
           coalesce(' | ' || (SELECT string_agg(regexp_replace(p->>'value', '<redacted:[0-9a-f]{12}>', '<token>', 'g'), ', ')
                                FROM jsonb_array_elements(parameters) p), '') ||
           coalesce(' | ' || regexp_replace(error, '<redacted:[0-9a-f]{12}>', '<token>', 'g'), '')
      FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement LIKE pattern AND statement NOT LIKE '%shown(%' ORDER BY entry $$;
SELECT 1 AS compared FROM redacted WHERE name = 'Smith' AND id = 42 AND note = 'Smith';
SELECT 2 AS compared FROM redacted WHERE lower(name) LIKE 'smi%' OR name IN ('A', $$B$$, E'C') OR account = 4155550123;
SELECT 3 AS compared FROM redacted r JOIN (VALUES ('Smith', 1), ('Jones', 2)) v(n, i) ON r.name = v.n WHERE v.i < 10;
WITH w(n) AS (SELECT 'Smith'::text) SELECT 4 AS compared FROM redacted, w WHERE name = n;
SELECT 5 AS compared FROM redacted WHERE 'Smith' IN (SELECT name FROM redacted WHERE id = 7);
INSERT INTO redacted VALUES (2, 'Smith', 4155550123, 'kept'), (3, 'Jones', NULL, 'kept too');
UPDATE redacted SET name = 'Brown', note = 'stays' WHERE id = 3;
INSERT INTO redacted VALUES (2, 'Smith') ON CONFLICT (id) DO UPDATE SET name = 'Green', note = 'conflict';
SELECT 6 AS harmless FROM redacted WHERE id = 42 AND note = 'plain';
SELECT 7 AS found, 'mail jane@example.com' AS note, 4111111111111111 AS card /* and 219-09-9999 */;
SELECT shown('SELECT _ AS %');
SELECT shown('WITH %');
SELECT shown('INSERT INTO redacted VALUES (2%');
SELECT shown('UPDATE %');
-- The same value has the same token, and another has another.
SELECT count(DISTINCT t[1]) AS tokens, count(*) AS times FROM hoopguard.statement s, regexp_matches(statement, '<redacted:([0-9a-f]{12})>') t
 WHERE pid = pg_backend_pid() AND statement LIKE 'SELECT 1 AS compared%';
-- Parameters, as the statement uses them and as the detector sees them.
PREPARE by_name(text, int) AS SELECT 8 AS prepared FROM redacted WHERE name = $1 AND id = $2;
EXECUTE by_name('Smith', 42);
DO $$ DECLARE n text := 'Smith'; m text := 'jane@example.com'; BEGIN
    PERFORM 9 AS in_plpgsql FROM redacted WHERE name = n AND note <> m; END $$;
SELECT shown('PREPARE %');
SELECT shown('EXECUTE %');
SELECT shown('%9 AS in_plpgsql%');
EXPLAIN (COSTS OFF) SELECT 10 AS explained FROM redacted WHERE name = 'Smith';
SELECT shown('EXPLAIN %');
-- Failures, also after an error of hoopguard's own, which is caught and raised anew on its way.
SELECT hoopguard.classify_column('redacted', 'missing', 'secret');
SELECT 11 AS failing FROM redacted WHERE name = 'Smith' AND missing = 1;
SELEC 'Smith 12 AS failing';
SELECT 13 AS failing, name::int FROM redacted WHERE id = 1;
SELECT shown('SELECT 11 %');
SELECT shown('SELEC %');
SELECT shown('SELECT 13 %');
-- A digest commits to the exact text.
SELECT DISTINCT length(statement_digest::text) > 60 AS commits FROM hoopguard.statement
 WHERE pid = pg_backend_pid() AND statement LIKE '%<redacted:%';
SELECT count(*) FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement ~ 'Smith' AND statement !~ 'shown|note|pg_backend_pid';
DROP FUNCTION shown(text);
DROP TABLE redacted;
