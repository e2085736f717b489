-- Where statements are met: each leaves one row, inner ones with the statement that runs them.
CREATE TABLE shelf (id int PRIMARY KEY, label text);
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset
\set seen 'SELECT statement_no - :mark AS no, parent_no - :mark AS parent, command_tag, rows, sqlstate, outcome, left(statement, 60) AS statement FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement_no > :mark AND outcome <> ''running'' ORDER BY statement_no; SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \\gset'

INSERT INTO shelf VALUES (1, 'a'), (2, 'b'), (3, 'c');
SELECT label FROM shelf WHERE id < 3;
UPDATE shelf SET label = upper(label);
:seen

-- Prepared statements, also with a generic plan.
PREPARE one (int) AS SELECT label FROM shelf WHERE id = $1;
SET plan_cache_mode = force_generic_plan;
EXECUTE one(1);
EXECUTE one(2);
DEALLOCATE one;
RESET plan_cache_mode;
:seen

-- A cursor is one statement, however often it is fetched from; an older one may be closed first.
BEGIN;
DECLARE older CURSOR FOR SELECT id FROM shelf;
DECLARE newer CURSOR FOR SELECT label FROM shelf;
FETCH 2 FROM older;
FETCH 1 FROM newer;
CLOSE older;
FETCH ALL FROM newer;
COMMIT;
:seen

-- What runs inside functions, DO, triggers and views.
CREATE FUNCTION add_one(n int) RETURNS int LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO shelf VALUES (n, 'f'); EXECUTE 'UPDATE shelf SET label = label'; RETURN n; END$$;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM count(*) FROM pg_class; RETURN NULL; END$$;
CREATE TRIGGER noted AFTER DELETE ON shelf EXECUTE FUNCTION noted();
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset
SELECT add_one(10);
DO $$BEGIN PERFORM add_one(11); END$$;
DELETE FROM shelf WHERE id >= 10;
WITH gone AS (DELETE FROM shelf WHERE id = 99 RETURNING id) SELECT count(*) FROM gone;
:seen

-- CALL, with transactions that end inside it.
CREATE PROCEDURE walk() LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO shelf VALUES (20, 'p'); COMMIT; INSERT INTO shelf VALUES (21, 'p'); ROLLBACK; END$$;
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset
CALL walk();
:seen

-- COPY, EXPLAIN, CREATE TABLE AS.
COPY shelf TO STDOUT;
COPY (SELECT id FROM shelf) TO STDOUT;
COPY shelf FROM STDIN;
30	x
31	y
\.
EXPLAIN (COSTS off) SELECT 1;
EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT 2;
CREATE TABLE shelf_copy AS SELECT * FROM shelf;
:seen

-- Several statements in one string: each its own text.
SELECT 1 AS first \; SELECT 2 AS second /* with a comment */ \; SELECT 3 AS third;
:seen

-- Without autocommit and with parallel workers a statement is still one statement.
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
-- 16 gave the setting another name.
SELECT name AS forced FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query') \gset
SET :forced = on;
SELECT count(*) FROM shelf;
RESET :forced;
SELECT count(*) FROM hoopguard.statement WHERE statement = 'SELECT count(*) FROM shelf';

DROP TABLE shelf_copy;
DROP TABLE shelf;
DROP FUNCTION add_one(int);
DROP FUNCTION noted();
DROP PROCEDURE walk();
