-- Access and its review: where privileges come from, what stands out, what is certified, what a date does.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = error;
SELECT current_user AS super \gset
CREATE ROLE regress_rv_dana LOGIN;
CREATE ROLE regress_rv_bob LOGIN IN ROLE hoopguard_auditor;
CREATE ROLE regress_rv_gone LOGIN;
CREATE ROLE regress_rv_clerk LOGIN;
CREATE ROLE regress_rv_agent LOGIN;
CREATE ROLE regress_rv_helper LOGIN;
CREATE ROLE regress_rv_billing LOGIN;
CREATE ROLE regress_rv_root LOGIN SUPERUSER;
CREATE ROLE regress_rv_analysts;
CREATE ROLE regress_rv_readers;
CREATE ROLE "regress_rv_<script>alert(1)</script>" LOGIN CREATEDB;
GRANT regress_rv_readers TO regress_rv_analysts;
GRANT regress_rv_analysts TO regress_rv_clerk, regress_rv_agent;
CREATE SCHEMA rv;
GRANT USAGE ON SCHEMA rv TO regress_rv_readers, regress_rv_agent, regress_rv_billing;
CREATE TABLE rv.customer (id int, email text);
CREATE TABLE rv.orders (id int, note text);
CREATE TABLE rv."Odd & table" (id int);
CREATE VIEW rv.mailing AS SELECT email FROM rv.customer;
CREATE FUNCTION rv.total(a int, b text) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
SELECT hoopguard.classify_column('rv.customer', 'email', 'email');
GRANT SELECT ON rv.customer TO regress_rv_readers;
GRANT SELECT ON rv.mailing TO regress_rv_clerk;
GRANT SELECT ON rv.orders TO regress_rv_analysts;
GRANT SELECT, DELETE ON rv.orders TO regress_rv_agent WITH GRANT OPTION;
GRANT SELECT, INSERT ON rv.orders TO regress_rv_billing;
GRANT UPDATE (note) ON rv.orders TO regress_rv_billing;
GRANT SELECT ON rv."Odd & table" TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE regress_rv_readers IN SCHEMA rv GRANT SELECT ON TABLES TO regress_rv_billing;
SET ROLE regress_rv_agent;
GRANT SELECT ON rv.orders TO regress_rv_helper;
RESET ROLE;
INSERT INTO hoopguard.actor (name, kind, owner) VALUES
    ('regress_rv_agent', 'agent', 'regress_rv_dana'), ('regress_rv_helper', 'agent', NULL),
    ('regress_rv_root', 'agent', 'regress_rv_nobody'), ('regress_rv_billing', 'service', 'regress_rv_gone');
SELECT count(*) FROM hoopguard.lock_actor('regress_rv_gone', 'left', owned => false);
-- What the journal has shown, as gathered: a day ago, and nothing before.
INSERT INTO hoopguard.usage (provider, actor, actor_kind, login_role, effective_role, database, object, object_kind, privilege,
                             first_used, last_used, uses, masked_uses, classes)
SELECT '', u.role, u.kind, u.role, u.role, current_database(), u.object, 'table', u.privilege, now() - interval '200 days',
       now() - interval '1 day', u.uses, 0, '{read}'
  FROM (VALUES ('regress_rv_agent', 'agent', 'rv', 'USAGE', 44), ('regress_rv_billing', 'service', 'rv', 'USAGE', 400),
               ('regress_rv_agent', 'agent', 'rv.orders', 'SELECT', 40), ('regress_rv_agent', 'agent', 'rv.customer', 'SELECT', 4),
               ('regress_rv_billing', 'service', 'rv.orders', 'INSERT', 400)) AS u (role, kind, object, privilege, uses);
INSERT INTO hoopguard.usage_source (provider, actor, login_role, application, client_addr, first_used, last_used, logins) VALUES
    ('', 'regress_rv_billing', 'regress_rv_billing', 'billing', '10.0.0.5', now() - interval '200 days', now(), 400),
    ('', 'regress_rv_billing', 'regress_rv_billing', 'claude', '10.0.0.99', now() - interval '2 days', now(), 4);

-- Where privileges come from, and how risky they are.
SELECT actor, object_kind, object, privilege, source, via, via_chain, grantable, uses > 0 AS used, risk
  FROM hoopguard.access
 WHERE actor LIKE 'regress_rv_%' AND actor NOT LIKE '%_root' AND source NOT IN ('public', 'owner') AND (object LIKE 'rv%' OR object LIKE 'regress_rv%' OR database IS NULL)
   AND coalesce(database, '') IN ('', current_database())
 ORDER BY actor COLLATE "C", object_kind, object COLLATE "C", privilege, source;
