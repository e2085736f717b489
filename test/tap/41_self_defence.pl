# hoopguard's workers heed nobody but the postmaster; a server without the library turns agents away, and one that
# runs takes it no more; leaving is done deliberately, or not at all.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION hoopguard; CREATE TABLE t (v text);
    CREATE ROLE bot LOGIN; CREATE ROLE signaller LOGIN IN ROLE pg_signal_backend;
    SELECT hoopguard.protect_agent('bot'); SELECT hoopguard.classify_column('t', 'v', 'email')});
sub turned_away {
    my ($role, $sql) = @_;
    my ($status, $out, $error) = $node->psql('postgres', $sql // 'SELECT 1', extra_params => [ '-U', $role, '-w' ]);
    return $error;
}

# Attempts on the workers, by whoever PostgreSQL lets send a signal.
my $workers = q{SELECT string_agg(pid || ' ' || backend_type, ',' ORDER BY backend_type COLLATE "C")
    FROM pg_stat_activity WHERE backend_type LIKE 'hoopguard %'};
my $before = $node->safe_psql('postgres', $workers);
like($before, qr/broker,.*broker launcher/, 'the workers that pg_stat_activity shows');
for my $role ('signaller', 'postgres') {
    turned_away($role, qq{SELECT pg_terminate_backend(pid), pg_cancel_backend(pid) FROM pg_stat_activity
        WHERE backend_type LIKE 'hoopguard %'});
    turned_away($role, qq{DO \$\$ DECLARE w record; BEGIN FOR w IN SELECT pid FROM pg_stat_activity
        WHERE backend_type LIKE 'hoopguard %' LOOP PERFORM pg_terminate_backend(w.pid); END LOOP; END \$\$});
}
$node->safe_psql('postgres', q{SELECT hoopguard.guard('still', 'warn', '{replication}', roles => '{bot}')});
is($node->safe_psql('postgres', $workers), $before, 'all of them go on, and a change of policy comes into force');
is($node->safe_psql('postgres', 'SELECT ok FROM hoopguard.verify_journal()'), 't', 'the journal too');
like(slurp_file($node->logfile), qr/a hoopguard worker ignored the request of process \d+ to stop/, 'the log says who asked');

# Leaving.
my ($status, $out, $error) = $node->psql('postgres', 'DROP EXTENSION hoopguard CASCADE');
like($error, qr/while columns are classified/, 'not while columns are classified');
my $steps = $node->safe_psql('postgres', q{SELECT statement FROM hoopguard.uninstall('moving away')});
like($steps, qr/declassify_column\('public\.t', 'v'\)/, 'uninstall() tells what it will do');
like(turned_away('postgres', 'DROP EXTENSION hoopguard'), qr/./, 'and has done nothing yet');
is(turned_away('bot'), '', 'an agent still comes in');

# A server without the library.
$node->stop;
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->start;
like(turned_away('bot'), qr/hoopguard must be loaded when the server starts/, 'without the library an agent is turned away');
is(turned_away('signaller'), '', 'others are not');
for my $late ("LOAD 'hoopguard'", "SET session_preload_libraries = 'hoopguard'; LOAD 'hoopguard'") {
    like(turned_away('postgres', $late), qr/hoopguard must be loaded when the server starts/, "too late: $late");
}
$node->stop;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\n");
$node->start;
is(turned_away('bot'), '', 'with it the agent is back');
is($node->safe_psql('postgres', q{SELECT count(*) > 0 FROM hoopguard.coverage() WHERE state = 'unrecorded'}), 't',
    'and the time between shows');

# For good.
$node->safe_psql('postgres', q{SELECT * FROM hoopguard.uninstall('moving away', dry_run => false)});
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_db_role_setting WHERE array_to_string(setconfig, ' ') LIKE '%hoopguard%'}),
    '0', 'no role needs hoopguard any more');
is($node->safe_psql('postgres', q{DROP EXTENSION hoopguard; SELECT count(*) FROM pg_extension WHERE extname = 'hoopguard'}),
    '0', 'then the extension goes');
is(turned_away('bot', 'DELETE FROM t WHERE false'), "psql:<stdin>:1: ERROR:  permission denied for table t",
    'and nothing is guarded any more');
$node->stop;

done_testing();
