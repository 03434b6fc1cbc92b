#include "ops/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* clang-format off */
#define IN(type, key, heading, kind, member) {key, heading, kind, offsetof(struct type, member)}
#define NONE "None."
#define RECORD(key, heading, note, columns, present)                                            \
    {key, heading, note, NONE, columns, sizeof(columns) / sizeof(columns)[0], 0, 0,              \
     offsetof(struct status_report, present)}
#define TABLE(key, heading, note, none, columns, member, number)             \
    {key, heading, note, none, columns, sizeof(columns) / sizeof(columns)[0],      \
     offsetof(struct status_report, member), sizeof((struct status_report *)NULL)->member[0], \
     offsetof(struct status_report, number)}
/* clang-format on */

static const struct column service[] = {
    IN(status_report, "version", "Version", FIELD_TEXT, version),
    IN(status_report, "now", "Now", FIELD_TIME, now_s),
    IN(status_report, "started_at", "Up for", FIELD_AGE, started_s),
    IN(status_report, "ready", "Ready", FIELD_FLAG, ready),
    IN(status_report, "draining", "Draining", FIELD_FLAG, draining),
    IN(status_report, "developer_mode", "Developer mode", FIELD_FLAG, dev),
    IN(status_report, "simulated", "Simulated weather", FIELD_FLAG, simulated),
    IN(status_report, "threads_busy", "Threads held by connections", FIELD_COUNT, threads_busy),
    IN(status_report, "threads", "Threads", FIELD_COUNT, threads),
    IN(status_report, "config_reload_ok", "Last reload succeeded", FIELD_FLAG, reload_ok),
    IN(status_report, "cells", "Cells", FIELD_COUNT, cell_count),
    IN(status_report, "cells_fresh", "Cells fresh", FIELD_COUNT, cells[WEATHER_FRESH]),
    IN(status_report, "cells_stale", "Cells stale", FIELD_COUNT, cells[WEATHER_STALE]),
    IN(status_report, "cells_none", "Cells without a number", FIELD_COUNT, cells[WEATHER_MISS]),
    IN(status_report, "cells_in_flight", "Cells being fetched", FIELD_COUNT, cells_in_flight),
    IN(status_report, "next_retry", "Next try after a failure", FIELD_TIME, retry_s),
    IN(status_report, "capacity", "Room for cells", FIELD_COUNT, weather.capacity),
    IN(status_report, "curves_until", "Curves in use last until", FIELD_TIME, curves_until_s),
    IN(status_report, "refresh_stretch", "Curves live longer, times", FIELD_RATIO, stretch),
    IN(status_report, "snapshot_at", "Snapshot written", FIELD_AGE, weather.snapshot_s),
    IN(status_report, "snapshot_error", "Snapshot's last error", FIELD_CHARS, weather.snapshot_error),
};

static const struct column earth[] = {
    IN(status_report, "run", "Run of", FIELD_TIME, earth.report.run_s),
    IN(status_report, "age", "Its age", FIELD_AGE, earth.report.run_s),
    IN(status_report, "loaded", "In use for", FIELD_AGE, earth.report.loaded_s),
    IN(status_report, "fields_missing", "Fields missing of 66", FIELD_COUNT, earth.missing),
    IN(status_report, "ground", "Ground's height known", FIELD_FLAG, earth.report.heights),
    IN(status_report, "until", "Reaches until", FIELD_TIME, earth.report.last_s),
    IN(status_report, "next", "Next expected", FIELD_TIME, earth.report.expected_s),
    IN(status_report, "loading", "Run being loaded", FIELD_TIME, earth.report.loading_s),
    IN(status_report, "loading_fields", "Fields of it", FIELD_COUNT, earth.loading_fields),
    IN(status_report, "failure", "Last failure since a run came", FIELD_CHARS, earth.report.failure),
    IN(status_report, "bytes_today", "Bytes today, airports' too", FIELD_COUNT, earth.report.bytes_today),
    IN(status_report, "stopped", "Stopped until tomorrow", FIELD_FLAG, earth.report.stopped),
};

