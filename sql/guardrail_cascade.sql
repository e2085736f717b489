-- What a statement takes along is judged for what it is; parts that go with their whole are not.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_cascade;
GRANT CREATE ON SCHEMA public TO regress_cascade;
CREATE SCHEMA regress_schema AUTHORIZATION regress_cascade;
CREATE FUNCTION regress_config(text, text, boolean) RETURNS text LANGUAGE internal AS 'set_config_by_name';
SET ROLE regress_cascade;
CREATE TABLE base (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v text DEFAULT 'x' CHECK (v <> ''));
CREATE INDEX ON base (v);
CREATE VIEW over_base AS SELECT id FROM base;
CREATE TABLE referring (id int REFERENCES base);
CREATE TABLE regress_schema.inner_table (id int);
CREATE FUNCTION regress_schema.helper() RETURNS int LANGUAGE sql AS 'SELECT 1';
RESET ROLE;
SELECT hoopguard.guard('keep', 'block', '{ddl.drop.index,ddl.drop.sequence,ddl.drop.type,ddl.drop.constraint,ddl.drop.view}',
                       roles => '{regress_cascade}');
SET ROLE regress_cascade;
CREATE TABLE alone (id serial PRIMARY KEY, v text);
CREATE INDEX ON alone (v);
DROP TABLE alone;
DROP TABLE base CASCADE;
DROP TABLE referring;
DROP TABLE base CASCADE;
DROP VIEW over_base;
RESET ROLE;
SELECT hoopguard.guard('keep', 'block', '{ddl.drop.table}', roles => '{regress_cascade}');
SET ROLE regress_cascade;
DROP FUNCTION regress_schema.helper();
DROP SCHEMA regress_schema CASCADE;
DO $$ BEGIN DROP SCHEMA regress_schema CASCADE; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;
SELECT count(*) FROM regress_schema.inner_table;
DROP OWNED BY regress_cascade;
SELECT hoopguard.guard('keep', 'block', '{ddl.drop.table}');
RESET ROLE;
SELECT hoopguard.guard('keep', 'block', '{write.truncate}', roles => '{regress_cascade}', objects => '{referring}');
SET ROLE regress_cascade;
CREATE TABLE referring (id int REFERENCES base);
TRUNCATE base CASCADE;
TRUNCATE base, referring;
RESET ROLE;
-- A function that sets, met in an expression of PL/pgSQL, which no executor runs.
SELECT hoopguard.guard('keep', 'block', '{config}', roles => '{regress_cascade}');
SET ROLE regress_cascade;
DO $$ DECLARE x text; BEGIN x := set_config('my.own', 'y', false); RAISE WARNING '%', x; END $$;
DO $$ DECLARE x text; BEGIN x := set_config('row_security', 'off', false); END $$;
DO $$ DECLARE x text; BEGIN x := regress_config('row_' || 'security', 'off', false); END $$;
SELECT set_config('my.own', 'z', false);
SHOW row_security;
RESET ROLE;
SELECT regexp_replace(statement, E'\n.*', '') AS statement, decision, outcome FROM hoopguard.statement
    WHERE guardrail = 'keep' AND pid = pg_backend_pid() ORDER BY entry;
SELECT hoopguard.unguard('keep');
DROP TABLE base, referring CASCADE;
DROP SCHEMA regress_schema CASCADE;
DROP FUNCTION regress_config(text, text, boolean);
REVOKE CREATE ON SCHEMA public FROM regress_cascade;
DROP ROLE regress_cascade;
