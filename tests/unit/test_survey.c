/* The survey of a database: what it finds, that it is kept so that no damage passes, and that a damaged
 * database ends it with an error and nothing worse. */
#include "unit.h"

#include <math.h>

#include "folder.h"
#include "place/survey.h"

#define VISITORS "data/visitors.mmdb"
#define HANG_S   30 /* a survey of a small file that takes longer does not end */
#define ROUNDS   3000

static const struct survey_subject subject = {
    .file_bytes = 12345, .changed_ns = 1767225600123456789, .built_s = 17};

/* --- What it finds --- */

static struct survey survey_of(const char *path)
{
    char error[PLACE_ERROR_BYTES];
    struct survey survey;
    struct mmdb *db = mmdb_map(path, error);
    assert_non_null(db);
    if (!survey_take(db, true, &survey, error))
        fail_msg("%s: %s", path, error);
    assert_string_equal(error, "");
    mmdb_close(db);
    return survey;
}

/* The share of each family that has a city, by the records in full. */
struct sums {
    const struct mmdb *db;
    double shares[ADDRESS_V6 + 1];
    uint64_t last[ADDRESS_V6 + 1];
};

static bool sum_up(void *context, const struct mmdb_network *network, char error[PLACE_ERROR_BYTES])
{
    struct sums *sums = context;
    struct record record;
    (void)error;
    mmdb_record(sums->db, network->record, "en", &record);
    assert_true(network->base >= sums->last[network->family]); /* in the order of addresses */
    sums->last[network->family] = network->base;
    sums->shares[network->family] += record_has_city(&record) ? ldexp(1, -(int)network->bits) : 0;
    return true;
}

TEST(the_bundled_readers)
{
    char error[PLACE_ERROR_BYTES];
    struct survey survey = survey_of(VISITORS);
    struct mmdb *db = mmdb_map(VISITORS, error);
    struct sums sums = {.db = db};
    assert_true(mmdb_walk(db, sum_up, &sums, error));
    mmdb_close(db);
    assert_in_range(ldexp(sums.shares[ADDRESS_V4], 28), 20, 48); /* each reader has a /28 */
    assert_true(survey.city_share[ADDRESS_V4] == sums.shares[ADDRESS_V4]);
    assert_true(survey.city_share[ADDRESS_V6] == 8 * sums.shares[ADDRESS_V6]); /* of 2000::/3 */
    assert_true(survey.has_places && !survey.has_asns);
    assert_int_equal(survey.offices.count, 0);
    survey_free(&survey);
}

static bool refuse_the_tenth(void *context, const struct mmdb_network *network, char error[PLACE_ERROR_BYTES])
{
    unsigned *count = context;
    (void)network;
    snprintf(error, PLACE_ERROR_BYTES, "enough");
    return ++*count < 10;
}

TEST(a_walk_ends_where_its_visitor_wants)
{
    char error[PLACE_ERROR_BYTES];
    unsigned count = 0;
    struct mmdb *db = mmdb_map(VISITORS, error);
    assert_false(mmdb_walk(db, refuse_the_tenth, &count, error));
    assert_int_equal(count, 10);
    assert_string_equal(error, "enough");
    mmdb_close(db);
}

/* --- Kept --- */

/* A survey with some offices, and its bytes as written. */
static uint64_t keys[] = {5, 77, UINT64_C(1) << 40, UINT64_MAX - 1};
static const struct survey sample = {.city_share = {[ADDRESS_V4] = 0.25, [ADDRESS_V6] = 1e-9},
                                     .has_places = true,
                                     .offices = {keys, COUNT(keys)}};

static size_t write_sample(char bytes[], size_t size)
{
    FILE *file = fmemopen(bytes, size, "w");
    assert_non_null(file);
    assert_true(survey_write(&sample, &subject, file));
    size_t length = (size_t)ftell(file);
    assert_int_equal(fclose(file), 0);
    return length;
}

