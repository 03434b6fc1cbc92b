/* The snapshot, told as what lies between two lives of the cache: nothing, time, other options, a kill at any
 * moment, a place where nothing can be written. What comes back is as it was.
 *
 * Each test has a folder of its own, and the clock is moved, never waited for. */
#include "unit.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/log.h"
#include "capture.h"
#include <pthread.h>
#include <stdatomic.h>

#include "snapshot_files.h"

#define KILLS        50
#define KILLED_CELLS 1000
#define READ_LIMIT   200 /* ms, for MANY */
#define LOCK_LIMIT   0.2 /* ms */
#define ATTEMPTS     10  /* the best counts: other processes' work is not ours */

/* How much longer a sanitizer may make it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 40
#else
#define SLOWER 1
#endif

/* --- A life and the next --- */

IN_FOLDER(a_restart_brings_every_cell_back)
{
    uint64_t counts[SNAPSHOT_RESULTS];
    struct cache *before = filled_cache(1000);
    assert_true(snapshot_write(&options, before));
    clock_advance(10 * 60 * SECOND);
    struct cache *after = restored_cache(1000, counts);
    check_counts(counts, 1000, 0, 0);
    for (size_t i = 0; i < 1000; i++) {
        struct cache_view was = look(before, key_of(i)), is = look(after, key_of(i));
        assert_int_equal(is.state, WEATHER_FRESH);
        assert_memory_equal(&was.curve, &is.curve, sizeof was.curve);
        assert_in_range(is.age_ms, 600 * SECOND, 602 * SECOND);
        assert_in_range(is.refresh_in_ms - was.refresh_in_ms + 2 * SECOND, 0, 4 * SECOND);
        assert_false(is.in_flight);
    }
    cache_close(before);
    cache_close(after);
}

IN_FOLDER(what_is_due_is_still_due_and_a_failure_is_forgotten)
{
    uint64_t counts[SNAPSHOT_RESULTS];
    struct cache *before = filled_cache(1);
    struct cache_view view;
    clock_advance(3 * HOUR);
    struct instant now = clock_now();
    cache_get(before, key_of(0), WEATHER_FOR_VISITOR, 0, &now, &view);
    cache_fail(before, key_of(0), FETCH_URGENT, &now);
    assert_int_equal(look(before, key_of(0)).state, WEATHER_STALE);
    assert_true(snapshot_write(&options, before));
    struct cache *after = restored_cache(1, counts);
    view = look(after, key_of(0));
    assert_int_equal(view.state, WEATHER_FRESH);
    assert_true(view.refresh_in_ms < 0 && !view.in_flight);
    cache_close(before);
    cache_close(after);
}

IN_FOLDER(a_cell_that_never_had_a_curve_is_not_written)
{
    struct cache *cache = open_cache(10);
    struct cache_view view;
    struct instant now = clock_now();
    struct curve curve = curve_of(1, now.wall_ms / 1000);
    cache_get(cache, key_of(0), WEATHER_FOR_VISITOR, 0, &now, &view);
    put(cache, key_of(1), &curve);
    assert_true(snapshot_write(&options, cache));
    cache_close(cache);
    check_restored(1, 0, 0);
}

IN_FOLDER(an_empty_cache_is_a_snapshot_too)
{
    struct cache *cache = open_cache(10);
    check_restored(0, 0, 0); /* no file */
    assert_true(snapshot_write(&options, cache));
    cache_close(cache);
    check_restored(0, 0, 0);
    assert_false(there(beside(".unread")));
}

IN_FOLDER(it_is_read_at_the_start_and_written_at_the_end)
{
    struct cache *cache = filled_cache(FEW);
    struct snapshot *snapshot = snapshot_open(&options, cache);
    assert_non_null(snapshot);
    assert_false(there(options.path));
    snapshot_close(snapshot);
    cache_close(cache);
    cache = open_cache(FEW);
    snapshot = snapshot_open(&options, cache);
    assert_int_equal(look(cache, key_of(FEW - 1)).state, WEATHER_FRESH);
    snapshot_close(snapshot);
    snapshot_close(NULL);
    cache_close(cache);
    check_restored(FEW, 0, 0);
    assert_false(there(beside(".new")));
}

static atomic_bool saving;

