/* The file of budgets: what is read of it is a count in a window that there can be. */
#include "fuzz.h"

#include "weather/point/quota_file.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct quota_kept kept[WEATHER_PROVIDERS] = {{.window = {0}}};
    char line[256];
    while (take_string(&data, &size, '\n', line, sizeof line))
        read_line(line, kept);
    for (size_t id = 0; id < WEATHER_PROVIDERS; id++)
        for (size_t i = 0; i < QUOTA_WINDOWS; i++) {
            PROPERTY(kept[id].spent[i] >= 0 && kept[id].spent[i] <= INT32_MAX);
            PROPERTY(kept[id].window[i] >= 0 && kept[id].window[i] < INT64_MAX / 86400);
        }
    return 0;
}
