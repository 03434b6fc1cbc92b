/* masthead-sim: a stand-in for the weather API, with a clock that can be moved and faults on order.
 *
 * It speaks Open-Meteo's format, MET Norway's and OpenWeatherMap's over plain HTTP, counts what it was asked
 * for, and is steered over the same port. --help tells all of it. */
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/fault_rules.h"
#include "sim/faults.h"
#include "sim/wire.h"
#include "synthetic/synthetic_weather.h"

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
#define COUNT_BYTES   (CELLS_MAX * 64 + 16384)
#define LATEST_S      253402300799 /* 9999-12-31T23:59:59Z */
#define MANUAL_BYTES  8192

static struct {
    pthread_mutex_t lock; /* guards all of the rest */
    struct counts {
        int64_t requests, keyed;
        int64_t by_status[STATUS_MAX]; /* by_status[0]: no whole head was sent */
        int open_most;
        int64_t cells_beyond; /* locations not told apart, the table being full */
        size_t cells;
        struct cell {
            double latitude, longitude;
            int64_t requests;
        } cell[CELLS_MAX];
        char last_agent[256], last_query[1024];
    } counts;
    int open;         /* forecasts being answered now */
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

/* Counts a request. False when the other forecasts leave no thread for it. */
static bool begin_forecast(const struct wire *wire, const struct forecast *f)
{
    char key[256];
    bool keyed = wire->has_key_header || wire_parameter(wire, "apikey", key, sizeof key) ||
                 wire_parameter(wire, "appid", key, sizeof key);
    pthread_mutex_lock(&sim.lock);
    struct counts *counts = &sim.counts;
    counts->requests++;
    counts->keyed += keyed;
    if (f)
        count_cell(counts, f->latitude, f->longitude);
    text_sanitize(wire->user_agent, strlen(wire->user_agent), counts->last_agent, sizeof counts->last_agent);
    text_sanitize(wire->query, strlen(wire->query), counts->last_query, sizeof counts->last_query);

    bool room = ++sim.open <= WIRE_THREADS - SPARE_THREADS;
    if (sim.open > counts->open_most)
        counts->open_most = sim.open;
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
    struct forecast forecast;
    char headers[API_HEADERS_BYTES] = "";
    int64_t now_s = clock_now().wall_ms / 1000;
    struct exchange x = {.wire = wire, .api = api_of(wire->path), .headers = headers};
    x.refusal = x.api->read(wire, now_s, &forecast, &x.refusal_status);
    x.forecast = x.refusal ? NULL : &forecast;
    if (x.forecast && x.api->headers)
        x.unmodified = x.api->headers(wire, now_s, headers);
    if (begin_forecast(wire, x.forecast))
        fault_rules_apply(&x);
    else
        fault_read("429", "concurrent", &x.fault, x.value);
    x.fault->respond(&x);
    end_forecast(x.status);
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
    char body[API_ERROR_BYTES];
    size_t length = open_meteo_error(400, reason, body);
    wire_answer(wire, 400, "application/json", "", body, length);
}

static void write_counts(struct text *json)
{
    const struct counts *counts = &sim.counts;
    json_write(json, "{'requests':%jd,'keyed':%jd,'open':%d,'open_most':%d,'by_status':{", counts->requests,
               counts->keyed, sim.open, counts->open_most);
    for (int status = 0; status < STATUS_MAX; status++)
        if (counts->by_status[status] > 0)
            json_write(json, ",'%d':%jd", status, counts->by_status[status]);
    text_string(json, "},\"cells\":{");
    for (size_t i = 0; i < counts->cells; i++) {
        const struct cell *cell = &counts->cell[i];
        json_write(json, ",'%.8g,%.8g':%jd", cell->latitude, cell->longitude, cell->requests);
    }
    json_write(json, "},'cells_beyond':%jd,'last':{'user_agent':%-s,'query':%-s}}\n", counts->cells_beyond,
               counts->last_agent, counts->last_query);
}

static void handle_count(struct wire *wire)
{
    char *storage = malloc(COUNT_BYTES);
    if (!storage) {
        answer_text(wire, 500, "out of memory\n");
        return;
    }
    struct text json = text_init(storage, COUNT_BYTES);
    pthread_mutex_lock(&sim.lock);
    write_counts(&json);
    pthread_mutex_unlock(&sim.lock);
    answer_json(wire, &json);
    free(storage);
}

/* How things stand: also the answer to every change. */
static void handle_state(struct wire *wire)
{
    char storage[(FAULT_RULES_MAX + 1) * 512];
    struct text json = text_init(storage, sizeof storage);
    json_write(&json, "{'now':%td,", clock_now().wall_ms / 1000);
    fault_rules_write(&json);
    text_string(&json, "}\n");
    answer_json(wire, &json);
}

static void handle_reset(struct wire *wire)
{
    fault_rules_clear();
    pthread_mutex_lock(&sim.lock);
    memset(&sim.counts, 0, sizeof sim.counts);
    clock_advance(-sim.moved_ms);
    sim.moved_ms = 0;
    pthread_mutex_unlock(&sim.lock);
    handle_state(wire);
}

static void handle_fault(struct wire *wire)
{
    const char *why = fault_rules_add(wire);
    if (why)
        refuse(wire, why);
    else
        handle_state(wire);
}

static void handle_clock(struct wire *wire)
{
    char text[64];
    int64_t by = 0, at = 0, now = clock_now().wall_ms, then;
    bool good = false;
    if (wire_parameter(wire, "advance", text, sizeof text)) {
        good = clock_parse_duration(text, &by);
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
    handle_state(wire);
}

static void handle_weather(struct wire *wire)
{
    char storage[256];
    double latitude, longitude;
    int64_t at = clock_now().wall_ms / 1000;
    const char *why = api_place(wire, "latitude", "longitude", &latitude, &longitude);
    if (!wire_integer(wire, "time", 0, LATEST_S, &at))
        why = "time is in Unix seconds, between 1970 and 9999";
    if (why) {
        refuse(wire, why);
        return;
    }
    struct synthetic_zone zone = synthetic_zone(latitude, longitude);
    struct text json = text_init(storage, sizeof storage);
    json_write(&json, "{'celsius':%.3f,'code':%d,'is_day':%i,'utc_offset_s':%d,'timezone':%s}\n",
               synthetic_celsius(latitude, longitude, at), synthetic_weather_code(latitude, longitude, at),
               synthetic_is_day(latitude, longitude, at), zone.offset_s, zone.name);
    answer_json(wire, &json);
}

static void handle_manual(struct wire *wire);

static const struct route {
    const char *method, *path, *help;
    void (*handle)(struct wire *);
} routes[] = {
    {"GET", "/", "this text", handle_manual},
    {"GET", "/sim/count", "what was asked for since the start or the last reset", handle_count},
    {"GET", "/sim/truth", "?latitude=&longitude=&time=UNIX: the weather as it is", handle_weather},
    {"GET", "/sim/fault", "the clock; the faults, and how many requests fitted each and were struck",
     handle_state},
    {"POST", "/sim/fault", "?kind=KIND&value=VALUE&path=... one more fault, see below", handle_fault},
    {"POST", "/sim/clock", "?advance=3h or ?at=2026-01-31T09:00:12Z: moves the clock, running or frozen",
     handle_clock},
    {"POST", "/sim/reset", "counts, faults and clock as at a start without --fault", handle_reset},
};
#define ROUTES (sizeof routes / sizeof routes[0])

static const char usage[] =
    "usage: masthead-sim [--listen ADDRESS:PORT] [--at INSTANT] [--fault FAULT]...\n\n"
    "A weather API to have at hand: speaks Open-Meteo, MET Norway and OpenWeatherMap over plain HTTP,\n"
    "for tests and for trying Masthead without a network. Its weather is invented, the same at every\n"
    "run, for any coordinate and instant. Not for the open internet.\n\n"
    "  --listen ADDRESS:PORT  IPv4 address and port (127.0.0.1:8090); port 0 picks a free one\n"
    "  --at INSTANT           freezes the clock, e.g. at 2026-01-31T09:00:12Z\n"
    "  --fault FAULT          what goes wrong from the start; may be repeated\n"
    "  --help                 this text\n\n"
    "Says \"masthead-sim ready http://ADDRESS:PORT\" once it listens, serves until SIGTERM or Ctrl-C\n"
    "(exit 0). Exit 1: the port is taken. Exit 2: bad usage.\n\n"
    "APIs (weather.open_meteo_url, met_norway_url, openweathermap_url of the service are this\n"
    "address):\n";

static const char examples[] =
    "\nExamples:\n"
    "  masthead-sim --fault slow=800 --at 2026-01-31T09:00:00Z\n"
    "  masthead-sim --fault 'hang&path=met-norway' --fault '500&share=0.3&seed=7'\n"
    "  curl -X POST 'http://127.0.0.1:8090/sim/fault?kind=429&value=daily&path=open-meteo&times=2'\n"
    "  curl -X POST 'http://127.0.0.1:8090/sim/fault?kind=garbage&box=8,68,36,98'\n"
    "  curl -X POST 'http://127.0.0.1:8090/sim/fault?kind=none'\n";

/* All that there is to know; --help and GET / alike. */
static void write_manual(struct text *out)
{
    text_string(out, usage);
    for (size_t i = 0; api_at(i); i++)
        text_format(out, "  %-14s GET %s\n    %s\n", api_at(i)->name, api_at(i)->path, api_at(i)->usage);
    text_string(out, "\nControls, over the same port:\n");
    for (size_t i = 0; i < ROUTES; i++)
        text_format(out, "  %-4s %-11s %s\n", routes[i].method, routes[i].path, routes[i].help);
    text_string(out, "\n");
    text_string(out, fault_rules_manual);
    text_string(out, "\nKinds:\n");
    for (size_t i = 0; fault_at(i); i++)
        text_format(out, "  %-13s %s\n", fault_at(i)->name, fault_at(i)->help);
    text_string(out, examples);
}

static void handle_manual(struct wire *wire)
{
    char storage[MANUAL_BYTES];
    struct text page = text_init(storage, sizeof storage);
    write_manual(&page);
    answer_text(wire, 200, page.bytes);
}

static void handle(struct wire *wire)
{
    char allow[32];
    struct text allowed = text_init(allow, sizeof allow);
    const char *method = wire->method;
    if (api_of(wire->path)) {
        if (strcmp(method, "GET") == 0) {
            handle_forecast(wire);
            return;
        }
        text_string(&allowed, "GET");
    }
    for (size_t i = 0; i < ROUTES; i++) {
        if (strcmp(wire->path, routes[i].path) != 0)
            continue;
        if (strcmp(method, routes[i].method) == 0) {
            routes[i].handle(wire);
            return;
        }
        text_format(&allowed, "%s%s", allowed.length > 0 ? ", " : "", routes[i].method);
    }
    if (allowed.length == 0) {
        answer_text(wire, 404, "no such path\n");
        return;
    }
    char header[64];
    snprintf(header, sizeof header, "Allow: %s\r\n", allow);
    wire_answer(wire, 405, "text/plain", header, "", 0);
}

/* ---- the command line ---- */

static int bad_usage(const char *option, const char *given, const char *why)
{
    fprintf(stderr, "masthead-sim: %s %s: %s\n", option, given, why);
    return 2;
}

/* Cuts "127.0.0.1:8090" apart in place. NULL, or why it will not do. */
static const char *read_address(char *text, int *port)
{
    char *colon = strrchr(text, ':'), *end;
    struct in_addr ignored;
    if (text[0] == '[' || (colon && strchr(text, ':') != colon))
        return "the simulator listens on IPv4 only";
    if (!colon)
        return "expected ADDRESS:PORT, e.g. 127.0.0.1:8090";
    *colon++ = '\0';
    unsigned long number = strtoul(colon, &end, 10);
    if (inet_pton(AF_INET, text, &ignored) != 1 || !strchr("0123456789", *colon) || end == colon || *end ||
        number > 65535)
        return "expected an IPv4 address and a port from 0 to 65535, e.g. 127.0.0.1:8090";
    *port = (int)number;
    return NULL;
}

/* Reads "slow=500&path=met-norway", which over HTTP is kind=slow&value=500&path=met-norway. NULL, or why it
 * will not do. */
static const char *read_fault(const char *given)
{
    char query[512];
    int kind = (int)strcspn(given, "=&");
    bool valued = given[kind] == '=';
    if (snprintf(query, sizeof query, "kind=%.*s&%s%s", kind, given, valued ? "value=" : "",
                 given + kind + valued) >= (int)sizeof query)
        return "too long";
    return fault_rules_add(&(struct wire){.query = query});
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
    static char manual[MANUAL_BYTES];
    const char *listen = "127.0.0.1:8090", *why;
    char host[64]; /* a copy to cut: the arguments stay as ps shows them */
    int port = 0;
    int64_t at;
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
            if ((why = read_fault(optarg)))
                return bad_usage("--fault", optarg, why);
            break;
        case 'h':
            write_manual(&(struct text){.bytes = manual, .capacity = sizeof manual});
            return fputs(manual, stdout) < 0;
        default:
            return 2;
        }
    }
    if (optind < argc)
        return bad_usage("argument", argv[optind], "not expected (see --help)");
    snprintf(host, sizeof host, "%s", listen);
    if ((why = read_address(host, &port)))
        return bad_usage("--listen", listen, why);
    return serve(host, port);
}
