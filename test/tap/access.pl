# What view access says of privileges is what PostgreSQL says: for every role and object of random role graphs with
# inheritance and without, membership options, ownership, PUBLIC, default privileges, columns, superusers and the
# roles that read or write everything.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('access');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hoopguard');

my $graph = q{
DO $$
DECLARE
    n int := 40;
    t text; f text; s text; d text;
BEGIN
    FOR i IN 1..n LOOP
        EXECUTE format('CREATE ROLE ra_%s %s %s', i, CASE WHEN random() < 0.3 THEN 'NOINHERIT' END, CASE WHEN random() < 0.4 THEN 'LOGIN' END);
    END LOOP;
    EXECUTE format('ALTER ROLE ra_%s SUPERUSER', ceil(random() * n));
    FOR i IN 1..n LOOP
        FOR j IN 1..i - 1 LOOP
            CONTINUE WHEN random() > 0.08;
            EXECUTE format('GRANT ra_%s TO ra_%s %s', j, i, CASE
                WHEN current_setting('server_version_num')::int >= 160000
                THEN (ARRAY['', 'WITH INHERIT FALSE', 'WITH INHERIT TRUE, SET FALSE', 'WITH INHERIT FALSE, SET FALSE'])[ceil(random() * 4)]
                WHEN random() < 0.2 THEN 'WITH ADMIN OPTION' END);
        END LOOP;
    END LOOP;
    EXECUTE format('GRANT pg_read_all_data TO ra_%s', ceil(random() * n));
    EXECUTE format('GRANT pg_write_all_data TO ra_%s', ceil(random() * n));
    EXECUTE format('CREATE SCHEMA ga AUTHORIZATION ra_%s', ceil(random() * n));
    CREATE SCHEMA "G b";
    CREATE TYPE ga.mood AS ENUM ('a');
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA "G b" GRANT SELECT ON TABLES TO ra_%s', ceil(random() * n));
    EXECUTE format('ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO ra_%s', ceil(random() * n));
    IF random() < 0.3 THEN
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    END IF;
    FOR i IN 1..25 LOOP
        t := (ARRAY['ga', '"G b"', 'public'])[1 + i % 3] || '.';
        f := t || quote_ident('F ' || i); s := t || quote_ident('S ' || i); d := t || quote_ident('D ' || i); t := t || quote_ident('T ' || i);
        EXECUTE format('CREATE TABLE %s (a int, "B b" text)', t);
        EXECUTE format('CREATE FUNCTION %s(x int, y ga.mood[]) RETURNS int LANGUAGE sql AS ''SELECT 1''', f);
        IF random() < 0.4 THEN
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
        END IF;
        EXECUTE format('CREATE SEQUENCE %s', s);
        EXECUTE format('CREATE DOMAIN %s AS int', d);
        IF random() < 0.5 THEN
            EXECUTE format('ALTER TABLE %s OWNER TO ra_%s', t, ceil(random() * n));
        END IF;
        IF random() < 0.2 THEN
            EXECUTE format('REVOKE ALL ON TABLE %s FROM CURRENT_USER', t);
        END IF;
        FOR j IN 1..3 LOOP
            EXECUTE format('GRANT %s ON %s TO %s', (ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'ALL', 'REFERENCES', 'TRIGGER'])[ceil(random() * 8)],
                           t, CASE WHEN random() < 0.05 THEN 'PUBLIC' ELSE 'ra_' || ceil(random() * n) END);
            EXECUTE format('GRANT %s (a) ON %s TO ra_%s', (ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'])[ceil(random() * 4)], t, ceil(random() * n));
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ra_%s', f, ceil(random() * n));
            EXECUTE format('GRANT %s ON SEQUENCE %s TO ra_%s', (ARRAY['USAGE', 'SELECT', 'UPDATE'])[ceil(random() * 3)], s, ceil(random() * n));
        END LOOP;
        IF random() < 0.3 THEN
            EXECUTE format('REVOKE USAGE ON DOMAIN %s FROM PUBLIC; GRANT USAGE ON DOMAIN %1$s TO ra_%s', d, ceil(random() * n));
        END IF;
    END LOOP;
    FOR j IN 1..6 LOOP
        EXECUTE format('GRANT %s ON SCHEMA %s TO ra_%s', (ARRAY['USAGE', 'CREATE'])[1 + j % 2], (ARRAY['ga', '"G b"', 'public'])[1 + j % 3], ceil(random() * n));
    END LOOP;
    REVOKE TEMPORARY, CONNECT ON DATABASE postgres FROM PUBLIC;
    EXECUTE format('GRANT CONNECT ON DATABASE postgres TO ra_%s', ceil(random() * n));
    EXECUTE format('GRANT CREATE ON DATABASE postgres TO ra_%s', ceil(random() * n));
    EXECUTE format('ALTER DATABASE postgres OWNER TO ra_%s', ceil(random() * n));
END
$$;
};

my $compare = q{
CREATE TEMP TABLE said AS
    SELECT DISTINCT actor, database, object_kind, object, privilege FROM hoopguard.access WHERE provider IS NULL;
CREATE INDEX ON said (actor, object_kind, object, privilege);
CREATE TEMP VIEW relation AS
    SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('ga', 'G b', 'public');
CREATE TEMP TABLE truth AS
    SELECT r.rolname AS actor, 'table' AS kind, c.name AS object, p AS privilege, has_table_privilege(r.oid, c.oid, p) AS held
      FROM pg_roles r, relation c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p WHERE c.relkind = 'r'
    UNION ALL
    SELECT r.rolname, 'sequence', c.name, p, has_sequence_privilege(r.oid, c.oid, p)
      FROM pg_roles r, relation c, unnest('{USAGE,SELECT,UPDATE}'::text[]) p WHERE c.relkind = 'S'
    UNION ALL
    SELECT r.rolname, 'column', format('%s.%I', c.name, a.attname), p, has_column_privilege(r.oid, c.oid, a.attnum, p)
      FROM pg_roles r, relation c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0, unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) p
     WHERE c.relkind = 'r'
    UNION ALL
    SELECT r.rolname, 'function', format('%I.%I(integer, ga.mood[])', n.nspname, f.proname), 'EXECUTE', has_function_privilege(r.oid, f.oid, 'EXECUTE')
      FROM pg_roles r, pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace WHERE n.nspname IN ('ga', 'G b', 'public')
    UNION ALL
    SELECT r.rolname, 'domain', format('%I.%I', n.nspname, t.typname), 'USAGE', has_type_privilege(r.oid, t.oid, 'USAGE')
      FROM pg_roles r, pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND n.nspname IN ('ga', 'G b', 'public')
    UNION ALL
    SELECT r.rolname, 'schema', quote_ident(n.nspname), p, has_schema_privilege(r.oid, n.oid, p)
      FROM pg_roles r, pg_namespace n, unnest('{USAGE,CREATE}'::text[]) p WHERE n.nspname IN ('ga', 'G b', 'public')
    UNION ALL
    SELECT r.rolname, 'database', quote_ident(d.datname), p, has_database_privilege(r.oid, d.oid, p)
      FROM pg_roles r, pg_database d, unnest('{CONNECT,CREATE,TEMPORARY}'::text[]) p
    UNION ALL
    -- Memberships, but for superusers, who are in every role, and the role that stands for a database's owner.
    SELECT r.rolname, 'role', quote_ident(m.rolname), 'MEMBER', pg_has_role(r.oid, m.oid, 'USAGE')
      FROM pg_roles r, pg_roles m WHERE r.oid <> m.oid AND NOT r.rolsuper AND m.rolname <> 'pg_database_owner';
ANALYZE said;
SELECT kind, count(*) FILTER (WHERE held) > 0 AND count(*) FILTER (WHERE NOT held) > 0, string_agg(format('%s %s on %s: %s', actor, privilege, object, held), '; ') FILTER (WHERE held <> says)
  FROM (SELECT t.*, EXISTS (SELECT FROM said a WHERE (a.actor, a.object_kind, a.object, a.privilege) = (t.actor, t.kind, t.object, t.privilege))
                    OR t.kind = 'column' AND EXISTS (SELECT FROM said a WHERE (a.actor, a.object_kind, a.privilege) = (t.actor, 'table', t.privilege)
                                                                         AND starts_with(t.object, a.object || '.')) AS says
          FROM truth t) c
 GROUP BY kind ORDER BY kind;
};

