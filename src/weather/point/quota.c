#include "weather/point/quota.h"

#include "base/log.h"
#include "weather/point/breaker.h"
#include "weather/point/quota_file.h"

#include <pthread.h>
#include <stdlib.h>

#define LEASE_MAX      20
#define LEASE_PART     10   /* of what is left in a window a lease is no more than this part */
#define LEASE_OF_ASKED 4    /* and no more than this part of what this process has asked for */
#define AGAIN_MS       5000 /* after which a file that could not be written is tried again */
#define RESERVE_PART   10   /* the last 1/10 of a budget is for urgent fetches */
#define PUBLIC_PART    10   /* this part of a budget is for places that anyone may name */
#define PUBLIC_PER_MIN 60   /* of a provider without a budget per minute */
#define STRETCH_MAX    8.0
#define STRETCH_GRACE  0.05 /* of a window: the first requests of a day say nothing about its pace */

static const int64_t window_s[QUOTA_WINDOWS] = {60, 3600, 86400};
static const char *const window_names[QUOTA_WINDOWS] = {"minute", "hour", "day"};

struct account {
    struct quota_kept kept;              /* with all in `spent` that is leased or about to be */
    int64_t began_ms[QUOTA_WINDOWS];     /* boot time at which the one that `spent` counts for began */
    int64_t spent_public[QUOTA_WINDOWS]; /* by FETCH_PUBLIC */
    int64_t leased;                      /* requests that the file covers and that may still be made */
    int64_t pending;                     /* the same, once the file is written */
    int64_t asked;                       /* requests granted since the start of the process */
    uint32_t rolls;                      /* how often a window has begun */
    struct breaker breaker;
    /* Whether it was asked, when and how flights ended; no more is kept here. */
    struct weather_upstream stats;
};

struct quota {
    struct quota_options options;
    pthread_mutex_t lock;
    pthread_cond_t low;
    bool stopped;   /* guarded by lock, as all below */
    bool unwritten; /* the file could not be written: the leases that there are, are the last */
    struct account accounts[WEATHER_PROVIDERS];
};

/* The boot time at which the window of now began. */
static int64_t began_ms(size_t window, const struct instant *now)
{
    return now->boot_ms - now->wall_ms % (window_s[window] * 1000);
}

static void add_to_spent(struct account *account, int64_t requests)
{
    for (size_t i = 0; i < QUOTA_WINDOWS; i++)
        account->kept.spent[i] += requests;
}

/* Gives up what is leased: the file covers it for the windows in which it was written only. */
static void give_up_leases(struct account *account)
{
    add_to_spent(account, -(account->leased + account->pending));
    account->leased = account->pending = 0;
}

/* Starts a new window when the wall clock enters one, but only if half a window has passed on the boot clock:
 * setting the clock back and forth must not refill a budget, nor take it away for longer than a window and a
 * half. */
static void roll_windows(struct account *account, const struct instant *now)
{
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t began = began_ms(i, now);
        account->kept.window[i] = now->wall_ms / 1000 / window_s[i];
        if (began < account->began_ms[i] + window_s[i] * 1000 / 2)
            continue;
        give_up_leases(account);
        account->rolls++;
        account->began_ms[i] = began;
        account->kept.spent[i] = 0;
        account->spent_public[i] = 0;
    }
}

static int64_t spent(const struct account *account, size_t window)
{
    return account->kept.spent[window] - account->leased - account->pending;
}

static double stretch_of(const struct quota *quota, enum provider_id id, const struct instant *now)
{
    const struct account *account = &quota->accounts[id];
    double max = 1;
    for (size_t i = QUOTA_HOUR; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        double passed = (double)(now->wall_ms / 1000 % window_s[i]) / (double)window_s[i];
        if (limit == 0)
            continue;
        double pace = (double)spent(account, i) / (double)limit / (passed + STRETCH_GRACE);
        max = pace > max ? pace : max;
    }
    return max < STRETCH_MAX ? max : STRETCH_MAX;
}

