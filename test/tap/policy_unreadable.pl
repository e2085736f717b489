# A policy that cannot be read: everybody is refused, but a superuser on a local socket, who can mend it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('unreadable');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\n");
$node->start;
$node->safe_psql('postgres', q{
    CREATE EXTENSION hoopguard;
    CREATE ROLE agent LOGIN;
    CREATE TABLE t (a int, b text);
    GRANT ALL ON t TO agent;
    SELECT hoopguard.classify_column('t', 'b', 'email');
    SELECT hoopguard.guard('no-delete', 'block', '{write.delete}', roles => '{agent}')});
my $ask = sub {
    my ($role, $query) = @_;
    my ($status, $out, $err) = $node->psql('postgres', $query, extra_params => [ '-U', $role ]);
    return $status == 0 ? "ok $out" : $err;
};
is($ask->('agent', 'SELECT count(*) FROM t'), 'ok 0', 'the agent reads');

my ($image) = reverse sort glob($node->data_dir . '/hoopguard/policy/*.image');
ok(defined $image, 'the policy is in an image');
rename $image, "$image.away" or die $!;
like($ask->('agent', 'SELECT count(*) FROM t'), qr/hoopguard cannot read the policy in force/, 'without it the agent is refused');
my $super = getpwuid($<);
is($ask->($super, 'SELECT count(*) FROM t'), 'ok 0', 'a superuser on a local socket reads');
is($ask->($super, 'INSERT INTO t VALUES (1); UPDATE t SET a = 2; BEGIN; SELECT a FROM t; COMMIT'), 'ok 2', 'and writes');
is($ask->($super, 'PREPARE q AS SELECT a FROM t; EXECUTE q; DO $$BEGIN PERFORM a FROM t; END$$; SET ROLE agent; RESET ROLE'),
    'ok 2', 'in every way');

rename "$image.away", $image or die $!;
like($ask->('agent', 'DELETE FROM t'), qr/no-delete/, 'with it all is as before');
is($ask->('agent', 'SELECT count(*) FROM t'), 'ok 1', 'for the agent too');

done_testing();
