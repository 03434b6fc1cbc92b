#include "sim/wire.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DESCRIPTORS 4096 /* looked through for sockets: far more than are ever open */

static struct {
    void (*handler)(struct wire *); /* this and `stopping` are written before the threads start */
    int stopping;                   /* an eventfd, readable from wire_stop on */
    struct mg_context *context;     /* the main thread's */
    atomic_int port;                /* 0 while civetweb starts */
} server = {.stopping = -1};

/* civetweb's first message while it starts, in the main thread; later ones have no reader. */
static char start_error[256];

static int log_message(const struct mg_connection *connection, const char *message)
{
    (void)connection;
    if (atomic_load(&server.port) == 0 && start_error[0] == '\0')
        snprintf(start_error, sizeof start_error, "%s", message);
    return 1;
}

static const char *header(const struct mg_connection *connection, const char *name)
{
    const char *value = mg_get_header(connection, name);
    return value ? value : "";
}

static int begin_request(struct mg_connection *connection)
{
    const struct mg_request_info *info = mg_get_request_info(connection);
    struct wire wire = {
        .method = info->request_method,
        .path = info->local_uri ? info->local_uri : "",
        .query = info->query_string ? info->query_string : "",
        .user_agent = header(connection, "User-Agent"),
        .host = header(connection, "Host"),
        .has_key_header = mg_get_header(connection, "X-Api-Key") != NULL,
        .accepts_gzip = strcasestr(header(connection, "Accept-Encoding"), "gzip") != NULL,
        .if_modified_since = header(connection, "If-Modified-Since"),
        .range = header(connection, "Range"),
        .connection = connection,
    };
    mg_disable_connection_keep_alive(connection); /* also keeps civetweb from draining a slow body */
    server.handler(&wire);
    return 1;
}

int wire_listen(const char *host, int port, void (*handler)(struct wire *), char *problem,
                size_t problem_size)
{
    static const struct mg_callbacks callbacks = {.begin_request = begin_request, .log_message = log_message};
    char where[64], threads[16], request[16];
    snprintf(where, sizeof where, "%s:%d", host, port);
    snprintf(threads, sizeof threads, "%d", WIRE_THREADS);
    snprintf(request, sizeof request, "%d", WIRE_REQUEST_BYTES);
    const char *options[] = {"listening_ports",  where,   "num_threads", threads,
                             "max_request_size", request, "tcp_nodelay", "1",
                             "decode_url",       "no",    NULL};

    server.handler = handler;
    server.stopping = eventfd(0, EFD_CLOEXEC);
    mg_init_library(0);
    server.context = mg_start(&callbacks, NULL, options);
    struct mg_server_port bound;
    if (!server.context || mg_get_server_ports(server.context, 1, &bound) != 1) {
        snprintf(problem, problem_size, "%s", start_error[0] ? start_error : "cannot start the server");
        return -1;
    }
    atomic_store(&server.port, bound.port);
    return bound.port;
}

/* civetweb does not tell its sockets, so they are looked for among all descriptors. Whether `fd` is one of
 * them: whether the end that `get` tells of has this port and, where it is not NULL, this address. */
static bool is_socket(int fd, int (*get)(int, struct sockaddr *, socklen_t *), int port, const char *address)
{
    struct sockaddr_in end = {0};
    socklen_t size = sizeof end;
    return get(fd, (struct sockaddr *)&end, &size) == 0 && end.sin_family == AF_INET &&
           ntohs(end.sin_port) == port && (!address || end.sin_addr.s_addr == inet_addr(address));
}

static int socket_of(const struct wire *wire)
{
    const struct mg_request_info *info = mg_get_request_info(wire->connection);
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (is_socket(fd, getsockname, info->server_port, NULL) &&
            is_socket(fd, getpeername, info->remote_port, info->remote_addr))
            return fd;
    return -1;
}

void wire_stop(void)
{
    eventfd_write(server.stopping, 1);
    /* Without this, civetweb would wait for its poll interval of two seconds on each of them. */
    for (int fd = 0; fd < DESCRIPTORS; fd++)
        if (is_socket(fd, getsockname, atomic_load(&server.port), NULL))
            shutdown(fd, SHUT_RDWR);
    mg_stop(server.context);
    mg_exit_library();
    close(server.stopping);
}

bool wire_parameter(const struct wire *wire, const char *name, char *out, size_t size)
{
    int length = mg_get_var(wire->query, strlen(wire->query), name, out, size);
    if (length < 0)
        out[0] = '\0';
    return length >= 0 || length == -2; /* -2: there, but too long */
}

bool wire_integer(const struct wire *wire, const char *name, int64_t min, int64_t max, int64_t *value)
{
    char text[24], *end;
    if (!wire_parameter(wire, name, text, sizeof text))
        return true;
    errno = 0;
    int64_t number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || !strchr("-0123456789", text[0]) || errno != 0 || number < min ||
        number > max)
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
    bool sent =
        mg_printf(wire->connection, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%s%sConnection: close\r\n\r\n",
                  status, mg_get_response_code_text(NULL, status), type, headers, size) > 0;
    wire->status = sent ? status : 0;
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
    struct pollfd waits[] = {{.fd = server.stopping, .events = POLLIN},
                             {.fd = socket_of(wire), .events = POLLRDHUP}};
    return poll(waits, 2, ms) == 0;
}

void wire_reset(struct wire *wire)
{
    /* Linux sends RST for a dissolved association, where close(2) would send FIN. */
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    (void)connect(socket_of(wire), &nobody, sizeof nobody);
}
