/* The databases in use are one immutable, counted generation. `lock` guards only the pointer to the present
 * one and the counts of all: a reader takes a reference, reads without any lock, and gives the reference
 * back; whoever drops the last reference frees it. */
#include "place/place.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "place/examine.h"
#include "place/mmdb.h"
#include "place/vague.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

struct file_mark {
    ino_t inode;
    off_t size;
    struct timespec modified;
};

struct generation {
    unsigned references; /* guarded by places.lock */
    struct place_options options;
    struct mmdb *databases[PLACE_DATABASES]; /* NULL: configured but not loaded */
    struct file_mark marks[PLACE_DATABASES]; /* of the files when they were opened or tried */
    struct vague vague;
    bool complete;
    int64_t opened_s; /* Unix time */
};

struct places {
    struct gazetteer *gazetteer; /* never changes */
    pthread_mutex_t lock;
    struct generation *present;              /* guarded by lock; never NULL after places_open */
    bool last_reload_ok[PLACE_DATABASES];    /* of the present one's databases; guarded by lock */
    struct file_mark marks[PLACE_DATABASES]; /* of the same; of the reloading thread alone */
};

enum { LOOKUPS, BUILD_TIME, RELOAD_OK, ROWS };
static metric_collector collect_build_time, collect_reload_ok;
static struct metric rows[ROWS] = {
    [LOOKUPS] = {.name = "masthead_place_lookups_total",
                 .help = "Lookups of a reader's place, by verdict.",
                 .type = METRIC_COUNTER,
                 .labels = {{"verdict", place_verdict_names, PLACE_VERDICTS}}},
    [BUILD_TIME] = {.name = "masthead_geoip_build_timestamp_seconds",
                    .help = "When the vendor built the loaded database.",
                    .type = METRIC_GAUGE,
                    .labels = {{"database", NULL, 0}},
                    .collect = collect_build_time},
    [RELOAD_OK] = {.name = "masthead_geoip_last_reload_successful",
                   .help = "Whether the last attempt to load the database succeeded.",
                   .type = METRIC_GAUGE,
                   .labels = {{"database", NULL, 0}},
                   .collect = collect_reload_ok},
};

static void generation_free(struct generation *generation)
{
    if (!generation)
        return;
    for (size_t i = 0; i < PLACE_DATABASES; i++)
        mmdb_close(generation->databases[i]);
    vague_free(&generation->vague);
    free(generation);
}

static struct generation *take(struct places *places)
{
    pthread_mutex_lock(&places->lock);
    struct generation *generation = places->present;
    generation->references++;
    pthread_mutex_unlock(&places->lock);
    return generation;
}

