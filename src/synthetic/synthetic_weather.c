#include "synthetic/synthetic_weather.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define PI               3.14159265358979323846
#define DAY_S            86400.0
#define YEAR_DAYS        365.2422  /* the mean tropical year */
#define YEAR_2000_S      946684800 /* 2000-01-01T00:00:00Z */
#define REGIONS_A_RADIUS 12.0      /* one weather region spans a twelfth of the earth's radius, some 530 km */
#define HIGHLAND_LAT     34.2      /* Leh */
#define HIGHLAND_LON     77.6
#define HIGHLAND_CHILL   20.0 /* degrees: what 3,500 m make */
#define HIGHLAND_SPREAD  2.0  /* degrees of arc, the bell's standard deviation */

#define FALLS_FROM \
    0.29 /* of the sky's noise: from here on each kind of weather is one in which something falls */
#define PERCENT_A_NOISE 130.0 /* so that the rarest weather is next to certain */

enum noise_seed { SEED_WARMTH = 1, SEED_SKY = 2 };

static double radians(double degrees)
{
    return degrees * (PI / 180.0);
}

/* Days since the year began, 0 to 365.24; every year has the length of the tropical year. */
static double day_of_year(int64_t unix_s)
{
    double days = (double)(unix_s - YEAR_2000_S) / DAY_S;
    return days - YEAR_DAYS * floor(days / YEAR_DAYS);
}

/* Angle of the mean sun past local noon, in radians. */
static double hour_angle(double longitude, int64_t unix_s)
{
    double turns = (double)unix_s / DAY_S;
    return 2.0 * PI * (turns - floor(turns) - 0.5) + radians(longitude);
}

/* A number in [-1, 1) that belongs to a corner of the lattice. The mixing steps and their
 * multipliers are the finaliser of splitmix64 (Steele, Lea and Flood, "Fast splittable
 * pseudorandom number generators", 2014). */
static double corner_value(enum noise_seed seed, const int64_t corner[4])
{
    uint64_t h = (uint64_t)seed;
    for (int axis = 0; axis < 4; axis++) {
        h += (uint64_t)corner[axis] + 0x9e3779b97f4a7c15u;
        h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
        h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
        h ^= h >> 31;
    }
    return (double)(h >> 11) * 0x1p-52 - 1.0;
}

/* Slow noise in [-1, 1], about 0.3 in the mean. Its lattice is laid through space, not over latitude and
 * longitude, so it is continuous at the 180th meridian and smooth at the poles; the fourth axis is the day.
 */
static double noise(enum noise_seed seed, double latitude, double longitude, int64_t unix_s)
{
    double lat = radians(latitude), lon = radians(longitude);
    const double at[4] = {REGIONS_A_RADIUS * cos(lat) * cos(lon), REGIONS_A_RADIUS * cos(lat) * sin(lon),
                          REGIONS_A_RADIUS * sin(lat), (double)unix_s / DAY_S};
    double share[4]; /* of the upper corner per axis; flat at both ends, so that the slope is continuous */
    for (int axis = 0; axis < 4; axis++) {
        double f = at[axis] - floor(at[axis]);
        share[axis] = f * f * (3.0 - 2.0 * f);
    }

    double sum = 0.0;
    for (unsigned bits = 0; bits < 16; bits++) {
        int64_t corner[4];
        double weight = 1.0;
        for (int axis = 0; axis < 4; axis++) {
            unsigned upper = bits >> axis & 1u;
            corner[axis] = (int64_t)floor(at[axis]) + upper;
            weight *= upper ? share[axis] : 1.0 - share[axis];
        }
        sum += weight * corner_value(seed, corner);
    }
    return sum;
}

/* The only highland, around Leh, where winter nights freeze: a bell curve over the distance. */
static double highland_chill(double lat, double longitude)
{
    double lat0 = radians(HIGHLAND_LAT), spread = radians(HIGHLAND_SPREAD);
    double cosine = sin(lat) * sin(lat0) + cos(lat) * cos(lat0) * cos(radians(longitude - HIGHLAND_LON));
    return HIGHLAND_CHILL * exp((cosine - 1.0) / (spread * spread)); /* 1 - cosine is half the squared arc */
}

/* The coefficients are round numbers chosen to look right: about 27 degrees on the equator, -15
 * on average at a pole, warmest in late July in the north (day 200), 5 degrees between the day's
 * mean and its peak at 15 h on the equator, weather steadier in the tropics than towards the
 * poles. The sum can never leave -39..39. */
double synthetic_celsius(double latitude, double longitude, int64_t unix_s)
{
    double lat = radians(latitude);
    double yearly_mean = 27.0 - 42.0 * pow(fabs(sin(lat)), 3.0);
    double season = 14.0 * sin(lat) * cos(2.0 * PI * (day_of_year(unix_s) - 200.0) / YEAR_DAYS);
    double hour = 5.0 * cos(lat) * cos(hour_angle(longitude, unix_s) - radians(3 * 15.0));
    double variability = 3.0 + 6.0 * sin(lat) * sin(lat);
    return yearly_mean + season + hour - highland_chill(lat, longitude) +
           variability * noise(SEED_WARMTH, latitude, longitude, unix_s);
}

