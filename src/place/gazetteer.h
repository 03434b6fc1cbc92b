/* The gazetteer: cities of at least 15,000 people, and seats of countries and regions (GeoNames), with the
 * names that readers use. It finds the city that a reader would name at the point of a record, and searches
 * cities by name and by place.
 *
 * The rule of the label. A city covers a disc whose radius is 0.016 km times the root of its population, at
 * most 30 km (5 km for 100,000 people, 16 km for a million, 30 km from 3.5 million on). A town in the disc of
 * a larger city of its region is a part of that city when it has fewer people than a share of the city's: a
 * tenth at the centre, falling with the square of the distance to nothing at the edge; of several such cities
 * only the one counts whose disc it lies deepest in, relative to the radius. So Dum Dum is Kolkata and
 * Croydon is London, but Howrah, Thane, Oakland and a small town at the edge stay what they are. A record's
 * name, without a bracketed district, is looked up among the cities of its country whose disc begins within
 * 10 km of the point: the city found there, or the one it is a part of, is the label. A name not found is
 * taken for a town of 10,000 people at the point itself, so that neighbourhoods and villages become the city
 * around them, if it has at least 100,000 people, and keep their names elsewhere; a city whose population is
 * not known is a part of none, since a missing number is not a small one; where the record's region
 * is named like a city near by (Delhi, Seoul, Tokyo), only cities of that region are considered. No
 * city of another country is. The table data/city-names.tsv overrules what the arithmetic gets wrong:
 * Borivali is a part of Mumbai.
 *
 * The constants were tuned on the labels of 40,000 random addresses of DB-IP City Lite
 * (tests/measure/labels.c prints them). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GAZETTEER_NAME_BYTES     128
#define GAZETTEER_TIMEZONE_BYTES 40
#define GAZETTEER_FOUND_MAX      10
#define GAZETTEER_NEAREST_KM     1000
#define CITY_HEIGHT_UNKNOWN      INT16_MIN

/* Flat, copied out. */
struct city {
    int64_t id;                        /* of GeoNames, > 0 */
    char name[GAZETTEER_NAME_BYTES];   /* clean UTF-8; in the asked language where our table has it, else
                                          English */
    char region[GAZETTEER_NAME_BYTES]; /* in English; "" where there is none */
    char country[3];                   /* ISO 3166-1 alpha-2 */
    char timezone[GAZETTEER_TIMEZONE_BYTES]; /* IANA name */
    double latitude, longitude;
    int64_t population; /* 0: not known */
    int height_m;       /* above the sea; CITY_HEIGHT_UNKNOWN: not known */
};

struct gazetteer;

/* Reads the tables embedded in the program (about 80 ms, 3.3 MB). NULL when out of memory. Everything below
 * is thread-safe and takes no lock: a gazetteer never changes once it is open. */
struct gazetteer *gazetteer_open(void);
void gazetteer_close(struct gazetteer *);

/* The city with a GeoNames id. `language` is BCP 47; its first part counts, in lower case. */
bool gazetteer_by_id(const struct gazetteer *, int64_t id, const char *language, struct city *out);

/* The city that a reader at a point would name, by the rule above. `recorded` is the record's English name
 * for the point, `country` and `region` what it is in ("" for an unknown region). Returns which part of the
 * rule chose it, a static string. NULL: the record's own name is the best there is, without its bracket (see
 * gazetteer_strip_qualifier). Constant time, no allocation. */
const char *gazetteer_name_point(const struct gazetteer *, double latitude, double longitude,
                                 const char *country, const char *region, const char *recorded,
                                 const char *language, struct city *out);

/* The length of a recorded name without the bracketed district that may follow it: 6 for "Mumbai (Powai)". A
 * name that is nothing but a bracket is all there is. */
size_t gazetteer_strip_qualifier(const char *recorded);

/* The city that a point belongs to: the one in whose disc it lies deepest, relative to the radius, or else
 * the one whose disc begins nearest; of a part the city that it is a part of. Borders do not matter. So a
 * point in Dum Dum is Kolkata's. False where no disc begins within GAZETTEER_NEAREST_KM (oceans, both poles),
 * and for coordinates out of range. A few microseconds near cities, a tenth of a millisecond far from any; no
 * allocation. */
bool gazetteer_nearest(const struct gazetteer *, double latitude, double longitude, const char *language,
                       struct city *out);

/* The height of the largest city within a square whose sides are `half_deg` (at most 5) from its centre, in
 * metres above the sea; CITY_HEIGHT_UNKNOWN where there is none, or its own is not known. */
int gazetteer_height_m(const struct gazetteer *, double latitude, double longitude, double half_deg);

/* Cities of which a name, or a word within one, begins with `query`, in any case and with or without accents,
 * apostrophes, hyphens and article; letters with two dots may be spelled "ue"; former names and names in
 * other scripts count. Where nothing fits, one letter of a name of at least five Latin ones may be wrong,
 * missing, too many or exchanged with the next. Behind a comma, or as a last word without which nothing is
 * found, may stand a country or region, which then the city is in: its code, or what its name begins with.
 * First those of `country` (two capitals;
 * "" for none), then those whose name begins so over those with a word inside, then by population. To a query
 * of "" belong the largest cities of `country`. Returns how many of at most `max` (and GAZETTEER_FOUND_MAX)
 * were written. The query may hold any bytes. */
size_t gazetteer_search(const struct gazetteer *, const char *query, const char *country,
                        const char *language, struct city *out, size_t max);

/* The coordinates of the i-th city, the largest being the first. False past the last. */
bool gazetteer_point(const struct gazetteer *, size_t i, double *latitude, double *longitude);
