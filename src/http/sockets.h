/* Work on a listener's sockets that civetweb does not offer. civetweb owns them and does not name them, so
 * that they are found among the process's descriptors: by `host`, an IPv4 literal, and `port`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel ignores new connections from now on. Those that wait in its queue can still be accepted. */
void sockets_refuse(const char *host, int port);

/* Ends reading on every connection that has been silent for a moment. Whoever reads it gets what has arrived
 * and then the end, so that an idle connection closes, and a request that waits for a thread is answered.
 * Returns how many connections are open; any number that wait to be accepted count as one. */
size_t sockets_close_silent(const char *host, int port);

/* Ends reading on every connection and stops listening, which wakes civetweb's threads. Connections that wait
 * to be accepted are reset. The accepting thread busy-loops from now on: call mg_stop next. */
void sockets_stop(const char *host, int port);

/* Whether a listener answers GET /healthz with 200 within `limit_ms`, connecting included. */
bool sockets_ask_health(const char *host, int port, int64_t limit_ms);
