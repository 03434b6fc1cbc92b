/* The guard: what must not pass does not, whether it comes as a table of headers or as bytes through civetweb
 * itself, which silently loses header lines that an attacker knows how to make it lose. */
#include "unit.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/connections.h"
#include "http/guard.h"

#define BUFFER_BYTES 8192

/* --- A table --- */

/* A request as civetweb would hand it on: its words and lines stand in one buffer, with NULs over spaces,
 * colons and line ends. */
struct request {
    struct mg_request_info info;
    char buffer[BUFFER_BYTES];
};

/* Adds one line, "Name: value", and returns where the next begins. */
static char *add_line(struct mg_request_info *info, char *at, const char *line, size_t length)
{
    size_t name = strcspn(line, ":");
    memcpy(at, line, length);
    memset(at + length, '\0', 2);
    at[name] = '\0';
    info->http_headers[info->num_headers].name = at;
    info->http_headers[info->num_headers++].value = at + name + 1 + (at[name + 1] == ' ');
    return at + length + 2;
}

/* `lines` are header lines, each ended by CRLF; what follows the last is `rest`. */
static const struct mg_request_info *request_of(const char *method, const char *version, const char *lines,
                                                const char *rest, size_t rest_length)
{
    static struct request request;
    memset(&request, 0x5a, sizeof request);
    int length =
        snprintf(request.buffer, sizeof request.buffer, "%s%c/%cHTTP/%s%c", method, 0, 0, version, 0);
    char *at = request.buffer + length + 1, *target = request.buffer + strlen(method) + 1;
    request.info = (struct mg_request_info){.request_method = request.buffer,
                                            .request_uri = target,
                                            .http_version = target + strlen("/HTTP/") + 1};
    if (!*lines && rest_length == 2)
        rest = "\0\0"; /* after the version it takes every line end */
    for (const char *line = lines; *line; line += strcspn(line, "\r") + 2)
        at = add_line(&request.info, at, line, strcspn(line, "\r"));
    memcpy(at, rest, rest_length);
    return &request.info;
}

static int status_of(const char *method, const char *version, const char *lines)
{
    const struct mg_request_info *info = request_of(method, version, lines, "\r\n", 2);
    return guard_status(info, info->request_method);
}

#define HOST "Host: a\r\n"

