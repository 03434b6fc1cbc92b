/* The cities of data/cities.tsv with the names of data/city-names.tsv, data/india-names.tsv and
 * data/local-names.tsv, their regions and countries from data/regions.tsv and data/countries.tsv, all
 * embedded in the program, and indexes of their folded names, to find those that begin with a given one or
 * are equal to it. Rows point into the files and are in the order of population, the largest first and those
 * whose population is not known last: a lower index is a larger city. An open table never changes, so that
 * reading it is thread-safe. */
#pragma once

#include "base/span.h"
#include "place/gazetteer.h"

#define CITY_NONE          UINT16_MAX /* no index of a row */
#define CITY_DIVISIONS_MAX 8192       /* countries and regions; there are 3,900 */

struct city_row {
    struct span name;
    uint32_t id, population;   /* population 0: not known */
    float latitude, longitude; /* 4 decimals need 21 bits */
    uint32_t zone;             /* where the IANA time zone begins in the file; see city_table_zone */
    int16_t height_m;          /* or CITY_HEIGHT_UNKNOWN */
    char country[2];
    uint16_t region, nation; /* indices into `divisions`; 0: none, or where the region does not matter */
    uint16_t other;          /* index into `others`; others[0] is empty */
};

struct city_names {
    struct span display;
    uint32_t part_of; /* id of the city it is a part of; its own: of none; 0: not given */
};

/* The name of a city in a language. */
struct city_local {
    uint16_t city;
    uint16_t language; /* index into the languages of city_table_name */
    struct span name;
};

/* A country, or a region of one; the files are in this order. */
struct city_division {
    char country[2];
    struct span code; /* "" for a country */
    struct span name;
};

/* A folded name, or its rest from a later word on. */
struct name_key {
    uint32_t text; /* offset into `folded` of a NUL-terminated string */
    uint16_t of;   /* index of a row, or of a division */
    bool whole;    /* nothing but an article is missing */
};

struct name_index {
    struct name_key *keys; /* by text, then by `of` */
    size_t count, capacity;
};

struct city_table {
    struct city_row *rows;
    size_t row_count;
    struct city_names *others;
    size_t other_count;
    struct city_local *locals; /* by city, then by language */
    size_t local_count, local_capacity;
    struct city_division *divisions; /* divisions[0] is empty */
    size_t division_count;
    uint16_t *by_id; /* indices of rows */
    char *folded;
    size_t folded_bytes, folded_capacity;
    struct name_index names, division_names;
    bool out_of_memory;
};

/* Reads the embedded files into *table, which must be zeroed. False when out of memory; close it in either
 * case. */
bool city_table_open(struct city_table *);
void city_table_close(struct city_table *);

/* The index of the row with that id, or CITY_NONE. */
size_t city_table_find(const struct city_table *, int64_t id);

/* The name that readers use, in the language of a BCP 47 tag where that is known, else in English. It points
 * into the embedded files. */
struct span city_table_name(const struct city_table *, size_t city, const char *language);

/* The IANA time zone of a city. It points into the embedded files. */
struct span city_table_zone(const struct city_table *, size_t city);

/* The keys of one of the two indexes that begin with `length` bytes of `text` (folded); with its NUL counted,
 * those that are `text`. The whole name itself is the first. */
const struct name_key *city_table_keys(const struct city_table *, const struct name_index *, const char *text,
                                       size_t length, size_t *count);

/* The length of the article, with its space, that a folded name begins with; 0: none. */
size_t city_table_article(const char *folded);
