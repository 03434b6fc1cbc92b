/* The status page: what readers see, what is wrong, and what the service does next. status.c gathers the
 * facts into one flat report, verdict.c judges them, status_html.c and status_json.c write them.
 * status_tables.c describes for both which fact stands where. */
#pragma once

#include "ops/history.h"
#include "site/world_map.h"
#include "weather/weather.h"

#include <stdatomic.h>

#define STATUS_SETTINGS_MAX 80
#define STATUS_CELLS        8
#define STATUS_SENTENCE     320
#define STATUS_FACT         96 /* no fact is longer than 60 characters, a title's length */
#define STATUS_FINDINGS     20
#define STATUS_CELL_STATES  (WEATHER_MISS + 1) /* WEATHER_NEGATIVE counts as a miss, the worst */

/* The configuration in force. */
struct status_settings {
    size_t count;
    struct status_setting {
        char name[64];    /* "section.key" */
        char value[512];  /* of a secret only that it is set */
        char origin[320]; /* file and line, environment, --set; "" for a default */
    } rows[STATUS_SETTINGS_MAX];
};

struct status_sources {
    struct places *places;
    struct weather *weather;
    const struct http_listener *public;
    const atomic_bool *draining;
    const _Atomic(const char *) *reload_refusal; /* why the last reload failed, static; NULL: it did not */
    bool dev, simulated;
    bool keyless; /* Open-Meteo's free host is in use outside developer mode */
};

enum status_level { STATUS_WELL, STATUS_NOTE, STATUS_DEGRADED, STATUS_BAD, STATUS_LEVELS };
extern const char *const status_level_names[STATUS_LEVELS];

/* Without full stops; escape them: they may hold bytes from outside. */
struct status_finding {
    enum status_level level;
    char fact[STATUS_FACT];
    char cause[STATUS_SENTENCE], next[STATUS_SENTENCE]; /* why, and what is done or to do; or "" */
};

/* The counters of the history: their name in JSON, and the metric whose growth they are, in the series that
 * have this label value (NULL: in all). status_sample corrects three of them. */
/* clang-format off */
#define STATUS_COUNTER_LIST(X)                                                     \
    X(COUNT_FRESH, "fresh", "masthead_widgets_total", "fresh")                     \
    X(COUNT_STALE, "stale", "masthead_widgets_total", "stale")                     \
    X(COUNT_PLACE, "place", "masthead_widgets_total", "place")                     \
    X(COUNT_UNKNOWN, "unknown", "masthead_widgets_total", "unknown")               \
    X(COUNT_HIT, "hit", "masthead_cache_lookups_total", "hit")                     \
    X(COUNT_STALE_HIT, "stale_hit", "masthead_cache_lookups_total", "stale")       \
    X(COUNT_MISS, "miss", "masthead_cache_lookups_total", "miss")                  \
    X(COUNT_NEGATIVE, "negative", "masthead_cache_lookups_total", "negative")      \
    X(COUNT_ANSWERED, "upstream_ok", "masthead_upstream_requests_total", "ok")     \
    X(COUNT_FAILED, "upstream_failed", "masthead_upstream_requests_total", NULL)   \
    X(COUNT_TAKEN_MS, "upstream_ms", "masthead_upstream_request_duration_seconds", NULL) \
    X(COUNT_LOOKED_UP, "looked_up", "masthead_place_lookups_total", NULL)          \
    X(COUNT_LOCAL, "private_or_unreadable", "masthead_place_lookups_total", "private") \
    X(COUNT_NOT_FOUND, "not_found", "masthead_place_lookups_total", "not-found")   \
    X(COUNT_NO_DATABASE, "no_database", "masthead_place_lookups_total", "no-database") \
    X(COUNT_CHOICE, "own_choice", "masthead_widgets_total", "reader")              \
    X(COUNT_CONFIRMED, "confirmed", "masthead_places_total", "confirmed")          \
    X(COUNT_CLAIMED, "claimed", "masthead_places_total", "claimed")                \
    X(COUNT_NO_CITY, "no_city", "masthead_places_total", "no-city")                \
    X(COUNT_RADIUS, "radius", "masthead_places_total", "radius")                   \
    X(COUNT_ANYCAST, "anycast", "masthead_places_total", "anycast")                \
    X(COUNT_LISTED, "listed", "masthead_places_total", "listed")                   \
    X(COUNT_OFFICE, "office", "masthead_places_total", "office")                   \
    X(COUNT_CONFLICT, "conflict", "masthead_places_total", "conflict")             \
    X(COUNT_UNCONFIRMED, "unconfirmed", "masthead_places_total", "unconfirmed")
#define STATUS_COUNTER_ID(id, name, metric, label) id,
enum status_counter { STATUS_COUNTER_LIST(STATUS_COUNTER_ID) STATUS_COUNTERS };
/* clang-format on */
extern const struct status_counter_row {
    const char *name, *metric, *label;
} status_counters[STATUS_COUNTERS];

/* What became of readers' places: so many, and the share of all lookups and choices, in the last hour and
 * day. */
#define STATUS_PLACES 13
struct status_place {
    const char *name, *words;
    int64_t hour, day;
    double hour_share, day_share;
};

/* The whole earth's weather: what weather_earth reports, and what of it tables cannot take as it is. */
struct status_earth {
    bool wanted; /* by the configuration; else all is 0 */
    struct earth_report report;
    int64_t missing, loading_fields;         /* fields, of STATUS_EARTH_FIELDS */
    int64_t used, off, old, modelless;       /* airports */
    double error_kelvin, model_error_kelvin; /* NaN: there is nothing to judge by */
    int64_t judged;                          /* airports that do */
};
#define STATUS_EARTH_FIELDS (GRID_HOURS + GRID_STEPS)

