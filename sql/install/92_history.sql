--
-- What became of policy: every change of it is an entry of the journal. Behind all that make policy tables.
--

CREATE FUNCTION hoopguard.record_policy_change() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_record_policy_change';
COMMENT ON FUNCTION hoopguard.record_policy_change() IS 'trigger: records a change of policy in the journal';

-- Every table whose changes come into force; grants have entries of their own.
DO $$
DECLARE
    one regclass;
BEGIN
    FOR one IN SELECT tgrelid FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = tgrelid
                WHERE tgname = 'policy_changed' AND c.relnamespace = 'hoopguard'::pg_catalog.regnamespace
                  AND c.relname <> 'jit_grant' LOOP
        EXECUTE pg_catalog.format(
            'CREATE CONSTRAINT TRIGGER record_change AFTER INSERT OR UPDATE OR DELETE ON %s '
            'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hoopguard.record_policy_change()', one);
        EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER record_change', one);
    END LOOP;
END
$$;

CREATE FUNCTION hoopguard.policy_changes()
    RETURNS TABLE (at timestamptz, by text, object text, old jsonb, new jsonb, entry bigint, xid bigint)
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_policy_changes';
COMMENT ON FUNCTION hoopguard.policy_changes() IS 'the journal''s entries about changes of policy, oldest first';

CREATE VIEW hoopguard.policy_history AS
    SELECT at, by, object, pg_catalog.jsonb_strip_nulls(old) AS old, pg_catalog.jsonb_strip_nulls(new) AS new, entry
      FROM hoopguard.policy_changes()
     WHERE pg_catalog.pg_xact_status(xid::text::pg_catalog.xid8) IS DISTINCT FROM 'aborted';
COMMENT ON VIEW hoopguard.policy_history IS 'every change of policy: when, by whom, from what to what';

REVOKE ALL ON FUNCTION hoopguard.policy_changes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.policy_changes() TO hoopguard_admin, hoopguard_auditor;
GRANT SELECT ON hoopguard.policy_history TO hoopguard_admin, hoopguard_auditor;

-- What observing has found: of statements that were let through, which would have been refused, and by which rule;
-- of all, which read masked columns.
CREATE FUNCTION hoopguard.impact_of_visible()
    RETURNS TABLE (guardrail text, role text, application text, would_refuse bigint, would_mask bigint, example bigint)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT guardrail, login_role, application_name,
           count(*) FILTER (WHERE decision IN ('ask', 'block') AND NOT enforced),
           count(*) FILTER (WHERE cardinality(masked) > 0),
           max(entry)
      FROM hoopguard.statement
     WHERE decision IN ('ask', 'block') AND NOT enforced OR cardinality(masked) > 0
     GROUP BY 1, 2, 3
$$;
COMMENT ON FUNCTION hoopguard.impact_of_visible() IS 'what view impact shows, of the statements that the caller may see';
-- With its owner's rights: counts of all statements, without their texts.
CREATE FUNCTION hoopguard.impact_of_all()
    RETURNS TABLE (guardrail text, role text, application text, would_refuse bigint, would_mask bigint, example bigint)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
    'SELECT * FROM hoopguard.impact_of_visible()';
COMMENT ON FUNCTION hoopguard.impact_of_all() IS 'what view impact shows to whoever writes policy';
CREATE FUNCTION hoopguard.impact_rows()
    RETURNS TABLE (guardrail text, role text, application text, would_refuse bigint, would_mask bigint, example bigint)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_has_role('hoopguard_admin', 'USAGE') THEN
        RETURN QUERY SELECT * FROM hoopguard.impact_of_all();
    ELSE
        RETURN QUERY SELECT * FROM hoopguard.impact_of_visible();
    END IF;
END
$$;
COMMENT ON FUNCTION hoopguard.impact_rows() IS 'what view impact shows to the caller';
REVOKE ALL ON FUNCTION hoopguard.impact_of_all() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.impact_of_all() TO hoopguard_admin;

CREATE VIEW hoopguard.impact AS SELECT * FROM hoopguard.impact_rows();
COMMENT ON VIEW hoopguard.impact IS
    'what enforcing would change, by rule, role and application; admins and auditors see all, others their own';
GRANT SELECT ON hoopguard.impact TO PUBLIC;

