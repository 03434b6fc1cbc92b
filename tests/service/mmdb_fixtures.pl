#!/usr/bin/perl
# Builds small databases in the shapes other vendors use, and one of hostile records, for the tests.
#
#   perl tests/service/mmdb_fixtures.pl FOLDER
#
# Needs libmaxmind-db-writer-perl. The same bytes every time.
#
# Each record stands for 256 IPv4 addresses A.B.C.0/24 and, where the file holds IPv6, for the network
# 2600:A:BCC::/48 with the same digits: 12.1.2.1 and 2600:12:102::1 are neighbours.
#
#   flat-ipv4.mmdb, flat-ipv6.mmdb   ip-location-db: one family a file, coordinates as float, "" where unknown
#     11.0.0.1 Mumbai        11.0.1.1 Delhi       11.0.2.1 Navi Mumbai (Ghansoli)
#     11.0.3.1 London        11.0.4.1 no city     11.0.5.1 New York
#   ipinfo.mmdb       IPinfo today: coordinates as double, `country` is a full name
#     12.0.0.1 Mumbai        12.0.1.1 London      12.0.2.1 no city
#   ipinfo-old.mmdb   IPinfo before: coordinates as text in `lat` and `lng`, `country` is the code
#     12.1.0.1 Mumbai        12.1.1.1 London
#   country.mmdb      `country_code` and nothing else
#     14.0.0.1 IN            14.0.1.1 GB
#   hostile.mmdb      what a reader of databases must survive: see %hostile below
#     13.0.C.1 by the number of each record there; 13.0.0.1 is Mumbai, and sane
use strict;
use warnings;
use utf8;

use MaxMind::DB::Writer::Tree;

my $BUILD_EPOCH = 1767225600;    # 2026-01-01T00:00:00Z: any fixed moment does

# The writer refuses what is not UTF-8, so such a name is put in afterwards, in the place of a mark of its length.
my @RAW_NAMES = ( "M\xFCnchen\xFF\xFE\xC0\xAF\x80\x80", "cut in a letter\xC3", "half of \xED\xA0\x80 a pair" );
my @RAW_MARKS = map { "raw name $_" . '@' x ( length( $RAW_NAMES[$_] ) - 10 ) } 0 .. $#RAW_NAMES;

my $INFINITY = 9**9**9;
my $NAN      = -sin $INFINITY;

my %HOSTILE_TYPE = ( latitude => 'double', longitude => 'double', radius => 'double', code => 'uint32' );

my %mumbai = (
    city         => 'Mumbai',
    region       => 'Maharashtra',
    country_code => 'IN',
    latitude     => 19.076,
    longitude    => 72.8777,
);
my %hostile = (
    0 => {%mumbai},

    # Names: bytes that are no text, or text that is no name.
    1  => { %mumbai, city => $RAW_MARKS[0] },
    2  => { %mumbai, city => $RAW_MARKS[1] },
    3  => { %mumbai, city => $RAW_MARKS[2] },
    4  => { %mumbai, city => "Mum\0bai\r\nSet-Cookie: a=b\x1B[31m\x7F\x{85}" },
    5  => { %mumbai, city => "\x{202E}iabmuM\x{2066}\x{200F}\x{061C}" },
    6  => { %mumbai, city => 'Bombay ' x 1500 },
    7  => { %mumbai, city => '</script><script>alert(1)</script><!--' },
    8  => { %mumbai, city => "Line\x{2028}and\x{2029}paragraph" },
    9  => { %mumbai, city => " \t\x{A0}\x{3000}\x{200B}\x{FEFF}" },
    10 => { %mumbai, city => '(only brackets)' },
    11 => { %mumbai, city => 'Z' . "\x{0301}" x 400 },

    # Coordinates. The text of a number must differ from the doubles: the writer stores equal values once, whatever
    # their type.
    20 => { %mumbai, latitude  => $NAN },
    21 => { %mumbai, longitude => $INFINITY },
    22 => { %mumbai, latitude  => -$INFINITY, longitude => $NAN },
    23 => { %mumbai, latitude  => 90.001 },
    24 => { %mumbai, longitude => -180.001 },
    25 => { %mumbai, latitude  => 0, longitude => 0 },
    26 => { %mumbai, latitude  => 1e308, longitude => -1e308 },
    27 => { city => 'Mumbai', country => 'IN', lat => 'abc',     lng => '72.87' },
    28 => { city => 'Mumbai', country => 'IN', lat => '19.07x',  lng => '72.87' },
    29 => { city => 'Mumbai', country => 'IN', lat => '19,076',  lng => '72,8777' },
    30 => { city => 'Mumbai', country => 'IN', lat => '0x13',    lng => '72.87' },
    31 => { city => 'Mumbai', country => 'IN', lat => 'nan',     lng => 'inf' },
    32 => { city => 'Mumbai', country => 'IN', lat => '',        lng => '' },
    33 => { city => 'Mumbai', country => 'IN', lat => "19.076\0", lng => '1' x 4000 },
    34 => { %mumbai, radius => $NAN },
    35 => { %mumbai, radius => -5 },

    # Types: a map, a list or a number where something else should stand.
    40 => { %mumbai, city => { en => 'Mumbai' } },
    41 => { %mumbai, city => [ 'Mumbai', 'Bombay' ] },
    42 => { city => { names => 'Mumbai' }, country => 'IN', location => 'somewhere' },
    43 => { city => { names => { en => { en => 'Mumbai' } } }, country => { iso_code => ['IN'] } },
    44 => { %mumbai, country_code => { iso_code => 'IN' } },
    45 => { city => 'Mumbai', country_code => 'IN', lat => { deg => '19' }, lng => ['72'] },
    46 => { city => { names => { en => 'Mumbai' } }, location => [], subdivisions => {} },
    47 => { code => 7 },
    48 => {},
    49 => { %mumbai, country_code => 'in' },
    50 => { %mumbai, country_code => 'IND' },
    51 => { %mumbai, country_code => "\x{91AD}" },
);

