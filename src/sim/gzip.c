#include "sim/gzip.h"

#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW_BITS (15 + 16) /* the largest window; 16 asks zlib for gzip's header and trailer */
#define MEMORY_LEVEL     8         /* zlib's default */

char *gzip_pack(const char *bytes, size_t length, size_t times, size_t *packed_length)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    size_t bound = deflateBound(&stream, length * times);
    char *packed = malloc(bound); /* no more of it is touched than is written */
    stream.next_out = (unsigned char *)packed;
    stream.avail_out = (unsigned)bound;
    for (size_t i = 1; packed && i <= times; i++) {
        stream.next_in = (unsigned char *)bytes;
        stream.avail_in = (unsigned)length;
        deflate(&stream, i < times ? Z_NO_FLUSH : Z_FINISH);
    }
    if (packed)
        *packed_length = stream.total_out;
    deflateEnd(&stream);
    return packed;
}