static void give_back(struct places *places, struct generation *generation)
{
    pthread_mutex_lock(&places->lock);
    bool last = --generation->references == 0;
    pthread_mutex_unlock(&places->lock);
    if (last)
        generation_free(generation);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A database's name in a label: that of its file, or the path where two files have one name. */
static const char *label_of(const struct place_options *options, size_t i)
{
    const char *name = base_name(options->databases[i]);
    for (size_t j = 0; j < options->database_count; j++)
        if (j != i && strcmp(base_name(options->databases[j]), name) == 0)
            return options->databases[i];
    return name;
}

static void collect_build_time(void *context, struct metric_samples *samples)
{
    struct generation *generation = take(context);
    for (size_t i = 0; i < generation->options.database_count; i++)
        if (generation->databases[i])
            metric_sample(samples, (double)mmdb_built_s(generation->databases[i]),
                          label_of(&generation->options, i), NULL);
    give_back(context, generation);
}

static void collect_reload_ok(void *context, struct metric_samples *samples)
{
    struct places *places = context;
    struct generation *generation = take(places);
    for (size_t i = 0; i < generation->options.database_count; i++) {
        pthread_mutex_lock(&places->lock);
        bool ok = places->last_reload_ok[i];
        pthread_mutex_unlock(&places->lock);
        metric_sample(samples, ok, label_of(&generation->options, i), NULL);
    }
    give_back(places, generation);
}

static struct file_mark mark_file(const char *path)
{
    struct stat status;
    if (stat(path, &status) < 0)
        return (struct file_mark){0};
    return (struct file_mark){.inode = status.st_ino, .size = status.st_size, .modified = status.st_mtim};
}

static bool is_old(const struct mmdb *db, int64_t now_s, int64_t *days)
{
    *days = (now_s - mmdb_built_s(db)) / 86400;
    return mmdb_ages(db) && *days > PLACE_OLD_DAYS;
}

static void open_database(struct generation *generation, size_t i, mmdb_examiner *examine)
{
    const char *path = generation->options.databases[i];
    char error[MMDB_ERROR_BYTES];
    generation->marks[i] = mark_file(path);
    generation->databases[i] = mmdb_open(path, generation->options.state, examine, error);
    if (generation->databases[i] && !examine_landmarks(generation->databases[i], error)) {
        mmdb_close(generation->databases[i]);
        generation->databases[i] = NULL;
    }
    bool ok = generation->databases[i] != NULL;
    if (ok) {
        char date[CLOCK_RFC3339_BYTES];
        int64_t days;
        clock_format(mmdb_built_s(generation->databases[i]), date);
        log_event(LOG_INFO, "database loaded", log_str("file", path), log_str("built", date));
        if (is_old(generation->databases[i], clock_now().wall_ms / 1000, &days))
            log_event(LOG_WARN, "database is old", log_str("file", path), log_int("days", days));
    } else
        log_event(LOG_WARN, "database not loaded", log_str("file", path), log_str("error", error));
    generation->complete = generation->complete && ok;
}

static struct generation *generation_open(const struct place_options *options, mmdb_examiner *examine)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (!generation)
        return NULL;
    generation->references = 1;
    generation->options = *options;
    generation->complete = true;
    generation->opened_s = clock_now().wall_ms / 1000;
    if (!vague_read(&generation->vague, options->vague)) {
        generation_free(generation);
        return NULL;
    }
    for (size_t i = 0; i < options->database_count; i++)
        open_database(generation, i, examine);
    return generation;
}

static bool same_databases(const struct place_options *a, const struct place_options *b)
{
    for (size_t i = 0; i < a->database_count && i < b->database_count; i++)
        if (strcmp(a->databases[i], b->databases[i]) != 0)
            return false;
    return a->database_count == b->database_count;
}

/* Notes how opening went, database by database. */
static void note_attempt(struct places *places, const struct generation *tried)
{
    memcpy(places->marks, tried->marks, sizeof places->marks);
    pthread_mutex_lock(&places->lock);
    for (size_t i = 0; i < tried->options.database_count; i++)
        places->last_reload_ok[i] = tried->databases[i] != NULL;
    pthread_mutex_unlock(&places->lock);
}

struct places *places_open(const struct place_options *options)
{
    struct places *places = calloc(1, sizeof *places);
    if (!places)
        return NULL;
    pthread_mutex_init(&places->lock, NULL);
    places->gazetteer = gazetteer_open();
    places->present = generation_open(options, NULL);
    if (!places->present || !places->gazetteer) {
        places_close(places);
        return NULL;
    }
    note_attempt(places, places->present);
    metrics_register(rows, ROWS, places);
    return places;
}

void places_close(struct places *places)
{
    if (!places)
        return;
    generation_free(places->present);
    gazetteer_close(places->gazetteer);
    pthread_mutex_destroy(&places->lock);
    free(places);
}

bool places_reload(struct places *places, const struct place_options *options)
{
    struct generation *candidate = generation_open(options, examine_in_child);
    if (!candidate || !candidate->complete) {
        /* A refused list of other files says nothing of those that go on serving. */
        if (candidate && same_databases(options, &places->present->options))
            note_attempt(places, candidate);
        log_line(LOG_ERROR, "databases not replaced, the present ones go on serving");
        generation_free(candidate);
        return false;
    }
    pthread_mutex_lock(&places->lock);
    struct generation *old = places->present;
    places->present = candidate;
    pthread_mutex_unlock(&places->lock);
    note_attempt(places, candidate);
    give_back(places, old);
    log_event(LOG_INFO, "databases replaced", log_int("databases", (int64_t)options->database_count));
    return true;
}

