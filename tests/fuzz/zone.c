/* A file of tzdata: one that is read has its changes in order, with offsets that there can be. */
#include "fuzz.h"

#include "place/zone.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone zone = {.changes = NULL};
    if (size < FILE_BYTES && read_zone(data, size, &zone)) {
        PROPERTY(zone.count > 0);
        for (size_t i = 0; i < zone.count; i++)
            PROPERTY(zone.changes[i].offset_s > -OFFSET_MAX_S && zone.changes[i].offset_s < OFFSET_MAX_S &&
                     (i == 0 || zone.changes[i - 1].at_s < zone.changes[i].at_s));
    }
    free(zone.changes);
    return 0;
}
