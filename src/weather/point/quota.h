/* What may be asked of each provider, and when: budgets per minute, hour and UTC day that are never exceeded,
 * a breaker that stops asking one that fails, and pauses that a provider asked for.
 *
 * Windows are fixed ones of UTC, as Open-Meteo counts. What was spent outlives the process: a file holds, for
 * each provider, what may have been spent at most; it is written ahead by a lease of a few requests, so that
 * after a SIGKILL a little too much is counted and never too little. Thread-safe; one leaf lock. The file is
 * written by whoever takes. */
#pragma once

#include "base/clock.h"
#include "weather/point/provider.h"
#include "weather/weather.h"

#include <stdbool.h>
#include <stdint.h>

enum quota_window { QUOTA_MINUTE, QUOTA_HOUR, QUOTA_DAY, QUOTA_WINDOWS };

#define QUOTA_PATH_BYTES 512

struct quota_options {
    int64_t limits[PROVIDERS][QUOTA_WINDOWS]; /* requests; 0: no limit */
    char path[QUOTA_PATH_BYTES];              /* "": what was spent is not kept */
};

enum quota_answer {
    QUOTA_GRANTED,
    QUOTA_SPENT,  /* a budget is used up, or what is left is kept for cells without any curve */
    QUOTA_PAUSED, /* the breaker is open, or the provider asked to be left alone */
};

struct quota;

/* NULL when out of memory. An unreadable file is logged, and counts as nothing spent. Registers the metrics.
 */
struct quota *quota_open(const struct quota_options *, const struct instant *now);

/* Writes the file exactly, and frees. */
void quota_close(struct quota *);

/* Asks for one request to a provider, and counts it if granted. Of each budget the last tenth is for `urgent`
 * requests: cells without a curve. While a breaker is half open, one request at a time is granted. */
enum quota_answer quota_take(struct quota *, enum provider_id, bool urgent, const struct instant *now);

/* Asks for one request on behalf of somebody who may name any place, and counts it if granted: at most a
 * tenth of each budget of the provider, and at least one. It must still be taken. */
bool quota_choose(struct quota *, enum provider_id, const struct instant *now);

/* Says how a granted request ended. `pause_s` > 0: the provider asked not to be asked again for so long,
 * which nothing shortens. */
void quota_report(struct quota *, enum provider_id, enum outcome, int64_t pause_s, const struct instant *now);

/* How much longer than `refresh` a curve of this provider is to live, 1 or more: grows as a budget runs down
 * faster than its window passes. */
double quota_stretch(struct quota *, enum provider_id, const struct instant *now);

/* How things stand with a provider. */
void quota_look(struct quota *, enum provider_id, const struct instant *now, struct weather_upstream *out);

/* When the window that holds `unix_s` ends. */
int64_t quota_window_end_s(enum quota_window, int64_t unix_s);
