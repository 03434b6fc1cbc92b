#include "sim/gfs_fields.h"

#include "base/child.h"
#include "synthetic/synthetic_weather.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX    128        /* instants: those that four runs forecast for two days are 67 */
#define KEPT_BYTES  (96 << 20) /* of messages; at 0.25 degrees an instant has about a million */
#define COARSE_UDEG 7500000
#define SKY_COLUMNS 360 /* the sky is looked at once a degree; its regions are much larger */
#define KELVIN      273.15
#define HOUR_S      3600
#define ENCODING_MS 30000 /* of real time; one message takes 100 */

/* What a message says of its field (grib/field.h). */
static const struct {
    uint8_t category, number, surface;
    int32_t surface_value;
    int8_t decimals;
} facts[GFS_FIELDS] = {
    [GFS_FIELD_HEIGHT] = {3, 5, 1, 0, 0}, [GFS_FIELD_TEMPERATURE] = {0, 0, 103, 2, 2},
    [GFS_FIELD_RATE] = {1, 7, 1, 0, 6},   [GFS_FIELD_FREEZING] = {1, 193, 1, 0, 0},
    [GFS_FIELD_COVER] = {6, 1, 10, 0, 0},
};

/* The messages of an instant; in the list while they are made, too, so that nobody makes them twice. */
struct kept {
    int64_t valid_s;
    struct gfs_manner manner;
    struct gfs_messages messages; /* bytes: NULL while they are made */
    uint64_t used;                /* the larger, the later; 0: a free row */
};

static struct {
    char program[4096];
    uint32_t spacing_udeg;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t made;
    uint64_t uses;
    struct kept kept[KEPT_MAX];
} store = {.lock = PTHREAD_MUTEX_INITIALIZER, .made = PTHREAD_COND_INITIALIZER};

/* ---- the grid ---- */

static struct grib_field grid_of(uint32_t spacing_udeg)
{
    return (struct grib_field){.magic = GRIB_MAGIC,
                               .spacing_udeg = spacing_udeg,
                               .columns = (uint16_t)(360000000 / spacing_udeg),
                               .rows = (uint16_t)(180000000 / spacing_udeg + 1)};
}

bool gfs_fields_spacing(double degrees)
{
    if (!(degrees >= 0.25 && degrees <= 90))
        return false;
    struct grib_field grid = grid_of((uint32_t)lround(degrees * 1e6));
    return grib_field_valid(&grid);
}

void gfs_fields_open(const char *program, double degrees)
{
    snprintf(store.program, sizeof store.program, "%s", program);
    store.spacing_udeg = (uint32_t)lround(degrees * 1e6);
}

bool gfs_fields_there(void)
{
    return access(store.program, X_OK) == 0;
}

/* ---- values ---- */

/* A row for each kind of weather up to a code. */
struct gfs_sky gfs_sky_of(int code)
{
    static const struct {
        int code;
        struct gfs_sky sky;
    } rows[] = {
        {0, {5, 0, 0}},       {1, {25, 0, 0}},      {2, {60, 0, 0}},      {48, {95, 0, 0}},
        {55, {95, 0.18F, 0}}, {56, {95, 0.18F, 1}}, {57, {95, 0.54F, 1}}, {61, {95, 0.18F, 0}},
        {63, {95, 0.54F, 0}}, {65, {95, 1.8F, 0}},  {66, {95, 0.18F, 1}}, {67, {95, 0.54F, 1}},
        {71, {95, 0.18F, 0}}, {73, {95, 0.54F, 0}}, {75, {95, 1.8F, 0}},  {77, {95, 0.18F, 0}},
        {80, {60, 0.18F, 0}}, {81, {60, 0.54F, 0}}, {82, {60, 1.8F, 0}},  {85, {60, 0.18F, 0}},
        {86, {60, 0.54F, 0}}, {99, {60, 1.8F, 0}},
    };
    size_t i = 0;
    while (rows[i].code < code)
        i++;
    return rows[i].sky;
}

