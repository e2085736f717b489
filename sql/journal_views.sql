-- What is on record is read back: outcomes and ends of transactions, who sees what, what a scan narrows itself to.
SELECT to_hex(trunc(extract(epoch FROM backend_start))::bigint) || '.' || to_hex(pid) AS me
  FROM pg_stat_activity WHERE pid = pg_backend_pid() \gset
CREATE TABLE journal_views (i int PRIMARY KEY, v text);
SELECT max(entry) AS mark FROM hoopguard.statement WHERE session_id = :'me' \gset

BEGIN;
INSERT INTO journal_views VALUES (1, 'kept'), (2, 'kept too');
SAVEPOINT s;
INSERT INTO journal_views VALUES (3, 'taken back');
ROLLBACK TO s;
COMMIT;
BEGIN;
DELETE FROM journal_views;
ROLLBACK;
SELECT 1 / 0;
SELECT * FROM journal_nowhere;
SELEC;
SET statement_timeout = '10ms';
SELECT pg_sleep(5);
RESET statement_timeout;
DO $$ BEGIN PERFORM i FROM journal_views; END $$;

-- The statement that reads is on record before it reads.
SELECT statement_no - first_value(statement_no) OVER (ORDER BY entry) AS no,
       parent_no - first_value(statement_no) OVER (ORDER BY entry) AS parent,
       left(statement, 40) AS statement, command_tag, rows, sqlstate, outcome, transaction_outcome
  FROM hoopguard.statement WHERE session_id = :'me' AND entry > :mark ORDER BY entry;

-- Facts of the speaker, and those that every row has.
SELECT DISTINCT database = current_database() AS database, login_role = session_user AS login_role,
       effective_role = current_user AS effective_role, actor = session_user AS actor, pid = pg_backend_pid() AS pid,
       application_name, origin ~ '^[0-9a-f]{32}$' AS origin, statement_digest ~ '^sha256:[0-9a-f]{64}$' AS digest
  FROM hoopguard.statement WHERE session_id = :'me' AND entry > :mark;
SELECT statement_digest = 'sha256:' || encode(sha256(convert_to(statement, 'UTF8')), 'hex') AS exact
  FROM hoopguard.statement WHERE session_id = :'me' AND statement LIKE 'DELETE %';
PREPARE bound (int, text) AS SELECT $1 + length($2);
EXECUTE bound (2, 'four');
SELECT parameters FROM hoopguard.statement
 WHERE session_id = :'me' AND command_tag = 'SELECT' AND parameters IS NOT NULL ORDER BY entry DESC LIMIT 1;

-- What narrows a scan, and what does not.
SET timezone = 'UTC';
EXPLAIN (COSTS OFF) SELECT entry FROM hoopguard.statement WHERE session_id = '6553f100.1a2b' AND entry > 5;
EXPLAIN (COSTS OFF) SELECT entry FROM hoopguard.statement WHERE started_at BETWEEN '2024-01-01' AND '2024-01-02';
EXPLAIN (COSTS OFF) SELECT entry FROM hoopguard.statement WHERE started_at >= date '2024-01-01' AND 7 >= entry;
EXPLAIN (COSTS OFF) SELECT entry FROM hoopguard.statement WHERE session_id IN ('6553f100.1', '6553f100.2');
EXPLAIN (COSTS OFF) SELECT entry FROM hoopguard.statement WHERE actor = 'alice' AND statement LIKE 'DROP%';
EXPLAIN (COSTS OFF) SELECT entry FROM hoopguard.statement WHERE entry > random();

-- Narrowed or not, the same rows.
SELECT count(*) AS whole FROM hoopguard.statement WHERE session_id || '' = :'me' AND entry + 0 > :mark
   AND statement NOT LIKE '%' || 'narrowed' || '%' \gset
SELECT count(*) = :whole AS narrowed FROM hoopguard.statement WHERE session_id = :'me' AND entry > :mark
   AND entry <= (SELECT max(entry) FROM hoopguard.statement) AND statement NOT LIKE '%narrowed%'
   AND statement NOT LIKE '%' || 'whole' || '%';
