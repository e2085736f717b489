# An unchanged client, node with the package pg from npm: its statement waits for a person and goes on with the normal
# result, or ends in an error that says what became of it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use File::Copy ();
use IPC::Run ();

my $directory = PostgreSQL::Test::Utils::tempdir();
plan skip_all => 'node and npm are not installed' if system('node --version >/dev/null 2>&1 && npm --version >/dev/null 2>&1') != 0;
File::Copy::copy("$ENV{HOOPGUARD_TOP}/test/demo/$_", "$directory/$_") or die "$_: $!" for qw(package.json package-lock.json);
my $install = IPC::Run::run([ 'npm', 'ci', '--prefix', $directory, '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1', '--cache', "$directory/cache" ],
    '<', \undef, '>&', \my $said, IPC::Run::timeout(300));
plan skip_all => 'the npm registry cannot be reached: ' . ($said =~ /^npm error (.*)/m ? $1 : $said) unless $install;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nhoopguard.approval_wait = '60s'\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hoopguard;
CREATE ROLE agent LOGIN; CREATE ROLE bob LOGIN IN ROLE hoopguard_approver;
INSERT INTO hoopguard.actor (name, kind) VALUES ('agent', 'agent');
CREATE TABLE orders (id int PRIMARY KEY, status text NOT NULL DEFAULT 'new');
INSERT INTO orders SELECT i FROM generate_series(1, 20) i;
GRANT ALL ON orders TO agent;
SELECT hoopguard.guard('changes', 'ask', '{write}', roles => '{agent}');
SQL

sub sql { return $node->safe_psql('postgres', $_[0]); }
sub as_bob { my (undef, $out) = $node->psql('postgres', $_[0], extra_params => [ '-U', 'bob' ]); return $out; }

# A program that has `client` and `show`; returns at once.
sub begin_node {
    my ($body) = @_;
    my $output = File::Temp->new;
    my $program = "const { Client, Pool } = require('$directory/node_modules/pg');
const settings = { host: '${\ $node->host}', port: ${\ $node->port}, user: 'agent', database: 'postgres' };
const show = value => console.log(JSON.stringify(value));
const failure = error => show({ code: error.code, message: error.message, detail: error.detail, hint: error.hint, constraint: error.constraint });
(async () => { const client = new Client(settings); await client.connect(); try { $body } catch (error) { failure(error) } finally { await client.end() } })();";
    return { output => $output, run => IPC::Run::start([ 'node', '-e', $program ], '<', \undef, '>&', "$output") };
}
sub finish_node { my ($one) = @_; IPC::Run::finish($one->{run}); my $text = slurp_file("$one->{output}"); chomp $text; return $text; }
sub pending {
    my ($count) = @_;
    $node->poll_query_until('postgres', "SELECT count(*) = $count FROM pg_stat_activity WHERE wait_event = 'HoopguardApproval'") or die 'nothing waits';
    return sql('SELECT max(id) FROM hoopguard.pending');
}

# --- Approved: the normal result.
my $program = begin_node(q{const r = await client.query("UPDATE orders SET status = 'sent' WHERE id = 1 RETURNING id, status"); show([r.command, r.rowCount, r.rows]);});
my $id = pending(1);
is(as_bob("SELECT hoopguard.approve($id)"), 'approved', 'an approver approves');
is(finish_node($program), '["UPDATE",1,[{"id":1,"status":"sent"}]]', 'the statement completes with its normal result');
$program = begin_node(q{const r = await client.query({name: 'set', text: 'UPDATE orders SET status = $1 WHERE id = $2', values: ['paid', 2]}); show([r.command, r.rowCount]);
    show((await client.query('SELECT status FROM orders WHERE id = $1', [2])).rows);});
$id = pending(1);
is(sql("SELECT statement, parameters::text ~ 'paid' FROM hoopguard.request WHERE id = $id"), 'UPDATE orders SET status = $1 WHERE id = $2|t', 'a named statement with bound values: both are seen');
as_bob("SELECT hoopguard.approve($id)");
is(finish_node($program), qq{["UPDATE",1]\n[{"status":"paid"}]}, 'and goes on, and the session after it');

