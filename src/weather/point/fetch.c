/* Flights belong to the fetch thread alone; `stopping`, `inflight` and `round_ms` are atomic. */
#include "weather/point/fetch.h"

#include "base/log.h"
#include "base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define BODY_BYTES    ((size_t)64 << 10) /* a reply of 51 points has under 4 KB */
#define HEADER_BYTES  (PROVIDER_KEY_BYTES + 32)
#define POLL_MS       1000
#define ALIVE_MS      10000 /* many rounds: a wait ends after POLL_MS, and nothing else in one blocks */
#define PAUSE_USUAL_S 60    /* after a 429 that does not say */
#define EXPIRES_MAX_S 86400 /* an Expires further ahead than this is a mistake */

/* One fetch of the cache's, from its first provider to its end. */
struct flight {
    bool active;
    bool unleased; /* it waits for the quota's file to cover its next request */
    bool asked;    /* some provider was asked for it */
    struct cache_fetch fetch;
    size_t attempt;           /* index into options.order */
    enum provider_id id;      /* of the provider there */
    size_t step;              /* of the provider, whose request is under way */
    struct quota_grant grant; /* of the present provider */
    int64_t sent;             /* requests to it */
    struct curve curve;
};

struct fetch {
    struct fetch_options options;
    struct cache *cache;
    struct quota *quota;
    struct fleet *fleet; /* NULL: this instance is alone */
    struct transfers *transfers;
    struct flight flights[TRANSFER_PARALLEL_MAX]; /* options.transfer.parallel of them */
    pthread_t thread;
    atomic_bool stopping;
    atomic_int_fast64_t round_ms; /* monotonic: when the loop came round last */
    atomic_size_t inflight;
};

static const double duration_bounds_s[] = {0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8};

enum { REQUESTS, DURATION, INFLIGHT, ROWS };
static metric_collector collect_inflight;
static struct metric rows[ROWS] = {
    [REQUESTS] = COUNTER(
        "masthead_upstream_requests_total", "Requests to weather providers, by how they ended.",
        .labels = {{"provider", provider_names, WEATHER_PROVIDERS}, {"outcome", outcome_names, OUTCOMES}},
        .sparse = true),
    [DURATION] = HISTOGRAM("masthead_upstream_request_duration_seconds",
                           "Duration of requests to weather providers.", duration_bounds_s, 0.000001,
                           .labels = {{"provider", provider_names, WEATHER_PROVIDERS}}, .sparse = true),
    [INFLIGHT] =
        GAUGE("masthead_upstream_inflight", "Requests to weather providers under way.", collect_inflight),
};

static void collect_inflight(void *context, size_t row, struct metric_samples *samples)
{
    struct fetch *fetch = context;
    (void)row;
    metric_value(samples, (double)atomic_load(&fetch->inflight));
}

/* Whether the provider may confirm the cell's present curve by a 304, which one of several steps could not.
 */
static bool can_confirm(const struct flight *flight)
{
    const struct provider *provider = providers[flight->id];
    return provider->conditional && provider->step_count == 1 && flight->fetch.provider == flight->id &&
           flight->fetch.modified_s > 0;
}

/* Sends the request of the flight's present step. */
static bool start_request(struct fetch *fetch, struct flight *flight)
{
    char url_storage[TRANSFER_URL_BYTES], header_storage[HEADER_BYTES];
    struct text url = text_init(url_storage, sizeof url_storage);
    struct text header = text_init(header_storage, sizeof header_storage);
    bool confirms = can_confirm(flight);
    providers[flight->id]->steps[flight->step].request(&fetch->options.access[flight->id],
                                                       cell_of_key(flight->fetch.key), &url, &header);
    return transfers_start(fetch->transfers,
                           &(struct transfer_request){.url = url.bytes,
                                                      .header = header.bytes,
                                                      .modified_s = confirms ? flight->fetch.modified_s : 0,
                                                      .tag = flight});
}

/* How long the provider asks for a pause: what its header says, else what its words mean. */
static int64_t pause_of(const struct provider *provider, const struct transfer_answer *answer,
                        enum outcome outcome, const char *reason, int64_t now_s)
{
    if (outcome == OUTCOME_OK)
        return 0;
    if (answer->retry_after_s > 0 || outcome != OUTCOME_HTTP_429)
        return answer->retry_after_s;
    return provider->pause ? provider->pause(reason, now_s) : PAUSE_USUAL_S;
}

