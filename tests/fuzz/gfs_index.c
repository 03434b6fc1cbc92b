/* Indexes of GFS' files: a range that is found begins where a line says that a message does, ascends, and is
 * no longer than a message may be. The first bytes choose parameter, hour and size of the file. */
#include "fuzz.h"

#include "weather/earth/gfs.h"

#define RUN_S INT64_C(1780272000) /* of which the corpus is */

/* Whether one of the index's lines has this offset in its second column. */
static bool has_offset(const char *index, size_t length, int64_t offset)
{
    char wanted[32];
    int chars = snprintf(wanted, sizeof wanted, "%jd", (intmax_t)offset);
    for (const char *at = index, *end = index + length; at && at < end;) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        const char *digits = colon ? colon + 1 : end;
        while (digits + 1 < end && digits[0] == '0' && digits[1] != ':')
            digits++;
        if (digits + chars < end && memcmp(digits, wanted, (size_t)chars) == 0 && digits[chars] == ':')
            return true;
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gfs_range range = {-1, -1};
    if (size < 4)
        return 0;
    enum gfs_parameter parameter = data[0] % GFS_PARAMETERS;
    int hour = data[1] % (GFS_HOURLY_TO + 1);
    int64_t file_bytes = (data[2] | data[3] << 8) * INT64_C(1000);
    const char *index = (const char *)data + 4;
    if (gfs_find(index, size - 4, parameter, RUN_S, hour, file_bytes, &range))
        return 0;
    PROPERTY(range.first >= 0 && range.last >= range.first && range.last - range.first < GRIB_MESSAGE_MAX);
    PROPERTY(file_bytes == 0 || range.last < file_bytes);
    PROPERTY(has_offset(index, size - 4, range.first));
    return 0;
}
