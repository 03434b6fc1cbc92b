/* The format of a snapshot: a header, then records, each of fixed size, little-endian, with a CRC-32 in its
 * last four bytes. A record names its provider, so that another table of providers gives no wrong credit.
 * Pure functions on bytes, every one of which may be hostile when read. */
#pragma once

#include "weather/cell/cache.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAPSHOT_NAME_BYTES   16
#define SNAPSHOT_CRC_BYTES    4
#define SNAPSHOT_HEADER_BYTES (8 + 3 * 4 + 1 + SNAPSHOT_CRC_BYTES)
#define SNAPSHOT_RECORD_BYTES \
    (5 * 8 + 4 + 1 + 3 * CURVE_POINTS + CURVE_TIMEZONE_BYTES + SNAPSHOT_NAME_BYTES + SNAPSHOT_CRC_BYTES)

void snapshot_put_header(uint8_t out[SNAPSHOT_HEADER_BYTES], uint32_t count, bool simulated);
void snapshot_put_record(uint8_t out[SNAPSHOT_RECORD_BYTES], const struct cache_record *);

/* How many records follow. False, and why in *fault, when none of them is to be read. */
bool snapshot_get_header(uint8_t in[SNAPSHOT_HEADER_BYTES], bool simulated, uint32_t *count,
                         const char **fault);

/* Whether the record is as it was written and holds a valid curve. Then *known says whether this program can
 * make use of it: it has the provider, and cells of that grid. */
bool snapshot_get_record(uint8_t in[SNAPSHOT_RECORD_BYTES], int32_t cell_udeg, struct cache_record *out,
                         bool *known);