static void log_outcome(enum provider_id id, enum outcome outcome, int status, const char *detail)
{
    static struct log_throttle throttles[WEATHER_PROVIDERS][OUTCOMES];
    int64_t suppressed;
    if (outcome != OUTCOME_OK && log_due(&throttles[id][outcome], &suppressed))
        log_event(LOG_WARN, "weather not fetched", log_str("provider", provider_names[id]),
                  log_str("outcome", outcome_names[outcome]), log_int("status", status),
                  log_str("detail", detail), log_int("suppressed", suppressed));
    if (status == 203) /* MET Norway's way to announce the end of a version */
        log_throttled(LOG_WARN, "the weather API says that this version of it is deprecated (status 203)",
                      log_str("provider", provider_names[id]));
}

/* What the body of an error says, unless it repeats the key. */
static void read_reason(const struct provider *provider, const struct transfer_answer *answer,
                        const char *key, char out[PROVIDER_REASON_BYTES])
{
    out[0] = '\0';
    if (!key[0] || !memmem(answer->body, answer->length, key, strlen(key)))
        provider->reason(answer->body, answer->length, out);
    if (key[0] && strstr(out, key)) /* it may have been escaped */
        out[0] = '\0';
}

/* How the transfer of a step ended, and, where it is OUTCOME_OK, what it has read in flight->curve. A 304
 * counts only where it was asked for, and then sets *confirmed. */
static enum outcome read_answer(struct flight *flight, const struct transfer_answer *answer, int64_t now_s,
                                bool *confirmed)
{
    enum outcome outcome = outcome_of(answer);
    *confirmed = answer->end == TRANSFER_ANSWERED && answer->status == 304 && can_confirm(flight);
    if (*confirmed || outcome != OUTCOME_OK)
        return *confirmed ? OUTCOME_OK : outcome;
    return providers[flight->id]->steps[flight->step].read(answer->body, answer->length, now_s,
                                                           &flight->curve);
}

static int64_t expires_of(const struct transfer_answer *answer, int64_t now_s)
{
    return answer->expires_s < now_s + EXPIRES_MAX_S ? answer->expires_s : now_s + EXPIRES_MAX_S;
}

/* Tells the quota how the flight's business with its present provider has ended. */
static void report(struct fetch *fetch, const struct flight *flight, enum outcome outcome, int64_t pause_s,
                   const struct instant *now)
{
    quota_report(fetch->quota, flight->id, &flight->grant,
                 &(struct quota_result){
                     .outcome = outcome, .cell = flight->fetch.key, .sent = flight->sent, .pause_s = pause_s},
                 now);
}

static void put_curve(struct fetch *fetch, struct flight *flight, const struct transfer_answer *answer,
                      bool confirmed, const struct instant *now)
{
    struct curve *curve = &flight->curve;
    struct weather_upstream stats;
    quota_get_stats(fetch->quota, flight->id, now, &stats);
    curve->provider = (uint8_t)flight->id;
    curve->fetched_s = now->wall_ms / 1000;
    curve->expires_s = expires_of(answer, curve->fetched_s);
    curve->modified_s = answer->last_modified_s;
    if (confirmed)
        cache_confirm(fetch->cache, flight->fetch.key, now, curve->expires_s, stats.stretch);
    else
        cache_put(fetch->cache, flight->fetch.key, now, curve, stats.stretch);
}

/* Decrement after the cache was told: at inflight 0 it has every result. */
static void finish(struct fetch *fetch, struct flight *flight, bool fetched)
{
    flight->active = false;
    if (fetch->fleet)
        fleet_end(fetch->fleet, flight->fetch.key, fetched);
    atomic_fetch_sub(&fetch->inflight, 1);
}

/* Asks the flight's next provider that may be asked. Where there is none, the fetch has failed, or was
 * refused. */
static void next_provider(struct fetch *fetch, struct flight *flight)
{
    struct instant now = clock_now();
    for (; flight->attempt < fetch->options.order_count; flight->attempt++) {
        flight->id = fetch->options.order[flight->attempt];
        enum quota_answer answer =
            quota_acquire(fetch->quota, flight->id, flight->fetch.class,
                          (int64_t)providers[flight->id]->step_count, &now, &flight->grant);
        flight->unleased = answer == QUOTA_UNLEASED;
        if (flight->unleased)
            return;
        if (answer != QUOTA_GRANTED)
            continue;
        flight->asked = true;
        flight->step = 0;
        flight->sent = 0;
        if (start_request(fetch, flight))
            return;
        report(fetch, flight, OUTCOME_TRANSFER, 0, &now);
    }
    if (flight->asked)
        cache_fail(fetch->cache, flight->fetch.key, flight->fetch.class, &now);
    else
        cache_release(fetch->cache, flight->fetch.key, flight->fetch.class, &now);
    finish(fetch, flight, false);
}

