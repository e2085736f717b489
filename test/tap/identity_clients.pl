# Unchanged clients with tokens of a certified provider (oidc-provider), whose keys the key fetcher gets over https.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use TokenProvider;

plan skip_all => 'libpam-wrapper is not installed' unless $TokenProvider::wrapper;
my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $sources = "$ENV{HOOPGUARD_TOP}/test/clients";
system("cp $sources/*.json $sources/*.mjs $sources/*.py $sources/*.java $directory/ && cd $directory && HOME=$directory npm ci --silent --ignore-scripts --no-audit --no-fund >npm.out 2>&1") == 0
    or plan skip_all => 'npm cannot install oidc-provider: ' . (slurp_file("$directory/npm.out") =~ s/\n/ /gr);

my $node = PostgreSQL::Test::Cluster->new('clients');
$node->init;
my $port = PostgreSQL::Test::Cluster::get_free_port();
TokenProvider::prepare($node, $directory);
my $certificate = $node->data_dir . '/server.crt';
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.provider_ca_file = '$certificate'\n");
$node->start;
my @wrapper = qw(LD_PRELOAD PAM_WRAPPER PAM_WRAPPER_SERVICE_DIR);
delete @ENV{@wrapper};

$ENV{NODE_EXTRA_CA_CERTS} = $certificate;
my ($in, $out, $err) = ('', '', '');
my $provider = IPC::Run::start(['node', "$directory/provider.mjs", $port, $node->data_dir . '/server.key', $certificate],
    '<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout(180));
$provider->pump until $out =~ /\n/;
my ($token) = $out =~ /^(\S+)\n/;
like($token, qr/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/, 'the provider issues a token for client credentials');

$node->safe_psql('postgres', qq{CREATE EXTENSION hoopguard; CREATE ROLE analyst; CREATE ROLE agent LOGIN NOINHERIT IN ROLE analyst;
    SELECT hoopguard.set_provider('corp', 'oidc', 'https://localhost:$port', '{postgres}', jwks_uri => 'https://localhost:$port/jwks');
    SELECT hoopguard.map_group('corp', 'analysts', 'analyst');});
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all postgres trust\nhostssl all agent 127.0.0.1/32 pam pamservice=hoopguard\n");
$node->reload;
$node->poll_query_until('postgres', "SELECT status = 'ok' FROM hoopguard.doctor() WHERE check_name = 'identity_keys'")
    or die 'the keys were not fetched';

sub output { my ($result, $error) = ('', ''); IPC::Run::run([@_], '<', \undef, '>', \$result, '2>', \$error); chomp $result; return $result ne '' ? $result : $error; }
my @arguments = ($node->port, $token, $certificate);
{
    local $ENV{PGPASSWORD} = $token;
    is(output('psql', '-XqAt', "host=localhost port=$arguments[0] user=agent dbname=postgres sslmode=verify-full sslrootcert=$certificate",
            '-c', 'SELECT actor, effective_role FROM hoopguard.whoami()'), 'agent-7|analyst', 'psql');
}
is(output('/usr/bin/python3', "$directory/login.py", @arguments), 'agent-7|analyst', 'psycopg2');
is(output('node', "$directory/login.mjs", @arguments), 'agent-7|analyst', 'node-postgres');
SKIP: {
    my ($jar) = glob('/usr/share/java/postgresql.jar');
    skip 'no pgjdbc, or no Java compiler', 1 unless $jar && `java --list-modules 2>/dev/null` =~ /jdk\.compiler/;
    is(output('java', '-cp', $jar, "$directory/Login.java", @arguments), 'agent-7|analyst', 'pgjdbc');
}
is($node->safe_psql('postgres', "SELECT count(DISTINCT session_id), min(provider) FROM hoopguard.session WHERE actor = 'agent-7'") =~ s/^[34]\|//r,
    'corp', 'they are on record by subject');
$provider->kill_kill;
$node->stop;
done_testing();
