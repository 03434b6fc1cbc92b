#include "place/databases.h"
#include "place/witness.h"

#include "base/array.h"
#include "base/log.h"
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

const char *const place_reason_names[PLACE_REASONS] = {
    [PLACE_REASON_NONE] = "none",  [PLACE_NO_CITY] = "no-city",         [PLACE_RADIUS] = "radius",
    [PLACE_ANYCAST] = "anycast",   [PLACE_LISTED] = "listed",           [PLACE_OFFICE] = "office",
    [PLACE_CONFLICT] = "conflict", [PLACE_UNCONFIRMED] = "unconfirmed",
};

const char *const place_confidence_names[PLACE_CONFIDENCES] = {
    [PLACE_NO_CONFIDENCE] = "none",
    [PLACE_CLAIMED] = "claimed",
    [PLACE_CONFIRMED] = "confirmed",
};

const char *place_reason_code(enum place_reason reason)
{
    return reason == PLACE_REASON_NONE ? "" : place_reason_names[reason];
}

const char *place_confidence_code(enum place_confidence confidence)
{
    return confidence == PLACE_NO_CONFIDENCE ? "" : place_confidence_names[confidence];
}

enum { LOOKUPS, PLACES, ROWS };
static struct metric rows[ROWS] = {
    [LOOKUPS] = COUNTER("masthead_place_lookups_total", "Lookups of a reader's place, by verdict.",
                        .labels = {{"verdict", place_verdict_names, PLACE_VERDICTS}}),
    [PLACES] = COUNTER("masthead_places_total",
                       "Lookups of a reader's place, by how sure the city is and why there is none.",
                       .labels = {{"confidence", place_confidence_names, PLACE_CONFIDENCES},
                                  {"reason", place_reason_names, PLACE_REASONS}}),
};

struct places *places_open(const struct place_options *options)
{
    struct places *places = calloc(1, sizeof *places);
    if (places) {
        pthread_mutex_init(&places->lock, NULL);
        places->gazetteer = gazetteer_open();
        places->zones = zones_open(ZONES_FOLDER);
        places->records = record_cache_open();
    }
    if (!places || !places->gazetteer || !places->zones || !places->records ||
        !databases_open(places, options)) {
        log_line(LOG_ERROR, "cannot start the place room");
        places_close(places);
        return NULL;
    }
    metrics_register(rows, ROWS, places);
    return places;
}

void places_close(struct places *places)
{
    if (!places)
        return;
    databases_close(places);
    gazetteer_close(places->gazetteer);
    zones_close(places->zones);
    record_cache_close(places->records);
    pthread_mutex_destroy(&places->lock);
    free(places);
}

/* One lookup, from address to place. */
struct lookup {
    const struct places *places;
    const struct generation *generation;
    const struct address *address;
    const char *language;
    bool vague; /* the address is in a network whose city is never believed */
    struct place *place;
    struct place_evidence *evidence;
};

/* What a record is worth alone. */
static enum place_reason judge_alone(const struct lookup *lookup, const struct record *record,
                                     const struct offices *offices)
{
    if (!record_has_city(record))
        return PLACE_NO_CITY;
    if (record->radius_km > lookup->generation->options.max_radius_km)
        return PLACE_RADIUS;
    if (record->anycast)
        return PLACE_ANYCAST;
    if (lookup->vague)
        return PLACE_LISTED;
    if (offices && offices_contain(offices, lookup->address, record))
        return PLACE_OFFICE;
    return PLACE_REASON_NONE;
}

static void add_credit(struct place *place, const struct credit *credit)
{
    for (size_t i = 0; i < place->credit_count; i++)
        if (place->credits[i] == credit)
            return;
    if (credit && place->credit_count < PLACE_CREDITS)
        place->credits[place->credit_count++] = credit;
}

static struct label label_of(const struct lookup *lookup, const struct record *record)
{
    return label_record(record, lookup->language, lookup->places->gazetteer, lookup->places->zones);
}

/* Reads a record of a database and labels it, unless that was done before. */
static void read_record(const struct lookup *lookup, size_t database, uint32_t number, struct record *record,
                        struct label *label)
{
    struct record_cache *cache = lookup->places->records;
    struct record_key key = record_key(lookup->generation->serial, database, number, lookup->language);
    if (record_cache_get(cache, &key, record, label))
        return;
    mmdb_record(lookup->generation->files[database].db, number, lookup->language, record);
    *label = record_has_city(record) ? label_of(lookup, record) : (struct label){.rule = NULL};
    record_cache_put(cache, &key, record, label);
}

