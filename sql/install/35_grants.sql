--
-- Just-in-time grants: what an approved request gives, for a time.
--
-- The broker alone makes and ends them, each with its membership in one transaction. The states:
--     active -> used | expired | revoked
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
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Allowed: active -> used, expired, revoked.';
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
    OUT session_id text, OUT valid_from timestamptz, OUT valid_until timestamptz, OUT decided_by text[],
    OUT break_glass boolean) RETURNS SETOF record
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
        CREATE INDEX jit_grant_ended ON hoopguard.jit_grant (ended_at) WHERE made;
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
        CREATE VIEW hoopguard.jit_grant AS
            SELECT g.id, g.request, g.provider, g.actor, g.role, g.member, g.classes, g.objects, g.unmask,
                   g.database, g.session_id, g.valid_from, g.valid_until, NULL::integer AS uses_left,
                   'active'::text AS state, NULL::text AS reason, g.decided_by, g.break_glass,
                   NULL::timestamptz AS ended_at, NULL::text AS ended_by, NULL::text AS comment,
                   NULL::text AS certified_by, NULL::timestamptz AS certified_at, g.made, NULL::oid AS role_oid,
                   NULL::oid AS member_oid
              FROM hoopguard.jit_grant_in_force() g;
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

-- Ends what is over by now, also of actors that are locked out, and says when to come again: for the broker.
CREATE FUNCTION hoopguard.broker_end_grants(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    due record;
    entries jsonb := '[]';
    lost jsonb;
BEGIN
    FOR due IN
        SELECT g.id, l.locked_by,
               CASE WHEN l.name IS NOT NULL THEN 'revoked' ELSE 'expired' END AS new_state,
               CASE WHEN l.name IS NOT NULL THEN 'the actor is locked: ' || l.reason
                    WHEN g.valid_until > clock_timestamp() THEN 'its session has ended' END AS why
          FROM hoopguard.jit_grant g
          LEFT JOIN LATERAL (
               SELECT l.name, l.reason, l.locked_by FROM hoopguard.locked_actor l
                WHERE coalesce(l.until > clock_timestamp(), true)
                  AND (l.name IN (g.actor, g.member)
                       OR l.owned AND EXISTS (SELECT FROM hoopguard.actor a
                                               WHERE a.name = g.actor AND a.owner = l.name)) LIMIT 1) l ON true
         WHERE g.state = 'active'
           AND (g.valid_until <= clock_timestamp() OR l.name IS NOT NULL
                OR g.session_id IS NOT NULL AND NOT hoopguard.session_lives(g.session_id))
         ORDER BY g.id
    LOOP
        PERFORM hoopguard.end_grant(due.id, due.new_state, due.locked_by, due.why);
        PERFORM hoopguard.say_grant_ended(due.id);
        entries := entries || hoopguard.grant_entry('revoke', due.id, due.new_state);
    END LOOP;
    -- Sessions that a membership alone let into their database; for a while, as one may just be coming in.
    SELECT jsonb_agg(a.pid) INTO lost
      FROM pg_stat_get_activity(NULL) a
     WHERE a.datid <> 0 AND NOT has_database_privilege(a.usesysid, a.datid, 'CONNECT')
       AND a.usesysid IN (SELECT g.member_oid FROM hoopguard.jit_grant g
                           WHERE g.ended_at > clock_timestamp() - interval '5 seconds' AND g.made);
    RETURN jsonb_strip_nulls(jsonb_build_object('journal', entries, 'lost', lost) || (
        SELECT jsonb_build_object('next', (extract(epoch FROM min(g.valid_until)) * 1000000)::bigint,
                                  'sessions', bool_or(g.session_id IS NOT NULL
                                                      OR g.ended_at > clock_timestamp() - interval '5 seconds'))
          FROM (SELECT g.valid_until, g.session_id, NULL::timestamptz AS ended_at FROM hoopguard.jit_grant g
                 WHERE g.state = 'active'
                UNION ALL
                SELECT NULL, NULL, g.ended_at FROM hoopguard.jit_grant g
                 WHERE g.ended_at > clock_timestamp() - interval '5 seconds' AND g.made) g));
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

-- An argument that cannot be: names it, its value and what is allowed.
CREATE FUNCTION hoopguard.refuse_argument(argument text, value text, allowed text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'invalid value for argument "%": %', argument, coalesce(quote_literal(value), 'NULL')
        USING ERRCODE = 'invalid_parameter_value', HINT = format('Allowed: %s.', allowed);
END
$$;

CREATE FUNCTION hoopguard.check_duration(duration interval, most interval) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF duration <= interval '0' OR duration > most THEN
        PERFORM hoopguard.refuse_argument('duration', duration::text,
                                          format('more than 0 and at most %s; or NULL', most));
    END IF;
END
$$;

CREATE FUNCTION hoopguard.check_classes(classes text[]) RETURNS void
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_check_classes';

-- A role that may be had for a time: one that does not lead around hoopguard, nor out of the server.
CREATE FUNCTION hoopguard.check_requested_role(role text, member text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted oid;
    through text;
BEGIN
    SELECT r.oid INTO wanted FROM pg_roles r WHERE r.rolname = role;
    IF NOT FOUND THEN
        PERFORM hoopguard.refuse_argument('role', role, 'the name of an existing role');
    END IF;
    IF role = member THEN
        PERFORM hoopguard.refuse_argument('role', role, 'another role than your own');
    END IF;
    SELECT r.rolname INTO through FROM pg_roles r
     WHERE pg_has_role(wanted, r.oid, 'MEMBER')
       AND (r.rolsuper OR r.rolreplication OR r.rolcreaterole OR r.rolname LIKE 'hoopguard\_%'
            OR r.rolname IN ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
     ORDER BY r.oid = wanted DESC LIMIT 1;
    IF through IS NOT NULL THEN
        PERFORM hoopguard.refuse_argument('role', role, format(
            'a role that is neither superuser, nor for replication, nor creates roles, nor reaches the server''s files, '
            'nor one of hoopguard''s; and member of none (%s)', through));
    END IF;
    IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = member AND pg_has_role(wanted, r.oid, 'MEMBER')) THEN
        PERFORM hoopguard.refuse_argument('role', role, format('a role that is not a member of %s itself', member));
    END IF;
END
$$;

-- Who decides about leave for classes: whoever the guardrails that it lifts name, all of them, as many as the most
-- demanding wants.
CREATE FUNCTION hoopguard.deciders_of_leave(classes text[], roles text[], OUT approvers text[], OUT min_approvals integer)
    RETURNS record LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule record;
    wanted text[];
BEGIN
    min_approvals := 1;
    FOR rule IN
        SELECT g.name, coalesce(g.approvers, '{hoopguard_approver}') AS approvers, coalesce(g.min_approvals, 1) AS votes
          FROM hoopguard.guardrail g
         WHERE g.action = 'ask' AND g.mode = 'enforce' AND (g.roles IS NULL OR g.roles && deciders_of_leave.roles)
           AND EXISTS (SELECT FROM unnest(g.classes) AS one, unnest(deciders_of_leave.classes) AS other
                        WHERE '*' IN (one, other) OR one || '.' LIKE other || '.%' OR other || '.' LIKE one || '.%')
         ORDER BY g.name
    LOOP
        min_approvals := greatest(min_approvals, rule.votes);
        wanted := CASE WHEN approvers IS NULL THEN rule.approvers
                       ELSE ARRAY(SELECT unnest(approvers) INTERSECT SELECT unnest(rule.approvers) ORDER BY 1) END;
        IF wanted = '{}' THEN
            PERFORM hoopguard.refuse_argument('classes', deciders_of_leave.classes::text, format(
                'classes that the same people decide about; guardrail "%s" names others than those before it', rule.name));
        END IF;
        approvers := wanted;
    END LOOP;
    approvers := coalesce(approvers, '{hoopguard_approver}');
END
$$;

-- Files a request for access. The letter holds role, classes, objects, unmask, duration, reason, request_id and the
-- speaker.
CREATE FUNCTION hoopguard.broker_ask_access(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    speaker jsonb := letter -> 'speaker';
    asked record;
    -- A session with a role of its own, and no other, gets what is given to that.
    member text := coalesce(speaker ->> 'own_role', speaker ->> 'login_role');
    approvers text[];
    votes integer;
    unknown text;
BEGIN
    SELECT * INTO asked FROM jsonb_to_record(letter) AS l (role text, classes text[], objects text[], unmask text[],
                                                           duration interval, reason text);
    IF asked.role IS NULL AND asked.classes IS NULL AND asked.unmask IS NULL THEN
        PERFORM hoopguard.refuse_argument('role', NULL, 'a role, classes, or data classes to unmask: at least one of them');
    END IF;
    PERFORM hoopguard.check_duration(asked.duration, current_setting('hoopguard.grant_max_duration')::interval);
    IF asked.role IS NOT NULL THEN
        IF speaker ->> 'provider' IS NOT NULL AND NOT speaker ? 'own_role' THEN
            RAISE EXCEPTION 'membership of a role cannot be had for a time by %', speaker ->> 'actor'
                USING ERRCODE = 'feature_not_supported',
                      DETAIL = format('Role "%s", as which it is logged in, may be others'' too.', member),
                      HINT = 'Request classes on objects, or data classes to unmask; or have the role mapped with session_role temporary.';
        END IF;
        PERFORM hoopguard.check_requested_role(asked.role, member);
    END IF;
    IF asked.classes IS NOT NULL THEN
        PERFORM hoopguard.check_classes(asked.classes);
        SELECT d.approvers, d.min_approvals INTO approvers, votes
          FROM hoopguard.deciders_of_leave(asked.classes, ARRAY(SELECT jsonb_array_elements_text(speaker -> 'roles'))) d;
    ELSIF asked.objects IS NOT NULL THEN
        PERFORM hoopguard.refuse_argument('objects', asked.objects::text, 'NULL where classes is NULL');
    END IF;
    IF asked.objects = '{}' OR array_position(asked.objects, NULL) IS NOT NULL OR '' = ANY (asked.objects) THEN
        PERFORM hoopguard.refuse_argument('objects', asked.objects::text,
                                          'names or globs such as public.orders, public.*, at least one; or NULL for all');
    END IF;
    IF asked.unmask IS NOT NULL THEN
        SELECT coalesce(u, 'NULL') INTO unknown FROM unnest(asked.unmask) u
         WHERE u IS NULL OR NOT hoopguard.is_data_class(u) LIMIT 1;
        IF FOUND OR asked.unmask = '{}' THEN
            PERFORM hoopguard.refuse_argument('unmask', coalesce(unknown, '{}'), 'names of data classes, at least one; or NULL');
        END IF;
    END IF;
    RETURN hoopguard.broker_file(jsonb_strip_nulls(jsonb_build_object(
        'kind', 'access', 'speaker', speaker || jsonb_build_object('login_role', member), 'access_role', asked.role, 'classes', to_jsonb(asked.classes),
        'objects', to_jsonb(asked.objects), 'unmask', to_jsonb(asked.unmask), 'duration', asked.duration,
        'reason', asked.reason, 'request_id', letter ->> 'request_id', 'approvers', to_jsonb(approvers),
        'min_approvals', votes)));
END
$$;

-- What an approved request of access gives, from now on: in the transaction that approves it. `span`: for how long,
-- when that is shorter than what was asked for.
CREATE FUNCTION hoopguard.give_grant(request bigint, span interval, decided_by text[]) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request;
    moment timestamptz := clock_timestamp();
    id bigint;
BEGIN
    SELECT q.* INTO r FROM hoopguard.request q WHERE q.id = give_grant.request;
    IF r.duration IS NULL AND NOT hoopguard.session_lives(r.session_id) THEN
        RAISE EXCEPTION 'the session that access was requested for has ended'
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It was session %s.', r.session_id),
                  HINT = 'Reject the request.';
    END IF;
    IF r.access_role IS NOT NULL THEN
        PERFORM hoopguard.check_requested_role(r.access_role, r.login_role);
    END IF;
    id := hoopguard.add_grant(r.id, r.provider, r.actor, r.login_role, r.access_role, r.classes, r.objects, r.unmask,
                              r.database, CASE WHEN r.duration IS NULL THEN r.session_id END, moment,
                              moment + least(coalesce(span, r.duration),
                                             current_setting('hoopguard.grant_max_duration')::interval),
                              decided_by, r.reason, false);
    RETURN jsonb_build_object('grant', id, 'journal', jsonb_build_array(hoopguard.grant_entry('grant', id, 'active')));
END
$$;

CREATE FUNCTION hoopguard.session_lives(session_id text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_stat_get_activity(NULL) a
                    WHERE $1 = to_hex(trunc(extract(epoch FROM a.backend_start))::bigint) || '.' || to_hex(a.pid))
$$;

-- Takes a grant back before its end: whoever has it, or who may decide.
CREATE FUNCTION hoopguard.broker_revoke(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    speaker jsonb := letter -> 'speaker';
    number bigint := (letter ->> 'grant')::bigint;
    g hoopguard.jit_grant;
BEGIN
    SELECT j.* INTO g FROM hoopguard.jit_grant j WHERE j.id = number;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'grant % does not exist', number
            USING ERRCODE = 'undefined_object', HINT = 'The numbers are in hoopguard.jit_grant.';
    END IF;
    IF (g.provider, g.actor) IS DISTINCT FROM (speaker ->> 'provider', speaker ->> 'actor')
       AND NOT (speaker ->> 'superuser')::boolean
       AND NOT speaker -> 'roles' ?| '{hoopguard_admin,hoopguard_approver}' THEN
        RAISE EXCEPTION 'grant % is not yours to revoke', number USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'A grant is revoked by whoever has it, or by a member of hoopguard_approver or hoopguard_admin.';
    END IF;
    IF NOT hoopguard.end_grant(number, 'revoked', speaker ->> 'actor', letter ->> 'comment') THEN
        SELECT j.* INTO g FROM hoopguard.jit_grant j WHERE j.id = number;
        RAISE EXCEPTION 'grant % is % already', number, g.state USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM hoopguard.say_grant_ended(number);
    RETURN jsonb_build_object('state', 'revoked', 'policy', true, 'journal', jsonb_build_array(
        hoopguard.grant_entry('revoke', number, 'revoked')
        || jsonb_strip_nulls(jsonb_build_object('decided_by', jsonb_build_array(speaker ->> 'actor'),
                                                'reason', letter ->> 'comment'))));
END
$$;

CREATE FUNCTION hoopguard.say_grant_ended(grant_id bigint) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT hoopguard.post_notice('hoopguard_decision', jsonb_build_object(
               'grant', g.id, 'request', g.request, 'state', g.state, 'actor', g.actor, 'provider', g.provider,
               'database', g.database, 'decided_by', g.ended_by, 'comment', g.comment, 'at', g.ended_at))
      FROM hoopguard.jit_grant g WHERE g.id = grant_id
$$;

-- Leave without asking first, for emergencies: on record and told before it holds. Its request stays pending until
-- another person approves it, which certifies it, or rejects it, which ends it too.
CREATE FUNCTION hoopguard.broker_break_glass(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    speaker jsonb := letter -> 'speaker';
    asked record;
    filed jsonb;
    number bigint;
    moment timestamptz := clock_timestamp();
BEGIN
    SELECT * INTO asked FROM jsonb_to_record(letter) AS l (classes text[], duration interval, reason text);
    IF NOT speaker -> 'roles' ? 'hoopguard_breakglass' THEN
        RAISE EXCEPTION '% may not break the glass', speaker ->> 'actor' USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'That is for members of hoopguard_breakglass.', HINT = 'Request access with hoopguard.request_access().';
    END IF;
    IF speaker ->> 'kind' <> 'human' THEN
        RAISE EXCEPTION 'a person breaks the glass, and % is none', speaker ->> 'actor'
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('hoopguard.actor has it as an %s.', speaker ->> 'kind');
    END IF;
    IF coalesce(btrim(asked.reason), '') = '' THEN
        PERFORM hoopguard.refuse_argument('reason', asked.reason, 'why it cannot wait, in words');
    END IF;
    IF asked.duration IS NULL THEN
        PERFORM hoopguard.refuse_argument('duration', NULL, 'an interval');
    END IF;
    PERFORM hoopguard.check_duration(asked.duration, current_setting('hoopguard.grant_max_duration')::interval);
    IF asked.classes IS NULL THEN
        PERFORM hoopguard.refuse_argument('classes', NULL, 'classes of statements, or {*}');
    END IF;
    PERFORM hoopguard.check_classes(asked.classes);
    filed := hoopguard.broker_file(jsonb_build_object(
        'kind', 'access', 'speaker', speaker, 'classes', to_jsonb(asked.classes), 'duration', asked.duration,
        'reason', 'BREAK GLASS: ' || asked.reason, 'request_id', letter ->> 'request_id'));
    UPDATE hoopguard.request q SET expires_at = moment + interval '100 years' WHERE q.id = (filed ->> 'request')::bigint;
    number := hoopguard.add_grant((filed ->> 'request')::bigint, speaker ->> 'provider', speaker ->> 'actor',
                                  speaker ->> 'login_role', NULL, asked.classes, NULL, NULL, NULL, NULL, moment,
                                  moment + asked.duration, NULL, asked.reason, true);
    PERFORM hoopguard.post_notice('hoopguard_alert', jsonb_build_object(
        'alert', 'break_glass', 'grant', number, 'request', filed -> 'request', 'actor', speaker -> 'actor',
        'provider', speaker -> 'provider', 'login_role', speaker -> 'login_role', 'database', speaker -> 'database',
        'client_addr', speaker -> 'client_addr', 'application_name', speaker -> 'application_name',
        'session_id', speaker -> 'session_id', 'classes', to_jsonb(asked.classes), 'reason', asked.reason,
        'valid_until', moment + asked.duration, 'at', moment));
    RETURN jsonb_build_object('grant', number, 'policy', true, 'journal', (filed -> 'journal')
        || hoopguard.grant_entry('grant', number, 'break glass') || hoopguard.grant_entry('alert', number, 'break glass'));
END
$$;

-- What becomes of access when its request is decided: called in that transaction.
CREATE FUNCTION hoopguard.access_decided(request bigint, approved boolean, span interval, by_whom text[], comment text)
    RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    broken hoopguard.jit_grant;
BEGIN
    SELECT g.* INTO broken FROM hoopguard.jit_grant g WHERE g.request = request AND g.break_glass;
    IF NOT FOUND THEN
        RETURN CASE WHEN approved THEN hoopguard.give_grant(request, span, by_whom) ELSE '{"journal": []}' END;
    END IF;
    UPDATE hoopguard.jit_grant g SET certified_by = by_whom[array_upper(by_whom, 1)], certified_at = clock_timestamp()
     WHERE g.id = broken.id;
    IF NOT approved AND hoopguard.end_grant(broken.id, 'revoked', by_whom[array_upper(by_whom, 1)], comment) THEN
        PERFORM hoopguard.say_grant_ended(broken.id);
        RETURN jsonb_build_object('journal', jsonb_build_array(hoopguard.grant_entry('revoke', broken.id, 'revoked')));
    END IF;
    RETURN '{"journal": []}';
END
$$;

--
-- What everybody calls. Each takes effect through the broker when it returns, whatever becomes of the transaction.
--

CREATE FUNCTION hoopguard.ask_access(letter jsonb) RETURNS bigint
    LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_ask_access';
CREATE FUNCTION hoopguard.ask_break_glass(letter jsonb) RETURNS bigint
    LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_ask_break_glass';

CREATE FUNCTION hoopguard.request_access(
    role text DEFAULT NULL, classes text[] DEFAULT NULL, objects text[] DEFAULT NULL, unmask text[] DEFAULT NULL,
    duration interval DEFAULT '15 minutes', reason text DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unknown text;
BEGIN
    -- A name that is no glob stands for something that is here, unless it is yet to be made.
    SELECT o INTO unknown FROM unnest(objects) o
     WHERE o !~ '[*?\\]' AND NOT classes && '{*,ddl,ddl.create,role,database,code}'
       AND NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        WHERE o IN (c.relname, n.nspname || '.' || c.relname))
       AND NOT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                        WHERE o IN (p.proname, n.nspname || '.' || p.proname))
       AND NOT EXISTS (SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
                        WHERE o IN (t.typname, n.nspname || '.' || t.typname))
       AND NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = o)
       AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = o)
       AND NOT EXISTS (SELECT FROM pg_database d WHERE d.datname = o)
       AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = o)
       AND NOT EXISTS (SELECT FROM pg_language l WHERE l.lanname = o)
       AND NOT EXISTS (SELECT FROM pg_foreign_server f WHERE f.srvname = o)
     LIMIT 1;
    IF FOUND THEN
        PERFORM hoopguard.refuse_argument('objects', unknown, format(
            'names of what is in database %I, as schema.name; or globs such as public.*', current_database()));
    END IF;
    RETURN hoopguard.ask_access(jsonb_strip_nulls(jsonb_build_object(
        'role', role, 'classes', to_jsonb(classes), 'objects', to_jsonb(objects), 'unmask', to_jsonb(unmask),
        'duration', duration, 'reason', reason)));
END
$$;

CREATE FUNCTION hoopguard.break_glass(reason text, classes text[] DEFAULT '{*}', duration interval DEFAULT '15 minutes')
    RETURNS bigint LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT hoopguard.ask_break_glass(jsonb_strip_nulls(jsonb_build_object(
        'reason', $1, 'classes', to_jsonb($2), 'duration', $3)))
$$;

CREATE FUNCTION hoopguard.revoke(grant_id bigint, comment text DEFAULT NULL) RETURNS text
    LANGUAGE c SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_revoke';

CREATE FUNCTION hoopguard.is_data_class(name text) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN name = 'unclassified' OR EXISTS (SELECT FROM hoopguard.data_class d WHERE d.name = is_data_class.name);
END
$$;

REVOKE ALL ON FUNCTION hoopguard.add_grant(bigint, text, text, text, text, text[], text[], text[], text, text,
        timestamptz, timestamptz, text[], text, boolean),
    hoopguard.end_grant(bigint, text, text, text), hoopguard.broker_end_grants(jsonb),
    hoopguard.grant_entry(text, bigint, text), hoopguard.membership(oid, oid),
    hoopguard.check_requested_role(text, text), hoopguard.deciders_of_leave(text[], text[]),
    hoopguard.broker_ask_access(jsonb), hoopguard.give_grant(bigint, interval, text[]),
    hoopguard.session_lives(text), hoopguard.broker_revoke(jsonb), hoopguard.say_grant_ended(bigint),
    hoopguard.broker_break_glass(jsonb), hoopguard.is_data_class(text),
    hoopguard.access_decided(bigint, boolean, interval, text[], text) FROM PUBLIC;

COMMENT ON FUNCTION hoopguard.check_grant() IS 'trigger: a grant goes from active to its end, and nothing else of it changes';
COMMENT ON FUNCTION hoopguard.jit_grant_in_force() IS 'the grants that statements are decided by at this moment';
COMMENT ON FUNCTION hoopguard.membership(oid, oid) IS 'whether a membership stands that a grant would make, and is as one makes it';
COMMENT ON FUNCTION hoopguard.add_grant(bigint, text, text, text, text, text[], text[], text[], text, text,
        timestamptz, timestamptz, text[], text, boolean) IS 'the broker makes a grant, with its membership';
COMMENT ON FUNCTION hoopguard.end_grant(bigint, text, text, text) IS 'the broker ends a grant and takes its membership back';
COMMENT ON FUNCTION hoopguard.broker_end_grants(jsonb) IS 'the broker ends the grants that are over';
COMMENT ON FUNCTION hoopguard.grant_entry(text, bigint, text) IS 'what the journal says of a grant';
COMMENT ON FUNCTION hoopguard.refuse_argument(text, text, text) IS 'raises the error for an argument that cannot be';
COMMENT ON FUNCTION hoopguard.check_duration(interval, interval) IS 'refuses a duration that is not within its limits';
COMMENT ON FUNCTION hoopguard.check_classes(text[]) IS 'refuses classes of statements that do not exist';
COMMENT ON FUNCTION hoopguard.check_requested_role(text, text) IS 'broker: refuses a role that nobody may have for a time';
COMMENT ON FUNCTION hoopguard.deciders_of_leave(text[], text[]) IS 'broker: who decides about leave for classes';
COMMENT ON FUNCTION hoopguard.broker_ask_access(jsonb) IS 'broker: files a request for access';
COMMENT ON FUNCTION hoopguard.give_grant(bigint, interval, text[]) IS 'broker: gives what an approved request asked for';
COMMENT ON FUNCTION hoopguard.session_lives(text) IS 'broker: whether a session goes on';
COMMENT ON FUNCTION hoopguard.broker_revoke(jsonb) IS 'broker: takes a grant back';
COMMENT ON FUNCTION hoopguard.say_grant_ended(bigint) IS 'broker: has the end of a grant told';
COMMENT ON FUNCTION hoopguard.broker_break_glass(jsonb) IS 'broker: gives leave in an emergency';
COMMENT ON FUNCTION hoopguard.access_decided(bigint, boolean, interval, text[], text) IS
    'broker: what becomes of access when its request is decided';
COMMENT ON FUNCTION hoopguard.ask_access(jsonb) IS 'hands a request for access to the broker';
COMMENT ON FUNCTION hoopguard.ask_break_glass(jsonb) IS 'hands a call of break_glass() to the broker';
COMMENT ON FUNCTION hoopguard.is_data_class(text) IS 'broker: whether a data class of that name is known';
COMMENT ON FUNCTION hoopguard.request_access(text, text[], text[], text[], interval, text) IS
    'asks for a role, for leave for classes on objects, or for data classes unmasked, for a time; returns the request''s number';
COMMENT ON FUNCTION hoopguard.break_glass(text, text[], interval) IS
    'leave at once, in an emergency, on record and told to others; returns the grant''s number';
COMMENT ON FUNCTION hoopguard.revoke(bigint, text) IS 'ends a grant before its time; returns its new state';
