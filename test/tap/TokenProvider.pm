# An identity provider in a test's pocket: an RSA key made and used by the openssl command, and a server that takes
# its tokens over TLS, through PAM. PAM's service directory is the test's own (libpam-wrapper), so nothing is written
# to the machine.
package TokenProvider;
use strict;
use warnings;
use File::Temp qw(tempfile);
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Utils;

our $wrapper = (grep { -e } glob('/usr/lib/*/libpam_wrapper.so /usr/lib/libpam_wrapper.so'))[0];

sub url64 { my $text = encode_base64($_[0], ''); $text =~ tr{+/}{-_}; $text =~ s/=+$//; return $text; }

sub new {
    my ($class, $directory, $kid) = @_;
    my $self = bless {key => "$directory/$kid.pem", kid => $kid, issuer => 'https://id.example'}, $class;
    system_or_bail('openssl', 'genrsa', '-out', $self->{key}, '2048');
    (my $modulus = `openssl rsa -in '$self->{key}' -noout -modulus`) =~ s/^Modulus=|\s+//g;
    $self->{n} = url64(pack('H*', $modulus));
    return $self;
}

sub jwk { my $self = shift; return qq({"kty":"RSA","alg":"RS256","use":"sig","kid":"$self->{kid}","n":"$self->{n}","e":"AQAB"}); }
sub jwks { my $self = shift; return '{"keys":[' . join(',', map { $_->jwk } $self, @_) . ']}'; }

sub sign {
    my ($self, $header, $claims) = @_;
    my ($file, $path) = tempfile(UNLINK => 1);
    my $text = url64($header) . '.' . url64($claims);
    print $file $text;
    close $file;
    open my $out, '-|', 'openssl', 'dgst', '-sha256', '-sign', $self->{key}, $path or die;
    binmode $out;
    local $/;
    return $text . '.' . url64(<$out>);
}

# A good token, with claims replaced or added: `token(sub => '"x"', exp => 17)`.
sub token {
    my ($self, %claims) = @_;
    my %all = (iss => "\"$self->{issuer}\"", aud => '"postgres"', sub => '"bot-7"', groups => '["analysts"]',
        iat => time - 1, exp => time + 600, jti => '"token-1"', %claims);
    return $self->sign(qq({"alg":"RS256","typ":"JWT","kid":"$self->{kid}"}),
        '{' . join(',', map { "\"$_\":$all{$_}" } grep { defined $all{$_} } sort keys %all) . '}');
}

# Prepares a server for tokens: TLS, and PAM's service "hoopguard" with the module that was installed.
sub prepare {
    my ($node, $directory) = @_;
    my $data = $node->data_dir;
    system_or_bail('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2', '-keyout', "$data/server.key", '-out', "$data/server.crt");
    chmod 0600, "$data/server.key";
    mkdir "$directory/pam.d";
    my $module = pam_module();
    write_service($directory, $module);
    @ENV{qw(LD_PRELOAD PAM_WRAPPER PAM_WRAPPER_SERVICE_DIR)} = ($wrapper, 1, "$directory/pam.d");
    $node->append_conf('postgresql.conf', "ssl = on\nlisten_addresses = '127.0.0.1'\n");
    return $module;
}

sub write_service {
    my ($directory, $module) = @_;
    open my $file, '>', "$directory/pam.d/hoopguard" or die;
    print $file "auth required $module\naccount required $module\n";
    close $file;
}

# Where `make install` has put it below the staged root.
sub pam_module {
    (my $stage = `pg_config --bindir`) =~ s{/usr/lib/.*}{}s;
    ($stage) = $ENV{PATH} =~ m{^(.*?)/usr/lib/postgresql};
    return (glob("$stage/lib/*/security/pam_hoopguard.so"))[0];
}

1;
