# Real clients with tokens of a real provider: `oidc-provider` issues them by client credentials and to a device, and unchanged psql,
# psycopg, node's pg and pgjdbc log in with them over TLS; poolers' sessions speak by them one transaction at a time.
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP qw(decode_json);
use NodeClients;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TokenProvider;

plan skip_all => 'libpam-wrapper is not installed' unless $TokenProvider::wrapper;
my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $clients = NodeClients->new($directory);
plan skip_all => $clients->{skipped} if $clients->{skipped};
sub run_there { return $clients->run(@_); }

# The provider. Its keys are fetched over https, by a certificate of its own.
system_or_bail('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1',
    '-days', '2', '-keyout', "$directory/provider.key", '-out', "$directory/provider.crt");
my ($says, $complains) = ('', '');
my $hold = '';
my $running = IPC::Run::start(['node', "$clients->{directory}/provider.js", "$directory/provider.key", "$directory/provider.crt"], '<', \$hold, '>', \$says, '2>', \$complains, init => sub { delete $ENV{LD_PRELOAD} });
for (1 .. 300) { last if $says =~ /\n.*\n/; $running->pump_nb; select undef, undef, undef, 0.1; }
my ($issuer, $keys_at) = $says =~ /^(http\S+)\n(https\S+)\n/ or BAIL_OUT("the provider does not come up: $complains");
my $http = HTTP::Tiny->new(timeout => 20);
sub get_json { my $answer = $http->get($_[0]); die "$_[0]: $answer->{status} $answer->{content}" unless $answer->{success}; return $answer->{content}; }
my $about = decode_json(get_json("$issuer/.well-known/openid-configuration"));
sub token_of {
    my ($name) = @_;
    my $address = $about->{token_endpoint} =~ s{^http://}{http://$name:secret-of-$name\@}r;
    my $answer = $http->post_form($address, {grant_type => 'client_credentials'});
    return $answer->{success} ? decode_json($answer->{content})->{access_token} : die "no token: $answer->{status} $answer->{content}";
}
my %token = map { $_ => token_of($_) } qw(ci-bot visitor-bot);
$running->pump_nb;

# The server that takes them.
my $node = PostgreSQL::Test::Cluster->new('clients');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.provider_ca_file = '$directory/nobody.crt'\n");
ok(TokenProvider::prepare($node, $directory), 'the PAM module is installed');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all postgres,pooler,backend trust\nhostssl all agent 127.0.0.1/32 pam pamservice=hoopguard\n");
$node->start;
$node->safe_psql('postgres', qq{
    CREATE EXTENSION hoopguard;
    CREATE ROLE agent LOGIN NOINHERIT; CREATE ROLE analyst; GRANT analyst TO agent;
    CREATE ROLE pooler LOGIN; CREATE ROLE backend LOGIN; GRANT analyst TO pooler, backend;
    INSERT INTO hoopguard.actor (name, kind, pooled) VALUES ('pooler', 'service', true), ('backend', 'service', false);
    CREATE TABLE sale (amount int); INSERT INTO sale VALUES (20), (22); GRANT SELECT ON sale TO analyst;
    SELECT hoopguard.set_provider('idp', 'oidc', '$issuer', '{postgres}', jwks_uri => '$keys_at');
    SELECT hoopguard.map_group('idp', 'analysts', 'analyst');});

# The keys, once the provider's certificate is trusted.
my $state = "SELECT status FROM hoopguard.doctor() WHERE check_name = 'identity_keys'";
system_or_bail('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=nobody', '-days', '2',
    '-keyout', "$directory/nobody.key", '-out', "$directory/nobody.crt");
ok($node->wait_for_log(qr/cannot fetch the keys of provider "idp" from "https\S+": .*(certificate|CA)/), 'no keys are taken from whoever has no trusted certificate');
is($node->safe_psql('postgres', $state), 'fail', 'doctor() misses them');
$node->adjust_conf('postgresql.conf', 'hoopguard.provider_ca_file', "'$directory/provider.crt'");
$node->reload;
ok($node->poll_query_until('postgres', $state, 'ok'), 'the provider\'s keys are fetched');
like(slurp_file($node->logfile), qr/has fetched the keys of provider "idp"/, 'the log says so');

my $query = 'SELECT actor, effective_role, provider, groups, (SELECT sum(amount) FROM sale) FROM hoopguard.whoami()';
my $expected = 'ci-bot|analyst|idp|{analysts}|42';
my ($port, $certificate) = ($node->port, $node->data_dir . '/server.crt');
my $tls = "host=127.0.0.1 port=$port user=agent dbname=postgres sslmode=verify-full sslrootcert=$certificate";
my %ways = (
    'psql' => ['psql', '-XqAt', "$tls application_name=psql", '-c', $query],
    'psycopg2' => ['/usr/bin/python3', 'query.py', "$tls application_name=psycopg2", $query =~ s/groups/groups::text/r],
    'node-pg' => ['node', 'query.js', '127.0.0.1', $port, 'agent', 'postgres', $certificate, $query =~ s/groups/groups::text/r],
);
$ways{pgjdbc} = ['java', '-cp', '/usr/share/java/postgresql.jar', 'Query.java',
    "jdbc:postgresql://127.0.0.1:$port/postgres?sslmode=verify-full&sslrootcert=$certificate&ApplicationName=pgjdbc", 'agent', $query]
    if -e '/usr/share/java/postgresql.jar' && run_there('java', '--list-modules') =~ /^jdk\.compiler\b/m;
for my $way (sort keys %ways) {
    local $ENV{PGPASSWORD} = $token{'ci-bot'};
    is(run_there(@{ $ways{$way} }), $expected, "$way logs in with a token and works in the role that it gives");
    $ENV{PGPASSWORD} = $token{'visitor-bot'};
    like(run_there(@{ $ways{$way} }), qr/PAM authentication failed for user "agent"/, "$way: a token whose groups have no role is refused");
    is($node->safe_psql('postgres', "SELECT DISTINCT w.actor, w.provider, w.auth_method, w.tls IS NOT NULL, s.actor, s.effective_role
        FROM hoopguard.session w JOIN hoopguard.statement s USING (session_id) WHERE w.application_name = '$way' AND s.statement LIKE 'SELECT actor, eff%'"),
        'ci-bot|idp|pam|t|ci-bot|analyst', "$way: session and statement are on record by subject");
}

# A person, by the device flow: the device gets the token once its user has agreed in a browser.
{
    my $token = run_there('/usr/bin/python3', 'device.py', $issuer, 'dana');
    like($token, qr/^[\w-]+\.[\w-]+\.[\w-]+$/, 'a device gets a token for its user');
    for my $way (sort keys %ways) {
        local $ENV{PGPASSWORD} = $token;
        is(run_there(map { s/\b(application_name|ApplicationName)=/$1=device-/r } @{ $ways{$way} }), 'dana|analyst|idp|{analysts,leads}|42',
            "with which $way logs in as that person");
    }
    is($node->safe_psql('postgres', "SELECT DISTINCT actor, state FROM hoopguard.session WHERE application_name LIKE 'device-%'"), 'dana|ended', 'on record by subject');
}

# New keys: the first token of one may be refused, and has them fetched.
{
    $says = '';
    $hold = "new keys\n";
    for (1 .. 300) { last if $says =~ /keys 2/; $running->pump_nb; select undef, undef, undef, 0.1; }
    local $ENV{PGPASSWORD} = my $token = token_of('ci-bot');
    my $answer = '';
    for (1 .. 60) { last if ($answer = run_there(@{ $ways{psql} })) eq $expected; select undef, undef, undef, 0.5; }
    is($answer, $expected, 'a token of a new key is good soon, because its key is fetched');
    $ENV{PGPASSWORD} = $token{'ci-bot'};
    like(run_there(@{ $ways{psql} }), qr/PAM authentication failed/, 'and one of a key that the provider no longer has is not');
    $token{'ci-bot'} = $token;
    # They outlive a restart, also when nobody answers.
    $node->adjust_conf('postgresql.conf', 'hoopguard.provider_ca_file', "'$directory/nobody.crt'");
    $node->restart;
    $ENV{PGPASSWORD} = $token;
    is(run_there(@{ $ways{psql} }), $expected, 'fetched keys outlive a restart');
}

# pgbouncer: in transaction mode every transaction brings its token; in session mode a client brings one for its session,
# and DISCARD ALL has forgotten it when the next client gets the same connection.
my $pooler_port = PostgreSQL::Test::Cluster::get_free_port();
my $address = "host=${\ $node->host} port=$port dbname=postgres";
open my $ini, '>', "$directory/pgbouncer.ini" or die;
print $ini <<"INI";
[databases]
by_transaction = $address user=pooler pool_mode=transaction pool_size=1
by_session = $address user=backend pool_mode=session pool_size=1
[pgbouncer]
listen_port = $pooler_port
listen_addr =
unix_socket_dir = $directory
auth_type = any
server_reset_query = DISCARD ALL
logfile = $directory/pgbouncer.log
pidfile = $directory/pgbouncer.pid
INI
close $ini;
{
    delete local $ENV{LD_PRELOAD};
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    system_or_bail('pgbouncer', '-q', '-d', "$directory/pgbouncer.ini");
}
sub pooled { my ($database, @queries) = @_; return run_there('node', 'query.js', $directory, $pooler_port, 'any', $database, '', @queries); }
$ENV{TOKEN} = $token{'ci-bot'};
my $login = 'SELECT hoopguard.login($1)';
my $who = 'SELECT actor, effective_role FROM hoopguard.whoami()';
is(pooled('by_transaction', 'BEGIN', $login, $who, 'SELECT sum(amount) FROM sale', 'COMMIT'), "ci-bot\nci-bot|analyst\n42",
    'pgbouncer by transaction: a transaction speaks by its token');
like(pooled('by_transaction', 'SELECT sum(amount) FROM sale'), qr/28000.*has not said who speaks/, 'the next one has said nothing and may do nothing');
like(pooled('by_transaction', $login), qr/28000.*a token holds for a transaction alone/, 'none holds for longer');
is(pooled('by_session', $login, $who, 'SELECT sum(amount) FROM sale'), "ci-bot\nci-bot|analyst\n42", 'pgbouncer by session: a client speaks by its token until it goes');
is(pooled('by_session', $who), 'backend|backend', 'whoever gets the connection next does not');
is($node->safe_psql('postgres', "SELECT login_role, count(DISTINCT session_id), count(*) FROM hoopguard.statement
    WHERE actor = 'ci-bot' AND statement LIKE 'SELECT sum%' AND login_role <> 'agent' GROUP BY 1 ORDER BY 1"), "backend|1|1\npooler|1|1",
    'what ran through the pooler is on record by subject');
is($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.statement WHERE strpos(coalesce(statement, '') || coalesce(parameters::text, ''), '"
    . substr((split /\./, $token{'ci-bot'})[1], 5, 40) . "') > 0 AND actor <> 'postgres'"), 0, 'no token is in the journal');

system('kill', slurp_file("$directory/pgbouncer.pid") =~ s/\s+//gr);
$running->kill_kill(grace => 2);
$node->stop;
done_testing();