bool places_changed(struct places *places)
{
    bool changed = false;
    struct generation *generation = take(places);
    for (size_t i = 0; i < generation->options.database_count; i++) {
        struct file_mark mark = mark_file(generation->options.databases[i]);
        struct file_mark *known = &places->marks[i];
        bool same = mark.inode == known->inode && mark.size == known->size &&
                    mark.modified.tv_sec == known->modified.tv_sec &&
                    mark.modified.tv_nsec == known->modified.tv_nsec;
        *known = mark;
        changed = changed || (!same && mark.inode != 0); /* a file that went away is no reason to reload */
    }
    give_back(places, generation);
    return changed;
}

size_t places_databases(struct places *places, int64_t now_s, struct place_database out[PLACE_DATABASES])
{
    struct generation *generation = take(places);
    size_t count = generation->options.database_count;
    for (size_t i = 0; i < count; i++) {
        const struct mmdb *db = generation->databases[i];
        int64_t days;
        out[i] = (struct place_database){.loaded = db != NULL};
        snprintf(out[i].label, sizeof out[i].label, "%s", label_of(&generation->options, i));
        pthread_mutex_lock(&places->lock);
        out[i].reload_ok = places->last_reload_ok[i];
        pthread_mutex_unlock(&places->lock);
        if (!db)
            continue;
        text_clean(mmdb_type(db), strlen(mmdb_type(db)), out[i].type, sizeof out[i].type);
        out[i].has_radii = mmdb_has_radii(db);
        out[i].old = is_old(db, now_s, &days);
        out[i].built_s = mmdb_built_s(db);
        out[i].loaded_s = generation->opened_s;
    }
    give_back(places, generation);
    return count;
}

bool places_loaded(struct places *places)
{
    struct generation *generation = take(places);
    bool complete = generation->complete;
    give_back(places, generation);
    return complete;
}

