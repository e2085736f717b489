# Every way around a guardrail, each sent in the four ways that a client has: simple, extended, named and prepared
# after ten runs, inside a function. What is refused is refused by the guardrail, not by PostgreSQL: the agent is a
# superuser.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use GuardrailCases;
use ProtocolClient;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nlog_min_messages = fatal\nmax_prepared_transactions = 2\nwal_level = logical\n");
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION hoopguard; CREATE ROLE agent SUPERUSER LOGIN; $GuardrailCases::objects");

my $admin = ProtocolClient->new($node);
my $agent = ProtocolClient->new($node, user => 'agent');

sub rule {
    my ($classes, $mode) = @_;
    my $answer = $admin->query("SELECT hoopguard.guard('g', 'block', '{$classes}', roles => '{agent}', mode => '$mode')");
    $answer =~ /E/ and die "guard: $admin->{errors}[0]{M}";
}

sub clean { $agent->query('ROLLBACK') }

sub has_way { my ($case, $way) = @_; my %option = @$case[1 .. $#$case]; return ($option{ways} // 'senf') =~ /$way/; }

# Prepares a case as a named statement and runs it ten times, each rolled back.
sub prepare {
    my ($name, $case) = @_;
    my ($sql, %option) = @$case;
    $agent->parse($name, $sql);
    $agent->sync;
    return "cannot be prepared: $agent->{errors}[0]{M}" if @{ $agent->{errors} };
    return '' if $option{once};
    for my $turn (1 .. 10) {
        $agent->query('BEGIN');
        $agent->bind('', $name);
        $agent->execute('');
        $agent->sync;
        my ($error) = @{ $agent->{errors} };
        clean();
        return "turn $turn: $error->{C} $error->{M}" if $error;
    }
    return '';
}

sub quoted { my ($sql) = @_; return "SELECT way(\$way\$$sql\$way\$)"; }

my %send = (
    s => sub { $agent->query($_[0]) },
    e => sub { $agent->parse('', $_[0]); $agent->bind('', ''); $agent->execute(''); $agent->sync },
    n => sub { $agent->bind('', $_[1]); $agent->execute(''); $agent->sync },
    f => sub { $agent->query(quoted($_[0])) },
);

# Empty when `sql` sent this way is refused by the guardrail; else what happened.
sub not_refused {
    my ($way, $sql, $name) = @_;
    my $answer = $send{$way}->($sql, $name);
    my ($error) = @{ $agent->{errors} };
    return '' if $error && $error->{C} eq '42501' && ($error->{n} // '') eq 'g';
    return $error ? "$way: $error->{C} $error->{M}" : "$way: ran ($answer)";
}

my $refusals = 0;
for my $classes (sort keys %GuardrailCases::refused) {
    my @cases = @{ $GuardrailCases::refused{$classes} };
    rule($classes, 'off');
    my @problems;
    for my $at (0 .. $#cases) {
        next unless has_way($cases[$at], 'n');
        my $problem = prepare("n$at", $cases[$at]);
        push @problems, "$cases[$at][0]: $problem" if $problem;
    }
    rule($classes, 'enforce');
    for my $at (0 .. $#cases) {
        my $sql = $cases[$at][0];
        for my $way (grep { has_way($cases[$at], $_) } qw(s e n f)) {
            my $problem = not_refused($way, $sql, "n$at");
            push @problems, "$sql: $problem" if $problem;
            $refusals++ unless $problem;
        }
    }
    is(join("\n", @problems), '', "$classes: " . scalar(@cases) . ' cases are refused');
    $agent->finish;
    $agent = ProtocolClient->new($node, user => 'agent');
}

for my $classes (sort keys %GuardrailCases::allowed) {
    my @problems;
    rule($classes, 'enforce');
    for my $case (@{ $GuardrailCases::allowed{$classes} }) {
        for my $way (qw(s e f)) {
            $agent->query('BEGIN');
            $send{$way}->($case->[0]);
            my ($error) = @{ $agent->{errors} };
            push @problems, "$case->[0]: $way: $error->{C} $error->{M}" if $error && ($error->{n} // '') eq 'g';
            clean();
        }
    }
    is(join("\n", @problems), '', "$classes: what is not of it is let through");
}
rule('database', 'off');

is($node->safe_psql('postgres', "SELECT count(*) FROM t UNION ALL SELECT count(*) FROM u UNION ALL
        SELECT count(*) FROM pg_class WHERE relname IN ('swap', 'inner_table', 'parted_1', 'made', 'thing', 'seen')"),
    "20\n3\n5", 'nothing was changed');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM hoopguard.statement WHERE guardrail = 'g' AND enforced
        AND decision = 'block' AND outcome = 'refused' AND sqlstate = '42501' AND login_role = 'agent'"),
    '>=', $refusals, "all $refusals refusals are on record");
is($node->safe_psql('postgres', 'SELECT bool_and(ok) FROM hoopguard.verify_journal()'), 't', 'the journal verifies');
$node->stop;
done_testing();
