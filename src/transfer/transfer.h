/* Requests to the outside: libcurl, which no other room includes, with every limit that holds for all of
 * them. A caller opens a set of transfers with a concurrency of its own, starts some, and waits for whichever
 * is finished.
 *
 * A redirect is followed at most twice, to https (or, from plain http, which the configuration allows for
 * loopback only, to the same host) and within the registered domain. gzip is asked for; the ceiling of a body
 * counts decoded bytes, and another one all bytes that came. A request whose idle connection the server has
 * closed is sent again, once, on a new one: whether the server had read it before nobody can tell, so both
 * count as sent. One that found no connection does not. No proxy but the configured one is used, whatever the
 * environment says.
 *
 * One thread owns a set and all that comes out of it; only transfers_wake is thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRANSFER_PARALLEL_MAX 32
#define TRANSFER_URL_BYTES    768
#define TRANSFER_HEADER_BYTES 192

struct transfer_options {
    char user_agent[192];
    char proxy[256];    /* URL; "": none */
    int64_t timeout_ms; /* for the whole answer, name resolution and redirects included */
    size_t parallel;    /* transfers at one time, 1 to TRANSFER_PARALLEL_MAX */
    size_t body_bytes;  /* ceiling of a body, after decoding; reserved for each transfer */
};

/* How a transfer ended. */
enum transfer_end {
    TRANSFER_ANSWERED,  /* with any status */
    TRANSFER_TIMEOUT,   /* not answered whole within the time */
    TRANSFER_CONNECT,   /* name, connection or TLS failed */
    TRANSFER_BROKEN,    /* the connection broke, or what came was not HTTP */
    TRANSFER_TOO_LARGE, /* more body, or more bytes of any kind, than there may be */
};

struct transfer_answer {
    void *tag; /* as it was started with */
    enum transfer_end end;
    const char *error; /* libcurl's words where it was not answered, else ""; static */
    int status;        /* of HTTP, 0 without an answer */
    size_t requests; /* that were sent: for a redirect another one, and again where a connection was closed */
    size_t received; /* bytes that came in all, as they came */
    const char *body; /* `length` bytes, decoded; not terminated */
    size_t length;
    int64_t taken_us;
    /* Header fields; 0 without. */
    int64_t expires_s,
        last_modified_s;   /* Unix time; the second only if clock_format_http gives it back exactly */
    int64_t retry_after_s; /* from now, of seconds or of a date */
};

struct transfers;

/* NULL on failure (logged). Call before other threads start: libcurl's global state is not thread-safe. */
struct transfers *transfers_open(const struct transfer_options *);

/* Gives up what is under way. NULL is no error. */
void transfers_close(struct transfers *);

/* What is to be got. */
struct transfer_request {
    const char *url;
    const char *header;  /* one more header line; NULL or "": none */
    int64_t modified_s;  /* Unix time for If-Modified-Since; 0: unconditional */
    int64_t first, last; /* the bytes that are wanted, both included, where `last` is not 0. An answer with
                            the whole in their place ends TRANSFER_TOO_LARGE at its first bytes */
    void *tag;           /* comes back with the answer */
};

/* Starts a GET. False when no transfer is free or there is no memory. */
bool transfers_start(struct transfers *, const struct transfer_request *);

/* Waits until a transfer is finished, transfers_wake is called, or `wait_ms` (at least 0) have passed. NULL
 * when none is finished, which may also be when something has moved; otherwise an answer that is valid until
 * the next call with this set, which frees its transfer. */
const struct transfer_answer *transfers_wait(struct transfers *, int wait_ms);

/* Ends a wait, the present one or the next. Thread-safe. */
void transfers_wake(struct transfers *);
