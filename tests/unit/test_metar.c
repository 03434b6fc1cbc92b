/* The world's airport reports: the file as it is in all its oddities, the newest report of each station, the
 * weather that it says; and whatever else comes under its name, which must do no harm. */
#include "unit.h"

#include <math.h>
#include <zlib.h>

#include "base/clock.h"
#include "weather/earth/metar.h"

#define NOW_TEXT "2026-09-16T10:12:00Z"

/* The header of the live file, all 44 columns of it. */
#define HEADER                                                                                               \
    "raw_text,station_id,observation_time,latitude,longitude,temp_c,dewpoint_c,wind_dir_degrees,wind_speed_" \
    "kt,"                                                                                                    \
    "wind_gust_kt,visibility_statute_mi,altim_in_hg,sea_level_pressure_mb,corrected,auto,auto_station,"      \
    "maintenance_indicator_on,no_signal,lightning_sensor_off,freezing_rain_sensor_off,"                      \
    "present_weather_sensor_off,wx_string,sky_cover,cloud_base_ft_agl,sky_cover,cloud_base_ft_agl,sky_"      \
    "cover,"                                                                                                 \
    "cloud_base_ft_agl,sky_cover,cloud_base_ft_agl,flight_category,three_hr_pressure_tendency_mb,maxT_c,"    \
    "minT_c,maxT24hr_c,minT24hr_c,precip_in,pcp3hr_in,pcp6hr_in,pcp24hr_in,snow_in,vert_vis_ft,metar_type,"  \
    "elevation_m\n"

/* A line of it with what matters; `wx_sky`: wx_string and the four pairs of sky_cover and cloud_base_ft_agl.
 */
#define LINE(raw, id, time, place, celsius, wx_sky, height)                                           \
    "\"" raw "\"," id "," time "," place "," celsius ",9,100,6,,2,29.86,,,TRUE,TRUE,,,TRUE,,," wx_sky \
    ",VFR,,,,,,,,,,,,METAR," height "\n"
#define NO_WX_SKY ",,,,,,,,"

static int64_t at(const char *text)
{
    int64_t unix_s;
    assert_true(clock_parse(text, &unix_s));
    return unix_s;
}

static struct metar_file file;

/* Reads from memory of exactly that size, so that a sanitizer sees what is read beyond it. */
static const char *read_bytes(const char *bytes, size_t length)
{
    char *copy = malloc(length + !length);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    metar_free(&file);
    const char *problem = metar_read(copy, length, at(NOW_TEXT), &file);
    free(copy);
    return problem;
}

static void read_text(const char *text)
{
    const char *problem = read_bytes(text, strlen(text));
    if (problem)
        fail_msg("%s", problem);
}

static const struct station_report *report(const char *id)
{
    for (size_t i = 0; i < file.count; i++)
        if (strcmp(file.reports[i].id, id) == 0)
            return &file.reports[i];
    return NULL;
}

static int close_file(void **state)
{
    (void)state;
    metar_free(&file);
    return 0;
}

#define READING(name) TEST_WITH(name, NULL, close_file)

