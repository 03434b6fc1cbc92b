/* `masthead demo`: the service with all that it needs, for the browser tests of other projects. The simulator
 * that lies beside our own program, the bundled readers in a temporary folder, free ports; all of it is gone
 * when we are. */
#pragma once

#include "config/config.h"
#include "synthetic/scenario.h"

#include <sys/types.h>

#define DEMO_PATH_BYTES 192
#define DEMO_FILE_BYTES (DEMO_PATH_BYTES + 32)

struct demo {
    struct scenario scenario; /* of all requests that name none */
    pid_t simulator;
    char folder[DEMO_PATH_BYTES]; /* "": none */
    char file[DEMO_FILE_BYTES];   /* the configuration in it */
    char url[DEMO_PATH_BYTES];    /* of the simulator */
};

/* Starts all but the service, and names in `sources` the configuration file that makes the service fit.
 * `scenario` as scenario_read takes it, "": none. An exit status: unless it is EXIT_SUCCESS, why is said on
 * standard error. To be closed in any case. Call before threads, with SIGTERM and SIGINT blocked. */
int demo_open(struct demo *, const char *scenario, struct config_sources *sources);

/* Says on standard output, in one line of JSON, where all is to be found. From now on the end of standard
 * input counts as a SIGTERM. */
void demo_ready(const struct demo *, const char *public, const char *ops);

void demo_close(struct demo *);
