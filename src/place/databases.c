#include "place/databases.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "place/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUILD_TIME, OLD, RELOAD_OK, ROWS };
static metric_collector collect;
static struct metric rows[ROWS] = {
    [BUILD_TIME] = GAUGE("masthead_geoip_build_timestamp_seconds",
                         "When the vendor built the loaded database.", collect, LABEL("database")),
    [OLD] =
        GAUGE("masthead_geoip_old", "Whether the loaded database is too old; the bundled readers' never is.",
              collect, LABEL("database")),
    [RELOAD_OK] =
        GAUGE("masthead_geoip_last_reload_successful",
              "Whether the last attempt to load the database succeeded.", collect, LABEL("database")),
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

struct generation *generation_acquire(struct places *places)
{
    pthread_mutex_lock(&places->lock);
    struct generation *generation = places->present;
    generation->references++;
    pthread_mutex_unlock(&places->lock);
    return generation;
}

void generation_release(struct places *places, struct generation *generation)
{
    pthread_mutex_lock(&places->lock);
    bool last = --generation->references == 0;
    pthread_mutex_unlock(&places->lock);
    if (last)
        generation_free(generation);
}

/* A database's name in a label: that of its file, or the path where two files have one name. */
static const char *label_of(const struct place_options *options, size_t i)
{
    const char *name = basename(options->databases[i]);
    for (size_t j = 0; j < options->database_count; j++)
        if (j != i && strcmp(basename(options->databases[j]), name) == 0)
            return options->databases[i];
    return name;
}

static bool is_old(const struct mmdb_facts *facts, int64_t now_s, int64_t *days)
{
    *days = (now_s - facts->built_s) / 86400;
    return facts->ages && *days > PLACE_OLD_DAYS;
}

/* The age and build time are those of databases that are loaded. */
static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct place_database databases[PLACE_DATABASES];
    size_t count = places_databases(context, clock_now().wall_ms / 1000, databases);
    for (size_t i = 0; i < count; i++) {
        const struct place_database *db = &databases[i];
        const double values[ROWS] = {
            [BUILD_TIME] = (double)db->built_s, [OLD] = db->old, [RELOAD_OK] = db->reload_ok};
        if (db->loaded || row == RELOAD_OK)
            metric_sample(samples, values[row], db->label, NULL);
    }
}

/* All zero where there is no file. */
static struct stat look_at(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? file : (struct stat){0};
}

/* Opens database `i`, or logs why it cannot be. */
static void open_database(struct generation *generation, size_t i, mmdb_validator *validate)
{
    const char *path = generation->options.databases[i];
    char error[MMDB_ERROR_BYTES], date[CLOCK_RFC3339_BYTES];
    int64_t days;
    generation->files[i] = look_at(path);
    struct mmdb *db = mmdb_open(path, generation->options.state, validate, error);
    if (!db || !validate_known_networks(db, error)) {
        log_event(LOG_WARN, "database not loaded", log_str("file", path), log_str("error", error));
        generation->complete = false;
        mmdb_close(db);
        return;
    }
    generation->databases[i] = db;
    clock_format(mmdb_facts(db)->built_s, date);
    log_event(LOG_INFO, "database loaded", log_str("file", path), log_str("built", date));
    if (is_old(mmdb_facts(db), clock_now().wall_ms / 1000, &days))
        log_event(LOG_WARN, "database is old", log_str("file", path), log_int("days", days));
}

static struct generation *generation_open(const struct place_options *options, mmdb_validator *validate)
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
        open_database(generation, i, validate);
    return generation;
}

static bool same_databases(const struct place_options *a, const struct place_options *b)
{
    for (size_t i = 0; i < a->database_count && i < b->database_count; i++)
        if (strcmp(a->databases[i], b->databases[i]) != 0)
            return false;
    return a->database_count == b->database_count;
}

/* Records for each database whether it could be opened, and its file as it was then. */
static void record_attempt(struct places *places, const struct generation *tried)
{
    ARRAY_COPY(places->files, tried->files);
    pthread_mutex_lock(&places->lock);
    for (size_t i = 0; i < tried->options.database_count; i++)
        places->last_reload_ok[i] = tried->databases[i] != NULL;
    pthread_mutex_unlock(&places->lock);
}

bool databases_open(struct places *places, const struct place_options *options)
{
    places->present = generation_open(options, NULL);
    if (!places->present)
        return false;
    record_attempt(places, places->present);
    metrics_register(rows, ROWS, places);
    return true;
}

void databases_close(struct places *places)
{
    generation_free(places->present);
}

bool places_reload(struct places *places, const struct place_options *options)
{
    struct generation *candidate = generation_open(options, validate_in_child);
    if (!candidate || !candidate->complete) {
        /* A list of other files that is refused concerns none of those in use. */
        if (candidate && same_databases(options, &places->present->options))
            record_attempt(places, candidate);
        log_line(LOG_ERROR, "databases not replaced, the present ones go on serving");
        generation_free(candidate);
        return false;
    }
    pthread_mutex_lock(&places->lock);
    struct generation *old = places->present;
    places->present = candidate;
    pthread_mutex_unlock(&places->lock);
    record_attempt(places, candidate);
    generation_release(places, old);
    log_event(LOG_INFO, "databases replaced", log_int("databases", (int64_t)options->database_count));
    return true;
}

bool places_changed(struct places *places)
{
    bool changed = false;
    struct generation *generation = generation_acquire(places);
    for (size_t i = 0; i < generation->options.database_count; i++) {
        struct stat file = look_at(generation->options.databases[i]), *known = &places->files[i];
        bool same = file.st_ino == known->st_ino && file.st_size == known->st_size &&
                    file.st_mtim.tv_sec == known->st_mtim.tv_sec &&
                    file.st_mtim.tv_nsec == known->st_mtim.tv_nsec;
        *known = file;
        changed = changed || (!same && file.st_ino != 0); /* a file that went away is no reason to reload */
    }
    generation_release(places, generation);
    return changed;
}

size_t places_databases(struct places *places, int64_t now_s, struct place_database out[PLACE_DATABASES])
{
    struct generation *generation = generation_acquire(places);
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
        const struct mmdb_facts *facts = mmdb_facts(db);
        text_sanitize(facts->type, strlen(facts->type), out[i].type, sizeof out[i].type);
        out[i].has_radii = facts->has_radii;
        out[i].old = is_old(facts, now_s, &days);
        out[i].built_s = facts->built_s;
        out[i].loaded_s = generation->opened_s;
    }
    generation_release(places, generation);
    return count;
}

bool places_loaded(struct places *places)
{
    struct generation *generation = generation_acquire(places);
    bool complete = generation->complete;
    generation_release(places, generation);
    return complete;
}
