--
-- Temporary roles: of one session (session_role 'temporary'), or a credential that a token was traded for. The
-- broker makes each with its row here in one transaction, and removes both when the role is over.
--

DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        -- Not dumped: another cluster has none of these roles.
        CREATE TABLE hoopguard.temporary_role (
            role text PRIMARY KEY,
            kind text NOT NULL CHECK (kind IN ('session', 'credential')),
            mapped_role text NOT NULL,
            provider text NOT NULL,
            actor text NOT NULL,
            session_id text,
            valid_until timestamptz NOT NULL,
            created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            problem text,
            role_oid oid NOT NULL,
            mapped_oid oid NOT NULL,
            CHECK ((kind = 'session') = (session_id IS NOT NULL))
        );
        COMMENT ON TABLE hoopguard.temporary_role IS
            'roles that were made for a session or a credential, and are removed when that is over';
        GRANT SELECT ON hoopguard.temporary_role TO hoopguard_admin, hoopguard_approver, hoopguard_auditor;
    END IF;
END
$$;

CREATE FUNCTION hoopguard.process_exists(pid integer) RETURNS boolean
    LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_process_exists';
CREATE FUNCTION hoopguard.sessions_of_role(role oid) RETURNS integer
    LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_sessions_of_role';

-- A role's name tells whom it was made for, as far as names of roles go everywhere.
CREATE FUNCTION hoopguard.new_role_name(actor text) RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'hg_' || left(trim(BOTH '-' FROM regexp_replace(lower(actor), '[^a-z0-9_-]+', '-', 'g')), 40)
           || '_' || left(replace(gen_random_uuid()::text, '-', ''), 12)
$$;

