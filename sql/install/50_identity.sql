--
-- Identity: providers of tokens, the roles that their groups get, who speaks.
--

CREATE FUNCTION hoopguard.check_provider() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_check_provider';
CREATE FUNCTION hoopguard.check_role_map() RETURNS trigger
    LANGUAGE c SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_check_role_map';
CREATE FUNCTION hoopguard.provider_in_force(
    OUT name text, OUT kind text, OUT issuer text, OUT audience text[], OUT jwks jsonb, OUT jwks_uri text,
    OUT algorithms text[], OUT subject_claim text, OUT groups_claim text, OUT delegation_claim text,
    OUT max_session interval, OUT enabled boolean) RETURNS SETOF record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_provider_in_force';
CREATE FUNCTION hoopguard.role_map_in_force(
    OUT provider text, OUT group_name text, OUT claims jsonb, OUT role text, OUT session_role text,
    OUT rank integer) RETURNS SETOF record
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hoopguard_role_map_in_force';

SELECT hoopguard.make_policy('provider', $$
    name text PRIMARY KEY,
    kind text NOT NULL DEFAULT 'oidc',
    issuer text NOT NULL,
    audience text[] NOT NULL,
    jwks jsonb,
    jwks_uri text,
    algorithms text[] NOT NULL DEFAULT '{RS256,PS256,ES256,ES384,EdDSA}',
    subject_claim text NOT NULL DEFAULT 'sub',
    groups_claim text NOT NULL DEFAULT 'groups',
    delegation_claim text NOT NULL DEFAULT 'act',
    max_session interval,
    enabled boolean NOT NULL DEFAULT true$$,
    'the identity providers whose tokens are accepted, and the keys they sign with');
SELECT hoopguard.make_policy('role_map', $$
    provider text NOT NULL REFERENCES hoopguard.provider ON UPDATE CASCADE ON DELETE CASCADE,
    group_name text,
    claims jsonb,
    role text NOT NULL,
    session_role text NOT NULL DEFAULT 'mapped',
    rank integer NOT NULL DEFAULT 100,
    UNIQUE NULLS NOT DISTINCT (provider, group_name, claims)$$,
    'the role that a provider''s group, or whoever has certain claims, gets');

CREATE FUNCTION hoopguard.set_provider(
    name text, kind text, issuer text, audience text[], jwks jsonb DEFAULT NULL, jwks_uri text DEFAULT NULL,
    algorithms text[] DEFAULT '{RS256,PS256,ES256,ES384,EdDSA}', subject_claim text DEFAULT 'sub',
    groups_claim text DEFAULT 'groups', delegation_claim text DEFAULT 'act', max_session interval DEFAULT NULL,
    enabled boolean DEFAULT true) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hoopguard.require_control_database();
    INSERT INTO hoopguard.provider
        VALUES (set_provider.name, set_provider.kind, set_provider.issuer, set_provider.audience, set_provider.jwks,
                set_provider.jwks_uri, set_provider.algorithms, set_provider.subject_claim,
                set_provider.groups_claim, set_provider.delegation_claim, set_provider.max_session,
                set_provider.enabled)
        ON CONFLICT ON CONSTRAINT provider_pkey DO UPDATE
        SET (kind, issuer, audience, jwks, jwks_uri, algorithms, subject_claim, groups_claim, delegation_claim,
             max_session, enabled) =
            (EXCLUDED.kind, EXCLUDED.issuer, EXCLUDED.audience, EXCLUDED.jwks, EXCLUDED.jwks_uri,
             EXCLUDED.algorithms, EXCLUDED.subject_claim, EXCLUDED.groups_claim, EXCLUDED.delegation_claim,
             EXCLUDED.max_session, EXCLUDED.enabled);
END
$$;

