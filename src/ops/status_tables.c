#include "ops/status.h"

const char *const status_cell_states[STATUS_WEATHER_STATES] = {
    [WEATHER_NONE] = "none", [WEATHER_FRESH] = "fresh", [WEATHER_STALE] = "stale"};

const uint8_t status_dots[STATUS_WEATHER_STATES] = {
    [WEATHER_FRESH] = 1, [WEATHER_STALE] = 2, [WEATHER_NONE] = 3};

#define IN_REPORT(key, heading, kind, member)                      \
    {                                                              \
        key, heading, kind, offsetof(struct status_report, member) \
    }
#define IN(type, key, heading, kind, member)              \
    {                                                     \
        key, heading, kind, offsetof(struct type, member) \
    }

static const struct column service[] = {
    IN_REPORT("version", "Version", FACT_TEXT, version),
    IN_REPORT("now", "Now", FACT_TIME, now_s),
    IN_REPORT("started_at", "Up for", FACT_AGE, started_s),
    IN_REPORT("ready", "Ready", FACT_FLAG, ready),
    IN_REPORT("draining", "Draining", FACT_FLAG, draining),
    IN_REPORT("developer_mode", "Developer mode", FACT_FLAG, dev),
    IN_REPORT("simulated", "Simulated weather", FACT_FLAG, simulated),
    IN_REPORT("threads_busy", "Threads held by connections", FACT_COUNT, threads_busy),
    IN_REPORT("threads", "Threads", FACT_COUNT, threads),
    IN_REPORT("config_reload_ok", "Last reload succeeded", FACT_FLAG, reload_ok),
    IN_REPORT("cells", "Cells", FACT_COUNT, cell_count),
    IN_REPORT("cells_fresh", "Cells fresh", FACT_COUNT, cells[WEATHER_FRESH]),
    IN_REPORT("cells_stale", "Cells stale", FACT_COUNT, cells[WEATHER_STALE]),
    IN_REPORT("cells_none", "Cells without a number", FACT_COUNT, cells[WEATHER_NONE]),
    IN_REPORT("cells_in_flight", "Cells being fetched", FACT_COUNT, cells_in_flight),
    IN_REPORT("next_retry", "Next try after a failure", FACT_TIME, retry_s),
    IN_REPORT("capacity", "Room for cells", FACT_COUNT, weather.capacity),
    IN_REPORT("curves_until", "Curves in use last until", FACT_TIME, curves_until_s),
    IN_REPORT("refresh_stretch", "Curves live longer, times", FACT_RATIO, stretch),
    IN_REPORT("snapshot_at", "Snapshot written", FACT_AGE, weather.snapshot_s),
    IN_REPORT("snapshot_error", "Snapshot's last error", FACT_CHARS, weather.snapshot_error),
};

static const struct column upstreams[] = {
    IN(weather_upstream, "provider", "Provider", FACT_TEXT, name),
    IN(weather_upstream, "breaker_open", "Left alone", FACT_FLAG, breaker_open),
    IN(weather_upstream, "failing_since", "Failing since", FACT_TIME, failing_since_s),
    IN(weather_upstream, "next_try", "Next try", FACT_TIME, next_try_s),
    IN(weather_upstream, "last_success", "Last success", FACT_AGE, last_success_s),
    IN(weather_upstream, "last_failure", "Last failure", FACT_AGE, last_failure_s),
    IN(weather_upstream, "failure", "How it failed", FACT_TEXT, last_failure),
    IN(weather_upstream, "refresh_stretch", "Stretch", FACT_RATIO, stretch),
};

static const struct column windows[] = {
    IN(status_window, "provider", "Provider", FACT_TEXT, provider),
    IN(status_window, "window", "A", FACT_TEXT, window.name),
    IN(status_window, "remaining", "Left", FACT_COUNT, window.remaining),
    IN(status_window, "limit", "Of", FACT_COUNT, window.limit),
    IN(status_window, "reset", "Whole again", FACT_TIME, window.reset_s),
};

static const struct column databases[] = {
    IN(place_database, "file", "File", FACT_CHARS, label),
    IN(place_database, "type", "Type", FACT_CHARS, type),
    IN(place_database, "loaded", "Loaded", FACT_FLAG, loaded),
    IN(place_database, "built", "Age", FACT_AGE, built_s),
    IN(place_database, "old", "Old", FACT_FLAG, old),
    IN(place_database, "radii", "Radii", FACT_FLAG, has_radii),
    IN(place_database, "loaded_at", "In use for", FACT_AGE, loaded_s),
    IN(place_database, "reload_ok", "Last reload succeeded", FACT_FLAG, reload_ok),
};

