-- Providers, role maps, and who speaks, for sessions of database roles.
\set SHOW_CONTEXT never
CREATE ROLE regress_mapped;
CREATE ROLE regress_other;

SELECT hoopguard.set_provider('corp', 'oidc', 'https://id.example', '{postgres}',
    jwks => '{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
    max_session => '8 hours');
SELECT hoopguard.map_group('corp', 'analysts', 'regress_mapped');
SELECT hoopguard.map_claims('corp', '{"repository": "shop/*"}', 'regress_mapped', rank => 10);
SELECT hoopguard.map_group('corp', 'analysts', 'regress_other', rank => 50);
SELECT name, kind, issuer, audience, algorithms, subject_claim, groups_claim, delegation_claim, max_session, enabled FROM hoopguard.provider;
SELECT * FROM hoopguard.role_map ORDER BY rank;
SELECT line FROM hoopguard.policy_script() AS line WHERE line LIKE '%corp%';

-- What is wrong is named, with what is allowed.
SELECT hoopguard.set_provider('', 'oidc', 'x', '{a}', jwks_uri => 'https://x');
SELECT hoopguard.set_provider('p', 'ldap', 'x', '{a}', jwks_uri => 'https://x');
SELECT hoopguard.set_provider('p', 'saml', 'x', '{a}', jwks_uri => 'https://x');
SELECT hoopguard.set_provider('p', 'saml', 'x', '{a}', jwks => '{"keys": [{"kty": "RSA"}]}');
SELECT hoopguard.set_provider('p', 'saml', 'x', '{a}', jwks => hoopguard.certificate_keys('AAAA'));
SELECT hoopguard.set_provider('p', 'saml', 'x', '{a}', jwks => hoopguard.certificate_keys('AAAA'), jwks_uri => 'https://x');
SELECT hoopguard.set_provider('p', 'saml', 'x', '{a}', jwks => '{}', algorithms => '{RS256,HS256}');
SELECT hoopguard.set_provider('p', 'saml', 'x', '{a}', jwks => '{}', algorithms => '{PS256}');
SELECT hoopguard.set_provider('p', 'oidc', '', '{a}', jwks_uri => 'https://x');
SELECT hoopguard.set_provider('p', 'oidc', 'x', '{}', jwks_uri => 'https://x');
SELECT hoopguard.set_provider('p', 'oidc', 'x', '{a}');
SELECT hoopguard.set_provider('p', 'oidc', 'x', '{a}', jwks_uri => 'http://x');
SELECT hoopguard.set_provider('p', 'oidc', 'x', '{a}', jwks_uri => 'https://x', algorithms => '{RS256,HS256}');
SELECT hoopguard.set_provider('p', 'oidc', 'x', '{a}', jwks_uri => 'https://x', max_session => '0');
SELECT hoopguard.set_provider('p', 'oidc', 'x', '{a}', jwks => '{"keys": [{"kty": "oct", "k": "AA"}]}');
SELECT hoopguard.set_provider('p', 'oidc', 'x', '{a}', jwks => '{"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]}');
SELECT hoopguard.map_group('nobody', 'g', 'regress_mapped');
SELECT hoopguard.map_group('corp', 'g', 'regress_nobody');
SELECT hoopguard.map_group('corp', 'g', 'regress_mapped', 'forever');
SELECT hoopguard.map_group('corp', NULL, 'regress_mapped');
SELECT hoopguard.map_claims('corp', '{"n": 1}', 'regress_mapped');
SELECT hoopguard.drop_provider('nobody');
SELECT hoopguard.unmap_group('corp', 'nobody');
SELECT hoopguard.unmap_claims('corp', '{"a": "b"}');

