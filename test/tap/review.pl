# An access review from the record: people, services and agents, standing and just-in-time access in two databases, a
# shared credential, an owner who left. The review finds each of them; what a revocation breaks was foretold; it takes
# exactly that away, in the other database too.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use JSON::PP;
use Sessions;

my $node = PostgreSQL::Test::Cluster->new('review');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nfsync = off\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION hoopguard; CREATE DATABASE shop;
    CREATE ROLE dana LOGIN; CREATE ROLE olga LOGIN IN ROLE hoopguard_auditor; CREATE ROLE ivan LOGIN; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver;
    CREATE ROLE agent LOGIN; CREATE ROLE stray LOGIN; CREATE ROLE billing LOGIN; CREATE ROLE analysts; CREATE ROLE readers; CREATE ROLE emergency;
    GRANT readers TO analysts; GRANT analysts TO agent, dana;
    INSERT INTO hoopguard.actor (name, kind, owner) VALUES ('agent', 'agent', 'dana'), ('stray', 'agent', 'ivan'), ('billing', 'service', 'dana')});
$node->safe_psql('shop', q{CREATE EXTENSION hoopguard; CREATE SCHEMA s; CREATE TABLE s.customer (id int, email text); CREATE TABLE s.orders (id int); CREATE TABLE s.spare (id int);
    SELECT hoopguard.classify_column('s.customer', 'email', 'email');
    GRANT USAGE ON SCHEMA s TO readers, agent, billing, stray; GRANT SELECT ON s.customer TO readers;
    GRANT SELECT ON s.orders TO agent, analysts, stray; GRANT DELETE, UPDATE ON s.orders TO agent; GRANT INSERT, SELECT ON s.orders TO billing;
    GRANT SELECT ON s.spare TO billing; GRANT ALL ON ALL TABLES IN SCHEMA s TO emergency});
# Ivan leaves.
$node->safe_psql('postgres', 'DROP ROLE ivan');

