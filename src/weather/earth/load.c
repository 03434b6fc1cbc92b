#include "weather/earth/load.h"

#include "base/log.h"
#include "weather/earth/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_FIRST_MS INT64_C(30000)
#define PAUSE_MAX_MS   INT64_C(600000)
#define FAILURE_BYTES  (2 * DECODE_ERROR_BYTES)

static const char *const parameter_names[GFS_PARAMETERS] = {[GFS_TEMPERATURE] = "temperature",
                                                            [GFS_CLOUD_COVER] = "cloud cover",
                                                            [GFS_PRECIPITATION] = "precipitation",
                                                            [GFS_FREEZING_RAIN] = "freezing rain",
                                                            [GFS_OROGRAPHY] = "orography"};

/* What is still to be done for an hour of the forecast: its index, then those fields that are wanted. */
struct hour {
    bool active;  /* a request is under way */
    bool indexed; /* `ranges` are known */
    bool given_up;
    bool doubted;                            /* what is under way is not to be believed */
    unsigned wanted;                         /* bits by enum gfs_parameter */
    enum gfs_parameter parameter;            /* of the request under way, if it is not for the index */
    struct gfs_range ranges[GFS_PARAMETERS]; /* of those that are wanted */
    struct decoded sky[GFS_PARAMETERS];      /* the parts of the sky that came, until all have */
    size_t mirror, failures;
    int64_t retry_ms; /* boot time before which it is not asked for again */
    char url[TRANSFER_URL_BYTES];
};

struct load {
    struct load_options options;
    int64_t run_s;
    int first_hour;
    enum load_state state;
    struct planes *planes; /* NULL until the first field has told the grid */
    struct hour hours[GRID_HOURS];
    size_t mirror;
    char last_failure[FAILURE_BYTES];
};

#define BIT(parameter) (1U << (parameter))
#define SKY_BITS       (BIT(GFS_CLOUD_COVER) | BIT(GFS_PRECIPITATION) | BIT(GFS_FREEZING_RAIN))

static bool is_step(size_t hour)
{
    return hour % GRID_STEP_HOURS == 0;
}

static bool has_temperature(const struct load *load, size_t hour)
{
    return planes_there(load->planes, grid_temperature_plane(hour));
}

static bool has_sky(const struct load *load, size_t hour)
{
    return is_step(hour) && planes_there(load->planes, grid_sky_plane(hour / GRID_STEP_HOURS));
}

static void want_all(struct load *load)
{
    for (size_t i = 0; i < GRID_HOURS; i++)
        load->hours[i].wanted |= BIT(GFS_TEMPERATURE) | (is_step(i) ? SKY_BITS : 0);
}

struct load *load_begin(const struct load_options *options, int64_t run_s, int first_hour, bool orography,
                        size_t first_mirror)
{
    struct load *load = calloc(1, sizeof *load);
    if (!load)
        return NULL;
    load->options = *options;
    load->run_s = run_s;
    load->first_hour = first_hour;
    load->mirror = first_mirror % options->mirror_count;
    want_all(load);
    if (orography)
        load->hours[0].wanted |= BIT(GFS_OROGRAPHY);
    for (size_t i = 0; i < GRID_HOURS; i++)
        load->hours[i].mirror = load->mirror;
    return load;
}

static void drop_sky(struct hour *hour)
{
    for (size_t i = 0; i < GFS_PARAMETERS; i++) {
        hour->wanted |= hour->sky[i].values ? BIT(i) : 0;
        decode_free(&hour->sky[i]);
    }
}

void load_close(struct load *load)
{
    if (!load)
        return;
    for (size_t i = 0; i < GRID_HOURS; i++)
        drop_sky(&load->hours[i]);
    planes_close(load->planes);
    free(load);
}

/* --- Which request is next --- */

static size_t active_count(const struct load *load)
{
    size_t count = 0;
    for (size_t i = 0; i < GRID_HOURS; i++)
        count += load->hours[i].active;
    return count;
}

static bool may_be_asked(const struct hour *hour, const struct instant *now)
{
    return hour->wanted && !hour->active && !hour->given_up && now->boot_ms >= hour->retry_ms;
}

