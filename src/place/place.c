#include "place/databases.h"

#include "base/array.h"
#include "base/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const place_verdict_names[PLACE_VERDICTS] = {
    [PLACE_CITY] = "city",
    [PLACE_TOO_VAGUE] = "too-vague",
    [PLACE_NOT_FOUND] = "not-found",
    [PLACE_PRIVATE] = "private",
    [PLACE_RESERVED] = "reserved",
    [PLACE_UNREADABLE] = "unreadable",
    [PLACE_NO_DATABASE] = "no-database",
};

const char *const place_source_names[PLACE_SOURCES] = {
    [PLACE_FROM_NONE] = "none",
    [PLACE_FROM_GEOIP] = "geoip",
    [PLACE_FROM_READER] = "reader",
    [PLACE_FROM_HOME] = "home",
};

static struct metric lookups =
    COUNTER("masthead_place_lookups_total", "Lookups of a reader's place, by verdict.",
            .labels = {{"verdict", place_verdict_names, PLACE_VERDICTS}});

struct places *places_open(const struct place_options *options)
{
    struct places *places = calloc(1, sizeof *places);
    if (!places)
        return NULL;
    pthread_mutex_init(&places->lock, NULL);
    places->gazetteer = gazetteer_open();
    places->zones = zones_open(ZONES_FOLDER);
    if (!places->gazetteer || !places->zones || !databases_open(places, options)) {
        places_close(places);
        return NULL;
    }
    metrics_register(&lookups, 1, places);
    return places;
}

void places_close(struct places *places)
{
    if (!places)
        return;
    databases_close(places);
    gazetteer_close(places->gazetteer);
    zones_close(places->zones);
    pthread_mutex_destroy(&places->lock);
    free(places);
}

/* One lookup, from address to place. */
struct lookup {
    const struct gazetteer *gazetteer;
    const struct zones *zones;
    const struct generation *generation;
    const struct address *address;
    const char *language;
    struct place *place;
    struct place_evidence *evidence;
};

/* Why the record may not be believed as a city; NULL when it may. */
static const char *reject_reason(const struct lookup *lookup, const struct record *record)
{
    if (record->city[0] == '\0')
        return "the record has no city name";
    if (!record->located)
        return "the record has no usable coordinates";
    if (record->latitude == 0 && record->longitude == 0)
        return "the record's coordinates are 0,0";
    if (record->radius_km > lookup->generation->options.max_radius_km)
        return "the record's radius is over max_radius";
    if (record->anycast)
        return "the record is an anycast network";
    if (vague_contains(&lookup->generation->vague, lookup->address))
        return "the network is listed as vague";
    return NULL;
}

static void copy_stripped(const char *name, struct place *place)
{
    snprintf(place->name, sizeof place->name, "%.*s", (int)gazetteer_strip_qualifier(name), name);
}

/* Names the place of an accepted record: the city that its readers would say, else the record's own name,
 * without the district in brackets that 42 % of random Indian addresses have in DB-IP City Lite, as in
 * "Mumbai (Parel)". A name in the asked language that only the record has goes before the table's English
 * one. Returns the rule that gave the name. */
static const char *name_place(const struct lookup *lookup, const struct record *record)
{
    struct city city = {.id = 0}, local;
    struct place *place = lookup->place;
    const char *rule = gazetteer_name_point(lookup->gazetteer, record->latitude, record->longitude,
                                            record->country, record->region, record->city, "en", &city);
    if (!zones_known(lookup->zones, place->timezone))
        ARRAY_COPY(place->timezone, city.timezone);
    if (!rule) {
        copy_stripped(record->city_local[0] ? record->city_local : record->city, place);
        return "the record's own name, without a district in brackets";
    }
    bool translated = gazetteer_by_id(lookup->gazetteer, city.id, lookup->language, &local) &&
                      strcmp(local.name, city.name) != 0;
    const struct city *named = translated ? &local : &city;
    place->id = city.id;
    if (place->region[0] == '\0')
        ARRAY_COPY(place->region, city.region);
    if (strcmp(city.name, record->city) == 0 && !translated && record->city_local[0])
        copy_stripped(record->city_local, place);
    else
        ARRAY_COPY(place->name, named->name);
    return rule;
}

/* Judges a record. Returns the reason for the verdict. */
static const char *judge(const struct lookup *lookup, const struct record *record)
{
    struct place *place = lookup->place;
    const char *reason = reject_reason(lookup, record);
    lookup->evidence->recorded = true;
    lookup->evidence->record = *record;
    ARRAY_COPY(place->country, record->country);
    if (reason) {
        place->verdict = PLACE_TOO_VAGUE;
        return reason;
    }
    place->verdict = PLACE_CITY;
    place->source = PLACE_FROM_GEOIP;
    ARRAY_COPY(place->region, record->region);
    ARRAY_COPY(place->timezone, record->timezone);
    place->latitude = record->latitude;
    place->longitude = record->longitude;
    lookup->evidence->label = name_place(lookup, record);
    return "the record names a city and may be believed";
}