static float value_of(enum gfs_field field, int code)
{
    struct gfs_sky sky = gfs_sky_of(code);
    switch (field) {
    case GFS_FIELD_RATE:
        return sky.rate_mm_h / HOUR_S;
    case GFS_FIELD_FREEZING:
        return sky.freezing;
    case GFS_FIELD_COVER:
        return sky.cover_percent;
    default:
        return 0;
    }
}

/* Room for what the fields of an instant are made of. */
struct scene {
    struct grib_field grid;
    int64_t valid_s;
    const struct gfs_manner *manner;
    uint8_t *codes; /* of the weather, at each point */
    float *values;  /* of one field */
};

static double latitude_of(const struct scene *scene, int row)
{
    return 90 - row * (scene->grid.spacing_udeg / 1e6);
}

static double longitude_of(const struct scene *scene, int column)
{
    return column * (scene->grid.spacing_udeg / 1e6) + (scene->manner->shifted ? 180 : 0);
}

static void look_at_sky(const struct scene *scene)
{
    int columns = scene->grid.columns, step = columns > SKY_COLUMNS ? columns / SKY_COLUMNS : 1;
    uint8_t *codes = scene->codes;
    for (int row = 0; row < scene->grid.rows; row++, codes += columns) {
        for (int column = 0; column < columns; column++)
            if (row % step != 0)
                codes[column] = codes[column - columns];
            else if (column % step != 0)
                codes[column] = codes[column - 1];
            else
                codes[column] = (uint8_t)synthetic_weather_code(latitude_of(scene, row),
                                                                longitude_of(scene, column), scene->valid_s);
    }
}

static void fill(const struct scene *scene, enum gfs_field field)
{
    int columns = scene->grid.columns, points = columns * scene->grid.rows;
    int every = scene->manner->gap_every;
    for (int i = 0; i < points; i++) {
        if (every > 0 && i % every == 1)
            scene->values[i] = NAN;
        else if (field == GFS_FIELD_TEMPERATURE)
            scene->values[i] =
                (float)(KELVIN + synthetic_celsius(latitude_of(scene, i / columns),
                                                   longitude_of(scene, i % columns), scene->valid_s));
        else
            scene->values[i] = value_of(field, scene->codes[i]);
    }
}

/* ---- messages ---- */

/* Adds what the encoder has written to the messages. */
static bool read_message(int out, struct gfs_messages *messages, size_t before, size_t *length)
{
    uint8_t head[16];
    *length = 0;
    if (pread(out, head, sizeof head, 0) != sizeof head)
        return false;
    for (size_t i = 8; i < sizeof head; i++)
        *length = *length << 8 | head[i];
    uint8_t *bytes = *length <= GRIB_MESSAGE_MAX ? realloc(messages->bytes, before + *length) : NULL;
    if (!bytes)
        return false;
    messages->bytes = bytes;
    return pread(out, bytes + before, *length, 0) == (ssize_t)*length &&
           !grib_message_fault(bytes + before, *length);
}

static bool pack(const struct grib_field *field, const float *values, struct gfs_messages *messages,
                 size_t before, size_t *length)
{
    static char command[] = "--encode";
    char *arguments[] = {store.program, command, NULL}, error[CHILD_ERROR_BYTES];
    ssize_t head = sizeof *field, body = (ssize_t)(grib_field_points(field) * sizeof *values);
    int in = child_file((size_t)(head + body)), out = child_file(GRIB_MESSAGE_MAX), status = 0;
    struct child_task task = {.program = store.program,
                              .arguments = arguments,
                              .files = {in, out, -1, -1, -1},
                              .limit_ms = ENCODING_MS};
    bool ok = in >= 0 && out >= 0 && pwrite(in, field, (size_t)head, 0) == head &&
              pwrite(in, values, (size_t)body, head) == body && child_run(&task, &status, error) &&
              status == 0 && read_message(out, messages, before, length);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return ok;
}

static bool make_each(const struct scene *scene, struct gfs_messages *out)
{
    size_t before = 0;
    bool ok = true;
    look_at_sky(scene);
    for (enum gfs_field i = 0; ok && i < GFS_FIELDS; i++) {
        struct grib_field field = scene->grid;
        field.run_s = scene->valid_s;
        field.category = facts[i].category;
        field.number = facts[i].number;
        field.surface = facts[i].surface;
        field.surface_value = facts[i].surface_value;
        field.decimals = facts[i].decimals;
        field.packing = (uint8_t)scene->manner->packing;
        fill(scene, i);
        ok = pack(&field, scene->values, out, before, &out->length[i]);
        before += out->length[i];
    }
    return ok;
}

