/* A place room over data/visitors.mmdb and copies of it in a temporary folder. Run from the project's folder.
 */
#pragma once

#include "address_of.h"
#include "folder.h"

#include "base/log.h"
#include "place/place.h"
#include "place/validate.h"

#define VISITORS "data/visitors.mmdb"

#define IF_VALIDATOR(argc, argv)                                 \
    if ((argc) == 3 && strcmp((argv)[1], VALIDATE_COMMAND) == 0) \
    return validate_main((argv)[2])

static struct places *room; /* over VISITORS alone, 100 km; tests that reload it put it back */

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
    options->home = (struct place){
        .source = PLACE_FROM_HOME, .name = "Pune", .country = "IN", .latitude = 18.52, .longitude = 73.86};
}

/* What is found, and why; `evidence` may be NULL. */
static inline struct place explain_in(struct places *places, const char *address, const char *language,
                                      struct place_evidence *evidence)
{
    struct address parsed = address_of(address);
    struct place place;
    places_find(places, &parsed, NULL, language, &place, evidence);
    return place;
}

/* The witness that a verdict rests on, which there is, and its database, "" without. */
static inline const struct witness *decided(const struct place_evidence *evidence)
{
    const struct witness *witness = place_decides(evidence);
    assert_non_null(witness);
    return witness;
}

static inline const char *decided_by(const struct place_evidence *evidence)
{
    const struct witness *witness = place_decides(evidence);
    return witness ? place_witness_name(evidence, witness) : "";
}

static inline struct place find_in(struct places *places, const char *address, const char *language)
{
    return explain_in(places, address, language, NULL);
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

/* Puts another room in place of this one: a reload would refuse databases that place far fewer readers. */
static inline void reopen(const struct place_options *options)
{
    places_close(room);
    room = places_open(options);
    assert_non_null(room);
}

/* The tear-down of tests that reload the room. */
static inline int put_back(void **state)
{
    (void)state;
    struct place_options options = options_with(VISITORS);
    reopen(&options);
    return 0;
}

#define RELOADING(name) TEST_WITH(name, NULL, put_back)

static inline int open_room(void **state)
{
    log_configure(&(struct log_options){.level = LOG_ERROR + 1});
    struct place_options options = options_with(VISITORS);
    room = make_folder(state) == 0 ? places_open(&options) : NULL;
    return room ? 0 : -1;
}

static inline int close_room(void **state)
{
    places_close(room);
    places_close(NULL);
    return remove_folder(state);
}
