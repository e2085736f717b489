--
-- Outside of the control database: what can only be done there is done there, by the same call in the caller's name.
--

DO $$
DECLARE
    one record;
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        RETURN;
    END IF;
    FOR one IN
        SELECT p.oid, p.proname, p.provolatile
          FROM pg_catalog.pg_proc p
         WHERE p.pronamespace = 'hoopguard'::pg_catalog.regnamespace
           AND p.proname IN ('guard', 'unguard', 'protect_agent', 'unprotect_agent', 'lock_actor', 'unlock_actor',
                             'set_mask', 'drop_mask', 'set_provider', 'drop_provider', 'map_role', 'map_group',
                             'map_claims', 'unmap_group', 'unmap_claims', 'uninstall', 'backtest',
                             'gather_usage', 'rebuild_usage', 'right_size', 'gather_access', 'access_findings',
                             'access_report', 'open_review', 'close_review', 'certify', 'reassign', 'review_effect')
    LOOP
        -- Its privileges and its comment stay.
        EXECUTE pg_catalog.format(
            $f$CREATE OR REPLACE FUNCTION hoopguard.%I(%s) RETURNS %s LANGUAGE c %s SET search_path = pg_catalog, pg_temp
                   AS 'MODULE_PATHNAME', 'hoopguard_elsewhere'$f$,
            one.proname, pg_catalog.pg_get_function_arguments(one.oid), pg_catalog.pg_get_function_result(one.oid),
            CASE one.provolatile WHEN 'v' THEN 'VOLATILE' ELSE 'STABLE' END);
    END LOOP;
END
$$;
