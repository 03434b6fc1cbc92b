/* The download of one run of the model into the file that grid.h reads: which request is to be made next, and
 * what becomes of its answer. For each of the hours the index is fetched, then the fields by ranges of bytes;
 * each field is unpacked, judged, and put into the file, so that whatever is interrupted goes on where it
 * was.
 *
 * The first request is for the index of the last hour: where that is missing, or younger than it takes to
 * write the file, the run is not complete yet. Mirrors are asked in turn: the one that answered well last,
 * and for an hour that it failed the next one, with growing pauses after each round.
 *
 * Of one thread. Answers are hostile. */
#pragma once

#include "base/clock.h"
#include "transfer/transfer.h"
#include "weather/earth/gfs.h"
#include "weather/earth/grid.h"

#define LOAD_MIRRORS_MAX 8
#define LOAD_URL_BYTES   256
#define LOAD_PATH_BYTES  512
#define LOAD_FLIGHTS     2 /* requests at one time; each may hold three fields of 4 MB */
#define LOAD_ROUNDS      12 /* over all mirrors, for an hour, before it is given up: about an hour and a half */
#define LOAD_GAPS_MAX    4 /* hours of temperature that a run may lack: a curve bridges three in a row */

struct load_options {
    char mirrors[LOAD_MIRRORS_MAX][LOAD_URL_BYTES]; /* without a slash at the end */
    size_t mirror_count;                            /* at least 1 */
    char path[LOAD_PATH_BYTES];                     /* of the run's file; also path.new */
    char orography[LOAD_PATH_BYTES];                /* the same for the height of the ground */
    bool simulated;
};

enum load_state {
    LOAD_PROBING, /* whether the run is complete is not known yet */
    LOAD_ABSENT,  /* it is not, as far as the mirror knows that was asked */
    LOAD_GOING,
    LOAD_COMPLETE, /* every field is there, or few are missing for good: to be finished */
    LOAD_FAILED,   /* too many are missing for good */
};

struct load;

/* Begins the download of a run whose first hour is `first_hour` (gfs_first_hour); with `orography` the height
 * of the ground, too. `first_mirror` is asked first. NULL when out of memory. */
struct load *load_begin(const struct load_options *, int64_t run_s, int first_hour, bool orography,
                        size_t first_mirror);

/* Gives up what is not there yet; what is stays in path.new. NULL is allowed. */
void load_close(struct load *);

/* The next request that may be made at `now`. False: none for now. Else it is to be made, and its end told by
 * load_end, or load_fail where it could not be sent. `request->url` is valid until then. */
bool load_next(struct load *, const struct instant *now, struct transfer_request *request);

/* Whether the tag of a request is one of this load's. */
bool load_owns(const struct load *, const void *tag);

/* Whether none of its requests is under way: only then it may be closed while the transfers live. */
bool load_idle(const struct load *);

/* Takes the answer of a request of this load; whether that was of use. Blocks while the disk does, and while
 * a field is unpacked. */
bool load_end(struct load *, const struct transfer_answer *, const struct instant *now);
void load_fail(struct load *, void *tag, const struct instant *now);

/* Puts the file of a complete load into its place. False, with errno set, when that fails. */
bool load_finish(struct load *);

struct load_facts {
    enum load_state state;
    int64_t run_s;
    int first_hour;
    unsigned hours, steps;    /* temperatures and skies that are there, of GRID_HOURS and GRID_STEPS */
    unsigned hours_in_a_row;  /* from the first on */
    size_t mirror;            /* that answered well last */
    const char *last_failure; /* in words; "" for none; valid while the load is */
};
struct load_facts load_facts(const struct load *);