-- A SAML provider's metadata has its certificate as base64 alone, files have it between lines of dashes.
CREATE FUNCTION hoopguard.certificate_keys(VARIADIC certificates text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('keys', jsonb_agg(jsonb_build_object('x5c', jsonb_build_array(
               regexp_replace(c, '-----[^-]*-----|\s', '', 'g')))))
      FROM unnest(certificates) c
$$;

CREATE FUNCTION hoopguard.drop_provider(name text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hoopguard.require_control_database();
    DELETE FROM hoopguard.provider p WHERE p.name = drop_provider.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'provider "%" does not exist', drop_provider.name
            USING ERRCODE = 'undefined_object', HINT = 'The names are in hoopguard.provider.';
    END IF;
END
$$;

-- With its owner's rights, because only a superuser may set session_preload_libraries: a server that is started
-- without the library turns such a role away. Only for roles that policy maps.
CREATE FUNCTION hoopguard.preload_for_mapped_roles() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT r.rolname FROM pg_roles r
         WHERE NOT r.rolsuper
           AND EXISTS (SELECT FROM hoopguard.role_map m JOIN pg_roles t ON t.rolname = m.role
                        WHERE t.oid = r.oid OR (r.rolcanlogin AND pg_has_role(r.oid, t.oid, 'MEMBER')))
           AND NOT EXISTS (SELECT FROM hoopguard.actor a
                            WHERE a.provider IS NULL AND a.name = r.rolname AND a.kind <> 'agent')
           AND NOT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c
                            WHERE s.setrole = r.oid AND s.setdatabase = 0 AND c LIKE 'session_preload_libraries=%hoopguard%')
    LOOP
        PERFORM hoopguard.store_preload(name, '{hoopguard}');
    END LOOP;
END
$$;

CREATE FUNCTION hoopguard.map_role(provider text, group_name text, claims jsonb, role text, session_role text, rank integer)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    others text;
BEGIN
    PERFORM hoopguard.require_control_database();
    IF NOT EXISTS (SELECT FROM hoopguard.provider p WHERE p.name = map_role.provider) THEN
        RAISE EXCEPTION 'provider "%" does not exist', map_role.provider
            USING ERRCODE = 'undefined_object', HINT = 'The names are in hoopguard.provider.';
    END IF;
    INSERT INTO hoopguard.role_map
        VALUES (map_role.provider, map_role.group_name, map_role.claims, map_role.role, map_role.session_role, map_role.rank)
        ON CONFLICT ON CONSTRAINT role_map_provider_group_name_claims_key DO UPDATE
        SET (role, session_role, rank) = (EXCLUDED.role, EXCLUDED.session_role, EXCLUDED.rank);
    PERFORM hoopguard.preload_for_mapped_roles();
    SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) INTO others
      FROM pg_roles r
     WHERE r.rolcanlogin AND NOT r.rolsuper AND pg_has_role(r.oid, map_role.role, 'MEMBER')
       AND NOT EXISTS (SELECT FROM hoopguard.actor a
                        WHERE a.provider IS NULL AND a.name = r.rolname AND (a.kind <> 'agent' OR a.pooled))
       AND NOT EXISTS (SELECT FROM hoopguard.temporary_role t WHERE t.role_oid = r.oid);
    IF others IS NOT NULL THEN
        RAISE NOTICE 'from now on these roles log in with a token alone: %', others
            USING HINT = 'One that is a person or a service with means of its own: INSERT INTO hoopguard.actor (name, kind) VALUES (..., ''human'').';
    END IF;
END
$$;

CREATE FUNCTION hoopguard.map_group(provider text, group_name text, role text, session_role text DEFAULT 'mapped',
                                    rank integer DEFAULT 100) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS
    'SELECT hoopguard.map_role(provider, group_name, NULL, role, session_role, rank)';
CREATE FUNCTION hoopguard.map_claims(provider text, claims jsonb, role text, session_role text DEFAULT 'mapped',
                                     rank integer DEFAULT 100) RETURNS void
    LANGUAGE sql SET search_path = pg_catalog, pg_temp AS
    'SELECT hoopguard.map_role(provider, NULL, claims, role, session_role, rank)';

