#include "place/record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES    32
#define EARTH_RADIUS_KM 6371.0

double record_number(const char *bytes, size_t count)
{
    char copy[NUMBER_BYTES];
    char *end;
    if (count == 0 || count >= sizeof copy)
        return NAN;
    memcpy(copy, bytes, count);
    copy[count] = '\0';
    if (strspn(copy, "+-.0123456789") != count) /* strtod would also take hexadecimal, "inf" and spaces */
        return NAN;
    double value = strtod(copy, &end);
    return *end == '\0' ? value : NAN;
}

void record_set_country(struct record *record, const char *bytes, size_t count)
{
    if (count == 2 && bytes[0] >= 'A' && bytes[0] <= 'Z' && bytes[1] >= 'A' && bytes[1] <= 'Z')
        memcpy(record->country, bytes, 2);
}

void record_set_point(struct record *record, double latitude, double longitude)
{
    record->latitude = latitude;
    record->longitude = longitude;
    record->located = fabs(latitude) <= 90 && fabs(longitude) <= 180; /* false for NaN, too */
}

double great_circle_km(double latitude, double longitude, double to_latitude, double to_longitude)
{
    const double radian = M_PI / 180;
    double north = sin((to_latitude - latitude) * radian / 2);
    double east = sin((to_longitude - longitude) * radian / 2);
    double square = north * north + cos(latitude * radian) * cos(to_latitude * radian) * east * east;
    return 2 * EARTH_RADIUS_KM * asin(fmin(1, sqrt(square)));
}

bool record_has_city(const struct record *record)
{
    return record->city[0] != '\0' && record->located && (record->latitude != 0 || record->longitude != 0);
}
