# Usage on whole servers: gathered by the worker, over databases and restarts, equal to what is gathered anew; work in
# other databases; and recorded work replays under the grants that right_size() gives, and under no fewer.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProtocolClient;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nmax_worker_processes = 12\nhoopguard.approval_wait = 0\n");
$node->start;
# The extension comes only now: the worker has gone without it, and says nothing.
$node->safe_psql('postgres', 'CREATE DATABASE "Shop 1"; CREATE DATABASE depot; CREATE ROLE app LOGIN; CREATE ROLE thin LOGIN');

sub sql { my ($sql, $database) = @_; return $node->safe_psql($database // 'postgres', $sql); }
sub as_role { my ($role, $sql, $database) = @_; my ($status, $out, $error) = $node->psql($database // 'postgres', $sql, extra_params => [ '-U', $role, '-w' ], on_error_stop => 0); return ($out, $error); }

sql('CREATE EXTENSION hoopguard');
for my $database ('Shop 1', 'depot') {
    sql(q{REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
        ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        CREATE SCHEMA sales;
        CREATE TABLE sales.item (id serial PRIMARY KEY, name text); CREATE TABLE sales."Price List" (item int REFERENCES sales.item, price int);
        CREATE VIEW sales.dear AS SELECT i.name, p.price FROM sales.item i JOIN sales."Price List" p ON p.item = i.id WHERE p.price > 10;
        CREATE FUNCTION sales.plus_tax(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 108 / 100';
        CREATE FUNCTION sales.raise(int) RETURNS void LANGUAGE plpgsql AS 'BEGIN UPDATE sales."Price List" SET price = sales.plus_tax(price) WHERE item = $1; END';
        CREATE FUNCTION sales.total() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN (SELECT sum(price) FROM sales."Price List"); END';
        CREATE PROCEDURE sales.clear(int) LANGUAGE plpgsql AS 'BEGIN DELETE FROM sales."Price List" WHERE item = $1; END';
        GRANT ALL ON SCHEMA sales TO app; GRANT ALL ON ALL TABLES IN SCHEMA sales TO app; GRANT ALL ON ALL SEQUENCES IN SCHEMA sales TO app;
        GRANT ALL ON ALL ROUTINES IN SCHEMA sales TO app}, $database);
}

# What the role does, in one database all of it, in the other a little.
my $work = q{
    INSERT INTO sales.item (name) VALUES ('pen'), ('desk');
    INSERT INTO sales."Price List" SELECT id, id * 20 FROM sales.item;
    SELECT sales.raise(2);
    SELECT * FROM sales.dear ORDER BY 1;
    SELECT sales.plus_tax(100), sales.total();
    CALL sales.clear(1);
    COPY sales.item (name) TO STDOUT;
    EXPLAIN SELECT * FROM sales."Price List";
    WITH gone AS (DELETE FROM sales."Price List" RETURNING item) SELECT count(*) FROM gone;
    BEGIN; DECLARE c CURSOR FOR SELECT name FROM sales.item; FETCH 1 FROM c; COMMIT;
    DO 'BEGIN PERFORM name FROM sales.item; END';
};
my ($shown, $error) = as_role('app', $work, 'Shop 1');
is($error, '', 'the role does its work');
as_role('app', 'SELECT count(*) FROM sales.item', 'depot');

# A statement that goes on while its reading stops, over a restart.
my $client = ProtocolClient->new($node, user => 'app', database => 'depot');
$client->query('BEGIN; DECLARE held CURSOR FOR SELECT name FROM sales.dear; FETCH 1 FROM held');
my $use = sub { my ($object, $database) = @_; return sql("SELECT coalesce(sum(uses), 0) FROM hoopguard.usage WHERE effective_role = 'app' AND object = '$object' AND database = '$database' AND privilege = 'SELECT'") };
sql('SELECT hoopguard.gather_usage()');
is($use->('sales.dear', 'depot'), 0, 'a statement that goes on is not counted yet');
is($use->('sales.item', 'depot'), 1, 'what was done in another database is');
$node->restart;
sql('SELECT hoopguard.gather_usage()');
is($use->('sales.dear', 'depot'), 1, 'once it has ended it is, over a restart');
is($use->('sales.item', 'Shop 1'), 3, 'and nothing twice');
$node->stop('immediate');
$node->start;

# The worker, by itself.
as_role('app', 'SELECT count(*) FROM sales.item', 'depot');
ok($node->poll_query_until('postgres', "SELECT sum(uses) = 2 FROM hoopguard.usage WHERE effective_role = 'app' AND object = 'sales.item' AND database = 'depot' AND privilege = 'SELECT'"),
    'a worker gathers without being asked');
is(sql("SELECT count(*) FROM hoopguard.usage_source WHERE actor = 'app' AND login_role = 'app' AND logins > 0"), '1', 'where the role was used from');

# Whoever drops the control database finds it free; here another one, of the same server.
sql('SELECT hoopguard.gather_usage()');
my $all = q{SELECT md5(string_agg(t::text, E'\n' ORDER BY t::text)) FROM (
    SELECT (u.provider, u.actor, u.login_role, u.effective_role, u.database, u.object, u.object_kind, u.privilege, u.through, u.first_used, u.last_used, u.uses, u.masked_uses, u.classes)::text AS t
      FROM hoopguard.usage u WHERE u.login_role <> 'postgres'
    UNION ALL SELECT d::text FROM hoopguard.usage_day d WHERE d.actor <> 'postgres'
    UNION ALL SELECT s::text FROM hoopguard.usage_source s WHERE s.actor <> 'postgres') t};
my $gathered = sql($all);
sql('SELECT hoopguard.rebuild_usage()');
is(sql($all), $gathered, 'gathered anew it is the same');

# The grants cover what was done, and nothing less does: the work replays as a role that has them alone.
my $script = join("\n", map { my $line = $_; $line =~ s/TO app(;|$)/TO thin$1/; $line } split /\n/, sql("SELECT * FROM hoopguard.right_size('app')"));
like($script, qr/^\\connect "Shop 1"$/m, 'the script goes to each database');
sql($script);
my ($again, $problem) = as_role('thin', $work, 'Shop 1');
is($problem, '', 'recorded work replays without error under the reduced grants');
($again, $problem) = as_role('thin', 'SELECT count(*) FROM sales.item', 'depot');
is($problem, '', 'in the other database too');
(undef, $problem) = as_role('thin', 'TRUNCATE sales."Price List"', 'Shop 1');
like($problem, qr/permission denied/, 'what was not used is not given');
(undef, $problem) = as_role('thin', 'INSERT INTO sales.item (name) VALUES (1)', 'depot');
like($problem, qr/permission denied/, 'nor is what was used in another database alone');
my $needless = 0;
for my $grant (grep { /^GRANT .* ON (TABLE|SEQUENCE|FUNCTION|PROCEDURE) / } split /\n/, (split /^\\connect "Shop 1"$/m, $script)[1] =~ s/^\\connect.*//msr) {
    (my $revoke = $grant) =~ s/^GRANT/REVOKE/;
    $revoke =~ s/ TO thin;/ FROM thin;/;
    sql($revoke, 'Shop 1');
    (undef, $problem) = as_role('thin', $work, 'Shop 1');
    if ($problem !~ /permission denied/) { $needless++; diag("not needed: $grant"); }
    sql($grant, 'Shop 1');
}
is($needless, 0, 'without any one of them it does not');

# Work in another database: rows, errors, an end when whoever asked goes.
is(sql(q{SELECT r->>'name' FROM jsonb_array_elements(hoopguard.in_database('Shop 1', 'SELECT name FROM sales.item ORDER BY id')) r LIMIT 1}), 'pen', 'rows of another database');
is(sql(q{SELECT jsonb_array_length(hoopguard.in_database('depot', 'SELECT repeat(''x'', 1000) AS x FROM generate_series(1, 5000)'))}), '5000', 'more than a queue holds');
sql(q{SELECT count(hoopguard.in_database('depot', 'SELECT ' || g)) FROM generate_series(1, 30) g});
pass('one after the other, more than there are places for workers');
my $asking = ProtocolClient->new($node, user => 'postgres', database => 'postgres');
$asking->message('Q', "SELECT hoopguard.in_database('depot', 'SELECT pg_sleep(600)')\0");
my $errands = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'hoopguard errand'";
ok($node->poll_query_until('postgres', "$errands", '1'), 'an errand runs');
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT hoopguard.in_database(''depot''%' AND pid <> pg_backend_pid() AND backend_type = 'client backend'");
ok($node->poll_query_until('postgres', "$errands", '0'), 'and ends with the session that asked');
(undef, $problem) = as_role('app', "SELECT hoopguard.in_database('depot', 'SELECT 1')");
like($problem, qr/permission denied for function in_database/, 'it is not for everyone');
sql('ALTER DATABASE depot ALLOW_CONNECTIONS false');
(undef, undef, $problem) = $node->psql('postgres', "SELECT hoopguard.in_database('depot', 'SELECT 1')");
like($problem, qr/database "depot" does not accept connections/, 'a database that lets nobody in');

# A standby keeps its own journal, and gathers nothing.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup('standby', 'replay');
is($standby->safe_psql('postgres', 'SELECT hoopguard.gather_usage()'), '0', 'a standby gathers nothing');
is($standby->safe_psql('postgres', q{SELECT hoopguard.in_database('Shop 1', 'SELECT pg_is_in_recovery() AS r')}), '[{"r": true}]', 'and runs errands that only read');
$standby->stop;
$node->stop;
done_testing();
