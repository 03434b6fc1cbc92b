#include "config/config.h"

#include "config/table.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES      1024
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define ENVIRONMENT     "MASTHEAD__"
#define NEAR_ENOUGH     3 /* edits between a wrong key and the one suggested */
#define KEY_BYTES       64
#define COMPLAINT_BYTES (2 * LINE_BYTES)
#define SYSTEM_FILE     "/etc/masthead/widget.conf"
#define DEFAULT_STATE   "var"
#define BUDGET_FILE     "budgets"
#define STATE_VARIABLE  "STATE_DIRECTORY"

/* One pass over all sources. */
struct loading {
    struct config *config;
    config_complaint *complain;
    const char *file; /* NULL: none */
    char folder[PLACE_PATH_BYTES];
    FILE *stream;
    char *text; /* the line being read, as getline keeps it */
    size_t text_size;
    int line;
    char origin[CONFIG_ORIGIN_BYTES]; /* of that line: "widget.conf:14" */
    bool seen[CONFIG_OPTIONS_MAX];    /* in the file */
    bool failed;
};

/* Levenshtein's distance, for words of up to KEY_BYTES. */
static size_t distance(const char *a, const char *b)
{
    size_t row[KEY_BYTES + 1];
    size_t columns = strnlen(b, KEY_BYTES);
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t insert_or_delete = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = replace < insert_or_delete ? replace : insert_or_delete;
        }
    }
    return row[columns];
}

static bool section_known(const char *section)
{
    for (size_t i = 0; i < option_count; i++)
        if (strcmp(option_table[i].section, section) == 0)
            return true;
    return false;
}

/* The nearest section, or the nearest key of a known section; NULL when none is near. */
static const char *nearest(const char *section, const char *key)
{
    bool known = section_known(section);
    const char *best = NULL;
    size_t most = strlen(known ? key : section) / 2; /* of a short word, half would be another word */
    size_t least = (most < NEAR_ENOUGH ? most : NEAR_ENOUGH) + 1;
    for (size_t i = 0; i < option_count; i++) {
        const char *candidate = known ? option_table[i].key : option_table[i].section;
        if (known && strcmp(option_table[i].section, section) != 0)
            continue;
        size_t edits = distance(known ? key : section, candidate);
        if (edits < least) {
            least = edits;
            best = candidate;
        }
    }
    return best;
}

static void say(const char *line)
{
    fprintf(stderr, "%s\n", line);
}

/* Says "origin: [section] ..."; without a section, none. */
__attribute__((format(printf, 4, 5))) static void complain(struct loading *loading, const char *origin,
                                                           const char *section, const char *format, ...)
{
    char line[COMPLAINT_BYTES];
    int length = snprintf(line, sizeof line,
                          section ? "%.400s: [%.80s] " : "%.400s: ", origin[0] ? origin : "default", section);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    loading->failed = true;
    loading->complain(line);
}

static void complain_unknown(struct loading *loading, const char *origin, const char *section,
                             const char *key)
{
    const char *suggestion = nearest(section, key);
    char hint[KEY_BYTES + 24] = "";
    if (suggestion)
        snprintf(hint, sizeof hint, " (did you mean \"%s\"?)", suggestion);
    if (section_known(section))
        complain(loading, origin, section, "unknown key \"%.60s\"%s", key, hint);
    else
        complain(loading, origin, section, "unknown section%s", hint);
}

static size_t option_index(const char *section, const char *key)
{
    size_t i = 0;
    while (i < option_count &&
           (strcmp(option_table[i].section, section) != 0 || strcmp(option_table[i].key, key) != 0))
        i++;
    return i;
}

