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
