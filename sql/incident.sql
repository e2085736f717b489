-- Incidents: what lock_actor(), unlock_actor() and end_session() take and say. How sessions end is a test of whole
-- servers.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE ROLE regress_incident_alice LOGIN;
CREATE ROLE regress_incident_bot LOGIN;
CREATE ROLE regress_incident_root LOGIN SUPERUSER;
CREATE ROLE regress_incident_admin LOGIN IN ROLE hoopguard_admin;
INSERT INTO hoopguard.actor (name, kind, owner) VALUES ('regress_incident_bot', 'agent', 'regress_incident_alice');

-- Bad arguments.
SELECT hoopguard.lock_actor(NULL, 'x');
SELECT hoopguard.lock_actor('group:staff', 'x');
SELECT hoopguard.lock_actor('regress_incident_alice', ' ');
SELECT hoopguard.lock_actor('regress_incident_alice', 'x', '2001-01-01');
SELECT hoopguard.lock_actor('regress_incident_alice', 'x', NULL, NULL);
SELECT hoopguard.unlock_actor('regress_incident_alice');
SELECT hoopguard.end_session('6553f100.1', 'x');
SELECT hoopguard.end_session('6553f100.1', NULL);
INSERT INTO hoopguard.locked_actor (name, reason) VALUES ('', 'x');
INSERT INTO hoopguard.locked_actor (name, reason) VALUES ('x', '');

-- Who may.
SET ROLE regress_incident_alice;
SELECT hoopguard.lock_actor('regress_incident_bot', 'x');
SELECT hoopguard.end_session('6553f100.1', 'x');
SELECT count(*) FROM hoopguard.actor_lock;
RESET ROLE;

-- A lock, its agents, a change of it, its end.
SET ROLE regress_incident_admin;
SELECT * FROM hoopguard.lock_actor('regress_incident_alice', 'laptop lost');
SELECT name, reason, until, owned, locked_by = session_user AS by_me, agents FROM hoopguard.actor_lock;
SELECT * FROM hoopguard.lock_actor('regress_incident_alice', 'holiday', '2999-01-01 UTC', false);
SELECT name, reason, until AT TIME ZONE 'UTC' AS until, owned, agents FROM hoopguard.actor_lock;
SELECT s AS policy_script FROM hoopguard.policy_script() s WHERE s LIKE '%lock_actor%';
SELECT hoopguard.unlock_actor('regress_incident_alice');
SELECT hoopguard.unlock_actor('regress_incident_bot');
SELECT count(*) FROM hoopguard.actor_lock;
-- Warnings: a name nobody has, a superuser, oneself.
SELECT * FROM hoopguard.lock_actor('nobody@example.com', 'unknown');
SELECT * FROM hoopguard.lock_actor('regress_incident_root', 'gone');
RESET ROLE;
SELECT hoopguard.unlock_actor('regress_incident_root');
BEGIN;
SELECT what, detail LIKE session_user || ' %' FROM hoopguard.lock_actor(session_user, 'mistake') WHERE what = 'actor';
ROLLBACK;
SELECT hoopguard.unlock_actor('nobody@example.com');

-- Somebody must be left who can undo it.
DO $$
DECLARE
    one name;
BEGIN
    FOR one IN SELECT rolname FROM pg_roles WHERE rolsuper AND rolcanlogin AND rolname <> 'regress_incident_root' LOOP
        PERFORM hoopguard.lock_actor(one, 'all of them');
    END LOOP;
    PERFORM hoopguard.lock_actor('regress_incident_root', 'the last');
END $$;
SELECT count(*) FROM hoopguard.actor_lock;

DELETE FROM hoopguard.actor;
DROP ROLE regress_incident_alice, regress_incident_bot, regress_incident_root, regress_incident_admin;
