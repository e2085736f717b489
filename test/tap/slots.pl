# A short read is one entry when it ends; one that goes on, and one whose process dies, is on record as begun.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use JournalWorkers;
use Sessions;

my $node = PostgreSQL::Test::Cluster->new('slots');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'hoopguard'
hoopguard.journal_sync = off
restart_after_crash = on
CONF
$node->start;
my $journal = $node->data_dir . '/hoopguard';
$node->safe_psql('postgres', 'create extension hoopguard');
$node->safe_psql('postgres', 'create table note (id int primary key, body text)');

sub show
{
	my ($out) = run_command([ 'hoopguard-journal', 'show', $journal ]);
	return grep { /\S/ } split /\n(?=\S)/, $out;
}

sub entries_of
{
	my ($text) = @_;
	return grep { /\Q$text\E/ } show();
}

sub wait_for
{
	my ($what) = @_;
	for (my $begun = time; time - $begun < 30; sleep 0.05) { return 1 if $what->() }
	return 0;
}

# What a client sends, and how many entries of it there are, of which type.
$node->safe_psql('postgres', q{select 'alone, 1' from note});
$node->safe_psql('postgres', q{begin; select 'in a block, 1' from note; insert into note values (1, 'in a block, 2'); commit});
$node->safe_psql('postgres', q{begin; select 'rolled back' from note; rollback});
$node->psql('postgres', q{select 1 / (length('fails') - 5)});
$node->safe_psql('postgres', q{do $$begin perform 'nested' from note; end$$});
$node->safe_psql('postgres', q{with gone as (delete from note returning 'writes') select * from gone});
ok(wait_for(sub { scalar entries_of('writes') }), 'the entries are in a segment');
my @alone = entries_of('alone, 1');
is(scalar @alone, 1, 'a read alone is one entry');
like($alone[0], qr/whole/, 'that tells its outcome too');
like((entries_of('in a block, 1'))[0], qr/whole/, 'so is a read in a block');
unlike((entries_of('in a block, 2'))[0], qr/whole/, 'what writes has a start of its own');
unlike((entries_of("length('fails')"))[0], qr/whole/, 'and so has what failed');
unlike((entries_of("'nested'"))[-1], qr/whole/, 'and what another statement runs');
unlike((entries_of('writes'))[0], qr/whole/, 'and a query whose WITH writes');
is($node->safe_psql('postgres', q{
	select string_agg(outcome || ', ' || transaction_outcome, '; ' order by statement)
	from hoopguard.statement where statement like 'select ''%' and statement not like '%string_agg%'}),
	'ok, committed; ok, committed; ok, rolled back', 'the view tells how each ended');

# A reader sees what runs.
my $sleeper = begin_psql($node, 'postgres', scalar getpwuid($<), 'select pg_sleep(100);');
my $seen = $node->poll_query_until('postgres', q{
	select count(*) = 1 from hoopguard.statement where statement like 'select pg_sleep(100)%' and outcome = 'running'});
ok($seen, 'a statement that runs is seen to run');
ok(wait_for(sub { scalar entries_of('pg_sleep(100)') }), 'and is in the journal without anybody asking the server');

# The sealer is stopped, so that nobody puts the statement on record while it runs; then its process is killed.
my ($sealer) = JournalWorkers::worker_pids($node->{_pid}, 'sealer');
kill 'STOP', $sealer;
my $victim = begin_psql($node, 'postgres', scalar getpwuid($<), q{select 'its process is killed', pg_sleep(101);});
ok(wait_for(sub {
	slurp_file("$journal/running") =~ /its process is killed/
}), 'the statement stands in its slot');
unlike(slurp_file("$journal/ring"), qr/its process is killed/, 'and nowhere else');
my $pid = $node->safe_psql('postgres', q{select pid from pg_stat_activity where query like '%pg_sleep(101)%' and pid <> pg_backend_pid()});
kill 'KILL', $pid;
kill 'KILL', $sealer;
like(finish_psql($_), qr/connection|terminat/, 'its client is told') for $sleeper, $victim;
ok($node->poll_query_until('postgres', 'select true', 't'), 'the server starts again');
my @killed = entries_of('its process is killed');
is(scalar @killed, 1, 'the statement is on record, once');
like($killed[0], qr/recovered/, 'put there by recovery');
is($node->safe_psql('postgres', q{
	select outcome from hoopguard.statement where statement like '%its process is killed%' and statement not like '%hoopguard%'}),
	'lost', 'what became of it is not known');
my ($verified) = run_command([ 'hoopguard-journal', 'verify', $journal ]);
like($verified, qr/: good/, 'the journal verifies');
unlike($verified, qr/numbers this entry/, 'and no session has a hole');

# In the middle of everything: many sessions with short reads, and readers that put on record what runs.
$node->safe_psql('postgres', q{insert into note select i, 'body' from generate_series(2, 1000) i});
my $bench = $node->basedir . '/reads.sql';
append_to_file($bench, "\\set id random(2, 1000)\nselect body from note where id = :id;\n");
my $load = IPC::Run::start(
	[ 'pgbench', '-n', '-c', 4, '-T', 6, '-M', 'prepared', '-f', $bench, '-h', $node->host, '-p', $node->port, 'postgres' ],
	'>', \my $out, '2>', \my $err);
my $reads = 0;
while (time < $^T + 1e9 && $load->pumpable)
{
	$node->safe_psql('postgres', q{select count(*) from hoopguard.statement where outcome = 'running'});
	++$reads;
	$load->pump_nb;
	last if $out =~ /tps = /;
}
$load->finish;
my ($done) = $out =~ /actually processed: (\d+)/;
cmp_ok($reads, '>', 3, 'the journal was read meanwhile');
is($node->safe_psql('postgres', q{
	select count(*) || ' ' || count(*) filter (where outcome = 'ok' and rows = 1)
	from hoopguard.statement where statement like 'select body from note%'}),
	"$done $done", 'each of the reads is on record, once, with its outcome');
$node->stop;
($verified) = run_command([ 'hoopguard-journal', 'verify', $journal ]);
like($verified, qr/: good/, 'the journal verifies');
unlike($verified, qr/numbers this entry/, 'and no session has a hole');

done_testing();
