/* A file of tzdata: one that is read has its changes in order, with offsets that there can be, and its days
 * follow each other. */
#include "fuzz.h"

#include "place/zone.c"

#define LATEST_S INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* The day of an instant, and the next. */
static void check_days(const struct zone *zone, int64_t unix_s)
{
    const struct zones zones = {.zones = (struct zone *)(uintptr_t)zone, .count = 1};
    int64_t begin_s, end_s, next_begin_s, next_end_s;
    if (unix_s < 0 || unix_s > LATEST_S)
        return;
    PROPERTY(zones_day(&zones, zone->name, unix_s, &begin_s, &end_s) && begin_s <= end_s);
    if (end_s >= 0 && end_s > unix_s) {
        PROPERTY(zones_day(&zones, zone->name, end_s, &next_begin_s, &next_end_s));
        PROPERTY(next_begin_s <= end_s && next_end_s > begin_s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone zone = {.name = "A/Zone", .changes = NULL};
    if (size < FILE_BYTES && read_zone(data, size, &zone)) {
        PROPERTY(zone.count > 0);
        for (size_t i = 0; i < zone.count; i++)
            PROPERTY(zone.changes[i].offset_s > -OFFSET_MAX_S && zone.changes[i].offset_s < OFFSET_MAX_S &&
                     (i == 0 || zone.changes[i - 1].at_s < zone.changes[i].at_s));
        for (size_t i = 0; i < zone.count; i++)
            check_days(&zone, zone.changes[i].at_s);
        check_days(&zone, INT64_C(1769851000));
    }
    free(zone.changes);
    return 0;
}
