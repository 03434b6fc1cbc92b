/* What the room is made of. Private to open.c and weather.c. */
#pragma once

#include "weather/cell/snapshot.h"
#include "weather/point/fetch.h"
#include "weather/weather.h"

#include <pthread.h>

struct weather {
    struct weather_options options;
    struct cache *cache;
    struct snapshot *snapshot; /* NULL: none is kept */
    struct quota *quota;
    struct fetch *fetch; /* NULL: no provider is used */
    struct fleet *fleet; /* NULL: this instance is alone */
    struct earth *earth; /* NULL: none is wanted */
    const struct gazetteer *cities;
    enum provider_id order[WEATHER_PROVIDERS]; /* those in use */
    size_t order_count;
    pthread_t housekeeping, sharing;
    bool housekeeping_runs, sharing_runs; /* those threads run */
};
