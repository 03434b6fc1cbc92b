/* The databases in use: what place.c shares with databases.c, which opens, watches and replaces them. Only
 * these two files include it.
 *
 * The databases in use are one immutable generation with a count of references. `lock` guards only the
 * pointer to the present one and the counts of all: a reader acquires a reference, reads without any lock,
 * and releases the reference; the release that leaves none frees the generation. */
#pragma once

#include "place/carriers.h"
#include "place/place.h"
#include "place/record_cache.h"
#include "place/survey.h"
#include "place/vague.h"
#include "place/zone.h"

#include <pthread.h>
#include <sys/stat.h>

/* A configured file. */
struct database {
    struct mmdb *db;  /* NULL: configured but not loaded */
    bool repeats;     /* the same bytes as an earlier one: no second opinion, and not asked */
    struct stat file; /* when it was opened or tried */
    struct survey survey;
    char refusal[PLACE_ERROR_BYTES]; /* why it is not loaded */
};

struct generation {
    unsigned references; /* guarded by places.lock */
    uint32_t serial;     /* no other generation of the process has it */
    struct place_options options;
    struct database files[PLACE_FILES]; /* the databases, then, if there is one, that of autonomous systems */
    size_t file_count;
    struct vague vague;
    struct carriers carriers;
    bool complete;
    int64_t opened_s; /* Unix time */
};

struct places {
    struct gazetteer *gazetteer;  /* never changes */
    struct zones *zones;          /* nor does this */
    struct record_cache *records; /* of all generations */
    pthread_mutex_t lock;
    struct generation *present;                    /* guarded by lock; never NULL after places_open */
    char refusals[PLACE_FILES][PLACE_ERROR_BYTES]; /* of the last attempt to load each file of it; ""
                                                      for success; guarded by lock */
    struct stat files[PLACE_FILES];                /* of the same; of the reloading thread alone */
};

/* Opens the first generation and registers the metrics of databases. False as places_open's NULL. */
bool databases_open(struct places *, const struct place_options *);
void databases_close(struct places *);

/* The present generation, valid until it is released. Thread-safe. */
struct generation *generation_acquire(struct places *);
void generation_release(struct places *, struct generation *);
