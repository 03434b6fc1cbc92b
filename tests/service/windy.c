/* A provider that no release has, for test_new_provider.py: its API answers one line, "31.2", which is taken
 * to hold all day long. */
#include "weather/point/provider.h"

#include <stdlib.h>
#include <string.h>

#define HOURS 26

static void request(const struct provider_access *access, struct cell cell, struct text *url,
                    struct text *header)
{
    (void)header;
    text_format(url, "%s/now/%.4f/%.4f", access->url, (double)cell.latitude_udeg / CELL_MICRODEGREES,
                (double)cell.longitude_udeg / CELL_MICRODEGREES);
}

static enum outcome read(const char *body, size_t length, int64_t now_s, struct curve *out)
{
    char text[16] = "", *end;
    memcpy(text, body, length < sizeof text ? length : sizeof text - 1);
    double celsius = strtod(text, &end);
    if (end == text)
        return OUTCOME_PARSE;
    if (celsius < -90 || celsius > 60)
        return OUTCOME_IMPLAUSIBLE;
    *out = (struct curve){.start_s = now_s - now_s % CURVE_STEP_S, .count = HOURS};
    for (size_t i = 0; i < HOURS; i++) {
        out->temperature_cdeg[i] = (int16_t)(celsius * 100);
        out->condition[i] = CURVE_NO_CONDITION;
    }
    return OUTCOME_OK;
}

static void reason(const char *body, size_t length, char out[PROVIDER_REASON_BYTES])
{
    text_sanitize(body, length, out, PROVIDER_REASON_BYTES);
}

const struct provider windy = {
    .credit = {"Weather data by Windy", "https://windy.example/"},
    .step_count = 1,
    .steps = {{request, read}},
    .reason = reason,
};
