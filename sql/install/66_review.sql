--
-- Access reviews: what is to be decided, by whom, until when; and that what is decided is done.
--

DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        CREATE TABLE hoopguard.review (
            name text PRIMARY KEY,
            series text NOT NULL,
            state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'due', 'closed')),
            due timestamptz NOT NULL,
            roles text[],
            on_due text NOT NULL CHECK (on_due IN ('report', 'revoke')),
            every interval,
            opened_by text NOT NULL,
            opened_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
            reminded_at timestamptz,
            followed_by text,
            closed_by text,
            closed_at timestamptz,
            CHECK ((state = 'closed') = (closed_at IS NOT NULL))
        );
        CREATE TABLE hoopguard.review_item (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            review text NOT NULL REFERENCES hoopguard.review ON DELETE CASCADE,
            provider text,
            actor text NOT NULL,
            kind text NOT NULL,
            owner text,
            database text,
            object_kind text NOT NULL,
            object text NOT NULL,
            privilege text NOT NULL,
            source text NOT NULL,
            grantable boolean NOT NULL,
            last_used timestamptz,
            uses bigint,
            risk text NOT NULL,
            why text NOT NULL,
            reviewer text NOT NULL,
            revoke_statement text,
            note text,
            decision text CHECK (decision IN ('keep', 'revoke')),
            comment text,
            decided_by text,
            decided_at timestamptz,
            outcome text,
            -- Whether the due date may decide it; the catalog row that it is about, whatever that is called by then.
            automatic boolean NOT NULL,
            catalog text NOT NULL,
            objid oid,
            objsubid integer,
            grantee oid,
            grantor oid,
            grant_id bigint,
            CHECK ((decision IS NULL) = (decided_at IS NULL))
        );
        CREATE INDEX review_item_review ON hoopguard.review_item (review, id);
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.review', '');
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.review_item', '');
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.review_item_id_seq', '');
        ALTER TABLE hoopguard.review_item ENABLE ROW LEVEL SECURITY;
        CREATE POLICY officers ON hoopguard.review_item FOR SELECT TO hoopguard_admin, hoopguard_auditor USING (true);
        CREATE POLICY reviewers ON hoopguard.review_item FOR SELECT
            USING (reviewer = hoopguard.current_actor() OR hoopguard.belongs_to(current_user, ARRAY[reviewer]));
        COMMENT ON TABLE hoopguard.review IS 'access reviews: due when, of which roles, and what becomes of what nobody decided';
        COMMENT ON TABLE hoopguard.review_item IS
            'what reviewers decide about: a privilege, the statement that takes it away, and what was decided; each sees his own';
        GRANT SELECT ON hoopguard.review TO hoopguard_admin, hoopguard_auditor;
        GRANT SELECT ON hoopguard.review_item TO PUBLIC;
    ELSE
        CREATE VIEW hoopguard.review AS
            SELECT * FROM jsonb_to_recordset(hoopguard.control_rows('review')) AS r (
                name text, series text, state text, due timestamptz, roles text[], on_due text, every interval,
                opened_by text, opened_at timestamptz, reminded_at timestamptz, followed_by text, closed_by text, closed_at timestamptz);
        CREATE VIEW hoopguard.review_item AS
            SELECT * FROM jsonb_to_recordset(hoopguard.control_rows('review_item')) AS r (
                id bigint, review text, provider text, actor text, kind text, owner text, database text, object_kind text,
                object text, privilege text, source text, grantable boolean, last_used timestamptz, uses bigint, risk text,
                why text, reviewer text, revoke_statement text, note text, decision text, comment text, decided_by text,
                decided_at timestamptz, outcome text, automatic boolean, catalog text, objid oid, objsubid integer,
                grantee oid, grantor oid, grant_id bigint);
        CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON hoopguard.review
            FOR EACH ROW EXECUTE FUNCTION hoopguard.refuse_policy_write();
        CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON hoopguard.review_item
            FOR EACH ROW EXECUTE FUNCTION hoopguard.refuse_policy_write();
        COMMENT ON VIEW hoopguard.review IS 'the access reviews of the control database';
        COMMENT ON VIEW hoopguard.review_item IS 'the items of access reviews, in the control database';
        GRANT SELECT ON hoopguard.review, hoopguard.review_item TO hoopguard_admin, hoopguard_auditor;
    END IF;
END
$$;

-- The statement that takes a privilege on an object away. Who is a superuser revokes as the object's owner does; what
-- another granted is revoked as that one, which GRANTED BY says.
CREATE FUNCTION hoopguard.revoke_statement(object_kind text, object text, relation text, schema text, privilege text,
                                           owner oid, grantee oid, grantor oid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE object_kind
               WHEN 'default privileges' THEN
                   format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE %s ON %s FROM ', pg_get_userbyid(owner),
                          ' IN SCHEMA ' || schema, privilege, split_part(object, ' of ', 1))
               WHEN 'column' THEN
                   format('REVOKE %s (%s) ON TABLE %s FROM ', privilege, substr(object, length(relation) + 2), relation)
               ELSE format('REVOKE %s ON %s %s FROM ', privilege,
                           CASE WHEN object_kind IN ('view', 'materialized view', 'foreign table') THEN 'TABLE'
                                WHEN object_kind = 'foreign-data wrapper' THEN 'FOREIGN DATA WRAPPER'
                                ELSE upper(object_kind) END, object) END
           || CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
           || CASE WHEN grantor <> owner THEN format(' GRANTED BY %I', pg_get_userbyid(grantor)) ELSE '' END
$$;
COMMENT ON FUNCTION hoopguard.revoke_statement(text, text, text, text, text, oid, oid, oid) IS
    'the statement that takes a privilege on an object away';

