/* masthead-sim: a stand-in for the weather API, with a clock that can be moved and faults on order.
 *
 * It speaks Open-Meteo's format, MET Norway's and OpenWeatherMap's over plain HTTP, counts what it was asked
 * for, and is steered over the same port. For tests, and for trying the service without a network; not for
 * the open internet. */
#include "base/clock.h"
#include "base/text.h"
#include "sim/faults.h"
#include "sim/forecast.h"
#include "sim/wire.h"
#include "weather/truth.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_MAX     4096
#define SPARE_THREADS 8 /* never given to forecasts, so that the controls answer while others hang */
#define STATUS_MAX    600
#define NUMBER_BYTES  24
#define COUNT_BYTES   (CELLS_MAX * 64 + 16384)
#define LATEST_S      253402300799 /* 9999-12-31T23:59:59Z */
#define TIMES_MAX     1000000

static struct {
    pthread_mutex_t lock; /* guards all of the rest */
    struct counts {
        int64_t requests, keyed;
        int64_t by_status[STATUS_MAX]; /* by_status[0]: no whole head was sent */
        int64_t cells_beyond;          /* locations not told apart, the table being full */
        int open_most;
        size_t cells;
        struct cell {
            double latitude, longitude;
            int64_t requests;
        } cell[CELLS_MAX];
        char last_agent[256], last_query[1024];
    } counts;
    int open; /* forecasts being answered now */
    const struct fault *fault;
    char fault_value[FAULT_VALUE_BYTES];
    long fault_times; /* how often it still strikes; 0: until changed */
    int64_t moved_ms; /* how far the clock stands from where it would stand unmoved */
} sim = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the forecast path, counted ---- */

static void count_cell(struct counts *counts, double latitude, double longitude)
{
    for (size_t i = 0; i < counts->cells; i++) {
        struct cell *cell = &counts->cell[i];
        if (cell->latitude == latitude && cell->longitude == longitude) {
            cell->requests++;
            return;
        }
    }
    if (counts->cells < CELLS_MAX)
        counts->cell[counts->cells++] = (struct cell){latitude, longitude, 1};
    else
        counts->cells_beyond++;
}

/* Counts a request and decides what befalls it. False when the other forecasts leave no thread for it. */
static bool begin_forecast(const struct wire *wire, const struct forecast *f, const struct fault **fault,
                           char value[FAULT_VALUE_BYTES])
{
    char key[256];
    bool keyed = wire->has_key_header || wire_parameter(wire, "apikey", key, sizeof key) ||
                 wire_parameter(wire, "appid", key, sizeof key);
    pthread_mutex_lock(&sim.lock);
    struct counts *counts = &sim.counts;
    counts->requests++;
    counts->keyed += keyed;
    for (size_t i = 0; f && i < f->count; i++)
        count_cell(counts, f->latitude[i], f->longitude[i]);
    text_clean(wire->user_agent, strlen(wire->user_agent), counts->last_agent, sizeof counts->last_agent);
    text_clean(wire->query, strlen(wire->query), counts->last_query, sizeof counts->last_query);

    bool room = ++sim.open <= WIRE_THREADS - SPARE_THREADS;
    if (sim.open > counts->open_most)
        counts->open_most = sim.open;
    *fault = sim.fault;
    memcpy(value, sim.fault_value, FAULT_VALUE_BYTES);
    if (room && sim.fault_times > 0 && --sim.fault_times == 0) {
        sim.fault = fault_at(0);
        sim.fault_value[0] = '\0';
    }
    pthread_mutex_unlock(&sim.lock);
    return room;
}

static void end_forecast(int status)
{
    pthread_mutex_lock(&sim.lock);
    sim.open--;
    sim.counts.by_status[status]++;
    pthread_mutex_unlock(&sim.lock);
}

static void handle_forecast(struct wire *wire)
{
    struct forecast *forecast = malloc(sizeof *forecast); /* too big for civetweb's stacks */
    if (!forecast)
        return;
    char value[FAULT_VALUE_BYTES], headers[DIALECT_HEADERS_BYTES] = "";
    int64_t now_s = clock_now().wall_ms / 1000;
    struct exchange x = {.wire = wire, .value = value, .dialect = dialect_of(wire->path), .headers = headers};
    x.refusal = x.dialect->read(wire, now_s, forecast, &x.refusal_status);
    x.forecast = x.refusal ? NULL : forecast;
    if (x.forecast && x.dialect->headers)
        x.unmodified = x.dialect->headers(wire, now_s, headers);
    if (!begin_forecast(wire, x.forecast, &x.fault, value))
        fault_read("429", "concurrent", &x.fault, value);
    x.fault->respond(&x);
    end_forecast(x.status);
    free(forecast);
}

