/* What a service manager wants to know: sd_notify(3)'s protocol, without its library. Where no NOTIFY_SOCKET
 * is set, nothing happens. Not thread-safe; nothing waits longer than a second. */
#pragma once

#include <stdint.h>

/* Ready, or ready again; `status` is one line for people. */
void notify_ready(const char *status);

/* A reload has begun, which notify_ready ends. */
void notify_reloading(void);

/* The end has begun, and may take `most_ms`. */
void notify_stopping(int64_t most_ms);

/* How often the manager's watchdog wants to hear that all is well: half of the time it has; 0: it does not.
 */
int64_t notify_watchdog_ms(void);
void notify_watchdog(void);