-- Whether what an item is about is still there: a query for the item's database, which gives true or false.
CREATE FUNCTION hoopguard.query_whether_held(item hoopguard.review_item) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE item.catalog
        WHEN 'pg_auth_members' THEN format(
            'SELECT EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = %s AND m.member = %s AND m.grantor = %s) AS held',
            item.objid, item.grantee, item.grantor)
        WHEN 'pg_authid' THEN format(
            'SELECT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = %s AND r.%I) AS held', item.objid,
            CASE item.privilege WHEN 'SUPERUSER' THEN 'rolsuper' WHEN 'REPLICATION' THEN 'rolreplication'
                                ELSE 'rol' || lower(item.privilege) END)
        WHEN 'jit_grant' THEN format(
            'SELECT EXISTS (SELECT FROM hoopguard.jit_grant g WHERE g.id = %s AND g.state = ''active'') AS held', item.grant_id)
        WHEN 'role_map' THEN format(
            'SELECT EXISTS (SELECT FROM hoopguard.role_map m WHERE m.provider = %L AND %L = '
            'coalesce(''group:'' || m.group_name, ''claims:'' || m.claims)) AS held', item.provider, item.actor)
        ELSE (SELECT format(
            'SELECT EXISTS (SELECT FROM pg_catalog.%I o CROSS JOIN LATERAL pg_catalog.aclexplode('
            'coalesce(o.%I, pg_catalog.acldefault(%L, o.%I))) a WHERE o.%I = %s%s AND a.grantee = %s AND a.grantor = %s '
            'AND a.privilege_type = %L) AS held', item.catalog, k.acl, k.letter, k.owner, k.key, item.objid,
            CASE WHEN item.catalog = 'pg_attribute' THEN format(' AND o.attnum = %s', item.objsubid) END,
            item.grantee, item.grantor, item.privilege)
              FROM (VALUES ('pg_class', 'relacl', CASE item.object_kind WHEN 'sequence' THEN 's' ELSE 'r' END, 'relowner', 'oid'),
                           ('pg_attribute', 'attacl', 'c', 'attrelid', 'attrelid'), ('pg_proc', 'proacl', 'f', 'proowner', 'oid'),
                           ('pg_namespace', 'nspacl', 'n', 'nspowner', 'oid'), ('pg_type', 'typacl', 'T', 'typowner', 'oid'),
                           ('pg_language', 'lanacl', 'l', 'lanowner', 'oid'), ('pg_database', 'datacl', 'd', 'datdba', 'oid'),
                           ('pg_tablespace', 'spcacl', 't', 'spcowner', 'oid'),
                           ('pg_foreign_data_wrapper', 'fdwacl', 'F', 'fdwowner', 'oid'),
                           ('pg_foreign_server', 'srvacl', 'S', 'srvowner', 'oid'),
                           ('pg_largeobject_metadata', 'lomacl', 'L', 'lomowner', 'oid'),
                           ('pg_parameter_acl', 'paracl', 'p', 'oid', 'oid'),
                           ('pg_default_acl', 'defaclacl', 'c', 'defaclrole', 'oid')) AS k (catalog, acl, letter, owner, key)
             WHERE k.catalog = item.catalog) END
$$;
COMMENT ON FUNCTION hoopguard.query_whether_held(hoopguard.review_item) IS
    'a query that tells whether what an item is about is still there';

-- Does what an item says, where it says, and makes sure that it is done. An error leaves everything as it was.
CREATE FUNCTION hoopguard.carry_out(item hoopguard.review_item) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    question text := hoopguard.query_whether_held(item);
    shared boolean := item.catalog IN ('pg_auth_members', 'pg_authid', 'jit_grant', 'role_map', 'pg_database',
                                       'pg_tablespace', 'pg_parameter_acl');
    elsewhere boolean := NOT shared AND item.database <> current_database();
    granted_by text := CASE WHEN item.revoke_statement LIKE 'REVOKE % GRANTED BY %' AND item.catalog <> 'pg_auth_members'
                            THEN pg_get_userbyid(item.grantor) END;
    by_broker boolean := item.catalog = 'jit_grant';
    held boolean;
BEGIN
    IF item.revoke_statement IS NULL THEN
        RAISE EXCEPTION 'item % cannot be revoked by a statement', item.id
            USING ERRCODE = 'feature_not_supported', HINT = item.note;
    END IF;
    IF NOT elsewhere THEN
        EXECUTE question INTO held;
    ELSE
        held := (hoopguard.in_database(item.database, question) -> 0 ->> 'held')::boolean;
    END IF;
    IF NOT held THEN
        RETURN 'it was gone already';
    END IF;
    BEGIN
        IF NOT elsewhere AND granted_by IS NULL AND NOT by_broker THEN
            EXECUTE item.revoke_statement;
            EXECUTE question INTO held;
            IF held THEN
                RAISE EXCEPTION 'the statement took nothing away' USING ERRCODE = 'object_not_in_prerequisite_state';
            END IF;
        ELSE
            -- In a transaction of its own, with the same care: elsewhere; as somebody else; what the broker commits.
            PERFORM hoopguard.in_database(
                CASE WHEN shared THEN current_database() ELSE item.database END, format(
                'DO $carry$ BEGIN %s EXECUTE %L; IF (%s) THEN RAISE object_not_in_prerequisite_state '
                'USING MESSAGE = ''the statement took nothing away''; END IF; END $carry$',
                'SET LOCAL ROLE ' || quote_ident(granted_by) || ';', item.revoke_statement, question), false);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE EXCEPTION 'item % is not revoked: %', item.id, SQLERRM USING ERRCODE = SQLSTATE, DETAIL = item.revoke_statement,
            HINT = CASE SQLSTATE WHEN '2BP01' THEN 'It was passed on. Revoke first what depends on it.'
                                 WHEN '55000' THEN 'What it names may have been renamed: open another review.'
                                 ELSE 'The item stays undecided.' END;
    END;
    RETURN 'revoked';
END
$$;
COMMENT ON FUNCTION hoopguard.carry_out(hoopguard.review_item) IS 'takes away what an item is about, by its statement';

-- Who decides about an actor: its owner if he is a person who is still here, otherwise the auditors.
CREATE FUNCTION hoopguard.reviewer_for(actor text, owner text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN owner IS NOT NULL AND owner <> actor AND hoopguard.why_gone(owner) IS NULL THEN owner
                ELSE 'hoopguard_auditor' END
$$;
COMMENT ON FUNCTION hoopguard.reviewer_for(text, text) IS 'who is asked about an actor''s access';

-- Why somebody who is named as an owner is not one any more; NULL: he is.
CREATE FUNCTION hoopguard.why_gone(name text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM hoopguard.actor_lock l WHERE l.name = $1) THEN 'is locked'
        WHEN EXISTS (SELECT FROM hoopguard.actor a WHERE a.name = $1 AND a.expires_at <= now()) THEN 'has expired'
        WHEN EXISTS (SELECT FROM hoopguard.actor a WHERE a.name = $1 AND a.kind <> 'human') THEN 'is not a person'
        WHEN EXISTS (SELECT FROM pg_roles r WHERE r.rolname = $1 AND r.rolvaliduntil <= now()) THEN 'has a password that expired'
        WHEN EXISTS (SELECT FROM hoopguard.actor a WHERE a.name = $1)
             OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = $1) THEN NULL
        ELSE 'is neither a role nor a known actor' END
$$;
COMMENT ON FUNCTION hoopguard.why_gone(text) IS 'why somebody is no owner any more, or NULL';

