/* The survey of a database: what one walk through all of it finds. Who surveys a database also finds whether
 * its tree is sound and, if asked to, a sample of its records can be decoded. A survey takes about a third of
 * a second for a family of a city database, so it is kept in a file. */
#pragma once

#include "place/mmdb.h"
#include "place/offices.h"

#include <stdio.h>

#define SURVEY_BYTES_MAX (OFFICE_KEYS_MAX * sizeof(uint64_t) + 256) /* of a written one */

struct survey {
    double city_share[ADDRESS_V6 + 1]; /* by family: the share of all addresses that have a city with
                                          coordinates; of IPv6 those in 2000::/3 are all */
    bool has_places;                   /* a record names a city or a country */
    bool has_asns;                     /* a record gives the number of an autonomous system */
    struct offices offices;
};

/* Surveys an open database. `decode` is for a process under limits: a few hundred bytes can be made a record
 * that takes all memory to decode in full. False, with a sentence in `error` and nothing to free, when the
 * database is damaged or memory is short. */
bool survey_take(const struct mmdb *, bool decode, struct survey *out, char error[PLACE_ERROR_BYTES]);
void survey_free(struct survey *);

/* What a survey is of. */
struct survey_subject {
    int64_t file_bytes, changed_ns, built_s; /* size and time of the file, build of the database */
};

/* Writes a survey to a stream, and reads one; false where it is of another subject or any byte is not as it
 * was written. The caller frees what was read. */
bool survey_write(const struct survey *, const struct survey_subject *, FILE *);
bool survey_read(struct survey *out, const struct survey_subject *, FILE *);
