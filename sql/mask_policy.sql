-- Mask policies: how a data class is masked, for whom and where; the lowest matching rank wins.
CREATE ROLE policy_reader LOGIN;
CREATE ROLE policy_support LOGIN;
CREATE ROLE policy_lead LOGIN IN ROLE policy_support;
CREATE ROLE policy_admin LOGIN IN ROLE hoopguard_admin;
CREATE SCHEMA mask_policy;
GRANT USAGE ON SCHEMA mask_policy TO PUBLIC;
SET search_path = mask_policy;
CREATE TABLE customer (id int PRIMARY KEY, email text, badge text, note text);
CREATE TABLE archive (LIKE customer);
INSERT INTO customer VALUES (1, 'anna@example.org', 'B-1234', 'call her');
INSERT INTO archive VALUES (1, 'otto@example.org', 'B-9876', 'called');
GRANT SELECT ON customer, archive TO PUBLIC;

SET ROLE policy_admin;
-- A class of one's own, with its own method.
INSERT INTO hoopguard.data_class (name, method, description) VALUES ('badge', 'partial(2, 0)', 'staff badges');
SELECT hoopguard.classify_column('customer', 'email', 'email'), hoopguard.classify_column('customer', 'badge', 'badge'),
       hoopguard.classify_column('archive', 'email', 'email');
RESET ROLE;
SET SESSION AUTHORIZATION policy_reader;
SELECT email, badge, note FROM customer;
RESET SESSION AUTHORIZATION;

SET ROLE policy_admin;
SELECT hoopguard.set_mask('email', 'null');
SELECT hoopguard.set_mask('email', 'clear', roles => '{policy_support}', rank => 50, except_roles => '{policy_lead}');
SELECT hoopguard.set_mask('email', 'redact', roles => '{policy_support}', rank => 10, objects => '{mask_policy.arch*}');
SELECT hoopguard.set_mask('email', 'partial(1, 0)', roles => '{policy_lead}', databases => '{nowhere}');
SELECT data_class, roles, except_roles, databases, objects, method, rank FROM hoopguard.mask_policy ORDER BY rank, roles;
SELECT * FROM hoopguard.policy_script() s WHERE s ~ 'mask|data_class';
RESET ROLE;
SET SESSION AUTHORIZATION policy_reader;
SELECT email IS NULL AS hidden FROM customer;
SET SESSION AUTHORIZATION policy_support;
SELECT c.email, a.email FROM customer c, archive a;
SET SESSION AUTHORIZATION policy_lead;
SELECT c.email, a.email FROM customer c, archive a;
RESET SESSION AUTHORIZATION;
-- The same roles, databases and objects: replaced.
SELECT hoopguard.set_mask('email', 'email');
SELECT count(*) FROM hoopguard.mask_policy WHERE data_class = 'email' AND roles IS NULL;
SELECT hoopguard.drop_mask('email', '{policy_support}');
SELECT hoopguard.drop_mask('email', '{policy_support}');
-- Changes are followed by kept plans.
SET SESSION AUTHORIZATION policy_support;
PREPARE kept AS SELECT email FROM customer;
EXECUTE kept;
RESET SESSION AUTHORIZATION;
SELECT hoopguard.set_mask('email', 'partial(3, 4)', roles => '{policy_support}', rank => 1);
SET SESSION AUTHORIZATION policy_support;
EXECUTE kept;
RESET SESSION AUTHORIZATION;
-- Columns without a label: masked where a policy names them.
SELECT hoopguard.set_mask('unclassified', 'partial(1, 1)', roles => '{policy_reader}');
SET SESSION AUTHORIZATION policy_reader;
SELECT note, badge FROM customer;
CREATE TEMP TABLE mine AS SELECT note FROM customer;
UPDATE mine SET note = note || '!' RETURNING note;
RESET SESSION AUTHORIZATION;

-- What is refused.
\set SHOW_CONTEXT never
SELECT hoopguard.set_mask('nonsense', 'redact');
SELECT hoopguard.set_mask('email', 'scramble');
SELECT hoopguard.set_mask('email', 'partial(-1, 2)');
SELECT hoopguard.set_mask('email', 'redact', roles => '{nobody_here}');
SELECT hoopguard.set_mask('email', 'redact', roles => '{}');
SELECT hoopguard.set_mask('email', NULL);
SELECT hoopguard.set_mask('email', 'redact', rank => NULL);
INSERT INTO hoopguard.data_class (name) VALUES ('E-mail');
INSERT INTO hoopguard.data_class (name, built_in) VALUES ('mine', true);
UPDATE hoopguard.data_class SET method = 'clear' WHERE name = 'email';
DELETE FROM hoopguard.data_class WHERE name = 'email';
SELECT hoopguard.set_mask('badge', 'null');
DELETE FROM hoopguard.data_class WHERE name = 'badge';
-- A method that cannot keep a type, wherever it is said.
CREATE TABLE numbers (phone bigint);
SELECT hoopguard.set_mask('phone', 'partial(1, 2)');
SELECT hoopguard.classify_column('numbers', 'phone', 'phone');
SELECT hoopguard.set_mask('phone', 'redact');
SELECT hoopguard.classify_column('numbers', 'phone', 'phone');
SELECT hoopguard.set_mask('phone', 'partial(1, 2)', roles => '{policy_lead}');
SET ROLE policy_reader;
SELECT hoopguard.set_mask('email', 'clear');
SELECT hoopguard.drop_mask('email');
SELECT * FROM hoopguard.mask_policy;
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA mask_policy CASCADE;
DROP TABLE mine;
SELECT hoopguard.drop_mask('email'), hoopguard.drop_mask('email', '{policy_lead}'), hoopguard.drop_mask('email', '{policy_support}'),
       hoopguard.drop_mask('badge'), hoopguard.drop_mask('phone'), hoopguard.drop_mask('unclassified', '{policy_reader}');
DELETE FROM hoopguard.data_class WHERE NOT built_in;
DROP ROLE policy_reader, policy_support, policy_lead, policy_admin;
