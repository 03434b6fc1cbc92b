/* What the sky is called: MET Norway's classes. */
#include "unit.h"

#include <math.h>

#include "weather/earth/condition.h"

#define WARM 2000
#define COLD (-500)

TEST(clouds_have_four_classes)
{
    static const struct {
        double cover;
        int code;
    } rows[] = {{0, 0}, {13, 0}, {13.1, 1}, {38, 1}, {38.1, 2}, {86, 2}, {86.1, 3}, {100, 3}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(condition_code(condition_sky(rows[i].cover, 0.1, NAN), WARM), rows[i].code);
}

/* By cover, rate in mm an hour, whether it freezes, temperature. */
TEST(precipitation_has_a_kind_and_a_strength)
{
    static const struct {
        double cover, rate, freezing;
        int cdeg, code;
    } rows[] = {
        {100, 0.11, 0, WARM, 61}, {100, 0.25, 0, WARM, 61},     {100, 0.26, 0, WARM, 63},
        {100, 0.95, 0, WARM, 63}, {100, 0.96, 0, WARM, 65},     {100, 99, 0, WARM, 65},
        {100, 0.2, 0, 151, 61},   {100, 0.2, 0, 150, 68},       {100, 0.5, 0, 51, 69},
        {100, 5, 0, 100, 69},     {100, 0.2, 0, 50, 71},        {100, 0.5, 0, COLD, 73},
        {100, 5, 0, COLD, 75},    {100, 0.2, 1, COLD, 66},      {100, 0.5, 1, COLD, 67},
        {100, 5, 1, 150, 67},     {100, 5, 1, 151, 65},         {86, 0.2, 0, WARM, 80},
        {86, 0.5, 0, WARM, 81},   {86, 5, 0, WARM, 82},         {86, 0.2, 0, 100, 83},
        {86, 5, 0, 100, 84},      {86, 0.2, 0, COLD, 85},       {86, 5, 0, COLD, 86},
        {86, 0.2, 1, COLD, 66},   {0, 0.2, 0, WARM, 80},        {20, 5, 0, WARM, 82},
        {0, 0.1, 1, COLD, 0},     {NAN, 0.2, NAN, WARM, 61},    {NAN, 0, 0, WARM, -1},
        {100, NAN, 0, WARM, -1},  {100, 0.2, 0, INT16_MIN, -1}, {100, 0, 0, INT16_MIN, 3},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int code = condition_code(condition_sky(rows[i].cover, rows[i].rate, rows[i].freezing), rows[i].cdeg);
        if (code != rows[i].code)
            fail_msg("row %zu: %d, not %d", i, code, rows[i].code);
    }
}

TEST(any_byte_is_a_sky)
{
    assert_int_equal(condition_code(SKY_UNKNOWN, WARM), CONDITION_NO_CODE);
    for (int byte = 0; byte < 256; byte++)
        for (int cdeg = -9000; cdeg <= 6000; cdeg += 50) {
            int code = condition_code((uint8_t)byte, cdeg);
            assert_true(code >= CONDITION_NO_CODE && code <= 86);
        }
}

UNIT_MAIN(NULL, NULL)
