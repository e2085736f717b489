# Who is masked by default: agents that the policy knows, whatever role or function they go through; and that no
# real value reaches what they get, the server's log or the journal. Plans that were kept follow every change.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'hoopguard'
log_statement = 'none'
log_min_messages = 'debug1'
max_prepared_transactions = 5
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN; CREATE ROLE human LOGIN; CREATE ROLE owner;
GRANT agent TO human; GRANT pg_read_all_data TO agent;
CREATE TABLE customer (id int PRIMARY KEY, email text, pad text);
INSERT INTO customer SELECT i, 'canary' || i || '@CANARY.com', repeat('x', 50) FROM generate_series(1, 20000) i;
CREATE TABLE notes (note text NOT NULL);
ALTER TABLE customer OWNER TO owner;
GRANT ALL ON customer, notes TO agent, human;
CREATE FUNCTION as_definer() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT email FROM customer WHERE id = 1';
CREATE FUNCTION rows_of() RETURNS SETOF customer LANGUAGE sql STABLE AS 'SELECT * FROM customer WHERE id < 3';
CREATE FUNCTION in_plpgsql() RETURNS text LANGUAGE plpgsql AS
    'DECLARE v text; BEGIN EXECUTE $$SELECT email FROM customer WHERE id = 1$$ INTO v; RAISE NOTICE ''%'', v; RETURN v; END';
CREATE FUNCTION cursor_of() RETURNS refcursor LANGUAGE plpgsql SECURITY DEFINER AS
    'DECLARE c refcursor := ''handed''; BEGIN OPEN c FOR SELECT email FROM customer WHERE id < 3; RETURN c; END';
CREATE FUNCTION slow_email(int) RETURNS text LANGUAGE plpgsql PARALLEL SAFE STABLE AS
    'BEGIN RETURN (SELECT email FROM customer WHERE id = $1); END';
ALTER FUNCTION as_definer() OWNER TO owner;
CREATE VIEW invoker WITH (security_invoker) AS SELECT email FROM customer;
CREATE VIEW barrier WITH (security_barrier) AS SELECT email, id FROM customer;
CREATE MATERIALIZED VIEW stored AS SELECT upper(email) AS shout FROM customer;
GRANT SELECT ON invoker, barrier, stored TO agent, human;
SELECT hoopguard.classify_column('customer', 'email', 'email');
ANALYZE;
SQL

my $raw = qr/CANARY|canary/;

# Everything that psql shows for a script run as a role, errors and notices too.
sub shown {
    my ($role, $script, @options) = @_;
    my ($out, $err) = ('', '');
    $node->psql('postgres', $script, stdout => \$out, stderr => \$err, on_error_stop => 0,
        extra_params => [ '-U', $role, @options ]);
    return "$out\n$err";
}

like(shown('agent', 'SELECT email FROM customer WHERE id = 1'), qr/canary1\@CANARY/, 'a role nobody registered sees real values');
$node->safe_psql('postgres', "INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent')");
is(shown('agent', 'SELECT email FROM customer WHERE id = 1'), "c***\@C***.com\n", 'an agent is masked from the moment its registration commits');
like(shown('human', 'SELECT email FROM customer WHERE id = 1'), qr/canary1\@CANARY/, 'a human is not');
is(shown('human', 'SET ROLE agent; SELECT email FROM customer WHERE id = 1'), "c***\@C***.com\n", 'a human acting as the agent is');

