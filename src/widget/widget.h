/* The face of the widget room: a visit in, an answer out; an answer as HTML, JSON or one line of text. The
 * only place that knows both where a reader is and what the weather is there. */
#pragma once

#include "base/clock.h"
#include "base/text.h"
#include "place/place.h"
#include "visitor/address.h"
#include "weather/weather.h"
#include "widget/words.h"

#include <stdbool.h>
#include <stdint.h>

#define WIDGET_LANG_BYTES 16

enum widget_credits { WIDGET_CREDITS_INLINE, WIDGET_CREDITS_PAGE, WIDGET_CREDITS_NO };

struct widget_options {
    char lang[WIDGET_LANG_BYTES]; /* of pages that do not say theirs */
    int64_t units;                /* enum units */
    int64_t credits;              /* enum widget_credits */
    int64_t max_age_ms;           /* ceiling for caching an answer */
    bool simulated;               /* the weather comes from a simulator, and every answer says so */
};

/* One request of one reader, as the HTTP room understood it. */
struct visit {
    struct instant now;
    struct address address; /* ADDRESS_NONE: the forwarding header cannot be trusted */
    bool placed; /* a trusted proxy has found the place: `record` counts, and no database is asked */
    struct record record;
    int64_t choice;                  /* GeoNames id of the place that the reader chose; 0: none */
    const struct language *language; /* NULL: as configured */
    enum units units;
    bool icon, condition; /* what the fragment is to show beside place and temperature */
    bool simulated;       /* by a developer: `now` is any instant, and the weather is what `past` makes of the
                            synthetic truth, apart from cache and upstream */
    struct weather_scenario scenario;
};

struct answer {
    struct place place;
    struct reading
        reading; /* its state is WEATHER_UNKNOWN, and the rest void, where the place is not known */
    const struct language *language;
    enum units units; /* UNITS_CELSIUS or UNITS_FAHRENHEIT */
    int64_t now_s;    /* Unix time of the answer */
    int64_t max_age_s;
    bool simulated;
    bool credits_inline;  /* the fragment shows them itself */
    bool credits_nowhere; /* none are owed: the site shows them on its own */
    bool icon, condition; /* as the visit wishes */
};

/* Whether the answer shows a temperature. */
bool answer_has_number(const struct answer *);

/* Its state in the words for readers; static. */
const char *answer_state_name(const struct answer *);

struct widget;

/* Borrows both rooms, which must outlive it. NULL when out of memory. Registers the room's metrics. */
struct widget *widget_open(const struct widget_options *, struct places *, struct weather *);
void widget_close(struct widget *);

/* Answers a visit. A known choice is answered for everybody alike (place.source is PLACE_FROM_READER, and
 * nothing in the answer is the visitor's); an unknown one does not count. Thread-safe; does no network I/O,
 * waits at most as long as weather_read does. */
void widget_answer(struct widget *, const struct visit *, struct answer *out);

/* An answer with its reasons. */
struct reasons {
    struct answer answer;
    struct place_evidence evidence;
    struct weather_upstream upstreams[WEATHER_PROVIDERS];
    size_t upstream_count;
};

/* What widget_answer would answer now, and why, without asking, marking or counting anything. Thread-safe. */
void widget_reasons(const struct widget *, const struct visit *, struct reasons *out);

/* The same as widget_answer, without waiting for weather: for widget_where_json. */
void widget_where(struct widget *, const struct visit *, struct answer *out);

/* Weather alone, for widget_weather_json: of the cell of that name, or of the visit's choice where `cell` is
 * "". Only the visit's instant, choice, language and units count. False when there is no such cell or place.
 * Thread-safe. */
bool widget_weather(struct widget *, const char *cell, const struct visit *, struct answer *out);

/* The answer as the fragment of one line, as a JSON object, as "Mumbai 31 °C"; each ends with a newline. */
void widget_html(const struct answer *, struct text *);
void widget_json(const struct answer *, struct text *);
void widget_text(const struct answer *, struct text *);

/* The two halves of an answer, for pages that ask for them apart: where (the reader's), and weather
 * (anybody's). */
void widget_where_json(const struct answer *, struct text *);
void widget_weather_json(const struct answer *, struct text *);

/* A search for cities as a JSON object, at most GAZETTEER_FOUND_MAX of them. Thread-safe. */
void widget_places_json(const struct widget *, const char *query, const char *country,
                        const struct language *, struct text *);

/* The credits that are owed for what the answer shows, at most WIDGET_CREDITS_MAX; returns how many. None
 * with `credits_nowhere`. */
#define WIDGET_CREDITS_MAX 2
size_t widget_credits(const struct answer *, const struct credit *out[WIDGET_CREDITS_MAX]);
