# Requests and approvals when things break: the broker dies, the server crashes, the control database is read-only or
# gone, on a standby; ten thousand pending; scripts; and the example program for approvers.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Sessions;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'hoopguard'
hoopguard.database = 'control'
hoopguard.approval_wait = '60s'
restart_after_crash = on
CONF
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE control');
$node->safe_psql('control', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver;
SELECT hoopguard.guard('changes', 'ask', '{write,ddl,code}', roles => '{agent}');
SELECT hoopguard.guard('secrets', 'ask', '{read}', roles => '{agent}', objects => '{secret}');
SQL
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT i FROM generate_series(1, 9) i;
CREATE TABLE secret AS SELECT 1 AS v;
GRANT ALL ON t, secret TO agent; GRANT CREATE ON SCHEMA public TO agent;
SQL

sub sql { return $node->safe_psql('control', $_[0]); }
sub rows { return $node->safe_psql('postgres', $_[0]); }
sub as { my ($role, $script) = @_; return run_psql($node, 'postgres', $role, $script); }
sub begin { my ($role, $script) = @_; return begin_psql($node, 'postgres', $role, $script); }
sub wait_for { my ($query) = @_; $node->poll_query_until('control', $query) or die "never: $query"; }
sub pending { wait_for("SELECT count(*) = $_[0] FROM hoopguard.pending"); return sql('SELECT max(id) FROM hoopguard.pending'); }
sub approve { my ($id) = @_; return run_psql($node, 'control', 'bob', "SELECT hoopguard.approve($id)"); }
my $broker = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'hoopguard broker'";

sub wait_locked {
    my ($holder) = @_;
    for (1 .. 600) {
        return if slurp_file("$holder->{output}") =~ /locked/;
        select(undef, undef, undef, 0.1);
    }
    die 'never locked';
}

# --- Nobody stops the broker but the server.
my $session = begin('agent', 'UPDATE t SET n = 1 WHERE id = 1 RETURNING n;');
my $id = pending(1);
sql("SELECT pg_terminate_backend(pid) FROM ($broker) b");
is(approve($id), "approved\n", 'a broker that somebody tries to stop goes on');
is(finish_psql($session), "1\n", 'and who waited does');

# --- Somebody locks its tables: who asks is told, and the broker is free again.
my $locker = begin_psql($node, 'control', 'postgres', "BEGIN; LOCK TABLE hoopguard.filed_request; SELECT 'locked'; SELECT pg_sleep(601);");
wait_locked($locker);
like(as('agent', 'UPDATE t SET n = 2 WHERE id = 1;'), qr/55P03.*lock timeout/s, 'a lock on the requests is no trap');
rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(601);'");
finish_psql($locker);
$session = begin('agent', 'UPDATE t SET n = 2 WHERE id = 1 RETURNING n;');
is(approve(pending(1)), "approved\n", 'afterwards all goes on');
is(finish_psql($session), "2\n", 'in the waiting session too');

# --- The broker is killed with a letter in its hands, and the server restarts: all of it or nothing.
sub kill_amid {
    my ($table, $start) = @_;
    my $holder = begin_psql($node, 'control', 'postgres', "BEGIN; LOCK TABLE $table; SELECT 'locked'; SELECT pg_sleep(600);");
    wait_locked($holder);
    my $asking = $start->();
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hoopguard broker' AND wait_event_type = 'Lock'")
        or die 'the broker waits for nothing';
    kill 'KILL', rows($broker);
    finish_psql($holder);
    my $shown = finish_psql($asking);
    $node->poll_query_until('control', 'SELECT true') or die 'the server is not back';
    return $shown;
}
for my $table ('hoopguard.filed_request', 'hoopguard.outbox') {
    my $before = sql('SELECT count(*) FROM hoopguard.request');
    my $update = "UPDATE t SET n = n + 1 WHERE id = 2 AND '$table' <> '' RETURNING n;";
    like(kill_amid($table, sub { begin('agent', $update) }), qr/connection|terminating/, "$table: killed while it files a request");
    is(sql('SELECT count(*) FROM hoopguard.request'), $before, "$table: nothing of it is left");
    $session = begin('agent', $update);
    $id = pending(1);
    kill_amid($table, sub { begin_psql($node, 'control', 'bob', "SELECT hoopguard.approve($id)") });
    finish_psql($session);
    is(sql("SELECT state, jsonb_array_length(votes) FROM hoopguard.request WHERE id = $id"), 'pending|0', "$table: killed while it counts a vote, the vote is not half counted");
    is(approve($id), "approved\n", "$table: given again, it counts");
    like(as('agent', $update), qr/^\d\n$/, "$table: and the statement runs when it is sent again");
}
is(rows('SELECT n FROM t WHERE id = 2'), '2', 'each ran once');

# --- The server crashes: what was committed stays, what was used is used.
sql("UPDATE hoopguard.guardrail SET wait = '0'");
as('agent', 'UPDATE t SET n = 3 WHERE id = 3;') =~ /HG001.*Request (\d+)/s; my $approved = $1;
as('agent', 'UPDATE t SET n = 4 WHERE id = 4;') =~ /HG001.*Request (\d+)/s; my $used = $1;
as('agent', 'UPDATE t SET n = 5 WHERE id = 5;') =~ /HG001.*Request (\d+)/s; my $open = $1;
approve($approved); approve($used);
as('agent', 'UPDATE t SET n = 4 WHERE id = 4;');
sql("UPDATE hoopguard.guardrail SET wait = '60s'");
$session = begin('agent', 'UPDATE t SET n = 6 WHERE id = 6;');
my $waiting = pending(2);
$node->stop('immediate');
like(finish_psql($session), qr/server closed the connection|terminating connection/, 'a statement that waits ends with the server');
$node->start;
is(sql("SELECT string_agg(state, ',' ORDER BY id) FROM hoopguard.request WHERE id IN ($approved, $used, $open, $waiting)"),
    'approved,used,pending,pending', 'after a crash each request stands as it did');
is(as('agent', 'UPDATE t SET n = 3 WHERE id = 3;'), '', 'an approval can be used afterwards');
sql("UPDATE hoopguard.guardrail SET wait = '0'");
like(as('agent', 'UPDATE t SET n = 3 WHERE id = 3;'), qr/HG001/, 'once');
like(as('agent', 'UPDATE t SET n = 4 WHERE id = 4;'), qr/HG001/, 'a used one stays used');
approve($waiting);
is(as('agent', 'UPDATE t SET n = 6 WHERE id = 6;'), '', 'what waited before the crash is decided and runs after it');

# --- A control database that is read-only by default, and one that is busy.
sql('ALTER DATABASE control SET default_transaction_read_only = on');
$node->restart;
like(as('agent', 'UPDATE t SET n = 7 WHERE id = 7;'), qr/HG001/, 'requests are filed in a database that is read-only by default');
$node->safe_psql('postgres', 'ALTER DATABASE control RESET default_transaction_read_only');

# --- Ten thousand pending.
sql(<<'SQL');
INSERT INTO hoopguard.filed_request (kind, actor, actor_kind, role, login_role, database, session_id, classes, statement, created_at, expires_at)
SELECT 'statement', 'agent', 'agent', 'agent', 'agent', 'postgres', '1.1', '{read}', 'SELECT ' || i, now(), now() + interval '1 hour'
  FROM generate_series(1, 10000) i
SQL
cmp_ok(sql('SELECT count(*) FROM hoopguard.pending'), '>=', 10000, 'ten thousand requests are pending');
as('agent', 'UPDATE t SET n = 8 WHERE id = 8;') =~ /HG001.*Request (\d+)/s; $id = $1;
is(approve($id), "approved\n", 'one more is decided');
is(as('agent', 'UPDATE t SET n = 8 WHERE id = 8;'), '', 'and runs');
is(rows('SELECT count(*) FROM hoopguard.request'), '1000', 'other databases show the newest thousand');
wait_for('SELECT count(*) = 0 FROM hoopguard.outbox');
pass('and all were told');
sql("UPDATE hoopguard.filed_request SET state = 'cancelled', decided_at = now() WHERE state = 'pending'");

# --- Scripts.
my $script = "CREATE TABLE made (id int); INSERT INTO made VALUES (1), (2); UPDATE t SET n = 9 WHERE id = 9";
$id = rows("SELECT 1") && as('agent', "SELECT hoopguard.request_script('$script', 'migration 12')");
chomp $id;
like(as('agent', "SELECT hoopguard.run_script($id)"), qr/HG001/, 'a script does not run before it is approved');
approve($id);
like(as('bob', "SELECT hoopguard.run_script($id)"), qr/not yours/, 'nor for somebody else');
like(as('agent', "SET search_path = pg_temp; SELECT hoopguard.run_script($id)"), qr/HG002.*something else/s, 'nor where its names mean something else');
is(as('agent', "SELECT hoopguard.run_script($id)"), "done\n", 'approved, it runs');
is(rows('SELECT (SELECT count(*) FROM made), (SELECT n FROM t WHERE id = 9)'), '2|9', 'all of it');
like(as('agent', "SELECT hoopguard.run_script($id)"), qr/HG002.*used already/s, 'once');
is(rows("SELECT count(*) FROM hoopguard.statement WHERE approval = $id AND outcome = 'ok'"), '3', 'its statements are on record with the approval');

# --- The example program: catches up with what is pending, decides as who it logs in as.
SKIP: {
    skip 'no psycopg2', 2 if system('/usr/bin/python3 -c "import psycopg2" 2>/dev/null') != 0;
    sql("UPDATE hoopguard.guardrail SET wait = '60s'");
    $session = begin('agent', "SET hoopguard.reason = 'by the book'; UPDATE t SET n = 10 WHERE id = 9 RETURNING n;");
    pending(1);
    my $input = File::Temp->new; print $input "a\nlooks right\n"; close $input;
    my $output = File::Temp->new;
    my $program = IPC::Run::start([ "$ENV{HOOPGUARD_TOP}/doc/examples/approver.py", '--decide', $node->connstr('control') . ' user=bob' ],
        '<', "$input", '>&', "$output");
    is(finish_psql($session), "10\n", 'the example program decides about a request that it had missed, and the statement goes on');
    for (1 .. 100) {
        last if slurp_file("$output") =~ /is approved/;
        select(undef, undef, undef, 0.1);
    }
    like(slurp_file("$output"), qr/reason: by the book.*is approved/s, 'it has shown who asked for what and why');
    $program->signal('INT');
    IPC::Run::finish($program);
}

# --- A standby takes no requests, and says where to go.
sql("UPDATE hoopguard.guardrail SET wait = '0'");
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
like(run_psql($standby, 'postgres', 'agent', 'SELECT * FROM secret'), qr/25006.*standby.*primary/s, 'on a standby a statement that is asked about is refused, with a hint');
$standby->stop;

# --- The control database goes away.
$node->safe_psql('postgres', 'DROP DATABASE control');
like(as('agent', 'UPDATE t SET n = 1 WHERE id = 1;'), qr/55000.*broker is not running/s, 'without a control database nothing that is asked about runs');
is(rows("SELECT outcome, sqlstate FROM hoopguard.statement WHERE statement LIKE 'UPDATE t SET n = 1 WHERE id = 1' ORDER BY entry DESC LIMIT 1"), 'refused|55000', 'and that is on record');

rows("ALTER ROLE agent SUPERUSER");
is(as('agent', 'UPDATE t SET n = 1 WHERE id = 1;'), '', 'but no superuser on a local socket is kept out by that');

$node->stop;
done_testing();