/* Asks a database; a witness is added if it has a record. */
static void ask(const struct lookup *lookup, size_t i)
{
    const struct database *database = &lookup->generation->files[i];
    struct place_evidence *evidence = lookup->evidence;
    struct witness *witness = &evidence->witnesses[evidence->witness_count];
    uint32_t number;
    unsigned prefix_bits;
    if (!database->db || database->repeats ||
        !mmdb_locate(database->db, lookup->address, &number, &prefix_bits))
        return;
    read_record(lookup, i, number, &witness->record, &witness->label);
    witness->record.prefix_bits = prefix_bits;
    evidence->witness_count++;
    witness->database = (int)i;
    witness->reason = judge_alone(lookup, &witness->record, &database->survey.offices);
    if (witness->record.city[0] || witness->record.country[0])
        add_credit(lookup->place, mmdb_facts(database->db)->credit);
}

static void hear_proxy(const struct lookup *lookup, const struct record *record)
{
    struct place_evidence *evidence = lookup->evidence;
    enum place_reason reason = judge_alone(lookup, record, NULL);
    struct label label = {.rule = NULL};
    if (reason == PLACE_REASON_NONE)
        label = label_of(lookup, record);
    evidence->witnesses[evidence->witness_count++] = (struct witness){PLACE_BY_PROXY, reason, *record, label};
}

/* Whether the address is of a network whose cities are believed only if confirmed. */
static bool is_carrier(const struct lookup *lookup)
{
    const struct generation *generation = lookup->generation;
    size_t last = generation->options.database_count;
    return lookup->address->family != ADDRESS_NONE && last < generation->file_count &&
           generation->files[last].db &&
           mmdb_find_asn(generation->files[last].db, lookup->address, &lookup->evidence->asn) &&
           carriers_contain(&generation->carriers, lookup->evidence->asn);
}

static const char *const sentences[PLACE_REASONS] = {
    [PLACE_NO_CITY] = "no record names a city at usable coordinates",
    [PLACE_RADIUS] = "the record's radius is over max_radius: its readers may be anywhere in it",
    [PLACE_ANYCAST] = "the network is anycast: it is in many places at once",
    [PLACE_LISTED] = "the network is listed as one whose readers no database can place",
    [PLACE_OFFICE] = "the database puts so much of the network at this one point that it is the operator's "
                     "office, and says nothing of where its readers are",
    [PLACE_CONFLICT] = "two sources name cities that are further apart than max_radius",
    [PLACE_UNCONFIRMED] = "one source names a city, no second one and no radius confirms it, and "
                          "believe = confirmed asks for that",
};

static const char *reason_for_city(enum place_confidence confidence)
{
    return confidence == PLACE_CONFIRMED
               ? "a source names this city, and a radius or a second source confirms it"
               : "a source names this city, and nothing confirms it or speaks against it";
}

/* Gives the place what the deciding witness says. */
static void settle(const struct lookup *lookup, const struct witness *witness)
{
    struct place *place = lookup->place;
    place->source = PLACE_FROM_GEOIP;
    ARRAY_COPY(place->country, witness->record.country);
    ARRAY_COPY(place->name, witness->label.name);
    ARRAY_COPY(place->region, witness->label.region);
    ARRAY_COPY(place->timezone, witness->label.timezone);
    place->latitude = witness->record.latitude;
    place->longitude = witness->record.longitude;
    place->id = witness->label.id;
    lookup->evidence->label = witness->label.rule;
}

/* Judges the witnesses together. Returns the reason for the verdict. */
static const char *judge(const struct lookup *lookup)
{
    const struct place_options *options = &lookup->generation->options;
    const struct witness_rules rules = {.max_radius_km = options->max_radius_km,
                                        .hide_conflict = options->conflict == PLACE_CONFLICT_HIDE,
                                        .only_confirmed = options->believe == PLACE_BELIEVE_CONFIRMED};
    struct place_evidence *evidence = lookup->evidence;
    struct place *place = lookup->place;
    struct witness_verdict verdict = witnesses_judge(evidence->witnesses, evidence->witness_count, &rules);
    evidence->decides = (size_t)(verdict.decides - evidence->witnesses);
    if (is_carrier(lookup) && verdict.reason == PLACE_REASON_NONE && verdict.confidence != PLACE_CONFIRMED)
        verdict.reason = PLACE_LISTED;
    if (verdict.reason == PLACE_REASON_NONE) {
        place->verdict = PLACE_CITY;
        place->confidence = verdict.confidence;
        settle(lookup, verdict.decides);
        return reason_for_city(verdict.confidence);
    }
    place->verdict = PLACE_TOO_VAGUE;
    place->reason = verdict.reason;
    for (size_t i = 0; i < evidence->witness_count && !place->country[0]; i++)
        ARRAY_COPY(place->country, evidence->witnesses[i].record.country);
    return sentences[verdict.reason];
}

