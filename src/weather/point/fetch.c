/* Two threads meet here: HTTP workers call fetch_submit, the fetch thread does all else. `lock` guards the
 * two queues and `stopping`; flights, handles and the multi handle belong to the fetch thread alone. */
#include "weather/point/fetch.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "weather/point/cell_queue.h"
#include "weather/point/quota.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX      ((size_t)64 << 10) /* a reply of 51 points has under 4 KB */
#define URL_BYTES     768
#define HEADER_BYTES  (PROVIDER_KEY_BYTES + 32)
#define POLL_MS       1000
#define CONNECT_SHARE 2     /* connecting may take this part of the timeout */
#define PAUSE_USUAL_S 60    /* after a 429 that does not say */
#define EXPIRES_MAX_S 86400 /* a wish to be left alone for longer than this is a mistake */
#define CONFIRM_S     86400 /* a curve that ends sooner than this is not worth confirming */

struct flight {
    struct fetch *fetch;
    CURL *handle;
    struct curl_slist *headers; /* of the request under way */
    bool in_air;
    bool urgent; /* somebody waits for it, or has no number */
    struct cell cell;
    size_t attempt;              /* index into options.order */
    const struct provider *part; /* whose request is under way: the provider, or what is asked after it */
    bool conditional;            /* that request is; `curve` is what a 304 confirms */
    struct curve curve;
    size_t received;
    bool too_large;
    char body[BODY_MAX];
};

struct fetch {
    struct fetch_options options;
    fetch_done *done;
    void *context;
    CURLM *multi;
    struct quota *quota;
    pthread_t thread;
    struct flight *flights; /* options.parallel of them */
    _Atomic size_t in_air;

    pthread_mutex_t lock;
    struct cell_queue urgent, refresh; /* guarded by lock */
    bool stopping;                     /* guarded by lock */
};

static const char *provider_names[PROVIDERS];
static const double duration_bounds_s[] = {0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8};

enum { REQUESTS, DURATION, INFLIGHT, ROWS };
static metric_collector collect_inflight;
static struct metric rows[ROWS] = {
    [REQUESTS] =
        COUNTER("masthead_upstream_requests_total", "Requests to weather providers, by how they ended.",
                .labels = {{"provider", provider_names, PROVIDERS}, {"outcome", outcome_names, OUTCOMES}},
                .sparse = true),
    [DURATION] = HISTOGRAM("masthead_upstream_request_duration_seconds",
                           "Duration of requests to weather providers.", duration_bounds_s, 0.000001,
                           .labels = {{"provider", provider_names, PROVIDERS}}, .sparse = true),
    [INFLIGHT] =
        GAUGE("masthead_upstream_inflight", "Requests to weather providers under way.", collect_inflight),
};

static void collect_inflight(void *context, size_t row, struct metric_samples *samples)
{
    (void)row;
    const struct fetch *fetch = context;
    metric_value(samples, (double)fetch->in_air);
}

bool fetch_submit(struct fetch *fetch, struct cell cell, bool urgent)
{
    pthread_mutex_lock(&fetch->lock);
    bool queued = cell_queue_push(urgent ? &fetch->urgent : &fetch->refresh, cell);
    pthread_mutex_unlock(&fetch->lock);
    if (queued)
        curl_multi_wakeup(fetch->multi);
    return queued;
}

bool fetch_admit(struct fetch *fetch, const struct instant *now)
{
    for (size_t i = 0; i < fetch->options.order_count; i++)
        if (!quota_choose(fetch->quota, fetch->options.order[i], now))
            return false;
    return true;
}

/* Counts before storing: neither MAXFILESIZE nor Content-Length bounds what a server sends. */
static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
    struct flight *flight = context;
    size_t length = size * count;
    if (length > BODY_MAX - flight->received) {
        flight->too_large = true;
        return 0; /* ends the transfer */
    }
    memcpy(flight->body + flight->received, bytes, length);
    flight->received += length;
    return length;
}

/* What holds for every request; see curl_easy_setopt(3). */
static void set_up_handle(struct flight *flight, const struct fetch_options *options)
{
    CURL *h = flight->handle;
    curl_easy_setopt(h, CURLOPT_PRIVATE, flight);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, flight);
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_QUICK_EXIT,
                     1L); /* else a silent name server blocks the thread for ten seconds */
    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)(options->timeout_ms / CONNECT_SHARE));
    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(h, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(h, CURLOPT_USERAGENT, options->user_agent);
    curl_easy_setopt(h, CURLOPT_PROXY, options->proxy); /* "" also overrides the environment's */
    curl_easy_setopt(h, CURLOPT_NOPROXY, "");
}

