# A cluster that held a policy and cannot read it refuses whoever the policy might concern; a superuser on the local
# socket gets in, to mend it; both are on record. Once the policy is back it rules at once.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\n");
$node->start;
$node->safe_psql('postgres', q{CREATE ROLE agent LOGIN; CREATE ROLE other LOGIN; CREATE TABLE t (id int);
    GRANT ALL ON t TO agent, other});
$node->safe_psql('postgres', 'CREATE DATABASE control');
$node->append_conf('postgresql.conf', "hoopguard.database = 'control'\n");
$node->restart;

# What psql says as a role, its SQLSTATE first.
sub says {
    my ($role, $sql) = @_;
    my ($code, $out, $err) = $node->psql('postgres', $sql, extra_params => ['-U', $role, '-v', 'VERBOSITY=verbose']);
    return $out . ($err =~ s/LOCATION:.*//sr);
}

is(says('agent', 'SELECT 1'), '1', 'a cluster that never held a policy allows');
$node->safe_psql('control', q{CREATE EXTENSION hoopguard;
    SELECT hoopguard.guard('no deletes', 'block', '{write.delete}', roles => '{agent}')});
like(says('agent', 'DELETE FROM t WHERE id = 1'), qr/42501.*write\.delete/s, 'the policy is in force');
is(says('other', 'SELECT 1'), '1', 'for whom it names');

# Nobody compiles a policy anew where the control database is gone: the image on disk is all there is.
$node->safe_psql('postgres', 'ALTER DATABASE control RENAME TO elsewhere');
$node->restart;
like(says('agent', 'DELETE FROM t WHERE id = 1'), qr/42501.*write\.delete/s, 'the image outlives the control database');

my @images = glob $node->data_dir . '/hoopguard*/*.image ' . $node->data_dir . '/hoopguard*/*/*.image';
cmp_ok(scalar @images, '>=', 1, 'it is a file');
my %good = map { $_ => slurp_file($_) } @images;

sub put {
    my ($path, $bytes) = @_;
    chmod 0600, $path;
    open my $file, '>:raw', $path or die "$path: $!";
    print $file $bytes;
    close $file or die;
}
sub with_images {
    my ($change) = @_;
    $node->stop;
    put($_, $change->($good{$_})) for @images;
    $node->start;
}

my %damage = (
    'cut short' => sub { substr $_[0], 0, length($_[0]) / 2 },
    'empty' => sub { '' },
    'of another cluster or altered' => sub { my $copy = $_[0]; substr($copy, length($copy) - 9, 1) ^= "\x40"; $copy },
    'overwritten' => sub { "\xff" x length $_[0] },
);
for my $how (sort keys %damage) {
    with_images($damage{$how});
    like(says('agent', 'DELETE FROM t WHERE id = 1'), qr/FATAL: .*hoopguard cannot read the policy in force.*DETAIL:.*HINT:.*hoopguard\.database/s,
        "an image $how: an agent is turned away, and told what to do");
    like(says('other', 'SELECT 1'), qr/FATAL: .*cannot read the policy/, "an image $how: so is everybody else");
    is(says('postgres', 'SELECT 1'), '1', "an image $how: a superuser on the local socket is not");
    is(says('postgres', 'INSERT INTO t VALUES (1); UPDATE t SET id = 2; BEGIN; DELETE FROM t; COMMIT; PREPARE q AS SELECT 3; EXECUTE q; '
            . 'DO $$BEGIN PERFORM id FROM t; END$$; SET ROLE agent; RESET ROLE'), '3', "an image $how: nor in any way of working");
}

# A change that was being committed at a crash, with a control database that nobody gets into to compile it.
with_images(sub { $_[0] });
says('postgres', 'ALTER DATABASE elsewhere RENAME TO control');
says('postgres', 'ALTER DATABASE control ALLOW_CONNECTIONS false');
my ($directory) = $images[0] =~ m{(.*)/};
$node->stop;
put("$directory/00000000000000ff.mark", '');
$node->start;
like(says('agent', 'SELECT 1'), qr/FATAL: .*being committed when the server stopped/s, 'a change that no image holds yet: turned away');
is(says('postgres', 'SELECT 1'), '1', 'but for a superuser on the local socket');

# The control database comes back: its policy rules at once.
says('postgres', 'ALTER DATABASE control ALLOW_CONNECTIONS true');
ok($node->poll_query_until('control', q{SELECT count(*) = 1 FROM hoopguard.doctor() WHERE check_name = 'control_database' AND status = 'ok'}),
    'the control database is back');
my $said = '';
for (1 .. 100) {
    $said = says('agent', 'DELETE FROM t WHERE id = 1');
    last unless $said =~ /FATAL/;
    select undef, undef, undef, 0.1;
}
like($said, qr/42501.*write\.delete/s, 'and its policy is in force');
is($node->safe_psql('control', q{SELECT count(*) > 8 FROM hoopguard.session WHERE login_role IN ('agent', 'other') AND error ~ 'cannot read the policy'}), 't',
    'whoever was refused is on record');
is($node->safe_psql('control', q{SELECT count(*) > 0 FROM hoopguard.statement WHERE login_role = 'postgres' AND statement = 'SELECT 1'}),
    't', 'and so is the superuser');
is($node->safe_psql('control', 'SELECT bool_and(ok) FROM hoopguard.verify_journal()'), 't', 'the journal verifies');
$node->stop;
done_testing();
