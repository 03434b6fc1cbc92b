/* A place room over data/visitors.mmdb and copies of it in a temporary folder. Run from the project's folder.
 */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "place/place.h"
#include "place/validate.h"

#define VISITORS "data/visitors.mmdb"

#define IF_EXAMINER(argc, argv)                                  \
    if ((argc) == 3 && strcmp((argv)[1], VALIDATE_COMMAND) == 0) \
    return validate_main((argv)[2])

static char folder[] = "/tmp/masthead-place.XXXXXX";
static struct places *room; /* over VISITORS alone, 100 km; tests that reload it put it back */

/* A path inside the folder; good until the fourth next call. */
static inline const char *in_folder(const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void write_bytes(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static inline void write_string(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

/* The bytes of a file, to be freed. */
static inline char *read_file(const char *path, size_t *length)
{
    struct stat status;
    FILE *file = fopen(path, "r");
    if (!file || fstat(fileno(file), &status) < 0)
        fail_msg("no %s here: run from the project's folder", path);
    char *bytes = malloc((size_t)status.st_size + 1);
    assert_non_null(bytes);
    *length = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

static inline void copy_file(const char *from, const char *to)
{
    size_t length;
    char *bytes = read_file(from, &length);
    write_bytes(to, bytes, length);
    free(bytes);
}

/* Options with one database, or none. */
static inline struct place_options options_with(const char *database)
{
    struct place_options options = {.max_radius_km = 100};
    snprintf(options.state, sizeof options.state, "%s", in_folder("state"));
    if (database)
        snprintf(options.databases[options.database_count++], PLACE_PATH_BYTES, "%s", database);
    return options;
}

static inline void set_home(struct place_options *options)
{
    options->home = (struct place_home){
        .set = true, .name = "Pune", .country = "IN", .latitude = 18.52, .longitude = 73.86};
}

/* "" is no address. */
static inline struct address address_of(const char *text)
{
    struct address address = {0};
    if (text[0] && !address_parse(text, strlen(text), &address))
        fail_msg("not an address: %s", text);
    return address;
}

static inline struct place find_in(struct places *places, const char *address, const char *language)
{
    struct address parsed = address_of(address);
    struct place place;
    places_find(places, &parsed, NULL, language, &place, NULL);
    return place;
}

static inline void assert_verdict(struct places *places, const char *address, enum place_verdict verdict)
{
    struct place place = find_in(places, address, "en");
    if (place.verdict != verdict)
        fail_msg("%s: %s, expected %s", address, place_verdict_names[place.verdict],
                 place_verdict_names[verdict]);
}

static inline void reload(const struct place_options *options)
{
    assert_true(places_reload(room, options));
}

static inline void put_back(void)
{
    struct place_options options = options_with(VISITORS);
    reload(&options);
}

static inline int open_room(void **state)
{
    (void)state;
    log_configure(&(struct log_options){.level = LOG_ERROR + 1});
    if (!mkdtemp(folder))
        return -1;
    struct place_options options = options_with(VISITORS);
    room = places_open(&options);
    return room ? 0 : -1;
}

static inline int close_room(void **state)
{
    char command[128];
    (void)state;
    places_close(room);
    places_close(NULL);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}
