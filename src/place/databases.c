#include "place/databases.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "place/copy.h"
#include "place/validate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    for (size_t i = 0; i < generation->file_count; i++) {
        mmdb_close(generation->files[i].db);
        survey_free(&generation->files[i].survey);
    }
    vague_free(&generation->vague);
    carriers_close(&generation->carriers);
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

static const char *path_of(const struct place_options *options, size_t i)
{
    return i < options->database_count ? options->databases[i] : options->asn;
}

static size_t count_files(const struct place_options *options)
{
    return options->database_count + (options->asn[0] != '\0');
}

/* A database's name in a label: that of its file, or the path where two files have one name. */
static const char *label_of(const struct place_options *options, size_t i)
{
    const char *path = path_of(options, i), *name = basename(path);
    for (size_t j = 0; j < count_files(options); j++)
        if (j != i && strcmp(basename(path_of(options, j)), name) == 0)
            return path;
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
    struct place_database databases[PLACE_FILES];
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

/* --- Surveys, kept in the state folder --- */

#define KEPT_FROM_BYTES (1 << 20) /* a smaller database is surveyed in no time */

/* The file that keeps the survey of a database: named by its file, and told from those of other folders. */
#define KEPT_BYTES (2 * PLACE_PATH_BYTES + 32)
static void kept_path(const struct place_options *options, const char *path, char out[KEPT_BYTES])
{
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a (Fowler, Noll, Vo 1991) */
    for (const char *at = path; *at; at++)
        hash = (hash ^ (uint8_t)*at) * UINT32_C(16777619);
    snprintf(out, KEPT_BYTES, "%s/%s-%08x.survey", options->state, basename(path), hash);
}

static struct survey_subject subject_of(const struct database *database)
{
    return (struct survey_subject){
        .file_bytes = database->file.st_size,
        .changed_ns = database->file.st_mtim.tv_sec * 1000000000 + database->file.st_mtim.tv_nsec,
        .built_s = mmdb_facts(database->db)->built_s,
    };
}

static bool read_kept(const struct place_options *options, const char *path, struct database *database)
{
    char kept[KEPT_BYTES];
    struct survey_subject subject = subject_of(database);
    const char *reason; /* is not told: without one the survey is made again */
    kept_path(options, path, kept);
    FILE *file = file_open_stream(kept, FILE_NO_LINK, &reason);
    bool read = file && survey_read(&database->survey, &subject, file);
    if (file)
        fclose(file);
    return read;
}

static bool write_kept(FILE *file, void *context)
{
    const struct database *database = context;
    struct survey_subject subject = subject_of(database);
    return survey_write(&database->survey, &subject, file);
}

static void keep(const struct place_options *options, const char *path, struct database *database)
{
    char kept[KEPT_BYTES];
    kept_path(options, path, kept);
    if (options->read_only || database->file.st_size < KEPT_FROM_BYTES)
        return;
    if (!file_replace(kept, write_kept, database))
        log_event(LOG_WARN, "survey of a database not kept, the next start makes it again",
                  log_str("file", kept), log_str("error", strerror(errno)));
}

/* --- Loading --- */

/* Whether a file names the city of less than half as many addresses as another. */
static bool answers_less(const double share[], const double before[], char error[PLACE_ERROR_BYTES])
{
    static const char *const families[] = {[ADDRESS_V4] = "IPv4", [ADDRESS_V6] = "IPv6"};
    for (size_t family = ADDRESS_V4; family <= ADDRESS_V6; family++) {
        if (share[family] >= before[family] / 2)
            continue;
        snprintf(error, PLACE_ERROR_BYTES,
                 "it names a city for %.3g %% of %s addresses, the present one for %.3g %%",
                 100 * share[family], families[family], 100 * before[family]);
        return true;
    }
    return false;
}

/* What serves readers from a path now; NULL: nothing. */
static const struct survey *serving_survey(const struct generation *serving, const char *path)
{
    for (size_t i = 0; serving && i < serving->file_count; i++)
        if (serving->files[i].db && strcmp(path_of(&serving->options, i), path) == 0)
            return &serving->files[i].survey;
    return NULL;
}

/* Whether a file answers what it is listed for. At the start what does not is told and used all the same, as
 * is one that did not before. */
static bool answers(const struct generation *generation, size_t i, const struct generation *serving,
                    char error[PLACE_ERROR_BYTES])
{
    const char *path = path_of(&generation->options, i);
    const struct database *database = &generation->files[i];
    const struct survey *survey = &database->survey, *before = serving_survey(serving, path);
    bool is_asn = i == generation->options.database_count;
    if (!is_asn && before && answers_less(survey->city_share, before->city_share, error))
        return false;
    if (is_asn ? survey->has_asns : survey->has_places)
        return true;
    if (before ? !(is_asn ? before->has_asns : before->has_places) : !serving) {
        log_event(LOG_WARN, is_asn ? "database has no autonomous systems" : "database has no place at all",
                  log_str("file", path), log_str("type", mmdb_facts(database->db)->type));
        return true;
    }
    snprintf(error, PLACE_ERROR_BYTES,
             is_asn ? "there is no autonomous system in it" : "there is no place in it");
    return false;
}

/* Opens and surveys the file of a database; with `serving` a child reads it first. */
static bool open_file(struct generation *generation, size_t i, const struct generation *serving,
                      char error[PLACE_ERROR_BYTES])
{
    const struct place_options *options = &generation->options;
    const char *path = path_of(options, i);
    struct database *database = &generation->files[i];
    int fd = copy_open(path, options->read_only ? "" : options->state, error);
    if (fd < 0)
        return false;
    bool surveyed = serving && validate_in_child(fd, &database->survey, error);
    if (surveyed || !serving)
        database->db = mmdb_open(fd, path, error);
    close(fd);
    if (!database->db || !validate_known_networks(database->db, error))
        return false;
    bool kept = !surveyed && read_kept(options, path, database);
    if (!surveyed && !kept && !survey_take(database->db, false, &database->survey, error))
        return false;
    if (!answers(generation, i, serving, error))
        return false;
    if (!kept)
        keep(options, path, database);
    return true;
}

/* Opens file `i`, or logs why it cannot be. */
static void open_database(struct generation *generation, size_t i, const struct generation *serving)
{
    const char *path = path_of(&generation->options, i);
    struct database *database = &generation->files[i];
    char date[CLOCK_RFC3339_BYTES];
    int64_t days;
    database->file = look_at(path);
    if (!open_file(generation, i, serving, database->refusal)) {
        if (database->db)
            mmdb_add_type(database->db, database->refusal);
        log_event(LOG_WARN, "database not loaded", log_str("file", path),
                  log_str("error", database->refusal));
        generation->complete = false;
        mmdb_close(database->db);
        database->db = NULL;
        return;
    }
    database->refusal[0] = '\0'; /* a note of the survey, perhaps */
    for (size_t j = 0; j < i; j++)
        database->repeats = database->repeats ||
                            (generation->files[j].db && mmdb_equal(generation->files[j].db, database->db));
    clock_format(mmdb_facts(database->db)->built_s, date);
    log_event(LOG_INFO, "database loaded", log_str("file", path), log_str("built", date));
    if (is_old(mmdb_facts(database->db), clock_now().wall_ms / 1000, &days))
        log_event(LOG_WARN, "database is old", log_str("file", path), log_int("days", days));
}

/* The largest share that one of the databases has of each family. */
static void largest_shares(const struct generation *generation, double out[ADDRESS_V6 + 1])
{
    for (size_t family = 0; family <= ADDRESS_V6; family++) {
        out[family] = 0;
        for (size_t i = 0; i < generation->options.database_count; i++)
            out[family] = fmax(out[family], generation->files[i].survey.city_share[family]);
    }
}

/* Whether all databases together answer for as many readers as those in use, or half as many. */
static bool answers_enough(const struct generation *candidate, const struct generation *serving)
{
    double share[ADDRESS_V6 + 1], before[ADDRESS_V6 + 1];
    char error[PLACE_ERROR_BYTES];
    largest_shares(candidate, share);
    largest_shares(serving, before);
    if (!answers_less(share, before, error))
        return true;
    log_event(LOG_WARN, "too few readers would be placed", log_str("error", error));
    return false;
}

/* Warns where only confirmed cities are believed and nothing can confirm one: no second database of a family,
 * and no radii; the bundled readers do not count. */
static void check_belief(const struct generation *generation)
{
    size_t opinions[ADDRESS_V6 + 1] = {0};
    bool radii = false;
    for (size_t i = 0; i < generation->options.database_count; i++) {
        const struct database *database = &generation->files[i];
        if (!database->db || database->repeats || !mmdb_facts(database->db)->ages)
            continue;
        radii = radii || mmdb_facts(database->db)->has_radii;
        for (size_t family = ADDRESS_V4; family <= ADDRESS_V6; family++)
            opinions[family] += database->survey.city_share[family] > 0;
    }
    if (generation->options.believe == PLACE_BELIEVE_CONFIRMED && !radii && opinions[ADDRESS_V4] < 2 &&
        opinions[ADDRESS_V6] < 2)
        log_line(LOG_WARN,
                 "believe = confirmed, but there is neither a second database nor one with radii to "
                 "confirm a city: no reader gets one");
}

/* Opens what the options name; `serving`: what it is to replace, or NULL at the start. */
static struct generation *generation_open(const struct place_options *options,
                                          const struct generation *serving)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (!generation)
        return NULL;
    generation->references = 1;
    generation->serial = serving ? serving->serial + 1 : 0;
    generation->options = *options;
    generation->file_count = count_files(options);
    generation->complete = true;
    generation->opened_s = clock_now().wall_ms / 1000;
    if (!vague_read(&generation->vague, options->vague) ||
        !carriers_open(&generation->carriers, options->vague_asns, options->vague_asn_count)) {
        generation_free(generation);
        return NULL;
    }
    for (size_t i = 0; i < generation->file_count; i++)
        open_database(generation, i, serving);
    check_belief(generation);
    return generation;
}

