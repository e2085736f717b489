# Values that are hard to mask: in other encodings, broken ones, of 100 MB; labels that came from a dump or outlived
# the extension; a mask secret that is gone. Always a mask or a clear error, never the value.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.journal_sync = off\nfsync = off\nlog_statement = 'none'\nlog_min_error_statement = 'panic'\n");
$node->start;
my @methods = ('redact', 'null', 'partial(1, 1)', 'email', 'hash', 'fpe', 'pseudonym', 'detect');
$node->safe_psql('postgres', "CREATE EXTENSION hoopguard; CREATE ROLE agent LOGIN");
$node->safe_psql('postgres', "INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent')");
# By numbers: m0 … m7.
my %class;
for my $i (0 .. $#methods) {
    $class{"m$i"} = $methods[$i];
    $node->safe_psql('postgres', "INSERT INTO hoopguard.data_class (name, method) VALUES ('m$i', '$methods[$i]')");
}

sub shown {
    my ($database, $script, %more) = @_;
    my ($out, $err) = ('', '');
    $node->psql($database, $script, stdout => \$out, stderr => \$err, on_error_stop => 0, extra_params => [ '-U', $more{user} // 'agent' ]);
    return $err eq '' ? $out : "$out\n$err";
}

# A table with a column for each method that all hold `value`.
sub fill {
    my ($database, $table, $type, $value) = @_;
    my @columns = map { "m$_" } 0 .. $#methods;
    $node->safe_psql($database, "CREATE TABLE $table (" . join(', ', map { "$_ $type" } @columns) . ");
        INSERT INTO $table SELECT " . join(', ', ('v') x @columns) . " FROM (SELECT $value) s (v);
        GRANT SELECT ON $table TO agent; SELECT " . join(', ', map { "hoopguard.classify_column('$table', '$_', '$_')" } @columns));
}

# Encodings.
for my $encoding ('LATIN1', 'SQL_ASCII', 'EUC_JP') {
    my $database = lc $encoding;
    $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
    $node->safe_psql($database, 'CREATE EXTENSION hoopguard');
    my $value = $encoding eq 'EUC_JP' ? '\xc6\xfccanary@\xc6\xfccanary.com\xcb\xdc' : '\xe9canary@\xffcanary.com\xe9';
    fill($database, 'words', 'text', "E'$value'");
    fill($database, 'short', 'varchar(30)', "E'$value'");
    fill($database, 'padded', 'char(30)', "E'$value'");
    for my $table ('words', 'short', 'padded') {
        my $columns = join(', ', map { "encode(convert_to(m$_, '$encoding'), 'escape'), length(m$_), m$_ ~ 'x'" } 0 .. $#methods);
        my $shown = shown($database, "SET client_encoding = 'SQL_ASCII'; SELECT $columns FROM $table; SELECT * FROM $table");
        unlike($shown, qr/ERROR/, "$encoding $table: every method masks");
        unlike($shown, qr/canary/, "$encoding $table: nothing real");
    }
    like(shown($database, "SELECT encode(convert_to(m2, '$encoding'), 'escape') FROM words"),
        $encoding eq 'EUC_JP' ? qr/^\\306\\374\*\*\*\*\\313\\334$/ : qr/^\\351\*\*\*\*\\351$/, "$encoding: characters are kept whole");
}
# UTF-8 in SQL_ASCII comes to a client of UTF-8 as UTF-8, and what is none as bytes.
fill('sql_ascii', 'utf', 'text', "E'\\xc3\\xa9canary\@\\xc3\\xa9canary.com'");
like(shown('sql_ascii', "SET client_encoding = 'UTF8'; SELECT m2, m3, m5 FROM utf"), qr/^\xc3\xa9\*\*\*\*m\|\xc3\xa9\*\*\*\@\xc3\xa9\*\*\*\.com\|/, 'SQL_ASCII: characters of UTF-8 are kept whole');
unlike(shown('sql_ascii', "SET client_encoding = 'UTF8'; TABLE utf"), qr/ERROR|canary/, 'SQL_ASCII: a client of UTF-8 can read all of them');
fill('sql_ascii', 'broken', 'text', "E'\\xc3(canary\\xf0\\x90\\xff\@canary.com'");
unlike(shown('sql_ascii', "SELECT encode(m2::bytea, 'hex'), encode(m5::bytea, 'hex'), length(m7), m3 FROM broken"), qr/ERROR|canary|63616e617279/, 'SQL_ASCII: bytes that are no characters');

# 100 MB.
fill('postgres', 'huge', 'text', "repeat('canary 4155552671 jane\@canary.com ', 2900000)");
for my $i (0 .. $#methods) {
    my $shown = shown('postgres', "SELECT coalesce(length(m$i), 0) < 110000000, left(m$i, 40) ~ 'canary', right(m$i, 40) ~ 'canary', m$i ~ 'canary.com' FROM huge");
    like($shown, $methods[$i] eq 'null' ? qr/^t\|\|\|$/ : $methods[$i] eq 'detect' ? qr/^t\|t\|[tf]\|f$/ : qr/^t\|f\|f\|f$/, "100 MB by $methods[$i]");
}
like(shown('postgres', "SET statement_timeout = '1ms'; SELECT length(m7) FROM huge"), qr/canceling statement due to statement timeout/, 'a long search can be cancelled');
$node->safe_psql('postgres', 'DROP TABLE huge');

# A statement of 50 MB is recorded with what is shown of it redacted.
my $long = "SELECT 'first\@canary.com' || length('" . ('0123456789 4155552671 ' x 2400000) . "') || \$\$last\@canary.com\$\$";
is(shown('postgres', $long), 'first@canary.com' . length('0123456789 4155552671 ') * 2400000 . 'last@canary.com', 'a statement of 50 MB runs');
my $recorded = $node->safe_psql('postgres', "SELECT statement FROM hoopguard.statement WHERE login_role = 'agent' AND statement LIKE 'SELECT ''<redacted%' ORDER BY started_at DESC LIMIT 1");
like($recorded, qr/^SELECT '<redacted:[0-9a-f]+>' \|\| .*\$\$<redacted:[0-9a-f]+>\$\$$/s, 'its beginning and end are redacted');
unlike($recorded, qr/canary/, 'and nothing real is on record');

# A dump carries the labels; where the extension is not, they are refused.
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', "CREATE EXTENSION hoopguard; CREATE TABLE person (id int, email text); INSERT INTO person VALUES (1, 'jane\@canary.com');
    GRANT SELECT ON person TO agent; SELECT hoopguard.classify_column('person', 'email', 'm3')");
my $dump = $node->basedir . '/shop.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('shop') ], 'a superuser dumps a database with labels');
like(slurp_file($dump), qr/SECURITY LABEL FOR hoopguard ON COLUMN public\.person\.email IS 'm3'/, 'with its labels');
for my $database ('restored', 'bare') { $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0") }
$node->command_ok([ 'psql', '-Xqv', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ], 'it is restored');
is(shown('restored', 'SELECT email FROM person'), 'j***@c***.com', 'and masks');
(my $without = slurp_file($dump)) =~ s/^(CREATE|COMMENT ON) EXTENSION[^;]*hoopguard.*?;$//mg;
$without =~ s/^.*hoopguard\..*$//mg;
append_to_file("$dump.bare", $without);
my ($status, $out, $err) = $node->psql('bare', $without, on_error_stop => 0);
like($err, qr/columns cannot be classified in a database without the extension hoopguard/, 'labels without the extension are refused');
is($node->safe_psql('bare', 'SELECT count(*) FROM pg_seclabels'), 0, 'and are not there');

# Labels that outlived the extension: dropped on a server that ran without the library.
like(shown('restored', 'DROP EXTENSION hoopguard', user => $ENV{USER} // getpwuid($<)), qr/ERROR/, 'the extension cannot be dropped while there are labels');
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "''");
$node->restart;
$node->safe_psql('restored', 'DROP EXTENSION hoopguard CASCADE');
is($node->safe_psql('restored', 'SELECT count(*) FROM pg_seclabels'), 1, 'without the library the extension goes and its labels stay');
$node->adjust_conf('postgresql.conf', 'shared_preload_libraries', "'hoopguard'");
$node->restart;
like(shown('restored', 'SELECT email FROM person'), qr/ERROR.*hoopguard/, 'a masked actor is refused where masks cannot be made');
unlike(shown('restored', 'SELECT email FROM person'), qr/canary/, 'and sees nothing');
$node->safe_psql('restored', 'CREATE EXTENSION hoopguard');
is(shown('restored', 'SELECT email FROM person'), 'j***@c***.com', 'with the extension back the labels count again');

# The mask secret.
my $doctor = "SELECT status FROM hoopguard.doctor() WHERE check_name = 'mask_secret'";
is($node->safe_psql('postgres', $doctor), 'ok', 'doctor() finds the mask secret');
my $secret = $node->safe_psql('postgres', "SELECT current_setting('data_directory') || '/' || current_setting('hoopguard.journal_directory')") . '/mask.secret';
$secret = $node->data_dir . '/hoopguard/mask.secret' unless -e $secret;
ok(-e $secret, 'there it is');
my $token = shown('latin1', 'SELECT m4 FROM words');
rename $secret, "$secret.away" or die;
is($node->safe_psql('postgres', $doctor), 'fail', 'doctor() misses it when it is gone');
is(shown('latin1', 'SELECT m4 FROM words'), $token, 'the server runs on with it');
append_to_file($secret, 'x' x 32);
chmod 0600, $secret;
like($node->safe_psql('postgres', "SELECT detail FROM hoopguard.doctor() WHERE check_name = 'mask_secret'"), qr/is not what the server started with/, 'or when it is another one');
chmod 0644, $secret;
$node->restart;
is($node->safe_psql('postgres', $doctor), 'fail', 'doctor() says when a server started without one');
like(shown('latin1', 'SELECT m4 FROM words'), qr/ERROR:.*no mask secret/, 'a keyed mask is refused then');
unlike(shown('latin1', 'SELECT m0, m2 FROM words'), qr/ERROR|canary/, 'other masks go on');
unlink $secret;
rename "$secret.away", $secret or die;
$node->restart;
is($node->safe_psql('postgres', $doctor), 'ok', 'with it back, all is well');
is(shown('latin1', 'SELECT m4 FROM words'), $token, 'and tokens are what they were');

# No server log holds a value.
unlike(slurp_file($node->logfile), qr/jane\@canary|canary\@|first\@canary/, 'nothing real in the log');
$node->stop;
done_testing();
