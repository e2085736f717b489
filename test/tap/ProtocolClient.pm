# A client of the frontend/backend protocol, for what psql does not send: portals fetched in pieces, pipelines,
# fastpath calls. https://www.postgresql.org/docs/15/protocol-message-formats.html
package ProtocolClient;

use strict;
use warnings;
use Errno ();
use IO::Socket::UNIX;

# new(NODE, user => …, database => …): connects by the node's socket; its HBA must ask for no password.
sub new {
    my ($class, $node, %startup) = @_;
    my $path = $node->host . '/.s.PGSQL.' . $node->port;
    my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) or die "cannot connect to $path: $!";
    my $self = bless { socket => $socket }, $class;
    my %all = (user => 'postgres', database => 'postgres', %startup);
    my $body = pack('N', 196608) . join('', map { "$_\0$all{$_}\0" } sort keys %all) . "\0";
    $self->raw(pack('N', length($body) + 4) . $body);
    $self->answers;
    return $self;
}

sub raw {
    my ($self, $bytes) = @_;
    my $done = 0;
    while ($done < length $bytes) {
        my $written = syswrite($self->{socket}, $bytes, length($bytes) - $done, $done);
        # The server has gone; what it said last is still to be read.
        return if !defined $written && ($!{EPIPE} || $!{ECONNRESET});
        die "write: $!" unless defined $written;
        $done += $written;
    }
}

sub message {
    my ($self, $type, $body) = @_;
    $self->raw($type . pack('N', length($body // '') + 4) . ($body // ''));
}

sub read_bytes {
    my ($self, $count) = @_;
    my $bytes = '';
    while (length $bytes < $count) {
        my $got = sysread($self->{socket}, $bytes, $count - length $bytes, length $bytes);
        return undef unless $got;
    }
    return $bytes;
}

# Message types up to ReadyForQuery as one string, such as "12DCZ"; errors are kept in {errors}, rows of texts in {rows}.
sub answers {
    my ($self) = @_;
    my $types = '';
    $self->{errors} = [];
    $self->{rows} = [];
    while (1) {
        my $head = $self->read_bytes(5) // return "$types(closed)";
        my ($type, $length) = unpack('a N', $head);
        my $body = $length > 4 ? $self->read_bytes($length - 4) : '';
        $types .= $type;
        push @{ $self->{errors} }, { map { (substr($_, 0, 1) => substr($_, 1)) } grep { length } split /\0/, $body }
            if $type eq 'E';
        push @{ $self->{rows} }, [ unpack_row($body) ] if $type eq 'D';
        $self->{pid} = unpack('N', $body) if $type eq 'K';
        return $types if $type eq 'Z';
    }
}

sub unpack_row {
    my ($body) = @_;
    my ($count, $at, @values) = (unpack('n', $body), 2);
    for (1 .. $count) {
        my $length = unpack('N', substr($body, $at, 4));
        $at += 4;
        push @values, $length == 0xFFFFFFFF ? undef : substr($body, $at, $length);
        $at += $length if $length != 0xFFFFFFFF;
    }
    return @values;
}

sub query { my ($self, $sql) = @_; $self->message('Q', "$sql\0"); return $self->answers; }
sub parse { my ($self, $name, $sql) = @_; $self->message('P', "$name\0$sql\0" . pack('n', 0)); }

# Values are text, or binary when given as a reference.
sub bind {
    my ($self, $portal, $name, @values) = @_;
    my $formats = pack('n*', scalar @values, map { ref $_ ? 1 : 0 } @values);
    my $data = join '', map { my $v = ref $_ ? $$_ : $_; defined $v ? pack('N', length $v) . $v : pack('N', 0xFFFFFFFF) } @values;
    $self->message('B', "$portal\0$name\0" . $formats . pack('n', scalar @values) . $data . pack('n', 0));
}
sub execute { my ($self, $portal, $rows) = @_; $self->message('E', "$portal\0" . pack('N', $rows // 0)); }
sub close_portal { my ($self, $portal) = @_; $self->message('C', "P$portal\0"); }
sub sync { my ($self) = @_; $self->message('S'); return $self->answers; }
sub flush { my ($self) = @_; $self->message('H'); }

sub call_function {
    my ($self, $oid, @arguments) = @_;
    my $data = join '', map { pack('N', length $_) . $_ } @arguments;
    $self->message('F', pack('N n n', $oid, 0, scalar @arguments) . $data . pack('n', 0));
    return $self->answers;
}

sub finish { my ($self) = @_; $self->message('X'); close $self->{socket}; }

1;
