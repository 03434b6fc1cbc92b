/* The widget room's interface: a visit in, an answer out; an answer as HTML, JSON or one line of text. Only
 * this room knows both where a reader is and what the weather is there. */
#pragma once

#include "place/place.h"
#include "weather/weather.h"
#include "widget/words.h"

#define WIDGET_LANG_BYTES    16
#define WIDGET_UNKNOWN_BYTES 128

enum widget_credits { WIDGET_CREDITS_INLINE, WIDGET_CREDITS_PAGE, WIDGET_CREDITS_NO };

struct widget_options {
    char lang[WIDGET_LANG_BYTES];       /* of pages that do not say theirs */
    int64_t units;                      /* enum units */
    int64_t credits;                    /* enum widget_credits */
    int64_t max_age_ms;                 /* ceiling for caching an answer */
    char unknown[WIDGET_UNKNOWN_BYTES]; /* the fragment's text where no place is known */
    bool simulated;                     /* the weather comes from a simulator, and every answer says so */
};

/* What the fragment may show beside place and temperature. */
enum widget_show {
    WIDGET_ICON = 1,
    WIDGET_CONDITION = 2,
    WIDGET_FEELS = 4,
    WIDGET_RANGE = 8,
    WIDGET_RAIN = 16,
    WIDGET_AHEAD = WIDGET_FEELS | WIDGET_RANGE | WIDGET_RAIN /* needs `ahead` */
};

/* A request of a reader. */
struct visit {
    struct instant now;
    struct address address; /* ADDRESS_NONE: not known, since the forwarding header cannot be trusted */
    bool placed;            /* a trusted proxy gave the place in `record`: no database is asked */
    struct record record;
    int64_t choice;                  /* GeoNames id of the place that the reader chose; 0: none */
    const struct language *language; /* NULL: the configured one */
    enum units units;
    unsigned show;  /* enum widget_show: of the fragment */
    bool ahead;     /* the answer tells what is to come, too */
    bool no_wait;   /* the answer does not wait for weather that is being fetched */
    bool simulated; /* a developer set `now` and `scenario`: the weather is synthetic, apart from cache and
                       upstream */
    struct weather_scenario scenario;
};

struct answer {
    struct place place;
    struct reading reading; /* where the place is not known, WEATHER_UNKNOWN and otherwise zero */
    const struct language *language;
    enum units units; /* UNITS_CELSIUS or UNITS_FAHRENHEIT */
    int64_t now_s;    /* Unix time of the answer */
    bool offset_known;
    int32_t utc_offset_s; /* of the place at now_s */
    int64_t max_age_s;
    bool simulated;
    bool credits_inline;  /* the fragment shows them */
    bool credits_nowhere; /* the site shows them elsewhere */
    unsigned show;        /* of the visit */
    int rain_minute; /* of the place's day, at which rain begins, where it is likely; negative: not known */
    const char *unknown; /* of the widget's options */
};

/* Whether the answer shows a temperature. */
bool answer_has_number(const struct answer *);

/* The state of an answer in the words for readers; static. */
const char *answer_state_name(const struct answer *);

/* What answers are made from; never changes. */
struct widget {
    struct widget_options options;
    struct places *places; /* borrowed, as is the weather */
    struct weather *weather;
};

/* Registers the room's metrics. Call before threads. */
void widget_register(void);

/* Answers a visit. To a choice that is known the answer is the same for all readers, and place.source is
 * PLACE_FROM_READER; an unknown one is ignored. Does no network I/O; waits no longer than weather_read.
 * Thread-safe. */
void widget_answer(const struct widget *, const struct visit *, struct answer *out);

/* An answer with its reasons. */
struct reasons {
    struct answer answer;
    struct place_evidence evidence;
    struct earth_reason earth; /* of the cell; not known for an answer that is only simulated */
    struct weather_upstream upstreams[WEATHER_PROVIDERS];
    size_t upstream_count;
};

/* Finds what widget_answer would answer now, and why, without starting, marking or counting anything.
 * Thread-safe. */
void widget_reasons(const struct widget *, const struct visit *, struct reasons *out);

/* Answers with weather only, for widget_weather_json: of the cell of that name, or of the visit's choice
 * where `cell` is "". Of the visit only instant, choice, language and units count. False when there is no
 * such cell or place. Thread-safe. */
bool widget_weather(const struct widget *, const char *cell, const struct visit *, struct answer *out);

/* The answer as the fragment of one line, as a JSON object, as "Mumbai 31 °C"; each ends with a newline. */
void widget_html(const struct answer *, struct text *);
void widget_json(const struct answer *, struct text *);
void widget_text(const struct answer *, struct text *);

/* What the answer says of what is to come, in words: "34° / 25°", "Feels like 34°", "Rain from 17:00" or,
 * where it falls already, "Light rain". Nothing where that is not known. */
#define WIDGET_EXTRA_BYTES 256 /* are enough for each */
void widget_range(const struct answer *, struct text *);
void widget_feels(const struct answer *, struct text *);
void widget_rain(const struct answer *, struct text *);

/* The two halves of an answer, for pages that fetch them apart: the reader's place, and its weather, which is
 * the same for all. */
void widget_where_json(const struct answer *, struct text *);
void widget_weather_json(const struct answer *, struct text *);

/* Searches for cities, and writes at most GAZETTEER_FOUND_MAX as a JSON object. `language` NULL: the
 * configured one. Thread-safe. */
void widget_places_json(const struct widget *, const char *query, const char *country,
                        const struct language *, struct text *);

/* Writes the city that a point belongs to (see gazetteer_nearest), or none, as the same object. `point` is
 * "LATITUDE,LONGITUDE", and may be any bytes: false, and nothing is written, when it is not. Thread-safe. */
bool widget_nearest_json(const struct widget *, const char *point, const struct language *, struct text *);

/* Lists the credits that the answer owes for what it shows of `parts`, none with `credits_nowhere`. Returns
 * how many. */
#define WIDGET_CREDITS_MAX (PLACE_CREDITS + 2)
enum widget_part { WIDGET_WEATHER = 1, WIDGET_PLACE = 2, WIDGET_GAZETTEER = 4 };
size_t widget_credits(const struct answer *, unsigned parts, const struct credit *out[WIDGET_CREDITS_MAX]);
