# The journal's background workers, which have no database and so no row in pg_stat_activity.
package JournalWorkers;

use strict;
use warnings;

# Process ids of the postmaster's children whose title ends in one of the names: worker_pids($pid, 'sealer').
sub worker_pids
{
	my ($postmaster, @names) = @_;
	my @found;
	for my $directory (glob '/proc/[0-9]*')
	{
		my ($pid) = $directory =~ /(\d+)$/;
		open(my $stat, '<', "$directory/stat") or next;
		my $line = <$stat> // '';
		close $stat;
		my ($parent) = $line =~ /\) \S (\d+) / or next;
		next if $parent != $postmaster;
		open(my $title, '<', "$directory/cmdline") or next;
		my $text = <$title> // '';
		close $title;
		push @found, $pid if grep { $text =~ /hoopguard \Q$_\E/ } @names;
	}
	return @found;
}

1;