static bool same_files(const struct place_options *a, const struct place_options *b)
{
    for (size_t i = 0; i < count_files(a) && i < count_files(b); i++)
        if (strcmp(path_of(a, i), path_of(b, i)) != 0)
            return false;
    return count_files(a) == count_files(b);
}

/* Records for each file whether it could be opened, and what it was like then. */
static void record_attempt(struct places *places, const struct generation *tried)
{
    pthread_mutex_lock(&places->lock);
    for (size_t i = 0; i < tried->file_count; i++) {
        places->files[i] = tried->files[i].file;
        ARRAY_COPY(places->refusals[i], tried->files[i].refusal);
    }
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
    struct generation *candidate = generation_open(options, places->present);
    if (!candidate || !candidate->complete || !answers_enough(candidate, places->present)) {
        /* A list of other files that is refused concerns none of those in use. */
        if (candidate && same_files(options, &places->present->options))
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
    for (size_t i = 0; i < generation->file_count; i++) {
        struct stat file = look_at(path_of(&generation->options, i)), *known = &places->files[i];
        bool same = file.st_ino == known->st_ino && file.st_size == known->st_size &&
                    file.st_mtim.tv_sec == known->st_mtim.tv_sec &&
                    file.st_mtim.tv_nsec == known->st_mtim.tv_nsec;
        *known = file;
        changed = changed || (!same && file.st_ino != 0); /* a file that went away is no reason to reload */
    }
    generation_release(places, generation);
    return changed;
}

size_t places_databases(struct places *places, int64_t now_s, struct place_database out[PLACE_FILES])
{
    struct generation *generation = generation_acquire(places);
    size_t count = generation->file_count;
    for (size_t i = 0; i < count; i++) {
        const struct mmdb *db = generation->files[i].db;
        int64_t days;
        out[i] = (struct place_database){.loaded = db != NULL};
        snprintf(out[i].label, sizeof out[i].label, "%s", label_of(&generation->options, i));
        pthread_mutex_lock(&places->lock);
        ARRAY_COPY(out[i].refusal, places->refusals[i]);
        pthread_mutex_unlock(&places->lock);
        out[i].reload_ok = out[i].refusal[0] == '\0';
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
