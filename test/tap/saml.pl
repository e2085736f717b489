# SAML: responses that `samlify` signs log psql in and speak for sessions, once each; whatever else is made of them does not.
use strict;
use warnings;
use MIME::Base64 qw(decode_base64 encode_base64);
use NodeClients;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use TokenProvider;

plan skip_all => 'libpam-wrapper is not installed' unless $TokenProvider::wrapper;
my $directory = PostgreSQL::Test::Utils::tempdir_short();
my $clients = NodeClients->new($directory);
plan skip_all => $clients->{skipped} if $clients->{skipped};
for my $name ('idp', 'evil') {
    system_or_bail('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', "/CN=$name", '-days', '2',
        '-keyout', "$directory/$name.key", '-out', "$directory/$name.crt");
}

# What the provider signs, one for each text of JSON.
sub responses {
    my ($name, @wanted) = @_;
    my @signed = split /\n/, $clients->run('node', 'saml_provider.js', "$directory/$name.key", "$directory/$name.crt", @wanted);
    @signed == @wanted or die "@signed";
    return wantarray ? @signed : $signed[0];
}

my $node = PostgreSQL::Test::Cluster->new('saml');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nlog_statement = all\nlog_connections = on\n");
ok(TokenProvider::prepare($node, $directory), 'the PAM module is installed');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all postgres,pooler,backend trust\nhostssl all agent 127.0.0.1/32 pam pamservice=hoopguard\nhostssl all all all scram-sha-256\n");
$node->start;
my $certificate = slurp_file("$directory/idp.crt");
$node->safe_psql('postgres', qq{
    CREATE EXTENSION hoopguard;
    CREATE ROLE agent LOGIN NOINHERIT; CREATE ROLE analyst; GRANT analyst TO agent;
    CREATE ROLE pooler LOGIN; CREATE ROLE backend LOGIN; GRANT analyst TO pooler, backend;
    INSERT INTO hoopguard.actor (name, kind, pooled) VALUES ('pooler', 'service', true), ('backend', 'service', false);
    CREATE TABLE sale (amount int); INSERT INTO sale VALUES (20), (22); GRANT SELECT ON sale TO analyst;
    SELECT hoopguard.set_provider('corp', 'saml', 'https://idp.example', '{urn:database,https://db.example/acs}',
        jwks => hoopguard.certificate_keys('$certificate'));
    SELECT hoopguard.map_group('corp', 'analysts', 'analyst');});
is($node->safe_psql('postgres', "SELECT status, detail FROM hoopguard.doctor() WHERE check_name = 'identity_saml'"),
    'ok|SAML responses can be verified', 'doctor() tries the program that verifies');