/* NULL when the record may be believed as a city, else why not. */
static const char *doubt(const struct generation *generation, const struct address *address,
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

static void copy_bare(const char *name, struct place *out)
{
    snprintf(out->name, sizeof out->name, "%.*s", (int)gazetteer_bare(name), name);
}

/* Names the place of a believed record: the city that its readers would say, else the record's own name,
 * without the bracketed district that 42 % of random Indian addresses carry in DB-IP City Lite, as in "Mumbai
 * (Parel)". Where our table has no word for the city in the asked language but the record does, the record's
 * counts. Returns how. */
static const char *name_place(const struct gazetteer *gazetteer, const struct record *record,
                              const char *language, struct place *out)
{
    struct city city, local;
    const char *rule = gazetteer_label(gazetteer, record->latitude, record->longitude, record->country,
                                       record->region, record->city, "en", &city);
    if (!rule) {
        copy_bare(record->city_local[0] ? record->city_local : record->city, out);
        return "the record's own name, without a district in brackets";
    }
    bool translated =
        gazetteer_find(gazetteer, city.id, language, &local) && strcmp(local.name, city.name) != 0;
    bool same = strcmp(city.name, record->city) == 0;
    out->id = city.id;
    if (same && !translated && record->city_local[0])
        copy_bare(record->city_local, out);
    else
        memcpy(out->name, translated ? local.name : city.name, sizeof out->name);
    return rule;
}

/* Judges a record. Returns the reason for the verdict, with in *label how the name came about. */
static const char *judge(const struct gazetteer *gazetteer, const struct generation *generation,
                         const struct address *address, const struct record *record, const char *language,
                         struct place *out, const char **label)
{
    const char *reason = doubt(generation, address, record);
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
    *label = name_place(gazetteer, record, language, out);
    return "the record names a city and may be believed";
}

/* Asks the databases in order; the first record decides. Returns the reason for the verdict. */
static const char *ask(const struct gazetteer *gazetteer, const struct generation *generation,
                       const struct address *address, const char *language, struct place *out,
                       struct place_evidence *evidence)
{
    for (size_t i = 0; i < generation->options.database_count; i++) {
        struct record record;
        const char *label = NULL;
        if (!generation->databases[i] || !mmdb_find(generation->databases[i], address, language, &record))
            continue;
        const char *reason = judge(gazetteer, generation, address, &record, language, out, &label);
        out->credit = mmdb_credit(generation->databases[i]);
        if (evidence) {
            memcpy(evidence->database, generation->options.databases[i], sizeof evidence->database);
            evidence->recorded = true;
            evidence->record = record;
            evidence->label = label;
        }
        return reason;
    }
    bool asked_all = generation->complete && generation->options.database_count > 0;
    out->verdict = asked_all ? PLACE_NOT_FOUND : PLACE_NO_DATABASE;
    return asked_all ? "no database has a record" : "no record, and not every database is loaded";
}

static void go_home(const struct generation *generation, struct place *out)
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

void places_find(struct places *places, const struct address *address, const char *language,
                 struct place *out, struct place_evidence *evidence)
{
    const char *range = NULL;
    const char *reason = "an address of a local network, never looked up";
    enum address_class class = address_classify(address, &range);
    struct generation *generation = take(places);
    *out = (struct place){0};
    if (evidence)
        *evidence = (struct place_evidence){.range = range};

    if (class == ADDRESS_PRIVATE) {
        out->verdict = PLACE_PRIVATE;
    } else if (class == ADDRESS_RESERVED) {
        out->verdict = PLACE_RESERVED;
        reason = "an address that no reader on the internet has";
    } else {
        reason = ask(places->gazetteer, generation, address, language, out, evidence);
        if (class == ADDRESS_DOCUMENTATION && out->verdict == PLACE_NOT_FOUND)
            out->verdict = PLACE_RESERVED;
    }
    go_home(generation, out);
    give_back(places, generation);
    if (evidence)
        evidence->reason = reason;
    else
        metric_add(&rows[LOOKUPS], out->verdict, 0);
}

void places_judge(struct places *places, const struct address *address, const struct record *record,
                  const char *language, struct place *out, struct place_evidence *evidence)
{
    const char *label = NULL, *range;
    struct generation *generation = take(places);
    *out = (struct place){0};
    const char *reason = judge(places->gazetteer, generation, address, record, language, out, &label);
    go_home(generation, out);
    give_back(places, generation);
    address_classify(address, &range);
    if (evidence)
        *evidence = (struct place_evidence){
            .recorded = true, .record = *record, .range = range, .reason = reason, .label = label};
    else
        metric_add(&rows[LOOKUPS], out->verdict, 0);
}

void places_unreadable(struct places *places, struct place *out, struct place_evidence *evidence)
{
    struct generation *generation = take(places);
    *out = (struct place){.verdict = PLACE_UNREADABLE};
    go_home(generation, out);
    give_back(places, generation);
    if (evidence)
        *evidence = (struct place_evidence){.reason = "the forwarding header cannot be trusted"};
    else
        metric_add(&rows[LOOKUPS], PLACE_UNREADABLE, 0);
}

bool places_choose(const struct places *places, int64_t id, const char *language, struct place *out)
{
    struct city city;
    if (!gazetteer_find(places->gazetteer, id, language, &city))
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

size_t places_search(const struct places *places, const char *query, const char *country,
                     const char *language, struct city *out, size_t max)
{
    return gazetteer_search(places->gazetteer, query, country, language, out, max);
}

size_t places_points(const struct places *places, size_t *cursor, struct place_point *out, size_t max)
{
    return gazetteer_points(places->gazetteer, cursor, out, max);
}
