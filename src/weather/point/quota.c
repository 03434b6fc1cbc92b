#include "weather/point/quota.h"

#include "base/log.h"
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEASE            20
#define RESERVE_PART     10 /* the last 1/10 of a budget is for urgent requests */
#define STRETCH_MAX      8.0
#define STRETCH_GRACE    0.05 /* of a window: the first requests of a day say nothing about its pace */
#define BREAKER_FAILURES 5
#define BREAKER_FIRST_MS 10000
#define BREAKER_MAX_MS   300000
#define HEADER           "masthead-quota 1\n"
#define FILE_BYTES       4096
#define NOT_PAUSED       INT64_MIN /* whatever the boot time: a clock may be moved to before the boot */
#define PAUSE_MAX_S      86400
#define CHOICE_PART      10 /* this part of a budget is for places that anyone may name */
#define CHOICES_USUAL    60 /* a minute, of a provider without a budget for it */

static const int64_t window_s[QUOTA_WINDOWS] = {60, 3600, 86400};
static const char *const window_names[QUOTA_WINDOWS] = {"minute", "hour", "day"};

struct account {
    int64_t window[QUOTA_WINDOWS];   /* number of the present window: Unix time over its length */
    int64_t began_ms[QUOTA_WINDOWS]; /* boot time at which the one that `spent` counts for began */
    int64_t spent[QUOTA_WINDOWS];
    int64_t chosen[QUOTA_WINDOWS]; /* by quota_choose */
    int64_t leased;                /* requests that the file has counted already and that may still be made */
    unsigned failures;             /* in a row */
    int64_t open_ms;               /* boot time until which the breaker is open */
    int64_t left_alone_ms;         /* boot time until which the provider asked to be left alone */
    bool probing;                  /* the breaker's one request is under way */
    bool used;                     /* a request was ever made: its series are shown */
    struct weather_upstream told;  /* when and how requests ended; no more of it is kept here */
};

struct quota {
    struct quota_options options;
    pthread_mutex_t lock;
    struct account accounts[PROVIDERS]; /* guarded by lock */
};

enum { LIMIT, REMAINING, RESET, BREAKER, STRETCH, LAST_SUCCESS, ROWS }; /* by window, then others */
static metric_collector collect;
static struct metric rows[ROWS] = {
    [BREAKER] = GAUGE("masthead_upstream_breaker_open",
                      "Whether the provider is left alone after failures, or because it asked to be.",
                      collect, LABEL("provider")),
    [REMAINING] = GAUGE("masthead_upstream_budget_remaining", "Requests left in the present window.", collect,
                        LABEL("provider"), LABEL("window")),
    [LIMIT] = GAUGE("masthead_upstream_budget_limit", "Requests allowed in a window.", collect,
                    LABEL("provider"), LABEL("window")),
    [RESET] = GAUGE("masthead_upstream_budget_reset_timestamp_seconds",
                    "When the present window ends and its budget is whole again.", collect, LABEL("provider"),
                    LABEL("window")),
    [STRETCH] = GAUGE("masthead_refresh_stretch_ratio",
                      "How much longer than configured curves live, so that the budgets last.", collect),
    [LAST_SUCCESS] = GAUGE("masthead_upstream_last_success_timestamp_seconds",
                           "When the provider last gave a usable answer, 0: not since the start.", collect,
                           LABEL("provider")),
};

/* The boot time at which the window of now began. */
static int64_t began_ms(size_t window, const struct instant *now)
{
    return now->boot_ms - now->wall_ms % (window_s[window] * 1000);
}

/* Enters the windows of now. A budget is whole again once at least half a window has passed by boot time: a
 * step of the wall clock, either way and back again, gives nothing twice and takes no budget away for longer
 * than a window and a half. */
static void turn(struct account *account, const struct instant *now)
{
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t began = began_ms(i, now);
        account->window[i] = now->wall_ms / 1000 / window_s[i];
        if (began < account->began_ms[i] + window_s[i] * 1000 / 2)
            continue;
        account->began_ms[i] = began;
        account->spent[i] = account->leased;
        account->chosen[i] = 0;
    }
}

/* Boot time until which nothing is granted. */
static int64_t paused_until_ms(const struct account *account)
{
    return account->open_ms > account->left_alone_ms ? account->open_ms : account->left_alone_ms;
}

