# psql sessions that go on while the test does other things.
package Sessions;
use strict;
use warnings;
use File::Temp ();
use IPC::Run ();
use Exporter 'import';
our @EXPORT = qw(begin_psql finish_psql run_psql);

# Starts psql as a role, with a script; errors show with their SQLSTATE, detail and hint. Everything goes through
# files, so that nothing waits for the test to read it.
sub begin_psql {
    my ($node, $database, $role, $script) = @_;
    my $input = File::Temp->new;
    print $input "\\set VERBOSITY verbose\n$script\n";
    close $input;
    my $output = File::Temp->new;
    my $run = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($database), '-U', $role, '-f', "$input" ],
        '>&', "$output");
    return { run => $run, input => $input, output => $output };
}

# Waits for its end; returns all that it showed.
sub finish_psql {
    my ($session) = @_;
    IPC::Run::finish($session->{run});
    return PostgreSQL::Test::Utils::slurp_file("$session->{output}");
}

sub run_psql {
    return finish_psql(begin_psql(@_));
}

1;
