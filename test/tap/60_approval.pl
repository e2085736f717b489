# A person decides: statements wait in place and go on, or are refused with a number and run when sent again; what an
# approval is bound to; that it is spent once; who may decide.
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
hoopguard.approval_wait = '60s'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN; CREATE ROLE other LOGIN; CREATE ROLE nobody LOGIN;
CREATE ROLE alice LOGIN IN ROLE hoopguard_approver; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver;
CREATE ROLE bob_dba LOGIN IN ROLE hoopguard_approver;
CREATE DATABASE shop;
INSERT INTO hoopguard.actor (name, kind, owner) VALUES ('agent', 'agent', 'alice'), ('bob_dba', 'human', 'bob');
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT i FROM generate_series(1, 20) i;
CREATE SCHEMA evil; CREATE TABLE evil.t (LIKE t);
CREATE FUNCTION bump() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION slow_bump() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
GRANT ALL ON SCHEMA evil TO agent; GRANT ALL ON t, evil.t TO agent, other;
SELECT hoopguard.guard('changes', 'ask', '{write}', roles => '{agent,other}');
SQL
$node->safe_psql('shop', 'CREATE TABLE orders (id int); GRANT ALL ON orders TO agent');

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub as { my ($role, $script) = @_; return run_psql($node, 'postgres', $role, $script); }
sub request_of { return sql("SELECT max(id) FROM hoopguard.request WHERE statement LIKE '$_[0]'"); }
# Polling forks a psql each time.
sub wait_pending {
    my ($count) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) = $count FROM hoopguard.pending") or die 'no request came';
    return sql('SELECT max(id) FROM hoopguard.pending');
}
sub refuse_at_once { sql("UPDATE hoopguard.guardrail SET wait = '0'"); }
sub wait_in_place { sql('UPDATE hoopguard.guardrail SET wait = NULL'); }

# --- Waiting in place.
my $listener = begin_psql($node, 'postgres', 'bob', "LISTEN hoopguard_request; LISTEN hoopguard_decision;\n"
    . "DO 'BEGIN WHILE NOT EXISTS (SELECT FROM hoopguard.request WHERE state = ''used'') LOOP PERFORM pg_sleep(0.1); END LOOP; END';\n"
    . "SELECT pg_sleep(1);\nSELECT 1;");
my $session = begin_psql($node, 'postgres', 'agent',
    "SET hoopguard.reason = 'ticket 42'; SET hoopguard.request_id = 'req-1'; UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n;");
my $id = wait_pending(1);
is(sql("SELECT wait_event FROM pg_stat_activity WHERE usename = 'agent' AND query LIKE '%UPDATE t%'"), 'HoopguardApproval', 'pg_stat_activity shows what a waiting session waits for');
is(sql("SELECT actor, actor_kind, database, array_to_string(objects, ','), reason, request_id, guardrail, estimated_rows >= 1, plan LIKE 'Update on t%Index%' FROM hoopguard.request WHERE id = $id"),
    'agent|agent|postgres|public.t|ticket 42|req-1|changes|t|t', 'the request says who, what, why and by which plan');
is(sql('SELECT n FROM t WHERE id = 1'), '0', 'nothing has run yet');
like(as('agent', "SELECT hoopguard.approve($id)"), qr/42501.*his own request/s, 'whoever asks does not decide');
like(as('nobody', "SELECT hoopguard.approve($id)"), qr/42501.*not yours to decide/s, 'nor does somebody else');
is(as('bob', "BEGIN; SELECT hoopguard.approve($id, 'go on'); ROLLBACK;"), "approved\n", 'an approver approves, in a transaction that rolls back');
is(finish_psql($session), "1\n", 'the statement goes on in its session with its normal result');
is(sql("SELECT state, decided_at IS NOT NULL, used_at IS NOT NULL FROM hoopguard.request WHERE id = $id"), 'used|t|t', 'the approval is used');
is(sql("SELECT decision, approval, array_to_string(decided_by, ','), outcome, rows, guardrail FROM hoopguard.statement WHERE statement LIKE 'UPDATE t SET n = n + 1 WHERE id = 1%'"),
    "ask|$id|bob|ok|1|changes", 'the journal tells who did what and who allowed it');
is(sql("SELECT s.actor, s.reason, s.outcome, s.rows, r.votes -> 0 ->> 'by', r.votes -> 0 ->> 'comment' FROM hoopguard.statement s JOIN hoopguard.request r ON r.id = s.approval"),
    'agent|ticket 42|ok|1|bob|go on', 'one query: who did what, why, and who allowed it');

