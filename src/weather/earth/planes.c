#include "weather/earth/planes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define MAGIC            UINT64_C(0x3130656e616c706d) /* "mplane01" */
#define DATA_BYTES_AT    4096 /* where the values begin: behind a page for the header */
#define FULL_CIRCLE_UDEG 360000000
#define COLUMNS_MAX      1440
#define LATEST_S         INT64_C(100000000000)

/* Smaller than a sector, so that a power cut leaves the old one or the new one. */
struct header {
    uint64_t magic;
    uint32_t header_crc; /* of the header, this being 0 */
    uint32_t reserved;
    struct planes_shape shape;
    uint32_t crc[PLANES_MAX];
    uint8_t there[PLANES_MAX];
};
_Static_assert(sizeof(struct planes_shape) == 24 && sizeof(struct header) <= 512, "no padding, one sector");

struct planes {
    struct header header; /* as it was when it was checked, or as it was written */
    uint8_t *map;
    size_t size;
};

bool planes_shape_valid(const struct planes_shape *shape)
{
    return shape->run_s >= 0 && shape->run_s <= LATEST_S && shape->columns > 0 &&
           shape->columns <= COLUMNS_MAX && shape->rows > 1 &&
           (uint64_t)shape->columns * shape->spacing_udeg == FULL_CIRCLE_UDEG &&
           (uint64_t)(shape->rows - 1) * shape->spacing_udeg == FULL_CIRCLE_UDEG / 2 &&
           shape->reserved == 0 && shape->wide + shape->narrow > 0 &&
           shape->wide + shape->narrow <= PLANES_MAX;
}

/* --- The layout --- */

static size_t plane_count(const struct planes_shape *shape)
{
    return (size_t)shape->wide + shape->narrow;
}

static size_t row_bytes(const struct planes_shape *shape, size_t plane)
{
    return shape->columns * (plane < shape->wide ? sizeof(int16_t) : sizeof(uint8_t));
}

/* Where a row of a plane begins: after all rows of 16-bit values come those of bytes. */
static size_t row_at(const struct planes_shape *shape, size_t plane, size_t row)
{
    size_t wide = shape->wide, narrow = shape->narrow, columns = shape->columns;
    if (plane < wide)
        return DATA_BYTES_AT + (row * wide + plane) * columns * sizeof(int16_t);
    return DATA_BYTES_AT + shape->rows * wide * columns * sizeof(int16_t) +
           (row * narrow + plane - wide) * columns;
}

static size_t file_bytes(const struct planes_shape *shape)
{
    return row_at(shape, plane_count(shape), shape->rows - 1U);
}

/* --- Checks --- */

static uint32_t header_crc(const struct header *header)
{
    struct header copy = *header;
    copy.header_crc = 0;
    return (uint32_t)crc32_z(0, (const void *)&copy, sizeof copy);
}

static uint32_t plane_crc(const struct planes *planes, size_t plane)
{
    const struct planes_shape *shape = &planes->header.shape;
    uint32_t crc = 0;
    for (size_t row = 0; row < shape->rows; row++)
        crc = (uint32_t)crc32_z(crc, planes->map + row_at(shape, plane, row), row_bytes(shape, plane));
    return crc;
}

/* NULL, or why this is no such file. Strikes out the planes that are not as they were written. */
static const char *check(struct planes *planes)
{
    struct header *header = &planes->header;
    memcpy(header, planes->map, sizeof *header);
    if (header->magic != MAGIC)
        return "not a file of planes, or of another version";
    if (header->header_crc != header_crc(header) || !planes_shape_valid(&header->shape))
        return "its header is damaged";
    if (planes->size != file_bytes(&header->shape))
        return "not of its size";
    madvise(planes->map, planes->size, MADV_WILLNEED);
    for (size_t i = 0; i < plane_count(&header->shape); i++)
        header->there[i] = header->there[i] == 1 && header->crc[i] == plane_crc(planes, i);
    madvise(planes->map, planes->size, MADV_DONTNEED);
    return NULL;
}

/* --- A file that is open --- */

/* Maps what is behind `fd`, and closes that. NULL, with errno set. */
static struct planes *map_file(int fd, int protection)
{
    struct stat status;
    struct planes *planes = calloc(1, sizeof *planes);
    bool sized = planes && fd >= 0 && fstat(fd, &status) == 0;
    if (sized && S_ISREG(status.st_mode) && status.st_size >= DATA_BYTES_AT) {
        planes->size = (size_t)status.st_size;
        planes->map = mmap(NULL, planes->size, protection, MAP_SHARED, fd, 0);
    } else if (sized) {
        errno = EINVAL;
    }
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (planes && planes->map && planes->map != MAP_FAILED)
        return planes;
    free(planes);
    errno = error;
    return NULL;
}