static const struct column cells[] = {
    IN(weather_cell, "cell", "Cell", FACT_CHARS, name),
    IN(weather_cell, "state", "State", FACT_STATE, state),
    IN(weather_cell, "fetched", "Curve's age", FACT_AGE, fetched_s),
    IN(weather_cell, "until", "Good until", FACT_TIME, until_s),
    IN(weather_cell, "asks", "Asks", FACT_COUNT, asks),
    IN(weather_cell, "provider", "Provider", FACT_TEXT, provider),
};

static const struct column settings[] = {
    IN(status_setting, "key", "Key", FACT_CHARS, name),
    IN(status_setting, "value", "Value", FACT_CHARS, value),
    IN(status_setting, "origin", "From", FACT_CHARS, origin),
};

#define TABLE(key, heading, note, columns, member, number)                                           \
    {                                                                                                \
        key, heading, note, columns, sizeof(columns) / sizeof(columns)[0],                           \
            offsetof(struct status_report, member), sizeof((struct status_report *)NULL)->member[0], \
            offsetof(struct status_report, number)                                                   \
    }

const struct table status_tables[] = {
    TABLE("upstreams", "Weather APIs", "In the order in which they are tried.", upstreams, upstreams,
          upstream_count),
    TABLE("budgets", "Budgets", "Windows are fixed ones of UTC. The last tenth is for cells without a curve.",
          windows, windows, window_count),
    TABLE("databases", "City databases", NULL, databases, databases, database_count),
    TABLE("oldest_cells", "Oldest curves", NULL, cells, oldest, oldest_count),
    TABLE("hottest_cells", "Hottest cells", "Those that were asked for most since their curves came.", cells,
          hottest, hottest_count),
    {"service", "This process", NULL, service, sizeof service / sizeof service[0], 0, 0, 0},
    TABLE("configuration", "Configuration in force", NULL, settings, settings.rows, settings.count),
};
const size_t status_table_count = sizeof status_tables / sizeof status_tables[0];

size_t status_rows(const struct status_report *report, const struct table *table)
{
    return table->row_bytes == 0 ? 1 : *(const size_t *)((const char *)report + table->count);
}

const char *status_row(const struct status_report *report, const struct table *table, size_t i)
{
    return (const char *)report + table->rows + i * table->row_bytes;
}

static void write_duration(int64_t s, struct text *out)
{
    static const struct {
        int64_t s;
        const char *unit;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    while (i < 3 && s < 2 * units[i].s)
        i++;
    text_format(out, "%lld\u00a0%s", (long long)((s < 0 ? 0 : s) / units[i].s), units[i].unit);
}

static void write_time(enum fact kind, int64_t unix_s, const struct status_report *report, bool html,
                       struct text *out)
{
    char stamp[CLOCK_RFC3339_BYTES], when[STATUS_WHEN_BYTES];
    clock_format(unix_s, stamp);
    if (unix_s == 0)
        text_string(out, html ? "–" : "null");
    else if (!html)
        text_format(out, "\"%s\"", stamp);
    else {
        text_format(out, "<time datetime=\"%s\">", stamp);
        if (kind == FACT_AGE)
            write_duration(report->now_s - unix_s, out);
        else
            text_string(out, status_when(unix_s, report->now_s, when));
        text_string(out, "</time>");
    }
}

static void write_string(const char *string, bool html, struct text *out)
{
    if (html)
        text_html(out, string[0] ? string : "–");
    else
        text_json(out, string);
}

void status_write_fact(const struct status_report *report, const struct column *column, const char *row,
                       bool html, struct text *out)
{
    const void *fact = row + column->offset;
    switch (column->kind) {
    case FACT_TEXT:
        write_string(*(const char *const *)fact, html, out);
        break;
    case FACT_CHARS:
        write_string(fact, html, out);
        break;
    case FACT_STATE:
        text_format(out, html ? "<span class=\"key %1$s\">%1$s</span>" : "\"%s\"",
                    status_cell_states[*(const enum weather_state *)fact]);
        break;
    case FACT_COUNT:
        text_format(out, "%lld", (long long)*(const int64_t *)fact);
        break;
    case FACT_RATIO:
        text_format(out, "%.2f", *(const double *)fact);
        break;
    case FACT_FLAG:
        text_string(out, *(const bool *)fact ? (html ? "yes" : "true") : (html ? "no" : "false"));
        break;
    case FACT_TIME:
    case FACT_AGE:
        write_time(column->kind, *(const int64_t *)fact, report, html, out);
        break;
    }
}
