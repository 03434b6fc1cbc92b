/* The snapshot, when the file is not as it was written: damaged at any byte, written by somebody hostile, or
 * something else altogether. What is good comes back, the rest is counted, and no wrong value is ever read.
 */
#include "unit.h"

#include <fcntl.h>

#include "base/log.h"
#include "capture.h"
#include "snapshot_files.h"

/* --- Damage --- */

/* Reads the file as it now is; whatever comes back of the FEW cells must be as it was in `whole`. */
static void check_harmless(struct cache *whole, const char *what, size_t at)
{
    static struct cache_record records[CACHE_BATCH];
    uint64_t counts[SNAPSHOT_RESULTS];
    size_t cursor = 0, count;
    struct cache *cache = restored_cache(2 * FEW, counts);
    assert_false(cache_copy(cache, &cursor, records, &count));
    size_t total = counts[SNAPSHOT_RESTORED] + counts[SNAPSHOT_LEFT_OUT] + counts[SNAPSHOT_DAMAGED];
    bool cold = total == 0, wrong = count != counts[SNAPSHOT_RESTORED] || (!cold && total != FEW);
    for (size_t i = 0; i < count; i++) {
        struct cache_view was = look(whole, records[i].key);
        wrong |= memcmp(&was.curve, &records[i].curve, sizeof was.curve) != 0;
    }
    bool in_header = at < SNAPSHOT_HEADER_BYTES;
    size_t expected = in_header || cold ? 0 : FEW - counts[SNAPSHOT_DAMAGED];
    if (wrong || cold != in_header || count != expected)
        fail_msg("%s at %zu: %zu cells, %zu damaged", what, at, count, (size_t)counts[SNAPSHOT_DAMAGED]);
    cache_close(cache);
}

static uint8_t few[SNAPSHOT_HEADER_BYTES + FEW * SNAPSHOT_RECORD_BYTES + 1];

/* The file with other bits at a place, for as long as it takes to read it. */
static void check_flipped(struct cache *whole, size_t at, uint8_t bits)
{
    uint8_t byte = few[at] ^ bits;
    if (!there(options.path)) /* put aside, since its header was hit */
        write_bytes(options.path, (const char *)few, sizeof few - 1);
    int fd = open(options.path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    check_harmless(whole, "flipped", at);
    assert_int_equal(pwrite(fd, &few[at], 1, (off_t)at), 1);
    close(fd);
}

IN_FOLDER(damage_at_any_byte_costs_at_most_what_it_hits)
{
    char said[256];
    struct cache *whole = filled_cache(FEW);
    assert_true(snapshot_write(&options, whole));
    size_t length;
    char *bytes = read_file(options.path, &length);
    assert_int_equal(length, sizeof few - 1);
    memcpy(few, bytes, length);
    free(bytes);
    struct capture capture = capture_begin(STDERR_FILENO); /* thousands of complaints */
    for (size_t at = 0; at < length; at++) {
        check_flipped(whole, at, 0xff);
        check_flipped(whole, at, (uint8_t)(1 << at % 8));
    }
    for (size_t at = length; at-- > 0;) {
        if (!there(options.path))
            write_bytes(options.path, (const char *)few, length);
        assert_int_equal(truncate(options.path, (off_t)at), 0);
        check_harmless(whole, "cut", at);
    }
    capture_end(&capture, said, sizeof said);
    cache_close(whole);
    assert_non_null(strstr(said, "not a snapshot"));
}

IN_FOLDER(one_damaged_record_is_dropped_and_counted)
{
    char said[1024];
    write_filled(FEW);
    size_t length;
    char *bytes = read_file(options.path, &length);
    bytes[SNAPSHOT_HEADER_BYTES + 7 * SNAPSHOT_RECORD_BYTES + 60] ^= 4;
    write_bytes(options.path, bytes, length);
    free(bytes);
    struct capture capture = capture_begin(STDERR_FILENO);
    check_restored(FEW - 1, 0, 1);
    capture_end(&capture, said, sizeof said);
    assert_non_null(strstr(said, "restored=19 left_out=0 damaged=1"));
}

/* --- A hostile record with a right checksum --- */

/* CRC-32, bit by bit, as a second opinion on the one under test. */
static void write_checksum(uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < 8 * (size - SNAPSHOT_CRC_BYTES); i++) {
        uint32_t bit = (crc ^ (uint32_t)(bytes[i / 8] >> i % 8)) & 1;
        crc = crc >> 1 ^ (bit ? 0xedb88320u : 0);
    }
    for (size_t i = 0; i < SNAPSHOT_CRC_BYTES; i++)
        bytes[size - SNAPSHOT_CRC_BYTES + i] = (uint8_t)(~crc >> 8 * i);
}

