/* masthead-sim: simulates the weather APIs, with a clock that can be moved and faults that can be injected.
 *
 * It speaks Open-Meteo's format, MET Norway's and OpenWeatherMap's over plain HTTP, serves the world's METARs
 * and NOAA's GFS, counts the requests, and is controlled over the same port. --help tells all of it. */
#include "base/child.h"
#include "base/clock.h"
#include "base/json.h"
#include "sim/fault_rules.h"
#include "sim/gfs_fields.h"
#include "synthetic/synthetic_weather.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CELLS_MAX     4096
#define SPARE_THREADS 8 /* never used by forecasts, so that the controls answer while those hang */
#define STATUS_MAX    600
#define ANSWER_BYTES  (CELLS_MAX * 64 + 16384)
#define LATEST_S      253402300799 /* 9999-12-31T23:59:59Z */
#define MANUAL_BYTES  12288

static struct {
    pthread_mutex_t lock; /* guards all of the rest */
    struct counts {
        int64_t requests, keyed;
        int64_t by_status[STATUS_MAX];         /* by_status[0]: no whole head was sent */
        int64_t by_api[API_ROWS][API_MIRRORS]; /* in the first row of its name */
        int open_max;
        int64_t cells_beyond; /* requests for further locations, the table being full */
        size_t cells;
        struct cell {
            double latitude, longitude;
            int64_t requests;
        } cell[CELLS_MAX];
        char last_agent[256], last_query[1024];
    } counts;
    int open;         /* forecasts being answered now */
    int64_t moved_ms; /* by how much the clock has been moved */
} sim = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the forecast path, counted ---- */

static void count_cell(struct counts *counts, double latitude, double longitude)
{
    size_t i = 0;
    while (i < counts->cells &&
           (counts->cell[i].latitude != latitude || counts->cell[i].longitude != longitude))
        i++;
    if (i == CELLS_MAX) {
        counts->cells_beyond++;
        return;
    }
    if (i == counts->cells)
        counts->cell[counts->cells++] = (struct cell){latitude, longitude, 0};
    counts->cell[i].requests++;
}

static size_t first_row(const struct api *api)
{
    size_t row = 0;
    while (strcmp(apis[row].name, api->name) != 0)
        row++;
    return row;
}

/* Counts a request. False when too many others are open. */
static bool begin_forecast(const struct exchange *x)
{
    const struct wire *wire = x->wire;
    const struct forecast *f = x->forecast;
    char key[256];
    bool keyed = wire->has_key_header || wire_parameter(wire, "apikey", key, sizeof key) ||
                 wire_parameter(wire, "appid", key, sizeof key);
    pthread_mutex_lock(&sim.lock);
    struct counts *counts = &sim.counts;
    counts->requests++;
    counts->by_api[first_row(x->api)][x->mirror]++;
    counts->keyed += keyed;
    if (f && !isnan(f->latitude))
        count_cell(counts, f->latitude, f->longitude);
    text_sanitize(wire->user_agent, strlen(wire->user_agent), counts->last_agent, sizeof counts->last_agent);
    text_sanitize(wire->query, strlen(wire->query), counts->last_query, sizeof counts->last_query);
    bool admitted = ++sim.open <= WIRE_THREADS - SPARE_THREADS;
    if (sim.open > counts->open_max)
        counts->open_max = sim.open;
    pthread_mutex_unlock(&sim.lock);
    return admitted;
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
    char storage[API_HEADERS_BYTES];
    struct text headers = text_init(storage, sizeof storage);
    int64_t now_s = clock_now().wall_ms / 1000;
    struct exchange x = {.wire = wire, .path = wire->path, .headers = storage};
    x.api = api_of(&x.path, &x.mirror);
    x.refusal = x.api->read(wire, now_s, &forecast, &x.refusal_status);
    x.forecast = x.refusal ? NULL : &forecast;
    if (x.forecast && x.api->headers)
        x.unmodified = x.api->headers(&headers, wire, x.forecast);
    if (begin_forecast(&x))
        fault_rules_apply(&x);
    else
        fault_read("429", "concurrent", &x.fault, x.value);
    x.fault->respond(&x);
    end_forecast(wire->status);
}

/* ---- the controls: each writes an answer and returns its status ---- */

static int refuse(struct text *out, const char *reason)
{
    json_write(out, "{'error':true,'reason':%s}", reason);
    return 400;
}

