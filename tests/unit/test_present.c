/* The present state of the earth: each has a number where it has hours, is read by whoever holds it though
 * another has taken its place, and is closed by the last one, on whatever thread. The sanitizers see whether
 * anything is read that was closed. */
#include "threads.h"

#include "earth_grid.h"
#include "folder.h"

#include "weather/earth/present.h"

#define SPACING UINT32_C(30000000)
#define READERS 4
#define STATES  300
#define LAST_S  (FIRST_S + (GRID_HOURS - 1) * 3600)

static struct present present;
static struct grid *grid; /* that all states share */

static double kelvin(double latitude, double longitude, double hour)
{
    (void)latitude, (void)longitude, (void)hour;
    return 283.15;
}

static int open_all(void **state)
{
    if (make_folder(state) < 0)
        return -1;
    const char *path = in_folder("earth.grid");
    struct planes *planes = begin_run(path, SPACING);
    put_hours(planes, SPACING, kelvin);
    assert_true(planes_finish(planes, path));
    planes_close(planes);
    grid = open_grid(path, in_folder("none"));
    present_open(&present);
    return 0;
}

static int close_all(void **state)
{
    present_close(&present);
    grid_close(grid);
    return remove_folder(state);
}

#define PRESENT(name) TEST_WITH(name, open_all, close_all)

/* A state in which every place of the Gulf of Guinea is warmer than the model by `difference`, nearly. */
static void replace(float difference)
{
    const struct station_report report = {
        .celsius = 10 + difference, .observed_s = FIRST_S, .condition = METAR_NO_CONDITION, .id = "GULF"};
    float model = 10;
    struct fields fields = {.grid = grid_hold(grid)};
    fields.airports = airports_build(&report, &model, 1, FIRST_S, &fields.counts);
    assert_non_null(fields.airports);
    present_replace(&present, &fields);
}

static double correction(const struct held *held)
{
    return airports_read(held->fields.airports, 0, 0, FIRST_S).kelvin * (1 + AIRPORTS_VOTE);
}

PRESENT(a_state_has_a_number_where_it_has_hours)
{
    assert_int_equal(present_number(&present, FIRST_S), 0);
    assert_null(present_hold(&present));
    replace(1);
    assert_int_equal(present_number(&present, FIRST_S), 1);
    assert_int_equal(present_number(&present, LAST_S), 1);
    assert_int_equal(present_number(&present, FIRST_S - 1), 0);
    assert_int_equal(present_number(&present, LAST_S + 1), 0);
    replace(2);
    assert_int_equal(present_number(&present, FIRST_S), 2);
}

PRESENT(who_holds_a_state_reads_it_though_another_has_taken_its_place)
{
    replace(1);
    struct held *old = present_hold(&present);
    replace(2);
    struct held *new = present_hold(&present);
    assert_true(fabs(correction(old) - 1) < 1e-3 && fabs(correction(new) - 2) < 1e-3);
    present_release(&present, new);
    present_release(&present, old);
    present_release(&present, NULL);
}

PRESENT(a_state_without_a_grid_is_none)
{
    replace(1);
    struct held *old = present_hold(&present);
    present_replace(&present, &(struct fields){.grid = NULL});
    assert_null(present_hold(&present));
    assert_int_equal(present_number(&present, FIRST_S), 0);
    assert_true(fabs(correction(old) - 1) < 1e-3);
    present_release(&present, old);
    replace(2);
    assert_int_equal(present_number(&present, FIRST_S), 3);
}

static atomic_bool done;
static atomic_uint backwards;

static void replace_many(void)
{
    for (int i = 1; i <= STATES; i++)
        if (i % 10 == 5)
            present_replace(&present, &(struct fields){.grid = NULL});
        else
            replace((float)i / 100);
    atomic_store(&done, true);
}

/* Counts states that are older than one that was seen before, or than the number that was read before. */
static void *read_many(void *unused)
{
    double last = 0;
    while (!atomic_load(&done)) {
        double number = present_number(&present, FIRST_S);
        struct held *held = present_hold(&present);
        double seen = held ? correction(held) : last;
        backwards += seen < last - 1e-3 || (held && seen * 100 < number - 0.1);
        present_release(&present, held);
        last = seen;
    }
    return unused;
}

PRESENT(readers_and_a_writer_share_it)
{
    run_threads(read_many, READERS, replace_many);
    assert_int_equal(backwards, 0);
    struct held *held = present_hold(&present);
    assert_true(fabs(correction(held) - STATES / 100.0) < 1e-3);
    assert_int_equal(held->count, 2);
    present_release(&present, held);
}

UNIT_MAIN(NULL, NULL)
