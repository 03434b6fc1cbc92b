/* One MaxMind DB file, read through libmaxminddb (which no other file includes), whatever its vendor's
 * schema.
 *
 * The file is copied to an unlinked file in the state folder and the copy is mapped, so that nothing done to
 * the original afterwards (rewrite in place, truncation, removal) can reach a reader. */
#ifndef PLACE_MMDB_H
#define PLACE_MMDB_H

#include "base/credit.h"
#include "visitor/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MMDB_TEXT_BYTES     128 /* the longest city seen in DB-IP City Lite has 77 bytes */
#define MMDB_TIMEZONE_BYTES 40
#define MMDB_ERROR_BYTES    256

/* What one record says, before any judgement. Strings are clean UTF-8, "" where the record has none. */
struct record {
    char city[MMDB_TEXT_BYTES];       /* in English, or the only name there is */
    char city_local[MMDB_TEXT_BYTES]; /* in the asked language, "" when that is English */
    char region[MMDB_TEXT_BYTES];
    char country[3]; /* ISO 3166-1 alpha-2 */
    char timezone[MMDB_TIMEZONE_BYTES];
    bool located; /* latitude and longitude are there, finite and in range */
    double latitude, longitude;
    double radius_km; /* negative: not given */
    bool anycast;
    unsigned prefix_bits; /* of the network that matched, counted in the family of the address */
};

struct mmdb;

/* Copies and opens the file at `path`. NULL on failure, with a sentence in `error`. The caller closes it. */
struct mmdb *mmdb_open(const char *path, const char *state_folder, char error[MMDB_ERROR_BYTES]);
void mmdb_close(struct mmdb *);

/* Finds the record of an address. `language` (BCP 47) chooses city_local. False when
 * there is none, or when the file is of the other address family. Thread-safe; no allocation, no lock. */
bool mmdb_find(const struct mmdb *, const struct address *, const char *language, struct record *out);

/* Unix seconds at which the vendor built it. */
int64_t mmdb_built_s(const struct mmdb *);

/* The credit its licence asks for, or NULL when none is known to be owed. Static. */
const struct credit *mmdb_credit(const struct mmdb *);

#endif