static void *save_again_and_again(void *snapshot)
{
    while (atomic_load(&saving))
        snapshot_save(snapshot);
    return NULL;
}

IN_FOLDER(it_is_written_again_and_again_while_the_cache_is_in_use)
{
    struct cache *cache = open_cache(500); /* so that cells are evicted meanwhile */
    struct snapshot *snapshot;
    pthread_t thread;
    int64_t until_ms = clock_monotonic_ms() + 20 * SECOND;
    struct stat first = {0}, now = {0};
    assert_non_null(snapshot = snapshot_open(&options, cache));
    atomic_store(&saving, true);
    assert_int_equal(pthread_create(&thread, NULL, save_again_and_again, snapshot), 0);
    for (size_t i = 0; first.st_ino == 0 || now.st_ino == first.st_ino; i++) {
        struct curve curve = curve_of(i % 2000, clock_now().wall_ms / 1000);
        put(cache, key_of(i % 2000), &curve);
        if (stat(options.path, &now) == 0 && first.st_ino == 0)
            first = now;
        assert_true(clock_monotonic_ms() < until_ms);
    }
    atomic_store(&saving, false);
    pthread_join(thread, NULL);
    snapshot_close(snapshot);
    uint64_t counts[SNAPSHOT_RESULTS];
    struct cache *after = restored_cache(500, counts);
    assert_int_equal(counts[SNAPSHOT_DAMAGED], 0);
    for (size_t i = 0; i < 2000; i++) {
        struct cache_view was = look(cache, key_of(i)), is = look(after, key_of(i));
        assert_int_equal(was.state, is.state);
        assert_memory_equal(&was.curve, &is.curve, sizeof was.curve);
    }
    cache_close(cache);
    cache_close(after);
}

/* --- Age, and other options --- */

IN_FOLDER(what_is_too_old_is_left_out)
{
    write_filled(FEW);
    clock_advance(KEEP - 10 * SECOND);
    check_restored(FEW, 0, 0);
    clock_advance(10 * SECOND);
    check_restored(0, FEW, 0);
}

IN_FOLDER(what_comes_from_the_future_is_left_out)
{
    clock_advance(HOUR);
    write_filled(FEW);
    clock_advance(-HOUR);
    check_restored(0, FEW, 0);
}

IN_FOLDER(past_the_last_point_it_is_left_out)
{
    struct cache *cache = open_cache(1);
    struct curve curve = curve_of(0, clock_now().wall_ms / 1000);
    curve.count = 3;
    put(cache, key_of(0), &curve);
    assert_true(snapshot_write(&options, cache));
    cache_close(cache);
    check_restored(1, 0, 0);
    clock_advance(2 * HOUR);
    check_restored(0, 1, 0);
}

IN_FOLDER(beyond_capacity_it_is_left_out)
{
    uint64_t counts[SNAPSHOT_RESULTS];
    write_filled(FEW);
    cache_close(restored_cache(FEW - 3, counts));
    check_counts(counts, FEW - 3, 3, 0);
}

IN_FOLDER(cells_of_another_grid_are_left_out)
{
    write_filled(FEW); /* from -50.0 to -48.1 along a parallel: four half degrees */
    options.cell_udeg = 500000;
    check_restored(4, FEW - 4, 0);
    options.cell_udeg = SIZE_UDEG / 2;
    check_restored(FEW, 0, 0);
}

IN_FOLDER(a_shorter_refresh_holds_for_what_was_kept)
{
    uint64_t counts[SNAPSHOT_RESULTS];
    write_filled(FEW);
    struct cache *cache =
        cache_open(&(struct cache_options){.capacity = FEW, .refresh_ms = HOUR, .keep_ms = KEEP});
    snapshot_read(&options, cache, counts);
    for (size_t i = 0; i < FEW; i++)
        assert_in_range(look(cache, key_of(i)).refresh_in_ms, 0, 66 * 60 * SECOND);
    cache_close(cache);
}

IN_FOLDER(real_and_simulated_weather_are_not_mixed)
{
    write_filled(FEW);
    options.simulated = true;
    check_restored(0, 0, 0);
    assert_true(there(beside(".unread")));
    write_filled(FEW);
    check_restored(FEW, 0, 0);
    options.simulated = false;
    check_restored(0, 0, 0);
}

/* --- Where it cannot be written --- */

