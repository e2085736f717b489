-- What doc/reference.md must say: `kind|head|callers|columns`, one line for every object of schema hoopguard that
-- somebody besides its owner may use, and for every other one with "superusers" in place of the callers. Triggers,
-- and what only types and foreign data wrappers call, are nobody's to use. Run in the control database.
WITH grantee (oid, name, place) AS (
    VALUES (0::oid, 'everyone', 0)
    UNION ALL
    SELECT oid, rolname::text, row_number() OVER (ORDER BY rolname LIKE 'pg\_%', rolname) FROM pg_catalog.pg_roles),
functions AS (
    SELECT p.oid, proname, proowner, proacl,
           format('%s(%s) → %s', proname, pg_catalog.pg_get_function_arguments(p.oid),
                  pg_catalog.pg_get_function_result(p.oid)) AS head
      FROM pg_catalog.pg_proc p
     WHERE pronamespace = 'hoopguard'::regnamespace
       AND prorettype NOT IN ('trigger'::regtype, 'fdw_handler'::regtype, 'cstring'::regtype)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_type WHERE typinput = p.oid)
       AND proname <> 'journal_validator'),
callers AS (
    SELECT f.oid, string_agg(g.name, ', ' ORDER BY g.place) AS names
      FROM functions f, LATERAL aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) AS a
      JOIN grantee g ON g.oid = a.grantee
     WHERE a.grantee <> f.proowner
     GROUP BY f.oid),
relations AS (
    SELECT c.oid, relname, relkind, relowner, relacl,
           (SELECT string_agg(attname::text, ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
      FROM pg_catalog.pg_class c WHERE relnamespace = 'hoopguard'::regnamespace AND relkind IN ('r', 'v', 'f', 'm', 'p')),
readers AS (
    SELECT r.oid, string_agg(DISTINCT CASE WHEN a.privilege_type = 'SELECT' THEN 'read' ELSE 'write' END || ':' || g.name, ',') AS may
      FROM relations r, LATERAL aclexplode(coalesce(r.relacl, acldefault('r', r.relowner))) AS a
      JOIN grantee g ON g.oid = a.grantee
     WHERE a.grantee <> r.relowner
     GROUP BY r.oid)
SELECT 'function', head, coalesce(names, 'superusers'), '' FROM functions LEFT JOIN callers USING (oid)
UNION ALL
SELECT CASE relkind WHEN 'v' THEN 'view' ELSE 'table' END, relname, coalesce(
           (SELECT 'read: ' || string_agg(name, ', ' ORDER BY place) FROM grantee WHERE 'read:' || name = ANY (string_to_array(may, ',')))
               || coalesce((SELECT '; write: ' || string_agg(name, ', ' ORDER BY place)
                              FROM grantee WHERE 'write:' || name = ANY (string_to_array(may, ','))), ''),
           'superusers'), columns
  FROM relations LEFT JOIN readers USING (oid)
UNION ALL
SELECT 'role', rolname::text, '', '' FROM pg_catalog.pg_roles WHERE rolname LIKE 'hoopguard\_%'
 ORDER BY 1, 2;
