# What an approver who is masked sees of a request: sensitive literals and values as tokens, and no plan; who is not
# masked sees the exact text. Notices and the journal never hold a real value. What runs is what was asked for.
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
hoopguard.journal_redact = off
log_statement = 'none'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN; CREATE ROLE spy LOGIN;
CREATE ROLE alice LOGIN IN ROLE hoopguard_approver; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver;
CREATE DATABASE shop;
GRANT pg_read_all_data TO bob, spy;
INSERT INTO hoopguard.actor (name, kind, owner) VALUES ('agent', 'agent', 'carol');
SELECT hoopguard.guard('changes', 'ask', '{write}', roles => '{agent}');
SELECT hoopguard.set_mask('person_name', 'redact', roles => '{bob}', databases => '{shop}');
SQL
$node->safe_psql('shop', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE TABLE person (id int PRIMARY KEY, name text, n int);
INSERT INTO person SELECT i, 'CANARY ' || i, i FROM generate_series(1, 20) i;
CREATE TABLE plain (id int, what text);
GRANT ALL ON person, plain TO agent, bob;
SELECT hoopguard.classify_column('person', 'name', 'person_name');
SQL
my $raw = qr/CANARY|canary/;
sub sql { return $node->safe_psql('postgres', $_[0]); }
sub as { my ($role, $database, $script) = @_; return run_psql($node, $database, $role, $script); }

my $listener = begin_psql($node, 'postgres', 'alice', "LISTEN hoopguard_request;\n"
    . "DO 'BEGIN WHILE (SELECT count(*) FROM hoopguard.request) < 4 LOOP PERFORM pg_sleep(0.1); END LOOP; END';\nSELECT pg_sleep(1);\nSELECT 1;");
my %ask = (
    literal => "UPDATE person SET n = 7 WHERE name = 'CANARY 7';",
    parameter => "PREPARE p(text) AS DELETE FROM person WHERE name = \$1; EXECUTE p('CANARY 8');",
    found => "INSERT INTO plain VALUES (1, 'write to canary\@example.com');",
    harmless => "INSERT INTO plain VALUES (2, 'nothing');",
);
my %number;
for my $kind (sort keys %ask) {
    as('agent', 'shop', $ask{$kind}) =~ /Request (\d+) waits/ or fail("$kind is asked about");
    $number{$kind} = $1;
}
my $look = "SELECT statement, parameters, plan FROM hoopguard.request WHERE id = ";
for my $database ('postgres', 'shop') {
    like(as('alice', $database, "$look $number{literal};"), qr/name = 'CANARY 7'.*Filter.*CANARY 7/s, "$database: an approver sees the exact text and plan");
    like(as('alice', $database, "$look $number{parameter};"), qr/"value": "CANARY 8"/, "$database: and values");
    like(as('alice', $database, "$look $number{found};"), qr/'write to canary\@example.com'/, "$database: also what the detector finds");
    my $seen = as('bob', $database, "$look $number{literal};");
    like($seen, qr/UPDATE person SET n = 7 WHERE name = '<redacted:[0-9a-f]{12}>'\|\|$/m, "$database: an approver who is masked in another database sees a token, and no plan");
    like(as('bob', $database, "$look $number{parameter};"), qr/"value": "<redacted:[0-9a-f]{12}>"/, "$database: and no value");
    like(as('bob', $database, "$look $number{found};"), qr/'write to <redacted:[0-9a-f]{12}>'/, "$database: nor what the detector finds");
    like(as('bob', $database, "$look $number{harmless};"), qr/^INSERT INTO plain VALUES \(2, 'nothing'\)\|/, "$database: what is harmless stays");
    for my $way ('TABLE hoopguard.request', 'TABLE hoopguard.pending', 'SELECT r, to_jsonb(r) FROM hoopguard.request r',
        "SELECT id FROM hoopguard.request WHERE statement LIKE '%CAN' || 'ARY%' AND 1 / (id - id) > 0",
        'SELECT hoopguard.requests_json()', 'TABLE hoopguard.filed_request', 'SELECT most_common_vals FROM pg_stats')
    {
        unlike(as('bob', $database, "$way;"), $raw, "$database: nothing real by $way");
    }
    unlike(as('agent', $database, 'TABLE hoopguard.request;'), $raw, "$database: the agent, who is masked, sees its own requests so");
    unlike(as('spy', $database, 'TABLE hoopguard.request; TABLE hoopguard.filed_request;'), $raw, "$database: pg_read_all_data reads none of them");
}
my $heard = finish_psql($listener);
like($heard, qr/notification "hoopguard_request".*<redacted:/, 'notices hold tokens');
unlike($heard, $raw, 'and nothing real');

# Whoever is masked decides all the same; what was asked for runs.
is(as('bob', 'postgres', "SELECT hoopguard.approve($number{literal});"), "approved\n", 'a masked approver approves');
unlike(as('agent', 'shop', $ask{literal}), qr/ERROR/, 'the exact statement runs');
is($node->safe_psql('shop', "SELECT count(*) FROM person WHERE name = 'CANARY 7' AND n = 7"), '1', 'and did what was asked for');

# Scripts.
my $script = "UPDATE person SET n = 9 WHERE name = 'CANARY 9'";
my ($id) = as('agent', 'shop', "SELECT hoopguard.request_script(\$s\$$script\$s\$, 'ticket');") =~ /^(\d+)$/m;
like(as('bob', 'postgres', "$look $id;"), qr/name = '<redacted:[0-9a-f]{12}>'/, 'a script is redacted too');
is(as('alice', 'postgres', "SELECT statement FROM hoopguard.request WHERE id = $id;"), "$script\n", 'and exact for who may see it');
is(as('alice', 'shop', "SELECT hoopguard.approve($id);"), "approved\n", 'approved');
is(as('agent', 'shop', "SELECT hoopguard.run_script($id);"), "done\n", 'it runs as it was written');
is($node->safe_psql('shop', "SELECT n FROM person WHERE name = 'CANARY 9'"), '9', 'exactly');

# What the journal keeps is one thing, what a person decides about another.
$node->append_conf('postgresql.conf', "hoopguard.journal_redact = on");
$node->reload;
ok($node->poll_query_until('postgres', "SELECT current_setting('hoopguard.journal_redact') = 'on'"), 'journal_redact is on');
as('agent', 'shop', "INSERT INTO plain VALUES (3, 'write to canary\@example.org');") =~ /Request (\d+) waits/ or fail('it is asked about');
my $redacted = $1;
like(as('alice', 'postgres', "$look $redacted;"), qr/'write to canary\@example.org'/, 'whatever journal_redact says, an approver sees the exact text');
unlike(as('bob', 'postgres', "$look $redacted;"), $raw, 'who is masked sees it not');
$node->append_conf('postgresql.conf', "hoopguard.journal_redact = off");
$node->reload;

# The journal's entries about requests; journal_redact is off here, so that statements stand there as they are.
$node->stop;
my ($entries) = run_command([ 'hoopguard-journal', 'show', $node->data_dir . '/hoopguard', '--type', 'request' ]);
like($entries, qr/<redacted:/, 'the journal has the requests');
unlike($entries, $raw, 'and nothing real of them');
done_testing();
