/* Time zones: offsets at instants, and files that are anything. */
#include "unit.h"

#include "base/log.h"
#include "place/zone.h"

#include <time.h>

#include "capture.h"
#include "folder.h"

static struct zones *zones; /* of this system */

static int open_zones(void **state)
{
    (void)state;
    zones = zones_open(ZONES_FOLDER);
    return zones ? 0 : -1;
}

static int close_zones(void **state)
{
    (void)state;
    zones_close(zones);
    return 0;
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
    struct tm time = {
        .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};
    return timegm(&time);
}

static void check(const struct zones *in, const char *name, int64_t unix_s, int32_t expected)
{
    int32_t offset_s = -1;
    if (!zones_offset(in, name, unix_s, &offset_s) || offset_s != expected)
        fail_msg("%s at %lld: %d, expected %d", name, (long long)unix_s, offset_s, expected);
}

TEST(offsets_are_those_of_the_instant)
{
    static const struct {
        const char *name;
        int year, month, day, hour, minute, offset_s;
    } rows[] = {
        {"Asia/Kolkata", 2026, 1, 31, 9, 30, 19800},
        {"Asia/Calcutta", 2026, 7, 1, 0, 0, 19800},
        {"Asia/Kathmandu", 2026, 1, 1, 0, 0, 20700},
        {"Pacific/Chatham", 2026, 1, 31, 0, 0, 49500},
        {"Pacific/Chatham", 2026, 7, 1, 0, 0, 45900},
        {"Etc/GMT-14", 2026, 1, 1, 0, 0, 50400},
        {"Europe/Berlin", 2026, 3, 29, 0, 59, 3600},
        {"Europe/Berlin", 2026, 3, 29, 1, 0, 7200},
        {"Europe/Berlin", 2026, 10, 25, 0, 59, 7200},
        {"Europe/Berlin", 2026, 10, 25, 1, 0, 3600},
        {"America/New_York", 2026, 3, 8, 6, 59, -18000},
        {"America/New_York", 2026, 3, 8, 7, 0, -14400},
        {"Australia/Lord_Howe", 2026, 1, 1, 0, 0, 39600},
        {"Australia/Lord_Howe", 2026, 7, 1, 0, 0, 37800},
        {"UTC", 1970, 1, 1, 0, 0, 0},
        {"Asia/Tokyo", 9999, 12, 31, 22, 30, 32400},
        {"America/Sao_Paulo", 2099, 1, 1, 0, 0, -10800},
        {"Africa/Casablanca", 2026, 6, 1, 0, 0, 3600},
        {"Europe/Dublin", 2050, 1, 15, 0, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check(zones, rows[i].name, at(rows[i].year, rows[i].month, rows[i].day, rows[i].hour, rows[i].minute),
              rows[i].offset_s);
}

/* The C library reads the same files. */
TEST(the_c_library_agrees)
{
    static const char *const names[] = {"Asia/Kolkata",    "Europe/London",    "America/St_Johns",
                                        "Pacific/Chatham", "America/Santiago", "Africa/Cairo",
                                        "Asia/Tehran",     "Antarctica/Troll"};
    for (size_t i = 0; i < COUNT(names); i++) {
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = 0; t < INT64_C(2100000000); t += 86400 * 5 + 3333) {
            struct tm local;
            time_t time = t;
            localtime_r(&time, &local);
            check(zones, names[i], t, (int32_t)local.tm_gmtoff);
        }
    }
    unsetenv("TZ");
}

/* In 2026 clocks are changed in most of these, also at midnight (Beirut, Santiago, Havana), by half an hour
 * (Lord Howe), and on two days a year that move (Casablanca). */
TEST(a_day_is_all_instants_of_a_date)
{
    static const char *const names[] = {"Asia/Kolkata",        "Asia/Kathmandu",    "Europe/Berlin",
                                        "America/St_Johns",    "Asia/Beirut",       "America/Santiago",
                                        "America/Havana",      "Africa/Cairo",      "Pacific/Chatham",
                                        "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"};
    size_t long_days = 0, short_days = 0;
    for (size_t i = 0; i < COUNT(names); i++) {
        setenv("TZ", names[i], 1);
        tzset();
        int64_t first_s = at(2026, 1, 1, 0, 0), begin_s, end_s;
        for (int64_t t = first_s; t < first_s + INT64_C(365) * 86400; t += 7 * 3600 + 59 * 60) {
            assert_true(zones_day(zones, names[i], t, &begin_s, &end_s));
            const int64_t instants[] = {begin_s - 1, begin_s, t, end_s - 1, end_s};
            struct tm local[COUNT(instants)];
            for (size_t k = 0; k < COUNT(instants); k++)
                localtime_r(&(time_t){instants[k]}, &local[k]);
            if (local[0].tm_yday == local[2].tm_yday || local[1].tm_yday != local[2].tm_yday ||
                local[3].tm_yday != local[2].tm_yday || local[4].tm_yday == local[2].tm_yday)
                fail_msg("%s at %lld: %lld to %lld", names[i], (long long)t, (long long)begin_s,
                         (long long)end_s);
            long_days += end_s - begin_s > 86400;
            short_days += end_s - begin_s < 86400;
        }
    }
    assert_true(long_days >= 18 && short_days >= 18);
    unsetenv("TZ");
    assert_false(zones_day(zones, "Asia/Atlantis", at(2026, 1, 1, 0, 0), &(int64_t){0}, &(int64_t){0}));
    assert_false(zones_day(zones, "Asia/Kolkata", -1, &(int64_t){0}, &(int64_t){0}));
}

TEST(names_that_are_none)
{
    static const char *const names[] = {
        "",
        "Asia",
        "Asia/",
        "asia/kolkata",
        "../../etc/passwd",
        "/usr/share/zoneinfo/UTC",
        "posix/UTC",
        "right/UTC",
        "tzdata.zi",
        "zone.tab",
        "Asia/Kolkata\n",
        "\xff\xfe",
        "<script>",
        "Asia//Kolkata",
        "./Asia/Kolkata",
        "Asia/Kolkata/Asia/Kolkata/Asia/Kolkata/Asia/Kolkata/Asia/Kolkata",
    };
    int32_t offset_s;
    for (size_t i = 0; i < COUNT(names); i++)
        if (zones_known(zones, names[i]) || zones_offset(zones, names[i], 1769851800, &offset_s))
            fail_msg("'%s' is a zone", names[i]);
    assert_true(zones_known(zones, "Asia/Kolkata"));
    assert_in_range(zones_count(zones), 400, 1000);
    assert_false(zones_offset(zones, "Asia/Kolkata", -1, &offset_s));
    check(zones, "Asia/Kolkata", INT64_MAX, 19800);
    assert_false(zones_offset(zones, "Asia/Kolkata", INT64_MIN, &offset_s));
}

/* --- Files --- */

static void put(FILE *file, int64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--)
        fputc((int)(value >> 8 * i & 0xff), file);
}

