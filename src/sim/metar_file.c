#include "sim/metar_file.h"

#include "base/clock.h"
#include "base/embed.h"
#include "base/span.h"
#include "synthetic/synthetic_weather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

EMBED(metar_airports, "data/airports.tsv");

#define AIRPORTS_MAX   512
#define MINUTE_S       60
#define NEWEST_MINUTES 3  /* a report takes as long to be published */
#define OLDEST_MINUTES 83 /* and stays for eighty minutes */
#define OLD_BY_S       (10 * 86400)
#define ODD_EVERY      3 /* every third station is the odd one, from the second on */
#define STUCK_CELSIUS  55
#define WARM_K         6
#define LAPSE_K_PER_M  0.0065
#define LAPSE_FROM_M   100.0
#define LAPSE_TO_M     1500.0

struct airport {
    char id[5];
    float latitude, longitude, height_m; /* NAN: not known */
};

double metar_file_celsius(double latitude, double longitude, double height_m, int64_t unix_s)
{
    double climb = height_m > LAPSE_FROM_M ? fmin(height_m, LAPSE_TO_M) : 0;
    return synthetic_celsius(latitude, longitude, unix_s) - LAPSE_K_PER_M * climb;
}

/* ---- the stations ---- */

static float number_of(struct span span)
{
    char text[16] = "";
    memcpy(text, span.bytes, span.length < sizeof text ? span.length : sizeof text - 1);
    return strtof(text, NULL);
}

/* Fills in those of the table, and two of which the position is not known, or half of it. */
static size_t read_airports(struct airport airports[AIRPORTS_MAX])
{
    struct span rest = span_between(metar_airports, metar_airports_end), line, field[4];
    size_t count = 0;
    airports[count++] = (struct airport){"KQEQ", NAN, NAN, NAN};
    airports[count++] = (struct airport){"LFBT", 43.189f, NAN, 359};
    while (count < AIRPORTS_MAX && span_cut(&rest, '\n', &line)) {
        for (size_t i = 0; i < 4; i++)
            span_cut(&line, '\t', &field[i]);
        if (field[0].length != 4 || field[0].bytes[0] == '#')
            continue;
        struct airport *airport = &airports[count++];
        *airport = (struct airport){.latitude = number_of(field[1]), .longitude = number_of(field[2])};
        airport->height_m = number_of(field[3]);
        memcpy(airport->id, field[0].bytes, 4);
        if (count % 40 == 0 && airport->height_m <= LAPSE_FROM_M)
            airport->height_m = NAN;
    }
    return count;
}

/* Stations in the USA report seven minutes before the hour, others at each half, or twenty minutes past it.
 */
static bool reports_at(const struct airport *airport, int64_t minute)
{
    bool late = (airport->id[2] + airport->id[3]) % 4 == 0;
    return airport->id[0] == 'K' ? minute % 60 == 53 : minute % 30 == (late ? 20 : 0);
}

/* ---- a report ---- */

struct report {
    const struct airport *airport;
    int64_t at_s;
    enum corruption corruption;
    bool odd;
    double celsius; /* as measured, before it is rounded */
    const char *weather, *sky;
};

/* How a station says the codes of the synthetic weather; without a sky it says so in the raw text only. */
static const struct {
    int code;
    const char *weather, *sky;
} words[] = {
    {0, "", ""},          {1, "", "FEW"},       {2, "", "SCT"},          {3, "", "OVC"},
    {45, "FG", "OVX"},    {48, "FZFG", "OVX"},  {51, "-DZ", "OVC"},      {53, "DZ BR", "OVC"},
    {55, "+DZ", "OVC"},   {56, "-FZDZ", "OVC"}, {57, "FZDZ", "OVC"},     {61, "-RA", "OVC"},
    {63, "RA BR", "OVC"}, {65, "+RA", "OVC"},   {66, "-FZRA", "OVC"},    {67, "FZRA", "OVC"},
    {71, "-SN", "OVC"},   {73, "SN", "OVC"},    {75, "+SN BLSN", "OVC"}, {77, "SG", "OVC"},
    {80, "-SHRA", "BKN"}, {81, "SHRA", "BKN"},  {82, "+SHRA", "BKN"},    {85, "SHSN", "BKN"},
    {86, "+SHSN", "BKN"}, {95, "TSRA", "BKN"},  {96, "-TSRA", "BKN"},    {99, "+TSRAGR BR", "OVC"},
};

