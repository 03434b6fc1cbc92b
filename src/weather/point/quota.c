#include "weather/point/quota_inside.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define RESERVE_PART   10 /* the last 1/10 of a budget is for urgent fetches */
#define PUBLIC_PART    10 /* this part of a budget is for places that anyone may name */
#define PUBLIC_PER_MIN 60 /* of a provider without a budget per minute */
#define STRETCH_MAX    8.0
#define STRETCH_GRACE  0.05 /* of a window: the first requests of a day say nothing about its pace */

const int64_t quota_window_s[QUOTA_WINDOWS] = {60, 3600, 86400};
static const char *const window_names[QUOTA_WINDOWS] = {"minute", "hour", "day"};

/* The boot time at which the window of now began. */
static int64_t began_ms(size_t window, const struct instant *now)
{
    return now->boot_ms - now->wall_ms % (quota_window_s[window] * 1000);
}

void quota_add_spent(struct account *account, int64_t requests)
{
    for (size_t i = 0; i < QUOTA_WINDOWS; i++)
        account->kept.spent[i] += requests;
}

/* Gives up what is leased: the file covers it for the windows in which it was written only. */
static void give_up_leases(struct account *account)
{
    quota_add_spent(account, -(account->leased + account->pending));
    account->leased = account->pending = 0;
}

/* Starts a new window when the wall clock enters one, but only if half a window has passed on the boot clock:
 * setting the clock back and forth must not refill a budget, nor take it away for longer than a window and a
 * half. */
void quota_roll(struct account *account, const struct instant *now)
{
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t began = began_ms(i, now);
        account->kept.window[i] = now->wall_ms / 1000 / quota_window_s[i];
        if (began < account->began_ms[i] + quota_window_s[i] * 1000 / 2)
            continue;
        give_up_leases(account);
        account->rolls++;
        account->began_ms[i] = began;
        account->kept.spent[i] = account->others[i] = account->before[i] = 0;
        account->spent_public[i] = 0;
        account->denied = false;
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
        double passed = (double)(now->wall_ms / 1000 % quota_window_s[i]) / (double)quota_window_s[i];
        if (limit == 0)
            continue;
        double pace =
            (double)(spent(account, i) + account->others[i]) / (double)limit / (passed + STRETCH_GRACE);
        max = pace > max ? pace : max;
    }
    return max < STRETCH_MAX ? max : STRETCH_MAX;
}

int64_t quota_ceiling(const struct quota *quota, enum provider_id id, size_t window, bool alone)
{
    const struct account *account = &quota->accounts[id];
    int64_t shared = quota->options.limits[id][window] - account->others[window];
    int64_t rest = shared - account->before[window];
    return alone && rest > 0 ? account->before[window] + rest / quota->options.instances : shared;
}

int64_t quota_remaining(const struct quota *quota, enum provider_id id, size_t window)
{
    bool alone = quota->accounts[id].alone;
    int64_t left = quota_ceiling(quota, id, window, alone) - spent(&quota->accounts[id], window);
    return left > 0 ? left : 0;
}

void quota_get_stats(struct quota *quota, enum provider_id id, const struct instant *now,
                     struct weather_upstream *out)
{
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    quota_roll(account, now);
    *out = account->stats;
    int64_t paused_ms = breaker_paused_until_ms(&account->breaker);
    out->breaker_open = now->boot_ms < paused_ms;
    out->next_try_s = out->breaker_open ? (now->wall_ms + paused_ms - now->boot_ms) / 1000 : 0;
    out->stretch = stretch_of(quota, id, now);
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        struct weather_window window = {window_names[i], quota->options.limits[id][i],
                                        quota_remaining(quota, id, i),
                                        (account->kept.window[i] + 1) * quota_window_s[i]};
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
        int64_t present = now->wall_ms / 1000 / quota_window_s[i];
        if (account->kept.window[i] < present)
            account->kept.spent[i] = 0;
        account->kept.window[i] = present;
        account->began_ms[i] = began_ms(i, now);
    }
}

struct quota *quota_open(const struct quota_options *options, const struct instant *now)
{
    struct quota_kept kept[WEATHER_PROVIDERS];
    struct quota *quota = calloc(1, sizeof *quota);
    if (!quota)
        return NULL;
    quota->options = *options;
    quota->options.instances = options->fleet ? options->instances : 1;
    pthread_mutex_init(&quota->lock, NULL);
    pthread_cond_init(&quota->low, NULL);
    quota_file_read(options->path, kept, &quota->instance);
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++) {
        quota->accounts[id].kept = kept[id];
        begin(&quota->accounts[id], id, now);
        quota->accounts[id].alone = options->fleet;
        memcpy(quota->accounts[id].before, quota->accounts[id].kept.spent, sizeof quota->accounts[id].before);
    }
    if (!options->fleet)
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
    quota_file_write(quota->options.path, kept, quota->instance);
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

/* What FETCH_PUBLIC may spend of a budget; in a fleet, on this instance. */
static int64_t public_share(const struct quota *quota, int64_t limit, size_t window)
{
    int64_t part = PUBLIC_PART * quota->options.instances;
    if (limit == 0)
        return window == QUOTA_MINUTE ? PUBLIC_PER_MIN : INT64_MAX;
    return limit >= part ? limit / part : 1;
}

/* Whether every budget has room for the requests. */
static bool affordable(const struct quota *quota, enum provider_id id, enum fetch_class class,
                       int64_t requests)
{
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        int64_t kept = class == FETCH_URGENT ? 0 : limit / RESERVE_PART;
        if (limit > 0 && quota_remaining(quota, id, i) < kept + requests)
            return false;
        if (class == FETCH_PUBLIC && quota->accounts[id].spent_public[i] >= public_share(quota, limit, i))
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
    if (!quota_needs_lease(quota, id) || account->leased >= requests)
        return QUOTA_GRANTED;
    return quota->unwritten || account->denied ? QUOTA_EXHAUSTED : QUOTA_UNLEASED;
}

enum quota_answer quota_acquire(struct quota *quota, enum provider_id id, enum fetch_class class,
                                int64_t requests, const struct instant *now, struct quota_grant *out)
{
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    quota_roll(account, now);
    enum quota_answer answer = judge(quota, id, class, requests, now);
    if (answer == QUOTA_GRANTED) {
        bool leased = quota_needs_lease(quota, id);
        *out = (struct quota_grant){class, requests, account->rolls, breaker_start(&account->breaker)};
        account->stats.asked = true;
        account->asked += requests;
        account->leased -= leased ? requests : 0;
        quota_add_spent(account, leased ? 0 : requests);
        for (size_t i = 0; i < QUOTA_WINDOWS; i++)
            account->spent_public[i] += class == FETCH_PUBLIC ? requests : 0;
    }
    if (quota_leases_low(quota))
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
    bool leased = left > 0 && quota_needs_lease(quota, id);
    account->leased += leased ? left : 0;
    quota_add_spent(account, leased ? 0 : -left);
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
    quota_roll(account, now);
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
    return (unix_s / quota_window_s[window] + 1) * quota_window_s[window];
}