/* Gives option `i` a value, trimmed as a file's would be; an error is said with its origin. */
static void assign(struct loading *loading, size_t i, const char *text, const char *origin)
{
    const struct option *option = &option_table[i];
    char value[CONFIG_VALUE_BYTES];
    struct setting setting = {.option = option,
                              .text = value,
                              .folder = loading->folder,
                              .field = (char *)loading->config + option->offset};
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    if (length >= sizeof value) {
        complain(loading, origin, option->section, "%s: value longer than %d bytes", option->key,
                 CONFIG_VALUE_BYTES - 1);
        return;
    }
    snprintf(value, sizeof value, "%.*s", (int)length, text);
    if (strpbrk(value, "\r\n")) {
        complain(loading, origin, option->section, "%s: a value is one line", option->key);
    } else if (!option->read(&setting)) {
        complain(loading, origin, option->section, "%s = \"%s\": %s", option->key,
                 option->secret ? "..." : value, setting.error);
    } else {
        snprintf(loading->config->values[i].text, CONFIG_VALUE_BYTES, "%s", value);
        snprintf(loading->config->values[i].origin, CONFIG_ORIGIN_BYTES, "%s", origin);
    }
}

/* What is wrong with a line, or NULL: the library would cut long lines and drop what it cannot read, naming
 * only the first. */
static const char *fault_of_line(const char *line, size_t length)
{
    const char *start = line + strspn(line, " \t\r\n");
    if (length >= LINE_BYTES)
        return "line too long";
    if (strlen(line) != length)
        return "holds a NUL byte";
    bool pair = strpbrk(start, "=:") != NULL, section = *start == '[' && strchr(start, ']');
    if (*start && !strchr("#;", *start) && (*start == '[' ? !section : !pair))
        return "neither [section] nor key = value";
    return NULL;
}

static void check_section(struct loading *loading, const char *line)
{
    char section[KEY_BYTES];
    const char *start = strchr(line, '[') + 1;
    snprintf(section, sizeof section, "%.*s", (int)strcspn(start, "]"), start);
    if (!section_known(section))
        complain_unknown(loading, loading->origin, section, "");
}

/* libinih's reader: a line a call, counted and checked, since the library tells handlers no line numbers. A
 * faulty line is named here and comes to the library as an empty one. */
static char *next_line(char *line, int size, void *context)
{
    struct loading *loading = context;
    ssize_t length = getline(&loading->text, &loading->text_size, loading->stream);
    if (length < 0)
        return NULL;
    loading->line++;
    snprintf(loading->origin, sizeof loading->origin, "%s:%d", loading->file, loading->line);
    const char *text = loading->text;
    if (loading->line == 1 && strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0) {
        text += strlen(BYTE_ORDER_MARK);
        length -= (ssize_t)strlen(BYTE_ORDER_MARK);
    }
    const char *fault = fault_of_line(text, (size_t)length);
    if (fault)
        complain(loading, loading->origin, NULL, "%s", fault);
    else if (text[strspn(text, " \t")] == '[')
        check_section(loading, text);
    snprintf(line, (size_t)size, "%s", fault ? "" : text);
    return line;
}

static int handle_pair(void *context, const char *section, const char *key, const char *value)
{
    struct loading *loading = context;
    const char *origin = loading->origin;
    size_t i = option_index(section, key);
    if (section[0] == '\0')
        complain(loading, origin, NULL, "a key before the first [section]");
    else if (!section_known(section))
        return 1; /* said where the section begins */
    else if (i == option_count)
        complain_unknown(loading, origin, section, key);
    else if (loading->seen[i])
        complain(loading, origin, section, "%s given twice", key);
    else
        assign(loading, i, value, origin);
    if (i < option_count)
        loading->seen[i] = true;
    return 1;
}