static double stretch_of(const struct quota *quota, enum provider_id id, const struct instant *now)
{
    const struct account *account = &quota->accounts[id];
    double most = 1;
    for (size_t i = QUOTA_HOUR; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        double passed = (double)(now->wall_ms / 1000 % window_s[i]) / (double)window_s[i];
        if (limit == 0)
            continue;
        double spent = (double)(account->spent[i] - account->leased);
        double pace = spent / (double)limit / (passed + STRETCH_GRACE);
        most = pace > most ? pace : most;
    }
    return most < STRETCH_MAX ? most : STRETCH_MAX;
}

/* What is left of a budget, leases aside. */
static int64_t remaining(const struct quota *quota, enum provider_id id, size_t window)
{
    const struct account *account = &quota->accounts[id];
    int64_t left = quota->options.limits[id][window] - account->spent[window] + account->leased;
    return left > 0 ? left : 0;
}

void quota_look(struct quota *quota, enum provider_id id, const struct instant *now,
                struct weather_upstream *out)
{
    _Static_assert(QUOTA_WINDOWS <= WEATHER_WINDOWS, "room for all windows");
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    turn(account, now);
    *out = account->told;
    out->name = providers[id]->name;
    out->last_failure = out->last_failure ? out->last_failure : "";
    out->asked = account->used;
    int64_t paused_ms = paused_until_ms(account);
    out->breaker_open = now->boot_ms < paused_ms;
    out->next_try_s = out->breaker_open ? (now->wall_ms + paused_ms - now->boot_ms) / 1000 : 0;
    out->stretch = stretch_of(quota, id, now);
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        struct weather_window window = {window_names[i], quota->options.limits[id][i],
                                        remaining(quota, id, i), (account->window[i] + 1) * window_s[i]};
        if (window.limit == 0)
            continue;
        out->windows[out->window_count++] = window;
        if (window.remaining == 0 && window.reset_s > out->next_try_s)
            out->next_try_s = window.reset_s;
    }
    pthread_mutex_unlock(&quota->lock);
}

/* Of what is told by provider, only those that were ever asked. */
static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct instant now = clock_now();
    struct weather_upstream upstream;
    double stretch = 1;
    for (enum provider_id id = 0; id < PROVIDERS; id++) {
        quota_look(context, id, &now, &upstream);
        stretch = upstream.stretch > stretch ? upstream.stretch : stretch;
        if (!upstream.asked || row == STRETCH)
            continue;
        if (row == BREAKER)
            metric_sample(samples, upstream.breaker_open, upstream.name, NULL);
        if (row == LAST_SUCCESS)
            metric_sample(samples, (double)upstream.last_success_s, upstream.name, NULL);
        for (size_t i = 0; row < BREAKER && i < upstream.window_count; i++) {
            const struct weather_window *window = &upstream.windows[i];
            const int64_t values[] = {
                [LIMIT] = window->limit, [REMAINING] = window->remaining, [RESET] = window->reset_s};
            metric_sample(samples, (double)values[row], upstream.name, window->name);
        }
    }
    if (row == STRETCH)
        metric_value(samples, stretch);
}

/* Reads "open-meteo 12 3 4 5 6 7" lines: window and spent, three times. What does not fit is passed over. */
static void read_line(struct quota *quota, const char *line)
{
    char name[32];
    struct account account = {.leased = 0};
    int64_t *w = account.window, *s = account.spent;
    int fields = sscanf(line, "%31s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64,
                        name, &w[0], &s[0], &w[1], &s[1], &w[2], &s[2]);
    bool good = fields == 1 + 2 * QUOTA_WINDOWS;
    for (size_t i = 0; good && i < QUOTA_WINDOWS; i++)
        good = w[i] >= 0 && w[i] < INT32_MAX * (int64_t)100 && s[i] >= 0 && s[i] <= INT32_MAX;
    for (size_t id = 0; good && id < PROVIDERS; id++)
        if (strcmp(providers[id]->name, name) == 0)
            quota->accounts[id] = account;
}

/* Begins with what was read: what was spent in a window that is over counts no more, but a file from the
 * future is from a clock that was wrong, and counts. */
static void begin(struct account *account, const struct instant *now)
{
    account->open_ms = account->left_alone_ms = NOT_PAUSED;
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        if (account->window[i] < now->wall_ms / 1000 / window_s[i])
            account->spent[i] = 0;
        account->began_ms[i] = began_ms(i, now);
    }
}