/* Rows as the live file had them, and one as it was until 2023. */
static const char live[] = HEADER
    "\"SPECI PAVD 161007Z AUTO 10006KT 2SM -RA BR SCT002 BKN022 OVC027 09/09 A2986 RMK AO2 VIS 1 1/2V2 1/2 "
    "P0001 "
    "TSNO "
    "$\",PAVD,2026-09-16T10:07:00.000Z,61.1330,-146.2510,9,9,100,6,,2,29.86,,,TRUE,TRUE,TRUE,,TRUE,,,-RA "
    "BR,SCT,200,BKN,2200,OVC,2700,,,IFR,,,,,,0.01,,,,,,SPECI,21\n"
    "\"METAR EGLL 161010Z AUTO 24008KT 9999 SCT037 20/12 Q1017 NOSIG\",EGLL,2026-09-16T10:10:00.000Z,51.4780,"
    "-0.4610,20,12,240,8,,6+,30.03,1017,,TRUE,,,TRUE,,,,,SCT,3700,,,,,,,VFR,,,,,,,,,,,,METAR,25\n"
    "\"METAR KQEQ 161000Z AUTO 00000KT 10SM CLR 25/12 "
    "A2998\",KQEQ,2026-09-16T10:00:00.000Z,-99.9900,-99.9900,25,"
    "12,0,0,,10,29.98,,,TRUE,,,,,,,,,,,,,,,,VFR,,,,,,,,,,,,METAR,9999\n"
    "\"METAR LFBT 161000Z AUTO 00000KT CAVOK 21/15 "
    "Q1018\",LFBT,2026-09-16T10:00:00.000Z,43.1890,,21,15,0,0,,6+,"
    "30.06,1018,,TRUE,,,,,,,,,,,,,,,,VFR,,,,,,,,,,,,METAR,359\n"
    "\"METAR SCIC 161000Z AUTO 13003KT //// R/////// // NCD 08/07 "
    "Q1024\",SCIC,2026-09-16T10:00:00.000Z,-35.0000,"
    "-71.2000,8,7,130,3,,,,1024,,TRUE,,,,,,,,,,,,,,,,null,,,,,,,,,,,,METAR,230\n"
    "\"SPECI KAWO 161004Z AUTO 00000KT 3/4SM BR VV002 09/09 A3020 RMK "
    "AO2\",KAWO,2026-09-16T10:04:00.000Z,48.1600,"
    "-122.1600,9,9,0,0,,0.75,30.2,,,TRUE,TRUE,,,,,,BR,OVX,200,,,,,,,LIFR,,,,,,,,,,,2,SPECI,42\n"
    "LSZR 120420Z VRB02KT CAVOK 09/08 Q1017 RMK "
    "A,LSZR,2022-09-12T04:20:00Z,47.48,9.57,9.0,8.0,0,2,,6.21,30.029528,"
    ",,,,,,,,,,CAVOK,,,,,,,,VFR,,,,,,,,,,,,METAR,396.0\n";

READING(rows_of_the_live_file)
{
    static const struct {
        const char *id, *observed;
        double latitude, longitude, celsius, height_m;
        int condition, oktas;
    } rows[] = {
        {"EGLL", "2026-09-16T10:10:00Z", 51.478, -0.461, 20, 25, 2, 4},
        {"KAWO", "2026-09-16T10:04:00Z", 48.16, -122.16, 9, 42, 3, 8},
        {"LSZR", "2022-09-12T04:20:00Z", 47.48, 9.57, 9, 396, 1, 1},
        {"PAVD", "2026-09-16T10:07:00Z", 61.133, -146.251, 9, 21, 61, 8},
        {"SCIC", "2026-09-16T10:00:00Z", -35, -71.2, 8, 230, METAR_NO_CONDITION, 0}, /* "//": nobody looks */
    };
    read_text(live);
    assert_int_equal(file.count, COUNT(rows));
    assert_int_equal(file.rows, 7);
    assert_int_equal(file.placeless, 2);
    assert_int_equal(file.malformed + file.early + file.beyond, 0);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct station_report *r = &file.reports[i]; /* by id */
        assert_string_equal(r->id, rows[i].id);
        assert_int_equal(r->observed_s, at(rows[i].observed));
        assert_true(fabs(r->latitude - rows[i].latitude) < 1e-4);
        assert_true(fabs(r->longitude - rows[i].longitude) < 1e-4);
        assert_true(r->celsius == (float)rows[i].celsius && r->height_m == (float)rows[i].height_m);
        assert_int_equal(r->condition, rows[i].condition);
        assert_int_equal(r->cloud_oktas, rows[i].oktas);
    }
}

READING(the_header_is_found_wherever_it_is)
{
    static const char *const before[] = {"",
                                         "No errors\nNo warnings\n4 ms\ndata source=metars\n5120 results\n",
                                         "\n\n",
                                         "a,b,c\r\n",
                                         "\xff\xfe\"\n",
                                         "station_id,latitude\n"};
    char text[sizeof live + 128];
    for (size_t i = 0; i < COUNT(before); i++) {
        snprintf(text, sizeof text, "%s%s", before[i], live);
        read_text(text);
        assert_int_equal(file.count, 5);
    }
    assert_non_null(read_bytes(live + sizeof HEADER - 1, sizeof live - sizeof HEADER));
    assert_non_null(read_bytes("", 0));
    assert_non_null(read_bytes("station_id,observation_time,latitude,longitude\n", 47)); /* no temperature */
    read_text(HEADER);
    assert_int_equal(file.count, 0);
}