static void load_file(struct loading *loading)
{
    loading->stream = fopen(loading->file, "re");
    if (!loading->stream) {
        complain(loading, loading->file, NULL, "%s", strerror(errno));
        return;
    }
    ini_max_line = LINE_BYTES;
    ini_initial_alloc = LINE_BYTES;
    ini_use_stack = false;
    ini_allow_realloc = false;
    ini_allow_multiline = false;
    ini_allow_inline_comments = false;
    if (ini_parse_stream(next_line, loading, handle_pair, loading) != 0 || ferror(loading->stream))
        complain(loading, loading->file, NULL, "cannot be read");
    free(loading->text);
    fclose(loading->stream);
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

/* "section<separator>key=value", from the environment or the command line. */
static void load_assignment(struct loading *loading, const char *text, const char *separator,
                            const char *origin)
{
    char name[2 * KEY_BYTES];
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : 0;
    char *split = NULL;
    if (equals && length < sizeof name) {
        memcpy(name, text, length);
        name[length] = '\0';
        lower(name);
        split = strstr(name, separator);
    }
    if (!split) {
        complain(loading, origin, NULL, "must be SECTION.KEY=VALUE");
        return;
    }
    *split = '\0';
    const char *key = split + strlen(separator);
    size_t i = option_index(name, key);
    if (i == option_count)
        complain_unknown(loading, origin, name, key);
    else
        assign(loading, i, equals + 1, origin);
}

static void load_environment(struct loading *loading)
{
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, ENVIRONMENT, strlen(ENVIRONMENT)) != 0)
            continue;
        char origin[CONFIG_ORIGIN_BYTES];
        snprintf(origin, sizeof origin, "environment %.*s", (int)strcspn(*entry, "="), *entry);
        load_assignment(loading, *entry + strlen(ENVIRONMENT), "__", origin);
    }
}

static void choose_file(const struct config_sources *sources, struct loading *loading)
{
    static const char *const usual[] = {"widget.conf", SYSTEM_FILE};
    loading->file = sources->file;
    for (size_t i = 0; !loading->file && i < sizeof usual / sizeof usual[0]; i++)
        if (access(usual[i], F_OK) == 0)
            loading->file = usual[i];
    const char *slash = loading->file ? strrchr(loading->file, '/') : NULL;
    int length = snprintf(loading->folder, sizeof loading->folder, "%.*s",
                          slash ? (int)(slash - loading->file) : 1, slash ? loading->file : ".");
    if ((size_t)length >= sizeof loading->folder) {
        complain(loading, "configuration", NULL, "the path of the file's folder is too long");
        strcpy(loading->folder, "."); /* one error is enough */
    }
}

static void choose_state(struct loading *loading)
{
    char *state = loading->config->place.state;
    const char *given = getenv(STATE_VARIABLE);
    if (state[0])
        return;
    int length;
    if (given && given[0])
        length = snprintf(state, PLACE_PATH_BYTES, "%.*s", (int)strcspn(given, ":"), given);
    else
        length = snprintf(state, PLACE_PATH_BYTES, "%s/" DEFAULT_STATE, loading->folder);
    if (length >= PLACE_PATH_BYTES)
        complain(loading, "configuration", "server", "state: path too long");
}

/* What is written is relative to the state folder. */
static void choose_outputs(struct loading *loading)
{
    struct weather_options *weather = &loading->config->weather;
    snprintf(weather->budgets, sizeof weather->budgets, "%s/" BUDGET_FILE, loading->config->place.state);
    char name[sizeof weather->snapshot];
    memcpy(name, weather->snapshot, sizeof name);
    if (name[0] == '\0' || name[0] == '/')
        return;
    size_t length = (size_t)snprintf(weather->snapshot, sizeof weather->snapshot, "%s/%s",
                                     loading->config->place.state, name);
    if (length >= sizeof weather->snapshot)
        complain(loading, "configuration", "cache", "snapshot: path too long");
}

/* What only two values together can get wrong. */
static void check_together(struct loading *loading)
{
    const struct config *c = loading->config;
    if (c->weather.keep_ms < c->weather.refresh_ms)
        complain(loading, "configuration", "weather", "keep is shorter than refresh");
    if (c->server.listen.port != 0 && c->server.listen.port == c->server.ops_listen.port &&
        strcmp(c->server.listen.host, c->server.ops_listen.host) == 0)
        complain(loading, "configuration", "server", "listen and ops_listen are the same address");
}