static void load(struct quota *quota)
{
    FILE *file = fopen(quota->options.path, "re");
    char line[256];
    if (!file && errno == ENOENT)
        return;
    if (!file || !fgets(line, sizeof line, file) || strcmp(line, HEADER) != 0)
        log_event(LOG_WARN, "budget file not read", log_str("file", quota->options.path));
    else
        while (fgets(line, sizeof line, file))
            read_line(quota, line);
    if (file)
        fclose(file);
}

/* Writes what is spent, with the leases, whole or not at all. Not under the lock: a disk may be slow. */
static void store(const char *path, const struct account accounts[PROVIDERS])
{
    static struct log_throttle throttle;
    char storage[FILE_BYTES], temporary[QUOTA_PATH_BYTES + 8];
    struct text out = text_init(storage, sizeof storage);
    if (!path[0])
        return;
    text_string(&out, HEADER);
    for (size_t id = 0; id < PROVIDERS; id++) {
        text_string(&out, providers[id]->name);
        for (size_t i = 0; i < QUOTA_WINDOWS; i++)
            text_format(&out, " %" PRId64 " %" PRId64, accounts[id].window[i], accounts[id].spent[i]);
        text_string(&out, "\n");
    }
    snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good =
        fd >= 0 && write(fd, out.bytes, out.length) == (ssize_t)out.length && rename(temporary, path) == 0;
    int error = errno;
    int64_t suppressed;
    if (fd >= 0)
        close(fd);
    if (!good && log_due(&throttle, &suppressed))
        log_event(LOG_ERROR, "budget file not written", log_str("file", path),
                  log_str("error", strerror(error)), log_int("suppressed", suppressed));
}

struct quota *quota_open(const struct quota_options *options, const struct instant *now)
{
    struct quota *quota = calloc(1, sizeof *quota);
    if (!quota)
        return NULL;
    quota->options = *options;
    pthread_mutex_init(&quota->lock, NULL);
    if (options->path[0])
        load(quota);
    for (size_t id = 0; id < PROVIDERS; id++)
        begin(&quota->accounts[id], now);
    metrics_register(rows, ROWS, quota);
    return quota;
}

void quota_close(struct quota *quota)
{
    if (!quota)
        return;
    for (size_t id = 0; id < PROVIDERS; id++) { /* what was leased and not used is given back */
        struct account *account = &quota->accounts[id];
        for (size_t i = 0; i < QUOTA_WINDOWS; i++)
            account->spent[i] -= account->leased < account->spent[i] ? account->leased : account->spent[i];
    }
    store(quota->options.path, quota->accounts);
    pthread_mutex_destroy(&quota->lock);
    free(quota);
}

static void report_spent(enum provider_id id)
{
    static struct log_throttle throttles[PROVIDERS];
    int64_t suppressed;
    if (log_due(&throttles[id], &suppressed))
        log_event(LOG_WARN, "budget spent", log_str("provider", providers[id]->name),
                  log_int("suppressed", suppressed));
}

/* Whether every budget has room for one more request. */
static bool affordable(const struct quota *quota, enum provider_id id, bool urgent)
{
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        int64_t kept = urgent ? 0 : limit / RESERVE_PART;
        if (limit > 0 && remaining(quota, id, i) <= kept)
            return false;
    }
    return true;
}

/* Counts a lease of requests as spent, as far as every budget goes, and writes that down before the first is
 * made. */
static void lease(struct quota *quota, enum provider_id id)
{
    struct account *account = &quota->accounts[id];
    int64_t count = LEASE;
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        if (limit > 0 && limit - account->spent[i] < count)
            count = limit - account->spent[i];
    }
    if (count < 1)
        count = 1;
    for (size_t i = 0; i < QUOTA_WINDOWS; i++)
        account->spent[i] += count;
    account->leased = count;
}

static bool paused(const struct account *account, const struct instant *now)
{
    bool half_open = account->failures >= BREAKER_FAILURES;
    return now->boot_ms < paused_until_ms(account) || (half_open && account->probing);
}

