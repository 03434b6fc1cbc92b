#include "widget/explain.h"

#include <math.h>
#include <stdio.h>

#define NEXT          ",\n  "
#define MATCHED_BYTES (ADDRESS_TEXT_BYTES + 8)

static void write_key(struct text *out, const char *separator, const char *key)
{
    text_string(out, separator);
    text_json(out, key);
    text_string(out, ":");
}

static void write_string(struct text *out, const char *separator, const char *key, const char *value)
{
    write_key(out, separator, key);
    text_json(out, value && value[0] ? value : NULL);
}

static void write_number(struct text *out, const char *separator, const char *key, bool known, double value)
{
    write_key(out, separator, key);
    if (known && isfinite(value))
        text_format(out, "%.7g", value); /* a database's 32-bit float holds no more, nothing else needs it */
    else
        text_string(out, "null");
}

static void write_flag(struct text *out, const char *separator, const char *key, bool value)
{
    write_key(out, separator, key);
    text_string(out, value ? "true" : "false");
}

static void write_instant(struct text *out, const char *separator, const char *key, bool known,
                          int64_t unix_s)
{
    char when[CLOCK_RFC3339_BYTES] = "";
    if (known)
        clock_format(unix_s, when);
    write_string(out, separator, key, when);
}

static void write_record(const struct record *record, struct text *out)
{
    write_string(out, "{", "city", record->city);
    write_string(out, ",", "region", record->region);
    write_string(out, ",", "country", record->country);
    write_number(out, ",", "latitude", record->located, record->latitude);
    write_number(out, ",", "longitude", record->located, record->longitude);
    write_number(out, ",", "radius_km", record->radius_km >= 0, record->radius_km);
    write_flag(out, ",", "anycast", record->anycast);
    write_string(out, ",", "timezone", record->timezone);
    text_string(out, "}");
}

/* In the family of the address; "" without a network. */
static void format_matched(const struct address *address, unsigned bits, char out[MATCHED_BYTES])
{
    char base[ADDRESS_TEXT_BYTES];
    struct network network = network_around(address, bits);
    address_format(&network.base, base);
    snprintf(out, MATCHED_BYTES, "%s/%u", base, network.bits);
}

/* The members that tell an address's place, all but the first after `next`. */
static void write_place(const struct address *address, const struct place *place,
                        const struct place_evidence *evidence, const char *next, struct text *out)
{
    static const char *const classes[] = {[ADDRESS_PUBLIC] = "public",
                                          [ADDRESS_PRIVATE] = "private",
                                          [ADDRESS_RESERVED] = "reserved",
                                          [ADDRESS_DOCUMENTATION] = "documentation"};
    char shown[ADDRESS_TEXT_BYTES], matched[MATCHED_BYTES] = "";
    bool located = place->source != PLACE_FROM_NONE;
    address_format(address, shown);
    if (evidence->database[0])
        format_matched(address, evidence->record.prefix_bits, matched);

    write_string(out, "", "address", shown);
    write_string(out, next, "class", shown[0] ? classes[address_classify(address, NULL)] : NULL);
    write_string(out, next, "range", evidence->range);
    write_string(out, next, "verdict", place_verdict_names[place->verdict]);
    write_string(out, next, "reason", evidence->reason);
    write_string(out, next, "label", evidence->label);
    write_string(out, next, "source", place_source_names[place->source]);
    write_string(out, next, "name", place->name);
    write_string(out, next, "region", place->region);
    write_string(out, next, "country", place->country);
    write_number(out, next, "latitude", located, place->latitude);
    write_number(out, next, "longitude", located, place->longitude);
    write_string(out, next, "timezone", place->timezone);
    write_string(out, next, "database", evidence->database);
    write_string(out, next, "matched", matched);
    write_key(out, next, "record");
    if (evidence->recorded)
        write_record(&evidence->record, out);
    else
        text_string(out, "null");
}

void explain_place(const struct address *address, const struct place *place,
                   const struct place_evidence *evidence, bool pretty, struct text *out)
{
    text_string(out, pretty ? "{\n  \"client\":null,\n  " : "{");
    write_place(address, place, evidence, pretty ? NEXT : ",", out);
    text_string(out, pretty ? NEXT "\"weather\":null" NEXT "\"upstreams\":null\n}\n" : "}\n");
}

static void write_hop(const struct address *address, const char *as, const char *separator, struct text *out)
{
    char shown[ADDRESS_TEXT_BYTES];
    address_format(address, shown);
    write_string(out, separator, "address", shown);
    write_string(out, ",", "as", as);
    text_string(out, "}");
}

/* Which hop is the reader: the peer, then the header's elements from the right, as far as they were believed,
 * and how many were not. */