bool config_load(const struct config_sources *sources, struct config *out)
{
    struct loading loading = {.config = out, .complain = sources->complain ? sources->complain : say};
    *out = (struct config){.log = {.level = LOG_INFO}};
    choose_file(sources, &loading);
    for (size_t i = 0; i < option_count; i++)
        assign(&loading, i, option_table[i].fallback, "");
    if (loading.file)
        load_file(&loading);
    load_environment(&loading);
    for (size_t i = 0; i < sources->set_count; i++) {
        char origin[CONFIG_ORIGIN_BYTES];
        const char *set = sources->sets[i];
        snprintf(origin, sizeof origin, "--set %.*s", (int)strcspn(set, "="), set);
        load_assignment(&loading, set, ".", origin);
    }
    choose_state(&loading);
    choose_outputs(&loading);
    if (!loading.failed)
        check_together(&loading);
    out->weather.max_waiters = out->server.threads / 4;
    out->weather.simulated = out->widget.simulated;
    return !loading.failed;
}

bool config_reloadable(const struct config *present, const struct config *next, config_complaint *sink)
{
    char line[COMPLAINT_BYTES];
    bool good = true;
    for (size_t i = 0; i < option_count; i++) {
        const struct option *option = &option_table[i];
        bool same = strcmp(present->values[i].text, next->values[i].text) == 0 ||
                    memcmp((const char *)present + option->offset, (const char *)next + option->offset,
                           option->size) == 0; /* however it is written: 5s, 5000ms */
        if (option->reloads || same)
            continue;
        snprintf(line, sizeof line, "%s: [%s] %s: only a restart can change this",
                 next->values[i].origin[0] ? next->values[i].origin : "default", option_table[i].section,
                 option_table[i].key);
        (sink ? sink : say)(line);
        good = false;
    }
    return good;
}

struct status_settings *config_settings(const struct config *config)
{
    _Static_assert(CONFIG_OPTIONS_MAX <= STATUS_SETTINGS_MAX, "room for all");
    struct status_settings *settings = calloc(1, sizeof *settings);
    for (size_t i = 0; settings && i < option_count; i++) {
        const struct option *option = &option_table[i];
        struct status_setting *row = &settings->rows[settings->count++];
        bool hidden = option->secret && config->values[i].text[0];
        snprintf(row->name, sizeof row->name, "%s.%s", option->section, option->key);
        snprintf(row->value, sizeof row->value, "%s", hidden ? "(set, and secret)" : config->values[i].text);
        snprintf(row->origin, sizeof row->origin, "%s", config->values[i].origin);
    }
    return settings;
}

bool config_keyless(const struct config *config)
{
    const struct weather_options *weather = &config->weather;
    bool open_meteo = false;
    for (size_t i = 0; i < weather->provider_count; i++)
        open_meteo = open_meteo || strcmp(weather->providers[i], "open-meteo") == 0;
    return open_meteo && !config->dev.enabled && !weather->provider[PROVIDER_OPEN_METEO].key_file[0] &&
           strcmp(weather->provider[PROVIDER_OPEN_METEO].url, WEATHER_FREE_HOST) == 0;
}

void config_warn(const struct config *config)
{
    if (config_keyless(config))
        log_line(LOG_WARN,
                 "Open-Meteo's free host is for non-commercial use, and a site with ads or subscriptions is "
                 "commercial; set weather.open_meteo_key_file");
    if (config->dev.enabled)
        log_line(LOG_WARN,
                 "developer mode: never on a public host. Clients in dev.from may be any reader; a proxy on "
                 "this machine that sends no forwarding header makes every reader such a client, and "
                 "nothing here can tell");
}

void config_print(const struct config *config)
{
    const char *section = "";
    for (size_t i = 0; i < option_count; i++) {
        const struct option *option = &option_table[i];
        bool hidden = option->secret && config->values[i].text[0];
        if (strcmp(section, option->section) != 0)
            printf("%s[%s]\n", i > 0 ? "\n" : "", option->section);
        section = option->section;
        printf("# %s. %s\n", option->help, option->reloads ? "SIGHUP changes it." : "Restart to change it.");
        if (config->values[i].origin[0])
            printf("# from %s\n", config->values[i].origin);
        printf(hidden                      ? "# %s is set, and secret\n"
               : config->values[i].text[0] ? "%s = %s\n"
                                           : "%s =\n",
               option->key, config->values[i].text);
    }
}
