--
-- Just-in-time grants: what an approved request gives, for a time.
--
-- The broker alone makes and ends them, each with its membership in one transaction. The states:
--     active → used | expired | revoked
--

CREATE FUNCTION hoopguard.check_grant() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state = 'active' THEN
            RAISE EXCEPTION 'grant % is active and cannot be deleted', OLD.id
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('SELECT hoopguard.revoke(%s);', OLD.id);
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' THEN
        RETURN NEW;
    END IF;
    IF OLD.state <> NEW.state AND (OLD.state <> 'active' OR NEW.state = 'active') THEN
        RAISE EXCEPTION 'grant % is % and cannot become %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Allowed: active → used, expired, revoked.';
    END IF;
    -- What was given never changes, its end least of all.
    IF (OLD.id, OLD.request, OLD.provider, OLD.actor, OLD.role, OLD.member, OLD.role_oid, OLD.member_oid, OLD.made,
        OLD.classes, OLD.objects, OLD.unmask, OLD.database, OLD.session_id, OLD.valid_from, OLD.valid_until,
        OLD.decided_by, OLD.reason, OLD.break_glass)
       IS DISTINCT FROM
       (NEW.id, NEW.request, NEW.provider, NEW.actor, NEW.role, NEW.member, NEW.role_oid, NEW.member_oid, NEW.made,
        NEW.classes, NEW.objects, NEW.unmask, NEW.database, NEW.session_id, NEW.valid_from, NEW.valid_until,
        NEW.decided_by, NEW.reason, NEW.break_glass)
       OR (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at)
       OR (OLD.certified_at IS NOT NULL AND OLD.certified_at IS DISTINCT FROM NEW.certified_at) THEN
        RAISE EXCEPTION 'what grant % gave cannot be changed', OLD.id
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Revoke it and request another.';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION hoopguard.jit_grant_in_force(
    OUT id bigint, OUT request bigint, OUT provider text, OUT actor text, OUT role text, OUT member text,
    OUT made boolean, OUT classes text[], OUT objects text[], OUT unmask text[], OUT database text,
    OUT session_id text, OUT valid_until timestamptz, OUT decided_by text[]) RETURNS SETOF record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_jit_grant_in_force';

DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        CREATE TABLE hoopguard.jit_grant (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            request bigint,
            provider text,
            actor text NOT NULL,
            role text,
            member text,
            classes text[],
            objects text[],
            unmask text[],
            database text,
            session_id text,
            valid_from timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
            valid_until timestamptz,
            uses_left integer CHECK (uses_left >= 0),
            state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'used', 'expired', 'revoked')),
            reason text,
            decided_by text[],
            break_glass boolean NOT NULL DEFAULT false,
            ended_at timestamptz,
            ended_by text,
            comment text,
            certified_by text,
            certified_at timestamptz,
            -- The membership: whether it is the grant's own, and the roles even if they are renamed meanwhile.
            made boolean NOT NULL DEFAULT false,
            role_oid oid,
            member_oid oid,
            CHECK ((state = 'active') = (ended_at IS NULL)),
            CHECK (role IS NOT NULL OR classes IS NOT NULL OR unmask IS NOT NULL),
            CHECK (valid_until > valid_from),
            CHECK (valid_until IS NOT NULL OR session_id IS NOT NULL)
        );
        -- What the broker reads: however many grants are past.
        CREATE INDEX jit_grant_active ON hoopguard.jit_grant (id) WHERE state = 'active';
        CREATE INDEX jit_grant_open ON hoopguard.jit_grant (id) WHERE break_glass AND certified_at IS NULL;
        CREATE INDEX jit_grant_actor ON hoopguard.jit_grant (actor, id);
        CREATE INDEX jit_grant_request ON hoopguard.jit_grant (request);
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.jit_grant', '');
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.jit_grant_id_seq', '');

        CREATE TRIGGER check_row BEFORE INSERT OR UPDATE OR DELETE ON hoopguard.jit_grant
            FOR EACH ROW EXECUTE FUNCTION hoopguard.check_grant();
        CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hoopguard.jit_grant
            FOR EACH STATEMENT EXECUTE FUNCTION hoopguard.policy_changed();
        ALTER TABLE hoopguard.jit_grant ENABLE ALWAYS TRIGGER check_row;
        ALTER TABLE hoopguard.jit_grant ENABLE ALWAYS TRIGGER policy_changed;

        ALTER TABLE hoopguard.jit_grant ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON hoopguard.jit_grant FOR SELECT USING (provider IS NULL AND actor = session_user);
        CREATE POLICY officers ON hoopguard.jit_grant FOR SELECT
            TO hoopguard_admin, hoopguard_approver, hoopguard_auditor USING (true);
        COMMENT ON TABLE hoopguard.jit_grant IS
            'what approved requests gave, to whom, from when until when; an active one is in force';
    ELSE
        CREATE VIEW hoopguard.jit_grant AS SELECT * FROM hoopguard.jit_grant_in_force();
        COMMENT ON VIEW hoopguard.jit_grant IS 'the grants in force; the control database keeps the past ones too';
        CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON hoopguard.jit_grant
            FOR EACH ROW EXECUTE FUNCTION hoopguard.refuse_policy_write();
    END IF;