/* A file of version 2 as the slim ones are: an empty first part, changes at 1000 and 2000 of 64 bits, a rule.
 */
static size_t slim(char bytes[512], const char *rule)
{
    FILE *file = fmemopen(bytes, 512, "w");
    for (int part = 0; part < 2; part++) {
        fprintf(file, "TZif2");
        for (int i = 0; i < 15; i++)
            fputc(0, file);
        const int counts[] = {0, 0, 0, part ? 2 : 0, part ? 2 : 1, 4};
        for (int i = 0; i < 6; i++)
            put(file, counts[i], 4);
        for (int i = 1; part && i <= 2; i++)
            put(file, 1000 * i, 8);
        for (int i = 0; part && i < 2; i++)
            put(file, 1 - i, 1);
        for (int type = 0; type <= part; type++) {
            put(file, 3600 * (type + 1), 4);
            put(file, 0, 2);
        }
        put(file, 0, 4);
    }
    fprintf(file, "\n%s\n", rule);
    size_t length = (size_t)ftell(file);
    fclose(file);
    return length;
}

static struct zones *open_file(const char *bytes, size_t length)
{
    write_bytes(in_folder("zone"), bytes, length);
    return zones_open(folder);
}

TEST_WITH(a_slim_file_is_read_where_no_summer_time_goes_on, make_folder, remove_folder)
{
    static const char *const rules[] = {"<-03>3", "", "CET", "CET-1CEST,M3.5.0,M10.5.0/3",
                                        "IST-1GMT0,M10.5.0,M3.5.0/1"};
    log_configure(&(struct log_options){.level = LOG_ERROR}); /* that there is no zone */
    for (size_t i = 0; i < COUNT(rules); i++) {
        char bytes[512];
        struct zones *own = open_file(bytes, slim(bytes, rules[i]));
        bool goes_on = strchr(rules[i], ',');
        assert_int_equal(zones_count(own), goes_on ? 0 : 1);
        for (size_t j = 0; j < 4 && !goes_on; j++) {
            static const int32_t seconds[] = {999, 1000, 1999, 2000}, offsets[] = {3600, 7200, 7200, 3600};
            check(own, "zone", seconds[j], offsets[j]);
        }
        zones_close(own);
    }
}

TEST_WITH(truncated_and_garbled_files_do_no_harm, make_folder, remove_folder)
{
    char bytes[512], wrong[512];
    size_t length = slim(bytes, "CET-1");
    int32_t offset_s;
    log_configure(&(struct log_options){.level = LOG_ERROR}); /* that there is no zone */
    for (size_t cut = 0; cut + strlen("\nCET-1\n") < length; cut++) {
        struct zones *own = open_file(bytes, cut);
        if (zones_offset(own, "zone", 1769851800, &offset_s))
            fail_msg("cut at %zu of %zu", cut, length);
        zones_close(own);
    }
    for (size_t i = 0; i < length; i++)
        for (size_t j = 0; j < 5; j++) {
            static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
            memcpy(wrong, bytes, length);
            wrong[i] = (char)values[j];
            struct zones *own = open_file(wrong, length);
            if (zones_offset(own, "zone", 1769851800, &offset_s))
                assert_in_range(offset_s + 100 * 3600, 1, 200 * 3600);
            zones_close(own);
        }
}

TEST_WITH(a_folder_without_zones_is_said_once, make_folder, remove_folder)
{
    char said[512];
    int32_t offset_s;
    log_configure(&(struct log_options){.level = LOG_INFO});
    struct capture log = capture_begin(STDERR_FILENO);
    struct zones *none = zones_open(in_folder("none"));
    capture_end(&log, said, sizeof said);
    assert_non_null(none);
    assert_int_equal(zones_count(none), 0);
    assert_false(zones_offset(none, "Asia/Kolkata", 0, &offset_s));
    assert_non_null(strstr(said, "no time zones"));
    zones_close(none);
}

UNIT_MAIN(open_zones, close_zones)