/* ---- the controls ---- */

static void answer_text(struct wire *wire, int status, const char *text)
{
    wire_answer(wire, status, "text/plain; charset=utf-8", "", text, strlen(text));
}

static void answer_json(struct wire *wire, const struct text *json)
{
    wire_answer(wire, 200, "application/json", "", json->bytes, json->length);
}

static void refuse(struct wire *wire, const char *reason)
{
    char body[FORECAST_ERROR_BYTES];
    size_t length = forecast_error(reason, body);
    wire_answer(wire, 400, "application/json", "", body, length);
}

static void write_counts(struct text *json)
{
    const struct counts *counts = &sim.counts;
    text_format(json, "{\"requests\":%lld,\"keyed\":%lld,\"open\":%d,\"open_most\":%d,\"by_status\":{",
                (long long)counts->requests, (long long)counts->keyed, sim.open, counts->open_most);
    const char *comma = "";
    for (int status = 0; status < STATUS_MAX; status++) {
        if (counts->by_status[status] == 0)
            continue;
        text_format(json, "%s\"%d\":%lld", comma, status, (long long)counts->by_status[status]);
        comma = ",";
    }
    text_string(json, "},\"cells\":{");
    for (size_t i = 0; i < counts->cells; i++) {
        const struct cell *cell = &counts->cell[i];
        text_format(json, "%s\"%.8g,%.8g\":%lld", i > 0 ? "," : "", cell->latitude, cell->longitude,
                    (long long)cell->requests);
    }
    text_format(json, "},\"cells_beyond\":%lld,\"last\":{\"user_agent\":", (long long)counts->cells_beyond);
    text_json(json, counts->last_agent);
    text_string(json, ",\"query\":");
    text_json(json, counts->last_query);
    text_string(json, "}}\n");
}

static void handle_count(struct wire *wire)
{
    char *storage = malloc(COUNT_BYTES);
    if (!storage) {
        answer_text(wire, 500, "out of memory\n");
        return;
    }
    struct text json = text_over(storage, COUNT_BYTES);
    pthread_mutex_lock(&sim.lock);
    write_counts(&json);
    pthread_mutex_unlock(&sim.lock);
    answer_json(wire, &json);
    free(storage);
}

/* What every change is answered with: how things stand after it. */
static void answer_state(struct wire *wire)
{
    char storage[256], now[CLOCK_RFC3339_BYTES];
    struct text json = text_over(storage, sizeof storage);
    clock_format(clock_now().wall_ms / 1000, now);
    pthread_mutex_lock(&sim.lock);
    text_format(&json, "{\"now\":\"%s\",\"fault\":\"%s\",\"value\":\"%s\",\"times\":%ld}\n", now,
                sim.fault->name, sim.fault_value, sim.fault_times);
    pthread_mutex_unlock(&sim.lock);
    answer_json(wire, &json);
}

static void set_fault(const struct fault *fault, const char *value, long times)
{
    pthread_mutex_lock(&sim.lock);
    sim.fault = fault;
    snprintf(sim.fault_value, sizeof sim.fault_value, "%s", value);
    sim.fault_times = times;
    pthread_mutex_unlock(&sim.lock);
}

static void handle_reset(struct wire *wire)
{
    set_fault(fault_at(0), "", 0);
    pthread_mutex_lock(&sim.lock);
    memset(&sim.counts, 0, sizeof sim.counts);
    clock_advance(-sim.moved_ms);
    sim.moved_ms = 0;
    pthread_mutex_unlock(&sim.lock);
    answer_state(wire);
}

/* A whole decimal number that is all of `text`. */
static bool read_integer(const char *text, int64_t *number)
{
    char *end;
    *number = strtoll(text, &end, 10);
    return strchr("-0123456789", text[0]) && end != text && *end == '\0' && strlen(text) < NUMBER_BYTES - 4;
}

static void handle_fault(struct wire *wire)
{
    char kind[32], text[64], value[FAULT_VALUE_BYTES], number[NUMBER_BYTES];
    const struct fault *fault;
    int64_t times = 0;
    wire_parameter(wire, "kind", kind, sizeof kind);
    wire_parameter(wire, "value", text, sizeof text);
    const char *why = fault_read(kind, text, &fault, value);
    if (wire_parameter(wire, "times", number, sizeof number) &&
        (!read_integer(number, &times) || times < 0 || times > TIMES_MAX))
        why = "times is a number from 0 to 1000000";
    if (why) {
        refuse(wire, why);
        return;
    }
    set_fault(fault, value, (long)times);
    answer_state(wire);
}

