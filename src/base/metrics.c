#include "base/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_CELLS 8 /* 64 bytes */
#define STRIPES    8
#define TABLES_MAX 16

static struct {
    struct metric *rows;
    size_t count;
} tables[TABLES_MAX];
static size_t table_count;
static bool short_of_memory; /* for a row; written before threads */

struct metric_samples {
    struct text *out;
    const struct metric *metric;
};

/* Each thread keeps to one stripe; neighbours are spread by order of first use. */
static size_t stripe(void)
{
    static atomic_size_t next;
    static _Thread_local size_t mine = STRIPES;
    if (mine == STRIPES)
        mine = atomic_fetch_add(&next, 1) % STRIPES;
    return mine;
}

static size_t label_count(const struct metric *metric, size_t i)
{
    return metric->labels[i].count > 0 ? metric->labels[i].count : 1;
}

/* Of a histogram: one a bound, one for +Inf, then the sum. */
static size_t cells_per_series(const struct metric *metric)
{
    return metric->bounds ? metric->bound_count + 2 : 1;
}

/* Cells from one stripe to the next: whole cache lines, so that stripes do not share any. */
static size_t stride(const struct metric *metric)
{
    size_t cells = metric->series * cells_per_series(metric);
    return (cells + LINE_CELLS - 1) / LINE_CELLS * LINE_CELLS;
}

static atomic_uint_fast64_t *cell(const struct metric *metric, size_t at_stripe, size_t series, size_t i)
{
    return &metric->cells[at_stripe * stride(metric) + series * cells_per_series(metric) + i];
}

static size_t series_of(const struct metric *metric, size_t first, size_t second)
{
    return first * label_count(metric, 1) + second;
}

static uint64_t sum_cell(const struct metric *metric, size_t series, size_t i)
{
    uint64_t sum = 0;
    for (size_t s = 0; s < STRIPES; s++)
        sum += atomic_load_explicit(cell(metric, s, series, i), memory_order_relaxed);
    return sum;
}

void metrics_register(struct metric *rows, size_t count, void *context)
{
    size_t at = 0;
    while (at < table_count && tables[at].rows != rows)
        at++;
    if (at == TABLES_MAX)
        abort();
    tables[at].rows = rows;
    tables[at].count = count;
    table_count += at == table_count;
    for (size_t i = 0; i < count; i++) {
        struct metric *metric = &rows[i];
        metric->context = context;
        if (metric->collect || metric->cells)
            continue;
        metric->series = label_count(metric, 0) * label_count(metric, 1);
        size_t bytes = STRIPES * stride(metric) * sizeof *metric->cells;
        metric->cells = aligned_alloc(LINE_CELLS * sizeof *metric->cells, bytes);
        if (metric->cells)
            memset(metric->cells, 0, bytes);
        else
            short_of_memory = true;
    }
}

bool metrics_complete(void)
{
    return !short_of_memory;
}

/* Adds to a cell of a series; nothing where the row has none: it is not registered, or memory was
 * short. */
static void add(struct metric *metric, size_t series, size_t i, uint64_t value)
{
    if (metric->cells)
        atomic_fetch_add_explicit(cell(metric, stripe(), series, i), value, memory_order_relaxed);
}

void metric_add(struct metric *metric, size_t first, size_t second)
{
    add(metric, series_of(metric, first, second), 0, 1);
}

void metric_observe(struct metric *metric, size_t first, uint64_t value)
{
    size_t bucket = 0, series = series_of(metric, first, 0);
    while (bucket < metric->bound_count && (double)value * metric->scale > metric->bounds[bucket])
        bucket++;
    add(metric, series, bucket, 1);
    add(metric, series, metric->bound_count + 1, value);
}

/* The label values of a series; NULL where there is no label. */
static void series_values(const struct metric *metric, size_t series, const char *values[METRIC_LABELS])
{
    size_t indices[METRIC_LABELS] = {series / label_count(metric, 1), series % label_count(metric, 1)};
    for (size_t i = 0; i < METRIC_LABELS; i++)
        values[i] = metric->labels[i].count > 0 ? metric->labels[i].values[indices[i]] : NULL;
}

