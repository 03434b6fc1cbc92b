/* Scenarios: readers to be and faults to have, by name, for developers and tests. One table of each, which
 * the playground, `masthead demo` and the tests share. A scenario's answer is computed from the synthetic
 * truth, apart from cache and upstream, at an instant of its own, so that one URL is one answer, for ever. */
#pragma once

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scenario_reader {
    const char *name;
    const char *address; /* in data/visitors.tsv, mostly; "": the forwarding header cannot be trusted */
    const char *at;      /* the instant that the name promises, "" if it promises none */
    const char *note;
};

/* What the fault left of a cell. */
struct scenario_fault {
    const char *name;
    int64_t age_s;   /* since the last fetch that succeeded; SCENARIO_NEVER: none has */
    int64_t retry_s; /* where every fetch since has failed: until the next try; else 0 */
    const char *note;
};
#define SCENARIO_NEVER (-1)

/* The instant where nobody says another: night in New York, afternoon in India. */
#define SCENARIO_AT "2026-01-31T09:30:00Z"

struct scenario {
    const struct scenario_reader *reader; /* NULL: whoever asks */
    const struct scenario_fault *fault;   /* NULL: none */
};

/* Reads "leh-below-zero,stale": a reader, a fault, or both in either order. NULL when good, else why not, a
 * static string; then *out is untouched. */
const char *scenario_read(const char *text, struct scenario *out);

/* When a scenario plays, as Unix time: the reader's own instant, else SCENARIO_AT. */
int64_t scenario_at_s(const struct scenario *);

/* The scenario's fault, or the first row, which is none. */
const struct scenario_fault *scenario_fault_of(const struct scenario *);

/* The i-th reader, NULL past the last. */
const struct scenario_reader *scenario_reader_at(size_t i);

/* Both tables, as a JSON object. */
void scenario_json(struct text *);