READING(columns_are_found_by_name)
{
    read_text(
        "elevation_m,sky_cover,\"temp_c\",new,longitude,latitude,sky_cover,observation_time,station_id\r\n"
        "14,FEW,31,x,72.87,19.09,BKN,2026-09-16T10:10:00Z,VABB\r\n"
        "\r\n"
        "14,,31");
    assert_int_equal(file.count, 1);
    assert_int_equal(file.malformed, 2);
    const struct station_report *r = report("VABB");
    assert_true(r->latitude == 19.09f && r->longitude == 72.87f && r->celsius == 31 && r->height_m == 14);
    assert_int_equal(r->cloud_oktas, 6);
    assert_int_equal(r->condition, 2);
}

#define TIMED(time, celsius) LINE("METAR", "VABB", time, "19.09,72.87", celsius, NO_WX_SKY, "14")

READING(the_newest_report_counts)
{
    read_text(HEADER TIMED("2026-09-16T09:10:00.000Z", "28") TIMED("2026-09-16T10:10:00Z", "31")
                  TIMED("2026-09-16T10:15:00.000Z", "") TIMED("2026-09-16T10:12:00", "5")
                      TIMED("2026-09-16T10:22:01.000Z", "6") TIMED("2026-09-16T09:40:00.000Z", "29"));
    assert_int_equal(file.count, 1);
    assert_int_equal(file.early, 1);     /* ten minutes are believed */
    assert_int_equal(file.malformed, 2); /* no temperature; no zone */
    assert_true(report("VABB")->celsius == 31);
}

READING(fields_that_are_not_believed)
{
    static const struct {
        const char *line;
        size_t malformed, placeless;
    } rows[] = {
#define PLACED(place)  LINE("METAR", "VABB", "2026-09-16T10:10:00Z", place, "31", NO_WX_SKY, "14")
#define WARM(celsius)  LINE("METAR", "VABB", "2026-09-16T10:10:00Z", "19.09,72.87", celsius, NO_WX_SKY, "14")
#define NAMED(id)      LINE("METAR", id, "2026-09-16T10:10:00Z", "19.09,72.87", "31", NO_WX_SKY, "14")
#define OBSERVED(time) LINE("METAR", "VABB", time, "19.09,72.87", "31", NO_WX_SKY, "14")
        {PLACED("-99.9900,-99.9900"), 0, 1},
        {PLACED(","), 0, 1},
        {PLACED("19.09,"), 0, 1},
        {PLACED("0,0"), 0, 1},
        {PLACED("0.0000,-0.0000"), 0, 1},
        {PLACED("90.01,0"), 0, 1},
        {PLACED("5,180.5"), 0, 1},
        {PLACED("nan,72"), 0, 1},
        {PLACED("0x10,72"), 0, 1},
        {PLACED("1e1,72"), 0, 1},
        {PLACED("19.09 N,72"), 0, 1},
        {PLACED("90,180"), 0, 0},
        {PLACED("-90,-180"), 0, 0},
        {PLACED("0,9.4"), 0, 0}, /* on the equator */
        {WARM("-90.5"), 1, 0},
        {WARM("61"), 1, 0},
        {WARM("inf"), 1, 0},
        {WARM("M02"), 1, 0},
        {WARM("null"), 1, 0},
        {WARM("000000000000000000000000000031"), 1, 0},
        {WARM("-89.2"), 0, 0},
        {NAMED(""), 1, 0},
        {NAMED("VA"), 1, 0},
        {NAMED("VABBVABB"), 1, 0},
        {NAMED("vabb"), 1, 0},
        {NAMED("VA B"), 1, 0},
        {NAMED("K3L4"), 0, 0},
        {OBSERVED(""), 1, 0},
        {OBSERVED("2026-09-16 10:10:00Z"), 1, 0},
        {OBSERVED("2026-09-16T10:10:00+Z"), 1, 0},
        {OBSERVED("2026-02-30T10:10:00Z"), 1, 0},
        {OBSERVED("2026-09-16T10:10:00.123Z"), 0, 0},
    };
    char text[2048];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(text, sizeof text, "%s%s", HEADER, rows[i].line);
        read_text(text);
        if (file.malformed != rows[i].malformed || file.placeless != rows[i].placeless ||
            file.count != 1 - rows[i].malformed - rows[i].placeless)
            fail_msg("row %zu: %zu malformed, %zu without a place", i, file.malformed, file.placeless);
    }
}

