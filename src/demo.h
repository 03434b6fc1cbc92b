/* `masthead demo`: the service with all that it needs, for the browser tests of other projects: the simulator
 * from the folder of this program, the bundled readers in a temporary folder, free ports. Nothing of it is
 * left at the end. */
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

/* Starts all but the service, and sets the configuration file in `sources` for it. `scenario` is as for
 * scenario_read, "": none. Returns an exit status; an error is printed to standard error. Close it in any
 * case. Call before threads, with SIGTERM and SIGINT blocked. */
int demo_open(struct demo *, const char *scenario, struct config_sources *sources);

/* Prints the addresses to standard output, one line of JSON. From now on the end of standard input is a
 * SIGTERM.
 */
void demo_ready(const struct demo *, const char *public, const char *ops);

/* Kills the simulator and removes the folder. */
void demo_close(struct demo *);
