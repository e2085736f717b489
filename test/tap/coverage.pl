# coverage() tells an orderly stop, a crash and a start without the library apart.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('coverage');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hoopguard; CREATE TABLE t (i int)');

sub states {
    return $node->safe_psql('postgres', q{SELECT string_agg(state, ' ' ORDER BY from_time, to_time) FROM hoopguard.coverage()});
}

sub without_library {
    my ($sql) = @_;
    $node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
    $node->start;
    $node->safe_psql('postgres', $sql) if defined $sql;
    $node->stop;
    $node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "'hoopguard'");
}

is(states(), 'recorded', 'one run');

$node->restart;
is(states(), 'recorded down recorded', 'an orderly stop');

$node->stop('immediate');
$node->start;
$node->safe_psql('postgres', 'INSERT INTO t VALUES (1)');
is(states(), 'recorded down recorded down recorded', 'a crash');

my $before = $node->safe_psql('postgres', 'SELECT now()');
$node->stop;
without_library('INSERT INTO t VALUES (2)');
$node->start;
is(states(), 'recorded down recorded down recorded unrecorded recorded', 'transactions without the library');
like($node->safe_psql('postgres', q{SELECT evidence FROM hoopguard.coverage() WHERE state = 'unrecorded'}),
    qr/^the server ran without the library: 1 transactions; WAL at /, 'and the evidence');

$node->stop;
without_library(undef);
$node->start;
like(states(), qr/unrecorded recorded unrecorded recorded$/, 'a mere start without the library, by WAL alone');

is( $node->safe_psql('postgres', qq{
        SELECT bool_and(from_time >= '$before' AND to_time <= now()) AND min(from_time) = '$before'
          FROM hoopguard.coverage('$before', now())}),
    't', 'clipped to the bounds that were asked for');

for my $bad (
    [ q{'2024-02-02', '2024-01-01'}, qr/invalid value for argument "until": 2024-01-01.*not before since/s ],
    [ q{NULL, now()},                qr/invalid value for argument "since": NULL/ ],
    [ q{now(), NULL},                qr/invalid value for argument "until": NULL/ ])
{
    my ($status, $out, $error) = $node->psql('postgres', "SELECT * FROM hoopguard.coverage($bad->[0])");
    like($error, $bad->[1], "coverage($bad->[0]) is refused");
}

$node->stop;
done_testing();