/* The hour to ask for: one that was begun goes first, then the nearest; while probing, the last one. */
static struct hour *next_hour(struct load *load, const struct instant *now)
{
    struct hour *last = &load->hours[GRID_HOURS - 1], *next = NULL;
    if (load->state == LOAD_PROBING)
        return may_be_asked(last, now) ? last : NULL;
    for (size_t i = GRID_HOURS; i-- > 0;) {
        struct hour *hour = &load->hours[i];
        if (may_be_asked(hour, now) && (!next || hour->indexed || !next->indexed))
            next = hour;
    }
    return next;
}

/* The ground's height first: temperatures are wrong for mountains without it. */
static enum gfs_parameter next_parameter(const struct hour *hour)
{
    enum gfs_parameter next = GFS_TEMPERATURE;
    if (hour->wanted & BIT(GFS_OROGRAPHY))
        return GFS_OROGRAPHY;
    while (!(hour->wanted & BIT(next)))
        next++;
    return next;
}

bool load_next(struct load *load, const struct instant *now, struct transfer_request *request)
{
    char path[GFS_PATH_BYTES];
    bool may = load->state == LOAD_PROBING || load->state == LOAD_GOING;
    struct hour *hour = may && active_count(load) < LOAD_FLIGHTS ? next_hour(load, now) : NULL;
    if (!hour)
        return false;
    gfs_path(load->run_s, load->first_hour + (int)(hour - load->hours), !hour->indexed, path);
    snprintf(hour->url, sizeof hour->url, "%s%s", load->options.mirrors[hour->mirror], path);
    *request = (struct transfer_request){.url = hour->url, .tag = hour};
    if (hour->indexed) {
        hour->parameter = next_parameter(hour);
        request->first = hour->ranges[hour->parameter].first;
        request->last = hour->ranges[hour->parameter].last;
    }
    hour->active = true;
    return true;
}

bool load_idle(const struct load *load)
{
    return active_count(load) == 0;
}

bool load_owns(const struct load *load, const void *tag)
{
    const struct hour *hour = tag;
    return hour >= load->hours && hour < load->hours + GRID_HOURS;
}

/* --- What becomes of an answer --- */

static void judge_state(struct load *load)
{
    unsigned gone = 0, open = 0;
    for (size_t i = 0; i < GRID_HOURS; i++) {
        const struct hour *hour = &load->hours[i];
        open += hour->active || (hour->wanted && !hour->given_up);
        gone += hour->given_up && (hour->wanted & BIT(GFS_TEMPERATURE));
    }
    if (load->state == LOAD_PROBING && load->hours[GRID_HOURS - 1].given_up)
        load->state = LOAD_FAILED;
    if (load->state == LOAD_GOING && open == 0)
        load->state = gone <= LOAD_GAPS_MAX ? LOAD_COMPLETE : LOAD_FAILED;
}

/* Takes note of a failure: the hour is asked for again from its index on, at the next mirror. */
static void fail(struct load *load, struct hour *hour, const char *what, const struct instant *now)
{
    size_t mirrors = load->options.mirror_count, round = ++hour->failures / mirrors;
    int64_t pause_ms = round <= 5 ? PAUSE_FIRST_MS << (round > 0 ? round - 1 : 0) : PAUSE_MAX_MS;
    snprintf(load->last_failure, sizeof load->last_failure, "%s, of %s, hour %d: %s",
             hour->indexed ? parameter_names[hour->parameter] : "index", load->options.mirrors[hour->mirror],
             load->first_hour + (int)(hour - load->hours), what);
    log_throttled(LOG_WARN, "a part of the weather of the whole earth was not read",
                  log_str("mirror", load->options.mirrors[hour->mirror]), log_str("file", hour->url),
                  log_str("error", load->last_failure));
    drop_sky(hour);
    hour->indexed = hour->doubted = false;
    hour->mirror = (hour->mirror + 1) % mirrors;
    hour->retry_ms = hour->failures % mirrors == 0 ? now->boot_ms + pause_ms : 0;
    hour->given_up = round >= LOAD_ROUNDS;
    judge_state(load);
}

