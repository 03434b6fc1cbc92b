#include "widget/explain.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>

#define NEXT          ",\n  "
#define MATCHED_BYTES (ADDRESS_TEXT_BYTES + 8)

/* Numbers have as many digits as a database's 32-bit float holds. */
static void write_record(const struct record *record, struct text *out)
{
    json_write(out,
               "{'city':%s,'region':%s,'country':%s,'latitude':%.7g,'longitude':%.7g,'radius_km':%.7g,"
               "'anycast':%i,'timezone':%s}",
               record->city, record->region, record->country, record->located ? record->latitude : NAN,
               record->located ? record->longitude : NAN, record->radius_km >= 0 ? record->radius_km : NAN,
               record->anycast, record->timezone);
}

/* The members about an address's place, with `next` between them. */
#define PLACE_MEMBERS(next)                                                                              \
    "'address':%s" next "'judged_as':%s" next "'class':%s" next "'range':%s" next "'verdict':%s" next    \
    "'reason':%s" next "'reason_code':%s" next "'confidence':%s" next "'asn':%jd" next "'label':%s" next \
    "'source':%s" next "'name':%s" next "'region':%s" next "'country':%s" next "'latitude':%.7g" next    \
    "'longitude':%.7g" next "'timezone':%s" next "'database':%s" next "'matched':%s" next "'record':"

/* Lists who said what, in the order in which they were asked. */
static void write_witnesses(const struct place_evidence *evidence, bool pretty, struct text *out)
{
    for (size_t i = 0; i < evidence->witness_count; i++) {
        const struct witness *witness = &evidence->witnesses[i];
        text_string(out, i == 0 ? "" : pretty ? ",\n    " : ",");
        json_write(out, "{'database':%s,'reason_code':%s,'record':", place_witness_name(evidence, witness),
                   place_reason_code(witness->reason));
        write_record(&witness->record, out);
        text_string(out, "}");
    }
}

/* Writes the network of the tree that holds the address, where a database has it. */
static void format_matched(const struct address *address, const struct witness *witness,
                           char out[MATCHED_BYTES])
{
    char base[ADDRESS_TEXT_BYTES];
    out[0] = '\0';
    if (!witness || witness->database == PLACE_BY_PROXY)
        return;
    struct network network = network_around(address, witness->record.prefix_bits);
    address_format(&network.base, base);
    snprintf(out, MATCHED_BYTES, "%s/%u", base, network.bits);
}

static void write_place(const struct address *address, const struct place *place,
                        const struct place_evidence *evidence, bool pretty, struct text *out)
{
    static const char *const classes[] = {[ADDRESS_PUBLIC] = "public",
                                          [ADDRESS_PRIVATE] = "private",
                                          [ADDRESS_RESERVED] = "reserved",
                                          [ADDRESS_DOCUMENTATION] = "documentation"};
    char shown[ADDRESS_TEXT_BYTES], inside[ADDRESS_TEXT_BYTES] = "", matched[MATCHED_BYTES];
    struct address judged = address_judged(address);
    bool located = place->source != PLACE_FROM_NONE;
    const struct witness *decides = place_decides(evidence);
    const char *database =
        decides && decides->database != PLACE_BY_PROXY ? place_witness_name(evidence, decides) : "";
    address_format(address, shown);
    if (!address_equal(&judged, address))
        address_format(&judged, inside);
    format_matched(&judged, decides, matched);
    json_write(out, pretty ? PLACE_MEMBERS(NEXT) : PLACE_MEMBERS(","), shown, inside,
               shown[0] ? classes[address_classify(&judged, NULL)] : "", evidence->range,
               place_verdict_names[place->verdict], evidence->reason, place_reason_code(place->reason),
               place_confidence_code(place->confidence),
               evidence->asn > 0 ? (int64_t)evidence->asn : JSON_NONE, evidence->label,
               place_source_names[place->source], place->name, place->region, place->country,
               located ? place->latitude : NAN, located ? place->longitude : NAN, place->timezone, database,
               matched);
    if (decides)
        write_record(&decides->record, out);
    else
        text_string(out, "null");
    text_string(out, pretty ? NEXT "\"witnesses\":[" : ",\"witnesses\":[");
    write_witnesses(evidence, pretty, out);
    text_string(out, "]");
}

