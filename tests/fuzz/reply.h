/* A provider's reply: whatever comes, what is not OK leaves the curve alone, and what is OK is a curve that
 * covers now. Where a provider makes two requests, a '\x1e' stands between their bodies. */
#pragma once

#include "fuzz.h"

#include "weather/point/provider.h"

#define NOW_S INT64_C(1795305600) /* 2026-11-22T00:00:00Z, of which the corpora are */

static inline void check_reason(const struct provider *provider, const char *body, size_t size)
{
    char reason[PROVIDER_REASON_BYTES];
    provider->reason(body, size, reason);
    PROPERTY(strlen(reason) < sizeof reason && is_clean(reason));
    if (provider->pause)
        PROPERTY(provider->pause(reason, NOW_S) >= 0);
}

static inline int check_reply(enum provider_id id, const uint8_t *data, size_t size)
{
    const struct provider *provider = providers[id];
    struct curve curve = {.count = 0}, before;
    const char *body = (const char *)data;
    check_reason(provider, body, size);
    for (size_t i = 0; i < provider->step_count; i++) {
        const char *end = size > 0 && i + 1 < provider->step_count ? memchr(body, '\x1e', size) : NULL;
        size_t length = end ? (size_t)(end - body) : size;
        before = curve;
        enum outcome outcome = provider->steps[i].read(body, length, NOW_S, &curve);
        PROPERTY(outcome < OUTCOMES);
        if (outcome != OUTCOME_OK)
            PROPERTY(memcmp(&curve, &before, sizeof curve) == 0);
        else if (i + 1 == provider->step_count)
            PROPERTY(curve_valid(&curve) && curve_covers(&curve, NOW_S));
        body += end ? length + 1 : 0;
        size -= end ? length + 1 : 0;
    }
    return 0;
}
