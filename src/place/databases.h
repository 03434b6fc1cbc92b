/* The databases in use: what place.c shares with databases.c, which opens, watches and replaces them. Only
 * these two files include it.
 *
 * The databases in use are one immutable generation with a count of references. `lock` guards only the
 * pointer to the present one and the counts of all: a reader acquires a reference, reads without any lock,
 * and releases the reference; the release that leaves none frees the generation. */
#pragma once

#include "place/mmdb.h"
#include "place/place.h"
#include "place/vague.h"
#include "place/zone.h"

#include <pthread.h>
#include <sys/stat.h>

struct generation {
    unsigned references; /* guarded by places.lock */
    struct place_options options;
    struct mmdb *databases[PLACE_DATABASES]; /* NULL: configured but not loaded */
    struct stat files[PLACE_DATABASES];      /* when they were opened or tried */
    struct vague vague;
    bool complete;
    int64_t opened_s; /* Unix time */
};

struct places {
    struct gazetteer *gazetteer; /* never changes */
    struct zones *zones;         /* nor does this */
    pthread_mutex_t lock;
    struct generation *present;           /* guarded by lock; never NULL after places_open */
    bool last_reload_ok[PLACE_DATABASES]; /* of the present one's databases; guarded by lock */
    struct stat files[PLACE_DATABASES];   /* of the same; of the reloading thread alone */
};

/* Opens the first generation and registers the metrics of databases. False as places_open's NULL. */
bool databases_open(struct places *, const struct place_options *);
void databases_close(struct places *);

/* The present generation, valid until it is released. Thread-safe. */
struct generation *generation_acquire(struct places *);
void generation_release(struct places *, struct generation *);
