# PostgreSQL 18's own way for tokens (OAUTHBEARER): psql gets one by the device flow, the server asks hoopguard about it, and
# the session is the token's subject, in the role of its group.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use TokenProvider;

my ($major) = `pg_config --version` =~ /(\d+)/;
plan skip_all => 'PostgreSQL 18 brought OAuth' if $major < 18;
plan skip_all => 'psql has no OAuth (Debian: libpq-oauth)' unless glob('/usr/lib/*/libpq-oauth*');
my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $child = fork() // die $!;
exec('python3', "$ENV{HOOPGUARD_TOP}/test/clients/issuer.py", $directory) or POSIX::_exit(1) unless $child;
for (1 .. 100) { last if -s "$directory/address"; sleep 0.1 }
chomp(my $address = slurp_file("$directory/address"));

my $provider = TokenProvider->new($directory, 'k1');
my $stranger = TokenProvider->new($directory, 'k2');
$_->{issuer} = $address for $provider, $stranger;
my $node = PostgreSQL::Test::Cluster->new('oauth');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\noauth_validator_libraries = 'hoopguard'\n");
TokenProvider::prepare($node, $directory);
delete $ENV{LD_PRELOAD};
$node->start;
$node->safe_psql('postgres', qq{
    CREATE EXTENSION hoopguard;
    CREATE ROLE agent LOGIN; CREATE ROLE analyst; GRANT analyst TO agent; CREATE ROLE other LOGIN;
    CREATE TABLE customer (email text); INSERT INTO customer VALUES ('jane\@example.com'); GRANT SELECT ON customer TO analyst;
    SELECT hoopguard.set_provider('corp', 'oidc', '$address', '{postgres}', jwks => '${\ $provider->jwks}');
    SELECT hoopguard.map_group('corp', 'analysts', 'analyst');
    SELECT hoopguard.classify_column('customer', 'email', 'email'), hoopguard.set_mask('email', 'redact', ARRAY['group:analysts']);
    INSERT INTO hoopguard.actor (provider, name, kind) VALUES ('corp', 'bot-7', 'agent');});
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all all trust\n"
	  . "hostssl all all 127.0.0.1/32 oauth issuer=\"$address\" scope=\"sql\" delegate_ident_mapping=1\n");
$node->reload;

sub as_token
{
	my ($token, $user, $sql) = @_;
	open my $file, '>', "$directory/token" or die $!;
	print $file $token;
	close $file;
	# The issuer has no certificate.
	local $ENV{PGOAUTHDEBUG} = 'UNSAFE';
	my ($out, $err);
	IPC::Run::run([ 'psql', '-XqAt', "host=127.0.0.1 port=${\ $node->port} user=$user dbname=postgres sslmode=require "
			  . "oauth_issuer=$address oauth_client_id=psql", '-c', $sql ], '<', \undef, '>', \$out, '2>', \$err);
	chomp $out;
	return ($out, $err);
}

my $who = 'SELECT actor, actor_kind, login_role, effective_role, provider, current_user FROM hoopguard.whoami()';
my ($out, $err) = as_token($provider->token, 'agent', $who);
is($out, 'bot-7|agent|agent|analyst|corp|analyst', 'a token got by psql gives its subject the role of its group') or diag($err);
like($err, qr/WDJB-MJHT/, 'after somebody was asked to agree');
is((as_token($provider->token, 'agent', 'TABLE customer'))[0], '***', 'and sees its masks');
is($node->safe_psql('postgres', "SELECT DISTINCT actor, provider, auth_method, authenticated_id FROM hoopguard.session WHERE login_role = 'agent' AND state <> 'failed'"),
	'bot-7|corp|oauth|bot-7', 'the login is on record');
is($node->safe_psql('postgres', "SELECT DISTINCT actor FROM hoopguard.statement WHERE statement = 'TABLE customer' AND login_role = 'agent'"),
	'bot-7', 'and so are its statements');
is((as_token($provider->token, 'other', 'SELECT session_user, current_user'))[0], 'other|analyst', 'whatever role it logs in as, it works as its group\'s');
for my $case (
	[ 'of a foreign key', $stranger->token, 'agent' ],
	[ 'that is over', $provider->token(exp => time - 120), 'agent' ],
	[ 'for somebody else', $provider->token(aud => '"else"'), 'agent' ],
	[ 'of no group', $provider->token(groups => undef), 'agent' ],
	[ 'for a superuser', $provider->token, 'postgres' ])
{
	my ($name, $token, $user) = @$case;
	($out, $err) = as_token($token, $user, 'SELECT session_user, current_user');
	is($out, '', "a token $name does not get in");
	like($err, qr/FATAL/, 'by the server\'s word');
}
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.session WHERE state = 'failed'"), '>=', 5, 'refusals are on record');
kill 'TERM', $child;
waitpid $child, 0;
$node->stop;
done_testing();