/* Reads an index. NULL, or what is wrong with it. */
static const char *read_index(struct load *load, struct hour *hour, const struct transfer_answer *answer)
{
    int forecast_hour = load->first_hour + (int)(hour - load->hours);
    for (enum gfs_parameter i = 0; i < GFS_PARAMETERS; i++) {
        if (!(hour->wanted & BIT(i)))
            continue;
        const char *fault =
            gfs_find(answer->body, answer->length, i, load->run_s, forecast_hour, 0, &hour->ranges[i]);
        if (fault)
            return fault;
    }
    hour->indexed = true;
    return NULL;
}

/* Gives up a file that has one field, which is of another grid than the next one: whichever of the two is
 * odd, there is little to lose. The hour of the first goes to the next mirror, so that this comes to an end.
 */
static void begin_anew(struct load *load, const struct instant *now)
{
    for (size_t i = 0; i < GRID_HOURS; i++) {
        struct hour *hour = &load->hours[i];
        bool has_it = has_temperature(load, i) || has_sky(load, i);
        drop_sky(hour);
        if (has_it && hour->active)
            hour->doubted = true;
        else if (has_it)
            fail(load, hour, "of another grid", now);
    }
    planes_close(load->planes);
    load->planes = NULL;
    want_all(load);
}

/* Opens the file of the run once the first field has told its grid; what is there already is not wanted. */
static bool open_planes(struct load *load, const struct grib_field *field, const struct instant *now,
                        char error[DECODE_ERROR_BYTES])
{
    struct planes_shape shape = grid_run_shape(field, load->options.simulated);
    struct load_facts facts = load_facts(load);
    shape.first_hour = (uint16_t)load->first_hour;
    if (load->planes && shape.spacing_udeg != planes_shape(load->planes)->spacing_udeg &&
        facts.hours + facts.steps == 1)
        begin_anew(load, now);
    if (!load->planes)
        load->planes = planes_begin(load->options.path, &shape, error);
    for (size_t i = 0; load->planes && i < GRID_HOURS; i++) {
        struct hour *hour = &load->hours[i];
        if (has_temperature(load, i))
            hour->wanted &= ~BIT(GFS_TEMPERATURE);
        if (has_sky(load, i)) {
            drop_sky(hour);
            hour->wanted &= ~SKY_BITS;
        }
    }
    return load->planes != NULL;
}

static const char *put_orography(const struct load *load, const struct grid_layer *layer,
                                 char error[DECODE_ERROR_BYTES])
{
    struct planes_shape shape = grid_orography_shape(layer->field, load->options.simulated);
    struct planes *planes = planes_begin(load->options.orography, &shape, error);
    const char *fault = planes ? NULL : error;
    if (planes && !planes_there(planes, 0))
        fault = grid_put_orography(planes, layer);
    if (!fault && !planes_finish(planes, load->options.orography))
        fault = "cannot be written";
    planes_close(planes);
    return fault;
}

/* Keeps a part of the sky, and puts all of it once it is whole. */
static const char *put_sky(struct load *load, struct hour *hour, struct decoded *decoded)
{
    size_t step = (size_t)(hour - load->hours) / GRID_STEP_HOURS;
    hour->sky[hour->parameter] = *decoded;
    *decoded = (struct decoded){.values = NULL};
    if ((hour->wanted & SKY_BITS) != BIT(hour->parameter))
        return NULL;
    struct grid_layer layers[GFS_PARAMETERS];
    for (size_t i = 0; i < GFS_PARAMETERS; i++)
        layers[i] = (struct grid_layer){&hour->sky[i].field, hour->sky[i].values};
    const char *fault = grid_put_sky(load->planes, step, &layers[GFS_CLOUD_COVER], &layers[GFS_PRECIPITATION],
                                     &layers[GFS_FREEZING_RAIN]);
    for (size_t i = 0; !fault && i < GFS_PARAMETERS; i++)
        decode_free(&hour->sky[i]);
    return fault;
}

