/* Work on a listener's sockets that civetweb does not offer. civetweb owns them and does not tell their
 * descriptors: they are found among the process's own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SILENT_MS \
    500 /* a connection on which nothing came for so long is idle: a request is on its way for less */

/* What can be done with a listener's sockets: the one that listens, and the connections accepted from it. */
typedef size_t socket_action(int fd, bool listening);

/* Makes the kernel ignore new connections. Those that wait in its queue can still be accepted. */
socket_action socket_refuse;

/* Ends reading on a connection that has been silent for a moment. Its reader gets what has arrived and then
 * the end: an idle connection closes, and a request that waits for a thread is still answered. Returns 1 for
 * an open connection, and for a queue in which connections wait to be accepted. */
socket_action socket_close_silent;

/* Ends reading and writing, and listening: wakes civetweb's threads and resets what waits to be accepted. The
 * accepting thread busy-loops from then on, so that mg_stop has to follow. */
socket_action socket_stop;

/* Does this with each socket of the listener at `host`, an IPv4 literal, and `port`; returns the sum. */
size_t sockets_each(const char *host, int port, socket_action *);

#define HEALTH_QUESTION "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

/* A socket for sockets_ask, and the port from which it will connect, 0: none. */
int sockets_bind(int *port);

/* Asks the listener there and closes `fd`. Returns the status of its answer, 0 for none, or not a single one,
 * until `limit_ms` have passed, connecting included. */
int sockets_ask(int fd, const char *host, int port, const char *question, int64_t limit_ms);
