/* JSON: what is written is what the shape shows, each value escaped or null; a comma comes only where one is
 * due; whatever the ceiling, nothing is written past it. */
#include "unit.h"

#include <jansson.h>
#include <math.h>

#include "base/json.h"

#define MOST 256

static char storage[MOST];
static struct text out;

static int begin(void **state)
{
    (void)state;
    out = text_init(storage, sizeof storage);
    return 0;
}

TEST_WITH(test_a_shape_stands_as_it_looks, begin, NULL)
{
    json_write(&out, "{'a':1,\n 'b':[true,null]}\n");
    assert_string_equal(out.bytes, "{\"a\":1,\n \"b\":[true,null]}\n");
}

TEST_WITH(test_strings_are_escaped_and_the_empty_one_is_none_unless_told, begin, NULL)
{
    const char *volatile none = NULL;
    json_write(&out, "[%s,%s,%s,%-s,%-s,%-s]", "a'\"\\\n<", "", none, "%s'", "", none);
    assert_string_equal(out.bytes, "[\"a'\\\"\\\\\\u000a\\u003c\",null,null,\"%s'\",\"\",null]");
}

TEST_WITH(test_integers_of_both_sizes, begin, NULL)
{
    json_write(&out, "[%d,%d,%jd,%jd,%jd]", -7, INT32_MIN, INT64_MAX, INT64_MIN + 1, JSON_NONE);
    assert_string_equal(out.bytes, "[-7,-2147483648,9223372036854775807,-9223372036854775807,null]");
}

TEST_WITH(test_flags, begin, NULL)
{
    json_write(&out, "[%i,%i,%i,%i]", true, false, 2, -1);
    assert_string_equal(out.bytes, "[true,false,true,null]");
}

TEST_WITH(test_numbers_have_the_digits_that_the_shape_says, begin, NULL)
{
    json_write(&out, "[%.1f,%.4f,%.7g,%.7g]", -0.4, 19.07283, (double)19.0748f, 1.0);
    json_write(&out, "[%.1f,%.7g,%.7g]", NAN, INFINITY, -INFINITY);
    assert_string_equal(out.bytes, "[-0.4,19.0728,19.0748,1][null,null,null]");
}

TEST_WITH(test_tenths_of_a_degree_are_exact, begin, NULL)
{
    for (int ddeg = -1000; ddeg <= 1000; ddeg++) {
        char expected[16];
        snprintf(expected, sizeof expected, "%s%d.%d", ddeg < 0 ? "-" : "", abs(ddeg) / 10, abs(ddeg) % 10);
        begin(NULL);
        json_write(&out, "%.1f", ddeg / 10.0);
        assert_string_equal(out.bytes, expected);
    }
}

TEST_WITH(test_instants, begin, NULL)
{
    json_write(&out, "[%td,%td,%td,%td]", (int64_t)1769850012, (int64_t)0, INT64_MAX, JSON_NONE);
    assert_string_equal(out.bytes, "[\"2026-01-31T09:00:12Z\",\"1970-01-01T00:00:00Z\",null,null]");
}

TEST_WITH(test_a_leading_comma_is_written_where_one_is_due, begin, NULL)
{
    json_write(&out, "{'list':[");
    for (int i = 1; i <= 3; i++)
        json_write(&out, ",\n %d", i);
    json_write(&out, ",'[']");
    json_write(&out, ",'map':{");
    json_write(&out, ",%s:{", "key");
    json_write(&out, ",'text':%s}", "{");
    json_write(&out, ",'last':[]}}");
    assert_string_equal(out.bytes,
                        "{\"list\":[\n 1,\n 2,\n 3,\"[\"],\"map\":{\"key\":{\"text\":\"{\"},\"last\":[]}}");
    json_t *read = json_loads(out.bytes, 0, NULL);
    assert_non_null(read);
    json_decref(read);
    begin(NULL);
    json_write(&out, ",1");
    assert_string_equal(out.bytes, ",1");
}

TEST_WITH(test_nothing_is_written_past_the_ceiling, begin, NULL)
{
    static const char whole[] = "{\"a\":\"bcd\",\"e\":1000,\"f\":1.5,\"g\":true}";
    for (size_t capacity = 1; capacity < sizeof whole + 2; capacity++) {
        memset(storage, 'x', sizeof storage);
        out = text_init(storage, capacity);
        json_write(&out, "{");
        json_write(&out, ",'a':%s,'e':%jd,'f':%.2g,'g':%i}", "bcd", INT64_C(1000), 1.5, 1);
        assert_int_equal(out.overflow, capacity < sizeof whole);
        assert_true(out.length < capacity);
        assert_memory_equal(storage, whole, capacity < 12 ? out.length : 1);
        for (size_t i = capacity; i < sizeof storage; i++)
            assert_int_equal(storage[i], 'x');
    }
}

UNIT_MAIN(NULL, NULL)
