-- What a server says of its own state, and to whom.
SELECT hoopguard.version() ~ '^1\.\d+\.\d+$' AS version;
SELECT name FROM hoopguard.status() WHERE name LIKE 'journal%' AND value ~ '^\d+$' ORDER BY name COLLATE "C";
SELECT value::bigint > 0 AS entries FROM hoopguard.status() WHERE name = 'journal_entries';
SELECT status, count(*) > 0 AS some FROM hoopguard.doctor() WHERE status NOT IN ('ok', 'warn', 'fail') GROUP BY 1;
SELECT check_name, status, detail, remedy FROM hoopguard.doctor()
 WHERE check_name IN ('control_database', 'roles', 'journal_writing', 'journal_losses', 'journal_failure_action',
                      'journal_sync', 'mode', 'mask_mode')
 ORDER BY check_name COLLATE "C";
-- Everything that is not well says what to do, and what is well does not.
SELECT check_name FROM hoopguard.doctor() WHERE (status = 'ok') <> (remedy IS NULL) AND check_name <> 'journal_origin';

-- A remedy in SQL heals.
ALTER SYSTEM SET hoopguard.journal_failure_action = 'allow';
ALTER SYSTEM SET hoopguard.journal_sync = 'off';
SELECT pg_reload_conf();
SELECT pg_sleep(0.2);
SELECT check_name, status, detail, remedy FROM hoopguard.doctor()
 WHERE check_name IN ('journal_failure_action', 'journal_sync') ORDER BY check_name COLLATE "C";
SELECT remedy FROM hoopguard.doctor() WHERE check_name = 'journal_failure_action' \gexec
SELECT remedy FROM hoopguard.doctor() WHERE check_name = 'journal_sync' \gexec
SELECT pg_reload_conf();
SELECT pg_sleep(0.2);
SELECT check_name, status FROM hoopguard.doctor()
 WHERE check_name IN ('journal_failure_action', 'journal_sync') ORDER BY check_name COLLATE "C";
ALTER SYSTEM RESET hoopguard.journal_failure_action;
ALTER SYSTEM RESET hoopguard.journal_sync;
SELECT pg_reload_conf();

-- The journal verifies, and bad arguments are named.
SELECT origin ~ '^[0-9a-f]{32}$' AS origin, entries > 0 AS entries, length(root) AS root, ok
  FROM hoopguard.verify_journal();
SELECT hoopguard.inclusion_proof(NULL);
SELECT hoopguard.inclusion_proof(-1);
SELECT hoopguard.inclusion_proof(9223372036854775807);

CREATE ROLE health_visitor;
CREATE ROLE health_auditor IN ROLE hoopguard_auditor;
SET SESSION AUTHORIZATION health_visitor;
SELECT hoopguard.version() IS NOT NULL AS version;
SELECT * FROM hoopguard.status();
SELECT * FROM hoopguard.doctor();
SELECT * FROM hoopguard.examine_journal();
SET SESSION AUTHORIZATION health_auditor;
SELECT count(*) > 5 AS status FROM hoopguard.status();
SELECT count(*) > 5 AS doctor FROM hoopguard.doctor();
SELECT ok FROM hoopguard.verify_journal();
RESET SESSION AUTHORIZATION;
DROP ROLE health_visitor, health_auditor;
