#include "weather/earth/metar.h"

#include "base/clock.h"
#include "weather/cell/curve.h"
#include "weather/earth/inflate.h"
#include "weather/earth/present_weather.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX     64 /* of a line; what stands behind them does not count */
#define LOWEST_M        (-500.0)
#define HIGHEST_M       6000.0 /* Daocheng Yading, the highest airport, has 4,411 */
#define NOWHERE_DEG     0.01   /* as near as this to 0, 0 there is no station, but many without a position */
#define TENTHS_OFF_BY_K 1.0    /* tenths that are further from the whole degrees are of something else */

enum column {
    OTHER,
    RAW,
    STATION,
    TIME,
    LATITUDE,
    LONGITUDE,
    CELSIUS,
    WEATHER,
    SENSOR_OFF,
    HEIGHT,
    SKY, /* several times */
    COLUMNS
};

static const char *const names[COLUMNS] = {
    [RAW] = "raw_text",          [STATION] = "station_id",
    [TIME] = "observation_time", [LATITUDE] = "latitude",
    [LONGITUDE] = "longitude",   [CELSIUS] = "temp_c",
    [WEATHER] = "wx_string",     [SENSOR_OFF] = "present_weather_sensor_off",
    [HEIGHT] = "elevation_m",    [SKY] = "sky_cover",
};

struct header {
    enum column column[COLUMNS_MAX];
    bool found[COLUMNS];
};

/* A line of the file, its fields without their quotes. */
struct row {
    struct span value[COLUMNS];
    int oktas;  /* of the densest of its clouds; -1: no clouds are named */
    bool blind; /* the station does not observe the weather */
};

static bool is(struct span span, const char *string)
{
    return span.length == strlen(string) && memcmp(span.bytes, string, span.length) == 0;
}

/* ---- a line ---- */

/* Cuts a field off, which may be quoted; a quote within it is doubled, and stays so. */
static bool cut_field(struct span *rest, struct span *field)
{
    if (rest->length == 0 || rest->bytes[0] != '"')
        return span_cut(rest, ',', field);
    struct span after = span_after(*rest, 1);
    const char *begin = after.bytes, *end;
    do {
        end = after.length > 0 ? memchr(after.bytes, '"', after.length) : NULL;
        const char *quote = end ? end : after.bytes + after.length;
        after = span_after(after, (size_t)(quote - after.bytes) + (end != NULL));
        if (!end || after.length == 0 || after.bytes[0] != '"') {
            *field = span_between(begin, quote);
            break;
        }
        after = span_after(after, 1);
    } while (true);
    struct span ignored;
    span_cut(&after, ',', &ignored);
    *rest = after;
    return true;
}

static bool read_header(struct span line, struct header *header)
{
    struct span field;
    *header = (struct header){0};
    for (size_t i = 0; i < COLUMNS_MAX && cut_field(&line, &field); i++) {
        for (enum column c = OTHER + 1; c < COLUMNS; c++)
            if (is(span_trim(field), names[c]))
                header->column[i] = c;
        header->found[header->column[i]] = true;
    }
    const bool *found = header->found;
    return found[STATION] && found[TIME] && found[LATITUDE] && found[LONGITUDE] && found[CELSIUS];
}

static bool cut_line(struct span *rest, struct span *line)
{
    bool cut = span_cut(rest, '\n', line);
    line->length -= line->length > 0 && line->bytes[line->length - 1] == '\r';
    return cut;
}

static struct row read_row(struct span line, const struct header *header)
{
    struct row row = {.oktas = -1};
    struct span field;
    for (size_t i = 0; i < COLUMNS_MAX && cut_field(&line, &field); i++) {
        field = span_trim(field);
        row.value[header->column[i]] = field;
        int oktas = header->column[i] == SKY ? present_weather_oktas(field) : -1;
        row.oktas = oktas > row.oktas ? oktas : row.oktas;
    }
    row.blind = is(row.value[SENSOR_OFF], "TRUE");
    return row;
}

/* ---- fields ---- */

static bool read_number(struct span span, double min, double max, double *number)
{
    char text[24], *end;
    if (span.length == 0 || span.length >= sizeof text)
        return false;
    memcpy(text, span.bytes, span.length);
    text[span.length] = '\0';
    *number = strtod(text, &end);
    return end == text + span.length && strspn(text, "0123456789.+-") == span.length && *number >= min &&
           *number <= max;
}

/* "2026-09-16T10:07:00.000Z", with or without a fraction, which does not count. */
static bool read_time(struct span span, int64_t *unix_s)
{
    char text[CLOCK_RFC3339_BYTES] = "";
    if (span.length < 20 || span.bytes[span.length - 1] != 'Z' || (span.length > 20 && span.bytes[19] != '.'))
        return false;
    memcpy(text, span.bytes, 19);
    text[19] = 'Z';
    return clock_parse(text, unix_s);
}

static bool read_id(struct span span, char id[METAR_ID_BYTES])
{
    bool ok = span.length >= 3 && span.length < METAR_ID_BYTES;
    for (size_t i = 0; ok && i < span.length; i++)
        ok = (span.bytes[i] >= 'A' && span.bytes[i] <= 'Z') || isdigit((unsigned char)span.bytes[i]);
    memset(id, 0, METAR_ID_BYTES);
    if (ok)
        memcpy(id, span.bytes, span.length);
    return ok;
}

