/* A cell's curve as it stands in Redis, where anybody may have written it: some two hundred bytes, so that a
 * cell with its key stays below 400 there. Numbers are bits, the highest first: version, key, times and
 * source, then each column of the curve as Rice-coded differences, then a CRC-32 of the bytes before it.
 * Temperatures are in tenths, as they are shown, and of the hours before the fetch there is nothing else; all
 * else is exact. Pure functions. */
#pragma once

#include "weather/cell/cache.h"

#define VALUE_BYTES      1280        /* more than the longest one has, which no weather is like */
#define VALUE_NAME_BYTES 16          /* of a source, without its end */
#define VALUE_EXPIRES_S  (2 * 86400) /* an Expires further ahead of the fetch is a mistake */

enum value_verdict {
    VALUE_SOUND,
    VALUE_DAMAGED, /* cut off, with a wrong checksum, or no curve that can be */
    VALUE_VERSION, /* of another version of this program */
    VALUE_SWAPPED, /* of another cell */
    VALUE_UNKNOWN, /* of a source that this program does not know */
};

/* The sources that a curve may name. */
struct value_sources {
    const char *const *names; /* by the number in a curve; static */
    size_t count;
};

/* Returns the length. */
size_t value_encode(uint8_t out[VALUE_BYTES], const struct cache_record *, const struct value_sources *);

/* Reads a value that stood under the key of a cell. *out is void unless it is VALUE_SOUND. */
enum value_verdict value_decode(const uint8_t *bytes, size_t length, uint64_t key,
                                const struct value_sources *, struct cache_record *out);