/* "250ms", "-90m", "2d": a whole number with a unit. */
static bool read_duration(char *text, int64_t *ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = strspn(text, "-0123456789");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + digits, units[i].name) != 0)
            continue;
        text[digits] = '\0';
        return read_integer(text, ms) && !__builtin_mul_overflow(*ms, units[i].ms, ms);
    }
    return false;
}

static void handle_clock(struct wire *wire)
{
    char text[64];
    int64_t by = 0, at = 0, now = clock_now().wall_ms, then;
    bool good = false;
    if (wire_parameter(wire, "advance", text, sizeof text)) {
        good = read_duration(text, &by);
    } else if (wire_parameter(wire, "at", text, sizeof text) && clock_parse(text, &at)) {
        by = at * 1000 - now;
        good = true;
    }
    if (!good || __builtin_add_overflow(now, by, &then) || then < 0 || then / 1000 > LATEST_S) {
        refuse(wire,
               "advance=3h (ms s m h d, may be negative) or at=2026-01-31T09:00:12Z, between 1970 and 9999");
        return;
    }
    pthread_mutex_lock(&sim.lock);
    clock_advance(by);
    sim.moved_ms += by;
    pthread_mutex_unlock(&sim.lock);
    answer_state(wire);
}

static void handle_truth(struct wire *wire)
{
    char north[32], east[32], when[NUMBER_BYTES], storage[256];
    double latitude, longitude;
    int64_t at = clock_now().wall_ms / 1000;
    wire_parameter(wire, "latitude", north, sizeof north);
    wire_parameter(wire, "longitude", east, sizeof east);
    const char *why = forecast_coordinates(north, east, &latitude, &longitude);
    if (wire_parameter(wire, "time", when, sizeof when) &&
        (!read_integer(when, &at) || at < 0 || at > LATEST_S))
        why = "time is in Unix seconds, between 1970 and 9999";
    if (why) {
        refuse(wire, why);
        return;
    }
    struct truth_zone zone = truth_zone(latitude, longitude);
    struct text json = text_over(storage, sizeof storage);
    text_format(&json,
                "{\"celsius\":%.3f,\"code\":%d,\"is_day\":%s,\"utc_offset_s\":%d,\"timezone\":\"%s\"}\n",
                truth_celsius(latitude, longitude, at), truth_weather_code(latitude, longitude, at),
                truth_is_day(latitude, longitude, at) ? "true" : "false", zone.offset_s, zone.name);
    answer_json(wire, &json);
}

static void handle_root(struct wire *wire);

static const struct route {
    const char *method, *path, *help;
    void (*handle)(struct wire *);
} routes[] = {
    {"GET", "/", "this text", handle_root},
    {"GET", "/sim/count", "what was asked for since the start or the last reset", handle_count},
    {"GET", "/sim/truth", "?latitude=&longitude=&time=UNIX: the weather as it is", handle_truth},
    {"POST", "/sim/reset", "counts, fault and clock as at a start without --fault", handle_reset},
    {"POST", "/sim/fault", "?kind=KIND&value=V&times=N: for the next N forecasts; without N until changed",
     handle_fault},
    {"POST", "/sim/clock", "?advance=3h or ?at=2026-01-31T09:00:12Z: moves the clock, running or frozen",
     handle_clock},
};
#define ROUTES (sizeof routes / sizeof routes[0])

static void handle_root(struct wire *wire)
{
    char storage[2048];
    struct text page = text_over(storage, sizeof storage);
    text_string(&page, "This is masthead-sim, a simulated weather API. Its weather is invented.\n\n");
    for (size_t i = 0; dialect_at(i); i++)
        text_format(&page, "GET  %s  %s\n", dialect_at(i)->path, dialect_at(i)->usage);
    for (size_t i = 0; i < ROUTES; i++)
        text_format(&page, "%-4s %s  %s\n", routes[i].method, routes[i].path, routes[i].help);
    answer_text(wire, 200, page.bytes);
}

static void refuse_method(struct wire *wire, const char *allowed)
{
    char allow[32];
    snprintf(allow, sizeof allow, "Allow: %s\r\n", allowed);
    wire_answer(wire, 405, "text/plain", allow, "", 0);
}

