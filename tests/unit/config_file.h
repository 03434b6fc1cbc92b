/* A temporary folder for tests of the configuration, its widget.conf, and what config_load says about it. */
#pragma once

#include "folder.h"

#include "capture.h"
#include "config/config.h"

#define SAID_BYTES 65536

static struct config config;
static char said[SAID_BYTES];

/* Loads into *out from the sources; what came out on standard error is in `said`. */
static inline bool load_sources(const struct config_sources *sources, struct config *out)
{
    struct capture capture = capture_begin(STDERR_FILENO);
    bool good = config_load(sources, out);
    capture_end(&capture, said, sizeof said);
    if (good != (said[0] == '\0'))
        fail_msg("%s, but said '%s'", good ? "good" : "bad", said);
    return good;
}

static inline bool load_text(const char *text)
{
    write_bytes("widget.conf", text, strlen(text));
    return load_sources(&(struct config_sources){.file = "widget.conf"}, &config);
}

static inline void assert_good(const char *text)
{
    if (!load_text(text))
        fail_msg("refused: %s%s", text, said);
}

/* One line on standard error, which begins with `prefix` and holds `needle`. */
static inline void assert_said(const char *text, const char *prefix, const char *needle)
{
    size_t length = strlen(said);
    if (strncmp(said, prefix, strlen(prefix)) != 0 || !strstr(said, needle) ||
        strchr(said, '\n') != said + length - 1)
        fail_msg("%.200s\nsaid '%s', expected one line '%s... %s'", text, said, prefix, needle);
}

static inline void assert_bad(const char *text, const char *prefix, const char *needle)
{
    if (load_text(text))
        fail_msg("let pass: %.200s", text);
    assert_said(text, prefix, needle);
}

/* A file of one value, at line 2. */
static inline const char *file_of(const char *section, const char *key, const char *value)
{
    static char text[16384];
    snprintf(text, sizeof text, "[%s]\n%s = %s\n", section, key, value);
    return text;
}

static inline int enter_folder(void **state)
{
    unsetenv("STATE_DIRECTORY");
    return make_folder(state) == 0 && chdir(folder) == 0 ? 0 : -1;
}

static inline int leave_folder(void **state)
{
    return chdir("/") == 0 ? remove_folder(state) : -1;
}
