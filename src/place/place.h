/* The public header of the place room: a reader's address in, a place with a verdict out, from local
 * databases only.
 *
 * A wrong city is worse than none. A name is given only with the verdict PLACE_CITY: the record has a city,
 * plausible coordinates, a radius (where the database gives one) within the limit, and is not an anycast or
 * vague network. */
#pragma once

#include "base/credit.h"
#include "place/gazetteer.h"
#include "place/record.h"
#include "visitor/address.h"

#define PLACE_NAME_BYTES RECORD_TEXT_BYTES
#define PLACE_PATH_BYTES 256
#define PLACE_DATABASES  8

enum place_verdict {
    PLACE_CITY,
    PLACE_TOO_VAGUE,   /* no city name, no coordinates, radius over the limit, anycast, or a vague network */
    PLACE_NOT_FOUND,   /* every database was asked */
    PLACE_PRIVATE,     /* an address of a local network: never asked */
    PLACE_RESERVED,    /* an address that no reader on the internet has */
    PLACE_UNREADABLE,  /* the forwarding header cannot be trusted, so the address is not known */
    PLACE_NO_DATABASE, /* not found, but not every configured database is loaded */
    PLACE_VERDICTS
};
extern const char *const place_verdict_names[PLACE_VERDICTS];

enum place_source { PLACE_FROM_NONE, PLACE_FROM_GEOIP, PLACE_FROM_READER, PLACE_FROM_HOME, PLACE_SOURCES };
extern const char *const place_source_names[PLACE_SOURCES];

struct place {
    enum place_verdict verdict;
    enum place_source source;    /* PLACE_FROM_NONE: no name, no coordinates */
    char name[PLACE_NAME_BYTES]; /* clean UTF-8, not escaped; "" where source is none */
    char region[PLACE_NAME_BYTES];
    char country[3];                      /* may be known where the city is not */
    char timezone[RECORD_TIMEZONE_BYTES]; /* IANA name, "" where not known */
    double latitude, longitude;
    int64_t id;                  /* GeoNames id, 0: none */
    const struct credit *credit; /* of the database that answered, or NULL; static */
};

/* What led to a verdict, for people. */
struct place_evidence {
    char database[PLACE_PATH_BYTES]; /* the file that answered, or "" */
    bool recorded;                   /* there is a record, of that database or of a trusted proxy's headers */
    struct record record;
    const char *range;  /* name of the special range of the address, or NULL; static */
    const char *reason; /* one sentence; static */
    const char *label;  /* the rule that chose the name; static, NULL without a name */
};

struct place_options {
    char databases[PLACE_DATABASES][PLACE_PATH_BYTES]; /* asked in this order */
    size_t database_count;
    char vague[PLACE_PATH_BYTES]; /* file of networks, one a line; "": none */
    double max_radius_km;
    struct place home;            /* shown where the reader's place is not known; PLACE_FROM_NONE: none */
    char state[PLACE_PATH_BYTES]; /* folder for private copies of the databases; "": see mmdb_open */
};

struct places;

/* Opens every database that can be opened; the others are logged and missing (see places_loaded). Registers
 * the room's metrics. NULL only when out of memory or when the file of vague networks cannot be read
 * (logged). */
struct places *places_open(const struct place_options *);
void places_close(struct places *);

/* Replaces databases and options together, all or nothing: false (logged) leaves everything as it was.
 * Lookups go on meanwhile. One caller at a time. */
bool places_reload(struct places *, const struct place_options *);

/* Whether a database file has another inode, size or time than when it was last opened or tried, so that a
 * reload may help. True once for each change. One caller at a time, the same as for places_reload. */
bool places_changed(struct places *);

/* Whether every configured database is loaded. Thread-safe. */
bool places_loaded(struct places *);

/* A configured database as operators see it. */
struct place_database {
    char label[PLACE_PATH_BYTES]; /* the name of its file, or its path where two are named alike */
    char type[64];                /* as the vendor calls it; clean UTF-8 */
    bool loaded;
    bool reload_ok;   /* whether the last attempt to load it succeeded */
    bool has_radii;   /* without, max_radius has no effect */
    bool old;         /* older than PLACE_OLD_DAYS */
    int64_t built_s;  /* Unix time */
    int64_t loaded_s; /* Unix time at which it was loaded */
};
#define PLACE_OLD_DAYS 45 /* vendors publish every month at least */

/* The databases in the order in which they are asked; returns how many. Thread-safe. */
size_t places_databases(struct places *, int64_t now_s, struct place_database out[PLACE_DATABASES]);

/* The place of a reader: by `edge_record`, which a trusted proxy has sent (NULL: none), judged like a
 * database's; else by the address, PLACE_UNREADABLE where that is ADDRESS_NONE. With `evidence` (may be NULL)
 * the lookup is not counted in the metrics. Thread-safe; holds no lock while it reads; no allocation. */
void places_find(struct places *, const struct address *, const struct record *edge_record,
                 const char *language, struct place *out, struct place_evidence *evidence);

/* The place with a GeoNames id, which a reader chose. False when there is none. Thread-safe. */
bool places_choose(const struct places *, int64_t id, const char *language, struct place *out);

/* Gives a place without a time zone that of the nearest city. Places that come from here have theirs: of the
 * record where the system knows it, else of the city that they are named after, else of the nearest.
 * Thread-safe. */
void places_complete_zone(const struct places *, struct place *);

/* The offset from UTC of a time zone at an instant, in seconds; false where it is not known. Thread-safe. */
bool places_offset(const struct places *, const char *zone, int64_t at_s, int32_t *offset_s);

/* The gazetteer that the places are named by; valid while the room is open. Thread-safe. */
const struct gazetteer *places_gazetteer(const struct places *);