READING(heights_that_nobody_knows)
{
    static const struct {
        const char *text;
        double height_m; /* NAN: not known */
    } rows[] = {{"14", 14}, {"-415", -415}, {"396.0", 396}, {"9999", NAN},
                {"", NAN},  {"-9999", NAN}, {"x", NAN}};
    char text[2048];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(text, sizeof text, "%s\"METAR\",VABB,2026-09-16T10:10:00Z,19.09,72.87,31%.38s%s\n", HEADER,
                 ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,", rows[i].text);
        read_text(text);
        double height_m = report("VABB")->height_m;
        assert_true(isnan(rows[i].height_m) ? isnan(height_m) : height_m == rows[i].height_m);
    }
}

READING(raw_texts_with_anything_in_them)
{
#define RAW(raw, id) LINE(raw, id, "2026-09-16T10:10:00Z", "19.09,72.87", "31", NO_WX_SKY, "14")
    read_text(
        HEADER RAW("METAR VABB, with, commas", "VABB") RAW("a \"\"quoted\"\" word, \"\"", "VIDP")
            RAW("S\xe3o Paulo \xff\xfe", "SBGR")
                RAW("", "VOBL") "\"no end,VECC,2026-09-16T10:10:00Z,22.6,88.4,30\n" RAW("after it", "VOMM"));
    assert_int_equal(file.count, 5);
    assert_int_equal(file.malformed, 1);
    assert_non_null(report("VIDP"));
    assert_non_null(report("SBGR"));
    assert_non_null(report("VOMM"));
}

READING(tenths_stand_in_remarks)
{
    static const struct {
        const char *raw;
        double celsius;
    } rows[] = {
        {"METAR KJFK 161010Z 31/20 A3001 RMK AO2 SLP161 T03130200", 31.3},
        {"METAR KJFK 161010Z 31/20 A3001 RMK AO2 T0308", 30.8},
        {"METAR KJFK 161010Z 31/20 A3001 RMK T10310200", 31}, /* 31 below zero: of something else */
        {"METAR KJFK 161010Z 31/20 A3001 RMK T0320", 31},     /* a whole degree off */
        {"METAR KJFK 161010Z 31/20 A3001 T03130200", 31},     /* no remark */
        {"METAR KJFK 161010Z 31/20 A3001 RMK T031 T03x3", 31},
        {"METAR KJFK 161010Z 31/20 A3001 RMK T3313", 31},
    };
    char text[2048];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(text, sizeof text, "%s\"%s\",KJFK,2026-09-16T10:10:00Z,40.64,-73.78,31\n", HEADER,
                 rows[i].raw);
        read_text(text);
        if (report("KJFK")->celsius != (float)rows[i].celsius)
            fail_msg("%s: %.2f", rows[i].raw, report("KJFK")->celsius);
    }
}

