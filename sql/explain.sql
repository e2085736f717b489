-- classify() and explain(): what a statement would be and what would become of it; nothing is run.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE ROLE regress_explain_bot LOGIN;
CREATE ROLE regress_explain_dana LOGIN;
CREATE ROLE regress_explain_auditor LOGIN IN ROLE hoopguard_auditor;
CREATE TABLE explain_people (id int PRIMARY KEY, email text, v int);
INSERT INTO explain_people SELECT i, 'someone@example.org', i FROM generate_series(1, 1000) i;
ANALYZE explain_people;
CREATE VIEW explain_view AS SELECT * FROM explain_people WHERE v < 10;
GRANT ALL ON explain_people TO regress_explain_bot;
GRANT SELECT ON explain_view TO regress_explain_bot;
GRANT CREATE ON SCHEMA public TO regress_explain_bot;
SELECT hoopguard.classify_column('explain_people', 'email', 'email');

-- Classes, of several statements together and of what a statement runs by itself.
SELECT hoopguard.classify('SELECT * FROM explain_people');
SELECT hoopguard.classify('DELETE FROM explain_people WHERE id = $1');
SELECT hoopguard.classify('DELETE FROM explain_people WHERE id = id');
SELECT hoopguard.classify('DROP TABLE explain_people; SELECT 1');
CREATE SCHEMA explain_none;
SELECT hoopguard.classify('ALTER TABLE explain_people ADD COLUMN x int; CREATE VIEW v AS SELECT 1 AS a; DROP SCHEMA explain_none');
DROP SCHEMA explain_none;
SELECT hoopguard.classify('SELECT hoopguard.guard(''x'', ''warn'', ''{ddl}'')'), hoopguard.classify('SELECT * FROM hoopguard.lock_actor(''x'', ''y'')'),
       hoopguard.classify('CREATE VIEW w AS SELECT 1 AS a'), hoopguard.classify('SELECT hoopguard.whoami()');
SELECT hoopguard.classify('EXPLAIN UPDATE explain_people SET v = 1');
SELECT hoopguard.classify('EXPLAIN (ANALYZE) UPDATE explain_people SET v = 1');
SELECT hoopguard.classify('WITH gone AS (DELETE FROM explain_people WHERE id = 1 RETURNING *) SELECT * FROM gone');
SELECT hoopguard.classify('CREATE TABLE copied AS SELECT * FROM explain_people');
SELECT hoopguard.classify('COPY (DELETE FROM explain_people WHERE id = 1 RETURNING *) TO STDOUT');
SELECT hoopguard.classify('DECLARE c CURSOR FOR SELECT * FROM explain_people');
SELECT hoopguard.classify('ALTER USER regress_explain_bot SUPERUSER');
SELECT hoopguard.classify('DO $$ BEGIN NULL; END $$');
SELECT hoopguard.classify('BEGIN');
SELECT hoopguard.classify('');
PREPARE explain_prepared (int) AS UPDATE explain_people SET v = 0 WHERE id = $1;
SELECT hoopguard.classify('EXECUTE explain_prepared(1)');
DEALLOCATE explain_prepared;

-- What PostgreSQL does not take is said as it says it.
SELECT hoopguard.classify('SELEC 1');
SELECT hoopguard.classify('SELECT 1; SELECT nothing FROM explain_people');
SELECT hoopguard.classify('EXECUTE explain_prepared(1)');
SELECT hoopguard.classify(NULL);
SELECT hoopguard.explain('SELECT 1', 'regress_nobody');
SELECT hoopguard.explain('SELECT 1', NULL);

-- Decisions for a role: its masks, its approvers, its privileges.
SELECT count(*) FROM hoopguard.protect_agent('regress_explain_bot', '{regress_explain_dana}') WHERE what <> 'mask';
SELECT hoopguard.guard('explain dear', 'warn', '{read}', roles => '{regress_explain_bot}', max_cost => 1e6, message => 'dear');
SELECT hoopguard.guard('explain soon', 'block', '{maintenance}', roles => '{regress_explain_bot}', mode => 'observe');
\set asked 'FROM hoopguard.explain(:statement, ''regress_explain_bot'')'
\set statement '''SELECT id, lower(email) FROM explain_people WHERE v < $1'''
SELECT step, subject, verdict, CASE WHEN step <> 'classify' THEN reason END AS reason :asked;
\set statement '''SELECT email FROM explain_view'''
SELECT step, subject, verdict, CASE WHEN step <> 'classify' THEN reason END AS reason :asked;
\set statement '''DELETE FROM explain_people'''
SELECT step, subject, verdict, CASE WHEN step <> 'classify' THEN reason END AS reason :asked;
\set statement '''UPDATE explain_people SET v = 1 WHERE id = 7'''
SELECT step, subject, verdict, CASE WHEN step <> 'classify' THEN reason END AS reason :asked;
\set statement '''SELECT a.v FROM explain_people a, explain_people b, explain_people c'''
SELECT step, subject, verdict :asked WHERE step IN ('statement', 'decide');
\set statement '''LOCK explain_people; DROP TABLE explain_people CASCADE; SET row_security = off'''
SELECT step, subject, verdict, CASE WHEN step <> 'classify' THEN reason END AS reason :asked;
\set statement '''CREATE TABLE copied AS SELECT * FROM explain_people'''
SELECT step, subject, verdict, CASE WHEN step <> 'classify' THEN reason END AS reason :asked;
\set statement '''SELECT * FROM pg_authid'''
SELECT step, subject, verdict, CASE WHEN step <> 'classify' THEN reason END AS reason :asked;
SELECT reason ~ '^estimated rows 1000, cost \d+$' AS estimate
  FROM hoopguard.explain('SELECT * FROM explain_people', 'regress_explain_bot') WHERE step = 'classify';
