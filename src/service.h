/* The service as a whole: every room opened in order, signals waited for, every room closed in reverse. */
#pragma once

#include "config/config.h"
#include "demo.h"

/* Holds back the signals that service_run waits for, in this thread and all that it starts: none that comes
 * early is lost, or ends the process. */
void service_block_signals(void);

/* Runs in the foreground until SIGTERM or SIGINT; SIGHUP reads `sources` again into `config`. `demo` is told
 * when all is ready; NULL: this is none. Returns an exit status. Once a process, before other threads, with
 * the signals held back. */
int service_run(struct config *, const struct config_sources *, const struct demo *);
