/* Metrics: the mechanism behind /metrics (Prometheus text format 0.0.4). Rooms declare tables of rows and
 * register them once, before threads; base knows no room.
 *
 *     static const char *const results[] = {"hit", "miss"};
 *     static struct metric rows[] = {
 *         [LOOKUPS] = COUNTER("masthead_cache_lookups_total", "…", .labels = {{"result", results, 2}}),
 *         [ENTRIES] = GAUGE("masthead_cache_entries", "…", collect),
 *     };
 *     metrics_register(rows, 2, cache);
 *     metric_add(&rows[LOOKUPS], HIT, 0);
 *
 * A row either stores (counters, histograms: striped atomics, so that threads do not contend) or collects:
 * its function is called at each scrape and gives its samples. */
#pragma once

#include "base/text.h"

#include <stdatomic.h>

#define METRIC_LABELS 2

/* A label with its closed set of values: never an address, a city or anything else from outside. */
struct metric_label {
    const char *name;
    const char *const *values;
    size_t count;
};

struct metric;
struct metric_samples;
typedef void metric_collector(void *context, size_t row, struct metric_samples *); /* `row`: of its table */

struct metric {
    const char *name; /* with unit and _total, as exposed */
    const char *help;
    const char *type;                          /* "counter", "gauge" or "histogram", as exposed */
    struct metric_label labels[METRIC_LABELS]; /* unused ones all zero */
    const double *bounds;                      /* histogram: ascending upper bounds, without +Inf */
    size_t bound_count;
    double scale; /* histogram: observed integers times this are in the metric's unit (0.001: ms to s) */
    bool sparse;  /* a series appears with its first count instead of at zero */
    metric_collector *collect; /* NULL: the row stores */

    /* Private to metrics.c from here on. */
    void *context;
    atomic_uint_fast64_t *cells;
    size_t series;
};

/* A row. What follows the help of a counter or histogram are further members; what follows the collector of a
 * gauge are the names of its labels, whose values are no closed set: GAUGE("…", "…", collect,
 * LABEL("provider")).
 */
#define LABEL(name_)  \
    {                 \
        .name = name_ \
    }
#define COUNTER(name_, help_, ...)                                   \
    {                                                                \
        .name = name_, .help = help_, .type = "counter", __VA_ARGS__ \
    }
#define GAUGE(name_, help_, collect_, ...)                                                            \
    {                                                                                                 \
        .name = name_, .help = help_, .type = "gauge", .collect = collect_, .labels = { __VA_ARGS__ } \
    }
#define HISTOGRAM(name_, help_, bounds_, scale_, ...)                                   \
    {                                                                                   \
        .name = name_, .help = help_, .type = "histogram", .bounds = bounds_,           \
        .bound_count = sizeof bounds_ / sizeof bounds_[0], .scale = scale_, __VA_ARGS__ \
    }

/* Adds the rows, which must outlive the process's threads, to the exposition; their collectors get `context`.
 * Rows that are registered already get the new context. Call before threads. */
void metrics_register(struct metric *rows, size_t count, void *context);

/* Whether there was memory for every row so far; those without count nothing. Call before threads. */
bool metrics_complete(void);

/* Counts one for the series of the given label indices (0 where there is no label). Thread-safe, no lock. */
void metric_add(struct metric *, size_t first, size_t second);

/* Observes one value, an integer in the row's own small unit (see `scale`), e.g. milliseconds. Thread-safe,
 * no lock. */
void metric_observe(struct metric *, size_t first, uint64_t value);

/* The sum of what the row of that name has stored in the series that have `value` among their label values
 * (NULL: in all); of a histogram, of the values observed. 0 without such a row. Thread-safe. */
uint64_t metrics_sum(const char *name, const char *value);

/* Gives one sample, from inside a collector. Label values are given for each of the row's labels, in order;
 * NULL for none. For rows whose label values are not a closed set, `labels[].values` may be NULL. */
void metric_sample(struct metric_samples *, double value, const char *first, const char *second);

/* The same, for a row without labels. */
#define metric_value(samples, value) metric_sample((samples), (value), NULL, NULL)

/* Writes the whole exposition. Thread-safe. */
void metrics_write(struct text *);
