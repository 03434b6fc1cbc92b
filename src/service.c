/* The rooms are opened here, lowest floor first, and closed in reverse. The main thread, the only one in this
 * file, waits for signals and does meanwhile what is due. */
#include "service.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "base/process.h"
#include "ops/ops.h"
#include "site/world_map.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SPARE_FDS      512 /* queues, fetches, databases, the ops listener */
#define DRAIN_EXTRA_MS 2000
#define END_EXTRA_MS   30000 /* a fetch under way, the last snapshot on a slow disk */
#define FOREVER_MS     ((int64_t)3600000)
#define SAMPLE_MS      ((int64_t)15000) /* between two samples of the history */

/* An interval of the main thread's (0: never), and when it last began; real time. */
struct timer {
    int64_t every_ms, done_ms;
};

struct service {
    struct config *config;
    struct places *places;
    struct weather *weather;
    struct public_site site;
    struct http_listener *public, *ops;
    struct status *status;
    struct ops_options ops_options;
    const struct demo *demo; /* NULL: this is no demo */
    bool dev;                /* developer mode; never changes */
    atomic_bool draining;
    _Atomic(const char *) reload_refusal; /* reason why the last reload was refused; NULL: it was not */
    struct timer watchdog;                /* for the service manager's watchdog */
};

static sigset_t signals; /* that the main thread waits for */

enum { BUILD, DEV, RELOAD, ROWS };
static metric_collector collect;
static struct metric rows[ROWS] = {
    [BUILD] = GAUGE("masthead_build_info", "The running version.", collect, LABEL("version")),
    [DEV] = GAUGE("masthead_dev_mode", "Whether readers may be faked and the clock be moved.", collect),
    [RELOAD] = GAUGE("masthead_config_last_reload_successful",
                     "Whether the last load of the configuration succeeded.", collect),
};

static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct service *service = context;
    if (row == BUILD)
        metric_sample(samples, 1, MASTHEAD_VERSION, NULL);
    else
        metric_value(samples, row == DEV ? service->dev : !atomic_load(&service->reload_refusal));
}

/* Closes the ops listener first: its /metrics reads the others. */
static void stop(struct service *service)
{
    http_close(service->ops);
    status_close(service->status);
    http_close(service->public);
    weather_close(service->weather);
    places_close(service->places);
}

/* The configuration as the status page shows it; NULL when out of memory. */
static struct status_settings *status_settings_of(const struct config *config)
{
    _Static_assert(CONFIG_OPTIONS_MAX <= STATUS_SETTINGS_MAX, "every option has a row");
    struct status_settings *settings = calloc(1, sizeof *settings);
    struct config_setting setting;
    for (; settings && config_setting(config, settings->count, &setting); settings->count++) {
        struct status_setting *row = &settings->rows[settings->count];
        snprintf(row->name, sizeof row->name, "%s.%s", setting.section, setting.key);
        snprintf(row->value, sizeof row->value, "%s", setting.value ? setting.value : "(set, and secret)");
        snprintf(row->origin, sizeof row->origin, "%s", setting.origin);
    }
    return settings;
}

static bool open_listeners(struct service *service)
{
    const struct config *config = service->config;
    service->site.visits = config->visits;
    service->site.origins = config->origins;
    service->site.widget = (struct widget){config->widget, service->places, service->weather};
    if (service->demo)
        service->site.visits.scenario = service->demo->scenario;
    widget_register();
    visit_register();
    world_map_open(service->places);
    struct http_options options = config->public;
    options.body_bytes = PUBLIC_BODY_BYTES;
    options.instrumented = true;
    options.trusted = &service->site.visits.client.trusted_proxies;
    service->public = http_open(&options, public_routes, &service->site);
    if (!service->public)
        return false;

    service->status = status_open(&(struct status_sources){.places = service->places,
                                                           .weather = service->weather,
                                                           .public = service->public,
                                                           .draining = &service->draining,
                                                           .reload_refusal = &service->reload_refusal,
                                                           .dev = config->dev,
                                                           .simulated = config->widget.simulated,
                                                           .keyless = config_keyless(config)});
    if (!service->status || !metrics_complete()) {
        log_line(LOG_ERROR, "no memory for what operators are to be told");
        return false;
    }
    status_configure(service->status, status_settings_of(config));
    service->ops_options = (struct ops_options){.status = service->status, .site = &service->site};
    options = config->ops;
    options.threads = OPS_THREADS;
    options.keep_alive_ms = 0; /* no monitor holds a thread between its questions, however many there are */
    options.body_bytes = OPS_BODY_BYTES;
    service->ops = http_open(&options, ops_routes, &service->ops_options);
    return service->ops != NULL;
}

/* Starts every room, lowest floor first. On failure the caller stops those that started. */
static bool start(struct service *service)
{
    const struct config *config = service->config;
    process_register();
    metrics_register(rows, ROWS, service);
    return (service->places = places_open(&config->place)) &&
           (service->weather = weather_open(&config->weather, places_gazetteer(service->places))) &&
           open_listeners(service);
}

static void announce_ready(const struct service *service)
{
    char public[HTTP_HOST_BYTES + 16], ops[HTTP_HOST_BYTES + 16];
    snprintf(public, sizeof public, "%s:%d", service->config->public.host, http_port(service->public));
    snprintf(ops, sizeof ops, "%s:%d", service->config->ops.host, http_port(service->ops));
    log_event(LOG_ALWAYS, "ready", log_str("public", public), log_str("ops", ops));
    notify("READY=1\nSTATUS=serving");
    if (service->demo)
        demo_ready(service->demo, public, ops);
}

