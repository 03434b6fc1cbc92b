/* Scenarios: readers to be and faults to have, by name, for developers and tests. One table of each, which
 * the playground, `masthead demo` and the tests share. A scenario's answer is computed from the synthetic
 * truth, apart from cache and upstream, at an instant of its own, so that one URL is one answer, for ever. */
#ifndef WIDGET_SCENARIO_H
#define WIDGET_SCENARIO_H

#include "base/text.h"
#include "widget/widget.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scenario_reader {
    const char *name;
    const char *address; /* in data/visitors.tsv, mostly; "": the forwarding header cannot be trusted */
    const char *at;      /* the instant that the name promises, "" if it promises none */
    const char *note;
};

struct scenario_fault {
    const char *name;
    struct weather_past past; /* of the cell, as the fault left it */
    const char *note;
};

/* The instant where nobody says another: night in New York, afternoon in India. */
#define SCENARIO_AT "2026-01-31T09:30:00Z"

struct scenario {
    const struct scenario_reader *reader; /* NULL: whoever asks */
    const struct scenario_fault *fault;   /* NULL: none */
};

/* Reads "leh-below-zero,stale": a reader, a fault, or both in either order. NULL when good, else why not, a
 * static string; then *out is untouched. */
const char *scenario_read(const char *text, struct scenario *out);

/* Turns a visit into what the scenario says: who asks, if it says so, when, and what is behind the weather.
 * The instant is `at_s`, else (negative) the reader's own, else SCENARIO_AT. */
void scenario_stage(const struct scenario *, int64_t at_s, struct visit *);

/* The i-th reader, NULL past the last. */
const struct scenario_reader *scenario_reader_at(size_t i);

/* Both tables, as a JSON object. */
void scenario_json(struct text *);

#endif
