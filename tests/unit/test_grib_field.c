/* What a GRIB2 message says about itself, and what comes from masthead-grib, is believed only when all of it
 * holds. */
#include "unit.h"

#include "folder.h"
#include "grib/field.h"

static char *message;
static size_t length;

static int read_message(void **state)
{
    (void)state;
    message = read_file("tests/service/gfs-2t-2p5deg.grib2", &length);
    return 0;
}

static int free_message(void **state)
{
    (void)state;
    free(message);
    return 0;
}

TEST(the_real_message)
{
    struct grib_field field;
    assert_null(grib_message_read(message, length, &field));
    assert_int_equal(field.run_s, 1294660800);
    assert_int_equal(field.hours, 120);
    assert_int_equal(field.spacing_udeg, 2500000);
    assert_int_equal(field.columns, 144);
    assert_int_equal(field.rows, 73);
    assert_int_equal(field.discipline + field.category + field.number, 0);
    assert_int_equal(field.surface, 103);
    assert_int_equal(field.surface_value, 2);
    assert_int_equal(field.packing, 3);
    assert_int_equal(field.decimals, 2);
    assert_true(grib_field_valid(&field));
    assert_int_equal(grib_field_points(&field), 10512);
}

/* A copy of the right length, for the sanitizer. */
static void read_copy(const char *bytes, size_t count)
{
    struct grib_field field;
    char *copy = malloc(count + 1);
    assert_non_null(copy);
    memcpy(copy + 1, bytes, count);
    if (!grib_message_read(copy + 1, count, &field))
        assert_true(grib_field_valid(&field) && field.hours >= 0);
    free(copy);
}

TEST(a_message_cut_anywhere_is_none)
{
    struct grib_field field;
    for (size_t count = 0; count < length; count += count < 300 ? 1 : 97) {
        assert_non_null(grib_message_fault(message, count));
        assert_non_null(grib_message_read(message, count, &field));
        read_copy(message, count);
    }
}

/* With its length and end put right again, so that the sections are looked at. */
TEST(a_message_cut_and_mended_or_changed_is_one_or_none)
{
    char *changed = malloc(length);
    for (size_t count = 20; count < 300; count++) {
        memcpy(changed, message, count);
        memset(changed + 8, 0, 8);
        changed[14] = (char)(count >> 8);
        changed[15] = (char)count;
        memcpy(changed + count - 4, "7777", 4);
        struct grib_field field;
        assert_non_null(grib_message_read(changed, count, &field));
        read_copy(changed, count);
    }
    for (size_t i = 0; i < 20000; i++) {
        memcpy(changed, message, length);
        for (size_t flips = 1 + random_below(4); flips > 0; flips--)
            changed[8 + random_below(200)] = (char)random_below(256);
        read_copy(changed, length);
    }
    free(changed);
}

TEST(a_field_is_whole_or_none)
{
    static struct {
        struct grib_field field;
        float values[37 * 19 + 1];
    } given = {.field = {.magic = GRIB_MAGIC, .spacing_udeg = 10000000, .columns = 36, .rows = 19}};
    size_t bytes = sizeof given.field + 36 * 19 * sizeof(float);
    struct grib_field field;
    assert_ptr_equal(grib_field_values(&given, bytes, &field), given.values);
    for (size_t count = 0; count < sizeof given; count++)
        if (count != bytes)
            assert_null(grib_field_values(&given, count, &field));
    for (size_t i = 0; i < sizeof given.field; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            ((uint8_t *)&given.field)[i] ^= (uint8_t)(1U << bit);
            const float *values = grib_field_values(&given, bytes, &field);
            if (i < sizeof(uint64_t) || (i >= 20 && i < 28))
                assert_null(values); /* the magic and the grid */
            ((uint8_t *)&given.field)[i] ^= (uint8_t)(1U << bit);
        }
}

UNIT_MAIN(read_message, free_message)
