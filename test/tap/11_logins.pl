# Logins, however they end, and sessions: who, from where, by what means, and why it was over.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProtocolClient;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nlog_min_messages = panic\n"
        . "log_connections = off\nrestart_after_crash = on\nmax_connections = 20\nwal_level = replica\nmax_wal_senders = 4\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION hoopguard; SET password_encryption = 'scram-sha-256';
    CREATE ROLE locked_out NOLOGIN; CREATE ROLE with_password LOGIN PASSWORD 'geheim';
    CREATE ROLE refused LOGIN; CREATE ROLE one_only LOGIN CONNECTION LIMIT 0; CREATE ROLE visitor LOGIN;});
unlink $node->data_dir . '/pg_hba.conf';
$node->append_conf('pg_hba.conf', "local all postgres trust\nlocal all with_password scram-sha-256\n"
        . "local all refused reject\nlocal all locked_out,one_only,visitor trust\nlocal replication postgres trust\n");
$node->reload;

my $mark = $node->safe_psql('postgres', 'SELECT now()');
sub attempts {
    return $node->safe_psql('postgres', "SELECT coalesce(login_role, '-'), state, coalesce(database, '-'), auth_method, error
        FROM hoopguard.session WHERE started_at > '$mark' AND application_name IS DISTINCT FROM 'looking'
            AND coalesce(login_role, '') <> 'postgres' ORDER BY started_at");
}
my $try = sub { my ($user, $database) = @_; $node->psql($database // 'postgres', 'SELECT 1', extra_params => ['-U', $user, '-w']); };

$ENV{PGPASSWORD} = 'geheim';
$try->('with_password');
$ENV{PGPASSWORD} = 'falsch';
$try->('with_password');
delete $ENV{PGPASSWORD};
$try->('with_password');
$try->($_) for qw(refused nobody locked_out one_only);
$try->('visitor', 'no_such_database');
is(attempts(), join("\n",
        'with_password|ended|postgres|scram-sha-256|',
        'with_password|failed|postgres|scram-sha-256|password authentication failed for user "with_password"',
        'refused|failed|postgres|reject|pg_hba.conf rejects connection for host "[local]", user "refused", database "postgres", no encryption',
        'nobody|failed|postgres|implicit reject|no pg_hba.conf entry for host "[local]", user "nobody", database "postgres", no encryption',
        'locked_out|failed|postgres|trust|role "locked_out" is not permitted to log in',
        'one_only|failed|postgres|trust|too many connections for role "one_only"',
        'visitor|failed|no_such_database|trust|database "no_such_database" does not exist'),
    'every attempt is on record with its reason; a client that only asks for the password never tried');

# A replication connection, whose commands no hook sees.
my $sender = ProtocolClient->new($node, replication => 'true', application_name => 'sender');
$sender->query('IDENTIFY_SYSTEM');
$sender->query('DROP_REPLICATION_SLOT nowhere');
is($node->safe_psql('postgres', "SELECT backend_type FROM hoopguard.session WHERE pid = $sender->{pid}"), 'walsender',
    'a replication connection is on record');
is($node->safe_psql('postgres', "SELECT statement, sqlstate FROM hoopguard.statement WHERE pid = $sender->{pid}"),
    'DROP_REPLICATION_SLOT nowhere|42704', 'and what failed in it');
$sender->finish;

# How sessions end.
my $client = ProtocolClient->new($node, user => 'visitor', application_name => 'ends well');
$client->query('SELECT 1');
$client->query('SELECT 2');
$client->finish;
my $dropped = ProtocolClient->new($node, user => 'visitor', application_name => 'is ended');
$dropped->query('BEGIN');
$dropped->query("SET application_name = 'renamed'");
$dropped->query('SELECT 1');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($dropped->{pid}, 10000)");
my $killed = ProtocolClient->new($node, user => 'visitor', application_name => 'is killed');
$killed->query('SELECT 1');
$node->poll_query_until('postgres', "SELECT state = 'ended' FROM hoopguard.session WHERE pid = $client->{pid}") or die;
is($node->safe_psql('postgres', "SELECT state, statements, errors, error FROM hoopguard.session WHERE pid = $client->{pid}"),
    'ended|2|0|', 'an orderly end');
is($node->safe_psql('postgres', "SELECT state, application_name, error FROM hoopguard.session WHERE pid = $dropped->{pid}"),
    'ended|renamed|terminating connection due to administrator command', 'an end by somebody else');
is($node->safe_psql('postgres', "SELECT string_agg(transaction_outcome, ' ') FROM hoopguard.statement WHERE pid = $dropped->{pid}"),
    'rolled back rolled back rolled back', 'takes its transaction with it');
kill 'KILL', $killed->{pid};
$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die;
is($node->safe_psql('postgres', "SELECT state FROM hoopguard.session WHERE pid = $killed->{pid}"), 'lost',
    'a killed session is lost');

# Nobody gets in while the server stops, and that is on record too.
my $holder = ProtocolClient->new($node);
$holder->query('BEGIN');
system_or_bail('pg_ctl', '-D', $node->data_dir, '-m', 'smart', '-W', 'stop');
my $refused = '';
for (1 .. 100) {
    (undef, undef, $refused) = $try->('visitor');
    last if $refused =~ /shutting down/;
    select undef, undef, undef, 0.1;
}
like($refused, qr/shutting down/, 'the server turns clients away');
$holder->finish;
for (1 .. 100) { last unless -e $node->data_dir . '/postmaster.pid'; select undef, undef, undef, 0.1; }
$node->{_pid} = undef;
$node->start;
is($node->safe_psql('postgres', "SELECT login_role, state, error FROM hoopguard.session
        WHERE error LIKE '%shutting down%' ORDER BY started_at DESC LIMIT 1"),
    'visitor|failed|the database system is shutting down', 'a connection that came too late');
is($node->safe_psql('postgres', 'SELECT bool_and(ok) FROM hoopguard.verify_journal()'), 't', 'the journal verifies');
$node->stop;
done_testing();
