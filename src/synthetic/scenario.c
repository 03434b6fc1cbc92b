#include "synthetic/scenario.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

#define HOUR_S  3600
#define RETRY_S 60

const struct scenario_reader scenario_readers[] = {
    {"mumbai", "192.0.2.1", "", "the default reader of every example"},
    {"delhi", "192.0.2.17", "", "city and region of the same name"},
    {"powai", "192.0.2.225", "", "a district in brackets becomes its city"},
    {"leh-below-zero", "192.0.2.113", "2026-01-15T21:00:00Z", "a minus sign: a January night in Leh"},
    {"new-york", "198.51.100.1", "", "°F with units=auto"},
    {"london", "198.51.100.17", "", "a small negative longitude"},
    {"reykjavik-minus-zero", "198.51.100.33", "2026-04-13T19:30:00Z",
     "just below zero, shown as 0 and never −0"},
    {"tokyo", "198.51.100.65", "", "tomorrow begins here early"},
    {"sydney", "198.51.100.81", "", "southern summer"},
    {"sao-paulo", "198.51.100.97", "", "letters beyond ASCII"},
    {"date-line", "203.0.113.193", "", "longitude exactly 180"},
    {"mumbai-ipv6", "2001:db8:10::1", "", "the same city over IPv6"},
    {"long-name", "203.0.113.129", "", "one word of 85 letters"},
    {"rtl-name", "203.0.113.113", "", "a name written from right to left"},
    {"hostile-name", "203.0.113.97", "", "markup and quotes in a name"},
    {"country-only", "203.0.113.1", "", "no city, so nothing is shown"},
    {"office", "3fff:107:9::1", "", "a carrier's readers, all recorded at its office: an invitation"},
    {"claimed", "3fff:207:9::1", "", "a city that one record names, without a radius"},
    {"wide-radius", "203.0.113.49", "", "a city whose radius is too large to believe"},
    {"anycast", "203.0.113.65", "", "a network that is everywhere"},
    {"no-record", "203.0.113.241", "", "an address that no database knows"},
    {"private", "10.0.0.1", "", "a reader on the office network"},
    {"unreadable", "", "", "a forwarding header that cannot be trusted"},
    {.name = NULL},
};

static const struct scenario_fault faults[] = {
    {"fresh", 0, 0, "no fault: fetched this moment"},
    {"stale", 3 * HOUR_S, RETRY_S, "one refresh has failed: an aged value"},
    {"upstream-down-6h", 6 * HOUR_S, RETRY_S, "the weather API has been down for six hours: an aged value"},
    {"quota-gone", 12 * HOUR_S, RETRY_S, "the day's budget ran out twelve hours ago: an aged value"},
    {"upstream-down-3d", 72 * HOUR_S, RETRY_S, "down for three days, past keep: the place alone"},
    {"cold", SCENARIO_NEVER, 0, "the first reader of a cell, before the fetch lands: the place alone"},
    {"cold-down", SCENARIO_NEVER, RETRY_S, "a new cell while the weather API is down: the place alone"},
    {.name = NULL},
};

static bool equals(const char *name, const char *given, size_t length)
{
    return strncmp(name, given, length) == 0 && name[length] == '\0';
}

/* Adds one name. NULL, or why it is refused. */
static const char *add(const char *name, size_t length, struct scenario *out)
{
    const struct scenario_reader *reader = scenario_readers;
    const struct scenario_fault *fault = faults;
    while (reader->name && !equals(reader->name, name, length))
        reader++;
    while (fault->name && !equals(fault->name, name, length))
        fault++;
    if (!reader->name && !fault->name)
        return "not a known reader or fault (see /dev/scenarios.json)";
    if (reader->name ? out->reader != NULL : out->fault != NULL)
        return "names two of a kind";
    if (reader->name)
        out->reader = reader;
    else
        out->fault = fault;
    return NULL;
}

const char *scenario_read(const char *text, struct scenario *out)
{
    struct scenario read = {NULL, NULL};
    const char *reason, *end;
    do {
        end = strchrnul(text, ',');
        reason = add(text, (size_t)(end - text), &read);
        text = end + 1;
    } while (!reason && *end);
    if (!reason)
        *out = read;
    return reason;
}

int64_t scenario_at_s(const struct scenario *scenario)
{
    const struct scenario_reader *reader = scenario->reader;
    int64_t at_s = 0;
    clock_parse(reader && reader->at[0] ? reader->at : SCENARIO_AT, &at_s);
    return at_s;
}

void scenario_json(struct text *out)
{
    json_write(out, "{'default_at':%s,\n 'readers':[", SCENARIO_AT);
    for (const struct scenario_reader *reader = scenario_readers; reader->name; reader++)
        json_write(out, ",\n  {'name':%s,'address':%s,'at':%s,'note':%s}", reader->name, reader->address,
                   reader->at, reader->note);
    text_string(out, "],\n \"faults\":[");
    for (const struct scenario_fault *fault = faults; fault->name; fault++)
        json_write(out, ",\n  {'name':%s,'note':%s}", fault->name, fault->note);
    text_string(out, "]}\n");
}
