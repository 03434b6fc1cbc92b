/* The cities of data/cities.tsv with the names of data/city-names.tsv, both embedded in the program, and an
 * index of their folded names, to find those that begin with a given one or are equal to it. Rows point into
 * the files and are in the order of population, the largest first: a lower index is a larger city. An open
 * table never changes, so that reading it is thread-safe. */
#pragma once

#include "base/span.h"

#include <stdint.h>

#define CITY_NONE         UINT16_MAX /* no index of a row */
#define CITY_REGION_BYTES 4

struct city_row {
    struct span name;
    uint32_t id, population;
    float latitude, longitude; /* 4 decimals need 21 bits */
    char country[2];
    char region[CITY_REGION_BYTES]; /* a code, "" where it does not matter */
    uint16_t other;                 /* index into `others`; others[0] is empty */
};

struct city_names {
    struct span display, hindi;
    uint32_t part_of; /* id of the city it is a part of; its own: of none; 0: not given */
};

/* A folded name, or its rest from a later word on. */
struct name_key {
    uint32_t text; /* offset into `folded` of a NUL-terminated string */
    uint16_t city; /* index of its row */
    bool whole;
};

struct city_table {
    struct city_row *rows;
    size_t row_count;
    struct city_names *others;
    size_t other_count;
    uint16_t *by_id; /* indices of rows */
    char *folded;
    size_t folded_bytes;
    struct name_key *keys; /* by text, then by city */
    size_t key_count;
};

/* Reads the embedded files into *table, which must be zeroed. False when out of memory; close it in either
 * case. */
bool city_table_open(struct city_table *);
void city_table_close(struct city_table *);

/* The index of the row with that id, or CITY_NONE. */
size_t city_table_find(const struct city_table *, int64_t id);

/* The name that readers use; `hindi`: in Hindi where that is known. It points into the embedded files. */
struct span city_table_name(const struct city_table *, size_t city, bool hindi);

/* The keys that begin with `length` bytes of `text` (folded); with its NUL counted, those that are `text`.
 * The whole name itself is the first. */
const struct name_key *city_table_keys(const struct city_table *, const char *text, size_t length,
                                       size_t *count);
