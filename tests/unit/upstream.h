/* A weather server inside the test, on a free port of 127.0.0.1. What it does with a request is told by the
 * latitude asked for, enum behaviour; the hundredths of the longitude are the request's id. It serves one
 * request after the other, so that an open gate is passed in order. */
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"

#define UPSTREAM_REQUEST_BYTES 2048
#define UPSTREAM_REPLY_BYTES   (1 << 20)
#define UPSTREAM_HELD_MAX      64
#define UPSTREAM_ORDER_MAX     256

enum behaviour {
    OK,           /* a forecast */
    PADDED,       /* with 60,000 spaces after it */
    BIG,          /* with 70,000 */
    FLOOD,        /* chunked, without end */
    CUT,          /* ends before its Content-Length */
    RESET,        /* the same, by a reset */
    EMPTY,        /* closes without a word */
    GARBAGE,      /* is no HTTP */
    HEADER_FLOOD, /* half a megabyte of header lines */
    STATUS,       /* answers with upstream_statuses[id % UPSTREAM_STATUSES] */
    MOVED,        /* redirects to upstream_locations[id % UPSTREAM_LOCATIONS] */
    GZIP,         /* a forecast, compressed */
    BOMB,         /* a few KB that are 64 MB of spaces */
    TRAILERS,     /* chunked, with trailer lines without end */
    SILENT,       /* holds the connection and never answers */
    GATE,         /* OK, once the gate is open */
    KEPT,         /* OK, keeps the connection, and closes it when it is asked for something on it */
    KEPT_MOVED,   /* redirects to OK, and then the same */
    EXTENSION,    /* chunked, with an extension of the first chunk without end */
    EMPTY_BLOCKS, /* gzip that is nothing, without end */
    INTERIM,      /* answers 100 without end */
    TO_FLOOD,     /* redirects to itself, with a body without end */
};

#define UPSTREAM_STATUSES 9
static const int upstream_statuses[UPSTREAM_STATUSES] = {429, 500, 503, 400, 404, 301, 307, 204, 201};

/* What stands before the path; after a colon the port is added. All but the first are not followed. */
static const char *const upstream_locations[] = {
    "",        "http://localhost:",         "ftp://127.0.0.1:", "https://other.example",
    "file://", "https://127.0.0.1.example",
};
#define UPSTREAM_LOCATIONS (sizeof upstream_locations / sizeof upstream_locations[0])

static struct {
    int listener, port, stop[2];
    pthread_t thread;
    int held[UPSTREAM_HELD_MAX];
    size_t held_count;
    char reply[UPSTREAM_REPLY_BYTES];

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool gate_open;                       /* guarded by lock, as all below */
    char request[UPSTREAM_REQUEST_BYTES]; /* the last */
    int order[UPSTREAM_ORDER_MAX];        /* ids in order of arrival */
    size_t order_count;
} upstream = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* A forecast from an hour ago on, 31.2 degrees all along. */
static inline size_t write_forecast(char *out)
{
    int64_t first = (clock_now().wall_ms / 3600000 - 1) * 3600;
    char *end = stpcpy(out, "{\"hourly_units\":{\"time\":\"unixtime\",\"temperature_2m\":\"°C\"},"
                            "\"hourly\":{\"time\":[");
    for (int i = 0; i < 51; i++)
        end += sprintf(end, "%s%lld", i ? "," : "", (long long)first + 3600 * i);
    end = stpcpy(end, "],\"temperature_2m\":[");
    for (int i = 0; i < 51; i++)
        end = stpcpy(end, i ? ",31.2" : "31.2");
    return (size_t)(stpcpy(end, "]}}") - out);
}

/* Compresses `length` bytes at `text` to *out as gzip; `repeat` times over. */
static inline char *write_gzip(char *out, const char *text, size_t length, int repeat)
{
    z_stream stream = {0};
    deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    stream.next_out = (Bytef *)out;
    stream.avail_out = UPSTREAM_REPLY_BYTES / 2;
    for (int i = 0; i < repeat; i++) {
        stream.next_in = (Bytef *)(uintptr_t)text;
        stream.avail_in = (uInt)length;
        deflate(&stream, i + 1 < repeat ? Z_NO_FLUSH : Z_FINISH);
    }
    deflateEnd(&stream);
    return (char *)stream.next_out;
}