-- A SAML provider is its certificate.
SELECT hoopguard.certificate_keys(E'-----BEGIN CERTIFICATE-----\nAA\nBB\n-----END CERTIFICATE-----\n', ' CC DD ');
SELECT hoopguard.set_provider('saml', 'saml', 'https://idp.example', '{urn:database}', jwks => hoopguard.certificate_keys(
    'MIIDBzCCAe+gAwIBAgIUPSOWbYtokX6TSpOGyz4sFJyy4VcwDQYJKoZIhvcNAQELBQAwEjEQMA4GA1UEAwwHcmVncmVzczAgFw0yNjExMjYxNjI2MDJaGA8yMTI2MTEwMjE2MjYwMlowEjEQMA4GA1UEAwwHcmVncmVzczCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAKhCUxNel085N3Yyj/7Hlq7Pm7pWv5uPiXlSris3ONb/BSKlea9yf6LuNOlgnpBw9R/cwTK7RXsb1+N19Med/h/OytwMVlcyCtWnxU9WglNUXdSFQeGoiTxVbUQgQp5wpuCuC184kMjFLIKwoD/LadQCsx18YYDwaRKIEL/+ve6L0BNN4MLn3mUHh4o6dRQwSIrAscQupKMhfZod17Gt8SQo9UTIaGtzyj881obAm5IdRly0QBSsE0WYQDTTuv3UVA9p9lLNWYqFFywQTzUBgpE5wTctGVZwB6/uecHOBGTx1jgdhSc95zINSQs/gzwq/xWPVH6FDsULClB7nuVv5psCAwEAAaNTMFEwHQYDVR0OBBYEFGFP6zIzkqotuomm6fSoDdG3MeMMMB8GA1UdIwQYMBaAFGFP6zIzkqotuomm6fSoDdG3MeMMMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBACx+hbFAKycSKF+AVkpMjohefEs20xyySICoOPbYGfVUdNv80P0KZU99KDp6GY/kTYP+QP8qp5v932nRwAv0rIJCf3POM6l9WyvzxfjaRnGiPoRNR/n4YoDlp05erWGpwiPNizym0BxtpnGGDCgYDc9oooL88GDSbUjaRnmhfyO8EfOcyG+3X6O5j4JQpEEXp92WKjlNeSCj1CuaZtqRIraCsluYU9AxDzJfyJg/6IJ7FJTzQU5Q1RNZcvNvDU11Qxk2cKt6ho6t1lYAsiSJmfagcjwZStJIEDVmZEVCaoBHlw+Qq6PbkC8e4BhzKV07fc9RCzYmvkdlUoam3SFeHOs='));
SELECT kind, issuer, audience, algorithms, jwks->'keys'->0->'x5c'->>0 LIKE 'MII%' FROM hoopguard.provider WHERE name = 'saml';
SELECT status, detail FROM hoopguard.doctor() WHERE check_name = 'identity_saml';
SELECT hoopguard.login('PHg+');
SELECT error FROM hoopguard.statement WHERE statement LIKE 'SELECT hoopguard.login%' ORDER BY entry DESC LIMIT 1;
SELECT hoopguard.drop_provider('saml');

-- Who speaks without a token.
SELECT actor = current_user, actor_kind, login_role = session_user, effective_role = current_user, provider, groups, on_behalf_of, expires_at
    FROM hoopguard.whoami();
SELECT hoopguard.current_actor() = session_user, hoopguard.claim('sub');
SELECT hoopguard.login(NULL);
SELECT * FROM hoopguard.issue_credential(NULL);
SELECT hoopguard.login('nonsense');
SELECT statement, sqlstate, error FROM hoopguard.statement WHERE statement LIKE 'SELECT hoopguard.login%' ORDER BY entry DESC LIMIT 1;

-- doctor() has a word for every step.
SELECT check_name FROM hoopguard.doctor() WHERE check_name LIKE 'identity%' ORDER BY 1;

SELECT hoopguard.unmap_claims('corp', '{"repository": "shop/*"}');
SELECT hoopguard.drop_provider('corp');
SELECT count(*) FROM hoopguard.role_map;
DROP ROLE regress_mapped, regress_other;