static void handle(struct wire *wire)
{
    if (dialect_of(wire->path)) {
        if (strcmp(wire->method, "GET") == 0)
            handle_forecast(wire);
        else
            refuse_method(wire, "GET");
        return;
    }
    for (size_t i = 0; i < ROUTES; i++) {
        if (strcmp(wire->path, routes[i].path) != 0)
            continue;
        if (strcmp(wire->method, routes[i].method) == 0) {
            routes[i].handle(wire);
            return;
        }
        refuse_method(wire, routes[i].method);
        return;
    }
    answer_text(wire, 404, "no such path\n");
}

/* ---- the command line ---- */

static void print_help(void)
{
    puts("usage: masthead-sim [--listen ADDRESS:PORT] [--at INSTANT] [--fault KIND[=VALUE]]\n\n"
         "A simulated weather API for tests and for trying Masthead without a network.\n\n"
         "  --listen ADDRESS:PORT  IPv4 address and port (127.0.0.1:8090); port 0 picks a free one\n"
         "  --at INSTANT           freezes the clock, e.g. at 2026-01-31T09:00:12Z\n"
         "  --fault KIND[=VALUE]   what to do wrong from the start\n"
         "  --help                 this text\n\nPaths:");
    for (size_t i = 0; dialect_at(i); i++)
        printf("  GET  %s\n                     %s\n", dialect_at(i)->path, dialect_at(i)->usage);
    for (size_t i = 0; i < ROUTES; i++)
        printf("  %-4s %-12s  %s\n", routes[i].method, routes[i].path, routes[i].help);
    puts("\nFaults:");
    for (size_t i = 0; fault_at(i); i++)
        printf("  %-12s  %s\n", fault_at(i)->name, fault_at(i)->help);
}

static int bad_usage(const char *option, const char *given, const char *why)
{
    fprintf(stderr, "masthead-sim: %s %s: %s\n", option, given, why);
    return 2;
}

/* Cuts "127.0.0.1:8090" apart in place. NULL, or why it will not do. */
static const char *read_address(char *text, int64_t *port)
{
    char *colon = strrchr(text, ':');
    struct in_addr ignored;
    if (text[0] == '[' || (colon && strchr(text, ':') != colon))
        return "the simulator listens on IPv4 only";
    if (!colon)
        return "expected ADDRESS:PORT, e.g. 127.0.0.1:8090";
    *colon = '\0';
    if (inet_pton(AF_INET, text, &ignored) != 1 || !read_integer(colon + 1, port) || *port < 0 ||
        *port > 65535)
        return "expected an IPv4 address and a port from 0 to 65535, e.g. 127.0.0.1:8090";
    return NULL;
}

/* Reads "slow=500". NULL, or why it will not do. */
static const char *read_first_fault(const char *given)
{
    char text[64], value[FAULT_VALUE_BYTES], *rest = text;
    snprintf(text, sizeof text, "%s", given);
    const char *kind = strsep(&rest, "=");
    const struct fault *fault;
    const char *why = fault_read(kind, rest, &fault, value);
    if (!why)
        set_fault(fault, value, 0);
    return why;
}

/* Serves until SIGTERM or SIGINT. Returns the exit code. */
static int serve(const char *host, int port)
{
    char problem[256];
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);

    port = wire_listen(host, port, handle, problem, sizeof problem);
    if (port < 0) {
        fprintf(stderr, "masthead-sim: %s\n", problem);
        return 1;
    }
    printf("masthead-sim ready http://%s:%d\n", host, port);
    fflush(stdout);
    int received;
    sigwait(&ends, &received);
    wire_stop();
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"at", required_argument, NULL, 'a'},
                                            {"fault", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *listen = "127.0.0.1:8090", *why;
    char host[64]; /* a copy to cut: the arguments stay as ps shows them */
    int64_t port = 0, at;
    sim.fault = fault_at(0);
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'l':
            listen = optarg;
            break;
        case 'a':
            if (!clock_parse(optarg, &at))
                return bad_usage("--at", optarg, "expected an instant in UTC, e.g. 2026-01-31T09:00:12Z");
            clock_freeze(at * 1000);
            break;
        case 'f':
            if ((why = read_first_fault(optarg)))
                return bad_usage("--fault", optarg, why);
            break;
        case 'h':
            print_help();
            return 0;
        default:
            return 2;
        }
    }
    if (optind < argc)
        return bad_usage("argument", argv[optind], "not expected (see --help)");
    snprintf(host, sizeof host, "%s", listen);
    if ((why = read_address(host, &port)))
        return bad_usage("--listen", listen, why);
    return serve(host, (int)port);
}