my $heard = finish_psql($listener);
like($heard, qr/notification "hoopguard_request" with payload "\{.*"actor": "agent".*UPDATE t SET/, 'an approver hears of the request');
like($heard, qr/notification "hoopguard_decision" with payload "\{.*"state": "approved"/, 'and of the decision');

$session = begin_psql($node, 'postgres', 'agent', 'UPDATE t SET n = 5 WHERE id = 2;');
$id = wait_pending(1);
as('bob', "SELECT hoopguard.reject($id, 'not today')");
like(finish_psql($session), qr/HG002: request $id was rejected by bob.*DETAIL:  not today.*CONSTRAINT NAME:  changes/s, 'rejected: HG002 says by whom and why');
is(sql("SELECT outcome, sqlstate, approval FROM hoopguard.statement WHERE statement = 'UPDATE t SET n = 5 WHERE id = 2'"), "refused|HG002|$id", 'and it is on record as refused');
$session = begin_psql($node, 'postgres', 'agent', 'UPDATE t SET n = 6 WHERE id = 2;');
$id = wait_pending(1);
is(as('agent', "SELECT hoopguard.cancel($id)"), "cancelled\n", 'the agent takes it back in another session');
like(finish_psql($session), qr/HG002: request $id was cancelled/, 'cancelled: HG002');

# Interrupted: the place is free again, the request stays.
like(as('agent', "SET statement_timeout = '300ms'; UPDATE t SET n = 7 WHERE id = 3;"), qr/57014.*statement timeout/s, 'statement_timeout ends the waiting');
$session = begin_psql($node, 'postgres', 'agent', 'UPDATE t SET n = 7 WHERE id = 3;');
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'HoopguardApproval'");
is(sql('SELECT count(*) FROM hoopguard.pending'), '1', 'the same statement waits for the same request');
sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'HoopguardApproval'");
like(finish_psql($session), qr/57014.*user request/s, 'so does a cancel');
$session = begin_psql($node, 'postgres', 'agent', 'UPDATE t SET n = 7 WHERE id = 3;');
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'HoopguardApproval'");
sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'HoopguardApproval'");
like(finish_psql($session), qr/57P01/, 'and a termination');
$id = sql('SELECT max(id) FROM hoopguard.pending');
as('bob', "SELECT hoopguard.approve($id)");
is(as('agent', 'UPDATE t SET n = 7 WHERE id = 3;'), '', 'approved meanwhile, it runs when it is sent again');
is(sql('SELECT n FROM t WHERE id = 3'), '7', 'once');

# --- No waiting where it would hinder others.
like(as('agent', "BEGIN; LOCK TABLE t IN SHARE MODE; UPDATE t SET n = 1 WHERE id = 4;"), qr/HG001.*holds locks/s, 'no waiting under a strong lock');
like(as('agent', "BEGIN; SELECT pg_current_xact_id() IS NULL; UPDATE t SET n = 2 WHERE id = 4;"), qr/HG001.*DETAIL:  Request \d+ waits.*HINT:  SELECT hoopguard.wait_for_decision/s, 'nor with a transaction id: the number is in DETAIL, what to do in HINT');
sql("SELECT hoopguard.cancel(id) FROM hoopguard.pending");
sql('ALTER SYSTEM SET hoopguard.approval_max_waiting = 1; SELECT pg_reload_conf()');
$session = begin_psql($node, 'postgres', 'agent', 'UPDATE t SET n = 1 WHERE id = 5;');
$id = wait_pending(1);
like(as('agent', 'UPDATE t SET n = 1 WHERE id = 6;'), qr/HG001.*Too many/s, 'beyond approval_max_waiting: refused at once');
as('bob', "SELECT hoopguard.approve($id)");
is(finish_psql($session), '', 'the one that waits goes on');
sql('ALTER SYSTEM RESET hoopguard.approval_max_waiting; SELECT pg_reload_conf(); SELECT hoopguard.cancel(id) FROM hoopguard.pending');

# --- Refused with a number, run when sent again.
refuse_at_once();
sub asked { my ($script) = @_; as('agent', $script) =~ /HG001.*Request (\d+) waits/s or return 0; return $1; }
$id = asked('UPDATE t SET n = 10 WHERE id = 7;');
ok($id, 'refused at once with its number');
is(as('agent', "SELECT hoopguard.wait_for_decision($id, '0')"), "pending\n", 'wait_for_decision tells');
my $waiter = begin_psql($node, 'postgres', 'agent', "SELECT hoopguard.wait_for_decision($id)");
as('alice', "SELECT hoopguard.approve($id)");
is(finish_psql($waiter), "approved\n", 'and returns when it is decided; the owner of an agent may decide');
ok(asked('UPDATE t SET n = 11 WHERE id = 7;') > $id, 'another text is not what was approved');
is(as('agent', 'UPDATE t SET n = 10 WHERE id = 7 ;'), '', 'the same text runs');
ok(asked('UPDATE t SET n = 10 WHERE id = 7;') > $id, 'once');

# Bound to values, search path, database, role, bodies of functions and views.
sub approved { my ($script) = @_; my $number = asked($script); as('bob', "SELECT hoopguard.approve($number)"); return $number; }
my $bound = 'PREPARE p(int) AS UPDATE t SET n = $1 WHERE id = 8; ';
$id = approved($bound . 'EXECUTE p(1);');
ok(asked($bound . 'EXECUTE p(2);') > $id, 'another value is not what was approved');
is(as('agent', $bound . 'EXECUTE p(1);'), '', 'the same value is');
$id = approved('UPDATE t SET n = 12 WHERE id = 9;');
ok(asked('SET search_path = evil; UPDATE t SET n = 12 WHERE id = 9;') > $id, 'another search_path is not');
ok(as('other', 'UPDATE t SET n = 12 WHERE id = 9;') =~ /HG001/, 'another actor is not');
is(as('agent', 'UPDATE t SET n = 12 WHERE id = 9;'), '', 'the same is');
for my $function ('bump', 'slow_bump') {
    $id = approved("UPDATE t SET n = $function() WHERE id = 10;");
    my $language = $function eq 'bump' ? "sql AS 'SELECT 2'" : "plpgsql AS 'BEGIN RETURN 2; END'";
    sql("CREATE OR REPLACE FUNCTION $function() RETURNS int LANGUAGE $language");
    ok(asked("UPDATE t SET n = $function() WHERE id = 10;") > $id, "$function() replaced in between: not what was approved");
}
$id = approved('UPDATE t SET n = 13 WHERE id = 11;');
sql('CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$; CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf()');
ok(asked('UPDATE t SET n = 13 WHERE id = 11;') > $id, 'a trigger that came in between: not what was approved');
sql('DROP TRIGGER tr ON t');
$id = approved('DELETE FROM evil.t WHERE id = 1;');
sql('DROP TABLE evil.t; CREATE TABLE evil.t (LIKE t); GRANT ALL ON evil.t TO agent');
ok(asked('DELETE FROM evil.t WHERE id = 1;') > $id, 'another table of that name: not what was approved');

# --- One approval, two sessions: one of them wins.
$id = approved('UPDATE t SET n = n + 100 WHERE id = 12;');
my @race = map { begin_psql($node, 'postgres', 'agent', "SELECT pg_sleep(0.1);\nUPDATE t SET n = n + 100 WHERE id = 12;") } 1 .. 6;
my @shown = map { finish_psql($_) } @race;
is(scalar(grep { $_ !~ /HG001/ } @shown), 1, 'two and more sessions race for one approval: one wins');
is(sql('SELECT n FROM t WHERE id = 12'), '100', 'and it has run once');

# --- Two persons.
sql("UPDATE hoopguard.guardrail SET min_approvals = 2");
$id = asked('UPDATE t SET n = 14 WHERE id = 13;');
is(as('bob', "SELECT hoopguard.approve($id)"), "pending\n", 'one of two approvals');
like(as('bob', "SELECT hoopguard.approve($id)"), qr/55000.*has voted/s, 'the same person does not count twice');
like(as('bob_dba', "SELECT hoopguard.approve($id)"), qr/55000.*has voted/s, 'nor by another name');
like(as('agent', 'UPDATE t SET n = 14 WHERE id = 13;'), qr/HG001/, 'one is not enough');
is(as('alice', "SELECT hoopguard.approve($id)"), "approved\n", 'two of two');
like(as('alice', "SELECT hoopguard.reject($id)"), qr/55000.*approved already/s, 'what is decided is not decided again');
is(as('agent', 'UPDATE t SET n = 14 WHERE id = 13;'), '', 'and it runs');
is(sql("SELECT array_to_string(decided_by, ',') FROM hoopguard.statement WHERE approval = $id AND outcome = 'ok'"), 'bob,alice', 'both are on record');
$id = asked('UPDATE t SET n = 15 WHERE id = 13;');
as('bob', "SELECT hoopguard.approve($id)");
is(as('alice', "SELECT hoopguard.reject($id)"), "rejected\n", 'one reject rejects');
my $two = asked('UPDATE t SET n = 16 WHERE id = 13;');
my @votes = map { begin_psql($node, 'postgres', $_, "SELECT pg_sleep(0.1);\nSELECT hoopguard.approve($two)") } qw(bob alice);
is(join(',', sort map { finish_psql($_) =~ /(pending|approved)/ } @votes), 'approved,pending', 'two persons vote at once: both count');
sql('UPDATE hoopguard.guardrail SET min_approvals = NULL');

# --- Approved by itself, and what it runs inside itself.
sql('CREATE FUNCTION work() RETURNS void LANGUAGE plpgsql AS $$BEGIN UPDATE t SET n = 50 WHERE id = 14; UPDATE t SET n = 51 WHERE id = 15; END$$; UPDATE hoopguard.guardrail SET classes = \'{write,code}\'');
$id = approved('DO $$BEGIN PERFORM work(); END$$;');
is(as('agent', 'DO $$BEGIN PERFORM work(); END$$;'), '', 'what an approved statement runs inside itself is approved with it');
sql("SELECT hoopguard.guard('admins decide', 'ask', '{write.update}', roles => '{agent}', approvers => '{bob_dba}', wait => '0')");
$id = approved('DO $$BEGIN PERFORM work(); PERFORM 1; END$$;');
like(as('agent', 'DO $$BEGIN PERFORM work(); PERFORM 1; END$$;'), qr/HG001/, 'unless other persons decide on it');
sql("SELECT hoopguard.unguard('admins decide')");

# --- From a database without the extension.
wait_in_place();
sql('SELECT hoopguard.cancel(id) FROM hoopguard.pending');
$session = begin_psql($node, 'shop', 'agent', "INSERT INTO orders VALUES (1) RETURNING id;");
$id = wait_pending(1);
is(sql("SELECT database FROM hoopguard.request WHERE id = $id"), 'shop', 'a database without the extension asks too');
as('bob', "SELECT hoopguard.approve($id)");
is(finish_psql($session), "1\n", 'and goes on');
$node->safe_psql('shop', 'CREATE EXTENSION hoopguard');
is($node->safe_psql('shop', "SELECT state FROM hoopguard.request WHERE id = $id"), 'used', 'other databases show the requests');
is(run_psql($node, 'shop', 'nobody', 'SELECT count(*) FROM hoopguard.request'), "0\n", 'but only to those who may see them');

# --- Expiry.
refuse_at_once();
$id = asked('UPDATE t SET n = 20 WHERE id = 16;');
as('bob', "SELECT hoopguard.approve($id, NULL, '1 ms')");
$node->poll_query_until('postgres', "SELECT state = 'expired' FROM hoopguard.request WHERE id = $id");
ok(asked('UPDATE t SET n = 20 WHERE id = 16;') > $id, 'an approval that was not used in time is none');

# --- A decision that an approver does not know of.
$id = asked('UPDATE t SET n = 21 WHERE id = 17;');
sql("CREATE VIEW trap AS SELECT hoopguard.approve($id); CREATE FUNCTION trap() RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN hoopguard.approve($id); END'; GRANT SELECT ON trap TO bob");
like(as('bob', 'SELECT * FROM trap'), qr/42501.*not called by the client itself/s, 'a view cannot make an approver approve');
like(as('bob', 'SELECT trap()'), qr/42501.*not called by the client itself/s, 'nor can a function');
is(as('bob', "SELECT hoopguard.approve(id) FROM hoopguard.pending WHERE id = $id"), "approved\n", 'an approver can');

# --- Asked about while it runs: more rows than were expected.
sql("UPDATE hoopguard.guardrail SET max_rows = 5; CREATE TABLE many AS SELECT i AS id, 0 AS n FROM generate_series(1, 50) i; ANALYZE many; GRANT ALL ON many TO agent");
sql('CREATE FUNCTION any_row(int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RETURN true; END$$');
my $grown = 'UPDATE many SET n = 1 WHERE id % 50 < 30 AND any_row(id) AND id % 7 < 6 AND id % 11 < 10;';
$id = asked($grown);
ok($id, 'a statement that changes more rows than the guardrail lets is asked about');
is(sql('SELECT count(*) FROM many WHERE n = 1'), '0', 'and has changed none');
as('bob', "SELECT hoopguard.approve($id)");
is(as('agent', $grown), '', 'approved, it runs when it is sent again');
cmp_ok(sql('SELECT count(*) FROM many WHERE n = 1'), '>', 5, 'all of it');
sql('UPDATE hoopguard.guardrail SET max_rows = NULL');

# --- Channels.
like(as('agent', 'LISTEN hoopguard_request'), qr/42501/, 'LISTEN needs a role');
like(as('agent', "NOTIFY hoopguard_decision, '{}'"), qr/42501/, 'so does NOTIFY');
like(as('agent', "SELECT pg_notify('hoopguard_decision', '{}')"), qr/42501/, 'and pg_notify()');
like(as('agent', "SELECT pg_notify('hoopguard' || chr(95) || 'decision', '{}')"), qr/42501/, 'whatever its argument is made of');
like(as('agent', "DO \$\$BEGIN PERFORM pg_notify('hoopguard' || chr(95) || 'decision', '{}'); END\$\$"), qr/42501|HG001/, 'also within DO');
is(as('agent', "SELECT pg_notify('mine', 'x')"), "\n", 'other channels are free');
is(as('bob', 'LISTEN hoopguard_request; UNLISTEN *'), '', 'an approver listens');

$node->stop;
done_testing();
