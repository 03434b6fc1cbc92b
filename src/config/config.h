/* The configuration: defaults, widget.conf, environment and command line become one struct of the rooms' own
 * options, whose headers come with it. Only main.c, service.c and demo.c include it. */
#pragma once

#include "base/log.h"
#include "http/server.h"
#include "place/place.h"
#include "site/visit.h"
#include "weather/weather.h"
#include "widget/widget.h"

#define CONFIG_VALUE_BYTES  512
#define CONFIG_ORIGIN_BYTES 320
#define CONFIG_OPTIONS_MAX  80
#define CONFIG_SETS_MAX     64

struct config {
    struct http_options public, ops; /* [server]; which answers they hold is for service.c to say */
    int64_t drain_ms;
    struct visit_rules visits; /* with [visitor], geoip.headers, dev.from */
    struct http_names origins;
    struct place_options place; /* with server.state */
    int64_t watch_ms;
    struct weather_options weather; /* with [cache] */
    struct widget_options widget;   /* with dev.simulated */
    struct log_options log;
    struct access_options access;
    bool dev;
    int64_t dev_at_s; /* 0: the clock runs */

    /* Each option's value as it was written, and where; in the order of the table. */
    struct {
        char text[CONFIG_VALUE_BYTES];
        char origin[CONFIG_ORIGIN_BYTES]; /* "" for a default */
    } values[CONFIG_OPTIONS_MAX];
};

/* Receives an error, one line without a newline. */
typedef void config_error(const char *line);

struct config_sources {
    const char *file;                  /* NULL: none */
    const char *sets[CONFIG_SETS_MAX]; /* "section.key=value" */
    size_t set_count;
    config_error *on_error; /* NULL: to standard error */
};

/* Names the file, where none is named: ./widget.conf, else /etc/masthead/widget.conf, whichever exists. Call
 * once, at the start: each reload reads the same file, or none again. */
void config_find_file(struct config_sources *);

/* Reads all sources into *out (large: not for the stack). False if there was any error; each is reported,
 * with its file and line. */
bool config_load(const struct config_sources *, struct config *out);

/* Whether `next` may replace `present` while the service runs. False, with each such key reported (NULL: to
 * standard error), when a key differs that only a restart can change. */
bool config_reloadable(const struct config *present, const struct config *next, config_error *);

/* An option in force, as people are shown it; strings are the configuration's or static. */
struct config_setting {
    const char *section, *key;
    const char *value;  /* NULL: set, and secret */
    const char *origin; /* file and line, environment or --set; "" for a default */
};

/* The option number `i`, in the order of widget.conf. False past the last. */
bool config_setting(const struct config *, size_t i, struct config_setting *out);

/* Whether Open-Meteo's free host would be asked outside developer mode, which commercial sites may not. */
bool config_keyless(const struct config *);

/* Logs what an operator should be warned of at the start. */
void config_warn(const struct config *);

/* Writes the whole configuration to standard output, as a file that config_load reads; secrets are left out.
 */
void config_print(const struct config *);
