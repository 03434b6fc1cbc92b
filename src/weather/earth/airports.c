#include "weather/earth/airports.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EARTH_RADIUS_KM 6371.0
#define REACH_KM2       (AIRPORTS_REACH_KM * AIRPORTS_REACH_KM)
#define ROWS            180 /* the index: squares of one degree, from the south pole and from -180 */
#define COLUMNS         360
#define SQUARES         (ROWS * COLUMNS)

_Static_assert(METAR_STATIONS_MAX <= UINT16_MAX, "a station's number fits the index");

struct vector {
    double x, y, z; /* of length 1, from the earth's centre */
};

struct station {
    struct vector at;
    float latitude, longitude, celsius, difference;
    int64_t observed_s;
    char id[METAR_ID_BYTES];
    int8_t condition;
};

struct airports {
    size_t count, off;           /* those that correct, and those after them, which are too far off */
    uint16_t first[SQUARES + 1]; /* those of square s are first[s] to before first[s + 1] */
    struct station stations[];   /* by square, as far as they correct */
};

static double radians(double degrees)
{
    return degrees * (M_PI / 180);
}

static struct vector vector_of(double latitude, double longitude)
{
    double lat = radians(latitude), lon = radians(longitude);
    return (struct vector){cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)};
}

/* The straight line through the earth, squared; within reach it is shorter than the way over it by less than
 * a metre. */
static double km2_between(const struct vector *a, const struct vector *b)
{
    double x = a->x - b->x, y = a->y - b->y, z = a->z - b->z;
    return EARTH_RADIUS_KM * EARTH_RADIUS_KM * (x * x + y * y + z * z);
}

static int row_of(double latitude)
{
    int row = (int)floor(latitude) + ROWS / 2;
    return row < 0 ? 0 : row < ROWS ? row : ROWS - 1;
}

/* In 0..COLUMNS - 1, of any longitude. */
static int column_of(double longitude)
{
    double turns = longitude / 360 + 0.5;
    return (int)((turns - floor(turns)) * COLUMNS) % COLUMNS;
}

static int square_of(const struct station_report *report)
{
    return row_of(report->latitude) * COLUMNS + column_of(report->longitude);
}

/* ---- built ---- */

/* Counts a report; returns the member of *counts that says what becomes of it. */
static size_t *judge(const struct station_report *report, float model, int64_t now_s,
                     struct airports_counts *counts)
{
    size_t *fate = report->observed_s < now_s - AIRPORTS_OLD_S                  ? &counts->old
                   : isnan(model)                                               ? &counts->modelless
                   : !(fabs((double)report->celsius - model) <= AIRPORTS_OFF_K) ? &counts->off
                                                                                : &counts->used;
    ++*fate;
    if (fate == &counts->used || fate == &counts->off)
        counts->far += !(fabs((double)report->celsius - model) <= AIRPORTS_FAR_K);
    return fate;
}

enum airports_verdict airports_verdict(const struct airports_counts *counts)
{
    size_t all = counts->used + counts->off;
    if (all < AIRPORTS_JUDGES)
        return AIRPORTS_SILENT;
    return 2 * counts->far > all ? AIRPORTS_CONTRADICT : AIRPORTS_AGREE;
}

static struct station station_of(const struct station_report *report, float model)
{
    struct station station = {.at = vector_of(report->latitude, report->longitude),
                              .latitude = report->latitude,
                              .longitude = report->longitude,
                              .celsius = report->celsius,
                              .difference = report->celsius - model,
                              .observed_s = report->observed_s,
                              .condition = report->condition};
    memcpy(station.id, report->id, sizeof station.id);
    return station;
}

struct airports *airports_build(const struct station_report *reports, const float *model_celsius,
                                size_t count, int64_t now_s, struct airports_counts *counts)
{
    *counts = (struct airports_counts){0};
    count = count < METAR_STATIONS_MAX ? count : METAR_STATIONS_MAX;
    struct airports *field = malloc(sizeof *field + count * sizeof field->stations[0]);
    size_t **fate = malloc((count + 1) * sizeof *fate);
    if (field && fate) {
        memset(field, 0, sizeof *field);
        for (size_t i = 0; i < count; i++) {
            fate[i] = judge(&reports[i], model_celsius[i], now_s, counts);
            if (fate[i] == &counts->used)
                field->first[square_of(&reports[i])]++;
        }
        for (size_t s = 1; s <= SQUARES; s++) /* counts become ends, and then, one by one, beginnings */
            field->first[s] = (uint16_t)(field->first[s] + field->first[s - 1]);
        for (size_t i = count; i-- > 0;)
            if (fate[i] == &counts->used)
                field->stations[--field->first[square_of(&reports[i])]] =
                    station_of(&reports[i], model_celsius[i]);
            else if (fate[i] == &counts->off)
                field->stations[counts->used + field->off++] = station_of(&reports[i], model_celsius[i]);
        field->count = counts->used;
    } else {
        free(field);
        field = NULL;
    }
    free(fate);
    return field;
}

void airports_free(struct airports *field)
{
    free(field);
}

/* ---- read ---- */

/* A walk through the stations in reach of a point. */
struct walk {
    const struct airports *field;
    struct vector at;
    int first_row, last_row, first_column, columns; /* the squares; columns may go past the last, and wrap */
    int row, column;                                /* counted from the first */
    size_t next, end;                               /* the rest of the present square */
    size_t seen;
    double km2; /* to the station that was found, squared */
};