static uint8_t one[SNAPSHOT_HEADER_BYTES + SNAPSHOT_RECORD_BYTES];

static void fill_one(const struct cache_record *record)
{
    snapshot_encode_header(one, 1, false);
    snapshot_encode_record(one + SNAPSHOT_HEADER_BYTES, record, provider_names[record->curve.provider]);
}

static void write_one(void)
{
    write_checksum(one, SNAPSHOT_HEADER_BYTES);
    write_checksum(one + SNAPSHOT_HEADER_BYTES, SNAPSHOT_RECORD_BYTES);
    write_bytes(options.path, (const char *)one, sizeof one);
}

static void write_record(const struct cache_record *record)
{
    fill_one(record);
    write_one();
}

static struct cache_record sound_record(void)
{
    return (struct cache_record){
        .key = key_of(0), .curve = curve_of(0, clock_now().wall_ms / 1000), .refresh_after_ms = REFRESH};
}

IN_FOLDER(the_checksum_is_crc_32)
{
    struct cache_record record = sound_record();
    fill_one(&record);
    uint8_t encoded[sizeof one];
    memcpy(encoded, one, sizeof one);
    write_one();
    assert_memory_equal(encoded, one, sizeof one);
    check_restored(1, 0, 0);
}

IN_FOLDER(another_table_of_providers_gives_no_wrong_credit)
{
    uint64_t counts[SNAPSHOT_RESULTS];
    struct cache_record record = sound_record();
    for (uint8_t id = 0; id < WEATHER_PROVIDERS; id++) {
        record.curve.provider = id;
        write_record(&record);
        struct cache *cache = restored_cache(1, counts);
        assert_int_equal(look(cache, record.key).curve.provider, id);
        cache_close(cache);
        assert_true(strlen(provider_names[id]) < SNAPSHOT_NAME_BYTES);
    }
    uint8_t *name = one + sizeof one - SNAPSHOT_CRC_BYTES - SNAPSHOT_NAME_BYTES;
    static const char *const others[] = {"", "open-mete", "open-meteo2", "nobody-we-know-0"};
    for (size_t i = 0; i < COUNT(others); i++) {
        memset(name, 0, SNAPSHOT_NAME_BYTES);
        memcpy(name, others[i], strlen(others[i]));
        write_one();
        check_restored(0, 1, 0);
    }
}

static void check_refused(const struct cache_record *record)
{
    write_record(record);
    check_restored(0, 0, 1);
}

IN_FOLDER(a_curve_that_cannot_be_is_damage)
{
    const struct cache_record sound = sound_record();
    struct cache_record record;
#define REFUSE(member, value) \
    (record = sound, record.curve.member = (__typeof__(record.curve.member))(value), check_refused(&record))
    REFUSE(count, 0);
    REFUSE(count, CURVE_POINTS + 1);
    REFUSE(count, 255);
    REFUSE(temperature_cdeg[0], -9001);
    REFUSE(temperature_cdeg[3], 6001);
    REFUSE(temperature_cdeg[CURVE_POINTS - 1], INT16_MIN + 1);
    REFUSE(condition[0], 100);
    REFUSE(condition[0], CURVE_NO_CONDITION | CURVE_DAY);
    REFUSE(start_s, -1);
    REFUSE(start_s, INT64_MAX);
    REFUSE(fetched_s, INT64_MIN);
    REFUSE(fetched_s, INT64_MAX);
    REFUSE(expires_s, INT64_MAX);
#undef REFUSE
}

