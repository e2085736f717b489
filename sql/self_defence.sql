-- hoopguard is not switched off, emptied or hidden: by no role that is not a superuser's, by no agent that is one.
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE ROLE regress_defence_agent SUPERUSER LOGIN;
CREATE ROLE regress_defence_admin LOGIN IN ROLE hoopguard_admin;
CREATE ROLE regress_defence_files LOGIN IN ROLE pg_read_server_files, pg_write_server_files;
GRANT EXECUTE ON FUNCTION pg_read_file(text), pg_ls_dir(text), lo_export(oid, text) TO regress_defence_files;
GRANT ALTER SYSTEM ON PARAMETER hoopguard.mode TO regress_defence_admin;
INSERT INTO hoopguard.actor (name, kind) VALUES ('regress_defence_agent', 'agent');

-- An agent that is a superuser, with no guardrail at all.
SET ROLE regress_defence_agent;
DELETE FROM hoopguard.guardrail;
TRUNCATE hoopguard.guardrail;
ALTER TABLE hoopguard.guardrail DISABLE TRIGGER ALL;
ALTER TABLE hoopguard.guardrail ENABLE ROW LEVEL SECURITY;
ALTER TABLE hoopguard.guardrail OWNER TO regress_defence_agent;
CREATE RULE gone AS ON INSERT TO hoopguard.guardrail DO INSTEAD NOTHING;
CREATE TRIGGER gone BEFORE INSERT ON hoopguard.guardrail FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE OR REPLACE FUNCTION hoopguard.policy_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
DROP FUNCTION hoopguard.policy_changed() CASCADE;
DROP SCHEMA hoopguard CASCADE;
DROP EXTENSION hoopguard CASCADE;
ALTER EXTENSION hoopguard DROP TABLE hoopguard.guardrail;
ALTER EXTENSION hoopguard SET SCHEMA public;
ALTER SCHEMA hoopguard RENAME TO other;
GRANT ALL ON hoopguard.guardrail TO PUBLIC;
LOCK TABLE hoopguard.guardrail IN ACCESS EXCLUSIVE MODE;
UPDATE pg_trigger SET tgenabled = 'D';
DELETE FROM pg_depend WHERE false;
SELECT hoopguard.guard('mine', 'warn', '{read}');
DO $$ BEGIN EXECUTE 'DELETE FROM hoopguard.' || 'guardrail'; END $$;
ALTER SYSTEM SET hoopguard.mode = 'observe';
ALTER SYSTEM SET shared_preload_libraries = '';
ALTER SYSTEM RESET ALL;
ALTER ROLE regress_defence_agent SET session_preload_libraries = '';
ALTER ROLE regress_defence_agent RESET ALL;
ALTER DATABASE contrib_regression SET session_preload_libraries = '';
SELECT pg_read_file('hoopguard/policy/x');
SELECT pg_read_file('hoop' || 'guard/../hoopguard/x');
SELECT pg_ls_dir(name) FROM (VALUES ('hoopguard')) v (name);
COPY hoopguard.actor TO '/proc/self/cwd/hoopguard/x';
DO $$ DECLARE x text; BEGIN x := pg_read_file('hoopguard/x'); END $$;
SELECT lo_export(1, 'hoopguard/x');
-- Elsewhere it may read.
SELECT length(pg_read_file('PG_VERSION')) > 0;
RESET ROLE;
SELECT count(*) > 0 AS still_there FROM hoopguard.actor;

-- Observing changes nothing here.
SELECT DISTINCT decision, guardrail, enforced FROM hoopguard.statement
 WHERE statement LIKE 'TRUNCATE hoopguard.guardrail%' AND effective_role = 'regress_defence_agent';

-- Who writes policy may do that, and no more.
SET SESSION AUTHORIZATION regress_defence_admin;
SELECT hoopguard.guard('regress_defence', 'warn', '{replication}', roles => '{regress_defence_agent}');
DELETE FROM hoopguard.guardrail WHERE name = 'regress_defence';
TRUNCATE hoopguard.guardrail;
LOCK TABLE hoopguard.guardrail IN ACCESS EXCLUSIVE MODE;
ALTER TABLE hoopguard.guardrail DISABLE TRIGGER ALL;
ALTER SYSTEM SET hoopguard.mode = 'observe';
SELECT hoopguard.uninstall('gone');
RESET SESSION AUTHORIZATION;

-- Rights on the server's files do not reach the journal.
SET SESSION AUTHORIZATION regress_defence_files;
SELECT pg_ls_dir('hoopguard');
SELECT pg_read_file('./base/../hoopguard/policy');
SELECT length(pg_read_file('PG_VERSION')) > 0;
COPY (SELECT 1) TO '/proc/self/cwd/hoopguard/x';
SELECT lo_export(1, '/tmp/x');
RESET SESSION AUTHORIZATION;

-- A superuser who is no agent may; but not drop what policy rests on before it is empty.
DROP EXTENSION hoopguard CASCADE;
DROP SCHEMA hoopguard CASCADE;
\set VERBOSITY default
SELECT hoopguard.uninstall(NULL);
SELECT hoopguard.uninstall('gone', NULL);
ALTER ROLE regress_defence_admin SET session_preload_libraries = 'hoopguard';
SELECT statement FROM hoopguard.uninstall('gone')
 WHERE database = current_database() AND (statement !~ '^DELETE' OR statement ~ 'guardrail');
SELECT DISTINCT statement FROM hoopguard.uninstall('gone') WHERE database <> current_database() ORDER BY 1;
SELECT count(*) FROM hoopguard.actor;

DELETE FROM hoopguard.actor;
REVOKE ALL ON PARAMETER hoopguard.mode FROM regress_defence_admin;
REVOKE EXECUTE ON FUNCTION pg_read_file(text), pg_ls_dir(text), lo_export(oid, text) FROM regress_defence_files;
DROP ROLE regress_defence_agent, regress_defence_admin, regress_defence_files;
