/* What every provider's decoder must stand: replies cut at each byte and wrong in each byte. */
#pragma once

#include "unit.h"

#include "weather/point/provider.h"

/* Reads a copy of exact size, so that reading past the end shows under a sanitizer; what is not OK must leave
 * the curve alone. */
static inline enum outcome reply_read(const struct provider_step *step, const char *bytes, size_t length,
                                      int64_t now_s, struct curve *curve)
{
    struct curve before = *curve;
    char *copy = malloc(length + !length);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    enum outcome outcome = step->read(copy, length, now_s, curve);
    free(copy);
    if (outcome != OUTCOME_OK)
        assert_memory_equal(curve, &before, sizeof before);
    return outcome;
}

/* Cuts a good reply at every byte, which is a parse error, and puts every byte in every place. A wrong byte
 * may go unnoticed, since it may stand in a temperature. But then it is a temperature. `before` is the curve
 * as the steps before this one left it. */
static inline void reply_torment(const struct provider_step *step, const char *reply, size_t length,
                                 int64_t now_s, const struct curve *before)
{
    struct curve curve = *before;
    bool whole = step != &openweathermap.steps[0];
    size_t passed = 0;
    char *wrong = malloc(length);
    assert_non_null(wrong);
    assert_int_equal(reply_read(step, reply, length, now_s, &curve), OUTCOME_OK);
    for (size_t cut = 0; cut < length; cut++) {
        curve = *before;
        assert_int_equal(reply_read(step, reply, cut, now_s, &curve), OUTCOME_PARSE);
    }
    memcpy(wrong, reply, length);
    for (size_t at = 0; at < length; at++)
        for (int byte = 0; byte < 256; byte++) {
            curve = *before;
            wrong[at] = (char)byte;
            enum outcome outcome = step->read(wrong, length, now_s, &curve);
            wrong[at] = reply[at];
            if (outcome != OUTCOME_OK)
                continue;
            passed++;
            assert_true(!whole || curve_covers(&curve, now_s));
            assert_in_range(curve.count, whole ? 2 : 1, CURVE_POINTS);
            if (curve.utc_offset_s != CURVE_NO_OFFSET)
                assert_in_range(curve.utc_offset_s + 86400, 86400 - 18 * 3600, 86400 + 18 * 3600);
            for (size_t i = 0; i < curve.count; i++)
                if (curve.temperature_cdeg[i] < -9000 || curve.temperature_cdeg[i] > 6000)
                    assert_int_equal(curve.temperature_cdeg[i], CURVE_NO_TEMPERATURE);
        }
    free(wrong);
    assert_true(passed > length); /* each byte as it was, at least */
}

/* What an error body must be understood to say. */
struct reply_reason {
    const char *body, *reason;
};

static inline void reply_reasons(const struct provider *provider, const struct reply_reason *rows,
                                 size_t count)
{
    char out[PROVIDER_REASON_BYTES];
    for (size_t i = 0; i < count; i++) {
        memset(out, 'x', sizeof out);
        provider->reason(rows[i].body, strlen(rows[i].body), out);
        assert_string_equal(out, rows[i].reason);
    }
}
