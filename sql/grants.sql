-- Just-in-time grants: what may be requested, what an approved one gives, and that it ends.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_jit_agent LOGIN;
CREATE ROLE regress_jit_bob LOGIN IN ROLE hoopguard_approver;
CREATE ROLE regress_jit_nobody LOGIN;
CREATE ROLE regress_jit_reader;
CREATE ROLE regress_jit_held;
CREATE ROLE regress_jit_super SUPERUSER;
CREATE ROLE regress_jit_behind IN ROLE regress_jit_super;
CREATE ROLE regress_jit_maker CREATEROLE;
GRANT regress_jit_held TO regress_jit_agent;
CREATE SCHEMA jit;
CREATE TABLE jit.secrets (id int, word text);
INSERT INTO jit.secrets VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE TABLE jit.orders (id int);
INSERT INTO jit.orders VALUES (1), (2);
GRANT USAGE ON SCHEMA jit TO PUBLIC;
GRANT SELECT ON jit.secrets TO regress_jit_reader;
GRANT ALL ON jit.orders TO regress_jit_agent;
GRANT CREATE ON SCHEMA jit TO regress_jit_reader;
SELECT hoopguard.guard('regress jit writes', 'ask', '{write}', roles => '{regress_jit_agent}');
SELECT hoopguard.guard('regress jit drop', 'block', '{ddl.drop}', roles => '{regress_jit_agent}');
CREATE FUNCTION jit_wait(number bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..600 LOOP
        PERFORM FROM hoopguard.jit_grant WHERE id = number AND state <> 'active';
        EXIT WHEN FOUND;
        PERFORM pg_sleep(0.05);
    END LOOP;
    RETURN (SELECT state FROM hoopguard.jit_grant WHERE id = number);
END
$$;

-- What a statement is answered with, without the numbers in it.
CREATE FUNCTION said(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || regexp_replace(SQLERRM, '\m\d+\M', 'N', 'g');
END
$$;

-- What cannot be requested.
\c - regress_jit_agent
\set VERBOSITY default
SELECT hoopguard.request_access();
SELECT hoopguard.request_access('regress_jit_reader', duration => '0');
SELECT hoopguard.request_access('regress_jit_reader', duration => '-1 minute');
SELECT hoopguard.request_access('regress_jit_reader', duration => '2 days');
SELECT hoopguard.request_access('regress_jit_none');
SELECT hoopguard.request_access('regress_jit_agent');
SELECT hoopguard.request_access('regress_jit_super');
SELECT hoopguard.request_access('regress_jit_behind');
SELECT hoopguard.request_access('regress_jit_maker');
SELECT hoopguard.request_access('hoopguard_admin');
SELECT hoopguard.request_access('pg_execute_server_program');
SELECT hoopguard.request_access(classes => '{writes}');
SELECT hoopguard.request_access(classes => '{}');
SELECT hoopguard.request_access(classes => '{write}', objects => '{jit.none}');
SELECT hoopguard.request_access(classes => '{write}', objects => '{}');
SELECT hoopguard.request_access(objects => '{jit.orders}', unmask => '{email}');
SELECT hoopguard.request_access(unmask => '{none}');
SELECT hoopguard.revoke(NULL);
SELECT hoopguard.revoke(0);
SELECT hoopguard.revoke(999999999);
SELECT hoopguard.break_glass('a fire');
SELECT hoopguard.broker_revoke('{}');
SELECT hoopguard.add_grant(1, NULL, 'regress_jit_agent', 'regress_jit_agent', 'regress_jit_reader', NULL, NULL, NULL, NULL,
                           NULL, now(), now() + '1 hour', NULL, NULL, false);
\set VERBOSITY terse
INSERT INTO hoopguard.jit_grant (actor, classes) VALUES ('regress_jit_agent', '{*}');

-- A role and leave for a class on a table, at once.
SELECT count(*) FROM jit.secrets;
DELETE FROM jit.orders WHERE id = 2;
SELECT hoopguard.request_access('regress_jit_reader', '{write.delete}', '{jit.orders}', duration => '1 hour',
                                reason => 'ticket 8') AS id \gset
SELECT kind, state, access_role, classes, objects, duration, reason FROM hoopguard.request WHERE id = :id;
\set VERBOSITY sqlstate
SELECT hoopguard.approve(:id);
\set VERBOSITY terse
SELECT count(*) FROM jit.secrets;
\c - regress_jit_bob
\set VERBOSITY sqlstate
SELECT hoopguard.approve(:id, duration => '2 hours');
\set VERBOSITY terse
SELECT hoopguard.approve(:id, 'half of it', '30 minutes');
\set VERBOSITY sqlstate
SELECT hoopguard.approve(:id);
\set VERBOSITY terse
SELECT id AS grant FROM hoopguard.jit_grant WHERE request = :id \gset
\c - regress_jit_agent
\set VERBOSITY terse
SELECT actor, role, classes, objects, state, decided_by, reason, valid_until - valid_from AS lasts
  FROM hoopguard.jit_grant WHERE id = :grant;
SELECT count(*) FROM jit.secrets;
-- What is granted, and nothing beside it; no guardrail that blocks is lifted.
DELETE FROM jit.orders WHERE id = 2;
UPDATE jit.orders SET id = 3 WHERE id = 1;
DELETE FROM jit.secrets WHERE id = 1;
DROP TABLE jit.orders;
-- Nobody hands on what he holds by grant, nor leaves behind what outlives it.
\set VERBOSITY default
GRANT regress_jit_reader TO regress_jit_nobody;
GRANT SELECT ON jit.orders TO regress_jit_nobody;
CREATE TABLE jit.mine (id int);
SET ROLE regress_jit_reader;
SELECT count(*) FROM jit.secrets;
CREATE FUNCTION jit.peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM jit.secrets';
CREATE VIEW jit.window AS SELECT * FROM jit.secrets;
CREATE TEMP VIEW glimpse AS SELECT * FROM jit.secrets;
RESET ROLE;
-- Somebody else has none of it.
\c - regress_jit_nobody
\set VERBOSITY default
SELECT count(*) FROM hoopguard.jit_grant;
SELECT said(format('SELECT hoopguard.revoke(%s)', :grant));
DELETE FROM jit.orders;

-- Its own actor ends it; the role is lost at once, also where it is set.
\c - regress_jit_agent
\set VERBOSITY terse
SET ROLE regress_jit_reader;
DECLARE held CURSOR WITH HOLD FOR SELECT word FROM jit.secrets ORDER BY id;
FETCH held;
BEGIN;
DECLARE open CURSOR FOR SELECT word FROM jit.secrets ORDER BY id;
FETCH open;
SELECT hoopguard.revoke(:grant, 'done');
FETCH open;
ROLLBACK;
FETCH held;
SELECT count(*) FROM jit.secrets;
RESET ROLE;
SELECT said('FETCH held');
SELECT count(*) FROM jit.secrets;
DELETE FROM jit.orders WHERE id = 1;
SELECT said(format('SELECT hoopguard.revoke(%s)', :grant));
SELECT state, ended_by, comment FROM hoopguard.jit_grant WHERE id = :grant;
-- All of it on record, by the request that allowed it.
SELECT statement, decision, guardrail, approval = :id AS approved, decided_by, outcome FROM hoopguard.statement
 WHERE approval = :id ORDER BY entry;

-- A membership that was there before stays.
SELECT hoopguard.request_access('regress_jit_held', duration => '1 hour') AS id \gset
\c - regress_jit_bob
SELECT hoopguard.approve(:id);
SELECT id AS grant, made FROM hoopguard.jit_grant WHERE request = :id \gset
SELECT :'made' AS made, hoopguard.revoke(:grant);
SELECT pg_has_role('regress_jit_agent', 'regress_jit_held', 'MEMBER');

-- Two grants of one role: it goes with the last.
\c - regress_jit_agent
SELECT hoopguard.request_access('regress_jit_reader') AS one \gset
SELECT hoopguard.request_access('regress_jit_reader', duration => '1 second') AS two \gset
\c - regress_jit_bob
SELECT hoopguard.approve(:one), hoopguard.approve(:two);
SELECT id AS grant FROM hoopguard.jit_grant WHERE request = :one \gset
SELECT id AS short FROM hoopguard.jit_grant WHERE request = :two \gset
SELECT jit_wait(:short), pg_has_role('regress_jit_agent', 'regress_jit_reader', 'MEMBER');
SELECT hoopguard.revoke(:grant);
SELECT pg_has_role('regress_jit_agent', 'regress_jit_reader', 'MEMBER');

-- Until the session ends.
\c - regress_jit_agent
SELECT hoopguard.request_access(classes => '{write}', duration => NULL) AS id \gset
\c - regress_jit_bob
DO $$
BEGIN
    FOR i IN 1 .. 1000 LOOP  -- the session has ended once its process has
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'regress_jit_agent');
        PERFORM pg_stat_clear_snapshot(), pg_sleep(0.01);
    END LOOP;
    PERFORM pg_sleep(0.1);
END
$$;
\set VERBOSITY sqlstate
SELECT hoopguard.approve(:id);
\set VERBOSITY terse
SELECT state FROM hoopguard.request WHERE id = :id;

-- Breaking the glass: leave at once, never for what is blocked, open until another person certifies it.
\c - postgres
SET client_min_messages = warning;
GRANT hoopguard_breakglass TO regress_jit_agent;
\c - regress_jit_agent
\set VERBOSITY default
SELECT hoopguard.break_glass('');
SELECT hoopguard.break_glass('a fire', duration => '0');
SELECT hoopguard.break_glass('a fire', '{fire}');
SELECT hoopguard.break_glass('a fire', duration => '1 hour') AS grant \gset
\set VERBOSITY terse
DELETE FROM jit.orders WHERE id = 1;
DROP TABLE jit.orders;
SELECT break_glass, classes, state FROM hoopguard.jit_grant WHERE id = :grant;
SELECT request AS id FROM hoopguard.jit_grant WHERE id = :grant \gset
SELECT state, reason FROM hoopguard.request WHERE id = :id;
\set VERBOSITY sqlstate
SELECT hoopguard.cancel(:id);
\set VERBOSITY terse
\set VERBOSITY sqlstate
SELECT hoopguard.approve(:id);
\set VERBOSITY terse
\c - regress_jit_bob
SELECT hoopguard.approve(:id, 'it burnt');
SELECT certified_by, state FROM hoopguard.jit_grant WHERE id = :grant;
SELECT hoopguard.revoke(:grant, 'out');

-- The table guards its own states.
\c - postgres
SET client_min_messages = warning;
\set VERBOSITY default
SELECT said(format($$UPDATE hoopguard.jit_grant SET state = 'active', ended_at = NULL WHERE id = %s$$, :grant));
SELECT said(format($$UPDATE hoopguard.jit_grant SET valid_until = valid_until + interval '1 hour' WHERE id = %s$$, :grant));
SELECT hoopguard.unguard('regress jit writes');
SELECT hoopguard.unguard('regress jit drop');
DROP SCHEMA jit CASCADE;
DROP FUNCTION jit_wait, said;
DROP ROLE regress_jit_agent, regress_jit_bob, regress_jit_nobody, regress_jit_reader, regress_jit_held,
    regress_jit_behind, regress_jit_super, regress_jit_maker;
