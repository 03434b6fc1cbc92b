/* The fetch thread: takes what is listed in the cache, or what the fleet leaves of that, pays for it from a
 * provider's quota, asks that provider, judges what comes, and ends the fetch in the cache. Ask, then pay;
 * one provider after the other, in the configured order. */
#pragma once

#include "weather/cell/cache.h"
#include "weather/fleet/fleet.h"
#include "weather/point/quota.h"

struct fetch_options {
    enum provider_id order[WEATHER_PROVIDERS]; /* tried in this order within one flight */
    size_t order_count;
    struct provider_access access[WEATHER_PROVIDERS];
    struct transfer_options transfer; /* all but `body_bytes`; `parallel` is the flights at one time */
};

struct fetch;

/* Starts the thread. NULL on failure (logged). Registers the metrics of upstreams. Call before other threads.
 * What it is given is borrowed and must outlive it; without a fleet that is NULL. */
struct fetch *fetch_open(const struct fetch_options *, struct cache *, struct quota *, struct fleet *);

/* Tells the thread that something was listed, is left by the fleet, or leased. Thread-safe, never blocks. */
void fetch_wake(struct fetch *);

/* Whether the thread's loop has come round lately. Thread-safe, never blocks. */
bool fetch_alive(struct fetch *);

/* Gives up what is under way, without ending it in the cache, and ends the thread. NULL is no error. */
void fetch_close(struct fetch *);
