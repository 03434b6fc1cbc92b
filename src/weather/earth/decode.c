#include "weather/earth/decode.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM     "masthead-grib"
#define LIMIT_MS    15000 /* it sets itself a limit of 10 s of processor time */
#define SAYS_BYTES  128
#define FIELD_BYTES (sizeof(struct grib_field) + sizeof(float) * GRIB_COLUMNS_MAX * GRIB_ROWS_MAX)

bool decode_possible(void)
{
    char program[PATH_MAX];
    return child_beside(PROGRAM, program) && access(program, X_OK) == 0;
}

/* What the child has said on standard error, without the end of its line; else how it ended. */
static void explain(int says, int status, char error[DECODE_ERROR_BYTES])
{
    char text[SAYS_BYTES + 1] = "";
    if (pread(says, text, SAYS_BYTES, 0) < 0)
        text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (text[0])
        snprintf(error, DECODE_ERROR_BYTES, "%s", text);
    else if (WIFSIGNALED(status))
        snprintf(error, DECODE_ERROR_BYTES, PROGRAM " was ended by signal %d", WTERMSIG(status));
    else
        snprintf(error, DECODE_ERROR_BYTES, PROGRAM " ended with %d", WEXITSTATUS(status));
}

/* Runs the child over files in memory. */
static bool run(int message, int field, int says, char error[DECODE_ERROR_BYTES])
{
    static char name[] = PROGRAM, command[] = "--decode";
    char program[PATH_MAX], *arguments[] = {name, command, NULL};
    struct child_task task = {.program = program,
                              .arguments = arguments,
                              .files = {message, field, says, -1, -1},
                              .limit_ms = LIMIT_MS};
    int status = 0;
    if (!child_beside(PROGRAM, program)) {
        snprintf(error, DECODE_ERROR_BYTES, "%s", strerror(errno));
        return false;
    }
    if (!child_run(&task, &status, error))
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    explain(says, status, error);
    return false;
}

/* Maps what the child has written, as far as it says that it goes. */
static bool take(int fd, struct decoded *out)
{
    void *map = mmap(NULL, FIELD_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return false;
    const struct grib_field *field = map;
    size_t bytes = grib_field_valid(field) ? sizeof *field + sizeof(float) * grib_field_points(field) : 0;
    *out = (struct decoded){.map = map, .size = FIELD_BYTES};
    out->values = grib_field_values(map, bytes, &out->field);
    if (!out->values)
        decode_free(out);
    return out->values != NULL;
}

bool decode_message(const void *bytes, size_t length, struct decoded *out, char error[DECODE_ERROR_BYTES])
{
    int message = child_file(length), field = child_file(FIELD_BYTES), says = child_file(SAYS_BYTES);
    *out = (struct decoded){.values = NULL};
    snprintf(error, DECODE_ERROR_BYTES, "what it unpacks to is no field");
    bool ready =
        message >= 0 && field >= 0 && says >= 0 && pwrite(message, bytes, length, 0) == (ssize_t)length;
    if (!ready)
        snprintf(error, DECODE_ERROR_BYTES, "%s", strerror(errno));
    bool ok = ready && run(message, field, says, error) && take(field, out);
    const int files[] = {message, field, says};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i] >= 0)
            close(files[i]);
    return ok;
}

void decode_free(struct decoded *decoded)
{
    if (decoded->map)
        munmap(decoded->map, decoded->size);
    *decoded = (struct decoded){.values = NULL};
}
