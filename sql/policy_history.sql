-- Every change of policy is on record, as it came to stay; impact shows what observing has found.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE ROLE regress_history_admin LOGIN IN ROLE hoopguard_admin;
CREATE ROLE regress_history_bot LOGIN;
CREATE VIEW history_here AS SELECT object, old, new FROM hoopguard.policy_history
    WHERE object LIKE '%regress_history%' ORDER BY entry;

SET ROLE regress_history_admin;
SELECT hoopguard.guard('regress_history', 'block', '{ddl.drop}', roles => '{regress_history_bot}', message => 'No.');
SELECT hoopguard.guard('regress_history', 'warn', '{ddl.drop}', roles => '{regress_history_bot}', message => 'No.');
-- The same again is no change; what is rolled back never was.
SELECT hoopguard.guard('regress_history', 'warn', '{ddl.drop}', roles => '{regress_history_bot}', message => 'No.');
BEGIN;
UPDATE hoopguard.guardrail SET action = 'ask' WHERE name = 'regress_history';
ROLLBACK;
BEGIN;
SAVEPOINT s;
DELETE FROM hoopguard.guardrail WHERE name = 'regress_history';
ROLLBACK TO s;
INSERT INTO hoopguard.actor (name, kind) VALUES ('regress_history_bot', 'agent');
COMMIT;
SELECT hoopguard.unguard('regress_history');
DELETE FROM hoopguard.actor WHERE name = 'regress_history_bot';
RESET ROLE;
SELECT * FROM history_here;
SELECT count(*) > 0 AS named, bool_and(at <= now()) AS past, bool_and(by = session_user) AS by_me
  FROM hoopguard.policy_history WHERE object LIKE '%regress_history%';
SET ROLE regress_history_bot;
SELECT count(*) FROM hoopguard.policy_history;
RESET ROLE;

-- What observing has found.
SELECT hoopguard.guard('regress_history', 'block', '{ddl.drop.table}', roles => '{regress_history_bot}', mode => 'observe');
CREATE SCHEMA history_bot AUTHORIZATION regress_history_bot;
SET ROLE regress_history_bot;
SET application_name = 'history';
CREATE TABLE history_bot.t ();
DROP TABLE history_bot.t;
CREATE TABLE history_bot.t ();
DROP TABLE history_bot.t;
RESET application_name;
RESET ROLE;
SELECT guardrail, application, would_refuse, would_mask, example IS NOT NULL AS example
  FROM hoopguard.impact WHERE guardrail = 'regress_history';
SELECT statement FROM hoopguard.statement
 WHERE entry = (SELECT example FROM hoopguard.impact WHERE guardrail = 'regress_history');
-- Whoever writes policy sees the counts; the statements are the auditors'.
SET ROLE regress_history_admin;
SELECT guardrail, would_refuse, would_mask FROM hoopguard.impact WHERE guardrail = 'regress_history';
SELECT count(*) FROM hoopguard.backtest('regress_history', '1 hour');
SET ROLE regress_history_bot;
SELECT count(*) FROM hoopguard.impact_of_all();
RESET ROLE;
-- What a rule would have met, before it is made to count.
SELECT statement, role, verdict, reason FROM hoopguard.backtest('regress_history', '1 hour') ORDER BY entry;
SELECT hoopguard.guard('regress_history', 'ask', '{ddl.create}', roles => '{regress_history_bot}', objects => '{history_bot.*}', mode => 'off');
SELECT statement, role, verdict, reason FROM hoopguard.backtest('regress_history', '1 hour') ORDER BY entry;
SELECT * FROM hoopguard.backtest('no such rule', '1 hour');
SELECT * FROM hoopguard.backtest('regress_history', '-1 hour');
SELECT * FROM hoopguard.backtest('regress_history', NULL);
SET ROLE regress_history_bot;
SELECT * FROM hoopguard.backtest('regress_history', '1 hour');
RESET ROLE;

SELECT hoopguard.unguard('regress_history');
DROP VIEW history_here;
DROP SCHEMA history_bot CASCADE;
DROP ROLE regress_history_admin, regress_history_bot;
