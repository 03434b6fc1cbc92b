/* The label of a record: what its readers call the place. */
#pragma once

#include "place/gazetteer.h"
#include "place/record.h"
#include "place/zone.h"

/* A flat value. Strings are clean UTF-8, not escaped. */
struct label {
    char name[RECORD_TEXT_BYTES];
    char region[RECORD_TEXT_BYTES];       /* "" where not known */
    char timezone[RECORD_TIMEZONE_BYTES]; /* IANA name, "" where not known */
    int64_t id;                           /* GeoNames id, 0: none */
    const char *rule;                     /* the rule that chose the name; static */
};

/* Labels a record with a city: the city that its readers would say (see gazetteer.h), else the record's own
 * name, without the district in brackets that 42 % of random Indian addresses have in DB-IP City Lite, as in
 * "Mumbai (Parel)". A name in the asked language (BCP 47) that only the record has goes before the table's
 * English one. Thread-safe; no allocation, no lock. */
struct label label_record(const struct record *, const char *language, const struct gazetteer *,
                          const struct zones *);
