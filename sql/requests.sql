-- Requests: who may decide, what a state may become, and that a decision outlives the transaction it was made in.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
ALTER SEQUENCE hoopguard.request_id_seq RESTART WITH 1001;
CREATE ROLE regress_ask_agent LOGIN;
CREATE ROLE regress_ask_bob LOGIN IN ROLE hoopguard_approver;
CREATE ROLE regress_ask_carol LOGIN IN ROLE hoopguard_approver;
CREATE ROLE regress_ask_bob_too LOGIN IN ROLE hoopguard_approver;
CREATE ROLE regress_ask_bot LOGIN IN ROLE hoopguard_approver;
CREATE ROLE regress_ask_nobody LOGIN;
INSERT INTO hoopguard.actor (name, kind, owner) VALUES
    ('regress_ask_agent', 'agent', 'regress_ask_bob'), ('regress_ask_bot', 'agent', 'regress_ask_carol'),
    ('regress_ask_bob_too', 'human', 'regress_ask_bob');

-- Bad arguments.
SELECT hoopguard.approve(NULL);
SELECT hoopguard.approve(0);
SELECT hoopguard.reject(999999999);
SELECT hoopguard.wait_for_decision(999999999);
SELECT hoopguard.wait_for_decision(1, '-1s');
SELECT hoopguard.wait_for_decision(1, NULL);
SELECT hoopguard.request_script(NULL, 'x');
SELECT hoopguard.request_script(' ; ', 'x');
SELECT hoopguard.request_script('DROP TABEL x', 'x');
SELECT hoopguard.request_script('BEGIN; SELECT 1; COMMIT', 'x');
SELECT hoopguard.request_script('SELECT 1; COPY a FROM STDIN', 'x');
SELECT hoopguard.request_script('SELECT 1; VACUUM a', 'x');
\set VERBOSITY terse
\set ON_ERROR_STOP 0
SELECT format('SELECT hoopguard.request_script(%L, ''x'')', s) FROM unnest(ARRAY['CREATE DATABASE a', 'DROP DATABASE a',
    'CREATE TABLESPACE a LOCATION ''/a''', 'DROP TABLESPACE a', 'ALTER SYSTEM SET work_mem = ''1MB''', 'ALTER DATABASE a SET TABLESPACE b',
    'CREATE INDEX CONCURRENTLY ON a (b)', 'DROP INDEX CONCURRENTLY a', 'REINDEX TABLE CONCURRENTLY a', 'REINDEX SCHEMA a', 'CLUSTER',
    'ALTER TABLE a DETACH PARTITION b CONCURRENTLY', 'CREATE SUBSCRIPTION a CONNECTION '''' PUBLICATION b', 'DISCARD ALL']) s \gexec
\set VERBOSITY default
-- What only looks like these is taken.
SELECT hoopguard.cancel(hoopguard.request_script('ANALYZE pg_class; REINDEX TABLE a; CLUSTER a; CREATE INDEX ON a (b); DROP INDEX b; ALTER TABLE a DETACH PARTITION b; DISCARD PLANS; ALTER DATABASE a CONNECTION LIMIT 3; CREATE SUBSCRIPTION a CONNECTION '''' PUBLICATION b WITH (connect = false)', 'x'));

-- Filed by an agent, out of a transaction that rolls back.
\c - regress_ask_agent
\set VERBOSITY default
BEGIN;
SELECT hoopguard.request_script('CREATE TABLE a (id int); INSERT INTO a VALUES (1)', 'ticket 7') AS id \gset
ROLLBACK;
SELECT id = :id AS own, kind, state, actor, actor_kind, role, statement, reason, approvers, min_approvals, votes
  FROM hoopguard.request WHERE id = :id;
SELECT waiting >= '0' AS waits, expires_in > '59 min' AS expires, actor, statement, reason, votes
  FROM hoopguard.pending WHERE id = :id;