/* The temperature of rectangles of the earth that are four units of the world map wide and high. */
#define STATUS_MAP_UNITS   4
#define STATUS_MAP_COLUMNS (WORLD_MAP_WIDTH / STATUS_MAP_UNITS)
#define STATUS_MAP_ROWS    (STATUS_MAP_COLUMNS / 2)

enum { STATUS_STATION_USED = 1, STATUS_STATION_OFF };

struct status_window {
    const char *provider;
    struct weather_window window;
};

/* Every fact of the page. Too large for the stack. Times are Unix seconds, 0: never. */
struct status_report {
    int64_t now_s;
    bool still; /* the page does not refresh itself */
    enum status_level level;
    char verdict[STATUS_FACT];                 /* the worst fact */
    char cause[STATUS_FACT + STATUS_SENTENCE]; /* its cause, and what is done or to do; or "" */
    char next[STATUS_SENTENCE];
    char readers[STATUS_SENTENCE];                       /* what they were shown recently */
    struct status_finding findings[STATUS_FINDINGS + 1]; /* the highest level first, and room for one */
    size_t finding_count;

    const char *version;
    int64_t started_s;
    bool ready, draining, reload_ok, dev, simulated, keyless;
    const char *reload_refusal; /* where reload_ok is false */
    int64_t threads_busy, threads;
    struct weather_report weather;
    struct status_earth earth;
    int64_t cells[STATUS_CELL_STATES], cell_count, cells_in_flight;
    int64_t curves_until_s; /* when the first curve in use can no longer be read */
    int64_t retry_s;        /* when the first cell whose fetch failed may be fetched again */
    double stretch;         /* the largest of the providers' */
    struct history_view history;

    struct weather_upstream upstreams[WEATHER_PROVIDERS];
    struct status_window windows[WEATHER_PROVIDERS * QUOTA_WINDOWS];
    struct place_database databases[PLACE_FILES];
    struct status_place places[STATUS_PLACES];
    struct weather_cell oldest[STATUS_CELLS], hottest[STATUS_CELLS];
    struct status_settings settings;
    size_t place_count, upstream_count, window_count, database_count, oldest_count, hottest_count;

    world_map_grid map;      /* the state of the worst cell in each unit of the map */
    world_map_grid stations; /* STATUS_STATION_OFF where one in a unit is */
    int16_t cdeg[STATUS_MAP_ROWS][STATUS_MAP_COLUMNS]; /* from the north pole and 180 degrees West on;
                                                          GRID_NO_TEMPERATURE where none is known */
};

struct status;

/* The sources are borrowed and must outlive it. NULL when out of memory. */
struct status *status_open(const struct status_sources *);
void status_close(struct status *);

/* Reports these settings from now on (NULL: none). Takes ownership; they come from malloc. Thread-safe. */
void status_configure(struct status *, struct status_settings *);

/* Whether the service can serve: it does not drain, and every database is loaded. Thread-safe. */
bool status_ready(const struct status *);

/* Adds the counters to the history. Call at least once a minute. Thread-safe. */
void status_sample(struct status *);

/* Gathers and judges a report. The caller frees it. NULL when out of memory. Thread-safe; holds no lock for
 * longer than a batch of cells takes. */
struct status_report *status_gather(struct status *);

/* The growth of a counter in the last `slots` slots of a span, at most all. */
int64_t status_recent(const struct status_report *, enum status_counter, enum history_span, size_t slots);

/* Fills in `level`, `verdict`, `cause`, `next`, `readers` and the findings from all other facts. Pure. */
void status_judge(struct status_report *);

/* Whether the whole earth's model answers for every cell now. */
bool status_earth_answers(const struct status_report *);

/* Writes "12:04 UTC", "14:10 UTC tomorrow" or "09:30 UTC on 3 Oct"; returns `out`. */
#define STATUS_WHEN_BYTES 40
const char *status_when(int64_t unix_s, int64_t now_s, char out[STATUS_WHEN_BYTES]);

/* Writes the page, and the same facts for scripts. */
void status_html(const struct status_report *, struct text *);
void status_json(const struct status_report *, struct text *);

/* Writes the map's part of the page. */
void status_map(const struct status_report *, struct text *);

/* --- Tables: which facts of a report stand where, in both --- */

enum field_kind {
    FIELD_TEXT,  /* const char * */
    FIELD_CHARS, /* char[] */
    FIELD_COUNT, /* int64_t */
    FIELD_RATIO, /* double; NaN: not known */
    FIELD_FLAG,  /* bool */
    FIELD_TIME,  /* int64_t, an instant */
    FIELD_AGE,   /* the same; in HTML how long ago it was */
    FIELD_STATE, /* enum weather_state */
};

struct column {
    const char *key, *heading;
    enum field_kind kind;
    size_t offset; /* in a row */
};

struct table {
    const char *key, *heading;
    const char *note; /* a sentence for people, or NULL */
    const char *none; /* a sentence for people where there are no rows */
    const struct column *columns;
    size_t column_count;
    size_t rows, row_bytes, count; /* offset of the first row in the report, size of a row, offset of the
                                      number of rows; a size of 0: one row, the report itself, and the
                                      offset of a bool, whether it is there; 0: it is */
};
extern const struct table status_tables[];
extern const size_t status_table_count;

/* How many rows a table has, and its i-th row. */
size_t status_rows(const struct status_report *, const struct table *);
const char *status_row(const struct status_report *, const struct table *, size_t i);

/* Writes a fact of a row as HTML or as JSON. */
void status_write_field(const struct status_report *, const struct column *, const char *row, bool html,
                        struct text *);
