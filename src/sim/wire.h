/* The simulator's HTTP: requests in, answers out, well-formed or not. Owner of civetweb.
 *
 * Each connection carries one request and is closed after it. IPv4 only. One listener per process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_THREADS       64
#define WIRE_REQUEST_BYTES 65536 /* head of a request; more is refused by civetweb */

/* One request, valid until the handler returns; used by the handling thread only.
 * Strings are the client's bytes. */
struct wire {
    const char *method;
    const char *path;              /* not decoded */
    const char *query;             /* not decoded, "" when absent */
    const char *user_agent;        /* "" when absent */
    const char *host;              /* "" when absent */
    bool has_key_header;           /* X-Api-Key was sent */
    bool accepts_gzip;             /* Accept-Encoding names it */
    const char *if_modified_since; /* "" when absent */
    const char *range;             /* the same */
    struct mg_connection *connection;
    int status; /* out: of the head that was sent; 0: none was, or not all of it */
};

/* Listens on `host` (dotted IPv4) and `port` (0 picks a free one), calling `handler` from up to WIRE_THREADS
 * threads at once, each with a stack of 100 KiB, as Debian builds civetweb. Returns the port, or -1 with the
 * reason in `problem`. Threads inherit the caller's signal mask. */
int wire_listen(const char *host, int port, void (*handler)(struct wire *), char *problem,
                size_t problem_size);

/* Breaks every connection, ends every wait, and returns when all handlers have, without waiting for timeouts.
 */
void wire_stop(void);

/* Copies the decoded query parameter `name` into `out`; "" when it is absent or does not fit. Returns whether
 * it is there. */
bool wire_parameter(const struct wire *, const char *name, char *out, size_t size);

/* Reads the query parameter `name`, a whole decimal number from `min` to `max`. True, and *value untouched,
 * when it is absent; false when it is something else. */
bool wire_integer(const struct wire *, const char *name, int64_t min, int64_t max, int64_t *value);

/* Whether each parameter of the query has one of these names; `names` ends with NULL. */
bool wire_only(const struct wire *, const char *const names[]);

/* Sends a whole answer. `headers`: further lines, each ended by CRLF, or "". */
void wire_answer(struct wire *, int status, const char *type, const char *headers, const char *body,
                 size_t length);

/* Sends the head alone; a negative length leaves Content-Length out. False when the client is gone. */
bool wire_head(struct wire *, int status, const char *type, const char *headers, long long length);

/* Sends bytes as they are. False when the client is gone or the simulator is stopping. */
bool wire_write(struct wire *, const void *bytes, size_t length);

/* Waits `ms` (negative: without end). True when the time is over; false as soon as the client hangs up or the
 * simulator stops. */
bool wire_wait(struct wire *, int ms);

/* Breaks the connection with a TCP reset, at once. */
void wire_reset(struct wire *);
