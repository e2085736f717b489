# A just-in-time grant ends to the moment, whatever goes on then: a statement runs, a cursor is open, a transaction
# is idle, a role is set, the server is down. Waits end by themselves only after minutes: what stays fails the test.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProtocolClient;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nrestart_after_crash = off\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION hoopguard; CREATE DATABASE vault; REVOKE CONNECT ON DATABASE vault FROM PUBLIC;
    CREATE ROLE agent LOGIN; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver; CREATE ROLE chief LOGIN IN ROLE hoopguard_breakglass;
    CREATE ROLE reader; GRANT CONNECT ON DATABASE vault TO reader;
    CREATE TABLE people (id int, email text); GRANT SELECT ON people TO reader;
    CREATE TABLE notes (id int, email text); GRANT ALL ON notes TO agent, chief;
    INSERT INTO people SELECT g, 'p' || g || '@example.org' FROM generate_series(1, 1000) g;
    INSERT INTO notes SELECT * FROM people;
    INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent');
    SELECT hoopguard.classify_column('notes', 'email', 'email');
    SELECT hoopguard.guard('writes', 'ask', '{write}', roles => '{agent,chief}')});

sub as_role { my ($role, $sql, $database) = @_; my ($status, $out, $error) = $node->psql($database // 'postgres', $sql, extra_params => [ '-U', $role, '-w' ]); return $status == 0 ? $out : $error; }
# A grant for the agent, by its request; the grant's number.
sub granted {
    my ($arguments) = @_;
    my $request = as_role('agent', "SELECT hoopguard.request_access($arguments)");
    as_role('bob', "SELECT hoopguard.approve($request)") eq 'approved' or die "request $request was not approved";
    return $node->safe_psql('postgres', "SELECT id FROM hoopguard.jit_grant WHERE request = $request");
}
sub ended { my ($grant) = @_; return $node->poll_query_until('postgres', "SELECT state <> 'active' FROM hoopguard.jit_grant WHERE id = $grant"); }
sub login { my (%more) = @_; return ProtocolClient->new($node, user => 'agent', %more); }
sub problem { my ($client) = @_; return @{ $client->{errors} } ? $client->{errors}[-1]{M} : ''; }

# In force, then gone.
like(as_role('agent', 'SELECT count(*) FROM people'), qr/permission denied/, 'not before it is granted');
my $grant = granted("'reader', duration => '2 seconds'");
is(as_role('agent', 'SELECT count(*) FROM people'), '1000', 'a role for two seconds: in force');
ended($grant);
like(as_role('agent', 'SELECT count(*) FROM people'), qr/permission denied/, 'and gone');
is($node->safe_psql('postgres', "SELECT state, extract(epoch FROM ended_at - valid_until) < 5 FROM hoopguard.jit_grant WHERE id = $grant"),
    'expired|t', 'it has expired');

# What goes on when it ends: statements that run, cursors, idle transactions, roles that are set.
my ($busy, $cursor, $idle, $set) = map { login() } 1 .. 4;
$grant = granted("'reader', '{write}', '{notes}', duration => '4 seconds'");
$cursor->query('BEGIN; DECLARE c CURSOR FOR SELECT id FROM people; FETCH 1 FROM c');
is(problem($cursor), '', 'a cursor opens');
$idle->query("BEGIN; INSERT INTO notes VALUES (0, 'n')");
is(problem($idle), '', 'leave lifts what a guardrail asks');
$set->query('SET ROLE reader; SELECT count(*) FROM people');
$busy->message('Q', "SELECT count(pg_sleep(0.5)) FROM people\0");
ended($grant);
$busy->answers;
like(problem($busy), qr/just-in-time grant $grant has ended/, 'a statement that runs is cancelled');
is($busy->{errors}[-1]{C}, '57014', 'as a cancel');
$cursor->query('FETCH 1 FROM c');
like(problem($cursor), qr/just-in-time grant $grant has ended/, 'an open cursor yields no further row');
$idle->query("INSERT INTO notes VALUES (0, 'n')");
like(problem($idle), qr/needs the approval of a person|waits for a decision/, 'an idle transaction goes on without it');
$set->query('SELECT count(*) FROM people');
like(problem($set), qr/rests on has ended/, 'a role that is set serves no more');
$set->query('RESET ROLE; SELECT 1');
is(problem($set), '', 'but the session goes on without it');
$_->finish for $busy, $cursor, $idle, $set;

# A session that the grant alone let into its database.
like(as_role('agent', 'SELECT 1', 'vault'), qr/permission denied for database/, 'no way into the database');
$grant = granted("'reader', duration => '3 seconds'");
my $inside = login(database => 'vault');
$inside->query('SELECT 1');
is(problem($inside), '', 'a way in');
$inside->message('Q', "SELECT pg_sleep(300)\0");
ended($grant);
$inside->answers;
like(problem($inside), qr/terminating connection/, 'the session ends with the grant');
close $inside->{socket};

# Unmasked, also for a plan that is kept.
my $plain = login();
$plain->query('PREPARE p AS SELECT email FROM notes WHERE id = 7; EXECUTE p');
$grant = granted("unmask => '{email}', duration => '3 seconds'");
$plain->query('EXECUTE p');
like($plain->{rows}[-1][0], qr/^p7\@example\.org$/, 'a data class is shown, to a kept plan too');
is(as_role('bob', 'SELECT 1'), '1', 'others are as they were');
ended($grant);
$plain->query('EXECUTE p');
unlike($plain->{rows}[-1][0] // '', qr/p7\@example\.org/, 'and hidden again');
$plain->finish;

# Emergency.
my $listener = ProtocolClient->new($node, user => 'postgres');
$listener->query('LISTEN hoopguard_alert');
my $broken = as_role('chief', "SELECT hoopguard.break_glass('the site is down', duration => '1 minute')");
is(as_role('chief', 'DELETE FROM notes WHERE id = 1'), '', 'breaking the glass gives leave at once');
$node->poll_query_until('postgres', 'SELECT NOT EXISTS (SELECT FROM hoopguard.outbox)');
like($listener->query('SELECT 1'), qr/A/, 'and tells who listens');
is($node->safe_psql('postgres', "SELECT r.state FROM hoopguard.request r JOIN hoopguard.jit_grant g ON g.request = r.id WHERE g.id = $broken"),
    'pending', 'and stays open on the record');
$listener->finish;

# The server is killed while a membership is in force, and comes back after its end.
$grant = granted("'reader', duration => '3 seconds'");
is($node->safe_psql('postgres', "SELECT pg_has_role('agent', 'reader', 'MEMBER')"), 't', 'a membership in force');
kill 'KILL', $node->{_pid};
for (1 .. 600) { last unless grep { /\Q@{[$node->data_dir]}\E/ } `ps -e -o args=`; select undef, undef, undef, 0.1; }
select undef, undef, undef, 3.1;
unlink $node->data_dir . '/postmaster.pid';
$node->{_pid} = undef;
$node->start;
like(as_role('agent', 'SELECT count(*) FROM people'), qr/permission denied/, 'killed in between: gone before its actor gets in');
is($node->safe_psql('postgres', "SELECT state, pg_has_role('agent', 'reader', 'MEMBER') FROM hoopguard.jit_grant WHERE id = $grant"),
    'expired|f', 'and taken back');

# A standby holds to grants, and sends who asks for one to the primary.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$grant = granted("'reader', duration => '1 hour'");
$node->wait_for_catchup($standby);
$standby->poll_query_until('postgres', "SELECT pg_has_role('agent', 'reader', 'MEMBER')");
my ($status, $out, $error) = $standby->psql('postgres', 'SELECT count(*) FROM people', extra_params => [ '-U', 'agent', '-w' ]);
is($out, '1000', 'a standby holds to the grant');
(undef, undef, $error) = $standby->psql('postgres', "SELECT hoopguard.request_access('reader')", extra_params => [ '-U', 'agent', '-w' ]);
like($error, qr/primary/, 'and takes no request');
as_role('agent', "SELECT hoopguard.revoke($grant)");
$node->wait_for_catchup($standby);
$standby->poll_query_until('postgres', "SELECT NOT pg_has_role('agent', 'reader', 'MEMBER')");
(undef, undef, $error) = $standby->psql('postgres', 'SELECT count(*) FROM people', extra_params => [ '-U', 'agent', '-w' ]);
like($error, qr/permission denied/, 'until it is revoked');
is($node->safe_psql('postgres', 'SELECT bool_and(ok) FROM hoopguard.verify_journal()'), 't', 'the journal verifies');
$standby->stop;
$node->stop;
done_testing();
