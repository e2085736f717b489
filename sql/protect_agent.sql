-- protect_agent(): one call, and what a role may do is settled; again, and nothing changes.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE ROLE regress_protect_bot LOGIN;
CREATE ROLE regress_protect_child LOGIN IN ROLE regress_protect_bot;
CREATE ROLE regress_protect_root SUPERUSER;
CREATE ROLE regress_protect_copier REPLICATION IN ROLE regress_protect_root;
CREATE ROLE regress_protect_admin LOGIN IN ROLE hoopguard_admin;
CREATE TABLE protect_orders (id int PRIMARY KEY, v text);
ALTER TABLE protect_orders OWNER TO regress_protect_bot;
CREATE VIEW protect_preload AS
    SELECT setrole::regrole AS role, setconfig FROM pg_db_role_setting WHERE setrole::regrole::text LIKE 'regress_protect%';

SELECT hoopguard.protect_agent(NULL);
SELECT hoopguard.protect_agent('regress_nobody');
SELECT hoopguard.protect_agent('group:');
SELECT hoopguard.protect_agent('regress_protect_bot', mode => 'on');
SELECT hoopguard.protect_agent('regress_protect_bot', approvers => '{regress_nobody}');
SELECT hoopguard.unprotect_agent('regress_protect_bot');
SET ROLE regress_protect_bot;
SELECT hoopguard.protect_agent('regress_protect_bot');
SELECT hoopguard.set_session_preload('regress_protect_bot', false);
RESET ROLE;

SET ROLE regress_protect_admin;
SELECT * FROM hoopguard.protect_agent('regress_protect_bot', '{regress_protect_admin}', 'dana', 'questions') WHERE what <> 'mask';
SELECT data_class, method, rank FROM hoopguard.mask_policy WHERE data_class = 'email';
SELECT count(*) > 12 AS all_classes FROM hoopguard.mask_policy WHERE roles = '{regress_protect_bot}';
SELECT name, action, approvers, mode FROM hoopguard.guardrail WHERE name LIKE 'protect regress_protect_bot: %' ORDER BY 1;
SELECT * FROM hoopguard.actor;
-- Again: the same, and what was said of owner and purpose stays.
SELECT count(*) FROM hoopguard.protect_agent('regress_protect_bot') WHERE what <> 'mask';
SELECT count(*) FROM hoopguard.guardrail;
SELECT * FROM hoopguard.actor;
RESET ROLE;
SELECT * FROM protect_preload;

-- What it holds back.
SET SESSION AUTHORIZATION regress_protect_child;
\set VERBOSITY terse
CREATE DATABASE regress_protect;
ALTER ROLE regress_protect_bot CREATEDB;
UPDATE hoopguard.guardrail SET mode = 'off';
SET row_security = off;
SELECT pg_notify('mine', 'x');
SELECT pg_read_file('PG_VERSION');
SELECT pg_create_physical_replication_slot('regress_protect');
DELETE FROM protect_orders;
DROP TABLE protect_orders;
ALTER TABLE protect_orders ADD w int;
DO $$ BEGIN NULL; END $$;
GRANT SELECT ON protect_orders TO PUBLIC;
INSERT INTO protect_orders VALUES (1);
SELECT count(*) FROM protect_orders;
\set VERBOSITY default
RESET SESSION AUTHORIZATION;

-- Observing holds nothing back.
SELECT * FROM hoopguard.protect_agent('regress_protect_bot', mode => 'observe') WHERE what = 'guardrail' LIMIT 1;
SET SESSION AUTHORIZATION regress_protect_child;
INSERT INTO protect_orders VALUES (1);
RESET SESSION AUTHORIZATION;

-- Preloading keeps what was there.
ALTER ROLE regress_protect_child SET session_preload_libraries = 'plpgsql';
SELECT hoopguard.set_session_preload('regress_protect_child', true), hoopguard.set_session_preload('regress_protect_child', true);
SELECT * FROM protect_preload ORDER BY 1;
SELECT hoopguard.set_session_preload('regress_protect_child', false);
SELECT * FROM protect_preload ORDER BY 1;

-- What cannot be held is said.
SELECT * FROM hoopguard.protect_agent('regress_protect_root') WHERE what = 'warning';
SELECT * FROM hoopguard.protect_agent('group:bots') WHERE what NOT IN ('guardrail', 'mask');

-- And back.
SELECT * FROM hoopguard.unprotect_agent('regress_protect_bot') WHERE what <> 'mask';
SELECT * FROM hoopguard.unprotect_agent('regress_protect_root') WHERE what <> 'mask';
SELECT * FROM hoopguard.unprotect_agent('group:bots') WHERE what <> 'mask';
SELECT count(*) FROM hoopguard.guardrail;
SELECT count(*) FROM hoopguard.actor;
SELECT count(*) FROM hoopguard.mask_policy;
SELECT * FROM protect_preload;
SET SESSION AUTHORIZATION regress_protect_child;
DROP TABLE protect_orders;
RESET SESSION AUTHORIZATION;

DROP VIEW protect_preload;
DROP ROLE regress_protect_copier, regress_protect_child, regress_protect_bot, regress_protect_root, regress_protect_admin;
