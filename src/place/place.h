/* The public header of the place room: a reader's address in, a place with a verdict out, from local
 * databases only.
 *
 * A wrong city is worse than none, and a database's word is a claim. So every source that has a record of an
 * address is a witness: it is judged alone (its city, radius, network, and whether its point is an office,
 * see offices.h), and then with the others (witness.h). A name is given only with the verdict PLACE_CITY. */
#pragma once

#include "base/credit.h"
#include "place/gazetteer.h"
#include "place/label.h"
#include "place/record.h"
#include "visitor/address.h"

#define PLACE_NAME_BYTES RECORD_TEXT_BYTES
#define PLACE_PATH_BYTES 256
#define PLACE_DATABASES  8
#define PLACE_WITNESSES  (PLACE_DATABASES + 1) /* and a trusted proxy */
#define PLACE_FILES      (PLACE_DATABASES + 1) /* and the database of autonomous systems */
#define PLACE_ASNS       64
#define PLACE_CREDITS    3

enum place_verdict {
    PLACE_CITY,
    PLACE_TOO_VAGUE,   /* there is a record, and no city that may be believed: see the reason */
    PLACE_NOT_FOUND,   /* every database was asked */
    PLACE_PRIVATE,     /* an address of a local network: never asked */
    PLACE_RESERVED,    /* an address that no reader on the internet has */
    PLACE_UNREADABLE,  /* the forwarding header cannot be trusted, so the address is not known */
    PLACE_NO_DATABASE, /* not found, but not every configured database is loaded */
    PLACE_VERDICTS
};
extern const char *const place_verdict_names[PLACE_VERDICTS];

/* Why a witness names no city that may be believed, or all of them together do not. */
enum place_reason {
    PLACE_REASON_NONE,
    PLACE_NO_CITY,  /* no city's name with usable coordinates */
    PLACE_RADIUS,   /* over max_radius */
    PLACE_ANYCAST,  /* the network is in many places at once */
    PLACE_LISTED,   /* a network whose city is never believed, or a carrier's, believed only if confirmed */
    PLACE_OFFICE,   /* the point is the network's office */
    PLACE_CONFLICT, /* two witnesses of equal standing contradict each other */
    PLACE_UNCONFIRMED, /* only confirmed cities are believed, and this one is not */
    PLACE_REASONS
};
extern const char *const place_reason_names[PLACE_REASONS];

/* How sure a city is. */
enum place_confidence {
    PLACE_NO_CONFIDENCE, /* there is none */
    PLACE_CLAIMED,       /* one witness says so, without a radius */
    PLACE_CONFIRMED,     /* a second one agrees, a radius is within max_radius, or the reader chose it */
    PLACE_CONFIDENCES
};
extern const char *const place_confidence_names[PLACE_CONFIDENCES];

/* Their names where they are told, "" for none. Static. */
const char *place_reason_code(enum place_reason);
const char *place_confidence_code(enum place_confidence);

enum place_source { PLACE_FROM_NONE, PLACE_FROM_GEOIP, PLACE_FROM_READER, PLACE_FROM_HOME, PLACE_SOURCES };
extern const char *const place_source_names[PLACE_SOURCES];

struct place {
    enum place_verdict verdict;
    enum place_reason reason; /* with PLACE_TOO_VAGUE */
    enum place_confidence confidence;
    enum place_source source;    /* PLACE_FROM_NONE: no name, no coordinates */
    char name[PLACE_NAME_BYTES]; /* clean UTF-8, not escaped; "" where source is none */
    char region[PLACE_NAME_BYTES];
    char country[3];                      /* may be known where the city is not */
    char timezone[RECORD_TIMEZONE_BYTES]; /* IANA name, "" where not known */
    double latitude, longitude;
    int64_t id;                                  /* GeoNames id, 0: none */
    const struct credit *credits[PLACE_CREDITS]; /* of the databases that were witnesses; static */
    size_t credit_count;
};

/* A source that has a record of an address. */
struct witness {
    int database; /* index into the databases, PLACE_BY_PROXY: the headers of a trusted proxy */
    enum place_reason reason;
    struct record record;
    struct label label; /* of a record with a city */
};
#define PLACE_BY_PROXY (-1)

/* What led to a verdict, for people. */
struct place_evidence {
    struct witness witnesses[PLACE_WITNESSES]; /* in the order in which they are asked */
    size_t witness_count, decides;             /* `decides`: the one that the verdict rests on */
    char databases[PLACE_DATABASES][PLACE_PATH_BYTES];
    uint32_t asn;       /* the autonomous system of the address; 0: not known */
    const char *range;  /* name of the special range of the address, or NULL; static */
    const char *reason; /* one sentence; static */
    const char *label;  /* the rule that chose the name; static, NULL without a name */
};

/* The witness that the verdict rests on; NULL: there is none. */
const struct witness *place_decides(const struct place_evidence *);

/* The name of a witness: its database's path, "headers" for a trusted proxy. */
const char *place_witness_name(const struct place_evidence *, const struct witness *);

enum place_believe { PLACE_BELIEVE_CLAIMED, PLACE_BELIEVE_CONFIRMED };
enum place_conflict { PLACE_CONFLICT_HIDE, PLACE_CONFLICT_FIRST };

struct place_options {
    char databases[PLACE_DATABASES][PLACE_PATH_BYTES]; /* asked in this order */
    size_t database_count;
    char vague[PLACE_PATH_BYTES];    /* file of networks, one a line; "": none */
    char asn[PLACE_PATH_BYTES];      /* database of autonomous systems; "": none */
    uint32_t vague_asns[PLACE_ASNS]; /* whose cities are believed only if confirmed, beside the carriers of
                                        data/carriers.tsv */
    size_t vague_asn_count;
    double max_radius_km;
    int64_t believe;              /* enum place_believe */
    int64_t conflict;             /* enum place_conflict */
    struct place home;            /* shown where the reader's place is not known; PLACE_FROM_NONE: none */
    char state[PLACE_PATH_BYTES]; /* folder for private copies of the databases, and for their surveys */
    bool read_only;               /* nothing is written there: the databases must not change meanwhile */
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
    bool reload_ok;                  /* whether the last attempt to load it succeeded */
    char refusal[PLACE_ERROR_BYTES]; /* why it did not; may hold bytes from outside */
    bool has_radii;                  /* without, max_radius has no effect */
    bool old;                        /* older than PLACE_OLD_DAYS */
    int64_t built_s;                 /* Unix time */
    int64_t loaded_s;                /* Unix time at which it was loaded */
};
#define PLACE_OLD_DAYS 45 /* vendors publish every month at least */

/* The databases in the order in which they are asked, that of autonomous systems last; returns how many.
 * Thread-safe. */
size_t places_databases(struct places *, int64_t now_s, struct place_database out[PLACE_FILES]);

/* The place of a reader by what every database says of the address, and by `edge_record`, which a trusted
 * proxy has sent (NULL: none). Without that, PLACE_UNREADABLE where the address is ADDRESS_NONE. With
 * `evidence` (may be NULL) the lookup is not counted in the metrics. Thread-safe; holds no lock while it
 * reads; no allocation. */
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

/* As zones_day has it. Thread-safe. */
bool places_day(const struct places *, const char *zone, int64_t at_s, int64_t *begin_s, int64_t *end_s);

/* The gazetteer that the places are named by; valid while the room is open. Thread-safe. */
const struct gazetteer *places_gazetteer(const struct places *);