CREATE FUNCTION hoopguard.unmap_group(provider text, group_name text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hoopguard.require_control_database();
    DELETE FROM hoopguard.role_map m
     WHERE m.provider = unmap_group.provider AND m.group_name = unmap_group.group_name AND m.claims IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'group "%" of provider "%" has no role', unmap_group.group_name, unmap_group.provider
            USING ERRCODE = 'undefined_object', HINT = 'See hoopguard.role_map.';
    END IF;
END
$$;
CREATE FUNCTION hoopguard.unmap_claims(provider text, claims jsonb) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM hoopguard.require_control_database();
    DELETE FROM hoopguard.role_map m
     WHERE m.provider = unmap_claims.provider AND m.group_name IS NULL AND m.claims = unmap_claims.claims;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'claims % of provider "%" have no role', unmap_claims.claims, unmap_claims.provider
            USING ERRCODE = 'undefined_object', HINT = 'See hoopguard.role_map.';
    END IF;
END
$$;

CREATE FUNCTION hoopguard.identity_script() RETURNS SETOF text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT hoopguard.set_provider(%s);', (
               SELECT string_agg(format('%s => %L', a.name, a.value), ', ' ORDER BY a.place)
               FROM (VALUES (1, 'name', p.name), (2, 'kind', p.kind), (3, 'issuer', p.issuer),
                            (4, 'audience', p.audience::text), (5, 'jwks', p.jwks::text), (6, 'jwks_uri', p.jwks_uri),
                            (7, 'algorithms', p.algorithms::text), (8, 'subject_claim', p.subject_claim),
                            (9, 'groups_claim', p.groups_claim), (10, 'delegation_claim', p.delegation_claim),
                            (11, 'max_session', p.max_session::text), (12, 'enabled', p.enabled::text)) a (place, name, value)
               WHERE a.value IS NOT NULL))
    FROM (SELECT * FROM hoopguard.provider ORDER BY name COLLATE "C") p
    UNION ALL
    SELECT format('SELECT hoopguard.map_role(%L, %L, %L, %L, %L, %s);', m.provider, m.group_name, m.claims, m.role,
                  m.session_role, m.rank)
    FROM (SELECT * FROM hoopguard.role_map
           ORDER BY provider COLLATE "C", rank, group_name COLLATE "C", claims) m
$$;

CREATE FUNCTION hoopguard.whoami(
    OUT actor text, OUT actor_kind text, OUT login_role text, OUT effective_role text, OUT provider text,
    OUT groups text[], OUT on_behalf_of text, OUT session_id text, OUT expires_at timestamptz, OUT grants bigint[])
    LANGUAGE c STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_whoami';
CREATE FUNCTION hoopguard.current_actor() RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'hoopguard_current_actor';
CREATE FUNCTION hoopguard.claim(name text) RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'hoopguard_claim';
-- Without SET, which would end what login() sets with the call.
CREATE FUNCTION hoopguard.login(token text) RETURNS text
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'hoopguard_login';

-- Starts the program that verifies SAML responses; for doctor().
CREATE FUNCTION hoopguard.saml_problem() RETURNS text
    LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'hoopguard_saml_problem';
REVOKE ALL ON FUNCTION hoopguard.saml_problem() FROM PUBLIC;

REVOKE ALL ON FUNCTION hoopguard.preload_for_mapped_roles(),
    hoopguard.set_provider(text, text, text, text[], jsonb, text, text[], text, text, text, interval, boolean),
    hoopguard.drop_provider(text), hoopguard.map_role(text, text, jsonb, text, text, integer),
    hoopguard.map_group(text, text, text, text, integer), hoopguard.map_claims(text, jsonb, text, text, integer),
    hoopguard.unmap_group(text, text), hoopguard.unmap_claims(text, jsonb), hoopguard.identity_script() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hoopguard.identity_script()
    TO hoopguard_admin, hoopguard_approver, hoopguard_auditor;
GRANT EXECUTE ON FUNCTION hoopguard.preload_for_mapped_roles(),
    hoopguard.set_provider(text, text, text, text[], jsonb, text, text[], text, text, text, interval, boolean),
    hoopguard.drop_provider(text), hoopguard.map_role(text, text, jsonb, text, text, integer),
    hoopguard.map_group(text, text, text, text, integer), hoopguard.map_claims(text, jsonb, text, text, integer),
    hoopguard.unmap_group(text, text), hoopguard.unmap_claims(text, jsonb) TO hoopguard_admin;