static void write_client(const struct origin *asked, struct text *out)
{
    struct client_trace trace;
    char shown[ADDRESS_TEXT_BYTES];
    struct address client =
        client_find(asked->options, &asked->peer, asked->lines, asked->line_count, &trace);
    bool found = client.family != ADDRESS_NONE;
    bool trusted = trace.reason != CLIENT_PEER_NOT_TRUSTED;
    size_t refused = trace.element_count - trace.hop_count;
    const char *why = refused > 0 ? "left of the reader, where anyone may have written" : NULL;
    if (!found)
        why = client_reason_text(trace.reason);
    else if (!trusted && asked->line_count > 0)
        why = "the whole header, since the peer is not a trusted proxy";

    write_string(out, "{", "header", asked->options->header);
    text_string(out, ",\"received\":[");
    for (size_t i = 0; i < asked->line_count; i++) {
        text_string(out, i > 0 ? "," : "");
        text_json(out, asked->lines[i]);
    }
    text_string(out, "],\n    \"accepted\":[");
    bool is_reader = found && trace.hop_count == 0;
    write_hop(&asked->peer, is_reader ? "peer and reader" : "peer, a trusted proxy", "{", out);
    for (size_t i = 0; i < trace.hop_count; i++)
        write_hop(&trace.hops[i], found && i + 1 == trace.hop_count ? "reader" : "trusted proxy",
                  ",\n      {", out);
    text_string(out, "]");
    write_number(out, ",\n    ", "refused", trusted, (double)refused);
    write_string(out, ",", "refused_because", why);
    address_format(&client, shown);
    write_string(out, ",\n    ", "address", shown);
    write_string(out, ",", "reason", client_reason_text(trace.reason));
    text_string(out, "}");
}

static void write_weather(const struct answer *answer, bool imagined, struct text *out)
{
    static const char *const words[] = {
        [WEATHER_HIT] = "hit",        [WEATHER_HIT_STALE] = "stale",   [WEATHER_FETCHED] = "miss",
        [WEATHER_COLLAPSED] = "miss", [WEATHER_NEGATIVE] = "negative",
    };
    const struct reading *reading = &answer->reading;
    bool known = answer_has_number(answer);
    bool waits = reading->retry_in_s > 0;
    write_string(out, "{", "cell", reading->cell);
    write_string(out, ",", "cache", imagined ? "imagined" : words[reading->source]);
    write_string(out, ",", "state", answer_state_names[answer->state]);
    write_number(out, ",", "celsius", known, reading->temperature_ddeg / 10.0);
    write_string(out, ",", "provider", known ? reading->provider : NULL);
    write_instant(out, ",\n    ", "fetched_at", known, reading->fetched_s);
    write_number(out, ",", "age_s", known, (double)reading->age_s);
    write_instant(out, ",", "refresh_at", known, answer->now_s + reading->refresh_in_s);
    write_instant(out, ",", "next_try_at", waits || !known, answer->now_s + reading->retry_in_s);
    write_flag(out, ",", "in_flight", reading->in_flight);
    text_string(out, "}");
}

static void write_upstream(const struct weather_upstream *upstream, struct text *out)
{
    write_string(out, "{", "name", upstream->name);
    write_flag(out, ",", "breaker_open", upstream->breaker_open);
    write_instant(out, ",", "next_try_at", upstream->next_try_s > 0, upstream->next_try_s);
    write_instant(out, ",", "last_success_at", upstream->last_success_s > 0, upstream->last_success_s);
    write_string(out, ",", "last_failure", upstream->last_failure);
    write_number(out, ",", "stretch", true, upstream->stretch);
    text_string(out, ",\"budgets\":[");
    for (size_t i = 0; i < upstream->window_count; i++) {
        const struct weather_window *window = &upstream->windows[i];
        write_string(out, i > 0 ? ",\n      {" : "\n      {", "window", window->name);
        write_number(out, ",", "limit", true, (double)window->limit);
        write_number(out, ",", "remaining", true, (double)window->remaining);
        write_instant(out, ",", "reset_at", true, window->reset_s);
        text_string(out, "}");
    }
    text_string(out, "]}");
}

void explain_visit(const struct widget *widget, const struct origin *origin, const struct visit *visit,
                   struct text *out)
{
    struct reasons reasons;
    widget_reasons(widget, visit, &reasons);
    text_string(out, "{\n  \"client\":");
    write_client(origin, out);
    text_string(out, NEXT);
    write_place(&visit->address, &reasons.answer.place, &reasons.evidence, NEXT, out);
    text_string(out, NEXT "\"weather\":");
    if (reasons.answer.state == ANSWER_UNKNOWN)
        text_string(out, "null");
    else
        write_weather(&reasons.answer, visit->imagined, out);
    text_string(out, NEXT "\"upstreams\":[");
    for (size_t i = 0; i < reasons.upstream_count; i++) {
        text_string(out, i > 0 ? ",\n    " : "");
        write_upstream(&reasons.upstreams[i], out);
    }
    text_string(out, "]\n}\n");
}
