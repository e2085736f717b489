# What policy, incidents and reviews need is called from whatever database: done in the control database, by nobody but
# whoever calls, and answered as there. Whoever may not call it has no way through.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('everywhere');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hoopguard'\nfsync = off\nhoopguard.approval_wait = 0\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION hoopguard; CREATE DATABASE shop; CREATE DATABASE bare;
    CREATE ROLE ada LOGIN IN ROLE hoopguard_admin; CREATE ROLE olga LOGIN IN ROLE hoopguard_auditor; CREATE ROLE policy IN ROLE hoopguard_admin;
    CREATE ROLE mallory LOGIN; CREATE ROLE eve LOGIN NOINHERIT IN ROLE policy; CREATE ROLE agent LOGIN; CREATE ROLE bot LOGIN; CREATE ROLE dana LOGIN; CREATE ROLE readers;
    INSERT INTO hoopguard.actor (name, kind) VALUES ('bot', 'agent');
    REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
    GRANT hoopguard_admin TO bot});
$node->safe_psql('shop', q{CREATE EXTENSION hoopguard; CREATE TABLE t (id int, email text); GRANT SELECT ON t TO readers, agent; GRANT CREATE ON SCHEMA public TO mallory; GRANT CREATE ON DATABASE shop TO mallory});

sub as {
    my ($role, $sql, %more) = @_;
    my ($status, $out, $error) = $node->psql($more{database} // 'shop', "\\set VERBOSITY verbose\n$sql",
        extra_params => [ '-U', $role, '-w' ], on_error_stop => 0);
    return wantarray ? ($out, $error) : $error =~ /ERROR|FATAL/ ? $error : $out;
}
sub ask { return $node->safe_psql('postgres', $_[0]); }
sub last_change { return ask("SELECT by FROM hoopguard.policy_history WHERE object = '$_[0]' ORDER BY entry DESC LIMIT 1"); }

# Every function, as a member of hoopguard_admin who cannot even connect to the control database.
like(as('ada', 'SELECT 1', database => 'postgres'), qr/permission denied for database/, 'the control database is closed to her');
is(as('ada', q{SET intervalstyle = 'sql_standard'; SET datestyle = 'German';
    SELECT hoopguard.guard('slow', 'warn', '{read}', roles => '{agent, "group:x y"}', max_duration => interval '1 day 02:03:04', max_cost => 1e10, message => E'it''s\n\\\\slow')}), '', 'guard');
