#!/usr/bin/perl
# Builds data/visitors.mmdb, the fake readers of the world, from data/visitors.tsv (which explains its columns).
#
#   perl data/visitors.pl [OUTPUT]
#
# The database has the nested shape of GeoIP2 City and both address families in one tree. The same table always gives
# the same bytes, so the result is committed and nobody needs Perl to build or run the service.
# Needs libmaxmind-db-writer-perl.
use strict;
use warnings;
use utf8;

use FindBin qw($Bin);
use MaxMind::DB::Writer::Tree;

# Any fixed moment does (here 2026-01-01T00:00:00Z); the time of the build would make every build differ.
my $BUILD_EPOCH = 1767225600;

my @COLUMNS = qw(ipv4 network4 ipv6 network6 city region country latitude longitude radius timezone flags names note);
my %NUMBER  = map { $_ => 1 } qw(latitude longitude radius);

my %TYPE_OF_KEY = (
    accuracy_radius => 'uint16',
    city            => 'map',
    country         => 'map',
    is_anycast      => 'boolean',
    latitude        => 'double',
    location        => 'map',
    longitude       => 'double',
    names           => 'map',
    subdivisions    => [ 'array', 'map' ],
    traits          => 'map',
);

# The rows of the table, each a hash by column name; dies with file and line where it is malformed.
sub read_readers {
    my ($path) = @_;
    open my $file, '<:encoding(UTF-8)', $path or die "$path: $!\n";
    my ( @readers, $header );
    while ( my $line = <$file> ) {
        next if $line =~ /^#/;
        chomp $line;
        my @fields = split /\t/, $line, -1;
        die "$path:$.: " . @fields . ' columns instead of ' . @COLUMNS . "\n" if @fields != @COLUMNS;
        if ( !$header ) {
            $header = 1;
            die "$path:$.: the header line is not: @COLUMNS\n" if "@fields" ne "@COLUMNS";
            next;
        }
        my %reader;
        @reader{@COLUMNS} = @fields;
        check_reader( \%reader, "$path:$." );
        push @readers, \%reader;
    }
    return @readers;
}

sub check_reader {
    my ( $reader, $where ) = @_;
    for my $column ( keys %NUMBER ) {
        die "$where: $column is not a number\n" if $reader->{$column} !~ /^(?:-?[0-9]+(?:\.[0-9]+)?)?$/;
    }
    die "$where: country is not a code of two capitals\n" if $reader->{country} !~ /^(?:[A-Z]{2})?$/;
    die "$where: unknown flag\n"                          if $reader->{flags}   !~ /^(?:anycast)?$/;
    return;
}

sub city_names {
    my ($reader) = @_;
    return if $reader->{city} eq '';
    my %names = map { split /=/, $_, 2 } split /[|]/, $reader->{names};
    $names{en} = $reader->{city} eq '""' ? '' : $reader->{city};
    return \%names;
}

sub location {
    my ($reader) = @_;
    my %key_of = (
        latitude  => 'latitude',
        longitude => 'longitude',
        radius    => 'accuracy_radius',
        timezone  => 'time_zone',
    );
    my %location;
    for my $column ( keys %key_of ) {
        next if $reader->{$column} eq '';
        $location{ $key_of{$column} } = $NUMBER{$column} ? 0 + $reader->{$column} : $reader->{$column};
    }
    return %location ? \%location : undef;
}

sub record {
    my ($reader) = @_;
    my %record;
    my $names    = city_names($reader);
    my $location = location($reader);
    $record{city}         = { names    => $names }              if $names;
    $record{country}      = { iso_code => $reader->{country} }  if $reader->{country} ne '';
    $record{location}     = $location                           if $location;
    $record{subdivisions} = [ { names => { en => $reader->{region} } } ] if $reader->{region} ne '';
    $record{traits}       = { is_anycast => 1 }                 if $reader->{flags} eq 'anycast';
    return \%record;
}

sub languages {
    my %seen = map { $_ => 1 } map { keys %{ city_names($_) || {} } } @_;
    return sort keys %seen;
}

my $output  = $ARGV[0] // "$Bin/visitors.mmdb";
my @readers = read_readers("$Bin/visitors.tsv");

my $tree = MaxMind::DB::Writer::Tree->new(
    ip_version    => 6,
    record_size   => 24,
    database_type => 'Masthead-Visitors-City',
    description   => { en => 'Fake readers in documentation addresses, for development and tests of Masthead' },
    languages     => [ languages(@readers) ],
    # The documentation ranges count as reserved: otherwise every insertion would vanish without a word.
    remove_reserved_networks => 0,
    map_key_type_callback    => sub { $TYPE_OF_KEY{ $_[0] } // 'utf8_string' },
);
$tree->_set_build_epoch($BUILD_EPOCH);    # private, but there is no other way to the same bytes twice

for my $reader (@readers) {
    my $record = record($reader);
    $tree->insert_network( $_, $record ) for grep { $_ ne '' } @{$reader}{qw(network4 network6)};
}

open my $file, '>:raw', "$output.new" or die "$output.new: $!\n";
$tree->write_tree($file);
close $file or die "$output.new: $!\n";
rename "$output.new", $output or die "$output: $!\n";