# Each way, and what it must give: the mask, or the one error that is right. Anything else is a failure too.
my $mask = qr/c\*\*\*\@C\*\*\*\.com/;
my %ways = (
    'a definer function' => [ 'SELECT as_definer()', $mask ],
    'an inlined function' => [ 'SELECT * FROM rows_of()', $mask ],
    'a whole row of a function' => [ 'SELECT rows_of()', $mask ],
    'plpgsql, dynamic SQL and notices' => [ 'SELECT in_plpgsql()', qr/$mask.*NOTICE: +$mask/s ],
    'a cursor that a definer function opened' => [ 'BEGIN; SELECT cursor_of(); FETCH ALL FROM handed; COMMIT', $mask ],
    'DO' => [ 'DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM customer WHERE id < 3 LOOP RAISE NOTICE \'%\', r; END LOOP; END $$', $mask ],
    'an invoker view' => [ 'SELECT * FROM invoker LIMIT 2', $mask ],
    'a barrier view' => [ 'SELECT * FROM barrier WHERE id < 3', $mask ],
    'a materialized view' => [ 'SELECT * FROM stored LIMIT 2', qr/^C\*\*\*\@C\*\*\*\.COM/ ],
    'a scrolling cursor' => [ 'BEGIN; DECLARE c SCROLL CURSOR FOR SELECT email FROM customer WHERE id < 9; FETCH LAST FROM c; FETCH FIRST FROM c; COMMIT', qr/$mask.*$mask/s ],
    'statistics' => [ "SELECT count(*), count(histogram_bounds), count(most_common_vals) FROM pg_stats WHERE tablename = 'customer' AND attname = 'email'", qr/^1\|0\|0$/m ],
    'a failing cast' => [ 'SELECT email::int FROM customer WHERE id = 1', qr/invalid input syntax for type integer: "$mask"/ ],
    'locking rows' => [ 'SELECT email FROM customer WHERE id = 1 FOR UPDATE', $mask ],
    'RETURNING' => [ 'UPDATE customer SET pad = email WHERE id = 2 RETURNING *, customer', qr/$mask.*$mask/ ],
    'copying a query' => [ 'COPY (SELECT * FROM customer WHERE id < 3) TO STDOUT', $mask ],
    'copying the table' => [ 'COPY customer TO STDOUT', qr/cannot be copied whole/ ],
    'a prepared statement' => [ 'PREPARE p AS SELECT email FROM customer WHERE id = $1; EXECUTE p(1)', $mask ],
    'EXPLAIN' => [ 'EXPLAIN (ANALYZE, VERBOSE, BUFFERS) SELECT email FROM customer WHERE email > \'d\'', qr/hoopguard\.mask\(email/ ],
);
for my $way (sort keys %ways) {
    my ($script, $expected) = @{ $ways{$way} };
    my $shown = shown('agent', $script);
    like($shown, $expected, "$way works");
    unlike($shown, $raw, "and is masked: $way");
}
# Statistics of columns that nobody classified stay readable, so that the test above is not empty for want of rights.
like(shown('agent', "SELECT count(histogram_bounds) FROM pg_stats WHERE tablename = 'customer' AND attname = 'id'"), qr/^1$/m, 'other statistics are there');

# Parallel plans, also the functions that run in their workers.
my $parallel = "SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;";
like(shown('agent', "$parallel EXPLAIN (COSTS OFF) SELECT count(*), min(email) FROM customer WHERE email LIKE 'c%'"), qr/Workers Planned/, 'a masked scan may be parallel');
like(shown('agent', "$parallel SELECT count(*), min(email), max(email) FROM customer WHERE email LIKE 'c***%'"), qr/^20000\|c\*\*\*\@C\*\*\*\.com\|c/m, 'and gives masks');
like(shown('agent', "$parallel SELECT count(*) FROM customer WHERE id < 200 AND slow_email(id) = 'c***\@C***.com'"), qr/^199$/m, 'so do functions that workers run');

# Binary and extended protocol.
my $file = $node->basedir . '/pgbench.sql';
PostgreSQL::Test::Utils::append_to_file($file, "\\set id 1\nSELECT 1 / (email = 'c***\@C***.com')::int FROM customer WHERE id = :id;\n");
for my $protocol (qw(simple extended prepared)) {
    $node->command_ok([ 'pgbench', '-n', '-t', 12, '-U', 'agent', '-M', $protocol, '-f', $file, $node->connstr('postgres') ], "masked over the $protocol protocol");
}
unlike(shown('agent', "COPY (SELECT email FROM customer WHERE id = 1) TO STDOUT (FORMAT binary)"), $raw, 'binary format');

# Kept plans follow labels, roles and policy.
my $session = $node->background_psql('postgres', extra_params => [ '-U', 'agent' ], on_error_stop => 0);
$session->query('PREPARE kept AS SELECT pad FROM customer WHERE id = 5');
$session->query('EXECUTE kept') for 1 .. 7;
$node->safe_psql('postgres', "SELECT hoopguard.classify_column('customer', 'pad', 'secret')");
is($session->query('EXECUTE kept'), '***', 'a kept plan of a running session follows a new label');
$session->query('BEGIN; EXECUTE kept');
$node->safe_psql('postgres', "SELECT hoopguard.declassify_column('customer', 'pad')");
$session->query('COMMIT');
is($session->query('EXECUTE kept'), 'x' x 50, 'and its removal');
$session->query('BEGIN; EXECUTE kept');
$node->safe_psql('postgres', "SELECT hoopguard.classify_column('customer', 'pad', 'secret')");
unlike($session->query('EXECUTE kept'), qr/xxx/, 'also within a transaction that already holds the lock');
$session->query('ROLLBACK');
$session->query('PREPARE mine AS SELECT email FROM customer WHERE id = 1');
$session->query('EXECUTE mine') for 1 .. 7;
$node->safe_psql('postgres', "DELETE FROM hoopguard.actor WHERE name = 'agent'");
like($session->query('EXECUTE mine'), $raw, 'a kept plan follows the policy: no agent any more');
$node->safe_psql('postgres', "INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent')");
is($session->query('EXECUTE mine'), 'c***@C***.com', 'and an agent again');
$node->safe_psql('postgres', "CREATE SCHEMA shop; CREATE TABLE shop.visitor AS SELECT email FROM customer LIMIT 1; GRANT USAGE ON SCHEMA shop TO agent; SELECT hoopguard.classify_column('shop.visitor', 'email', 'email')");
$session->query('SET search_path = shop, store; PREPARE named AS SELECT given FROM visitor AS v (given)');
my $shown = join ' ', map { scalar $session->query('EXECUTE named') } 1 .. 3;
$node->safe_psql('postgres', 'ALTER SCHEMA shop RENAME TO store');
$shown .= ' ' . $session->query('EXECUTE named');
$node->safe_psql('postgres', 'ALTER TABLE store.visitor RENAME email TO address');
$shown .= ' ' . $session->query('EXECUTE named');
is($shown, join(' ', ('c***@C***.com') x 5), 'a kept plan masks a column whatever its names become');
$node->safe_psql('postgres', "SELECT hoopguard.set_mask('email', 'clear', roles => '{agent}', objects => '{store.*}')");
like($session->query('SELECT * FROM visitor'), $raw, 'a mask policy may name a schema');
$node->safe_psql('postgres', 'ALTER SCHEMA store RENAME TO shop');
is($session->query('SELECT * FROM visitor'), 'c***@C***.com', 'and means it no longer when it has another name');
$session->quit;
my $switching = $node->background_psql('postgres', on_error_stop => 0);
$switching->query('PREPARE s AS SELECT email FROM customer WHERE id = 1');
like($switching->query('EXECUTE s'), $raw, 'a superuser sees real values') for 1 .. 7;
like($switching->query("SET SESSION AUTHORIZATION agent; EXECUTE s"), $mask, 'his kept plan does not serve the agent he becomes');
like($switching->query("RESET SESSION AUTHORIZATION; SET ROLE agent; EXECUTE s"), $mask, 'nor after SET ROLE');
like($switching->query("RESET ROLE; EXECUTE s"), $raw, 'and then serves himself again');
$switching->quit;

# pg_dump by a masked role.
$node->command_fails_like([ 'pg_dump', '-U', 'agent', '-t', 'customer', $node->connstr('postgres') ], qr/cannot be copied whole/, 'pg_dump by an agent is refused');
$node->append_conf('postgresql.conf', 'hoopguard.masked_dump = on');
$node->reload;
$node->poll_query_until('postgres', "SELECT current_setting('hoopguard.masked_dump') = 'on'");
my ($dump, $dump_errors) = run_command([ 'pg_dump', '-U', 'agent', '-t', 'customer', $node->connstr('postgres') ]);
like($dump, qr/c\*\*\*\@C\*\*\*\.com/, 'or masked, when that is allowed');
unlike($dump, $raw, 'and holds no real value');

# The agent's statements are on record with what was masked, and the record holds no real value.
my $recorded = $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(coalesce(array_to_string(masked, ','), ''), ';' ORDER BY entry) FROM hoopguard.statement
 WHERE login_role = 'agent' AND parent_no IS NULL AND statement = 'SELECT email FROM customer WHERE id = 1'
SQL
is($recorded, ';public.customer.email', 'the journal names the masked columns: none before the agent was one');
is($node->safe_psql('postgres', "SELECT string_agg(array_to_string(masked, ','), ' ' ORDER BY entry) FROM hoopguard.statement WHERE login_role = 'agent' AND masked::text ~ 'visitor'"),
    'shop.visitor.email shop.visitor.email shop.visitor.email store.visitor.email store.visitor.address shop.visitor.address', 'and those of a kept plan by the names that they have when it runs');
is($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.statement s WHERE login_role = 'agent' AND s::text ~ 'CANARY|canary'"), '0', "the journal of the agent's statements holds no real value");
my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
my @leaks = grep { /$raw/ && !/INSERT INTO customer/ } split /\n/, $log;
is(join("\n", @leaks), '', "nor does the server's log");

$node->stop;
done_testing();