/* One row per kind of weather, in order of severity; one column per range of temperature. With these
 * thresholds about three hours in five are between "clear" and "partly cloudy", and one in sixty is in the
 * last row. */
static const struct {
    double min_noise; /* of SEED_SKY */
    int code[4];      /* below -1 degree, below 1, below 16, warmer */
} sky[] = {
    {-1.00, {0, 0, 0, 0}},    {-0.20, {1, 1, 1, 1}},    {-0.05, {2, 2, 2, 2}},
    {0.10, {3, 3, 3, 3}},     {0.23, {48, 48, 45, 3}},  {FALLS_FROM, {77, 56, 51, 80}},
    {0.35, {71, 56, 53, 80}}, {0.40, {71, 57, 55, 81}}, {0.45, {73, 66, 61, 81}},
    {0.50, {75, 66, 63, 82}}, {0.56, {85, 67, 65, 95}}, {0.62, {85, 67, 65, 96}},
    {0.68, {86, 67, 65, 99}},
};

int synthetic_weather_code(double latitude, double longitude, int64_t unix_s)
{
    double severity = noise(SEED_SKY, latitude, longitude, unix_s);
    double celsius = synthetic_celsius(latitude, longitude, unix_s);
    size_t row = 0;
    while (row + 1 < sizeof sky / sizeof sky[0] && severity >= sky[row + 1].min_noise)
        row++;
    return sky[row].code[(celsius >= -1.0) + (celsius >= 1.0) + (celsius >= 16.0)];
}

double synthetic_feels_like(double latitude, double longitude, int64_t unix_s)
{
    double celsius = synthetic_celsius(latitude, longitude, unix_s);
    return celsius + 0.2 * fmax(celsius - 20.0, 0.0) - 0.25 * fmax(10.0 - celsius, 0.0);
}

int synthetic_rain_percent(double latitude, double longitude, int64_t unix_s)
{
    double severity = noise(SEED_SKY, latitude, longitude, unix_s);
    return (int)fmin(fmax(floor(50.0 + PERCENT_A_NOISE * (severity - FALLS_FROM)), 0.0), 100.0);
}

/* Declination after Cooper, "The absorption of radiation in solar stills", Solar Energy 12
 * (1969): 23.45 degrees times sin(360 (284 + n) / 365), n = 1 on 1 January. Elevation from the
 * spherical triangle; sunrise at -0.833 degrees, the usual allowance for refraction and the sun's
 * radius (NOAA solar calculator). */
bool synthetic_is_day(double latitude, double longitude, int64_t unix_s)
{
    double n = day_of_year(unix_s) + 1.0;
    double declination = radians(23.45) * sin(2.0 * PI * (284.0 + n) / 365.0);
    double lat = radians(latitude);
    double sine =
        sin(lat) * sin(declination) + cos(lat) * cos(declination) * cos(hour_angle(longitude, unix_s));
    return sine > sin(radians(-0.833));
}

/* Boxes around places whose clocks differ from the nautical zone's, most of them by part of an hour. The
 * first that holds a place is used, also for parts of other countries inside it. */
static const struct {
    double south, north, west, east;
    struct synthetic_zone zone;
} zone_boxes[] = {
    {27.2, 28.4, 84.2, 86.2, {20700, "Asia/Kathmandu", "GMT+5:45"}},
    {8.0, 35.5, 68.1, 97.4, {19800, "Asia/Kolkata", "GMT+5:30"}}, /* Kanyakumari to Kashmir */
    {26.0, 38.0, 47.0, 60.0, {12600, "Asia/Tehran", "GMT+3:30"}},
    {-38.0, -11.0, 129.0, 141.0, {34200, "Australia/Darwin", "GMT+9:30"}},
    {46.5, 51.7, -59.5, -52.6, {-12600, "America/St_Johns", "GMT-3:30"}},
    {-44.6, -43.5, -177.0, -175.8, {45900, "Pacific/Chatham", "GMT+12:45"}},
};

struct synthetic_zone synthetic_zone(double latitude, double longitude)
{
    double east = longitude - 360.0 * floor((longitude + 180.0) / 360.0); /* in [-180, 180) */
    for (size_t i = 0; i < sizeof zone_boxes / sizeof zone_boxes[0]; i++)
        if (latitude >= zone_boxes[i].south && latitude <= zone_boxes[i].north &&
            east >= zone_boxes[i].west && east <= zone_boxes[i].east)
            return zone_boxes[i].zone;

    int hours = (int)floor((east + 7.5) / 15.0);
    struct synthetic_zone zone = {.offset_s = hours * 3600, .name = "Etc/GMT", .abbreviation = "GMT"};
    if (hours != 0) {
        snprintf(zone.name, sizeof zone.name, "Etc/GMT%+d", -hours);
        snprintf(zone.abbreviation, sizeof zone.abbreviation, "GMT%+d", hours);
    }
    return zone;
}
