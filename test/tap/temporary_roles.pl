# Roles of a session's own: made, used, and gone with the session, however it ends; what they own goes to the mapped
# role. Waits end by themselves only after minutes: what stays fails the test.
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
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nrestart_after_crash = on\n");
ok(TokenProvider::prepare($node, $directory), 'the PAM module is installed');
my $hba = "local all postgres,pooler,bob trust\nlocal replication all trust\nhostssl all agent 127.0.0.1/32 pam pamservice=hoopguard\n"
    . "hostssl all +analyst 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 trust\n";
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', $hba);
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql($_, 'GRANT CREATE ON SCHEMA public TO PUBLIC') for 'postgres', 'shop';
$node->safe_psql('postgres', qq{
    CREATE EXTENSION hoopguard;
    CREATE ROLE agent LOGIN NOINHERIT; CREATE ROLE analyst; CREATE ROLE reader; CREATE ROLE boss;
    GRANT analyst TO agent; GRANT boss TO agent;
    CREATE ROLE pooler LOGIN; GRANT analyst TO pooler; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver;
    INSERT INTO hoopguard.actor (name, kind, pooled) VALUES ('pooler', 'service', true);
    CREATE TABLE secret (id int); INSERT INTO secret VALUES (17); GRANT SELECT ON secret TO reader;
    CREATE TABLE shared (id int); GRANT SELECT ON shared TO analyst;
    SELECT hoopguard.set_provider('corp', 'oidc', 'https://id.example', '{postgres}', jwks => '${\ $provider->jwks}');
    SELECT hoopguard.map_group('corp', 'analysts', 'analyst', session_role => 'temporary');
    SELECT hoopguard.map_group('corp', 'bosses', 'boss');});

