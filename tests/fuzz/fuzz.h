/* What fuzz targets stand on. A target is a file here with LLVMFuzzerTestOneInput; its first comment says
 * what must hold. Its corpus is corpus/NAME. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program where something does not hold, as a sanitizer would. */
#define PROPERTY(condition) ((condition) ? (void)0 : property_broken(__FILE__, __LINE__, #condition))

static inline void property_broken(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* Whether a string is UTF-8 without control characters, as everything is that was sanitized. */
static inline bool is_clean(const char *string)
{
    size_t left = strlen(string), length;
    uint32_t point;
    for (; left > 0; string += length, left -= length)
        if (!(length = text_utf8(string, left, &point)) || point < 0x20 || (point >= 0x7f && point < 0xa0))
            return false;
    return true;
}

/* Takes the bytes before the next `separator`, or all, off an input, as a string in `out`; what does not fit
 * is cut, NULs become spaces. False when nothing is left. */
static inline bool take_string(const uint8_t **data, size_t *size, char separator, char *out, size_t room)
{
    if (*size == 0)
        return false;
    const uint8_t *end = memchr(*data, separator, *size);
    size_t length = end ? (size_t)(end - *data) : *size, taken = length + (end != NULL);
    length = length < room ? length : room - 1;
    for (size_t i = 0; i < length; i++)
        out[i] = (*data)[i] ? (char)(*data)[i] : ' ';
    out[length] = '\0';
    *data += taken;
    *size -= taken;
    return true;
}

/* Ends what a target says about each of millions of hostile inputs. */
__attribute__((constructor)) static void be_silent(void)
{
    log_configure(&(struct log_options){.level = LOG_ERROR + 1});
}