static int64_t remaining(const struct quota *quota, enum provider_id id, size_t window)
{
    int64_t left = quota->options.limits[id][window] - spent(&quota->accounts[id], window);
    return left > 0 ? left : 0;
}

void quota_get_stats(struct quota *quota, enum provider_id id, const struct instant *now,
                     struct weather_upstream *out)
{
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    roll_windows(account, now);
    *out = account->stats;
    int64_t paused_ms = breaker_paused_until_ms(&account->breaker);
    out->breaker_open = now->boot_ms < paused_ms;
    out->next_try_s = out->breaker_open ? (now->wall_ms + paused_ms - now->boot_ms) / 1000 : 0;
    out->stretch = stretch_of(quota, id, now);
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        struct weather_window window = {window_names[i], quota->options.limits[id][i],
                                        remaining(quota, id, i), (account->kept.window[i] + 1) * window_s[i]};
        if (window.limit == 0)
            continue;
        out->windows[out->window_count++] = window;
        if (window.remaining == 0 && window.reset_s > out->next_try_s)
            out->next_try_s = window.reset_s;
    }
    pthread_mutex_unlock(&quota->lock);
}

/* Begins with what was read: what was spent in a window that is over counts no more, but a file from the
 * future is from a clock that was wrong, and counts. */
static void begin(struct account *account, enum provider_id id, const struct instant *now)
{
    breaker_init(&account->breaker);
    account->stats = (struct weather_upstream){.name = provider_names[id], .last_failure = ""};
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t present = now->wall_ms / 1000 / window_s[i];
        if (account->kept.window[i] < present)
            account->kept.spent[i] = 0;
        account->kept.window[i] = present;
        account->began_ms[i] = began_ms(i, now);
    }
}

/* Whether a provider's requests are to be covered by the file before they are made. */
static bool needs_lease(const struct quota *quota, enum provider_id id)
{
    const int64_t *limits = quota->options.limits[id];
    return quota->options.path[0] && quota->options.used[id] &&
           (limits[QUOTA_MINUTE] > 0 || limits[QUOTA_HOUR] > 0 || limits[QUOTA_DAY] > 0);
}

/* How much is leased at one time: a kill loses it. So it grows with what is used, shrinks as a budget runs
 * out, and covers one flight at least. */
static int64_t lease_size(const struct quota *quota, enum provider_id id)
{
    const struct account *account = &quota->accounts[id];
    int64_t size = account->asked / LEASE_OF_ASKED;
    size = size < LEASE_MAX ? size : LEASE_MAX;
    for (size_t i = 0; i < QUOTA_WINDOWS; i++)
        if (quota->options.limits[id][i] > 0 && remaining(quota, id, i) / LEASE_PART < size)
            size = remaining(quota, id, i) / LEASE_PART;
    return size > PROVIDER_STEPS ? size : PROVIDER_STEPS;
}

/* How many requests more the file could cover, up to `size` and as far as every budget goes. */
static int64_t lease_wanted(const struct quota *quota, enum provider_id id, int64_t size)
{
    const struct account *account = &quota->accounts[id];
    int64_t count = size - account->leased - account->pending;
    if (!needs_lease(quota, id) || count < (size + 1) / 2)
        return 0;
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        if (limit > 0 && limit - account->kept.spent[i] < count)
            count = limit - account->kept.spent[i];
    }
    return count > 0 ? count : 0;
}

/* With the lock held. */
static bool leases_are_low(const struct quota *quota)
{
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++)
        if (lease_wanted(quota, id, lease_size(quota, id)) > 0)
            return true;
    return false;
}

static void add_pending(struct quota *quota, enum provider_id id, int64_t size)
{
    struct account *account = &quota->accounts[id];
    account->pending = lease_wanted(quota, id, size);
    add_to_spent(account, account->pending);
}

/* Leases what is pending, of which there is nothing where a window began meanwhile. In its place, where the
 * file could not be written, one last lease. */
static void end_pending(struct quota *quota, enum provider_id id, bool written)
{
    struct account *account = &quota->accounts[id];
    if (!written) {
        add_to_spent(account, -account->pending);
        account->pending = 0;
        if (!quota->unwritten)
            add_pending(quota, id, LEASE_MAX);
    }
    account->leased += account->pending;
    account->pending = 0;
}

