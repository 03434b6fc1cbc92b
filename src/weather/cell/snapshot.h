/* The snapshot: the cache as a file, so that a restart is warm. It holds cells and their curves, nothing of
 * readers. A thread writes it beside the old one and puts it in that one's place, so that there is a whole
 * one at any instant; what cannot be written is logged, and the service goes on. */
#pragma once

#include "weather/cell/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_PATH_BYTES 512

struct snapshot_options {
    char path[SNAPSHOT_PATH_BYTES]; /* its folder is made if it is missing, the one above it is not */
    int64_t every_ms;
    int32_t cell_udeg;
    bool simulated; /* whether the weather is: neither kind is read as the other */
};

enum snapshot_result {
    SNAPSHOT_RESTORED,
    SNAPSHOT_LEFT_OUT, /* sound, but too old, of a provider or a grid that is no more, or beyond capacity */
    SNAPSHOT_DAMAGED,
    SNAPSHOT_RESULTS
};

/* Reads the file into the cache, record by record, every byte of it hostile; counts[] is what became of
 * them. A missing file is an empty one; what is not a snapshot to read is renamed to end in ".unread", and
 * logged. */
void snapshot_read(const struct snapshot_options *, struct cache *, uint64_t counts[SNAPSHOT_RESULTS]);

/* Writes the file. False when it could not be (logged, once a minute; errno says why): the old one is as it
 * was. Not for two threads at once on one path. */
bool snapshot_write(const struct snapshot_options *, struct cache *);

struct snapshot;

/* Reads the file, and starts the thread that writes it at intervals of real time. NULL when out of memory or
 * threads (logged). Registers the snapshot's metrics. Call before the cache is asked; it must outlive the
 * snapshot. */
struct snapshot *snapshot_open(const struct snapshot_options *, struct cache *);

/* The errno of the last attempt to write it, 0 when it succeeded or there was none yet; *written_s is when
 * one last did (Unix time, 0: never). Thread-safe. */
int snapshot_error(const struct snapshot *, int64_t *written_s);

/* Writes it for the last time, and ends the thread. */
void snapshot_close(struct snapshot *);
