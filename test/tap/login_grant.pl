# Roles that may log in only while they have a grant, and sessions that end with it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Sessions;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\n");
$node->start;
$node->safe_psql('postgres', $_) for 'CREATE DATABASE shop', 'CREATE DATABASE vault', 'CREATE EXTENSION hoopguard';
$node->safe_psql('postgres', q{
    CREATE ROLE oncall LOGIN; CREATE ROLE dana LOGIN; CREATE ROLE boss LOGIN IN ROLE hoopguard_approver;
    SELECT hoopguard.guard('by grant', 'ask', '{login}', roles => '{oncall}', databases => '{shop,vault}');});

sub as { my ($role, $database, @sql) = @_; my $out = run_psql($node, $database, $role, join(";\n", @sql, '')); chomp $out; return $out; }
sub ask {
    my ($objects, $duration) = @_;
    my $request = as('oncall', 'postgres', "SELECT hoopguard.request_access(classes => '{login}', objects => $objects, duration => '$duration', reason => 'pager')");
    is(as('boss', 'postgres', "SELECT hoopguard.approve($request)"), 'approved', "leave for $objects is given");
    return $node->safe_psql('postgres', "SELECT id FROM hoopguard.jit_grant WHERE request = $request");
}

my $refused = qr/FATAL:.*logging in needs a just-in-time grant: guardrail "by grant".*request_access\(classes => '\{login\}', objects => '\{shop\}'/s;
like(as('oncall', 'shop', 'SELECT 1'), $refused, 'without a grant the role does not get in, and is told how to');
like($node->safe_psql('postgres', "SELECT error FROM hoopguard.session WHERE login_role = 'oncall' AND database = 'shop' AND state = 'failed'"),
    qr/needs a just-in-time grant/, 'that is on record');
is(as('dana', 'shop', 'SELECT 1'), '1', 'others get in');
is(as('oncall', 'postgres', 'SELECT 1'), '1', 'and so does the role, elsewhere');
my $grant = ask(q('{shop}'), '5 minutes');
is(as('oncall', 'shop', 'SELECT current_user, current_database()'), 'oncall|shop', 'with a grant it gets in');
like(as('oncall', 'vault', 'SELECT 1'), qr/needs a just-in-time grant/, 'only into the database that it names');

# The session ends with the grant: while it is idle, at work, after an error.
my %ways = (idle => '\! sleep 10', busy => 'SELECT pg_sleep(10);', failed => "SELECT 1/0;\n\\! sleep 10", 'in a transaction' => "BEGIN;\nSELECT 1;\n\\! sleep 10");
my $here = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'oncall'";
my %run = map { $_ => begin_psql($node, 'shop', 'oncall', "$ways{$_}\nSELECT 'still here';") } keys %ways;
$node->poll_query_until('postgres', $here, '4') or BAIL_OUT('the sessions do not come');
sleep 1;
is($node->safe_psql('postgres', $here), 4, 'sessions go on while the grant holds');
is($node->safe_psql('postgres', "SELECT hoopguard.revoke($grant)"), 'revoked', 'the grant is taken back');
ok($node->poll_query_until('postgres', $here, '0'), 'the sessions are over at once');
for my $way (sort keys %run) {
    my $out = finish_psql($run{$way});
    ok($out =~ /terminating connection|closed the connection|has ended/ && $out !~ /still here/, "a session is over: $way") or diag $out;
}
like(as('oncall', 'shop', 'SELECT 1'), $refused, 'none begins');
ask('NULL', '4 seconds');
my $late = begin_psql($node, 'vault', 'oncall', "SELECT pg_sleep(0);\n\\! sleep 12\nSELECT 'still here';");
unlike(finish_psql($late), qr/still here/, 'a grant that runs out ends its sessions too');
like(as('oncall', 'vault', 'SELECT 1'), qr/needs a just-in-time grant/, 'and lets in no more');

# What else a guardrail can say of logins.
ask(q('{shop}'), '5 minutes');
$node->safe_psql('postgres', "SELECT hoopguard.guard('closed', 'block', '{login}', databases => '{shop}', message => 'the shop is closed')");
like(as($_, 'shop', 'SELECT 1'), qr/FATAL:.*the shop is closed/, "what is blocked stays blocked: $_") for qw(oncall dana);
is($node->safe_psql('shop', 'SELECT 1'), '1', 'a superuser at the local socket gets in, whatever is blocked');
$node->safe_psql('postgres', "UPDATE hoopguard.guardrail SET mode = 'observe' WHERE name = 'closed'");
is(as('dana', 'shop', 'SELECT 1'), '1', 'what is only observed lets in');
$node->safe_psql('postgres', "SELECT hoopguard.guard('all', 'block', '{*}', roles => '{dana}', message => 'nothing')");
like(as('dana', 'shop', 'CREATE TEMP TABLE t ()'), qr/ERROR:.*nothing/, '"*" is about statements: the role gets in, and is told');
$node->stop;

# No policy to be had: its images are spoilt, and the broker has no database to make another from.
for my $image (grep { -f } glob($node->data_dir . '/hoopguard/policy/*')) {
    open my $file, '>', $image or die;
    print $file 'spoilt';
    close $file;
}
$node->append_conf('postgresql.conf', "hoopguard.database = 'nowhere'\n");
$node->start;
my $begun = time;
like(as('dana', 'vault', 'SELECT 1'), qr/FATAL:.*policy/, 'without the policy nobody is let in');
cmp_ok(time - $begun, '<', 15, 'which takes no long time to say');
is($node->safe_psql('vault', 'CREATE TABLE way_in (id int); INSERT INTO way_in VALUES (1); TABLE way_in'), '1', 'but a superuser at the local socket is, and may work');
$node->stop('fast', fail_ok => 1);
done_testing();
