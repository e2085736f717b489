# The journal is read while it is written, from any database and on a standby; what was cut off is lost, not running.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'hoopguard'
hoopguard.journal_segment_size = '1MB'
restart_after_crash = on
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hoopguard; CREATE DATABASE other; CREATE TABLE t (i int)');
$node->safe_psql('other', 'CREATE EXTENSION hoopguard');

my $me = q{(SELECT to_hex(trunc(extract(epoch FROM backend_start))::bigint) || '.' || to_hex(pid)
              FROM pg_stat_activity WHERE pid = pg_backend_pid())};
is($node->safe_psql('other', "SELECT outcome FROM hoopguard.statement WHERE session_id = $me"),
    'running', 'a statement sees itself, in every database');

# Many short sessions and long texts, over several segments, read while more come.
my $long = 'x' x 3000;
$node->safe_psql('postgres', "SELECT length('$long $_')") for 1 .. 5;
my $script = PostgreSQL::Test::Utils::tempdir() . '/load.sql';
append_to_file($script, "INSERT INTO t VALUES (1);\n");
my ($out, $error) = ('', '');
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', '4', '-t', '3000', '-f', $script, '-h', $node->host, '-p',
        $node->port, 'postgres' ], '>', \$out, '2>', \$error);
for my $round (1 .. 15) {
    my $odd = $node->safe_psql('postgres', q{
        WITH seen AS MATERIALIZED (SELECT * FROM hoopguard.statement)
        SELECT count(*) FILTER (WHERE outcome IN ('lost', 'error')) || ' ' ||
               (count(*) = count(DISTINCT entry))::text
          FROM seen WHERE command_tag = 'INSERT'});
    is($odd, '0 true', "round $round: nothing is lost, nothing comes twice");
}
IPC::Run::finish($load);
is($node->safe_psql('postgres', q{SELECT count(*) || ' ' || sum(rows) FROM hoopguard.statement
     WHERE command_tag = 'INSERT' AND statement LIKE 'INSERT INTO t VALUES%' AND outcome = 'ok' AND transaction_outcome = 'committed'}),
    '12000 12000', 'every statement of the load is there, with its outcome');
is($node->safe_psql('postgres', 'SELECT count(*) > 1 FROM hoopguard.journal_segment'), 't', 'over several segments');
is( $node->safe_psql('postgres', q{
        SELECT count(*) FROM hoopguard.session s WHERE statements > 1000 AND state = 'ended'
           AND statements = (SELECT count(*) FROM hoopguard.statement t WHERE t.session_id = s.session_id)}),
    '4', 'sessions count their statements');
is($node->safe_psql('postgres', 'SELECT ok FROM hoopguard.verify_journal()'), 't', 'the journal verifies');

# A proof from SQL holds for the offline tool.
my $entry = $node->safe_psql('postgres', q{SELECT min(entry) FROM hoopguard.statement WHERE command_tag = 'INSERT'});
$node->safe_psql('postgres', 'SELECT hoopguard.checkpoint()');
my $proof = $node->safe_psql('postgres', "SELECT hoopguard.inclusion_proof($entry)");
like($proof, qr/"entry": $entry\b/, 'a proof of that entry');
my $key = $node->safe_psql('postgres', 'SELECT hoopguard.journal_key()');
like($key, qr{^hoopguard/\d+/[0-9a-f]{32}\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$}, 'the public key');

# A backend that is killed amid a statement: the server restarts, and the statement is lost.
my ($victim_out, $victim_error) = ('', '');
my $victim = IPC::Run::start([ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-d', 'postgres', '-c',
        'BEGIN', '-c', 'INSERT INTO t VALUES (7777)', '-c', 'SELECT pg_sleep(100)' ], '>', \$victim_out, '2>',
    \$victim_error);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(100)%' AND state = 'active'});
my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(100)%' AND state = 'active'});
is($node->safe_psql('postgres', "SELECT outcome FROM hoopguard.statement WHERE pid = $pid AND statement LIKE '%pg_sleep(100)%'"),
    'running', 'a statement that runs');
kill 'KILL', $pid;
eval { IPC::Run::finish($victim) };
$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
is($node->safe_psql('postgres', "SELECT outcome FROM hoopguard.statement WHERE pid = $pid AND statement LIKE '%pg_sleep(100)%'"),
    'lost', 'a statement whose process was killed');
is($node->safe_psql('postgres', "SELECT transaction_outcome FROM hoopguard.statement WHERE pid = $pid AND statement LIKE '%7777%'"),
    'rolled back', 'what became of its transaction is known by its transaction id');
is($node->safe_psql('postgres', "SELECT state FROM hoopguard.session WHERE pid = $pid"), 'lost', 'and its session');

# A standby keeps and reads a journal of its own.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
# What pg_basebackup made for one user alone was copied for the test with other permissions.
system_or_bail('chmod', '-R', 'go=', $standby->data_dir . '/hoopguard');
$standby->start;
$node->wait_for_catchup($standby);
is($standby->safe_psql('other', "SELECT outcome FROM hoopguard.statement WHERE session_id = $me"),
    'running', 'a standby reads its own statement');
is($standby->safe_psql('other', 'SELECT bool_and(ok) FROM hoopguard.verify_journal()'), 't', 'and verifies');
$standby->stop;

# Damage is named, with file and offset, and a range beside it can still be read.
$node->stop;
my ($file) = sort glob($node->data_dir . '/hoopguard/origin-*/*.seg');
open(my $segment, '+<:raw', $file) or die $!;
seek($segment, 4096 + 100, 0);
read($segment, my $byte, 1);
seek($segment, 4096 + 100, 0);
print $segment chr(ord($byte) ^ 1);
close($segment);
$node->start;
my ($status, $rows, $damage) = $node->psql('postgres', 'SELECT count(*) FROM hoopguard.statement');
like($damage, qr{the journal cannot be read: origin-[0-9a-f]{32}/0000000000000000\.seg, offset 4\d\d\d, entry \d+: checksum mismatch},
    'a flipped byte is named');
is($node->safe_psql('postgres', 'SELECT count(*) > 100 FROM hoopguard.statement WHERE entry > 10000'), 't',
    'and what is not damaged can be read');
is($node->safe_psql('postgres', 'SELECT ok FROM hoopguard.verify_journal()'), 'f', 'the journal does not verify');

$node->stop;
done_testing();
