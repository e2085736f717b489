--
-- Access: who may do what, where it comes from, when it was last used.
--
-- Three things are put together: facts (what an object's ACL says, gathered in each database), reach (which roles a
-- role has, by which chain of memberships) and usage (what the journal has seen used). Roles and what the cluster
-- shares are looked at as they are; so are the objects of the control database. Those of other databases are as
-- gather_access() found them.
--

-- The query that gathers facts: plain SQL, for databases that need not have the extension; under a search_path of
-- pg_catalog alone, so that all else is named with its schema. One row for each object,
-- grantee and grantor, and one for each owner. What came with the server or an extension is left out, but for what
-- was granted beyond that.
CREATE FUNCTION hoopguard.access_fact_query() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
SELECT $$
WITH RECURSIVE label AS (
    SELECT l.objoid AS relation, l.objsubid AS number, l.label
      FROM pg_catalog.pg_seclabel l
     WHERE l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND l.provider = 'hoopguard' AND l.objsubid > 0
), sensitive (relation) AS (
    SELECT relation FROM label
    UNION
    -- Partitions and children; views and materialized views that are made from such a relation.
    SELECT d.relation FROM sensitive s CROSS JOIN LATERAL (
        SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = s.relation
        UNION ALL
        SELECT r.ev_class FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
         WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = s.relation
           AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
           AND (d.refobjsubid = 0 OR NOT EXISTS (SELECT FROM label l WHERE l.relation = s.relation)
                OR EXISTS (SELECT FROM label l WHERE l.relation = s.relation AND l.number = d.refobjsubid))
        ) AS d (relation)
), member AS MATERIALIZED (
    SELECT DISTINCT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
), space AS (
    SELECT n.oid, n.nspname, pg_catalog.quote_ident(n.nspname) AS quoted FROM pg_catalog.pg_namespace n
     WHERE n.nspname !~ '^pg_(toast|temp_|toast_temp_)' AND n.nspname <> 'information_schema'
), object AS (
    SELECT c.tableoid AS classid, 'pg_class' AS catalog, c.oid AS objid, 0 AS objsubid, 'r' AS letter,
           CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                          ELSE 'table' END AS object_kind,
           n.quoted || '.' || pg_catalog.quote_ident(c.relname) AS object, NULL::text AS relation, n.quoted AS schema,
           c.relowner AS owner, c.relacl AS acl,
           CASE WHEN c.oid IN (SELECT s.relation FROM sensitive s) THEN 'sensitive' ELSE 'plain' END AS nature
      FROM pg_catalog.pg_class c JOIN space n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT c.tableoid, 'pg_class', c.oid, 0, 's', 'sequence', n.quoted || '.' || pg_catalog.quote_ident(c.relname), NULL, n.quoted,
           c.relowner, c.relacl, 'plain'
      FROM pg_catalog.pg_class c JOIN space n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S'
    UNION ALL
    SELECT c.tableoid, 'pg_attribute', c.oid, a.attnum, 'c', 'column',
           n.quoted || '.' || pg_catalog.quote_ident(c.relname) || '.' || pg_catalog.quote_ident(a.attname),
           n.quoted || '.' || pg_catalog.quote_ident(c.relname), n.quoted, c.relowner, a.attacl,
           CASE WHEN EXISTS (SELECT FROM label l WHERE l.relation = c.oid AND l.number = a.attnum) THEN 'sensitive'
                WHEN c.oid IN (SELECT s.relation FROM sensitive s)
                     AND NOT EXISTS (SELECT FROM label l WHERE l.relation = c.oid) THEN 'sensitive'
                ELSE 'plain' END
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      JOIN space n ON n.oid = c.relnamespace
     WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT p.tableoid, 'pg_proc', p.oid, 0, 'f', CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END,
           n.quoted || '.' || pg_catalog.quote_ident(p.proname) || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')',
           NULL, n.quoted, p.proowner, p.proacl,
           CASE WHEN p.prosecdef THEN 'definer' ELSE 'plain' END
      FROM pg_catalog.pg_proc p JOIN space n ON n.oid = p.pronamespace
     WHERE p.oid >= 16384 OR p.proacl IS NOT NULL
    UNION ALL
    SELECT n.tableoid, 'pg_namespace', n.oid, 0, 'n', 'schema', s.quoted, NULL, s.quoted, n.nspowner, n.nspacl, 'plain'
      FROM pg_catalog.pg_namespace n JOIN space s ON s.oid = n.oid
    UNION ALL
    -- Types that have privileges of their own: not those of tables, nor arrays and multiranges.
    SELECT t.tableoid, 'pg_type', t.oid, 0, 'T', CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
           n.quoted || '.' || pg_catalog.quote_ident(t.typname), NULL, n.quoted, t.typowner, t.typacl, 'plain'
      FROM pg_catalog.pg_type t JOIN space n ON n.oid = t.typnamespace
      LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
     WHERE (t.oid >= 16384 OR t.typacl IS NOT NULL) AND t.typtype IN ('b', 'c', 'd', 'e', 'r')
       AND NOT (t.typelem <> 0 AND t.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc)
       AND coalesce(c.relkind = 'c', true)
    UNION ALL
    SELECT l.tableoid, 'pg_language', l.oid, 0, 'l', 'language', pg_catalog.quote_ident(l.lanname), NULL, NULL, l.lanowner, l.lanacl,
           CASE WHEN l.lanpltrusted THEN 'plain' ELSE 'untrusted' END
      FROM pg_catalog.pg_language l
    UNION ALL
    SELECT f.tableoid, 'pg_foreign_data_wrapper', f.oid, 0, 'F', 'foreign-data wrapper', pg_catalog.quote_ident(f.fdwname), NULL,
           NULL, f.fdwowner, f.fdwacl, 'plain'
      FROM pg_catalog.pg_foreign_data_wrapper f
    UNION ALL
    SELECT f.tableoid, 'pg_foreign_server', f.oid, 0, 'S', 'foreign server', pg_catalog.quote_ident(f.srvname), NULL, NULL,
           f.srvowner, f.srvacl, 'plain'
      FROM pg_catalog.pg_foreign_server f
    UNION ALL
    SELECT l.tableoid, 'pg_largeobject_metadata', l.oid, 0, 'L', 'large object', l.oid::text, NULL, NULL, l.lomowner, l.lomacl,
           'plain'
      FROM pg_catalog.pg_largeobject_metadata l
     WHERE l.lomacl IS NOT NULL
), kept AS MATERIALIZED (
    -- The schema of the extension is not its member; everybody may use it.
    SELECT o.*, CASE WHEN o.catalog = 'pg_namespace' AND o.object = 'hoopguard'
                     THEN pg_catalog.acldefault('n', o.owner) || pg_catalog.makeaclitem(0, o.owner, 'USAGE', false)
                     ELSE pg_catalog.acldefault(o.letter::"char", o.owner) END AS usual,
           m.objid IS NOT NULL OR o.objid < 16384 AND NOT (o.catalog = 'pg_namespace' AND o.object = 'public')
               OR o.catalog = 'pg_namespace' AND o.object = 'hoopguard' AS came
      FROM object o LEFT JOIN member m ON m.classid = o.classid AND m.objid = o.objid
), entry AS (
    SELECT k.*, a.acl AS counted
      FROM kept k
     CROSS JOIN LATERAL (SELECT CASE WHEN NOT k.came THEN coalesce(k.acl, k.usual) ELSE nullif(ARRAY(
               SELECT pg_catalog.unnest(k.acl)
               EXCEPT
               SELECT pg_catalog.unnest(coalesce((
                   SELECT i.initprivs FROM pg_catalog.pg_init_privs i
                    WHERE i.objoid = k.objid AND i.objsubid = k.objsubid AND i.classoid = k.classid), k.usual))), '{}') END) AS a (acl)
     WHERE NOT k.came OR k.acl IS NOT NULL
)
SELECT e.catalog, e.objid, e.objsubid, e.object_kind, e.object, coalesce(e.relation, e.object) AS relation, e.schema,
       e.owner, a.grantee, a.grantor, a.privileges, a.grantable, e.nature
  FROM entry e
 CROSS JOIN LATERAL (
       SELECT x.grantee, x.grantor, pg_catalog.array_agg(x.privilege_type) AS privileges,
              pg_catalog.array_agg(x.privilege_type) FILTER (WHERE x.is_grantable) AS grantable
         FROM pg_catalog.aclexplode(e.counted) x GROUP BY 1, 2) a
