# Corners of masking: rules and views that are written through, rows that somebody else changes meanwhile, casts, domains
# and search paths of one's own, foreign tables and connections back into the server, pages read raw, subscriptions,
# portals fetched in pieces, JSON_TABLE, RETURNING OLD. What works gives the mask; nothing gives a real value, the server's
# log neither, with auto_explain in it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProtocolClient;
use Sessions;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'hoopguard,auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_verbose = on
auto_explain.log_nested_statements = on
log_statement = 'none'
log_min_error_statement = 'panic'
CONF
$node->start;
my $port = $node->port;
my $host = $node->host;
$node->safe_psql('postgres', <<"SQL");
SET auto_explain.log_min_duration = -1;
CREATE EXTENSION hoopguard; CREATE EXTENSION postgres_fdw; CREATE EXTENSION dblink; CREATE EXTENSION pageinspect;
CREATE ROLE agent LOGIN;
CREATE TABLE person (id int PRIMARY KEY, email text, team text);
INSERT INTO person SELECT i, 'canary' || i || '\@CANARY.com', 'team ' || i % 3 FROM generate_series(1, 50) i;
CREATE TABLE kept (id int, email text);
CREATE VIEW updatable AS SELECT id, email, team FROM person WHERE email LIKE '%\@%' WITH CHECK OPTION;
CREATE VIEW ruled AS SELECT id, team FROM person;
CREATE RULE through AS ON UPDATE TO ruled DO INSTEAD UPDATE person SET team = NEW.team WHERE id = OLD.id RETURNING id, email;
CREATE RULE copies AS ON UPDATE TO person WHERE OLD.id = 9 DO ALSO INSERT INTO kept VALUES (OLD.id, OLD.email);
CREATE MATERIALIZED VIEW stored AS SELECT id, email FROM person;
CREATE DOMAIN short AS text CHECK (length(VALUE) < 3);
CREATE TYPE wrapped AS (v text);
CREATE FUNCTION wrap(text) RETURNS wrapped LANGUAGE sql IMMUTABLE AS 'SELECT ROW(\$1)::wrapped';
CREATE CAST (text AS wrapped) WITH FUNCTION wrap(text);
CREATE SERVER back FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE USER MAPPING FOR agent SERVER back OPTIONS (user 'postgres', password_required 'false');
CREATE FOREIGN TABLE far (id int, email text, team text) SERVER back OPTIONS (table_name 'person');
GRANT USAGE ON FOREIGN SERVER back TO agent;
GRANT ALL ON ALL TABLES IN SCHEMA public TO agent; GRANT CREATE ON SCHEMA public TO agent;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO agent;
SELECT hoopguard.classify_column('person', 'email', 'email'), hoopguard.classify_column('far', 'email', 'email');
INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent');
SQL
my $raw = qr/CANARY\d|canary\d|63616e617279/i;
my $mask = qr/c\*\*\*\@C\*\*\*\.com/;
sub shown { return run_psql($node, 'postgres', 'agent', $_[0]); }