READING(the_sky_as_columns_or_raw_text_have_it)
{
    static const struct {
        const char *raw, *columns;
        int oktas, condition;
    } rows[] = {
        {"METAR VVTS 161000Z 9999 FEW020", ",FEW,2000,,,,,,", 2, 1},
        {"METAR VVTS 161000Z", ",SCT,2000,,,,,,", 4, 2},
        {"METAR VVTS 161000Z", ",FEW,2000,SCT,3000,BKN,9000,,", 6, 2},
        {"METAR VVTS 161000Z", ",BKN,2000,SCT,1000,OVC,900,,", 8, 3},
        {"METAR VVTS 161000Z", ",OVX,100,,,,,,", 8, 3},
        {"METAR VVTS 161000Z", ",CAVOK,,,,,,,", 1, 1},
        {"METAR VVTS 161000Z 9999 20/10", NO_WX_SKY, METAR_NO_CLOUD, METAR_NO_CONDITION}, /* not "VV" */
        {"METAR SCTE 161000Z 9999 20/10", NO_WX_SKY, METAR_NO_CLOUD, METAR_NO_CONDITION}, /* not "SCT" */
        {"METAR VVTS 161000Z CAVOK 20/10", NO_WX_SKY, 1, 1},
        {"METAR VVTS 161000Z 10SM CLR 20/10", NO_WX_SKY, 0, 0},
        {"METAR VVTS 161000Z 9999 SKC 20/10", NO_WX_SKY, 0, 0},
        {"METAR VVTS 161000Z 5000 NSC 20/10", NO_WX_SKY, 1, 1},
        {"METAR VVTS 161000Z AUTO 9999 NCD 20/10", NO_WX_SKY, 0, 0},
        {"METAR VVTS 161000Z AUTO 9999 // NCD 20/10", NO_WX_SKY, 0, METAR_NO_CONDITION},
        {"METAR VVTS 161000Z AUTO 10SM CLR 20/10 RMK AO1", NO_WX_SKY, 0, METAR_NO_CONDITION},
        {"METAR VVTS 161000Z AUTO 10SM CLR 20/10 RMK AO2 PWINO", NO_WX_SKY, 0, METAR_NO_CONDITION},
        {"METAR VVTS 161000Z 9999 20/10 BECMG SKC", NO_WX_SKY, METAR_NO_CLOUD, METAR_NO_CONDITION},
        {"METAR VVTS 161000Z 9999 20/10 TEMPO CAVOK RMK CLR", NO_WX_SKY, METAR_NO_CLOUD, METAR_NO_CONDITION},
    };
    char text[2048];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(text, sizeof text, "%s\"%s\",VVTS,2026-09-16T10:10:00Z,10.8,106.6,31,,,,,,,,,,,,,,,,%s\n",
                 HEADER, rows[i].raw, rows[i].columns);
        read_text(text);
        const struct station_report *r = report("VVTS");
        if (r->cloud_oktas != rows[i].oktas || r->condition != rows[i].condition)
            fail_msg("%s %s: %d oktas, code %d", rows[i].raw, rows[i].columns, r->cloud_oktas, r->condition);
    }
    snprintf(text, sizeof text,
             "%s\"METAR\",VVTS,2026-09-16T10:10:00Z,10.8,106.6,31,,,,,,,,,,,,,,,TRUE,,OVC,900\n", HEADER);
    read_text(text); /* present_weather_sensor_off */
    assert_int_equal(report("VVTS")->condition, METAR_NO_CONDITION);
}

READING(the_weather_as_its_groups_have_it)
{
    static const struct {
        const char *wx;
        int code;
    } rows[] = {
        {"", 2}, /* the sky's */
        {"-RA", 61},
        {"RA", 63},
        {"+RA", 65},
        {"-SHRA", 80},
        {"SHRA", 81},
        {"+SHRA", 82},
        {"-DZ", 51},
        {"DZ", 53},
        {"+DZ", 55},
        {"-RADZ", 61},
        {"-DZRA", 61},
        {"-SN", 71},
        {"SN", 73},
        {"+SN", 75},
        {"-SHSN", 85},
        {"SHSN", 85},
        {"+SHSN", 86},
        {"SG", 77},
        {"-RASN", 68},
        {"SNRA", 69},
        {"-SHRASN", 83},
        {"+SHSNRA", 84},
        {"-DZSN", 68},
        {"PL", 69},
        {"-PLRA", 68},
        {"-FZRA", 66},
        {"FZRA", 67},
        {"-FZDZ", 56},
        {"+FZDZ", 57},
        {"TS", 95},
        {"-TSRA", 95},
        {"+TSRAGR", 95},
        {"SHGS", 84},
        {"-GR", 83},
        {"FG", 45},
        {"FZFG", 48},
        {"BCFG", 2},
        {"MIFG", 2},
        {"PRFG", 2},
        {"BR", 2},
        {"HZ", METAR_HAZE},
        {"FU", METAR_SMOKE},
        {"DU", METAR_DUST},
        {"BLSA", METAR_DUST},
        {"+DS", METAR_DUST},
        {"DRDU", 2},
        {"DRSN", 2},
        {"BLSN", 2},
        {"-SN BLSN", 71},
        {"FG -RA", 61},
        {"RA FG", 63},
        {"BR HZ", METAR_HAZE},
        {"HZ FG", 45},
        {"FU HZ", METAR_SMOKE},
        {"-RA TS", 95},
        {"-DZ RA", 63},
        {"VCTS", 2},
        {"VCFG HZ", METAR_HAZE},
        {"RERA", 2},
        {"NSW", 2},
        {"UP", METAR_NO_CONDITION},
        {"-UP RA", 63},
        {"UP FG", METAR_NO_CONDITION},
        {"-", 2},
        {"+-RA", 2},
        {"R", 2},
        {"ra", 2},
        {"RAXX", 2},
        {"//", 2},
        {"   RA   ", 63},
    };
    char text[2048];
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(text, sizeof text,
                 "%s\"METAR\",VABB,2026-09-16T10:10:00Z,19.09,72.87,31,,,,,,,,,,,,,,,,%s,SCT,2000\n", HEADER,
                 rows[i].wx);
        read_text(text);
        if (report("VABB")->condition != rows[i].code)
            fail_msg("%s: code %d", rows[i].wx, report("VABB")->condition);
    }
}

