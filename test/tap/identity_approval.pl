# Who decides, by identity: groups of a provider as approvers, and nobody his own, however he comes.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TokenProvider;

plan skip_all => 'libpam-wrapper is not installed' unless $TokenProvider::wrapper;
my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $provider = TokenProvider->new($directory, 'k1');
my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.approval_wait = 0\n");
ok(TokenProvider::prepare($node, $directory), 'the PAM module is installed');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all postgres,pooler trust\nhostssl all agent 127.0.0.1/32 pam pamservice=hoopguard\n");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('postgres', qq{
    CREATE EXTENSION hoopguard;
    CREATE ROLE agent LOGIN NOINHERIT; CREATE ROLE analyst; CREATE ROLE person; CREATE ROLE chief IN ROLE hoopguard_approver;
    GRANT analyst, person, chief TO agent;
    CREATE TABLE notes (id int); GRANT ALL ON notes TO analyst;
    SELECT hoopguard.set_provider('corp', 'oidc', 'https://id.example', '{postgres}', jwks => '${\ $provider->jwks}');
    SELECT hoopguard.map_group('corp', 'agents', 'analyst', rank => 10);
    SELECT hoopguard.map_group('corp', 'staff', 'person');
    SELECT hoopguard.map_group('corp', 'chiefs', 'chief');
    INSERT INTO hoopguard.actor (provider, name, kind, owner) VALUES ('corp', 'dana.private', 'human', 'dana');
    SELECT hoopguard.guard('writes', 'ask', '{write}', roles => '{analyst}', approvers => '{group:dbas}');
    SELECT hoopguard.guard('creates', 'ask', '{ddl.create}', roles => '{analyst}');
    GRANT CREATE ON SCHEMA public TO analyst;});

