# Sealed segments are archived and removed: never before they are archived, only after a signed entry says so; what is
# kept verifies, reads and proves as before. Settings that change, alerts and losses are entries.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $top = $ENV{HOOPGUARD_TOP};
my $node = PostgreSQL::Test::Cluster->new('retention');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'hoopguard'
hoopguard.journal_segment_size = 1MB
hoopguard.journal_sync = off
hoopguard.journal_checkpoint_interval = 1s
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hoopguard');
my $journal = $node->data_dir . '/hoopguard';
my $archive = PostgreSQL::Test::Utils::tempdir();
my ($origin) = glob "$journal/origin-*";
my $name = $origin =~ s{.*/}{}r;

sub segments { return sort map { s{.*/}{}r } glob "$origin/*.seg" }

sub wait_for
{
	my ($condition) = @_;
	for (1 .. 600) { return 1 if $condition->(); sleep 0.2 }
	return 0;
}

sub configure
{
	my ($setting, $value) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET $setting = '$value'");
	$node->reload;
}

# Some megabytes of statements.
sub fill
{
	my ($megabytes) = @_;
	my $text = 'x' x 60_000;
	$node->safe_psql('postgres', join "\n", map { "select length('$text$_');" } 1 .. $megabytes * 17);
}

# Both verifiers' words of a directory.
sub verified
{
	my ($directory) = @_;
	my @found;
	for my $command ([ 'hoopguard-journal', 'verify', $directory ], [ "$top/test/journal_reader.py", $directory ])
	{
		my $status = run_log($command) ? 'good' : 'bad';
		push @found, $status;
	}
	return "@found";
}

my ($early) = split /\n/, $node->safe_psql('postgres',
	q{select session_id from hoopguard.session where backend_type = 'client backend' order by started_at limit 1});
fill(4);
$node->safe_psql('postgres', 'select hoopguard.checkpoint()');
my @written = segments();
cmp_ok(scalar @written, '>', 3, 'several segments are there');
is((segments())[0], '0000000000000000.seg', 'and none is removed without being asked');

# An archive command that fails keeps everything.
configure('hoopguard.journal_archive_command', "test -e $archive/allowed && mkdir -p $archive/%o && cp %p $archive/%o/%f");
configure('hoopguard.journal_max_size', '2MB');
ok(wait_for(sub { $node->safe_psql('postgres',
	q{select value::int > 1 from hoopguard.status() where name = 'journal_archive_failures'}) eq 't' }),
	'a failing archive command is tried again, and counted');
is((segments())[0], '0000000000000000.seg', 'nothing is removed before it is archived');
is($node->safe_psql('postgres', q{select status from hoopguard.doctor() where check_name = 'journal_archive'}), 'fail',
	'doctor() says so');
my $before = $node->safe_psql('postgres', 'select entries from hoopguard.verify_journal()');

# One that works lets the oldest go.
append_to_file("$archive/allowed", '');
ok(wait_for(sub { !-e "$origin/0000000000000000.seg" }), 'what is archived and too much is removed');
ok(wait_for(sub { my $size = 0; $size += -s "$origin/$_" for segments(); $size <= 2 << 20 }), 'down to the size asked for');
my @kept = segments();
my ($first) = $kept[0] =~ /^([0-9a-f]+)/;
my $sealed = join ' ', map { sprintf '%016x.seg', $_ } 0 .. hex($kept[-1] =~ s/\.seg//r) - 1;
ok(wait_for(sub { join(' ', map { s{.*/}{}r } sort glob "$archive/$name/*") =~ /^\Q$sealed/ }),
	'every sealed segment is in the archive, under %o and %f');
ok(!-e "$origin/0000000000000000.idx", 'the index went with its segment');
is($node->safe_psql('postgres', q{select status from hoopguard.doctor() where check_name = 'journal_archive'}), 'ok',
	'doctor() is content');

# What is kept still proves itself, read by anybody.
is($node->safe_psql('postgres', 'select ok from hoopguard.verify_journal()'), 't', 'verify_journal() holds');
is(verified($journal), 'good good', 'both offline readers agree');
my $entry = $node->safe_psql('postgres', 'select max(entry) from hoopguard.statement');
cmp_ok($entry, '>', 0, 'the view reads on');
$node->safe_psql('postgres', 'select hoopguard.checkpoint()');
like($node->safe_psql('postgres', "select hoopguard.inclusion_proof($entry)"), qr/hoopguard-inclusion-proof/,
	'an entry that is kept can be proven');
is($node->safe_psql('postgres', 'select count(*) from hoopguard.statement where entry = 1'), '0',
	'an entry that is gone is not found');
my ($status, $out, $err) = $node->psql('postgres', "select count(*) from hoopguard.replay('$early')");
like($err, qr/No such session is on record/, 'nor is its session');
like($node->safe_psql('postgres', 'select state from hoopguard.coverage() limit 1'), qr/recorded/, 'coverage() copes');
my ($shown) = run_command([ 'hoopguard-journal', 'show', $journal, '--type', 'retention' ]);
like($shown, qr/first_kept_index=\d+/, 'the removal is an entry');
like($shown, qr/archived/, 'and says that what went was archived');

# With a time given too, nothing younger goes, however much there is.
configure('hoopguard.journal_retention', '1d');
fill(3);
$node->safe_psql('postgres', 'select hoopguard.checkpoint()');
sleep 3;
ok(-e "$origin/$kept[0]", 'journal_retention protects what is younger');
configure('hoopguard.journal_max_size', '0');
configure('hoopguard.journal_retention', '1s');
ok(wait_for(sub { !-e "$origin/$kept[0]" }), 'by age alone, too');

# A server that is killed, and starts again, goes on.
$node->stop('immediate');
$node->start;
fill(1);
is($node->safe_psql('postgres', 'select ok from hoopguard.verify_journal()'), 't', 'it verifies after a crash');
configure('hoopguard.journal_retention', '0');
$node->stop;
is(verified($journal), 'good good', 'and offline, after a stop');

# The archive and the rest are the whole journal again.
my $whole = PostgreSQL::Test::Utils::tempdir();
system("cp -r $journal/$name $whole/ && cp -n $archive/$name/*.seg $whole/$name/") == 0 or die;
is(verified($whole), 'good good', 'with the archived segments put back the journal verifies from its first entry');
my ($all) = run_command([ 'hoopguard-journal', 'show', $whole, '--entry', '0' ]);
like($all, qr/open/, 'and its first entry is there');

# A removal that nobody announced is found.
my ($oldest) = segments();
my $second = (segments())[1];
SKIP: {
	skip 'a single segment is left', 2 unless defined $second;
	unlink "$origin/$oldest";
	my ($out) = run_command([ 'hoopguard-journal', 'verify', $journal ]);
	like($out, qr/no retention entry/, 'a segment removed by hand is found');
	is(verified($journal), 'bad bad', 'by both');
}

# Settings are on record, commands without their text.
my ($settings) = run_command([ 'hoopguard-journal', 'show', $whole, '--type', 'configuration' ]);
like($settings, qr/setting="?hoopguard\.journal_retention"?.*old_value="?0"?.*new_value="?86400/s, 'a changed setting is an entry');
like($settings, qr/hoopguard\.journal_segment_size/, 'so is one that the server started with');
unlike($settings, qr/mkdir/, 'the text of a command, which may hold a password, is not');

done_testing();