/* Asks every database. Returns the reason for the verdict. */
static const char *ask_all(const struct lookup *lookup)
{
    const struct generation *generation = lookup->generation;
    for (size_t i = 0; i < generation->options.database_count; i++)
        ask(lookup, i);
    if (lookup->evidence->witness_count > 0)
        return judge(lookup);
    bool asked_all = generation->complete && generation->options.database_count > 0;
    lookup->place->verdict = asked_all ? PLACE_NOT_FOUND : PLACE_NO_DATABASE;
    return asked_all ? "no database has a record" : "no record, and not every database is loaded";
}

/* Finds the verdict for an address. Returns its reason. */
static const char *judge_address(const struct lookup *lookup, enum address_class class)
{
    enum place_verdict *verdict = &lookup->place->verdict;
    const char *reason;
    if (lookup->evidence->witness_count > 0 && (class == ADDRESS_PRIVATE || class == ADDRESS_RESERVED)) {
        reason = judge(lookup);
    } else if (lookup->address->family == ADDRESS_NONE) {
        *verdict = PLACE_UNREADABLE;
        reason = "the forwarding header cannot be trusted";
    } else if (class == ADDRESS_PRIVATE) {
        *verdict = PLACE_PRIVATE;
        reason = "an address of a local network, never looked up";
    } else if (class == ADDRESS_RESERVED) {
        *verdict = PLACE_RESERVED;
        reason = "an address that no reader on the internet has";
    } else {
        reason = ask_all(lookup);
        if (class == ADDRESS_DOCUMENTATION && *verdict == PLACE_NOT_FOUND)
            *verdict = PLACE_RESERVED;
    }
    return reason;
}

/* The home keeps verdict and reason, which say why it is shown. */
static void apply_home_fallback(const struct places *places, const struct generation *generation,
                                struct place *place)
{
    const struct place *home = &generation->options.home;
    enum place_verdict verdict = place->verdict;
    enum place_reason reason = place->reason;
    if (place->source != PLACE_FROM_NONE || home->source == PLACE_FROM_NONE)
        return;
    *place = *home;
    place->verdict = verdict;
    place->reason = reason;
    places_complete_zone(places, place);
}

/* Finds a place. The evidence is large: only what is used of it is set, the databases' names if `told`. */
static void find(struct places *places, const struct address *address, const struct record *edge_record,
                 const char *language, struct place *out, struct place_evidence *evidence, bool told)
{
    const char *range;
    struct address judged = address_judged(address);
    enum address_class class = address_classify(&judged, &range);
    *out = (struct place){0};
    struct generation *generation = generation_acquire(places);
    const struct lookup lookup = {.places = places,
                                  .generation = generation,
                                  .address = &judged,
                                  .language = language,
                                  .vague = vague_contains(&generation->vague, &judged),
                                  .place = out,
                                  .evidence = evidence};
    evidence->witness_count = evidence->decides = evidence->asn = 0;
    evidence->label = NULL;
    evidence->range = address->family == ADDRESS_NONE ? NULL : range;
    if (edge_record)
        hear_proxy(&lookup, edge_record);
    evidence->reason = judge_address(&lookup, class);
    apply_home_fallback(places, generation, out);
    if (told)
        ARRAY_COPY(evidence->databases, generation->options.databases);
    generation_release(places, generation);
}

void places_find(struct places *places, const struct address *address, const struct record *edge_record,
                 const char *language, struct place *out, struct place_evidence *evidence)
{
    __attribute__((uninitialized)) struct place_evidence unread;
    find(places, address, edge_record, language, out, evidence ? evidence : &unread, evidence);
    if (evidence)
        return;
    metric_add(&rows[LOOKUPS], out->verdict, 0);
    metric_add(&rows[PLACES], out->confidence, out->reason);
}

const struct witness *place_decides(const struct place_evidence *evidence)
{
    return evidence->witness_count > 0 ? &evidence->witnesses[evidence->decides] : NULL;
}

const char *place_witness_name(const struct place_evidence *evidence, const struct witness *witness)
{
    return witness->database == PLACE_BY_PROXY ? "headers" : evidence->databases[witness->database];
}

bool places_choose(const struct places *places, int64_t id, const char *language, struct place *out)
{
    struct city city;
    if (!gazetteer_by_id(places->gazetteer, id, language, &city))
        return false;
    *out = (struct place){
        .verdict = PLACE_CITY,
        .confidence = PLACE_CONFIRMED,
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

bool places_day(const struct places *places, const char *zone, int64_t at_s, int64_t *begin_s, int64_t *end_s)
{
    return zones_day(places->zones, zone, at_s, begin_s, end_s);
}

const struct gazetteer *places_gazetteer(const struct places *places)
{
    return places->gazetteer;
}
