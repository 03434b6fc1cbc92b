#include "widget/widget.h"

#include "base/metrics.h"

#include <stdlib.h>
#include <string.h>

#define MAX_AGE_UNSURE_S 60 /* stale, or place unknown */
#define MAX_AGE_SOON_S   15 /* the number is about to come */

const char *const answer_state_names[ANSWER_STATES] = {
    [ANSWER_FRESH] = "fresh",
    [ANSWER_STALE] = "stale",
    [ANSWER_PLACE] = "place",
    [ANSWER_UNKNOWN] = "unknown",
};

struct widget {
    struct widget_options options;
    struct places *places;
    struct weather *weather;
};

static struct metric answers = {
    .name = "masthead_widgets_total",
    .help = "Answers to readers, by what they show and where the place comes from.",
    .type = METRIC_COUNTER,
    .labels = {{"state", answer_state_names, ANSWER_STATES}, {"source", place_source_names, PLACE_SOURCES}},
};

struct widget *widget_open(const struct widget_options *options, struct places *places,
                           struct weather *weather)
{
    struct widget *widget = malloc(sizeof *widget);
    if (!widget)
        return NULL;
    *widget = (struct widget){.options = *options, .places = places, .weather = weather};
    metrics_register(&answers, 1, widget);
    return widget;
}

void widget_close(struct widget *widget)
{
    free(widget);
}

static enum answer_state state_of(const struct answer *answer)
{
    if (answer->place.source == PLACE_FROM_NONE)
        return ANSWER_UNKNOWN;
    switch (answer->reading.state) {
    case WEATHER_FRESH:
        return ANSWER_FRESH;
    case WEATHER_STALE:
        return ANSWER_STALE;
    default:
        return ANSWER_PLACE;
    }
}

static int64_t max_age_s(const struct widget_options *options, const struct answer *answer)
{
    int64_t most = options->max_age_ms / 1000;
    int64_t wish = MAX_AGE_UNSURE_S;
    if (answer->state == ANSWER_PLACE)
        wish = MAX_AGE_SOON_S;
    if (answer->state == ANSWER_FRESH)
        wish = answer->reading.refresh_in_s > 0 ? answer->reading.refresh_in_s : 0;
    return wish < most ? wish : most;
}

void widget_answer(struct widget *widget, const struct visit *visit, struct answer *out)
{
    const struct widget_options *options = &widget->options;
    *out = (struct answer){
        .language = visit->language ? visit->language : language_find(options->lang, strlen(options->lang)),
        .now_s = visit->now.wall_ms / 1000,
        .simulated = options->simulated,
        .credits_inline = options->credits == WIDGET_CREDITS_INLINE,
    };
    if (visit->readable)
        places_find(widget->places, &visit->address, out->language->tag, &out->place, NULL);
    else
        places_unreadable(widget->places, &out->place);
    if (out->place.source != PLACE_FROM_NONE)
        weather_read(widget->weather, out->place.latitude, out->place.longitude, &visit->now, &out->reading);
    out->units = visit->units == UNITS_AUTO ? units_of_country(out->place.country) : visit->units;
    out->state = state_of(out);
    out->max_age_s = max_age_s(options, out);
    metric_add(&answers, out->state, out->place.source);
}

size_t widget_credits(const struct answer *answer, const struct credit *out[WIDGET_CREDITS_MAX])
{
    size_t count = 0;
    if (answer->state == ANSWER_FRESH || answer->state == ANSWER_STALE)
        out[count++] = answer->reading.credit;
    if (answer->state != ANSWER_UNKNOWN && answer->place.credit)
        out[count++] = answer->place.credit;
    return count;
}