for my $seed (1 .. 3) {
    $node->safe_psql('postgres', "SELECT setseed(0.$seed); $graph");
    my $found = $node->safe_psql('postgres', $compare);
    is($found, join("\n", map { "$_|t|" } qw(column database domain function role schema sequence table)), "random role graph $seed: as PostgreSQL says");
    is($node->safe_psql('postgres', q{SELECT count(*) FROM hoopguard.access_given g
        WHERE NOT EXISTS (SELECT FROM hoopguard.access_row a WHERE (a.actor, a.object_kind, a.object, a.privilege, a.source) = (g.actor, g.object_kind, g.object, g.privilege, g.source))}),
        '0', 'what is given is part of it');
    # Everything away again.
    $node->safe_psql('postgres', q{ALTER DATABASE postgres OWNER TO CURRENT_USER; GRANT TEMPORARY, CONNECT ON DATABASE postgres TO PUBLIC;
        ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC;
        DO $$ DECLARE r text; BEGIN
            FOR r IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'ra\_%' LOOP EXECUTE format('DROP OWNED BY %I CASCADE', r); END LOOP;
            DROP SCHEMA IF EXISTS ga, "G b" CASCADE;
            FOR r IN SELECT format('%I.%I', 'public', relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP EXECUTE 'DROP TABLE ' || r; END LOOP;
            FOR r IN SELECT format('%I.%I', 'public', relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' LOOP EXECUTE 'DROP SEQUENCE ' || r; END LOOP;
            FOR r IN SELECT format('%I.%I', 'public', typname) FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'd' LOOP EXECUTE 'DROP DOMAIN ' || r; END LOOP;
            FOR r IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'ra\_%' LOOP EXECUTE format('DROP ROLE %I', r); END LOOP;
        END $$}) if $seed < 3;
}
$node->stop;
done_testing();