void explain_place(const struct address *address, const struct place *place,
                   const struct place_evidence *evidence, bool pretty, struct text *out)
{
    text_string(out, pretty ? "{\n  \"client\":null" NEXT : "{");
    write_place(address, place, evidence, pretty, out);
    text_string(out, pretty ? NEXT "\"weather\":null" NEXT "\"earth\":null" NEXT "\"upstreams\":null\n}\n"
                            : "}\n");
}

static void write_hop(const struct address *address, const char *role, struct text *out)
{
    char shown[ADDRESS_TEXT_BYTES];
    address_format(address, shown);
    json_write(out, ",\n      {'address':%s,'as':%s}", shown, role);
}

static void write_lines(const struct origin *origin, struct text *out)
{
    for (size_t i = 0; i < origin->line_count; i++)
        json_write(out, ",%-s", origin->lines[i]);
}

/* Writes what was not trusted: the elements left of those that were, or all lines where there are none. */
static void write_refused(const struct origin *origin, const struct client_trace *trace, struct text *out)
{
    bool split = trace->element_count > 0 && trace->element_count <= CLIENT_ELEMENTS_MAX;
    if (!split && trace->reason != CLIENT_NO_HEADER)
        write_lines(origin, out);
    for (size_t i = 0; split && i < trace->element_count - trace->hop_count; i++) {
        char element[CLIENT_HEADER_BYTES + 1];
        snprintf(element, sizeof element, "%.*s", (int)trace->elements[i].length, trace->elements[i].bytes);
        json_write(out, ",%-s", element);
    }
}

static const char *refusal_reason(const struct origin *origin, const struct client_trace *trace, bool found)
{
    if (!found)
        return client_reason_text(trace->reason);
    if (trace->reason == CLIENT_PEER_NOT_TRUSTED)
        return origin->line_count > 0 ? "the whole header, since the peer is not a trusted proxy" : "";
    return trace->element_count > trace->hop_count ? "left of the reader, where anyone may have written" : "";
}

/* Writes which hop is the reader: the peer, then the header's elements from the right, as far as they were
 * trusted. */
static void write_client(const struct client_options *options, const struct origin *origin, struct text *out)
{
    struct client_trace trace;
    char shown[ADDRESS_TEXT_BYTES];
    struct address client = client_find(options, origin, &trace);
    bool found = client.family != ADDRESS_NONE;

    json_write(out, "{'header':%s,'received':[", options->header);
    write_lines(origin, out);
    text_string(out, "],\n    \"accepted\":[");
    write_hop(&origin->peer, found && trace.hop_count == 0 ? "peer and reader" : "peer, a trusted proxy",
              out);
    for (size_t i = 0; i < trace.hop_count; i++)
        write_hop(&trace.hops[i], found && i + 1 == trace.hop_count ? "reader" : "trusted proxy", out);
    address_format(&client, shown);
    text_string(out, "],\n    \"refused\":[");
    write_refused(origin, &trace, out);
    json_write(out, "],'refused_because':%s,\n    'address':%s,'reason':%s}",
               refusal_reason(origin, &trace, found), shown, client_reason_text(trace.reason));
}

static void write_weather(const struct answer *answer, bool simulated, struct text *out)
{
    const struct reading *reading = &answer->reading;
    bool known = answer_has_number(answer);
    bool waits = reading->retry_in_s > 0;
    json_write(out, "{'cell':%s,'cache':%s,'state':%s,'celsius':%.7g,'provider':%s", reading->cell,
               simulated ? "imagined" : weather_state_names[WEATHER_AS_LOOKUP][reading->lookup],
               answer_state_name(answer), known ? reading->temperature_ddeg / 10.0 : NAN,
               known ? reading->provider : "");
    json_write(out, ",\n    'fetched_at':%td,'age_s':%jd,'refresh_at':%td,'next_try_at':%td,'in_flight':%i}",
               known ? reading->fetched_s : JSON_NONE, known ? reading->age_s : JSON_NONE,
               known ? answer->now_s + reading->refresh_in_s : JSON_NONE,
               waits || !known ? answer->now_s + reading->retry_in_s : JSON_NONE, reading->in_flight);
}

