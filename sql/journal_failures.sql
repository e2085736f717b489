-- What never runs is on record too: syntax errors, unknown names, refusals, statements in a failed transaction.
CREATE TABLE crate (id int PRIMARY KEY);
INSERT INTO crate VALUES (1);
CREATE ROLE crate_reader;
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset
\set seen 'SELECT statement_no - :mark AS no, parent_no - :mark AS parent, command_tag, sqlstate, outcome, transaction_outcome, left(statement, 50) AS statement, error FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement_no > :mark AND outcome <> ''running'' ORDER BY statement_no; SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \\gset'

SELEC 1;
SELECT * FROM no_such_table;
SELECT 1/0;
INSERT INTO crate VALUES (1);
CREATE TABLE crate (id int);
:seen

SET ROLE crate_reader;
SELECT * FROM crate;
DROP TABLE crate;
RESET ROLE;
:seen

-- Two errors and more in one failed transaction.
BEGIN;
SELECT * FROM no_such_table;
SELECT 1;
SELEC 1;
COMMIT;
:seen

-- Of a string of several statements the failed one, and none of those after it.
SELECT 1 AS one \; SELECT * FROM no_such_table \; SELECT 2 AS two;
:seen

-- Errors that somebody catches: while planning, while parsing, while running.
DO $$BEGIN PERFORM 1/0; EXCEPTION WHEN others THEN NULL; END$$;
DO $$BEGIN EXECUTE 'SELEC 1'; EXCEPTION WHEN others THEN NULL; END$$;
DO $$BEGIN INSERT INTO crate VALUES (1); EXCEPTION WHEN unique_violation THEN INSERT INTO crate VALUES (2); END$$;
:seen

-- Errors that nobody catches, from inside.
DO $$BEGIN EXECUTE 'SELEC 2'; END$$;
DO $$BEGIN RAISE EXCEPTION 'of my own' USING ERRCODE = 'HX001'; END$$;
:seen

-- A statement that is cancelled.
SET statement_timeout = '50ms';
SELECT pg_sleep(60);
RESET statement_timeout;
:seen

-- Failures only the commit finds: the statement, or the COMMIT, has failed.
CREATE TABLE lid (id int REFERENCES crate DEFERRABLE INITIALLY DEFERRED);
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset
INSERT INTO lid VALUES (99);
BEGIN;
INSERT INTO lid VALUES (98);
COMMIT;
SELECT command_tag, sqlstate, outcome, transaction_outcome, left(statement, 40) AS statement
    FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement_no > :mark AND parent_no IS NULL
        AND outcome <> 'running' ORDER BY statement_no;

DROP TABLE lid;
DROP TABLE crate;
DROP ROLE crate_reader;
