/* What is known of a cell's weather, and who asks for it: the words that the whole room and its neighbours
 * share. */
#pragma once

#include "weather/cell/cell.h"

/* The state of a cell, as whoever asks is told. */
enum weather_state {
    WEATHER_UNKNOWN, /* there is no cell: the place is not known */
    WEATHER_FRESH,   /* a curve whose due refresh, if any, has not failed */
    WEATHER_STALE, /* a curve whose due refresh failed, was refused by the budget, or has waited for too long
                    */
    WEATHER_MISS,  /* no number yet: a fetch is listed or under way */
    WEATHER_NEGATIVE, /* no number, and no fetch for now */
    WEATHER_STATES
};

/* Their names: one table, from which answers, metrics, /status and /explain take theirs. */
enum weather_naming {
    WEATHER_TO_READERS, /* states of an answer; those without a number share a name */
    WEATHER_AS_LOOKUP,  /* results of a lookup in the cache */
    WEATHER_OF_CELL,    /* states of a cell, to operators */
    WEATHER_NAMINGS
};
extern const char *const weather_state_names[WEATHER_NAMINGS][WEATHER_STATES];

/* Who asks for weather, which decides how urgent a fetch is and what it may cost. */
enum weather_client {
    WEATHER_FOR_VISITOR, /* where a reader's address is: whatever it takes */
    WEATHER_FOR_CHOICE, /* a place that anyone may name: from a part of the budgets, and only if there is room
                         */
    WEATHER_IF_KNOWN,   /* a cell that anyone may name: the same, if it was asked for as one of the above */
    WEATHER_PEEK,       /* nobody: nothing is made, listed, marked, counted or waited for */
};

/* How urgent a fetch is. Of two classes the higher one counts. */
enum fetch_class {
    FETCH_UNLISTED,
    FETCH_PUBLIC,  /* of a place or cell that anyone may name */
    FETCH_REFRESH, /* of a curve that visitors read meanwhile */
    FETCH_URGENT,  /* a visitor waits, or sees no number */
    FETCH_CLASSES
};

/* A cell as operators see it. Times are Unix seconds, 0: never. */
struct weather_cell {
    char name[CELL_NAME_BYTES]; /* "" until weather_name_cell */
    double latitude, longitude;
    enum weather_state state;   /* what a reader would be told now */
    int64_t fetched_s, until_s; /* of its curve: when it came, until when it can be read */
    int64_t retry_s;            /* where the last fetch failed: when the next may be tried */
    bool in_flight;             /* a fetch is listed or under way */
    int64_t asks;               /* since its curve came */
    uint8_t provider_id;        /* of the curve */
    const char *provider;       /* its name, "" without a curve; static */
};