static inline size_t write_compressed(char *out, bool bomb)
{
    static char text[1 << 16];
    size_t length = bomb ? sizeof text : write_forecast(text);
    char *end = stpcpy(out, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n");
    if (bomb)
        memset(text, ' ', sizeof text);
    return (size_t)(write_gzip(end, text, length, bomb ? 1024 : 1) - out);
}

static inline size_t write_trailers(char *out)
{
    char *end =
        stpcpy(out, "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n");
    while (end + 64 < out + UPSTREAM_REPLY_BYTES)
        end = stpcpy(end, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    return (size_t)(end - out);
}

/* Fills the reply up with a piece, again and again. */
static inline size_t write_endless(const char *head, const char *piece, size_t length)
{
    char *out = upstream.reply, *end = stpcpy(out, head);
    for (; end + length <= out + UPSTREAM_REPLY_BYTES; end += length)
        memcpy(end, piece, length);
    return (size_t)(end - out);
}

/* What is no answer to speak of, again and again; 0 for other behaviours. */
static inline size_t write_nothings(enum behaviour behaviour)
{
    static const char filler[] = "0123456789abcdef";
    static const char gzip[] =
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\xff\xff\xff\xff\xff\xff\x03";
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char moved[128];
    if (behaviour == EXTENSION)
        return write_endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=", filler, 16);
    if (behaviour == INTERIM)
        return write_endless("", interim, sizeof interim - 1);
    snprintf(moved, sizeof moved, "HTTP/1.1 302 x\r\nLocation: /v1/forecast?latitude=%d&longitude=0\r\n\r\n",
             TO_FLOOD);
    if (behaviour == TO_FLOOD)
        return write_endless(moved, filler, 16);
    if (behaviour != EMPTY_BLOCKS)
        return 0;
    size_t length = write_endless(gzip, "\0\0\0\xff\xff", 5);
    memset(strstr(upstream.reply, "\x1f\x8b\x08") + 3, 0, 6); /* flags and time of the header */
    return length;
}

/* A redirect to OK, or a forecast, after which the connection stays open. */
static inline size_t write_kept(bool moved)
{
    char forecast[4096];
    return moved ? (size_t)sprintf(upstream.reply, "HTTP/1.1 301 x\r\nContent-Length: 0\r\n"
                                                   "Location: /v1/forecast?latitude=0&longitude=0\r\n\r\n")
                 : (size_t)sprintf(upstream.reply, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                                   write_forecast(forecast), forecast);
}

/* Writes the reply for a behaviour; returns its length. */
static inline size_t write_reply(enum behaviour behaviour, int id)
{
    char *out = upstream.reply;
    int status = upstream_statuses[id % UPSTREAM_STATUSES];
    if (behaviour == MOVED) {
        const char *base = upstream_locations[(size_t)id % UPSTREAM_LOCATIONS];
        char port[16];
        snprintf(port, sizeof port, "%d", upstream.port);
        return (size_t)sprintf(out,
                               "HTTP/1.1 301 x\r\nLocation: %s%s/v1/forecast?latitude=0&longitude=0\r\n"
                               "Content-Length: 0\r\n\r\n",
                               base, base[0] && base[strlen(base) - 1] == ':' ? port : "");
    }
    if (behaviour == KEPT || behaviour == KEPT_MOVED)
        return write_kept(behaviour == KEPT_MOVED);
    size_t nothings = write_nothings(behaviour);
    if (nothings > 0)
        return nothings;
    if (behaviour == GZIP || behaviour == BOMB)
        return write_compressed(out, behaviour == BOMB);
    if (behaviour == TRAILERS)
        return write_trailers(out);
    if (behaviour == GARBAGE)
        return (size_t)sprintf(out, "garbage that is no HTTP\r\n\r\n");
    if (behaviour == STATUS)
        return (size_t)sprintf(out,
                               "HTTP/1.1 %d x\r\nLocation: "
                               "/v1/forecast?latitude=%d&longitude=%d.%02d\r\nConnection: close\r\n\r\n"
                               "{\"error\":true,\"reason\":\"no\"}",
                               status, STATUS, id / 100, id % 100);
    if (behaviour == HEADER_FLOOD) {
        char *end = stpcpy(out, "HTTP/1.1 200 OK\r\n");
        for (int i = 0; i < 10000; i++)
            end = stpcpy(end, "X-Filler: 0123456789012345678901234567890123456789\r\n");
        return (size_t)(end - out);
    }
    char *end = stpcpy(out, "HTTP/1.1 200 OK\r\nConnection: close\r\n");
    if (behaviour == FLOOD) {
        end = stpcpy(end, "Transfer-Encoding: chunked\r\n\r\n100000\r\n");
        memset(end, ' ', UPSTREAM_REPLY_BYTES - (size_t)(end - out));
        return UPSTREAM_REPLY_BYTES;
    }
    if (behaviour == CUT || behaviour == RESET)
        end = stpcpy(end, "Content-Length: 100000\r\n");
    end = stpcpy(end, "\r\n");
    end += write_forecast(end);
    size_t padding = behaviour == PADDED ? 60000 : behaviour == BIG ? 70000 : 0;
    memset(end, ' ', padding);
    return (size_t)(end - out) + padding;
}

static inline void send_all(int fd, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t count = send(fd, upstream.reply + sent, length - sent, MSG_NOSIGNAL);
        if (count <= 0)
            return; /* the client has had enough, as it may */
        sent += (size_t)count;
    }
}

/* Reads a request's head into upstream.request and says what its coordinates ask for. */
static inline bool read_request(int fd, int *behaviour, int *id)
{
    char text[UPSTREAM_REQUEST_BYTES] = "";
    double latitude, longitude;
    for (size_t length = 0; !strstr(text, "\r\n\r\n");) {
        ssize_t count = recv(fd, text + length, sizeof text - 1 - length, 0);
        if (count <= 0)
            return false;
        length += (size_t)count;
        text[length] = '\0';
    }
    if (sscanf(text, "GET /v1/forecast?latitude=%lf&longitude=%lf", &latitude, &longitude) != 2)
        return false;
    *behaviour = (int)latitude;
    *id = (int)(longitude * 100 + 0.5);
    pthread_mutex_lock(&upstream.lock);
    memcpy(upstream.request, text, sizeof text);
    if (upstream.order_count < UPSTREAM_ORDER_MAX)
        upstream.order[upstream.order_count++] = *id;
    pthread_cond_broadcast(&upstream.changed);
    pthread_mutex_unlock(&upstream.lock);
    return true;
}

static inline void pass_gate(void)
{
    pthread_mutex_lock(&upstream.lock);
    while (!upstream.gate_open)
        pthread_cond_wait(&upstream.changed, &upstream.lock);
    pthread_mutex_unlock(&upstream.lock);
}

static inline void serve(int fd)
{
    int behaviour, id;
    static const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (!read_request(fd, &behaviour, &id)) {
        close(fd);
        return;
    }
    if (behaviour == SILENT && upstream.held_count < UPSTREAM_HELD_MAX) {
        upstream.held[upstream.held_count++] = fd;
        return;
    }
    if (behaviour == GATE)
        pass_gate();
    if (behaviour != EMPTY)
        send_all(fd, write_reply((enum behaviour)behaviour, id));
    if (behaviour == KEPT || behaviour == KEPT_MOVED)
        read_request(fd, &behaviour, &id); /* and closes without a word */
    if (behaviour == RESET)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
}

static inline void *run_server(void *argument)
{
    struct pollfd fds[2] = {{.fd = upstream.listener, .events = POLLIN},
                            {.fd = upstream.stop[0], .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 && !fds[1].revents) {
        int fd = accept(upstream.listener, NULL, NULL);
        if (fd >= 0)
            serve(fd);
    }
    return argument;
}

static inline bool upstream_start(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    upstream.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(upstream.listener, (struct sockaddr *)&address, size) < 0 ||
        listen(upstream.listener, 128) < 0 ||
        getsockname(upstream.listener, (struct sockaddr *)&address, &size) < 0 || pipe(upstream.stop) < 0)
        return false;
    upstream.port = ntohs(address.sin_port);
    return pthread_create(&upstream.thread, NULL, run_server, NULL) == 0;
}

static inline void upstream_stop(void)
{
    close(upstream.stop[1]);
    pthread_join(upstream.thread, NULL);
    for (size_t i = 0; i < upstream.held_count; i++)
        close(upstream.held[i]);
    close(upstream.listener);
    close(upstream.stop[0]);
}

static inline void upstream_gate(bool is_open)
{
    pthread_mutex_lock(&upstream.lock);
    upstream.gate_open = is_open;
    pthread_cond_broadcast(&upstream.changed);
    pthread_mutex_unlock(&upstream.lock);
}

/* Begins to count requests anew. */
static inline void upstream_forget(void)
{
    pthread_mutex_lock(&upstream.lock);
    upstream.order_count = 0;
    pthread_mutex_unlock(&upstream.lock);
}

static inline size_t upstream_requests(void)
{
    pthread_mutex_lock(&upstream.lock);
    size_t count = upstream.order_count;
    pthread_mutex_unlock(&upstream.lock);
    return count;
}

/* Waits until `count` requests have come. */
static inline void upstream_await(size_t count)
{
    pthread_mutex_lock(&upstream.lock);
    while (upstream.order_count < count)
        pthread_cond_wait(&upstream.changed, &upstream.lock);
    pthread_mutex_unlock(&upstream.lock);
}