/* One member for each API and mirror that was asked: "metar", or "mirror1/metar". */
static void write_apis(struct text *out, const struct counts *counts)
{
    for (size_t row = 0; row < API_ROWS; row++)
        for (int mirror = 0; mirror < API_MIRRORS; mirror++) {
            char name[64], prefix[16] = "";
            if (mirror > 0)
                snprintf(prefix, sizeof prefix, "mirror%d/", mirror);
            snprintf(name, sizeof name, "%s%s", prefix, apis[row].name);
            if (counts->by_api[row][mirror] > 0)
                json_write(out, ",%s:%jd", name, counts->by_api[row][mirror]);
        }
}

static int answer_count(const struct wire *wire, struct text *out)
{
    (void)wire;
    pthread_mutex_lock(&sim.lock);
    const struct counts *counts = &sim.counts;
    json_write(out, "{'requests':%jd,'keyed':%jd,'open':%d,'open_most':%d,'by_status':{", counts->requests,
               counts->keyed, sim.open, counts->open_max);
    for (int status = 0; status < STATUS_MAX; status++)
        if (counts->by_status[status] > 0)
            json_write(out, ",'%d':%jd", status, counts->by_status[status]);
    text_string(out, "},\"by_api\":{");
    write_apis(out, counts);
    text_string(out, "},\"cells\":{");
    for (size_t i = 0; i < counts->cells; i++) {
        const struct cell *cell = &counts->cell[i];
        json_write(out, ",'%.8g,%.8g':%jd", cell->latitude, cell->longitude, cell->requests);
    }
    json_write(out, "},'cells_beyond':%jd,'last':{'user_agent':%-s,'query':%-s}}\n", counts->cells_beyond,
               counts->last_agent, counts->last_query);
    pthread_mutex_unlock(&sim.lock);
    return 200;
}

/* The state of clock and faults; also the answer to every change. */
static int answer_state(const struct wire *wire, struct text *out)
{
    (void)wire;
    json_write(out, "{'now':%td,", clock_now().wall_ms / 1000);
    fault_rules_write(out);
    text_string(out, "}\n");
    return 200;
}

static int answer_reset(const struct wire *wire, struct text *out)
{
    fault_rules_add(&(struct wire){.query = "kind=none"}); /* which ends all */
    pthread_mutex_lock(&sim.lock);
    memset(&sim.counts, 0, sizeof sim.counts);
    clock_advance(-sim.moved_ms);
    sim.moved_ms = 0;
    pthread_mutex_unlock(&sim.lock);
    return answer_state(wire, out);
}

static int answer_fault(const struct wire *wire, struct text *out)
{
    const char *reason = fault_rules_add(wire);
    return reason ? refuse(out, reason) : answer_state(wire, out);
}

static int answer_clock(const struct wire *wire, struct text *out)
{
    char text[64];
    int64_t by = 0, at = 0, now = clock_now().wall_ms, then;
    bool advance = wire_parameter(wire, "advance", text, sizeof text);
    bool ok = advance ? clock_parse_duration(text, &by)
                      : wire_parameter(wire, "at", text, sizeof text) && clock_parse(text, &at);
    by = advance ? by : at * 1000 - now;
    if (!ok || __builtin_add_overflow(now, by, &then) || then < 0 || then / 1000 > LATEST_S)
        return refuse(out,
                      "advance=3h (ms s m h d, may be negative) or at=2026-01-31T09:00:12Z, 1970 to 9999");
    pthread_mutex_lock(&sim.lock);
    clock_advance(by);
    sim.moved_ms += by;
    pthread_mutex_unlock(&sim.lock);
    return answer_state(wire, out);
}

static int answer_weather(const struct wire *wire, struct text *out)
{
    double latitude, longitude;
    int64_t at = clock_now().wall_ms / 1000;
    const char *reason = api_place(wire, "latitude", "longitude", &latitude, &longitude);
    if (!reason && !wire_integer(wire, "time", 0, LATEST_S, &at))
        reason = "time is in Unix seconds, between 1970 and 9999";
    if (reason)
        return refuse(out, reason);
    struct synthetic_zone zone = synthetic_zone(latitude, longitude);
    json_write(out,
               "{'celsius':%.3f,'feels_like':%.3f,'rain_probability':%d,'code':%d,'is_day':%i,"
               "'utc_offset_s':%d,'timezone':%s}\n",
               synthetic_celsius(latitude, longitude, at), synthetic_feels_like(latitude, longitude, at),
               synthetic_rain_percent(latitude, longitude, at),
               synthetic_weather_code(latitude, longitude, at), synthetic_is_day(latitude, longitude, at),
               zone.offset_s, zone.name);
    return 200;
}

