-- Guardrails: what the table takes, who is covered, what a refusal says.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_guard_agent;
CREATE ROLE regress_guard_member IN ROLE regress_guard_agent;
CREATE ROLE regress_guard_dba;
CREATE TABLE orders (id int PRIMARY KEY, v text);
CREATE TABLE items (id int);
CREATE VIEW listed AS SELECT id FROM orders;
ALTER TABLE orders OWNER TO regress_guard_agent;
ALTER TABLE items OWNER TO regress_guard_agent;
ALTER VIEW listed OWNER TO regress_guard_agent;
GRANT CREATE ON SCHEMA public TO regress_guard_agent;

-- What columns take.
SELECT hoopguard.guard('x', 'stop', '{ddl}');
SELECT hoopguard.guard('x', 'block', '{delete}');
SELECT hoopguard.guard('x', 'block', '{}');
SELECT hoopguard.guard('x', 'block', '{ddl.drop.tables}');
SELECT hoopguard.guard('x', 'block', '{ddl}', roles => '{regress_nobody}');
SELECT hoopguard.guard('x', 'block', '{ddl}', except_roles => '{}');
SELECT hoopguard.guard('x', 'block', '{ddl}', schedule => 'always');
SELECT hoopguard.guard('x', 'block', '{ddl}', schedule => 'Mon-Fri 09:00-18:00 Mars/Olympus');
SELECT hoopguard.guard('x', 'block', '{ddl}', schedule => 'Mon-Fri 9:0-18:00');
SELECT hoopguard.guard('x', 'block', '{ddl}', max_rows => 5);
SELECT hoopguard.guard('x', 'block', '{write}', max_rows => -5);
SELECT hoopguard.guard('x', 'block', '{write}', per => '1 hour');
SELECT hoopguard.guard('x', 'block', '{write}', max_rows => 5, per => '-1 hour');
SELECT hoopguard.guard('x', 'block', '{write}', max_duration => '0');
SELECT hoopguard.guard('x', 'block', '{ddl}', max_cost => -1);
SELECT hoopguard.guard('x', 'ask', '{ddl}', min_approvals => 0);
SELECT hoopguard.guard('x', 'block', '{ddl}', mode => 'on');
SELECT hoopguard.guard('', 'block', '{ddl}');
INSERT INTO hoopguard.guardrail (name, action, classes, mode) VALUES ('x', 'block', '{ddl}', 'maybe');
INSERT INTO hoopguard.actor (name, kind) VALUES ('regress_guard_agent', 'robot');
INSERT INTO hoopguard.actor (name) VALUES ('regress_nobody');
SELECT hoopguard.unguard('x');
SELECT count(*) FROM hoopguard.guardrail;

-- Blocked, with the guardrail's name, what met it and what to do next.
SELECT hoopguard.guard('no drops', 'block', '{ddl.drop.table,database,role}', roles => '{regress_guard_agent}',
                       except_roles => '{regress_guard_dba}', message => 'Tables stay.');
SET ROLE regress_guard_agent;
DROP TABLE orders CASCADE;
DO $$ BEGIN DROP TABLE orders CASCADE; END $$;
DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE orders'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;
SELECT count(*) FROM orders;
DROP TABLE IF EXISTS items, orders;
DROP DATABASE postgres;
ALTER ROLE regress_guard_agent CREATEDB;
ALTER USER CURRENT_USER CREATEDB;
-- Another kind is not covered.
DROP VIEW listed;
RESET ROLE;
-- Membership counts; an exception needs both ends.
SET ROLE regress_guard_member;
DROP TABLE items;
RESET ROLE;
GRANT regress_guard_dba TO regress_guard_agent;
SET ROLE regress_guard_agent;
DROP TABLE items;
RESET ROLE;
REVOKE regress_guard_dba FROM regress_guard_agent;
SET SESSION AUTHORIZATION regress_guard_agent;
SELECT current_user;
DROP TABLE items;
RESET SESSION AUTHORIZATION;

-- Replaced: warn, ask, observe, off; a prepared statement follows.
PREPARE peek AS SELECT count(*) FROM orders;
EXECUTE peek;
SELECT hoopguard.guard('no drops', 'warn', '{read}', roles => '{regress_guard_agent}', objects => '{public.orders}');
SET ROLE regress_guard_agent;
EXECUTE peek;
SELECT count(*) FROM items;
RESET ROLE;
SELECT hoopguard.guard('no drops', 'ask', '{read}', roles => '{regress_guard_agent}', objects => '{ord*}');
SET ROLE regress_guard_agent;
-- Without the request's number, which other tests make another one.
\set VERBOSITY terse
EXECUTE peek;
SELECT 1 FROM orders FOR UPDATE;
WITH x AS (SELECT * FROM orders) SELECT count(*) FROM x;
COPY orders TO stdout;
\set VERBOSITY default
RESET ROLE;
UPDATE hoopguard.guardrail SET mode = 'observe';
SET ROLE regress_guard_agent;
EXECUTE peek;
RESET ROLE;
UPDATE hoopguard.guardrail SET mode = 'off';
SET ROLE regress_guard_agent;
EXECUTE peek;
-- Policy is written by hoopguard_admin alone.
SELECT hoopguard.unguard('no drops');
DELETE FROM hoopguard.guardrail;
SELECT * FROM hoopguard.guardrail;
RESET ROLE;
SELECT hoopguard.policy_script();
-- A change that rolls back changes nothing.
BEGIN;
UPDATE hoopguard.guardrail SET mode = 'enforce';
ROLLBACK;
SET ROLE regress_guard_agent;
EXECUTE peek;
RESET ROLE;
BEGIN;
UPDATE hoopguard.guardrail SET mode = 'enforce';
PREPARE TRANSACTION 'policy';
TRUNCATE hoopguard.guardrail;
SELECT statement, classes, objects, decision, enforced, outcome FROM hoopguard.statement
    WHERE guardrail = 'no drops' AND pid = pg_backend_pid() ORDER BY entry;
DROP VIEW IF EXISTS listed;
DROP TABLE orders, items;
REVOKE CREATE ON SCHEMA public FROM regress_guard_agent;
DROP ROLE regress_guard_agent, regress_guard_member, regress_guard_dba;