is(ask(q{SELECT roles, max_duration, max_cost, message FROM hoopguard.guardrail WHERE name = 'slow'}), "{agent,\"group:x y\"}|1 day 02:03:04|10000000000|it's\n\\slow", 'with every value as it was');
is(last_change('guardrail slow'), 'ada', 'by her');
my ($out, $warning) = as('ada', q{SELECT hoopguard.guard('drops', 'block', '{ddl.drop}')});
like($warning, qr/WARNING:  01000: guardrail "drops" covers superusers.*HINT:  Name in except_roles/s, 'a warning arrives');
is(as('ada', q{SELECT hoopguard.unguard('drops')}), '', 'unguard');
my %calls = (
    protect_agent => [q{SELECT count(*) > 20 FROM hoopguard.protect_agent('agent', owner => 'dana', purpose => 'p')}, 't', q{SELECT owner FROM hoopguard.actor WHERE name = 'agent'}, 'dana'],
    unprotect_agent => [q{SELECT count(*) FROM hoopguard.unprotect_agent('agent')}, '4', q{SELECT count(*) FROM hoopguard.actor WHERE name = 'agent'}, '0'],
    set_mask => [q{SELECT hoopguard.set_mask('email', 'partial(1, 2)', '{readers}', 7, databases => '{shop}')}, '', q{SELECT method, rank, databases FROM hoopguard.mask_policy WHERE rank = 7}, 'partial(1, 2)|7|{shop}'],
    set_provider => [q{SELECT hoopguard.set_provider('corp', 'oidc', 'https://id.example', '{db}', jwks => '{"keys": []}', max_session => '1 hour')}, '', q{SELECT audience, jwks, max_session FROM hoopguard.provider}, '{db}|{"keys": []}|01:00:00'],
    map_group => [q{SELECT hoopguard.map_group('corp', 'staff', 'readers')}, '', q{SELECT role, session_role FROM hoopguard.role_map}, 'readers|mapped'],
    map_claims => [q{SELECT hoopguard.map_claims('corp', '{"repo": "a/*"}', 'readers', 'temporary', 5)}, '', q{SELECT claims, session_role, rank FROM hoopguard.role_map WHERE claims IS NOT NULL}, '{"repo": "a/*"}|temporary|5'],
    unmap_claims => [q{SELECT hoopguard.unmap_claims('corp', '{"repo": "a/*"}')}, '', q{SELECT count(*) FROM hoopguard.role_map}, '1'],
    unmap_group => [q{SELECT hoopguard.unmap_group('corp', 'staff')}, '', q{SELECT count(*) FROM hoopguard.role_map}, '0'],
    drop_provider => [q{SELECT hoopguard.drop_provider('corp')}, '', q{SELECT count(*) FROM hoopguard.provider}, '0'],
    drop_mask => [q{SELECT hoopguard.drop_mask('email', '{readers}')}, '', q{SELECT count(*) FROM hoopguard.mask_policy}, '0'],
    lock_actor => [q{SELECT what, detail FROM hoopguard.lock_actor('dana', 'left') WHERE what = 'actor'}, 'actor|dana is locked until unlock_actor()', q{SELECT locked_by FROM hoopguard.actor_lock}, 'ada'],
    unlock_actor => [q{SELECT hoopguard.unlock_actor('dana')}, '', q{SELECT count(*) FROM hoopguard.actor_lock}, '0'],
    gather_access => [q{SELECT hoopguard.gather_access() > 0}, 't', q{SELECT count(*) > 0 FROM hoopguard.access_gathering WHERE error IS NULL AND database = 'shop'}, 't'],
    access_report => [q{SELECT hoopguard.access_report() LIKE '%Made % control database postgres%'}, 't'],
    access_findings => [q{SELECT count(*) > 0 FROM hoopguard.access_findings()}, 't'],
    backtest => [q{SELECT database, verdict FROM hoopguard.backtest('slow', '1 hour') LIMIT 1}, ''],
    right_size => [q{SELECT count(*) FROM hoopguard.right_size('agent')}, '2'],
);
for my $name (qw(protect_agent unprotect_agent set_mask set_provider map_group map_claims unmap_claims unmap_group drop_provider drop_mask
                 lock_actor unlock_actor gather_access access_report access_findings backtest right_size)) {
    my ($call, $answer, $look, $found) = @{ $calls{$name} };
    is(as('ada', $call), $answer, $name);
    is(ask($look), $found, "$name: it is done") if defined $look;
}
is(as('ada', q{SELECT hoopguard.classify_column('t', 'email', 'email'); SELECT hoopguard.declassify_column('t', 'email')}), "\n", 'labels are of the database itself');

($out, $warning) = as('ada', q{SELECT count(*) FROM hoopguard.lock_actor('ada', 'by mistake')});
like($warning, qr/WARNING:  01000: you have locked yourself out\nHINT:  Your sessions end now/, 'whoever locks himself is told that no ROLLBACK helps');
ask(q{SELECT hoopguard.unlock_actor('ada')});