-- The same one is not filed twice; another one is another one.
SELECT hoopguard.request_script('CREATE TABLE a (id int); INSERT INTO a VALUES (1)', 'again') = :id AS same;
SELECT hoopguard.request_script('CREATE TABLE b (id int)', 'x') AS other \gset
SELECT hoopguard.wait_for_decision(:id, '10 ms');
SELECT hoopguard.approve(:id);
SELECT hoopguard.reject(:id);
INSERT INTO hoopguard.request (kind, actor, role, database, session_id) VALUES ('script', 'x', 'x', 'x', 'x');
UPDATE hoopguard.request SET state = 'approved';
SELECT * FROM hoopguard.request_binding;
SELECT * FROM hoopguard.outbox;
SELECT hoopguard.broker_decide('{}');

-- Others see nothing and decide nothing.
\c - regress_ask_nobody
\set VERBOSITY default
SELECT count(*) FROM hoopguard.request;
SELECT hoopguard.approve(:id);
SELECT hoopguard.cancel(:id);
SELECT hoopguard.wait_for_decision(:id, '0');
-- Nor does an agent that is an approver.
\c - regress_ask_bot
SELECT hoopguard.approve(:id);

-- An owner may approve what his agent asks. It is in effect when approve() returns, and stays.
\c - regress_ask_bob
\set VERBOSITY default
SELECT hoopguard.approve(:id, 'fine', '0');
SELECT hoopguard.approve(:id, 'fine', '1 year');
BEGIN;
SELECT hoopguard.approve(:id, 'fine');
ROLLBACK;
SELECT state, decided_at >= created_at AS decided, expires_at - decided_at BETWEEN '14 min 59s' AND '15 min 1s' AS lasts,
       votes -> 0 ->> 'by' AS by, votes -> 0 ->> 'comment' AS comment FROM hoopguard.request WHERE id = :id;
SELECT hoopguard.approve(:id);
SELECT hoopguard.reject(:id);
SELECT hoopguard.cancel(:id);
SELECT hoopguard.reject(:other, 'no');
SELECT hoopguard.wait_for_decision(:other);
-- His own he does not approve, by whatever name; another person does.
SELECT hoopguard.request_script('CREATE TABLE c (id int)', 'mine') AS mine \gset
SELECT hoopguard.approve(:mine);
\c - regress_ask_bob_too
SELECT hoopguard.approve(:mine);
\c - regress_ask_carol
SELECT hoopguard.approve(:mine, NULL, '1 minute');
SELECT state, expires_at - decided_at BETWEEN '59s' AND '61s' AS lasts FROM hoopguard.request WHERE id = :mine;
-- Cancelled by whoever made it, once.
\c - regress_ask_agent
SELECT hoopguard.request_script('CREATE TABLE d (id int)', 'x') AS late \gset
SELECT hoopguard.cancel(:late);
SELECT hoopguard.cancel(:late);
SELECT hoopguard.wait_for_decision(:late);

-- The table itself holds to what a request may become, for a superuser too.
\c - postgres
\set VERBOSITY default
UPDATE hoopguard.request SET state = 'pending' WHERE id = :id;
UPDATE hoopguard.request SET state = 'approved' WHERE id = :other;
UPDATE hoopguard.filed_request SET statement = 'DROP TABLE a' WHERE id = :id;
UPDATE hoopguard.request SET votes = '[]' WHERE id = :id;

-- Nobody need wait for ever.
ALTER SYSTEM SET hoopguard.request_lifetime = '1s';
SELECT pg_reload_conf();
\c - regress_ask_agent
SELECT hoopguard.request_script('CREATE TABLE e (id int)', 'x') AS brief \gset
SELECT hoopguard.wait_for_decision(:brief);
\c - regress_ask_carol
SELECT hoopguard.approve(:brief);
\c - postgres
ALTER SYSTEM RESET hoopguard.request_lifetime;
SELECT pg_reload_conf();

DELETE FROM hoopguard.actor WHERE name LIKE 'regress\_ask%';
DROP ROLE regress_ask_agent, regress_ask_bob, regress_ask_carol, regress_ask_bob_too, regress_ask_bot, regress_ask_nobody;
