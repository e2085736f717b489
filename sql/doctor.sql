-- doctor() finds what weakens the promises, and its remedies heal when they are run.
\set VERBOSITY terse
CREATE ROLE regress_doctor_root SUPERUSER LOGIN;
CREATE ROLE regress_doctor_boss SUPERUSER;
CREATE ROLE regress_doctor_bot LOGIN IN ROLE regress_doctor_boss, pg_read_server_files;
CREATE ROLE regress_doctor_child LOGIN IN ROLE regress_doctor_bot;
CREATE ROLE regress_doctor_copier REPLICATION LOGIN;
CREATE VIEW doctor_roles AS
    SELECT check_name, status, detail, remedy FROM hoopguard.doctor()
     WHERE check_name IN ('superuser_agents', 'superuser_membership', 'server_files', 'replication_rights',
                          'session_preload') ORDER BY check_name COLLATE "C";
SELECT * FROM doctor_roles WHERE detail LIKE '%regress_doctor_%';
INSERT INTO hoopguard.actor (name, kind) VALUES ('regress_doctor_root', 'agent'), ('regress_doctor_bot', 'agent');
SELECT * FROM doctor_roles WHERE detail LIKE '%regress_doctor_%';
-- Each remedy as it is.
SELECT remedy FROM doctor_roles WHERE check_name IN ('superuser_agents', 'server_files', 'replication_rights') \gexec
SELECT remedy FROM doctor_roles WHERE check_name = 'superuser_membership' \gexec
SELECT remedy FROM doctor_roles WHERE check_name = 'session_preload' \gexec
SELECT * FROM doctor_roles WHERE detail LIKE '%regress_doctor_%';

-- Where other libraries come after hoopguard, doctor() warns of it, with a remedy.
SELECT check_name, status = CASE WHEN late THEN 'warn' ELSE 'ok' END AS right_status, (remedy IS NOT NULL) = late AS right_remedy
  FROM hoopguard.doctor(),
       LATERAL (SELECT check_name = 'preload_order' AND current_setting('shared_preload_libraries') !~ 'hoopguard$') AS order_ (late)
 WHERE check_name IN ('preload_order', 'clock');
SELECT hoopguard.guard('regress_doctor', 'block', '{database}', roles => '{regress_doctor_bot}', databases => '{contrib_reg*}');
SELECT status, detail LIKE '%template1%' AS others, detail LIKE '%contrib_regression%' AS here, remedy
  FROM hoopguard.doctor() WHERE check_name = 'databases';
SELECT remedy FROM hoopguard.doctor() WHERE check_name = 'databases' \gexec
SELECT status FROM hoopguard.doctor() WHERE check_name = 'databases';

SELECT status FROM hoopguard.doctor() WHERE check_name = 'actor_owners';
UPDATE hoopguard.actor SET owner = 'regress_doctor_gone' WHERE name = 'regress_doctor_bot';
SELECT status, detail, remedy FROM hoopguard.doctor() WHERE check_name = 'actor_owners';
INSERT INTO hoopguard.actor (provider, name) VALUES ('corp', 'regress_doctor_gone');
SELECT status FROM hoopguard.doctor() WHERE check_name = 'actor_owners';

SELECT hoopguard.unguard('regress_doctor');
DELETE FROM hoopguard.actor;
DROP VIEW doctor_roles;
DROP ROLE regress_doctor_child, regress_doctor_bot, regress_doctor_boss, regress_doctor_root, regress_doctor_copier;
