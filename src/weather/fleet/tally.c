#include "weather/fleet/tally.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#define ROW(id, name, words) name,
static const char *const outcome_names[FLEET_OUTCOMES] = {FLEET_OUTCOME_ROWS(ROW)};
#undef ROW
#define ROW(id, name, words) words,
static const char *const outcome_words[FLEET_OUTCOMES] = {FLEET_OUTCOME_ROWS(ROW)};
#undef ROW

static struct metric rows[] = {
    COUNTER("masthead_fleet_requests_total", "Round trips to the fleet's Redis, by how they ended.",
            .labels = {{"outcome", outcome_names, FLEET_OUTCOMES}}),
};

void tally_open(struct tally *tally)
{
    atomic_store(&tally->failure, "");
    metrics_register(rows, sizeof rows / sizeof rows[0], NULL);
}

void tally_count(struct tally *tally, enum fleet_outcome outcome, const char *detail)
{
    static struct log_throttle throttles[FLEET_OUTCOMES];
    const char *failure = outcome_words[outcome];
    int64_t suppressed, now_s = clock_now().wall_ms / 1000;
    metric_add(&rows[0], outcome, 0);
    if (outcome != FLEET_LEFT_ALONE)
        atomic_store(&tally->failing, failure != NULL);
    if (failure) {
        atomic_store(&tally->failure, failure);
        atomic_store(&tally->failed_s, now_s);
    } else if (outcome != FLEET_LEFT_ALONE) {
        atomic_store(&tally->answered_s, now_s);
    }
    if (failure && log_due(&throttles[outcome], &suppressed))
        log_event(LOG_WARN, "the fleet's Redis is of no use", log_str("reason", failure),
                  log_str("detail", detail), log_int("suppressed", suppressed));
}

void tally_report(const struct tally *tally, struct fleet_report *out)
{
    *out = (struct fleet_report){.answered_s = atomic_load(&tally->answered_s),
                                 .failed_s = atomic_load(&tally->failed_s),
                                 .failing = atomic_load(&tally->failing),
                                 .failure = atomic_load(&tally->failure),
                                 .hits = (int64_t)metrics_sum(rows[0].name, outcome_names[FLEET_HIT]),
                                 .given = (int64_t)metrics_sum(rows[0].name, outcome_names[FLEET_GIVEN]),
                                 .locked = (int64_t)metrics_sum(rows[0].name, outcome_names[FLEET_LOCKED])};
}
