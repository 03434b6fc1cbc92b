/* The file of airports' reports, packed or plain, as the feed takes it: each report that is read is one that
 * could be, they stand in order, each station once, and every row is accounted for. */
#include "fuzz.h"

#include <math.h>

#include "weather/cell/curve.h"
#include "weather/earth/airports.h"
#include "weather/earth/feed.h"

#define NOW_S INT64_C(1780290000) /* of which the corpus is */

static void check_report(const struct station_report *report)
{
    size_t length = strnlen(report->id, METAR_ID_BYTES);
    PROPERTY(length >= 3 && length < METAR_ID_BYTES && is_clean(report->id));
    PROPERTY(fabsf(report->latitude) <= 90 && fabsf(report->longitude) <= 180);
    PROPERTY(report->celsius * 100 >= CURVE_COLDEST_CDEG && report->celsius * 100 <= CURVE_HOTTEST_CDEG);
    PROPERTY(report->observed_s <= NOW_S + METAR_AHEAD_S);
    PROPERTY(report->cloud_oktas >= METAR_NO_CLOUD && report->cloud_oktas <= 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct instant now = {.wall_ms = NOW_S * 1000, .boot_ms = 1};
    struct feed feed = {.modified_s = 0};
    struct transfer_answer answer = {.status = 200, .error = "", .body = (const char *)data, .length = size};
    char error[FEED_ERROR_BYTES];
    const struct metar_file *file = &feed.file;
    const char *fault = feed_end(&feed, &answer, FEED_RETRY_MS, &now, error);
    PROPERTY(!fault == (file->count > 0) && !fault == (feed.read_s == NOW_S));
    for (size_t i = 0; i < file->count; i++) {
        check_report(&file->reports[i]);
        PROPERTY(i == 0 || strcmp(file->reports[i - 1].id, file->reports[i].id) < 0);
    }
    PROPERTY(file->count + file->malformed + file->placeless + file->early + file->beyond <= file->rows);
    answer.length = size / 2; /* what is no better leaves what is there */
    size_t count = file->count;
    PROPERTY(!feed_end(&feed, &answer, FEED_RETRY_MS, &now, error) || file->count == count);
    metar_free(&feed.file);
    return 0;
}
