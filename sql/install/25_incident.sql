--
-- Incidents: an actor is locked out, a session is ended.
--

CREATE FUNCTION hoopguard.check_locked_actor() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_check_locked_actor';
COMMENT ON FUNCTION hoopguard.check_locked_actor() IS 'trigger: refuses a lock without a name or a reason';

CREATE FUNCTION hoopguard.locked_actor_in_force(
    OUT name text, OUT reason text, OUT until timestamptz, OUT owned boolean, OUT locked_by text,
    OUT locked_at timestamptz) RETURNS SETOF record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_locked_actor_in_force';
COMMENT ON FUNCTION hoopguard.locked_actor_in_force() IS 'the locks that hold at this moment';

SELECT hoopguard.make_policy('locked_actor', $$
    name text PRIMARY KEY,
    reason text NOT NULL,
    until timestamptz,
    owned boolean NOT NULL DEFAULT true,
    locked_by text NOT NULL DEFAULT session_user,
    locked_at timestamptz NOT NULL DEFAULT pg_catalog.now()$$,
    'who is locked out; lock_actor() and unlock_actor() write it');

CREATE VIEW hoopguard.actor_lock AS
    WITH RECURSIVE owned (lock, name) AS (
        SELECT l.name, a.name FROM hoopguard.locked_actor l JOIN hoopguard.actor a ON a.owner = l.name AND l.owned
        UNION
        SELECT o.lock, a.name FROM owned o JOIN hoopguard.actor a ON a.owner = o.name
    )
    SELECT l.name, l.reason, l.locked_at AS since, l.until, l.owned, l.locked_by,
           (SELECT pg_catalog.array_agg(DISTINCT o.name ORDER BY o.name) FROM owned o WHERE o.lock = l.name) AS agents
      FROM hoopguard.locked_actor l
     WHERE l.until IS NULL OR l.until > pg_catalog.now();
COMMENT ON VIEW hoopguard.actor_lock IS 'the locks that hold now, and the agents that they hold for too';

GRANT SELECT ON hoopguard.actor_lock TO hoopguard_admin, hoopguard_approver, hoopguard_auditor;

-- With its owner's rights: who may not read pg_stat_activity whole sees no starting time there.
CREATE FUNCTION hoopguard.live_session(
    OUT session_id text, OUT pid integer, OUT login_role text, OUT database text, OUT application_name text,
    OUT client_addr text) RETURNS SETOF record
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT to_hex(floor(extract(epoch FROM a.backend_start))::bigint) || '.' || to_hex(a.pid), a.pid, a.usename::text,
           a.datname::text, a.application_name, host(a.client_addr)
      FROM pg_stat_activity a
     WHERE a.backend_type IN ('client backend', 'walsender')
$$;
COMMENT ON FUNCTION hoopguard.live_session() IS 'the sessions of clients that are connected to this node';