# What a person or agent of the provider gets to see.
sub as {
    my ($subject, $groups, $sql, %more) = @_;
    local $ENV{PGPASSWORD} = $provider->token(sub => "\"$subject\"", groups => $groups, %{ $more{claims} // {} });
    delete local $ENV{LD_PRELOAD};
    my ($out, $err);
    IPC::Run::run(['psql', '-XqAt', "host=127.0.0.1 port=${\ $node->port} user=agent sslmode=require dbname=" . ($more{database} // 'postgres'),
        map { ('-c', $_) } ref $sql ? @$sql : $sql], '<', \undef, '>', \$out, '2>', \$err);
    chomp $out;
    return $err =~ /ERROR|FATAL/ ? "$out$err" : $out;
}
my %bot = (claims => {act => '{"sub":"dana"}'});
sub request_for { my ($sql) = @_; my ($number) = as('bot-7', '["agents"]', $sql, %bot) =~ /[Rr]equest (\d+)/; return $number // 0; }

my $request = request_for('INSERT INTO notes VALUES (1)');
isnt($request, 0, 'an agent\'s statement asks');
is($node->safe_psql('postgres', "SELECT actor, on_behalf_of, approvers FROM hoopguard.request WHERE id = $request"), 'bot-7|dana|{group:dbas}',
    'a group is to decide');
my $approve = "SELECT hoopguard.approve($request)";
is(as('eve', '["staff"]', 'SELECT count(*) FROM hoopguard.pending'), '0', 'whoever is not in the group does not see it');
like(as('eve', '["staff"]', $approve), qr/not yours to decide.*group:dbas/s, 'nor decides it');
like(as('chief', '["chiefs"]', $approve), qr/not yours to decide/, 'nor do approvers, when a guardrail names others');
like(as('dana', '["staff", "dbas"]', $approve), qr/nobody decides his own request/, 'nor whoever the agent works for');
like(as('dana.private', '["staff", "dbas"]', $approve), qr/nobody decides his own request/, 'by another name either');
like(as('bot-8', '["staff", "dbas"]', $approve, claims => {actor_kind => '"agent"'}), qr/decided by a person, and bot-8 is none/, 'nor an agent');
is(as('carol', '["staff", "dbas"]', 'SELECT id FROM hoopguard.pending'), $request, 'the group sees it');
is(as('carol', '["staff", "dbas"]', $approve), 'approved', 'and decides');
is(as('bot-7', '["agents"]', ['INSERT INTO notes VALUES (1)', 'SELECT count(*) FROM notes'], %bot), '1', 'the statement runs');
is($node->safe_psql('postgres', "SELECT actor, decided_by FROM hoopguard.statement WHERE approval = $request AND outcome = 'ok' AND parent_no IS NULL LIMIT 1"), 'bot-7|{carol}',
    'on record by subjects');

# Everybody logs in as the same role: what one token gives is not another's.
$request = request_for('CREATE TABLE made (id int)');
like(as('eve', '["staff"]', "SELECT hoopguard.approve($request)"), qr/not yours to decide/, 'the login role makes nobody an approver');
like(as('eve', '["staff"]', 'LISTEN hoopguard_request'), qr/permission denied/, 'nor lets it listen');
is(as('frank', '["chiefs"]', ['LISTEN hoopguard_request', "SELECT hoopguard.approve($request)"]), 'approved', 'the role that a token gives does');

# Leave for a time is the group's to give, and shows in whoami().
is(as('bot-7', '["agents"]', 'SELECT grants FROM hoopguard.whoami()', %bot), '{}', 'no grant is in force');
$request = as('bot-7', '["agents"]', "SELECT hoopguard.request_access(classes => '{write}', objects => '{notes}', reason => 'backlog')", %bot);
like(as('dana', '["staff", "dbas"]', "SELECT hoopguard.approve($request)"), qr/nobody decides his own/, 'leave is not one\'s own to give');
is(as('carol', '["staff", "dbas"]', "SELECT hoopguard.approve($request)", database => 'postgres'), 'approved', 'a group gives leave');
my $grant = $node->safe_psql('postgres', "SELECT id FROM hoopguard.jit_grant WHERE request = $request");
is(as('bot-7', '["agents"]', ['INSERT INTO notes VALUES (2)', 'SELECT grants FROM hoopguard.whoami()'], %bot), "{$grant}", 'whoami() names it');
is(as('bot-9', '["agents"]', 'SELECT grants FROM hoopguard.whoami()'), '{}', 'for no other actor');
$node->safe_psql('postgres', "SELECT hoopguard.revoke($grant)");
is(as('bot-7', '["agents"]', 'SELECT grants FROM hoopguard.whoami()', %bot), '{}', 'nor when it has ended');

# Logging in by grant, for a group of the provider, by login() too.
$node->safe_psql('shop', 'CREATE EXTENSION hoopguard');
$node->safe_psql('postgres', q{CREATE ROLE pooler LOGIN IN ROLE analyst; INSERT INTO hoopguard.actor (name, kind, pooled) VALUES ('pooler', 'service', true);
    SELECT hoopguard.guard('shop by grant', 'ask', '{login}', roles => '{group:agents}', databases => '{shop}', approvers => '{group:dbas}');});
sub pooled {
    my $token = $provider->token(sub => '"bot-7"', groups => '["agents"]', %{ $bot{claims} });
    delete local $ENV{LD_PRELOAD};
    my ($out, $err);
    IPC::Run::run(['psql', '-XqAt', '-h', $node->host, '-p', $node->port, '-U', 'pooler', '-d', 'shop', map { ('-c', $_) } 'BEGIN',
        "SELECT hoopguard.login('$token')", 'SELECT current_user', 'COMMIT'], '<', \undef, '>', \$out, '2>', \$err);
    chomp $out;
    return $err =~ /ERROR|FATAL/ ? "$out$err" : $out;
}
my $shut = qr/logging in needs a just-in-time grant: guardrail "shop by grant"/;
my $look = 'SELECT current_user, grants FROM hoopguard.whoami()';
like(as('bot-7', '["agents"]', $look, %bot, database => 'shop'), $shut, 'a group that needs a grant to log in does not get in');
like(pooled(), $shut, 'nor by login()');
is(as('eve', '["staff"]', 'SELECT current_user', database => 'shop'), 'person', 'others do, by the same login role');
$request = as('bot-7', '["agents"]', "SELECT hoopguard.request_access(classes => '{login}', objects => '{shop}', reason => 'ticket')", %bot);
like(as('dana', '["staff", "dbas"]', "SELECT hoopguard.approve($request)"), qr/nobody decides his own/, 'not one\'s own to give');
is(as('carol', '["staff", "dbas"]', "SELECT hoopguard.approve($request)"), 'approved', 'the group that the guardrail names gives it');
$grant = $node->safe_psql('postgres', "SELECT id FROM hoopguard.jit_grant WHERE request = $request");
is(as('bot-7', '["agents"]', 'SELECT current_user', %bot, database => 'shop'), 'analyst', 'then it gets in');
is(pooled(), "bot-7\nanalyst", 'by login() too');
like(as('bot-9', '["agents"]', 'SELECT 1', database => 'shop'), $shut, 'nobody else does by that grant');
$node->safe_psql('postgres', "SELECT hoopguard.revoke($grant)");
like(as('bot-7', '["agents"]', $look, %bot, database => 'shop'), $shut, 'and not when it is taken back');
like(pooled(), $shut, 'by login() neither');

# Policy from another database: it is the token's subject who changes it, with the role that the token gives.
$node->safe_psql('postgres', q{CREATE ROLE keeper IN ROLE hoopguard_admin; GRANT keeper TO agent;
    SELECT hoopguard.map_group('corp', 'keepers', 'keeper'); SELECT hoopguard.map_group('corp', 'guests', 'keeper', 'temporary')});
for my $who ([ 'carla', 'keepers' ], [ 'gustav', 'guests' ]) {
    my ($subject, $group) = @$who;
    is(as($subject, "[\"$group\"]", "SELECT hoopguard.guard('of $subject', 'warn', '{ddl}', roles => '{analyst}')", database => 'shop'), '', "$subject writes policy from another database");
    is($node->safe_psql('postgres', "SELECT by FROM hoopguard.policy_history WHERE object = 'guardrail of $subject'"), $subject, 'and is on record for it');
    is($node->safe_psql('postgres', "SELECT DISTINCT provider || ' ' || actor FROM hoopguard.session JOIN hoopguard.statement USING (session_id, actor) WHERE statement.application_name LIKE 'hoopguard for session %' AND actor = '$subject'"),
        "corp $subject", 'where it was done, too');
}
like(as('eve', '["staff"]', "SELECT hoopguard.guard('of eve', 'warn', '{ddl}')", database => 'shop'), qr/permission denied for function guard/, 'others who log in as the same role cannot');
$node->stop;
done_testing();
