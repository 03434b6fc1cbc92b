/* The simulator's file of METARs, read back: it says what the synthetic weather is, and each of its faults is
 * met as it should be. */
#include "unit.h"

#include <math.h>

#include "sim/metar_file.h"
#include "synthetic/synthetic_weather.h"
#include "weather/earth/metar.h"

#define NOW      1768037400 /* 2026-01-10T09:30:00Z */
#define AIRPORTS 300        /* rows of data/airports.tsv */

static char text[API_REPLY_BYTES];
static struct metar_file file;

static int close_file(void **state)
{
    (void)state;
    metar_free(&file);
    return 0;
}

#define READING(name) TEST_WITH(name, NULL, close_file)

static const char *read_file(enum corruption corruption)
{
    struct text written = text_init(text, sizeof text);
    metar_free(&file);
    metar_file_write(&written, &(struct forecast){.now_s = NOW}, corruption);
    assert_false(written.overflow);
    return metar_read(text, written.length, NOW, &file);
}

/* Hail is no code of a report. */
static int code_of(const struct station_report *r)
{
    int code = synthetic_weather_code(r->latitude, r->longitude, r->observed_s);
    return code > 95 ? 95 : code;
}

static double truth(const struct station_report *r)
{
    return metar_file_celsius(r->latitude, r->longitude, r->height_m, r->observed_s);
}

READING(the_honest_file_is_the_synthetic_weather)
{
    size_t heightless = 0, codes[100] = {0};
    assert_null(read_file(HONEST));
    assert_int_equal(file.count, AIRPORTS);
    assert_true(file.rows > 2 * AIRPORTS); /* several of a station */
    assert_in_range(file.placeless, 2, 8);
    assert_int_equal(file.malformed + file.early + file.beyond, 0);
    for (size_t i = 0; i < file.count; i++) {
        const struct station_report *r = &file.reports[i];
        double tolerance = r->id[0] == 'K' ? 0.0501 : 0.501; /* tenths in the USA */
        if (!(fabs(r->celsius - truth(r)) <= tolerance) || r->condition != code_of(r))
            fail_msg("%s: %.1f instead of %.2f, code %d instead of %d", r->id, r->celsius, truth(r),
                     r->condition, code_of(r));
        assert_in_range(NOW - r->observed_s, 0, 3600 + 180);
        heightless += isnan(r->height_m) ? 1 : 0;
        codes[(size_t)r->condition]++;
    }
    assert_in_range(heightless, 1, 8);
    assert_true(codes[0] > 0 && codes[1] > 0 && codes[2] > 0 && codes[3] > 0 && codes[95] > 0);
}

READING(the_newest_stands_first)
{
    assert_null(read_file(HONEST));
    const char *first = strstr(text, "2026-01-10T"), *last = NULL;
    for (const char *at = first; at; at = strstr(at + 1, "2026-01-10T"))
        last = at;
    assert_memory_equal(first, "2026-01-10T09:20", 16);
    assert_memory_equal(last, "2026-01-10T08:20", 16);
}

READING(what_goes_wrong_with_the_file)
{
    static const struct {
        enum corruption corruption;
        size_t count, malformed; /* SIZE_MAX: about a third of the rows */
    } rows[] = {
        {OTHER_ORDER, AIRPORTS, 0},
        {STATUS_LINES, AIRPORTS, 0},
        {UNORDERED, AIRPORTS, 0},
        {STUCK, AIRPORTS, 0},
        {HAZY, AIRPORTS, 0},
        {OLD, AIRPORTS, 0},
        {NULLS, AIRPORTS * 2 / 3, SIZE_MAX},
        {NANS, AIRPORTS * 2 / 3, SIZE_MAX},
        {NOWHERE, AIRPORTS * 2 / 3, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_null(read_file(rows[i].corruption));
        bool third = rows[i].malformed == SIZE_MAX;
        if (labs((long)file.count - (long)rows[i].count) > 1 ||
            (third ? file.malformed < file.rows / 4 : file.malformed != 0))
            fail_msg("row %zu: %zu stations, %zu malformed", i, file.count, file.malformed);
    }
    assert_null(read_file(COLD));
    assert_int_equal(file.count, 0);
    assert_non_null(read_file(NO_HOURLY));
}

READING(haze_is_haze)
{
    assert_null(read_file(HAZY));
    for (size_t i = 0; i < file.count; i++)
        assert_int_equal(file.reports[i].condition, METAR_HAZE);
}

READING(stuck_sensors_say_the_same)
{
    assert_null(read_file(STUCK));
    size_t stuck = 0;
    for (size_t i = 0; i < file.count; i++)
        stuck += fabs(file.reports[i].celsius - truth(&file.reports[i])) > 8;
    assert_in_range(stuck, AIRPORTS / 3 - 2, AIRPORTS / 3 + 2);
}

UNIT_MAIN(NULL, NULL)