static uint64_t sum_row(const struct metric *metric, const char *value)
{
    size_t at = metric->bounds ? metric->bound_count + 1 : 0;
    uint64_t sum = 0;
    for (size_t series = 0; metric->cells && series < metric->series; series++) {
        const char *values[METRIC_LABELS];
        bool counts = value == NULL;
        series_values(metric, series, values);
        for (size_t i = 0; i < METRIC_LABELS; i++)
            counts = counts || (values[i] && strcmp(values[i], value) == 0);
        sum += counts ? sum_cell(metric, series, at) : 0;
    }
    return sum;
}

uint64_t metrics_sum(const char *name, const char *value)
{
    uint64_t sum = 0;
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            if (strcmp(tables[t].rows[i].name, name) == 0)
                sum += sum_row(&tables[t].rows[i], value);
    return sum;
}

static void write_label_value(struct text *out, const char *value)
{
    for (; *value; value++)
        text_format(out, *value == '\n' ? "\\n" : strchr("\"\\", *value) ? "\\%c" : "%c", *value);
}

/* One sample line; `bound` is the le label of a bucket, or NULL. */
static void write_sample(struct text *out, const struct metric *metric, const char *suffix,
                         const char *const values[], const char *bound, double value)
{
    const char *separator = "{";
    text_format(out, "%s%s", metric->name, suffix);
    for (size_t i = 0; i < METRIC_LABELS; i++) {
        if (!metric->labels[i].name)
            continue;
        text_format(out, "%s%s=\"", separator, metric->labels[i].name);
        write_label_value(out, values[i] ? values[i] : "");
        text_string(out, "\"");
        separator = ",";
    }
    if (bound) {
        text_format(out, "%sle=\"%s\"", separator, bound);
        separator = ",";
    }
    text_string(out, *separator == ',' ? "} " : " ");
    text_number(out, value);
    text_string(out, "\n");
}

void metric_sample(struct metric_samples *samples, double value, const char *first, const char *second)
{
    write_sample(samples->out, samples->metric, "", (const char *const[]){first, second}, NULL, value);
}

static void write_histogram(struct text *out, const struct metric *metric, size_t series,
                            const char *const values[])
{
    uint64_t count = 0;
    for (size_t i = 0; i <= metric->bound_count; i++) {
        char bound[32] = "+Inf";
        if (i < metric->bound_count)
            snprintf(bound, sizeof bound, "%g", metric->bounds[i]);
        count += sum_cell(metric, series, i);
        write_sample(out, metric, "_bucket", values, bound, (double)count);
    }
    double sum = (double)sum_cell(metric, series, metric->bound_count + 1) * metric->scale;
    write_sample(out, metric, "_sum", values, NULL, sum);
    write_sample(out, metric, "_count", values, NULL, (double)count);
}

static bool untouched(const struct metric *metric, size_t series)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < cells_per_series(metric); i++)
        sum += sum_cell(metric, series, i);
    return sum == 0;
}

static void write_stored(struct text *out, const struct metric *metric)
{
    for (size_t series = 0; metric->cells && series < metric->series; series++) {
        const char *values[METRIC_LABELS];
        series_values(metric, series, values);
        if (metric->sparse && untouched(metric, series))
            continue;
        if (metric->bounds)
            write_histogram(out, metric, series, values);
        else
            write_sample(out, metric, "", values, NULL, (double)sum_cell(metric, series, 0));
    }
}

static void write_metric(struct text *out, const struct metric *metric, size_t row)
{
    text_format(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name, metric->type);
    if (metric->collect)
        metric->collect(metric->context, row, &(struct metric_samples){.out = out, .metric = metric});
    else
        write_stored(out, metric);
}

void metrics_write(struct text *out)
{
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            write_metric(out, &tables[t].rows[i], i);
}