END
$$;
GRANT SELECT ON hoopguard.jit_grant TO PUBLIC;

-- The row of pg_auth_members that a grant's membership would be or is: made by the bootstrap superuser, whom the
-- broker works as. Until 15 there is one row for each pair of roles, whoever made it.
CREATE FUNCTION hoopguard.membership(role oid, member oid, OUT found boolean, OUT plain boolean) RETURNS record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) > 0,
           coalesce(bool_and(NOT m.admin_option AND m.grantor = 10
                             AND coalesce((to_jsonb(m) ->> 'set_option')::boolean, true)), false)
      FROM pg_auth_members m
     WHERE m.roleid = $1 AND m.member = $2
       AND (m.grantor = 10 OR current_setting('server_version_num')::integer < 160000)
$$;

-- Makes a grant, with its membership when the member does not hold that already.
CREATE FUNCTION hoopguard.add_grant(
    request bigint, provider text, actor text, member text, role text, classes text[], objects text[],
    unmask text[], database text, session_id text, valid_from timestamptz, valid_until timestamptz,
    decided_by text[], reason text, break_glass boolean) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
<<f>>
DECLARE
    role_oid oid;
    member_oid oid;
    standing record;
    made boolean := false;
    id bigint;
BEGIN
    IF role IS NOT NULL THEN
        -- One at a time for a role: whether there is a membership must not change meanwhile.
        LOCK TABLE hoopguard.jit_grant IN SHARE ROW EXCLUSIVE MODE;
        SELECT r.oid INTO role_oid FROM pg_roles r WHERE r.rolname = role;
        SELECT r.oid INTO member_oid FROM pg_roles r WHERE r.rolname = member;
        IF role_oid IS NULL OR member_oid IS NULL THEN
            RAISE EXCEPTION 'role "%" does not exist', CASE WHEN role_oid IS NULL THEN role ELSE member END
                USING ERRCODE = 'undefined_object';
        END IF;
        standing := hoopguard.membership(role_oid, member_oid);
        made := NOT standing.found
                OR EXISTS (SELECT FROM hoopguard.jit_grant g
                            WHERE g.state = 'active' AND g.made AND g.role_oid = f.role_oid
                              AND g.member_oid = f.member_oid);
        IF NOT standing.found THEN
            IF current_setting('server_version_num')::integer >= 160000 THEN
                EXECUTE format('GRANT %I TO %I WITH ADMIN FALSE, SET TRUE GRANTED BY %I', role, member,
                               pg_get_userbyid(10));
            ELSE
                EXECUTE format('GRANT %I TO %I', role, member);
            END IF;
        END IF;
    END IF;
    INSERT INTO hoopguard.jit_grant
           (request, provider, actor, role, member, classes, objects, unmask, database, session_id, valid_from,
            valid_until, decided_by, reason, break_glass, made, role_oid, member_oid)
    VALUES (request, provider, actor, role, CASE WHEN role IS NOT NULL THEN member END, classes, objects, unmask,
            database, session_id, valid_from, valid_until, decided_by, reason, break_glass, made, role_oid,
            member_oid)
    RETURNING jit_grant.id INTO id;
    RETURN id;
END
$$;

-- Ends a grant, and takes its membership back unless it was there before, another grant needs it, or somebody made
-- more of it meanwhile. Returns whether it was active.
CREATE FUNCTION hoopguard.end_grant(grant_id bigint, new_state text, by_whom text, why text) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended hoopguard.jit_grant;
    role_name name;
    member_name name;
BEGIN
    LOCK TABLE hoopguard.jit_grant IN SHARE ROW EXCLUSIVE MODE;
    UPDATE hoopguard.jit_grant g
       SET state = new_state, ended_at = clock_timestamp(), ended_by = by_whom, comment = why
     WHERE g.id = grant_id AND g.state = 'active' RETURNING g.* INTO ended;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF NOT ended.made OR EXISTS (SELECT FROM hoopguard.jit_grant g
                                  WHERE g.state = 'active' AND g.made AND g.role_oid = ended.role_oid
                                    AND g.member_oid = ended.member_oid) THEN
        RETURN true;
    END IF;
    -- By number, as roles may have been renamed; by name after a restore into another cluster.
    IF NOT (hoopguard.membership(ended.role_oid, ended.member_oid)).plain THEN
        SELECT r.oid INTO ended.role_oid FROM pg_roles r WHERE r.rolname = ended.role;
        SELECT r.oid INTO ended.member_oid FROM pg_roles r WHERE r.rolname = ended.member;
        IF NOT (hoopguard.membership(ended.role_oid, ended.member_oid)).plain THEN
            RETURN true;
        END IF;
    END IF;
    SELECT r.rolname INTO role_name FROM pg_roles r WHERE r.oid = ended.role_oid;
    SELECT r.rolname INTO member_name FROM pg_roles r WHERE r.oid = ended.member_oid;
    IF current_setting('server_version_num')::integer >= 160000 THEN
        EXECUTE format('REVOKE %I FROM %I GRANTED BY %I', role_name, member_name, pg_get_userbyid(10));
    ELSE
        EXECUTE format('REVOKE %I FROM %I', role_name, member_name);
    END IF;
    RETURN true;
