/* The accepting thread adds connections, the worker that takes one ends it, and a thread of this file's own,
 * the usher, shuts those that have to go. `lock` guards the table; it is a leaf. A descriptor is closed after
 * connections_release, so that one in the table is open. */
#include "http/connections.h"

#include "base/log.h"
#include "http/sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SEND_BYTES (128 << 10) /* that the kernel holds for a client that does not read; else megabytes */
#define LOOK_US    100000      /* nobody tells the usher that a connection waits for its next request */

struct connections {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* where threads are short: there is a connection more, on a thread or without */
    pthread_t usher;
    bool ended;                        /* guarded by lock */
    const struct network_set *trusted; /* constant */
    int64_t threads;                   /* constant */
    size_t slot_count;                 /* constant */
    atomic_int_fast64_t open, shut;    /* now, and of those, to make room; written under lock */
    uint64_t admitted;                 /* guarded by lock */
    atomic_uint_fast64_t taken, accepted;
    atomic_int own_port;
    atomic_bool serve_own;
    struct connection slots[];
};

static _Thread_local struct connections *accepting;
static _Thread_local struct connection_reader *reading;

int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void connections_accept_here(struct connections *connections)
{
    accepting = connections;
}

void connections_read_here(struct connection_reader *reader)
{
    reading = reader;
}

/* Whether its peer holds all that it may. A second connection from one port is refused, too: two threads
 * could not tell the one from the other. Under lock. */
static bool peer_has_enough(const struct connections *connections, const struct connection *next)
{
    int64_t held = 0, share = (connections->threads + 7) / 8;
    for (size_t i = 0; i < connections->slot_count; i++) {
        const struct connection *other = &connections->slots[i];
        if (other->fd < 0 || !address_equal(&other->address, &next->address))
            continue;
        if (other->port == next->port)
            return true;
        held += !other->shut;
    }
    return !next->trusted && held >= share && connections->open >= connections->threads / 4;
}

/* The connection that has waited longest for a request, on a thread. Under lock. */
static struct connection *longest_waiting(struct connections *connections)
{
    int64_t longest_us = INT64_MAX;
    struct connection *found = NULL;
    for (size_t i = 0; i < connections->slot_count; i++) {
        struct connection *one = &connections->slots[i];
        int64_t since_us = one->waits_since_us;
        if (one->fd >= 0 && one->number < connections->taken && !one->shut && since_us > 0 &&
            since_us < longest_us) {
            longest_us = since_us;
            found = one;
        }
    }
    return found;
}

/* Ends the longest waiting connection if it has waited for long enough. Its reader gets what has arrived and
 * then the end: a request that has arrived is still answered. Returns in how long to look again. Under lock.
 */
static int64_t make_room(struct connections *connections)
{
    struct connection *longest = longest_waiting(connections);
    int64_t since_us = longest ? longest->waits_since_us : 0;
    int64_t left_us = since_us > 0 ? since_us + SILENT_MS * 1000 - monotonic_us() : LOOK_US;
    if (left_us > 0)
        return left_us < LOOK_US ? left_us : LOOK_US;
    shutdown(longest->fd, SHUT_RD);
    longest->shut = true;
    connections->shut++;
    return 0;
}

static bool short_of_threads(const struct connections *connections)
{
    return connections->open - connections->shut > connections->threads;
}

static void *usher(void *context)
{
    struct connections *connections = context;
    pthread_mutex_lock(&connections->lock);
    while (!connections->ended) {
        int64_t wait_us = short_of_threads(connections) ? make_room(connections) : -1;
        int64_t at_us = monotonic_us() + wait_us;
        struct timespec at = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
        if (wait_us < 0)
            pthread_cond_wait(&connections->changed, &connections->lock);
        else if (wait_us > 0)
            pthread_cond_clockwait(&connections->changed, &connections->lock, CLOCK_MONOTONIC, &at);
    }
    pthread_mutex_unlock(&connections->lock);
    return NULL;
}

struct connections *connections_open(int64_t threads, const struct network_set *trusted)
{
    size_t count = (size_t)threads + CONNECTION_QUEUE + 1; /* one that waits for room in the queue */
    struct connections *connections = calloc(1, sizeof *connections + count * sizeof connections->slots[0]);
    if (!connections)
        return NULL;
    pthread_mutex_init(&connections->lock, NULL);
    pthread_cond_init(&connections->changed, NULL);
    connections->threads = threads;
    connections->trusted = trusted;
    connections->slot_count = count;
    for (size_t i = 0; i < count; i++)
        connections->slots[i].fd = -1;
    if (pthread_create(&connections->usher, NULL, usher, connections) == 0)
        return connections;
    free(connections);
    return NULL;
}

void connections_close(struct connections *connections)
{
    if (!connections)
        return;
    pthread_mutex_lock(&connections->lock);
    connections->ended = true;
    pthread_cond_signal(&connections->changed);
    pthread_mutex_unlock(&connections->lock);
    pthread_join(connections->usher, NULL);
    pthread_cond_destroy(&connections->changed);
    pthread_mutex_destroy(&connections->lock);
    free(connections);
}

