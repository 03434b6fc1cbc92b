#include "place/label.h"

#include "base/array.h"

#include <stdio.h>
#include <string.h>

static void copy_stripped(const char *name, struct label *label)
{
    snprintf(label->name, sizeof label->name, "%.*s", (int)gazetteer_strip_qualifier(name), name);
}

/* Names a record as the city that the gazetteer found. */
static void take_name(const struct record *record, const char *language, const struct gazetteer *gazetteer,
                      const struct city *city, struct label *label)
{
    struct city local;
    bool translated =
        gazetteer_by_id(gazetteer, city->id, language, &local) && strcmp(local.name, city->name) != 0;
    const struct city *named = translated ? &local : city;
    if (strcmp(city->name, record->city) == 0 && !translated && record->city_local[0])
        copy_stripped(record->city_local, label);
    else
        ARRAY_COPY(label->name, named->name);
}

/* The record's zone; where that is not known the city's, or that of the city nearest. */
static void take_zone(const struct record *record, const struct gazetteer *gazetteer,
                      const struct zones *zones, const struct city *city, struct label *label)
{
    struct city nearest;
    if (zones_known(zones, record->timezone))
        ARRAY_COPY(label->timezone, record->timezone);
    else if (city->timezone[0])
        ARRAY_COPY(label->timezone, city->timezone);
    else if (gazetteer_nearest(gazetteer, record->latitude, record->longitude, "en", &nearest))
        ARRAY_COPY(label->timezone, nearest.timezone);
}

struct label label_record(const struct record *record, const char *language,
                          const struct gazetteer *gazetteer, const struct zones *zones)
{
    struct city city = {.id = 0};
    struct label label = {.id = 0};
    label.rule = gazetteer_name_point(gazetteer, record->latitude, record->longitude, record->country,
                                      record->region, record->city, "en", &city);
    label.id = city.id;
    if (record->region[0])
        ARRAY_COPY(label.region, record->region);
    else
        ARRAY_COPY(label.region, city.region);
    take_zone(record, gazetteer, zones, &city, &label);
    if (label.rule) {
        take_name(record, language, gazetteer, &city, &label);
        return label;
    }
    label.rule = "the record's own name, without a district in brackets";
    copy_stripped(record->city_local[0] ? record->city_local : record->city, &label);
    return label;
}
