/* What is asked of GFS: the right run, the right file, the right bytes of it; and of what comes, nothing else
 * is taken. */
#include "unit.h"

#include "folder.h"
#include "weather/earth/gfs.h"

#define RUN_S 1780272000 /* 2026-06-01 00:00 */
#define HOUR  3600

static const char *find(const char *index, enum gfs_parameter parameter, int64_t file_bytes,
                        struct gfs_range *out)
{
    return gfs_find(index, strlen(index), parameter, RUN_S, 6, file_bytes, out);
}

/* As the files of 2026 have them. The averages are not wanted. */
static const char whole_index[] = "578:414216076:d=2026060100:TSOIL:1-2 m below ground:6 hour fcst:\n"
                                  "580:415216076:d=2026060100:TMP:2 m above ground:6 hour fcst:\n"
                                  "581:415724904:d=2026060100:SPFH:2 m above ground:6 hour fcst:\n"
                                  "582:416724904:d=2026060100:APTMP:2 m above ground:6 hour fcst:\n"
                                  "583:417300000:d=2026060100:TMP:0.1-0.4 m below ground:6 hour fcst:\n"
                                  "584:417400000:d=2026060100:TMP:2 m above ground:16 hour fcst:\n"
                                  "595:421161064:d=2026060100:PRATE:surface:6 hour fcst:\n"
                                  "596:421761064:d=2026060100:PRATE:surface:0-6 hour ave fcst:\n"
                                  "603:422085662:d=2026060100:CFRZR:surface:6 hour fcst:\n"
                                  "604:422086305:d=2026060100:CRAIN:surface:6 hour fcst:\n"
                                  "607:422230317:d=2026060100:CFRZR:surface:0-6 hour ave fcst:\n"
                                  "635:434583286:d=2026060100:TCDC:low cloud layer:0-6 hour ave fcst:\n"
                                  "636:435461286:d=2026060100:TCDC:entire atmosphere:6 hour fcst:\n"
                                  "637:436283889:d=2026060100:TCDC:entire atmosphere:0-6 hour ave fcst:\n"
                                  "639:437113679:d=2026060100:HGT:cloud ceiling:6 hour fcst:\n"
                                  "690.1:499000000:d=2026060100:UGRD:10 m above ground:6 hour fcst:\n"
                                  "690.2:499000000:d=2026060100:VGRD:10 m above ground:6 hour fcst:\n"
                                  "700:500000000:d=2026060100:HGT:surface:6 hour fcst:\n";

TEST(each_field_is_found_among_its_twins)
{
    static const struct gfs_range expected[GFS_PARAMETERS] = {
        [GFS_TEMPERATURE] = {415216076, 415724903},   [GFS_PRECIPITATION] = {421161064, 421761063},
        [GFS_FREEZING_RAIN] = {422085662, 422086304}, [GFS_CLOUD_COVER] = {435461286, 436283888},
        [GFS_OROGRAPHY] = {500000000, 500099999},
    };
    for (enum gfs_parameter i = 0; i < GFS_PARAMETERS; i++) {
        struct gfs_range range = {0};
        const char *fault = find(whole_index, i, 500100000, &range);
        if (fault)
            fail_msg("%d: %s", (int)i, fault);
        assert_int_equal(range.first, expected[i].first);
        assert_int_equal(range.last, expected[i].last);
    }
}

TEST(the_analysis_has_a_name_of_its_own)
{
    static const char index[] = "1:0:d=2026060100:TMP:2 m above ground:anl:\n2:99:d=2026060100:X:y:anl:\n";
    struct gfs_range range;
    assert_null(gfs_find(index, strlen(index), GFS_TEMPERATURE, RUN_S, 0, 0, &range));
    assert_int_equal(range.last, 98);
    assert_non_null(gfs_find(index, strlen(index), GFS_TEMPERATURE, RUN_S, 6, 0, &range));
}

#define TMP(number, offset) number ":" offset ":d=2026060100:TMP:2 m above ground:6 hour fcst:\n"
#define RH(number, offset)  number ":" offset ":d=2026060100:RH:2 m above ground:6 hour fcst:\n"

