# What only the wire shows: portals fetched in pieces, pipelines, bound values, fastpath calls, texts that are
# parsed and never run.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProtocolClient;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nlog_min_messages = panic\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hoopguard; CREATE TABLE t (id int PRIMARY KEY, b text);
    INSERT INTO t SELECT n, n::text FROM generate_series(1, 10) n;');

my $client = ProtocolClient->new($node, application_name => 'wire');
my $pid = $client->{pid};
my $seen = 0;

# The statements since the last look, a line each.
sub seen {
    my ($columns) = @_;
    my $rows = $node->safe_psql('postgres', "SELECT $columns FROM hoopguard.statement
        WHERE pid = $pid AND statement_no > $seen ORDER BY statement_no");
    $seen = $node->safe_psql('postgres', "SELECT max(statement_no) FROM hoopguard.statement WHERE pid = $pid");
    return $rows;
}

$client->parse('', 'SELECT id FROM t ORDER BY id');
$client->bind('piece', '');
$client->execute('piece', 4);
$client->execute('piece', 4);
$client->execute('piece', 4);
is($client->sync, '12DDDDsDDDDsDDCZ', 'a portal is fetched in three pieces');
is(seen('statement, rows, outcome, transaction_outcome'), 'SELECT id FROM t ORDER BY id|10|ok|committed',
    'and is one statement with all its rows');

$client->query('BEGIN');
$client->parse('', 'SELECT id FROM t');
$client->bind('left', '');
$client->execute('left', 3);
$client->sync;
$client->query('ROLLBACK');
is(seen('command_tag, rows, outcome, transaction_outcome'),
    "BEGIN|0|ok|rolled back\nSELECT|3|ok|rolled back\nROLLBACK|0|ok|rolled back",
    'a portal that a rollback closes has not failed');

$client->parse('s', 'SELECT $1::int + $2::bigint, $3::text');
for my $n (1 .. 7) {
    $client->bind('', 's', \pack('N', $n), '40', undef);
    $client->execute('');
    $client->sync;
}
is(seen('rows, outcome, parameters') =~ s/ //gr,
    join("\n", map { qq(1|ok|[{"type":"integer","value":"$_"},{"type":"bigint","value":"40"},{"type":"text","value":null}]) } 1 .. 7),
    'a prepared statement is recorded at each run, its values in text whatever their format');

$client->parse('', 'SELECT 1');
$client->sync;
is(seen('statement'), '', 'a text that is parsed and never run is no statement');

$client->parse('', 'SELECT * FROM nowhere');
$client->sync;
$client->parse('', 'SELECT $1::int');
$client->bind('', '', 'no number');
$client->sync;
is(seen('statement, sqlstate'), "SELECT * FROM nowhere|42P01\nSELECT \$1::int|22P02",
    'errors in Parse and Bind are on record');

# A pipeline is one transaction: its outcome reaches all of it.
for my $id (101, 102) {
    $client->parse('', "INSERT INTO t VALUES ($id, 'p')");
    $client->bind('', '');
    $client->execute('');
}
$client->sync;
for my $sql ("INSERT INTO t VALUES (103, 'p')", 'SELECT 1/0', "INSERT INTO t VALUES (104, 'p')") {
    $client->parse('', $sql);
    $client->bind('', '');
    $client->execute('');
}
$client->sync;
is(seen('statement, outcome, sqlstate, transaction_outcome'), join("\n",
        "INSERT INTO t VALUES (101, 'p')|ok||committed", "INSERT INTO t VALUES (102, 'p')|ok||committed",
        "INSERT INTO t VALUES (103, 'p')|ok||rolled back", 'SELECT 1/0|error|22012|rolled back'),
    'pipelines: committed together, rolled back together');

# Deferred work fails at Sync, after the statement answered.
$node->safe_psql('postgres', 'CREATE TABLE d (id int REFERENCES t DEFERRABLE INITIALLY DEFERRED)');
$client->parse('', 'INSERT INTO d VALUES (999)');
$client->bind('', '');
$client->execute('');
is($client->sync, '12CEZ', 'a deferred constraint fails at Sync');
is(seen('outcome, sqlstate, transaction_outcome') =~ s/\n.*//sr, 'error|23503|rolled back',
    'and the statement that it was deferred from has failed');

my $oid = $node->safe_psql('postgres', "SELECT 'pg_catalog.int4pl(int, int)'::regprocedure::oid");
is($client->call_function($oid, '1', '2'), 'VZ', 'a fastpath call');
is(seen('statement, command_tag, outcome, transaction_outcome'), "fastpath pg_catalog.int4pl($oid)|FASTPATH|ok|committed",
    'is on record by its name');
$client->query('BEGIN');
$client->call_function($oid, '1', '2');
$client->call_function($oid, '1', '2');
$client->query('COMMIT');
is(seen('command_tag, outcome, transaction_outcome'),
    "BEGIN|ok|committed\nFASTPATH|ok|committed\nFASTPATH|ok|committed\nCOMMIT|ok|committed",
    'fastpath calls end when they end, in a block too');
$node->safe_psql('postgres', q{CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql AS
    $$BEGIN INSERT INTO t VALUES (1, 'dup'); RETURN 1; END$$; CREATE ROLE nobody_much LOGIN;
    CREATE FUNCTION private() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION private() FROM PUBLIC});
my $fails = $node->safe_psql('postgres', "SELECT 'fails'::regproc::oid");
$client->call_function($fails);
is(seen('command_tag, parent_no IS NOT NULL, sqlstate, transaction_outcome'),
    "FASTPATH|f|23505|rolled back\nINSERT|t|23505|rolled back", 'a fastpath call that fails, and what it ran');
$client->finish;

my $private = $node->safe_psql('postgres', "SELECT 'private'::regproc::oid");
$client = ProtocolClient->new($node, user => 'nobody_much');
($pid, $seen) = ($client->{pid}, 0);
$client->call_function($private);
is(seen('sqlstate, error'), '42501|permission denied for function private', 'a fastpath call that is denied');

# Terminated and cancelled while they run.
$client->message('Q', "SELECT pg_sleep(600)\0");
$node->poll_query_until('postgres', "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $pid") or die;
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
$client->answers;
$client->message('Q', "CALL nothing_like_it(1)\0");
$client->answers;
$client->message('Q', "DO 'BEGIN PERFORM pg_sleep(600); END'\0");
$node->poll_query_until('postgres', "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $pid") or die;
$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
like($client->answers, qr/closed/, 'the session is terminated');
is($node->safe_psql('postgres', "SELECT statement_no, parent_no, sqlstate, outcome FROM hoopguard.statement
        WHERE pid = $pid AND statement_no > $seen ORDER BY 1"),
    "2||57014|cancelled\n3||42883|error\n4||57P01|cancelled\n5|4|57P01|cancelled",
    'cancelled and terminated statements, inner ones too');
like($node->safe_psql('postgres', "SELECT to_jsonb(s) FROM hoopguard.session s WHERE pid = $pid"),
    qr/57P01|terminating connection/, 'and why the session ended');

is($node->safe_psql('postgres', 'SELECT bool_and(ok) FROM hoopguard.verify_journal()'), 't', 'the journal verifies');
$node->stop;
done_testing();