bool quota_renew(struct quota *quota, const struct instant *now)
{
    struct quota_kept copies[WEATHER_PROVIDERS];
    pthread_mutex_lock(&quota->lock);
    bool low = leases_are_low(quota), covered = !quota->unwritten;
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++) {
        roll_windows(&quota->accounts[id], now);
        add_pending(quota, id, lease_size(quota, id));
        copies[id] = quota->accounts[id].kept;
    }
    pthread_mutex_unlock(&quota->lock);
    if (!low)
        return false;
    bool written = quota_file_write(quota->options.path, copies);
    pthread_mutex_lock(&quota->lock);
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++)
        end_pending(quota, id, written);
    quota->unwritten = !written;
    pthread_mutex_unlock(&quota->lock);
    return written || covered;
}

bool quota_wait(struct quota *quota, int64_t until_ms)
{
    int status = 0;
    pthread_mutex_lock(&quota->lock);
    int64_t again_ms = clock_monotonic_ms() + AGAIN_MS;
    struct timespec until = clock_timespec(quota->unwritten && again_ms < until_ms ? again_ms : until_ms);
    while (!quota->stopped && (quota->unwritten || !leases_are_low(quota)) && status == 0)
        status = pthread_cond_clockwait(&quota->low, &quota->lock, CLOCK_MONOTONIC, &until);
    bool goes_on = !quota->stopped;
    pthread_mutex_unlock(&quota->lock);
    return goes_on;
}

void quota_stop(struct quota *quota)
{
    pthread_mutex_lock(&quota->lock);
    quota->stopped = true;
    pthread_cond_broadcast(&quota->low);
    pthread_mutex_unlock(&quota->lock);
}

struct quota *quota_open(const struct quota_options *options, const struct instant *now)
{
    struct quota_kept kept[WEATHER_PROVIDERS];
    struct quota *quota = calloc(1, sizeof *quota);
    if (!quota)
        return NULL;
    quota->options = *options;
    pthread_mutex_init(&quota->lock, NULL);
    pthread_cond_init(&quota->low, NULL);
    quota_file_read(options->path, kept);
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++) {
        quota->accounts[id].kept = kept[id];
        begin(&quota->accounts[id], id, now);
    }
    quota_renew(quota, now);
    quota_register_metrics(quota);
    return quota;
}

void quota_close(struct quota *quota)
{
    if (!quota)
        return;
    struct quota_kept kept[WEATHER_PROVIDERS];
    for (size_t id = 0; id < WEATHER_PROVIDERS; id++) { /* what was leased and not used is given back */
        give_up_leases(&quota->accounts[id]);
        kept[id] = quota->accounts[id].kept;
    }
    quota_file_write(quota->options.path, kept);
    pthread_cond_destroy(&quota->low);
    pthread_mutex_destroy(&quota->lock);
    free(quota);
}

static void log_exhausted(enum provider_id id)
{
    static struct log_throttle throttles[WEATHER_PROVIDERS];
    int64_t suppressed;
    if (log_due(&throttles[id], &suppressed))
        log_event(LOG_WARN, "budget spent", log_str("provider", provider_names[id]),
                  log_int("suppressed", suppressed));
}

/* What FETCH_PUBLIC may spend of a budget. */
static int64_t public_share(int64_t limit, size_t window)
{
    if (limit == 0)
        return window == QUOTA_MINUTE ? PUBLIC_PER_MIN : INT64_MAX;
    return limit >= PUBLIC_PART ? limit / PUBLIC_PART : 1;
}

/* Whether every budget has room for the requests. */
static bool affordable(const struct quota *quota, enum provider_id id, enum fetch_class class,
                       int64_t requests)
{
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        int64_t kept = class == FETCH_URGENT ? 0 : limit / RESERVE_PART;
        if (limit > 0 && remaining(quota, id, i) < kept + requests)
            return false;
        if (class == FETCH_PUBLIC && quota->accounts[id].spent_public[i] >= public_share(limit, i))
            return false;
    }
    return true;
}