UNION ALL
SELECT k.catalog, k.objid, k.objsubid, k.object_kind, k.object, coalesce(k.relation, k.object), k.schema, k.owner,
       k.owner, k.owner, '{OWNERSHIP}', NULL, k.nature
  FROM kept k WHERE NOT k.came AND k.catalog <> 'pg_attribute'
UNION ALL
-- What objects yet to be made will carry.
SELECT 'pg_default_acl', d.oid, 0, 'default privileges',
       pg_catalog.format('%s of %I%s',
           CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
           pg_catalog.pg_get_userbyid(d.defaclrole), ' in schema ' || n.quoted),
       NULL, n.quoted, d.defaclrole, a.grantee, a.grantor, pg_catalog.array_agg(a.privilege_type),
       pg_catalog.array_agg(a.privilege_type) FILTER (WHERE a.is_grantable), 'plain'
  FROM pg_catalog.pg_default_acl d LEFT JOIN space n ON n.oid = d.defaclnamespace
 CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a
 WHERE a.grantee <> d.defaclrole
   AND NOT (d.defaclnamespace = 0 AND a.grantee = 0 AND d.defaclobjtype IN ('f', 'T'))
 GROUP BY d.oid, d.defaclobjtype, d.defaclrole, n.quoted, a.grantee, a.grantor
$$
$body$;
COMMENT ON FUNCTION hoopguard.access_fact_query() IS 'the query that gathers what the ACLs of a database say';

-- The same of what the cluster shares.
CREATE FUNCTION hoopguard.shared_facts()
    RETURNS TABLE (database text, catalog text, objid oid, objsubid integer, object_kind text, object text,
                   relation text, schema text, owner oid, grantee oid, grantor oid, privileges text[],
                   grantable text[], nature text)
    LANGUAGE sql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
WITH object (database, catalog, objid, object_kind, object, letter, owner, acl) AS (
    SELECT d.datname::text, 'pg_database', d.oid, 'database', quote_ident(d.datname), 'd', d.datdba, d.datacl
      FROM pg_database d
    UNION ALL
    SELECT NULL, 'pg_tablespace', t.oid, 'tablespace', quote_ident(t.spcname), 't', t.spcowner, t.spcacl
      FROM pg_tablespace t WHERE t.oid >= 16384 OR t.spcacl IS NOT NULL
    UNION ALL
    SELECT NULL, 'pg_parameter_acl', p.oid, 'parameter', p.parname, 'p', 10, p.paracl FROM pg_parameter_acl p
)
SELECT o.database, o.catalog, o.objid, 0, o.object_kind, o.object, o.object, NULL, o.owner, a.grantee, a.grantor,
       array_agg(a.privilege_type), array_agg(a.privilege_type) FILTER (WHERE a.is_grantable), 'plain'
  FROM object o CROSS JOIN LATERAL aclexplode(coalesce(o.acl, acldefault(o.letter::"char", o.owner))) a
 WHERE NOT (o.catalog = 'pg_parameter_acl' AND a.grantee = 10)
 GROUP BY o.database, o.catalog, o.objid, o.object_kind, o.object, o.owner, a.grantee, a.grantor
UNION ALL
SELECT o.database, o.catalog, o.objid, 0, o.object_kind, o.object, o.object, NULL, o.owner, o.owner, o.owner,
       '{OWNERSHIP}', NULL, 'plain'
  FROM object o WHERE o.catalog <> 'pg_parameter_acl'
$$;
COMMENT ON FUNCTION hoopguard.shared_facts() IS 'what the ACLs of databases, tablespaces and parameters say';

