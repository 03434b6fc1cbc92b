/* Scenarios: readers and faults by name, for developers and tests. One table of each, shared by the
 * playground, `masthead demo` and the tests. A scenario's answer is computed from the synthetic weather,
 * without cache and upstream, at an instant of its own, so that a URL always has the same answer. */
#pragma once

#include "base/text.h"

struct scenario_reader {
    const char *name;
    const char *address; /* most are in data/visitors.tsv; "": the forwarding header cannot be trusted */
    const char *at;      /* the instant at which the note is true; "": any */
    const char *note;
};

/* The state in which a fault leaves a cell. */
struct scenario_fault {
    const char *name;
    int64_t age_s;   /* since the last fetch that succeeded; SCENARIO_NEVER: none has */
    int64_t retry_s; /* until the next try, if every fetch since has failed; else 0 */
    const char *note;
};
#define SCENARIO_NEVER (-1)

/* The default instant: night in New York, afternoon in India. */
#define SCENARIO_AT "2026-01-31T09:30:00Z"

struct scenario {
    const struct scenario_reader *reader; /* NULL: the client itself */
    const struct scenario_fault *fault;   /* NULL: none */
};

/* Reads "leh-below-zero,stale": a reader, a fault, or both in either order. NULL, or why it is refused, a
 * static string; then *out is untouched. */
const char *scenario_read(const char *text, struct scenario *out);

/* The instant of a scenario, in Unix seconds: the reader's own, else SCENARIO_AT. */
int64_t scenario_at_s(const struct scenario *);

/* The readers; the last has no name. */
extern const struct scenario_reader scenario_readers[];

/* Both tables, as a JSON object. */
void scenario_json(struct text *);
