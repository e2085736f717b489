-- A token in place of a password: a role to log in as, which has no password and may do nothing by itself …
\set ON_ERROR_STOP on
CREATE ROLE helpdesk;
CREATE ROLE bot LOGIN NOINHERIT IN ROLE helpdesk;
-- … the company's identity provider, and what the people and programs of one of its groups work as.
SELECT hoopguard.set_provider('corp', 'oidc', issuer => 'https://login.example.com', audience => '{postgres}',
                              jwks => :'keys');
SELECT hoopguard.map_group('corp', 'helpdesk', 'helpdesk');
-- In the shop: what the role may read.
\connect shop
GRANT SELECT ON customer TO helpdesk;