static bool make(int64_t valid_s, const struct gfs_manner *manner, struct gfs_messages *out)
{
    struct scene scene = {.grid = grid_of(manner->coarse ? COARSE_UDEG : store.spacing_udeg),
                          .valid_s = valid_s,
                          .manner = manner};
    size_t points = grib_field_points(&scene.grid);
    *out = (struct gfs_messages){.bytes = NULL};
    scene.codes = malloc(points);
    scene.values = calloc(points, sizeof *scene.values);
    bool ok = scene.codes && scene.values && make_each(&scene, out);
    free(scene.codes);
    free(scene.values);
    if (!ok)
        free(out->bytes);
    return ok;
}

/* ---- those that are kept; the caller holds the lock ---- */

static size_t bytes_of(const struct gfs_messages *messages)
{
    size_t bytes = 0;
    for (enum gfs_field i = 0; i < GFS_FIELDS; i++)
        bytes += messages->length[i];
    return bytes;
}

static bool is_for(const struct kept *kept, int64_t valid_s, const struct gfs_manner *manner)
{
    return kept->used > 0 && kept->valid_s == valid_s && kept->manner.gap_every == manner->gap_every &&
           kept->manner.shifted == manner->shifted && kept->manner.coarse == manner->coarse &&
           kept->manner.packing == manner->packing;
}

static void drop(struct kept *kept)
{
    free(kept->messages.bytes);
    *kept = (struct kept){.used = 0};
}

/* Drops what was not used for longest until there is a free row, which is returned, and room. There are fewer
 * threads than rows, so not all rows are being made. */
static struct kept *free_row(void)
{
    for (;;) {
        struct kept *empty = NULL, *oldest = NULL;
        size_t bytes = 0;
        for (struct kept *row = store.kept; row < store.kept + KEPT_MAX; row++) {
            bytes += bytes_of(&row->messages);
            if (row->used == 0)
                empty = row;
            else if (row->messages.bytes && (!oldest || row->used < oldest->used))
                oldest = row;
        }
        if (!oldest || (empty && bytes <= KEPT_BYTES))
            return empty;
        drop(oldest);
    }
}

static struct kept *find(int64_t valid_s, const struct gfs_manner *manner)
{
    struct kept *row = store.kept, *end = row + KEPT_MAX;
    while (row < end && !is_for(row, valid_s, manner))
        row++;
    return row < end ? row : NULL;
}

/* The row of an instant, made if it is not there. NULL when that fails. */
static struct kept *row_of(int64_t valid_s, const struct gfs_manner *manner)
{
    struct kept *row;
    while ((row = find(valid_s, manner)) && !row->messages.bytes)
        pthread_cond_wait(&store.made, &store.lock);
    if (row || !(row = free_row()))
        return row;
    *row = (struct kept){.valid_s = valid_s, .manner = *manner, .used = UINT64_MAX};
    pthread_mutex_unlock(&store.lock);
    struct gfs_messages messages;
    bool ok = make(valid_s, manner, &messages);
    pthread_mutex_lock(&store.lock);
    if (ok)
        row->messages = messages;
    else
        drop(row);
    pthread_cond_broadcast(&store.made);
    return ok ? row : NULL;
}

bool gfs_fields_take(int64_t valid_s, const struct gfs_manner *manner, struct gfs_messages *out)
{
    pthread_mutex_lock(&store.lock);
    struct kept *row = row_of(valid_s, manner);
    if (row) {
        size_t bytes = bytes_of(&row->messages);
        row->used = ++store.uses;
        *out = row->messages;
        out->bytes = malloc(bytes);
        if (out->bytes)
            memcpy(out->bytes, row->messages.bytes, bytes);
    }
    pthread_mutex_unlock(&store.lock);
    return row && out->bytes;
}
