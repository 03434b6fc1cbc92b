/* The bytes of a day: counted to the limit, over the end of a process of either kind, and from nothing on the
 * next day; a file that says anything else counts as none. */
#include "folder.h"

#include "weather/earth/allowance.h"

#define LIMIT INT64_C(500000000)
#define DAY_S INT64_C(86400)
#define NOON  (20000 * DAY_S + DAY_S / 2)

static struct allowance allowance;

static void open_at(int64_t now_s)
{
    allowance_open(&allowance, in_folder("earth.bytes"), LIMIT, now_s);
}

#define ALLOWANCE(name) TEST_WITH(name, make_folder, remove_folder)

ALLOWANCE(what_comes_is_counted_to_the_limit)
{
    open_at(NOON);
    assert_true(allowance_take(&allowance, 0, NOON));
    assert_false(there(in_folder("earth.bytes"))); /* for nothing it is not written */
    assert_true(allowance_take(&allowance, LIMIT - 1, NOON));
    assert_false(allowance_take(&allowance, 1, NOON));
    assert_false(allowance_take(&allowance, 0, NOON + DAY_S / 2 - 1));
    assert_true(allowance_take(&allowance, 10, NOON + DAY_S / 2));
    assert_int_equal(allowance.bytes, 10);
}

ALLOWANCE(a_restart_goes_on_where_it_was)
{
    open_at(NOON);
    assert_true(allowance_take(&allowance, 1234, NOON));
    allowance_close(&allowance);
    open_at(NOON + 60);
    assert_int_equal(allowance.bytes, 1234);
    open_at(NOON + DAY_S);
    assert_int_equal(allowance.bytes, 0);
}

/* Whatever instant it is killed at, no byte that came is forgotten, and no more than a lease is invented. */
ALLOWANCE(a_kill_forgets_nothing)
{
    int64_t came = 0;
    open_at(NOON);
    for (int kills = 0; kills < 20; kills++) {
        for (size_t i = random_below(10); i > 0; i--) {
            int64_t bytes = (int64_t)random_below(1000000);
            came += bytes;
            allowance_take(&allowance, bytes, NOON);
        }
        open_at(NOON);
        assert_true(allowance.bytes >= came && allowance.bytes <= came + ALLOWANCE_LEASE);
        came = allowance.bytes;
    }
}

ALLOWANCE(a_file_of_anything_else_has_nothing)
{
    const int64_t day = NOON / DAY_S,
                  rows[][2] = {{day - 1, 5}, {day + 1, 5}, {day, -5}, {day, 2 * LIMIT}, {day, INT64_MAX}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_bytes(in_folder("earth.bytes"), (const char *)rows[i], sizeof rows[i]);
        open_at(NOON);
        assert_int_equal(allowance.bytes, 0);
    }
    write_bytes(in_folder("earth.bytes"), (const char *)rows[0], sizeof rows[0] - 1);
    open_at(NOON);
    assert_int_equal(allowance.bytes, 0);
}

ALLOWANCE(a_disk_that_takes_nothing_ends_no_count)
{
    allowance_open(&allowance, "/proc/nowhere/earth.bytes", LIMIT, NOON);
    assert_true(allowance_take(&allowance, LIMIT - 1, NOON));
    assert_false(allowance_take(&allowance, 1, NOON));
    allowance_close(&allowance);
}

UNIT_MAIN(NULL, NULL)
