# What guardrails must see, line by line: statements by the class that they have, however that is written.
# A case is [statement] or [statement, option => …]; options:
#   once => 1    cannot run in a transaction block, so it is not run before the guardrail is there
#   ways => 's'  can be sent in these ways alone (s simple, e extended, n named and prepared, f inside a function)
package GuardrailCases;

use strict;
use warnings;

# Everything that the cases speak of.
our $objects = q{
    CREATE TABLE t (id int PRIMARY KEY, v text, w text);
    CREATE TABLE u (id int);
    CREATE TABLE child (id int REFERENCES t ON DELETE CASCADE);
    CREATE TABLE parted (id int, g int) PARTITION BY LIST (g);
    CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
    CREATE TABLE swap (id int);
    CREATE TABLE ruled (id int);
    CREATE TABLE triggered (id int);
    CREATE TABLE deferring (id int);
    CREATE VIEW seen AS SELECT id, v FROM t;
    CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;
    INSERT INTO t SELECT n, n::text FROM generate_series(1, 20) n;
    INSERT INTO u SELECT n FROM generate_series(1, 3) n;
    CREATE INDEX u_id ON u (id);
    CREATE SCHEMA s;
    CREATE TABLE s.inner_table (id int);
    CREATE ROLE mate;
    CREATE ROLE team;
    CREATE ROLE owner_of_things;
    CREATE TABLE thing (id int);
    ALTER TABLE thing OWNER TO owner_of_things;
    CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM public.t; RETURN 1; END';
    CREATE FUNCTION wipe_definer() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM t; SELECT 1';
    CREATE PROCEDURE wiping() LANGUAGE plpgsql AS 'BEGIN EXECUTE ''DELETE '' || ''FROM t''; END';
    CREATE FUNCTION wipe_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; RETURN NULL; END';
    CREATE TRIGGER wipes AFTER INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION wipe_row();
    CREATE CONSTRAINT TRIGGER wipes AFTER INSERT ON deferring DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wipe_row();
    CREATE RULE wipes AS ON INSERT TO ruled DO ALSO DELETE FROM t;
    CREATE TABLE defaulted (id int, n int DEFAULT wipe());
    CREATE TYPE casted AS (n int);
    CREATE FUNCTION to_casted(int) RETURNS casted LANGUAGE sql VOLATILE AS 'SELECT ROW(wipe())::casted';
    CREATE CAST (int AS casted) WITH FUNCTION to_casted(int);
    CREATE DOMAIN checked AS int CHECK (VALUE > 0);
    CREATE FUNCTION alias_of(text, text, boolean) RETURNS text LANGUAGE internal AS 'set_config_by_name';
    CREATE FUNCTION assigns() RETURNS text LANGUAGE plpgsql AS
        $$DECLARE x text; BEGIN x := set_config('session_replication_role', 'replica', true); RETURN x; END$$;
    CREATE FUNCTION assigns_alias() RETURNS text LANGUAGE plpgsql AS
        $$DECLARE x text; BEGIN x := alias_of('session_replication_role', 'replica', true); RETURN x; END$$;
    CREATE FUNCTION reads_file() RETURNS text LANGUAGE plpgsql AS
        $$DECLARE x text; BEGIN x := pg_read_file('PG_VERSION'); RETURN x; END$$;
    CREATE EXTENSION dblink;
    CREATE EXTENSION file_fdw;
    CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE outside (line text) SERVER files OPTIONS (filename '/etc/hostname');
    CREATE FUNCTION way(text) RETURNS void LANGUAGE plpgsql AS 'BEGIN EXECUTE $1; END';
};