sub as_role {
    my ($role, $sql, $database, $application) = @_;
    local $ENV{PGAPPNAME} = $application // 'psql';
    my ($status, $out, $error) = $node->psql($database // 'shop', $sql, extra_params => [ '-U', $role, '-w' ]);
    return $status == 0 ? $out : $error;
}
sub ask { return $node->safe_psql('postgres', $_[0]); }

# Work, on record.
as_role('agent', 'SELECT count(*) FROM s.orders; SELECT count(*) FROM s.customer; UPDATE s.orders SET id = 2 WHERE id = 1');
as_role('billing', 'INSERT INTO s.orders VALUES (1)', 'shop', 'billing-service');
as_role('billing', 'SELECT count(*) FROM s.orders', 'shop', 'claude');
as_role('dana', 'SET ROLE readers; SELECT count(*) FROM s.customer');
my $request = as_role('agent', "SELECT hoopguard.request_access('emergency', duration => '1 hour', reason => 'ticket 1')");
is(as_role('bob', "SELECT hoopguard.approve($request)"), 'approved', 'a role for a time');
ask('SELECT hoopguard.gather_usage()');

# An auditor listens, until the test says so.
my $ear = begin_psql($node, 'postgres', 'olga', "LISTEN hoopguard_alert;\nSELECT 'listens';\n"
    . "DO 'BEGIN WHILE NOT EXISTS (SELECT FROM pg_database WHERE datname = ''heard'') LOOP PERFORM pg_sleep(0.1); END LOOP; END';\nSELECT 1;");
for (1 .. 600) { last if slurp_file("$ear->{output}") =~ /listens/; select undef, undef, undef, 0.1; }

# Who may do what.
my $review = as_role('olga', "SELECT hoopguard.open_review('q1', now() + interval '5 days', '{agent,stray,billing,analysts,readers,dana}')", 'postgres');
cmp_ok($review, '>', 10, 'a review with its items');
is(ask(q{SELECT string_agg(format('%s %s %s %s %s', source, privilege, coalesce(via, '-'), uses > 0, risk), E'\n' ORDER BY source, privilege)
           FROM hoopguard.access WHERE actor = 'agent' AND database = 'shop' AND object = 's.orders' AND source <> 'jit'}),
    "direct DELETE - f high\ndirect SELECT - t medium\ndirect UPDATE - t high\ninherited SELECT analysts t medium", 'access in another database, with what was used of it');
is(ask(q{SELECT string_agg(DISTINCT source || ' ' || via, ' ') FROM hoopguard.access WHERE actor = 'agent' AND object = 's.spare' AND privilege = 'INSERT'}),
    'jit emergency', 'what a grant gives for a time is told from standing access');
is(ask(q{SELECT risk FROM hoopguard.access WHERE actor = 'agent' AND object = 's.customer' AND privilege = 'SELECT' AND source = 'inherited'}), 'critical',
    'an agent that reads a classified column');
is(as_role('olga', q{SELECT string_agg(finding || ' ' || actor, ', ' ORDER BY finding, actor) FROM hoopguard.access_finding
                      WHERE finding IN ('shared_credential', 'owner_gone', 'agent_without_owner') AND actor <> 'postgres'}, 'postgres'),
    'owner_gone stray, shared_credential billing', 'the shared credential and the owner who left are found');
is(as_role('olga', q{SELECT count(*) FROM hoopguard.access WHERE actor = 'agent' AND object = 's.orders' AND privilege = 'DELETE' AND source = 'direct'}), '1', 'asked from another database');
is(ask(q{SELECT string_agg(actor || ' ' || reviewer, ', ' ORDER BY actor) FROM (SELECT DISTINCT actor, reviewer FROM hoopguard.review_item WHERE actor IN ('agent', 'stray')) i}),
    'agent dana, stray hoopguard_auditor', 'owners review, auditors where there is none');

# What would break, and does.
sub item { my ($actor, $object, $privilege) = @_; return ask("SELECT id FROM hoopguard.review_item WHERE review = 'q1' AND actor = '$actor' AND object = '$object' AND privilege = '$privilege'"); }
sub breaks { return ask("SELECT string_agg(actor || ' ' || privilege || ' ' || object, ', ' ORDER BY actor, object, privilege) FROM hoopguard.review_effect('q1', '{" . join(',', @_) . "}') WHERE actor <> 'postgres'"); }
sub certify { my ($item, $role) = @_; return as_role($role // 'olga', "SELECT hoopguard.certify($item, 'revoke', 'test')", 'postgres'); }
sub held { my ($role) = @_; return $node->safe_psql('shop', qq{SELECT string_agg(t || ' ' || p, ', ' ORDER BY t, p) FROM unnest('{s.customer,s.orders,s.spare}'::text[]) t, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p WHERE has_table_privilege('$role', t, p)}); }

# A just-in-time grant is an item like others: certified away, it ends, with its membership and nothing else.
my $lent = ask("SELECT id FROM hoopguard.review_item WHERE review = 'q1' AND actor = 'agent' AND catalog = 'jit_grant'");
is(ask("SELECT object, privilege, source, reviewer FROM hoopguard.review_item WHERE id = $lent"), 'membership of emergency|JIT|jit|dana', 'a just-in-time grant to decide about');
is(ask("SELECT count(*) FROM hoopguard.review_item WHERE review = 'q1' AND actor = 'agent' AND object = 'emergency' AND privilege = 'MEMBER'"), '0', 'its membership is no item of its own');
as_role('agent', 'INSERT INTO s.spare VALUES (1)');
ask('SELECT hoopguard.gather_usage()');
is(breaks($lent), 'agent INSERT s.spare', 'what it was used for would break');
is(certify($lent, 'dana'), 'revoked', 'certified away');
is(ask("SELECT state, comment FROM hoopguard.jit_grant WHERE request = $request"), 'revoked|review q1', 'the grant has ended');
is(ask("SELECT pg_has_role('agent', 'emergency', 'MEMBER'), pg_has_role('agent', 'analysts', 'MEMBER')"), 'f|t', 'with its membership, and no other');
like(as_role('agent', 'INSERT INTO s.spare VALUES (2)'), qr/permission denied/, 'it gives nothing any more');

my $delete = item('agent', 's.orders', 'DELETE');
is(breaks($delete), '', 'what nobody used: nothing would break');
my $before = held('agent');
like(certify($delete, 'agent'), qr/nobody certifies his own/, 'not by the agent itself');
is(certify($delete, 'dana'), 'revoked', 'revoked by its owner');
is(held('agent'), join(', ', grep { $_ ne 's.orders DELETE' } split /, /, $before), 'exactly that is gone, in the other database');

my $insert = item('billing', 's.orders', 'INSERT');
is(breaks($insert), 'billing INSERT s.orders', 'what was used: it would break');
is(as_role('billing', 'INSERT INTO s.orders VALUES (7)'), '', 'it works before');
is(certify($insert), 'revoked', 'revoked all the same');
like(as_role('billing', 'INSERT INTO s.orders VALUES (8)'), qr/permission denied/, 'and it breaks');

# What the departed owner's agent has, and what the shared credential holds in reserve.
my $stray = item('stray', 's.orders', 'SELECT');
is(breaks($stray), '', 'the agent without its owner used nothing');
like(certify($stray, 'dana'), qr/not yours to decide/, 'another owner does not decide about it');
is(certify($stray), 'revoked', 'an auditor does');
is(held('stray'), '', 'and it has nothing');
my $spare = item('billing', 's.spare', 'SELECT');
is(certify($spare, 'dana'), 'revoked', 'a service that two applications share');
is(held('billing'), 's.orders SELECT', 'keeps what it works with');
is(as_role('billing', 'SELECT count(*) >= 0 FROM s.orders', 'shop', 'claude'), 't', 'and works');

# One of two ways, and the other.
my ($direct, $member) = (item('agent', 's.orders', 'SELECT'), item('agent', 'analysts', 'MEMBER'));
is(breaks($direct), '', 'a privilege that is had twice');
is(breaks($member), 'agent SELECT s.customer', 'a membership breaks what is had by it alone');
is(breaks($direct, $member), 'agent SELECT s.customer, agent SELECT s.orders', 'both');
is(certify($direct, 'dana'), 'revoked', 'the one');
is(as_role('agent', 'SELECT count(*) >= 0 FROM s.orders'), 't', 'it works still');
is(certify($member, 'dana'), 'revoked', 'the other');
like(as_role('agent', 'SELECT count(*) FROM s.orders'), qr/permission denied/, 'no more');
is(held('dana'), 's.customer SELECT, s.orders SELECT', 'others have what they had');

# What came of it, for whoever asks.
is(ask(q{SELECT count(*) FROM hoopguard.policy_history WHERE object = 'review_item' AND new ->> 'decision' = 'revoke'}), '7', 'every decision is on record');
my $page = as_role('olga', "SELECT hoopguard.access_report('q1')", 'postgres');
like($page, qr/<h1>Access review q1<\/h1>/, 'the report');
like($page, qr/REVOKE DELETE ON TABLE s\.orders FROM agent/, 'with its statements');
is(as_role('olga', "SELECT hoopguard.close_review('q1') > 0", 'postgres'), 't', 'closed');

# The worker sees to what is due.
as_role('olga', "SELECT hoopguard.open_review('q2', now() + interval '1 second', '{stray}', 'revoke')", 'postgres');
ok($node->poll_query_until('postgres', "SELECT state = 'due' FROM hoopguard.review WHERE name = 'q2'"), 'a date that revokes');
is($node->safe_psql('shop', "SELECT has_schema_privilege('stray', 's', 'USAGE')"), 'f', 'has revoked');

# A series: reminded half-way, once a day; due; followed by the next, with what is held by then.
as_role('olga', "SELECT hoopguard.open_review('weekly', now() + interval '1 hour', '{agent}', 'report', '7 days')", 'postgres');
ask('SELECT hoopguard.review_step()');
is(ask("SELECT reminded_at IS NULL FROM hoopguard.review WHERE name = 'weekly'"), 't', 'nobody is reminded at once');
ask("UPDATE hoopguard.review SET opened_at = now() - interval '10 days' WHERE name = 'weekly'");
ask('SELECT hoopguard.review_step()') for 1 .. 2;
my $undecided = ask("SELECT count(*) FROM hoopguard.review_item WHERE review = 'weekly' AND decision IS NULL");
ask("UPDATE hoopguard.review SET due = now() - interval '1 minute' WHERE name = 'weekly'");
$node->safe_psql('shop', 'GRANT TRUNCATE ON s.orders TO agent');
ask('SELECT hoopguard.review_step()') for 1 .. 2;
is(ask("SELECT state, count(*) OVER () FROM hoopguard.review WHERE series = 'weekly' ORDER BY due LIMIT 1"), 'due|2', 'due, and followed by one');
is(ask("SELECT count(decision) FROM hoopguard.review_item WHERE review = 'weekly'"), '0', 'a date that reports decides nothing');
my $next = ask("SELECT followed_by FROM hoopguard.review WHERE name = 'weekly'");
is(ask("SELECT state, due BETWEEN now() + interval '6 days' AND now() + interval '7 days', every FROM hoopguard.review WHERE name = '$next'"), 'open|t|7 days', 'a week later');
is(ask("SELECT reviewer FROM hoopguard.review_item WHERE review = '$next' AND object = 's.orders' AND privilege = 'TRUNCATE'"), 'dana', 'it asks about what came since, of the owner');
is(as_role('olga', "SELECT hoopguard.close_review('weekly') = $undecided AND hoopguard.close_review('$next', true) >= 0", 'postgres'), 't', 'closed, and the series ends');
ask('SELECT hoopguard.review_step()');
is(ask("SELECT count(*) FROM hoopguard.review WHERE series = 'weekly'"), '2', 'no other follows');

# What the auditor has heard meanwhile.
ask('CREATE DATABASE heard');
my @heard = map { decode_json($_) } finish_psql($ear) =~ /with payload "(\{.*\})" received/g;
my ($opened) = grep { $_->{alert} eq 'review_opened' && $_->{review} eq 'q1' } @heard;
is("$opened->{items} $opened->{by} $opened->{on_due}", "$review olga report", 'told when a review opens: how much, by whom');
my @reminders = grep { $_->{alert} eq 'review_reminder' && $_->{review} eq 'weekly' } @heard;
is(scalar @reminders, 1, 'the reviewer is reminded once a day');
is("$reminders[0]{reviewer} $reminders[0]{undecided} $reminders[0]{on_due}", "dana $undecided report", 'of how much, and what becomes of it');
like($reminders[0]{due}, qr/^\d{4}-\d\d-\d\dT/, 'and until when');
my ($due) = grep { $_->{alert} eq 'review_due' && $_->{review} eq 'weekly' } @heard;
is($due->{undecided}, $undecided, 'told when it is due, and how much is undecided');
my ($gone) = grep { $_->{alert} eq 'review_due' && $_->{review} eq 'q2' } @heard;
cmp_ok($gone->{revoked}, '>=', 1, 'and how much the date revoked');
$node->stop;
done_testing();