/* False when this connection is not to be served. */
static bool admit(struct connections *connections, const struct connection *next)
{
    bool enough = false;
    pthread_mutex_lock(&connections->lock);
    struct connection *slot = NULL;
    for (size_t i = 0; i < connections->slot_count && !slot; i++)
        if (connections->slots[i].fd < 0)
            slot = &connections->slots[i];
    if (slot && !(enough = peer_has_enough(connections, next))) {
        *slot = *next;
        slot->number = connections->admitted++;
        connections->open++;
        if (short_of_threads(connections))
            pthread_cond_signal(&connections->changed);
    }
    pthread_mutex_unlock(&connections->lock);
    if (enough)
        log_throttled(LOG_WARN, "connection refused",
                      log_str("reason", "its peer, no trusted proxy, holds its share of the threads"));
    return slot && !enough;
}

static struct connection connection_from(const struct connections *connections, int fd,
                                         const struct sockaddr_in *from)
{
    struct connection next = {.fd = fd, .port = ntohs(from->sin_port), .waits_since_us = monotonic_us()};
    next.address.family = ADDRESS_V4;
    memcpy(next.address.bytes, &from->sin_addr, sizeof from->sin_addr);
    next.trusted = !connections->trusted || network_set_contains(connections->trusted, &next.address);
    next.own = next.port == connections->own_port;
    return next;
}

/* The open connection with this descriptor, or else from there. NULL: none. */
static struct connection *find(struct connections *connections, int fd, const struct address *peer, int port)
{
    struct connection *found = NULL;
    pthread_mutex_lock(&connections->lock);
    for (size_t i = 0; i < connections->slot_count && !found; i++) {
        struct connection *slot = &connections->slots[i];
        if (slot->fd >= 0 &&
            (peer ? slot->port == port && address_equal(&slot->address, peer) : slot->fd == fd))
            found = slot;
    }
    pthread_mutex_unlock(&connections->lock);
    return found;
}

/* The program's accept. civetweb takes EAGAIN for nothing to accept. */
int connections_accept(int, struct sockaddr *, socklen_t *) __asm__("accept");
int connections_accept(int listening, struct sockaddr *from, socklen_t *size)
{
    struct connections *connections = accepting;
    int fd = accept4(listening, from, size, connections ? SOCK_CLOEXEC : 0);
    if (!connections || fd < 0)
        return fd;
    connections->accepted++;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){SEND_BYTES}, sizeof(int));
    struct connection next = connection_from(connections, fd, (const struct sockaddr_in *)(const void *)from);
    if ((next.own && !connections->serve_own) || !admit(connections, &next)) {
        close(fd);
        errno = EAGAIN;
        return -1;
    }
    return fd;
}

/* The program's recv. */
ssize_t connections_recv(int, void *, size_t, int) __asm__("recv");
ssize_t connections_recv(int fd, void *buffer, size_t size, int flags)
{
    ssize_t count = recvfrom(fd, buffer, size, flags, NULL, NULL);
    if (!reading)
        return count;
    if (!reading->connection)
        reading->connection = find(reading->connections, fd, NULL, 0);
    if (!reading->start) /* a connection's first bytes come where every request will begin */
        reading->start = buffer;
    if (count > 0 && (size_t)count < size)
        ((char *)buffer)[count] = '\0';
    return count;
}

void connections_take(struct connection_reader *reader)
{
    reader->connection = NULL;
    reader->connections->taken++;
    if (short_of_threads(reader->connections))
        pthread_cond_signal(&reader->connections->changed);
}

void connections_release(struct connection_reader *reader, const char *text, int port)
{
    struct connections *connections = reader->connections;
    struct address peer;
    address_parse(text, strlen(text), &peer);
    struct connection *connection =
        reader->connection ? reader->connection : find(connections, -1, &peer, port);
    reader->connection = NULL;
    if (!connection)
        return;
    pthread_mutex_lock(&connections->lock);
    connections->shut -= connection->shut;
    connections->open--;
    connection->fd = -1;
    pthread_mutex_unlock(&connections->lock);
}

void connection_serves(struct connection *connection)
{
    if (connection)
        connection->waits_since_us = 0;
}

void connection_waits(struct connection *connection)
{
    if (connection)
        connection->waits_since_us = monotonic_us();
}

bool connection_write(struct connection *connection, const char *bytes, size_t length, int64_t limit_ms)
{
    static const struct linger reset = {.l_onoff = 1};
    int64_t until_us = monotonic_us() + limit_ms * 1000, left_us = limit_ms * 1000;
    while (length > 0 && left_us > 0) {
        struct pollfd writable = {.fd = connection->fd, .events = POLLOUT};
        ssize_t sent = send(connection->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            break;
        }
        if (length > 0)
            poll(&writable, 1, (int)(left_us / 1000) + 1);
        left_us = until_us - monotonic_us();
    }
    if (length > 0)
        setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    return length == 0;
}

bool connections_crowded(const struct connections *connections)
{
    return connections->open * 4 >= connections->threads * 3;
}

uint64_t connections_accepted(const struct connections *connections)
{
    return connections->accepted;
}

bool connections_queue_full(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    bool full = connections->admitted - connections->taken >= CONNECTION_QUEUE;
    pthread_mutex_unlock(&connections->lock);
    return full;
}

void connections_expect_own(struct connections *connections, int port, bool serve)
{
    connections->serve_own = serve;
    connections->own_port = port;
}
