--
-- Health.
--

CREATE FUNCTION hoopguard.version() RETURNS text
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_version';
COMMENT ON FUNCTION hoopguard.version() IS 'the version of the library that the server has loaded';

CREATE FUNCTION hoopguard.status() RETURNS TABLE (name text, value text)
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_status';
COMMENT ON FUNCTION hoopguard.status() IS 'counters and settings in force, for monitoring';

CREATE FUNCTION hoopguard.examine_journal()
    RETURNS TABLE (check_name text, status text, detail text, remedy text)
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_examine_journal';
COMMENT ON FUNCTION hoopguard.examine_journal() IS 'the part of doctor() that looks at the journal and the settings';

-- With its owner's rights, because pg_hba_file_rules is for superusers alone.
CREATE FUNCTION hoopguard.doctor() RETURNS TABLE (check_name text, status text, detail text, remedy text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT 'library', 'ok', format('hoopguard %s is loaded since the server started', hoopguard.version()), NULL
UNION ALL
SELECT 'extension',
       CASE WHEN hoopguard.version() LIKE extversion || '.%' THEN 'ok' ELSE 'warn' END,
       format('the SQL objects of this database are of version %s', extversion),
       CASE WHEN hoopguard.version() NOT LIKE extversion || '.%' THEN 'ALTER EXTENSION hoopguard UPDATE;' END
  FROM pg_extension WHERE extname = 'hoopguard'
UNION ALL
SELECT 'control_database',
       CASE WHEN found THEN 'ok' ELSE 'fail' END,
       format(CASE WHEN found THEN 'policy is kept in database %I' ELSE 'database %I does not exist' END, name),
       CASE WHEN NOT found THEN format('CREATE DATABASE %I;', name) END
  FROM (SELECT current_setting('hoopguard.database')) AS control (name),
       LATERAL (SELECT EXISTS (SELECT FROM pg_database WHERE datname = name)) AS database (found)
UNION ALL
SELECT 'roles',
       CASE WHEN missing IS NULL THEN 'ok' ELSE 'fail' END,
       CASE WHEN missing IS NULL THEN 'hoopguard''s roles are there' ELSE format('missing: %s', missing) END,
       remedy
  FROM (SELECT string_agg(name, ', ' ORDER BY name),
               string_agg(format('CREATE ROLE %I NOLOGIN;', name), ' ' ORDER BY name)
          FROM unnest(ARRAY['hoopguard_admin', 'hoopguard_approver', 'hoopguard_auditor',
                            'hoopguard_breakglass']) AS wanted (name)
         WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)) AS roles (missing, remedy)
UNION ALL
SELECT 'grants',
       CASE WHEN late > 0 THEN 'fail' WHEN glass IS NOT NULL THEN 'warn' ELSE 'ok' END,
       format('%s just-in-time grants in force', active)
           || CASE WHEN late > 0 THEN format(', %s of them should have ended', late) ELSE '' END
           || CASE WHEN glass IS NOT NULL THEN format('; the glass was broken, and nobody has certified it: request %s', glass)
                   ELSE '' END,
       CASE WHEN late > 0 THEN 'See the server''s log about the hoopguard broker.'
            WHEN glass IS NOT NULL THEN format('SELECT hoopguard.approve(%s);', split_part(glass, ',', 1)) END
  FROM (SELECT count(*) FILTER (WHERE g.state = 'active'),
               count(*) FILTER (WHERE g.state = 'active' AND g.valid_until < clock_timestamp() - interval '5 seconds'),
               string_agg(g.request::text, ',' ORDER BY g.id) FILTER (WHERE g.break_glass AND g.certified_at IS NULL)
          FROM hoopguard.jit_grant g
         WHERE g.state = 'active' OR g.break_glass AND g.certified_at IS NULL) AS grants (active, late, glass)
UNION ALL
SELECT 'worker_processes',
       CASE WHEN allowed - taken >= wanted THEN 'ok' ELSE 'warn' END,
       format('%s of %s background workers are taken, hoopguard''s and others; parallel queries may want %s',
              taken, allowed, wanted),
       CASE WHEN allowed - taken < wanted
            THEN format('ALTER SYSTEM SET max_worker_processes = %s; -- then restart the server', taken + wanted) END
  FROM (SELECT current_setting('max_worker_processes')::int, current_setting('max_parallel_workers')::int,
               (SELECT count(*)::int FROM pg_stat_activity
                 WHERE backend_type LIKE 'hoopguard %' OR backend_type LIKE 'logical replication %'
                    OR backend_type = 'background worker')) AS slots (allowed, wanted, taken)
UNION ALL
SELECT * FROM hoopguard.examine_journal()
UNION ALL
SELECT * FROM hoopguard.examine_identity()
UNION ALL
SELECT * FROM hoopguard.examine_temporary_roles()
UNION ALL
SELECT * FROM hoopguard.examine_cluster()
UNION ALL
SELECT 'authentication',
       CASE WHEN lines IS NULL THEN 'ok' ELSE 'warn' END,
       CASE WHEN lines IS NULL THEN 'no line of pg_hba.conf trusts a client''s word'
            ELSE format('whoever connects may say to be any role: pg_hba.conf trusts line %s', lines) END,
       CASE WHEN lines IS NOT NULL
            THEN format('Write scram-sha-256 in place of trust in %s; then SELECT pg_catalog.pg_reload_conf();',
                        current_setting('hba_file')) END
  FROM (SELECT string_agg(line_number::text, ', ' ORDER BY line_number)
          FROM pg_hba_file_rules WHERE auth_method = 'trust') AS trusting (lines)
$$;
COMMENT ON FUNCTION hoopguard.doctor() IS 'what stands between this server and its promises, and what to do about it';

REVOKE ALL ON FUNCTION hoopguard.status(), hoopguard.examine_journal(), hoopguard.doctor() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.status(), hoopguard.doctor() TO hoopguard_admin, hoopguard_auditor;
GRANT EXECUTE ON FUNCTION hoopguard.status() TO pg_monitor;