SELECT actor, kind, source, risk FROM hoopguard.access
 WHERE object = 'rv."Odd & table"' AND source = 'public' AND actor IN ('PUBLIC', 'regress_rv_clerk') ORDER BY 1;
SELECT object, privilege, source, risk, why FROM hoopguard.access
 WHERE actor = 'regress_rv_root' AND (object = 'rv.orders' OR object_kind = 'cluster') ORDER BY 1, 2;
SELECT * FROM hoopguard.access_risk('table', 'SELECT');
SELECT * FROM hoopguard.access_risk('table', 'SELECT', 'sensitive', 'agent', true);
SELECT * FROM hoopguard.access_risk('table', 'TRUNCATE', jit => true);
-- The rule and the view agree.
SELECT count(*) FROM hoopguard.access_row a
 CROSS JOIN LATERAL hoopguard.access_risk(a.object_kind, a.privilege, a.nature, CASE WHEN a.kind = 'agent' THEN 'agent' WHEN a.kind = 'public' AND a.catalog IN ('pg_class', 'pg_attribute') THEN 'everybody' ELSE 'other' END,
                                          a.grantable AND a.source <> 'owner', a.source = 'jit') r
 WHERE (r.risk, r.why) IS DISTINCT FROM (a.risk, a.why);

-- What stands out.
SELECT finding, actor, regexp_replace(detail, '^(an agent with) \d+', '\1 some') AS detail FROM hoopguard.access_finding
 WHERE actor LIKE 'regress_rv_%' AND finding NOT IN ('dormant_account', 'unused_privileges') ORDER BY 1, 2;
SELECT finding, actor FROM hoopguard.access_findings('100 days')
 WHERE actor IN ('regress_rv_clerk', 'regress_rv_agent') AND finding IN ('dormant_account', 'unused_privileges') ORDER BY 1, 2;
SELECT * FROM hoopguard.access_findings('-1 day');

-- What no review can be.
SELECT hoopguard.open_review('', now() + interval '1 day');
SELECT hoopguard.open_review('q', '2020-01-01 00:00 UTC');
SELECT hoopguard.open_review('q', 'infinity');
SELECT hoopguard.open_review('q', now() + interval '1 day', '{}');
SELECT hoopguard.open_review('q', now() + interval '1 day', '{regress_rv_none}');
SELECT hoopguard.open_review('q', now() + interval '1 day', on_due => 'delete');
SELECT hoopguard.open_review('q', now() + interval '1 day', every => '1 minute');
SELECT * FROM hoopguard.review_effect('none');
SELECT hoopguard.access_report('none');
SELECT hoopguard.close_review('none');
SELECT hoopguard.certify(0, 'keep', NULL);

-- A review: what is to be decided, by whom, by which statement.
CREATE SCHEMA rv_test;
CREATE VIEW rv_test.item AS SELECT i.id, i.actor, i.object, i.privilege FROM hoopguard.review_item i WHERE i.review = 'regress q1';
GRANT SELECT ON rv_test.item TO PUBLIC;
GRANT USAGE ON SCHEMA rv_test TO PUBLIC;
\c - regress_rv_bob
SET client_min_messages = error;
SELECT hoopguard.open_review('regress q1', now() + interval '10 days',
    '{regress_rv_agent,regress_rv_helper,regress_rv_billing,regress_rv_bob,regress_rv_analysts,regress_rv_readers,regress_rv_clerk,regress_rv_root}');
SELECT hoopguard.open_review('regress q1 public', now() + interval '10 days', '{PUBLIC}') > 0 AS some;
SELECT hoopguard.open_review('regress q1', now() + interval '10 days');
SELECT actor, object_kind, object, privilege, source, reviewer, revoke_statement, note FROM hoopguard.review_item
 WHERE review = 'regress q1' ORDER BY id;
SELECT object, privilege, revoke_statement, automatic FROM hoopguard.review_item WHERE actor = 'PUBLIC' AND object LIKE 'rv.%';

-- What would break: all of it; one of two ways to the same table; both.
SELECT actor, object, privilege, verdict, needs FROM hoopguard.review_effect('regress q1') WHERE actor LIKE 'regress%';
SELECT actor, object, verdict FROM hoopguard.review_effect('regress q1', ARRAY(
    SELECT id FROM rv_test.item WHERE actor = 'regress_rv_agent' AND object = 'rv.orders')) WHERE actor LIKE 'regress%';