TEST(requests_and_their_status)
{
    static const struct {
        const char *method, *version, *lines;
        int status;
    } rows[] = {
        /* What may pass. */
        {"GET", "1.1", HOST, 0},
        {"HEAD", "1.1", HOST, 0},
        {"POST", "1.1", HOST, 0},
        {"OPTIONS", "1.1", HOST, 0},
        {"GET", "1.0", HOST, 0},
        {"GET", "1.0", "Accept: */*\r\n", 0},
        {"GET", "1.1", HOST "Content-Length: 0\r\n", 0},
        {"GET", "1.1", "host: a\r\nCONTENT-LENGTH: 0\r\n", 0},
        {"GET", "1.1", HOST "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 5.6.7.8\r\n", 0},
        {"GET", "1.1", HOST "User-Agent: na\xc3\xafve\r\n", 0},
        {"GET", "1.1", HOST "X-Empty:\r\n", 0},
        {"GET", "1.1", "Host:\r\n", 0},

        /* Versions. Methods are for the routes. */
        {"GET", "2.0", HOST, 505},
        {"GET", "0.9", HOST, 505},
        {"GET", "1.2", HOST, 505},
        {"GET", "", HOST, 505},
        {"PUT", "1.1", HOST, 0},
        {"", "1.1", HOST, 0},

        /* Host. */
        {"GET", "1.1", "Accept: */*\r\n", 400},
        {"GET", "1.1", HOST HOST, 400},
        {"GET", "1.1", HOST "HOST: b\r\n", 400},
        {"GET", "1.0", HOST HOST, 400},
        {"GET", "1.1", "", 400},

        /* Bodies, in any of the forms that servers disagree about. */
        {"GET", "1.1", HOST "Content-Length: 5\r\n", 400},
        {"POST", "1.1", HOST "Content-Length: 5\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: 00\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: +0\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: -0\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: 0x0\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: 0, 0\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: 0 \r\n", 400},
        {"GET", "1.1", HOST "Content-Length:\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: 18446744073709551616\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: 0\r\nContent-Length: 0\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: 0\r\ncontent-length: 5\r\n", 400},
        {"GET", "1.1", HOST "Transfer-Encoding: chunked\r\n", 400},
        {"GET", "1.1", HOST "transfer-encoding: identity\r\n", 400},
        {"GET", "1.0", "Transfer-Encoding: chunked\r\n", 400},
        {"GET", "1.1", HOST "Transfer-Encoding:\r\n", 400},
        {"GET", "1.1", HOST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400},

        /* What would change the protocol, and is ignored. */
        {"GET", "1.1", HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n", 0},
        {"GET", "1.1", HOST "upgrade: h2c\r\n", 0},

        /* Control characters. */
        {"GET", "1.1", HOST "X: a\tb\r\n", 400},
        {"GET", "1.1", HOST "X: a\x01\r\n", 400},
        {"GET", "1.1", HOST "X: a\nY: b\r\n", 400},
        {"GET", "1.1", HOST "X: \x7f\r\n", 400},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = status_of(rows[i].method, rows[i].version, rows[i].lines);
        if (status != rows[i].status)
            fail_msg("row %zu (%s %s, %s): %d, expected %d", i, rows[i].method, rows[i].version,
                     rows[i].lines, status, rows[i].status);
    }
}

/* Leading blank lines: civetweb skips them, after it has taken two of them for a request. */
TEST(a_request_that_does_not_begin_where_requests_begin)
{
    const struct mg_request_info *info = request_of("GET", "1.1", HOST, "\r\n", 2);
    assert_int_equal(guard_status(info, info->request_method), 0);
    assert_int_equal(guard_status(info, info->request_method - 2), 400);
    assert_int_equal(guard_status(info, NULL), 400);
}

TEST(too_many_headers)
{
    char lines[4096] = HOST;
    for (int count = 1; count <= MG_MAX_HEADERS; count++) {
        int expected = count < MG_MAX_HEADERS ? 0 : 431;
        assert_int_equal(status_of("GET", "1.1", lines), expected);
        strcat(lines, "X-Filler: y\r\n");
    }
}

static int status_before(const char *version, const char *lines, const char *rest, size_t length)
{
    const struct mg_request_info *info = request_of("GET", version, lines, rest, length);
    return guard_status(info, info->request_method);
}

/* After a whole list stands the empty line's CR; anything else there was a header line that civetweb did not
 * read. */
TEST(a_list_that_was_cut)
{
    static const struct {
        const char *rest;
        size_t length;
        int status;
    } rows[] = {
#define ROW(rest, status) {rest, sizeof(rest) - 1, status}
        ROW("\r\n", 0),
        ROW("\r\nGET / HTTP/1.1\r\n", 0), /* what else the buffer holds does not matter */
        ROW(" X-Forwarded-For: 1.2.3.4\r\n\r\n", 400),
        ROW("\tfolded\r\n\r\n", 400),
        ROW("\rX-Forwarded-For: 1.2.3.4\r\n\r\n", 400),
        ROW(":X-Forwarded-For: 1.2.3.4\r\n\r\n", 400),
        ROW("\x80X-Forwarded-For: 1.2.3.4\r\n\r\n", 400),
        ROW("X-Forwarded-For: 1.2.3.4\r\n\r\n", 400),
        ROW("\n", 400),
        ROW("\0\r\n", 400),
#undef ROW
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = status_before("1.1", HOST "A: b\r\n", rows[i].rest, rows[i].length);
        if (status != rows[i].status)
            fail_msg("row %zu: %d, expected %d", i, status, rows[i].status);
    }
    assert_int_equal(status_before("1.1", HOST "A:\r\n", "\r\n", 2), 0);
    assert_int_equal(status_before("1.0", "", "\r\n", 2), 0);
    assert_int_equal(status_before("1.0", "", ":x\r\n\r\n", 6), 400);
}

/* --- Through civetweb --- */

static struct mg_context *civetweb;
static int port;
static struct connections *connections;
static struct connection_reader reader; /* of the only thread */

static void *init_thread(const struct mg_context *context, int type)
{
    (void)context;
    if (type == 1)
        connections_read_here(&reader);
    return NULL;
}

/* Answers 200 with the guard's status, and closes. */
static int answer_with_status(struct mg_connection *connection)
{
    char text[128];
    mg_disable_connection_keep_alive(connection);
    int length = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nguard=%d",
                          guard_status(mg_get_request_info(connection), reader.start));
    mg_write(connection, text, (size_t)length);
    return 200;
}

static int start_civetweb(void **state)
{
    (void)state;
    const char *options[] = {"listening_ports", "127.0.0.1:0", "num_threads", "1", "decode_url", "no", NULL};
    const struct mg_callbacks callbacks = {.begin_request = answer_with_status, .init_thread = init_thread};
    connections = connections_open(1, NULL);
    reader.connections = connections;
    struct mg_server_port ports[1];
    mg_init_library(0);
    civetweb = mg_start(&callbacks, NULL, options);
    if (!civetweb || mg_get_server_ports(civetweb, 1, ports) != 1)
        return -1;
    port = ports[0].port;
    return 0;
}

