/* The service manager's notifications: sd_notify(3)'s protocol, without its library. They do nothing where
 * NOTIFY_SOCKET is not set. Not thread-safe; none blocks for longer than a second. */
#pragma once

#include <stdint.h>

/* Sends assignments as sd_notify(3) tells them, "READY=1\nSTATUS=serving", one a line. */
void notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A reload has begun; the next READY=1 ends it. */
void notify_reloading(void);

/* Half of the interval within which the manager's watchdog expects a notification; 0: it expects none. */
int64_t notify_watchdog_ms(void);