-- What was gathered in the other databases.
DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        CREATE TABLE hoopguard.access_gathering (
            database text PRIMARY KEY,
            gathered_at timestamptz,
            facts bigint,
            tried_at timestamptz NOT NULL,
            error text
        );
        COMMENT ON TABLE hoopguard.access_gathering IS
            'when each database was last looked through for privileges; error: why the last attempt found nothing';
        CREATE TABLE hoopguard.access_fact (
            database text NOT NULL,
            catalog text NOT NULL,
            objid oid NOT NULL,
            objsubid integer NOT NULL,
            object_kind text NOT NULL,
            object text NOT NULL,
            relation text,
            schema text,
            owner oid NOT NULL,
            grantee oid NOT NULL,
            grantor oid NOT NULL,
            privileges text[] NOT NULL,
            grantable text[],
            nature text NOT NULL
        );
        CREATE INDEX access_fact_database ON hoopguard.access_fact (database);
        COMMENT ON TABLE hoopguard.access_fact IS
            'what the ACLs of other databases say, as gather_access() found it; grantee 0 is PUBLIC';
        GRANT SELECT ON hoopguard.access_gathering, hoopguard.access_fact TO hoopguard_admin, hoopguard_auditor;
    END IF;
END
$$;

-- An array of rows, as in_database() gives it, becomes facts of that database.
CREATE FUNCTION hoopguard.take_facts(database text, gathered jsonb) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    taken bigint;
BEGIN
    DELETE FROM hoopguard.access_fact f WHERE f.database = take_facts.database;
    INSERT INTO hoopguard.access_fact
    SELECT take_facts.database, r.*
      FROM jsonb_to_recordset(gathered) AS r (catalog text, objid oid, objsubid integer, object_kind text, object text,
           relation text, schema text, owner oid, grantee oid, grantor oid, privileges text[], grantable text[],
           nature text);
    GET DIAGNOSTICS taken = ROW_COUNT;
    RETURN taken;
END
$$;
COMMENT ON FUNCTION hoopguard.take_facts(text, jsonb) IS 'keeps what was gathered in another database';

-- Looks through every database of the cluster that takes connections. One that cannot be looked at is told in
-- access_gathering and keeps what was found before. Returns how many databases were looked through.
CREATE FUNCTION hoopguard.gather_access() RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one text;
    taken bigint;
    looked bigint := 0;
BEGIN
    PERFORM hoopguard.require_control_database();
    -- One at a time.
    PERFORM pg_advisory_xact_lock(hashtextextended('hoopguard.gather_access', 0));
    DELETE FROM hoopguard.access_gathering g
     WHERE NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = g.database AND d.datallowconn);
    DELETE FROM hoopguard.access_fact f
     WHERE NOT EXISTS (SELECT FROM hoopguard.access_gathering g WHERE g.database = f.database);
    FOR one IN SELECT d.datname FROM pg_database d WHERE d.datallowconn ORDER BY d.datname LOOP
        BEGIN
            IF one = current_database() THEN
                -- Looked at whenever it is asked for.
                EXECUTE format('SELECT count(*) FROM (%s) f', hoopguard.access_fact_query()) INTO taken;
            ELSE
                INSERT INTO hoopguard.access_gathering (database, tried_at) VALUES (one, clock_timestamp())
                    ON CONFLICT (database) DO NOTHING;
                taken := hoopguard.take_facts(one, hoopguard.in_database(one, hoopguard.access_fact_query()));
            END IF;
            INSERT INTO hoopguard.access_gathering AS g (database, gathered_at, facts, tried_at)
            VALUES (one, clock_timestamp(), taken, clock_timestamp())
                ON CONFLICT (database) DO UPDATE
               SET (gathered_at, facts, tried_at, error) = (EXCLUDED.gathered_at, EXCLUDED.facts, EXCLUDED.tried_at, NULL);
            looked := looked + 1;
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO hoopguard.access_gathering AS g (database, tried_at, error)
            VALUES (one, clock_timestamp(), SQLERRM)
                ON CONFLICT (database) DO UPDATE SET (tried_at, error) = (EXCLUDED.tried_at, EXCLUDED.error);
        END;
    END LOOP;
    RETURN looked;
END
$$;
COMMENT ON FUNCTION hoopguard.gather_access() IS
    'looks through all databases for privileges, which view access then shows; returns how many it could look through';

-- All facts: of this database and of the cluster as they are now, of the others as they were gathered.
CREATE FUNCTION hoopguard.all_facts()
    RETURNS TABLE (database text, catalog text, objid oid, objsubid integer, object_kind text, object text,
                   relation text, schema text, owner oid, grantee oid, grantor oid, privileges text[],
                   grantable text[], nature text, gathered_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT current_database()::text, f.*, statement_timestamp() FROM (%s) f',
                                hoopguard.access_fact_query());
    RETURN QUERY SELECT s.*, statement_timestamp() FROM hoopguard.shared_facts() s;
    RETURN QUERY SELECT f.*, g.gathered_at
                   FROM hoopguard.access_fact f JOIN hoopguard.access_gathering g USING (database)
                  WHERE f.database <> current_database();
END
$$;
COMMENT ON FUNCTION hoopguard.all_facts() IS 'what all ACLs say, as known';

-- Roles as access looks at them; 0 is PUBLIC.
CREATE VIEW hoopguard.access_role AS
    SELECT r.oid, r.rolname::text AS name,
           coalesce(a.kind, CASE WHEN r.oid < 16384 AND r.rolname LIKE 'pg\_%' THEN 'predefined'
                                 WHEN r.rolcanlogin THEN 'human' ELSE 'group' END) AS kind,
           a.owner, r.rolsuper AS super, r.rolcanlogin AS can_login, r.rolinherit AS inherits,
           CASE WHEN r.rolsuper THEN 'superuser'
                WHEN r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files') THEN 'server'
                WHEN r.rolcreaterole OR r.rolreplication OR r.rolbypassrls THEN 'attributes'
                WHEN r.rolname IN ('hoopguard_admin', 'hoopguard_approver', 'hoopguard_auditor', 'hoopguard_breakglass')
                    THEN 'hoopguard'
                WHEN r.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain') THEN 'all data'
                ELSE 'plain' END AS nature
      FROM pg_catalog.pg_roles r LEFT JOIN hoopguard.actor a ON a.name = r.rolname AND a.provider IS NULL
    UNION ALL
    SELECT 0, 'PUBLIC', 'public', NULL, false, false, false, 'plain';
