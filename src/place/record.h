/* A record: what a database or a trusted proxy gives for an address, not yet judged. A flat value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PLACE_ERROR_BYTES     256 /* of a sentence that says why something of this room failed */
#define RECORD_TEXT_BYTES     128 /* the longest city seen in DB-IP City Lite has 77 bytes */
#define RECORD_TIMEZONE_BYTES 40

/* Strings are clean UTF-8 (see text_sanitize), "" where the source has none. */
struct record {
    char city[RECORD_TEXT_BYTES];       /* in English, or the only name there is */
    char city_local[RECORD_TEXT_BYTES]; /* in the asked language, "" when that is English */
    char region[RECORD_TEXT_BYTES];
    char country[3]; /* ISO 3166-1 alpha-2 */
    char timezone[RECORD_TIMEZONE_BYTES];
    bool located; /* latitude and longitude are given, finite and in range */
    double latitude, longitude;
    double radius_km; /* negative: not given */
    bool anycast;
    unsigned
        prefix_bits; /* of the network that matched, counted in the family of the address; 0 without one */
};

/* Reads `count` bytes as a decimal number; NaN when they are none. The process keeps the C locale. */
double record_number(const char *bytes, size_t count);

/* Sets the country where the text is two capitals, and only then. */
void record_set_country(struct record *, const char *bytes, size_t count);

/* Sets the coordinates and whether they are usable. */
void record_set_point(struct record *, double latitude, double longitude);

/* The distance of two points on a great circle, by the haversine formula; mean Earth radius 6371.0 km. */
double great_circle_km(double latitude, double longitude, double to_latitude, double to_longitude);

/* Whether it names a city at a usable point; one at 0,0 is none. */
bool record_has_city(const struct record *);