static void check_not_written(const char *said_why)
{
    char said[1024];
    struct cache *cache = filled_cache(FEW);
    struct capture capture = capture_begin(STDERR_FILENO);
    assert_false(snapshot_write(&options, cache));
    assert_false(snapshot_write(&options, cache)); /* not said again in the same minute */
    capture_end(&capture, said, sizeof said);
    const char *line = strstr(said, "cannot write the cache snapshot");
    if (said_why) {
        assert_non_null(line);
        assert_non_null(strstr(said, said_why));
        assert_null(strstr(line + 1, "cannot write"));
    }
    assert_false(there(beside(".new")));
    cache_close(cache);
}

IN_FOLDER(a_full_disk_leaves_the_old_one)
{
    struct rlimit was, small;
    write_filled(FEW - 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = (struct rlimit){.rlim_cur = 3000, .rlim_max = was.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    check_not_written("File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    check_restored(FEW - 1, 0, 0);
    write_filled(FEW);
    check_restored(FEW, 0, 0);
}

IN_FOLDER(a_missing_folder_is_made_and_one_that_cannot_be_is_said)
{
    snprintf(options.path, sizeof options.path, "%s/state/cache.snapshot", folder);
    write_filled(FEW);
    check_restored(FEW, 0, 0);
    write_string(in_folder("file"), "");
    snprintf(options.path, sizeof options.path, "%s/file/cache.snapshot", folder);
    check_not_written(NULL); /* within the minute of the other's line */
}

IN_FOLDER(nobody_else_may_read_it)
{
    struct stat status;
    write_filled(FEW);
    assert_int_equal(stat(options.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* --- A kill at any moment --- */

static void pause_randomly(uint32_t most_us)
{
    struct timespec pause = {.tv_nsec = (long)arc4random_uniform(most_us) * 1000};
    ppoll(NULL, 0, &pause, NULL);
}

TEST_WITH(a_kill_at_any_moment_leaves_a_whole_one, begin_in_memory, remove_folder)
{
    size_t half_written = 0;
    struct cache *cache = filled_cache(KILLED_CELLS);
    assert_true(snapshot_write(&options, cache));
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        while (child == 0)
            snapshot_write(&options, cache);
        pause_randomly(20000);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        half_written += there(beside(".new"));
        check_restored(KILLED_CELLS, 0, 0);
    }
    cache_close(cache);
    assert_true(half_written > 0); /* some were killed in the act */
}

/* --- How long it takes --- */

/* The thread's own time, of which a busy machine takes nothing. */
static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

/* The longest call of cache_copy in one walk, which holds the lock for all but a moment of it. */
static double longest_hold_ms(struct cache *cache)
{
    static struct cache_record records[CACHE_BATCH];
    size_t cursor = 0, count;
    double longest = 0;
    for (bool more = true; more;) {
        double began = now_ms();
        more = cache_copy(cache, &cursor, records, &count);
        double took = now_ms() - began;
        longest = took > longest ? took : longest;
    }
    return longest;
}

IN_FOLDER(the_lock_is_held_shortly_and_many_cells_are_read_at_once)
{
    uint64_t counts[SNAPSHOT_RESULTS];
    double hold = 1e9, read = 1e9;
    struct cache *cache = filled_cache(MANY);
    assert_true(snapshot_write(&options, cache));
    for (int i = 0; i < ATTEMPTS && (hold > LOCK_LIMIT * SLOWER || i == 0); i++)
        hold = fmin(hold, longest_hold_ms(cache));
    cache_close(cache);
    for (int i = 0; i < ATTEMPTS && (read > READ_LIMIT * SLOWER || i == 0); i++) {
        cache = open_cache(MANY);
        double began = now_ms();
        snapshot_read(&options, cache, counts);
        read = fmin(read, now_ms() - began);
        cache_close(cache);
        check_counts(counts, MANY, 0, 0);
    }
    print_message("longest hold %.0f us, %d cells read in %.0f ms\n", 1000 * hold, MANY, read);
    assert_true(hold <= LOCK_LIMIT * SLOWER);
    assert_true(read <= READ_LIMIT * SLOWER);
}

int main(void)
{
    log_configure(&(struct log_options){.level = LOG_WARN}); /* a good reading is not news */
    return unit_run(NULL, NULL);
}
