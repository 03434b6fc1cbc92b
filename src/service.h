/* The service as a whole: opens every room in order, waits for signals, closes every room in reverse. */
#pragma once

#include "config/config.h"
#include "demo.h"

/* Blocks the signals that service_run waits for, in this thread and all that it starts, so that an early one
 * stays pending. */
void service_block_signals(void);

/* Runs in the foreground until SIGTERM or SIGINT; SIGHUP loads `sources` again into `config`. For a demo
 * (else NULL) it calls demo_ready when it is ready. Returns an exit status. Once a process, before other
 * threads, with the signals blocked. */
int service_run(struct config *, const struct config_sources *, const struct demo *);
