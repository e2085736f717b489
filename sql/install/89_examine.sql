--
-- The part of doctor() that looks at roles, databases and what the server loads.
--

CREATE FUNCTION hoopguard.examine_cluster() RETURNS TABLE (check_name text, status text, detail text, remedy text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
WITH RECURSIVE
-- Agents, and whoever is a member of an agent's role.
agent (role, via) AS (
    SELECT r.oid, r.oid FROM hoopguard.actor a JOIN pg_roles r ON r.rolname = a.name
     WHERE a.kind = 'agent' AND a.provider IS NULL
    UNION
    SELECT m.member, g.via FROM agent g JOIN pg_auth_members m ON m.roleid = g.role
),
-- All that a role is a member of.
held (role, of) AS (
    SELECT oid, oid FROM pg_roles
    UNION
    SELECT h.role, m.roleid FROM held h JOIN pg_auth_members m ON m.member = h.of
),
finding (check_name, status, role, ill, remedy) AS (
    SELECT 'superuser_agents', 'fail', r.rolname,
           'can undo everything that guards them', format('ALTER ROLE %I NOSUPERUSER;', r.rolname)
      FROM pg_roles r WHERE r.rolsuper AND r.oid IN (SELECT role FROM agent)
    UNION ALL
    SELECT 'superuser_membership', 'fail', r.rolname,
           'may become superusers by SET ROLE', format('REVOKE %I FROM %I;', s.rolname, m.rolname)
      FROM agent a JOIN pg_roles r ON r.oid = a.role AND NOT r.rolsuper
      JOIN held h ON h.role = a.role JOIN pg_roles s ON s.oid = h.of AND s.rolsuper
      JOIN pg_auth_members am ON am.roleid = s.oid JOIN held hm ON hm.role = a.role AND hm.of = am.member
      JOIN pg_roles m ON m.oid = am.member
    UNION ALL
    SELECT 'server_files', CASE WHEN r.oid IN (SELECT role FROM agent) THEN 'fail' ELSE 'warn' END, r.rolname,
           'reach the server''s files or run programs there', format('REVOKE %I FROM %I;', f.rolname, r.rolname)
      FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member AND NOT r.rolsuper JOIN pg_roles f ON f.oid = m.roleid
     WHERE f.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
    UNION ALL
    SELECT 'replication_rights', CASE WHEN r.oid IN (SELECT role FROM agent) THEN 'fail' ELSE 'warn' END, r.rolname,
           'may read everything by replication, unmasked', format('ALTER ROLE %I NOREPLICATION;', r.rolname)
      FROM pg_roles r
     WHERE r.rolreplication AND NOT r.rolsuper
       AND (r.oid IN (SELECT role FROM agent)
            OR r.rolname <> ALL (SELECT btrim(s, ' "') FROM string_to_table(current_setting('hoopguard.system_roles'), ',') s))
    UNION ALL
    SELECT 'session_preload', 'warn', r.rolname,
           'are let in by a server that was started without hoopguard',
           format('SELECT hoopguard.set_session_preload(%L, true);', r.rolname)
      FROM pg_roles r
     WHERE r.oid IN (SELECT role FROM agent) AND r.rolcanlogin AND NOT r.rolsuper
       AND NOT EXISTS (SELECT FROM pg_db_role_setting s, unnest(setconfig) c
                        WHERE s.setrole = r.oid AND s.setdatabase = 0 AND c ~ '^session_preload_libraries=.*\yhoopguard\y')
),
checks (place, check_name, well) AS (
    VALUES (1, 'superuser_agents', 'no agent is a superuser'),
           (2, 'superuser_membership', 'no agent may become a superuser'),
           (3, 'server_files', 'no role but superusers reaches the server''s files'),
           (4, 'replication_rights', 'no role but superusers and system roles may replicate'),
           (5, 'session_preload', 'a server started without hoopguard turns every agent away')
)
SELECT c.check_name, coalesce(min(f.status), 'ok'),
       CASE WHEN count(f.role) = 0 THEN c.well
            ELSE format('%s: %s', string_agg(DISTINCT quote_ident(f.role), ', '), min(f.ill)) END,
       string_agg(DISTINCT f.remedy, ' ')
  FROM checks c LEFT JOIN finding f USING (check_name)
 GROUP BY c.place, c.check_name, c.well
UNION ALL
-- A guardrail that names databases leaves others out.
SELECT 'databases', CASE WHEN names IS NULL THEN 'ok' ELSE 'warn' END,
       CASE WHEN names IS NULL THEN 'guardrails cover every database, or there are none'
            ELSE format('no enforced guardrail covers %s', names) END,
       CASE WHEN names IS NOT NULL THEN 'UPDATE hoopguard.guardrail SET databases = NULL WHERE databases IS NOT NULL;' END
  FROM (SELECT string_agg(quote_ident(d.datname), ', ' ORDER BY d.datname)
          FROM pg_database d
         WHERE d.datallowconn AND EXISTS (SELECT FROM hoopguard.guardrail)
           AND NOT EXISTS (
               SELECT FROM hoopguard.guardrail g
                WHERE g.mode = 'enforce'
                  AND (g.databases IS NULL
                       OR EXISTS (SELECT FROM unnest(g.databases) p
                                   WHERE d.datname LIKE translate(replace(p, '_', '\_'), '*?', '%_'))))) AS bare (names)
UNION ALL
-- Nobody answers for such an agent: no reviewer is found, and no lock of its owner reaches it.
SELECT 'actor_owners', CASE WHEN names IS NULL THEN 'ok' ELSE 'warn' END,
       CASE WHEN names IS NULL THEN 'every owner of an actor is a role or a registered actor'
            ELSE format('owners that are neither a role nor a registered actor: %s', names) END,
       remedies
  FROM (SELECT string_agg(format('%s of %s', quote_ident(a.owner), quote_ident(a.name)), ', ' ORDER BY a.name),
               string_agg(format('UPDATE hoopguard.actor SET owner = ... WHERE name = %L AND provider IS NOT DISTINCT FROM %L;',
                                 a.name, a.provider), ' ' ORDER BY a.name)
          FROM hoopguard.actor a
         WHERE a.owner IS NOT NULL AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = a.owner)
           AND NOT EXISTS (SELECT FROM hoopguard.actor o WHERE o.name = a.owner)) AS unknown (names, remedies)