# Reviews, by an auditor; whoever opened and decided is he.
like(as('olga', q{SELECT hoopguard.open_review('q1', now() + interval '5 days', '{readers,agent}')}), qr/^[1-9]\d*$/, 'open_review');
is(ask(q{SELECT opened_by FROM hoopguard.review}), 'olga', 'opened by him');
my $item = ask(q{SELECT id FROM hoopguard.review_item WHERE database = 'shop' AND object = 'public.t' AND actor = 'agent'});
is(as('olga', "SELECT hoopguard.reassign($item, 'dana')"), '', 'reassign');
is(as('olga', "SELECT count(*) FROM hoopguard.review_effect('q1', '{$item}')"), '0', 'review_effect');
like(as('mallory', "SELECT hoopguard.certify($item, 'revoke')"), qr/ERROR:  42501: item $item is not yours to decide/, 'nobody certifies what is not his');
like(as('dana', "SELECT hoopguard.certify($item, 'revoke', 'not needed')"), qr/revoked/, 'certify, by its reviewer');
is(ask("SELECT decided_by FROM hoopguard.review_item WHERE id = $item"), 'dana', 'decided by her');
is($node->safe_psql('shop', q{SELECT has_table_privilege('agent', 't', 'select')}), 'f', 'and the privilege is gone, in the database that she called from');
like(as('olga', q{SELECT hoopguard.close_review('q1')}), qr/^\d+$/, 'close_review');
is(ask('SELECT closed_by FROM hoopguard.review'), 'olga', 'closed by him');

# Errors as there: SQLSTATE, message, detail, hint, and nothing of the way.
like(as('ada', q{SELECT hoopguard.guard('x', 'forbid', '{read}')}), qr/^psql:<stdin>:\d+: ERROR:  22023: invalid value for column "action" of guardrail "x": "forbid"\nHINT:  Allowed: warn, ask, block\.$/m, 'a bad value');
like(as('ada', q{SELECT hoopguard.unguard('none')}), qr/ERROR:  42704: guardrail "none" does not exist\nHINT:  The names are in hoopguard.guardrail\./, 'a missing name');
like(as('ada', q{SELECT hoopguard.lock_actor('postgres', 'x')}), qr/ERROR:  55000: locking "postgres" would leave no superuser who can log in/, 'a lock that cannot be meant');
like(as('ada', q{BEGIN READ ONLY; SELECT hoopguard.unguard('slow')}), qr/ERROR:  25006: cannot execute hoopguard.unguard\(\) in a read-only transaction/, 'a read-only transaction');

# It is done at once, and stays.
as('ada', q{BEGIN; SELECT hoopguard.guard('kept', 'warn', '{ddl}', roles => '{agent}'); ROLLBACK});
is(ask(q{SELECT count(*) FROM hoopguard.guardrail WHERE name = 'kept'}), '1', 'a rollback does not undo it');

# In whose name: roles that are set, and functions with their owner's rights.
like(as('eve', q{SELECT hoopguard.unguard('kept')}), qr/ERROR:  42501: permission denied for function unguard/, 'who does not inherit may not');
is(as('eve', q{SET ROLE policy; SELECT hoopguard.unguard('kept')}), '', 'with the role set she may');
is(last_change('guardrail kept'), 'eve', 'and it is she who did');
is(ask(q{SELECT DISTINCT actor || ' ' || login_role || ' ' || effective_role FROM hoopguard.statement
          WHERE statement LIKE '%FROM hoopguard.unguard(%kept%' AND application_name LIKE 'hoopguard for session %' AND actor = 'eve'}), 'eve eve policy', 'in the journal of the control database too');

# A guardrail on policy meets the call where it is made; agents never change policy.
ask(q{SELECT hoopguard.guard('policy', 'ask', '{policy}', roles => '{ada}')});
like(as('ada', q{SELECT hoopguard.unguard('slow')}), qr/ERROR:  HG001/, 'a guardrail asks');
like(as('ada', q{SELECT hoopguard.lock_actor('agent', 'x') IS NULL FROM generate_series(1, 1)}), qr/ERROR:  HG001/, 'whatever the call looks like');
ask(q{SELECT hoopguard.unguard('policy')});
like(as('bot', q{SELECT hoopguard.unguard('slow')}), qr/ERROR:  42501: hoopguard does not allow this to be done to itself/, 'an agent with every privilege is stopped');
is(as('bot', q{SELECT hoopguard.classify('SELECT hoopguard.unguard(''x'')')}), '{policy}', 'the class of a call');

