/* Files of planes, as whoever can write into the service's folder may leave them: each plane that counts as
 * there can be read whole. The input is the file's header and the values behind it, of which what the header
 * asks for is filled up; a bit of the first byte has its checksum made right. */
#include "fuzz.h"

#include "weather/earth/planes.c"

#define FILE_MAX (1 << 15) /* more is only read for longer; a grid of 15 degrees has ten planes in it */

static const char *write_file(const uint8_t *data, size_t size, bool checksum)
{
    static char path[64];
    struct header header = {0};
    if (!path[0])
        snprintf(path, sizeof path, "/dev/shm/fuzz-planes.%d", (int)getpid());
    memcpy(&header, data, size < sizeof header ? size : sizeof header);
    if (checksum) {
        header.magic = MAGIC;
        header.header_crc = header_crc(&header);
    }
    size_t bytes = planes_shape_valid(&header.shape) ? file_bytes(&header.shape) : DATA_BYTES_AT;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    PROPERTY(fd >= 0 && ftruncate(fd, (off_t)(bytes < FILE_MAX ? bytes : FILE_MAX)) == 0);
    PROPERTY(pwrite(fd, &header, sizeof header, 0) == sizeof header);
    if (size > sizeof header)
        PROPERTY(pwrite(fd, data + sizeof header, size - sizeof header, DATA_BYTES_AT) > 0);
    close(fd);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[PLANES_ERROR_BYTES];
    if (size < 1)
        return 0;
    struct planes *planes = planes_open(write_file(data + 1, size - 1, data[0] & 1), error);
    if (!planes)
        return 0;
    const struct planes_shape *shape = planes_shape(planes);
    PROPERTY(planes_shape_valid(shape));
    for (size_t i = 0; i < PLANES_MAX + 1; i++) {
        if (!planes_there(planes, i))
            continue;
        PROPERTY(i < (size_t)shape->wide + shape->narrow);
        for (size_t row = 0; row < shape->rows; row++)
            (void)(i < shape->wide ? planes_wide(planes, i, row, shape->columns - 1U)
                                   : planes_narrow(planes, i, row, shape->columns - 1U));
    }
    planes_close(planes);
    return 0;
}
