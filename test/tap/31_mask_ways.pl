# Ways around masks, by name: each is tried by an agent against columns whose real values are canaries, in text and
# binary, by the simple and the extended protocol. Nothing that it gets, nor the server's log, nor the journal of its
# statements holds one; and what works gives the mask, not nothing.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'hoopguard,auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_verbose = on
log_min_messages = 'info'
jit_above_cost = 0
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE owner; CREATE ROLE agent LOGIN REPLICATION;
GRANT pg_read_all_data, pg_read_server_files, pg_write_server_files, pg_execute_server_program TO agent;
CREATE TABLE person (id int PRIMARY KEY, email text UNIQUE, ssn varchar(30), team text, salary int, up text GENERATED ALWAYS AS (upper(email)) STORED);
INSERT INTO person SELECT i, 'canary' || i || '@CANARY.com', 'CANARY-' || 10000 + i, 'team ' || i % 3, 900000 + i FROM generate_series(1, 500) i;
CREATE INDEX ON person (lower(email)); CREATE INDEX ON person (ssn);
CREATE STATISTICS pairs (mcv) ON email, ssn FROM person;
CREATE TABLE big (id int PRIMARY KEY, doc text, bin bytea, js jsonb);
INSERT INTO big SELECT i, repeat('CANARY doc ' || i || ' ', 20000), convert_to(repeat('CANARY', 9000), 'UTF8'), jsonb_build_object('k', repeat('CANARY', 9000)) FROM generate_series(1, 3) i;
CREATE TABLE parted (id int, email text) PARTITION BY RANGE (id);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);
INSERT INTO parted VALUES (1, 'canary1@CANARY.com');
CREATE TABLE loose (id int, email text); INSERT INTO loose VALUES (20, 'canary20@CANARY.com');
CREATE TABLE secured (id int, who name, email text);
INSERT INTO secured SELECT i, CASE WHEN i < 3 THEN 'agent' ELSE 'other' END, 'canary' || i || '@CANARY.com' FROM generate_series(1, 5) i;
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secured USING (who = current_user AND email LIKE 'canary%');
CREATE TABLE visit (id int PRIMARY KEY, email text REFERENCES person (email) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE trail (note text);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO trail SELECT n.team FROM new_rows n WHERE n.email LIKE ''c***%''; RETURN NULL; END';
CREATE TRIGGER noted AFTER UPDATE ON person REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION note_change();
CREATE VIEW owned AS SELECT id, email, up FROM person;
CREATE VIEW barrier WITH (security_barrier) AS SELECT id, email FROM person WHERE salary > 0;
CREATE VIEW invoker WITH (security_invoker) AS SELECT id, email FROM person;
CREATE FUNCTION leaky(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 IMMUTABLE AS 'BEGIN RAISE NOTICE ''seen %'', $1; RETURN true; END';
CREATE FUNCTION definer() RETURNS SETOF person LANGUAGE sql SECURITY DEFINER STABLE AS 'SELECT * FROM person WHERE id < 4';
CREATE OPERATOR === (leftarg = text, rightarg = text, function = texteq);
GRANT ALL ON ALL TABLES IN SCHEMA public TO agent; GRANT CREATE ON SCHEMA public TO agent;
SELECT hoopguard.classify_column('person', 'email', 'email'), hoopguard.classify_column('person', 'ssn', 'ssn'), hoopguard.classify_column('person', 'salary', 'secret'),
       hoopguard.classify_column('big', 'doc', 'phone'), hoopguard.classify_column('big', 'bin', 'secret'), hoopguard.classify_column('big', 'js', 'free_text'),
       hoopguard.classify_column('parted', 'email', 'email'), hoopguard.classify_column('secured', 'email', 'email'), hoopguard.classify_column('visit', 'email', 'email');
INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent');
ANALYZE;
SQL
my $raw = qr/CANARY\d|canary\d|CANARY-|CANARY doc|CANARYCANARY|9005\d\d|9000\d\d|43414e415259/i;

sub shown {
    my ($script, @options) = @_;
    my ($out, $err) = ('', '');
    $node->psql('postgres', $script, stdout => \$out, stderr => \$err, on_error_stop => 0, extra_params => [ '-U', 'agent', @options ]);
    return "$out\n$err";
}

my $mask = qr/c\*\*\*\@C\*\*\*\.com/;
my %ways = (
    'casts that fail' => [ 'SELECT ssn::int FROM person WHERE id = 1', qr/invalid input syntax for type integer: "\*\*\*\*0001"/ ],
    'division' => [ "SELECT 1 / (email = 'canary1\@CANARY.com')::int FROM person WHERE id = 1", qr/division by zero/ ],
    'lengths and digests' => [ "SELECT length(email), pg_column_size(ssn), md5(email) = md5('c***\@C***.com'), octet_length(doc) FROM person JOIN big USING (id) WHERE id = 1", qr/^13\|12\|t\|6/m ],
    'sums and averages' => [ 'SELECT sum(salary), avg(salary), max(salary), count(DISTINCT salary) FROM person', qr/^0\|0.*\|0\|1$/m ],
    'min by an index' => [ 'SET enable_seqscan = off; SELECT min(ssn), max(email) FROM person', qr/^\*\*\*\*0001\|c\*\*\*/m ],
    'an expression index' => [ "SET enable_seqscan = off; SELECT count(*) FROM person WHERE lower(email) = 'canary1\@canary.com'", qr/^0$/m ],
    'generated columns' => [ 'SELECT up FROM person WHERE id = 1; SELECT up FROM owned WHERE id = 2', qr/C\*\*\*\@C\*\*\*\.COM\nC\*\*\*/ ],
    'cheap leaky functions' => [ 'SELECT count(*) FROM person WHERE leaky(email) AND id < 3; SELECT count(*) FROM barrier WHERE leaky(email) AND id < 3', qr/seen $mask/ ],
    'operators of users' => [ "SELECT count(*) FROM person WHERE email OPERATOR(public.===) 'canary1\@CANARY.com'", qr/^0$/m ],
    'views' => [ 'SELECT o.email, i.email FROM owned o, invoker i WHERE o.id = 2 AND i.id = 2', qr/$mask\|$mask/ ],
    'conditions of views' => [ 'SELECT count(*) FROM barrier', qr/^0$/m ],  # by the masked salary, which is 0
    'a definer function' => [ 'SELECT email, definer FROM definer()', $mask ],
    'row-level security' => [ 'SELECT * FROM secured ORDER BY id', qr/^1\|agent\|$mask\n2\|agent\|$mask$/m ],
    'whole rows' => [ 'SELECT p, p::text, to_jsonb(p), row_to_json(p) FROM person p WHERE id = 1', $mask ],
    'transition tables' => [ "UPDATE person SET team = team || '!' WHERE id = 3; SELECT note FROM trail", qr/^team 0!$/m ],
    'partitions' => [ 'SELECT email FROM parted; SELECT email FROM parted_low; SELECT email FROM ONLY parted_low', qr/$mask\n$mask\n$mask/ ],
    'attaching and detaching' => [ 'ALTER TABLE parted DETACH PARTITION parted_low; ALTER TABLE parted ATTACH PARTITION loose FOR VALUES FROM (10) TO (30)', qr/ERROR/ ],
    'toasted values' => [ 'SELECT doc, bin, js FROM big WHERE id = 1; SELECT length(doc), length(bin) FROM big ORDER BY id LIMIT 1', qr/^\*\*\*\*1 \|\\x\|null$/m ],
    'the toast table' => [ "SELECT format('SELECT chunk_data FROM pg_toast.pg_toast_%s', 'big'::regclass::oid) \\gexec", qr/\\x/ ],
    'statistics' => [ "SELECT * FROM pg_stats WHERE tablename IN ('person', 'big'); SELECT * FROM pg_stats_ext; SELECT stavalues1, stavalues2 FROM pg_statistic WHERE starelid = 'person'::regclass; SELECT pg_mcv_list_items(stxdmcv) FROM pg_statistic_ext_data", qr/person/ ],
    'estimates' => [ "EXPLAIN SELECT * FROM person WHERE ssn = 'x'; EXPLAIN SELECT * FROM person WHERE salary > 5", qr/rows=167 / ],
    'RETURNING' => [ "INSERT INTO person (id, email) VALUES (1001, 'mine') RETURNING email; UPDATE person SET team = email WHERE id = 5 RETURNING person; DELETE FROM person WHERE id = 1001", qr/$mask/ ],
    'ON CONFLICT' => [ "INSERT INTO person (id, email) VALUES (1, 'x\@y.zz') ON CONFLICT (id) DO UPDATE SET team = person.email RETURNING team, email", $mask ],
    'MERGE' => [ 'MERGE INTO person p USING (VALUES (7)) v (id) ON p.id = v.id WHEN MATCHED THEN UPDATE SET team = p.email; SELECT team FROM person WHERE id = 7', $mask ],
    'overwriting' => [ 'UPDATE person SET email = lower(email) WHERE id = 1', qr/cannot be set from a masked value/ ],
    'unique violations' => [ "INSERT INTO person (id, email) VALUES (1002, 'canary9' || '\@CANARY.com')", qr/duplicate key.*values are masked/s ],
    'deferred constraints' => [ "BEGIN; INSERT INTO visit VALUES (1, 'nobody'); COMMIT", qr/foreign key.*values are masked/s ],
    'stacked diagnostics' => [ 'DO $$ DECLARE d text; BEGIN INSERT INTO person (id, email) VALUES (1, NULL); EXCEPTION WHEN OTHERS THEN GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL; RAISE NOTICE \'got %\', d; END $$', qr/got / ],
    'XMLTABLE and JSON' => [ "SELECT x.* FROM person p, XMLTABLE('/e' PASSING xmlelement(name e, p.email) COLUMNS v text PATH '.') x WHERE id = 1; SELECT jsonb_path_query(to_jsonb(p), '\$.email') FROM person p WHERE id = 1", qr/$mask\n"$mask"/ ],
    'copies' => [ 'CREATE TEMP TABLE t AS SELECT * FROM person WHERE id < 3; SELECT * FROM t; SELECT email INTO TEMP u FROM person; SELECT * FROM u LIMIT 1; COPY (SELECT email FROM person WHERE id < 3) TO STDOUT (FORMAT binary)', $mask ],
    'cursors' => [ 'BEGIN; DECLARE c SCROLL CURSOR FOR SELECT email FROM person ORDER BY id; FETCH LAST FROM c; FETCH BACKWARD 2 FROM c; DECLARE h CURSOR WITH HOLD FOR TABLE person; COMMIT; FETCH 2 FROM h', qr/$mask/ ],
    'definitions over the table' => [ 'CREATE TRIGGER t BEFORE UPDATE ON person FOR EACH ROW EXECUTE FUNCTION note_change(); CREATE TABLE spy (email text REFERENCES person (email)); CREATE INDEX ON person (leaky(email))', qr/ERROR.*ERROR.*ERROR/s ],
    'publications' => [ 'CREATE PUBLICATION p FOR TABLE person; SELECT pg_create_logical_replication_slot(\'s\', \'test_decoding\')', qr/ERROR.*ERROR/s ],
    'server files' => [ "SELECT length(pg_read_file('PG_VERSION')); SELECT pg_read_binary_file('base/1/1259'); SELECT * FROM pg_ls_dir('.'); SELECT lo_import('PG_VERSION')", qr/ERROR.*ERROR.*ERROR/s ],
    'COPY with files and programs' => [ "COPY (SELECT 1) TO PROGRAM 'cat'; CREATE TEMP TABLE f (l text); COPY f FROM '/etc/passwd'; COPY f FROM PROGRAM 'true'", qr/ERROR.*ERROR.*ERROR/s ],
);
for my $way (sort keys %ways) {
    my ($script, $expected) = @{ $ways{$way} };
    my $shown = shown($script);
    like($shown, $expected, "$way: the right answer");
    unlike($shown, $raw, "$way: nothing real");
}

# A walsender would send everything.
my ($ret, $out, $err) = $node->psql('postgres', 'IDENTIFY_SYSTEM', replication => 'database', extra_params => [ '-U', 'agent' ]);
isnt($ret, 0, 'a masked actor may not replicate');
like($err, qr/masked/, 'and is told why');

# A second database follows the same policy at once.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', "CREATE EXTENSION hoopguard; CREATE TABLE k (e text); INSERT INTO k VALUES ('canary1\@CANARY.com'); GRANT SELECT ON k TO agent; SELECT hoopguard.classify_column('k', 'e', 'email')");
my $session = $node->background_psql('other', extra_params => [ '-U', 'agent' ], on_error_stop => 0);
$session->query('PREPARE k AS SELECT e FROM k');
like($session->query('EXECUTE k'), $mask, 'another database masks');
$node->safe_psql('postgres', "SELECT hoopguard.set_mask('email', 'hash', roles => '{agent}')");
like($session->query('EXECUTE k'), qr/^[0-9a-f]{32}$/, 'and its kept plans follow a change in the control database');
$node->safe_psql('postgres', "SELECT hoopguard.set_mask('email', 'clear', roles => '{agent}')");
like($session->query('EXECUTE k'), qr/canary1/, 'also one that shows');
$node->safe_psql('postgres', "SELECT hoopguard.drop_mask('email', '{agent}')");
like($session->query('EXECUTE k'), $mask, 'and one that hides again');
$session->quit;
like($node->safe_psql('other', 'SELECT count(*) FROM hoopguard.data_class'), qr/^13$/, 'data classes are seen everywhere');
my ($code, $o, $e) = $node->psql('other', "INSERT INTO hoopguard.mask_policy (data_class, method) VALUES ('email', 'clear')");
like($e, qr/read-only in this database/, 'and written in the control database alone');

# Observing: nothing is masked, and the journal says what would be.
$node->append_conf('postgresql.conf', "hoopguard.mask_mode = 'observe'");
$node->reload;
$node->poll_query_until('postgres', "SELECT current_setting('hoopguard.mask_mode') = 'observe'");
like(shown('SELECT ssn FROM person WHERE id = 1'), qr/CANARY-10001/, 'observing shows real values');
is($node->safe_psql('postgres', "SELECT masked FROM hoopguard.statement WHERE login_role = 'agent' AND statement LIKE 'SELECT ssn FROM person WHERE%' ORDER BY entry DESC LIMIT 1"),
    '{public.person.ssn}', 'and the journal names what would be masked');

# The record: which columns came back masked, and no real value.
is($node->safe_psql('postgres', "SELECT masked FROM hoopguard.statement WHERE login_role = 'agent' AND statement LIKE 'SELECT ssn::int FROM person%' LIMIT 1"),
    '{public.person.ssn}', 'masked columns are on record');

$node->stop;
done_testing();
