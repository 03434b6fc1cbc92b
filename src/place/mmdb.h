/* One MaxMind DB file of any known schema, read through libmaxminddb, whose header no other file includes.
 *
 * The file is copied to an unlinked file in the state folder and the copy is mapped, so that later changes of
 * the original (a rewrite in place, truncation, removal) reach no lookup. Where the folder takes no copy, it
 * is made in memory (logged). */
#pragma once

#include "base/credit.h"
#include "place/record.h"
#include "visitor/address.h"

#define MMDB_ERROR_BYTES 256

struct mmdb;

/* Whether the database behind `fd` may be opened; if not, `error` says why. */
typedef bool mmdb_validator(int fd, char error[MMDB_ERROR_BYTES]);

/* Opens a private copy of the file at `path`, once `validate` (may be NULL) lets it pass. The copy is in
 * `state_folder`, which is made if it is missing; "": the file itself is opened and nothing is written, for
 * commands that end before it may change. NULL on failure, with a sentence in `error`. The caller closes it.
 */
struct mmdb *mmdb_open(const char *path, const char *state_folder, mmdb_validator *validate,
                       char error[MMDB_ERROR_BYTES]);

/* Opens a file as it is; nothing may write to it meanwhile. Otherwise as mmdb_open. */
struct mmdb *mmdb_map(const char *path, char error[MMDB_ERROR_BYTES]);
void mmdb_close(struct mmdb *);

/* Finds the record of an address. `language` (BCP 47) chooses city_local. False when there is none, or when
 * the file is of the other address family. Thread-safe; no allocation, no lock. */
bool mmdb_find(const struct mmdb *, const struct address *, const char *language, struct record *out);

/* What an open database is. */
struct mmdb_facts {
    int64_t built_s;  /* Unix time at which the vendor built it */
    const char *type; /* the vendor's name for it, as "DBIP-City-Lite"; "" if there is none. From
                         outside: escape it. Valid while it is open. */
    bool ages;        /* its records become wrong with time: all do but the bundled fake readers */
    /* Not given by mmdb_map: */
    bool has_radii;              /* its records give the radius of their accuracy */
    const struct credit *credit; /* that its licence asks for, NULL when none is known; static */
};
const struct mmdb_facts *mmdb_facts(const struct mmdb *);