static void log_error(const char *line)
{
    log_event(LOG_ERROR, "configuration not good", log_str("fault", line));
}

/* Reloads all or nothing: a new configuration is used only when it has no error, changes nothing that needs a
 * restart, and its databases load. */
static void reload(struct service *service, const struct config_sources *sources)
{
    struct config_sources own = *sources;
    struct config *next = malloc(sizeof *next);
    own.on_error = log_error;
    notify_reloading();
    const char *refusal = NULL;
    if (!next || !config_load(&own, next))
        refusal = "the configuration is not good";
    else if (!config_reloadable(service->config, next, own.on_error))
        refusal = "it changes what only a restart can change";
    else if (!places_reload(service->places, &next->place))
        refusal = "a city database or the file of vague networks could not be loaded";
    bool ok = !refusal;
    atomic_store(&service->reload_refusal, refusal);
    if (ok) {
        *service->config = *next;
        log_configure(&next->log);
        access_configure(&next->access);
        status_configure(service->status, status_settings_of(next));
    }
    free(next);
    log_line(ok ? LOG_INFO : LOG_ERROR, ok ? "reloaded" : "reload refused, nothing changed");
    notify("READY=1\nSTATUS=%s", ok ? "serving" : "reload refused, serving as before");
}

static int64_t due_in(const struct timer *timer)
{
    int64_t left_ms = timer->done_ms + timer->every_ms - clock_monotonic_ms();
    return timer->every_ms == 0 ? FOREVER_MS : left_ms > 0 ? left_ms : 0;
}

/* Notifies the service manager's watchdog if both listeners serve and the fetch thread goes round; takes up
 * to two seconds. */
static void watchdog_ping(struct service *service)
{
    service->watchdog.done_ms = clock_monotonic_ms();
    bool serving = http_alive(service->public) && http_alive(service->ops);
    if (serving && weather_alive(service->weather))
        notify("WATCHDOG=1");
    else
        log_throttled(
            LOG_ERROR, "the watchdog is not told",
            log_str("reason", serving ? "the fetch thread is stuck" : "a listener does not answer"));
}

/* Waits for a signal; meanwhile notifies the watchdog and samples the history. 0 when the timer is due. */
static int wait_for(struct service *service, const struct timer *timer)
{
    for (;;) {
        if (due_in(&service->watchdog) == 0)
            watchdog_ping(service);
        int64_t watchdog_ms = due_in(&service->watchdog), timer_ms = due_in(timer);
        int64_t next_ms = watchdog_ms < timer_ms ? watchdog_ms : timer_ms;
        struct timespec wait = clock_timespec(next_ms < SAMPLE_MS ? next_ms : SAMPLE_MS);
        int signal = sigtimedwait(&signals, NULL, &wait);
        status_sample(service->status);
        if (signal > 0 || due_in(timer) == 0)
            return signal > 0 ? signal : 0;
    }
}

/* Reloads on SIGHUP and when a database has changed; returns at SIGTERM or SIGINT. */
static void serve(struct service *service, const struct config_sources *sources)
{
    struct timer watch = {.done_ms = clock_monotonic_ms()};
    for (;;) {
        watch.every_ms = service->config->watch_ms;
        int signal = wait_for(service, &watch);
        if (signal == SIGTERM || signal == SIGINT)
            return;
        if (service->watchdog.every_ms > 0) /* to validate a database takes most of the interval */
            watchdog_ping(service);
        if (signal == SIGHUP)
            reload(service, sources);
        else if (places_changed(service->places))
            places_reload(service->places, &service->config->place);
        watch.done_ms = clock_monotonic_ms();
    }
}

static void drain(struct service *service)
{
    struct timer pause = {.every_ms = service->config->drain_ms, .done_ms = clock_monotonic_ms()};
    int64_t answers_ms = service->config->public.request_timeout_ms + DRAIN_EXTRA_MS;
    log_line(LOG_INFO, "draining");
    notify("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%" PRId64,
           (pause.every_ms + answers_ms + END_EXTRA_MS) * 1000);
    atomic_store(&service->draining, true);
    while (pause.every_ms > 0 && wait_for(service, &pause) == SIGHUP)
        ; /* a second SIGTERM or SIGINT cuts the pause short */
    http_drain(service->public, answers_ms);
}

/* Whether there are descriptors for every thread: at EMFILE civetweb would loop without pause. */
static bool enough_descriptors(const struct config *config)
{
    uint64_t needed = (uint64_t)config->public.threads + SPARE_FDS,
             allowed = process_want_descriptors(needed);
    if (allowed < needed)
        log_event(LOG_ERROR,
                  "too few descriptors: raise the limit (LimitNOFILE, ulimit -n) or lower server.threads",
                  log_int("allowed", (int64_t)allowed), log_int("needed", (int64_t)needed));
    return allowed >= needed;
}

void service_block_signals(void)
{
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
}

int service_run(struct config *config, const struct config_sources *sources, const struct demo *demo)
{
    static struct service service; /* too large for the stack */
    service.config = config;
    service.demo = demo;
    service.dev = config->dev;
    service.watchdog.every_ms = notify_watchdog_ms();
    mkdir(config->place.state, 0755); /* a failure is logged by those that write into it */
    if (config->dev && config->dev_at_s > 0)
        clock_freeze(config->dev_at_s * 1000);
    config_warn(config);

    int status = EXIT_FAILURE;
    if (enough_descriptors(config) && start(&service)) {
        announce_ready(&service);
        serve(&service, sources);
        drain(&service);
        status = EXIT_SUCCESS;
    }
    stop(&service);
    if (status == EXIT_SUCCESS)
        log_line(LOG_INFO, "stopped");
    return status;
}