/* Asks the databases in order; the first record decides. Returns the reason for the verdict. */
static const char *ask(const struct lookup *lookup)
{
    const struct generation *generation = lookup->generation;
    for (size_t i = 0; i < generation->options.database_count; i++) {
        struct record record;
        const struct mmdb *db = generation->databases[i];
        if (!db || !mmdb_find(db, lookup->address, lookup->language, &record))
            continue;
        lookup->place->credit = mmdb_facts(db)->credit;
        ARRAY_COPY(lookup->evidence->database, generation->options.databases[i]);
        return judge(lookup, &record);
    }
    bool asked_all = generation->complete && generation->options.database_count > 0;
    lookup->place->verdict = asked_all ? PLACE_NOT_FOUND : PLACE_NO_DATABASE;
    return asked_all ? "no database has a record" : "no record, and not every database is loaded";
}

/* Finds the verdict for an address. Returns its reason. */
static const char *judge_address(const struct lookup *lookup, enum address_class class)
{
    enum place_verdict *verdict = &lookup->place->verdict;
    const char *reason = "the forwarding header cannot be trusted";
    if (lookup->address->family == ADDRESS_NONE) {
        *verdict = PLACE_UNREADABLE;
    } else if (class == ADDRESS_PRIVATE) {
        *verdict = PLACE_PRIVATE;
        reason = "an address of a local network, never looked up";
    } else if (class == ADDRESS_RESERVED) {
        *verdict = PLACE_RESERVED;
        reason = "an address that no reader on the internet has";
    } else {
        reason = ask(lookup);
        if (class == ADDRESS_DOCUMENTATION && *verdict == PLACE_NOT_FOUND)
            *verdict = PLACE_RESERVED;
    }
    return reason;
}

static void apply_home_fallback(const struct generation *generation, struct place *place)
{
    const struct place *home = &generation->options.home;
    enum place_verdict verdict = place->verdict;
    if (place->source != PLACE_FROM_NONE || home->source == PLACE_FROM_NONE)
        return;
    *place = *home;
    place->verdict = verdict;
}

void places_find(struct places *places, const struct address *address, const struct record *edge_record,
                 const char *language, struct place *out, struct place_evidence *evidence)
{
    struct place_evidence found = {.range = NULL};
    const char *range;
    enum address_class class = address_classify(address, &range);
    *out = (struct place){0};
    struct generation *generation = generation_acquire(places);
    const struct lookup lookup = {.gazetteer = places->gazetteer,
                                  .zones = places->zones,
                                  .generation = generation,
                                  .address = address,
                                  .language = language,
                                  .place = out,
                                  .evidence = &found};
    found.range = address->family == ADDRESS_NONE ? NULL : range;
    found.reason = edge_record ? judge(&lookup, edge_record) : judge_address(&lookup, class);
    apply_home_fallback(generation, out);
    places_complete_zone(places, out);
    generation_release(places, generation);
    if (evidence)
        *evidence = found;
    else
        metric_add(&lookups, out->verdict, 0);
}

bool places_choose(const struct places *places, int64_t id, const char *language, struct place *out)
{
    struct city city;
    if (!gazetteer_by_id(places->gazetteer, id, language, &city))
        return false;
    *out = (struct place){
        .verdict = PLACE_CITY,
        .source = PLACE_FROM_READER,
        .latitude = city.latitude,
        .longitude = city.longitude,
        .id = city.id,
    };
    ARRAY_COPY(out->name, city.name);
    ARRAY_COPY(out->region, city.region);
    ARRAY_COPY(out->country, city.country);
    ARRAY_COPY(out->timezone, city.timezone);
    return true;
}

void places_complete_zone(const struct places *places, struct place *place)
{
    struct city city;
    if (place->source != PLACE_FROM_NONE && place->timezone[0] == '\0' &&
        gazetteer_nearest(places->gazetteer, place->latitude, place->longitude, "en", &city))
        ARRAY_COPY(place->timezone, city.timezone);
}

bool places_offset(const struct places *places, const char *zone, int64_t at_s, int32_t *offset_s)
{
    return zones_offset(places->zones, zone, at_s, offset_s);
}

const struct gazetteer *places_gazetteer(const struct places *places)
{
    return places->gazetteer;
}