static const struct column fleet[] = {
    IN(status_report, "answered", "Redis answered", FIELD_AGE, weather.fleet.answered_s),
    IN(status_report, "failing", "Of no use now", FIELD_FLAG, weather.fleet.failing),
    IN(status_report, "failed", "Last of no use", FIELD_AGE, weather.fleet.failed_s),
    IN(status_report, "failure", "Why", FIELD_TEXT, weather.fleet.failure),
    IN(status_report, "instances", "Instances that drew from a budget in this hour", FIELD_COUNT,
       weather.fleet.instances),
    IN(status_report, "hits", "Curves had from others", FIELD_COUNT, weather.fleet.hits),
    IN(status_report, "given", "Curves given to others", FIELD_COUNT, weather.fleet.given),
    IN(status_report, "locked", "Left to another that was fetching", FIELD_COUNT, weather.fleet.locked),
    IN(status_report, "leased", "Requests held in leases", FIELD_COUNT, weather.leased),
};

static const struct column airports[] = {
    IN(status_report, "used", "Correct the model", FIELD_COUNT, earth.used),
    IN(status_report, "old", "Left out, too old", FIELD_COUNT, earth.old),
    IN(status_report, "off", "Left out, 8 K off", FIELD_COUNT, earth.off),
    IN(status_report, "without_model", "Without the model's value", FIELD_COUNT, earth.modelless),
    IN(status_report, "error_kelvin", "Error, K", FIELD_RATIO, earth.error_kelvin),
    IN(status_report, "model_error_kelvin", "Model's own error, K", FIELD_RATIO, earth.model_error_kelvin),
    IN(status_report, "judged_by", "Airports it is judged by", FIELD_COUNT, earth.judged),
    IN(status_report, "read", "Read", FIELD_AGE, earth.report.metar_s),
    IN(status_report, "next", "Next read", FIELD_TIME, earth.report.metar_expected_s),
    IN(status_report, "failure", "Why not", FIELD_CHARS, earth.report.metar_failure),
};

static const struct column upstreams[] = {
    IN(weather_upstream, "provider", "Provider", FIELD_TEXT, name),
    IN(weather_upstream, "breaker_open", "Left alone", FIELD_FLAG, breaker_open),
    IN(weather_upstream, "failing_since", "Failing since", FIELD_TIME, failing_since_s),
    IN(weather_upstream, "next_try", "Next try", FIELD_TIME, next_try_s),
    IN(weather_upstream, "last_success", "Last success", FIELD_AGE, last_success_s),
    IN(weather_upstream, "last_failure", "Last failure", FIELD_AGE, last_failure_s),
    IN(weather_upstream, "failure", "How it failed", FIELD_TEXT, last_failure),
    IN(weather_upstream, "refresh_stretch", "Stretch", FIELD_RATIO, stretch),
};

static const struct column windows[] = {
    IN(status_window, "provider", "Provider", FIELD_TEXT, provider),
    IN(status_window, "window", "A", FIELD_TEXT, window.name),
    IN(status_window, "remaining", "Left", FIELD_COUNT, window.remaining),
    IN(status_window, "limit", "Of", FIELD_COUNT, window.limit),
    IN(status_window, "reset", "Whole again", FIELD_TIME, window.reset_s),
};

static const struct column places[] = {
    IN(status_place, "place", "Code", FIELD_TEXT, name),
    IN(status_place, "words", "Readers", FIELD_TEXT, words),
    IN(status_place, "last_hour", "Last hour", FIELD_COUNT, hour),
    IN(status_place, "last_hour_share", "Share", FIELD_RATIO, hour_share),
    IN(status_place, "last_day", "Last day", FIELD_COUNT, day),
    IN(status_place, "last_day_share", "Share", FIELD_RATIO, day_share),
};

static const struct column databases[] = {
    IN(place_database, "file", "File", FIELD_CHARS, label),
    IN(place_database, "type", "Type", FIELD_CHARS, type),
    IN(place_database, "loaded", "Loaded", FIELD_FLAG, loaded),
    IN(place_database, "built", "Age", FIELD_AGE, built_s),
    IN(place_database, "old", "Old", FIELD_FLAG, old),
    IN(place_database, "radii", "Radii", FIELD_FLAG, has_radii),
    IN(place_database, "loaded_at", "In use for", FIELD_AGE, loaded_s),
    IN(place_database, "reload_ok", "Last reload succeeded", FIELD_FLAG, reload_ok),
    IN(place_database, "refusal", "Why not", FIELD_CHARS, refusal),
};

static const struct column cells[] = {
    IN(weather_cell, "cell", "Cell", FIELD_CHARS, name),
    IN(weather_cell, "state", "State", FIELD_STATE, state),
    IN(weather_cell, "fetched", "Curve's age", FIELD_AGE, fetched_s),
    IN(weather_cell, "until", "Good until", FIELD_TIME, until_s),
    IN(weather_cell, "asks", "Asks", FIELD_COUNT, asks),
    IN(weather_cell, "provider", "Provider", FIELD_TEXT, provider),
};