# --- Rejected, cancelled, expired.
$program = begin_node(q{await client.query('DELETE FROM orders WHERE id = 3');});
as_bob('SELECT hoopguard.reject(' . pending(1) . ", 'keep it')");
like(finish_node($program), qr/"code":"HG002".*rejected by bob.*"detail":"keep it".*"constraint":"changes"/, 'rejected: an error that says by whom and why');
$program = begin_node(q{await client.query('DELETE FROM orders WHERE id = 4');});
sql('SELECT hoopguard.cancel(' . pending(1) . ')');
like(finish_node($program), qr/"code":"HG002".*was cancelled/, 'cancelled');
sql("ALTER SYSTEM SET hoopguard.request_lifetime = '1s'; SELECT pg_reload_conf()");
like(finish_node(begin_node(q{await client.query('DELETE FROM orders WHERE id = 5');})), qr/"code":"HG002".*expired/, 'expired');
sql('ALTER SYSTEM RESET hoopguard.request_lifetime; SELECT pg_reload_conf()');
$program = begin_node(q{try { await client.query("SET statement_timeout = 300; DELETE FROM orders WHERE id = 6"); } catch (error) { failure(error) } show((await client.query('SELECT count(*)::int AS n FROM orders')).rows);});
like(finish_node($program), qr/"code":"57014".*\n\[\{"n":20\}\]/, 'its own timeout ends the waiting, and the session goes on');
sql('SELECT hoopguard.cancel(id) FROM hoopguard.pending');

# --- In a transaction that changed something: refused with the number; waited for; sent again.
sql("UPDATE hoopguard.guardrail SET wait = '0'");
$program = begin_node(q{
    let number;
    try { await client.query("UPDATE orders SET status = 'late' WHERE id = 7"); } catch (error) { number = /Request (\d+)/.exec(error.detail)[1]; show(error.code); }
    show((await client.query('SELECT hoopguard.wait_for_decision($1) AS state', [number])).rows[0].state);
    show((await client.query("UPDATE orders SET status = 'late' WHERE id = 7")).rowCount);});
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM hoopguard.pending');
as_bob('SELECT hoopguard.approve(id) FROM hoopguard.pending');
is(finish_node($program), qq{"HG001"\n"approved"\n1}, 'refused with its number, waited for, sent again');
sql('UPDATE hoopguard.guardrail SET wait = NULL');

# --- A pool: one connection waits, the others work.
$program = begin_node(q{
    const pool = new Pool({ ...settings, max: 3 });
    const waiting = pool.query("UPDATE orders SET status = 'pooled' WHERE id = 8");
    for (let i = 0; i < 20; ++i) await pool.query('SELECT 1');
    show('others work');
    show((await waiting).rowCount);
    await pool.end();});
$id = pending(1);
for (1 .. 100) { last if slurp_file("$program->{output}") =~ /others work/; select undef, undef, undef, 0.1; }
like(slurp_file("$program->{output}"), qr/others work/, 'a pool: while one connection waits the others work');
as_bob("SELECT hoopguard.approve($id)");
is(finish_node($program), qq{"others work"\n1}, 'and it goes on');

# --- Revoked: the grant that a running statement rests on.
$program = begin_node(q{
    const number = (await client.query("SELECT hoopguard.request_access(classes => '{write}', objects => '{orders}') AS n")).rows[0].n;
    await client.query('SELECT hoopguard.wait_for_decision($1)', [number]);
    show((await client.query("UPDATE orders SET status = 'by leave' WHERE id = 9")).rowCount);
    await client.query("UPDATE orders SET status = 'never' WHERE id = 10 AND pg_sleep(600) IS NOT NULL");});
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM hoopguard.request WHERE kind = 'access'");
as_bob("SELECT hoopguard.approve(id) FROM hoopguard.request WHERE kind = 'access'");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'") or die 'does not run';
as_bob("SELECT hoopguard.revoke(id) FROM hoopguard.jit_grant WHERE state = 'active'");
like(finish_node($program), qr/^1\n.*"code":"57014".*has ended/s, 'revoked: the running statement ends');
is(sql("SELECT string_agg(id || ' ' || status, ', ' ORDER BY id) FROM orders WHERE status <> 'new'"),
    '1 sent, 2 paid, 7 late, 8 pooled, 9 by leave', 'what was approved ran, and nothing else');
$node->stop;
done_testing();
