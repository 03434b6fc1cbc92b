#!/usr/bin/perl
# Builds a database from rows: {"type": "...", "rows": {"11.0.0.0/24": {record}, ...}} as JSON on standard input.
#
#   perl tests/service/mmdb_of_rows.pl FILE
#
# Needs libmaxmind-db-writer-perl. A map is a map and a list a list, a number is what the databases of vendors have it
# as, by its key; everything else is text. Holds both families, and was built just now.
use strict;
use warnings;

use JSON::PP;
use MaxMind::DB::Writer::Tree;

my %NUMBERS = (
    latitude                 => 'double',
    longitude                => 'double',
    accuracy_radius          => 'uint16',
    autonomous_system_number => 'uint32',
    is_anycast               => 'boolean',
);

sub type_of {
    my ( $key, $value ) = @_;
    return 'map' if ref $value eq 'HASH';
    return [ 'array', 'map' ] if ref $value eq 'ARRAY';
    return $NUMBERS{$key} // 'utf8_string';
}

die "usage: $0 FILE\n" if @ARGV != 1;
my $database = JSON::PP->new->utf8->decode( do { local $/ = undef; <STDIN> } );
my $tree     = MaxMind::DB::Writer::Tree->new(
    ip_version               => 6,
    record_size              => 24,
    database_type            => $database->{type},
    description              => { en => 'Fixture of the tests' },
    languages                => ['en'],
    remove_reserved_networks => 0,
    map_key_type_callback    => \&type_of,
);
$tree->insert_network( $_, $database->{rows}{$_} ) for sort keys %{ $database->{rows} };
open my $file, '>:raw', $ARGV[0] or die "$ARGV[0]: $!\n";
$tree->write_tree($file);
close $file or die "$ARGV[0]: $!\n";