COMMENT ON FUNCTION hoopguard.check_provider() IS 'trigger: refuses a provider that no token could be verified by';
COMMENT ON FUNCTION hoopguard.check_role_map() IS 'trigger: refuses a map to a role that does not exist or is a superuser';
COMMENT ON FUNCTION hoopguard.provider_in_force() IS 'the identity providers at this moment';
COMMENT ON FUNCTION hoopguard.role_map_in_force() IS 'the maps from groups and claims to roles at this moment';
COMMENT ON FUNCTION hoopguard.set_provider(text, text, text, text[], jsonb, text, text[], text, text, text, interval, boolean) IS
    'adds an identity provider, or replaces the one of that name';
COMMENT ON FUNCTION hoopguard.drop_provider(text) IS 'removes an identity provider and its maps';
COMMENT ON FUNCTION hoopguard.preload_for_mapped_roles() IS
    'has roles that come with a token turned away by a server that runs without the library';
COMMENT ON FUNCTION hoopguard.map_role(text, text, jsonb, text, text, integer) IS
    'gives a role to whoever is in a group and has certain claims; map_group() and map_claims() name one of them';
COMMENT ON FUNCTION hoopguard.map_group(text, text, text, text, integer) IS 'gives a role to a provider''s group';
COMMENT ON FUNCTION hoopguard.map_claims(text, jsonb, text, text, integer) IS
    'gives a role to whoever has certain claims, such as a CI job of a repository and branch';
COMMENT ON FUNCTION hoopguard.unmap_group(text, text) IS 'takes the role of a group back';
COMMENT ON FUNCTION hoopguard.unmap_claims(text, jsonb) IS 'takes the role of certain claims back';
COMMENT ON FUNCTION hoopguard.identity_script() IS 'the part of policy_script() that makes providers and maps again';
COMMENT ON FUNCTION hoopguard.whoami() IS 'who speaks in this session, by which provider''s word, until when';
COMMENT ON FUNCTION hoopguard.current_actor() IS 'the token''s subject, or the login role; for row-level security';
COMMENT ON FUNCTION hoopguard.claim(text) IS 'a claim of the token that the session speaks by; for row-level security';
COMMENT ON FUNCTION hoopguard.certificate_keys(text[]) IS
    'certificates of a SAML provider as set_provider() takes them in jwks';
COMMENT ON FUNCTION hoopguard.saml_problem() IS 'why SAML responses cannot be verified on this server; NULL when they can';
COMMENT ON FUNCTION hoopguard.login(text) IS
    'speaks by a token from now on: within a transaction block until it ends, otherwise for the session';

-- Files are read for superusers alone, whoever's rights a function has: for others these give NULL. In plpgsql, so that
-- the functions that read are met only where they are called.
CREATE FUNCTION hoopguard.text_of_file(path text) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
        RETURN pg_read_file(path, 0, 65536, true);
    END IF;
    RETURN NULL;
