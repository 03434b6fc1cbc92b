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

typedef enum outcome reply_reader(const char *text, struct curve *curve);

static inline void reply_ends(reply_reader *read, const char *text, enum outcome expected)
{
    struct curve curve;
    enum outcome outcome = read(text, &curve);
    if (outcome != expected)
        fail_msg("%s, expected %s: %.400s", outcome_names[outcome], outcome_names[expected], text);
}

struct reply_row {
    const char *body;
    enum outcome outcome;
};

static inline void reply_rows(reply_reader *read, const struct reply_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reply_ends(read, rows[i].body, rows[i].outcome);
}

/* What the curve says at an instant, whose code and daylight must be these; `what` is said if not. */
static inline struct curve_value reply_sky(const struct curve *curve, int64_t at_s, int code, int is_day,
                                           const char *what)
{
    struct curve_value value;
    assert_true(curve_read(curve, at_s, &value));
    if (value.code != code || value.is_day != is_day)
        fail_msg("%s: code %d, day %d", what, value.code, value.is_day);
    return value;
}

static inline void reply_points(const struct curve *curve, const int16_t *cdeg, const uint8_t *condition,
                                size_t count)
{
    assert_int_equal(curve->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(curve->temperature_cdeg[i], cdeg[i]);
        assert_int_equal(curve->condition[i], condition[i]);
    }
}

/* What it feels like and what is to fall, at each point. */
static inline void reply_extras(const struct curve *curve, const int16_t *feels_cdeg, const uint8_t *percent)
{
    for (size_t i = 0; i < curve->count; i++) {
        assert_int_equal(curve->feels_cdeg[i], feels_cdeg[i]);
        assert_int_equal(curve->rain_percent[i], percent[i]);
    }
}

/* What is asked for a cell. */
static inline void reply_request(const struct provider_step *step, const struct provider_access *access,
                                 struct cell cell, const char *expected_url, const char *expected_header)
{
    char url_storage[512], header_storage[256];
    struct text url = text_init(url_storage, sizeof url_storage);
    struct text header = text_init(header_storage, sizeof header_storage);
    step->request(access, cell, &url, &header);
    assert_string_equal(url.bytes, expected_url);
    assert_string_equal(header.bytes, expected_header);
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
            curve.fetched_s = curve.expires_s = 0;
            assert_true(curve_valid(&curve));
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

/* A reason of a thousand bytes less what stands before and after it in the body. */
static inline void reply_reason_is_cut(const struct provider *provider, const char *before, const char *after)
{
    char body[1000], out[PROVIDER_REASON_BYTES];
    memset(body, 'x', sizeof body);
    memcpy(body, before, strlen(before));
    memcpy(body + sizeof body - strlen(after), after, strlen(after));
    provider->reason(body, sizeof body, out);
    assert_int_equal(strlen(out), PROVIDER_REASON_BYTES - 1);
}
