# Canaries: values of classified columns, searched for in everything that a masked agent gets and in everything that
# is kept: the server's log, the journal's files, the views of running and known statements. What was redacted is
# opened by the auditor's key alone.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();
my ($public, $complaint) = run_command([ 'hoopguard-journal', 'reveal-key', "$dir/auditor.pem" ]);
like($public, qr/^hoopguard-reveal:[A-Za-z0-9+\/]{43}=$/, 'an auditor makes a key');
command_fails_like([ 'hoopguard-journal', 'reveal-key', "$dir/auditor.pem" ], qr/File exists/, 'and no second one in its place');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'hoopguard,pg_stat_statements'
pg_stat_statements.track = 'all'
log_statement = 'none'
log_min_messages = 'debug1'
log_min_error_statement = 'panic'
hoopguard.journal_reveal_key = '$public'
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE EXTENSION pg_stat_statements;
CREATE ROLE agent LOGIN;
CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL, mail text UNIQUE, born date, account bigint, CHECK (length(name) > 3));
SELECT hoopguard.classify_column('person', 'name', 'person_name'), hoopguard.classify_column('person', 'mail', 'email'),
       hoopguard.classify_column('person', 'born', 'birth_date'), hoopguard.classify_column('person', 'account', 'secret');
CREATE FUNCTION add_person(int, text, text) RETURNS void LANGUAGE plpgsql AS
    'BEGIN INSERT INTO person VALUES ($1, $2, $3, ''1971-12-13'', 77012301230123); END';
GRANT SELECT, INSERT, UPDATE, DELETE ON person TO agent;
INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent');
SQL

# Written in every way there is, so that each would leave the value in the journal.
my $raw = qr/CANARY|canary|1971-12-13|770123012301/;
# The server's log holds a superuser's own errors as PostgreSQL writes them: these are not the matter here.
$node->psql('postgres', <<'SQL', on_error_stop => 0);
SET log_min_messages = 'panic';
INSERT INTO person VALUES (1, 'CANARY One', 'canary.one@example.com', '1971-12-13', 77012301230123), (2, 'CANARY Two', NULL, NULL, NULL);
PREPARE add(int, text) AS INSERT INTO person (id, name) VALUES ($1, $2);
EXECUTE add(3, 'CANARY Three');
SELECT add_person(4, 'CANARY Four', 'canary4@example.com');
UPDATE person SET name = 'CANARY Two, renamed' WHERE name = 'CANARY Two';
SELECT id FROM person WHERE name IN ('CANARY One', 'CANARY Two') AND born = '1971-12-13';
DECLARE c CURSOR WITH HOLD FOR SELECT id FROM person WHERE name = 'CANARY One';
COPY (SELECT id FROM person WHERE name = 'CANARY One') TO STDOUT;
EXPLAIN ANALYZE SELECT id FROM person WHERE name = 'CANARY One';
CREATE TEMP TABLE copied AS SELECT id FROM person WHERE name = 'CANARY One';
DO $$BEGIN PERFORM id FROM person WHERE name = 'CANARY One'; EXECUTE 'SELECT 1 FROM person WHERE name = $1' USING 'CANARY One'; END$$;
INSERT INTO person VALUES (1, 'CANARY Again', 'canary.one@example.com');
INSERT INTO person VALUES (9, 'CANARY', 'canary.one@example.com', '1971-12-13x');
SELECT name::int FROM person WHERE name = 'CANARY One';
SELECT nothing FROM person WHERE name = 'CANARY One';
SELEC 'CANARY One';
SELECT 'unterminated CANARY One
SQL

