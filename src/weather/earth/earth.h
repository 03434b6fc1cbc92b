/* The face of the room: the weather of the whole earth, from two public files. NOAA's GFS model, one download
 * of about 52 MB every six hours, has the next two days of every place; the world's airport reports, 0.3 MB
 * every ten minutes, hold it to the truth. What that costs does not depend on readers, and nothing about them
 * leaves the machine.
 *
 * A thread of its own downloads, with a concurrency of its own, and blocks on disks and children as it likes.
 * Everything else is thread-safe and waits for neither. */
#pragma once

#include "base/clock.h"
#include "base/credit.h"
#include "weather/earth/fields.h"
#include "weather/earth/load.h"

#define EARTH_FAILURE_BYTES 320

enum earth_grid { EARTH_NO_GRID, EARTH_GFS };

struct earth_options {
    int64_t grid; /* enum earth_grid: the model that is fetched; without one nothing is */
    bool metar;   /* whether the airports' reports are */
    bool kept;    /* nothing is fetched: what is on disk is all there is */
    struct load_options load;
    char metar_url[LOAD_URL_BYTES]; /* of the file itself */
    int64_t metar_every_ms;
    char bytes[LOAD_PATH_BYTES];      /* path of the file that keeps what came today */
    char user_agent[192], proxy[256]; /* as for transfers */
};

extern const struct credit earth_credit;

struct earth;

/* Opens what is on disk, registers metrics and starts the thread. NULL on failure (logged). Call before other
 * threads. */
struct earth *earth_open(const struct earth_options *);
void earth_close(struct earth *); /* NULL is allowed */

/* The number of the present state, which changes with each; 0: nothing is known for that instant. Takes no
 * lock. NULL is allowed, and knows nothing. */
uint32_t earth_number(const struct earth *, int64_t now_s);

/* The curve of a place as fields_read has it, with `expires_s`: when the next state is expected. *number: of
 * the state that it was read from. */
bool earth_read(struct earth *, const struct earth_place *, int64_t now_s, struct curve *out, bool *corrected,
                uint32_t *number);

/* For people: as fields_explain and fields_map; nothing is known, all is GRID_NO_TEMPERATURE without a state.
 */
void earth_explain(struct earth *, const struct earth_place *, int64_t now_s, struct earth_reason *out);
void earth_map(struct earth *, int64_t now_s, size_t columns, size_t rows, int16_t *cdeg);

/* The station at `index`, as airports_at. */
bool earth_station(struct earth *, size_t index, struct airports_station *out);

/* How things stand. Times are Unix seconds, 0: never, not. */
struct earth_report {
    bool grid, metar;                  /* whether they are wanted, and can be had */
    int64_t run_s, first_s, last_s;    /* of the model that is read now */
    int64_t loaded_s, expected_s;      /* when it came, when the next is expected */
    unsigned missing;                  /* fields of GRID_HOURS + GRID_STEPS that it lacks: all, without one */
    bool heights;                      /* the model's ground is known */
    int64_t loading_s;                 /* the run that is being fetched */
    unsigned loading_fields;           /* of it, that are there */
    char failure[EARTH_FAILURE_BYTES]; /* why the last part could not be had; "": nothing has failed since a
                                          run was loaded */
    int64_t metar_s, metar_expected_s; /* when the airports' file was read last, and will be next */
    char metar_failure[EARTH_FAILURE_BYTES];
    struct airports_counts stations;
    struct airports_error error;
    int64_t bytes_today; /* that both took in this day of UTC */
    bool stopped;        /* that is EARTH_BYTES_A_DAY: nothing is fetched until tomorrow */
};
#define EARTH_BYTES_A_DAY INT64_C(500000000)

void earth_report(struct earth *, struct earth_report *out);