static bool read_bytes(char *bytes, size_t length, const struct survey_subject *of, struct survey *out)
{
    FILE *file = fmemopen(bytes, length > 0 ? length : 1, "r");
    assert_non_null(file);
    if (length == 0)
        fgetc(file);
    bool read = survey_read(out, of, file);
    fclose(file);
    return read;
}

TEST(what_is_written_is_read)
{
    char bytes[1024];
    struct survey back;
    size_t length = write_sample(bytes, sizeof bytes);
    assert_true(read_bytes(bytes, length, &subject, &back));
    assert_memory_equal(back.city_share, sample.city_share, sizeof sample.city_share);
    assert_true(back.has_places && !back.has_asns);
    assert_int_equal(back.offices.count, COUNT(keys));
    assert_memory_equal(back.offices.keys, keys, sizeof keys);
    survey_free(&back);
    assert_true(read_bytes(bytes, sizeof bytes, &subject, &back)); /* more may follow */
    survey_free(&back);
    assert_true(length <= SURVEY_BYTES_MAX);
}

TEST(a_cut_or_changed_survey_is_refused)
{
    char bytes[1024];
    struct survey back;
    size_t length = write_sample(bytes, sizeof bytes);
    for (size_t cut = 0; cut < length; cut++)
        if (read_bytes(bytes, cut, &subject, &back))
            fail_msg("read, cut to %zu bytes", cut);
    for (size_t at = 0; at < length; at++)
        for (unsigned change = 1; change < 256; change++) {
            bytes[at] ^= (char)change;
            if (read_bytes(bytes, length, &subject, &back))
                fail_msg("read, byte %zu changed by %#x", at, change);
            bytes[at] ^= (char)change;
        }
    for (size_t at = 0; at + 8 <= length; at += 8) { /* such as the number of offices */
        char whole[sizeof bytes];
        memcpy(whole, bytes, sizeof bytes);
        memset(bytes + at, 0xff, 8);
        assert_false(read_bytes(bytes, sizeof bytes, &subject, &back) &&
                     at < length - 8); /* the last are so */
        memcpy(bytes, whole, sizeof bytes);
    }
    memset(bytes, 0, sizeof bytes);
    assert_false(read_bytes(bytes, sizeof bytes, &subject, &back)); /* of a child that wrote nothing */
}

TEST(a_survey_of_another_file_is_refused)
{
    char bytes[1024];
    struct survey back;
    const struct survey_subject others[] = {
        {subject.file_bytes + 1, subject.changed_ns, subject.built_s},
        {subject.file_bytes, subject.changed_ns - 1, subject.built_s},
        {subject.file_bytes, subject.changed_ns, subject.built_s + 86400},
        {0, 0, 0},
    };
    size_t length = write_sample(bytes, sizeof bytes);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(read_bytes(bytes, length, &others[i], &back));
}

/* --- Damaged databases --- */

#define RECORD_BYTES 3 /* a node is two of them: in data/visitors.mmdb */

/* The bytes of the bundled database, and where its parts begin. */
static char *bytes;
static size_t length, data_at, metadata_at;

static int read_visitors(void **state)
{
    static const char separator[16];
    bytes = read_file(VISITORS, &length);
    data_at = (size_t)((char *)memmem(bytes, length, separator, sizeof separator) - bytes) + sizeof separator;
    metadata_at = (size_t)((char *)memmem(bytes, length, "\xab\xcd\xefMaxMind.com", 14) - bytes);
    return make_folder(state);
}

static int free_visitors(void **state)
{
    free(bytes);
    return remove_folder(state);
}

/* Surveys the bytes as they are now. */
static bool survey_with(bool decode, char error[PLACE_ERROR_BYTES])
{
    struct survey survey;
    write_bytes(in_folder("damaged"), bytes, length);
    error[0] = '\0';
    struct mmdb *db = mmdb_map(in_folder("damaged"), error);
    alarm(HANG_S);
    bool ok = db && survey_take(db, decode, &survey, error);
    alarm(0);
    if (ok)
        survey_free(&survey);
    mmdb_close(db);
    assert_true(ok || error[0] != '\0');
    return ok;
}

