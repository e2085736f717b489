-- hoopguard 1.0: the objects a database needs. CREATE EXTENSION runs this; it is not meant to be sourced.
\echo Use "CREATE EXTENSION hoopguard" to load this file. \quit

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['hoopguard_admin', 'hoopguard_approver', 'hoopguard_auditor',
                                'hoopguard_breakglass'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = name) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA hoopguard TO PUBLIC;

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

-- Tables in the control database; in every other one views of the same names that show the policy in force.
DO $$
BEGIN
    IF pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database') THEN
        CREATE TABLE hoopguard.guardrail (
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
            mode text NOT NULL DEFAULT 'enforce'
        );
        CREATE TABLE hoopguard.actor (
            provider text,
            name text NOT NULL,
            kind text NOT NULL DEFAULT 'human',
            owner text,
            purpose text,
            pooled boolean NOT NULL DEFAULT false,
            expires_at timestamptz,
            UNIQUE NULLS NOT DISTINCT (provider, name)
        );
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.guardrail', '');
        PERFORM pg_catalog.pg_extension_config_dump('hoopguard.actor', '');

        CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON hoopguard.guardrail
            FOR EACH ROW EXECUTE FUNCTION hoopguard.check_guardrail();
        CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON hoopguard.actor
            FOR EACH ROW EXECUTE FUNCTION hoopguard.check_actor();
        CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hoopguard.guardrail
            FOR EACH STATEMENT EXECUTE FUNCTION hoopguard.policy_changed();
        CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hoopguard.actor
            FOR EACH STATEMENT EXECUTE FUNCTION hoopguard.policy_changed();
        -- Also for replication and for session_replication_role = replica.
        ALTER TABLE hoopguard.guardrail ENABLE ALWAYS TRIGGER check_row;
        ALTER TABLE hoopguard.guardrail ENABLE ALWAYS TRIGGER policy_changed;
        ALTER TABLE hoopguard.actor ENABLE ALWAYS TRIGGER check_row;
        ALTER TABLE hoopguard.actor ENABLE ALWAYS TRIGGER policy_changed;
    ELSE
        CREATE VIEW hoopguard.guardrail AS SELECT * FROM hoopguard.guardrail_in_force();
        CREATE VIEW hoopguard.actor AS SELECT * FROM hoopguard.actor_in_force();
        CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON hoopguard.guardrail
            FOR EACH ROW EXECUTE FUNCTION hoopguard.refuse_policy_write();
        CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON hoopguard.actor
            FOR EACH ROW EXECUTE FUNCTION hoopguard.refuse_policy_write();
    END IF;
END
$$;

GRANT SELECT, INSERT, UPDATE, DELETE ON hoopguard.guardrail, hoopguard.actor TO hoopguard_admin;
GRANT SELECT ON hoopguard.guardrail, hoopguard.actor TO hoopguard_approver, hoopguard_auditor;
REVOKE ALL ON FUNCTION hoopguard.guardrail_in_force(), hoopguard.actor_in_force() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.guardrail_in_force(), hoopguard.actor_in_force()
    TO hoopguard_admin, hoopguard_approver, hoopguard_auditor;

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

-- The calls that make this policy again, for version control.
CREATE FUNCTION hoopguard.policy_script() RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT hoopguard.guard(%s);', (
               SELECT string_agg(format('%s => %L', a.name, a.value), ', ' ORDER BY a.place)
               FROM (VALUES (1, 'name', g.name), (2, 'action', g.action), (3, 'classes', g.classes::text),
                            (4, 'roles', g.roles::text), (5, 'except_roles', g.except_roles::text),
                            (6, 'databases', g.databases::text), (7, 'objects', g.objects::text),
                            (8, 'max_rows', g.max_rows::text), (9, 'per', g.per::text),
                            (10, 'max_cost', g.max_cost::text), (11, 'max_duration', g.max_duration::text),
                            (12, 'schedule', g.schedule), (13, 'approvers', g.approvers::text),
                            (14, 'min_approvals', g.min_approvals::text), (15, 'wait', g.wait::text),
                            (16, 'message', g.message), (17, 'mode', nullif(g.mode, 'enforce'))) a (place, name, value)
               WHERE a.value IS NOT NULL))
    FROM (SELECT * FROM hoopguard.guardrail ORDER BY name COLLATE "C") g
    UNION ALL
    SELECT format('INSERT INTO hoopguard.actor (provider, name, kind, owner, purpose, pooled, expires_at) '
                  'VALUES (%L, %L, %L, %L, %L, %L, %L);',
                  a.provider, a.name, a.kind, a.owner, a.purpose, a.pooled, a.expires_at)
    FROM (SELECT * FROM hoopguard.actor ORDER BY provider COLLATE "C", name COLLATE "C") a