/* Ends one request: the flight goes on with the provider's next step or with the next provider, or ends. */
static void finish_request(struct fetch *fetch, const struct transfer_answer *answer)
{
    struct flight *flight = answer->tag;
    struct instant now = clock_now();
    enum provider_id id = flight->id;
    char reason[PROVIDER_REASON_BYTES] = "";
    bool confirmed;
    enum outcome outcome = read_answer(flight, answer, now.wall_ms / 1000, &confirmed);
    if (outcome != OUTCOME_OK)
        read_reason(providers[id], answer, fetch->options.access[id].key, reason);
    flight->sent += (int64_t)answer->requests;
    metric_add(&rows[REQUESTS], id, outcome);
    metric_observe(&rows[DURATION], id, (uint64_t)answer->taken_us);
    log_outcome(id, outcome, answer->status, answer->error[0] ? answer->error : reason);

    int64_t pause_s = pause_of(providers[id], answer, outcome, reason, now.wall_ms / 1000);
    bool whole = confirmed || flight->step + 1 == providers[id]->step_count;
    if (outcome == OUTCOME_OK && !whole) {
        flight->step++;
        if (start_request(fetch, flight))
            return;
        outcome = OUTCOME_TRANSFER;
    }
    report(fetch, flight, outcome, pause_s, &now);
    if (outcome == OUTCOME_OK) {
        put_curve(fetch, flight, answer, confirmed, &now);
        finish(fetch, flight, true);
    } else {
        flight->attempt++;
        next_provider(fetch, flight);
    }
}

/* Takes the next cell that is to be fetched. False when there is none. */
static bool take_next(struct fetch *fetch, const struct instant *now, struct cache_fetch *out)
{
    return fetch->fleet ? fleet_next(fetch->fleet, out) : cache_next(fetch->cache, now, out);
}

/* Starts flights while there are free ones and listed cells; those that wait for a lease go first. */
static void start_flights(struct fetch *fetch)
{
    struct instant now = clock_now();
    struct flight *end = fetch->flights + fetch->options.transfer.parallel;
    struct cache_fetch next;
    for (struct flight *flight = fetch->flights; flight < end; flight++)
        if (flight->active && flight->unleased)
            next_provider(fetch, flight);
    for (struct flight *flight = fetch->flights; flight < end; flight++)
        while (!flight->active && !atomic_load(&fetch->stopping) && take_next(fetch, &now, &next)) {
            *flight = (struct flight){.active = true, .fetch = next};
            atomic_fetch_add(&fetch->inflight, 1);
            next_provider(fetch, flight); /* one that is refused everywhere ends at once */
        }
}

static void *run(void *context)
{
    struct fetch *fetch = context;
    while (!atomic_load(&fetch->stopping)) {
        atomic_store(&fetch->round_ms, clock_monotonic_ms());
        start_flights(fetch);
        const struct transfer_answer *answer = transfers_wait(fetch->transfers, POLL_MS);
        if (answer)
            finish_request(fetch, answer);
    }
    return NULL;
}

struct fetch *fetch_open(const struct fetch_options *options, struct cache *cache, struct quota *quota,
                         struct fleet *fleet)
{
    struct transfer_options transfer = options->transfer;
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (!fetch)
        return NULL;
    *fetch = (struct fetch){.options = *options,
                            .cache = cache,
                            .quota = quota,
                            .fleet = fleet,
                            .round_ms = clock_monotonic_ms()};
    transfer.body_bytes = BODY_BYTES;
    fetch->transfers = transfers_open(&transfer);
    if (fetch->transfers) {
        metrics_register(rows, ROWS, fetch);
        int status = pthread_create(&fetch->thread, NULL, run, fetch);
        if (status == 0) {
            pthread_setname_np(fetch->thread, "fetch");
            return fetch;
        }
        log_event(LOG_ERROR, "cannot start the fetch thread", log_str("error", strerror(status)));
    }
    transfers_close(fetch->transfers);
    free(fetch);
    return NULL;
}

void fetch_wake(struct fetch *fetch)
{
    transfers_wake(fetch->transfers);
}

bool fetch_alive(struct fetch *fetch)
{
    return clock_monotonic_ms() - atomic_load(&fetch->round_ms) < ALIVE_MS;
}

void fetch_close(struct fetch *fetch)
{
    if (!fetch)
        return;
    atomic_store(&fetch->stopping, true);
    transfers_wake(fetch->transfers);
    pthread_join(fetch->thread, NULL);
    transfers_close(fetch->transfers);
    free(fetch);
}
