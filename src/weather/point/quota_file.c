#include "weather/point/quota_file.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER     "masthead-quota 1\n"
#define FILE_BYTES 4096

/* Reads "open-meteo 12 3 4 5 6 7" lines: window and spent, three times. What does not fit is passed over. */
static void read_line(const char *line, struct quota_kept out[WEATHER_PROVIDERS])
{
    char name[32];
    struct quota_kept kept = {.window = {0}};
    int64_t *w = kept.window, *s = kept.spent;
    int fields = sscanf(line, "%31s %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64,
                        name, &w[0], &s[0], &w[1], &s[1], &w[2], &s[2]);
    bool ok = fields == 1 + 2 * QUOTA_WINDOWS;
    for (size_t i = 0; ok && i < QUOTA_WINDOWS; i++)
        ok = w[i] >= 0 && w[i] < INT32_MAX * (int64_t)100 && s[i] >= 0 && s[i] <= INT32_MAX;
    if (ok && provider_by_name(name) < WEATHER_PROVIDERS)
        out[provider_by_name(name)] = kept;
}

void quota_file_read(const char *path, struct quota_kept out[WEATHER_PROVIDERS], uint64_t *instance)
{
    char bytes[FILE_BYTES] = "", *rest = bytes, *line;
    memset(out, 0, WEATHER_PROVIDERS * sizeof out[0]);
    arc4random_buf(instance, sizeof *instance);
    const char *reason = NULL;
    ssize_t length = path[0] ? file_read(path, FILE_NO_LINK, bytes, sizeof bytes - 1, &reason) : -1;
    if (length < 0 && !reason)
        return;
    if (length < 0 || strncmp(bytes, HEADER, strlen(HEADER)) != 0)
        log_event(LOG_WARN, "budget file not read", log_str("file", path),
                  log_str("reason", reason ? reason : "not a file of budgets"));
    else
        while ((line = strsep(&rest, "\n")))
            if (sscanf(line, "instance %" SCNx64, instance) != 1)
                read_line(line, out);
}

bool quota_file_write(const char *path, const struct quota_kept kept[WEATHER_PROVIDERS], uint64_t instance)
{
    char storage[FILE_BYTES];
    struct text out = text_init(storage, sizeof storage);
    if (!path[0])
        return true;
    text_string(&out, HEADER);
    text_format(&out, "instance %016" PRIx64 "\n", instance);
    for (size_t id = 0; id < WEATHER_PROVIDERS; id++) {
        text_string(&out, provider_names[id]);
        for (size_t i = 0; i < QUOTA_WINDOWS; i++)
            text_format(&out, " %" PRId64 " %" PRId64, kept[id].window[i], kept[id].spent[i]);
        text_string(&out, "\n");
    }
    if (file_replace_bytes(path, out.bytes, out.length))
        return true;
    log_throttled(LOG_ERROR, "budget file not written: providers with budgets are soon not asked any more",
                  log_str("file", path), log_str("error", strerror(errno)));
    return false;
}