/* ---- what must do no harm ---- */

static void check_harmless(void)
{
    for (size_t i = 0; i < file.count; i++) {
        const struct station_report *r = &file.reports[i];
        assert_true(strnlen(r->id, sizeof r->id) < sizeof r->id);
        assert_true(fabs(r->latitude) <= 90 && fabs(r->longitude) <= 180);
        assert_true(r->celsius >= -90 && r->celsius <= 60);
        assert_true(r->condition >= -1 && r->condition <= 99 && r->cloud_oktas >= -1 && r->cloud_oktas <= 8);
        assert_true(r->observed_s <= at(NOW_TEXT) + METAR_AHEAD_S);
    }
    assert_true(file.count + file.malformed + file.placeless + file.early + file.beyond <= file.rows);
}

static size_t pack(const char *bytes, size_t length, char *out, size_t size)
{
    z_stream stream = {.next_in = (unsigned char *)bytes,
                       .avail_in = (unsigned)length,
                       .next_out = (unsigned char *)out,
                       .avail_out = (unsigned)size};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

READING(a_plain_file_may_end_anywhere)
{
    for (size_t length = 0; length < sizeof live; length++)
        if (!read_bytes(live, length))
            check_harmless();
}

READING(any_byte_may_be_another)
{
    static char text[sizeof live];
    static const char others[] = {'\0', '\n', '"', ',', '9', '-', '\xff'};
    memcpy(text, live, sizeof text);
    for (size_t i = 0; i < sizeof live - 1; i++) {
        for (size_t o = 0; o < sizeof others; o++) {
            text[i] = others[o];
            if (!read_bytes(text, sizeof text - 1))
                check_harmless();
        }
        text[i] = live[i];
    }
}

READING(a_packed_file_is_whole_or_refused)
{
    static char packed[sizeof live];
    size_t length = pack(live, sizeof live - 1, packed, sizeof packed);
    assert_null(read_bytes(packed, length));
    assert_int_equal(file.count, 5);
    for (size_t i = 0; i < length; i++)
        assert_non_null(read_bytes(packed, i));
    for (size_t i = 0; i < length; i++)
        for (int bit = 0; bit < 8; bit++) {
            packed[i] ^= (char)(1 << bit);
            if (!read_bytes(packed, length)) /* some bits of the header tell nothing */
                assert_int_equal(file.count, 5);
            packed[i] ^= (char)(1 << bit);
        }
}

READING(a_bomb_is_refused)
{
    size_t length = METAR_FILE_MAX_BYTES, size = length / 100;
    char *spaces = malloc(length + 1), *packed = malloc(size);
    assert_non_null(spaces);
    assert_non_null(packed);
    memset(spaces, ' ', length + 1);
    memcpy(spaces, HEADER, sizeof HEADER - 1);
    assert_null(read_bytes(packed, pack(spaces, length, packed, size)));
    assert_non_null(read_bytes(packed, pack(spaces, length + 1, packed, size)));
    assert_null(read_bytes(spaces, length));
    assert_non_null(read_bytes(spaces, length + 1));
    free(spaces);
    free(packed);
}

READING(stations_beyond_the_ceiling_are_counted)
{
    size_t size = METAR_ROWS_MAX * 64, length = 0;
    char *text = malloc(size);
    assert_non_null(text);
    length += (size_t)snprintf(text, size, "station_id,observation_time,latitude,longitude,temp_c\n");
    for (unsigned i = 0; i < METAR_ROWS_MAX + 7; i++)
        length += (size_t)snprintf(text + length, size - length, "%05X,2026-09-16T10:10:00Z,1,%u,31\n",
                                   i % (METAR_STATIONS_MAX + 3), i % 180);
    assert_null(read_bytes(text, length));
    free(text);
    assert_int_equal(file.count, METAR_STATIONS_MAX);
    assert_int_equal(file.beyond, 7 + 3 * 3); /* of three stations three rows */
    check_harmless();
}

UNIT_MAIN(NULL, NULL)
