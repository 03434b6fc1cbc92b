#include "place/databases.h"

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
    if (!places->gazetteer || !databases_open(places, options)) {
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
    pthread_mutex_destroy(&places->lock);
    free(places);
}

/* NULL when the record may be believed as a city, else why not. */
static const char *reject_reason(const struct generation *generation, const struct address *address,
                                 const struct record *record)
{
    if (record->city[0] == '\0')
        return "the record has no city name";
    if (!record->located)
        return "the record has no usable coordinates";
    if (record->latitude == 0 && record->longitude == 0)
        return "the record's coordinates are 0,0";
    if (record->radius_km > generation->options.max_radius_km)
        return "the record's radius is over max_radius";
    if (record->anycast)
        return "the record is an anycast network";
    if (vague_contains(&generation->vague, address))
        return "the network is listed as vague";
    return NULL;
}

static void copy_stripped(const char *name, struct place *out)
{
    snprintf(out->name, sizeof out->name, "%.*s", (int)gazetteer_strip_qualifier(name), name);
}

/* Names the place of a believed record: the city that its readers would say, else the record's own name,
 * without the bracketed district that 42 % of random Indian addresses carry in DB-IP City Lite, as in "Mumbai
 * (Parel)". Where our table has no word for the city in the asked language but the record does, the record's
 * counts. Returns how. */
static const char *name_place(const struct gazetteer *gazetteer, const struct record *record,
                              const char *language, struct place *out)
{
    struct city city, local;
    const char *rule = gazetteer_name_point(gazetteer, record->latitude, record->longitude, record->country,
                                            record->region, record->city, "en", &city);
    if (!rule) {
        copy_stripped(record->city_local[0] ? record->city_local : record->city, out);
        return "the record's own name, without a district in brackets";
    }
    bool translated =
        gazetteer_by_id(gazetteer, city.id, language, &local) && strcmp(local.name, city.name) != 0;
    bool same = strcmp(city.name, record->city) == 0;
    out->id = city.id;
    if (same && !translated && record->city_local[0])
        copy_stripped(record->city_local, out);
    else
        memcpy(out->name, translated ? local.name : city.name, sizeof out->name);
    return rule;
}

/* Judges a record. Returns the reason for the verdict. */
static const char *judge(const struct gazetteer *gazetteer, const struct generation *generation,
                         const struct address *address, const struct record *record, const char *language,
                         struct place *out, struct place_evidence *evidence)
{
    const char *reason = reject_reason(generation, address, record);
    if (evidence) {
        evidence->recorded = true;
        evidence->record = *record;
    }
    memcpy(out->country, record->country, sizeof out->country);
    if (reason) {
        out->verdict = PLACE_TOO_VAGUE;
        return reason;
    }
    out->verdict = PLACE_CITY;
    out->source = PLACE_FROM_GEOIP;
    memcpy(out->region, record->region, sizeof out->region);
    memcpy(out->timezone, record->timezone, sizeof out->timezone);
    out->latitude = record->latitude;
    out->longitude = record->longitude;
    const char *label = name_place(gazetteer, record, language, out);
    if (evidence)
        evidence->label = label;
    return "the record names a city and may be believed";
}

/* Asks the databases in order; the first record decides. Returns the reason for the verdict. */
static const char *ask(const struct gazetteer *gazetteer, const struct generation *generation,
                       const struct address *address, const char *language, struct place *out,
                       struct place_evidence *evidence)
{
    for (size_t i = 0; i < generation->options.database_count; i++) {
        struct record record;
        if (!generation->databases[i] || !mmdb_find(generation->databases[i], address, language, &record))
            continue;
        const char *reason = judge(gazetteer, generation, address, &record, language, out, evidence);
        out->credit = mmdb_credit(generation->databases[i]);
        if (evidence)
            memcpy(evidence->database, generation->options.databases[i], sizeof evidence->database);
        return reason;
    }
    bool asked_all = generation->complete && generation->options.database_count > 0;
    out->verdict = asked_all ? PLACE_NOT_FOUND : PLACE_NO_DATABASE;
    return asked_all ? "no database has a record" : "no record, and not every database is loaded";
}

static void apply_home_fallback(const struct generation *generation, struct place *out)
{
    const struct place_home *home = &generation->options.home;
    if (out->source != PLACE_FROM_NONE || !home->set)
        return;
    out->source = PLACE_FROM_HOME;
    memcpy(out->name, home->name, sizeof out->name);
    memcpy(out->country, home->country, sizeof out->country);
    out->latitude = home->latitude;
    out->longitude = home->longitude;
    out->credit = NULL;
}

void places_find(struct places *places, const struct address *address, const struct record *edge_record,
                 const char *language, struct place *out, struct place_evidence *evidence)
{
    bool known = address->family != ADDRESS_NONE;
    const char *range, *reason;
    enum address_class class = address_classify(address, &range);
    struct generation *generation = generation_acquire(places);
    *out = (struct place){0};
    if (evidence)
        *evidence = (struct place_evidence){.range = known ? range : NULL};

    if (edge_record) {
        reason = judge(places->gazetteer, generation, address, edge_record, language, out, evidence);
    } else if (!known) {
        out->verdict = PLACE_UNREADABLE;
        reason = "the forwarding header cannot be trusted";
    } else if (class == ADDRESS_PRIVATE) {
        out->verdict = PLACE_PRIVATE;
        reason = "an address of a local network, never looked up";
    } else if (class == ADDRESS_RESERVED) {
        out->verdict = PLACE_RESERVED;
        reason = "an address that no reader on the internet has";
    } else {
        reason = ask(places->gazetteer, generation, address, language, out, evidence);
        if (class == ADDRESS_DOCUMENTATION && out->verdict == PLACE_NOT_FOUND)
            out->verdict = PLACE_RESERVED;
    }
    apply_home_fallback(generation, out);
    generation_release(places, generation);
    if (evidence)
        evidence->reason = reason;
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
    memcpy(out->name, city.name, sizeof out->name);
    memcpy(out->country, city.country, sizeof out->country);
    return true;
}

const struct gazetteer *places_gazetteer(const struct places *places)
{
    return places->gazetteer;
}