-- Nothing of it happened.
SELECT count(*), sum(v) FROM explain_people;
SELECT to_regclass('copied');

-- What runs only later is said.
CREATE FUNCTION explain_inner() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DELETE FROM explain_people; RETURN 1; END $$;
SELECT step, subject, verdict, reason FROM hoopguard.explain('SELECT explain_inner()') WHERE step = 'note';
SELECT step, subject, verdict, reason FROM hoopguard.explain('DO $$ BEGIN NULL; END $$') WHERE step = 'note';

-- Planning runs functions that call themselves immutable: they may read, and nothing else.
CREATE FUNCTION explain_writes() RETURNS int LANGUAGE sql IMMUTABLE AS 'DELETE FROM explain_people; SELECT 1';
CREATE FUNCTION explain_dynamic() RETURNS int LANGUAGE plpgsql IMMUTABLE
    AS $$ BEGIN EXECUTE 'CREATE TABLE copied ()'; RETURN 1; END $$;
CREATE FUNCTION explain_sets(text, text, bool) RETURNS text LANGUAGE internal IMMUTABLE AS 'set_config_by_name';
CREATE FUNCTION explain_kills(int) RETURNS bool LANGUAGE internal IMMUTABLE AS 'pg_terminate_backend';
CREATE FUNCTION explain_role() RETURNS text LANGUAGE plpgsql STABLE SET role = 'regress_explain_dana'
    AS $$ BEGIN RETURN current_user; END $$;
CREATE FUNCTION explain_reads() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT min(id) FROM explain_people); END $$;
SELECT hoopguard.classify('SELECT * FROM explain_people WHERE id = explain_writes()');
SELECT hoopguard.classify('SELECT * FROM explain_people WHERE id = explain_dynamic()');
SELECT hoopguard.classify($$SELECT * FROM explain_people WHERE email = explain_sets('hoopguard.reason', 'changed', false)$$);
SELECT hoopguard.classify('SELECT * FROM explain_people WHERE explain_kills(pg_backend_pid())');
SELECT hoopguard.explain('SELECT * FROM explain_people WHERE email = explain_role()', 'regress_explain_bot');
SELECT hoopguard.classify('SELECT * FROM explain_people WHERE id = explain_reads()');
SHOW hoopguard.reason;
SELECT count(*) FROM explain_people;

-- For oneself everybody may ask; for others those who read or write policy.
SET SESSION AUTHORIZATION regress_explain_bot;
SELECT step, subject, verdict FROM hoopguard.explain('DELETE FROM explain_people');
SELECT hoopguard.explain('SELECT 1', 'regress_explain_dana');
SELECT DISTINCT email FROM explain_people;
SET SESSION AUTHORIZATION regress_explain_auditor;
SELECT step, subject, verdict FROM hoopguard.explain('DELETE FROM explain_people', 'regress_explain_bot');
RESET SESSION AUTHORIZATION;
SELECT DISTINCT email FROM explain_people;
-- A lock comes before all else.
SELECT what FROM hoopguard.lock_actor('regress_explain_bot', 'test');
SELECT * FROM hoopguard.explain('SELECT 1', 'regress_explain_bot');
SELECT hoopguard.unlock_actor('regress_explain_bot');

DELETE FROM hoopguard.guardrail;
DELETE FROM hoopguard.mask_policy;
DELETE FROM hoopguard.actor;
DROP TABLE explain_people CASCADE;
DROP FUNCTION explain_inner, explain_writes, explain_dynamic, explain_sets, explain_kills, explain_role, explain_reads;
REVOKE CREATE ON SCHEMA public FROM regress_explain_bot;
DROP ROLE regress_explain_bot, regress_explain_dana, regress_explain_auditor;
