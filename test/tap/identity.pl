# Tokens as passwords: who gets in as whom, what is on record, what is refused, and when it is over.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TokenProvider;

plan skip_all => 'libpam-wrapper is not installed' unless $TokenProvider::wrapper;
my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $provider = TokenProvider->new($directory, 'k1');
my $stranger = TokenProvider->new($directory, 'k2');
my $node = PostgreSQL::Test::Cluster->new('identity');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nlog_statement = all\nlog_connections = on\n");
my $module = TokenProvider::prepare($node, $directory);
ok($module, 'the PAM module is installed');
$node->start;

$node->safe_psql('postgres', qq{
    CREATE EXTENSION hoopguard;
    CREATE ROLE agent LOGIN; CREATE ROLE analyst; CREATE ROLE boss; CREATE ROLE reader; GRANT reader TO analyst;
    GRANT analyst TO agent; GRANT boss TO agent;
    CREATE ROLE pooler LOGIN; GRANT analyst TO pooler; CREATE ROLE dana LOGIN; GRANT analyst TO dana;
    INSERT INTO hoopguard.actor (name, kind, pooled) VALUES ('pooler', 'service', true), ('dana', 'human', false);
    CREATE TABLE mine (owner text); INSERT INTO mine VALUES ('bot-7'), ('other'); GRANT SELECT ON mine TO analyst;
    ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON mine USING (owner = hoopguard.current_actor());
    SELECT hoopguard.set_provider('corp', 'oidc', 'https://id.example', '{postgres}', jwks => '${\ $provider->jwks}');
    SELECT hoopguard.map_group('corp', 'analysts', 'analyst');
    SELECT hoopguard.map_claims('corp', '{"repository": "shop/*"}', 'boss', rank => 10);
    INSERT INTO hoopguard.actor (provider, name, kind, owner) VALUES ('corp', 'bot-7', 'agent', 'dana');});
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_db_role_setting WHERE setrole IN ('agent'::regrole, 'analyst'::regrole)
    AND 'session_preload_libraries=hoopguard' = ANY (setconfig)"), 2, 'a server without the library turns mapped roles away');
unlink $node->data_dir . '/pg_hba.conf';
my $hba = "local all postgres,pooler,dana trust\nhostssl all agent 127.0.0.1/32 pam pamservice=hoopguard\n";
$node->append_conf('pg_hba.conf', $hba);
$node->reload;

