--
-- Usage: which privileges are used, by whom, on what; gathered from the journal, so that it can be gathered again and
-- compared. The tables live in the control database; a worker brings them up to date every minute.
--

CREATE FUNCTION hoopguard.recorded_use(origin text, first_entry bigint, open_entries bigint[], most bigint)
    RETURNS TABLE (what text, provider text, actor text, actor_kind text, login_role text, effective_role text,
                   database text, object text, object_kind text, privilege text, through text, class text,
                   application text, client_addr text, day date, first_used timestamptz, last_used timestamptz,
                   uses bigint, refused bigint, masked bigint, classes text[], next_entry bigint, still_open bigint[])
    LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_recorded_use';
COMMENT ON FUNCTION hoopguard.recorded_use(text, bigint, bigint[], bigint) IS
    'a stretch of one origin''s entries, tallied: rows for usage, usage_day and usage_source, and where to go on';

CREATE FUNCTION hoopguard.usage_origins() RETURNS TABLE (origin text, is_current text)
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_usage_origins';
COMMENT ON FUNCTION hoopguard.usage_origins() IS 'the journal''s origins, the first begun first';

DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        CREATE TABLE hoopguard.usage_progress (
            origin text PRIMARY KEY,
            next_entry bigint NOT NULL,
            open_entries bigint[] NOT NULL DEFAULT '{}',
            complete boolean NOT NULL DEFAULT false,
            gathered_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
        );
        COMMENT ON TABLE hoopguard.usage_progress IS
            'how far usage is gathered: per origin the next entry, and earlier statements that had not ended';
        CREATE TABLE hoopguard.usage (
            provider text NOT NULL DEFAULT '',
            actor text NOT NULL,
            actor_kind text NOT NULL,
            login_role text NOT NULL,
            effective_role text NOT NULL,
            database text NOT NULL,
            object text NOT NULL,
            object_kind text NOT NULL,
            privilege text NOT NULL,
            through text NOT NULL DEFAULT '' CHECK (through IN ('', 'definer', 'view')),
            first_used timestamptz NOT NULL,
            last_used timestamptz NOT NULL,
            uses bigint NOT NULL,
            masked_uses bigint NOT NULL,
            classes text[] NOT NULL,
            PRIMARY KEY (provider, actor, actor_kind, login_role, effective_role, database, object, object_kind,
                         privilege, through)
        );
        CREATE INDEX usage_by_role ON hoopguard.usage (effective_role, last_used);
        COMMENT ON TABLE hoopguard.usage IS
            'which privilege was used on which object, by whom: first, last and how often; gathered from the journal';
        CREATE TABLE hoopguard.usage_day (
            day date NOT NULL,
            provider text NOT NULL DEFAULT '',
            actor text NOT NULL,
            actor_kind text NOT NULL,
            class text NOT NULL,
            statements bigint NOT NULL,
            refused bigint NOT NULL,
            masked bigint NOT NULL,
            PRIMARY KEY (day, provider, actor, actor_kind, class)
        );
        COMMENT ON TABLE hoopguard.usage_day IS
            'statements of each class by day (UTC) and actor; how many were refused, how many gave out masked columns';
        CREATE TABLE hoopguard.usage_source (
            provider text NOT NULL DEFAULT '',
            actor text NOT NULL,
            login_role text NOT NULL,
            application text NOT NULL,
            client_addr text NOT NULL,
            first_used timestamptz NOT NULL,
            last_used timestamptz NOT NULL,
            logins bigint NOT NULL,
            PRIMARY KEY (provider, actor, login_role, application, client_addr)
        );
        COMMENT ON TABLE hoopguard.usage_source IS
            'from where, and by which application, a login role is used; client_addr is empty for local sockets';
        GRANT SELECT ON hoopguard.usage, hoopguard.usage_day, hoopguard.usage_source, hoopguard.usage_progress
            TO hoopguard_admin, hoopguard_auditor;
    END IF;
END
$$;

