/* The service as a whole: every room opened in order, signals waited for, every room closed in reverse. */
#ifndef SERVICE_H
#define SERVICE_H

#include "config/config.h"
#include "demo.h"

#include <signal.h>

/* Runs in the foreground until SIGTERM or SIGINT; SIGHUP reads `sources` again into `config`. `demo` is told
 * when all is ready; NULL: this is none. Returns an exit status. Once a process, before other threads. */
int service_run(struct config *, const struct config_sources *, const struct demo *);

/* The signals that it waits for, and which it blocks in all threads. */
sigset_t service_signals(void);

#endif
