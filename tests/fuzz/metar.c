/* The file of airports' reports, packed or plain: each report that is read is one that could be, they stand
 * in order, each station once, and every row is accounted for. */
#include "fuzz.h"

#include <math.h>

#include "weather/cell/curve.h"
#include "weather/earth/airports.h"

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
    struct metar_file file;
    if (!metar_read((const char *)data, size, NOW_S, &file)) {
        for (size_t i = 0; i < file.count; i++) {
            check_report(&file.reports[i]);
            PROPERTY(i == 0 || strcmp(file.reports[i - 1].id, file.reports[i].id) < 0);
        }
        PROPERTY(file.count + file.malformed + file.placeless + file.early + file.beyond <= file.rows);
    }
    metar_free(&file);
    return 0;
}
