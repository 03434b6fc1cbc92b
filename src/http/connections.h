/* A listener's connections, from the kernel's queue to their end: who may have one, and who goes first when
 * threads run short.
 *
 * A connection holds a thread, and whoever holds threads starves others. So a connection is judged where it
 * is accepted, before it costs a thread:
 *
 *   - once a quarter of the threads are held, a peer that is no trusted proxy may hold an eighth of them
 *     (listeners are IPv4; of IPv6, a /64 would have to count as one peer);
 *   - while a connection has no thread, the one that has waited longest for a request ends, if for half a
 *     second;
 *   - once three quarters are held, answers end their connections (connections_crowded).
 *
 * civetweb offers no place for this. It calls accept and recv through the dynamic linker, which finds those
 * of connections.c first; on all threads but a listener's own they are the C library's. */
#pragma once

#include "visitor/address.h"

#include <stdatomic.h>

#define CONNECTION_QUEUE 64 /* connections that civetweb has accepted and no thread has taken */

/* Values are constant while a thread holds the connection, but for what is atomic and what `lock` guards. */
struct connection {
    int fd; /* -1: none */
    struct address address;
    int port;
    uint64_t number;                    /* in order of acceptance, in which civetweb's threads take them */
    bool trusted, own;                  /* own: of a question that the listener asks itself as it starts */
    bool shut;                          /* to make room; guarded by lock */
    atomic_int_fast64_t waits_since_us; /* for a request; monotonic, 0: it is being answered */
};

struct connections;

/* `trusted`, which is borrowed: peers without a ceiling; NULL: all. NULL when out of memory. */
struct connections *connections_open(int64_t threads, const struct network_set *trusted);
void connections_close(struct connections *);

/* This thread accepts for these connections from now on. */
void connections_accept_here(struct connections *);

/* What a thread reads from. */
struct connection_reader {
    struct connections *connections;
    struct connection *connection; /* NULL: none, or nothing was read from it yet */
    const char *start;             /* where each of its requests begins in memory; NULL: none has yet */
};

/* This thread reads requests from now on. A NUL follows what was read, so that civetweb's parser, which looks
 * past it, finds nothing that an earlier connection has left. */
void connections_read_here(struct connection_reader *);

/* This thread has taken the next connection; or ends the one from there, which it still has open. */
void connections_take(struct connection_reader *);
void connections_release(struct connection_reader *, const char *address, int port);

/* The connection's request is being answered; or it waits for the next one. NULL does nothing. */
void connection_serves(struct connection *);
void connection_waits(struct connection *);

/* Writes it all within `limit_ms`, however slowly it is read. False: it did not, and closing resets. */
bool connection_write(struct connection *, const char *bytes, size_t length, int64_t limit_ms);

/* Whether three quarters of the threads are held. */
bool connections_crowded(const struct connections *);

/* How many were accepted so far, and whether as many as civetweb queues wait for a thread. */
uint64_t connections_accepted(const struct connections *);
bool connections_queue_full(struct connections *);

/* The port from which the listener connects to itself, 0: none. Such a connection is marked as its own while
 * `serve`, and else ended as it is accepted, which takes no thread. */
void connections_expect_own(struct connections *, int port, bool serve);

/* The real monotonic clock in microseconds. */
int64_t monotonic_us(void);