UNION ALL
-- The last library is the outermost: what stands after hoopguard acts before its gate.
SELECT 'preload_order', CASE WHEN after IS NULL THEN 'ok' ELSE 'warn' END,
       CASE WHEN after IS NULL THEN 'hoopguard is the last of shared_preload_libraries'
            ELSE format('loaded after hoopguard, and so before its gate: %s', after) END,
       CASE WHEN after IS NOT NULL
            THEN format('ALTER SYSTEM SET shared_preload_libraries = %s; -- then restart the server', proper) END
  FROM (SELECT string_agg(l, ', ' ORDER BY n) FILTER (WHERE n > own),
               string_agg(quote_literal(l), ', ' ORDER BY (l = 'hoopguard')::int, n)
          FROM (SELECT btrim(l, ' "') AS l, n, max(n) FILTER (WHERE btrim(l, ' "') = 'hoopguard') OVER () AS own
                  FROM string_to_table(current_setting('shared_preload_libraries'), ',') WITH ORDINALITY AS s (l, n)) AS libraries
       ) AS loaded (after, proper)
UNION ALL
SELECT 'clock', CASE WHEN ahead IS NULL THEN 'ok' ELSE 'warn' END,
       CASE WHEN ahead IS NULL THEN 'no entry of the journal is of a time to come'
            ELSE format('the clock went back: the journal has entries up to %s', ahead) END,
       CASE WHEN ahead IS NOT NULL THEN 'Synchronise the clocks of the cluster''s machines (NTP).' END
  FROM (SELECT max(newest_at) FILTER (WHERE newest_at > clock_timestamp() + interval '5 seconds')
          FROM hoopguard.journal_segment) AS newest (ahead)
$$;
COMMENT ON FUNCTION hoopguard.examine_cluster() IS
    'the part of doctor() that looks at roles, databases and what the server loads';
REVOKE ALL ON FUNCTION hoopguard.examine_cluster() FROM PUBLIC;