CREATE FUNCTION hoopguard.require_usage() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('hoopguard.usage') IS NULL THEN
        RAISE EXCEPTION 'usage is kept in database "%"', current_setting('hoopguard.database')
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Connect to that database.';
    END IF;
END
$$;
COMMENT ON FUNCTION hoopguard.require_usage() IS 'refuses outside of the control database';

-- One origin, from where the last reading stopped. The rows and the progress are one statement: both are there, or
-- neither is.
CREATE FUNCTION hoopguard.gather_origin(of_origin text, current_one boolean, most bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    from_entry bigint := 0;
    from_open bigint[] := '{}';
    entries bigint;
BEGIN
    SELECT p.next_entry, p.open_entries INTO from_entry, from_open
      FROM hoopguard.usage_progress p WHERE p.origin = of_origin;
    WITH recorded AS MATERIALIZED (
        SELECT * FROM hoopguard.recorded_use(of_origin, coalesce(from_entry, 0), coalesce(from_open, '{}'), most)
    ), uses AS (
        INSERT INTO hoopguard.usage AS u
        SELECT r.provider, r.actor, r.actor_kind, r.login_role, r.effective_role, r.database, r.object, r.object_kind,
               r.privilege, r.through, r.first_used, r.last_used, r.uses, r.masked, r.classes
          FROM recorded r WHERE r.what = 'use'
        ON CONFLICT (provider, actor, actor_kind, login_role, effective_role, database, object, object_kind, privilege,
                     through)
        DO UPDATE SET first_used = least(u.first_used, EXCLUDED.first_used),
                      last_used = greatest(u.last_used, EXCLUDED.last_used),
                      uses = u.uses + EXCLUDED.uses, masked_uses = u.masked_uses + EXCLUDED.masked_uses,
                      classes = CASE WHEN u.classes @> EXCLUDED.classes THEN u.classes
                                     ELSE (SELECT array_agg(DISTINCT c ORDER BY c)
                                             FROM unnest(u.classes || EXCLUDED.classes) c) END
    ), days AS (
        INSERT INTO hoopguard.usage_day AS d
        SELECT r.day, r.provider, r.actor, r.actor_kind, r.class, r.uses, r.refused, r.masked
          FROM recorded r WHERE r.what = 'day'
        ON CONFLICT (day, provider, actor, actor_kind, class)
        DO UPDATE SET statements = d.statements + EXCLUDED.statements, refused = d.refused + EXCLUDED.refused,
                      masked = d.masked + EXCLUDED.masked
    ), sources AS (
        INSERT INTO hoopguard.usage_source AS s
        SELECT r.provider, r.actor, r.login_role, r.application, r.client_addr, r.first_used, r.last_used, r.uses
          FROM recorded r WHERE r.what = 'source'
        ON CONFLICT (provider, actor, login_role, application, client_addr)
        DO UPDATE SET first_used = least(s.first_used, EXCLUDED.first_used),
                      last_used = greatest(s.last_used, EXCLUDED.last_used), logins = s.logins + EXCLUDED.logins
    ), progress AS (
        INSERT INTO hoopguard.usage_progress AS p (origin, next_entry, open_entries, complete)
        SELECT of_origin, r.next_entry, r.still_open, NOT current_one AND r.uses < most
          FROM recorded r WHERE r.what = 'progress'
        ON CONFLICT (origin)
        DO UPDATE SET next_entry = EXCLUDED.next_entry, open_entries = EXCLUDED.open_entries,
                      complete = EXCLUDED.complete, gathered_at = clock_timestamp()
    )
    SELECT r.uses INTO STRICT entries FROM recorded r WHERE r.what = 'progress';
    RETURN entries;
END
$$;
COMMENT ON FUNCTION hoopguard.gather_origin(text, boolean, bigint) IS 'the part of gather_usage() that reads one origin';

CREATE FUNCTION hoopguard.gather_usage(most bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
    entries bigint := 0;
BEGIN
    IF most IS NULL OR most < 1 THEN
        RAISE EXCEPTION 'invalid value for parameter "most": %', coalesce(most::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a number of entries, 1 or more.';
    END IF;
    PERFORM hoopguard.require_usage();
    -- A standby cannot write; what it recorded itself stays in its own journal.
    IF pg_is_in_recovery() THEN
        RETURN 0;
    END IF;
    -- One at a time; whoever reads the tables is not held up.
    LOCK TABLE hoopguard.usage_progress IN SHARE ROW EXCLUSIVE MODE;
    FOR one IN SELECT o.origin, o.is_current::boolean AS is_current FROM hoopguard.usage_origins() o
                WHERE NOT EXISTS (SELECT FROM hoopguard.usage_progress p WHERE p.origin = o.origin AND p.complete) LOOP
        EXIT WHEN entries >= most;
        entries := entries + hoopguard.gather_origin(one.origin, one.is_current, most - entries);
    END LOOP;
    RETURN entries;
END
$$;
COMMENT ON FUNCTION hoopguard.gather_usage(bigint) IS
    'brings usage up to date by at most so many entries of the journal; returns how many it read';

CREATE FUNCTION hoopguard.gather_usage() RETURNS bigint
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS 'SELECT hoopguard.gather_usage(9223372036854775807)';
COMMENT ON FUNCTION hoopguard.gather_usage() IS
    'brings usage up to date with the journal, in one transaction; returns how many entries it read';

CREATE FUNCTION hoopguard.rebuild_usage() RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hoopguard.require_usage();
    IF EXISTS (SELECT FROM hoopguard.journal_segment GROUP BY origin HAVING min(first_entry) > 0) THEN
        RAISE WARNING 'the oldest segments of the journal have been removed'
            USING DETAIL = 'Use that is older than what the journal holds is forgotten.';
    END IF;
    TRUNCATE hoopguard.usage_progress, hoopguard.usage, hoopguard.usage_day, hoopguard.usage_source;
    RETURN hoopguard.gather_usage();
END
$$;
COMMENT ON FUNCTION hoopguard.rebuild_usage() IS
    'gathers usage anew from all that the journal holds; returns how many entries it read';

REVOKE ALL ON FUNCTION hoopguard.recorded_use(text, bigint, bigint[], bigint), hoopguard.usage_origins(),
    hoopguard.require_usage(), hoopguard.gather_origin(text, boolean, bigint), hoopguard.gather_usage(bigint),
    hoopguard.gather_usage(), hoopguard.rebuild_usage() FROM PUBLIC;

-- Another database, from here. For hoopguard's own functions, which run as its owner: the work is done as that role,
-- and is on record there with the name of whoever asked.
CREATE FUNCTION hoopguard.in_database(database text, statement text, read_only boolean DEFAULT true) RETURNS jsonb
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_in_database';
COMMENT ON FUNCTION hoopguard.in_database(text, text, boolean) IS
    'runs one statement in another database of the cluster, in a transaction of its own; a query''s rows as JSON';
REVOKE ALL ON FUNCTION hoopguard.in_database(text, text, boolean) FROM PUBLIC;

CREATE FUNCTION hoopguard.right_size(role text, since interval DEFAULT '90 days') RETURNS SETOF text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
    at_database text;
    -- A name as it is written after GRANT ... ON.
    kinds constant jsonb := '{"table": "TABLE", "view": "TABLE", "materialized_view": "TABLE", "foreign_table": "TABLE",
        "sequence": "SEQUENCE", "function": "FUNCTION", "aggregate": "FUNCTION", "procedure": "PROCEDURE",
        "schema": "SCHEMA", "database": "DATABASE", "language": "LANGUAGE"}';
    from_time timestamptz;
BEGIN
    PERFORM hoopguard.require_usage();
    IF role IS NULL OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = right_size.role) THEN
        RAISE EXCEPTION 'role "%" does not exist', coalesce(role, 'NULL') USING ERRCODE = 'undefined_object',
            HINT = 'Name a database role; what a token''s subject did is counted for the role that it was mapped to.';
    END IF;
    IF since IS NULL OR since <= interval '0' THEN
        RAISE EXCEPTION 'invalid value for parameter "since": %', coalesce(since::text, 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a positive interval, as ''90 days''.';
    END IF;
    from_time := now() - since;
    RETURN NEXT format('-- What role %I has used since %s, as far as the journal was gathered by %s.', role,
        to_char(from_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'),
        coalesce((SELECT to_char(max(gathered_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') FROM hoopguard.usage_progress), 'nobody'));
    RETURN NEXT '-- These grants cover it. Read them, take away what the role holds beyond, and run them with psql.';
    FOR one IN
        SELECT u.effective_role AS other, max(u.last_used) AS last FROM hoopguard.usage u
         WHERE u.login_role = role AND u.effective_role <> role AND u.through = '' AND u.last_used >= from_time
         GROUP BY 1 ORDER BY 1 LOOP
        RETURN NEXT format('GRANT %I TO %I; -- used by SET ROLE, the last time %s', one.other, role,
            to_char(one.last AT TIME ZONE 'UTC', 'YYYY-MM-DD'));
    END LOOP;
    FOR one IN
        SELECT u.database, u.object, u.object_kind,
               array_agg(DISTINCT u.privilege ORDER BY u.privilege) FILTER (WHERE u.privilege <> 'OWNERSHIP') AS privileges,
               bool_or(u.privilege = 'OWNERSHIP') AS owned
          FROM hoopguard.usage u
         WHERE u.effective_role = role AND u.last_used >= from_time
           AND NOT hoopguard.is_open_to_all(u.object, u.object_kind, u.privilege)
         GROUP BY 1, 2, 3
         ORDER BY 1, array_position('{database,schema}', u.object_kind), 2, 3 LOOP
        IF at_database IS DISTINCT FROM one.database THEN
            at_database := one.database;
            RETURN NEXT '';
            RETURN NEXT format('-- database: %s', regexp_replace(at_database, '[\r\n]', ' ', 'g'));
            RETURN NEXT format('\connect %I', at_database);
        END IF;
        IF one.owned THEN
            RETURN NEXT format('-- %s %s was changed as its owner does: no grant covers that.', one.object_kind,
                regexp_replace(one.object, '[\r\n]', ' ', 'g'));
        END IF;
        IF one.privileges IS NOT NULL AND kinds ? one.object_kind THEN
            RETURN NEXT format('GRANT %s ON %s %s TO %I;', array_to_string(one.privileges, ', '),
                kinds ->> one.object_kind, one.object, role);
        ELSIF one.privileges IS NOT NULL THEN
            RETURN NEXT format('-- %s %s: %s', one.object_kind, one.object, array_to_string(one.privileges, ', '));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION hoopguard.right_size(text, interval) IS
    'the grants that cover what a role has used, as a script to read and to run with psql';

-- What comes with every server is open to all, unless an administrator closed it; it is the same in every database.
CREATE FUNCTION hoopguard.is_open_to_all(object text, object_kind text, privilege text) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF object IN ('pg_catalog', 'information_schema') AND object_kind = 'schema' THEN
        RETURN true;
    ELSIF object !~ '^(pg_catalog|information_schema)\.' OR privilege = 'OWNERSHIP' THEN
        RETURN false;
    ELSIF object_kind IN ('table', 'view') THEN
        RETURN EXISTS (SELECT FROM pg_class c, aclexplode(c.relacl) a
                        WHERE c.oid = to_regclass(object) AND a.grantee = 0 AND a.privilege_type = privilege);
    ELSIF object_kind IN ('function', 'aggregate', 'procedure') THEN
        RETURN EXISTS (SELECT FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                        WHERE p.oid = to_regprocedure(object) AND a.grantee = 0);
    END IF;
    RETURN false;
END
$$;
COMMENT ON FUNCTION hoopguard.is_open_to_all(text, text, text) IS 'whether PUBLIC has this privilege on an object of the system';
REVOKE ALL ON FUNCTION hoopguard.right_size(text, interval), hoopguard.is_open_to_all(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.right_size(text, interval), hoopguard.is_open_to_all(text, text, text), hoopguard.require_usage()
    TO hoopguard_admin, hoopguard_auditor;