COMMENT ON VIEW hoopguard.access_role IS 'the roles of the cluster and PUBLIC, with what is known of them';

-- Which roles a role has, and by which of its own memberships (`first`): a row for each, with the shortest chain.
-- `inherits`: its privileges are in force at once; otherwise only after SET ROLE. `jit_grant`: by a just-in-time
-- grant. The arguments leave memberships out, as if they were revoked.
CREATE FUNCTION hoopguard.role_reach(gone_role oid[] DEFAULT '{}', gone_member oid[] DEFAULT '{}',
                                     gone_grantor oid[] DEFAULT '{}')
    RETURNS TABLE (member oid, first oid, target oid, inherits boolean, settable boolean, admin boolean,
                   jit_grant bigint, chain text[], name text, kind text, owner text)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
WITH RECURSIVE edge AS (
    SELECT m.member, m.roleid, m.admin_option,
           coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) AS inherits,
           coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) AS settable, t.rolname::text AS name,
           (SELECT min(g.id) FROM hoopguard.jit_grant g
             WHERE g.state = 'active' AND g.made AND g.role_oid = m.roleid AND g.member_oid = m.member
               AND (m.grantor = 10 OR current_setting('server_version_num')::integer < 160000)) AS jit_grant
      FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member JOIN pg_roles t ON t.oid = m.roleid
     WHERE NOT EXISTS (SELECT FROM unnest(gone_role, gone_member, gone_grantor) AS gone (role, member, grantor)
                        WHERE gone.role = m.roleid AND gone.member = m.member AND gone.grantor = m.grantor)
), hop (member, first, target, inherits, settable, admin, jit_grant, chain) AS (
    SELECT e.member, e.roleid, e.roleid, e.inherits, e.settable, e.admin_option, e.jit_grant, ARRAY[e.name] FROM edge e
    UNION ALL
    -- Of all chains of one length to the same role one is enough: there may be very many.
    (SELECT DISTINCT ON (h.member, h.first, e.roleid, h.inherits AND e.inherits, h.settable AND e.settable,
                         coalesce(h.jit_grant, e.jit_grant))
            h.member, h.first, e.roleid, h.inherits AND e.inherits, h.settable AND e.settable, false,
            coalesce(h.jit_grant, e.jit_grant), h.chain || e.name
       FROM hop h JOIN edge e ON e.member = h.target
      WHERE h.inherits AND e.inherits OR h.settable AND e.settable)
)
SELECT DISTINCT ON (h.member, h.first, h.target, coalesce(h.jit_grant, 0))
       h.member, h.first, h.target, h.inherits, h.settable, h.admin, h.jit_grant, h.chain, r.name, r.kind, r.owner
  FROM hop h JOIN hoopguard.access_role r ON r.oid = h.member
 ORDER BY h.member, h.first, h.target, coalesce(h.jit_grant, 0), h.inherits DESC, h.settable DESC,
          array_length(h.chain, 1), h.admin DESC
$$;
COMMENT ON FUNCTION hoopguard.role_reach(oid[], oid[], oid[]) IS
    'which roles every role has, by which of its memberships, at once or only after SET ROLE';

-- The rule of risk, in full. What a privilege lets do gives a level, 0 to 3; who holds it, and how, moves that by one.
CREATE FUNCTION hoopguard.access_level(object_kind text, privilege text, nature text, OUT level integer, OUT why text)
    RETURNS record LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT rule[1]::integer, rule[2] FROM (SELECT CASE
        WHEN object_kind = 'cluster' AND privilege = 'CREATEDB' THEN ARRAY['1', 'makes databases']
        WHEN object_kind = 'cluster' THEN ARRAY['3', 'a role attribute that no privilege limits']
        WHEN object_kind = 'role' AND nature = 'superuser' THEN ARRAY['3', 'leads to a superuser']
        WHEN object_kind = 'role' AND nature = 'server' THEN ARRAY['3', 'leads to the server''s files or programs']
        WHEN object_kind = 'role' AND nature = 'attributes'
            THEN ARRAY['3', 'leads to a role that makes roles, replicates or passes by row security']
        WHEN object_kind = 'role' AND nature = 'hoopguard' THEN ARRAY['2', 'one of hoopguard''s own roles']
        WHEN object_kind = 'role' AND nature = 'all data' THEN ARRAY['2', 'reads, writes or maintains all data']
        WHEN object_kind = 'role' AND privilege = 'MEMBER'
            THEN ARRAY['0', 'a role whose privileges are listed by themselves']
        WHEN object_kind = 'role' THEN ARRAY['1', 'a role that is had after SET ROLE']
        WHEN privilege = 'OWNERSHIP' THEN ARRAY['2', 'may change, drop and grant it']
        WHEN privilege = 'TRUNCATE' THEN ARRAY['2', 'empties it']
        WHEN privilege = 'UNMASK' THEN ARRAY['2', 'reads a data class unmasked']
        WHEN privilege LIKE 'LEAVE %' THEN ARRAY['2', 'passes by guardrails that ask']
        WHEN privilege = 'ALTER SYSTEM' THEN ARRAY['2', 'changes the server''s configuration']
        WHEN object_kind = 'language' AND nature = 'untrusted' THEN ARRAY['3', 'runs code as the server''s user']
        WHEN nature = 'sensitive' THEN ARRAY['2', 'classified columns']
        WHEN nature = 'definer' THEN ARRAY['1', 'runs with its owner''s rights']
        WHEN object_kind IN ('foreign server', 'foreign-data wrapper') THEN ARRAY['1', 'leads out of the database']
        WHEN privilege IN ('INSERT', 'UPDATE', 'DELETE', 'MAINTAIN') THEN ARRAY['1', 'changes data']
        WHEN privilege IN ('CREATE', 'TRIGGER', 'REFERENCES', 'SET') THEN ARRAY['1', 'makes or changes things beside data']
        ELSE ARRAY['0', 'reads or uses what is not classified']
    END) AS r (rule)