/* The remark "T01830094": a sign (1: below zero) and tenths of a degree, of temperature and dew point. */
static void read_tenths(struct span group, float *celsius)
{
    unsigned number;
    if (group.length < 5 || group.bytes[0] != 'T' || !span_number(span_after(group, 1), 8, &number))
        return;
    number = group.length == 9 ? number / 10000 : number;
    double tenths = (number >= 1000 ? -1 : 1) * (double)(number % 1000) / 10;
    if (number < 2000 && fabs(tenths - *celsius) < TENTHS_OFF_BY_K)
        *celsius = (float)tenths;
}

/* What only the raw text says: that the sky is clear, that nobody looks at the weather, tenths. */
static void read_raw(struct row *row, float *celsius)
{
    enum { BODY, TREND, REMARKS } part = BODY;
    struct span rest = row->value[RAW], group;
    while (span_cut(&rest, ' ', &group)) {
        if (is(group, "RMK"))
            part = REMARKS;
        else if (part == BODY && (is(group, "TEMPO") || is(group, "BECMG")))
            part = TREND;
        else if (part == BODY && row->oktas < 0)
            row->oktas = present_weather_oktas(group);
        row->blind |= (part == BODY && is(group, "//")) ||
                      (part == REMARKS && (is(group, "AO1") || is(group, "PWINO")));
        if (part == REMARKS)
            read_tenths(group, celsius);
    }
}

static bool read_place(const struct row *row, struct station_report *report)
{
    double latitude, longitude, height;
    if (!read_number(row->value[LATITUDE], -90, 90, &latitude) ||
        !read_number(row->value[LONGITUDE], -180, 180, &longitude) ||
        (fabs(latitude) < NOWHERE_DEG && fabs(longitude) < NOWHERE_DEG))
        return false;
    bool known = read_number(row->value[HEIGHT], LOWEST_M, HIGHEST_M, &height);
    report->latitude = (float)latitude;
    report->longitude = (float)longitude;
    report->height_m = known ? (float)height : NAN;
    return true;
}

/* Counts in *file why a line is left out. */
static bool read_report(struct row *row, int64_t now_s, struct metar_file *file,
                        struct station_report *report)
{
    double celsius;
    int code;
    if (!read_id(row->value[STATION], report->id) || !read_time(row->value[TIME], &report->observed_s) ||
        !read_number(row->value[CELSIUS], CURVE_COLDEST_CDEG / 100.0, CURVE_HOTTEST_CDEG / 100.0, &celsius))
        return file->malformed++, false;
    if (!read_place(row, report))
        return file->placeless++, false;
    if (report->observed_s > now_s + METAR_AHEAD_S)
        return file->early++, false;
    report->celsius = (float)celsius;
    read_raw(row, &report->celsius);
    report->cloud_oktas = (int8_t)row->oktas;
    if (!present_weather_code(row->value[WEATHER], &code))
        code = row->blind || row->oktas < 0 ? METAR_NO_CONDITION : present_weather_sky(row->oktas);
    report->condition = (int8_t)code;
    return true;
}

/* ---- a file ---- */

/* By station, the newest first. */
static int compare(const void *a, const void *b)
{
    const struct station_report *one = a, *other = b;
    int order = memcmp(one->id, other->id, sizeof one->id);
    return order ? order : (other->observed_s > one->observed_s) - (other->observed_s < one->observed_s);
}

static void keep_newest(struct metar_file *file)
{
    struct station_report *reports = file->reports;
    size_t kept = 0;
    qsort(reports, file->count, sizeof *reports, compare);
    for (size_t i = 0; i < file->count; i++) {
        if (kept > 0 && memcmp(reports[kept - 1].id, reports[i].id, sizeof reports[i].id) == 0)
            continue;
        if (kept < METAR_STATIONS_MAX)
            reports[kept++] = reports[i];
        else
            file->beyond++;
    }
    file->count = kept;
}

/* Rows that are left, as far as they may be kept. */
static size_t room_for(struct span rest)
{
    size_t rows = 0;
    for (struct span line; rows < METAR_ROWS_MAX && cut_line(&rest, &line);)
        rows++;
    return rows;
}

static const char *read_lines(struct span rest, int64_t now_s, struct metar_file *file)
{
    struct header header;
    struct span line;
    bool found = false;
    while (!found && cut_line(&rest, &line))
        found = read_header(line, &header);
    if (!found)
        return "no header line with station_id, observation_time, latitude, longitude and temp_c";
    if (!(file->reports = malloc((room_for(rest) + 1) * sizeof *file->reports)))
        return "out of memory";
    while (cut_line(&rest, &line)) {
        struct row row = read_row(line, &header);
        file->rows++;
        if (file->count == METAR_ROWS_MAX)
            file->beyond++;
        else if (read_report(&row, now_s, file, &file->reports[file->count]))
            file->count++;
    }
    keep_newest(file);
    struct station_report *fitted = realloc(file->reports, (file->count + 1) * sizeof *fitted);
    file->reports = fitted ? fitted : file->reports;
    return NULL;
}

const char *metar_read(const char *bytes, size_t length, int64_t now_s, struct metar_file *out)
{
    *out = (struct metar_file){0};
    const char *problem = NULL;
    char *unpacked = NULL;
    if (inflate_wanted(bytes, length))
        bytes = unpacked = inflate_all(bytes, length, METAR_FILE_MAX_BYTES, &length, &problem);
    else if (length > METAR_FILE_MAX_BYTES)
        problem = "larger than 16 MB";
    if (!problem)
        problem = read_lines((struct span){bytes, length}, now_s, out);
    free(unpacked);
    return problem;
}

void metar_free(struct metar_file *file)
{
    free(file->reports);
    *file = (struct metar_file){0};
}
