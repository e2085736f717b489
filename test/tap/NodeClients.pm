# The programs of test/clients in a directory of the test's own, with what npm installs for them.
package NodeClients;
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

# Says in `skipped` why npm cannot reach its registry; gives the test up when it fails otherwise.
sub new {
    my ($class, $directory) = @_;
    my $self = bless {directory => "$directory/clients"}, $class;
    mkdir $self->{directory};
    system_or_bail('cp', glob("$ENV{HOOPGUARD_TOP}/test/clients/*"), $self->{directory});
    local $ENV{HOME} = $directory;
    my ($installed, $said) = $self->run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries', '1', '--fetch-timeout', '20000');
    return $self if $installed;
    BAIL_OUT("npm: $said") unless $said =~ /ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN|network|timeout/i;
    $self->{skipped} = 'npm cannot install what test/clients needs (is its registry reachable?): ' . (split /\n/, $said)[0];
    return $self;
}

# Runs a program there, at most two minutes long; what it says, in list context whether it succeeded and what it says.
sub run {
    my ($self, @command) = @_;
    my ($out, $err) = ('', '');
    delete local $ENV{LD_PRELOAD};
    my $run = eval { IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err, init => sub { chdir $self->{directory} }, IPC::Run::timeout(120)) };
    chomp $out;
    return wantarray ? ($run, "$out$err") : $run ? $out : "$out\n$err$@";
}

1;
