--
-- All policy as the statements that make it again. It stands behind every policy table; a new kind of policy adds
-- its lines here.
--

-- The calls that make this policy again, for version control.
CREATE FUNCTION hoopguard.policy_script() RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    -- The same text for whoever asks.
    SET datestyle = 'ISO, YMD' SET timezone = 'UTC' SET intervalstyle = 'postgres' AS $$
    SELECT format('SELECT hoopguard.guard(%s);', (
               SELECT string_agg(format('%s => %L', a.name, a.value), ', ' ORDER BY a.place)
               FROM (VALUES (1, 'name', g.name), (2, 'action', g.action), (3, 'classes', g.classes::text),
                            (4, 'roles', g.roles::text), (5, 'except_roles', g.except_roles::text),
                            (6, 'databases', g.databases::text), (7, 'objects', g.objects::text),
                            (8, 'max_rows', g.max_rows::text), (9, 'per', g.per::text),
                            (10, 'max_cost', g.max_cost::text), (11, 'max_duration', g.max_duration::text),
                            (12, 'schedule', g.schedule), (13, 'approvers', g.approvers::text),
                            (14, 'min_approvals', g.min_approvals::text), (15, 'wait', g.wait::text),
                            (16, 'message', g.message), (17, 'mode', nullif(g.mode, 'enforce'))) a (place, name, value)
               WHERE a.value IS NOT NULL))
    FROM (SELECT * FROM hoopguard.guardrail ORDER BY name COLLATE "C") g
    UNION ALL
    SELECT format('INSERT INTO hoopguard.actor (provider, name, kind, owner, purpose, pooled, expires_at) '
                  'VALUES (%L, %L, %L, %L, %L, %L, %L);',
                  a.provider, a.name, a.kind, a.owner, a.purpose, a.pooled, a.expires_at)
    FROM (SELECT * FROM hoopguard.actor ORDER BY provider COLLATE "C", name COLLATE "C") a
    UNION ALL
    SELECT format('SELECT hoopguard.lock_actor(name => %L, reason => %L, until => %L, owned => %L);',
                  l.name, l.reason, l.until, l.owned)
    FROM (SELECT * FROM hoopguard.locked_actor WHERE until IS NULL OR until > now() ORDER BY name COLLATE "C") l
    UNION ALL
    SELECT format('INSERT INTO hoopguard.data_class (name, method, description) VALUES (%L, %L, %L);',
                  d.name, d.method, d.description)
    FROM (SELECT * FROM hoopguard.data_class WHERE NOT built_in ORDER BY name COLLATE "C") d
    UNION ALL
    SELECT format('SELECT hoopguard.set_mask(%s);', (
               SELECT string_agg(format('%s => %L', a.name, a.value), ', ' ORDER BY a.place)
               FROM (VALUES (1, 'data_class', m.data_class), (2, 'method', m.method), (3, 'roles', m.roles::text),
                            (4, 'rank', nullif(m.rank, 100)::text), (5, 'except_roles', m.except_roles::text),
                            (6, 'databases', m.databases::text), (7, 'objects', m.objects::text))
                    a (place, name, value)
               WHERE a.value IS NOT NULL))
    FROM (SELECT * FROM hoopguard.mask_policy ORDER BY data_class COLLATE "C", rank, roles, databases, objects) m
    UNION ALL
    SELECT * FROM hoopguard.identity_script()
$$;

REVOKE ALL ON FUNCTION hoopguard.policy_script() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.policy_script() TO hoopguard_admin, hoopguard_auditor, hoopguard_approver;
COMMENT ON FUNCTION hoopguard.policy_script() IS
    'the statements that make this policy again, for version control';