our %refused = (
    'write.unbounded' => [
        ['DELETE FROM t'], ['DELETE FROM t WHERE true'], ['DELETE FROM t WHERE 1 = 1'], ['DELETE FROM t WHERE id = id'],
        ['UPDATE t SET v = v WHERE EXISTS (SELECT 1)'], ['DELETE FROM t WHERE random() >= 0'],
        ['DELETE FROM t USING u'], ["UPDATE t SET v = 'x' FROM u"], ['DELETE FROM t WHERE id IS NOT NULL'],
        ['UPDATE t SET v = NULL WHERE id IN (id)'], ['DELETE FROM seen'], ['DELETE FROM parted'],
        ['WITH d AS (DELETE FROM t RETURNING 1) SELECT count(*) FROM d'],
        ['WITH d AS (UPDATE t SET v = v RETURNING id) INSERT INTO u SELECT id FROM d'],
        ['EXPLAIN ANALYZE DELETE FROM t'], ['COPY (DELETE FROM t RETURNING id) TO STDOUT', ways => 'sen'],
        ['MERGE INTO t USING (SELECT 1 AS x) s ON true WHEN MATCHED THEN DELETE'],
        ['MERGE INTO t USING (SELECT 1 AS x) s ON t.id = t.id WHEN MATCHED THEN UPDATE SET v = v'],
        ['TRUNCATE u'], ['TRUNCATE t CASCADE'], ['TRUNCATE ONLY parted_1'],
        ['SELECT wipe()'], ['SELECT wipe_definer()'], ['CALL wiping()'], ['DO $$ BEGIN DELETE FROM t; END $$'],
        [q{DO $$ BEGIN EXECUTE 'DEL' || 'ETE FROM t'; END $$}], ['INSERT INTO triggered VALUES (1)'],
        ['INSERT INTO ruled VALUES (1)'], ['INSERT INTO defaulted (id) VALUES (1)'], ['SELECT 1::casted'],
        ['SELECT * FROM t WHERE wipe() = 1'], ['CREATE TABLE made AS SELECT wipe()'],
        ['CREATE MATERIALIZED VIEW made AS SELECT wipe()'],
        ['SELECT 1; DELETE FROM t', ways => 's'], ['/* DROP */ DELETE /**/ FROM -- x' . "\n t"],
        ['DELETE FROM U&"\0074"'], ["SET standard_conforming_strings = off; DELETE FROM t -- '\\'", ways => 's'],
        ['PREPARE wiped AS DELETE FROM t; EXECUTE wiped', ways => 's'],
    ],
    'write.update' => [
        ["INSERT INTO t VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = 'y'"], ["UPDATE t SET v = 'x' WHERE id = 7"],
        ['MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET v = v'],
        ["UPDATE seen SET v = 'x' WHERE id = 7"],
    ],
    'write.delete' => [
        ['DELETE FROM t WHERE id = 7'], ['WITH d AS (DELETE FROM t WHERE id = 7 RETURNING *) TABLE d'],
        ['EXPLAIN (ANALYZE, VERBOSE) DELETE FROM t WHERE id = 7'],
    ],
    'write.insert' => [
        ['INSERT INTO u VALUES (9)'], ['WITH i AS (INSERT INTO u VALUES (9)) SELECT 1'],
        ['MERGE INTO u USING t ON u.id = t.id WHEN NOT MATCHED THEN INSERT VALUES (t.id)'],
    ],
    'ddl.drop' => [
        ['DROP TABLE u'], ['DROP TABLE IF EXISTS u, swap'], ['DROP OWNED BY owner_of_things'], ['DROP SCHEMA s CASCADE'],
        ['DROP EXTENSION dblink'], ['DROP EXTENSION file_fdw CASCADE'], ['ALTER TABLE t DROP COLUMN w'],
        ['ALTER TABLE t DROP COLUMN w, ADD COLUMN x int'], ['ALTER TABLE parted DETACH PARTITION parted_1'],
        ['DROP VIEW seen'], ['DROP INDEX u_id'], ['DROP FUNCTION wipe() CASCADE'], ['DROP TYPE casted CASCADE'],
        [q{DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE u'; END $$}], ['SELECT 1; DROP TABLE u', ways => 's'],
        ['ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE'],
    ],
    # What a statement takes along is judged for what it is.
    'ddl.drop.table' => [['DROP SCHEMA s CASCADE'], ['DROP OWNED BY owner_of_things']],
    'ddl.drop.view' => [['DROP TABLE t CASCADE']],
    'ddl.drop.constraint' => [['ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE'], ['DROP TABLE t CASCADE']],
    'ddl.drop.foreign_table' => [['DROP EXTENSION file_fdw CASCADE'], ['DROP SERVER files CASCADE']],
    'ddl.alter' => [
        ['ALTER TABLE t RENAME TO t_old'], ['ALTER TABLE swap RENAME TO t_new'], ['ALTER TABLE t SET SCHEMA s'],
        ['ALTER TABLE t ALTER COLUMN w TYPE bytea USING NULL'], ['ALTER TABLE t DISABLE TRIGGER ALL'],
        ['ALTER TABLE t DISABLE ROW LEVEL SECURITY'], ['ALTER VIEW seen RENAME TO unseen'],
        ["UPDATE pg_class SET relname = 'x' WHERE relname = 'u'"], ['DELETE FROM pg_class WHERE false'],
    ],
    'ddl.blocking' => [
        ['ALTER TABLE t ALTER COLUMN w TYPE bytea USING NULL'], ['CREATE INDEX ON t (v)'],
        ['VACUUM FULL u', once => 1], ['REINDEX TABLE u'], ['REFRESH MATERIALIZED VIEW kept'],
        ['ALTER TABLE t ADD COLUMN r float8 DEFAULT random()'],
    ],
    'ddl.create' => [
        ['EXPLAIN ANALYZE CREATE TABLE made AS SELECT 1'], ['EXPLAIN (ANALYZE) SELECT 1 AS a INTO made'],
        ['CREATE TABLE made (id int)'], ['CREATE TEMP TABLE made (id int)'], ['SELECT 1 AS x INTO made'],
        ['CREATE TABLE made AS SELECT 1'], ['PREPARE one AS SELECT 1 AS x; CREATE TABLE made AS EXECUTE one', ways => 's'],
        ['CREATE SCHEMA made CREATE TABLE within (id int)'],
    ],
    role => [
        ['ALTER USER mate CREATEDB'], ['ALTER ROLE mate SUPERUSER'], ['ALTER ROLE CURRENT_USER CREATEROLE'],
        ['ALTER USER SESSION_USER CREATEROLE'], ['ALTER GROUP team ADD USER mate'], ['ALTER ROLE mate RENAME TO m'],
        ['CREATE ROLE made IN ROLE team'], ['CREATE USER made'], ['CREATE GROUP made'], ['DROP ROLE mate'],
        ['GRANT team TO mate'], ['REVOKE team FROM mate'], ['ALTER ROLE mate SET work_mem = 64'],
        ["ALTER ROLE mate PASSWORD 'x'"], ["ALTER ROLE mate VALID UNTIL 'infinity'"],
        ["UPDATE pg_authid SET rolsuper = true WHERE rolname = 'mate'"], ['DELETE FROM pg_auth_members WHERE false'],
    ],
    database => [
        ['ALTER DATABASE postgres SET work_mem = 64'], ['ALTER DATABASE postgres CONNECTION LIMIT 5'],
        ['ALTER DATABASE template1 RENAME TO template9'], ['CREATE DATABASE made', once => 1],
        ['DROP DATABASE IF EXISTS nowhere', once => 1], ['UPDATE pg_database SET datconnlimit = 1 WHERE false'],
        ["CREATE TABLESPACE made LOCATION '/nowhere'", once => 1],
    ],
    grant => [
        ['GRANT SELECT ON t TO mate'], ['REVOKE SELECT ON t FROM PUBLIC'], ['GRANT team TO mate'],
        ['ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO mate'], ['REASSIGN OWNED BY owner_of_things TO mate'],
        ['ALTER TABLE t OWNER TO mate'], ['ALTER SCHEMA s OWNER TO mate'], ['ALTER FUNCTION wipe() OWNER TO mate'],
        ['UPDATE pg_class SET relacl = NULL WHERE false'], ['GRANT CREATE ON DATABASE postgres TO mate'],
        ['GRANT SET ON PARAMETER log_min_messages TO mate'],
    ],
    config => [
        ['ALTER SYSTEM SET work_mem = 64', once => 1], ['SET session_replication_role = replica'],
        ['SET LOCAL session_replication_role = replica'], ['RESET session_replication_role'],
        ["SET SESSION row_security = off"], ['SET log_min_messages = panic'],
        ["SELECT set_config('session_replication_role', 'replica', true)"],
        ["SELECT set_config('SESSION_REPLICATION_' || 'ROLE', 'replica', true)"],
        ["SELECT alias_of('row_security', 'off', true)"],
        ["UPDATE pg_settings SET setting = 'off' WHERE name = 'row_security'"],
        ['SELECT assigns()'], ['SELECT assigns_alias()'], ["SET local_preload_libraries = 'x'", ways => 'sef', once => 1],
        [q{DO $$ BEGIN PERFORM set_config('row_security', 'off', true); END $$}],
        ['ALTER ROLE mate SET session_replication_role = replica'],
        ['ALTER DATABASE postgres SET session_replication_role = replica'], ['SELECT pg_reload_conf()'],
        ['CREATE FUNCTION made() RETURNS int LANGUAGE sql SET session_replication_role = replica AS $$SELECT 1$$'],
        ['ALTER FUNCTION wipe() SET session_replication_role = replica'],
    ],
    code => [
        ['DO $$ BEGIN END $$'], ['CREATE FUNCTION made() RETURNS int LANGUAGE sql AS $$SELECT 1$$'],
        ['CREATE OR REPLACE PROCEDURE wiping() LANGUAGE sql AS $$SELECT 1$$'],
        ['CREATE TRIGGER made AFTER INSERT ON u EXECUTE FUNCTION wipe_row()'],
        ['CREATE EVENT TRIGGER made ON sql_drop EXECUTE FUNCTION way()', once => 1], ['CREATE EXTENSION pageinspect'],
        ["LOAD 'dblink'"], ['CREATE LANGUAGE made HANDLER plpgsql_call_handler'],
    ],
    egress => [
        ["COPY t TO '/tmp/made'"], ["COPY (SELECT 1) TO PROGRAM 'cat >/dev/null'"], ["COPY u FROM '/dev/null'"],
        ["COPY u FROM PROGRAM 'true'"], ["SELECT pg_read_file('PG_VERSION')"], ["SELECT pg_read_binary_file('PG_VERSION')"],
        ["SELECT pg_ls_dir('.')"], ["SELECT pg_stat_file('PG_VERSION')"], ['SELECT * FROM pg_ls_logdir()', once => 1],
        ["SELECT lo_import('/etc/hostname')"], ["SELECT lo_export(1, '/tmp/made')", once => 1], ['SELECT reads_file()'],
        ["SELECT * FROM dblink('dbname=nowhere', 'SELECT 1') AS x (n int)", once => 1],
        ["SELECT dblink_connect('dbname=nowhere')", once => 1], ['SELECT * FROM outside'],
        ['CREATE SERVER made FOREIGN DATA WRAPPER file_fdw'],
    ],
    replication => [
        ["SELECT pg_create_physical_replication_slot('made')", once => 1], ['CREATE PUBLICATION made FOR TABLE t'],
        ["CREATE SUBSCRIPTION made CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)"],
        ["SELECT pg_switch_wal()", once => 1],
    ],
    maintenance => [
        ['VACUUM FULL u', once => 1], ['CLUSTER u USING u_id'], ['REINDEX INDEX u_id'], ['LOCK TABLE u IN SHARE MODE'],
        ['LOCK u', ways => 'f'], ['CHECKPOINT', once => 1], ['SELECT pg_terminate_backend(0)', once => 1],
    ],
    session => [
        ['SET ROLE mate'], ['SET SESSION AUTHORIZATION mate'], ['DISCARD ALL', once => 1], ['RESET ROLE'],
        ["SELECT set_config('role', 'mate', true)"],
    ],
    policy => [
        ['DELETE FROM hoopguard.guardrail WHERE false'], ['TRUNCATE hoopguard.guardrail'], ['DROP EXTENSION hoopguard CASCADE', ways => 'sef'],
        ['ALTER TABLE hoopguard.guardrail DISABLE TRIGGER ALL'], ['ALTER EXTENSION hoopguard DROP FUNCTION hoopguard.version()'],
        ['ALTER TABLE hoopguard.guardrail ENABLE ROW LEVEL SECURITY'], ["SECURITY LABEL FOR hoopguard ON COLUMN t.v IS 'email'"],
        ["SELECT hoopguard.guard('g', 'warn', '{ddl}')"], ['DROP SCHEMA hoopguard CASCADE', ways => 'sef'], ['ALTER SCHEMA hoopguard RENAME TO x'],
    ],
    'read' => [
        ['SELECT * FROM t'], ['COPY t TO STDOUT', ways => 'sen'], ['SELECT count(*) FROM seen'], ['TABLE parted'], ['INSERT INTO u SELECT id FROM t'],
        ['CREATE TABLE made AS TABLE t'],
    ],
);

# Nothing of these classes, although it may look so.
our %allowed = (
    'write.unbounded' => [
        ['DELETE FROM t WHERE id = 777'], ['UPDATE t SET v = v WHERE id = ANY (ARRAY[777])'], ['EXPLAIN DELETE FROM t'],
        ['DELETE FROM t USING u WHERE t.id = u.id AND u.id = 777'], ["SELECT 'DELETE FROM t'"], ['INSERT INTO u VALUES (777)'],
        ['MERGE INTO t USING u ON t.id = u.id AND u.id = 777 WHEN MATCHED THEN DELETE'],
    ],
    config => [["SET work_mem = '4MB'"], ["SELECT set_config('my.setting', 'x', true)"], ["SET hoopguard.reason = 'why'"],
        ["SET search_path = public"], ['SHOW row_security'], ['SELECT * FROM pg_settings LIMIT 1']],
    'ddl.drop' => [['CREATE TEMP TABLE made (id int) ON COMMIT DROP'], ['REFRESH MATERIALIZED VIEW kept'],
        ['ALTER TABLE u ALTER COLUMN id TYPE bigint'], ['CREATE OR REPLACE VIEW seen AS SELECT id, v FROM t']],
    'ddl.drop.index' => [['DROP TABLE u']],
    'ddl.drop.type' => [['DROP TABLE u'], ['DROP VIEW seen']],
    code => [['SELECT wipe() WHERE false'], ['SELECT 1']],
    egress => [['COPY u TO STDOUT'], ['SELECT current_setting(\'work_mem\')']],
    session => [["SET work_mem = '4MB'"]],
    policy => [['SELECT hoopguard.version()']],
);

1;
