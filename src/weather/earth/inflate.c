#include "weather/earth/inflate.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16) /* the largest window; 16: gzip's header and trailer, and no other */

bool inflate_wanted(const char *bytes, size_t length)
{
    return length >= 2 && (unsigned char)bytes[0] == 0x1f && (unsigned char)bytes[1] == 0x8b;
}

/* NULL when the whole member has been unpacked, into at most `max` bytes. */
static const char *unpack(z_stream *stream, size_t max)
{
    if (inflateInit2(stream, GZIP_WINDOW_BITS) != Z_OK)
        return "out of memory";
    int status = inflate(stream, Z_FINISH);
    inflateEnd(stream);
    if (stream->total_out > max)
        return "gzip of more than is allowed";
    return status == Z_STREAM_END ? NULL : status == Z_BUF_ERROR ? "gzip cut short" : "gzip damaged";
}

char *inflate_all(const char *bytes, size_t length, size_t max, size_t *unpacked, const char **problem)
{
    *problem = max < UINT_MAX && length < UINT_MAX ? NULL : "gzip of more than is allowed";
    char *out = *problem ? NULL : malloc(max + 1); /* no more of it is touched than is written */
    z_stream stream = {.next_in = (unsigned char *)bytes,
                       .avail_in = (unsigned)length,
                       .next_out = (unsigned char *)out,
                       .avail_out = (unsigned)max + 1};
    if (!*problem)
        *problem = out ? unpack(&stream, max) : "out of memory";
    if (*problem) {
        free(out);
        return NULL;
    }
    *unpacked = stream.total_out;
    return out;
}