static struct walk walk_begin(const struct airports *field, double latitude, double longitude)
{
    double reach = AIRPORTS_REACH_KM / EARTH_RADIUS_KM, reach_deg = reach * (180 / M_PI);
    struct walk walk = {.field = field, .at = vector_of(latitude, longitude), .column = -1};
    walk.first_row = row_of(latitude - reach_deg);
    walk.last_row = row_of(latitude + reach_deg);
    walk.row = walk.first_row;
    walk.columns = COLUMNS; /* a pole is in reach */
    if (fabs(latitude) + reach_deg < 90) {
        double east_deg = asin(sin(reach) / cos(radians(latitude))) * (180 / M_PI);
        walk.first_column = column_of(longitude - east_deg);
        walk.columns = (column_of(longitude + east_deg) - walk.first_column + COLUMNS) % COLUMNS + 1;
    }
    return walk;
}

/* The next one, NULL after the last. */
static const struct station *walk_next(struct walk *walk)
{
    const struct airports *field = walk->field;
    while (true) {
        while (walk->next < walk->end) {
            if (walk->seen++ == AIRPORTS_SEEN_MAX)
                return NULL;
            const struct station *station = &field->stations[walk->next++];
            walk->km2 = km2_between(&walk->at, &station->at);
            if (walk->km2 < REACH_KM2)
                return station;
        }
        if (++walk->column == walk->columns) {
            walk->column = 0;
            if (++walk->row > walk->last_row)
                return NULL;
        }
        int square = walk->row * COLUMNS + (walk->first_column + walk->column) % COLUMNS;
        walk->next = field->first[square];
        walk->end = field->first[square + 1];
    }
}

static double weight_of(double km2)
{
    return (REACH_KM2 - km2) / (REACH_KM2 + km2);
}

double airports_fade(int64_t after_s)
{
    return after_s > 0 ? exp(-(double)after_s / AIRPORTS_FADE_S) : 1;
}

/* As airports_read, but for one station; *votes is what the weights are divided by. */
static struct airports_correction read_without(const struct airports *field, const struct station *without,
                                               double latitude, double longitude, int64_t at_s, double *votes)
{
    struct airports_correction out = {.condition = METAR_NO_CONDITION};
    struct walk walk = walk_begin(field, latitude, longitude);
    double sum = 0, nearest_km2 = AIRPORTS_CONDITION_KM * AIRPORTS_CONDITION_KM;
    *votes = AIRPORTS_VOTE;
    for (const struct station *station; (station = walk_next(&walk));) {
        if (station == without)
            continue;
        double weight = weight_of(walk.km2);
        sum += weight * station->difference * airports_fade(at_s - station->observed_s);
        *votes += weight;
        out.stations++;
        out.observed_s = station->observed_s > out.observed_s ? station->observed_s : out.observed_s;
        if (walk.km2 <= nearest_km2 && station->condition >= 0 &&
            at_s - station->observed_s <= AIRPORTS_OLD_S) {
            nearest_km2 = walk.km2;
            out.condition = station->condition;
            out.condition_at_s = station->observed_s;
        }
    }
    out.kelvin = sum / *votes;
    return out;
}

struct airports_correction airports_read(const struct airports *field, double latitude, double longitude,
                                         int64_t at_s)
{
    double votes;
    return read_without(field, NULL, latitude, longitude, at_s, &votes);
}

/* ---- told ---- */

static struct airports_station told(const struct station *station, double km, double weight)
{
    struct airports_station out = {.latitude = station->latitude,
                                   .longitude = station->longitude,
                                   .distance_km = km,
                                   .celsius = station->celsius,
                                   .difference = station->difference,
                                   .weight = weight,
                                   .observed_s = station->observed_s,
                                   .condition = station->condition};
    memcpy(out.id, station->id, sizeof out.id);
    return out;
}

size_t airports_explain(const struct airports *field, double latitude, double longitude, int64_t at_s,
                        struct airports_station *out, size_t max)
{
    double votes;
    size_t count = 0;
    read_without(field, NULL, latitude, longitude, at_s, &votes);
    struct walk walk = walk_begin(field, latitude, longitude);
    for (const struct station *station; (station = walk_next(&walk));) {
        double km = sqrt(walk.km2);
        size_t at = count;
        while (at > 0 && out[at - 1].distance_km > km)
            at--;
        if (at == max)
            continue;
        count += count < max;
        memmove(&out[at + 1], &out[at], (count - 1 - at) * sizeof *out);
        out[at] = told(station, km, weight_of(walk.km2) / votes);
        out[at].kelvin = out[at].weight * station->difference * airports_fade(at_s - station->observed_s);
    }
    return count;
}

bool airports_at(const struct airports *field, size_t index, struct airports_station *out)
{
    if (index >= field->count + field->off)
        return false;
    *out = told(&field->stations[index], 0, 0);
    return true;
}

struct airports_error airports_leave_one_out(const struct airports *field)
{
    struct airports_error error = {0};
    double squares = 0, model_squares = 0, votes;
    for (size_t i = 0; i < field->count; i++) {
        const struct station *s = &field->stations[i];
        struct airports_correction others =
            read_without(field, s, s->latitude, s->longitude, s->observed_s, &votes);
        if (others.stations == 0)
            continue;
        error.stations++;
        squares += (s->difference - others.kelvin) * (s->difference - others.kelvin);
        model_squares += (double)s->difference * s->difference;
    }
    error.rms_kelvin = error.stations > 0 ? sqrt(squares / (double)error.stations) : NAN;
    error.model_rms_kelvin = error.stations > 0 ? sqrt(model_squares / (double)error.stations) : NAN;
    return error;
}
