# Two at once: approvers who decide one request differently, sessions that all want one approval. One wins, whoever it
# is, and everything agrees on who it was.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Sessions;

my $rounds = 8;
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'hoopguard'
hoopguard.approval_wait = '60s'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN;
CREATE ROLE alice LOGIN IN ROLE hoopguard_approver; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver;
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT i FROM generate_series(1, 100) i;
GRANT ALL ON t TO agent;
SELECT hoopguard.guard('changes', 'ask', '{write}', roles => '{agent}');
SQL

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub begin { my ($role, $script) = @_; return begin_psql($node, 'postgres', $role, $script); }
sub pending {
    my ($waiting) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) = $waiting FROM pg_stat_activity WHERE wait_event = 'HoopguardApproval'")
        or die 'no statement waits';
    return sql('SELECT max(id) FROM hoopguard.pending');
}
# Runs scripts, each ROLE => SCRIPT, that all begin at the same moment; returns what each showed.
sub at_once {
    my $moment = sql("SELECT clock_timestamp() + interval '0.4 s'");
    my @sessions;
    while (my ($role, $script) = splice(@_, 0, 2)) {
        push @sessions, begin($role, "DO \$\$ BEGIN PERFORM pg_sleep_until('$moment'); END \$\$;\n$script");
    }
    return map { finish_psql($_) } @sessions;
}

# --- Two approvers, one request. The second is told that it is decided, and no vote of his is kept.
my %won;
my (@told, @kept, @ran) = ();
for my $round (1 .. $rounds) {
    my $session = begin('agent', "UPDATE t SET n = n + 1 WHERE id = $round RETURNING 'ran';");
    my $id = pending(1);
    my ($alice, $bob) = at_once(alice => "SELECT hoopguard.approve($id)", bob => "SELECT hoopguard.reject($id, 'no')");
    my $shown = finish_psql($session);
    my $approved = $alice eq "approved\n";
    ++$won{ $approved ? 'approve' : 'reject' };
    push @told, $round unless $approved ? $bob =~ /55000.*is (approved|used) already/s
                                        : $bob eq "rejected\n" && $alice =~ /55000.*is rejected already/s;
    push @kept, $round unless sql("SELECT state || jsonb_array_length(votes) FROM hoopguard.request WHERE id = $id") eq ($approved ? 'used1' : 'rejected1');
    push @ran, $round unless $approved ? $shown eq "ran\n" : $shown =~ /HG002.*rejected by bob/s;
}
note "approve came first $won{approve} times, reject $won{reject} times" if $won{approve} && $won{reject};
is("@told", '', 'one approves while another rejects: one wins, and the other is told');
is("@kept", '', 'only the vote that came first is kept');
is("@ran", '', 'and the statement does what that one said');

# --- Both approve where one is enough.
@told = @kept = ();
for my $round (1 .. $rounds) {
    my $session = begin('agent', "UPDATE t SET n = n + 1 WHERE id = 10 + $round RETURNING 'ran';");
    my $id = pending(1);
    my @shown = at_once(alice => "SELECT hoopguard.approve($id)", bob => "SELECT hoopguard.approve($id)");
    push @told, $round unless 1 == grep { $_ eq "approved\n" } @shown and 1 == grep { /55000.*already/s } @shown;
    push @kept, $round unless finish_psql($session) eq "ran\n" and sql("SELECT jsonb_array_length(votes) FROM hoopguard.request WHERE id = $id") eq '1';
}
is("@told", '', 'two approve at once where one is enough: the second is told');
is("@kept", '', 'and the statement ran with the one vote');

# --- Four sessions wait with the same statement: it is one request, and its approval lets one of them run.
@ran = @told = ();
for my $round (1 .. $rounds) {
    my @sessions = map { begin('agent', "UPDATE t SET n = n + 1 WHERE id = 20 + $round RETURNING 'ran';") } 1 .. 4;
    my $id = pending(4);
    run_psql($node, 'postgres', 'bob', "SELECT hoopguard.approve($id)");
    my @shown = map { finish_psql($_) } @sessions;
    push @ran, $round unless 1 == grep { $_ eq "ran\n" } @shown;
    push @told, $round unless 3 == grep { /HG002.*request $id has been used already/s } @shown;
}
is("@ran", '', 'four sessions wait for one approval: one of them goes on');
is("@told", '', 'the others are told that it was used');

# --- While one waits, others send the same statement at the moment of the approval. One of the old request runs; who
# came too late for it asks anew, in a request of his own.
@ran = ();
for my $round (1 .. $rounds) {
    my $update = "UPDATE t SET n = n + 1 WHERE id = 30 + $round RETURNING 'ran';";
    my $session = begin('agent', $update);
    my $id = pending(1);
    at_once(bob => "SELECT hoopguard.approve($id)", map { (agent => "SET statement_timeout = '3s'; $update") } 1 .. 2);
    finish_psql($session);
    push @ran, $round unless sql("SELECT n FROM t WHERE id = 30 + $round") eq '1'
        and sql("SELECT count(*) FROM hoopguard.statement WHERE approval = $id AND outcome = 'ok'") eq '1';
    sql("SELECT hoopguard.reject(id) FROM hoopguard.pending");
}
is("@ran", '', 'who waits and who sends it meanwhile race for one approval: it runs once, on record once');

# --- A script is run by two sessions at once.
@ran = ();
for my $round (1 .. $rounds) {
    my $id = run_psql($node, 'postgres', 'agent', "SELECT hoopguard.request_script('UPDATE t SET n = n + 1 WHERE id = 40 + $round', 'race')");
    chomp $id;
    run_psql($node, 'postgres', 'bob', "SELECT hoopguard.approve($id)");
    my @shown = at_once(map { (agent => "SELECT hoopguard.run_script($id)") } 1 .. 2);
    push @ran, $round unless 1 == grep { $_ eq "done\n" } @shown and 1 == grep { /HG002.*used already/s } @shown
        and sql("SELECT n FROM t WHERE id = 40 + $round") eq '1';
}
is("@ran", '', 'two sessions run one approved script: it runs once');

is(sql("SELECT count(*) FROM hoopguard.request r WHERE r.state = 'used' AND 1 <> (SELECT count(*) FROM hoopguard.statement s WHERE s.approval = r.id AND s.outcome = 'ok')"),
    '0', 'each approval that was used stands with one statement on record');

$node->stop;
done_testing();
