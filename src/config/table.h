/* The option table: the one place that names the options. Parser, defaults, ranges, --print-config,
 * widget.conf and the documentation check derive from it. */
#pragma once

#include "config/config.h"

#define CONFIG_ERROR_BYTES 256

struct option;

/* A value on its way into the configuration. */
struct setting {
    const struct option *option;
    const char *text;               /* trimmed, at most CONFIG_VALUE_BYTES with its NUL */
    const char *folder;             /* what relative paths are relative to */
    void *field;                    /* where it is stored */
    char error[CONFIG_ERROR_BYTES]; /* set by a reader that fails */
};

/* Reads the text into the field. False, with a sentence in `error`, when it is malformed or out of range. */
typedef bool option_reader(struct setting *);

struct option {
    const char *section, *key, *fallback;
    option_reader *read;
    size_t offset, size; /* of the field in struct config */
    double least, most;  /* of numbers, in the unit that the reader stores */
    const char *words;   /* of a choice: "c f auto"; of a list: the words it may hold */
    const char *help;
    bool reloads; /* SIGHUP changes it */
    bool secret;  /* never printed */
};

extern const struct option option_table[];
extern const size_t option_count;

/* The readers, in values.c. What each stores: */
option_reader read_text; /* char[] */
option_reader read_path; /* char[], absolute or as is, "" stays "" */
option_reader
    read_url; /* char[], without a slash at the end; plain http only for loopback; "" allowed with words */
option_reader read_duration;      /* int64_t, milliseconds */
option_reader read_count;         /* int64_t */
option_reader read_parallel;      /* int64_t, 0 for "auto" */
option_reader read_budget;        /* struct weather_budget, 0: no limit */
option_reader read_cell;          /* int64_t, millionths of a degree */
option_reader read_kilometres;    /* double */
option_reader read_flag;          /* bool */
option_reader read_choice;        /* int64_t or int, index into words */
option_reader read_listen;        /* struct listen_address */
option_reader read_names;         /* struct http_names */
option_reader read_place_headers; /* struct http_names, none or four */
option_reader read_networks;      /* struct network_set */
option_reader read_databases;     /* struct place_options: databases, database_count */
option_reader read_providers;     /* struct weather_options: providers, provider_count */
option_reader read_home;          /* struct place_home */
option_reader read_language;      /* char[], a language that widget/words.h knows */
option_reader read_instant;       /* int64_t, Unix seconds, > 0; 0 for "" */
option_reader read_header;        /* char[], an HTTP field name */