static bool is_placed(const struct airport *airport)
{
    return !isnan(airport->latitude) && !isnan(airport->longitude);
}

static double celsius_of(const struct report *r)
{
    const struct airport *airport = r->airport;
    if (r->corruption == COLD || (r->corruption == STUCK && r->odd))
        return r->corruption == COLD ? -300 : STUCK_CELSIUS;
    if (!is_placed(airport))
        return 20;
    return metar_file_celsius(airport->latitude, airport->longitude, airport->height_m, r->at_s) +
           (r->corruption == WARM ? WARM_K : 0);
}

static void say_weather(struct report *r)
{
    const struct airport *airport = r->airport;
    int code =
        is_placed(airport) ? synthetic_weather_code(airport->latitude, airport->longitude, r->at_s) : 0;
    size_t i = 0;
    while (words[i].code < code)
        i++;
    r->weather = r->corruption == HAZY ? "HZ" : words[i].weather;
    r->sky = r->corruption == HAZY ? "" : words[i].sky;
}

/* ---- its columns ---- */

/* Quoted, as it was not until 2023; now and then it holds what a reader of CSV may stumble over. */
static void write_raw(struct text *out, const struct report *r)
{
    const char *id = r->airport->id, *quote = r->corruption == STATUS_LINES ? "" : "\"";
    bool american = id[0] == 'K';
    char time[CLOCK_RFC3339_BYTES];
    long whole = lround(r->celsius), tenths = lround(r->celsius * 10);
    clock_format(r->at_s, time);
    text_format(out, "%sMETAR %s %.2s%.2s%.2sZ 24005KT %s", quote, id, time + 8, time + 11, time + 14,
                american ? "10SM" : "9999");
    text_format(out, "%s%s %s", r->weather[0] ? " " : "", r->weather,
                r->sky[0]  ? r->sky
                : american ? "CLR"
                           : "NCD");
    text_format(out, "%s %s%02ld/10 %s", r->sky[0] ? "020" : "", whole < 0 ? "M" : "", labs(whole),
                american ? "A3001" : "Q1012");
    if (american)
        text_format(out, " RMK AO2 T%d%03ld0100", tenths < 0, labs(tenths));
    text_format(out, "%s%s", *quote && id[3] == 'I' ? ", \"\"Z\xfcrich\"\"" : "", quote);
}

static void write_id(struct text *out, const struct report *r)
{
    text_string(out, r->airport->id);
}

static void write_time(struct text *out, const struct report *r)
{
    char time[CLOCK_RFC3339_BYTES];
    clock_format(r->corruption == OLD ? r->at_s - OLD_BY_S : r->at_s, time);
    text_format(out, "%.19s%sZ", time, r->corruption == STATUS_LINES ? "" : ".000");
}

static void write_degrees(struct text *out, const struct report *r, double degrees)
{
    if (r->corruption == NOWHERE && r->odd)
        degrees = 0;
    else if (isnan(r->airport->latitude))
        degrees = -99.99;
    if (!isnan(degrees))
        text_format(out, "%.4f", degrees);
}

static void write_latitude(struct text *out, const struct report *r)
{
    write_degrees(out, r, r->airport->latitude);
}

static void write_longitude(struct text *out, const struct report *r)
{
    write_degrees(out, r, r->airport->longitude);
}

static void write_celsius(struct text *out, const struct report *r)
{
    if (r->odd && (r->corruption == NULLS || r->corruption == NANS))
        text_string(out, r->corruption == NANS ? "NaN" : "");
    else
        text_format(out, r->corruption == STATUS_LINES ? "%ld.0" : "%ld", lround(r->celsius));
}

static void write_weather(struct text *out, const struct report *r)
{
    text_string(out, r->weather);
}