-- The items of a review, as access has them now.
CREATE FUNCTION hoopguard.add_items(review hoopguard.review) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    added bigint;
BEGIN
    WITH held AS MATERIALIZED (
        SELECT r.*, coalesce(r.role = 10, false) AS bootstrap FROM hoopguard.access_given r
         WHERE (r.source IN ('direct', 'owner') OR r.source = 'public' AND r.actor = 'PUBLIC')
           AND CASE WHEN review.roles IS NULL THEN r.kind <> 'predefined' ELSE r.actor = ANY (review.roles) END
    ), item AS (
        -- Privileges on objects. What everybody has from the start is no decision of anybody's.
        SELECT h.provider, h.actor, h.kind, h.owner, h.database, h.object_kind, h.object, h.privilege, h.source, h.grantable,
               h.last_used, h.uses, h.risk, h.why,
               hoopguard.revoke_statement(h.object_kind, h.object, h.relation, h.schema, h.privilege, h.object_owner,
                                          h.grantee, h.grantor) AS revoke_statement,
               CASE WHEN h.source = 'public' THEN 'Revoking takes it from everybody who has it in no other way.' END AS note,
               h.source <> 'public' AS automatic, h.catalog, h.objid, h.objsubid, h.grantee, h.grantor, NULL::bigint AS grant_id
          FROM held h
         WHERE h.catalog NOT IN ('pg_auth_members', 'pg_authid', 'role_map') AND h.source <> 'owner' AND h.grantor IS NOT NULL
           AND NOT (h.source = 'public' AND (h.object_kind IN ('function', 'procedure', 'type', 'domain', 'language', 'database')
                                             OR h.object_kind = 'schema' AND h.object = 'public' AND h.privilege = 'USAGE'))
        UNION ALL
        -- Memberships, each grantor's by itself, without those that just-in-time grants made.
        SELECT h.provider, h.actor, h.kind, h.owner, NULL, 'role', h.object, h.privilege, 'direct', m.admin_option, h.last_used,
               h.uses, h.risk, h.why,
               format('REVOKE %s FROM %I', h.object, h.actor)
                   || CASE WHEN current_setting('server_version_num')::integer >= 160000
                           THEN format(' GRANTED BY %I', pg_get_userbyid(m.grantor)) ELSE '' END,
               NULL, true, h.catalog, h.objid, 0, m.member, m.grantor, NULL
          FROM held h JOIN pg_auth_members m ON m.roleid = h.objid AND m.member = h.role
         WHERE h.catalog = 'pg_auth_members' AND h.source = 'direct'
           AND NOT EXISTS (SELECT FROM hoopguard.jit_grant g
                            WHERE g.state = 'active' AND g.made AND g.role_oid = m.roleid AND g.member_oid = m.member
                              AND (m.grantor = 10 OR current_setting('server_version_num')::integer < 160000))
        UNION ALL
        -- Role attributes: never taken by a date alone.
        SELECT h.provider, h.actor, h.kind, h.owner, NULL, h.object_kind, h.object, h.privilege, h.source, false, NULL, NULL,
               h.risk, h.why, CASE WHEN NOT h.bootstrap THEN format('ALTER ROLE %I NO%s', h.actor, h.privilege) END,
               CASE WHEN h.bootstrap THEN 'The role that the cluster was made by keeps its attributes.'
                    ELSE 'Decided by a person alone, not by the due date.' END,
               false, h.catalog, h.objid, 0, h.grantee, NULL, NULL
          FROM held h WHERE h.catalog = 'pg_authid'
        UNION ALL
        -- What tokens give.
        SELECT h.provider, h.actor, h.kind, NULL, NULL, 'role', h.object, h.privilege, h.source, false, h.last_used, h.uses,
               h.risk, h.why,
               CASE WHEN h.actor LIKE 'group:%' THEN format('SELECT hoopguard.unmap_group(%L, %L)', h.provider, substr(h.actor, 7))
                    ELSE format('SELECT hoopguard.unmap_claims(%L, %L)', h.provider, substr(h.actor, 8)) END,
               'Concerns everybody whose token names it.', true, h.catalog, h.objid, 0, NULL, NULL, NULL
          FROM held h WHERE h.catalog = 'role_map'
        UNION ALL
        -- Ownership, a database at a time: no REVOKE takes it.
        SELECT NULL, h.actor, min(h.kind), min(h.owner), h.database, 'ownership',
               CASE WHEN count(*) = 1 THEN min(h.object)
                    ELSE format('%s objects: %s%s', count(*),
                                array_to_string((array_agg(h.object ORDER BY h.object))[1:3], ', '),
                                CASE WHEN count(*) > 3 THEN ', ...' ELSE '' END) END,
               'OWNERSHIP', 'owner', false, max(h.last_used), sum(h.uses)::bigint,
               (ARRAY['low', 'medium', 'high', 'critical'])[max(array_position(ARRAY['low', 'medium', 'high', 'critical'], h.risk))],
               (array_agg(h.why ORDER BY array_position(ARRAY['low', 'medium', 'high', 'critical'], h.risk) DESC))[1],
               NULL, format('Ownership is handed over, not revoked%s: REASSIGN OWNED BY %I TO ...',
                            ' (in database ' || quote_ident(h.database) || ')', h.actor),
               false, 'owner', NULL, 0, min(h.grantee::bigint)::oid, NULL, NULL
          FROM held h WHERE h.privilege = 'OWNERSHIP' GROUP BY h.actor, h.database
        UNION ALL
        -- Just-in-time grants that are in force.
        SELECT g.provider, g.actor, coalesce(a.kind, 'human'), a.owner, g.database, 'grant',
               concat_ws('; ', 'membership of ' || quote_ident(g.role),
                         'leave for ' || array_to_string(g.classes, ', ') || coalesce(' on ' || array_to_string(g.objects, ', '), ''),
                         'unmasked: ' || array_to_string(g.unmask, ', ')),
               'JIT', 'jit', false, NULL, NULL, l.risk, l.why,
               format('SELECT hoopguard.revoke(%s, %L)', g.id, 'review ' || review.name),
               format('Ends by itself %s.', coalesce('at ' || date_trunc('second', g.valid_until), 'with its session')), true,
               'jit_grant', NULL, 0, NULL, NULL, g.id
          FROM hoopguard.jit_grant g
          LEFT JOIN hoopguard.actor a ON a.name = g.actor AND a.provider IS NOT DISTINCT FROM g.provider
         CROSS JOIN LATERAL hoopguard.access_risk('guardrail', CASE WHEN g.unmask IS NOT NULL THEN 'UNMASK' ELSE 'LEAVE *' END,
                                                  'plain', CASE a.kind WHEN 'agent' THEN 'agent' ELSE 'other' END, false, true) l
         WHERE g.state = 'active' AND (review.roles IS NULL OR g.actor = ANY (review.roles) OR g.member = ANY (review.roles))
    )
    INSERT INTO hoopguard.review_item (review, provider, actor, kind, owner, database, object_kind, object, privilege, source,
                                       grantable, last_used, uses, risk, why, revoke_statement, note, automatic, catalog,
                                       objid, objsubid, grantee, grantor, grant_id, reviewer)
    SELECT review.name, i.*, o.reviewer
      FROM item i
      JOIN (SELECT d.actor, d.owner, hoopguard.reviewer_for(d.actor, d.owner) AS reviewer
              FROM (SELECT DISTINCT i.actor, i.owner FROM item i) d) o
        ON o.actor = i.actor AND o.owner IS NOT DISTINCT FROM i.owner
     ORDER BY i.actor, i.database NULLS FIRST, i.object_kind, i.object, i.privilege;
    GET DIAGNOSTICS added = ROW_COUNT;
    RETURN added;
END
$$;
COMMENT ON FUNCTION hoopguard.add_items(hoopguard.review) IS 'makes the items of a review';

CREATE FUNCTION hoopguard.tell_reviewers(notice jsonb) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_notify('hoopguard_alert', (jsonb_strip_nulls(notice) || jsonb_build_object('at', clock_timestamp()))::text)
$$;
COMMENT ON FUNCTION hoopguard.tell_reviewers(jsonb) IS 'a notice about a review, on channel hoopguard_alert';

