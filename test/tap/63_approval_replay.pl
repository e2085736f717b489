# An approval is not used twice though the tables do not know that it was used: the server is killed between the entry
# of the journal and the row, and the control database is brought back from a backup.
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
hoopguard.approval_wait = '0'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver;
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT i FROM generate_series(1, 9) i;
GRANT ALL ON t TO agent;
SELECT hoopguard.guard('changes', 'ask', '{write}', roles => '{agent}');
-- The broker's commit, after the entry, waits here for who holds the lock.
CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'used' THEN PERFORM pg_advisory_xact_lock(4711); END IF;
    RETURN NULL;
END $$;
SQL

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub as { my ($role, $script) = @_; return run_psql($node, 'postgres', $role, $script); }
sub approved {
    my ($statement) = @_;
    as('agent', $statement) =~ /HG001.*Request (\d+)/s or die 'not asked';
    is(as('bob', "SELECT hoopguard.approve($1)"), "approved\n", "request $1 is approved");
    return $1;
}
sub state_of { return sql("SELECT state FROM hoopguard.request WHERE id = $_[0]"); }
# Rows follow the journal before the broker decides anything, not before somebody can read them.
sub becomes { my ($id, $state) = @_; return $node->poll_query_until('postgres', "SELECT state = '$state' FROM hoopguard.request WHERE id = $id"); }
# Until every process of the server is gone.
sub kill_postmaster {
    my $pid = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
    my @children = split /\n/, sql("SELECT pid FROM pg_stat_activity");
    kill 'KILL', $pid;
    for (1 .. 600) {
        last unless grep { kill 0, $_ } $pid, @children;
        select(undef, undef, undef, 0.1);
    }
    $node->{_pid} = undef;
    $node->start;
}

# --- Killed between: on record, but not in the table.
my $update = 'UPDATE t SET n = n + 1 WHERE id = 1;';
my $id = approved($update);
my $other = approved('UPDATE t SET n = n + 1 WHERE id = 2;');
sql('CREATE CONSTRAINT TRIGGER linger AFTER UPDATE ON hoopguard.filed_request DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION linger();');
my $holder = begin_psql($node, 'postgres', 'postgres', 'SELECT pg_advisory_lock(4711); SELECT pg_sleep(600);');
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted") or die 'no lock';
my $asking = begin_psql($node, 'postgres', 'agent', $update);
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hoopguard broker' AND wait_event = 'advisory'")
    or die 'the broker commits nothing';
kill_postmaster();
finish_psql($_) for $holder, $asking;
ok(becomes($id, 'used'), 'killed between entry and row: after the start the row has what the entry says');
is(sql("SELECT used_at >= decided_at AND used_at <= now() FROM hoopguard.request WHERE id = $id"), 't', 'with its time');
is(state_of($other), 'approved', 'an approval that nobody used stays');
sql('DROP TRIGGER linger ON hoopguard.filed_request');
like(as('agent', $update), qr/HG001/, 'sent again, it is asked for anew');
is(as('agent', 'UPDATE t SET n = n + 1 WHERE id = 2;'), '', 'the other approval is used');
is(sql('SELECT sum(n) FROM t'), '1', 'nothing ran that was not allowed');

# --- A control database from before the use: what ran does not run again.
sub forget_use {
    sql("SET session_replication_role = replica; ALTER TABLE hoopguard.filed_request DISABLE TRIGGER request_changes;"
        . "UPDATE hoopguard.filed_request SET state = 'approved', used_at = NULL WHERE id = $_[0];"
        . "ALTER TABLE hoopguard.filed_request ENABLE ALWAYS TRIGGER request_changes;");
}
forget_use($other);
is(state_of($other), 'approved', 'rows from a backup');
$node->restart;
ok(becomes($other, 'used'), 'do not bring an approval back');
like(as('agent', 'UPDATE t SET n = n + 1 WHERE id = 2;'), qr/HG001/, 'its statement is asked for anew');

# --- A number that was used by another request says nothing: it is older than this one.
$id = approved('UPDATE t SET n = n + 1 WHERE id = 3;');
is(as('agent', 'UPDATE t SET n = n + 1 WHERE id = 3;'), '', 'used');
forget_use($id);
sql("ALTER TABLE hoopguard.filed_request DISABLE TRIGGER request_changes; UPDATE hoopguard.filed_request SET created_at = clock_timestamp(), decided_at = clock_timestamp() WHERE id = $id;"
    . 'ALTER TABLE hoopguard.filed_request ENABLE ALWAYS TRIGGER request_changes');
$node->restart;
is(state_of($id), 'approved', 'a use from before a request was made is of another one with the same number');
is(as('agent', 'UPDATE t SET n = n + 1 WHERE id = 3;'), '', 'its approval holds');

# --- A journal that cannot be read: nobody can tell, so what was approved expires.
$id = approved('UPDATE t SET n = n + 1 WHERE id = 4;');
sql('SELECT hoopguard.checkpoint()');
$node->stop;
my ($segment) = sort glob($node->data_dir . '/hoopguard/origin-*/*.seg');
open my $file, '+<:raw', $segment or die $!;
my $bytes = do { local $/; <$file> };
my $at = index($bytes, 'WHERE id = 4');
die 'the statement is not in the segment' if $at < 0;
seek $file, $at, 0; print $file 'wHERE';
close $file;
# The server does not start over it; as it says, the journal goes on in a new origin.
is($node->start(fail_ok => 1), 0, 'over a damaged journal the server does not start');
rename $node->data_dir . '/hoopguard/ring', $node->data_dir . '/hoopguard/ring.away' or die $!;
$node->start;
ok(becomes($id, 'expired'), 'where the journal is damaged, an approval that may have been used expires');
like(slurp_file($node->logfile), qr/cannot tell which approvals were used already/, 'and the log says why');
is(sql('SELECT n FROM t WHERE id = 4'), '0', 'nothing ran');

$node->stop;
done_testing();