END
$$;

-- Ends what is over by now, and says which grants and when the next one will be: for the broker, which comes then.
CREATE FUNCTION hoopguard.end_due_grants() RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    due hoopguard.jit_grant;
    ended jsonb := '[]';
    entries jsonb := '[]';
BEGIN
    FOR due IN
        SELECT * FROM hoopguard.jit_grant g
         WHERE g.state = 'active'
           AND (g.valid_until <= clock_timestamp()
                OR g.session_id IS NOT NULL AND NOT EXISTS (
                       SELECT FROM pg_stat_get_activity(NULL) a
                        WHERE g.session_id = to_hex(trunc(extract(epoch FROM a.backend_start))::bigint)
                                             || '.' || to_hex(a.pid)))
         ORDER BY g.id
    LOOP
        PERFORM hoopguard.end_grant(due.id, 'expired', NULL,
                                    CASE WHEN due.valid_until <= clock_timestamp() THEN NULL ELSE 'its session ended' END);
        ended := ended || to_jsonb(due.id);
        entries := entries || hoopguard.grant_entry('revoke', due.id, 'expired');
    END LOOP;
    RETURN jsonb_build_object('ended', ended, 'journal', entries) || (
        SELECT jsonb_build_object(
                   'next', (extract(epoch FROM min(g.valid_until)) * 1000000)::bigint,
                   'sessions', coalesce(bool_or(g.session_id IS NOT NULL), false))
          FROM hoopguard.jit_grant g WHERE g.state = 'active');
END
$$;

-- What the journal says of a grant.
CREATE FUNCTION hoopguard.grant_entry(type text, grant_id bigint, detail text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
               'type', type, 'approval', g.request, 'decided_by', to_jsonb(g.decided_by), 'reason', g.reason,
               'detail', detail, 'actor', g.actor, 'database', g.database, 'classes', to_jsonb(g.classes),
               'objects', to_jsonb(g.objects),
               'subject', format('grant %s: %s%s', g.id, concat_ws('; ',
                   'membership of ' || quote_ident(g.role) || CASE WHEN NOT g.made THEN ' (held before)' ELSE '' END,
                   'leave for ' || array_to_string(g.classes, ', ')
                       || coalesce(' on ' || array_to_string(g.objects, ', '), ''),
                   'unmasked: ' || array_to_string(g.unmask, ', ')),
                   coalesce(' until ' || to_char(g.valid_until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS"Z"'),
                            ' until session ' || g.session_id || ' ends'))))
      FROM hoopguard.jit_grant g WHERE g.id = grant_id
$$;

REVOKE ALL ON FUNCTION hoopguard.add_grant(bigint, text, text, text, text, text[], text[], text[], text, text,
        timestamptz, timestamptz, text[], text, boolean),
    hoopguard.end_grant(bigint, text, text, text), hoopguard.end_due_grants(),
    hoopguard.grant_entry(text, bigint, text), hoopguard.membership(oid, oid) FROM PUBLIC;

COMMENT ON FUNCTION hoopguard.check_grant() IS 'trigger: a grant goes from active to its end, and nothing else of it changes';
COMMENT ON FUNCTION hoopguard.jit_grant_in_force() IS 'the grants that statements are decided by at this moment';
COMMENT ON FUNCTION hoopguard.membership(oid, oid) IS 'whether a membership stands that a grant would make, and is as one makes it';
COMMENT ON FUNCTION hoopguard.add_grant(bigint, text, text, text, text, text[], text[], text[], text, text,
        timestamptz, timestamptz, text[], text, boolean) IS 'the broker makes a grant, with its membership';
COMMENT ON FUNCTION hoopguard.end_grant(bigint, text, text, text) IS 'the broker ends a grant and takes its membership back';
COMMENT ON FUNCTION hoopguard.end_due_grants() IS 'the broker ends the grants that are over';
COMMENT ON FUNCTION hoopguard.grant_entry(text, bigint, text) IS 'what the journal says of a grant';
