/* The service manager's notifications: sd_notify(3)'s protocol, without its library. Each does nothing where
 * NOTIFY_SOCKET is not set. Not thread-safe; none blocks for longer than a second. */
#pragma once

#include <stdint.h>

/* The service is ready, for the first time or after a reload; `status` is one line for people. */
void notify_ready(const char *status);

/* A reload has begun; notify_ready ends it. */
void notify_reloading(void);

/* The service is stopping, which takes `max_ms` at most. */
void notify_stopping(int64_t max_ms);

/* Half of the interval within which the manager's watchdog expects a notification; 0: it expects none. */
int64_t notify_watchdog_ms(void);

/* The service is alive. */
void notify_watchdog(void);
