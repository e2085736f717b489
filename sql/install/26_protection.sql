--
-- Protection: everything that an agent's role needs, in one call.
--

CREATE FUNCTION hoopguard.store_preload(role text, libraries text[]) RETURNS void
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_store_preload';
COMMENT ON FUNCTION hoopguard.store_preload(text, text[]) IS
    'sets session_preload_libraries of a role; for the extension''s owner';
REVOKE ALL ON FUNCTION hoopguard.store_preload(text, text[]) FROM PUBLIC;

-- With its owner's rights, because the setting is for superusers alone. A server that was started without the
-- library fails to load it so late, and turns the role away.
CREATE FUNCTION hoopguard.set_session_preload(role text, wanted boolean) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now_set text;
    others text[];
BEGIN
    SELECT btrim(substr(s, strpos(s, '=') + 1)) INTO now_set
      FROM pg_db_role_setting, unnest(setconfig) s
     WHERE setrole = to_regrole(quote_ident($1)) AND setdatabase = 0 AND s LIKE 'session\_preload\_libraries=%';
    others := ARRAY(SELECT btrim(l, ' "') FROM string_to_table(coalesce(now_set, ''), ',') l
                     WHERE btrim(l, ' "') NOT IN ('', 'hoopguard'));
    IF wanted = coalesce(now_set ~ '(^|[ ,"])hoopguard($|[ ,"])', false) THEN
        RETURN false;
    END IF;
    IF wanted THEN
        others := 'hoopguard'::text || others;
    END IF;
    PERFORM hoopguard.store_preload($1, others);
    RETURN true;
END
$$;
COMMENT ON FUNCTION hoopguard.set_session_preload(text, boolean) IS
    'has a role turned away by a server that was started without hoopguard, or no more; whether that changed';

-- A role's settings are those of whoever logs in by its name: its members have their own.
CREATE FUNCTION hoopguard.logins_of(role text) RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE held (member) AS (
        SELECT oid FROM pg_roles WHERE rolname = $1
        UNION
        SELECT m.member FROM held h JOIN pg_auth_members m ON m.roleid = h.member
    )
    SELECT r.rolname::text FROM held h JOIN pg_roles r ON r.oid = h.member WHERE r.rolcanlogin OR r.rolname = $1
$$;
COMMENT ON FUNCTION hoopguard.logins_of(text) IS 'a role, and its members that can log in';

-- What the guardrails of an agent say. The name of one is "protect ROLE: CLASS".
CREATE FUNCTION hoopguard.protection()
    RETURNS TABLE (place integer, class text, action text, message text)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    VALUES (1, 'database', 'block', 'An agent may not create, change or drop databases and tablespaces.'),
           (2, 'role', 'block', 'An agent may not create, change or drop roles.'),
           (3, 'policy', 'block', 'An agent may not change the policy that guards it.'),
           (4, 'config', 'block', 'An agent may not change settings of the server.'),
           (5, 'egress', 'block', 'An agent may not use files, programs or other servers.'),
           (6, 'replication', 'block', 'An agent may not replicate.'),
           (7, 'write.unbounded', 'block', 'This changes every row of a table: add a condition that names the rows.'),
           (8, 'ddl.drop', 'block', 'An agent may not drop objects.'),
           (9, 'ddl', 'ask', 'A change of definitions by an agent needs a person''s approval.'),
           (10, 'code', 'ask', 'Code by an agent needs a person''s approval.'),
           (11, 'grant', 'ask', 'A change of privileges by an agent needs a person''s approval.'),
           (12, 'write', 'ask', 'A change of data by an agent needs a person''s approval.')
$$;
COMMENT ON FUNCTION hoopguard.protection() IS 'the guardrails that protect_agent() makes';