static bool survey_bytes(char error[PLACE_ERROR_BYTES])
{
    return survey_with(true, error);
}

static void set_record(size_t record, uint32_t value)
{
    for (size_t i = 0; i < RECORD_BYTES; i++)
        bytes[record * RECORD_BYTES + i] = (char)(value >> (8 * (RECORD_BYTES - 1 - i)));
}

/* As in MaxMind's own files of bad data: a tree that leads back into itself, or out of the file. */
TEST(a_broken_tree)
{
    char error[PLACE_ERROR_BYTES];
    size_t nodes = (data_at - 16) / (2 * RECORD_BYTES);
    static const struct {
        size_t record;
        int64_t value; /* added to the number of nodes where negative values count from the end */
        bool from_end;
    } breaks[] = {
        {0, 0, false},        {1, 0, false},         {2, 0, false}, {3, 1, false}, {2, 0xffffff, false},
        {3, 0xffffff, false}, {40, 0xffffff, false}, {3, 15, true}, /* into the separator */
    };
    for (size_t i = 0; i < COUNT(breaks); i++) {
        char whole[RECORD_BYTES], *at = bytes + breaks[i].record * RECORD_BYTES;
        memcpy(whole, at, sizeof whole);
        set_record(breaks[i].record, (uint32_t)(breaks[i].value + (breaks[i].from_end ? (int64_t)nodes : 0)));
        if (survey_bytes(error))
            fail_msg("break %zu passes", i);
        memcpy(at, whole, sizeof whole);
    }
    assert_true(survey_bytes(error));
}

/* Few nodes with more ways through them than there are atoms. */
TEST(a_tree_of_many_ways)
{
    char error[PLACE_ERROR_BYTES];
    char *whole = calloc(1, length);
    memcpy(whole, bytes, length);
    for (uint32_t node = 0; node < 127; node++) {
        set_record(2 * node, node + 1);
        set_record(2 * node + 1, node + 1);
    }
    assert_false(survey_bytes(error));
    assert_non_null(strstr(error, "search tree is damaged"));
    memcpy(bytes, whole, length);
    free(whole);
}

/* Replaces a control byte wherever it stands before eight bytes of a double, and tells how often. */
TEST(a_record_that_cannot_be_decoded)
{
    char error[PLACE_ERROR_BYTES];
    char *whole = calloc(1, length);
    static const char mumbai[] = "\x68\x40\x33\x13\x74\xbc\x6a\x7e\xfa"; /* 19.076 as a double */
    static const char damages[] = {'\x64', '\x67', '\x3f', '\xe0', '\xff', '\0'};
    memcpy(whole, bytes, length);
    for (size_t i = 0; i < COUNT(damages); i++) {
        char *at = memmem(bytes + data_at, metadata_at - data_at, mumbai, sizeof mumbai - 1);
        assert_non_null(at);
        *at = damages[i];
        if (survey_bytes(error) || !strstr(error, "decoded"))
            fail_msg("control byte %#x: %s", damages[i] & 0xff, error);
        assert_true(survey_with(false, error)); /* it has no city, no more */
        memcpy(bytes, whole, length);
    }
    free(whole);
}

TEST(whatever_is_damaged_a_survey_ends)
{
    char error[PLACE_ERROR_BYTES];
    size_t failed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t at = random_below(metadata_at), count = 1 + random_below(8);
        char whole[8];
        count = at + count > length ? length - at : count;
        memcpy(whole, bytes + at, count);
        for (size_t i = 0; i < count; i++)
            bytes[at + i] = (char)random_below(256);
        failed += !survey_with(round % 2, error);
        memcpy(bytes + at, whole, count);
    }
    assert_in_range(failed, ROUNDS / 10, ROUNDS);
}

UNIT_MAIN(read_visitors, free_visitors)