END
$$;
CREATE FUNCTION hoopguard.size_of_file(path text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
        RETURN (pg_stat_file(path, true)).size;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION hoopguard.text_of_file(text), hoopguard.size_of_file(text) FROM PUBLIC;
COMMENT ON FUNCTION hoopguard.text_of_file(text) IS 'a small file of the server, for doctor(); NULL unless a superuser asks';
COMMENT ON FUNCTION hoopguard.size_of_file(text) IS 'the size of a file of the server, for doctor(); NULL unless a superuser asks';

-- With its owner's rights: pg_hba_file_rules is for superusers alone.
CREATE FUNCTION hoopguard.examine_identity()
    RETURNS TABLE (check_name text, status text, detail text, remedy text)
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
WITH provider AS (SELECT * FROM hoopguard.provider WHERE enabled),
     line AS (SELECT line_number, type, auth_method FROM pg_hba_file_rules
               WHERE auth_method = 'pam' AND 'pamservice=hoopguard' = ANY (options)),
     -- The roles that log in with a token alone.
     needing AS (
         SELECT r.oid, r.rolname, r.rolcanlogin FROM pg_roles r
          WHERE NOT r.rolsuper
            AND EXISTS (SELECT FROM hoopguard.role_map m JOIN pg_roles t ON t.rolname = m.role
                         WHERE t.oid = r.oid OR (r.rolcanlogin AND pg_has_role(r.oid, t.oid, 'MEMBER')))
            AND NOT EXISTS (SELECT FROM hoopguard.actor a WHERE a.provider IS NULL AND a.name = r.rolname AND a.kind <> 'agent')),
     service AS (SELECT hoopguard.text_of_file('/etc/pam.d/hoopguard') AS text),
     module AS (SELECT coalesce(substring(text FROM '(?n)^\s*auth\s+\S+\s+(\S*pam_hoopguard\S*)'), '') AS name FROM service),
     -- A name without a directory is looked for where PAM's own modules are.
     found AS (SELECT EXISTS (
         SELECT FROM module, unnest(CASE WHEN name LIKE '/%' THEN ARRAY[name] ELSE ARRAY[
             '/lib/x86_64-linux-gnu/security/' || name, '/lib/aarch64-linux-gnu/security/' || name,
             '/usr/lib64/security/' || name, '/lib/security/' || name] END) AS path
          WHERE name <> '' AND hoopguard.size_of_file(path) > 0) AS here)
SELECT 'identity_provider',
       CASE WHEN EXISTS (SELECT FROM provider) AND NOT EXISTS (SELECT FROM hoopguard.role_map) THEN 'warn' ELSE 'ok' END,
       CASE WHEN NOT EXISTS (SELECT FROM provider) THEN 'no identity provider is set: every role logs in by its own means'
            WHEN NOT EXISTS (SELECT FROM hoopguard.role_map) THEN 'no group has a role: no token lets anybody in'
            ELSE (SELECT format('tokens of %s are accepted', string_agg(quote_ident(name), ', ' ORDER BY name)) FROM provider) END,
       CASE WHEN EXISTS (SELECT FROM provider) AND NOT EXISTS (SELECT FROM hoopguard.role_map)
            THEN (SELECT format('SELECT hoopguard.map_group(%L, ''<group>'', ''<role>'');', min(name)) FROM provider) END
UNION ALL
SELECT 'identity_tls', CASE WHEN current_setting('ssl')::boolean THEN 'ok' ELSE 'fail' END,
       CASE WHEN current_setting('ssl')::boolean THEN 'tokens can come over TLS' ELSE 'ssl is off: no token is accepted' END,
       CASE WHEN NOT current_setting('ssl')::boolean THEN 'ALTER SYSTEM SET ssl = on;' END
 WHERE EXISTS (SELECT FROM provider)
UNION ALL
SELECT 'identity_hba',
       CASE WHEN NOT EXISTS (SELECT FROM line) THEN 'fail' WHEN EXISTS (SELECT FROM line WHERE type <> 'hostssl') THEN 'warn' ELSE 'ok' END,
       CASE WHEN NOT EXISTS (SELECT FROM line) THEN 'no line of pg_hba.conf asks for tokens'
            ELSE (SELECT format('line %s of pg_hba.conf asks for tokens', string_agg(line_number::text, ', ' ORDER BY line_number))
                    FROM line WHERE NOT EXISTS (SELECT FROM line WHERE type <> 'hostssl') OR type <> 'hostssl') END,
       CASE WHEN NOT EXISTS (SELECT FROM line)
            THEN format('Put before other lines of %s: hostssl all <login role> all pam pamservice=hoopguard', current_setting('hba_file'))
            WHEN EXISTS (SELECT FROM line WHERE type <> 'hostssl') THEN format('Write hostssl in their place in %s.', current_setting('hba_file')) END
 WHERE EXISTS (SELECT FROM provider)
UNION ALL
SELECT 'identity_pam', CASE WHEN name <> '' AND here THEN 'ok' ELSE 'fail' END,
       CASE WHEN text IS NULL THEN 'there is no /etc/pam.d/hoopguard' WHEN name = '' THEN '/etc/pam.d/hoopguard does not name pam_hoopguard.so'
            WHEN NOT here THEN format('%s, which /etc/pam.d/hoopguard names, does not exist', name)
            ELSE format('PAM service hoopguard uses %s', name) END,
       CASE WHEN name = '' OR NOT here
            THEN 'Install pam_hoopguard.so, and write into /etc/pam.d/hoopguard: auth required pam_hoopguard.so and: account required pam_hoopguard.so' END
  FROM service, module, found
 WHERE EXISTS (SELECT FROM provider) AND (SELECT rolsuper FROM pg_roles WHERE rolname = session_user)
UNION ALL
SELECT 'identity_roles', CASE WHEN missing IS NULL THEN 'ok' ELSE 'fail' END,
       CASE WHEN missing IS NULL THEN 'every role that tokens give exists' ELSE format('tokens give roles that do not exist: %s', missing) END, remedy
  FROM (SELECT string_agg(DISTINCT quote_ident(role), ', '), string_agg(DISTINCT format('CREATE ROLE %I;', role), ' ')
          FROM hoopguard.role_map m WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = m.role)) AS gone (missing, remedy)
 WHERE EXISTS (SELECT FROM provider)