sub connection { my ($user, %more) = @_; return "host=127.0.0.1 port=${\ ($more{node} // $node)->port} user=$user sslmode=require dbname=" . ($more{database} // 'postgres'); }
# What statements give, or the errors of them, run by a client with a password.
sub as_client {
    my ($user, $password, $sql, %more) = @_;
    local $ENV{PGPASSWORD} = $password;
    delete local $ENV{LD_PRELOAD};
    my ($out, $err);
    IPC::Run::run(['psql', '-XqAt', connection($user, %more), map { ('-c', $_) } ref $sql ? @$sql : $sql], '<', \undef, '>', \$out, '2>', \$err);
    chomp $out;
    return $err =~ /ERROR|FATAL/ ? "$out$err" : $out;
}
sub as_token { my ($token, $sql, %more) = @_; return as_client('agent', $token, $sql, %more); }
# A session that stays open.
sub open_session {
    my (%more) = @_;
    local $ENV{PGPASSWORD} = $provider->token(%{ $more{claims} // {} });
    delete local $ENV{LD_PRELOAD};
    my $self = {in => '', out => '', err => '', said => 0};
    $self->{run} = IPC::Run::start(['psql', '-XqAt', connection('agent', %more)], '<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
        IPC::Run::timeout(300));
    return $self;
}
sub ask {
    my ($self, $sql) = @_;
    my $mark = 'said-' . ++$self->{said};
    $self->{out} = $self->{err} = '';
    $self->{in} .= "$sql;\n\\echo $mark\n";
    $self->{run}->pump until $self->{out} =~ /^\Q$mark\E$/m || !$self->{run}->pumpable;
    $self->{out} =~ s/\n?\Q$mark\E\n//;
    return $self->{out} . ($self->{err} =~ /(ERROR|FATAL).*/s ? $& : '');
}
sub finish { my ($self) = @_; $self->{in} .= "\\q\n"; eval { $self->{run}->finish }; }
sub none_left {
    my ($name, $where) = @_;
    $where //= $node;
    ok($where->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname LIKE 'hg\\_%') AND NOT EXISTS (SELECT FROM hoopguard.temporary_role)"),
        "$name: none is left");
}
sub owner { my ($table, $database, $where) = @_; return ($where // $node)->safe_psql($database, "SELECT relowner::regrole FROM pg_class WHERE relname = '$table'"); }

# Made and used.
my $one = open_session();
my $two = open_session();
my $name = ask($one, 'SELECT current_user');
like($name, qr/^hg_bot-7_[0-9a-f]{12}$/, 'a session has a role of its own');
isnt(ask($two, 'SELECT current_user'), $name, 'and another session of the same actor another one');
is(ask($one, "SELECT session_user, usename, effective_role, actor FROM pg_stat_activity, hoopguard.whoami() WHERE pid = pg_backend_pid()"),
    "agent|$name|$name|bot-7", 'pg_stat_activity shows it');
is(ask($one, 'SELECT count(*) FROM shared'), '0', 'it may do what the mapped role may');
is($node->safe_psql('postgres', "SELECT rolcanlogin, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = '$name'"), 'f|f|f', 'nobody can log in as it');
is(ask($one, "RESET ROLE; SELECT current_user"), $name, 'it holds against RESET ROLE');
like(ask($one, 'SET ROLE boss'), qr/permission denied to set role/, 'and gives nothing more');
is(ask($one, 'SET ROLE analyst; SELECT current_user; RESET ROLE'), 'analyst', 'the mapped role can be set');
is($node->safe_psql('postgres', "SELECT DISTINCT effective_role, actor FROM hoopguard.statement WHERE statement LIKE '%count(*) FROM shared'"),
    "$name|bot-7", 'statements are recorded by it');
like(as_token($provider->token(groups => '["bosses"]'), 'SELECT current_user'), qr/^boss$/, 'other maps make no role');

# A role for a time goes to the session's own.
like(ask($one, 'TABLE secret'), qr/permission denied/, 'not before it is granted');
my $request = ask($one, "SELECT hoopguard.request_access('reader', reason => 'a look')");
like($request, qr/^\d+$/, 'a session with a role of its own may ask for another');
my ($status, $out, $err) = $node->psql('postgres', "SELECT hoopguard.approve($request)", extra_params => [ '-U', 'bob', '-w' ]);
is($out, 'approved', 'it is approved');
is(ask($one, 'TABLE secret'), '17', 'and holds');
my $grant = $node->safe_psql('postgres', "SELECT id FROM hoopguard.jit_grant WHERE request = $request");
is(ask($one, 'SELECT grants FROM hoopguard.whoami()'), "{$grant}", 'whoami() names it');
like(ask($two, 'TABLE secret'), qr/permission denied/, 'for no other session');
like(as_token($provider->token(groups => '["bosses"]'), "SELECT hoopguard.request_access('reader')"), qr/others' too/, 'without one nobody gets a role for a time');

# What it owns is handed over, in every database.
ask($one, 'CREATE TABLE mine (id int); ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO analyst; CREATE TEMP TABLE passing (id int)');
$node->safe_psql('postgres', "GRANT SELECT ON secret TO \"$name\"; GRANT CREATE ON DATABASE shop TO \"$name\"");
is(owner('mine', 'postgres'), qq{"$name"}, 'what a session makes is its role\'s');
as_token($provider->token, 'CREATE TABLE elsewhere (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1$$', database => 'shop');
finish($_) for $one, $two;
none_left('sessions ended');
is(owner('mine', 'postgres'), 'analyst', 'what was made is the mapped role\'s');
is(owner('elsewhere', 'shop'), 'analyst', 'in other databases too');
is($node->safe_psql('shop', 'SELECT proowner::regrole FROM pg_proc WHERE proname = \'f\''), 'analyst', 'functions too');
is($node->safe_psql('postgres', "SELECT state FROM hoopguard.jit_grant WHERE id = $grant"), 'expired', 'the grant has ended with the role');

# Ended by others.
my $third = open_session();
my $pid = ask($third, 'CREATE TABLE third (id int); SELECT pg_backend_pid()');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
none_left('a backend that was terminated');
is(owner('third', 'postgres'), 'analyst', 'what it made is there');
my $fourth = open_session();
$pid = ask($fourth, 'CREATE TABLE fourth (id int); SELECT pg_backend_pid()');
kill 'KILL', $pid;
ok($node->poll_query_until('postgres', 'SELECT true'), 'the server is back');
none_left('a backend that was killed');
is(owner('fourth', 'postgres'), 'analyst', 'what it made is there');
my $fifth = open_session(database => 'shop');
ask($fifth, 'CREATE TABLE fifth (id int)');
$node->stop('immediate');
$node->start;
none_left('a server that crashed');
is(owner('fifth', 'shop'), 'analyst', 'what was made is there');
eval { $_->{run}->kill_kill } for $third, $fourth, $fifth;

# Whose mapped role is a superuser meanwhile: nothing is handed to him.
my $sixth = open_session();
$name = ask($sixth, 'CREATE TABLE sixth (id int); SELECT current_user');
$node->safe_psql('postgres', 'ALTER ROLE analyst SUPERUSER');
finish($sixth);
ok($node->poll_query_until('postgres', "SELECT problem LIKE '%superuser%' FROM hoopguard.temporary_role"), 'a superuser gets nothing');
is(owner('sixth', 'postgres'), qq{"$name"}, 'it stays as it is');
is($node->safe_psql('postgres', "SELECT status FROM hoopguard.doctor() WHERE check_name = 'identity_temporary'"), 'warn', 'doctor() tells');
$node->safe_psql('postgres', 'ALTER ROLE analyst NOSUPERUSER');
none_left('the role is none any more');

# Within a pooler's transaction: the same actor's, again and again.
sub by_socket {
    my ($user, @sql) = @_;
    my ($out, $err);
    delete local $ENV{LD_PRELOAD};
    IPC::Run::run(['psql', '-XqAt', '-h', $node->host, '-p', $node->port, '-U', $user, '-d', 'postgres', map { ('-c', $_) } @sql],
        '<', \undef, '>', \$out, '2>', \$err);
    chomp $out;
    return "$out$err";
}
my $token = $provider->token;
my @transaction = ('BEGIN', "SELECT hoopguard.login('$token')", 'SELECT current_user', 'COMMIT');
my @said = split /\n/, by_socket('pooler', @transaction, @transaction, 'SHOW role');
like($said[1], qr/^hg_bot-7_/, 'login() makes one');
is($said[3], $said[1], 'and takes it again for the same token');
is($said[4], 'none', 'for a transaction alone');
none_left('the pooler has left');

# A credential in place of the token.
my $trade = as_token($token, 'SELECT * FROM hoopguard.issue_credential(\'' . $token . '\')');
my ($username, $password, $until) = split /\|/, $trade;
like($trade, qr/^hg_bot-7_[0-9a-f]{12}\|[0-9a-f]{48}\|/, 'a token is traded for a name and a password');
is($node->safe_psql('postgres', "SELECT '$until'::timestamptz BETWEEN now() AND now() + interval '10 minutes'"), 't', 'no longer good than the token');
is(as_client($username, $password, 'SELECT actor, session_user, current_user, provider, groups FROM hoopguard.whoami()'),
    "bot-7|$username|$username|corp|{analysts}", 'it speaks as the token\'s subject');
like(as_client($username, 'wrong', 'SELECT 1'), qr/FATAL.*password authentication failed/, 'a wrong password is refused');
is(as_client($username, $password, ["CREATE TABLE by_credential (id int)", "SELECT hoopguard.claim('jti')"]), 'token-1', 'claims are there');
is($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.session WHERE actor = 'bot-7' AND login_role = '$username' AND state <> 'failed'"), 2, 'its logins are on record by subject');
my $backwards = reverse $password;  # so that the search does not find itself
is($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.statement WHERE strpos(to_jsonb(statement)::text || coalesce(statement, ''), reverse('$backwards')) > 0"), 0,
    'its password is nowhere in the journal');
unlike(slurp_file($node->logfile), qr/\Q$password\E/, 'nor in the server log');
like(by_socket('pooler', 'BEGIN', "SELECT username FROM hoopguard.issue_credential('$token')", 'COMMIT'), qr/^hg_bot-7_/, 'a pooler may trade too');
like(as_token($token, "SELECT * FROM hoopguard.issue_credential('x.y.z')"), qr/the token is not accepted/, 'a bad token is not traded');
# A line that trusts lets no credential in.
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all postgres trust\nhost all all 127.0.0.1/32 trust\n");
$node->reload;
like(as_client($username, '', 'SELECT 1'), qr/FATAL.*the credential is not accepted/, 'closed: a line that trusts');
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', $hba);
$node->reload;
# Locked, mapped elsewhere, no provider: the identity behind it counts as it stands now.
$node->safe_psql('postgres', "SELECT hoopguard.lock_actor('bot-7', 'left')");
like(as_client($username, $password, 'SELECT 1'), qr/FATAL.*locked/, 'closed: its actor is locked');
$node->safe_psql('postgres', "SELECT hoopguard.unlock_actor('bot-7')");
$node->safe_psql('postgres', "UPDATE hoopguard.provider SET enabled = false");
like(as_client($username, $password, 'SELECT 1'), qr/FATAL.*the credential is not accepted/, 'closed: its provider is disabled');
$node->safe_psql('postgres', "UPDATE hoopguard.provider SET enabled = true");
is(as_client($username, $password, 'SELECT 1'), '1', 'and open again');
# It ends.
$node->safe_psql('postgres', "ALTER SYSTEM SET hoopguard.credential_lifetime = '2s'");
$node->reload;
my ($short, $short_password) = split /\|/, as_token($token, "SELECT * FROM hoopguard.issue_credential('$token')");
ok($node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$short')"), 'it goes when its time is over');
like(as_client($short, $short_password, 'SELECT 1'), qr/FATAL/, 'and lets nobody in');
is(owner('by_credential', 'postgres'), qq{"$username"}, 'what a credential makes is its own');
$node->safe_psql('postgres', "UPDATE hoopguard.temporary_role SET valid_until = clock_timestamp()");
none_left('credentials are over');
is(owner('by_credential', 'postgres'), 'analyst', 'what it made is the mapped role\'s');
is(scalar(my @files = glob($node->data_dir . '/hoopguard/policy/credential-*')), 0, 'no file of it stays');

# On a standby, and after its promotion.
$node->backup('b');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'b', has_streaming => 1);
chmod 0600, $standby->data_dir . '/server.key';
$standby->start;
$node->wait_for_catchup($standby);
is(as_token($token, 'SELECT current_user', node => $standby), 'analyst', 'a standby, which can make none, gives the mapped role');
my $last = open_session(database => 'shop');
ask($last, 'CREATE TABLE last (id int)');
$node->wait_for_catchup($standby);
$node->stop('immediate');
$standby->promote;
none_left('promoted', $standby);
is(owner('last', 'shop', $standby), 'analyst', 'what was made is there');
eval { $last->{run}->kill_kill };
$standby->stop;
done_testing();