$$;

REVOKE ALL ON FUNCTION hoopguard.require_control_database(), hoopguard.unguard(text), hoopguard.policy_script(),
    hoopguard.guard(text, text, text[], text[], text[], text[], text[], bigint, interval, double precision, interval,
                    text, text[], integer, interval, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.require_control_database(), hoopguard.unguard(text), hoopguard.policy_script(),
    hoopguard.guard(text, text, text[], text[], text[], text[], text[], bigint, interval, double precision, interval,
                    text, text[], integer, interval, text, text) TO hoopguard_admin;
GRANT EXECUTE ON FUNCTION hoopguard.policy_script() TO hoopguard_auditor, hoopguard_approver;

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
COMMENT ON FUNCTION hoopguard.policy_script() IS 'the statements that make this policy again, for version control';
DO $$
DECLARE
    kind text := CASE WHEN pg_catalog.current_database() = pg_catalog.current_setting('hoopguard.database')
                      THEN 'TABLE' ELSE 'VIEW' END;
BEGIN
    EXECUTE pg_catalog.format('COMMENT ON %s hoopguard.guardrail IS %L', kind,
                              'what is warned of, asked for or blocked, for whom and where');
    EXECUTE pg_catalog.format('COMMENT ON %s hoopguard.actor IS %L', kind,
                              'who speaks: persons, agents and services');
END
$$;

--
-- Masks: data classes, mask policies, classified columns.
--

-- What masks call while a query runs. Their last argument is of a type that nothing but hoopguard makes, so that
-- nobody can mask a value of his own choice and compare. No search path is set on them: they run once a value and
-- look nothing up.
CREATE TYPE hoopguard.mask_spec;
CREATE FUNCTION hoopguard.mask_spec_in(cstring) RETURNS hoopguard.mask_spec
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hoopguard_mask_spec_in';
CREATE FUNCTION hoopguard.mask_spec_out(hoopguard.mask_spec) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'hoopguard_mask_spec_out';
COMMENT ON FUNCTION hoopguard.mask_spec_in(cstring) IS 'refuses: values of this type cannot be given';
COMMENT ON FUNCTION hoopguard.mask_spec_out(hoopguard.mask_spec) IS 'how EXPLAIN shows a mask';
CREATE TYPE hoopguard.mask_spec (
    INPUT = hoopguard.mask_spec_in, OUTPUT = hoopguard.mask_spec_out,
    INTERNALLENGTH = 8, PASSEDBYVALUE, ALIGNMENT = double);
COMMENT ON TYPE hoopguard.mask_spec IS 'how a value is masked, as hoopguard writes it into a plan';

CREATE FUNCTION hoopguard.mask(value anyelement, spec hoopguard.mask_spec) RETURNS anyelement
    LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'hoopguard_mask';
COMMENT ON FUNCTION hoopguard.mask(anyelement, hoopguard.mask_spec) IS
    'masks a value; hoopguard puts it around references to classified columns';
CREATE FUNCTION hoopguard.mask_row(value anyelement, specs hoopguard.mask_spec[]) RETURNS anyelement
    LANGUAGE c IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE AS 'MODULE_PATHNAME', 'hoopguard_mask_row';
COMMENT ON FUNCTION hoopguard.mask_row(anyelement, hoopguard.mask_spec[]) IS
    'masks the columns of a row; hoopguard puts it around references to whole rows';
CREATE FUNCTION hoopguard.mask_statistic(value anyelement, owner oid, column_number smallint,
                                         spec hoopguard.mask_spec) RETURNS anyelement
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'hoopguard_mask_statistic';
COMMENT ON FUNCTION hoopguard.mask_statistic(anyelement, oid, smallint, hoopguard.mask_spec) IS
    'hides values that the planner''s statistics keep of masked columns';

CREATE FUNCTION hoopguard.classify_column(relation regclass, column_name name, data_class text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_classify_column';
COMMENT ON FUNCTION hoopguard.classify_column(regclass, name, text) IS
    'says what a column holds, so that masks of that data class cover it; for hoopguard_admin';
CREATE FUNCTION hoopguard.declassify_column(relation regclass, column_name name) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_declassify_column';
COMMENT ON FUNCTION hoopguard.declassify_column(regclass, name) IS
    'takes a column''s data class away; for hoopguard_admin';

CREATE FUNCTION hoopguard.column_classes(relation regclass, OUT column_number smallint, OUT data_class text)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 2 SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_column_classes';
COMMENT ON FUNCTION hoopguard.column_classes(regclass) IS
    'the classified columns of a relation: by their own label, or by what they inherit or are made from';

CREATE VIEW hoopguard.classified_column AS
    SELECT c.oid::pg_catalog.regclass AS relation, a.attname AS column_name, k.data_class,
           NOT EXISTS (SELECT FROM pg_catalog.pg_seclabel l
                        WHERE l.objoid = c.oid AND l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
                          AND l.objsubid = a.attnum AND l.provider = 'hoopguard') AS inherited
      FROM pg_catalog.pg_class c
     CROSS JOIN LATERAL hoopguard.column_classes(c.oid) k
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.column_number
     WHERE c.relkind IN ('r', 'p', 'm', 'f') AND NOT a.attisdropped;
COMMENT ON VIEW hoopguard.classified_column IS
    'the classified columns of this database; inherited: not by a label of its own';

CREATE VIEW hoopguard.unclassified_column AS
    SELECT c.oid::pg_catalog.regclass AS relation, a.attname AS column_name,
           pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
     WHERE c.relkind IN ('r', 'p', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
       AND (t.typcategory = 'S' OR t.oid IN ('pg_catalog.json'::pg_catalog.regtype,
                                             'pg_catalog.jsonb'::pg_catalog.regtype))
       AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'hoopguard')
       AND n.nspname !~ '^pg_(toast|temp_)'
       AND NOT EXISTS (SELECT FROM hoopguard.column_classes(c.oid) k WHERE k.column_number = a.attnum);
COMMENT ON VIEW hoopguard.unclassified_column IS 'columns of text and json that no data class covers yet';

GRANT SELECT ON hoopguard.classified_column, hoopguard.unclassified_column TO PUBLIC;

--
-- Journal: statements, sessions, proofs.
--
-- The foreign tables have no privileges of their own: the views are the way in. Who may not read everything gets
-- the rows of his own login role alone, which the scan itself sees to.

CREATE FUNCTION hoopguard.journal_handler() RETURNS fdw_handler
    LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'hoopguard_journal_handler';
COMMENT ON FUNCTION hoopguard.journal_handler() IS 'reads the journal''s segments';
CREATE FUNCTION hoopguard.journal_validator(options text[], catalog oid) RETURNS void
    LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_journal_validator';
COMMENT ON FUNCTION hoopguard.journal_validator(text[], oid) IS 'allows the one option of the journal''s foreign tables';
REVOKE ALL ON FUNCTION hoopguard.journal_handler(), hoopguard.journal_validator(text[], oid) FROM PUBLIC;

CREATE FOREIGN DATA WRAPPER hoopguard_journal
    HANDLER hoopguard.journal_handler VALIDATOR hoopguard.journal_validator;
CREATE SERVER hoopguard_journal FOREIGN DATA WRAPPER hoopguard_journal;

CREATE FOREIGN TABLE hoopguard.journal_statements (
    entry               bigint,
    origin              text,
    session_id          text,
    pid                 integer,
    statement_no        bigint,
    parent_no           bigint,
    started_at          timestamptz,
    duration            interval,
    database            text,
    login_role          text,
    effective_role      text,
    actor               text,
    actor_kind          text,
    on_behalf_of        text,
    groups              text[],
    client_addr         text,
    application_name    text,
    request_id          text,
    reason              text,
    command_tag         text,
    classes             text[],
    objects             text[],
    query_id            bigint,
    statement           text,
    statement_digest    text,
    parameters          jsonb,
    decision            text,
    guardrail           text,
    enforced            boolean,
    approval            bigint,
    decided_by          text[],
    rows                bigint,
    sqlstate            text,
    error               text,
    masked              text[],
    xid                 xid8,
    outcome             text,
    transaction_outcome text
) SERVER hoopguard_journal OPTIONS (content 'statement');
COMMENT ON FOREIGN TABLE hoopguard.journal_statements IS 'what view hoopguard.statement reads';

CREATE VIEW hoopguard.statement AS SELECT * FROM hoopguard.journal_statements;
COMMENT ON VIEW hoopguard.statement IS
    'every statement on record, with its outcome and how its transaction ended; auditors see all, others their own';
GRANT SELECT ON hoopguard.statement TO PUBLIC;

CREATE FOREIGN TABLE hoopguard.journal_sessions (
    origin           text,
    session_id       text,
    pid              integer,
    backend_type     text,
    started_at       timestamptz,
    ended_at         timestamptz,
    state            text,
    database         text,
    login_role       text,
    actor            text,
    actor_kind       text,
    provider         text,
    on_behalf_of     text,
    groups           text[],
    client_addr      text,
    client_port      text,
    application_name text,
    auth_method      text,
    authenticated_id text,
    tls              text,
    statements       bigint,
    refused          bigint,
    errors           bigint,
    error            text
) SERVER hoopguard_journal OPTIONS (content 'session');
COMMENT ON FOREIGN TABLE hoopguard.journal_sessions IS 'what view hoopguard.session reads';

CREATE VIEW hoopguard.session AS SELECT * FROM hoopguard.journal_sessions;
COMMENT ON VIEW hoopguard.session IS
    'every session on record: login, logout or loss, identity, address, counts; auditors see all, others their own';
GRANT SELECT ON hoopguard.session TO PUBLIC;

CREATE FOREIGN TABLE hoopguard.journal_segments (
    origin      text,
    segment     bigint,
    file        text,
    size        bigint,
    first_entry bigint,
    last_entry  bigint,
    created_at  timestamptz,
    oldest_at   timestamptz,
    newest_at   timestamptz,
    sealed      boolean
) SERVER hoopguard_journal OPTIONS (content 'segment');
COMMENT ON FOREIGN TABLE hoopguard.journal_segments IS 'what view hoopguard.journal_segment reads';

CREATE VIEW hoopguard.journal_segment AS SELECT * FROM hoopguard.journal_segments;
COMMENT ON VIEW hoopguard.journal_segment IS 'the files that the journal is kept in';
GRANT SELECT ON hoopguard.journal_segment TO hoopguard_auditor;

CREATE FUNCTION hoopguard.replay(session_id text)
    RETURNS TABLE (at interval, statement_no bigint, statement text, rows bigint, duration interval, sqlstate text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF $1 IS NULL OR $1 !~ '^[1-9a-f][0-9a-f]{0,7}\.[1-9a-f][0-9a-f]{0,7}$' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "session_id": %s', coalesce(quote_literal($1), 'NULL')),
            HINT = 'Allowed: a session_id as hoopguard.session shows it, such as 6553f100.1a2b.';
    END IF;
    IF NOT EXISTS (SELECT FROM hoopguard.session s WHERE s.session_id = $1) THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "session_id": %s', quote_literal($1)),
            DETAIL = 'No such session is on record, or it is not yours to see.',
            HINT = 'Allowed: a session_id as hoopguard.session shows it.';
    END IF;
    RETURN QUERY
        SELECT s.started_at - min(s.started_at) OVER (), s.statement_no, s.statement, s.rows, s.duration, s.sqlstate
          FROM hoopguard.statement s
         WHERE s.session_id = $1
         ORDER BY s.origin, s.entry;
END
$$;
COMMENT ON FUNCTION hoopguard.replay(text) IS 'a session''s statements in order, with their timing';

CREATE FUNCTION hoopguard.verify_journal()
    RETURNS TABLE (origin text, entries bigint, root text, checkpoints bigint, ok boolean, detail text)
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_verify_journal';
COMMENT ON FUNCTION hoopguard.verify_journal() IS
    'reads the whole journal and judges every entry, the tree over them and every signed checkpoint';

CREATE FUNCTION hoopguard.inclusion_proof(entry bigint) RETURNS jsonb
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_inclusion_proof';
COMMENT ON FUNCTION hoopguard.inclusion_proof(bigint) IS
    'proof that an entry is in the tree that a signed checkpoint names (RFC 9162); it stands alone';

CREATE FUNCTION hoopguard.journal_key() RETURNS text
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_journal_key';
COMMENT ON FUNCTION hoopguard.journal_key() IS 'the public key that the journal''s checkpoints are signed for';

CREATE FUNCTION hoopguard.checkpoint() RETURNS text
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_checkpoint';
COMMENT ON FUNCTION hoopguard.checkpoint() IS
    'makes the journal durable and signs it as it stands: a note to keep elsewhere (C2SP tlog-checkpoint)';
REVOKE ALL ON FUNCTION hoopguard.checkpoint() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.checkpoint() TO hoopguard_admin, hoopguard_auditor;

CREATE FUNCTION hoopguard.coverage(since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity')
    RETURNS TABLE (from_time timestamptz, to_time timestamptz, state text, evidence text)
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_coverage';
COMMENT ON FUNCTION hoopguard.coverage(timestamptz, timestamptz) IS
    'when statements were recorded, only observed, when the server was down, and when it ran unrecorded';

REVOKE ALL ON FUNCTION hoopguard.verify_journal(), hoopguard.inclusion_proof(bigint),
    hoopguard.coverage(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.verify_journal(), hoopguard.inclusion_proof(bigint),
    hoopguard.coverage(timestamptz, timestamptz) TO hoopguard_auditor;

--
-- Health.
--

CREATE FUNCTION hoopguard.version() RETURNS text
    LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_version';
COMMENT ON FUNCTION hoopguard.version() IS 'the version of the library that the server has loaded';

CREATE FUNCTION hoopguard.status() RETURNS TABLE (name text, value text)
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_status';
COMMENT ON FUNCTION hoopguard.status() IS 'counters and settings in force, for monitoring';

CREATE FUNCTION hoopguard.examine_journal()
    RETURNS TABLE (check_name text, status text, detail text, remedy text)
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_examine_journal';
COMMENT ON FUNCTION hoopguard.examine_journal() IS 'the part of doctor() that looks at the journal and the settings';

-- With its owner's rights, because pg_hba_file_rules is for superusers alone.
CREATE FUNCTION hoopguard.doctor() RETURNS TABLE (check_name text, status text, detail text, remedy text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
SELECT 'library', 'ok', format('hoopguard %s is loaded since the server started', hoopguard.version()), NULL
UNION ALL
SELECT 'extension',
       CASE WHEN hoopguard.version() LIKE extversion || '.%' THEN 'ok' ELSE 'warn' END,
       format('the SQL objects of this database are of version %s', extversion),
       CASE WHEN hoopguard.version() NOT LIKE extversion || '.%' THEN 'ALTER EXTENSION hoopguard UPDATE;' END
  FROM pg_extension WHERE extname = 'hoopguard'
UNION ALL
SELECT 'control_database',
       CASE WHEN found THEN 'ok' ELSE 'fail' END,
       format(CASE WHEN found THEN 'policy is kept in database %I' ELSE 'database %I does not exist' END, name),
       CASE WHEN NOT found THEN format('CREATE DATABASE %I;', name) END
  FROM (SELECT current_setting('hoopguard.database')) AS control (name),
       LATERAL (SELECT EXISTS (SELECT FROM pg_database WHERE datname = name)) AS database (found)
UNION ALL
SELECT 'roles',
       CASE WHEN missing IS NULL THEN 'ok' ELSE 'fail' END,
       CASE WHEN missing IS NULL THEN 'hoopguard''s roles are there' ELSE format('missing: %s', missing) END,
       remedy
  FROM (SELECT string_agg(name, ', ' ORDER BY name),
               string_agg(format('CREATE ROLE %I NOLOGIN;', name), ' ' ORDER BY name)
          FROM unnest(ARRAY['hoopguard_admin', 'hoopguard_approver', 'hoopguard_auditor',
                            'hoopguard_breakglass']) AS wanted (name)
         WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)) AS roles (missing, remedy)
UNION ALL
SELECT * FROM hoopguard.examine_journal()
UNION ALL
SELECT 'authentication',
       CASE WHEN lines IS NULL THEN 'ok' ELSE 'warn' END,
       CASE WHEN lines IS NULL THEN 'no line of pg_hba.conf trusts a client''s word'
            ELSE format('whoever connects may say to be any role: pg_hba.conf trusts line %s', lines) END,
       CASE WHEN lines IS NOT NULL
            THEN format('Write scram-sha-256 in place of trust in %s; then SELECT pg_catalog.pg_reload_conf();',
                        current_setting('hba_file')) END
  FROM (SELECT string_agg(line_number::text, ', ' ORDER BY line_number)
          FROM pg_hba_file_rules WHERE auth_method = 'trust') AS trusting (lines)
$$;
COMMENT ON FUNCTION hoopguard.doctor() IS 'what stands between this server and its promises, and what to do about it';

REVOKE ALL ON FUNCTION hoopguard.status(), hoopguard.examine_journal(), hoopguard.doctor() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.status(), hoopguard.doctor() TO hoopguard_admin, hoopguard_auditor;
GRANT EXECUTE ON FUNCTION hoopguard.status() TO pg_monitor;
