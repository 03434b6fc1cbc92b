/* Database files and what may happen to them: absent, broken, of another kind, replaced, cut short under our
 * feet. Readers are served from what was loaded, a candidate replaces it whole or not at all. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>

#include "place/copy.h"
#include "place_rooms.h"
#include "threads.h"

#define RELOADS 10

static const char *const readers[] = {"192.0.2.1",    "198.51.100.1",   "203.0.113.97", "203.0.113.129",
                                      "203.0.113.49", "2001:db8:10::1", "8.8.8.8",      "2a00::1"};

/* Looks everyone up in a file that opened, though it should perhaps not have; what it says does not matter.
 */
static void read_everyone(const struct mmdb *db)
{
    for (size_t i = 0; i < COUNT(readers); i++) {
        struct address address = address_of(readers[i]);
        struct record record;
        if (mmdb_find(db, &address, "hi", &record)) {
            assert_true(strlen(record.city) < sizeof record.city);
            assert_true(!record.located || (record.latitude >= -90 && record.latitude <= 90));
        }
    }
}

/* --- Files --- */

static struct mmdb *open_copy(const char *path, const char *state_folder, char error[PLACE_ERROR_BYTES])
{
    int fd = copy_open(path, state_folder, error);
    struct mmdb *db = fd >= 0 ? mmdb_open(fd, path, error) : NULL;
    if (fd >= 0)
        close(fd);
    return db;
}

static void assert_refused(const char *path)
{
    char error[PLACE_ERROR_BYTES] = "";
    struct mmdb *db = open_copy(path, in_folder("state"), error);
    if (db || error[0] == '\0')
        fail_msg("%s: %s", path, db ? "opened" : "no reason given");
}

TEST(what_is_no_database_is_refused)
{
    assert_refused(in_folder("missing"));
    assert_refused("");
    assert_refused(folder);
    assert_refused("/dev/null");
    assert_refused("/dev/zero");
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_refused(in_folder("fifo")); /* at once, though nobody writes */
    write_string(in_folder("empty"), "");
    assert_refused(in_folder("empty"));
    write_string(in_folder("text"), "this is not a database\n");
    assert_refused(in_folder("text"));
    assert_int_equal(symlink(in_folder("missing"), in_folder("dangling")), 0);
    assert_refused(in_folder("dangling"));
    write_string(in_folder("metadata"), "\xab\xcd\xefMaxMind.com");
    assert_refused(in_folder("metadata"));
}

/* Opens the bundled database with this folder for its copy, and finds Mumbai in it. */
static struct mmdb *open_with_mumbai(const char *state_folder, struct record *record)
{
    char error[PLACE_ERROR_BYTES] = "";
    struct address mumbai = address_of("192.0.2.1");
    struct mmdb *db = open_copy(VISITORS, state_folder, error);
    assert_non_null(db);
    assert_true(mmdb_find(db, &mumbai, "en", record));
    assert_string_equal(record->city, "Mumbai");
    return db;
}

TEST(a_good_file_opens)
{
    struct record record;
    struct address nobody = address_of("8.8.8.8");
    struct mmdb *db = open_with_mumbai(in_folder("state"), &record);
    assert_int_equal(mmdb_facts(db)->built_s, 1767225600);
    assert_true(record.located && record.radius_km == 20 && !record.anycast);
    assert_int_equal(record.prefix_bits, 28);
    assert_false(mmdb_find(db, &nobody, "en", &record));
    mmdb_close(db);
    mmdb_close(NULL);
}

TEST(where_the_state_folder_takes_no_copy_memory_does)
{
    struct record record;
    mmdb_close(open_with_mumbai("/proc/nowhere", &record));
}

TEST(without_a_state_folder_the_file_itself_is_read)
{
    char error[PLACE_ERROR_BYTES];
    struct record record;
    mmdb_close(open_with_mumbai("", &record));
    assert_null(open_copy(in_folder("missing"), "", error));
    assert_null(open_copy(in_folder("fifo"), "", error));
}

