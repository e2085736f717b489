-- Which privileges were used, by whom, on what; and the grants that cover it.
CREATE ROLE use_app;
CREATE ROLE use_reader;
CREATE ROLE use_owner;
CREATE ROLE "Use Group";
GRANT "Use Group" TO use_app;
CREATE SCHEMA use_shop AUTHORIZATION use_owner;
CREATE SCHEMA "use.x";
SET ROLE use_owner;
CREATE TABLE use_shop.customer (id int PRIMARY KEY, email text);
CREATE TABLE use_shop."Odd.Name" (a int);
CREATE TABLE use_shop.secret (a int);
CREATE SEQUENCE use_shop.numbers;
CREATE VIEW use_shop.emails AS SELECT email FROM use_shop.customer;
CREATE FUNCTION use_shop.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE FUNCTION use_shop.counted(use_shop.customer, VARIADIC text[]) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    AS 'BEGIN RETURN (SELECT count(*) FROM use_shop.customer); END';
CREATE PROCEDURE use_shop.work() LANGUAGE plpgsql AS 'BEGIN PERFORM 1; END';
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA use_shop FROM PUBLIC;
GRANT ALL ON SCHEMA use_shop TO use_app, use_reader, "Use Group";
GRANT ALL ON ALL TABLES IN SCHEMA use_shop TO use_app;
GRANT ALL ON ALL ROUTINES IN SCHEMA use_shop TO use_app;
GRANT ALL ON ALL SEQUENCES IN SCHEMA use_shop TO use_app;
REVOKE ALL ON use_shop.secret FROM use_app;
GRANT SELECT ON use_shop.emails TO use_reader, "Use Group";
RESET ROLE;
CREATE TABLE "use.x".t (a int);
GRANT USAGE ON SCHEMA "use.x" TO use_app;
GRANT SELECT ON "use.x".t TO use_app;

SET SESSION AUTHORIZATION use_app;
INSERT INTO use_shop.customer VALUES (1, 'a'), (2, 'b') ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email;
DELETE FROM use_shop.customer WHERE id = 2;
MERGE INTO use_shop.customer c USING (VALUES (1)) v (id) ON c.id = v.id WHEN MATCHED THEN UPDATE SET email = 'm';
SELECT a FROM use_shop."Odd.Name";
SELECT a FROM "use.x".t;
-- Inlined, and worked out before it runs: the plan shows no call.
SELECT use_shop.twice(21);
SELECT use_shop.counted(NULL, 'x');
SELECT nextval('use_shop.numbers'), currval('use_shop.numbers');
SELECT setval('use_shop.numbers', 7);
CALL use_shop.work();
TRUNCATE use_shop."Odd.Name";
CREATE TABLE use_shop.own (a int);
CREATE INDEX ON use_shop.own (a);
CREATE TEMP TABLE use_temp (a int);
INSERT INTO use_temp VALUES (1);
EXPLAIN (COSTS OFF) SELECT * FROM use_shop.customer;
COPY use_shop.customer TO STDOUT;
PREPARE p AS SELECT count(*) FROM use_shop.customer;
EXECUTE p;
EXECUTE p;
-- Not allowed, so not used.
SELECT * FROM use_shop.secret;
-- Another error: the privilege was used.
UPDATE use_shop.customer SET id = 1 / (id - id);
SET ROLE "Use Group";
SELECT * FROM use_shop.emails;
SET SESSION AUTHORIZATION use_reader;
SELECT email FROM use_shop.emails;
SELECT count(*) > 0 AS catalog FROM pg_catalog.pg_class;
SELECT rolname FROM pg_catalog.pg_authid;
RESET SESSION AUTHORIZATION;

SELECT hoopguard.gather_usage() >= 0 AS gathered;
SELECT effective_role, privilege, object_kind, object, through, sum(uses) AS uses
  FROM hoopguard.usage WHERE login_role LIKE 'use\_%'
 GROUP BY 1, 2, 3, 4, 5 ORDER BY effective_role COLLATE "C", object COLLATE "C", privilege COLLATE "C", through;
SELECT class, statements, refused FROM hoopguard.usage_day WHERE actor = session_user AND class = 'write.truncate';

-- Gathered again, entry by entry or from nothing, it is the same.
CREATE TABLE use_before AS SELECT * FROM hoopguard.usage;
CREATE TABLE use_days AS SELECT * FROM hoopguard.usage_day;
CREATE FUNCTION use_differences() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM use_before b FULL JOIN hoopguard.usage u
     USING (provider, actor, actor_kind, login_role, effective_role, database, object, object_kind, privilege, through,
            first_used)
     WHERE coalesce(b.login_role, '') <> session_user
       AND login_role LIKE 'use\_%' AND ((b.uses, b.last_used, b.masked_uses, b.classes) IS DISTINCT FROM (u.uses, u.last_used, u.masked_uses, u.classes))
