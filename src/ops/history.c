#include "ops/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define JUMP_MS 30000 /* smaller corrections of the wall clock are no event */

const struct history_ring history_rings[HISTORY_SPANS] = {
    [HISTORY_HOUR] = {"hour", "Last hour", 60, 60},
    [HISTORY_DAY] = {"day", "Last day", 900, 96},
};

struct history {
    struct instant start;
    int64_t offset_ms; /* from boot to wall time at the start, so that slots begin at whole minutes */
    pthread_mutex_t lock;
    /* All below guarded by lock. */
    uint64_t totals[HISTORY_COUNTERS];
    struct history_slot rings[HISTORY_SPANS][HISTORY_SLOTS_MAX];
    int64_t last_offset_ms, jump_s, jumped_at_s;
};

static int64_t index_of(const struct history *history, enum history_span span, const struct instant *now)
{
    return (now->boot_ms + history->offset_ms) / 1000 / history_rings[span].slot_s;
}

struct history *history_open(const struct instant *now)
{
    struct history *history = calloc(1, sizeof *history);
    if (!history)
        return NULL;
    history->start = *now;
    history->offset_ms = history->last_offset_ms = now->wall_ms - now->boot_ms;
    pthread_mutex_init(&history->lock, NULL);
    return history;
}

void history_close(struct history *history)
{
    if (!history)
        return;
    pthread_mutex_destroy(&history->lock);
    free(history);
}

static void record_jump(struct history *history, const struct instant *now)
{
    int64_t offset_ms = now->wall_ms - now->boot_ms, jump_ms = offset_ms - history->last_offset_ms;
    if (llabs(jump_ms) >= JUMP_MS) {
        history->jump_s = jump_ms / 1000;
        history->jumped_at_s = now->wall_ms / 1000;
    }
    history->last_offset_ms = offset_ms;
}

void history_sample(struct history *history, const struct instant *now,
                    const uint64_t totals[HISTORY_COUNTERS], int level_percent)
{
    pthread_mutex_lock(&history->lock);
    for (enum history_span span = 0; span < HISTORY_SPANS; span++) {
        int64_t index = index_of(history, span, now);
        struct history_slot *slot = &history->rings[span][(size_t)index % history_rings[span].slots];
        if (slot->index != index)
            *slot = (struct history_slot){.index = index};
        for (size_t i = 0; i < HISTORY_COUNTERS; i++)
            if (totals[i] > history->totals[i]) /* less: another thread recorded a later total first */
                slot->grown[i] += totals[i] - history->totals[i];
        slot->level_percent = level_percent;
    }
    for (size_t i = 0; i < HISTORY_COUNTERS; i++)
        if (totals[i] > history->totals[i])
            history->totals[i] = totals[i];
    record_jump(history, now);
    pthread_mutex_unlock(&history->lock);
}

void history_read(struct history *history, const struct instant *now, struct history_view *out)
{
    pthread_mutex_lock(&history->lock);
    for (enum history_span span = 0; span < HISTORY_SPANS; span++) {
        size_t slots = history_rings[span].slots;
        int64_t last = index_of(history, span, now);
        for (size_t i = 0; i < slots; i++) {
            int64_t index = last - (int64_t)(slots - 1 - i);
            const struct history_slot *stored = &history->rings[span][(size_t)index % slots];
            struct history_slot *slot = &out->slots[span][i];
            *slot = stored->index == index ? *stored : (struct history_slot){.level_percent = -1};
            slot->known = index >= index_of(history, span, &history->start);
        }
        out->ends_s[span] =
            (last + 1) * history_rings[span].slot_s + (history->last_offset_ms - history->offset_ms) / 1000;
    }
    out->jump_s = history->jump_s;
    out->jumped_at_s = history->jumped_at_s;
    pthread_mutex_unlock(&history->lock);
}