static enum quota_answer judge(const struct quota *quota, enum provider_id id, enum fetch_class class,
                               int64_t requests, const struct instant *now)
{
    const struct account *account = &quota->accounts[id];
    if (!breaker_allows(&account->breaker, now))
        return QUOTA_PAUSED;
    if (!affordable(quota, id, class, requests))
        return QUOTA_EXHAUSTED;
    if (!needs_lease(quota, id) || account->leased >= requests)
        return QUOTA_GRANTED;
    return quota->unwritten ? QUOTA_EXHAUSTED : QUOTA_UNLEASED;
}

enum quota_answer quota_acquire(struct quota *quota, enum provider_id id, enum fetch_class class,
                                int64_t requests, const struct instant *now, struct quota_grant *out)
{
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    roll_windows(account, now);
    enum quota_answer answer = judge(quota, id, class, requests, now);
    if (answer == QUOTA_GRANTED) {
        bool leased = needs_lease(quota, id);
        *out = (struct quota_grant){class, requests, account->rolls, breaker_start(&account->breaker)};
        account->stats.asked = true;
        account->asked += requests;
        account->leased -= leased ? requests : 0;
        add_to_spent(account, leased ? 0 : requests);
        for (size_t i = 0; i < QUOTA_WINDOWS; i++)
            account->spent_public[i] += class == FETCH_PUBLIC ? requests : 0;
    }
    if (leases_are_low(quota))
        pthread_cond_broadcast(&quota->low);
    bool exhausted = answer == QUOTA_EXHAUSTED && !affordable(quota, id, FETCH_URGENT, requests);
    pthread_mutex_unlock(&quota->lock);
    if (exhausted)
        log_exhausted(id);
    return answer;
}

static void update_stats(struct weather_upstream *stats, enum outcome outcome, int64_t now_s)
{
    if (outcome == OUTCOME_OK) {
        stats->last_success_s = now_s;
        stats->failing_since_s = 0;
    } else {
        stats->last_failure_s = now_s;
        stats->last_failure = outcome_words[outcome];
        stats->failing_since_s = stats->failing_since_s > 0 ? stats->failing_since_s : now_s;
    }
}

static void settle(struct quota *quota, enum provider_id id, const struct quota_grant *grant, int64_t sent)
{
    struct account *account = &quota->accounts[id];
    int64_t left = grant->requests - sent;
    if (left > 0 && grant->rolls != account->rolls)
        return;
    bool leased = left > 0 && needs_lease(quota, id);
    account->leased += leased ? left : 0;
    add_to_spent(account, leased ? 0 : -left);
    for (size_t i = 0; i < QUOTA_WINDOWS; i++)
        account->spent_public[i] -= grant->class == FETCH_PUBLIC ? left : 0;
}

void quota_report(struct quota *quota, enum provider_id id, const struct quota_grant *grant,
                  const struct quota_result *result, const struct instant *now)
{
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    struct breaker *breaker = &account->breaker;
    bool was_open = breaker_is_open(breaker);
    roll_windows(account, now);
    update_stats(&account->stats, result->outcome, now->wall_ms / 1000);
    settle(quota, id, grant, result->sent);
    breaker_end(breaker, grant->is_probe, result->outcome, result->cell, now);
    bool paused = breaker_pause(breaker, result->pause_s, now);
    bool is_open = breaker_is_open(breaker);
    int64_t until_ms = breaker_paused_until_ms(breaker);
    pthread_mutex_unlock(&quota->lock);
    if (paused || (is_open && !was_open))
        log_event(LOG_WARN, "provider left alone for a while", log_str("provider", provider_names[id]),
                  log_int("seconds", (until_ms - now->boot_ms) / 1000));
    if (was_open && !is_open)
        log_event(LOG_WARN, "provider answers again", log_str("provider", provider_names[id]));
}

int64_t quota_window_end_s(enum quota_window window, int64_t unix_s)
{
    return (unix_s / window_s[window] + 1) * window_s[window];
}
