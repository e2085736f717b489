-- What every object of the extension owes its users: a comment, and functions that no search path can
-- mislead. Prints one line per breach; nothing printed means all is well. Run where hoopguard is created.
--
-- Exempt from the search path: functions that parse the caller's own text or names must use the caller's
-- path, the handler of a foreign data wrapper only returns a table of pointers, and the functions that masks call
-- once a value look nothing up, nor do those that tell who speaks; login() sets what a function's SET would end.
WITH member AS (
    SELECT classid, objid
      FROM pg_catalog.pg_depend
     WHERE refclassid = 'pg_catalog.pg_extension'::regclass
       AND refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'hoopguard')
       AND deptype = 'e'),
functions AS (
    SELECT p.*, p.oid::regprocedure::text AS name
      FROM pg_catalog.pg_proc p
      JOIN member ON classid = 'pg_catalog.pg_proc'::regclass AND objid = p.oid)
SELECT name || ': SET search_path is not pg_catalog, pg_temp'
  FROM functions
 WHERE NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
   AND proname NOT IN ('classify', 'explain', 'request_script', 'run_script')
   AND prorettype <> 'pg_catalog.fdw_handler'::regtype
   AND proname NOT IN ('mask', 'mask_row', 'mask_statistic', 'mask_spec_in', 'mask_spec_out', 'login', 'current_actor', 'claim')
UNION ALL
SELECT name || ': has no comment' FROM functions WHERE pg_catalog.obj_description(oid, 'pg_proc') IS NULL
UNION ALL
SELECT c.oid::regclass::text || ': has no comment'
  FROM pg_catalog.pg_class c
  JOIN member ON classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid
 WHERE c.relkind IN ('r', 'v', 'f', 'm') AND pg_catalog.obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT c.oid::regclass::text || ': stands outside schema hoopguard'
  FROM pg_catalog.pg_class c
  JOIN member ON classid = 'pg_catalog.pg_class'::regclass AND objid = c.oid
 WHERE c.relnamespace <> 'hoopguard'::regnamespace
UNION ALL
SELECT name || ': stands outside schema hoopguard'
  FROM functions WHERE pronamespace <> 'hoopguard'::regnamespace
UNION ALL
SELECT 'hoopguard: its extension has no member at all' WHERE NOT EXISTS (SELECT FROM member)
 ORDER BY 1;