TEST(nothing_is_left_in_the_state_folder)
{
    size_t count = 0;
    DIR *state_folder = opendir(in_folder("state"));
    assert_non_null(state_folder);
    for (const struct dirent *entry; (entry = readdir(state_folder));)
        count += entry->d_name[0] != '.';
    closedir(state_folder);
    assert_int_equal(count, 0);
}

/* --- Broken files: the first whole, then each cut and a few hundred corrupted --- */

static void open_variant(const char *bytes, size_t length, bool refuse)
{
    char error[PLACE_ERROR_BYTES] = "";
    write_bytes(in_folder("variant"), bytes, length);
    struct mmdb *db = open_copy(in_folder("variant"), in_folder("state"), error);
    if (refuse && db)
        fail_msg("opened, cut to %zu bytes", length);
    if (db)
        read_everyone(db);
    else
        assert_true(error[0] != '\0');
    mmdb_close(db);
}

TEST(a_file_cut_anywhere_is_refused_or_harmless)
{
    size_t length;
    char *bytes = read_file(VISITORS, &length);
    for (size_t cut = 0; cut < length; cut += cut < length - 400 ? 97 : 1)
        open_variant(bytes, cut, cut < length - 400); /* without its metadata for sure */
    free(bytes);
}

TEST(a_corrupted_file_is_refused_or_harmless)
{
    size_t length;
    char *bytes = read_file(VISITORS, &length);
    for (int i = 0; i < 400; i++) {
        size_t at = random_below(length);
        char was = bytes[at];
        bytes[at] = (char)random_below(256);
        open_variant(bytes, length, false);
        bytes[at] = was;
    }
    free(bytes);
}

/* --- A room --- */

RELOADING(in_place_damage_after_opening_reaches_nobody)
{
    struct place_options options = options_with(in_folder("victim.mmdb"));
    copy_file(VISITORS, options.databases[0]);
    reload(&options);
    assert_int_equal(truncate(options.databases[0], 0), 0);
    assert_string_equal(find_in(room, "192.0.2.1", "en").name, "Mumbai");
    write_string(options.databases[0], "overwritten");
    assert_string_equal(find_in(room, "198.51.100.17", "en").name, "London");
    unlink(options.databases[0]);
    assert_string_equal(find_in(room, "2001:db8:10::1", "en").name, "Mumbai");
}

RELOADING(the_same_database_again_is_no_second_witness)
{
    struct place_options options = options_with(in_folder("dbip.mmdb"));
    copy_file(VISITORS, options.databases[0]);
    strcpy(options.databases[options.database_count++], VISITORS);
    reload(&options);
    struct place_evidence evidence;
    assert_int_equal(explain_in(room, "192.0.2.1", "en", &evidence).verdict, PLACE_CITY);
    assert_int_equal(evidence.witness_count, 1);
    assert_string_equal(decided_by(&evidence), options.databases[0]);
}

TEST(a_missing_database_is_missing_not_fatal)
{
    struct place_options options = options_with(VISITORS);
    snprintf(options.databases[options.database_count++], PLACE_PATH_BYTES, "%s", in_folder("missing.mmdb"));
    struct places *places = places_open(&options);
    assert_non_null(places);
    assert_false(places_loaded(places));
    assert_verdict(places, "192.0.2.1", PLACE_CITY);
    assert_verdict(places, "8.8.8.8", PLACE_NO_DATABASE);
    assert_verdict(places, "10.0.0.1", PLACE_PRIVATE);
    assert_verdict(places, "224.0.0.1", PLACE_RESERVED);

    copy_file(VISITORS, options.databases[1]); /* it arrives */
    assert_true(places_changed(places));
    assert_true(places_reload(places, &options));
    assert_true(places_loaded(places));
    assert_verdict(places, "8.8.8.8", PLACE_NOT_FOUND);
    places_close(places);
}