static int answer_manual(const struct wire *wire, struct text *out);

static const struct route {
    const char *method, *path, *help;
    int (*answer)(const struct wire *, struct text *out);
} routes[] = {
    {"GET", "/", "this text", answer_manual},
    {"GET", "/sim/count", "the requests since the start or the last reset", answer_count},
    {"GET", "/sim/truth", "?latitude=&longitude=&time=UNIX: the synthetic weather", answer_weather},
    {"GET", "/sim/fault", "clock and faults, and how many requests each matched and was applied to",
     answer_state},
    {"POST", "/sim/fault", "?kind=KIND&value=VALUE&path=... adds a fault, see below", answer_fault},
    {"POST", "/sim/clock", "?advance=3h or ?at=2026-01-31T09:00:12Z moves the clock", answer_clock},
    {"POST", "/sim/reset", "counts, faults and clock as at a start without --fault", answer_reset},
};
#define ROUTES (sizeof routes / sizeof routes[0])

static const char usage[] =
    "usage: masthead-sim [--listen ADDRESS:PORT] [--at INSTANT] [--fault FAULT]... [--gfs-grid DEGREES]\n\n"
    "A simulated weather API: speaks Open-Meteo, MET Norway and OpenWeatherMap over plain HTTP, and\n"
    "serves the world's METARs and NOAA's GFS, for tests and for trying Masthead without a network.\n"
    "Its weather is synthetic, the same at every run, for any coordinate and instant. Not for the open\n"
    "internet.\n\n"
    "  --listen ADDRESS:PORT  IPv4 address and port (127.0.0.1:8090); port 0 picks a free one\n"
    "  --at INSTANT           freezes the clock, e.g. at 2026-01-31T09:00:12Z\n"
    "  --fault FAULT          what goes wrong from the start; may be repeated\n"
    "  --gfs-grid DEGREES     spacing of GFS' grid (2.5), from 0.25 on\n"
    "  --help                 this text\n\n"
    "Says \"masthead-sim ready http://ADDRESS:PORT\" once it listens, serves until SIGTERM or Ctrl-C\n"
    "(exit 0). Exit 1: the port is taken. Exit 2: bad usage.\n\n"
    "APIs (weather.open_meteo_url, met_norway_url, openweathermap_url of the service are this\n"
    "address, without a path):\n";

static const char mirrors[] =
    "\nBelow /mirror1 to /mirror9 all of them are there once more, counted apart.\n"
    "GFS has hours 0 to 120 of the runs of 00, 06, 12 and 18 h, each from 3.5 hours after the run's time\n"
    "and 45 minutes for each 49 hours on, for ten days. Its messages are packed by masthead-grib, which\n"
    "stands beside this program; where it is missing (libg2c-dev was not there) these paths answer 404.\n";

static const char examples[] =
    "\nExamples:\n"
    "  masthead-sim --fault slow=800 --at 2026-01-31T09:00:00Z\n"
    "  masthead-sim --fault '503&path=gfs-data&mirror=1&for=1h' --fault stale-index\n"
    "  masthead-sim --fault 'hang&path=met-norway' --fault '500&share=0.3&seed=7'\n"
    "  curl -X POST 'http://127.0.0.1:8090/sim/fault?kind=429&value=daily&path=open-meteo&times=2'\n"
    "  curl -X POST 'http://127.0.0.1:8090/sim/fault?kind=garbage&box=8,68,36,98'\n"
    "  curl -X POST 'http://127.0.0.1:8090/sim/fault?kind=none'\n";

/* What --help prints too. */
static int answer_manual(const struct wire *wire, struct text *out)
{
    (void)wire;
    text_string(out, usage);
    for (const struct api *api = apis; api->name; api++)
        text_format(out, "  %-14s GET %s\n    %s\n", api->name, api->path, api->usage);
    text_string(out, mirrors);
    text_string(out, "\nControls, over the same port:\n");
    for (size_t i = 0; i < ROUTES; i++)
        text_format(out, "  %-4s %-11s %s\n", routes[i].method, routes[i].path, routes[i].help);
    text_format(out, "\n%s\nKinds:\n", fault_rules_manual);
    for (const struct fault *fault = faults; fault->name; fault++)
        text_format(out, "  %-13s %s\n", fault->name, fault->help);
    text_string(out, examples);
    return 200;
}