# No way through for the others.
for my $call (q{guard('m', 'warn', '{ddl}')}, q{unguard('slow')}, q{lock_actor('ada', 'x')}, q{right_size('ada')}, q{access_report()}, q{uninstall('x', false)},
              q{set_session_preload('agent', false)}, q{store_preload('agent', '{}')}, q{in_database('postgres', 'SELECT 1')}, q{control_rows('access')}) {
    like(as('mallory', "SELECT hoopguard.$call"), qr/ERROR:  42501: permission denied for function/, "mallory cannot call $call");
}
like(as('mallory', q{CREATE FUNCTION public.unguard(text) RETURNS void LANGUAGE c AS 'hoopguard', 'hoopguard_elsewhere'}), qr/ERROR:  42501: permission denied for language c/, 'nor make a function of the same code');
like($node->psql('shop', q{CREATE FUNCTION public.unguard(name text) RETURNS void LANGUAGE c AS 'hoopguard', 'hoopguard_elsewhere'; SELECT public.unguard('slow')}, on_error_stop => 1) ? ($node->psql('shop', q{SELECT public.unguard('slow')}))[2] : '',
    qr/this is no function of hoopguard's/, 'which does nothing outside of hoopguard\'s schema, whoever makes it');
like(as('mallory', q{CREATE FUNCTION hoopguard.guard2() RETURNS void LANGUAGE sql AS ''}), qr/ERROR:  42501: hoopguard does not allow this/, 'the schema is closed');
# Names of the caller's choice on the path, and texts that try to leave their literal.
as('mallory', q{CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO PUBLIC;
    CREATE FUNCTION trap.coalesce(jsonb, text) RETURNS jsonb LANGUAGE sql AS 'SELECT 1/0; SELECT $1';
    CREATE FUNCTION trap.jsonb_agg(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT 1/0; SELECT $1';
    CREATE DOMAIN trap.text AS pg_catalog.text CHECK (false)});
is(as('ada', q{SET search_path = trap, pg_catalog; SELECT hoopguard.guard('path', 'warn', '{ddl}', roles => '{agent}')}), '', 'the caller\'s path changes nothing');
for my $text (q{x'); SELECT hoopguard.unguard('slow'); --}, q{\\'); DROP EXTENSION hoopguard; --}, q{$$x$$}, q{x' => 'y}) {
    (my $quoted = $text) =~ s/'/''/g;
    as('ada', "SET standard_conforming_strings = on; SELECT hoopguard.guard('inject', 'warn', '{ddl}', roles => '{agent}', message => '$quoted')");
    is(ask(q{SELECT message FROM hoopguard.guardrail WHERE name = 'inject'}), $text, "a text stays a text: $text");
}
is(ask(q{SELECT count(*) FROM hoopguard.guardrail WHERE name = 'slow'}), '1', 'nothing was run by it');
# What she leaves about for an administrator to step on.
as('mallory', q{CREATE FUNCTION public.harmless() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM hoopguard.unguard('slow'); RETURN 1; END $$;
    CREATE FUNCTION public.sly() RETURNS void LANGUAGE sql AS $$ SELECT hoopguard.unguard('slow') $$;
    CREATE VIEW public.innocent AS SELECT public.harmless();
    CREATE TABLE public.diary (note text); GRANT ALL ON public.diary, public.innocent TO PUBLIC;
    CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM hoopguard.unguard('slow'); RETURN NEW; END $$;
    CREATE TRIGGER noted BEFORE INSERT ON public.diary FOR EACH ROW EXECUTE FUNCTION public.noted()});
