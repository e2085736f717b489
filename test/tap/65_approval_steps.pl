# The broker is killed at each step of a grant and of a notice, NOTIFY takes nothing for a while, the control database
# is renamed: nothing is lost, nothing is done twice, and no membership stands without its grant.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Sessions;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'hoopguard'
hoopguard.database = 'control'
hoopguard.approval_wait = 0
restart_after_crash = on
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE control');
$node->safe_psql('control', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver; CREATE ROLE reader;
SELECT hoopguard.guard('changes', 'ask', '{write}', roles => '{agent}');
SQL
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT i FROM generate_series(1, 200) i;
GRANT ALL ON t TO agent;
SQL

sub sql { return $node->safe_psql('control', $_[0]); }
sub rows { return $node->safe_psql('postgres', $_[0]); }
sub as { my ($role, $script) = @_; return run_psql($node, 'postgres', $role, $script); }
sub number { my ($shown) = @_; return $shown =~ /HG001.*Request (\d+) waits/s ? $1 : 0; }
sub shows { my ($session, $pattern) = @_; for (1 .. 600) { return if slurp_file("$session->{output}") =~ $pattern; select undef, undef, undef, 0.1; } die "never: $pattern"; }
sub back { $node->poll_query_until('control', 'SELECT true') or die 'the server is not back'; }
my $broker = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'hoopguard broker'";
my $held_up = "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hoopguard broker' AND wait_event_type = 'Lock'";
my $states = sub { return sql("SELECT r.state, g.state, (SELECT count(*) FROM pg_auth_members WHERE roleid = 'reader'::regrole AND member = 'agent'::regrole)"
    . " FROM hoopguard.request r LEFT JOIN hoopguard.jit_grant g ON g.request = r.id WHERE r.id = $_[0]") };

# Somebody holds a lock, so that the broker stops at that step of what `start` asks for; there it is killed.
sub kill_at {
    my ($lock, $start) = @_;
    my $holder = begin_psql($node, 'control', 'postgres', "BEGIN; $lock; SELECT 'locked'; SELECT pg_sleep(600);");
    shows($holder, qr/locked/);
    my $asking = $start->();
    $node->poll_query_until('postgres', $held_up) or die "the broker does not stop at: $lock";
    kill 'KILL', rows($broker);
    finish_psql($_) for grep { $_ } $holder, $asking;
    back();
}
sub begin_decision { my ($call) = @_; return begin_psql($node, 'control', 'bob', "SELECT hoopguard.$call"); }

# --- A grant is made: before its row, at its membership, at its notice.
my %at = ('its row' => 'LOCK TABLE hoopguard.jit_grant IN SHARE MODE', 'its membership' => 'LOCK TABLE pg_auth_members IN SHARE MODE',
    'its notice' => 'LOCK TABLE hoopguard.outbox IN SHARE MODE');
for my $step (sort keys %at) {
    my $id = as('agent', "SELECT hoopguard.request_access('reader', duration => '1 hour', reason => '$step')");
    chomp $id;
    kill_at($at{$step}, sub { begin_decision("approve($id)") });
    is($states->($id), 'pending||0', "a grant is made, the broker is killed at $step: nothing is given");
    is(run_psql($node, 'control', 'bob', "SELECT hoopguard.approve($id)"), "approved\n", 'approved again');
    is($states->($id), 'approved|active|1', 'given once');
    # It is taken back: the same steps.
    my $grant = sql("SELECT id FROM hoopguard.jit_grant WHERE request = $id");
    kill_at($at{$step}, sub { begin_decision("revoke($grant)") });
    is($states->($id), 'approved|active|1', "taken back, killed at $step: it stands, as its row says");
    is(run_psql($node, 'control', 'bob', "SELECT hoopguard.revoke($grant)"), "revoked\n", 'revoked again');
    is($states->($id), 'approved|revoked|0', 'and gone');
}

# --- Its time runs out while the broker cannot end it, and is killed over it.
my $id = as('agent', "SELECT hoopguard.request_access('reader', duration => '2 seconds')");
chomp $id;
run_psql($node, 'control', 'bob', "SELECT hoopguard.approve($id)");
is($states->($id), 'approved|active|1', 'a membership for two seconds');
kill_at($at{'its membership'}, sub { return undef });
ok($node->poll_query_until('control', "SELECT state = 'expired' FROM hoopguard.jit_grant WHERE request = $id"), 'killed while it ends it: ended afterwards');
is($states->($id), 'approved|expired|0', 'its membership too');

# --- Killed between the request and its notice: told afterwards, once.
sub listener {
    my $one = begin_psql($node, 'control', 'bob', "LISTEN hoopguard_request; SELECT 'listens';\n"
        . "DO 'BEGIN WHILE NOT EXISTS (SELECT FROM pg_database WHERE datname = ''$_[0]'') LOOP PERFORM pg_sleep(0.1); END LOOP; END';\nSELECT 1;");
    shows($one, qr/listens/);
    return $one;
}
sub heard { my ($one, $name) = @_; sql("CREATE DATABASE $name"); return finish_psql($one); }
sub all_told { return $node->poll_query_until('control', 'SELECT count(*) = 0 FROM hoopguard.outbox'); }
all_told();
sql(q{CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN OLD; END';
    CREATE TRIGGER linger BEFORE DELETE ON hoopguard.outbox FOR EACH ROW EXECUTE FUNCTION linger()});
my $number;
kill_at('SELECT pg_advisory_lock(4711)', sub { $number = number(as('agent', 'UPDATE t SET n = 1 WHERE id = 1;')); return undef });
isnt($number, 0, 'killed over a notice: who asked has his answer');
sql('DROP TRIGGER linger ON hoopguard.outbox');
is(sql("SELECT state FROM hoopguard.request WHERE id = $number"), 'pending', 'the request stands');
ok(all_told(), 'and it is told');

# --- NOTIFY fails: its queue cannot grow, because somebody listens and never hears, and there is no room on disk.
my $deaf = begin_psql($node, 'control', 'postgres', "LISTEN noise;\nBEGIN; SELECT 'deaf'; SELECT pg_sleep(900);");
shows($deaf, qr/deaf/);
my $directory = $node->data_dir . '/pg_notify';
rename $directory, "$directory.away" or die "$directory: $!";
my (undef, undef, $full) = $node->psql('control', "SELECT count(pg_notify('noise', repeat('x', 7900) || i)) FROM generate_series(1, 40) i");
# Then what is left of the last page.
for (1 .. 100) { (undef, undef, $full) = $node->psql('control', "SELECT pg_notify('noise', repeat('x', 300) || $_)"); last if $full; }
like($full, qr/ERROR/, 'NOTIFY takes nothing more');
my @numbers = map { number(as('agent', "UPDATE t SET n = 1 WHERE id = 10 + $_;")) } 1 .. 5;
is(scalar(grep { $_ } @numbers), 5, 'requests are filed all the same');
is(run_psql($node, 'control', 'bob', "SELECT hoopguard.approve($numbers[0])"), "approved\n", 'and decided');
is(as('agent', 'UPDATE t SET n = 1 WHERE id = 10 + 1;'), '', 'and run');
cmp_ok(sql('SELECT count(*) FROM hoopguard.outbox'), '>=', 5, 'what could not be told is kept');
my $ear = listener('heard');
rename "$directory.away", $directory or die "$directory: $!";
rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(900)%' AND pid <> pg_backend_pid()");
finish_psql($deaf);
ok(all_told(), 'and told when there is room again');
my $told = heard($ear, 'heard');
is(join(',', $told =~ /"request": (\d+)/g), join(',', @numbers), 'each request once, in their order');

# --- The control database goes by another name for a while.
$number = number(as('agent', 'UPDATE t SET n = 1 WHERE id = 20;'));
rows('ALTER DATABASE control RENAME TO elsewhere');
like(as('agent', 'UPDATE t SET n = 1 WHERE id = 21;'), qr/55000/, 'renamed: nothing that is asked about runs');
is(as('agent', 'SELECT n FROM t WHERE id = 21;'), "0\n", 'what is allowed goes on');
rows('ALTER DATABASE elsewhere RENAME TO control');
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM ($broker) b") or die 'no broker';
is(sql("SELECT state FROM hoopguard.request WHERE id = $number"), 'pending', 'renamed back: the request is there');
for (1 .. 100) { last if number(as('agent', 'UPDATE t SET n = 1 WHERE id = 20;')) == $number; select undef, undef, undef, 0.1; }
is(run_psql($node, 'control', 'bob', "SELECT hoopguard.approve($number)"), "approved\n", 'is decided');
is(as('agent', 'UPDATE t SET n = 1 WHERE id = 20;'), '', 'and runs');

is(rows("SELECT sum(n) FROM t"), '2', 'nothing ran that was not approved');
is(sql('SELECT bool_and(ok) FROM hoopguard.verify_journal()'), 't', 'the journal verifies');
$node->stop;
done_testing();
