--
-- Policy: guardrails, actors; compiled by the broker into the image that every backend decides from.
--

CREATE FUNCTION hoopguard.check_guardrail() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_check_guardrail';
CREATE FUNCTION hoopguard.check_actor() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_check_actor';
CREATE FUNCTION hoopguard.policy_changed() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_policy_changed';
CREATE FUNCTION hoopguard.refuse_policy_write() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_refuse_policy_write';
CREATE FUNCTION hoopguard.require_control_database() RETURNS void
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_require_control_database';

CREATE FUNCTION hoopguard.guardrail_in_force(
    OUT name text, OUT action text, OUT classes text[], OUT roles text[], OUT except_roles text[],
    OUT databases text[], OUT objects text[], OUT max_rows bigint, OUT per interval, OUT max_cost double precision,
    OUT max_duration interval, OUT schedule text, OUT approvers text[], OUT min_approvals integer,
    OUT wait interval, OUT message text, OUT mode text) RETURNS SETOF record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_guardrail_in_force';
CREATE FUNCTION hoopguard.actor_in_force(
    OUT provider text, OUT name text, OUT kind text, OUT owner text, OUT purpose text, OUT pooled boolean,
    OUT expires_at timestamptz) RETURNS SETOF record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_actor_in_force';

-- One kind of policy. In the control database a table: hoopguard.check_NAME() checks its rows, a change comes into force
-- when it commits. In every other database a view of the same name, which shows what hoopguard.NAME_in_force() says.
-- For this script alone, whose last part drops it.
CREATE FUNCTION hoopguard.make_policy(name text, columns text, description text, dumped text DEFAULT '',
                                      checked text DEFAULT 'INSERT OR UPDATE') RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $make$
DECLARE
    kind text := CASE WHEN current_database() = current_setting('hoopguard.database') THEN 'TABLE' ELSE 'VIEW' END;
BEGIN
    IF kind = 'TABLE' THEN
        EXECUTE format('CREATE TABLE hoopguard.%I (%s)', name, columns);
        PERFORM pg_extension_config_dump(format('hoopguard.%I', name)::regclass, dumped);
        EXECUTE format('CREATE TRIGGER check_row BEFORE %s ON hoopguard.%I '
                       'FOR EACH ROW EXECUTE FUNCTION hoopguard.%I()', checked, name, 'check_' || name);
        EXECUTE format('CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hoopguard.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION hoopguard.policy_changed()', name);
        -- Also for replication and for session_replication_role = replica.
        EXECUTE format('ALTER TABLE hoopguard.%I ENABLE ALWAYS TRIGGER check_row, '
                       'ENABLE ALWAYS TRIGGER policy_changed', name);
    ELSE
        EXECUTE format('CREATE VIEW hoopguard.%I AS SELECT * FROM hoopguard.%I()', name, name || '_in_force');
        EXECUTE format('CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON hoopguard.%I '
                       'FOR EACH ROW EXECUTE FUNCTION hoopguard.refuse_policy_write()', name);
    END IF;
    EXECUTE format('COMMENT ON %s hoopguard.%I IS %L', kind, name, description);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON hoopguard.%I TO hoopguard_admin', name);
    EXECUTE format('GRANT SELECT ON hoopguard.%I TO hoopguard_approver, hoopguard_auditor', name);
    EXECUTE format('REVOKE ALL ON FUNCTION hoopguard.%I() FROM PUBLIC', name || '_in_force');
    EXECUTE format('GRANT EXECUTE ON FUNCTION hoopguard.%I() '
                   'TO hoopguard_admin, hoopguard_approver, hoopguard_auditor', name || '_in_force');
END
$make$;

SELECT hoopguard.make_policy('guardrail', $$
    name text PRIMARY KEY,
    action text NOT NULL,
    classes text[] NOT NULL,
    roles text[],
    except_roles text[],
    databases text[],
    objects text[],
    max_rows bigint,
    per interval,
    max_cost double precision,
    max_duration interval,
    schedule text,
    approvers text[],
    min_approvals integer,
    wait interval,
    message text,
    mode text NOT NULL DEFAULT 'enforce'$$,
    'what is warned of, asked for or blocked, for whom and where');
SELECT hoopguard.make_policy('actor', $$
    provider text,
    name text NOT NULL,
    kind text NOT NULL DEFAULT 'human',
    owner text,
    purpose text,
    pooled boolean NOT NULL DEFAULT false,
    expires_at timestamptz,
    UNIQUE NULLS NOT DISTINCT (provider, name)$$,
    'who speaks: persons, agents and services');