/* The parts of the correction add up to it: those of stations that are not listed are one number. */
static void write_earth(const struct earth_reason *earth, struct text *out)
{
    double others_kelvin = earth->correction_kelvin;
    json_write(out, "{'run':%td,'model_celsius':%.4g,'ground_m':%jd,'height_m':%jd,'correction_kelvin':%.4f,",
               earth->run_s, earth->model_celsius,
               earth->ground_m == GRID_NO_HEIGHT ? JSON_NONE : earth->ground_m,
               earth->height_m == GRID_NO_HEIGHT ? JSON_NONE : earth->height_m, earth->correction_kelvin);
    json_write(out, "'celsius':%.4g,'stations':[", earth->model_celsius + earth->correction_kelvin);
    for (size_t i = 0; i < earth->station_count; i++) {
        const struct airports_station *station = &earth->stations[i];
        others_kelvin -= station->kelvin;
        json_write(out,
                   ",\n      {'id':%s,'distance_km':%.4g,'reported_celsius':%.4g,'difference_kelvin':%.3f,",
                   station->id, station->distance_km, station->celsius, station->difference);
        json_write(out, "'weight':%.4f,'part_kelvin':%.4f,'condition':%jd,'observed_at':%td}",
                   station->weight, station->kelvin,
                   station->condition == METAR_NO_CONDITION ? JSON_NONE : station->condition,
                   station->observed_s);
    }
    json_write(out, "],\n    'others_kelvin':%.4f}",
               earth->station_count < FIELDS_STATIONS_MAX ? 0 : others_kelvin);
}

static void write_upstream(const struct weather_upstream *upstream, struct text *out)
{
    json_write(out, ",\n    {'name':%s,'breaker_open':%i,'next_try_at':%td,'last_success_at':%td,",
               upstream->name, upstream->breaker_open,
               upstream->next_try_s > 0 ? upstream->next_try_s : JSON_NONE,
               upstream->last_success_s > 0 ? upstream->last_success_s : JSON_NONE);
    json_write(out, "'last_failure':%s,'stretch':%.7g,'budgets':[", upstream->last_failure,
               upstream->stretch);
    for (size_t i = 0; i < upstream->window_count; i++) {
        const struct weather_window *window = &upstream->windows[i];
        json_write(out, ",\n      {'window':%s,'limit':%jd,'remaining':%jd,'reset_at':%td}", window->name,
                   window->limit, window->remaining, window->reset_s);
    }
    text_string(out, "]}");
}

void explain_visit(const struct widget *widget, const struct client_options *options,
                   const struct origin *origin, const struct visit *visit, struct text *out)
{
    struct reasons reasons;
    widget_reasons(widget, visit, &reasons);
    text_string(out, "{\n  \"client\":");
    write_client(options, origin, out);
    text_string(out, NEXT);
    write_place(&visit->address, &reasons.answer.place, &reasons.evidence, true, out);
    text_string(out, NEXT "\"weather\":");
    if (reasons.answer.reading.state == WEATHER_UNKNOWN)
        text_string(out, "null");
    else
        write_weather(&reasons.answer, visit->simulated, out);
    text_string(out, NEXT "\"earth\":");
    if (reasons.earth.known)
        write_earth(&reasons.earth, out);
    else
        text_string(out, "null");
    text_string(out, NEXT "\"upstreams\":[");
    for (size_t i = 0; i < reasons.upstream_count; i++)
        write_upstream(&reasons.upstreams[i], out);
    text_string(out, "]\n}\n");
}
