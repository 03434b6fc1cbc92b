/* Messages unpacked in a child: by the real program, the values; by others in its place, whatever they do,
 * one sentence that says why not. */
#include "folder.h"

#include "weather/earth/decode.h"

#include <errno.h>

static char program[PATH_MAX], real[PATH_MAX]; /* as decode.c finds it, beside this test; as make builds it */
static struct decoded decoded;
static char error[DECODE_ERROR_BYTES];

static int find(void **state)
{
    (void)state;
    if (!child_beside("masthead-grib", program))
        return -1;
    snprintf(real, sizeof real, "%.*s/../masthead-grib", (int)(strrchr(program, '/') - program), program);
    unlink(program);
    return 0;
}

static int remove_program(void **state)
{
    (void)state;
    unlink(program);
    decode_free(&decoded);
    return 0;
}

#define DECODE(name) TEST_WITH(name, NULL, remove_program)

/* Puts a script in the place of the program. */
static void pretend(const char *script)
{
    char text[256];
    snprintf(text, sizeof text, "#!/bin/sh\n%s\n", script);
    write_string(program, text);
    assert_int_equal(chmod(program, 0700), 0);
}

static bool decode(void)
{
    return decode_message("GRIB....7777", 12, &decoded, error);
}

DECODE(a_program_that_is_missing_is_told)
{
    assert_false(decode_possible());
    assert_false(decode());
    assert_string_equal(error, strerror(ENOENT));
}

DECODE(a_real_message_is_a_field)
{
    size_t length;
    if (access(real, X_OK) != 0)
        skip();
    assert_int_equal(symlink(real, program), 0);
    assert_true(decode_possible());
    char *message = read_file("tests/service/gfs-2t-2p5deg.grib2", &length);
    bool done = decode_message(message, length, &decoded, error);
    free(message);
    if (!done)
        fail_msg("%s", error);
    assert_true(decoded.field.columns == 144 && decoded.field.rows == 73);
    size_t points = grib_field_points(&decoded.field);
    for (size_t i = 0; i < points; i++)
        assert_true(decoded.values[i] > 180 && decoded.values[i] < 335);
    decode_free(&decoded);
    assert_null(decoded.values);
    assert_false(decode());
    assert_true(strlen(error) > 0);
}

DECODE(however_a_child_fails_one_sentence_says_so)
{
    static const struct {
        const char *script, *error;
    } rows[] = {
        {"echo it is no message >&2; echo and more >&2; exit 1", "it is no message"},
        {"exit 3", "masthead-grib ended with 3"},
        {"kill -SEGV $$", "masthead-grib was ended by signal 11"},
        {"exit 0", "what it unpacks to is no field"},
        {"cat", "what it unpacks to is no field"}, /* the message itself, in place of a field */
        {"head -c 9999999 /dev/zero; exit 0", "what it unpacks to is no field"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        pretend(rows[i].script);
        assert_false(decode());
        if (strcmp(error, rows[i].error) != 0)
            fail_msg("%s: %s", rows[i].script, error);
        assert_null(decoded.values);
    }
}

DECODE(a_sentence_without_end_is_cut)
{
    pretend("i=0; while [ $i -lt 200 ]; do printf no >&2; i=$((i+1)); done; exit 1");
    assert_false(decode());
    assert_int_equal(strspn(error, "no"), strlen(error));
    assert_in_range(strlen(error), 100, DECODE_ERROR_BYTES - 1);
}

/* What it hands on is doubted, however the process ended: the header says how much of it is a field. */
DECODE(a_field_that_lies_about_itself_is_none)
{
    struct grib_field field = {.magic = GRIB_MAGIC,
                               .run_s = 1780272000,
                               .hours = 3,
                               .spacing_udeg = 30000000,
                               .columns = 12,
                               .rows = 7};
    char path[64], script[128];
    snprintf(path, sizeof path, "/tmp/masthead-field.%d", (int)getpid());
    snprintf(script, sizeof script, "cat %s", path);
    pretend(script);
    write_bytes(path, (const char *)&field, sizeof field); /* values are 0: there, though not written */
    assert_true(decode());
    assert_true(decoded.field.columns == 12 && decoded.values[12 * 7 - 1] == 0);
    decode_free(&decoded);
    for (int fault = 0; fault < 3; fault++) {
        struct grib_field wrong = field;
        wrong.magic += fault == 0;
        wrong.columns = fault == 1 ? 13 : 12;
        wrong.rows = fault == 2 ? UINT16_MAX : wrong.rows;
        write_bytes(path, (const char *)&wrong, sizeof wrong);
        assert_false(decode());
    }
    unlink(path);
}

UNIT_MAIN(find, NULL)
