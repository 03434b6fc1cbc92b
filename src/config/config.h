/* The configuration: defaults, widget.conf, environment and command line become one struct of the rooms' own
 * options. Only main.c and demo.c include this. */
#pragma once

#include "base/log.h"
#include "http/access.h"
#include "http/server.h"
#include "ops/status.h"
#include "place/place.h"
#include "visitor/client.h"
#include "weather/weather.h"
#include "widget/widget.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_VALUE_BYTES  512
#define CONFIG_ORIGIN_BYTES 320
#define CONFIG_OPTIONS_MAX  64
#define CONFIG_SETS_MAX     64

struct listen_address {
    char host[HTTP_HOST_BYTES]; /* IPv4 literal */
    int64_t port;
};

struct config {
    struct {
        struct listen_address listen, ops_listen;
        int64_t threads, request_timeout_ms, keep_alive_ms, drain_ms;
        struct http_names hosts;
    } server;
    struct client_options visitor;
    struct place_options place; /* with server.state */
    int64_t watch_ms;
    struct weather_options weather; /* with [cache] */
    struct widget_options widget;   /* with dev.simulated */
    struct http_names origins, place_headers;
    struct log_options log;
    struct access_options access;
    struct {
        bool enabled;
        struct network_set from;
        int64_t at_s; /* 0: the clock runs */
    } dev;

    /* What each option's value was written as, and where; in the order of the table. */
    struct {
        char text[CONFIG_VALUE_BYTES];
        char origin[CONFIG_ORIGIN_BYTES]; /* "" for a default */
    } values[CONFIG_OPTIONS_MAX];
};

/* Where errors are said: a line each. */
typedef void config_complaint(const char *line);

struct config_sources {
    const char *file;                  /* NULL: ./widget.conf, else /etc/masthead/widget.conf, else none */
    const char *sets[CONFIG_SETS_MAX]; /* "section.key=value" */
    size_t set_count;
    config_complaint *complain; /* NULL: to standard error */
};

/* Reads all sources into *out (large: not for the stack). Every error is said, with its file and line; false
 * if there was any. */
bool config_load(const struct config_sources *, struct config *out);

/* Whether `next` may replace `present` while the service runs. False, with every offending key said, when a
 * key differs that only a restart can change. The last is as in struct config_sources. */
bool config_reloadable(const struct config *present, const struct config *next, config_complaint *);

/* The options as they are in force, without secrets: for the status page, allocated by malloc. NULL when out
 * of memory. */
struct status_settings *config_settings(const struct config *);

/* Whether Open-Meteo's free host would be asked outside developer mode, which commercial sites may not. */
bool config_keyless(const struct config *);

/* Warnings that an operator should see at start: logged. */
void config_warn(const struct config *);

/* Writes the whole configuration to standard output, as a file that config_load reads; secrets are left out.
 */
void config_print(const struct config *);
