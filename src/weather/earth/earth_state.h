/* What the thread of the whole earth's weather and its readers share. Private to earth.c and earth_read.c. */
#pragma once

#include "weather/earth/allowance.h"
#include "weather/earth/earth.h"
#include "weather/earth/feed.h"
#include "weather/earth/present.h"

#include <pthread.h>
#include <stdatomic.h>

#define EARTH_PROBE_MS INT64_C(300000) /* between two looks for a run that is due */

struct earth {
    struct earth_options options;
    struct transfers *transfers;
    pthread_t thread;
    atomic_bool stopping;
    struct present present;
    pthread_mutex_t lock;
    struct earth_report report; /* guarded by lock */
    /* Of the thread: */
    struct load *load;
    size_t mirror;                /* that answered well last */
    unsigned back;                /* which run is tried: 0 the newest */
    int64_t probe_ms;             /* boot time before which no load begins */
    int64_t have_s;               /* the run that is at hand, as far as it can be had */
    int64_t refused_s;            /* the run that was refused last */
    int64_t agreed_s;             /* the run that reports agreed with last */
    unsigned published, progress; /* of the load: hours that were read already, lines that were logged */
    struct feed feed;             /* of the airports' reports */
    int64_t renew_ms;             /* boot time from which on they have aged too much since they were judged */
    struct allowance allowance;
};
