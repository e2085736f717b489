-- What the extension made in this database, a line for every object and every property of it that a user or a session
-- can tell: two databases whose lines are the same have the same extension. Run where hoopguard is created.
WITH member AS (
    SELECT classid, objid FROM pg_catalog.pg_depend
     WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
       AND refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'hoopguard')),
relation AS (
    SELECT c.* FROM pg_catalog.pg_class c JOIN member ON classid = 'pg_class'::regclass AND objid = c.oid),
line (kind, name, said) AS (
    SELECT 'member', pg_catalog.pg_describe_object(classid, objid, 0), '' FROM member
    UNION ALL
    SELECT 'comment', pg_catalog.pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
      FROM pg_catalog.pg_description d JOIN member ON classid = d.classoid AND objid = d.objoid
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text,
           pg_catalog.pg_get_functiondef(p.oid) || ' rights ' || coalesce(
               (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(p.proacl) a), 'default')
      FROM pg_catalog.pg_proc p JOIN member ON classid = 'pg_proc'::regclass AND objid = p.oid WHERE prokind IN ('f', 'p')
    UNION ALL
    SELECT 'relation', oid::regclass::text,
           concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity, reloptions::text, 'rights',
                     coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(relacl) a), 'default'))
      FROM relation
    UNION ALL
    SELECT 'column', attrelid::regclass || '.' || attname,
           concat_ws(' ', row_number() OVER (PARTITION BY attrelid ORDER BY attnum), format_type(atttypid, atttypmod),
                     attnotnull, attidentity, attgenerated, attacl::text, pg_get_expr(adbin, adrelid))
      FROM relation JOIN pg_catalog.pg_attribute a ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
      LEFT JOIN pg_catalog.pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL
    SELECT 'view', oid::regclass::text, pg_get_viewdef(oid) FROM relation WHERE relkind = 'v'
    UNION ALL
    SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(c.oid)
      FROM pg_catalog.pg_constraint c JOIN relation ON conrelid = relation.oid
    UNION ALL
    SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
      FROM pg_catalog.pg_index JOIN relation ON indrelid = relation.oid
    UNION ALL
    SELECT 'trigger', tgrelid::regclass || '.' || tgname, concat_ws(' ', tgenabled, pg_get_triggerdef(t.oid))
      FROM pg_catalog.pg_trigger t JOIN relation ON tgrelid = relation.oid WHERE NOT tgisinternal
    UNION ALL
    SELECT 'policy', polrelid::regclass || '.' || polname,
           concat_ws(' ', polcmd, polpermissive, polroles::regrole[]::text, pg_get_expr(polqual, polrelid),
                     pg_get_expr(polwithcheck, polrelid))
      FROM pg_catalog.pg_policy JOIN relation ON polrelid = relation.oid
    UNION ALL
    SELECT 'rule', ev_class::regclass || '.' || rulename, pg_get_ruledef(r.oid)
      FROM pg_catalog.pg_rewrite r JOIN relation ON ev_class = relation.oid WHERE rulename <> '_RETURN'
    UNION ALL
    SELECT 'sequence', seqrelid::regclass::text, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqcache)
      FROM pg_catalog.pg_sequence JOIN relation ON seqrelid = relation.oid
    UNION ALL
    SELECT 'event trigger', evtname, concat_ws(' ', evtevent, evtenabled, evttags::text, evtfoid::regprocedure)
      FROM pg_catalog.pg_event_trigger e JOIN member ON classid = 'pg_event_trigger'::regclass AND objid = e.oid
    UNION ALL
    SELECT 'schema', nspname, coalesce((SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(nspacl) a), 'default')
      FROM pg_catalog.pg_namespace WHERE nspname = 'hoopguard'
    UNION ALL
    -- Rows that pg_dump keeps although the extension made their table.
    SELECT 'kept by pg_dump', table_oid::regclass::text, condition
      FROM pg_catalog.pg_extension, unnest(extconfig, extcondition) AS kept (table_oid, condition)
     WHERE extname = 'hoopguard')
SELECT kind || ' ' || name || ': ' || regexp_replace(coalesce(said, ''), '\s+', ' ', 'g') AS text FROM line ORDER BY text;
