# The queries that the README shows are run as they stand there, against a record that holds what they ask for.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The SQL statements of the block that follows a line of the README.
sub block_after {
    my ($line) = @_;
    my ($block) = slurp_file("$ENV{HOOPGUARD_TOP}/README.md") =~ /\Q$line\E.*?\n```sql\n(.*?)\n```/s or die "no such block: $line";
    return map { s/\A(?:\s*--[^\n]*\n)*\s*//r } grep { /\S/ } split /;[^\n]*(?:\n|\z)/, $block;
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.approval_wait = 0\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE billing LOGIN;
CREATE ROLE bob LOGIN IN ROLE hoopguard_approver; CREATE ROLE olga LOGIN IN ROLE hoopguard_auditor;
INSERT INTO hoopguard.actor (name, kind, owner) VALUES ('agent', 'agent', 'bob'), ('billing', 'service', 'bob');
CREATE TABLE customer (id int, email text); INSERT INTO customer SELECT i, 'c' || i || '@example.org' FROM generate_series(1, 9) i;
CREATE TABLE orders (id int); INSERT INTO orders SELECT i FROM generate_series(1, 9) i;
CREATE TABLE parts (id int);
GRANT ALL ON customer, orders TO agent, clerk, billing;
SELECT hoopguard.classify_column('customer', 'email', 'email');
SELECT hoopguard.guard('deletes', 'ask', '{write.delete}', roles => '{agent}');
SQL

sub as_role {
    my ($role, $sql, $application) = @_;
    local $ENV{PGAPPNAME} = $application // 'psql';
    my ($status, $out, $error) = $node->psql('postgres', $sql, extra_params => [ '-U', $role, '-w' ]);
    return $status == 0 ? $out : $error;
}
# A query of the README as the auditor runs it, wrapped into what makes of it what the test looks at.
sub asked { my ($query, $of_it) = @_; return as_role('olga', "SELECT $of_it FROM ($query) AS readme"); }

as_role('agent', 'SELECT email FROM customer', 'claude');
as_role('agent', 'SELECT email FROM customer LIMIT 1', 'claude');
as_role('agent', 'SELECT count(*) FROM orders', 'claude');
as_role('clerk', 'SELECT email FROM customer');
my $delete = "SET hoopguard.reason = 'ticket 42';\nDELETE FROM orders WHERE id = 3";
my ($request) = as_role('agent', $delete, 'claude') =~ /Request (\d+) waits/;
is(as_role('bob', "SELECT hoopguard.approve($request, 'checked')"), 'approved', 'an operation is approved');
as_role('agent', $delete, 'claude');
my ($refused) = as_role('agent', "SET hoopguard.reason = 'ticket 43';\nDELETE FROM orders WHERE id = 4", 'claude') =~ /Request (\d+) waits/;
as_role('bob', "SELECT hoopguard.reject($refused, 'no')");
as_role('clerk', "SET hoopguard.reason = 'spring cleaning';\nDELETE FROM orders");
as_role('billing', 'SELECT 1', 'billing-service');
as_role('billing', 'SELECT 1', 'claude');
$node->safe_psql('postgres', 'SELECT hoopguard.gather_usage()');

my @did = block_after('And who did what:');
is(scalar @did, 4, 'four queries tell who did what');
is(asked($did[0], "count(*) > 5 AND bool_or(login_role = 'agent')"), 't', 'the last twenty statements');
is(asked($did[1], "format('%s|%s|%s|%s|%s|%s', actor, statement, rows, reason, decided_by, votes -> 0 ->> 'comment')"),
    'agent|DELETE FROM orders WHERE id = 3|1|ticket 42|{bob}|checked', 'who did what, why, and who allowed it');
is(asked($did[1], 'started_at BETWEEN now() - interval \'1 hour\' AND now()'), 't', 'and when');
my $session = as_role('olga', "SELECT session_id FROM hoopguard.statement WHERE approval = $request AND outcome = 'ok'");
is(asked($did[2] =~ s/'[0-9a-f.]+'/'$session'/r, "string_agg(statement, '; ' ORDER BY statement_no)"),
    "SET hoopguard.reason = 'ticket 42'; DELETE FROM orders WHERE id = 3", 'one session');
is(asked($did[3], 'bool_and(ok)'), 't', 'the journal verifies');

my @review = block_after('a dry run says beforehand what would break');
is(asked($review[0], "count(*) > 0 AND bool_and(kind = 'agent')"), 't', 'what agents may do that is of high risk');
cmp_ok(as_role('olga', $review[1]), '>', 5, 'a review opens');
is(asked($review[2], "count(*) > 0 AND bool_or(actor = 'agent')"), 't', 'what its revocations would break');
my $item = as_role('olga', "SELECT id FROM hoopguard.review_item WHERE review = 'q3' AND actor = 'agent' AND object = 'public.customer' AND privilege = 'UPDATE'");
is(as_role('olga', $review[3] =~ s/certify\(17/certify($item/r), 'revoked', 'an item is decided');
like(as_role('olga', "SELECT hoopguard.access_report('q3')"), qr/<h1>Access review q3/, 'the report');

my @audit = block_after('What an auditor asks first');
is(scalar @audit, 3, 'three questions of auditors');
is(asked($audit[0], "string_agg(format('%s|%s|%s|%s|%s', actor, login_role, object, count, masked), E'\\n')"), 'agent|agent|public.customer|2|2',
    'which agents read sensitive columns, how often, and masked');
like(asked($audit[1], "string_agg(concat_ws('|', actor, statement, rows, approval, decided_by, reason), E'\\n')"),
    qr/^agent\|DELETE FROM orders WHERE id = 3\|1\|$request\|\{bob\}\|ticket 42$/m, 'by whom it was decided, for what reason');
like(asked($audit[1], "string_agg(concat_ws('|', actor, statement, rows, reason), E'\\n')"), qr/^clerk\|DELETE FROM orders\|8\|spring cleaning$/m, 'those that nobody was asked about too');
is(asked($audit[2], "string_agg(application || ' ' || logins, ', ' ORDER BY application) FILTER (WHERE login_role = 'billing')"), 'billing-service 1, claude 1',
    'which credential is used from where: one of them in two hands');

# What reads a classified column is of a class of its own: whatever way it is read, and nothing else.
$node->safe_psql('postgres', q{SELECT hoopguard.guard('no personal data', 'block', '{read.sensitive}', roles => '{clerk}');
    CREATE VIEW mails AS SELECT id, lower(email) AS mail FROM customer; GRANT SELECT ON mails TO clerk});
my %reads = ('the column' => 'SELECT email FROM customer', 'a condition on it' => "SELECT id FROM customer WHERE email LIKE 'c%'",
    'the whole row' => 'SELECT c FROM customer c', 'all columns' => 'TABLE customer', 'a view of it' => 'SELECT mail FROM mails',
    'COPY' => 'COPY customer TO STDOUT', 'COPY of the column' => 'COPY customer (email) TO STDOUT', 'COPY of a query' => 'COPY (SELECT email FROM customer) TO STDOUT',
    'RETURNING' => 'UPDATE customer SET id = id WHERE id = 1 RETURNING email', 'a function' => q{DO 'BEGIN PERFORM email FROM customer; END'},
    'a prepared statement' => 'PREPARE p AS SELECT email FROM customer; EXECUTE p');
like(as_role('clerk', $reads{$_}), qr/blocked by guardrail "no personal data"/, "read.sensitive: $_") for sort keys %reads;
my %others = ('another column' => 'SELECT count(id) FROM customer', 'counting' => 'SELECT count(*) > 0 FROM customer', 'COPY of another column' => 'COPY customer (id) TO STDOUT',
    'a change' => "UPDATE customer SET id = id WHERE id = 1", 'another table' => 'SELECT count(*) FROM orders');
unlike(as_role('clerk', $others{$_}), qr/ERROR/, "not read.sensitive: $_") for sort keys %others;
$node->safe_psql('postgres', q{SELECT hoopguard.declassify_column('customer', 'email')});
unlike(as_role('clerk', $reads{'the column'}), qr/ERROR/, 'nor a column that is classified no more');
$node->stop;
done_testing();