-- Who calls, and that he may: for reviews as a whole.
CREATE FUNCTION hoopguard.require_review_officer() RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me record;
BEGIN
    PERFORM hoopguard.require_control_database();
    SELECT * INTO me FROM hoopguard.whoami();
    IF NOT hoopguard.belongs_to(session_user, '{hoopguard_admin,hoopguard_auditor}') THEN
        RAISE EXCEPTION '% may not do that with access reviews', me.actor USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'That is for members of hoopguard_auditor and hoopguard_admin.';
    END IF;
    IF me.actor_kind <> 'human' THEN
        RAISE EXCEPTION 'access is reviewed by persons, and % is none', me.actor USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Its kind in hoopguard.actor is %s.', me.actor_kind);
    END IF;
    RETURN me.actor;
END
$$;
COMMENT ON FUNCTION hoopguard.require_review_officer() IS 'the caller''s name, if he may open and close reviews';

CREATE FUNCTION hoopguard.start_review(name text, series text, due timestamptz, roles text[], on_due text, every interval,
                                       by_whom text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    opened hoopguard.review;
    added bigint;
    blind text;
BEGIN
    PERFORM hoopguard.gather_access();
    SELECT string_agg(format('%s (%s)', quote_ident(g.database), g.error), '; ' ORDER BY g.database) INTO blind
      FROM hoopguard.access_gathering g WHERE g.error IS NOT NULL;
    IF blind IS NOT NULL THEN
        RAISE WARNING 'review "%" does not know these databases as they are now: %', start_review.name, blind;
    END IF;
    INSERT INTO hoopguard.review (name, series, due, roles, on_due, every, opened_by)
    VALUES (start_review.name, start_review.series, start_review.due, start_review.roles, start_review.on_due,
            start_review.every, by_whom)
    RETURNING * INTO opened;
    added := hoopguard.add_items(opened);
    PERFORM hoopguard.tell_reviewers(jsonb_build_object(
        'alert', 'review_opened', 'review', opened.name, 'due', opened.due, 'on_due', opened.on_due, 'items', added,
        'by', by_whom));
    RETURN added;
END
$$;
COMMENT ON FUNCTION hoopguard.start_review(text, text, timestamptz, text[], text, interval, text) IS
    'makes a review with its items';

-- Opens a review; returns how many items there are to decide.
CREATE FUNCTION hoopguard.open_review(name text, due timestamptz, roles text[] DEFAULT NULL, on_due text DEFAULT 'report',
                                      every interval DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    by_whom text := hoopguard.require_review_officer();
    unknown text;
BEGIN
    IF coalesce(btrim(name), '') = '' OR length(name) > 200 THEN
        PERFORM hoopguard.refuse_argument('name', name, 'a name for the review of at most 200 characters, such as q3-2026');
    ELSIF EXISTS (SELECT FROM hoopguard.review r WHERE r.name = open_review.name) THEN
        RAISE EXCEPTION 'review "%" exists already', name USING ERRCODE = 'duplicate_object',
            HINT = 'The names are in hoopguard.review.';
    ELSIF due IS NULL OR due <= now() OR NOT isfinite(due) THEN
        PERFORM hoopguard.refuse_argument('due', due::text, 'a time to come');
    ELSIF on_due IS NULL OR on_due <> ALL ('{report,revoke}') THEN
        PERFORM hoopguard.refuse_argument('on_due', on_due, 'report, revoke');
    ELSIF every < interval '1 hour' THEN
        PERFORM hoopguard.refuse_argument('every', every::text, 'an hour or more, such as 3 months; or NULL');
    ELSIF roles = '{}' OR array_position(roles, NULL) IS NOT NULL THEN
        PERFORM hoopguard.refuse_argument('roles', roles::text, 'names of roles, at least one; or NULL for all');
    END IF;
    SELECT u INTO unknown FROM unnest(roles) u
     WHERE u <> 'PUBLIC' AND u NOT LIKE 'group:%' AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = u)
       AND NOT EXISTS (SELECT FROM hoopguard.actor a WHERE a.name = u) LIMIT 1;
    IF FOUND THEN
        PERFORM hoopguard.refuse_argument('roles', unknown, 'names of roles or actors, group:NAME, PUBLIC; or NULL for all');
    END IF;
    RETURN hoopguard.start_review(name, name, due, roles, on_due, every, by_whom);
END
$$;
COMMENT ON FUNCTION hoopguard.open_review(text, timestamptz, text[], text, interval) IS
    'opens an access review of roles, or of all; returns how many items there are to decide';

-- An item that may be decided, locked.
CREATE FUNCTION hoopguard.open_item(item bigint) RETURNS hoopguard.review_item
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_item hoopguard.review_item;
BEGIN
    SELECT i.* INTO found_item FROM hoopguard.review_item i WHERE i.id = item FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'item % does not exist', coalesce(item::text, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'The numbers are in hoopguard.review_item.';
    END IF;
    RETURN found_item;
END
$$;
COMMENT ON FUNCTION hoopguard.open_item(bigint) IS 'an item by its number';

CREATE FUNCTION hoopguard.require_undecided(item hoopguard.review_item) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF item.decision IS NOT NULL THEN
        RAISE EXCEPTION 'item % is decided already: % by %', item.id, item.decision, item.decided_by
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Another review asks again.';
    END IF;
    IF (SELECT r.state FROM hoopguard.review r WHERE r.name = item.review) = 'closed' THEN
        RAISE EXCEPTION 'review "%" is closed', item.review USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END
$$;
COMMENT ON FUNCTION hoopguard.require_undecided(hoopguard.review_item) IS 'an error for an item that takes no decision';

-- The caller's name, if he may decide about an item: its reviewer, and never about himself or a role that he has.
CREATE FUNCTION hoopguard.require_reviewer(item hoopguard.review_item) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me record;
    persons text[];
BEGIN
    SELECT * INTO me FROM hoopguard.whoami();
    persons := hoopguard.persons_of(me.provider, me.actor, me.on_behalf_of) || me.login_role::text;
    IF persons && hoopguard.persons_of(item.provider, item.actor, NULL)
       OR item.provider = me.provider AND item.actor = ANY (ARRAY(SELECT 'group:' || g FROM unnest(me.groups) g))
       OR EXISTS (SELECT FROM hoopguard.role_reach() r JOIN pg_roles m ON m.oid = r.member JOIN pg_roles t ON t.oid = r.target
                   WHERE m.rolname = me.login_role AND t.rolname = item.actor) THEN
        RAISE EXCEPTION 'nobody certifies his own access' USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Item %s is of %s.', item.id, item.actor), HINT = 'hoopguard.reassign() gives it to somebody else.';
    END IF;
    IF me.actor_kind <> 'human' THEN
        RAISE EXCEPTION 'item % is decided by a person, and % is none', item.id, me.actor
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('Its kind in hoopguard.actor is %s.', me.actor_kind);
    END IF;
    IF NOT (item.reviewer = ANY (persons)
            OR hoopguard.belongs_to(session_user, ARRAY[item.reviewer, 'hoopguard_auditor', 'hoopguard_admin'])) THEN
        RAISE EXCEPTION 'item % is not yours to decide', item.id USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Its reviewer is %s.', item.reviewer);
    END IF;
    RETURN me.actor;
END
$$;
COMMENT ON FUNCTION hoopguard.require_reviewer(hoopguard.review_item) IS 'the caller''s name, if he may decide about an item';

-- Decides about an item; `revoke` takes the privilege away by the statement shown. Returns what came of it.
CREATE FUNCTION hoopguard.certify(item bigint, decision text, comment text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    one hoopguard.review_item;
    by_whom text;
    outcome text := 'kept';
BEGIN
    PERFORM hoopguard.require_control_database();
    IF decision IS NULL OR decision <> ALL ('{keep,revoke}') THEN
        PERFORM hoopguard.refuse_argument('decision', decision, 'keep, revoke');
    END IF;
    one := hoopguard.open_item(item);
    by_whom := hoopguard.require_reviewer(one);
    PERFORM hoopguard.require_undecided(one);
    IF decision = 'revoke' THEN
        outcome := hoopguard.carry_out(one);
    END IF;
    UPDATE hoopguard.review_item i
       SET (decision, comment, decided_by, decided_at, outcome) = (decision, comment, by_whom, clock_timestamp(), outcome)
     WHERE i.id = one.id;
    RETURN outcome;
END
$$;
COMMENT ON FUNCTION hoopguard.certify(bigint, text, text) IS
    'decides about an item of a review: keep, or revoke, which takes the privilege away at once; returns what came of it';

CREATE FUNCTION hoopguard.reassign(item bigint, reviewer text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    one hoopguard.review_item;
    me record;
BEGIN
    PERFORM hoopguard.require_control_database();
    one := hoopguard.open_item(item);
    SELECT * INTO me FROM hoopguard.whoami();
    IF NOT (one.reviewer = me.actor
            OR hoopguard.belongs_to(session_user, ARRAY[one.reviewer, 'hoopguard_auditor', 'hoopguard_admin'])) THEN
        RAISE EXCEPTION 'item % is not yours to reassign', item USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Its reviewer is %s.', one.reviewer);
    END IF;
    PERFORM hoopguard.require_undecided(one);
    IF reviewer IS NULL OR hoopguard.why_gone(reviewer) IS NOT NULL THEN
        PERFORM hoopguard.refuse_argument('reviewer', reviewer, 'a role or a known person who is neither locked nor expired');
    ELSIF hoopguard.persons_of(NULL, reviewer, NULL) && hoopguard.persons_of(one.provider, one.actor, NULL) THEN
        PERFORM hoopguard.refuse_argument('reviewer', reviewer, format('somebody else than %s himself', one.actor));
    END IF;
    UPDATE hoopguard.review_item i SET reviewer = reassign.reviewer WHERE i.id = item;
END
$$;
COMMENT ON FUNCTION hoopguard.reassign(bigint, text) IS 'gives an item of a review to another reviewer';

-- Closes a review; returns how many items nobody decided. One of a series is followed by the next when it would have been
-- due, unless it is the last.
CREATE FUNCTION hoopguard.close_review(name text, last boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    by_whom text := hoopguard.require_review_officer();
    undecided bigint;
BEGIN
    UPDATE hoopguard.review r SET state = 'closed', closed_by = by_whom, closed_at = clock_timestamp(),
           every = CASE WHEN NOT coalesce(last, false) THEN r.every END
     WHERE r.name = close_review.name AND r.state <> 'closed';
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM hoopguard.review r WHERE r.name = close_review.name) THEN
            RAISE EXCEPTION 'review "%" is closed already', close_review.name USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        RAISE EXCEPTION 'review "%" does not exist', coalesce(close_review.name, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'The names are in hoopguard.review.';
    END IF;
    SELECT count(*) INTO undecided FROM hoopguard.review_item i WHERE i.review = close_review.name AND i.decision IS NULL;
    RETURN undecided;
END
$$;
COMMENT ON FUNCTION hoopguard.close_review(text, boolean) IS 'closes a review; returns how many items stay undecided';

-- What is undecided when a review is due: revoked, as far as a date may decide it. What cannot be revoked says why. In
-- some rounds: a privilege that was passed on goes after what depends on it.
CREATE FUNCTION hoopguard.revoke_undecided(review text) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    one hoopguard.review_item;
    came_of_it text;
    revoked bigint := 0;
    before bigint;
BEGIN
    FOR round IN 1..5 LOOP
        before := revoked;
        FOR one IN SELECT i.* FROM hoopguard.review_item i
                    WHERE i.review = revoke_undecided.review AND i.decision IS NULL AND i.automatic
                      AND i.revoke_statement IS NOT NULL ORDER BY i.id FOR UPDATE LOOP
            BEGIN
                came_of_it := hoopguard.carry_out(one);
                UPDATE hoopguard.review_item i
                   SET (decision, comment, decided_by, decided_at, outcome) =
                       ('revoke', 'nobody decided until the review was due', 'hoopguard', clock_timestamp(), came_of_it)
                 WHERE i.id = one.id;
                revoked := revoked + 1;
            EXCEPTION WHEN OTHERS THEN
                UPDATE hoopguard.review_item i SET outcome = regexp_replace(SQLERRM, '^item \d+ is ', '') WHERE i.id = one.id;
            END;
        END LOOP;
        EXIT WHEN revoked = before;
    END LOOP;
    RETURN revoked;
END
$$;
COMMENT ON FUNCTION hoopguard.revoke_undecided(text) IS 'takes away what nobody decided about until a review was due';

-- Tells reviewers what waits for them, once a day in the week before a review is due and after it.
CREATE FUNCTION hoopguard.remind_reviewers() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT r.name, r.due, r.on_due, i.reviewer, count(*) AS undecided
          FROM hoopguard.review r JOIN hoopguard.review_item i ON i.review = r.name AND i.decision IS NULL
         WHERE r.state <> 'closed' AND r.due < now() + least(interval '7 days', (r.due - r.opened_at) / 2)
           AND coalesce(r.reminded_at < now() - interval '1 day', true)
         GROUP BY r.name, i.reviewer ORDER BY r.name, i.reviewer
    LOOP
        PERFORM hoopguard.tell_reviewers(jsonb_build_object(
            'alert', 'review_reminder', 'review', one.name, 'reviewer', one.reviewer, 'undecided', one.undecided,
            'due', one.due, 'on_due', one.on_due));
        UPDATE hoopguard.review r SET reminded_at = now() WHERE r.name = one.name;
    END LOOP;
END
$$;
COMMENT ON FUNCTION hoopguard.remind_reviewers() IS 'reminds reviewers of what they have not decided';

-- What time brings: privileges are looked at again, reviewers reminded, reviews due, the next of a series opened. For the
-- worker, every minute.
CREATE FUNCTION hoopguard.review_step() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one hoopguard.review;
    revoked bigint;
    next_due timestamptz;
    next_name text;
BEGIN
    PERFORM hoopguard.require_control_database();
    IF pg_is_in_recovery() THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM hoopguard.access_gathering g WHERE g.tried_at > now() - interval '1 hour') THEN
        PERFORM hoopguard.gather_access();
    END IF;
    FOR one IN SELECT r.* FROM hoopguard.review r WHERE r.state = 'open' AND r.due <= now()
                ORDER BY r.due FOR UPDATE SKIP LOCKED LOOP
        revoked := CASE one.on_due WHEN 'revoke' THEN hoopguard.revoke_undecided(one.name) END;
        UPDATE hoopguard.review r SET state = 'due' WHERE r.name = one.name;
        PERFORM hoopguard.tell_reviewers(jsonb_build_object(
            'alert', 'review_due', 'review', one.name, 'due', one.due, 'on_due', one.on_due, 'revoked', revoked,
            'undecided', (SELECT count(*) FROM hoopguard.review_item i WHERE i.review = one.name AND i.decision IS NULL)));
    END LOOP;
    FOR one IN SELECT r.* FROM hoopguard.review r WHERE r.every IS NOT NULL AND r.followed_by IS NULL AND r.due <= now()
                ORDER BY r.due FOR UPDATE SKIP LOCKED LOOP
        -- Of dates that went by while nobody looked, only the next counts.
        next_due := one.due + one.every;
        WHILE next_due <= now() LOOP
            next_due := next_due + one.every;
        END LOOP;
        next_name := format('%s %s', left(one.series, 180), to_char(next_due, 'YYYY-MM-DD HH24:MI'));
        PERFORM hoopguard.start_review(next_name, one.series, next_due, one.roles, one.on_due, one.every, one.opened_by);
        UPDATE hoopguard.review r SET followed_by = next_name WHERE r.name = one.name;
    END LOOP;
    PERFORM hoopguard.remind_reviewers();
END
$$;
COMMENT ON FUNCTION hoopguard.review_step() IS
    'the worker: gathers access once an hour, reminds reviewers, and does what reviews say is done when they are due';

CREATE FUNCTION hoopguard.planned_items(review text, items bigint[]) RETURNS SETOF hoopguard.review_item
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT i.* FROM hoopguard.review_item i
     WHERE i.review = $1 AND i.decision IS NULL AND i.revoke_statement IS NOT NULL
       AND CASE WHEN items IS NULL THEN i.automatic ELSE i.id = ANY (items) END
$$;
COMMENT ON FUNCTION hoopguard.planned_items(text, bigint[]) IS 'the items that a dry run takes as revoked';

-- The dry run: which recorded use would not be permitted any more if items were revoked, those that are named or, for NULL,
-- all that the due date would revoke. Use needs a privilege on the object, USAGE of its schema, CONNECT to the database,
-- and a way to the role that it ran as. A privilege on some of the columns permits what may not be what was used: then `verdict` is "may break".
CREATE FUNCTION hoopguard.review_effect(review text, items bigint[] DEFAULT NULL)
    RETURNS TABLE (actor text, login_role text, effective_role text, database text, object text, privilege text,
                   last_used timestamptz, uses bigint, verdict text, needs text, because bigint[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
#variable_conflict use_column
DECLARE
    gone_role oid[];
    gone_member oid[];
    gone_grantor oid[];
BEGIN
    PERFORM hoopguard.require_control_database();
    IF NOT EXISTS (SELECT FROM hoopguard.review r WHERE r.name = review_effect.review) THEN
        RAISE EXCEPTION 'review "%" does not exist', coalesce(review_effect.review, 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'The names are in hoopguard.review.';
    END IF;
    -- Memberships that would go.
    SELECT array_agg(e.role), array_agg(e.member), array_agg(e.grantor) INTO gone_role, gone_member, gone_grantor
      FROM (SELECT i.objid AS role, i.grantee AS member, i.grantor FROM hoopguard.planned_items(review_effect.review, review_effect.items) i
             WHERE i.catalog = 'pg_auth_members'
            UNION ALL
            SELECT g.role_oid, g.member_oid, m.grantor
              FROM hoopguard.planned_items(review_effect.review, review_effect.items) i
              JOIN hoopguard.jit_grant g ON g.id = i.grant_id AND g.made
              JOIN pg_auth_members m ON m.roleid = g.role_oid AND m.member = g.member_oid AND m.grantor = 10) e;
    RETURN QUERY
    WITH planned AS MATERIALIZED (
        SELECT * FROM hoopguard.planned_items(review_effect.review, review_effect.items)
    ), statement AS MATERIALIZED (
        SELECT row_number() OVER () AS n, u.actor, u.login_role, u.effective_role, u.database, u.object, u.privilege, u.last_used,
               u.uses, u.through, l.oid AS login, e.oid AS effective,
               substring(u.object, '^("(?:[^"]|"")+"|[^".]+)\.') AS schema
          FROM hoopguard.usage u
          JOIN pg_roles l ON l.rolname = u.login_role JOIN pg_roles e ON e.rolname = u.effective_role
    ), reach_now AS MATERIALIZED (
        SELECT DISTINCT r.member, r.target, r.inherits FROM hoopguard.role_reach() r
    ), reach_then AS MATERIALIZED (
        SELECT DISTINCT r.member, r.target, r.inherits
          FROM hoopguard.role_reach(coalesce(gone_role, '{}'), coalesce(gone_member, '{}'), coalesce(gone_grantor, '{}')) r
    ), superuser_then AS (
        SELECT r.oid FROM pg_roles r
         WHERE r.rolsuper AND NOT EXISTS (SELECT FROM planned p WHERE p.catalog = 'pg_authid' AND p.privilege = 'SUPERUSER'
                                                                  AND p.grantee = r.oid)
    ), need AS MATERIALIZED (
        -- What a statement needs, and of whom.
        SELECT s.n, 'object' AS need, s.effective AS who, s.database, s.object AS name, s.privilege FROM statement s
        UNION ALL
        SELECT s.n, 'schema', s.effective, s.database, s.schema, 'USAGE' FROM statement s
         WHERE s.schema IS NOT NULL AND s.through <> 'view'
        UNION ALL
        SELECT s.n, 'database', s.login, s.database, quote_ident(s.database), 'CONNECT' FROM statement s
    ), having_now AS (
        SELECT r.member AS who, r.target AS role FROM reach_now r WHERE r.inherits
        UNION SELECT r.oid, r.oid FROM pg_roles r UNION SELECT r.oid, 0 FROM pg_roles r
    ), having_then AS (
        SELECT r.member AS who, r.target AS role FROM reach_then r WHERE r.inherits
        UNION SELECT r.oid, r.oid FROM pg_roles r UNION SELECT r.oid, 0 FROM pg_roles r
    ), way AS MATERIALIZED (
        -- Each privilege that permits it now, and whether it would then.
        SELECT n.n, n.need, p.object_kind = 'column' AS partly, i.id AS item, p.role,
               i.id IS NULL AND CASE WHEN p.source = 'superuser' THEN EXISTS (SELECT FROM superuser_then x WHERE x.oid = p.role)
                                     ELSE h.who IS NOT NULL END AS remains
          FROM need n
          JOIN hoopguard.access_privileges() p
            ON p.place = hashtextextended(concat(n.database, E'\n', n.name), 0) AND p.privilege = n.privilege
          JOIN having_now w ON w.who = n.who AND w.role = p.role AND (p.source <> 'superuser' OR p.role = n.who)
          LEFT JOIN having_then h ON h.who = n.who AND h.role = p.role
          LEFT JOIN planned i ON i.catalog = p.catalog AND i.objid = p.objid AND i.objsubid = p.objsubid AND i.grantee = p.role
                             AND i.grantor = p.grantor AND i.privilege = p.privilege AND i.database IS NOT DISTINCT FROM p.database
        UNION ALL
        -- The way to the role that it ran as.
        SELECT s.n, 'role', false, NULL, s.effective,
               EXISTS (SELECT FROM reach_then r WHERE r.member = s.login AND r.target = s.effective)
               OR EXISTS (SELECT FROM superuser_then x WHERE x.oid = s.login)
          FROM statement s JOIN pg_roles l ON l.oid = s.login
         WHERE s.login <> s.effective AND s.through = ''
           AND (l.rolsuper OR EXISTS (SELECT FROM reach_now r WHERE r.member = s.login AND r.target = s.effective))
    ), lost AS (
        SELECT w.n, w.need, bool_or(w.remains) AS some_remains
          FROM way w GROUP BY w.n, w.need
        HAVING NOT coalesce(bool_or(w.remains AND NOT w.partly), false) AND bool_or(NOT w.remains)
    ), broken AS MATERIALIZED (
        SELECT l.n, bool_or(NOT l.some_remains) AS certain, string_agg(l.need, ', ' ORDER BY l.need) AS needs FROM lost l GROUP BY l.n
    ), lost_way AS MATERIALIZED (
        SELECT DISTINCT w.n, w.item, w.role FROM way w JOIN lost l ON l.n = w.n AND l.need = w.need WHERE NOT w.remains
    ), beyond AS MATERIALIZED (
        -- All roles that one leads to, itself among them.
        SELECT r.member AS role, r.target FROM reach_now r UNION SELECT r.oid, r.oid FROM pg_roles r
    ), edge AS (
        SELECT p.id, p.grantee AS member, p.objid AS role FROM planned p WHERE p.catalog = 'pg_auth_members'
        UNION ALL
        SELECT p.id, g.member_oid, g.role_oid FROM planned p JOIN hoopguard.jit_grant g ON g.id = p.grant_id
    ), along AS (
        SELECT b.n, m.target AS role FROM broken b JOIN statement s ON s.n = b.n JOIN beyond m ON m.role = s.effective
        UNION
        SELECT b.n, m.target FROM broken b JOIN statement s ON s.n = b.n JOIN beyond m ON m.role = s.login
    ), cause AS (
        -- By an item of its own; by a membership that led there; by being a superuser.
        SELECT w.n, w.item FROM lost_way w WHERE w.item IS NOT NULL
        UNION
        SELECT a.n, e.id
          FROM along a JOIN edge e ON e.member = a.role JOIN beyond x ON x.role = e.role
          JOIN lost_way w ON w.n = a.n AND w.role = x.target
        UNION
        SELECT a.n, p.id FROM along a JOIN planned p ON p.grantee = a.role
         WHERE p.catalog = 'pg_authid' AND p.privilege = 'SUPERUSER'
    ), causes AS (
        SELECT c.n, array_agg(c.item ORDER BY c.item) AS items FROM cause c GROUP BY c.n
    )
    SELECT s.actor, s.login_role, s.effective_role, s.database, s.object, s.privilege, s.last_used, s.uses,
           CASE WHEN b.certain THEN 'breaks' ELSE 'may break' END, b.needs,
           coalesce(c.items, '{}')
      FROM broken b JOIN statement s ON s.n = b.n LEFT JOIN causes c ON c.n = b.n
     ORDER BY 1, 4, 5, 6;
END
$$;
COMMENT ON FUNCTION hoopguard.review_effect(text, bigint[]) IS
    'the dry run: which recorded use would not be permitted any more if items of a review were revoked';

--
-- What stands out.
--

-- Numbers about every actor: what it holds beside what everybody does, what of that it used, how risky it is.
CREATE FUNCTION hoopguard.access_by_actor()
    RETURNS TABLE (actor text, kind text, owner text, held bigint, measured bigint, used bigint, low bigint, medium bigint,
                   high bigint, critical bigint, jit bigint, superuser boolean, last_used timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    RETURN QUERY
    SELECT CASE WHEN r.provider IS NOT NULL THEN r.provider || ': ' || r.actor ELSE r.actor END, min(r.kind), min(r.owner), count(*),
           count(r.uses), count(*) FILTER (WHERE r.uses > 0), count(*) FILTER (WHERE r.risk = 'low'),
           count(*) FILTER (WHERE r.risk = 'medium'), count(*) FILTER (WHERE r.risk = 'high'),
           count(*) FILTER (WHERE r.risk = 'critical'), count(*) FILTER (WHERE r.source = 'jit'),
           bool_or(r.privilege = 'SUPERUSER'), max(r.last_used)
      FROM hoopguard.access_row r
     WHERE r.kind <> 'predefined' AND (r.source <> 'public' OR r.kind = 'public')
     GROUP BY 1;
END
$$;
COMMENT ON FUNCTION hoopguard.access_by_actor() IS 'numbers about what every actor may do';

-- `actors`: what access_by_actor() gave, where it is known already.
CREATE FUNCTION hoopguard.access_findings(dormant_after interval DEFAULT '90 days', actors jsonb DEFAULT NULL)
    RETURNS TABLE (finding text, actor text, detail text, remedy text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM hoopguard.require_control_database();
    IF dormant_after IS NULL OR dormant_after <= interval '0' THEN
        PERFORM hoopguard.refuse_argument('dormant_after', dormant_after::text, 'more than 0, such as 90 days');
    END IF;
    IF actors IS NULL THEN
        SELECT jsonb_agg(to_jsonb(a)) INTO actors FROM hoopguard.access_by_actor() a;
    END IF;
    RETURN QUERY
    WITH login AS (
        SELECT s.login_role, max(s.last_used) AS last_used
          FROM (SELECT s.login_role, s.last_used FROM hoopguard.usage_source s
                UNION ALL SELECT u.login_role, u.last_used FROM hoopguard.usage u) s GROUP BY 1
    ), since AS (
        SELECT least((SELECT min(first_used) FROM hoopguard.usage_source), (SELECT min(first_used) FROM hoopguard.usage)) AS at
    ), registered AS (
        SELECT a.*, concat_ws(':', a.provider, a.name) AS full_name FROM hoopguard.actor a
    )
    -- One login role, several clients or addresses: nobody knows who it is.
    SELECT 'shared_credential', s.login_role,
           format('used by %s from %s',
                  CASE WHEN count(DISTINCT nullif(s.application, '')) = 1 THEN 'one application' ELSE format('%s applications', count(DISTINCT nullif(s.application, ''))) END
                  || coalesce(' (' || string_agg(DISTINCT nullif(s.application, ''), ', ') || ')', ''),
                  CASE WHEN count(DISTINCT coalesce(s.client_addr, '')) = 1 THEN 'one address' ELSE format('%s addresses', count(DISTINCT coalesce(s.client_addr, ''))) END
                  || coalesce(' (' || string_agg(DISTINCT coalesce(nullif(s.client_addr, ''), 'local'), ', ') || ')', '')),
           'Give each its own role or token, and register it in hoopguard.actor.'
      FROM hoopguard.usage_source s
     WHERE coalesce(s.provider, '') = '' AND s.last_used > now() - dormant_after
     GROUP BY s.login_role
    HAVING count(DISTINCT nullif(s.application, '')) > 1 OR count(DISTINCT coalesce(s.client_addr, '')) > 1
    UNION ALL
    SELECT 'dormant_account', r.rolname,
           CASE WHEN l.last_used IS NULL THEN format('no login on record since %s', (SELECT to_char(at, 'YYYY-MM-DD') FROM since))
                ELSE format('last seen %s', to_char(l.last_used, 'YYYY-MM-DD')) END,
           format('ALTER ROLE %I NOLOGIN;', r.rolname)
      FROM pg_roles r LEFT JOIN login l ON l.login_role = r.rolname
     WHERE r.rolcanlogin AND coalesce(l.last_used, (SELECT at FROM since)) < now() - dormant_after
    UNION ALL
    SELECT 'agent_without_owner', a.full_name, 'nobody answers for it',
           format('UPDATE hoopguard.actor SET owner = ''<person>'' WHERE name = %L AND provider IS NOT DISTINCT FROM %L;', a.name, a.provider)
      FROM registered a WHERE a.kind = 'agent' AND coalesce(btrim(a.owner), '') = ''
    UNION ALL
    SELECT 'owner_gone', a.full_name, format('its owner, %s, %s', a.owner, hoopguard.why_gone(a.owner)),
           format('UPDATE hoopguard.actor SET owner = ''<person>'' WHERE name = %L AND provider IS NOT DISTINCT FROM %L;', a.name, a.provider)
      FROM registered a WHERE btrim(a.owner) <> '' AND hoopguard.why_gone(a.owner) IS NOT NULL
    UNION ALL
    SELECT 'superuser_agent', r.rolname, 'an agent that is a superuser can undo everything that guards it',
           format('ALTER ROLE %I NOSUPERUSER;', r.rolname)
      FROM pg_roles r JOIN hoopguard.actor a ON a.name = r.rolname AND a.provider IS NULL WHERE a.kind = 'agent' AND r.rolsuper
    UNION ALL
    -- Who has left, and could still come in.
    SELECT 'account_left', r.rolname, format('its actor expired %s, and the role may log in', to_char(a.expires_at, 'YYYY-MM-DD')),
           format('ALTER ROLE %I NOLOGIN;', r.rolname)
      FROM pg_roles r JOIN hoopguard.actor a ON a.name = r.rolname AND a.provider IS NULL
     WHERE a.expires_at <= now() AND r.rolcanlogin
    UNION ALL
    SELECT 'account_left', r.rolname, format('locked since %s, and the role may still log in if that ends', to_char(l.since, 'YYYY-MM-DD')),
           format('ALTER ROLE %I NOLOGIN;', r.rolname)
      FROM pg_roles r JOIN hoopguard.actor_lock l ON l.name = r.rolname
     WHERE r.rolcanlogin AND l.until IS NULL AND l.since < now() - interval '7 days'
    UNION ALL
    SELECT 'break_glass_uncertified', concat_ws(':', g.provider, g.actor), format('broke the glass %s: %s', to_char(g.valid_from, 'YYYY-MM-DD HH24:MI'), g.reason),
           format('SELECT hoopguard.approve(%s, ''certified'');', g.request)
      FROM hoopguard.jit_grant g WHERE g.break_glass AND g.certified_at IS NULL
    UNION ALL
    SELECT f.finding, f.actor, f.detail, f.remedy
      FROM jsonb_to_recordset(access_findings.actors) AS c (actor text, kind text, measured bigint, used bigint, high bigint,
                                                            critical bigint, superuser boolean)
     CROSS JOIN LATERAL (VALUES
           ('standing_access', c.actor, format('an agent with %s privileges of high or critical risk', c.high + c.critical),
            'Revoke them, and have it ask for each with hoopguard.request_access().', c.kind = 'agent' AND c.high + c.critical > 0),
           ('unused_privileges', c.actor, format('%s of %s privileges were never used on record', c.measured - c.used, c.measured),
            format('SELECT * FROM hoopguard.right_size(%L);', c.actor),
            c.kind NOT IN ('group', 'public') AND c.measured > c.used AND NOT c.superuser AND (SELECT at FROM since) IS NOT NULL)) AS f (finding, actor, detail, remedy, holds)
     WHERE f.holds
     ORDER BY 1, 2, 3;
END
$$;
COMMENT ON FUNCTION hoopguard.access_findings(interval, jsonb) IS
    'what stands out in who may do what: shared credentials, dormant accounts, agents without an owner and so on';

DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        CREATE VIEW hoopguard.access_finding AS SELECT * FROM hoopguard.access_findings();
    ELSE
        CREATE VIEW hoopguard.access_finding AS
            SELECT * FROM jsonb_to_recordset(hoopguard.control_rows('access_finding')) AS r (
                finding text, actor text, detail text, remedy text);
    END IF;
END
$$;
COMMENT ON VIEW hoopguard.access_finding IS
    'what stands out: shared credentials, dormant accounts, agents without owner, owners who left, what nobody uses';
GRANT SELECT ON hoopguard.access_finding TO hoopguard_admin, hoopguard_auditor;

REVOKE ALL ON FUNCTION hoopguard.revoke_statement(text, text, text, text, text, oid, oid, oid),
    hoopguard.query_whether_held(hoopguard.review_item), hoopguard.carry_out(hoopguard.review_item),
    hoopguard.reviewer_for(text, text), hoopguard.why_gone(text), hoopguard.add_items(hoopguard.review),
    hoopguard.require_review_officer(), hoopguard.tell_reviewers(jsonb),
    hoopguard.start_review(text, text, timestamptz, text[], text, interval, text),
    hoopguard.open_review(text, timestamptz, text[], text, interval), hoopguard.open_item(bigint),
    hoopguard.require_undecided(hoopguard.review_item), hoopguard.require_reviewer(hoopguard.review_item),
    hoopguard.close_review(text, boolean), hoopguard.revoke_undecided(text), hoopguard.remind_reviewers(),
    hoopguard.review_step(), hoopguard.planned_items(text, bigint[]), hoopguard.review_effect(text, bigint[]),
    hoopguard.access_findings(interval, jsonb), hoopguard.access_by_actor() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.open_review(text, timestamptz, text[], text, interval),
    hoopguard.close_review(text, boolean), hoopguard.review_effect(text, bigint[]), hoopguard.access_findings(interval, jsonb)
    TO hoopguard_admin, hoopguard_auditor;
GRANT EXECUTE ON FUNCTION hoopguard.review_step() TO hoopguard_admin;
