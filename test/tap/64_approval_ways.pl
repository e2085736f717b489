# Ways around an approval, by name: prepared earlier, another role or database, approved by oneself as somebody else,
# left behind while elevated, notices that are forged, injected or too long, texts whose end is not shown.
use strict;
use warnings;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProtocolClient;
use Sessions;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.approval_wait = 0\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard; CREATE DATABASE shop;
CREATE ROLE agent LOGIN; CREATE ROLE team; CREATE ROLE reader; GRANT team TO agent;
CREATE ROLE bob LOGIN IN ROLE hoopguard_approver; CREATE ROLE nobody LOGIN;
INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent');
CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO t SELECT i FROM generate_series(1, 20) i;
CREATE FUNCTION bump() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE SCHEMA reports; GRANT ALL ON SCHEMA reports TO reader; GRANT USAGE ON SCHEMA reports TO agent;
CREATE TABLE secret AS SELECT 'hush'::text AS word; GRANT ALL ON secret TO reader;
GRANT ALL ON t TO agent, team;
SELECT hoopguard.guard('changes', 'ask', '{write}', roles => '{agent,team}', objects => '{t}');
SQL
$node->safe_psql('shop', 'CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t VALUES (1); GRANT ALL ON t TO agent');

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub as { my ($role, $script, $database) = @_; return run_psql($node, $database // 'postgres', $role, $script); }
sub problem { my ($client) = @_; return @{ $client->{errors} } ? join(' ', @{ $client->{errors}[-1] }{qw(C M)}) . ' ' . ($client->{errors}[-1]{D} // '') : ''; }
sub number { my ($shown) = @_; return $shown =~ /HG001.*Request (\d+) waits/s ? $1 : 0; }
sub approve { my ($id) = @_; return as('bob', "SELECT hoopguard.approve($id)"); }

# --- Prepared earlier: what counts is what it is when it runs.
my $early = ProtocolClient->new($node, user => 'agent');
$early->query('PREPARE p(int) AS UPDATE t SET n = $1 WHERE id = 1');
for my $round (1 .. 7) {
    $early->query('EXECUTE p(1)');
    approve(number(problem($early)));
    $early->query('EXECUTE p(1)');
    is(problem($early), '', "execution $round of a prepared statement, approved by itself");
}
$early->query('EXECUTE p(1)');
my $id = number(problem($early));
approve($id);
$early->query('EXECUTE p(2)');
cmp_ok(number(problem($early)), '>', $id, 'another value is not what was approved, by a plan that is kept either');
$early->query('PREPARE f AS UPDATE t SET n = bump() WHERE id = 2; EXECUTE f');
$id = number(problem($early));
approve($id);
sql("CREATE OR REPLACE FUNCTION bump() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1000; END'");
$early->query('EXECUTE f');
cmp_ok(number(problem($early)), '>', $id, 'prepared earlier, with a function that is another one now');
$early->query("PREPARE o AS UPDATE t SET n = 3 WHERE id = 3; EXECUTE o");
$id = number(problem($early));
approve($id);
sql('ALTER TABLE t RENAME TO was; CREATE TABLE t (LIKE was INCLUDING ALL); INSERT INTO t SELECT * FROM was; GRANT ALL ON t TO agent, team');
$early->query('EXECUTE o');
cmp_ok(number(problem($early)), '>', $id, 'prepared earlier, on a table that another one stands in for now');
is(sql('SELECT max(n) FROM t'), '1', 'nothing of it ran');
$early->finish;

# --- Another role, another database.
my $update = 'UPDATE t SET n = 4 WHERE id = 4;';
$id = number(as('agent', $update));
approve($id);
cmp_ok(number(as('agent', "SET ROLE team; $update")), '>', $id, 'as another role it is not what was approved');
$id = number(as('agent', "SET ROLE team; UPDATE t SET n = 1 WHERE id = 1;"));
approve($id);
cmp_ok(number(as('agent', 'UPDATE t SET n = 1 WHERE id = 1;')), '>', $id, 'nor as oneself what was approved for another role');
cmp_ok(number(as('agent', 'UPDATE t SET n = 1 WHERE id = 1;', 'shop')), '>', $id, 'nor in another database');
is($node->safe_psql('shop', 'SELECT n FROM t'), '0', 'nothing ran there');
is(as('agent', $update), '', 'what was approved runs');

# --- Approved by oneself: as an approver's role, by a function of his, by his own hand in an open door.
sql('GRANT bob TO agent');
$id = number(as('agent', 'UPDATE t SET n = 5 WHERE id = 5;'));
like(as('agent', "SET ROLE bob; SELECT hoopguard.approve($id)"), qr/42501.*nobody decides his own/s, 'not after SET ROLE to an approver');
like(as('agent', "SET ROLE hoopguard_approver; SELECT hoopguard.approve($id)"), qr/42501/, 'nor to the approvers\' role');
sql('REVOKE bob FROM agent');
sql("CREATE FUNCTION lend(bigint) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT hoopguard.approve(\$1)'; ALTER FUNCTION lend(bigint) OWNER TO bob");
like(as('agent', "SELECT lend($id)"), qr/42501/, 'nor by a function that runs with an approver\'s rights');
is(sql("SELECT state FROM hoopguard.request WHERE id = $id"), 'pending', 'it waits still');

# --- Forged: a notice decides nothing, whoever sends it.
sql("UPDATE hoopguard.guardrail SET wait = '60s'");
my $waiting = begin_psql($node, 'postgres', 'agent', "UPDATE t SET n = 6 WHERE id = 6 RETURNING 'ran';");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'HoopguardApproval'") or die 'does not wait';
$id = sql("SELECT id FROM hoopguard.pending WHERE statement LIKE 'UPDATE t SET n = 6%'");
as('bob', "NOTIFY hoopguard_decision, '{\"request\": $id, \"state\": \"approved\", \"decided_by\": [\"bob\"]}'");
sql("SELECT pg_notify('hoopguard_decision', '{\"request\": $id, \"state\": \"approved\"}')");
sleep 1;
is(sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'HoopguardApproval'"), '1', 'a forged decision moves nothing');
is(sql("SELECT state FROM hoopguard.request WHERE id = $id"), 'pending', 'nor the request');
approve($id);
is(finish_psql($waiting), "ran\n", 'the decision does');
sql("UPDATE hoopguard.guardrail SET wait = '0'");

# --- Notices: JSON, whatever is in them, and below the limit, however long the statement.
my $marker = 'at_the_end_of_it';
my $long = "UPDATE t SET n = 7 /* " . ('é' x 100_000) . " */ WHERE id = 7 /* $marker */;";
my $evil = q{ticket", "state": "approved", "x": "};
my $listening = begin_psql($node, 'postgres', 'bob', "LISTEN hoopguard_request;\nSELECT 'listens';\n"
    . "DO 'BEGIN WHILE NOT EXISTS (SELECT FROM pg_database WHERE datname = ''heard'') LOOP PERFORM pg_sleep(0.1); END LOOP; END';\nSELECT 'end';");
for (1 .. 600) { last if slurp_file("$listening->{output}") =~ /listens/; select undef, undef, undef, 0.1; }
as('agent', "SET hoopguard.reason = '$evil'; UPDATE t SET n = 8 WHERE id = 8;");
$id = number(as('agent', $long));
isnt($id, 0, 'a statement of 200 kB is asked about');
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM hoopguard.outbox');
sql('CREATE DATABASE heard');
my @payloads = finish_psql($listening) =~ /with payload "(\{.*\})" received/g;
is(scalar @payloads, 2, 'both are told');
my @notices = map { eval { decode_json($_) } // {} } @payloads;
is($notices[0]{reason}, $evil, 'a reason that looks like JSON is text');
is($notices[0]{state}, undef, 'and sets nothing');
is($notices[1]{request}, $id, 'the long one is told too');
cmp_ok(length $payloads[1], '<', 8000, 'below what NOTIFY takes');
cmp_ok(length $notices[1]{statement}, '<=', 1001, 'its text is cut');

# --- Whoever decides sees all that runs.
is(as('bob', "SELECT length(statement) > 100000 AND statement LIKE '%$marker%' FROM hoopguard.request WHERE id = $id"), "t\n", 'the request has the whole text');
like(as('bob', "SELECT statement FROM hoopguard.pending WHERE id = $id"), qr/ \.\.\.$/, 'where it is cut it says so');
my $values = ProtocolClient->new($node, user => 'agent');
$values->parse('', 'UPDATE t SET n = $1 WHERE id = $2');
$values->bind('', '', 77, 9);
$values->execute('');
$values->sync;
$id = number(problem($values));
like(as('bob', "SELECT parameters FROM hoopguard.request WHERE id = $id"), qr/77.*9/, 'bound values are part of what he sees');
$values->finish;
my $several = "UPDATE t SET n = 10 WHERE id = 10\\; DELETE FROM t WHERE id = 11;";
$id = number(as('agent', $several));
approve($id);
isnt(number(as('agent', $several)), 0, 'of several statements in one message each is asked about by itself');
is(sql('SELECT count(*) FROM t WHERE id = 11'), '1', 'what nobody saw did not run');

# --- Left behind while elevated: what would open the door again afterwards is refused, or gone with the grant.
my $request = as('agent', "SELECT hoopguard.request_access('reader', duration => '10 minutes')");
approve($request);
my $grant = sql("SELECT id FROM hoopguard.jit_grant WHERE request = $request");
is(as('agent', 'SELECT word FROM secret'), "hush\n", 'elevated');
my %left = (
    'a view' => 'CREATE VIEW reports.v AS SELECT * FROM secret',
    'a materialized view' => 'CREATE MATERIALIZED VIEW reports.m AS SELECT * FROM secret',
    'a function with its rights' => q{CREATE FUNCTION reports.f() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT word FROM secret'},
    'a procedure' => q{CREATE PROCEDURE reports.p() LANGUAGE sql AS 'DELETE FROM secret'},
    'a table of its data' => 'CREATE TABLE reports.c AS SELECT * FROM secret',
    'the same by SELECT INTO' => 'SELECT * INTO reports.d FROM secret',
    'a trigger' => 'CREATE TRIGGER tr BEFORE INSERT ON secret FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
    'a rule' => 'CREATE RULE r AS ON INSERT TO secret DO ALSO NOTHING',
    'a policy' => 'CREATE POLICY p ON secret USING (true)',
    'a grant' => 'GRANT SELECT ON secret TO nobody',
    'a membership' => 'GRANT reader TO nobody',
    'default privileges' => 'ALTER DEFAULT PRIVILEGES FOR ROLE reader GRANT SELECT ON TABLES TO agent',
    'another owner' => 'ALTER TABLE secret OWNER TO agent',
    'a setting of the role' => "ALTER ROLE agent SET search_path = 'reports'",
);
sql('ALTER TABLE secret OWNER TO reader');
for my $what (sort keys %left) {
    for my $how ('', 'SET ROLE reader; ') {
        like(as('agent', "$how$left{$what};"), qr/ERROR:/, "left behind: $what" . ($how && ', the role set'));
    }
}
as('agent', "SELECT hoopguard.revoke($grant)");
is(sql("SELECT count(*) FROM pg_class WHERE relnamespace = 'reports'::regnamespace") + sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'reports'::regnamespace"),
    '0', 'nothing was left behind');
like(as('agent', 'SELECT word FROM secret'), qr/permission denied/, 'and the door is shut');
is(sql("SELECT has_table_privilege('nobody', 'secret', 'SELECT') OR pg_has_role('nobody', 'reader', 'MEMBER')"), 'f', 'for others too');
my $temporary = ProtocolClient->new($node, user => 'agent');
$request = as('agent', "SELECT hoopguard.request_access('reader', duration => '10 minutes')");
approve($request);
$grant = sql("SELECT id FROM hoopguard.jit_grant WHERE request = $request");
$temporary->query("CREATE FUNCTION pg_temp.f() RETURNS SETOF text LANGUAGE sql AS 'SELECT word FROM public.secret'; PREPARE s AS SELECT word FROM secret; EXECUTE s");
is(problem($temporary), '', 'temporary objects and kept plans are free');
sql("SELECT hoopguard.revoke($grant)");
$temporary->query('SELECT * FROM pg_temp.f()');
like(problem($temporary), qr/permission denied/, 'a temporary function opens nothing afterwards');
$temporary->query('EXECUTE s');
like(problem($temporary), qr/permission denied/, 'nor does a kept plan');
$temporary->finish;

is(sql('SELECT bool_and(ok) FROM hoopguard.verify_journal()'), 't', 'the journal verifies');
$node->stop;
done_testing();
