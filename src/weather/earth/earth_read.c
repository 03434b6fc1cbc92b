#include "weather/earth/earth_state.h"

uint32_t earth_number(const struct earth *earth, int64_t now_s)
{
    return earth ? present_number(&earth->present, now_s) : 0;
}

static int64_t next_state_s(const struct earth *earth, int64_t now_s)
{
    const struct earth_report *report = &earth->report;
    int64_t next_s =
        report->metar && report->metar_expected_s > now_s && report->metar_expected_s < report->expected_s
            ? report->metar_expected_s
            : report->expected_s;
    return next_s > now_s ? next_s : now_s + EARTH_PROBE_MS / 1000;
}

bool earth_read(struct earth *earth, const struct earth_place *place, int64_t now_s, struct curve *out,
                bool *corrected, uint32_t *number)
{
    pthread_mutex_lock(&earth->lock);
    int64_t next_s = next_state_s(earth, now_s);
    pthread_mutex_unlock(&earth->lock);
    *number = present_number(&earth->present, now_s);
    struct held *held = present_hold(&earth->present);
    bool known = held && fields_read(&held->fields, place, now_s, out, corrected);
    present_release(&earth->present, held);
    out->expires_s = next_s;
    return known;
}

void earth_explain(struct earth *earth, const struct earth_place *place, int64_t now_s,
                   struct earth_reason *out)
{
    struct held *held = present_hold(&earth->present);
    *out = (struct earth_reason){.known = false};
    if (held)
        fields_explain(&held->fields, place, now_s, out);
    present_release(&earth->present, held);
}

void earth_map(struct earth *earth, int64_t now_s, size_t columns, size_t rows, int16_t *cdeg)
{
    struct held *held = present_hold(&earth->present);
    fields_map(held ? &held->fields : NULL, now_s, columns, rows, cdeg);
    present_release(&earth->present, held);
}

bool earth_station(struct earth *earth, size_t index, struct airports_station *out)
{
    struct held *held = present_hold(&earth->present);
    bool found = held && held->fields.airports && airports_at(held->fields.airports, index, out);
    present_release(&earth->present, held);
    return found;
}

void earth_report(struct earth *earth, struct earth_report *out)
{
    pthread_mutex_lock(&earth->lock);
    *out = earth->report;
    pthread_mutex_unlock(&earth->lock);
}