CREATE FUNCTION hoopguard.end_session(session_id text, reason text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_pid integer;
BEGIN
    IF coalesce(btrim(end_session.reason), '') = '' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "reason": %L', end_session.reason),
            HINT = 'Allowed: why the session is ended, in a few words; it stays on record.';
    END IF;
    SELECT l.pid INTO found_pid FROM hoopguard.live_session() l WHERE l.session_id = end_session.session_id;
    IF found_pid IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "session_id": %L', end_session.session_id),
            DETAIL = 'No client of this node has that session.',
            HINT = 'Allowed: a session_id of hoopguard.session with state "open", on the node it runs on.';
    END IF;
    RETURN pg_terminate_backend(found_pid);
END
$$;
COMMENT ON FUNCTION hoopguard.end_session(text, text) IS
    'ends a session of this node; the call, with its reason, is on record';

-- What a lock of `name` holds for: the actor itself and, unless owned is false, the agents below it.
CREATE FUNCTION hoopguard.held_by_lock(name text, owned boolean) RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE held (name) AS (
        SELECT $1
        UNION
        SELECT a.name FROM held h JOIN hoopguard.actor a ON a.owner = h.name WHERE $2
    )
    SELECT name FROM held
$$;
COMMENT ON FUNCTION hoopguard.held_by_lock(text, boolean) IS 'the actors that a lock of this name concerns';

CREATE FUNCTION hoopguard.check_lock(name text, reason text, until timestamptz, owned boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = 'an actor cannot be locked on a standby',
            HINT = 'Lock it on the primary: standbys follow. end_session() ends a session of this node.';
    END IF;
    IF coalesce(check_lock.name, '') = '' OR check_lock.name LIKE 'group:%' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "name": %L', check_lock.name),
            HINT = 'Allowed: the name of one actor, a role or a subject of an identity provider.';
    END IF;
    IF coalesce(btrim(check_lock.reason), '') = '' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "reason": %L', check_lock.reason),
            HINT = 'Allowed: why the actor is locked, in a few words; it stays on record.';
    END IF;
    IF check_lock.until <= now() THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "until": %L', check_lock.until),
            HINT = 'Allowed: a time to come, or NULL for a lock that ends by unlock_actor() alone.';
    END IF;
    IF check_lock.owned IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'invalid value for argument "owned": NULL', HINT = 'Allowed: true, false.';
    END IF;
    -- Somebody must be able to undo it.
    IF NOT EXISTS (
        SELECT FROM pg_roles r
         WHERE r.rolsuper AND r.rolcanlogin
           AND NOT EXISTS (SELECT FROM hoopguard.held_by_lock(check_lock.name, check_lock.owned) h
                            WHERE h = r.rolname)
           AND NOT EXISTS (SELECT FROM hoopguard.actor_lock l WHERE l.name = r.rolname OR r.rolname = ANY (l.agents)))
    THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('locking "%s" would leave no superuser who can log in', check_lock.name),
            HINT = 'Keep one superuser that nobody uses day by day, and lock from there.';
    END IF;
END
$$;
COMMENT ON FUNCTION hoopguard.check_lock(text, text, timestamptz, boolean) IS 'refuses locks that cannot be meant';

-- With its owner's rights: memberships are taken back, and requests are the broker's.
CREATE FUNCTION hoopguard.strip_actors(names text[], reason text) RETURNS TABLE (what text, detail text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT g.id, g.actor FROM hoopguard.jit_grant g
                WHERE g.state = 'active' AND (g.actor = ANY ($1) OR g.member = ANY ($1)) ORDER BY g.id LOOP
        IF hoopguard.end_grant(one.id, 'revoked', session_user, $2) THEN
            RETURN QUERY SELECT 'grant', format('%s of %s is revoked', one.id, one.actor);
        END IF;
    END LOOP;
    RETURN QUERY
        UPDATE hoopguard.request r
           SET state = CASE r.state WHEN 'pending' THEN 'cancelled' ELSE 'expired' END
         WHERE (r.actor = ANY ($1) OR r.login_role = ANY ($1))
           AND (r.state = 'pending' OR r.state = 'approved' AND r.kind <> 'access')
        RETURNING 'request', format('%s of %s is %s', r.id, r.actor, r.state);
END
$$;
COMMENT ON FUNCTION hoopguard.strip_actors(text[], text) IS
    'takes grants and requests from actors that are locked';

CREATE FUNCTION hoopguard.lock_actor(name text, reason text, until timestamptz DEFAULT NULL,
                                     owned boolean DEFAULT true)
    RETURNS TABLE (what text, detail text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held text[];
BEGIN
    PERFORM hoopguard.require_control_database();
    PERFORM hoopguard.check_lock(lock_actor.name, lock_actor.reason, lock_actor.until, lock_actor.owned);
    held := ARRAY(SELECT h FROM hoopguard.held_by_lock(lock_actor.name, lock_actor.owned) h);
    INSERT INTO hoopguard.locked_actor AS l (name, reason, until, owned)
        VALUES (lock_actor.name, lock_actor.reason, nullif(lock_actor.until, 'infinity'), lock_actor.owned)
        ON CONFLICT ON CONSTRAINT locked_actor_pkey DO UPDATE
        SET (reason, until, owned, locked_by, locked_at) =
            (EXCLUDED.reason, EXCLUDED.until, EXCLUDED.owned, EXCLUDED.locked_by, EXCLUDED.locked_at);

    IF session_user = ANY (held) THEN
        RAISE WARNING 'you have locked yourself out' USING
            -- Called from another database, this is a worker, whose transaction the caller cannot roll back.
            HINT = CASE WHEN (SELECT a.backend_type FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()) = 'client backend'
                        THEN 'This session ends when the transaction commits; ROLLBACK undoes the lock.'
                        ELSE 'Your sessions end now; somebody else has to call unlock_actor().' END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles r WHERE r.rolsuper AND r.rolname = ANY (held)) THEN
        RAISE WARNING 'a superuser is locked' USING
            DETAIL = 'Whoever has a shell on the server as its user can start the server without hoopguard.',
            HINT = 'Take away the access to the machine too.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = lock_actor.name)
       AND NOT EXISTS (SELECT FROM hoopguard.actor a WHERE a.name = lock_actor.name) THEN
        RAISE WARNING 'no role and no registered actor has the name "%"', lock_actor.name USING
            HINT = 'The lock holds for subjects of identity providers that have this very name.';
    END IF;

    RETURN QUERY SELECT 'actor', format('%s is locked %s', lock_actor.name,
                                        coalesce('until ' || nullif(lock_actor.until, 'infinity'),
                                                 'until unlock_actor()'));
    RETURN QUERY SELECT 'agent', format('%s is locked with its owner', h) FROM unnest(held) h
                  WHERE h <> lock_actor.name ORDER BY h;
    RETURN QUERY SELECT * FROM hoopguard.strip_actors(held, lock_actor.reason);
    RETURN QUERY SELECT 'session', format('%s of %s in %s ends', l.session_id, l.login_role, l.database)
                   FROM hoopguard.live_session() l WHERE l.login_role = ANY (held) ORDER BY l.session_id;
END
$$;
COMMENT ON FUNCTION hoopguard.lock_actor(text, text, timestamptz, boolean) IS
    'locks an actor out, with the agents it owns: no login, no statement, its sessions end, on standbys too';

CREATE FUNCTION hoopguard.unlock_actor(name text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hoopguard.require_control_database();
    DELETE FROM hoopguard.locked_actor l WHERE l.name = unlock_actor.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'actor "%" is not locked', unlock_actor.name
            USING ERRCODE = 'undefined_object',
                  HINT = 'hoopguard.actor_lock has the locks; an agent may be locked with its owner.';
    END IF;
END
$$;
COMMENT ON FUNCTION hoopguard.unlock_actor(text) IS 'takes the lock of an actor away';

REVOKE ALL ON FUNCTION hoopguard.live_session(),
    hoopguard.end_session(text, text), hoopguard.held_by_lock(text, boolean),
    hoopguard.check_lock(text, text, timestamptz, boolean), hoopguard.strip_actors(text[], text),
    hoopguard.lock_actor(text, text, timestamptz, boolean), hoopguard.unlock_actor(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.live_session()
    TO hoopguard_admin, hoopguard_approver, hoopguard_auditor;
GRANT EXECUTE ON FUNCTION hoopguard.end_session(text, text), hoopguard.held_by_lock(text, boolean),
    hoopguard.check_lock(text, text, timestamptz, boolean), hoopguard.strip_actors(text[], text),
    hoopguard.lock_actor(text, text, timestamptz, boolean), hoopguard.unlock_actor(text) TO hoopguard_admin;
