# Guardrails where there is no extension and no statement: other databases, walsenders, startup packets, fastpath
# calls, two-phase commit, held cursors, deferred work at COMMIT; from the first connection after a crash.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProtocolClient;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nmax_prepared_transactions = 2\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION hoopguard; CREATE ROLE agent SUPERUSER LOGIN REPLICATION;
    CREATE DATABASE plain; SELECT hoopguard.guard('g', 'block', '{replication,config,ddl.drop,egress,write.unbounded}',
        roles => '{agent}', message => 'Not here.')});
$node->safe_psql('plain', 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 9)');

# What psql says as the agent, in one line.
sub says {
    my ($database, $sql, $options) = @_;
    local $ENV{PGOPTIONS} = $options // '';
    my ($code, $out, $err) = $node->psql($database, $sql, extra_params => ['-U', 'agent']);
    return ($out . $err) =~ s/\n.*//sr;
}

sub check_everywhere {
    my ($when) = @_;
    like(says('plain', 'DROP TABLE t'), qr/Not here/, "$when: a database without the extension");
    like(says('template1', 'DROP TABLE IF EXISTS t'), qr/Not here/, "$when: template1");
    like(says('plain', 'SELECT 1', '-c session_replication_role=replica'), qr/FATAL:  Not here/, "$when: PGOPTIONS");
    my ($code, $out, $err) = $node->psql('postgres', 'IDENTIFY_SYSTEM', replication => 'true', extra_params => ['-U', 'agent']);
    like($err, qr/FATAL:  Not here/, "$when: a walsender");
}

check_everywhere('at first');
like(says('plain', 'SELECT 1', '--row-security=off'), qr/FATAL:  Not here/, 'a setting as a long option');
like(says('plain', 'SELECT 1', '-O'), qr/FATAL:  Not here/, 'a switch that stands for a setting');
is(says('plain', 'SHOW work_mem', '-c work_mem=123kB'), '123kB', 'a setting of its own stays free');
my ($code, $out, $err) = $node->psql('postgres', 'IDENTIFY_SYSTEM', replication => 'database');
is($code, 0, 'a walsender of somebody else comes in');
is($node->safe_psql('postgres', "SELECT count(*) > 2 FROM hoopguard.session WHERE login_role = 'agent' AND error = 'Not here.'"),
    't', 'connections that were turned away are on record');

my $agent = ProtocolClient->new($node, user => 'agent', database => 'plain');
my $read = $node->safe_psql('plain', "SELECT 'pg_catalog.pg_read_file(text)'::regprocedure::oid");
like($agent->call_function($read, 'PG_VERSION'), qr/E/, 'a fastpath call');
is("$agent->{errors}[0]{C} $agent->{errors}[0]{n}", '42501 g', 'is refused by the guardrail');

$agent->query('BEGIN');
$agent->query('DELETE FROM t WHERE id = 1');
$agent->query("PREPARE TRANSACTION 'two'");
is($agent->query("COMMIT PREPARED 'two'"), 'CZ', 'two-phase commit of what is allowed');
$agent->query('BEGIN');
$agent->query('DELETE FROM t');
is($agent->query("PREPARE TRANSACTION 'three'"), 'CZ', 'what was refused');
is($node->safe_psql('plain', 'SELECT (SELECT count(*) FROM pg_prepared_xacts), count(*) FROM t'), '0|8', 'is not prepared');

$node->safe_psql('plain', q{CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS 'BEGIN DELETE FROM t; RETURN 1; END';
    CREATE FUNCTION wipe_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM wipe(); RETURN NULL; END';
    CREATE TABLE deferring (id int);
    CREATE CONSTRAINT TRIGGER wipes AFTER INSERT ON deferring DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wipe_row()});
$agent->query('BEGIN');
is($agent->query('DECLARE held CURSOR WITH HOLD FOR SELECT wipe()'), 'CZ', 'a held cursor is declared');
$agent->query('COMMIT');
is("$agent->{errors}[0]{C} $agent->{errors}[0]{n}", '42501 g', 'and refused when COMMIT runs it');
$agent->query('BEGIN');
is($agent->query('INSERT INTO deferring VALUES (1)'), 'CZ', 'a deferred trigger waits');
$agent->query('COMMIT');
is("$agent->{errors}[0]{C} $agent->{errors}[0]{n}", '42501 g', 'and is refused at COMMIT');
is($node->safe_psql('plain', 'SELECT (SELECT count(*) FROM deferring), count(*) FROM t'), '0|8', 'nothing of it happened');

# Counted per actor, over sessions that have ended.
$node->safe_psql('postgres', q{SELECT hoopguard.guard('g', 'block', '{write.delete}', roles => '{agent}', max_rows => 3,
    per => '1 hour')});
is(says('plain', "DELETE FROM t WHERE id = $_ RETURNING id"), $_, "row $_ goes") for 2, 3, 4;
like(says('plain', 'DELETE FROM t WHERE id = 5'), qr/blocked/, 'the fourth stays, whatever session asks');

# A prepared statement of a running session follows a change of policy.
$agent->parse('look', 'SELECT count(*) FROM t');
for my $turn (1 .. 10) { $agent->bind('', 'look'); $agent->execute(''); $agent->sync }
$node->safe_psql('postgres', q{SELECT hoopguard.guard('g', 'block', '{read}', roles => '{agent}')});
$agent->bind('', 'look');
$agent->execute('');
$agent->sync;
is("$agent->{errors}[0]{C} $agent->{errors}[0]{n}", '42501 g', 'the next run of a prepared statement is refused');
$node->safe_psql('postgres', q{SELECT hoopguard.guard('g', 'block', '{replication,config,ddl.drop}', roles => '{agent}',
    message => 'Not here.')});
$node->stop('immediate');
$node->start;
check_everywhere('after a crash');
$node->stop;
done_testing();