static const struct column settings[] = {
    IN(status_setting, "key", "Key", FIELD_CHARS, name),
    IN(status_setting, "value", "Value", FIELD_CHARS, value),
    IN(status_setting, "origin", "From", FIELD_CHARS, origin),
};

const struct table status_tables[] = {
    RECORD("earth", "The whole earth", "The model that answers wherever there is no point forecast.", earth,
           earth.wanted),
    RECORD("airports", "Airports",
           "Their reports correct the model. The error is that of each station's own report against what "
           "readers there would be shown without it, beside that of the model alone.",
           airports, earth.report.metar),
    TABLE("upstreams", "Weather APIs", "Asked for point forecasts, in this order.",
          "No point forecasts are asked.", upstreams, upstreams, upstream_count),
    TABLE("budgets", "Budgets", "Windows are fixed ones of UTC. The last tenth is for cells without a curve.",
          NONE, windows, windows, window_count),
    RECORD("fleet", "The fleet",
           "What this instance shares with others through Redis. Budgets are what all have left.", fleet,
           weather.shares),
    TABLE("places", "Readers' places",
          "A city is withheld where nothing vouches for it: such readers are invited to "
          "choose theirs.",
          NONE, places, places, place_count),
    TABLE("databases", "Databases", NULL, NONE, databases, databases, database_count),
    TABLE("oldest_cells", "Oldest curves", NULL, NONE, cells, oldest, oldest_count),
    TABLE("hottest_cells", "Hottest cells", "Those that were asked for most since their curves came.", NONE,
          cells, hottest, hottest_count),
    {"service", "This process", NULL, NONE, service, sizeof service / sizeof service[0], 0, 0, 0},
    TABLE("configuration", "Configuration in force", NULL, NONE, settings, settings.rows, settings.count),
};
const size_t status_table_count = sizeof status_tables / sizeof status_tables[0];

size_t status_rows(const struct status_report *report, const struct table *table)
{
    const void *count = (const char *)report + table->count;
    if (table->row_bytes > 0)
        return *(const size_t *)count;
    return table->count == 0 || *(const bool *)count;
}

const char *status_row(const struct status_report *report, const struct table *table, size_t i)
{
    return (const char *)report + table->rows + i * table->row_bytes;
}

const char *status_when(int64_t unix_s, int64_t now_s, char out[STATUS_WHEN_BYTES])
{
    static const char *const days[] = {" yesterday", "", " tomorrow"};
    time_t t = (time_t)unix_s, now = (time_t)now_s;
    struct tm tm = {0}, today = {0};
    char date[STATUS_WHEN_BYTES / 2] = "";
    int64_t ahead = unix_s / 86400 - now_s / 86400;
    gmtime_r(&t, &tm);
    gmtime_r(&now, &today);
    strftime(date, sizeof date, tm.tm_year == today.tm_year ? " on %-d %b" : " on %-d %b %Y", &tm);
    snprintf(out, STATUS_WHEN_BYTES, "%02d:%02d UTC%s", tm.tm_hour, tm.tm_min,
             llabs(ahead) <= 1 ? days[ahead + 1] : date);
    return out;
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

static void write_time(enum field_kind kind, int64_t unix_s, const struct status_report *report, bool html,
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
        if (kind == FIELD_AGE)
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

void status_write_field(const struct status_report *report, const struct column *column, const char *row,
                        bool html, struct text *out)
{
    const void *field = row + column->offset;
    switch (column->kind) {
    case FIELD_TEXT:
    case FIELD_CHARS:
        write_string(column->kind == FIELD_CHARS ? field : *(const char *const *)field, html, out);
        break;
    case FIELD_STATE:
        text_format(out, html ? "<span class=\"key %1$s\">%1$s</span>" : "\"%s\"",
                    weather_state_names[WEATHER_OF_CELL][*(const enum weather_state *)field]);
        break;
    case FIELD_COUNT:
        text_format(out, "%lld", (long long)*(const int64_t *)field);
        break;
    case FIELD_RATIO:
        if (isnan(*(const double *)field))
            text_string(out, html ? "–" : "null");
        else
            text_format(out, "%.2f", *(const double *)field);
        break;
    case FIELD_FLAG:
        text_string(out, *(const bool *)field ? (html ? "yes" : "true") : (html ? "no" : "false"));
        break;
    case FIELD_TIME:
    case FIELD_AGE:
        write_time(column->kind, *(const int64_t *)field, report, html, out);
        break;
    }
}
