#include "weather/point/reply.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

enum outcome reply_document(const char *body, size_t length, int64_t now_s, reply_reader *read,
                            struct curve *out)
{
    json_t *root = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL);
    struct curve curve = *out;
    enum outcome outcome = json_is_object(root) ? read(root, now_s, &curve) : OUTCOME_PARSE;
    if (outcome == OUTCOME_OK)
        *out = curve;
    json_decref(root);
    return outcome;
}

bool reply_string_is(const json_t *value, const char *expected)
{
    return json_is_string(value) && strcmp(json_string_value(value), expected) == 0;
}

enum outcome reply_celsius(const json_t *value, int16_t *cdeg)
{
    *cdeg = CURVE_NO_TEMPERATURE;
    if (!value || json_is_null(value))
        return OUTCOME_OK;
    if (!json_is_number(value))
        return OUTCOME_PARSE;
    double hundredths = json_number_value(value) * 100;
    if (!(hundredths >= CURVE_COLDEST_CDEG && hundredths <= CURVE_HOTTEST_CDEG))
        return OUTCOME_IMPLAUSIBLE;
    *cdeg = (int16_t)lround(hundredths);
    return OUTCOME_OK;
}

int16_t reply_feels(const json_t *value)
{
    double hundredths = json_is_number(value) ? json_number_value(value) * 100 : NAN;
    bool can_be = hundredths >= CURVE_FEELS_MIN_CDEG && hundredths <= CURVE_FEELS_MAX_CDEG;
    return can_be ? (int16_t)lround(hundredths) : CURVE_NO_TEMPERATURE;
}

uint8_t reply_percent(const json_t *value, double whole)
{
    double share = json_is_number(value) ? json_number_value(value) / whole : NAN;
    return share >= 0 && share <= 1 ? (uint8_t)lround(share * 100) : CURVE_NO_RAIN;
}

double reply_degrees(const json_t *value, double max)
{
    double degrees = json_is_number(value) ? json_number_value(value) : NAN;
    return fabs(degrees) <= max ? degrees : NAN;
}

void reply_reason(const char *body, size_t length, const char *key, char out[PROVIDER_REASON_BYTES])
{
    json_t *root = json_loadb(body, length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *text = json_object_get(root, key);
    out[0] = '\0';
    if (json_is_string(text))
        text_sanitize(json_string_value(text), json_string_length(text), out, PROVIDER_REASON_BYTES);
    json_decref(root);
}