static int stop_civetweb(void **state)
{
    (void)state;
    mg_stop(civetweb);
    mg_exit_library();
    connections_close(connections);
    return 0;
}

/* What the guard said of these bytes, or what civetweb answered on its own; 0 for an end without an answer is
 * no pass, so that it comes as -1. */
static int guarded(const char *bytes, size_t length)
{
    char reply[1024] = "";
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = -1;
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
    shutdown(fd, SHUT_WR);
    for (size_t got = 0; got < sizeof reply - 1;) {
        ssize_t count = recv(fd, reply + got, sizeof reply - 1 - got, 0);
        if (count <= 0)
            break;
        got += (size_t)count;
    }
    close(fd);
    const char *said = strstr(reply, "guard=");
    if (said)
        sscanf(said, "guard=%d", &status);
    else
        sscanf(reply, "HTTP/1.1 %d", &status);
    return status;
}

TEST(whole_requests_pass_through_civetweb)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nAccept:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:a\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For:  5.6.7.8\r\n\r\n",
        "GET /a?b HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < COUNT(requests); i++) {
        int status = guarded(requests[i], strlen(requests[i]));
        if (status != 0)
            fail_msg("refused with %d: %s", status, requests[i]);
    }
}

/* Each loses a header line inside civetweb, or hides a second request. */
TEST(requests_that_lose_lines_do_not_pass)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
#define ROW(bytes) {bytes, sizeof(bytes) - 1}
#define START      "GET / HTTP/1.1\r\nHost: a\r\n"
#define LOST       "X-Forwarded-For: 1.2.3.4\r\nContent-Length: 5\r\n\r\nHELLO"
        ROW(START ":x\r\n" LOST),
        ROW(START "\x80: x\r\n" LOST),
        ROW(START "\xffX: x\r\n" LOST),
        ROW(START " folded\r\n" LOST),
        ROW(START "\tfolded\r\n" LOST),
        ROW(START "A: b\r\n folded\r\n" LOST),
        ROW(START "A: b\r\n\x80\r\n" LOST),
        ROW("GET / HTTP/1.1\r\n:x\r\nHost: a\r\n" LOST),
        ROW("GET / HTTP/1.0\r\n:x\r\n" LOST), /* no header is left at all */
        ROW("GET / HTTP/1.0\r\n\x80: x\r\n" LOST),
        ROW("GET / HTTP/1.0\r\n\x80: x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"),
        ROW(START "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        ROW(START "Content-Length : 5\r\n\r\nHELLO"),
        ROW(START "Content-Length: 5\r\n\r\nHELLO"),
        ROW(START "Content-Length: 0\r\nContent-Length: 5\r\n\r\nHELLO"),
        ROW(START "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ROW(START "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
        ROW(START "\r" LOST),
        ROW(START "A: b\r\n\r" LOST),
        ROW("\r\n" START "\r\n"),
        ROW("\r\n\r\n" START "\r\n"),
        ROW("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n" START "\r\n"),
        ROW("\n\n" START "\r\n"),
        ROW(" " START "\r\n"),
        ROW("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW("GET \r\n/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ROW("GET / HTTP/1.1\nHost: a\r\n\r\n"),
        ROW("GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        ROW(START "X: y\nX-Forwarded-For: 1.2.3.4\r\n\r\n"),
        ROW(START "X-Forwarded-For : 1.2.3.4\r\n\r\n"),
        ROW(START "X-Forwarded-For  : 1.2.3.4\r\n\r\n"),
        ROW(START "X-Forwarded-For :\r\n\r\n"),
        ROW(START "X: a\0b\r\n\r\n"),
        ROW(START "X: a\rb\r\n\r\n"),
        ROW(START "Host: b\r\n\r\n"),
        ROW("GET / HTTP/1.1\r\n\r\n"),
        ROW("GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
#undef ROW
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int status = guarded(rows[i].bytes, rows[i].length);
        if (status == 0)
            fail_msg("row %zu passed: %s", i, rows[i].bytes);
    }
}

TEST(the_list_ends_at_sixty_three_headers)
{
    char text[4096] = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int count = 1; count <= 70; count++) {
        char whole[4200];
        snprintf(whole, sizeof whole, "%s\r\n", text);
        int status = guarded(whole, strlen(whole));
        if ((status == 0) != (count < MG_MAX_HEADERS))
            fail_msg("%d headers: %d", count, status);
        strcat(text, "X: y\r\n");
    }
}

UNIT_MAIN(start_civetweb, stop_civetweb)
