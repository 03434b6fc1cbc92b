/* How round trips to the fleet's Redis end: counted, logged where they are faults, and reported. Thread-safe.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How a round trip ended, a row each: its name in metrics, and words for the log where it is a fault. */
#define FLEET_OUTCOME_ROWS(ROW)                                           \
    ROW(HIT, "hit", NULL)               /* a fresher curve, adopted */    \
    ROW(MISS, "miss", NULL)             /* none, or none of use */        \
    ROW(LOCKED, "locked", NULL)         /* another instance fetches it */ \
    ROW(TAKEN, "taken", NULL)           /* this one does */               \
    ROW(GIVEN, "given", NULL)           /* what was fetched is written */ \
    ROW(DRAWN, "drawn", NULL)           /* from a budget */               \
    ROW(RELEASED, "released", NULL)     /* nothing was fetched */         \
    ROW(LEFT_ALONE, "left_alone", NULL) /* not sent, after failures */    \
    ROW(UNREACHABLE, "unreachable", "no connection")                      \
    ROW(TIMEOUT, "timeout", "no reply in time")                           \
    ROW(BROKEN, "broken", "the connection broke")                         \
    ROW(MALFORMED, "malformed", "no reply that was expected")             \
    ROW(REFUSED, "refused", "an error")                                   \
    ROW(DAMAGED, "damaged", "a damaged value")                            \
    ROW(VERSION, "version", "a value of another version")                 \
    ROW(SWAPPED, "swapped", "a value of another cell")                    \
    ROW(UNKNOWN, "unknown", "a value of an unknown source")

enum fleet_outcome {
#define ROW(id, name, words) FLEET_##id,
    FLEET_OUTCOME_ROWS(ROW)
#undef ROW
        FLEET_OUTCOMES
};
/* How it stands. Times are Unix seconds, 0: never. */
struct fleet_report {
    int64_t answered_s, failed_s; /* the last round trip that went well, and that did not */
    bool failing;                 /* the last one that was sent did not */
    const char *failure;          /* the last one, in words; static; "": none */
    int64_t hits;                 /* curves adopted in place of a fetch */
    int64_t given;                /* curves fetched here and given to others */
    int64_t locked;               /* times that another instance was fetching */
    int64_t instances; /* that have drawn from a budget in this hour; 0: no budget was drawn from */
};

struct tally {
    atomic_int_fast64_t answered_s, failed_s;
    atomic_bool failing;
    _Atomic(const char *) failure;
};

/* Registers the metrics. Call before threads. */
void tally_open(struct tally *);

/* `detail`: of a fault, for the log; it may come from outside. */
void tally_count(struct tally *, enum fleet_outcome, const char *detail);

/* Fills in all but `instances`. */
void tally_report(const struct tally *, struct fleet_report *out);
