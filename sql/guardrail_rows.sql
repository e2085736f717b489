-- Limits on rows: expected before, counted while running; they add up within a transaction.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_rows;
CREATE TABLE parent (id int PRIMARY KEY, g int);
CREATE TABLE child (id int, parent int REFERENCES parent ON DELETE CASCADE);
CREATE TABLE parted (id int, g int) PARTITION BY LIST (g);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES IN (0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE VIEW seen AS SELECT * FROM parent;
INSERT INTO parent SELECT n, n % 10 FROM generate_series(1, 100) n;
INSERT INTO child SELECT n, 1 FROM generate_series(1, 20) n;
INSERT INTO child SELECT n, 2 FROM generate_series(1, 3) n;
INSERT INTO parted SELECT n, n % 2 FROM generate_series(1, 40) n;
GRANT ALL ON parent, child, parted, parted_0, parted_1, seen TO regress_rows;
SELECT hoopguard.guard('few', 'block', '{write}', roles => '{regress_rows}', max_rows => 10,
                       message => 'Ten rows at a time.');

SET ROLE regress_rows;
-- Not analyzed: whatever the planner guesses, the true count decides.
DELETE FROM parent WHERE id BETWEEN 91 AND 100;
DELETE FROM parent WHERE id BETWEEN 71 AND 90;
UPDATE seen SET g = 1;
WITH d AS (DELETE FROM parent WHERE id > 50 RETURNING id) SELECT count(*) FROM d;
WITH d AS (DELETE FROM parent WHERE id > 84 RETURNING id), u AS (UPDATE parent SET g = 2 WHERE id < 6)
    SELECT count(*) FROM d;
INSERT INTO parent SELECT n, 0 FROM generate_series(201, 211) n;
INSERT INTO parent SELECT n, 0 FROM generate_series(81, 100) n ON CONFLICT DO NOTHING;
MERGE INTO parent p USING generate_series(1, 40) n ON p.id = n WHEN MATCHED AND n <= 10 THEN UPDATE SET g = 3;
MERGE INTO parent p USING generate_series(1, 40) n ON p.id = n WHEN MATCHED AND n <= 11 THEN UPDATE SET g = 4;
UPDATE parted SET id = 0 WHERE id > 20 RETURNING id;
-- Through a foreign key, in a loop, in pieces.
DELETE FROM parent WHERE id = 2;
DELETE FROM parent WHERE id = 1;
DO $$ BEGIN FOR i IN 30..50 LOOP DELETE FROM parent WHERE id = i; END LOOP; END $$;
BEGIN;
DELETE FROM parent WHERE id BETWEEN 30 AND 37;
SAVEPOINT s;
DELETE FROM parent WHERE id IN (38, 39);
ROLLBACK TO s;
DELETE FROM parent WHERE id IN (40, 41);
DELETE FROM parent WHERE id = 999;
DELETE FROM parent WHERE id = 42;
COMMIT;
-- Swallowed, it stays refused.
DO $$
DECLARE n int := 0;
BEGIN
    FOR i IN 30..50 LOOP
        BEGIN
            DELETE FROM parent WHERE id = i;
            n := n + 1;
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END;
    END LOOP;
    RAISE WARNING '% went', n;
END $$;
TRUNCATE parted;
COPY parent FROM stdin;
501	0
502	0
503	0
504	0
505	0
506	0
507	0
508	0
509	0
510	0
511	0
\.
PREPARE cut AS DELETE FROM parent WHERE id BETWEEN $1 AND $2;
EXECUTE cut(60, 63);
EXECUTE cut(60, 80);
RESET ROLE;
SELECT count(*) FROM parent;

-- Analyzed: what is expected is refused before it runs.
ANALYZE parent;
SET ROLE regress_rows;
DELETE FROM parent WHERE id < 60;
EXECUTE cut(64, 65);
RESET ROLE;

-- Per actor, over transactions; what is rolled back does not count.
SELECT hoopguard.guard('few', 'block', '{write.delete}', roles => '{regress_rows}', max_rows => 5,
                       per => '1 hour', objects => '{public.parent}');
SET ROLE regress_rows;
DELETE FROM parent WHERE id IN (3, 4, 5);
BEGIN;
DELETE FROM parent WHERE id IN (6, 7);
ROLLBACK;
DELETE FROM parent WHERE id IN (6, 7, 8);
DELETE FROM parent WHERE id IN (6, 7);
DELETE FROM parent WHERE id = 8;
DELETE FROM child WHERE parent IS NULL;
RESET ROLE;

-- Rows read; a warning; observed.
SELECT hoopguard.guard('few', 'block', '{read}', roles => '{regress_rows}', max_rows => 5);
SET ROLE regress_rows;
SELECT count(*) FROM parted;
SELECT id FROM parted WHERE id <= 5 ORDER BY id;
SELECT id FROM parted ORDER BY id;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM parted ORDER BY id;
FETCH 5 FROM c;
FETCH 1 FROM c;
ROLLBACK;
INSERT INTO child SELECT id FROM parted;
COPY (SELECT id FROM parted ORDER BY id) TO stdout;
COPY parted_0 TO stdout;
RESET ROLE;
SELECT hoopguard.guard('few', 'warn', '{write}', roles => '{regress_rows}', max_rows => 5, message => 'That was a lot.');
SET ROLE regress_rows;
UPDATE parted SET id = id WHERE id < 10;
RESET ROLE;
UPDATE hoopguard.guardrail SET action = 'block', mode = 'observe';
SET ROLE regress_rows;
UPDATE parted SET id = id WHERE id < 10;
RESET ROLE;
SELECT statement, decision, enforced, outcome, sqlstate FROM hoopguard.statement
    WHERE guardrail = 'few' AND pid = pg_backend_pid() AND statement ~ '^(UPDATE|COPY|DELETE FROM (ONLY|parent WHERE id = 42)|FETCH|DECLARE)'
    ORDER BY entry;
SELECT hoopguard.unguard('few');
DROP TABLE parent, child, parted CASCADE;
DROP ROLE regress_rows;
