#include "weather/earth/allowance.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>

#define DAY_S 86400

/* As it stands in the file. */
struct count {
    int64_t day, bytes;
};

static void write_count(struct allowance *allowance, int64_t bytes)
{
    struct count count = {allowance->day, bytes};
    allowance->leased = bytes;
    if (!file_replace_bytes(allowance->path, &count, sizeof count))
        log_throttled(LOG_WARN, "bytes of the day not written", log_str("file", allowance->path),
                      log_str("error", strerror(errno)));
}

void allowance_open(struct allowance *allowance, const char *path, int64_t limit, int64_t now_s)
{
    struct count count;
    const char *reason;
    *allowance = (struct allowance){.path = path, .limit = limit, .day = now_s / DAY_S};
    bool whole = file_read(path, FILE_NO_LINK, &count, sizeof count, &reason) == sizeof count;
    if (whole && count.day == allowance->day && count.bytes > 0 && count.bytes < 2 * limit)
        allowance->bytes = allowance->leased = count.bytes;
}

void allowance_close(struct allowance *allowance)
{
    if (allowance->leased != allowance->bytes)
        write_count(allowance, allowance->bytes);
}

bool allowance_take(struct allowance *allowance, int64_t bytes, int64_t now_s)
{
    if (allowance->day != now_s / DAY_S)
        allowance->bytes = allowance->leased = 0;
    allowance->day = now_s / DAY_S;
    allowance->bytes += bytes;
    if (allowance->bytes > allowance->leased)
        write_count(allowance, allowance->bytes + ALLOWANCE_LEASE);
    return allowance->bytes < allowance->limit;
}