bool quota_choose(struct quota *quota, enum provider_id id, const struct instant *now)
{
    bool room = true;
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    turn(account, now);
    for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
        int64_t limit = quota->options.limits[id][i];
        int64_t most = limit >= CHOICE_PART ? limit / CHOICE_PART
                       : limit > 0          ? 1
                       : i == QUOTA_MINUTE  ? CHOICES_USUAL
                                            : INT64_MAX;
        room = room && account->chosen[i] < most;
    }
    for (size_t i = 0; room && i < QUOTA_WINDOWS; i++)
        account->chosen[i]++;
    pthread_mutex_unlock(&quota->lock);
    return room;
}

enum quota_answer quota_take(struct quota *quota, enum provider_id id, bool urgent, const struct instant *now)
{
    enum quota_answer answer = QUOTA_GRANTED;
    struct account copies[PROVIDERS];
    bool leased = false;
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    turn(account, now);
    account->used = true;
    if (paused(account, now)) {
        answer = QUOTA_PAUSED;
    } else if (!affordable(quota, id, urgent)) {
        answer = QUOTA_SPENT;
    } else {
        leased = account->leased == 0;
        if (leased)
            lease(quota, id);
        account->leased--;
        account->probing = account->failures >= BREAKER_FAILURES;
    }
    memcpy(copies, quota->accounts, sizeof copies);
    pthread_mutex_unlock(&quota->lock);
    if (answer == QUOTA_SPENT)
        report_spent(id);
    if (leased) /* written down before the first of them is made */
        store(quota->options.path, copies);
    return answer;
}

/* Twice as long after each failure past the first that opened it, up to a ceiling. */
static int64_t breaker_ms(unsigned failures)
{
    int64_t ms = BREAKER_FIRST_MS;
    for (unsigned i = BREAKER_FAILURES; i < failures && ms < BREAKER_MAX_MS; i++)
        ms *= 2;
    return ms < BREAKER_MAX_MS ? ms : BREAKER_MAX_MS;
}

static void note_outcome(struct weather_upstream *told, enum outcome outcome, int64_t now_s)
{
    if (outcome == OUTCOME_OK) {
        told->last_success_s = now_s;
        told->failing_since_s = 0;
        return;
    }
    told->last_failure_s = now_s;
    told->last_failure = outcome_words[outcome];
    if (told->failing_since_s == 0)
        told->failing_since_s = now_s;
}

void quota_report(struct quota *quota, enum provider_id id, enum outcome outcome, int64_t pause_s,
                  const struct instant *now)
{
    pthread_mutex_lock(&quota->lock);
    struct account *account = &quota->accounts[id];
    bool was_open = account->failures >= BREAKER_FAILURES;
    note_outcome(&account->told, outcome, now->wall_ms / 1000);
    if (outcome == OUTCOME_OK) {
        account->failures = 0;
        account->open_ms = NOT_PAUSED;
    } else if (!was_open || account->probing) { /* others were under way when it opened: old news */
        account->failures += account->failures < UINT16_MAX;
        if (account->failures >= BREAKER_FAILURES)
            account->open_ms = now->boot_ms + breaker_ms(account->failures);
    }
    account->probing = false;
    int64_t wish_ms = now->boot_ms + 1000 * (pause_s < PAUSE_MAX_S ? pause_s : PAUSE_MAX_S);
    bool wished = pause_s > 0 && wish_ms > account->left_alone_ms;
    if (wished)
        account->left_alone_ms = wish_ms;
    bool is_open = account->failures >= BREAKER_FAILURES;
    int64_t paused_ms = paused_until_ms(account) - now->boot_ms;
    pthread_mutex_unlock(&quota->lock);
    if (wished || (is_open && !was_open))
        log_event(LOG_WARN, "provider left alone for a while", log_str("provider", providers[id]->name),
                  log_int("seconds", paused_ms / 1000));
    if (was_open && !is_open)
        log_event(LOG_WARN, "provider answers again", log_str("provider", providers[id]->name));
}

double quota_stretch(struct quota *quota, enum provider_id id, const struct instant *now)
{
    pthread_mutex_lock(&quota->lock);
    turn(&quota->accounts[id], now);
    double stretch = stretch_of(quota, id, now);
    pthread_mutex_unlock(&quota->lock);
    return stretch;
}

int64_t quota_window_end_s(enum quota_window window, int64_t unix_s)
{
    return (unix_s / window_s[window] + 1) * window_s[window];
}