UNION ALL
SELECT 'identity_preload', CASE WHEN open IS NULL THEN 'ok' ELSE 'warn' END,
       CASE WHEN open IS NULL THEN 'a server that runs without the library turns mapped roles away'
            ELSE format('a server that runs without the library would let these in: %s', open) END,
       CASE WHEN open IS NOT NULL THEN 'SELECT hoopguard.preload_for_mapped_roles();' END
  FROM (SELECT string_agg(quote_ident(rolname), ', ' ORDER BY rolname) FROM needing n
         WHERE NOT EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c
                            WHERE s.setrole = n.oid AND s.setdatabase = 0 AND c LIKE 'session_preload_libraries=%hoopguard%')) AS roles (open)
 WHERE EXISTS (SELECT FROM provider)
UNION ALL
SELECT 'identity_saml', CASE WHEN problem IS NULL THEN 'ok' ELSE 'fail' END,
       CASE WHEN problem IS NULL THEN 'SAML responses can be verified' ELSE format('SAML responses cannot be verified: %s', problem) END,
       CASE WHEN problem IS NOT NULL
            THEN 'Install postgresql-15-hoopguard-saml, or libxmlsec1 and libxmlsec1-openssl; or build hoopguard where pkg-config finds xmlsec1-openssl.' END
  FROM hoopguard.saml_problem() AS problem
 WHERE EXISTS (SELECT FROM provider WHERE kind = 'saml')
UNION ALL
SELECT 'identity_keys', CASE WHEN waiting IS NULL THEN 'ok' ELSE 'fail' END,
       CASE WHEN waiting IS NULL THEN 'the keys of every provider are here' ELSE format('the keys of these providers have not been fetched: %s', waiting) END,
       CASE WHEN waiting IS NOT NULL THEN 'See the server''s log about jwks_uri, or give the keys themselves: hoopguard.set_provider(..., jwks => ...).' END
  FROM (SELECT string_agg(quote_ident(p.name), ', ' ORDER BY p.name) FROM provider p
         WHERE p.kind = 'oidc' AND p.jwks IS NULL
           AND hoopguard.size_of_file(format('%s/policy/keys-%s.json', current_setting('hoopguard.journal_directory'),
                                             encode(convert_to(p.name, 'UTF8'), 'hex'))) IS NULL) AS keys (waiting)
 WHERE EXISTS (SELECT FROM provider) AND (SELECT rolsuper FROM pg_roles WHERE rolname = session_user)
$$;
COMMENT ON FUNCTION hoopguard.examine_identity() IS 'the part of doctor() that looks at how tokens come in';
REVOKE ALL ON FUNCTION hoopguard.examine_identity() FROM PUBLIC;
