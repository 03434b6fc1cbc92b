/* The weather APIs that are built in, a row each; what a configuration says of one, and what operators are
 * told of it. Flat structs, copied out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Another API is a file in this folder with its struct provider, a row here (number, symbol, name), and its
 * options. */
#define WEATHER_PROVIDER_ROWS(ROW)            \
    ROW(OPEN_METEO, open_meteo, "open-meteo") \
    ROW(MET_NORWAY, met_norway, "met-norway") \
    ROW(OPENWEATHERMAP, openweathermap, "openweathermap")

enum provider_id {
#define ROW(id, symbol, name) PROVIDER_##id,
    WEATHER_PROVIDER_ROWS(ROW)
#undef ROW
        WEATHER_PROVIDERS
};

#define WEATHER_URL_BYTES  256
#define WEATHER_PATH_BYTES 256

/* Open-Meteo's host for keyless, non-commercial use. */
#define WEATHER_FREE_HOST "https://api.open-meteo.com"

enum quota_window { QUOTA_MINUTE, QUOTA_HOUR, QUOTA_DAY, QUOTA_WINDOWS };

struct weather_provider_options {
    char url[WEATHER_URL_BYTES];       /* base, without a slash at the end */
    char key_file[WEATHER_PATH_BYTES]; /* "": keyless */
    int64_t budget[QUOTA_WINDOWS];     /* requests in each window of UTC; 0: no limit */
};

/* A budget of a provider. */
struct weather_window {
    const char *name;         /* "minute", "hour", "day"; static */
    int64_t limit, remaining; /* requests */
    int64_t reset_s;          /* Unix time at which the budget is whole again */
};

/* How things stand with a provider. Times are Unix seconds, 0: never, not. */
struct weather_upstream {
    const char *name;       /* static */
    bool asked;             /* since the start of the process; else only the budgets say something */
    bool breaker_open;      /* it is not asked: it failed too often, or asked for a pause */
    int64_t next_try_s;     /* when it may be asked again, by breaker and budgets; 0: now */
    int64_t last_success_s; /* of a whole curve */
    int64_t last_failure_s,
        failing_since_s;      /* the second: since when nothing has succeeded; 0: it does not fail */
    const char *last_failure; /* in words, "" for none; static */
    double stretch; /* how much longer than `refresh` its curves live, 1 or more: grows as a budget runs down
                       faster than its window passes */
    size_t window_count;
    struct weather_window windows[QUOTA_WINDOWS]; /* those with a limit */
};
