/* A file of planes outlives whatever happens to who writes it, and of one that is damaged nothing damaged is
 * read. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "folder.h"
#include "weather/earth/planes.h"

#define COLUMNS 8
#define ROWS    5
#define WIDE    3
#define NARROW  2
#define PLANES  (WIDE + NARROW)
#define POINTS  (COLUMNS * ROWS)

static const struct planes_shape shape = {.run_s = 1780272000,
                                          .spacing_udeg = 45000000,
                                          .columns = COLUMNS,
                                          .rows = ROWS,
                                          .kind = 7,
                                          .wide = WIDE,
                                          .narrow = NARROW};

/* Values of a plane, as many bytes as it takes or more. */
static const void *values_of(size_t plane)
{
    static int16_t wide[POINTS];
    static uint8_t narrow[POINTS];
    for (size_t i = 0; i < POINTS; i++) {
        wide[i] = (int16_t)(1000 * plane + i);
        narrow[i] = (uint8_t)(100 * plane + i);
    }
    return plane < WIDE ? (const void *)wide : narrow;
}

static void assert_holds(const struct planes *planes, size_t plane)
{
    assert_true(planes_there(planes, plane));
    for (size_t i = 0; i < POINTS; i++)
        if (plane < WIDE)
            assert_int_equal(planes_wide(planes, plane, i / COLUMNS, i % COLUMNS),
                             (int16_t)(1000 * plane + i));
        else
            assert_int_equal(planes_narrow(planes, plane, i / COLUMNS, i % COLUMNS),
                             (uint8_t)(100 * plane + i));
}

static struct planes *begin(const char *path)
{
    char error[PLANES_ERROR_BYTES] = "";
    struct planes *planes = planes_begin(path, &shape, error);
    if (!planes)
        fail_msg("%s", error);
    return planes;
}

static struct planes *open_planes(const char *path)
{
    char error[PLANES_ERROR_BYTES] = "";
    struct planes *planes = planes_open(path, error);
    if (!planes)
        fail_msg("%s", error);
    return planes;
}

static void write_whole(const char *path)
{
    struct planes *planes = begin(path);
    for (size_t i = 0; i < PLANES; i++)
        assert_true(planes_put(planes, i, values_of(i)));
    assert_true(planes_finish(planes, path));
    planes_close(planes);
}

TEST(what_was_put_is_read)
{
    write_whole(in_folder("whole"));
    assert_false(there(in_folder("whole.new")));
    struct planes *planes = open_planes(in_folder("whole"));
    assert_memory_equal(planes_shape(planes), &shape, sizeof shape);
    for (size_t i = 0; i < PLANES; i++)
        assert_holds(planes, i);
    assert_false(planes_there(planes, PLANES));
    planes_close(planes);
}

TEST(a_plane_is_put_once)
{
    struct planes *planes = begin(in_folder("once"));
    assert_true(planes_put(planes, 1, values_of(1)));
    errno = 0;
    assert_false(planes_put(planes, 1, values_of(2)));
    assert_int_equal(errno, EEXIST);
    assert_false(planes_put(planes, PLANES, values_of(2)));
    assert_int_equal(errno, EINVAL);
    assert_holds(planes, 1);
    planes_close(planes);
}