$$;
SELECT hoopguard.rebuild_usage() > 0 AS rebuilt;
SELECT use_differences();
TRUNCATE hoopguard.usage, hoopguard.usage_day, hoopguard.usage_source, hoopguard.usage_progress;
DO $$
DECLARE
    upto bigint := (SELECT max(entry) FROM hoopguard.statement);
BEGIN
    WHILE coalesce((SELECT max(next_entry) FROM hoopguard.usage_progress), 0) < upto LOOP
        PERFORM hoopguard.gather_usage(1 + upto / 37);
    END LOOP;
END
$$;
SELECT use_differences();

-- The grants that cover it.
SELECT regexp_replace(line, 'since .*', 'since …') AS line FROM hoopguard.right_size('use_app') AS line
 WHERE line !~ '^GRANT CONNECT|last time';
SELECT regexp_replace(line, 'the last time.*', '…') AS line FROM hoopguard.right_size('use_app') AS line WHERE line ~ 'last time';
SELECT line FROM hoopguard.right_size('use_reader') AS line WHERE line !~ 'since';
SELECT line FROM hoopguard.right_size('Use Group') AS line WHERE line ~ 'TABLE';
SELECT count(*) FROM hoopguard.right_size('use_owner');
SELECT hoopguard.right_size('nobody at all');
SELECT hoopguard.right_size(NULL);
SELECT hoopguard.right_size('use_app', interval '-1 day');

-- Bad arguments, and who may.
SELECT hoopguard.gather_usage(0);
SELECT hoopguard.recorded_use('none', 0, '{}', 1);
SELECT hoopguard.recorded_use((SELECT origin FROM hoopguard.usage_origins() LIMIT 1), -1, '{}', 1);
SET SESSION AUTHORIZATION use_reader;
SELECT hoopguard.gather_usage();
SELECT hoopguard.right_size('use_app');
SELECT count(*) FROM hoopguard.usage;
SELECT hoopguard.in_database('template1', 'SELECT 1');
RESET SESSION AUTHORIZATION;

-- Another database.
SELECT hoopguard.in_database('template1', 'SELECT 1 AS a, ''ä'' AS b UNION ALL SELECT 2, NULL -- a comment');
SELECT hoopguard.in_database('template1', 'SELECT current_database(), current_setting(''search_path'')');
SELECT hoopguard.in_database('template1', 'SELECT 1 WHERE false');
SELECT hoopguard.in_database('no such database', 'SELECT 1');
SELECT hoopguard.in_database('template0', 'SELECT 1');
SELECT hoopguard.in_database('template1', 'SELECT 1; SELECT 2');
SELECT hoopguard.in_database('template1', '');
SELECT hoopguard.in_database('template1', 'CREATE TABLE public.t (a int)');
SELECT hoopguard.in_database('template1', 'SELECT 1 INTO public.t');
SELECT hoopguard.in_database('template1', 'WITH gone AS (DELETE FROM pg_catalog.pg_class RETURNING 1) SELECT * FROM gone');
SELECT hoopguard.in_database('template1', 'SELECT set_config(''transaction_read_only'', ''off'', false)');
SELECT hoopguard.in_database('template1', 'SELECT 1/0');
SELECT hoopguard.in_database('template1', 'SELECT 1) AS a, (SELECT 2');
SELECT hoopguard.in_database(NULL, 'SELECT 1');
SELECT hoopguard.in_database('template1', NULL);
DO $$
BEGIN
    PERFORM hoopguard.in_database('template1', 'SELECT nothing FROM nowhere');
EXCEPTION WHEN undefined_table THEN
    RAISE NOTICE '% %', SQLSTATE, SQLERRM;
END
$$;
SET statement_timeout = '500ms';
SELECT hoopguard.in_database('template1', 'SELECT pg_sleep(60)');
RESET statement_timeout;
SET hoopguard.reason = 'a test of errands';
SELECT hoopguard.in_database('template1', 'CREATE SCHEMA use_errand', false);
SELECT hoopguard.in_database('template1', 'SELECT nspname FROM pg_namespace WHERE nspname LIKE ''use%''');
SELECT hoopguard.in_database('template1', 'DROP SCHEMA use_errand', false);
RESET hoopguard.reason;
SELECT statement, on_behalf_of = session_user AS asked_by, application_name = 'hoopguard for session ' || (SELECT session_id FROM hoopguard.whoami()) AS for_session, reason, outcome
  FROM hoopguard.statement WHERE database = 'template1' AND reason = 'a test of errands' AND statement ~ '^(CREATE|DROP)'
 ORDER BY entry;

DROP FUNCTION use_differences();
DISCARD TEMP;
DROP TABLE use_before, use_days;
SET client_min_messages = warning;
DROP SCHEMA use_shop, "use.x" CASCADE;
DROP ROLE use_app, use_reader, use_owner, "Use Group";