static void write_sky(struct text *out, const struct report *r)
{
    text_string(out, r->sky);
}

static void write_base(struct text *out, const struct report *r)
{
    text_string(out, r->sky[0] ? "2000" : "");
}

static void write_category(struct text *out, const struct report *r)
{
    text_string(out, r->odd ? "null" : "VFR");
}

static void write_type(struct text *out, const struct report *r)
{
    (void)r;
    text_string(out, "METAR");
}

static void write_height(struct text *out, const struct report *r)
{
    text_format(out, "%.0f", isnan(r->airport->height_m) ? 9999.0 : r->airport->height_m);
}

/* In the order of the file; those without a function are empty. */
/* clang-format off */
static const struct {
    const char *name;
    void (*write)(struct text *, const struct report *);
} columns[] = {
    {"raw_text", write_raw}, {"station_id", write_id}, {"observation_time", write_time},
    {"latitude", write_latitude}, {"longitude", write_longitude}, {"temp_c", write_celsius},
    {"dewpoint_c", NULL}, {"wind_dir_degrees", NULL}, {"wind_speed_kt", NULL}, {"wind_gust_kt", NULL},
    {"visibility_statute_mi", NULL}, {"altim_in_hg", NULL}, {"sea_level_pressure_mb", NULL}, {"corrected", NULL},
    {"auto", NULL}, {"auto_station", NULL}, {"maintenance_indicator_on", NULL}, {"no_signal", NULL},
    {"lightning_sensor_off", NULL}, {"freezing_rain_sensor_off", NULL}, {"present_weather_sensor_off", NULL},
    {"wx_string", write_weather}, {"sky_cover", write_sky}, {"cloud_base_ft_agl", write_base},
    {"sky_cover", NULL}, {"cloud_base_ft_agl", NULL}, {"sky_cover", NULL}, {"cloud_base_ft_agl", NULL},
    {"sky_cover", NULL}, {"cloud_base_ft_agl", NULL}, {"flight_category", write_category},
    {"three_hr_pressure_tendency_mb", NULL}, {"maxT_c", NULL}, {"minT_c", NULL}, {"maxT24hr_c", NULL},
    {"minT24hr_c", NULL}, {"precip_in", NULL}, {"pcp3hr_in", NULL}, {"pcp6hr_in", NULL}, {"pcp24hr_in", NULL},
    {"snow_in", NULL}, {"vert_vis_ft", NULL}, {"metar_type", write_type}, {"elevation_m", write_height},
};
/* clang-format on */
#define COLUMNS (sizeof columns / sizeof columns[0])

/* ---- the file ---- */

/* Writes a report, or the header without one. */
static void write_line(struct text *out, const struct report *report, enum corruption corruption)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        size_t c = corruption == OTHER_ORDER ? COLUMNS - 1 - i : i;
        text_string(out, i > 0 ? "," : "");
        if (!report)
            text_string(out, columns[c].name);
        else if (columns[c].write)
            columns[c].write(out, report);
    }
    text_string(out, "\n");
}

void metar_file_write(struct text *out, const struct forecast *f, enum corruption corruption)
{
    struct airport airports[AIRPORTS_MAX];
    size_t count = read_airports(airports);
    if (corruption == STATUS_LINES)
        text_string(out, "No errors\nNo warnings\n4 ms\ndata source=metars\n800 results\n");
    if (corruption != NO_HOURLY)
        write_line(out, NULL, corruption);
    for (int m = NEWEST_MINUTES; m <= OLDEST_MINUTES; m++) {
        int age = corruption == UNORDERED ? NEWEST_MINUTES + OLDEST_MINUTES - m : m;
        int64_t minute = f->now_s / MINUTE_S - age;
        for (size_t i = 0; i < count; i++) {
            struct report report = {&airports[i], minute * MINUTE_S, corruption, .odd = i % ODD_EVERY == 1};
            if (!reports_at(&airports[i], minute))
                continue;
            report.celsius = celsius_of(&report);
            say_weather(&report);
            write_line(out, &report, corruption);
        }
    }
}