for my $step (q{SELECT public.harmless()}, q{SELECT public.sly()}, q{SELECT * FROM public.innocent}, q{INSERT INTO public.diary VALUES ('x')}) {
    like(as('ada', $step), qr/ERROR:  42501: hoopguard.unguard\(\) was not called by the client itself/, "an administrator is not led to call it: $step");
}
as('mallory', q{CREATE FUNCTION public.at_index(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM hoopguard.unguard('slow'); RETURN $1; END $$;
    INSERT INTO public.diary SELECT 'x' FROM generate_series(1, 10); });
as('mallory', q{ALTER TABLE public.diary DISABLE TRIGGER noted; INSERT INTO public.diary SELECT 'x' FROM generate_series(1, 10); CREATE INDEX ON public.diary (public.at_index(note))});
is(ask(q{SELECT count(*) FROM hoopguard.guardrail WHERE name = 'slow'}), '1', 'the guardrail stands');

# Bounded waits, plain errors.
like(as('ada', q{SET statement_timeout = '300ms'; SELECT hoopguard.rebuild_usage()}), qr/ERROR:  42501/, 'maintenance is for the owner');
my ($held, $in) = ('', "BEGIN; LOCK TABLE hoopguard.guardrail; SELECT 'held';\n");
my $other = IPC::Run::start(['psql', '-XAt', '-d', $node->connstr('postgres')], '<', \$in, '>', \$held, '2>', \my $none, IPC::Run::timeout(120));
$other->pump until $held =~ /held/;
like(as('ada', q{SET lock_timeout = '200ms'; SELECT hoopguard.guard('waits', 'warn', '{ddl}')}), qr/ERROR:  55P03: canceling statement due to lock timeout/, 'a lock there is not waited for longer than lock_timeout');
like(as('ada', q{SET statement_timeout = '400ms'; SELECT hoopguard.guard('waits', 'warn', '{ddl}')}), qr/ERROR:  57014: canceling statement due to statement timeout/, 'nor longer than statement_timeout');
$in = "ROLLBACK;\n\\q\n";
$other->finish;
is(ask(q{SELECT count(*) FROM hoopguard.guardrail WHERE name = 'waits'}), '0', 'and nothing is done then');
is(ask(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'hoopguard errand'}), '0', 'no worker is left');

# Without a broker the change is kept, and it is said that it is not in force.
my $broker = ask(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'hoopguard broker'});
kill 'STOP', $broker;
($out, $warning) = as('ada', q{SELECT hoopguard.guard('late', 'warn', '{ddl}', roles => '{agent}')});
like($warning, qr/WARNING:  01000: the change of policy is committed but not yet in force.*DETAIL:  The hoopguard broker has not answered/s, 'a broker that does not answer is named');
kill 'CONT', $broker;

# A control database without the extension, and none at all.
is(as('postgres', q{SELECT count(*) > 5 FROM hoopguard.uninstall('the test is over')}), 't', 'uninstall tells what it would do');
like(as('postgres', q{SELECT string_agg(DISTINCT database, ' ' ORDER BY database) FROM hoopguard.uninstall('the test is over', false)}), qr/bare postgres shop/, 'and does it');
is(ask('SELECT count(*) FROM hoopguard.guardrail'), '0', 'the policy is empty');
$node->safe_psql('postgres', 'DROP EXTENSION hoopguard');
like(as('ada', q{SELECT hoopguard.guard('x', 'warn', '{ddl}')}), qr/ERROR:  55000: the control database "postgres" does not hold hoopguard as this library needs it.*HINT:  Run CREATE EXTENSION hoopguard there/s, 'no extension there');
$node->append_conf('postgresql.conf', "hoopguard.database = 'nowhere'\n");
$node->restart;
like(as('ada', q{SELECT hoopguard.guard('x', 'warn', '{ddl}')}), qr/ERROR:  55000: the control database "nowhere" does not hold hoopguard.*DETAIL:  database "nowhere" does not exist/s, 'no such database');
done_testing();