CREATE FUNCTION hoopguard.guard(
    name text, action text, classes text[], roles text[] DEFAULT NULL, except_roles text[] DEFAULT NULL,
    databases text[] DEFAULT NULL, objects text[] DEFAULT NULL, max_rows bigint DEFAULT NULL,
    per interval DEFAULT NULL, max_cost double precision DEFAULT NULL, max_duration interval DEFAULT NULL,
    schedule text DEFAULT NULL, approvers text[] DEFAULT NULL, min_approvals integer DEFAULT NULL,
    wait interval DEFAULT NULL, message text DEFAULT NULL, mode text DEFAULT 'enforce') RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    strong text;
BEGIN
    PERFORM hoopguard.require_control_database();
    INSERT INTO hoopguard.guardrail AS g
        VALUES (guard.name, guard.action, guard.classes, guard.roles, guard.except_roles, guard.databases,
                guard.objects, guard.max_rows, guard.per, guard.max_cost, guard.max_duration, guard.schedule,
                guard.approvers, guard.min_approvals, guard.wait, guard.message, guard.mode)
        ON CONFLICT ON CONSTRAINT guardrail_pkey DO UPDATE
        SET (action, classes, roles, except_roles, databases, objects, max_rows, per, max_cost, max_duration,
             schedule, approvers, min_approvals, wait, message, mode) =
            (EXCLUDED.action, EXCLUDED.classes, EXCLUDED.roles, EXCLUDED.except_roles, EXCLUDED.databases,
             EXCLUDED.objects, EXCLUDED.max_rows, EXCLUDED.per, EXCLUDED.max_cost, EXCLUDED.max_duration,
             EXCLUDED.schedule, EXCLUDED.approvers, EXCLUDED.min_approvals, EXCLUDED.wait, EXCLUDED.message,
             EXCLUDED.mode);
    IF guard.action = 'warn' OR guard.mode <> 'enforce' THEN
        RETURN;
    END IF;
    WITH RECURSIVE held (role, via) AS (
        SELECT r.oid, r.oid FROM pg_roles r WHERE r.rolsuper OR r.rolreplication
        UNION
        SELECT h.role, m.roleid FROM held h JOIN pg_auth_members m ON m.member = h.via
    ), named (role, names) AS (
        SELECT h.role, array_agg(r.rolname::text) FROM held h JOIN pg_roles r ON r.oid = h.via GROUP BY h.role
    )
    SELECT string_agg(n.role::regrole::text, ', ' ORDER BY n.role::regrole::text) INTO strong
    FROM named n
    WHERE CASE WHEN guard.roles IS NULL
               THEN pg_get_userbyid(n.role) <> ALL (
                        SELECT btrim(s, ' "') FROM string_to_table(current_setting('hoopguard.system_roles'), ',') s)
               ELSE n.names && guard.roles END
      AND NOT coalesce(n.names && guard.except_roles, false);
    IF strong IS NOT NULL THEN
        RAISE WARNING 'guardrail "%" covers superusers or replication roles: %', guard.name, strong
            USING HINT = 'Name in except_roles those that it should not cover.';
    END IF;
END
$$;

CREATE FUNCTION hoopguard.unguard(name text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hoopguard.require_control_database();
    DELETE FROM hoopguard.guardrail g WHERE g.name = unguard.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'guardrail "%" does not exist', unguard.name
            USING ERRCODE = 'undefined_object', HINT = 'The names are in hoopguard.guardrail.';
    END IF;
END
$$;

REVOKE ALL ON FUNCTION hoopguard.require_control_database(), hoopguard.unguard(text),
    hoopguard.guard(text, text, text[], text[], text[], text[], text[], bigint, interval, double precision, interval,
                    text, text[], integer, interval, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.require_control_database(), hoopguard.unguard(text),
    hoopguard.guard(text, text, text[], text[], text[], text[], text[], bigint, interval, double precision, interval,
                    text, text[], integer, interval, text, text) TO hoopguard_admin;

COMMENT ON FUNCTION hoopguard.check_guardrail() IS 'trigger: refuses a guardrail that names what does not exist';
COMMENT ON FUNCTION hoopguard.check_actor() IS 'trigger: refuses an actor of an unknown kind';
COMMENT ON FUNCTION hoopguard.policy_changed() IS 'trigger: brings a change of policy into force when it commits';
COMMENT ON FUNCTION hoopguard.refuse_policy_write() IS 'trigger: policy is written in the control database alone';
COMMENT ON FUNCTION hoopguard.require_control_database() IS 'raises an error in every database but the control database';
COMMENT ON FUNCTION hoopguard.guardrail_in_force() IS 'the guardrails that statements are decided by at this moment';
COMMENT ON FUNCTION hoopguard.actor_in_force() IS 'the actors that are known at this moment';
COMMENT ON FUNCTION hoopguard.guard(text, text, text[], text[], text[], text[], text[], bigint, interval, double precision, interval,
                    text, text[], integer, interval, text, text) IS
    'adds a guardrail, or replaces the one of that name';
COMMENT ON FUNCTION hoopguard.unguard(text) IS 'removes a guardrail';