static void handle_control(struct wire *wire, const struct route *route)
{
    char *storage = malloc(ANSWER_BYTES);
    struct text out = text_init(storage, storage ? ANSWER_BYTES : 0);
    int status = storage ? route->answer(wire, &out) : 500;
    const char *type = route->answer == answer_manual ? "text/plain; charset=utf-8" : "application/json";
    wire_answer(wire, status, type, "", storage, out.length);
    free(storage);
}

static void handle(struct wire *wire)
{
    char header[64];
    struct text allow = text_init(header, sizeof header);
    const char *path = wire->path;
    int mirror;
    bool forecast = api_of(&path, &mirror) != NULL;
    if (forecast && strcmp(wire->method, "GET") == 0) {
        handle_forecast(wire);
        return;
    }
    text_string(&allow, forecast ? "Allow: GET" : "");
    for (size_t i = 0; i < ROUTES; i++) {
        if (strcmp(wire->path, routes[i].path) != 0)
            continue;
        if (strcmp(wire->method, routes[i].method) == 0) {
            handle_control(wire, &routes[i]);
            return;
        }
        text_format(&allow, "%s%s", allow.length > 0 ? ", " : "Allow: ", routes[i].method);
    }
    text_string(&allow, allow.length > 0 ? "\r\n" : "");
    wire_answer(wire, allow.length > 0 ? 405 : 404, "text/plain", header, "", 0);
}

/* ---- the command line ---- */

static int bad_usage(const char *option, const char *given, const char *reason)
{
    fprintf(stderr, "masthead-sim: %s %s: %s\n", option, given, reason);
    return 2;
}

/* Reads "127.0.0.1:8090". */
static bool read_address(const char *text, char host[INET_ADDRSTRLEN], int *port)
{
    char digits[6];
    struct in_addr ignored;
    int end = 0;
    bool ok = sscanf(text, "%15[0-9.]:%5[0-9]%n", host, digits, &end) == 2 && text[end] == '\0' &&
              inet_pton(AF_INET, host, &ignored) == 1;
    *port = ok ? atoi(digits) : -1;
    return ok && *port <= 65535;
}

/* Reads "slow=500&path=met-norway", which over HTTP is kind=slow&value=500&path=met-norway. NULL, or why it
 * is refused. */
static const char *read_fault(const char *given)
{
    char query[512];
    int kind = (int)strcspn(given, "=&");
    bool has_value = given[kind] == '=';
    if (snprintf(query, sizeof query, "kind=%.*s&%s%s", kind, given, has_value ? "value=" : "",
                 given + kind + has_value) >= (int)sizeof query)
        return "too long";
    return fault_rules_add(&(struct wire){.query = query});
}

static void open_gfs(double degrees)
{
    char path[PATH_MAX];
    gfs_fields_open(child_beside("masthead-grib", path) ? path : "", degrees);
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
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'}, {"at", required_argument, NULL, 'a'},
        {"fault", required_argument, NULL, 'f'},  {"gfs-grid", required_argument, NULL, 'g'},
        {"help", no_argument, NULL, 'h'},         {0}};
    static char manual[MANUAL_BYTES];
    const char *listen = "127.0.0.1:8090", *reason;
    double degrees = 2.5;
    char host[INET_ADDRSTRLEN];
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
            if ((reason = read_fault(optarg)))
                return bad_usage("--fault", optarg, reason);
            break;
        case 'g':
            if (!gfs_fields_spacing(degrees = strtod(optarg, NULL)))
                return bad_usage("--gfs-grid", optarg, "expected 2.5, 0.25 or the like, a divisor of 180");
            break;
        case 'h':
            answer_manual(NULL, &(struct text){.bytes = manual, .capacity = sizeof manual});
            return fputs(manual, stdout) < 0;
        default:
            return 2;
        }
    }
    if (optind < argc)
        return bad_usage("argument", argv[optind], "not expected (see --help)");
    if (!read_address(listen, host, &port))
        return bad_usage("--listen", listen, "expected an IPv4 address and a port, e.g. 127.0.0.1:8090");
    open_gfs(degrees);
    return serve(host, port);
}