TEST(another_process_goes_on_where_one_was_killed)
{
    pid_t child = fork();
    if (child == 0) {
        struct planes *planes = begin(in_folder("killed"));
        if (planes_put(planes, 0, values_of(0)) && planes_put(planes, 4, values_of(4)))
            raise(SIGKILL);
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct planes *planes = begin(in_folder("killed"));
    for (size_t i = 0; i < PLANES; i++) {
        assert_int_equal(planes_there(planes, i), i == 0 || i == 4);
        assert_int_equal(planes_put(planes, i, values_of(i)), !(i == 0 || i == 4));
    }
    assert_true(planes_finish(planes, in_folder("killed")));
    planes_close(planes);
    planes = open_planes(in_folder("killed"));
    for (size_t i = 0; i < PLANES; i++)
        assert_holds(planes, i);
    planes_close(planes);
}

TEST(a_file_in_the_making_is_read_as_far_as_it_is)
{
    struct planes *writer = begin(in_folder("part"));
    assert_true(planes_put(writer, 0, values_of(0)));
    struct planes *reader = open_planes(in_folder("part.new"));
    assert_true(planes_put(writer, 1, values_of(1)));
    assert_holds(reader, 0);
    assert_false(planes_there(reader, 1));
    assert_true(planes_finish(writer, in_folder("part")));
    planes_close(writer);
    assert_holds(reader, 0);
    planes_close(reader);
}

TEST(the_old_file_is_read_on_while_the_next_takes_its_place)
{
    write_whole(in_folder("file"));
    struct planes *old = open_planes(in_folder("file"));
    write_whole(in_folder("file"));
    assert_holds(old, 2);
    planes_close(old);
}

TEST(one_of_another_shape_is_begun_anew)
{
    struct planes_shape later = shape;
    char error[PLANES_ERROR_BYTES];
    struct planes *planes = begin(in_folder("shape"));
    assert_true(planes_put(planes, 0, values_of(0)));
    planes_close(planes);
    later.run_s += 21600;
    planes = planes_begin(in_folder("shape"), &later, error);
    assert_non_null(planes);
    assert_false(planes_there(planes, 0));
    planes_close(planes);
}

TEST(shapes_that_are_none)
{
    static const struct planes_shape bad[] = {
        {.spacing_udeg = 45000000, .columns = 8, .rows = 5},
        {.spacing_udeg = 45000000, .columns = 8, .rows = 5, .wide = 79, .narrow = 2},
        {.spacing_udeg = 45000000, .columns = 9, .rows = 5, .wide = 1},
        {.spacing_udeg = 45000000, .columns = 8, .rows = 4, .wide = 1},
        {.spacing_udeg = 0, .columns = 8, .rows = 5, .wide = 1},
        {.spacing_udeg = 0, .columns = 0, .rows = 0, .wide = 1},
        {.spacing_udeg = 180000, .columns = 2000, .rows = 1001, .wide = 1},
        {.run_s = -1, .spacing_udeg = 45000000, .columns = 8, .rows = 5, .wide = 1},
        {.run_s = INT64_MAX, .spacing_udeg = 45000000, .columns = 8, .rows = 5, .wide = 1},
        {.spacing_udeg = 45000000, .columns = 8, .rows = 5, .wide = 1, .reserved = 1},
    };
    char error[PLANES_ERROR_BYTES];
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(planes_shape_valid(&bad[i]));
        assert_null(planes_begin(in_folder("none"), &bad[i], error));
    }
    assert_true(planes_shape_valid(&shape));
}

/* Opens bytes as a file; where that succeeds, what counts as there is as it was written. */
static bool opens_soundly(const char *bytes, size_t length)
{
    char error[PLANES_ERROR_BYTES] = "";
    write_bytes(in_folder("damaged"), bytes, length);
    struct planes *planes = planes_open(in_folder("damaged"), error);
    if (!planes) {
        assert_true(error[0] != '\0');
        return false;
    }
    assert_memory_equal(planes_shape(planes), &shape, sizeof shape);
    for (size_t i = 0; i < PLANES; i++)
        if (planes_there(planes, i))
            assert_holds(planes, i);
    planes_close(planes);
    return true;
}

TEST(a_file_cut_or_changed_anywhere)
{
    size_t length;
    write_whole(in_folder("whole"));
    char *bytes = read_file(in_folder("whole"), &length);
    assert_int_equal(length, 4096 + POINTS * (2 * WIDE + NARROW));
    assert_true(opens_soundly(bytes, length));
    for (size_t count = 0; count < length; count += count < 600 ? 7 : 61)
        assert_false(opens_soundly(bytes, count));
    for (size_t i = 0; i < length; i++) {
        bool header = i < 440, gap = i >= 440 && i < 4096;
        if (gap && i % 64 != 0)
            continue;
        bytes[i] ^= (char)(1 << random_below(8));
        assert_int_equal(opens_soundly(bytes, length), !header);
        bytes[i] = (char)(bytes[i] ^ 0x55); /* and in its place something else entirely */
        opens_soundly(bytes, length);
        free(bytes);
        bytes = read_file(in_folder("whole"), &length);
    }
    free(bytes);
}

TEST(what_is_no_file_is_no_file)
{
    char error[PLANES_ERROR_BYTES];
    assert_null(planes_open(in_folder("missing"), error));
    assert_null(planes_open(folder, error));
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    assert_null(planes_open(in_folder("pipe"), error));
    assert_int_equal(symlink(in_folder("whole"), in_folder("link")), 0);
    assert_null(planes_open(in_folder("link"), error));
    assert_null(planes_begin(in_folder("no/such/folder"), &shape, error));
    assert_string_equal(error, "No such file or directory");
}

TEST(where_there_is_no_room_nothing_is_left)
{
    struct rlimit old, little = {1000, 1000};
    char error[PLANES_ERROR_BYTES];
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    little.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &little);
    struct planes *planes = planes_begin(in_folder("full"), &shape, error);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_null(planes);
    assert_string_equal(error, strerror(EFBIG));
    assert_false(there(in_folder("full.new")));
}

UNIT_MAIN(make_folder, remove_folder)