static void land(struct flight *, CURLcode);

/* A date in the answer's header, as Unix time; 0 without, and, if it is to be given back, also where it is
 * written in another way than clock_format_http would. */
static int64_t header_date(const struct flight *flight, const char *name, bool exact)
{
    struct curl_header *header;
    char again[CLOCK_HTTP_BYTES];
    if (curl_easy_header(flight->handle, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return 0;
    int64_t unix_s = curl_getdate(header->value, NULL);
    if (unix_s <= 0)
        return 0;
    clock_format_http(unix_s, again);
    return exact && strcmp(again, header->value) != 0 ? 0 : unix_s;
}

/* Makes the request conditional where what is known came from the same provider and still leads far enough.
 */
static void add_condition(struct flight *flight, enum provider_id id)
{
    static const char name[] = "If-Modified-Since: ";
    const struct fetch *fetch = flight->fetch;
    char line[sizeof name + CLOCK_HTTP_BYTES] = "If-Modified-Since: ";
    struct curve known;
    flight->conditional = flight->part->conditional && fetch->options.known &&
                          fetch->options.known(fetch->context, flight->cell, &known) &&
                          known.provider == id && known.modified_s > 0 &&
                          curve_covers(&known, clock_now().wall_ms / 1000 + CONFIRM_S);
    if (!flight->conditional)
        return;
    clock_format_http(known.modified_s, line + sizeof name - 1);
    flight->curve = known;
    flight->headers = curl_slist_append(flight->headers, line);
}

/* Sends the flight's next request. */
static void take_off(struct flight *flight)
{
    struct fetch *fetch = flight->fetch;
    enum provider_id id = fetch->options.order[flight->attempt];
    char url_storage[URL_BYTES], header_storage[HEADER_BYTES];
    struct text url = text_init(url_storage, sizeof url_storage);
    struct text header = text_init(header_storage, sizeof header_storage);
    flight->part->request(&fetch->options.providers[id], flight->cell, &url, &header);

    flight->in_air = true;
    flight->received = 0;
    flight->too_large = false;
    flight->headers = header.length > 0 ? curl_slist_append(NULL, header.bytes) : NULL;
    add_condition(flight, id);
    /* Plain HTTP is for loopback only, which the configuration has checked. */
    curl_easy_setopt(flight->handle, CURLOPT_PROTOCOLS_STR,
                     strncmp(url.bytes, "http:", 5) == 0 ? "http" : "https");
    curl_easy_setopt(flight->handle, CURLOPT_HTTPHEADER, flight->headers);
    curl_easy_setopt(flight->handle, CURLOPT_URL, url.bytes);
    if (curl_multi_add_handle(fetch->multi, flight->handle) != CURLM_OK)
        land(flight, CURLE_OUT_OF_MEMORY);
}

static enum outcome outcome_of_code(const struct flight *flight, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return OUTCOME_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return OUTCOME_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return OUTCOME_CONNECT;
    default:
        return flight->too_large ? OUTCOME_TOO_LARGE : OUTCOME_TRANSFER;
    }
}

/* How long the provider wants to be left alone: what it says itself, else what its words mean. */
static int64_t pause_of(const struct flight *flight, enum outcome outcome, const char *reason, int64_t now_s)
{
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(flight->handle, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (outcome == OUTCOME_OK)
        return 0;
    if (retry_after_s > 0 || outcome != OUTCOME_HTTP_429)
        return retry_after_s;
    return flight->part->pause ? flight->part->pause(reason, now_s) : PAUSE_USUAL_S;
}

static void report(enum provider_id id, enum outcome outcome, long status, const char *detail)
{
    static struct log_throttle throttles[PROVIDERS][OUTCOMES];
    int64_t suppressed;
    if (outcome != OUTCOME_OK && log_due(&throttles[id][outcome], &suppressed))
        log_event(LOG_WARN, "weather not fetched", log_str("provider", providers[id]->name),
                  log_str("outcome", outcome_names[outcome]), log_int("status", status),
                  log_str("detail", detail), log_int("suppressed", suppressed));
}

/* What the body of an error says, unless it repeats the key. */
static void read_reason(const struct flight *flight, const char *key, char out[PROVIDER_REASON_BYTES])
{
    if (!key[0] || !memmem(flight->body, flight->received, key, strlen(key)))
        flight->part->reason(flight->body, flight->received, out);
    if (key[0] && strstr(out, key)) /* it may have been escaped */
        out[0] = '\0';
}

/* MET Norway's way to announce the end of a version. */
static void report_deprecated(enum provider_id id)
{
    static struct log_throttle throttle;
    int64_t suppressed;
    if (log_due(&throttle, &suppressed))
        log_event(LOG_WARN, "the weather API says that this version of it is deprecated (status 203)",
                  log_str("provider", providers[id]->name), log_int("suppressed", suppressed));
}

/* Notes on a curve just read or confirmed where it comes from and how long it is good for. */
static void stamp(const struct flight *flight, enum provider_id id, int64_t now_s, struct curve *curve)
{
    int64_t expires_s = header_date(flight, "Expires", false);
    int64_t latest_s = now_s + EXPIRES_MAX_S;
    curve->provider = (uint8_t)id;
    curve->fetched_s = now_s;
    curve->expires_s = expires_s > latest_s ? latest_s : expires_s;
    if (!flight->conditional) /* a 304 need not repeat it */
        curve->modified_s = header_date(flight, "Last-Modified", true);
}

/* Judges the answer to one request; what could be used of it is in flight->curve. */
static enum outcome judge(struct flight *flight, CURLcode code, const struct instant *now)
{
    enum provider_id id = flight->fetch->options.order[flight->attempt];
    char said[PROVIDER_REASON_BYTES] = "";
    const char *detail = code == CURLE_OK ? said : curl_easy_strerror(code);
    long status = 0;
    curl_off_t taken_us = 0;
    curl_easy_getinfo(flight->handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(flight->handle, CURLINFO_TOTAL_TIME_T, &taken_us);

    enum outcome outcome = outcome_of_code(flight, code);
    flight->conditional &= outcome == OUTCOME_OK && status == 304; /* from here on: is confirmed */
    if (outcome == OUTCOME_OK && !flight->conditional)
        outcome = outcome_of_status(status);
    if (outcome == OUTCOME_OK && !flight->conditional)
        outcome = flight->part->read(flight->body, flight->received, now->wall_ms / 1000, &flight->curve);
    if (outcome != OUTCOME_OK)
        read_reason(flight, flight->fetch->options.providers[id].key, said);
    if (outcome == OUTCOME_OK)
        stamp(flight, id, now->wall_ms / 1000, &flight->curve);
    if (status == 203)
        report_deprecated(id);
    quota_report(flight->fetch->quota, id, outcome, pause_of(flight, outcome, said, now->wall_ms / 1000),
                 now);
    metric_add(&rows[REQUESTS], id, outcome);
    metric_observe(&rows[DURATION], id, (uint64_t)taken_us);
    report(id, outcome, status, detail);
    return outcome;
}

static void come_down(struct flight *flight)
{
    curl_multi_remove_handle(flight->fetch->multi, flight->handle);
    curl_slist_free_all(flight->headers);
    flight->headers = NULL;
    flight->in_air = false;
}

/* Turns to the next provider, if there is one. */
static void turn_to_next(struct flight *flight)
{
    const struct fetch_options *options = &flight->fetch->options;
    flight->part =
        ++flight->attempt < options->order_count ? providers[options->order[flight->attempt]] : NULL;
}

/* Sends the next request that may be made; without one, ends the flight: with its curve, or without. */
static void proceed(struct flight *flight, const struct curve *curve)
{
    struct fetch *fetch = flight->fetch;
    while (flight->part) {
        struct instant now = clock_now();
        enum provider_id id = fetch->options.order[flight->attempt];
        if (quota_take(fetch->quota, id, flight->urgent, &now) == QUOTA_GRANTED) {
            take_off(flight);
            return;
        }
        turn_to_next(flight);
        curve = NULL;
    }
    fetch->done(fetch->context, flight->cell, curve);
    fetch->in_air--; /* after `done`, so that who sees none in the air finds all of them landed */
}

/* Ends one request; the flight goes on while there is more to ask, or another provider to try. */
static void land(struct flight *flight, CURLcode code)
{
    struct instant now = clock_now();
    enum outcome outcome = judge(flight, code, &now);
    come_down(flight);
    if (outcome == OUTCOME_OK)
        flight->part = flight->part->then;
    else
        turn_to_next(flight);
    proceed(flight, outcome == OUTCOME_OK ? &flight->curve : NULL);
}

static bool is_stopping(struct fetch *fetch)
{
    pthread_mutex_lock(&fetch->lock);
    bool stopping = fetch->stopping;
    pthread_mutex_unlock(&fetch->lock);
    return stopping;
}

/* Takes the next cell off the queues, the urgent ones first. */
static bool next_cell(struct fetch *fetch, struct flight *flight)
{
    pthread_mutex_lock(&fetch->lock);
    flight->urgent = cell_queue_pop(&fetch->urgent, &flight->cell);
    bool some = flight->urgent || cell_queue_pop(&fetch->refresh, &flight->cell);
    pthread_mutex_unlock(&fetch->lock);
    return some;
}

/* Starts flights while there are free ones and queued cells. */
static void start_flights(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->options.parallel && !is_stopping(fetch); i++) {
        struct flight *flight = &fetch->flights[i];
        while (!flight->in_air &&
               next_cell(fetch, flight)) { /* one that is refused everywhere is over at once */
            flight->attempt = 0;
            flight->part = providers[fetch->options.order[0]];
            fetch->in_air++;
            proceed(flight, NULL);
        }
    }
}

/* Ends the flights that are through; whether there were any. */
static bool land_finished(struct fetch *fetch)
{
    CURLMsg *message;
    int left;
    bool any = false;
    while ((message = curl_multi_info_read(fetch->multi, &left))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        struct flight *flight;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&flight);
        land(flight, code);
        any = true;
    }
    return any;
}

static void *fetch_thread(void *argument)
{
    struct fetch *fetch = argument;
    while (!is_stopping(fetch)) {
        int running;
        start_flights(fetch);
        curl_multi_perform(fetch->multi, &running);
        if (land_finished(fetch))
            continue; /* others may be queued for the place, and their wake-up call may be spent */
        curl_multi_poll(fetch->multi, NULL, 0, POLL_MS, NULL);
    }
    return NULL;
}

static void release(struct fetch *fetch)
{
    for (size_t i = 0; fetch->flights && i < fetch->options.parallel; i++) {
        struct flight *flight = &fetch->flights[i];
        if (flight->in_air)
            come_down(flight);
        curl_easy_cleanup(flight->handle);
    }
    curl_multi_cleanup(fetch->multi);
    quota_close(fetch->quota);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch->flights);
    free(fetch);
}

