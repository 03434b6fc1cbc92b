/* One MaxMind DB file of any known schema, read through libmaxminddb, whose header no other file includes. */
#pragma once

#include "base/credit.h"
#include "place/record.h"
#include "visitor/address.h"

struct mmdb;

/* Opens the database behind a descriptor, which may be closed afterwards; `path` is what it is a copy of.
 * NULL on failure, with a sentence in `error`. The caller closes it. */
struct mmdb *mmdb_open(int fd, const char *path, char error[PLACE_ERROR_BYTES]);

/* Opens a file as it is; nothing may write to it meanwhile. Otherwise as mmdb_open. */
struct mmdb *mmdb_map(const char *path, char error[PLACE_ERROR_BYTES]);
void mmdb_close(struct mmdb *);

/* Whether two are the same bytes. */
bool mmdb_equal(const struct mmdb *, const struct mmdb *);

/* Finds the number of an address's record, which other networks may share, and the length of the network that
 * matched (see record.h). False when there is none, or when the file is of the other address family.
 * Thread-safe; no allocation, no lock. */
bool mmdb_locate(const struct mmdb *, const struct address *, uint32_t *record, unsigned *prefix_bits);

/* Reads the record of a number that mmdb_locate or mmdb_walk gave. `language` (BCP 47) chooses city_local.
 * Thread-safe; no allocation, no lock. */
void mmdb_record(const struct mmdb *, uint32_t record, const char *language, struct record *out);

/* Both. */
bool mmdb_find(const struct mmdb *, const struct address *, const char *language, struct record *out);

/* The number of the network that an address is of; false when there is none, as in a database of anything but
 * autonomous systems. Thread-safe; no allocation, no lock. */
bool mmdb_find_asn(const struct mmdb *, const struct address *, uint32_t *asn);

/* --- All of a database, for those who read it first --- */

/* A network of the search tree with a record, which other networks may share. */
struct mmdb_network {
    enum address_family family;
    uint64_t base; /* its first 32 bits (IPv4) or 64 bits (IPv6) */
    unsigned bits; /* its length, counted in its family */
    uint32_t record;
};

/* Calls `visit` for each network of IPv4, then of IPv6, in the order of addresses; those of IPv6 that stand
 * for IPv4 (::/96, ::ffff:0:0/96, 6to4, Teredo) are left out. Ends with false when a call returns false,
 * which then has set `error`, or when the tree is damaged. */
typedef bool mmdb_visitor(void *context, const struct mmdb_network *, char error[PLACE_ERROR_BYTES]);
bool mmdb_walk(const struct mmdb *, mmdb_visitor *visit, void *context, char error[PLACE_ERROR_BYTES]);

bool mmdb_record_asn(const struct mmdb *, uint32_t record, uint32_t *asn); /* as mmdb_find_asn */

/* Reads of a record only what a survey needs: the English city (one byte of it is enough), the coordinates.
 */
void mmdb_record_point(const struct mmdb *, uint32_t record, struct record *out);

/* Whether all of a record can be decoded; else `error` says why not. Allocates. */
bool mmdb_decodes(const struct mmdb *, uint32_t record, char error[PLACE_ERROR_BYTES]);

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

/* Adds to a sentence of what type the database is, cleaned, if it fits. */
void mmdb_add_type(const struct mmdb *, char error[PLACE_ERROR_BYTES]);