SELECT actor, object, verdict, cardinality(because) FROM hoopguard.review_effect('regress q1', ARRAY(
    SELECT id FROM rv_test.item WHERE actor = 'regress_rv_agent' AND object IN ('rv.orders', 'regress_rv_analysts'))) WHERE actor LIKE 'regress%';
SELECT actor, object, verdict FROM hoopguard.review_effect('regress q1', ARRAY(
    SELECT id FROM rv_test.item WHERE actor = 'regress_rv_agent' AND privilege IN ('DELETE', 'USAGE'))) WHERE actor LIKE 'regress%';

-- Who decides: the reviewer, never the actor, nor whoever is in the role.
SELECT id AS own FROM rv_test.item WHERE actor = 'regress_rv_bob' \gset
SELECT id AS delete_item FROM rv_test.item WHERE actor = 'regress_rv_agent' AND privilege = 'DELETE' \gset
SELECT id AS select_item FROM rv_test.item WHERE actor = 'regress_rv_agent' AND privilege = 'SELECT' \gset
SELECT id AS member_item FROM rv_test.item WHERE actor = 'regress_rv_agent' AND privilege = 'MEMBER' \gset
SELECT id AS helper_item FROM rv_test.item WHERE actor = 'regress_rv_helper' \gset
SELECT id AS group_item FROM rv_test.item WHERE actor = 'regress_rv_analysts' AND object = 'rv.orders' \gset
SELECT id AS column_item FROM rv_test.item WHERE actor = 'regress_rv_billing' AND privilege = 'UPDATE' \gset
SELECT id AS default_item FROM hoopguard.review_item WHERE review = 'regress q1' AND object_kind = 'default privileges' \gset
SELECT id AS root_item FROM rv_test.item WHERE actor = 'regress_rv_root' AND privilege = 'SUPERUSER' \gset
\set VERBOSITY terse
SELECT hoopguard.certify(:own, 'keep', 'mine');
SELECT hoopguard.certify(:delete_item, 'drop', NULL);
SELECT hoopguard.certify(:delete_item, NULL, NULL);
\c - regress_rv_agent
SET client_min_messages = error;
SELECT count(*) FROM hoopguard.review_item;
SELECT hoopguard.certify(:delete_item, 'keep', 'I need it');
SELECT hoopguard.close_review('regress q1');
\c - regress_rv_clerk
SET client_min_messages = error;
SELECT hoopguard.certify(:group_item, 'keep', NULL);
SELECT hoopguard.certify(:helper_item, 'keep', NULL);
SELECT * FROM hoopguard.review;
\c - regress_rv_dana
SET client_min_messages = error;
SELECT count(*) > 0 AS some, bool_and(actor = 'regress_rv_agent') AS hers FROM hoopguard.review_item;
-- What was passed on is not taken before what depends on it, and says so.
\set VERBOSITY default
SELECT hoopguard.certify(:select_item, 'revoke', 'not needed');
\set VERBOSITY terse
SELECT hoopguard.certify(:delete_item, 'revoke', 'never used');
SELECT hoopguard.certify(:delete_item, 'keep', 'on second thought');
SELECT hoopguard.certify(:member_item, 'keep', 'reports');
SELECT hoopguard.reassign(:select_item, 'regress_rv_agent');
SELECT hoopguard.reassign(:select_item, 'regress_rv_gone');
SELECT hoopguard.reassign(:select_item, 'regress_rv_bob');
\c - regress_rv_bob
SET client_min_messages = error;
SELECT hoopguard.certify(:helper_item, 'revoke', 'as its grantor');
SELECT hoopguard.certify(:select_item, 'revoke', 'now');
SELECT hoopguard.certify(:column_item, 'revoke', 'a column');
SELECT hoopguard.certify(:default_item, 'revoke', 'none to come');
SELECT hoopguard.certify(:root_item, 'revoke', 'no agent is a superuser');
\c - :super
SET client_min_messages = error;
-- Exactly that was taken.
SELECT has_table_privilege('regress_rv_agent', 'rv.orders', 'DELETE') AS deletes, has_table_privilege('regress_rv_agent', 'rv.orders', 'SELECT') AS reads,
       pg_has_role('regress_rv_agent', 'regress_rv_analysts', 'USAGE') AS member, has_column_privilege('regress_rv_billing', 'rv.orders', 'note', 'UPDATE') AS updates,
       has_table_privilege('regress_rv_billing', 'rv.orders', 'INSERT') AS inserts, (SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_rv_root') AS superuser;
SELECT actor, object, privilege, decision, decided_by, outcome, comment FROM hoopguard.review_item
 WHERE review = 'regress q1' AND decision IS NOT NULL ORDER BY id;
-- It is on record.
SELECT by, object, new ->> 'decision' AS decision, new ->> 'revoke_statement' AS statement, new ->> 'comment' AS comment
  FROM hoopguard.policy_history WHERE object ~ '^review' AND (new ->> 'review' = 'regress q1' OR new ->> 'name' = 'regress q1') ORDER BY entry;

-- The report: values are text, whatever they are.
SELECT r ~ '^<!DOCTYPE html>' AS page, r LIKE '%regress_rv_&lt;script&gt;alert(1)&lt;/script&gt;%' AS escaped, r ~ 'regress_rv_<' AS open,
       r LIKE '%rv.&quot;Odd &amp; table&quot;%' AS quoted, r ~ '(src|href)=' AS fetches, r LIKE '%DELETE ON TABLE rv.orders%' AS statement
  FROM hoopguard.access_report('regress q1') r;
SELECT hoopguard.access_report() ~ '<h1>Access report</h1>';
SELECT hoopguard.close_review('regress q1') > 0 AS undecided;
SELECT hoopguard.close_review('regress q1');
SELECT hoopguard.certify(:select_item, 'keep', 'too late');

-- A date that revokes: what nobody decided, in an order that works; and what a date may not decide stays.
GRANT SELECT ON rv.orders TO regress_rv_agent WITH GRANT OPTION;
SET ROLE regress_rv_agent;
GRANT SELECT ON rv.orders TO regress_rv_helper;
RESET ROLE;
SELECT hoopguard.open_review('regress q2', now() + interval '1 day', '{regress_rv_agent,regress_rv_helper,"regress_rv_<script>alert(1)</script>"}',
                             'revoke', '3 months');
SELECT hoopguard.certify(id, 'keep', 'still') FROM hoopguard.review_item WHERE review = 'regress q2' AND object = 'rv' AND actor = 'regress_rv_agent';
UPDATE hoopguard.review SET due = now() - interval '1 minute' WHERE name = 'regress q2';
SELECT hoopguard.review_step();
SELECT actor, object, privilege, decision, decided_by, outcome FROM hoopguard.review_item
 WHERE review = 'regress q2' ORDER BY id;
SELECT has_table_privilege('regress_rv_agent', 'rv.orders', 'SELECT') AS agent, has_table_privilege('regress_rv_helper', 'rv.orders', 'SELECT') AS helper,
       has_schema_privilege('regress_rv_agent', 'rv', 'USAGE') AS schema;
-- Nor does it decide about PUBLIC.
UPDATE hoopguard.review SET due = now() - interval '1 minute', on_due = 'revoke' WHERE name = 'regress q1 public';
SELECT hoopguard.review_step();
SELECT count(decision) FROM hoopguard.review_item WHERE review = 'regress q1 public';
-- The next of the series is there.
SELECT state, followed_by IS NOT NULL AS followed FROM hoopguard.review WHERE name = 'regress q2';
SELECT series, state, due > now() AS to_come, on_due, every FROM hoopguard.review WHERE name = (SELECT followed_by FROM hoopguard.review WHERE name = 'regress q2');
SELECT hoopguard.review_step();
SELECT count(*) FROM hoopguard.review WHERE series = 'regress q2';
SELECT hoopguard.close_review(followed_by, last => true) >= 0 AS closed FROM hoopguard.review WHERE name = 'regress q2';

DELETE FROM hoopguard.review WHERE series LIKE 'regress q%';
DELETE FROM hoopguard.usage WHERE actor LIKE 'regress_rv_%';
DELETE FROM hoopguard.usage_source WHERE actor LIKE 'regress_rv_%';
SELECT count(*) FROM hoopguard.unlock_actor('regress_rv_gone');
DELETE FROM hoopguard.actor WHERE name LIKE 'regress_rv_%';
DROP SCHEMA rv, rv_test CASCADE;
DROP OWNED BY regress_rv_agent, regress_rv_helper, regress_rv_billing, regress_rv_readers, regress_rv_analysts, regress_rv_clerk;
DROP ROLE regress_rv_dana, regress_rv_bob, regress_rv_gone, regress_rv_clerk, regress_rv_agent, regress_rv_helper, regress_rv_billing,
          regress_rv_root, regress_rv_analysts, regress_rv_readers, "regress_rv_<script>alert(1)</script>";