void planes_close(struct planes *planes)
{
    if (!planes)
        return;
    munmap(planes->map, planes->size);
    free(planes);
}

/* Opens and checks. NULL, with the reason. */
static struct planes *open_checked(const char *path, int flags, int protection, const char **fault)
{
    struct planes *planes = map_file(open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), protection);
    *fault = planes ? check(planes) : strerror(errno);
    if (!*fault)
        return planes;
    planes_close(planes);
    return NULL;
}

struct planes *planes_open(const char *path, char error[PLANES_ERROR_BYTES])
{
    const char *fault;
    struct planes *planes = open_checked(path, O_RDONLY, PROT_READ, &fault);
    if (!planes)
        snprintf(error, PLANES_ERROR_BYTES, "%s", fault);
    return planes;
}

const struct planes_shape *planes_shape(const struct planes *planes)
{
    return &planes->header.shape;
}

bool planes_there(const struct planes *planes, size_t plane)
{
    return plane < plane_count(&planes->header.shape) && planes->header.there[plane];
}

int16_t planes_wide(const struct planes *planes, size_t plane, size_t row, size_t column)
{
    const void *values = planes->map + row_at(&planes->header.shape, plane, row);
    return ((const int16_t *)values)[column];
}

uint8_t planes_narrow(const struct planes *planes, size_t plane, size_t row, size_t column)
{
    return planes->map[row_at(&planes->header.shape, plane, row) + column];
}

/* --- Writing --- */

void planes_name_next(const char *path, char next[PATH_MAX])
{
    snprintf(next, PATH_MAX, "%.*s.new", PATH_MAX - 8, path);
}

/* Copies the header into the file and waits for the disk. */
static bool write_header(struct planes *planes)
{
    planes->header.header_crc = header_crc(&planes->header);
    memcpy(planes->map, &planes->header, sizeof planes->header);
    return msync(planes->map, DATA_BYTES_AT, MS_SYNC) == 0;
}

/* Makes a new file of its whole size, without planes. NULL, with errno set. */
static struct planes *make(const char *fresh, const struct planes_shape *shape)
{
    unlink(fresh);
    int fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)file_bytes(shape));
    struct planes *planes = map_file(fd, PROT_READ | PROT_WRITE);
    if (planes && error == 0) {
        planes->header = (struct header){.magic = MAGIC, .shape = *shape};
        if (write_header(planes))
            return planes;
    }
    error = error ? error : errno;
    planes_close(planes);
    unlink(fresh);
    errno = error;
    return NULL;
}

struct planes *planes_begin(const char *path, const struct planes_shape *shape,
                            char error[PLANES_ERROR_BYTES])
{
    char fresh[PATH_MAX];
    const char *fault;
    planes_name_next(path, fresh);
    struct planes *planes = open_checked(fresh, O_RDWR, PROT_READ | PROT_WRITE, &fault);
    if (planes && memcmp(&planes->header.shape, shape, sizeof *shape) != 0) {
        planes_close(planes);
        planes = NULL;
    }
    if (!planes && planes_shape_valid(shape))
        planes = make(fresh, shape);
    if (!planes)
        snprintf(error, PLANES_ERROR_BYTES, "%s",
                 planes_shape_valid(shape) ? strerror(errno) : "no such shape");
    return planes;
}

bool planes_put(struct planes *planes, size_t plane, const void *values)
{
    struct header *header = &planes->header;
    const struct planes_shape *shape = &header->shape;
    const uint8_t *from = values;
    if (plane >= plane_count(shape) || header->there[plane]) {
        errno = plane < plane_count(shape) ? EEXIST : EINVAL;
        return false;
    }
    size_t bytes = row_bytes(shape, plane);
    for (size_t row = 0; row < shape->rows; row++)
        memcpy(planes->map + row_at(shape, plane, row), from + row * bytes, bytes);
    if (msync(planes->map, planes->size, MS_SYNC) < 0)
        return false;
    header->crc[plane] = plane_crc(planes, plane);
    header->there[plane] = 1;
    if (!write_header(planes))
        header->there[plane] = 0;
    return header->there[plane];
}

bool planes_finish(const struct planes *planes, const char *path)
{
    char fresh[PATH_MAX];
    planes_name_next(path, fresh);
    return msync(planes->map, planes->size, MS_SYNC) == 0 && rename(fresh, path) == 0;
}
