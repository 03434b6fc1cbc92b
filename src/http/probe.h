/* The service as a client of its own: whether a listener answers, for the watchdog. */
#ifndef HTTP_PROBE_H
#define HTTP_PROBE_H

#include <stdbool.h>

/* Whether /healthz there (an IPv4 literal) is answered with 200, each step within a second. */
bool probe_health(const char *host, int port);

#endif
