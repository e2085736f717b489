# Kills a backend, the sealer, the notary or the postmaster under load, over and over: every statement that was
# answered is on record, in its session's order, and the journal verifies each time.
#
# HOOPGUARD_KILL_ROUNDS sets how often (default 200); make test-kill ROUNDS=5000 is the long run.
use strict;
use warnings;

use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use JournalWorkers;
use WireClient;

my $rounds = $ENV{HOOPGUARD_KILL_ROUNDS} || 200;
my $clients = 3;
my $seed = $ENV{HOOPGUARD_KILL_SEED} || time * 1000 % 1_000_000_000;
srand($seed);
note "seed $seed";

my $node = PostgreSQL::Test::Cluster->new('kill');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'hoopguard'
hoopguard.journal_segment_size = 1MB
hoopguard.journal_checkpoint_interval = 1s
restart_after_crash = on
fsync = off
shared_buffers = 8MB
autovacuum = off
log_statement = none
CONF
$node->start;
my $journal = $node->data_dir . '/hoopguard';
my ($directory, $port) = ($node->host, $node->port);

# A client that asks until its connection dies, and writes down what was answered.
sub run_client
{
	my ($round, $client, $log) = @_;
	my $connection = WireClient->new($directory, $port) or return;
	open(my $answered, '>>', $log) or die "cannot write $log: $!";
	$answered->autoflush(1);
	for (my $n = 0;; $n++)
	{
		my $name = "kill-$round-$client-$n";
		# Every tenth ends in an error, one in forty changes something: other paths to an outcome.
		my $text = $n % 10 == 9 ? "select '$name'/0" : $n % 40 == 6 ? "create temp table if not exists t as select '$name' as n" : "select '$name'";
		my $answer = $connection->query($text) or return;
		return if ($answer->{error} // '') =~ /^57P/;
		print $answered "$name\n";
	}
}

sub victims
{
	my $watcher = WireClient->new($directory, $port) or return;
	my $answer = $watcher->query("select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()") or return;
	$watcher->close;
	my %victims;
	$victims{backend} = $answer->{rows};
	$victims{$_} = [ JournalWorkers::worker_pids($node->{_pid}, $_) ] for qw(sealer notary);
	$victims{postmaster} = [ $node->{_pid} ];
	return \%victims;
}

sub wait_until_up
{
	for (my $begun = time; time - $begun < 60; sleep 0.02)
	{
		my $connection = WireClient->new($directory, $port) or next;
		$connection->close;
		return 1;
	}
	return 0;
}

sub start_again
{
	# The killed postmaster's children end by themselves; until the last has gone, its memory is in use.
	for (my $begun = time; time - $begun < 60; sleep 0.05)
	{
		next if system('pg_ctl', '-w', '-s', '-D', $node->data_dir, '-l', $node->logfile, 'start') != 0;
		$node->_update_pid(1);
		return 1;
	}
	return 0;
}

my %killed;
my (@unverified, @missing, $answered_count);
my $log = "$PostgreSQL::Test::Utils::tmp_check/answered";

# What was answered since the last look, against what is on record.
sub compare
{
	my %recorded;
	open(my $show, '-|', 'hoopguard-journal', 'export', $journal, '--format', 'jsonl') or die "cannot run hoopguard-journal: $!";
	while (my $line = <$show>)
	{
		$recorded{$1} //= $. if $line =~ /(kill-\d+-\d+-\d+)/;
	}
	CORE::close($show);
	my %last;
	for my $file (glob "$log-*")
	{
		open(my $answered, '<', $file) or die "cannot read $file: $!";
		while (my $name = <$answered>)
		{
			chomp $name;
			$answered_count++;
			my $at = $recorded{$name};
			my ($session) = $name =~ /^(.*)-/;
			push @missing, $name unless defined $at;
			push @missing, "$name (out of order)" if defined $at && $at < ($last{$session} // 0);
			$last{$session} = $at if defined $at;
		}
		CORE::close($answered);
	}
}

for my $round (1 .. $rounds)
{
	my @children;
	for my $client (1 .. $clients)
	{
		my $pid = fork // die "cannot fork: $!";
		if ($pid == 0)
		{
			run_client($round, $client, "$log-$client");
			# Without END blocks, which would stop the server.
			POSIX::_exit(0);
		}
		push @children, $pid;
	}
	sleep 0.03 + rand 0.25;
	my $victims = victims() or BAIL_OUT("no connection in round $round");
	my @kinds = grep { @{ $victims->{$_} // [] } } qw(backend sealer notary postmaster);
	my $kind = $kinds[ int rand @kinds ];
	my $pid = $victims->{$kind}[ int rand @{ $victims->{$kind} } ];
	sleep rand 0.02;
	if ($kind eq 'postmaster') { $node->kill9 }
	else { kill 'KILL', $pid }
	$killed{$kind}++;
	waitpid $_, 0 for @children;
	my $up = $kind eq 'postmaster' ? start_again() : wait_until_up();
	BAIL_OUT("the server did not come back in round $round after $kind was killed") unless $up;
	my $verified = system("hoopguard-journal verify '$journal' >'$log.verify' 2>&1") == 0;
	push @unverified, "round $round ($kind): " . slurp_file("$log.verify") unless $verified;
	last if @unverified;
}
$node->stop;
compare();

is_deeply(\@unverified, [], "the journal verified after each of $rounds kills");
is(scalar @missing, 0, 'every answered statement is on record, in order')
	or diag join "\n", @missing > 20 ? @missing[0 .. 19] : @missing;
cmp_ok($answered_count // 0, '>', $rounds, 'statements were answered');
is(scalar(keys %killed), 4, 'backends, sealers, notaries and postmasters were killed') if $rounds >= 50;
is(system("hoopguard-journal verify '$journal' >'$log.verify' 2>&1"), 0, 'the journal verifies after an orderly stop');
like(slurp_file("$log.verify"), qr/0 not yet signed; stopped in order/, 'and is signed to its end');
note join ', ', map { "$_ $killed{$_}" } sort keys %killed;
note "answered: $answered_count";

done_testing();
