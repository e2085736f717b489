--
-- Requests: what a person decides. They live in the control database; the broker alone writes them, on behalf of
-- sessions in whatever database (broker_* are its functions). In other databases a view shows them.
--
--   pending -> approved | rejected | expired | cancelled
--   approved -> used | expired        (a statement's or a script's)

CREATE FUNCTION hoopguard.is_own_request(provider text, actor text) RETURNS boolean
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_is_own_request';
CREATE FUNCTION hoopguard.is_masked() RETURNS boolean
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_is_masked';
CREATE FUNCTION hoopguard.requests_json() RETURNS jsonb
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_requests_json';

-- A role that `member` belongs to, or group:NAME of the token that this session speaks by; a name that is gone counts
-- for nobody.
CREATE FUNCTION hoopguard.belongs_to(member name, roles text[]) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM unnest($2) AS wanted (name) JOIN pg_roles r ON r.rolname = wanted.name
                    WHERE pg_has_role($1, r.oid, 'MEMBER'))
        OR $2 && ARRAY(SELECT 'group:' || g FROM unnest((hoopguard.whoami()).groups) AS g) AND $1 = current_user
$$;

CREATE FUNCTION hoopguard.request_changes() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM OLD.state
       AND NOT (OLD.state = 'pending' AND NEW.state IN ('approved', 'rejected', 'expired', 'cancelled')
                OR OLD.state = 'approved' AND OLD.kind <> 'access' AND NEW.state IN ('used', 'expired')) THEN
        RAISE EXCEPTION 'request % is %: it cannot become %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'A pending request is approved, rejected, cancelled or expires; an approved statement is used or expires.';
    END IF;
    IF (NEW.id, NEW.kind, NEW.provider, NEW.actor, NEW.role, NEW.login_role, NEW.database, NEW.classes, NEW.objects,
        NEW.statement, NEW.parameters, NEW.plan, NEW.approvers, NEW.min_approvals, NEW.created_at,
        NEW.access_role, NEW.unmask, NEW.duration)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.provider, OLD.actor, OLD.role, OLD.login_role, OLD.database, OLD.classes, OLD.objects,
        OLD.statement, OLD.parameters, OLD.plan, OLD.approvers, OLD.min_approvals, OLD.created_at,
        OLD.access_role, OLD.unmask, OLD.duration)
       OR OLD.state <> 'pending' AND NEW.votes IS DISTINCT FROM OLD.votes THEN
        RAISE EXCEPTION 'request %: what was asked and what was decided cannot be changed', OLD.id
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END
$$;

DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        CREATE TABLE hoopguard.filed_request (
            id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME hoopguard.request_id_seq) PRIMARY KEY,
            kind text NOT NULL CHECK (kind IN ('statement', 'script', 'access')),
            state text NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'cancelled', 'used')),
            actor text NOT NULL,
            role text NOT NULL,
            database text NOT NULL,
            session_id text NOT NULL,
            classes text[],
            objects text[],
            statement text,
            parameters jsonb,
            plan text,
            estimated_rows double precision,
            reason text,
            request_id text,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            decided_at timestamptz,
            votes jsonb NOT NULL DEFAULT '[]',
            used_at timestamptz,
            guardrail text,
            approvers text[] NOT NULL DEFAULT '{hoopguard_approver}',
            min_approvals integer NOT NULL DEFAULT 1 CHECK (min_approvals > 0),
            access_role text,
            unmask text[],
            duration interval,
            provider text,
            actor_kind text NOT NULL,
            on_behalf_of text,
            login_role text NOT NULL,
            client_addr text,
            application_name text,
            shown_statement text,
            shown_parameters jsonb,
            CHECK (state <> 'used' OR kind <> 'access'),
            CHECK ((state IN ('pending', 'cancelled', 'expired')) OR decided_at IS NOT NULL),
            CHECK ((state = 'used') = (used_at IS NOT NULL))
        );
        CREATE INDEX request_open ON hoopguard.filed_request (expires_at) WHERE state IN ('pending', 'approved');
        -- What is nobody's to read: digests of statements, and which roles a vote was cast with.
        CREATE TABLE hoopguard.request_binding (
            request bigint PRIMARY KEY REFERENCES hoopguard.filed_request ON DELETE CASCADE,
            digest text NOT NULL,
            voters jsonb NOT NULL DEFAULT '[]'
        );
        CREATE INDEX request_binding_digest ON hoopguard.request_binding (digest);
        CREATE TABLE hoopguard.outbox (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            channel text NOT NULL,
            payload text NOT NULL
        );
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.filed_request', '');
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.request_id_seq', '');
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.request_binding', '');

        CREATE TRIGGER request_changes BEFORE UPDATE ON hoopguard.filed_request
            FOR EACH ROW EXECUTE FUNCTION hoopguard.request_changes();
        ALTER TABLE hoopguard.filed_request ENABLE ALWAYS TRIGGER request_changes;
        -- Without a policy: nobody but superusers reads it, pg_read_all_data neither.
        ALTER TABLE hoopguard.filed_request ENABLE ROW LEVEL SECURITY;
        -- Whoever is masked, in whatever database, sees of statements and values what masks would leave of them.
        CREATE VIEW hoopguard.request WITH (security_barrier) AS
            SELECT f.id, f.kind, f.state, f.actor, f.role, f.database, f.session_id, f.classes, f.objects,
                   CASE WHEN f.shown_statement IS NOT NULL AND hoopguard.is_masked()
                        THEN f.shown_statement ELSE f.statement END AS statement,
                   CASE WHEN f.shown_statement IS NOT NULL AND hoopguard.is_masked()
                        THEN f.shown_parameters ELSE f.parameters END AS parameters,
                   CASE WHEN f.shown_statement IS NOT NULL AND hoopguard.is_masked() THEN NULL ELSE f.plan END AS plan,
                   f.estimated_rows, f.reason, f.request_id, f.created_at, f.expires_at, f.decided_at, f.votes,
                   f.used_at, f.guardrail, f.approvers, f.min_approvals, f.access_role, f.unmask, f.duration,
                   f.provider, f.actor_kind, f.on_behalf_of, f.login_role, f.client_addr, f.application_name
              FROM hoopguard.filed_request f
             WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                OR hoopguard.is_own_request(f.provider, f.actor)
                -- As belongs_to() has it, but asked once for all rows: each call is a statement, and on record.
                OR f.approvers || '{hoopguard_approver,hoopguard_auditor,hoopguard_admin}'::text[]
                   && (SELECT array_agg(r.rolname::text) FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER'))
                OR array_to_string(f.approvers, ' ') LIKE '%group:%' AND hoopguard.belongs_to(current_user, f.approvers);
        COMMENT ON TABLE hoopguard.filed_request IS
            'what view request shows, with the exact texts; read by the broker alone';
        COMMENT ON VIEW hoopguard.request IS
            'what persons are or were asked to decide; each sees his own, approvers, auditors and admins see all';
        COMMENT ON TABLE hoopguard.request_binding IS 'what each request is bound to; read by the broker alone';
        COMMENT ON TABLE hoopguard.outbox IS 'notices that the broker has yet to send';
    ELSE
        CREATE VIEW hoopguard.request AS
            SELECT * FROM jsonb_to_recordset(hoopguard.requests_json()) AS r (
                id bigint, kind text, state text, actor text, role text, database text, session_id text,
                classes text[], objects text[], statement text, parameters jsonb, plan text,
                estimated_rows double precision, reason text, request_id text, created_at timestamptz,
                expires_at timestamptz, decided_at timestamptz, votes jsonb, used_at timestamptz, guardrail text,
                approvers text[], min_approvals integer, access_role text, unmask text[], duration interval,
                provider text, actor_kind text, on_behalf_of text, login_role text, client_addr text,
                application_name text);
        COMMENT ON VIEW hoopguard.request IS
            'the newest thousand requests of the control database that are yours or that you may see';
    END IF;
END
$$;
GRANT SELECT ON hoopguard.request TO PUBLIC;

CREATE VIEW hoopguard.pending WITH (security_invoker) AS
    SELECT r.id,
           date_trunc('second', clock_timestamp() - r.created_at) AS waiting,
           greatest(date_trunc('second', r.expires_at - clock_timestamp()), interval '0') AS expires_in,
           r.actor || CASE WHEN r.on_behalf_of IS NOT NULL THEN ' for ' || r.on_behalf_of ELSE '' END AS actor,
           r.database,
           array_to_string(r.classes, ' ') AS classes,
           array_to_string(r.objects, ' ') AS objects,
           r.estimated_rows AS rows,
           CASE r.kind WHEN 'access' THEN concat_ws(' ', 'access', r.access_role,
                                                    'unmask ' || array_to_string(r.unmask, ' '), 'for ' || r.duration)
                ELSE CASE r.kind WHEN 'script' THEN 'script: ' ELSE '' END
                     || left(regexp_replace(r.statement, '\s+', ' ', 'g'), 60)
                     || CASE WHEN length(r.statement) > 60 THEN ' ...' ELSE '' END END AS statement,
           r.reason,
           format('%s/%s', jsonb_array_length(r.votes), r.min_approvals) AS votes
      FROM hoopguard.request r
     WHERE r.state = 'pending' AND r.expires_at > clock_timestamp()
     ORDER BY r.id;
COMMENT ON VIEW hoopguard.pending IS 'the requests that wait for a decision, oldest first';
GRANT SELECT ON hoopguard.pending TO PUBLIC;

--
-- What the broker does. A letter says who speaks in member "speaker", as the speaker's own backend knows him.
--

-- The person behind an actor: an actor row of a human that names an owner is another name of that person. Names are
-- compared without their providers: whoever has one name in two places counts as one.
CREATE FUNCTION hoopguard.person_behind(provider text, name text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person text := name;
    behind text;
BEGIN
    FOR step IN 1..5 LOOP
        SELECT a.owner INTO behind FROM hoopguard.actor a
         WHERE a.name = person AND a.kind = 'human' AND a.owner IS NOT NULL LIMIT 1;
        EXIT WHEN behind IS NULL OR behind = person;
        person := behind;
    END LOOP;
    RETURN person;
END
$$;

-- Everybody whom a speaker speaks for: himself, the person behind, and on whose behalf.
CREATE FUNCTION hoopguard.persons_of(provider text, actor text, on_behalf_of text) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_remove(ARRAY[actor, hoopguard.person_behind(provider, actor), on_behalf_of,
                              hoopguard.person_behind(NULL, on_behalf_of)], NULL)
$$;

-- What policy has a speaker as, or his own session where that knows more.
CREATE FUNCTION hoopguard.kind_of(speaker jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN speaker ->> 'kind' <> 'human' THEN speaker ->> 'kind'
                ELSE coalesce((SELECT a.kind FROM hoopguard.actor a
                                WHERE a.name = speaker ->> 'actor'
                                  AND a.provider IS NOT DISTINCT FROM speaker ->> 'provider'), 'human') END
$$;

-- Puts a notice into the outbox; the payload stays below NOTIFY's limit, whatever it holds.
CREATE FUNCTION hoopguard.post_notice(channel text, payload jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most integer := 1000;
    posted jsonb;
BEGIN
    LOOP
        SELECT jsonb_object_agg(e.key, CASE
                   WHEN jsonb_typeof(e.value) = 'string' AND length(e.value #>> '{}') > most
                   -- Where a character is a byte (SQL_ASCII), not within one of UTF-8's.
                   THEN to_jsonb((SELECT left(t, most - 3 - k)
                                    FROM (SELECT e.value #>> '{}') x (t), generate_series(0, 3) k
                                   WHERE k = 3 OR get_byte(convert_to(t, getdatabaseencoding()),
                                                           octet_length(left(t, most - 3 - k))) & 192 <> 128
                                   ORDER BY k LIMIT 1) || '...')
                   WHEN jsonb_typeof(e.value) = 'array' AND jsonb_array_length(e.value) > most / 50
                   THEN jsonb_path_query_array(e.value, '$[0 to $last]', jsonb_build_object('last', most / 50 - 1)) || '["..."]'
                   ELSE e.value END)
          INTO posted FROM jsonb_each(jsonb_strip_nulls(payload)) e;
        EXIT WHEN octet_length(posted::text) < 7800 OR most < 50;
        most := most / 2;
    END LOOP;
    INSERT INTO hoopguard.outbox (channel, payload) VALUES (post_notice.channel, posted::text);
END
$$;

-- The members that every entry about a request has.
CREATE FUNCTION hoopguard.entry_of(r hoopguard.request, type text, detail text) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'type', type, 'detail', detail, 'approval', r.id, 'actor', r.actor, 'actor_kind', r.actor_kind,
        'provider', r.provider, 'login_role', r.login_role, 'effective_role', r.role, 'database', r.database,
        'client_addr', r.client_addr, 'subject', r.session_id, 'guardrail', r.guardrail, 'reason', r.reason,
        'request_id', r.request_id))
$$;

CREATE FUNCTION hoopguard.deciders(votes jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(v ->> 'by' ORDER BY n), '{}') FROM jsonb_array_elements(votes) WITH ORDINALITY AS e (v, n)
$$;

CREATE FUNCTION hoopguard.say_decided(r hoopguard.request) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT hoopguard.post_notice('hoopguard_decision', jsonb_build_object(
        'request', r.id, 'kind', r.kind, 'state', r.state, 'actor', r.actor, 'provider', r.provider,
        'database', r.database, 'session_id', r.session_id, 'decided_by', hoopguard.deciders(r.votes),
        'comment', r.votes -> -1 ->> 'comment', 'at', clock_timestamp()))
$$;

-- An approved request becomes used: how its answer and its entry look.
CREATE FUNCTION hoopguard.use_request(number bigint) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request;
    cast_with jsonb;
BEGIN
    -- The entry is durable before the commit, and replayed; what the statement commits is behind it in the WAL.
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE hoopguard.request q SET state = 'used', used_at = clock_timestamp() WHERE q.id = number RETURNING * INTO r;
    SELECT b.voters INTO cast_with FROM hoopguard.request_binding b WHERE b.request = number;
    PERFORM hoopguard.say_decided(r);
    RETURN jsonb_build_object(
        'request', r.id, 'state', 'used', 'decided_by', hoopguard.deciders(r.votes), 'voters', cast_with,
        'script', CASE r.kind WHEN 'script' THEN r.statement END, 'wake', jsonb_build_array(r.id),
        'journal', jsonb_build_array(hoopguard.entry_of(r, 'decision', 'used')
                                     || jsonb_build_object('decided_by', hoopguard.deciders(r.votes))));
END
$$;

-- Files a request, unless the same one is pending (its number is the answer) or approved (it is used).
CREATE FUNCTION hoopguard.broker_file(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    speaker jsonb := letter -> 'speaker';
    moment timestamptz := clock_timestamp();
    number bigint;
    r hoopguard.request;
BEGIN
    SELECT q.* INTO r FROM hoopguard.request_binding b JOIN hoopguard.request q ON q.id = b.request
     WHERE b.digest = letter ->> 'digest' AND q.kind = letter ->> 'kind'
       AND q.state IN ('pending', 'approved') AND q.expires_at > moment
     ORDER BY q.state, q.id LIMIT 1 FOR UPDATE OF q;
    IF FOUND THEN
        IF r.state = 'approved' AND r.kind = 'statement' THEN
            RETURN hoopguard.use_request(r.id);
        END IF;
        RETURN jsonb_build_object('request', r.id, 'state', r.state, 'expires_at', r.expires_at);
    END IF;
    INSERT INTO hoopguard.filed_request AS q (kind, provider, actor, actor_kind, on_behalf_of, role, login_role, database,
            session_id, client_addr, application_name, classes, objects, statement, parameters, plan, estimated_rows,
            reason, request_id, guardrail, approvers, min_approvals, access_role, unmask, duration, created_at, expires_at,
            shown_statement, shown_parameters)
    SELECT letter ->> 'kind', s.provider, s.actor, hoopguard.kind_of(speaker), s.on_behalf_of, s.role, s.login_role, s.database, s.session_id,
           s.client_addr, s.application_name, l.classes, l.objects, l.statement, l.parameters, l.plan, l.estimated_rows,
           l.reason, l.request_id, l.guardrail, coalesce(nullif(l.approvers, '{}'), '{hoopguard_approver}'),
           coalesce(l.min_approvals, 1), l.access_role, l.unmask, l.duration, moment,
           moment + current_setting('hoopguard.request_lifetime')::interval, l.shown_statement, l.shown_parameters
      FROM jsonb_to_record(speaker) AS s (provider text, actor text, on_behalf_of text, role text,
               login_role text, database text, session_id text, client_addr text, application_name text),
           jsonb_to_record(letter) AS l (classes text[], objects text[], statement text, parameters jsonb, plan text,
               estimated_rows double precision, reason text, request_id text, guardrail text, approvers text[],
               min_approvals integer, access_role text, unmask text[], duration interval, shown_statement text,
               shown_parameters jsonb)
    RETURNING q.id INTO number;
    SELECT q.* INTO r FROM hoopguard.request q WHERE q.id = number;
    IF letter ? 'digest' THEN
        INSERT INTO hoopguard.request_binding (request, digest) VALUES (r.id, letter ->> 'digest');
    END IF;
    PERFORM hoopguard.post_notice('hoopguard_request', jsonb_build_object(
        'request', r.id, 'kind', r.kind, 'actor', r.actor, 'actor_kind', r.actor_kind, 'provider', r.provider,
        'on_behalf_of', r.on_behalf_of, 'role', r.role, 'login_role', r.login_role, 'database', r.database,
        'client_addr', r.client_addr, 'application_name', r.application_name, 'session_id', r.session_id,
        'classes', r.classes, 'objects', r.objects, 'statement', coalesce(letter ->> 'shown_statement', r.statement),
        'parameters', CASE WHEN letter ? 'shown_statement' THEN letter -> 'shown_parameters' ELSE r.parameters END,
        'plan', CASE WHEN NOT letter ? 'shown_statement' THEN r.plan END, 'estimated_rows', r.estimated_rows, 'reason', r.reason, 'request_id', r.request_id,
        'guardrail', r.guardrail, 'approvers', r.approvers, 'min_approvals', r.min_approvals,
        'access_role', r.access_role, 'unmask', r.unmask, 'duration', r.duration, 'created_at', r.created_at,
        'expires_at', r.expires_at));
    RETURN jsonb_build_object(
        'request', r.id, 'state', 'pending', 'expires_at', r.expires_at,
        'journal', jsonb_build_array(hoopguard.entry_of(r, 'request', r.kind) || jsonb_strip_nulls(jsonb_build_object(
            'statement', coalesce(letter ->> 'shown_statement', r.statement), 'classes', r.classes, 'objects', r.objects))));
END
$$;

-- A request by its number, locked; an error when there is none.
CREATE FUNCTION hoopguard.request_numbered(number bigint) RETURNS hoopguard.request
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request;
BEGIN
    SELECT q.* INTO r FROM hoopguard.request q WHERE q.id = number FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'request % does not exist', number
            USING ERRCODE = 'undefined_object', HINT = 'The numbers are in hoopguard.request.';
    END IF;
    IF r.state IN ('pending', 'approved') AND r.expires_at <= clock_timestamp()
       AND NOT (r.kind = 'access' AND r.state = 'approved') THEN
        r.state := 'expired';
    END IF;
    RETURN r;
END
$$;

-- Uses an approval, if it is one for what is about to run; otherwise says how the request stands.
CREATE FUNCTION hoopguard.broker_claim(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request := hoopguard.request_numbered((letter ->> 'request')::bigint);
    bound_to text;
    speaker jsonb := letter -> 'speaker';
BEGIN
    SELECT b.digest INTO bound_to FROM hoopguard.request_binding b WHERE b.request = r.id;
    IF (r.provider, r.actor) IS DISTINCT FROM (speaker ->> 'provider', speaker ->> 'actor') THEN
        RAISE EXCEPTION 'request % is not yours', r.id USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF r.state = 'approved' AND bound_to = letter ->> 'digest' THEN
        RETURN hoopguard.use_request(r.id);
    END IF;
    RETURN jsonb_build_object('request', r.id, 'same', bound_to = letter ->> 'digest', 'state', r.state,
                              'decided_by', hoopguard.deciders(r.votes), 'comment', r.votes -> -1 ->> 'comment');
END
$$;

-- Whoever may not decide is told why, whatever the request's state; of the rest a decided request takes no vote.
CREATE FUNCTION hoopguard.require_decider(r hoopguard.request, speaker jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF hoopguard.persons_of(speaker ->> 'provider', speaker ->> 'actor', speaker ->> 'on_behalf_of')
       && hoopguard.persons_of(r.provider, r.actor, r.on_behalf_of) THEN
        RAISE EXCEPTION 'nobody decides his own request' USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Request %s is of %s.', r.id, r.actor);
    END IF;
    IF hoopguard.kind_of(speaker) <> 'human' THEN
        RAISE EXCEPTION 'request % is decided by a person, and % is none', r.id, speaker ->> 'actor'
            USING ERRCODE = 'insufficient_privilege',
                  DETAIL = format('Its kind in hoopguard.actor is %s.', hoopguard.kind_of(speaker));
    END IF;
    IF NOT (speaker ->> 'superuser')::boolean
       AND NOT r.approvers && ARRAY(SELECT jsonb_array_elements_text(speaker -> 'roles')) THEN
        RAISE EXCEPTION 'request % is not yours to decide', r.id USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('It is decided by members of %s.', array_to_string(r.approvers, ', '));
    END IF;
    IF r.state <> 'pending' THEN
        RAISE EXCEPTION 'request % is % already', r.id, r.state USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;

-- How long an approval lasts: as asked, but no longer than is allowed.
CREATE FUNCTION hoopguard.approval_ends(r hoopguard.request, asked interval) RETURNS timestamptz
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most interval := CASE WHEN r.kind = 'access' THEN r.duration
                          ELSE current_setting('hoopguard.approval_lifetime')::interval END;
BEGIN
    IF asked <= interval '0' OR asked > most THEN
        RAISE EXCEPTION 'invalid value for argument "duration": %', asked USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Allowed: more than 0%s; NULL means all of it.', ', at most ' || most);
    END IF;
    RETURN CASE WHEN r.kind = 'access' THEN r.expires_at
                ELSE clock_timestamp() + coalesce(asked, most) END;
END
$$;

CREATE FUNCTION hoopguard.broker_decide(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request := hoopguard.request_numbered((letter ->> 'request')::bigint);
    speaker jsonb := letter -> 'speaker';
    approves boolean := letter ->> 'verdict' = 'approve';
    person text := hoopguard.person_behind(speaker ->> 'provider', speaker ->> 'actor');
    vote jsonb;
    new_state text := 'pending';
    ends timestamptz := r.expires_at;
    access jsonb := '{}';
BEGIN
    PERFORM hoopguard.require_decider(r, speaker);
    IF approves THEN
        ends := hoopguard.approval_ends(r, (letter ->> 'duration')::interval);
    END IF;
    IF EXISTS (SELECT FROM jsonb_array_elements(r.votes) v WHERE v ->> 'person' = person) THEN
        RAISE EXCEPTION '% has voted on request % already', person, r.id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = format('It needs the approval of %s different persons.', r.min_approvals);
    END IF;
    vote := jsonb_strip_nulls(jsonb_build_object(
        'vote', letter ->> 'verdict', 'by', speaker ->> 'actor', 'provider', speaker ->> 'provider', 'person', person,
        'comment', letter ->> 'comment', 'at', clock_timestamp()));
    IF NOT approves THEN
        new_state := 'rejected';
    ELSIF jsonb_array_length(r.votes) + 1 >= r.min_approvals THEN
        new_state := 'approved';
    END IF;
    UPDATE hoopguard.request q
       SET votes = q.votes || vote, state = new_state,
           decided_at = CASE WHEN new_state <> 'pending' THEN clock_timestamp() END,
           expires_at = CASE WHEN new_state = 'approved' THEN ends ELSE q.expires_at END
     WHERE q.id = r.id RETURNING * INTO r;
    UPDATE hoopguard.request_binding b
       SET voters = b.voters || jsonb_build_array(CASE WHEN (speaker ->> 'superuser')::boolean THEN '["*"]'::jsonb
                                                       ELSE speaker -> 'roles' END)
     WHERE b.request = r.id AND approves;
    IF new_state <> 'pending' THEN
        PERFORM hoopguard.say_decided(r);
        IF r.kind = 'access' THEN
            access := hoopguard.access_decided(r.id, approves, (letter ->> 'duration')::interval,
                                               hoopguard.deciders(r.votes), letter ->> 'comment');
        END IF;
    END IF;
    RETURN access || jsonb_build_object(
        'request', r.id, 'state', r.state, 'kind', r.kind, 'policy', CASE WHEN r.kind = 'access' THEN true END,
        'wake', CASE WHEN new_state = 'pending' THEN '[]' ELSE jsonb_build_array(r.id) END,
        'journal', jsonb_build_array(hoopguard.entry_of(r, 'decision', r.state) || jsonb_build_object(
            'decided_by', ARRAY[speaker ->> 'actor'],
            'reason', concat_ws(': ', letter ->> 'verdict', letter ->> 'comment')))
                   || coalesce(access -> 'journal', '[]'));
END
$$;

CREATE FUNCTION hoopguard.broker_cancel(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request := hoopguard.request_numbered((letter ->> 'request')::bigint);
    speaker jsonb := letter -> 'speaker';
BEGIN
    IF (r.provider, r.actor) IS DISTINCT FROM (speaker ->> 'provider', speaker ->> 'actor')
       AND NOT (speaker ->> 'superuser')::boolean AND NOT speaker -> 'roles' ? 'hoopguard_admin' THEN
        RAISE EXCEPTION 'request % is not yours to cancel', r.id USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'A request is cancelled by whoever made it, or by a member of hoopguard_admin.';
    END IF;
    IF r.state <> 'pending' THEN
        RAISE EXCEPTION 'request % is % already', r.id, r.state USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF r.kind = 'access' AND EXISTS (SELECT FROM hoopguard.jit_grant g WHERE g.request = r.id AND g.break_glass) THEN
        RAISE EXCEPTION 'request % stays open until another person certifies it', r.id
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Its grant was taken by breaking the glass.',
                  HINT = 'SELECT hoopguard.revoke(...) ends the grant.';
    END IF;
    UPDATE hoopguard.request q SET state = 'cancelled', decided_at = clock_timestamp() WHERE q.id = r.id RETURNING * INTO r;
    PERFORM hoopguard.say_decided(r);
    RETURN jsonb_build_object('request', r.id, 'state', r.state, 'wake', jsonb_build_array(r.id),
        'journal', jsonb_build_array(hoopguard.entry_of(r, 'decision', 'cancelled')
                                     || jsonb_build_object('decided_by', ARRAY[speaker ->> 'actor'])));
END
$$;

-- May the speaker see the request?
CREATE FUNCTION hoopguard.may_see(r hoopguard.request, speaker jsonb) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (r.provider, r.actor) IS NOT DISTINCT FROM (speaker ->> 'provider', speaker ->> 'actor')
           OR (speaker ->> 'superuser')::boolean
           OR speaker -> 'roles' ?| (r.approvers || '{hoopguard_approver,hoopguard_auditor,hoopguard_admin}')
$$;

CREATE FUNCTION hoopguard.broker_look(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request := hoopguard.request_numbered((letter ->> 'request')::bigint);
BEGIN
    IF NOT hoopguard.may_see(r, letter -> 'speaker') THEN
        RAISE EXCEPTION 'request % is not yours to see', r.id USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN jsonb_build_object('request', r.id, 'state', r.state, 'decided_by', hoopguard.deciders(r.votes),
                              'comment', r.votes -> -1 ->> 'comment',
                              'script', CASE r.kind WHEN 'script' THEN r.statement END);
END
$$;

CREATE FUNCTION hoopguard.broker_list(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(to_jsonb(n) || CASE WHEN (letter ->> 'masked')::boolean AND f.shown_statement IS NOT NULL
                                  THEN jsonb_build_object('statement', f.shown_statement, 'plan', NULL,
                                                          'parameters', f.shown_parameters) ELSE '{}' END
                              ORDER BY n.id DESC), '[]')
      FROM (SELECT r.* FROM hoopguard.request r WHERE hoopguard.may_see(r, letter -> 'speaker')
             ORDER BY r.id DESC LIMIT 1000) n JOIN hoopguard.filed_request f ON f.id = n.id);
END
$$;

-- Expires what is due, at most a hundred at a time; next_ms says when there is more to do.
CREATE FUNCTION hoopguard.broker_expire(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request;
    numbers jsonb := '[]';
    entries jsonb := '[]';
    next_at timestamptz;
BEGIN
    FOR r IN SELECT q.* FROM hoopguard.request q
              WHERE q.state IN ('pending', 'approved') AND q.expires_at <= clock_timestamp()
                AND NOT (q.kind = 'access' AND q.state = 'approved')
              ORDER BY q.expires_at LIMIT 100 FOR UPDATE LOOP
        UPDATE hoopguard.request q SET state = 'expired' WHERE q.id = r.id RETURNING * INTO r;
        PERFORM hoopguard.say_decided(r);
        numbers := numbers || to_jsonb(r.id);
        entries := entries || hoopguard.entry_of(r, 'decision', 'expired');
    END LOOP;
    SELECT min(q.expires_at) INTO next_at FROM hoopguard.request q
     WHERE q.state IN ('pending', 'approved') AND NOT (q.kind = 'access' AND q.state = 'approved');
    RETURN jsonb_strip_nulls(jsonb_build_object('wake', numbers, 'journal', entries, 'next_ms',
        CASE WHEN next_at IS NOT NULL
             THEN greatest(0, ceil(extract(epoch FROM next_at - clock_timestamp()) * 1000))::bigint END));
END
$$;

-- The approvals that might have been used without the tables knowing, and since when their uses are on record.
CREATE FUNCTION hoopguard.broker_list_unused(letter jsonb) RETURNS jsonb
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('requests', coalesce(jsonb_agg(q.id ORDER BY q.id), '[]'),
                              'since_us', floor(extract(epoch FROM min(q.created_at)) * 1000000)::bigint)
      FROM hoopguard.request q WHERE q.state = 'approved' AND q.kind <> 'access'
$$;

-- Brings the tables to what the journal says of uses; where it could not be read, an approval is not to be trusted.
-- Numbers may come again when a control database is made anew: a use from before the request is of another one.
CREATE FUNCTION hoopguard.broker_replay(letter jsonb) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r hoopguard.request;
    used_us bigint;
    readable boolean := (letter ->> 'readable')::boolean;
    numbers jsonb := '[]';
    entries jsonb := '[]';
BEGIN
    FOR r IN SELECT q.* FROM hoopguard.request q
              WHERE q.state = 'approved' AND q.kind <> 'access' ORDER BY q.id FOR UPDATE LOOP
        SELECT max(u.at_us) INTO used_us
          FROM jsonb_to_recordset(letter -> 'uses') AS u (request bigint, actor text, at_us bigint)
         WHERE u.request = r.id AND u.actor = r.actor
           AND u.at_us >= floor(extract(epoch FROM r.created_at) * 1000000);
        CONTINUE WHEN used_us IS NULL AND readable;
        UPDATE hoopguard.request q
           SET state = CASE WHEN used_us IS NULL THEN 'expired' ELSE 'used' END,
               used_at = timestamptz 'epoch' + used_us * interval '1 microsecond'
         WHERE q.id = r.id RETURNING * INTO r;
        PERFORM hoopguard.say_decided(r);
        numbers := numbers || to_jsonb(r.id);
        IF used_us IS NULL THEN
            entries := entries || hoopguard.entry_of(r, 'decision', 'expired');
        END IF;
    END LOOP;
    RETURN jsonb_build_object('wake', numbers, 'journal', entries);
END
$$;

REVOKE ALL ON FUNCTION hoopguard.person_behind(text, text), hoopguard.persons_of(text, text, text),
    hoopguard.kind_of(jsonb), hoopguard.post_notice(text, jsonb),
    hoopguard.entry_of(hoopguard.request, text, text), hoopguard.deciders(jsonb), hoopguard.say_decided(hoopguard.request), hoopguard.use_request(bigint),
    hoopguard.request_numbered(bigint), hoopguard.require_decider(hoopguard.request, jsonb),
    hoopguard.approval_ends(hoopguard.request, interval), hoopguard.may_see(hoopguard.request, jsonb),
    hoopguard.broker_file(jsonb), hoopguard.broker_claim(jsonb), hoopguard.broker_decide(jsonb),
    hoopguard.broker_cancel(jsonb), hoopguard.broker_look(jsonb), hoopguard.broker_list(jsonb),
    hoopguard.broker_expire(jsonb), hoopguard.broker_list_unused(jsonb), hoopguard.broker_replay(jsonb),
    hoopguard.request_changes() FROM PUBLIC;

--
-- What everybody calls. Each takes effect through the broker when it returns, whatever becomes of the transaction.
--

CREATE FUNCTION hoopguard.approve(request bigint, comment text DEFAULT NULL, duration interval DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_approve';
CREATE FUNCTION hoopguard.reject(request bigint, comment text DEFAULT NULL) RETURNS text
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_reject';
CREATE FUNCTION hoopguard.cancel(request bigint) RETURNS text
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_cancel';
CREATE FUNCTION hoopguard.wait_for_decision(request bigint, timeout interval DEFAULT '5 minutes') RETURNS text
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_wait_for_decision';

-- With the caller's search_path: it is what the script's names mean.
CREATE FUNCTION hoopguard.request_script(script text, reason text) RETURNS bigint
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'hoopguard_request_script';
CREATE FUNCTION hoopguard.run_script(request bigint) RETURNS text
    LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'hoopguard_run_script';
COMMENT ON FUNCTION hoopguard.run_script(bigint) IS
    'runs a script of one''s own that was approved: once, its statements in order, in this transaction';
COMMENT ON FUNCTION hoopguard.request_script(text, text) IS
    'asks for one decision about a whole script; returns the request''s number';

COMMENT ON FUNCTION hoopguard.is_own_request(text, text) IS 'whether a request of that actor is the caller''s own';
COMMENT ON FUNCTION hoopguard.is_masked() IS 'whether a mask may be in force for the caller, in any database';
COMMENT ON FUNCTION hoopguard.requests_json() IS 'the requests that the caller may see, from the control database';
COMMENT ON FUNCTION hoopguard.belongs_to(name, text[]) IS 'whether a role is a member of one of those roles';
COMMENT ON FUNCTION hoopguard.request_changes() IS 'trigger: refuses what no request may become';
COMMENT ON FUNCTION hoopguard.person_behind(text, text) IS 'the person that an actor is another name of';
COMMENT ON FUNCTION hoopguard.persons_of(text, text, text) IS 'everybody whom an actor speaks for';
COMMENT ON FUNCTION hoopguard.kind_of(jsonb) IS 'broker: human, agent or service';
COMMENT ON FUNCTION hoopguard.post_notice(text, jsonb) IS 'broker: has a notice sent, cut to what NOTIFY takes';
COMMENT ON FUNCTION hoopguard.entry_of(hoopguard.request, text, text) IS 'broker: the journal''s entry about a request';
COMMENT ON FUNCTION hoopguard.deciders(jsonb) IS 'the names in a request''s votes';
COMMENT ON FUNCTION hoopguard.say_decided(hoopguard.request) IS 'broker: has the state of a request told';
COMMENT ON FUNCTION hoopguard.use_request(bigint) IS 'broker: spends an approval';
COMMENT ON FUNCTION hoopguard.request_numbered(bigint) IS 'broker: a request by its number';
COMMENT ON FUNCTION hoopguard.require_decider(hoopguard.request, jsonb) IS 'broker: an error for whoever may not decide';
COMMENT ON FUNCTION hoopguard.approval_ends(hoopguard.request, interval) IS 'broker: until when an approval may be used';
COMMENT ON FUNCTION hoopguard.may_see(hoopguard.request, jsonb) IS 'broker: whether somebody may see a request';
COMMENT ON FUNCTION hoopguard.broker_file(jsonb) IS 'broker: files a request, or uses the approval of the same one';
COMMENT ON FUNCTION hoopguard.broker_claim(jsonb) IS 'broker: uses an approval';
COMMENT ON FUNCTION hoopguard.broker_decide(jsonb) IS 'broker: counts a vote';
COMMENT ON FUNCTION hoopguard.broker_cancel(jsonb) IS 'broker: takes a request back';
COMMENT ON FUNCTION hoopguard.broker_look(jsonb) IS 'broker: how a request stands';
COMMENT ON FUNCTION hoopguard.broker_list(jsonb) IS 'broker: the requests that somebody may see';
COMMENT ON FUNCTION hoopguard.broker_expire(jsonb) IS 'broker: lets requests and approvals expire';
COMMENT ON FUNCTION hoopguard.broker_list_unused(jsonb) IS 'broker: the approvals that nobody has used yet';
COMMENT ON FUNCTION hoopguard.broker_replay(jsonb) IS 'broker: after a start, takes from the journal which approvals are used';
COMMENT ON FUNCTION hoopguard.approve(bigint, text, interval) IS 'votes for a request; returns its new state';
COMMENT ON FUNCTION hoopguard.reject(bigint, text) IS 'rejects a request; returns its new state';
COMMENT ON FUNCTION hoopguard.cancel(bigint) IS 'takes back a request of one''s own; returns its new state';
COMMENT ON FUNCTION hoopguard.wait_for_decision(bigint, interval) IS
    'returns a request''s state once it is decided, or pending when the time is over';