TEST(faults_of_an_index)
{
    static const struct {
        const char *index;
        int64_t file_bytes;
        const char *says;
    } rows[] = {
        {"", 0, "cut short"},
        {"\n", 0, "a line"},
        {"580:415216076:d=2026060100:TMP:2 m above ground:6 hour fcst:", 0, "cut short"},
        {TMP("1", "0"), 0, "cut short"},
        {TMP("1", "0") "2:500:d=20260601", 0, "cut short"},
        {TMP("1", "0") "2:500:d=20260601\n", 0, "a line"},
        {TMP("1", "0") RH("2", "99"), 50, "past the end"},
        {RH("1", "0") TMP("2", "99"), 99, "past the end"},
        {TMP("1", "100") RH("2", "99"), 0, "ascend"},
        {TMP("1", "100") RH("2", "100"), 0, "ascend"},
        {TMP("1", "100") RH("2", "200") RH("3", "150"), 0, "ascend"},
        {TMP("1", "100") TMP("2", "200") RH("3", "300"), 0, "twice"},
        {TMP("1", "0") RH("2", "2097153"), 0, "too long"},
        {TMP("1", "0"), 900000000, "too long"},
        {TMP("1", "-5") RH("2", "99"), 0, "a line"},
        {TMP("1", "0x5") RH("2", "99"), 0, "a line"},
        {TMP("1", "") RH("2", "99"), 0, "a line"},
        {TMP("", "0") RH("2", "99"), 0, "a line"},
        {TMP("1", "0") RH("2", "9999999999999999999999"), 0, "a line"},
        {RH("1", "0") RH("2", "99"), 0, "does not have it"},
        {"1:0:d=2026060106:TMP:2 m above ground:6 hour fcst:\n" RH("2", "9"), 0, "another run"},
        {"<html>\n", 0, "a line"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct gfs_range range = {-7, -7};
        const char *fault = find(rows[i].index, GFS_TEMPERATURE, rows[i].file_bytes, &range);
        if (!fault || !strstr(fault, rows[i].says))
            fail_msg("row %zu: %s, not %s", i, fault, rows[i].says);
        assert_int_equal(range.first, -7);
    }
    char *large = malloc(GFS_INDEX_MAX + 1);
    memset(large, '\n', GFS_INDEX_MAX + 1);
    assert_non_null(
        strstr(gfs_find(large, GFS_INDEX_MAX + 1, GFS_TEMPERATURE, RUN_S, 6, 0, NULL), "too long"));
    free(large);
}

/* Whatever is found lies within the file, and is a message's length. */
static void assert_sound(const char *index, size_t length)
{
    char *copy = malloc(length + 1); /* not a byte more, for the sanitizer */
    memcpy(copy, index, length);
    for (enum gfs_parameter i = 0; i < GFS_PARAMETERS; i++) {
        struct gfs_range range;
        if (gfs_find(copy, length, i, RUN_S, 6, 500100000, &range) == NULL) {
            assert_true(range.first >= 0 && range.first <= range.last && range.last < 500100000);
            assert_true(range.last - range.first < GRIB_MESSAGE_MAX);
        }
    }
    free(copy);
}

TEST(an_index_cut_or_changed_anywhere)
{
    char changed[sizeof whole_index];
    for (size_t length = 0; length < sizeof whole_index; length++)
        assert_sound(whole_index, length);
    for (size_t i = 0; i < 20000; i++) {
        memcpy(changed, whole_index, sizeof changed);
        for (size_t flips = 1 + random_below(3); flips > 0; flips--)
            changed[random_below(sizeof changed)] =
                (char)(random_below(4) ? '0' + random_below(11) : random_below(256));
        assert_sound(changed, sizeof changed - 1);
    }
}

TEST(the_run_that_can_be_there)
{
    assert_int_equal(gfs_run_s(RUN_S + GFS_SOONEST_S, 0), RUN_S);
    assert_int_equal(gfs_run_s(RUN_S + GFS_SOONEST_S - 1, 0), RUN_S - 6 * HOUR);
    assert_int_equal(gfs_run_s(RUN_S + 9 * HOUR, 0), RUN_S);
    assert_int_equal(gfs_run_s(RUN_S + 9 * HOUR, 2), RUN_S - 12 * HOUR);
    assert_int_equal(gfs_first_hour(RUN_S, RUN_S + 5 * HOUR - 1, 49), 4);
    assert_int_equal(gfs_first_hour(RUN_S, RUN_S + 5 * HOUR, 49), 5);
    assert_int_equal(gfs_first_hour(RUN_S, RUN_S + 72 * HOUR, 49), 72);
    assert_int_equal(gfs_first_hour(RUN_S, RUN_S + 73 * HOUR, 49), -1);
    assert_int_equal(gfs_first_hour(RUN_S, RUN_S - 1, 49), -1);
    assert_true(gfs_settled(RUN_S, RUN_S + 180));
    assert_false(gfs_settled(RUN_S, RUN_S + 179));
}

TEST(the_path_of_a_file)
{
    char path[GFS_PATH_BYTES];
    gfs_path(RUN_S, 6, false, path);
    assert_string_equal(path, "/gfs.20260601/00/atmos/gfs.t00z.pgrb2.0p25.f006");
    gfs_path(RUN_S + 18 * HOUR, 53, true, path);
    assert_string_equal(path, "/gfs.20260601/18/atmos/gfs.t18z.pgrb2.0p25.f053.idx");
    gfs_path(1767139200, 120, false, path);
    assert_string_equal(path, "/gfs.20251231/00/atmos/gfs.t00z.pgrb2.0p25.f120");
}

TEST(the_bytes_that_came_are_those_that_were_asked_for)
{
    size_t length;
    char *message = read_file("tests/service/gfs-2t-2p5deg.grib2", &length);
    struct gfs_range range = {1000, 999 + (int64_t)length};
    assert_null(gfs_message_fault(message, length, &range));
    assert_non_null(gfs_message_fault(message, length - 1, &range));
    range.last++;
    assert_non_null(gfs_message_fault(message, length, &range));
    range.last -= 2;
    assert_non_null(gfs_message_fault(message, length - 1, &range));
    free(message);
}

TEST(a_field_is_the_wanted_one_or_is_not)
{
    static const struct grib_field good = {.run_s = RUN_S, .hours = 6, .surface = 103, .surface_value = 2};
    struct grib_field field = good;
    assert_null(gfs_field_fault(&field, GFS_TEMPERATURE, RUN_S, 6));
    assert_string_equal(gfs_field_fault(&field, GFS_TEMPERATURE, RUN_S, 7), "of another hour");
    assert_string_equal(gfs_field_fault(&field, GFS_TEMPERATURE, RUN_S + 1, 6), "of another run");
    assert_string_equal(gfs_field_fault(&field, GFS_PRECIPITATION, RUN_S, 6), "of another parameter");
    field.number = 21; /* apparent temperature */
    assert_string_equal(gfs_field_fault(&field, GFS_TEMPERATURE, RUN_S, 6), "of another parameter");
    field = good;
    field.surface_value = 10;
    assert_string_equal(gfs_field_fault(&field, GFS_TEMPERATURE, RUN_S, 6), "of another surface");
    field.surface = 1;
    assert_string_equal(gfs_field_fault(&field, GFS_TEMPERATURE, RUN_S, 6), "of another surface");
}

UNIT_MAIN(NULL, NULL)