RELOADING(a_reload_is_all_or_nothing)
{
    struct place_options options = options_with(VISITORS);
    static const char *const broken[] = {"missing.mmdb", "text", "empty", "fifo", "."};
    for (size_t i = 0; i < COUNT(broken); i++) {
        options.max_radius_km = 1;
        options.database_count = 2;
        set_home(&options);
        snprintf(options.databases[1], PLACE_PATH_BYTES, "%s", in_folder(broken[i]));
        unlink(in_folder("missing.mmdb"));
        assert_false(places_reload(room, &options));
        assert_true(places_loaded(room));
        assert_verdict(room, "192.0.2.1", PLACE_CITY); /* the old radius */
        assert_int_equal(find_in(room, "10.0.0.1", "en").source, PLACE_FROM_NONE);
    }
    options.database_count = 1;
    assert_true(places_reload(room, &options));
    assert_verdict(room, "192.0.2.1", PLACE_TOO_VAGUE);
    assert_int_equal(find_in(room, "10.0.0.1", "en").source, PLACE_FROM_HOME);
}

/* A FIFO in its place would hold the start, and a link would lead out of the folder. */
RELOADING(a_kept_survey_that_is_no_file_is_passed_over)
{
    struct place_options options = options_with(VISITORS);
    char name[PLACE_PATH_BYTES + 64];
    uint32_t hash = UINT32_C(2166136261);
    for (const char *at = VISITORS; *at; at++)
        hash = (hash ^ (uint8_t)*at) * UINT32_C(16777619);
    snprintf(name, sizeof name, "%s/visitors.mmdb-%08x.survey", options.state, hash);
    assert_int_equal(mkfifo(name, 0600), 0);
    reopen(&options); /* at once, though nobody writes */
    assert_verdict(room, "192.0.2.1", PLACE_CITY);
    unlink(name);
    assert_int_equal(symlink("/dev/zero", name), 0);
    reopen(&options);
    assert_verdict(room, "192.0.2.1", PLACE_CITY);
    unlink(name);
}

/* Sets a file's time of modification, in seconds. */
static void touch(const char *path, time_t at_s)
{
    const struct timespec times[2] = {{.tv_sec = at_s}, {.tv_sec = at_s}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

RELOADING(changes_are_noticed_once)
{
    struct place_options options = options_with(in_folder("watched.mmdb"));
    const char *path = options.databases[0];
    copy_file(VISITORS, path);
    touch(path, 1000);
    reload(&options);
    assert_false(places_changed(room));

    touch(path, 2000);
    assert_true(places_changed(room));
    assert_false(places_changed(room));
    copy_file(VISITORS, in_folder("next.mmdb")); /* another inode, same size and time */
    touch(in_folder("next.mmdb"), 2000);
    assert_int_equal(rename(in_folder("next.mmdb"), path), 0);
    assert_true(places_changed(room));
    assert_false(places_changed(room));
    assert_int_equal(truncate(path, 100), 0);
    touch(path, 2000);
    assert_true(places_changed(room));
    assert_false(places_reload(room, &options)); /* broken: tried once, not at each look */
    assert_false(places_changed(room));
    unlink(path); /* no reason to reload */
    assert_false(places_changed(room));
    assert_false(places_changed(room));
    assert_string_equal(find_in(room, "192.0.2.1", "en").name, "Mumbai");
    copy_file(VISITORS, path);
    assert_true(places_changed(room));
    assert_true(places_reload(room, &options));
    assert_false(places_changed(room));
}

/* --- Threads --- */

static atomic_bool reloaded_enough;
static atomic_int wrongs;

static void *look_up(void *argument)
{
    const struct address mumbai = address_of("192.0.2.1");
    while (!reloaded_enough) {
        struct place place;
        places_find(room, &mumbai, NULL, "en", &place, NULL);
        wrongs += place.verdict != PLACE_CITY || strcmp(place.name, "Mumbai") != 0;
        wrongs += !places_loaded(room);
    }
    return argument;
}

static int failures;

static void reload_often(void)
{
    struct place_options good = options_with(VISITORS), bad = options_with(in_folder("nothing"));
    for (int i = 0; i < RELOADS; i++)
        failures += !places_reload(room, &good) + places_reload(room, &bad);
    reloaded_enough = true;
}

TEST(lookups_go_on_while_databases_are_replaced)
{
    run_threads(look_up, 3, reload_often);
    assert_int_equal(failures, 0);
    assert_int_equal(wrongs, 0);
}

int main(int argc, char **argv)
{
    IF_VALIDATOR(argc, argv);
    return unit_run(open_room, close_room);
}