my %ways = (
    'an updatable view' => [ "UPDATE updatable SET team = email WHERE id = 1 RETURNING *;", qr/^1\|$mask\|$mask$/m ],
    'a check option' => [ "INSERT INTO updatable VALUES (100, 'nothing', 'x');", qr/violates check option/ ],
    'a rule that returns' => [ "UPDATE ruled SET team = 'x' WHERE id = 2 RETURNING *;", qr/^2\|$mask$/m ],
    'a rule that copies' => [ "UPDATE person SET team = 'y' WHERE id = 9; SELECT * FROM kept;", $mask ],
    'a materialized view' => [ 'SELECT email FROM stored WHERE id = 3;', $mask ],
    'the condition of an UPDATE' => [ "UPDATE person SET team = 'z' WHERE email = 'canary4' || '\@CANARY.com' RETURNING id; UPDATE person SET team = 'm' WHERE email LIKE 'c***%' AND id = 4 RETURNING id, email;", qr/\A4\|$mask\n\z/ ],
    'the condition of a DELETE' => [ "BEGIN; DELETE FROM person WHERE email LIKE 'canary%'; DELETE FROM person WHERE id = 5 RETURNING person; ROLLBACK;", qr/\A\(5,$mask,"?team/ ],
    'CURRENT OF' => [ 'BEGIN; DECLARE c CURSOR FOR SELECT email FROM person WHERE id = 6 FOR UPDATE; FETCH c; UPDATE person SET team = email WHERE CURRENT OF c RETURNING team; ROLLBACK;', qr/\A$mask\n/ ],
    'a table made by EXECUTE' => [ 'PREPARE q AS SELECT email FROM person WHERE id = 7; CREATE TEMP TABLE made AS EXECUTE q; TABLE made; EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) EXECUTE q;', $mask ],
    'a domain that refuses' => [ 'SELECT email::short FROM person WHERE id = 8;', qr/violates check constraint/ ],
    'casts of users' => [ 'SELECT (email::wrapped).v, email::wrapped FROM person WHERE id = 8;', qr/^$mask\|\($mask\)$/m ],
    'a search path with one\'s own functions' => [ "CREATE FUNCTION pg_temp.lower(text) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''got %'', \$1; RETURN \$1; END'; CREATE FUNCTION public.mask(text, text) RETURNS text LANGUAGE sql AS 'SELECT \$1'; SET search_path = pg_temp, public, pg_catalog; SELECT pg_temp.lower(email), lower(email) FROM person WHERE id = 10;", qr/got $mask/ ],
    'a table of the same name' => [ 'CREATE TEMP TABLE person AS SELECT * FROM public.person WHERE id = 11; SELECT email FROM person; SELECT email FROM public.person WHERE id = 11;', qr/^$mask\n$mask$/m ],
    'a foreign table' => [ "SELECT email FROM far WHERE id = 12; SELECT count(*) FROM far WHERE email = 'canary12' || '\@CANARY.com'; EXPLAIN (VERBOSE, COSTS OFF) SELECT id FROM far WHERE email LIKE 'c***%' ORDER BY email;", qr/\A$mask\n0\n(?!.*Remote SQL:[^\n]*(WHERE|ORDER BY))/s ],
    'dblink as oneself' => [ "SELECT * FROM dblink('host=$host port=$port dbname=postgres user=agent', 'SELECT email FROM person WHERE id = 13') AS t (e text);", qr/ERROR|$mask/ ],
    'pages' => [ "SELECT encode(get_raw_page('person', 0), 'escape'); SELECT * FROM heap_page_items(get_raw_page('person', 0));", qr/ERROR.*ERROR/s ],
    'a subscription' => [ "CREATE SUBSCRIPTION s CONNECTION 'host=$host port=$port dbname=postgres' PUBLICATION p WITH (connect = false);", qr/ERROR/ ],
    'large objects' => [ "SELECT lo_from_bytea(0, convert_to(email, 'UTF8')) AS l FROM person WHERE id = 14 \\gset\nSELECT convert_from(lo_get(:l), 'UTF8');", $mask ],
    'statements that others see' => [ 'SELECT query FROM pg_stat_activity; PREPARE w AS SELECT email FROM person; SELECT statement FROM pg_prepared_statements;', qr/PREPARE w/ ],
    'unclassified numbers of a row' => [ 'SELECT tableoid::regclass, ctid, xmin IS NOT NULL, email FROM person WHERE id = 15;', qr/^person\|\(.*\|t\|$mask$/m ],
);
my $version = $node->safe_psql('postgres', 'SHOW server_version_num');
$ways{'JSON_TABLE'} = [ "SELECT j.* FROM person p, JSON_TABLE(to_jsonb(p), '\$' COLUMNS (e text PATH '\$.email')) j WHERE p.id = 16;", $mask ] if $version >= 170000;
$ways{'RETURNING OLD'} = [ "UPDATE person SET team = 'o' WHERE id = 17 RETURNING old.email, new.email, old;", qr/^$mask\|$mask\|\(17,$mask/m ] if $version >= 180000;
for my $way (sort keys %ways) {
    my ($script, $expected) = @{ $ways{$way} };
    my $got = shown($script);
    like($got, $expected, "$way: the right answer");
    # An error that quotes what the agent itself typed is no leak.
    (my $foreign = $got) =~ s/^LINE \d+:.*$//mg;
    unlike($foreign, $raw, "$way: nothing real");
}

# A row that somebody else changes while the agent waits for it: the condition is judged anew, on the mask.
my $other = $node->background_psql('postgres', on_error_stop => 0);
$other->query('SET auto_explain.log_min_duration = -1');
$other->query("BEGIN; UPDATE person SET email = 'canary77\@CANARY.org' WHERE id = 20");
my %waiting = (
    update => begin_psql($node, 'postgres', 'agent', "UPDATE person SET team = email WHERE id = 20 AND email LIKE '%***.com' RETURNING email, team;"),
);
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'agent' AND wait_event_type = 'Lock'") or die 'nobody waits';
$other->query('COMMIT');
is(finish_psql($waiting{update}), '', 'an UPDATE leaves a row whose mask no longer fits');
$other->query("BEGIN; UPDATE person SET email = 'canary78\@CANARY.net', team = 'n' WHERE id = 20");
%waiting = (
    update => begin_psql($node, 'postgres', 'agent', "UPDATE person SET team = email WHERE id = 20 AND email LIKE 'c***%' RETURNING email, team;"),
    lock => begin_psql($node, 'postgres', 'agent', 'SELECT email, person FROM person WHERE id = 20 FOR UPDATE;'),
);
$node->poll_query_until('postgres', "SELECT count(*) > 1 FROM pg_stat_activity WHERE usename = 'agent' AND wait_event_type = 'Lock'") or die 'nobody waits';
$other->query('COMMIT');
$other->quit;
my $new = qr/c\*\*\*\@C\*\*\*\.net/;
like(finish_psql($waiting{update}), qr/\A$new\|$new\n\z/, 'an UPDATE gives the mask of what is there by then');
like(finish_psql($waiting{lock}), qr/\A$new\|\(20,$new,/, 'and a row that is locked likewise');

# Portals in pieces, text and binary.
my $client = ProtocolClient->new($node, user => 'agent');
$client->parse('s', 'SELECT email, person FROM person WHERE id > 30 ORDER BY id');
my ($rows, $seen) = (0, '');
for my $format (0, 1) {
    $client->message('B', "p\0s\0" . pack('n n n n', 0, 0, 1, $format));
    for my $piece (1 .. 5) {
        $client->execute('p', 4);
        $client->flush if $piece < 5;
    }
    $client->sync;
    $rows += @{ $client->{rows} };
    $seen .= join(' ', map { join ' ', map { $_ // '' } @$_ } @{ $client->{rows} });
}
$client->finish;
is($rows, 40, 'a portal is fetched in pieces, as text and binary');
like($seen, $mask, 'which are masked');
unlike($seen, $raw, 'all of them');

# What is kept.
my $whole = qr/canary\d+\@CANARY/i;
unlike($node->safe_psql('postgres', "SELECT string_agg(s::text, ' ') FROM hoopguard.statement s WHERE login_role = 'agent'"), $whole, 'the journal of the agent has no real value');
$node->stop;
my $log = slurp_file($node->logfile);
like($log, qr/Query Text: SELECT email FROM stored/, 'auto_explain wrote the plans');
# What the agent itself compared with is no leak.
my @leaks = grep { $_ =~ $whole && !/= 'canary(?:4|12)\@/ } split /\n/, $log;
is(join("\n", @leaks[0 .. ($#leaks < 5 ? $#leaks : 5)]), '', "and nothing real stands in the server's log");
done_testing();
