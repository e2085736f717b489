# An actor that is locked is out: running, idle, between statements, when it comes again, with the agents it owns,
# on the primary and on a standby. Every wait ends by itself only after minutes: a session that stays fails the test.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use ProtocolClient;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\n");
$primary->start;
$primary->safe_psql('postgres', q{CREATE EXTENSION hoopguard; CREATE DATABASE other;
    CREATE ROLE alice LOGIN; CREATE ROLE bot LOGIN; CREATE ROLE bystander LOGIN; CREATE ROLE sender LOGIN REPLICATION;
    INSERT INTO hoopguard.actor (name, kind, owner) VALUES ('bot', 'agent', 'alice')});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

sub login { my ($node, $role, %more) = @_; return ProtocolClient->new($node, user => $role, %more); }
sub sqlstate { my ($client) = @_; return join ',', map { "$_->{S} $_->{C}" } @{ $client->{errors} }; }
# What a client of that role is told that tries to log in.
sub turned_away {
    my ($node, $role) = @_;
    my ($status, $out, $error) = $node->psql('postgres', 'SELECT 1', extra_params => [ '-U', $role, '-w' ]);
    return $error;
}

my (%idle, %open, %busy);
for my $node ($primary, $standby) {
    my $name = $node->name;
    $idle{$name} = login($node, 'bot', database => 'other');
    $open{$name} = login($node, 'alice');
    $open{$name}->query('BEGIN; SELECT 1');
    $busy{$name} = login($node, 'bot');
    $busy{$name}->message('Q', "SELECT pg_sleep(300)\0");
}
my $bystander = login($standby, 'bystander');
my $sleeping = q{SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(300)'};
$_->poll_query_until('postgres', $sleeping) for $primary, $standby;

my $said = $primary->safe_psql('postgres', q{SELECT what, split_part(detail, ' ', CASE what WHEN 'session' THEN 3 ELSE 1 END)
      FROM hoopguard.lock_actor('alice', 'laptop lost') ORDER BY 1, 2});
is($said, "actor|alice\nagent|bot\nsession|alice\nsession|bot\nsession|bot", 'lock_actor() tells what it does');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
for my $node ($primary, $standby) {
    my $name = $node->name;
    like($busy{$name}->answers, qr/closed/, "$name: a running statement is ended, and its session");
    is(sqlstate($busy{$name}), 'FATAL 57P01', "$name: by the server");
    like($idle{$name}->answers, qr/closed/, "$name: an idle session ends, in a database without the extension");
    like($open{$name}->answers, qr/closed/, "$name: an open transaction ends");
    $node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM hoopguard.actor_lock});
    like(turned_away($node, 'alice'), qr/FATAL:  actor "alice" is locked/, "$name: no login");
    like(turned_away($node, 'bot'), qr/FATAL:  actor "bot" is locked/, "$name: nor for the agent");
    is($node->safe_psql('postgres', q{SELECT name, agents FROM hoopguard.actor_lock}), 'alice|{bot}', "$name: the lock shows");
}
like($bystander->query('SELECT 1'), qr/^TDCZ/, 'others go on');
is($primary->safe_psql('postgres', q{SELECT login_role, state, count(*) FROM hoopguard.session
       WHERE login_role IN ('alice', 'bot') GROUP BY 1, 2 ORDER BY 1, 2}),
    "alice|ended|1\nalice|failed|1\nbot|ended|2\nbot|failed|1", 'all of it is on record');

$primary->safe_psql('postgres', q{SELECT hoopguard.unlock_actor('alice')});
like(turned_away($primary, 'bot'), qr/^$/, 'an unlocked agent comes in again');
$primary->append_conf('postgresql.conf', "hoopguard.mode = 'observe'\n");
$primary->reload;
my $late = login($primary, 'alice');
$primary->safe_psql('postgres', qq{BEGIN; SELECT hoopguard.lock_actor('alice', 'again', now() + interval '1 hour', false); COMMIT});
like($late->query('SELECT 1'), qr/closed/, 'a locked actor is out even while everything is only observed');
like(turned_away($primary, 'bot'), qr/^$/, 'owned => false leaves agents alone');

# A replication connection, and one session by its id.
my $sender = login($primary, 'sender', replication => 'true');
$primary->safe_psql('postgres', q{SELECT hoopguard.lock_actor('sender', 'stolen key')});
like($sender->answers, qr/closed/, 'a replication connection ends');
my $other = login($standby, 'bystander');
my $id = $standby->safe_psql('postgres', "SELECT session_id FROM hoopguard.live_session() WHERE pid = $other->{pid}");
is($standby->safe_psql('postgres', "SELECT hoopguard.end_session('$id', 'looks odd')"), 't', 'end_session() on a standby');
like($other->answers, qr/closed/, 'that session ends');
like($bystander->query('SELECT 1'), qr/^TDCZ/, 'and no other');

done_testing();
