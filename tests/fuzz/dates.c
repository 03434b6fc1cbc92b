/* Dates and durations from outside: an instant that is read is the one that was written, byte for byte; no
 * Retry-After is negative, and none overflows. */
#include "fuzz.h"

#include "transfer/transfer.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[128] = "", again[CLOCK_RFC3339_BYTES];
    int64_t unix_s = 0, ms = 0;
    take_string(&data, &size, '\0', text, sizeof text);
    if (clock_parse(text, &unix_s)) {
        clock_format(unix_s, again);
        PROPERTY(strcmp(text, again) == 0);
    }
    if (clock_parse_duration(text, &ms))
        PROPERTY((ms < 0) <= (text[0] == '-'));
    PROPERTY(retry_after_s(text) >= 0 && date_of(text) >= 0);
    return 0;
}
