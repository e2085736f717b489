# A minimal client of the wire protocol (version 3, trust authentication, simple queries): it knows exactly which
# statements the server has answered, which psql behind a pipe does not.
package WireClient;

use strict;
use warnings;
use IO::Socket::UNIX;

# WireClient->new($socket_directory, $port, user => …, database => …): undef when there is no connection.
sub new
{
	my ($class, $directory, $port, %option) = @_;
	my $user = $option{user} // 'postgres';
	my $database = $option{database} // 'postgres';
	my $socket = IO::Socket::UNIX->new(Peer => "$directory/.s.PGSQL.$port") or return;
	my $self = bless { socket => $socket }, $class;
	my $body = pack('N', 196608) . "user\0$user\0database\0$database\0application_name\0wire\0\0";
	$self->_send(pack('N', 4 + length $body) . $body) or return;
	my $answer = $self->_answer or return;
	return $answer->{error} ? undef : $self;
}

# One simple query. undef: the connection died before the answer was whole. Otherwise { rows, tags, error }:
# first columns of all rows, command tags, SQLSTATE of an error.
sub query
{
	my ($self, $text) = @_;
	$self->_send('Q' . pack('N', 5 + length $text) . "$text\0") or return;
	return $self->_answer;
}

sub pid { return $_[0]{pid} }

sub close
{
	my ($self) = @_;
	$self->_send('X' . pack('N', 4));
	CORE::close($self->{socket});
	return;
}

sub _send
{
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	my $put = syswrite($self->{socket}, $bytes);
	return defined $put && $put == length $bytes;
}

sub _read
{
	my ($self, $size) = @_;
	my $bytes = '';
	while (length $bytes < $size)
	{
		my $got = sysread($self->{socket}, $bytes, $size - length $bytes, length $bytes);
		return unless $got;
	}
	return $bytes;
}

sub _answer
{
	my ($self) = @_;
	my %answer = (rows => [], tags => []);
	while (1)
	{
		my $head = $self->_read(5) // return;
		my ($type, $length) = unpack('a N', $head);
		my $body = $length > 4 ? $self->_read($length - 4) // return : '';
		if ($type eq 'Z') { return \%answer }
		elsif ($type eq 'K') { $self->{pid} = unpack('N', $body) }
		elsif ($type eq 'C') { push @{ $answer{tags} }, unpack('Z*', $body) }
		elsif ($type eq 'D')
		{
			my ($columns, $size) = unpack('n N', $body);
			push @{ $answer{rows} }, $size == 0xFFFFFFFF ? undef : substr($body, 6, $size);
		}
		elsif ($type eq 'E')
		{
			my %field = map { (substr($_, 0, 1), substr($_, 1)) } grep { length } split /\0/, $body;
			$answer{error} = $field{C};
			$answer{message} = $field{M};
			return \%answer if ($field{V} // '') eq 'FATAL';
		}
	}
}

1;