my $tls = "host=127.0.0.1 port=${\ $node->port} sslmode=require dbname=postgres";
# What psql says as `agent` with that password.
sub as_agent {
    my ($password, $sql, $user) = @_;
    my ($out, $err) = ('', '');
    local $ENV{PGPASSWORD} = $password;
    delete local $ENV{LD_PRELOAD};
    IPC::Run::run(['psql', '-XqAt', "$tls user=" . ($user // 'agent'), '-c', $sql], '<', \undef, '>', \$out, '2>', \$err);
    chomp $out;
    return "$out$err";
}
sub by_socket {
    my ($user, @sql) = @_;
    my ($out, $err) = ('', '');
    delete local $ENV{LD_PRELOAD};
    IPC::Run::run(['psql', '-XqAt', '-h', $node->host, '-p', $node->port, '-U', $user, '-d', 'postgres', map { ('-c', $_) } @sql],
        '<', \undef, '>', \$out, '2>', \$err);
    chomp $out;
    return "$out$err";
}

# Who gets in, and as whom.
my $who = 'SELECT actor, effective_role, provider, groups, expires_at - now() BETWEEN \'4 min\' AND \'5 min\', (SELECT sum(amount) FROM sale) FROM hoopguard.whoami()';
my ($good, $spare) = responses('idp', '{"id": "_first"}', '{"groups": ["leads", "analysts"], "sign": "both"}');
is(as_agent($good, $who), 'dana|analyst|corp|{analysts}|t|42', 'an unchanged psql logs in with a SAML response as password');
is(as_agent($spare, $who), 'dana|analyst|corp|{leads,analysts}|t|42', 'also when the response is signed besides');
my $large = responses('idp', '{"groups": [' . join(', ', map { "\"team-$_-of-many\"" } 1000 .. 1500) . ', "analysts"]}');
cmp_ok(length $large, '>', 40000, 'a response may be large');
is(as_agent($large, "SELECT actor, cardinality(groups), hoopguard.claim('jti') ~ '^_' FROM hoopguard.whoami()"), 'dana|502|t', 'and comes through as a password all the same');
is($node->safe_psql('postgres', "SELECT DISTINCT w.actor, w.provider, w.auth_method, w.authenticated_id, w.groups, s.actor, s.effective_role
    FROM hoopguard.session w JOIN hoopguard.statement s USING (session_id) WHERE s.statement LIKE 'SELECT actor, eff%' AND 'leads' <> ALL (w.groups)"),
    'dana|corp|pam|dana|{analysts}|dana|analyst', 'session and statement are on record by subject');

# Once.
my $refused = qr/^psql: error: .*PAM authentication failed for user "agent"\n$/;
like(as_agent($good, $who), $refused, 'a replay is refused');
my ($kept) = responses('idp', '{"id": "_kept"}');
like(as_agent($kept, $who), qr/^dana/, 'another assertion is not');
$node->restart;
like(as_agent($kept, $who), $refused, 'a replay is refused after a restart');
$node->stop('immediate');
$node->start;
like(as_agent($good, $who), $refused, 'and after a crash');
is($node->safe_psql('postgres', "SELECT DISTINCT state, error FROM hoopguard.session WHERE error LIKE '%used before%'"),
    'failed|PAM authentication failed for user "agent": the assertion was used before', 'the journal says why');

# login() and issue_credential().
my ($for_transaction, $for_session, $for_pooler, $for_credential) = responses('idp', ('{}') x 4);
is(by_socket('backend', "SELECT hoopguard.login('$for_session')", 'SELECT current_user, hoopguard.claim(\'name_id_format\')', 'DISCARD ALL', 'SELECT current_user'),
    "dana\nanalyst|urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\nbackend", 'a session speaks by a response until DISCARD ALL');
is(by_socket('pooler', 'BEGIN', "SELECT hoopguard.login('$for_pooler')", 'SELECT current_user', 'COMMIT'), "dana\nanalyst", 'a pooled one for a transaction');
like(by_socket('pooler', 'BEGIN', "SELECT hoopguard.login('$for_pooler')"), qr/^ERROR:  the token is not accepted\nHINT:  The journal says why.\n/, 'and by each once');
my ($name, $password) = split /\|/, by_socket('backend', "SELECT username, password FROM hoopguard.issue_credential('$for_credential')");
is(as_agent($password, $who, $name) =~ s/\|[tf]\|/|/r, 'dana|analyst|corp|{analysts}|42', 'a response is traded for a credential, which logs in more than once')
    for 1 .. 2;

# Forged, foreign and stale ones. The client learns nothing, the journal all.
my ($victim, $assertion_of_signed, $message_only) = responses('idp', '{"id": "_victim"}', '{"id": "_w"}', '{"id": "_m", "sign": "response"}');
my $text = decode_base64($victim);
sub changed { my ($from, $to, $of) = @_; my $copy = $of // $text; $copy =~ s/$from/$to/ or die "nothing to change: $from"; return encode_base64($copy, ''); }
my ($original) = $text =~ m{(<saml:Assertion.*</saml:Assertion>)}s;
my ($signature) = $text =~ m{(<ds:Signature .*</ds:Signature>)}s;
(my $bare = $original) =~ s/\Q$signature\E//;
(my $evil = $bare) =~ s/_victim/_evil/;
$evil =~ s/>dana</>admin</;
(my $open = $signature) =~ s{</ds:Signature>}{};
my ($head, $tail) = $text =~ m{^(.*?)<saml:Assertion.*</saml:Assertion>(.*)$}s;
my $wrap = sub { return encode_base64("$head$_[0]$tail", ''); };
my $with = sub { my ($inside) = @_; (my $copy = $evil) =~ s{(</saml:Issuer>)}{$1$inside}; return $copy; };
my $ending = sub { my ($inside) = @_; (my $copy = $evil) =~ s{</saml:Assertion>}{$inside</saml:Assertion>}; return $copy; };
my $message = decode_base64($message_only);
my ($message_signature) = $message =~ m{(<ds:Signature .*</ds:Signature>)}s;
(my $message_bare = $message) =~ s/\Q$message_signature\E//;
(my $message_open = $message_signature) =~ s{</ds:Signature>}{};
my $one = 'the response must hold exactly one assertion';
my %bad = (
    'wrapping 1' => [$wrap->("$message_open<ds:Object>$message_bare</ds:Object></ds:Signature>$evil"), $one],
    'wrapping 2' => [$wrap->("$message_bare$message_signature$evil"), $one],
    'wrapping 3' => [$wrap->("$evil$original"), $one],
    'wrapping 4' => [$wrap->($ending->($original)), $one],
    'wrapping 5' => [$wrap->($with->($signature) . $bare), $one],
    'wrapping 6' => [$wrap->($with->("$open$bare</ds:Signature>")), $one],
    'wrapping 7' => [$wrap->("<samlp:Extensions>$evil</samlp:Extensions>$original"), $one],
    'wrapping 8' => [$wrap->($with->("$open<ds:Object>$bare</ds:Object></ds:Signature>")), $one],
    'the signature moved to another' => [$wrap->($with->($signature)), 'the signature is not over its assertion'],
    'an ID twice' => [changed(qr/<samlp:Status>/, '<samlp:Status ID="_victim">'), 'an ID stands twice'],
    'a changed name' => [changed(qr/>dana</, '>admin<'), 'the signature is wrong'],
    'a changed group' => [changed(qr/>analysts</, '>leads<'), 'the signature is wrong'],
    'unsigned' => [$wrap->($bare), 'the assertion is not signed'],
    'a signed response alone' => [$message_only, 'the response is signed, its assertion is not'],
    'DOCTYPE' => [encode_base64("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>$text", ''), 'DOCTYPE'],
    'encrypted' => [$wrap->('<saml:EncryptedAssertion/>'), 'is encrypted'],
    'another key, brought along' => [scalar responses('evil', '{}'), 'a key that is not the provider'],
    'SHA-1' => [scalar responses('idp', '{"algorithm": "http://www.w3.org/2000/09/xmldsig#rsa-sha1"}'), 'rsa-sha1'],
    'another audience' => [scalar responses('idp', '{"audience": "urn:other"}'), 'another audience'],
    'another recipient' => [scalar responses('idp', '{"recipient": "https://evil.example"}'), 'another recipient'],
    'another issuer' => [scalar responses('idp', '{"issuer": "https://evil.example"}'), 'no enabled SAML provider has issuer'],
    'expired' => [scalar responses('idp', '{"notOnOrAfter": -100}'), 'the assertion has expired'],
    'not yet valid' => [scalar responses('idp', '{"notBefore": 200}'), 'the assertion is not valid yet'],
    'no role' => [scalar responses('idp', '{"groups": ["visitors"]}'), 'no row of hoopguard.role_map'],
    'much too long' => [encode_base64($text . ' ' x 40000, ''), 'more than 49152 bytes'],
    'no XML' => [encode_base64('<' . 'x' x 500, ''), 'not well-formed'],
);
my $begin = $node->safe_psql('postgres', 'SELECT now()');
for my $kind (sort keys %bad) {
    my ($response, $reason) = @{ $bad{$kind} };
    my $before = time;
    like(as_agent($response, $who), $refused, "refused, and the client is not told why: $kind");
    cmp_ok(time - $before, '<', 10, "in bounded time: $kind");
    is($node->safe_psql('postgres', "SELECT DISTINCT state FROM hoopguard.session WHERE started_at > '$begin' AND strpos(error, '$reason') > 0"),
        'failed', "the journal says why: $kind");
}
is(as_agent(changed(qr/>dana</, '>da<!-- x -->na<'), 'SELECT actor FROM hoopguard.whoami()'), 'dana', 'a comment cuts no name short');

# Nowhere a response, and nothing that was left of verifying one.
for my $response ($for_session, $for_pooler, $for_credential, $good) {
    my $piece = substr $response, 2000, 60;
    my $decoded = substr decode_base64($response), 1500, 60;
    is(`grep -rlFe '$piece' -e '$decoded' '${\ $node->data_dir}' '${\ $node->logfile}'`, '', 'no response in any file of the server');
}
is(scalar(grep { /^postgres.*hoopguard-saml/ } `ps -eo user,comm`), 0, 'no process is left');

# The program is missing, hangs, or talks nonsense: a server with binaries of its own, and libraries beside them.
my ($bin) = $ENV{PATH} =~ /^([^:]+)/;
(my $stage = $bin) =~ s{/usr/lib/postgresql/.*}{};
my $own = "$directory/own";
my $libraries = "$own/" . ($bin =~ s{^\Q$stage\E/}{}r) . '/../lib';
(my $own_bin = $libraries) =~ s{\.\./lib$}{};
system_or_bail('mkdir', '-p', $own_bin);
system_or_bail('mkdir', '-p', "$own_bin/../lib");
system_or_bail('cp', map({ "$bin/$_" } 'postgres', 'pg_ctl'), $own_bin);
symlink $_, "$own_bin/../lib/" . (split m{/}, $_)[-1] for grep { !/hoopguard-saml$/ } glob("$bin/../lib/*");
mkdir "$own/usr/share";
symlink "$stage/usr/share/postgresql", "$own/usr/share/postgresql";
$node->stop;
local $ENV{PATH} = "$own_bin:$ENV{PATH}";
$node->start;
my $program = "$own_bin/../lib/hoopguard-saml";
sub write_program { my ($script) = @_; open my $file, '>', $program or die; print $file "#!/bin/sh\n$script\n"; close $file; chmod 0755, $program; }
my %ways = (
    'is missing' => [undef, 'cannot be started'],
    'hangs' => ['exec sleep 60', 'took too long'],
    'dies' => ['kill -9 $$', 'ended with signal 9'],
    'fails' => ['exit 3', 'ended with status 3'],
    'talks nonsense' => ['echo yes', 'does not answer'],
    'does not stop talking' => ['exec yes', 'says too much'],
);
for my $way (sort keys %ways) {
    my ($script, $reason) = @{ $ways{$way} };
    unlink $program;
    write_program($script) if defined $script;
    my $before = time;
    like(as_agent(scalar responses('idp', '{}'), $who), $refused, "closed: the program $way");
    cmp_ok(time - $before, '<', 15, "in bounded time: the program $way");
    is($node->safe_psql('postgres', "SELECT DISTINCT state FROM hoopguard.session WHERE strpos(error, '$reason') > 0"), 'failed', "the journal says so: $way");
}
unlink $program;
like($node->safe_psql('postgres', "SELECT status, detail, remedy FROM hoopguard.doctor() WHERE check_name = 'identity_saml'"),
    qr/^fail\|SAML responses cannot be verified: .*cannot be started: No such file or directory\|Install/, 'doctor() says how to mend it');
is($node->safe_psql('postgres', 'SELECT count(*) FROM sale'), 2, 'all else works without it');
$node->stop;
done_testing();
