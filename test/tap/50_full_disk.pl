# A full disk under the journal: statements get 53100 and do not run, what was running finds room for its outcome, an
# administrator on the local socket gets in, and when there is space again everything goes on by itself. A failing
# fdatasync: 58030, until a restart, whatever the disk does by then. The disk is made full by a preloaded library (test/faults/shim.c).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $tools = PostgreSQL::Test::Utils::tempdir();
system('cc', '-O1', '-shared', '-fPIC', '-o', "$tools/faults.so", "$ENV{HOOPGUARD_TOP}/test/faults/shim.c", '-ldl') == 0
	or die 'cannot build the library that makes file calls fail';
my $control = "$tools/control";
append_to_file($control, "\0" x 4096);

my $node = PostgreSQL::Test::Cluster->new('full_disk');
$node->init;
$node->append_conf('postgresql.conf', <<CONF);
shared_preload_libraries = 'hoopguard'
hoopguard.journal_segment_size = 1MB
hoopguard.journal_checkpoint_interval = 1s
hoopguard.journal_statement_limit = 1MB
log_statement = none
CONF
my $journal = $node->data_dir . '/hoopguard';
$ENV{HOOPGUARD_FAULT_CONTROL} = $control;
$ENV{HOOPGUARD_FAULT_DIRECTORY} = "$journal/";
{
	local $ENV{LD_PRELOAD} = "$tools/faults.so";
	$node->start;
}
$node->safe_psql('postgres', 'CREATE EXTENSION hoopguard; CREATE ROLE app LOGIN; CREATE TABLE t (x int); GRANT ALL ON t TO app');

sub arm
{
	my ($fault, $at) = @_;
	open(my $file, '+<:raw', $control) or die $!;
	sysseek($file, 8, 0);
	syswrite($file, pack('Q4', $at, 1, 0, 0));
	sysseek($file, 0, 0);
	syswrite($file, pack('Q', $fault));
	close $file;
}

# SQLSTATE of a statement that app sends, '' when it was answered.
sub state_of
{
	my ($statement, $user) = @_;
	my ($status, $out, $err) = eval {
		$node->psql('postgres', $statement, on_error_stop => 1, extra_params => [ '-U', $user // 'app' ]);
	};
	# A login that fails dies here.
	($status, $err) = (2, $@) unless defined $status;
	return '' if $status == 0;
	return $1 if $err =~ /(?:ERROR|FATAL):\s+([0-9A-Z]{5})/;
	# A login that is refused shows its text only.
	return '53100' if $err =~ /FATAL:\s+the journal is full|Broken pipe/;
	return '58030' if $err =~ /FATAL:\s+the journal (has failed|cannot be written)/;
	return "status $status: $err";
}
$ENV{PGOPTIONS} = '';

sub counter
{
	my ($name) = @_;
	return $node->safe_psql('postgres', "select value from hoopguard.status() where name = '$name'");
}

# A transaction that is open when the disk becomes full.
my $open = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-U', 'app', '-v', 'VERBOSITY=verbose' ]);
$open->set_query_timer_restart;
$open->query_safe('begin');
$open->query_safe('insert into t values (1)');

arm(5, 1);
my (@answered, @states);
my $text = 'x' x 900_000;
for my $number (1 .. 60)
{
	my $state = state_of("\\set VERBOSITY verbose\nselect length('answered_$number $text')");
	push @states, $state if $state ne '';
	push @answered, $number if $state eq '';
	last if @states;
}
cmp_ok(scalar @answered, '>', 5, 'a full disk stops nothing while the ring has room');
is(substr($states[0] // '', 0, 300), '53100', 'then a statement gets 53100');
is(state_of("\\set VERBOSITY verbose\ninsert into t values (2)"), '53100', 'whatever it is');
$open->query('rollback');
is($open->{stderr}, '', 'a transaction that was open finds room for its end');
$node->safe_psql('postgres', "select 'an administrator'");
pass('a superuser on the local socket gets in');
is($node->safe_psql('postgres', q{select status from hoopguard.doctor() where check_name = 'journal_writing'}), 'fail',
	'and doctor() tells him');
cmp_ok(counter('journal_refusals'), '>', 1, 'refusals are counted');

# journal_failure_action = allow gives the promise up, and says so.
$node->safe_psql('postgres', q{ALTER SYSTEM SET hoopguard.journal_failure_action = 'allow'});
$node->reload;
sleep 1;
is(state_of("select length('unrecorded $text')"), '', 'with journal_failure_action = allow it runs');
cmp_ok(counter('journal_losses'), '>', 0, 'and what is not recorded is counted');
is($node->safe_psql('postgres', q{select status from hoopguard.doctor() where check_name = 'journal_losses'}), 'fail',
	'which doctor() calls a failure');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET hoopguard.journal_failure_action});
$node->reload;

# Space again.
arm(0, 0);
my $again = '53100';
for (1 .. 100) { $again = state_of("select 'after'"); last if $again eq ''; sleep 0.2 }
is($again, '', 'with space again, statements run again by themselves');
$open->quit;
my $losses = 0;
for (1 .. 100)
{
	my ($out) = run_command([ 'hoopguard-journal', 'show', $journal, '--type', 'loss' ]);
	$losses = $1, last if $out =~ /lost_count=(\d+)/;
	sleep 0.2;
}
cmp_ok($losses, '>', 0, 'what was lost is an entry');
is($node->safe_psql('postgres', 'select ok from hoopguard.verify_journal()'), 't', 'the journal verifies');
my ($shown) = run_command([ 'hoopguard-journal', 'export', $journal, '--format', 'jsonl' ]);
is(scalar(grep { $shown !~ /answered_$_ / } @answered), 0, 'every answered statement is on record');
is($node->safe_psql('postgres', 'select count(*) from t where x = 2'), '0', 'and a refused one did nothing');

# A flush that fails, once: the disk works again at once, and that proves nothing of what the kernel gave up.
{
	my $before = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-U', 'app', '-v', 'VERBOSITY=verbose' ]);
	$before->query_safe('select 1');
	arm(6, 1);
	my $state = '';
	for (1 .. 20) { $state = state_of("\\set VERBOSITY verbose\ninsert into t values (3)"); last if $state ne ''; sleep 0.1 }
	is($state, '58030', 'a failing flush refuses with 58030');
	arm(0, 0);
	for my $number (1 .. 3)
	{
		is(state_of("\\set VERBOSITY verbose\ninsert into t values (5)"), '58030', "with the disk working again, a login is refused ($number)");
		$before->{stderr} = '';
		$before->query('insert into t values (5)');
		like($before->{stderr}, qr/ERROR:\s+58030/, "and a session from before is refused ($number)");
	}
	is(state_of("\\set VERBOSITY verbose\nselect hoopguard.checkpoint()", 'postgres'), '58030', 'nothing is signed any more');
	$before->quit;
	is($node->safe_psql('postgres', 'select count(*) from t where x = 5'), '0', 'a superuser on the local socket gets in, and sees nothing done');
}
$node->restart;
is(state_of("insert into t values (4)"), '', 'after a restart statements run');
is($node->safe_psql('postgres', 'select ok from hoopguard.verify_journal()'), 't', 'and the journal verifies');
$node->stop;
done_testing();
