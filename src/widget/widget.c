#include "widget/widget.h"

#include "base/json.h"
#include "base/metrics.h"

#include <math.h>
#include <string.h>

#define MAX_AGE_UNSURE_S 60 /* stale, or place unknown */
#define MAX_AGE_SOON_S   15 /* the weather is being fetched */
#define DAY_S            86400
#define ANSWER_STATES    (WEATHER_MISS + 1) /* WEATHER_NEGATIVE has the name of WEATHER_MISS */

static struct metric answers = COUNTER(
    "masthead_widgets_total",
    "Answers to readers, one a visit, by what they show and where the place comes from; in split mode by "
    "what is known when the place is asked for.",
    .labels = {{"state", weather_state_names[WEATHER_TO_READERS], ANSWER_STATES},
               {"source", place_source_names, PLACE_SOURCES}});

void widget_register(void)
{
    metrics_register(&answers, 1, NULL);
}

static int64_t max_age_s(const struct widget_options *options, const struct answer *answer)
{
    int64_t max_s = options->max_age_ms / 1000, age_s = MAX_AGE_UNSURE_S;
    if (answer->reading.state >= WEATHER_MISS)
        age_s = MAX_AGE_SOON_S;
    if (answer->reading.state == WEATHER_FRESH)
        age_s = answer->reading.refresh_in_s > 0 ? answer->reading.refresh_in_s : 0;
    return age_s < max_s ? age_s : max_s;
}

/* The answer as far as it does not depend on place and weather. */
static struct answer begin(const struct widget *widget, const struct visit *visit)
{
    const struct widget_options *options = &widget->options;
    return (struct answer){
        .language = visit->language ? visit->language : language_find(options->lang, strlen(options->lang)),
        .now_s = visit->now.wall_ms / 1000,
        .simulated = options->simulated || visit->simulated,
        .credits_inline = options->credits == WIDGET_CREDITS_INLINE,
        .credits_nowhere = options->credits == WIDGET_CREDITS_NO,
        .show = visit->show,
        .unknown = options->unknown,
    };
}

/* The minute of the place's day in which rain begins; -1 where none does, or its time is not known. */
static int rain_minute(const struct widget *widget, const struct place *place, int64_t rain_s)
{
    int32_t offset_s;
    if (rain_s == 0 || !places_offset(widget->places, place->timezone, rain_s, &offset_s))
        return -1;
    return (int)((rain_s + offset_s + DAY_S) % DAY_S / 60);
}

/* Fills in what follows from place and reading. */
static void conclude(const struct widget *widget, const struct visit *visit, struct answer *out)
{
    out->units = visit->units == UNITS_AUTO ? units_of_country(out->place.country) : visit->units;
    out->max_age_s = max_age_s(&widget->options, out);
    out->offset_known = places_offset(widget->places, out->place.timezone, out->now_s, &out->utc_offset_s);
    out->rain_minute = rain_minute(widget, &out->place, out->reading.ahead.rain_s);
}

/* Finds the place of a visit; with `evidence` the lookup is not counted. True when the reader chose it. */
static bool find_place(const struct widget *widget, const struct visit *visit, const char *language,
                       struct place *out, struct place_evidence *evidence)
{
    if (visit->choice > 0 && places_choose(widget->places, visit->choice, language, out))
        return true;
    places_find(widget->places, &visit->address, visit->placed ? &visit->record : NULL, language, out,
                evidence);
    return false;
}

static void read_weather(const struct widget *widget, const struct visit *visit, enum weather_client client,
                         struct answer *out)
{
    const struct place *place = &out->place;
    struct ahead_day day = {0, 0};
    if (visit->ahead)
        places_day(widget->places, place->timezone, out->now_s, &day.begin_s, &day.end_s);
    const struct ahead_day *asked = visit->ahead ? &day : NULL;
    if (visit->simulated)
        weather_simulate(widget->weather, &visit->scenario, place->latitude, place->longitude, &visit->now,
                         asked, &out->reading);
    else
        weather_read(widget->weather, client, !visit->no_wait, place->latitude, place->longitude, &visit->now,
                     asked, &out->reading);
}

/* Simulated answers are not readers'. */
static void count(const struct visit *visit, const struct answer *answer)
{
    if (!visit->simulated)
        metric_add(&answers, answer->reading.state < ANSWER_STATES ? answer->reading.state : WEATHER_MISS,
                   answer->place.source);
}

void widget_answer(const struct widget *widget, const struct visit *visit, struct answer *out)
{
    *out = begin(widget, visit);
    bool chosen = find_place(widget, visit, out->language->tag, &out->place, NULL);
    if (out->place.source != PLACE_FROM_NONE)
        read_weather(widget, visit, chosen ? WEATHER_FOR_CHOICE : WEATHER_FOR_VISITOR, out);
    conclude(widget, visit, out);
    count(visit, out);
}