$$;
COMMENT ON FUNCTION hoopguard.access_level(text, text, text) IS 'how far a privilege leads by itself, 0 to 3, and why';

CREATE FUNCTION hoopguard.access_risk(object_kind text, privilege text, nature text DEFAULT 'plain',
                                      holder text DEFAULT 'other', grantable boolean DEFAULT false,
                                      jit boolean DEFAULT false, OUT risk text, OUT why text) RETURNS record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (ARRAY['low', 'medium', 'high', 'critical'])[1 + least(3, greatest(0, l.level
               + (holder IN ('agent', 'everybody'))::integer + grantable::integer - jit::integer))],
           l.why || CASE holder WHEN 'agent' THEN '; held by an agent (+1)' WHEN 'everybody' THEN '; held by everybody (+1)'
                                ELSE '' END
                 || CASE WHEN grantable THEN '; may be passed on (+1)' ELSE '' END
                 || CASE WHEN jit THEN '; ends by itself (-1)' ELSE '' END
      FROM hoopguard.access_level(object_kind, privilege, nature) l
$$;
COMMENT ON FUNCTION hoopguard.access_risk(text, text, text, text, boolean, boolean) IS
    'the rule of risk: low, medium, high or critical, and why';

-- One row for each privilege that a role has by itself: by an ACL, by being a superuser, or by being one of the roles
-- that read, write or maintain everything. `place` is a number for what usage calls an object (a hash of
-- 64 bits: two that meet are not to be expected); `level` and `why` are
-- access_level()'s, `measured` says whether use of it is on record.
CREATE FUNCTION hoopguard.access_privileges()
    RETURNS TABLE (role oid, source text, database text, catalog text, objid oid, objsubid integer, object_kind text,
                   object text, relation text, schema text, object_owner oid, grantor oid, nature text,
                   gathered_at timestamptz, privilege text, grantable boolean, place bigint, level integer, why text,
                   measured boolean, name text, kind text, role_owner text)
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 20000 SET search_path = pg_catalog, pg_temp
    SET jit = off SET enable_nestloop = off SET enable_mergejoin = off AS $$
