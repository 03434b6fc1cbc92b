/* A database with bytes changed: the bundled one, or the one that the environment variable MMDB names.
 * Whatever they are, it is refused, or its records are clean and can stand on a map. An input is a byte of
 * flags, then for each change where (three bytes, which reach all over the file) and what (one). */
#include "fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place/survey.h"

#define CHANGES 64

/* Inputs whose first byte is at least FLAGS are surveyed, the first of 16, as that takes a millisecond; not
 * so a file of SIZE_MAX_SURVEYED bytes or more, with which it takes seconds. */
#define FLAGS             0xf0
#define EVERY             16
#define SIZE_MAX_SURVEYED (1 << 20)

static struct {
    uint8_t *bytes;        /* as the file now is */
    size_t size, metadata; /* where that begins */
    char path[32];
    struct mmdb *whole; /* opened before any change, which it sees all the same but for those of metadata */
} file;

/* libmaxminddb 1.7.1 loses 5 KB when it refuses metadata; the child that reads a database first ends with it.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libmaxminddb";
}

static void open_file(void)
{
    struct stat status;
    const char *name = getenv("MMDB");
    int from = open(name ? name : "data/visitors.mmdb", O_RDONLY | O_CLOEXEC);
    int to = memfd_create("mmdb", MFD_CLOEXEC);
    PROPERTY(from >= 0 && to >= 0 && fstat(from, &status) == 0);
    file.size = (size_t)status.st_size;
    PROPERTY(ftruncate(to, status.st_size) == 0);
    file.bytes = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
    PROPERTY(file.bytes != MAP_FAILED && read(from, file.bytes, file.size) == status.st_size);
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", to);
    close(from);
    static const char marker[] = "\xab\xcd\xefMaxMind.com";
    const uint8_t *found = memmem(file.bytes, file.size, marker, sizeof marker - 1);
    char error[PLACE_ERROR_BYTES];
    PROPERTY(found && (file.whole = mmdb_map(file.path, error)));
    file.metadata = (size_t)(found - file.bytes);
}

static void check_record(const struct record *record)
{
    PROPERTY(is_clean(record->city) && is_clean(record->city_local) && is_clean(record->region));
    PROPERTY(is_clean(record->country) && is_clean(record->timezone));
    PROPERTY(!record->located || (record->latitude >= -90 && record->latitude <= 90 &&
                                  record->longitude >= -180 && record->longitude <= 180));
}

static void check_reader(const struct mmdb *db, const uint8_t address[4])
{
    struct record record;
    uint32_t asn;
    struct address asked = {.family = ADDRESS_V4};
    memcpy(asked.bytes, address, 4);
    if (mmdb_find(db, &asked, "hi", &record))
        check_record(&record);
    mmdb_find_asn(db, &asked, &asn);
}

static void check_survey(const struct mmdb *db)
{
    char error[PLACE_ERROR_BYTES] = "";
    struct survey survey;
    bool sound = survey_take(db, false, &survey, error);
    PROPERTY(sound == !error[0]);
    if (sound)
        survey_free(&survey);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t readers[][4] = {{192, 0, 2, 1}, {198, 51, 100, 17}, {203, 0, 113, 5}};
    static unsigned surveyed;
    uint8_t was[CHANGES];
    size_t wheres[CHANGES], count = 0, last = 0;
    char error[PLACE_ERROR_BYTES];
    if (!file.bytes)
        open_file();
    if (size < 1)
        return 0;
    uint8_t flags = data[0];
    for (data++, size--; size >= 4 && count < CHANGES; data += 4, size -= 4, count++) {
        size_t where = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2];
        wheres[count] = where * (file.size / (1 << 24) + 1) % file.size;
        last = wheres[count] > last ? wheres[count] : last;
        was[count] = file.bytes[wheres[count]];
        file.bytes[wheres[count]] = data[3];
    }
    struct mmdb *db = last < file.metadata ? file.whole : mmdb_map(file.path, error);
    if (db)
        check_reader(db, readers[flags % 3]);
    if (db && flags >= FLAGS && file.size < SIZE_MAX_SURVEYED && surveyed++ % EVERY == 0)
        check_survey(db);
    if (db != file.whole)
        mmdb_close(db);
    while (count-- > 0)
        file.bytes[wheres[count]] = was[count];
    return 0;
}
