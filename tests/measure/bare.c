/* What civetweb costs by itself, for `make bench`: an answer that is always the same, as long as the
 * service's, from a listener with the service's options.
 *
 *   bare THREADS    says where it listens, serves until it is ended */
#include <civetweb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* An answer of the service to a reader, as it is on the wire. */
static const char head[] = "HTTP/1.1 200 OK\r\n"
                           "Date: Sat, 31 Jan 2026 09:30:00 GMT\r\n"
                           "Content-Type: text/html; charset=utf-8\r\n"
                           "Content-Length: %zu\r\n"
                           "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
                           "Referrer-Policy: no-referrer\r\n"
                           "X-Content-Type-Options: nosniff\r\n"
                           "Cache-Control: private, max-age=300\r\n"
                           "Cache-Status: masthead; hit; ttl=6911\r\n"
                           "Content-Language: en\r\n"
                           "X-Robots-Tag: noindex\r\n\r\n"
                           "%s";
static const char body[] =
    "<span class=\"masthead-weather\" data-state=\"fresh\" data-source=\"geoip\" data-confidence=\"claimed\" "
    "lang=\"en\"><span class=\"masthead-place\">Mumbai</span> <data class=\"masthead-temp\" "
    "value=\"31.2\">31\u00a0°C</data></span>\n";
static char answer[sizeof head + sizeof body];
static int answer_bytes;

static int serve(struct mg_connection *connection)
{
    mg_write(connection, answer, (size_t)answer_bytes);
    return 200;
}

int main(int count, char **words)
{
    const char *threads = count == 2 ? words[1] : "64";
    const char *options[] = {"listening_ports",
                             "127.0.0.1:0",
                             "num_threads",
                             threads,
                             "connection_queue",
                             "64",
                             "listen_backlog",
                             "512",
                             "request_timeout_ms",
                             "3000",
                             "enable_keep_alive",
                             "yes",
                             "keep_alive_timeout_ms",
                             "5000",
                             "max_request_size",
                             "8192",
                             "tcp_nodelay",
                             "1",
                             "decode_url",
                             "no",
                             NULL};
    answer_bytes = snprintf(answer, sizeof answer, head, sizeof body - 1, body);
    struct mg_callbacks callbacks = {.begin_request = serve};
    struct mg_context *civetweb = mg_start(&callbacks, NULL, options);
    struct mg_server_port port;
    if (!civetweb || mg_get_server_ports(civetweb, 1, &port) != 1) {
        fprintf(stderr, "bare: cannot listen\n");
        return EXIT_FAILURE;
    }
    printf("bare ready http://127.0.0.1:%d\n", port.port);
    fflush(stdout);
    pause();
    return EXIT_SUCCESS;
}