WITH fact AS MATERIALIZED (
    SELECT f.*, hashtextextended(concat(f.database, E'\n', f.relation), 0) AS place
      FROM hoopguard.all_facts() f
), measured (object_kind, privilege) AS (
    SELECT k.kind, p.privilege
      FROM unnest(ARRAY['table', 'view', 'materialized view', 'foreign table', 'sequence', 'column']) AS k (kind),
           unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'OWNERSHIP']) AS p (privilege)
    UNION ALL
    VALUES ('function', 'EXECUTE'), ('procedure', 'EXECUTE'), ('function', 'OWNERSHIP'), ('procedure', 'OWNERSHIP'),
           ('sequence', 'USAGE'), ('schema', 'USAGE'), ('schema', 'CREATE'), ('database', 'CONNECT'), ('database', 'CREATE')
), sort AS (
    SELECT DISTINCT f.object_kind, f.nature, f.catalog FROM fact f
), every (object_kind, privilege) AS (
    -- What can be had on each kind of object in this version of PostgreSQL.
    SELECT s.object_kind, a.privilege_type
      FROM (SELECT DISTINCT s.object_kind FROM sort s
             WHERE s.catalog NOT IN ('pg_attribute', 'pg_default_acl', 'pg_parameter_acl')) s
     CROSS JOIN LATERAL aclexplode(acldefault(
               CASE s.object_kind WHEN 'sequence' THEN 's' WHEN 'function' THEN 'f' WHEN 'procedure' THEN 'f'
                    WHEN 'schema' THEN 'n' WHEN 'type' THEN 'T' WHEN 'domain' THEN 'T' WHEN 'language' THEN 'l'
                    WHEN 'database' THEN 'd' WHEN 'tablespace' THEN 't' WHEN 'foreign server' THEN 'S'
                    WHEN 'foreign-data wrapper' THEN 'F' WHEN 'large object' THEN 'L' ELSE 'r' END::"char", 10)) a
     WHERE a.grantee = 10
), kind AS MATERIALIZED (
    SELECT k.*, l.level, l.why, m.privilege IS NOT NULL AS measured
      FROM (SELECT DISTINCT f.object_kind, f.nature, p.privilege FROM fact f CROSS JOIN unnest(f.privileges) AS p (privilege)
            UNION SELECT s.object_kind, s.nature, e.privilege FROM sort s JOIN every e USING (object_kind)) k
     CROSS JOIN LATERAL hoopguard.access_level(k.object_kind, k.privilege, k.nature) l
      LEFT JOIN measured m ON m.object_kind = k.object_kind AND m.privilege = k.privilege
), held AS (
    SELECT f.grantee AS role,
           CASE WHEN f.grantee = 0 THEN 'public' WHEN f.grantee = f.owner THEN 'owner' ELSE 'direct' END AS source,
           f.*, p.privilege, coalesce(p.privilege = ANY (f.grantable), false) AS passed_on
      FROM fact f CROSS JOIN unnest(f.privileges) AS p (privilege)
    UNION ALL
    SELECT r.oid, CASE WHEN r.rolsuper THEN 'superuser' ELSE 'direct' END, f.*, e.privilege, false
      FROM pg_roles r CROSS JOIN fact f JOIN every e USING (object_kind)
      -- An owner who is a superuser has what he took from himself, too.
      LEFT JOIN fact own ON own.owner = r.oid AND own.grantee = r.oid AND own.catalog = f.catalog AND own.objid = f.objid
                        AND own.database IS NOT DISTINCT FROM f.database AND own.privileges <> '{OWNERSHIP}'
                        AND own.catalog <> 'pg_attribute'
     WHERE f.privileges = '{OWNERSHIP}'
       AND CASE WHEN r.rolsuper THEN NOT coalesce(e.privilege = ANY (own.privileges), false)
                WHEN r.rolname = 'pg_read_all_data' THEN f.catalog = 'pg_class' AND e.privilege = 'SELECT'
                                                      OR f.catalog = 'pg_namespace' AND e.privilege = 'USAGE'
                WHEN r.rolname = 'pg_write_all_data' THEN f.catalog = 'pg_class' AND e.privilege IN ('INSERT', 'UPDATE', 'DELETE')
                                                       OR f.catalog = 'pg_namespace' AND e.privilege = 'USAGE'
                ELSE f.catalog = 'pg_class' AND e.privilege = 'MAINTAIN' END
       AND (r.rolsuper OR r.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_maintain'))
)
SELECT h.role, h.source, h.database, h.catalog, h.objid, h.objsubid, h.object_kind, h.object, h.relation, h.schema, h.owner,
       CASE WHEN h.role = h.grantee THEN h.grantor END, h.nature, h.gathered_at, h.privilege, h.passed_on, h.place, k.level,
       k.why, k.measured, r.name, r.kind, r.owner
  FROM held h JOIN kind k ON k.object_kind = h.object_kind AND k.nature = h.nature AND k.privilege = h.privilege
  JOIN hoopguard.access_role r ON r.oid = h.role
$$;
COMMENT ON FUNCTION hoopguard.access_privileges() IS 'the privileges that each role has by itself';

-- What each role has used, by the statements that ran as it, as a role that has it, or in its sessions.
CREATE FUNCTION hoopguard.access_used()
    RETURNS TABLE (role oid, place bigint, privilege text, last_used timestamptz, uses bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50 SET search_path = pg_catalog, pg_temp
    SET jit = off SET enable_nestloop = off SET enable_mergejoin = off AS $$
BEGIN
    RETURN QUERY
    WITH statement AS MATERIALIZED (
        -- Through a view, what counts is its owner's privilege; nobody had to become that role.
        SELECT row_number() OVER () AS n, hashtextextended(concat(u.database, E'\n', u.object), 0) AS place, u.privilege,
               e.oid AS effective, CASE WHEN u.through = '' THEN l.oid END AS login, u.last_used, u.uses
          FROM hoopguard.usage u
          LEFT JOIN pg_roles e ON e.rolname = u.effective_role LEFT JOIN pg_roles l ON l.rolname = u.login_role
    ), reach AS MATERIALIZED (
        SELECT DISTINCT r.member, r.target FROM hoopguard.role_reach() r WHERE r.inherits
    ), holding AS (
        SELECT s.effective AS role, s.n FROM statement s WHERE s.effective IS NOT NULL
        UNION
        SELECT s.login, s.n FROM statement s WHERE s.login IS NOT NULL
        UNION
        SELECT r.target, s.n FROM statement s JOIN reach r ON r.member = s.effective
    )
    SELECT h.role, s.place, s.privilege, max(s.last_used), sum(s.uses)::bigint
      FROM holding h JOIN statement s USING (n)
     GROUP BY 1, 2, 3;
END
$$;
COMMENT ON FUNCTION hoopguard.access_used() IS 'what each role has used, and when last';

-- The rows of a view of the control database, for the view of the same name in another one.
CREATE FUNCTION hoopguard.control_rows(name text) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF name <> ALL ('{access,access_finding,review,review_item}') OR name IS NULL THEN
        PERFORM hoopguard.refuse_argument('name', name, 'access, access_finding, review, review_item');
    END IF;
    RETURN hoopguard.in_database(current_setting('hoopguard.database'), format('SELECT * FROM hoopguard.%I', name));
END
$$;
COMMENT ON FUNCTION hoopguard.control_rows(text) IS 'the rows that a view of that name has in the control database';

DO $$
DECLARE
    -- Every row that view access shows, with the numbers of catalog rows that reviews go by.
    definition text := $definition$
        WITH privilege AS MATERIALIZED (
            SELECT * FROM hoopguard.access_privileges()
        ), everybodys AS MATERIALIZED (
            SELECT * FROM privilege p WHERE p.role = 0 AND p.object_kind <> 'default privileges'
        ), used AS MATERIALIZED (
            SELECT * FROM hoopguard.access_used()
        ), role AS MATERIALIZED (
            SELECT * FROM hoopguard.access_role
        ), reach AS MATERIALIZED (
            SELECT * FROM hoopguard.role_reach()
        ), database_owner AS (
            -- Who owns a database has what pg_database_owner has there, and so have his members.
            SELECT d.datname::text AS database, o.oid AS target, d.datdba AS role, o.oid AS first, ARRAY[o.rolname::text] AS chain,
                   NULL::bigint AS jit_grant, r.name, r.kind, r.owner
              FROM pg_catalog.pg_database d JOIN role r ON r.oid = d.datdba
              JOIN pg_catalog.pg_roles o ON o.rolname = 'pg_database_owner'
             WHERE r.inherits OR pg_catalog.current_setting('server_version_num')::integer >= 160000
        ), holder AS (
            -- Whose privileges a role has without asking: its roles', and those of the owner of a database.
            SELECT r.member AS role, r.target, NULL::text AS database, r.first, r.chain, r.jit_grant, r.name, r.kind, r.owner
              FROM reach r WHERE r.inherits
            UNION ALL
            SELECT o.role, o.target, o.database, o.first, o.chain, o.jit_grant, o.name, o.kind, o.owner FROM database_owner o
            UNION ALL
            SELECT r.member, o.target, o.database, r.first, r.chain || o.chain, r.jit_grant, r.name, r.kind, r.owner
              FROM database_owner o JOIN reach r ON r.target = o.role AND r.inherits
        ), through AS (
            -- What a role may have used by way of another: what it used and the other holds.
            SELECT r.member, r.first, r.target, pg_catalog.max(u.last_used) AS last_used, pg_catalog.sum(u.uses)::bigint AS uses
              FROM used u JOIN privilege p ON p.place = u.place AND p.privilege = u.privilege
              JOIN reach r ON r.member = u.role AND r.target = p.role
             WHERE p.object_kind NOT IN ('database', 'schema')
             GROUP BY 1, 2, 3
        ), membership AS (
            SELECT r.*, CASE WHEN r.target = r.first THEN pg_catalog.max(t.last_used) OVER whole ELSE t.last_used END AS last_used,
                   coalesce(CASE WHEN r.target = r.first THEN pg_catalog.sum(t.uses) OVER whole ELSE t.uses END, 0)::bigint AS uses
              FROM reach r LEFT JOIN through t ON t.member = r.member AND t.first = r.first AND t.target = r.target
            WINDOW whole AS (PARTITION BY r.member, r.first)
        ), held AS (
            -- One's own, and what everybody has.
            SELECT p.role AS holder, p.source AS held_by, NULL::text[] AS chain, NULL::oid AS first, NULL::bigint AS jit_grant,
                   p.name AS actor, p.kind AS actor_kind, p.role_owner AS actor_owner, p.*
              FROM privilege p
            UNION ALL
            SELECT r.oid, 'public', '{PUBLIC}', 0, NULL, r.name, r.kind, r.owner, p.* FROM role r CROSS JOIN everybodys p WHERE r.oid <> 0 AND @derived@
            UNION ALL
            -- By membership.
            SELECT h.role, CASE WHEN h.jit_grant IS NULL THEN 'inherited' ELSE 'jit' END, h.chain, h.first, h.jit_grant,
                   h.name, h.kind, h.owner, p.*
              FROM holder h JOIN privilege p ON p.role = h.target
             WHERE @derived@ AND p.object_kind <> 'default privileges' AND p.source <> 'superuser'
               AND (h.database IS NULL OR h.database = p.database)
        ), since AS (
            SELECT least((SELECT pg_catalog.min(first_used) FROM hoopguard.usage),
                         (SELECT pg_catalog.min(first_used) FROM hoopguard.usage_source)) AS since
        ), everything AS (
            SELECT NULL::text AS provider, h.actor, h.actor_kind AS kind, h.actor_owner AS owner, h.database, h.object_kind, h.object, h.privilege,
                   h.held_by AS source, h.chain[1] AS via, h.chain AS via_chain, h.grantable, u.last_used,
                   CASE WHEN h.measured AND h.holder <> 0 THEN coalesce(u.uses, 0) END AS uses, h.level, h.why, h.gathered_at,
                   h.jit_grant, h.catalog, h.objid, h.objsubid, h.holder AS role, h.first, h.role AS grantee, h.grantor, h.nature,
                   h.relation, h.schema, h.object_owner
              FROM held h
              LEFT JOIN used u ON u.role = h.holder AND u.place = h.place AND u.privilege = h.privilege
            UNION ALL
            -- Memberships.
            SELECT NULL, m.name, m.kind, m.owner, NULL, 'role', pg_catalog.quote_ident(t.name), p.privilege,
                   CASE WHEN m.jit_grant IS NOT NULL THEN 'jit' WHEN m.first = m.target THEN 'direct' ELSE 'inherited' END,
                   CASE WHEN m.first <> m.target THEN m.chain[1] END, m.chain, m.admin, m.last_used, m.uses, l.level, l.why,
                   pg_catalog.statement_timestamp(), m.jit_grant, 'pg_auth_members', m.target, 0, m.member, m.first, m.member,
                   NULL, t.nature, NULL, NULL, NULL::oid
              FROM membership m JOIN role t ON t.oid = m.target
             CROSS JOIN LATERAL (SELECT CASE WHEN m.inherits THEN 'MEMBER' WHEN m.settable THEN 'SET ROLE' ELSE 'ADMIN' END) AS p (privilege)
             CROSS JOIN LATERAL hoopguard.access_level('role', p.privilege, t.nature) l
            UNION ALL
            -- Role attributes.
            SELECT NULL, r.name, r.kind, r.owner, NULL, 'cluster', 'cluster', a.privilege, 'direct', NULL, NULL, false, NULL, NULL,
                   l.level, l.why, pg_catalog.statement_timestamp(), NULL, 'pg_authid', r.oid, 0, r.oid, NULL, r.oid, NULL, 'plain', NULL, NULL, NULL::oid
              FROM role r JOIN pg_catalog.pg_roles x ON x.oid = r.oid
             CROSS JOIN LATERAL (VALUES ('SUPERUSER', x.rolsuper), ('CREATEROLE', x.rolcreaterole), ('CREATEDB', x.rolcreatedb),
                                        ('REPLICATION', x.rolreplication), ('BYPASSRLS', x.rolbypassrls)) AS a (privilege, has)
             CROSS JOIN LATERAL hoopguard.access_level('cluster', a.privilege, 'plain') l
             WHERE a.has
            UNION ALL
            -- What just-in-time grants give beside memberships.
            SELECT g.provider, g.actor, coalesce(a.kind, 'human'), a.owner, g.database, w.object_kind, w.object, w.privilege, 'jit',
                   NULL, NULL, false, NULL, NULL, l.level, l.why, pg_catalog.statement_timestamp(), g.id, 'jit_grant', NULL, 0,
                   NULL, NULL, NULL, NULL, 'plain', NULL, NULL, NULL::oid
              FROM hoopguard.jit_grant g
              LEFT JOIN hoopguard.actor a ON a.name = g.actor AND a.provider IS NOT DISTINCT FROM g.provider
             CROSS JOIN LATERAL (
                   SELECT 'guardrail', coalesce(pg_catalog.array_to_string(g.objects, ', '), '*'), 'LEAVE ' || c
                     FROM pg_catalog.unnest(g.classes) c
                   UNION ALL
                   SELECT 'data class', u, 'UNMASK' FROM pg_catalog.unnest(g.unmask) u) AS w (object_kind, object, privilege)
             CROSS JOIN LATERAL hoopguard.access_level(w.object_kind, w.privilege, 'plain') l
             WHERE g.state = 'active'
            UNION ALL
            -- What tokens give: a role to a group or to certain claims, and so to whoever came by it.
            SELECT m.provider, coalesce('group:' || m.group_name, 'claims:' || m.claims::text), 'group', NULL, NULL, 'role',
                   pg_catalog.quote_ident(m.role), 'MEMBER', 'direct', NULL, NULL, false, NULL, NULL, l.level, l.why,
                   pg_catalog.statement_timestamp(), NULL, 'role_map', t.oid, 0, NULL, NULL, NULL, NULL, t.nature, NULL, NULL, NULL::oid
              FROM hoopguard.role_map m JOIN role t ON t.name = m.role
             CROSS JOIN LATERAL hoopguard.access_level('role', 'MEMBER', t.nature) l
            UNION ALL
            SELECT u.provider, u.actor, u.kind, a.owner, NULL, 'role', pg_catalog.quote_ident(t.name), 'MEMBER', 'inherited', 'token',
                   ARRAY['token', t.name], false, u.last_used, u.uses, l.level, l.why, pg_catalog.statement_timestamp(), NULL,
                   'role_map', t.oid, 0, NULL, NULL, NULL, NULL, t.nature, NULL, NULL, NULL::oid
              FROM (SELECT u.provider, u.actor, pg_catalog.max(u.actor_kind) AS kind, u.effective_role,
                           pg_catalog.max(u.last_used) AS last_used, pg_catalog.sum(u.uses)::bigint AS uses
                      FROM hoopguard.usage u WHERE u.provider <> '' GROUP BY 1, 2, 4) u
              JOIN role t ON t.name = u.effective_role
              LEFT JOIN hoopguard.actor a ON a.provider = u.provider AND a.name = u.actor
             CROSS JOIN LATERAL hoopguard.access_level('role', 'MEMBER', t.nature) l
        )
        SELECT e.provider, e.actor, e.kind, e.owner, e.database, e.object_kind, e.object, e.privilege, e.source, e.via, e.via_chain,
               e.grantable, e.last_used, e.uses,
               CASE WHEN e.last_used IS NOT NULL THEN pg_catalog.now() - e.last_used
                    WHEN e.uses = 0 THEN pg_catalog.now() - s.since END AS unused_for,
               (ARRAY['low', 'medium', 'high', 'critical'])[1 + least(3, greatest(0, e.level + (e.kind = 'agent' OR e.kind = 'public' AND e.catalog IN ('pg_class', 'pg_attribute'))::integer
                    + (e.grantable AND e.source <> 'owner')::integer - (e.source = 'jit')::integer))] AS risk,
               e.why || CASE WHEN e.kind = 'agent' THEN '; held by an agent (+1)'
                                WHEN e.kind = 'public' AND e.catalog IN ('pg_class', 'pg_attribute') THEN '; held by everybody (+1)'
                                ELSE '' END
                     || CASE WHEN e.grantable AND e.source <> 'owner' THEN '; may be passed on (+1)' ELSE '' END
                     || CASE WHEN e.source = 'jit' THEN '; ends by itself (-1)' ELSE '' END AS why,
               e.gathered_at, e.jit_grant, e.catalog, e.objid, e.objsubid, e.role, e.first, e.grantee, e.grantor, e.nature, e.relation,
               e.schema, e.object_owner
          FROM everything e CROSS JOIN since s
        -- Planned as a whole, whatever is asked of it: conditions would mislead the planner about sizes.
        OFFSET 0
$definition$;
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        EXECUTE 'CREATE VIEW hoopguard.access_row AS ' || pg_catalog.replace(definition, '@derived@', 'true');
        EXECUTE 'CREATE VIEW hoopguard.access_given AS ' || pg_catalog.replace(definition, '@derived@', 'false');
        COMMENT ON VIEW hoopguard.access_given IS
            'of what view access shows what is given, not what follows from it by membership or as everybody''s';
        COMMENT ON VIEW hoopguard.access_row IS 'what view access shows, with the catalog rows that it comes from';

        CREATE VIEW hoopguard.access AS
            SELECT provider, actor, kind, owner, database, object_kind, object, privilege, source, via, via_chain, grantable,
                   last_used, uses, unused_for, risk, why, gathered_at
              FROM hoopguard.access_row;
        GRANT SELECT ON hoopguard.access_row, hoopguard.access_given TO hoopguard_admin, hoopguard_auditor;
    ELSE
        CREATE VIEW hoopguard.access AS
            SELECT * FROM jsonb_to_recordset(hoopguard.control_rows('access')) AS r (
                provider text, actor text, kind text, owner text, database text, object_kind text, object text,
                privilege text, source text, via text, via_chain text[], grantable boolean, last_used timestamptz,
                uses bigint, unused_for interval, risk text, why text, gathered_at timestamptz);
    END IF;
END
$$;
COMMENT ON VIEW hoopguard.access IS
    'who may do what on which object, where that comes from, when it was last used, and how risky it is';
GRANT SELECT ON hoopguard.access, hoopguard.access_role TO hoopguard_admin, hoopguard_auditor;

REVOKE ALL ON FUNCTION hoopguard.access_fact_query(), hoopguard.shared_facts(), hoopguard.take_facts(text, jsonb),
    hoopguard.gather_access(), hoopguard.all_facts(), hoopguard.role_reach(oid[], oid[], oid[]),
    hoopguard.access_privileges(), hoopguard.access_used(), hoopguard.control_rows(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.access_fact_query(), hoopguard.shared_facts(), hoopguard.gather_access(),
    hoopguard.all_facts(), hoopguard.role_reach(oid[], oid[], oid[]), hoopguard.access_privileges(),
    hoopguard.access_used(), hoopguard.control_rows(text)
    TO hoopguard_admin, hoopguard_auditor;