static bool open_flights(struct fetch *fetch)
{
    struct instant now = clock_now();
    fetch->multi = curl_multi_init();
    fetch->quota = quota_open(&fetch->options.quota, &now);
    fetch->flights = calloc(fetch->options.parallel, sizeof *fetch->flights);
    if (!fetch->multi || !fetch->quota || !fetch->flights)
        return false;
    for (size_t i = 0; i < fetch->options.parallel; i++) {
        struct flight *flight = &fetch->flights[i];
        flight->fetch = fetch;
        flight->handle = curl_easy_init();
        if (!flight->handle)
            return false;
        set_up_handle(flight, &fetch->options);
    }
    return true;
}

struct fetch *fetch_open(const struct fetch_options *options, fetch_done *done, void *context)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    struct fetch *fetch = calloc(1, sizeof *fetch);
    if (!fetch)
        return NULL;
    fetch->options = *options;
    fetch->done = done;
    fetch->context = context;
    pthread_mutex_init(&fetch->lock, NULL);
    if (!open_flights(fetch)) {
        log_line(LOG_ERROR, "cannot prepare for fetching weather");
        release(fetch);
        return NULL;
    }
    for (size_t i = 0; i < PROVIDERS; i++)
        provider_names[i] = providers[i]->name;
    metrics_register(rows, ROWS, fetch);
    int status = pthread_create(&fetch->thread, NULL, fetch_thread, fetch);
    if (status != 0) {
        log_event(LOG_ERROR, "cannot start the fetch thread", log_str("error", strerror(status)));
        release(fetch);
        return NULL;
    }
    return fetch;
}

void fetch_close(struct fetch *fetch)
{
    if (!fetch)
        return;
    pthread_mutex_lock(&fetch->lock);
    fetch->stopping = true;
    pthread_mutex_unlock(&fetch->lock);
    curl_multi_wakeup(fetch->multi);
    pthread_join(fetch->thread, NULL);
    release(fetch);
    curl_global_cleanup();
}

size_t fetch_look(struct fetch *fetch, const struct instant *now, struct weather_upstream out[PROVIDERS])
{
    for (size_t i = 0; i < fetch->options.order_count; i++)
        quota_look(fetch->quota, fetch->options.order[i], now, &out[i]);
    return fetch->options.order_count;
}

double fetch_stretch(struct fetch *fetch, enum provider_id id, const struct instant *now)
{
    return quota_stretch(fetch->quota, id, now);
}