IN_FOLDER(a_key_that_names_no_cell_is_left_out)
{
    static const struct cell cells[] = {{1, 0},         {0, 1},         {90100000, 0},
                                        {-90100000, 0}, {0, 180000000}, {0, -180100000},
                                        {INT32_MIN, 0}, {0, INT32_MAX}, {INT32_MAX, INT32_MIN}};
    struct cache_record record = sound_record();
    for (size_t i = 0; i < COUNT(cells); i++) {
        record.key = cell_key(cells[i]);
        write_record(&record);
        check_restored(0, 1, 0);
    }
    static const struct cell edges[] = {{90000000, 0}, {-90000000, 179900000}, {0, -180000000}, {0, 0}};
    for (size_t i = 0; i < COUNT(edges); i++) {
        record.key = cell_key(edges[i]);
        write_record(&record);
        check_restored(1, 0, 0);
    }
}

IN_FOLDER(a_refresh_is_never_put_off_further_than_options_and_upstream_do)
{
    static const int64_t afters[] = {INT64_MAX, INT64_MIN, -1, 0, 3 * HOUR};
    uint64_t counts[SNAPSHOT_RESULTS];
    struct cache_record record = sound_record();
    for (size_t i = 0; i < COUNT(afters); i++) {
        record.refresh_after_ms = afters[i];
        write_record(&record);
        struct cache *cache = restored_cache(1, counts);
        int64_t in_ms = look(cache, record.key).refresh_in_ms;
        assert_true(in_ms <= REFRESH + REFRESH / 10 && in_ms >= -10 * SECOND);
        cache_close(cache);
    }
    record.refresh_after_ms = 5 * HOUR;
    record.curve.expires_s = record.curve.fetched_s + 4 * 3600;
    write_record(&record);
    struct cache *cache = restored_cache(1, counts);
    assert_in_range(look(cache, record.key).refresh_in_ms, 4 * HOUR - 10 * SECOND, 4 * HOUR);
    cache_close(cache);
}

IN_FOLDER(a_header_that_promises_much_costs_nothing)
{
    struct cache_record record = sound_record();
    fill_one(&record);
    snapshot_encode_header(one, UINT32_MAX, false);
    write_one();
    check_restored(1, 0, UINT32_MAX - 1);
}

/* --- Something else in its place --- */

/* A clear line, the thing is put aside as it is, and the next snapshot is written. */
static void check_put_aside(const char *reason)
{
    char said[1024];
    struct capture capture = capture_begin(STDERR_FILENO);
    check_restored(0, 0, 0);
    capture_end(&capture, said, sizeof said);
    assert_non_null(strstr(said, "cache snapshot not read"));
    assert_non_null(strstr(said, options.path));
    assert_non_null(strstr(said, reason));
    assert_true(there(beside(".unread")));
    write_filled(FEW);
    check_restored(FEW, 0, 0);
    remove(beside(".unread"));
}

IN_FOLDER(a_foreign_file_is_put_aside)
{
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    uint64_t counts[SNAPSHOT_RESULTS];
    write_string(options.path, text);
    cache_close(restored_cache(1, counts));
    assert_file_holds(beside(".unread"), text);
    write_string(options.path, text);
    check_put_aside("not a snapshot");
    write_string(options.path, "");
    check_put_aside("not a snapshot");
}

IN_FOLDER(another_version_is_put_aside)
{
    struct cache_record record = sound_record();
    for (size_t at = 8; at < 16; at += 4) { /* the version, the size of a record */
        fill_one(&record);
        one[at]++;
        write_one();
        check_put_aside("of another version");
    }
}

IN_FOLDER(a_link_a_folder_and_a_fifo_are_put_aside)
{
    write_string(in_folder("elsewhere"), "precious");
    assert_int_equal(symlink(in_folder("elsewhere"), options.path), 0);
    assert_int_equal(symlink(in_folder("elsewhere"), beside(".new")), 0);
    check_put_aside("a symbolic link");
    assert_file_holds(in_folder("elsewhere"), "precious");
    remove(options.path);
    assert_int_equal(mkdir(options.path, 0700), 0);
    check_put_aside("not a regular file");
    remove(options.path);
    assert_int_equal(mkfifo(options.path, 0600), 0);
    check_put_aside("not a regular file");
}

int main(void)
{
    log_configure(&(struct log_options){.level = LOG_WARN}); /* a good reading is not news */
    return unit_run(NULL, NULL);
}