void widget_reasons(const struct widget *widget, const struct visit *visit, struct reasons *out)
{
    struct answer *answer = &out->answer;
    *answer = begin(widget, visit);
    if (find_place(widget, visit, answer->language->tag, &answer->place, &out->evidence))
        out->evidence = (struct place_evidence){.reason = "the reader chose this city"};
    if (answer->place.source != PLACE_FROM_NONE)
        read_weather(widget, visit, WEATHER_PEEK, answer);
    conclude(widget, visit, answer);
    out->earth = (struct earth_reason){.known = false};
    if (answer->place.source != PLACE_FROM_NONE && !visit->simulated)
        weather_explain(widget->weather, answer->place.latitude, answer->place.longitude, &visit->now,
                        &out->earth);
    out->upstream_count =
        visit->simulated ? 0 : weather_upstreams(widget->weather, &visit->now, out->upstreams);
}

bool widget_weather(const struct widget *widget, const char *cell, const struct visit *visit,
                    struct answer *out)
{
    enum weather_client client = cell[0] ? WEATHER_IF_KNOWN : WEATHER_FOR_CHOICE;
    struct place *place = &out->place;
    *out = begin(widget, visit);
    bool known = cell[0] ? weather_cell(widget->weather, cell, &place->latitude, &place->longitude)
                         : places_choose(widget->places, visit->choice, out->language->tag, place);
    if (!known)
        return false;
    place->source = PLACE_FROM_READER;
    places_complete_zone(widget->places, place);
    read_weather(widget, visit, client, out);
    conclude(widget, visit, out);
    if (!cell[0]) /* a page got the cell's name by an answer that was counted */
        count(visit, out);
    return true;
}

bool answer_has_number(const struct answer *answer)
{
    return answer->reading.state == WEATHER_FRESH || answer->reading.state == WEATHER_STALE;
}

const char *answer_state_name(const struct answer *answer)
{
    return weather_state_names[WEATHER_TO_READERS][answer->reading.state];
}

size_t widget_credits(const struct answer *answer, unsigned parts,
                      const struct credit *out[WIDGET_CREDITS_MAX])
{
    static const struct credit gazetteer = {"City names by GeoNames", "https://www.geonames.org/"};
    const struct place *place = &answer->place;
    bool shows_place = answer->reading.state != WEATHER_UNKNOWN;
    size_t count = 0;
    if (answer->credits_nowhere)
        return 0;
    if ((parts & WIDGET_WEATHER) && answer_has_number(answer))
        out[count++] = answer->reading.credit;
    for (size_t i = 0; (parts & WIDGET_PLACE) && shows_place && i < place->credit_count; i++)
        out[count++] = place->credits[i];
    if ((parts & WIDGET_GAZETTEER) && shows_place && place->id > 0)
        out[count++] = &gazetteer;
    return count;
}

static void write_cities(const struct city cities[], size_t count, struct text *out)
{
    text_string(out, "{\"places\":[");
    for (size_t i = 0; i < count; i++)
        json_write(out,
                   ",\n {'id':%jd,'name':%s,'region':%s,'country':%s,"
                   "'latitude':%.4f,'longitude':%.4f,'population':%jd}",
                   cities[i].id, cities[i].name, cities[i].region, cities[i].country, cities[i].latitude,
                   cities[i].longitude, cities[i].population > 0 ? cities[i].population : JSON_NONE);
    text_string(out, "]}\n");
}

static const char *tag_of(const struct widget *widget, const struct language *language)
{
    return language ? language->tag : widget->options.lang;
}

void widget_places_json(const struct widget *widget, const char *query, const char *country,
                        const struct language *language, struct text *out)
{
    struct city cities[GAZETTEER_FOUND_MAX];
    size_t count = gazetteer_search(places_gazetteer(widget->places), query, country,
                                    tag_of(widget, language), cities, GAZETTEER_FOUND_MAX);
    write_cities(cities, count, out);
}

bool widget_nearest_json(const struct widget *widget, const char *point, const struct language *language,
                         struct text *out)
{
    struct city city;
    const char *comma = strchrnul(point, ',');
    double latitude = record_number(point, (size_t)(comma - point));
    double longitude = *comma ? record_number(comma + 1, strlen(comma + 1)) : NAN;
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180)) /* nor is it for NaN */
        return false;
    bool found = gazetteer_nearest(places_gazetteer(widget->places), latitude, longitude,
                                   tag_of(widget, language), &city);
    write_cities(&city, found, out);
    return true;
}