sub type_by_value {
    my ( $key, $value ) = @_;
    return 'map' if ref $value eq 'HASH';
    return [ 'array', 'utf8_string' ] if ref $value eq 'ARRAY';
    return $HOSTILE_TYPE{$key} // 'utf8_string';
}

sub networks {
    my ($prefix) = @_;    # "A.B.C"
    my ( $first, $second, $third ) = split /[.]/, $prefix;
    return ( "$prefix.0/24", sprintf '2600:%d:%d::/48', $first, 100 * $second + $third );
}

# A tree of one database: %rows maps "A.B.C" to its record; `families` says which of the two networks it gets.
sub build {
    my (%database) = @_;
    my $families = $database{families} // [ 0, 1 ];
    my $tree = MaxMind::DB::Writer::Tree->new(
        ip_version               => grep( { $_ == 1 } @{$families} ) ? 6 : 4,
        record_size              => 24,
        database_type            => $database{type},
        description              => { en => 'Fixture of the tests' },
        languages                => ['en'],
        remove_reserved_networks => 0,
        map_key_type_callback    => $database{types},
    );
    $tree->_set_build_epoch($BUILD_EPOCH);
    my $rows = $database{rows};
    for my $prefix ( sort keys %{$rows} ) {
        $tree->insert_network( ( networks($prefix) )[$_], $rows->{$prefix} ) for @{$families};
    }
    my $bytes = '';
    open my $buffer, '>:raw', \$bytes or die "buffer: $!\n";
    $tree->write_tree($buffer);
    close $buffer or die "buffer: $!\n";
    return $bytes;
}

sub save {
    my ( $path, $bytes ) = @_;
    open my $file, '>:raw', $path or die "$path: $!\n";
    print {$file} $bytes;
    close $file or die "$path: $!\n";
    return;
}

sub flat_row {
    my ( $city, $state, $country, $latitude, $longitude ) = @_;
    return {
        city         => $city,
        country_code => $country,
        latitude     => $latitude,
        longitude    => $longitude,
        postcode     => '',
        state1       => $state,
        state2       => '',
        timezone     => '',
    };
}

sub with_raw_names {
    my ($bytes) = @_;
    for my $i ( 0 .. $#RAW_MARKS ) {
        my $hits = $bytes =~ s/$RAW_MARKS[$i]/$RAW_NAMES[$i]/g;
        die "$RAW_MARKS[$i] stands $hits times\n" if $hits != 1;
    }
    return $bytes;
}

sub types_of {
    my (%types) = @_;
    return sub { $types{ $_[0] } // 'utf8_string' };
}

die "usage: $0 FOLDER\n" if @ARGV != 1;
my $folder = $ARGV[0];

my %flat = (
    '11.0.0' => flat_row( 'Mumbai', 'Maharashtra', 'IN', 19.076, 72.8777 ),
    '11.0.1' => flat_row( 'Delhi', 'Delhi', 'IN', 28.6519, 77.2315 ),
    '11.0.2' => flat_row( 'Navi Mumbai (Ghansoli)', 'Maharashtra', 'IN', 19.1258, 73.0004 ),
    '11.0.3' => flat_row( 'London', 'England', 'GB', 51.5074, -0.1278 ),
    '11.0.4' => flat_row( '', '', 'IN', 22, 79 ),
    '11.0.5' => flat_row( 'New York', 'New York', 'US', 40.7128, -74.006 ),
);
my %of_flat = ( types => types_of( latitude => 'float', longitude => 'float' ), rows => \%flat );
save( "$folder/flat-ipv4.mmdb", build( type => 'city ipv4', families => [0], %of_flat ) );
save( "$folder/flat-ipv6.mmdb", build( type => 'city ipv6', families => [1], %of_flat ) );

save(
    "$folder/ipinfo.mmdb",
    build(
        type  => 'ipinfo generic_location.mmdb',
        types => types_of( latitude => 'double', longitude => 'double' ),
        rows  => {
            '12.0.0' => { %mumbai, country => 'India', timezone => 'Asia/Kolkata' },
            '12.0.1' => {
                city         => 'London',
                region       => 'England',
                country      => 'United Kingdom',
                country_code => 'GB',
                latitude     => 51.5074,
                longitude    => -0.1278,
                timezone     => 'Europe/London',
            },
            '12.0.2' => { city => '', region => '', country => 'India', country_code => 'IN' },
        }
    )
);

save(
    "$folder/ipinfo-old.mmdb",
    build(
        type  => 'ipinfo standard_location.mmdb',
        types => types_of(),
        rows  => {
            '12.1.0' => {
                city     => 'Mumbai',
                region   => 'Maharashtra',
                country  => 'IN',
                lat      => '19.0760',
                lng      => '72.8777',
                timezone => 'Asia/Kolkata',
            },
            '12.1.1' => {
                city     => 'London',
                region   => 'England',
                country  => 'GB',
                lat      => '51.5074',
                lng      => '-0.1278',
                timezone => 'Europe/London',
            },
        }
    )
);

save(
    "$folder/country.mmdb",
    build(
        type  => 'country',
        types => types_of(),
        rows  => { '14.0.0' => { country_code => 'IN' }, '14.0.1' => { country_code => 'GB' } },
    )
);

my %rows = map { ( "13.0.$_" => $hostile{$_} ) } keys %hostile;
save( "$folder/hostile.mmdb",
    with_raw_names( build( type => 'hostile', types => \&type_by_value, rows => \%rows ) ) );