sub connection { my ($user, $mode) = @_; return "host=127.0.0.1 port=${\ $node->port} user=$user sslmode=" . ($mode // 'require') . " dbname=postgres"; }
# The result, or the error, of statements run as `user` with a token.
sub as_token {
    my ($token, $sql, %more) = @_;
    local $ENV{PGPASSWORD} = $token;
    local $ENV{PGOPTIONS} = $more{options} // '';
    my ($out, $err);
    delete local $ENV{LD_PRELOAD};
    IPC::Run::run(['psql', '-XqAt', connection($more{user} // 'agent', $more{mode}), map { ('-c', $_) } ref $sql ? @$sql : $sql],
        '<', \undef, '>', \$out, '2>', \$err);
    chomp $out;
    return $out ne '' || $err eq '' ? $out . ($err =~ /ERROR|FATAL/ ? "\n$err" : '') : $err;
}

# Masks by the provider's groups.
$node->safe_psql('postgres', "CREATE TABLE customer (email text); INSERT INTO customer VALUES ('jane\@example.com'); GRANT SELECT ON customer TO analyst, boss;
    SELECT hoopguard.classify_column('customer', 'email', 'email'), hoopguard.set_mask('email', 'redact', ARRAY['group:analysts'])");
is(as_token($provider->token(sub => '"carl"'), 'TABLE customer'), '***', 'a mask policy covers a group of the provider');
is(as_token($provider->token(sub => '"carl"', groups => undef, repository => '"shop/web"'), 'TABLE customer'), 'jane@example.com',
    'and nobody else, not even the same subject without the group');
is(as_token($provider->token(sub => '"carl"', groups => '["analysts", "leads"]'), 'TABLE customer'), '***', 'one group of several is enough');
$node->safe_psql('postgres', "SELECT hoopguard.set_mask('email', 'clear', ARRAY['group:leads'], 10)");
is(as_token($provider->token(sub => '"carl"', groups => '["analysts", "leads"]'), 'TABLE customer'), 'jane@example.com', 'a group may see what another may not');
is(as_token($provider->token(sub => '"carl"'), 'TABLE customer'), '***', 'who is only in the other may not');

# Who it is.
my $who = 'SELECT actor, actor_kind, login_role, effective_role, provider, groups, on_behalf_of FROM hoopguard.whoami()';
is(as_token($provider->token(act => '{"sub":"dana"}'), [$who, 'SELECT current_user, session_user']),
    "bot-7|agent|agent|analyst|corp|{analysts}|dana\nanalyst|agent", 'a token gives its subject the role of its group');
is(as_token($provider->token(sub => '"ci-1"', groups => undef, repository => '"shop/web"'), $who),
    'ci-1|human|agent|boss|corp|{}|', 'claims give a role too');
is(as_token($provider->token, ["SELECT hoopguard.claim('jti'), hoopguard.claim('groups'), hoopguard.claim('none')", 'TABLE mine']),
    "token-1|[\"analysts\"]|\nbot-7", 'claims and the actor serve row-level security');
is($node->safe_psql('postgres', "SELECT DISTINCT actor, actor_kind, login_role, effective_role, groups, on_behalf_of
    FROM hoopguard.statement WHERE statement LIKE '%current_user, session_user'"), 'bot-7|agent|agent|analyst|{analysts}|dana',
    'statements are recorded by subject');
is($node->safe_psql('postgres', "SELECT actor, provider, on_behalf_of, auth_method, authenticated_id FROM hoopguard.session
    WHERE on_behalf_of = 'dana'"), 'bot-7|corp|dana|pam|bot-7', 'so is the login');

# The role holds.
my $current = 'SELECT current_user';
for my $way ('RESET ROLE', 'RESET ALL', 'DISCARD ALL', 'SET SESSION AUTHORIZATION DEFAULT', 'RESET SESSION AUTHORIZATION') {
    is(as_token($provider->token, [$way, $current]), 'analyst', "the role holds against $way");
}
for my $way ('SET ROLE NONE', 'SET ROLE boss', 'SET ROLE agent', "SELECT set_config('role', 'boss', false)", "SET LOCAL ROLE boss") {
    like(as_token($provider->token, ["BEGIN", $way, 'ROLLBACK', $current]), qr/analyst\n.*permission denied to set role/s,
        "$way is refused");
}
is(as_token($provider->token, ['SET ROLE reader', $current, 'RESET ROLE', $current]), "reader\nanalyst",
    'what the role is a member of can be set');
is(as_token($provider->token, $current, options => '-c role=boss'), 'analyst', 'start-up options win nothing');
$node->safe_psql('postgres', 'ALTER ROLE agent SET role = boss');
is(as_token($provider->token, ['RESET ROLE', $current]), 'analyst', 'ALTER ROLE SET wins nothing');
$node->safe_psql('postgres', 'ALTER ROLE agent RESET role');

# Forged and foreign tokens; the client learns nothing, the journal all.
my $good = $provider->token;
my ($head, $body) = split /\./, $good;
my %bad = (
    'another key' => [$stranger->token, 'no key of the provider'],
    'another key under this name' => [do { local $stranger->{kid} = 'k1'; $stranger->token }, 'signature is wrong'],
    'no algorithm' => [TokenProvider::url64('{"alg":"none"}') . ".$body.", 'is not accepted'],
    'HMAC' => [TokenProvider::url64('{"alg":"HS256","kid":"k1"}') . ".$body.AAAA", 'is not accepted'],
    'another issuer' => [$provider->token(iss => '"https://evil.example"'), 'no enabled provider'],
    'another audience' => [$provider->token(aud => '"mysql"'), 'another audience'],
    'expired' => [$provider->token(exp => time - 100), 'has expired'],
    'not yet valid' => [$provider->token(nbf => time + 500), 'not valid yet'],
    'a claim twice' => [$provider->sign('{"alg":"RS256","kid":"k1"}', '{"iss":"https://id.example","sub":"a","sub":"b"}'), 'no enabled provider'],
    'no role' => [$provider->token(groups => '["visitors"]'), 'no row of hoopguard.role_map'],
    'much too long' => [$provider->token(x => '"' . ('x' x 20000) . '"'), 'at most 16384'],
    'a password' => ['geheim', 'three parts'],
);
for my $kind (sort keys %bad) {
    my ($token, $reason) = @{ $bad{$kind} };
    my $answer = as_token($token, 'SELECT 1');
    like($answer, qr/PAM authentication failed for user "agent"/, "refused: $kind");
    unlike($answer, qr/\Q$reason\E/, "the client is not told why: $kind");
    is($node->safe_psql('postgres', "SELECT state FROM hoopguard.session WHERE error LIKE '%$reason%' LIMIT 1"), 'failed',
        "the journal says why: $kind");
}
like(as_token($good, 'SELECT 1', mode => 'disable'), qr/no pg_hba.conf entry/, 'not in clear text');

# Lines that would let the role in without one.
for my $line ('trust', 'trust # earlier') {
    unlink $node->data_dir . '/pg_hba.conf';
    $node->append_conf('pg_hba.conf', $line =~ /earlier/ ? "hostssl all all 127.0.0.1/32 trust\n$hba" : "local all postgres trust\nhost all all 127.0.0.1/32 trust\n");
    $node->reload;
    like(as_token('', 'SELECT 1'), qr/FATAL.*role "agent" logs in with a token/, "closed: $line");
}
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', $hba);
$node->reload;
TokenProvider::write_service($directory, '/nowhere/pam_hoopguard.so');
like(as_token($good, 'SELECT 1'), qr/FATAL/, 'closed: the PAM module is missing');
unlink "$directory/pam.d/hoopguard";
like(as_token($good, 'SELECT 1'), qr/FATAL/, 'closed: the service file is missing');
TokenProvider::write_service($directory, $module);
like(as_token($good, $current), qr/^analyst$/, 'and open again');

# login(): in a transaction, in a session, and not at all.
sub by_socket {
    my ($user, @sql) = @_;
    my ($out, $err);
    delete local $ENV{LD_PRELOAD};
    IPC::Run::run(['psql', '-XqAt', '-h', $node->host, '-p', $node->port, '-U', $user, '-d', 'postgres', map { ('-c', $_) } @sql],
        '<', \undef, '>', \$out, '2>', \$err);
    chomp $out;
    return "$out$err";
}
my $login = "SELECT hoopguard.login('$good')";
is(by_socket('pooler', 'SELECT 1', 'BEGIN', $login, $current, 'TABLE mine', 'COMMIT', 'SHOW role'), "1\nbot-7\nanalyst\nbot-7\nnone",
    'a pooled role speaks by a token for one transaction');
like(by_socket('pooler', 'BEGIN', $login, 'COMMIT', 'TABLE mine'), qr/this session has not said who speaks/, 'and by none after it');
like(by_socket('pooler', $login), qr/a token holds for a transaction alone/, 'it takes no token for the session');
like(by_socket('pooler', 'SELECT pg_sleep(0)'), qr/has not said who speaks/, 'it may do nothing else');
is(by_socket('dana', $login, $current, 'DISCARD ALL', $current), "bot-7\nanalyst\ndana", 'another takes one until DISCARD ALL');
is(by_socket('dana', 'BEGIN', 'SAVEPOINT a', $login, 'ROLLBACK TO a', 'SELECT hoopguard.current_actor(), current_user', 'COMMIT'), "bot-7\ndana|dana",
    'a savepoint takes it back');
like(by_socket('dana', "SELECT hoopguard.login('${\ $stranger->token}')"), qr/the token is not accepted/, 'a bad one is refused');

# Nowhere a token.
my ($signature) = $good =~ /\.([^.]+)$/;
my @parts = split /\./, $good;
my $backwards = reverse $parts[1];  # so that the search does not find itself
is($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.statement WHERE strpos(statement || coalesce(parameters::text, ''), reverse('$backwards')) > 0"),
    0, 'no token in the journal');
unlike(slurp_file($node->logfile), qr/\Q$parts[1]\E/, 'no token in the server log');
like(slurp_file($node->logfile), qr/login\('\*\*\*'\)|statement hidden/, 'though statements are logged');

# When it is over: after what the provider allows, which a slow machine does not use up before the login.
$node->safe_psql('postgres', "UPDATE hoopguard.provider SET max_session = '4 seconds'");
my ($out, $err) = ('', '');
{
    local $ENV{PGPASSWORD} = $provider->token;
    delete local $ENV{LD_PRELOAD};
    IPC::Run::run(['psql', '-XqAt', connection('agent'), '-c', 'SELECT pg_sleep(120)', '-c', 'SELECT 42'], '<', \undef, '>', \$out, '2>', \$err);
}
ok($out !~ /42/ && $err =~ /terminating connection|has expired/, 'a long statement ends with the session');
my %ways = (idle => [], 'in a transaction' => ['BEGIN'], 'after an error' => ['SELECT 1/0'], 'in a failed transaction' => ['BEGIN', 'SELECT 1/0']);
for my $way (sort keys %ways) {
    local $ENV{PGPASSWORD} = $provider->token;
    delete local $ENV{LD_PRELOAD};
    ($out, $err) = ('', '');
    IPC::Run::run(['psql', '-XqAt', connection('agent'), (map { ('-c', $_) } @{ $ways{$way} }), '-c', '\! sleep 7', '-c', 'SELECT 42'],
        '<', \undef, '>', \$out, '2>', \$err);
    ok($out !~ /42/ && $err =~ /terminating connection|closed the connection|has expired/, "a session ends: $way");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE usename = 'agent'"), 0, 'none is left');

# A server that was started without the library.
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$node->restart;
like(as_token($good, 'SELECT 1'), qr/FATAL/, 'closed: the library is missing');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\n");
$node->reload;
like(by_socket('agent', 'SELECT 1'), qr/FATAL.*must be loaded when the server starts/s, 'closed: the library is missing and a line trusts');
$node->stop;
done_testing();
