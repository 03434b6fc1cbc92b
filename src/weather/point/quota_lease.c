/* Leases: requests that the file, and in a fleet Redis, counts before they are made. */
#include "weather/point/quota_inside.h"

#include <string.h>

#define LEASE_MAX      20
#define LEASE_PART     10   /* of what is left in a window a lease is no more than this part */
#define LEASE_OF_ASKED 4    /* and no more than this part of what this process has asked for */
#define AGAIN_MS       5000 /* after which what was not written, or not granted, is tried again */

_Static_assert(BUDGET_WINDOWS == QUOTA_WINDOWS, "the fleet counts in the same windows");

/* Whether a provider's requests are to be covered by the file before they are made. */
bool quota_needs_lease(const struct quota *quota, enum provider_id id)
{
    const int64_t *limits = quota->options.limits[id];
    return (quota->options.path[0] || quota->options.fleet) && quota->options.used[id] &&
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
        if (quota->options.limits[id][i] > 0 && quota_remaining(quota, id, i) / LEASE_PART < size)
            size = quota_remaining(quota, id, i) / LEASE_PART;
    return size > PROVIDER_STEPS ? size : PROVIDER_STEPS;
}

/* How many requests more could be covered, up to `size` and as far as every budget goes: what all instances
 * have left of it, or this one's part. */
static int64_t lease_wanted(const struct quota *quota, enum provider_id id, int64_t size, bool alone)
{
    const struct account *account = &quota->accounts[id];
    int64_t count = size - account->leased - account->pending;
    if (!quota_needs_lease(quota, id) || count < (size + 1) / 2)
        return 0;
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        int64_t left = quota_ceiling(quota, id, i, alone) - account->kept.spent[i];
        if (limit > 0 && left < count)
            count = left;
    }
    return count > 0 ? count : 0;
}

/* Whether there is something to lease, perhaps only of providers for which there was something last time. */
static bool leases_low(const struct quota *quota, bool denied_too)
{
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++)
        if ((denied_too || !quota->accounts[id].denied) &&
            lease_wanted(quota, id, lease_size(quota, id), false) > 0)
            return true;
    return false;
}

bool quota_leases_low(const struct quota *quota)
{
    return leases_low(quota, false);
}

static void add_pending(struct quota *quota, enum provider_id id, int64_t size, bool alone)
{
    struct account *account = &quota->accounts[id];
    account->pending = lease_wanted(quota, id, size, alone);
    quota_add_spent(account, account->pending);
}

/* Leases no more than the fleet has granted, and counts what its other instances have spent in windows that
 * are the same by its clock and ours. Without an answer (NULL), leases from this instance's part of the rest.
 */
static void end_draw(struct quota *quota, enum provider_id id, const struct budget *answer)
{
    struct account *account = &quota->accounts[id];
    quota_add_spent(account, -account->pending);
    account->pending = 0;
    if (!answer && !account->alone)
        memcpy(account->before, account->kept.spent, sizeof account->before);
    account->alone = !answer;
    for (size_t i = 0; answer && i < QUOTA_WINDOWS; i++)
        if (answer->now_s / quota_window_s[i] == account->kept.window[i] &&
            answer->others[i] > account->others[i])
            account->others[i] = answer->others[i];
    if (!answer) {
        add_pending(quota, id, lease_size(quota, id), true);
    } else {
        account->pending = answer->granted;
        quota_add_spent(account, account->pending);
    }
    account->denied = account->pending == 0;
}

/* Draws what is pending from the fleet's budget. Not with the lock held. */
static void draw_pending(struct quota *quota, enum provider_id id)
{
    struct account *account = &quota->accounts[id];
    struct budget budget = {.instance = quota->instance, .provider = provider_names[id]};
    pthread_mutex_lock(&quota->lock);
    uint32_t rolls = account->rolls;
    budget.wanted = account->pending;
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        budget.limits[i] = quota->options.limits[id][i];
        budget.own[i] = account->kept.spent[i] - account->pending;
    }
    pthread_mutex_unlock(&quota->lock);
    if (budget.wanted == 0)
        return;
    bool answered = fleet_draw(quota->options.fleet, &budget);
    pthread_mutex_lock(&quota->lock);
    if (account->rolls == rolls)
        end_draw(quota, id, answered ? &budget : NULL);
    pthread_mutex_unlock(&quota->lock);
}

/* Leases what is pending, of which there is nothing where a window began meanwhile. In its place, where the
 * file could not be written, one last lease. */
static void end_pending(struct quota *quota, enum provider_id id, bool written)
{
    struct account *account = &quota->accounts[id];
    if (!written) {
        quota_add_spent(account, -account->pending);
        account->pending = 0;
        if (!quota->unwritten && !quota->options.fleet)
            add_pending(quota, id, LEASE_MAX, false);
    }
    account->leased += account->pending;
    account->pending = 0;
}

bool quota_renew(struct quota *quota, const struct instant *now)
{
    struct quota_kept copies[WEATHER_PROVIDERS];
    pthread_mutex_lock(&quota->lock);
    bool low = leases_low(quota, true), covered = !quota->unwritten;
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++) {
        quota_roll(&quota->accounts[id], now);
        add_pending(quota, id, lease_size(quota, id), false);
    }
    pthread_mutex_unlock(&quota->lock);
    if (!low)
        return false;
    for (enum provider_id id = 0; quota->options.fleet && id < WEATHER_PROVIDERS; id++)
        draw_pending(quota, id);
    pthread_mutex_lock(&quota->lock);
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++)
        copies[id] = quota->accounts[id].kept;
    pthread_mutex_unlock(&quota->lock);
    bool written = quota_file_write(quota->options.path, copies, quota->instance);
    pthread_mutex_lock(&quota->lock);
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++)
        end_pending(quota, id, written);
    quota->unwritten = !written;
    pthread_mutex_unlock(&quota->lock);
    return written || covered;
}

static bool any_denied(const struct quota *quota)
{
    for (size_t id = 0; id < WEATHER_PROVIDERS; id++)
        if (quota->accounts[id].denied)
            return true;
    return false;
}

bool quota_wait(struct quota *quota, int64_t until_ms)
{
    int status = 0;
    pthread_mutex_lock(&quota->lock);
    int64_t again_ms = clock_monotonic_ms() + AGAIN_MS;
    bool again = (quota->unwritten || any_denied(quota)) && again_ms < until_ms;
    struct timespec until = clock_timespec(again ? again_ms : until_ms);
    while (!quota->stopped && (quota->unwritten || !quota_leases_low(quota)) && status == 0)
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

int64_t quota_leased(struct quota *quota)
{
    int64_t leased = 0;
    pthread_mutex_lock(&quota->lock);
    for (size_t id = 0; id < WEATHER_PROVIDERS; id++)
        leased += quota->accounts[id].leased;
    pthread_mutex_unlock(&quota->lock);
    return leased;
}
