/* The face of the weather room: coordinates and an instant in, the weather of their cell out, with its state.
 * Nobody upstairs knows that there is a cache, a queue, a provider or curl behind it. */
#pragma once

#include "base/clock.h"
#include "base/credit.h"
#include "place/gazetteer.h"
#include "weather/cell/ahead.h"
#include "weather/cell/state.h"
#include "weather/earth/earth.h"
#include "weather/fleet/fleet.h"
#include "weather/point/upstream.h"

#define WEATHER_NAME_BYTES    32
#define WEATHER_CONTACT_BYTES 128

struct weather_options {
    char providers[WEATHER_PROVIDERS]
                  [WEATHER_NAME_BYTES]; /* tried in this order; one that cannot be used is skipped, logged */
    size_t provider_count;              /* 0: no point is asked for, which needs the earth */
    struct weather_provider_options provider[WEATHER_PROVIDERS]; /* by enum provider_id, used or not */
    int64_t instances;                                           /* of the fleet */
    struct fleet_options fleet;          /* all but what is the room's; a server without a name: alone */
    struct earth_options earth;          /* all but what is the room's: `user_agent`, `proxy` */
    char contact[WEATHER_CONTACT_BYTES]; /* in the User-Agent; "": a provider that wants one is skipped,
                                            logged */
    char proxy[WEATHER_URL_BYTES];
    int64_t cell_udeg; /* see cell_size_valid */
    int64_t refresh_ms, keep_ms, wait_ms, timeout_ms;
    int64_t parallel;    /* flights at one time; 0: one if a provider wants that, else eight */
    int64_t capacity;    /* cells */
    int64_t max_waiters; /* threads that may wait for a cold cell at one time */
    char snapshot[2 * WEATHER_PATH_BYTES]; /* file from which a restart is warm; "": none */
    char budgets[2 * WEATHER_PATH_BYTES];  /* file in which what was spent outlives the process; "": none */
    int64_t snapshot_every_ms;
    bool simulated; /* whether the weather is: a snapshot is of one kind or the other */
};

struct reading {
    enum weather_state state;
    enum weather_state lookup;  /* the state when it was looked up, before any waiting */
    bool joined;                /* that was WEATHER_MISS, and a fetch was listed or under way already */
    char cell[CELL_NAME_BYTES]; /* always */
    int64_t refresh_in_s; /* until the curve is due (negative: overdue); without one, until the next try */
    int64_t retry_in_s;   /* where the last fetch failed: until the next try; else 0 */
    bool in_flight;       /* a fetch is listed or under way */
    /* The rest only where state is WEATHER_FRESH or WEATHER_STALE. */
    int temperature_ddeg;        /* tenths of a degree Celsius */
    int code;                    /* WMO table 4677, -1: not known */
    int is_day;                  /* 1, 0, -1: not known */
    int64_t fetched_s;           /* Unix time */
    int64_t age_s;               /* never negative */
    const char *provider;        /* static */
    const struct credit *credit; /* static */
    struct ahead ahead;          /* only where a day was given */
};

struct weather;

/* Starts the room and its threads. NULL on failure (logged): no provider can be used and the earth is not
 * wanted, a key file cannot be read, no memory. `cities`, which know how high a cell lies, must outlive the
 * room; NULL: no cell's height is known. Call before other threads. */
struct weather *weather_open(const struct weather_options *, const struct gazetteer *cities);

/* Ends it; the snapshot is written once more. */
void weather_close(struct weather *);

/* Whether weather_open would find a provider to use and every key; logs what is wrong. Starts nothing. */
bool weather_usable(const struct weather_options *);

/* The weather of the cell around a point at `now`. Does no network I/O: a missing or ageing cell is listed
 * for the fetch thread, and for a missing one a bounded number of callers that `may_wait` do so up to
 * wait_ms. With the `day` that it is there, what is to come is read, too; NULL: it is not. Thread-safe. */
void weather_read(struct weather *, enum weather_client, bool may_wait, double latitude, double longitude,
                  const struct instant *now, const struct ahead_day *day, struct reading *out);

/* What is behind a cell that is only simulated. */
struct weather_scenario {
    int64_t age_s;   /* since the last fetch that succeeded; WEATHER_NEVER: none has */
    int64_t retry_s; /* where every fetch since has failed: until the next try; else 0 */
};
#define WEATHER_NEVER (-1)

/* The weather of a cell at `now` as a reader would be told it, were the synthetic weather forecast by
 * Open-Meteo and this the cell's past. Reproducible: depends on nothing else but the options, and touches
 * nothing. Thread-safe. */
void weather_simulate(const struct weather *, const struct weather_scenario *, double latitude,
                      double longitude, const struct instant *now, const struct ahead_day *day,
                      struct reading *out);

/* Reads a cell's name, "19.1,72.9", as its centre. False when it is not the name of a cell of the configured
 * size. */
bool weather_cell(const struct weather *, const char *name, double *latitude, double *longitude);

/* Looks at the next cells, at most `max`, without counting or starting anything. *cursor is
 * 0 at first and then handed back as it was left. Returns how many; 0 at the end. The cache is locked for one
 * batch at a time; a cell may be missed, or come twice. Thread-safe. */
#define WEATHER_CELLS 64
size_t weather_cells(struct weather *, size_t *cursor, const struct instant *now, struct weather_cell *out,
                     size_t max);

/* Fills in the name, which takes longer than all else. */
void weather_name_cell(const struct weather *, struct weather_cell *);

struct weather_report {
    int64_t capacity; /* cells */
    bool snapshot_kept;
    int64_t snapshot_s;      /* Unix time of the last one written, 0: none yet */
    char snapshot_error[64]; /* why the last attempt failed; "": it did not */
    bool shares;             /* with a fleet; else the rest is 0 */
    struct fleet_report fleet;
    int64_t leased; /* requests to providers with a budget that this instance holds and has not made */
};

/* Thread-safe. */
void weather_report(struct weather *, struct weather_report *out);

/* The earth's part: as earth_report, earth_station and earth_map; false, nothing, without one. Thread-safe.
 */
bool weather_earth(struct weather *, struct earth_report *out);
bool weather_station(struct weather *, size_t index, struct airports_station *out);
void weather_map(struct weather *, const struct instant *now, size_t columns, size_t rows, int16_t *cdeg);

/* How the earth's temperature of the cell around a point comes about. Thread-safe. */
void weather_explain(struct weather *, double latitude, double longitude, const struct instant *now,
                     struct earth_reason *out);

/* Whether the thread that fetches goes on working. Thread-safe, never blocks. */
bool weather_alive(const struct weather *);

/* The providers in use, in the order in which they are tried; returns how many. Thread-safe. */
size_t weather_upstreams(struct weather *, const struct instant *now,
                         struct weather_upstream out[WEATHER_PROVIDERS]);