static const char *put(struct load *load, struct hour *hour, struct decoded *decoded,
                       const struct instant *now, char error[DECODE_ERROR_BYTES])
{
    struct grid_layer layer = {&decoded->field, decoded->values};
    if (hour->parameter == GFS_OROGRAPHY)
        return put_orography(load, &layer, error);
    if (!open_planes(load, &decoded->field, now, error))
        return error;
    if (!(hour->wanted & BIT(hour->parameter))) /* it was in the file already */
        return NULL;
    if (hour->parameter == GFS_TEMPERATURE)
        return grid_put_temperature(load->planes, (size_t)(hour - load->hours), &layer);
    return put_sky(load, hour, decoded);
}

/* Takes a message. NULL, or what is wrong with it. */
static const char *take_field(struct load *load, struct hour *hour, const struct transfer_answer *answer,
                              const struct instant *now, char error[DECODE_ERROR_BYTES])
{
    int forecast_hour = load->first_hour + (int)(hour - load->hours);
    struct decoded decoded = {.values = NULL};
    const char *fault = gfs_message_fault(answer->body, answer->length, &hour->ranges[hour->parameter]);
    if (!fault && !decode_message(answer->body, answer->length, &decoded, error))
        fault = error;
    if (!fault)
        fault = gfs_field_fault(&decoded.field, hour->parameter, load->run_s, forecast_hour);
    if (!fault)
        fault = put(load, hour, &decoded, now, error);
    decode_free(&decoded);
    if (!fault)
        hour->wanted &= ~BIT(hour->parameter);
    return fault;
}

/* What is wrong with an answer before its body is read; NULL: nothing. */
static const char *answer_fault(const struct transfer_answer *answer, bool is_range,
                                char error[DECODE_ERROR_BYTES])
{
    if (answer->end == TRANSFER_TOO_LARGE)
        return is_range ? "the whole file came in place of a range" : "it is too large";
    if (answer->end != TRANSFER_ANSWERED)
        return answer->error;
    if (answer->status == (is_range ? 206 : 200))
        return NULL;
    snprintf(error, DECODE_ERROR_BYTES, "status %d", answer->status);
    return error;
}

/* Whether an answer to the probe says that the run is not complete yet. */
static bool is_absent(const struct transfer_answer *answer, const struct instant *now)
{
    bool answered = answer->end == TRANSFER_ANSWERED;
    return answered && (answer->status == 404 || answer->status == 403 ||
                        (answer->status == 200 && answer->last_modified_s > 0 &&
                         !gfs_settled(answer->last_modified_s, now->wall_ms / 1000)));
}

bool load_end(struct load *load, const struct transfer_answer *answer, const struct instant *now)
{
    struct hour *hour = answer->tag;
    char error[DECODE_ERROR_BYTES] = "";
    hour->active = false;
    if (load->state == LOAD_PROBING && is_absent(answer, now)) {
        load->state = LOAD_ABSENT;
        return true;
    }
    const char *fault = hour->doubted ? "of another grid" : answer_fault(answer, hour->indexed, error);
    if (!fault)
        fault = hour->indexed ? take_field(load, hour, answer, now, error) : read_index(load, hour, answer);
    if (fault) {
        fail(load, hour, fault, now);
        return false;
    }
    load->mirror = hour->mirror;
    for (size_t i = 0; i < GRID_HOURS; i++) /* follow the mirror that answers well */
        if (load->hours[i].failures == 0 && !load->hours[i].indexed && !load->hours[i].active)
            load->hours[i].mirror = load->mirror;
    if (load->state == LOAD_PROBING)
        load->state = LOAD_GOING;
    judge_state(load);
    return true;
}

void load_fail(struct load *load, void *tag, const struct instant *now)
{
    struct hour *hour = tag;
    hour->active = false;
    fail(load, hour, "the request cannot be sent", now);
}

bool load_finish(struct load *load)
{
    return load->planes && planes_finish(load->planes, load->options.path);
}

struct load_facts load_facts(const struct load *load)
{
    struct load_facts facts = {.state = load->state,
                               .run_s = load->run_s,
                               .first_hour = load->first_hour,
                               .mirror = load->mirror,
                               .last_failure = load->last_failure};
    for (size_t i = 0; load->planes && i < GRID_HOURS; i++) {
        bool there = has_temperature(load, i);
        facts.hours += there;
        facts.hours_in_a_row += there && facts.hours_in_a_row == i;
        facts.steps += has_sky(load, i);
    }
    return facts;
}
