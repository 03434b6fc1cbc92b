/* The snapshot: the cache as a file, so that a restart is warm. It holds cells and their curves, nothing of
 * readers. What cannot be written is logged, and the service goes on.
 *
 * The file is a header, then records, each of fixed size, little-endian, with a CRC-32 in its last four
 * bytes. A record names its provider, so that another table of providers gives no wrong credit. */
#pragma once

#include "weather/cell/cache.h"

#define SNAPSHOT_PATH_BYTES   512
#define SNAPSHOT_NAME_BYTES   16
#define SNAPSHOT_CRC_BYTES    4
#define SNAPSHOT_HEADER_BYTES (8 + 3 * 4 + 1 + SNAPSHOT_CRC_BYTES)
#define SNAPSHOT_RECORD_BYTES (5 * 8 + 1 + 6 * CURVE_POINTS + SNAPSHOT_NAME_BYTES + SNAPSHOT_CRC_BYTES)

struct snapshot_options {
    char path[SNAPSHOT_PATH_BYTES]; /* its folder is made if it is missing, the one above it is not */
    int32_t cell_udeg;
    bool simulated;               /* whether the weather is: neither kind is read as the other */
    const char *const *providers; /* names, by the number in a curve; static */
    size_t provider_count;
};

enum snapshot_result {
    SNAPSHOT_RESTORED,
    SNAPSHOT_LEFT_OUT, /* sound, but too old, of a provider or a grid that is no more, or beyond capacity */
    SNAPSHOT_DAMAGED,
    SNAPSHOT_RESULTS
};

/* Reads the file into the cache, record by record, every byte of it hostile; counts[] is what became of them.
 * A missing file is an empty one; what is not a snapshot to read is renamed to end in ".unread", and logged.
 */
void snapshot_read(const struct snapshot_options *, struct cache *, uint64_t counts[SNAPSHOT_RESULTS]);

/* Replaces the file whole. False when it could not be (logged, once a minute; errno says why): the old one is
 * as it was. Not for two threads at once on one path. */
bool snapshot_write(const struct snapshot_options *, struct cache *);

/* The bytes of a header that announces `count` records, and of a record. */
void snapshot_encode_header(uint8_t out[SNAPSHOT_HEADER_BYTES], uint32_t count, bool simulated);
void snapshot_encode_record(uint8_t out[SNAPSHOT_RECORD_BYTES], const struct cache_record *,
                            const char *provider);

struct snapshot;

/* Reads the file and registers the snapshot's metrics. NULL when out of memory. Call before the cache is
 * asked; it must outlive the snapshot. */
struct snapshot *snapshot_open(const struct snapshot_options *, struct cache *);

/* Writes the file, as snapshot_write, and keeps how that went. One caller at a time. */
void snapshot_save(struct snapshot *);

/* The errno of the last attempt to write it, 0 when it succeeded or there was none yet; *written_s is when
 * one last did (Unix time, 0: never). Thread-safe. */
int snapshot_error(const struct snapshot *, int64_t *written_s);

/* Writes it for the last time. NULL is no error. */
void snapshot_close(struct snapshot *);
