/* The simulator's files of GFS, read by the service's rules: they say what the synthetic weather is, and each
 * of their faults is met as it should be. */
#include "unit.h"

#include <unistd.h>

#include "sim/gfs_fields.h"
#include "sim/gfs_file.h"
#include "synthetic/synthetic_weather.h"
#include "weather/earth/condition.h"
#include "weather/earth/gfs.h"

#define RUN_S 1780272000 /* 2026-06-01 00:00 */
#define HOUR  3600

static char index_bytes[API_REPLY_BYTES], file_bytes[API_REPLY_BYTES];

/* What the service says to a field of the simulated file; NULL: nothing against it. */
static const char *read_field(enum gfs_parameter parameter, int hour, enum corruption corruption,
                              struct grib_field *field)
{
    struct text index = text_init(index_bytes, sizeof index_bytes);
    struct text file = text_init(file_bytes, sizeof file_bytes);
    struct forecast f = {.start_s = RUN_S, .hour = hour};
    struct gfs_range range;
    gfs_file_write_index(&index, &f, corruption);
    gfs_file_write(&file, &f, corruption);
    assert_false(index.overflow || file.overflow);
    const char *fault =
        gfs_find(index.bytes, index.length, parameter, RUN_S, hour, (int64_t)file.length, &range);
    if (fault)
        return fault;
    const char *message = file.bytes + range.first;
    size_t length = (size_t)(range.last - range.first + 1);
    if ((fault = gfs_message_fault(message, length, &range)) ||
        (fault = grib_message_read(message, length, field)))
        return fault;
    return gfs_field_fault(field, parameter, RUN_S, hour);
}

#define NEEDS_ENCODER()      \
    if (!gfs_fields_there()) \
    skip()

TEST(each_field_of_each_hour_is_found_and_is_what_it_should_be)
{
    static const int hours[] = {0, 1, 6, 7, 24, 49, 120};
    NEEDS_ENCODER();
    for (size_t i = 0; i < COUNT(hours); i++)
        for (enum gfs_parameter p = 0; p < GFS_PARAMETERS; p++) {
            struct grib_field field;
            const char *fault = read_field(p, hours[i], HONEST, &field);
            if (fault)
                fail_msg("hour %d, parameter %d: %s", hours[i], (int)p, fault);
            assert_int_equal(field.packing, 3);
            assert_int_equal(field.columns, 72);
        }
}

TEST(each_fault_is_met)
{
    static const struct {
        enum corruption corruption;
        const char *says;
    } rows[] = {
        {STALE_INDEX, "does not begin with GRIB"},
        {SHORT_INDEX, "its index is cut short"},
        {INDEX_PAST_END, "its index points past the end of the file"},
        {TWINS, "its index has it twice"},
        {EARLY, "its index is cut short"},
        {CUT_MESSAGE, "does not end with 7777"},
        {HUGE_GRID, "its grid is too large, or not of its size"},
        {WRONG_PARAMETER, "of another parameter"},
        {WRONG_HOUR, "of another hour"},
        {WRONG_RUN, "of another run"},
    };
    struct grib_field field;
    NEEDS_ENCODER();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *fault = read_field(GFS_TEMPERATURE, 6, rows[i].corruption, &field);
        assert_string_equal(fault ? fault : "nothing", rows[i].says);
    }
}

TEST(other_packings_and_grids_are_read_for_what_they_are)
{
    static const struct {
        enum corruption corruption;
        uint8_t packing;
        uint16_t columns;
    } rows[] = {{PACKED_SIMPLE, 0, 72}, {PACKED_COMPLEX, 2, 72}, {PACKED_PNG, 41, 72}, {WRONG_GRID, 3, 48}};
    NEEDS_ENCODER();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct grib_field field;
        assert_null(read_field(GFS_TEMPERATURE, 6, rows[i].corruption, &field));
        assert_int_equal(field.packing, rows[i].packing);
        assert_int_equal(field.columns, rows[i].columns);
    }
}

/* What a model cannot know, or MET Norway's thresholds do not tell apart: fog, drizzle, grains and thunder.
 */
static int as_a_model_has_it(int code)
{
    static const int told[][2] = {{45, 3},  {48, 3},  {51, 61}, {53, 61}, {55, 61}, {56, 66},
                                  {57, 67}, {77, 71}, {95, 82}, {96, 82}, {99, 82}};
    for (size_t i = 0; i < COUNT(told); i++)
        if (told[i][0] == code)
            return told[i][1];
    return code;
}

TEST(the_sky_gives_the_code_back)
{
    for (int i = 0; i < 20000; i++) {
        double latitude = (double)random_below(18001) / 100 - 90,
               longitude = (double)random_below(36000) / 100;
        int64_t at = RUN_S + (int64_t)random_below(365 * 24) * HOUR;
        int code = synthetic_weather_code(latitude, longitude, at);
        int cdeg = (int)(100 * synthetic_celsius(latitude, longitude, at));
        if (code > 48 && cdeg >= 99 && cdeg <= 150)
            continue; /* rain of the synthetic weather, MET Norway's sleet */
        struct gfs_sky sky = gfs_sky_of(code);
        assert_int_equal(condition_code(condition_sky(sky.cover_percent, sky.rate_mm_h, sky.freezing), cdeg),
                         as_a_model_has_it(code));
    }
}

/* masthead-grib lies beside the folder of the unit tests. */
static int open_fields(void **state)
{
    static const char name[] = "../masthead-grib";
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof name);
    (void)state;
    while (length > 0 && path[length - 1] != '/')
        length--;
    assert_true(length > 0);
    memcpy(path + length, name, sizeof name);
    gfs_fields_open(path, 5);
    return 0;
}

UNIT_MAIN(open_fields, NULL)
