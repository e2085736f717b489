-- What became of a statement's transaction: also when the statement itself went well.
CREATE TABLE jar (id int PRIMARY KEY);
SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \gset
\set seen 'SELECT statement_no - :mark AS no, parent_no - :mark AS parent, outcome, transaction_outcome, xid IS NOT NULL AS xid, left(statement, 60) AS statement FROM hoopguard.statement WHERE pid = pg_backend_pid() AND statement_no > :mark AND outcome <> ''running'' ORDER BY statement_no; SELECT max(statement_no) AS mark FROM hoopguard.statement WHERE pid = pg_backend_pid() \\gset'

INSERT INTO jar VALUES (1);
SELECT count(*) FROM jar;
:seen

BEGIN;
INSERT INTO jar VALUES (2);
ROLLBACK;
BEGIN;
INSERT INTO jar VALUES (3);
COMMIT;
:seen

BEGIN;
INSERT INTO jar VALUES (4);
SAVEPOINT a;
INSERT INTO jar VALUES (5);
SAVEPOINT b;
INSERT INTO jar VALUES (6);
RELEASE b;
ROLLBACK TO a;
INSERT INTO jar VALUES (7);
COMMIT;
:seen

-- A savepoint saves a transaction from an error.
BEGIN;
SAVEPOINT a;
INSERT INTO jar VALUES (1);
ROLLBACK TO a;
INSERT INTO jar VALUES (8);
COMMIT;
:seen

-- An error takes back what the block did before, within PL/pgSQL too.
DO $$
BEGIN
    INSERT INTO jar VALUES (9);
    BEGIN
        INSERT INTO jar VALUES (10);
        INSERT INTO jar VALUES (1);
    EXCEPTION WHEN unique_violation THEN
        NULL;
    END;
END
$$;
:seen

-- A transaction block in one string, with and without BEGIN.
INSERT INTO jar VALUES (11) \; INSERT INTO jar VALUES (12);
INSERT INTO jar VALUES (13) \; INSERT INTO jar VALUES (1);
:seen

-- Commands that commit by themselves.
VACUUM jar;
:seen

SELECT id FROM jar ORDER BY id;
DROP TABLE jar;