-- Leaving. Dropping the extension where policy lives would leave a policy that nobody can change: it is refused
-- until this has emptied it.
CREATE FUNCTION hoopguard.uninstall(reason text, dry_run boolean DEFAULT true)
    RETURNS TABLE (database text, statement text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here text := current_database();
    steps text[];
    step text;
BEGIN
    PERFORM hoopguard.require_control_database();
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE insufficient_privilege USING MESSAGE = 'only a superuser may uninstall hoopguard';
    END IF;
    IF coalesce(btrim(uninstall.reason), '') = '' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "reason": %L', uninstall.reason),
            HINT = 'Allowed: why hoopguard goes, in a few words; it stays on record.';
    END IF;
    IF uninstall.dry_run IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'invalid value for argument "dry_run": NULL', HINT = 'Allowed: true, false.';
    END IF;

    IF NOT uninstall.dry_run AND EXISTS (SELECT FROM hoopguard.temporary_role) THEN
        RAISE object_in_use USING
            MESSAGE = format('%s temporary roles are still there', (SELECT count(*) FROM hoopguard.temporary_role)),
            DETAIL = (SELECT string_agg(t.role, ', ' ORDER BY t.role) FROM hoopguard.temporary_role t),
            HINT = 'They go when their sessions end, and credentials when they expire.';
    END IF;

    -- Here and now: what the cluster shares.
    steps := ARRAY(
        SELECT format('SELECT hoopguard.end_grant(%s, ''revoked'', %L, %L);', g.id, session_user, uninstall.reason)
          FROM hoopguard.jit_grant g WHERE g.state = 'active' ORDER BY g.id);
    steps := steps || ARRAY(
        SELECT format('SELECT hoopguard.set_session_preload(%L, false);', setrole::regrole::text)
          FROM pg_db_role_setting, unnest(setconfig) s
         WHERE setrole <> 0 AND setdatabase = 0 AND s ~ '^session_preload_libraries=.*\yhoopguard\y' ORDER BY 1);
    steps := steps || ARRAY(
        SELECT format('DELETE FROM %s;', tgrelid::regclass) FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
         WHERE tgname = 'policy_changed' AND c.relnamespace = 'hoopguard'::regnamespace
           AND c.relname NOT IN ('data_class', 'jit_grant') ORDER BY 1);
    IF EXISTS (SELECT FROM hoopguard.classified_column WHERE NOT inherited) THEN
        steps := steps || ARRAY(
            SELECT format('SELECT hoopguard.declassify_column(%L, %L);', relation, column_name)
              FROM hoopguard.classified_column WHERE NOT inherited ORDER BY 1);
    END IF;
    FOREACH step IN ARRAY steps LOOP
        RETURN QUERY SELECT here, step;
        IF NOT uninstall.dry_run THEN
            EXECUTE step;
        END IF;
    END LOOP;
    RETURN QUERY SELECT here, 'SELECT hoopguard.checkpoint();'::text;
    IF NOT uninstall.dry_run THEN
        PERFORM hoopguard.checkpoint();
    END IF;

    -- Then by hand, in each database: labels are its own.
    RETURN QUERY
        SELECT d.datname::text, s.statement
          FROM pg_database d,
               LATERAL (VALUES
                   (1, 'DO $_$ BEGIN IF to_regclass(''hoopguard.classified_column'') IS NOT NULL THEN '
                       'PERFORM hoopguard.declassify_column(relation, column_name) '
                       'FROM hoopguard.classified_column WHERE NOT inherited; END IF; END $_$;'),
                   (2, 'DROP EXTENSION IF EXISTS hoopguard;')) AS s (place, statement)
         WHERE d.datallowconn AND d.datname <> here ORDER BY d.datname, s.place;
    RETURN QUERY SELECT here, unnest(ARRAY['DROP EXTENSION hoopguard;',
        '-- then take hoopguard out of shared_preload_libraries and restart the server; keep the journal''s directory']);
END
$$;
COMMENT ON FUNCTION hoopguard.uninstall(text, boolean) IS
    'what to run to be rid of hoopguard; with dry_run => false it empties the policy, so that DROP EXTENSION is allowed';
REVOKE ALL ON FUNCTION hoopguard.uninstall(text, boolean) FROM PUBLIC;

CREATE FUNCTION hoopguard.meets(guardrail text, classes text[], objects text[], kind text, login_role text,
                                effective_role text, database text, rows bigint, at timestamptz) RETURNS text
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_meets';
COMMENT ON FUNCTION hoopguard.meets(text, text[], text[], text, text, text, text, bigint, timestamptz) IS
    'why a guardrail would meet a statement as the journal describes it; NULL when it would not';

-- One rule, alone, over what is on record; by the memberships of today.
CREATE FUNCTION hoopguard.backtest(guardrail text, since interval)
    RETURNS TABLE (entry bigint, at timestamptz, database text, role text, application text, statement text,
                   verdict text, reason text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    its_action text;
BEGIN
    PERFORM hoopguard.require_control_database();
    SELECT g.action INTO its_action FROM hoopguard.guardrail g WHERE g.name = $1;
    IF its_action IS NULL THEN
        RAISE EXCEPTION 'guardrail "%" does not exist', $1
            USING ERRCODE = 'undefined_object', HINT = 'The names are in hoopguard.guardrail.';
    END IF;
    IF $2 IS NULL OR $2 < interval '0' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "since": %s', coalesce(quote_literal($2), 'NULL')),
            HINT = 'Allowed: an interval, such as 7 days: how far back to look.';
    END IF;
    IF NOT pg_has_role('hoopguard_auditor', 'USAGE') THEN
        RAISE NOTICE 'only your own statements are looked at' USING
            HINT = 'The journal is for members of hoopguard_auditor. View hoopguard.impact counts, for members of '
                   'hoopguard_admin too, what a guardrail in mode observe has met.';
    END IF;
    RETURN QUERY
        SELECT s.entry, s.started_at, s.database, s.login_role, s.application_name, s.statement, its_action, m.reason
          FROM hoopguard.statement s,
               LATERAL (SELECT hoopguard.meets(
                            $1, s.classes, s.objects,
                            CASE WHEN s.command_tag ~ '^(CREATE|ALTER|DROP) '
                                 THEN replace(lower(regexp_replace(s.command_tag, '^\w+ ', '')), ' ', '_')
                                 ELSE 'table' END,
                            s.login_role, s.effective_role, s.database, s.rows, s.started_at)) AS m (reason)
         WHERE s.started_at >= now() - $2 AND s.classes IS NOT NULL AND m.reason IS NOT NULL;
END
$$;
COMMENT ON FUNCTION hoopguard.backtest(text, interval) IS
    'the statements on record that a guardrail would have met, whatever its mode; max_cost cannot be told';
REVOKE ALL ON FUNCTION hoopguard.meets(text, text[], text[], text, text, text, text, bigint, timestamptz),
    hoopguard.backtest(text, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.meets(text, text[], text[], text, text, text, text, bigint, timestamptz),
    hoopguard.backtest(text, interval) TO hoopguard_admin, hoopguard_auditor;
