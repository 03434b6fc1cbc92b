/* The quota's metrics, made of what quota_get_stats says. */
#include "weather/point/quota.h"

#include "base/metrics.h"

enum { LIMIT, REMAINING, RESET, BREAKER, STRETCH, LAST_SUCCESS, ROWS }; /* by window, then others */
static metric_collector collect;
static struct metric rows[ROWS] = {
    [BREAKER] = GAUGE("masthead_upstream_breaker_open",
                      "Whether the provider is not asked, after failures or because it asked for a pause.",
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

/* Series by provider are shown for those that were ever asked. */
static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct instant now = clock_now();
    struct weather_upstream upstream;
    double stretch = 1;
    for (enum provider_id id = 0; id < WEATHER_PROVIDERS; id++) {
        quota_get_stats(context, id, &now, &upstream);
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

void quota_register_metrics(struct quota *quota)
{
    metrics_register(rows, ROWS, quota);
}
