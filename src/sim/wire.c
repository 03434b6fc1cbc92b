#include "sim/wire.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define HEAD_BYTES (WIRE_REQUEST_BYTES + 1024) /* a redirect repeats the request's query */

static struct {
    void (*handler)(struct wire *); /* this and `stopping` are written before the threads start */
    int stopping;                   /* an eventfd, readable from wire_stop on */
    struct mg_context *context;     /* the main thread's */
    atomic_int port;                /* 0 while civetweb starts */
} line = {.stopping = -1};

static char
    first_complaint[256]; /* civetweb's, while it starts, in the main thread; later ones have no reader */

static int on_complaint(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    if (atomic_load(&line.port) == 0 && first_complaint[0] == '\0')
        snprintf(first_complaint, sizeof first_complaint, "%s", message);
    return 1;
}

static int on_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    const char *agent = mg_get_header(connection, "User-Agent");
    const char *since = mg_get_header(connection, "If-Modified-Since");
    const char *host = mg_get_header(connection, "Host"),
               *accept = mg_get_header(connection, "Accept-Encoding");
    struct wire wire = {
        .method = info->request_method,
        .path = info->local_uri ? info->local_uri : "",
        .query = info->query_string ? info->query_string : "",
        .user_agent = agent ? agent : "",
        .host = host ? host : "",
        .has_key_header = mg_get_header(connection, "X-Api-Key") != NULL,
        .accepts_gzip = accept && strcasestr(accept, "gzip"),
        .if_modified_since = since ? since : "",
        .connection = connection,
    };
    mg_disable_connection_keep_alive(connection); /* also keeps civetweb from draining a slow body */
    line.handler(&wire);
    return 1;
}

int wire_listen(const char *host, int port, void (*handler)(struct wire *), char *problem,
                size_t problem_size)
{
    static const struct mg_callbacks callbacks = {.begin_request = on_request, .log_message = on_complaint};
    char where[64], threads[16], request[16];
    snprintf(where, sizeof where, "%s:%d", host, port);
    snprintf(threads, sizeof threads, "%d", WIRE_THREADS);
    snprintf(request, sizeof request, "%d", WIRE_REQUEST_BYTES);
    const char *options[] = {"listening_ports",  where,   "num_threads", threads,
                             "max_request_size", request, "tcp_nodelay", "1",
                             "decode_url",       "no",    NULL};

    line.handler = handler;
    line.stopping = eventfd(0, EFD_CLOEXEC);
    mg_init_library(0);
    line.context = mg_start(&callbacks, NULL, options);
    struct mg_server_port bound;
    if (!line.context || mg_get_server_ports(line.context, 1, &bound) != 1) {
        snprintf(problem, problem_size, "%s",
                 first_complaint[0] ? first_complaint : "cannot start the server");
        return -1;
    }
    atomic_store(&line.port, bound.port);
    return bound.port;
}

/* civetweb keeps its sockets to itself, so they are looked for among all descriptors: the
 * next one from `fd` on whose own port is `port` and, when `peer` is given, whose other end
 * is `peer`. -1 when there is none. */
static int find_socket(int fd, int port, const struct sockaddr_in *peer)
{
    struct rlimit limit = {.rlim_cur = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    for (; fd < 4096 && (rlim_t)fd < limit.rlim_cur; fd++) {
        struct sockaddr_in own = {0}, other = {0};
        socklen_t own_size = sizeof own, other_size = sizeof other;
        if (getsockname(fd, (struct sockaddr *)&own, &own_size) != 0 || own.sin_family != AF_INET ||
            ntohs(own.sin_port) != port)
            continue;
        if (!peer)
            return fd;
        if (getpeername(fd, (struct sockaddr *)&other, &other_size) == 0 &&
            other.sin_port == peer->sin_port && other.sin_addr.s_addr == peer->sin_addr.s_addr)
            return fd;
    }
    return -1;
}

static int socket_of(const struct wire *wire)
{
    const struct mg_request_info *info = mg_get_request_info(wire->connection);
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons((uint16_t)info->remote_port)};
    if (inet_pton(AF_INET, info->remote_addr, &peer.sin_addr) != 1)
        return -1;
    return find_socket(0, info->server_port, &peer);
}

void wire_stop(void)
{
    eventfd_write(line.stopping, 1);
    /* civetweb alone would sit out its poll intervals of two seconds on each of these. */
    int port = atomic_load(&line.port);
    for (int fd = find_socket(0, port, NULL); fd >= 0; fd = find_socket(fd + 1, port, NULL))
        shutdown(fd, SHUT_RDWR);
    mg_stop(line.context);
    mg_exit_library();
    close(line.stopping);
}

bool wire_parameter(const struct wire *wire, const char *name, char *out, size_t size)
{
    int length = mg_get_var(wire->query, strlen(wire->query), name, out, size);
    if (length < 0)
        out[0] = '\0';
    return length >= 0 || length == -2; /* -2: there, but too long */
}

bool wire_integer(const struct wire *wire, const char *name, int64_t least, int64_t most, int64_t *value)
{
    char text[24], *end;
    if (!wire_parameter(wire, name, text, sizeof text))
        return true;
    errno = 0;
    int64_t number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || !strchr("-0123456789", text[0]) || errno != 0 || number < least ||
        number > most)
        return false;
    *value = number;
    return true;
}

bool wire_only(const struct wire *wire, const char *const names[])
{
    for (const char *at = wire->query; *at; at += *at == '&') {
        size_t i = 0, length = strcspn(at, "=&");
        while (names[i] && (strlen(names[i]) != length || strncmp(names[i], at, length) != 0))
            i++;
        if (!names[i] && length > 0)
            return false;
        at += strcspn(at, "&");
    }
    return true;
}

bool wire_write(struct wire *wire, const void *bytes, size_t length)
{
    return length == 0 || mg_write(wire->connection, bytes, length) == (int)length;
}

bool wire_head(struct wire *wire, int status, const char *type, const char *headers, long long length)
{
    char size[64] = "";
    if (length >= 0)
        snprintf(size, sizeof size, "Content-Length: %lld\r\n", length);
    char *head = malloc(HEAD_BYTES);
    if (!head)
        return false;
    int used =
        snprintf(head, HEAD_BYTES, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s%sConnection: close\r\n\r\n",
                 status, mg_get_response_code_text(NULL, status), type, headers, size);
    bool sent = used > 0 && used < HEAD_BYTES && wire_write(wire, head, (size_t)used);
    free(head);
    return sent;
}

void wire_answer(struct wire *wire, int status, const char *type, const char *headers, const char *body,
                 size_t length)
{
    if (wire_head(wire, status, type, headers, (long long)length))
        wire_write(wire, body, length);
}

bool wire_wait(struct wire *wire, int ms)
{
    struct pollfd waits[] = {{.fd = line.stopping, .events = POLLIN},
                             {.fd = socket_of(wire), .events = POLLRDHUP}};
    int64_t until = clock_monotonic_ms() + ms;
    int rest = ms;
    while (rest != 0) {
        if (poll(waits, 2, rest) > 0)
            return false;
        if (ms > 0) {
            int64_t left = until - clock_monotonic_ms();
            rest = left > 0 ? (int)left : 0;
        }
    }
    return true;
}

void wire_reset(struct wire *wire)
{
    /* Dissolving the association makes Linux send RST, where close(2) would send an orderly FIN. */
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    (void)connect(socket_of(wire), &nobody, sizeof nobody);
}
