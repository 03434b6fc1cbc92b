/* The option table: an option is one row, from which its parser, default, range, --print-config, widget.conf
 * and manual derive. */
#pragma once

#include "config/config.h"

#define CONFIG_ERROR_BYTES 256
#define KEY_BYTES          64

struct option;

/* A value on its way into the configuration. */
struct setting {
    const struct option *option;
    const char *text;               /* trimmed, one line, below CONFIG_VALUE_BYTES */
    const char *folder;             /* base of relative paths */
    void *field;                    /* where it is stored */
    char error[CONFIG_ERROR_BYTES]; /* set by a reader that fails */
};

/* Reads the text into the field. False, with a sentence in `error`, when it is malformed or out of range; the
 * field is then void. */
typedef bool option_reader(struct setting *);

struct option {
    const char *section, *key, *fallback;
    const char *help; /* without its full stop, and without the words of a choice */
    option_reader *read;
    size_t offset, size; /* of the field in struct config */
    double min, max;     /* of a number, in the unit that is stored */
    const char *words;   /* of a choice, a number or a list: the words it may hold, "c f auto" */
    bool reloads;        /* SIGHUP changes it */
    bool secret;         /* never printed */
};

extern const struct option option_table[];
extern const size_t option_count;

/* The index of an option, or option_count. */
size_t option_index(const char *section, const char *key);

bool option_section_known(const char *section);

/* The section, or the key of a known section, that a wrong one was most likely meant for; NULL when none is
 * near. Both are shorter than KEY_BYTES, or the rest does not count. */
const char *option_nearest(const char *section, const char *key);

/* Cuts spaces and tabs off both ends, in place; returns the new start. */
char *trim(char *text);

/* The readers, in values.c. Their field's type is bound to them in table.c. */
option_reader read_text, read_path;
option_reader read_url;      /* without a slash at the end; plain http for loopback only */
option_reader read_proxy;    /* the same, of any host, or "" */
option_reader read_duration; /* milliseconds */
option_reader read_count;    /* or 0 for the word in `words` */
option_reader read_budget;
option_reader read_cell; /* millionths of a degree */
option_reader read_kilometres;
option_reader read_flag;
option_reader read_choice; /* index into words */
option_reader read_listen;
option_reader read_redis; /* of which "" is none */
option_reader read_hosts, read_origins;
option_reader read_mirrors;       /* of bases, as read_url */
option_reader read_place_headers; /* none or four */
option_reader read_networks;
option_reader read_databases;
option_reader read_asns; /* of autonomous systems, with or without "AS" */
option_reader read_providers;
option_reader read_home;
option_reader read_language; /* one that widget/words.h knows */
option_reader read_instant;  /* Unix seconds, > 0; 0 for "" */
option_reader read_header;