SELECT count(*) FROM hoopguard.statement WHERE entry = NULL;
SELECT count(*) FROM hoopguard.statement WHERE entry < 0;
SELECT count(*) FROM hoopguard.statement WHERE entry > 9223372036854775806;
SELECT count(*) FROM hoopguard.statement WHERE session_id = 'no session';
SELECT count(*) FROM hoopguard.statement WHERE session_id = :'me' AND session_id = '1.1';
SELECT count(*) FROM hoopguard.statement WHERE started_at > 'infinity' OR started_at < '-infinity';
SELECT count(*) FROM hoopguard.statement WHERE started_at <= '1960-01-01';
SELECT count(*) > 0 AS some FROM hoopguard.statement WHERE started_at > now() - interval '1 day' AND session_id = :'me';
-- A nested loop looks sessions up one by one.
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT count(*) > 10 AS joined, count(DISTINCT c.session_id) AS sessions
  FROM (VALUES (:'me'), ('1.1')) AS wanted (id) JOIN hoopguard.statement c ON c.session_id = wanted.id;
RESET enable_hashjoin;
RESET enable_mergejoin;

-- Sessions, and a session played back.
SELECT state, database = current_database() AS database, login_role = session_user AS login_role, backend_type,
       statements > 10 AS statements, errors > 3 AS errors, ended_at
  FROM hoopguard.session WHERE session_id = :'me';
SELECT count(*) = count(at) AS timed, min(at) AS first, bool_and(duration IS NULL OR duration >= '0') AS durations
  FROM hoopguard.replay(:'me');
SELECT statement_no = max(statement_no) OVER () AS running FROM hoopguard.replay(:'me') WHERE statement LIKE '%running FROM%';
SELECT count(*) > 0 AS segments, bool_or(NOT sealed) AS open FROM hoopguard.journal_segment;

-- Bad arguments are named.
SELECT * FROM hoopguard.replay(NULL);
SELECT * FROM hoopguard.replay('12');
SELECT * FROM hoopguard.replay('1.1');

-- Whoever is no auditor sees his own statements, by whatever way he comes.
CREATE ROLE journal_reader;
CREATE ROLE journal_auditor IN ROLE hoopguard_auditor;
SET SESSION AUTHORIZATION journal_reader;
SELECT 'mine' AS whose;
SELECT DISTINCT login_role, statement FROM hoopguard.statement ORDER BY statement;
SELECT count(*) FROM hoopguard.statement WHERE session_id <> :'me';
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
    $$ BEGIN IF $1 <> session_user THEN RAISE NOTICE 'saw %', $1; END IF; RETURN true; END $$;
SELECT count(*) > 2 AS some FROM hoopguard.statement WHERE pg_temp.leak(login_role) AND statement LIKE '%mine%';
SELECT count(*) FROM hoopguard.replay(:'me') WHERE statement LIKE 'DELETE%';
SELECT * FROM hoopguard.journal_statements;
SELECT * FROM hoopguard.journal_segment;
SELECT * FROM hoopguard.verify_journal();
SELECT hoopguard.inclusion_proof(1);
CREATE FOREIGN TABLE pg_temp.mine (entry bigint) SERVER hoopguard_journal OPTIONS (content 'statement');
SET SESSION AUTHORIZATION journal_auditor;
SELECT count(*) > 10 AS sees_others FROM hoopguard.statement WHERE session_id = :'me' AND login_role <> session_user;
RESET SESSION AUTHORIZATION;

-- The foreign data wrapper takes no path and nothing but its contents, and the journal is not written by SQL.
CREATE SERVER elsewhere FOREIGN DATA WRAPPER hoopguard_journal OPTIONS (directory '/tmp');
CREATE FOREIGN TABLE elsewhere (entry bigint) SERVER hoopguard_journal OPTIONS (content 'passwords');
CREATE FOREIGN TABLE elsewhere (entry bigint) SERVER hoopguard_journal;
SELECT * FROM elsewhere;
DROP FOREIGN TABLE elsewhere;
CREATE FOREIGN TABLE elsewhere (entry bigint) SERVER hoopguard_journal OPTIONS (content 'statement');
SELECT * FROM elsewhere;
DROP FOREIGN TABLE elsewhere;
DELETE FROM hoopguard.statement;
INSERT INTO hoopguard.journal_segment (origin) VALUES ('x');

DROP TABLE journal_views;
DROP OWNED BY journal_reader;
DROP ROLE journal_reader, journal_auditor;