-- Makes a role: for the session that the letter names, or with a password, of which it holds the verifier. Whoever
-- waits for a login does not wait long for a lock.
CREATE FUNCTION hoopguard.broker_make_role(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    made text := hoopguard.new_role_name(letter ->> 'actor');
    ends timestamptz := to_timestamp((letter ->> 'valid_until')::bigint);
    mapped record;
BEGIN
    SELECT r.oid, r.rolname, r.rolsuper INTO mapped FROM pg_roles r WHERE r.oid = (letter ->> 'mapped_oid')::oid;
    IF NOT FOUND OR mapped.rolsuper THEN
        RAISE EXCEPTION 'the role that policy maps does not exist or is a superuser'
            USING ERRCODE = 'undefined_object', HINT = 'See hoopguard.role_map.';
    END IF;
    IF letter ? 'verifier' THEN
        EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L VALID UNTIL %L IN ROLE %I', made, letter ->> 'verifier', ends,
                       mapped.rolname);
        -- A server that runs without the library must not let it in.
        EXECUTE format('ALTER ROLE %I SET session_preload_libraries = %L', made, 'hoopguard');
    ELSE
        EXECUTE format('CREATE ROLE %I NOLOGIN IN ROLE %I', made, mapped.rolname);
    END IF;
    EXECUTE format('COMMENT ON ROLE %I IS %L', made,
                   format('made by hoopguard for %s of provider %s', letter ->> 'actor', letter ->> 'provider'));
    INSERT INTO hoopguard.temporary_role (role, kind, mapped_role, provider, actor, session_id, valid_until, role_oid, mapped_oid)
    SELECT made, CASE WHEN letter ? 'verifier' THEN 'credential' ELSE 'session' END, mapped.rolname,
           letter ->> 'provider', letter ->> 'actor', letter ->> 'session_id', ends, r.oid, mapped.oid
      FROM pg_roles r WHERE r.rolname = made;
    RETURN jsonb_build_object('role', made, 'journal', CASE WHEN letter ? 'verifier' THEN jsonb_build_array(
        jsonb_strip_nulls(jsonb_build_object(
            'type', 'grant', 'detail', 'credential', 'provider', letter ->> 'provider', 'actor', letter ->> 'actor',
            'actor_kind', letter ->> 'actor_kind', 'client_addr', letter ->> 'client_addr',
            'subject', format('credential %s: member of %I until %s', made, mapped.rolname,
                              to_char(ends AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')))))
        ELSE '[]' END);
END
$$;

-- Whether nobody speaks, or will, as this role any more. A session that outlives its token is ended by its own
-- timer, but a pooler's goes on, with other tokens.
CREATE FUNCTION hoopguard.is_over(kind text, session_id text, valid_until timestamptz, role_oid oid) RETURNS boolean
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN is_over.kind = 'credential'
                THEN is_over.valid_until < clock_timestamp() AND hoopguard.sessions_of_role(is_over.role_oid) = 0
                ELSE is_over.valid_until < clock_timestamp() - interval '2 minutes'
                     OR NOT hoopguard.process_exists(p.pid)
                     OR EXISTS (SELECT FROM pg_stat_get_activity(p.pid) a
                                 WHERE trunc(extract(epoch FROM a.backend_start)) <> p.started) END
      FROM (SELECT ('x' || lpad(split_part(is_over.session_id, '.', 2), 8, '0'))::bit(32)::integer AS pid,
                   ('x' || lpad(split_part(is_over.session_id, '.', 1), 16, '0'))::bit(64)::bigint AS started) p
$$;

-- Removes what is over and owns nothing; says in which database a worker is to hand over what others of them own,
-- and how many there are still. Nothing ever goes to a superuser: it would be run with his rights.
CREATE FUNCTION hoopguard.broker_reap_roles(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    t hoopguard.temporary_role;
    g record;
    where_it_owns oid;
    work_database oid;
    work jsonb := '[]';
    forgotten jsonb := '[]';
    entries jsonb := '[]';
BEGIN
    FOR t IN SELECT * FROM hoopguard.temporary_role r
              WHERE hoopguard.is_over(r.kind, r.session_id, r.valid_until, r.role_oid) ORDER BY r.created_at LOOP
        SELECT coalesce(max(nullif(d.dbid, 0)), (SELECT oid FROM pg_database WHERE datname = current_database()))
          INTO where_it_owns
          FROM pg_shdepend d
         WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = t.role_oid
           AND d.classid <> 'pg_auth_members'::regclass
        HAVING count(*) > 0;
        IF FOUND THEN
            IF EXISTS (SELECT FROM pg_roles r WHERE r.oid = t.mapped_oid AND NOT r.rolsuper) THEN
                work_database := coalesce(work_database, where_it_owns);
                IF where_it_owns = work_database AND jsonb_array_length(work) < 16 THEN
                    work := work || jsonb_build_array(jsonb_build_array(t.role_oid::bigint, t.mapped_oid::bigint));
                END IF;
                t.problem := 'what it owns is being handed over; where that does not succeed, the server''s log says why';
            ELSE
                t.problem := format('it owns objects, and role %s, which would get them, is gone or a superuser', t.mapped_role);
            END IF;
            UPDATE hoopguard.temporary_role r SET problem = t.problem
             WHERE r.role = t.role AND r.problem IS DISTINCT FROM t.problem;
            CONTINUE;
        END IF;
        BEGIN
            FOR g IN SELECT j.id FROM hoopguard.jit_grant j WHERE j.state = 'active' AND j.member_oid = t.role_oid LOOP
                PERFORM hoopguard.end_grant(g.id, 'expired', NULL, 'its session has ended');
                PERFORM hoopguard.say_grant_ended(g.id);
                entries := entries || hoopguard.grant_entry('revoke', g.id, 'expired');
            END LOOP;
            IF EXISTS (SELECT FROM pg_roles r WHERE r.oid = t.role_oid) THEN
                EXECUTE format('DROP ROLE %I', (SELECT r.rolname FROM pg_roles r WHERE r.oid = t.role_oid));
            END IF;
            DELETE FROM hoopguard.temporary_role r WHERE r.role = t.role;
            IF t.kind = 'credential' THEN
                forgotten := forgotten || to_jsonb(t.role);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            UPDATE hoopguard.temporary_role r SET problem = SQLERRM
             WHERE r.role = t.role AND r.problem IS DISTINCT FROM SQLERRM;
        END;
    END LOOP;
    RETURN jsonb_strip_nulls(jsonb_build_object(
        'left', (SELECT count(*) FROM hoopguard.temporary_role), 'journal', entries, 'forgotten', forgotten,
        'work', CASE WHEN work <> '[]' THEN jsonb_build_object(
            'database', work_database::bigint, 'roles', work, 'what', work_database || work::text) END));
END
$$;

-- For whoever has a session to call it in: a tool beside a client that cannot carry a token.
CREATE FUNCTION hoopguard.issue_credential(token text, OUT username text, OUT password text, OUT valid_until timestamptz)
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_issue_credential';

-- With its owner's rights, and in the control database alone.
CREATE FUNCTION hoopguard.examine_temporary_roles()
    RETURNS TABLE (check_name text, status text, detail text, remedy text)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    t record;
BEGIN
    IF to_regclass('hoopguard.temporary_role') IS NULL OR NOT EXISTS (SELECT FROM hoopguard.provider WHERE enabled) THEN
        RETURN;
    END IF;
    SELECT r.role, r.actor, r.problem INTO t FROM hoopguard.temporary_role r
     WHERE r.problem IS NOT NULL AND hoopguard.is_over(r.kind, r.session_id, r.valid_until, r.role_oid)
     ORDER BY r.created_at LIMIT 1;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'identity_temporary', 'ok', 'no temporary role stays behind', NULL::text;
    ELSE
        RETURN QUERY SELECT 'identity_temporary', 'warn',
            format('temporary role %I of %s is over and stays: %s', t.role, t.actor, t.problem),
            format('REASSIGN OWNED BY %I TO <role>; DROP OWNED BY %I; in each database where it owns something', t.role, t.role);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION hoopguard.examine_temporary_roles(), hoopguard.process_exists(integer), hoopguard.sessions_of_role(oid), hoopguard.new_role_name(text),
    hoopguard.is_over(text, text, timestamptz, oid), hoopguard.broker_make_role(jsonb),
    hoopguard.broker_reap_roles(jsonb) FROM PUBLIC;
COMMENT ON FUNCTION hoopguard.is_over(text, text, timestamptz, oid) IS 'broker: whether nobody speaks as a temporary role any more';
COMMENT ON FUNCTION hoopguard.examine_temporary_roles() IS 'the part of doctor() that looks for temporary roles that stay behind';
COMMENT ON FUNCTION hoopguard.process_exists(integer) IS 'broker: whether a process of the server is there, also one that is still logging in';
COMMENT ON FUNCTION hoopguard.sessions_of_role(oid) IS 'broker: how many sessions have logged in as a role';
COMMENT ON FUNCTION hoopguard.new_role_name(text) IS 'broker: a name for a temporary role';
COMMENT ON FUNCTION hoopguard.broker_make_role(jsonb) IS 'broker: makes a temporary role';
COMMENT ON FUNCTION hoopguard.broker_reap_roles(jsonb) IS 'broker: removes temporary roles that are over';
COMMENT ON FUNCTION hoopguard.issue_credential(text) IS
    'trades a token for a name and password that are good for minutes, for a client that cannot carry a token';
