-- max_duration: a statement that takes too long is stopped, whatever statement_timeout says and whoever catches.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_time;
SELECT hoopguard.guard('short', 'block', '{*}', roles => '{regress_time}', max_duration => '300 ms',
                       message => 'That takes too long.');
CREATE TABLE slept (id int);
GRANT ALL ON slept TO regress_time;
SET ROLE regress_time;
SET statement_timeout = 0;
SELECT count(*) FROM slept;
SELECT count(*), pg_sleep(60) IS NULL FROM slept;
DO $$ BEGIN PERFORM pg_sleep(60); END $$;
-- What reads no rows is of no class, and everything is meant.
SELECT pg_sleep(60);
SELECT hoopguard.classify('SELECT pg_sleep(60)');
-- Caught once, twice, for ever: it ends.
DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN OTHERS OR query_canceled THEN NULL; END; END LOOP; END $$;
-- What was set to work in time goes on being allowed.
DO $$ BEGIN PERFORM 1; END $$;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM slept;
RESET ROLE;
SELECT pg_sleep(0.4) IS NULL AS slept;
FETCH c;
COMMIT;
SELECT hoopguard.guard('short', 'warn', '{code}', roles => '{regress_time}', max_duration => '10 ms', message => 'Slow.');
SET ROLE regress_time;
DO $$ BEGIN PERFORM pg_sleep(0.05); END $$;
RESET ROLE;
SELECT regexp_replace(statement, '\s.*', '') AS statement, decision, enforced, outcome, sqlstate FROM hoopguard.statement
    WHERE guardrail = 'short' AND pid = pg_backend_pid() AND parent_no IS NULL ORDER BY entry;
-- A rule on some classes or objects is none on everything.
SELECT hoopguard.guard('short', 'block', '{read, write}', roles => '{regress_time}', max_duration => '10 ms');
SET ROLE regress_time;
SELECT pg_sleep(0.05) IS NULL AS slept;
RESET ROLE;
-- One that asks says where leave is to be had.
SELECT hoopguard.guard('short', 'ask', '{read}', roles => '{regress_time}', max_duration => '100 ms');
SET ROLE regress_time;
SELECT count(*), pg_sleep(60) IS NULL FROM slept;
RESET ROLE;
SELECT hoopguard.unguard('short');
DROP TABLE slept;
DROP ROLE regress_time;
