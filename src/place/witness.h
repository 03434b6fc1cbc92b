/* Witnesses: what each source says of a reader's place, judged alone and then together. Pure functions over
 * flat values.
 *
 * A record alone is a claim. Evidence of its own has a record with a radius within max_radius, and one that a
 * trusted proxy sends: no claim contradicts it. Of two witnesses of equal standing, those within 50 km
 * confirm each other, and those further apart than max_radius contradict each other; in between the first
 * stands as it was. A witness without a city says nothing against another. */
#pragma once

#include "place/place.h"

#define CONFIRMED_KM 50.0

/* What the verdict on several witnesses depends on. */
struct witness_rules {
    double max_radius_km;
    bool hide_conflict;  /* contradicted by an equal, no city is believed; else the first is */
    bool only_confirmed; /* a claim is not believed */
};

struct witness_verdict {
    const struct witness *decides; /* whose city it is, or whose record says most of why there is none; NULL
                                      without witnesses */
    enum place_reason reason;      /* PLACE_REASON_NONE: its city is believed */
    enum place_confidence confidence;
};

/* Whether the witness has evidence of its own. */
bool witness_is_strong(const struct witness *, const struct witness_rules *);

/* Judges witnesses whose `reason` says what each is worth alone. */
struct witness_verdict witnesses_judge(const struct witness[], size_t count, const struct witness_rules *);

/* Of a great circle, in km. */
double distance_between(const struct record *, const struct record *);
