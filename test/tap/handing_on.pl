# What doc/journal_operations.md says about handing entries on: by syslog, over TCP, every line whole and in order; into a
# file, which a restarted service continues without a gap; checkpoints, which verify the journal where they arrive.
use strict;
use warnings;

use IO::Socket::INET;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $folder = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('handing_on');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.journal_checkpoint_interval = 1s\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hoopguard');
my $journal = $node->data_dir . '/hoopguard';

# A syslog server: messages in octet-counted frames (RFC 6587), each one a line of the file it keeps.
sub syslog
{
	my ($file) = @_;
	my $listening = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "cannot listen: $!";
	my $child = fork() // die $!;
	return ($listening->sockport, $child) if $child;
	$SIG{TERM} = 'DEFAULT';
	open(my $out, '>:raw', $file) or POSIX::_exit(1);
	$out->autoflush(1);
	while (my $client = $listening->accept)
	{
		my $kept = '';
		while (sysread($client, $kept, 1 << 20, length $kept))
		{
			while ($kept =~ /^(\d+) / && length($kept) >= length($1) + 1 + $1)
			{
				my ($begin, $size) = (length($1) + 1, $1);
				print $out substr($kept, $begin, $size), "\n";
				substr($kept, 0, $begin + $size) = '';
			}
		}
	}
	POSIX::_exit(0);
}

sub lines { my ($file) = @_; open(my $in, '<:raw', $file) or return (); return map { chomp; $_ } <$in> }

sub wait_until
{
	my ($done) = @_;
	for (1 .. 600) { return 1 if $done->(); sleep 0.1 }
	return 0;
}

# The entries of JSON lines; dies of a line that is none.
sub entries { return map { decode_json($_) } @_ }

sub is_consecutive
{
	my ($name, @entries) = @_;
	my @numbers = map { $_->{entry} } @entries;
	is_deeply(\@numbers, [ $numbers[0] // 0 .. $numbers[-1] // -1 ], $name);
}

sub follow { return IPC::Run::start([ 'sh', '-c', $_[0] ], '<', '/dev/null', '>', "$folder/follow.out", '2>&1') }

# By syslog.
my ($port, $server) = syslog("$folder/messages");
my $following = follow("exec hoopguard-journal export $journal --format jsonl -f --from 0 | "
	  . "logger -t hoopguard --server 127.0.0.1 --port $port --tcp --octet-count --size 8388608");
my $long = 'x' x 900_000;
my $script = "$folder/long.sql";
append_to_file($script, "select 'f\xc3\xbcr alle', E'zwei\nZeilen';\nselect length('$long');\nselect 'the last one';\n");
$node->psql('postgres', undef, extra_params => [ '-f', $script ]);
ok(wait_until(sub { grep { /the last one/ } lines("$folder/messages") }), 'entries arrive by syslog')
  or diag(slurp_file("$folder/follow.out"));
my @got = map { /^<13>1 \S+ \S+ hoopguard - - (?:\[.*?\] )?(\{.*\})$/s ? $1 : "no message: " . substr($_, 0, 200) } lines("$folder/messages");
my @entries = eval { entries(@got) };
is($@, '', 'each a whole JSON object');
is($entries[0]{entry}, 0, 'from the first one on');
is_consecutive('without a gap', @entries);
ok((grep { ($_->{statement} // '') eq "select 'f\x{fc}r alle', E'zwei\nZeilen'" } @entries), 'as they were said');
ok((grep { index($_->{statement} // '', $long) > 0 } @entries), 'however long');
kill 'TERM', $server;
waitpid $server, 0;
$following->kill_kill;

# Into a file, by a service that is killed and started again.
my $kept = "$folder/journal.jsonl";
my $service = <<'SERVICE';
last=$(tail -n 1 FILE | sed -n 's/.*"entry": \([0-9]*\), .*/\1/p'); exec hoopguard-journal export DIR --format jsonl -f --from $((${last:--1} + 1)) >>FILE
SERVICE
$service =~ s/FILE/$kept/g;
$service =~ s/DIR/$journal/;
append_to_file($kept, '');
for my $round (1 .. 4)
{
	$following = follow($service);
	$node->safe_psql('postgres', "select 'round $round'") for 1 .. 5;
	ok(wait_until(sub { grep { /round $round/ } lines($kept) }), "round $round: entries arrive in the file");
	$following->kill_kill(grace => 5);
	$node->safe_psql('postgres', "select 'while nobody follows'");
}
@entries = eval { entries(lines($kept)) };
is($@, '', 'each a whole JSON object');
is($entries[0]{entry}, 0, 'from the first one on');
is_consecutive('neither twice nor not at all', @entries);
cmp_ok(scalar(grep { ($_->{statement} // '') eq "select 'while nobody follows'" } @entries), '>=', 3,
	'with what happened in between');

# Checkpoints, a message each.
($port, $server) = syslog("$folder/checkpoints");
$node->safe_psql('postgres', "ALTER SYSTEM SET hoopguard.checkpoint_command = "
	  . "'tr ''\\n'' ''|'' | logger -t hoopguard-checkpoint --server 127.0.0.1 --port $port --tcp --octet-count --size 4096'");
$node->reload;
sleep 1;
$node->safe_psql('postgres', "select 'something to sign'; select hoopguard.checkpoint()");
ok(wait_until(sub { scalar lines("$folder/checkpoints") }), 'checkpoints arrive');
my ($message) = reverse lines("$folder/checkpoints");
append_to_file("$folder/message", "$message\n");
my $back = q{sed -n 's=^[^|]* \(hoopguard/.*\)|$=\1=p' MESSAGE | tr '|' '\n' >NOTE};
$back =~ s{MESSAGE}{$folder/message};
$back =~ s{NOTE}{$folder/note};
command_ok([ 'sh', '-c', $back ], 'and are made notes again');
my $key = $node->safe_psql('postgres', 'select hoopguard.journal_key()');
command_ok([ 'hoopguard-journal', 'verify', $journal, '--key', $key, '--checkpoint', "$folder/note" ], 'by which the journal verifies');
# Another's root under the same signature.
command_ok([ 'sed', '-i', '3s/^...../AAAAA/', "$folder/note" ], 'and when one is altered');
command_fails([ 'hoopguard-journal', 'verify', $journal, '--key', $key, '--checkpoint', "$folder/note" ], 'it does not');
kill 'TERM', $server;
waitpid $server, 0;
$node->stop;
done_testing();
