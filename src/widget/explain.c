#include "widget/explain.h"

#include <math.h>
#include <stdio.h>

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
        text_format(out, "%.7g", value); /* a database's 32-bit float holds no more */
    else
        text_string(out, "null");
}

static void write_record(const struct record *record, struct text *out)
{
    write_string(out, "{", "city", record->city);
    write_string(out, ",", "region", record->region);
    write_string(out, ",", "country", record->country);
    write_number(out, ",", "latitude", record->located, record->latitude);
    write_number(out, ",", "longitude", record->located, record->longitude);
    write_number(out, ",", "radius_km", record->radius_km >= 0, record->radius_km);
    write_key(out, ",", "anycast");
    text_string(out, record->anycast ? "true" : "false");
    write_string(out, ",", "timezone", record->timezone);
    text_string(out, "}");
}

void explain_place(const struct address *address, const struct place *place,
                   const struct place_evidence *evidence, bool pretty, struct text *out)
{
    const char *next = pretty ? ",\n  " : ",";
    char shown[ADDRESS_TEXT_BYTES], base[ADDRESS_TEXT_BYTES], matched[ADDRESS_TEXT_BYTES + 8] = "";
    bool found = evidence->database[0] != '\0';
    struct network network = network_around(address, evidence->record.prefix_bits);
    address_format(address, shown);
    address_format(&network.base, base);
    if (found)
        snprintf(matched, sizeof matched, "%s/%u", base, network.bits);

    write_string(out, pretty ? "{\n  " : "{", "address", shown);
    write_string(out, next, "range", evidence->range);
    write_string(out, next, "verdict", place_verdict_names[place->verdict]);
    write_string(out, next, "reason", evidence->reason);
    write_string(out, next, "label", evidence->label);
    write_string(out, next, "source", place_source_names[place->source]);
    write_string(out, next, "name", place->name);
    write_string(out, next, "region", place->region);
    write_string(out, next, "country", place->country);
    write_number(out, next, "latitude", place->source != PLACE_FROM_NONE, place->latitude);
    write_number(out, next, "longitude", place->source != PLACE_FROM_NONE, place->longitude);
    write_string(out, next, "timezone", place->timezone);
    write_string(out, next, "database", evidence->database);
    write_string(out, next, "matched", matched);
    write_key(out, next, "record");
    if (found)
        write_record(&evidence->record, out);
    else
        text_string(out, "null");
    text_string(out, pretty ? "\n}\n" : "}\n");
}
