/* The file in which what was spent of the providers' budgets outlives the process. Every byte that is read is
 * hostile. */
#pragma once

#include "weather/point/quota.h"

/* What is kept of a provider, by window. */
struct quota_kept {
    int64_t window[QUOTA_WINDOWS]; /* number of the window: Unix time over its length */
    int64_t spent[QUOTA_WINDOWS];  /* requests in it */
};

/* Reads the file; what is not there, or not to be read (logged), is zero. A path of "": there is no file.
 * *instance is the number under which this instance counts in a fleet: that in the file, else a new one. */
void quota_file_read(const char *path, struct quota_kept out[WEATHER_PROVIDERS], uint64_t *instance);

/* Replaces the file whole. False, and logged, when it cannot be written. Blocks while the disk does. */
bool quota_file_write(const char *path, const struct quota_kept kept[WEATHER_PROVIDERS], uint64_t instance);
