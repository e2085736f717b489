# What a start makes of a journal as crashes, copies and mistakes leave it: holes become gaps, copies begin an
# origin of their own, and what cannot be gone on with refuses the start and says what to do.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use JournalWorkers;

my $node = PostgreSQL::Test::Cluster->new('recovery');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'hoopguard'
hoopguard.journal_segment_size = 1MB
hoopguard.journal_sync = off
log_statement = none
CONF
$node->start;
my $journal = $node->data_dir . '/hoopguard';

sub origins { my ($directory) = @_; return map { s{.*/}{}r } glob "$directory/origin-*" }

sub verify
{
	my ($directory) = @_;
	my ($out, $err) = run_command([ 'hoopguard-journal', 'verify', $directory ]);
	return $out;
}

sub recorded
{
	my ($directory) = @_;
	my ($out) = run_command([ 'hoopguard-journal', 'show', $directory ]);
	return $out;
}

# Starts, expecting a refusal; what the log says about it.
sub refused
{
	my ($server) = @_;
	my $before = -s $server->logfile;
	my $started = $server->start(fail_ok => 1);
	$server->stop if $started;
	return $started ? 'started' : substr(slurp_file($server->logfile), $before);
}

sub patch
{
	my ($file, $offset, $bytes) = @_;
	open(my $handle, '+<:raw', $file) or die "cannot open $file: $!";
	sysseek($handle, $offset, 0);
	syswrite($handle, $bytes) == length $bytes or die "cannot write $file: $!";
	close $handle;
}

# A hole: a backend that died between reserving and publishing. The workers are stopped first, so that the ring
# still holds the entries; then the commit word of one of them is taken away.
{
	my @workers = JournalWorkers::worker_pids($node->{_pid}, 'sealer', 'notary');
	is(scalar @workers, 2, 'the sealer and the notary run');
	$node->safe_psql('postgres', "select 'copied before'");
	sleep 0.3;
	kill 'STOP', @workers;
	$node->safe_psql('postgres', "select 'before the hole'; select 'in the hole'; select 'after the hole'");
	$node->kill9;
	kill 'KILL', @workers;
	my $ring = slurp_file("$journal/ring");
	my $at = index($ring, 'in the hole');
	cmp_ok($at, '>', 0, 'the ring holds what no segment has yet');
	# The word is the last multiple of 8 before the text that holds an odd number equal to its own position + 1. The
	# near part lies behind the far one, whose size stands at 48.
	my $near = 65536 + unpack('Q<', substr($ring, 48, 8));
	my $word = $at - $at % 8;
	$word -= 8 until unpack('Q<', substr($ring, $word, 8)) == $word - $near + 1;
	patch("$journal/ring", $word, "\0" x 8);
	# Until the killed server's last process has gone, its memory is in use.
	for (my $begun = time; time - $begun < 60; sleep 0.1)
	{
		last if system('pg_ctl', '-w', '-s', '-D', $node->data_dir, '-l', $node->logfile, 'start') == 0;
	}
	$node->_update_pid(1);
	my $text = recorded($journal);
	like($text, qr/before the hole/, 'what came before the hole is on record');
	like($text, qr/after the hole/, 'and what came after it');
	unlike($text, qr/in the hole/, 'what was never published is not');
	like($text, qr/ gap /, 'the hole is a gap entry');
	like(verify($journal), qr/: good/, 'and the journal verifies');
}

# An orderly stop and start goes on in the same origin.
{
	my @before = origins($journal);
	$node->restart;
	is_deeply([ origins($journal) ], \@before, 'a restart goes on in the same origin');
}

# A base backup is a copy: the standby begins an origin of its own, and records and verifies it.
{
	$node->backup('copy');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'copy', has_streaming => 1);
	$standby->start;
	my $directory = $standby->data_dir . '/hoopguard';
	is(scalar origins($directory), 2, 'a copy begins an origin of its own');
	like(slurp_file($standby->logfile), qr/this data directory is a copy: the journal's origin/, 'and says so');
	$standby->safe_psql('postgres', "select 'asked of the standby'");
	$standby->stop;
	my ($own) = grep { my $name = $_; !grep { $name eq $_ } origins($journal) } origins($directory);
	like(verify("$directory/$own"), qr/: good.*stopped in order/s, 'the standby\'s own journal verifies');
	like(recorded("$directory/$own"), qr/asked of the standby/, 'and has what was asked of it');
	like(recorded("$directory/$own"), qr/previous_origin=/, 'and tells where it came from');
}

# The same directory for two servers.
{
	my $second = PostgreSQL::Test::Cluster->new('second');
	$second->init;
	$second->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.journal_directory = '$journal'");
	like(refused($second), qr/is in use by another server.*HINT:.*journal directory of its own/s,
		'a directory in use refuses a second server');
	$node->stop;
	like(refused($second), qr/belongs to the cluster with system identifier/, 'and so does another cluster\'s directory');
	chmod 0755, $journal;
	like(refused($second), qr/is open to other users.*HINT:.*chmod 0700/s, 'and one that others can read');
}

my ($origin) = origins($journal);
my ($segment) = reverse sort glob "$journal/$origin/*.seg";
my $sound = slurp_file($segment);
my $ring = slurp_file("$journal/ring");

patch("$journal/ring", 8, pack('V', 3));
like(refused($node), qr/its format version is 3, and this library knows version 2/, 'so does a ring from the future');
patch("$journal/ring", 0, substr($ring, 0, 4096));

patch($segment, 8, pack('V', 2));
like(refused($node), qr/\Q$segment\E.*version 2 is not known/, 'and a segment from the future');
patch($segment, 0, substr($sound, 0, 4096));

patch($segment, 4096 + 70, chr(ord(substr($sound, 4096 + 70, 1)) ^ 1));
like(refused($node), qr/was altered or cut: it ends at offset 4096 \(checksum mismatch\).*HINT:.*archive/s,
	'and an altered segment');
patch($segment, 4096, substr($sound, 4096, 4096));

truncate $segment, length($sound) > 8192 ? 5000 : 4200;
like(refused($node), qr/was altered or cut/, 'and a truncated one');
open(my $handle, '>:raw', $segment) or die;
print $handle $sound;
close $handle;

rename "$journal/$origin", "$journal/away";
like(refused($node), qr/is missing.*HINT:.*Put it back/s, 'and a missing origin');
rename "$journal/away", "$journal/$origin";

is(refused($node), 'started', 'with everything put back the server starts');
like(verify($journal), qr/: good/, 'and the journal verifies');

done_testing();