my $shown = '';
my $agent = sub {
    my ($script) = @_;
    my ($out, $err) = ('', '');
    $node->psql('postgres', $script, stdout => \$out, stderr => \$err, on_error_stop => 0, extra_params => [ '-U', 'agent' ]);
    $shown .= "$script\n$out\n$err\n";
    return "$out\n$err";
};
like($agent->('SELECT name, mail, born, account FROM person WHERE id = 1'), qr/^\*\*\*\|c\*\*\*\@e\*\*\*\.com\|/, 'an agent sees masks');
$agent->($_) for (
    'SELECT * FROM person ORDER BY born, name', 'TABLE person', 'SELECT person FROM person', 'SELECT row_to_json(p) FROM person p',
    'SELECT born::text, account::text FROM person', 'SELECT name::int FROM person', 'SELECT 1 / (account - account) FROM person',
    'SELECT account::int FROM person', "INSERT INTO person SELECT id, 'Some Name', 'canary' || '.one\@example.com' FROM person",
    "UPDATE person SET id = 1", "INSERT INTO person (id, name) VALUES (1, 'xyz')", 'EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM person WHERE name > \'A\'',
    'SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = \'person\'', 'COPY person TO STDOUT',
    'COPY (SELECT * FROM person) TO STDOUT (FORMAT binary)', 'SELECT query FROM pg_stat_activity', 'SELECT query FROM pg_stat_statements',
    'PREPARE p AS SELECT name FROM person WHERE id = $1; EXECUTE p(1); SELECT statement FROM pg_prepared_statements',
    'BEGIN; DECLARE c SCROLL CURSOR FOR SELECT * FROM person; FETCH ALL FROM c; SELECT statement FROM pg_cursors; COMMIT',
    'DO $$DECLARE r record; BEGIN FOR r IN SELECT * FROM person LOOP RAISE WARNING \'%\', r; END LOOP; END$$',
    'SELECT statement, parameters, error FROM hoopguard.statement');
# What the agent typed itself is no leak.
(my $got = $shown) =~ s/^INSERT INTO person SELECT.*$//mg;
unlike($got, $raw, 'nothing that the agent got holds a real value');

# Nothing that is kept does.
is($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.statement s WHERE s::text ~ '<redacted:'") > 10, 1, 'statements were redacted');
$node->safe_psql('postgres', 'SELECT hoopguard.checkpoint()');
$node->stop;
my @files = split /\n/, `find '@{[ $node->data_dir ]}/hoopguard' -type f`;
cmp_ok(scalar(@files), '>', 2, 'the journal has files');
for my $file (@files) {
    (my $name = $file) =~ s/.*\///;
    my $bytes = PostgreSQL::Test::Utils::slurp_file($file);
    my @leaks = $bytes =~ /([ -~]{0,80}(?:$raw)[ -~]{0,40})/g;
    is(join("\n", @leaks), '', "no real value in the journal's $name");
}
my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile);
my @logged = grep { /$raw/ } split /\n/, $log;
is(join("\n", @logged), '', "nor in the server's log");

# The auditor opens what was redacted; nobody else does.
my $journal = $node->data_dir . '/hoopguard';
my ($closed) = run_command([ 'hoopguard-journal', 'show', $journal, '--type', 'statement' ]);
unlike($closed, $raw, 'without the key the journal shows tokens');
my ($opened, $open_errors) = run_command([ 'hoopguard-journal', 'show', $journal, '--reveal', "$dir/auditor.pem" ]);
like($opened, qr/revealed: statement="INSERT INTO person VALUES \(1, 'CANARY One', 'canary\.one\@example\.com', '1971-12-13', 77012301230123\)/, 'the auditor reads the exact text');
like($opened, qr/revealed: .*parameters=\[.*"CANARY Four"/, 'and the exact parameters');
is($open_errors, '', 'of every entry');
run_command([ 'hoopguard-journal', 'reveal-key', "$dir/other.pem" ]);
command_fails_like([ 'hoopguard-journal', 'show', $journal, '--reveal', "$dir/other.pem" ], qr/sealed to another key/, 'another key opens nothing');
command_ok([ 'hoopguard-journal', 'verify', $journal ], 'and the journal verifies');

# A key that is none is said to be none, and what is redacted stays redacted.
$node->append_conf('postgresql.conf', "hoopguard.journal_reveal_key = 'nonsense'");
$node->start;
like(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/A reveal key is "hoopguard-reveal:"/, 'the log says what a reveal key is');
is($node->safe_psql('postgres', "SELECT name FROM person WHERE name = 'CANARY One'"), 'CANARY One', 'the server runs');
is($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.statement s WHERE s::text ~ 'CANAR[Y]'"), '0', 'and redacts all the same');
$node->stop;

done_testing();
