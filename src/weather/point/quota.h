/* What may be asked of each provider, and when: budgets per minute, hour and UTC day, a breaker that stops
 * asking one that fails, and pauses that a provider asked for. No flight is granted beyond a budget; the
 * redirects that one follows, two at most, and a request that it repeats are charged when it has ended.
 *
 * Windows are fixed ones of UTC, as Open-Meteo counts. What was spent outlives the process: a file holds, for
 * each provider, what may have been spent at most. It is written ahead by leases of a few requests, which
 * hold for the windows in which they were written: after a SIGKILL a little too much is counted and never too
 * little. Where it cannot be written, one more lease is used and then nothing, until it can be. The file is
 * written by whoever calls quota_renew; the thread that acquires never waits for a disk.
 *
 * In a fleet leases are drawn from what all instances share, too, and what the others have spent counts.
 * While the fleet does not answer, this instance spends what it holds, and then its part of the rest as it
 * last knew it: 1/`instances`. Once it answers, the larger of both counts stands.
 *
 * Thread-safe; one leaf lock. */
#pragma once

#include "base/clock.h"
#include "weather/cell/state.h"
#include "weather/fleet/fleet.h"
#include "weather/point/provider.h"

#define QUOTA_PATH_BYTES 512

struct quota_options {
    int64_t limits[WEATHER_PROVIDERS][QUOTA_WINDOWS]; /* requests; 0: no limit */
    bool used[WEATHER_PROVIDERS];                     /* leases are taken for these only */
    char path[QUOTA_PATH_BYTES];                      /* "": what was spent is not kept */
    struct fleet *fleet; /* with which the budgets are shared; borrowed; NULL: this instance is alone */
    int64_t instances;   /* in the fleet, 1 or more */
};

enum quota_answer {
    QUOTA_GRANTED,
    QUOTA_EXHAUSTED, /* a budget is used up, what is left is kept for more urgent fetches, or the file that
                        should cover it cannot be written */
    QUOTA_PAUSED,    /* the breaker is open, or the provider asked for a pause */
    QUOTA_UNLEASED,  /* the file does not cover it yet: ask again once quota_renew has run */
};

struct quota;

/* NULL when out of memory. An unreadable file is logged, and counts as nothing spent. Writes the first
 * leases, but in a fleet, whose thread does not run yet. Registers the metrics. */
struct quota *quota_open(const struct quota_options *, const struct instant *now);

/* Writes the file exactly, and frees. NULL is no error. */
void quota_close(struct quota *);

/* What one flight was granted, to be handed back when it ends. */
struct quota_grant {
    enum fetch_class class;
    int64_t requests;
    uint32_t rolls; /* windows that had begun until then */
    bool is_probe;  /* of a half-open breaker */
};

/* Acquires the `requests` of one flight from a provider's budgets, all or none. The last tenth of each budget
 * is for FETCH_URGENT; FETCH_PUBLIC may have a tenth of each, or one flight. While a breaker is half open,
 * one flight at a time is granted. Every grant is ended by quota_report. */
enum quota_answer quota_acquire(struct quota *, enum provider_id, enum fetch_class, int64_t requests,
                                const struct instant *now, struct quota_grant *out);

struct quota_result {
    enum outcome outcome; /* of the whole flight */
    uint64_t cell;        /* key of the cell that it was for */
    int64_t sent;         /* requests */
    int64_t pause_s; /* > 0: the provider asked not to be asked again for so long, which nothing shortens */
};

/* Says how a granted flight ended (see breaker_end). What it did not send is given back, unless a window has
 * begun since; what it sent beyond the grant is charged. */
void quota_report(struct quota *, enum provider_id, const struct quota_grant *, const struct quota_result *,
                  const struct instant *now);

/* How things stand with a provider. */
void quota_get_stats(struct quota *, enum provider_id, const struct instant *now,
                     struct weather_upstream *out);

/* The requests that are leased and not made, of all providers. */
int64_t quota_leased(struct quota *);

/* Waits until leases run low, quota_stop is called, or the real monotonic clock reaches `until_ms`; where the
 * file could not be written, for a few seconds at most. False once it is stopped. */
bool quota_wait(struct quota *, int64_t until_ms);
void quota_stop(struct quota *);

/* Writes the file with new leases where they run low. Whether there are new ones. Blocks while the disk does;
 * one caller at a time. */
bool quota_renew(struct quota *, const struct instant *now);

/* When the window that holds `unix_s` ends. */
int64_t quota_window_end_s(enum quota_window, int64_t unix_s);

/* Registers the quota's metrics, once, before threads; quota_open does it. */
void quota_register_metrics(struct quota *);