CREATE FUNCTION hoopguard.check_protect(role text, mode text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce($1, '') IN ('', 'group:') OR $1 NOT LIKE 'group:%' AND to_regrole(quote_ident($1)) IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "role": %L', $1),
            HINT = 'Allowed: the name of an existing role, or group:NAME.';
    END IF;
    IF $2 IS NULL OR $2 NOT IN ('enforce', 'observe', 'off') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid value for argument "mode": %L', $2), HINT = 'Allowed: enforce, observe, off.';
    END IF;
END
$$;
COMMENT ON FUNCTION hoopguard.check_protect(text, text) IS 'refuses arguments that protect_agent() cannot use';

-- What no guardrail can hold: said as a warning and as a row.
CREATE FUNCTION hoopguard.unheld(role text) RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE held (member) AS (
        SELECT oid FROM pg_roles WHERE rolname = $1
        UNION
        SELECT m.member FROM held h JOIN pg_auth_members m ON m.roleid = h.member
    )
    SELECT format('%s is a superuser: whoever uses it can undo all this', quote_ident(r.rolname))
      FROM held h JOIN pg_roles r ON r.oid = h.member WHERE r.rolsuper
    UNION ALL
    SELECT format('%s may replicate: what it reads so is neither judged nor masked', quote_ident(r.rolname))
      FROM held h JOIN pg_roles r ON r.oid = h.member WHERE r.rolreplication AND NOT r.rolsuper
    UNION ALL
    SELECT format('%s bypasses row security', quote_ident(r.rolname))
      FROM held h JOIN pg_roles r ON r.oid = h.member WHERE r.rolbypassrls AND NOT r.rolsuper
$$;
COMMENT ON FUNCTION hoopguard.unheld(text) IS 'what a role may do that no guardrail holds';

CREATE FUNCTION hoopguard.protect_agent(role text, approvers text[] DEFAULT NULL, owner text DEFAULT NULL,
                                        purpose text DEFAULT NULL, mode text DEFAULT 'enforce')
    RETURNS TABLE (what text, detail text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_group boolean := protect_agent.role LIKE 'group:%';
    one record;
    risk text;
BEGIN
    PERFORM hoopguard.require_control_database();
    PERFORM hoopguard.check_protect(protect_agent.role, protect_agent.mode);
    FOR one IN SELECT * FROM hoopguard.protection() p ORDER BY p.place LOOP
        INSERT INTO hoopguard.guardrail AS g (name, action, classes, roles, approvers, message, mode)
            VALUES (format('protect %s: %s', protect_agent.role, one.class), one.action, ARRAY[one.class],
                    ARRAY[protect_agent.role], CASE one.action WHEN 'ask' THEN protect_agent.approvers END,
                    one.message, protect_agent.mode)
            ON CONFLICT ON CONSTRAINT guardrail_pkey DO UPDATE
            SET (action, classes, roles, except_roles, databases, objects, max_rows, per, max_cost, max_duration,
                 schedule, approvers, min_approvals, wait, message, mode) =
                (EXCLUDED.action, EXCLUDED.classes, EXCLUDED.roles, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                 EXCLUDED.approvers, NULL, NULL, EXCLUDED.message, EXCLUDED.mode);
        RETURN QUERY SELECT 'guardrail', format('%s %s', CASE one.action WHEN 'ask' THEN 'asks for' ELSE 'blocks' END,
                                                one.class || CASE protect_agent.mode WHEN 'enforce' THEN ''
                                                             ELSE ' (' || protect_agent.mode || ')' END);
    END LOOP;

    -- Behind every other mask policy: one without roles comes first.
    FOR one IN SELECT c.name, c.method FROM hoopguard.data_class c
               UNION ALL SELECT 'unclassified', 'detect' ORDER BY 1 LOOP
        BEGIN
            PERFORM hoopguard.set_mask(one.name, one.method, ARRAY[protect_agent.role], 1000);
        EXCEPTION WHEN invalid_parameter_value THEN
            -- A library of another version may lack the method: then nothing is shown.
            one.method := 'redact';
            PERFORM hoopguard.set_mask(one.name, one.method, ARRAY[protect_agent.role], 1000);
        END;
        RETURN QUERY SELECT 'mask', format('%s by %s', one.name, one.method);
    END LOOP;

    IF is_group THEN
        RETURN QUERY SELECT 'actor', 'none: members of a group are actors of their own';
    ELSE
        INSERT INTO hoopguard.actor AS a (name, kind, owner, purpose)
            VALUES (protect_agent.role, 'agent', protect_agent.owner, protect_agent.purpose)
            ON CONFLICT ON CONSTRAINT actor_provider_name_key DO UPDATE
            SET kind = 'agent', owner = coalesce(EXCLUDED.owner, a.owner),
                purpose = coalesce(EXCLUDED.purpose, a.purpose);
        RETURN QUERY SELECT 'actor', format('%s is an agent%s', protect_agent.role, ' owned by ' || a.owner)
                       FROM hoopguard.actor a WHERE a.name = protect_agent.role AND a.provider IS NULL;
        FOR one IN SELECT l.name FROM hoopguard.logins_of(protect_agent.role) l (name) ORDER BY 1 LOOP
            PERFORM hoopguard.set_session_preload(one.name, true);
            RETURN QUERY SELECT 'session_preload_libraries',
                                format('a server started without hoopguard turns %s away', one.name);
        END LOOP;
    END IF;

    FOR risk IN SELECT u FROM hoopguard.unheld(protect_agent.role) u ORDER BY u LOOP
        RAISE WARNING '%', risk USING HINT = 'Give agents roles of their own that have no such right.';
        RETURN QUERY SELECT 'warning', risk;
    END LOOP;
END
$$;
COMMENT ON FUNCTION hoopguard.protect_agent(text, text[], text, text, text) IS
    'registers a role or group:NAME as an agent''s, with guardrails, masks and a server that must have hoopguard';

CREATE FUNCTION hoopguard.unprotect_agent(role text) RETURNS TABLE (what text, detail text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    count_of bigint;
    login text;
BEGIN
    PERFORM hoopguard.require_control_database();
    DELETE FROM hoopguard.guardrail g
     WHERE g.name IN (SELECT format('protect %s: %s', unprotect_agent.role, p.class) FROM hoopguard.protection() p);
    GET DIAGNOSTICS count_of = ROW_COUNT;
    IF count_of = 0 THEN
        RAISE EXCEPTION 'role "%" is not protected by protect_agent()', unprotect_agent.role
            USING ERRCODE = 'undefined_object', HINT = 'Its guardrails are named "protect ROLE: CLASS".';
    END IF;
    RETURN QUERY SELECT 'guardrail', format('%s removed', count_of);
    DELETE FROM hoopguard.mask_policy m WHERE m.roles = ARRAY[unprotect_agent.role] AND m.rank = 1000;
    GET DIAGNOSTICS count_of = ROW_COUNT;
    RETURN QUERY SELECT 'mask', format('%s removed', count_of);
    DELETE FROM hoopguard.actor a WHERE a.provider IS NULL AND a.name = unprotect_agent.role AND a.kind = 'agent';
    IF FOUND THEN
        RETURN QUERY SELECT 'actor', format('%s is no longer registered as an agent', unprotect_agent.role);
    END IF;
    FOR login IN SELECT l FROM hoopguard.logins_of(unprotect_agent.role) l ORDER BY 1 LOOP
        IF hoopguard.set_session_preload(login, false) THEN
            RETURN QUERY SELECT 'session_preload_libraries',
                                format('a server started without hoopguard takes %s again', login);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION hoopguard.unprotect_agent(text) IS 'takes away what protect_agent() made';

REVOKE ALL ON FUNCTION hoopguard.set_session_preload(text, boolean), hoopguard.logins_of(text), hoopguard.protection(),
    hoopguard.check_protect(text, text), hoopguard.unheld(text),
    hoopguard.protect_agent(text, text[], text, text, text), hoopguard.unprotect_agent(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.set_session_preload(text, boolean), hoopguard.logins_of(text), hoopguard.protection(),
    hoopguard.check_protect(text, text), hoopguard.unheld(text),
    hoopguard.protect_agent(text, text[], text, text, text), hoopguard.unprotect_agent(text) TO hoopguard_admin;
