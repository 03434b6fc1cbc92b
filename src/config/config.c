#include "config/config.h"

#include "base/array.h"
#include "base/file.h"
#include "config/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES      1024
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define ENVIRONMENT     "MASTHEAD__"
#define ERROR_BYTES     (2 * LINE_BYTES)

/* One pass over all sources. */
struct loader {
    struct config *config;
    config_error *on_error;
    const char *file; /* NULL: none */
    char folder[PLACE_PATH_BYTES];
    char section[KEY_BYTES];          /* the present one of the file */
    char origin[CONFIG_ORIGIN_BYTES]; /* of what is being read: "widget.conf:14"; "" for a default */
    bool seen[CONFIG_OPTIONS_MAX];    /* in the file */
    bool failed;
};

static void print_error(const char *line)
{
    fprintf(stderr, "%s\n", line);
}

/* Reports "origin: [section] ..."; without a section where that is NULL. */
__attribute__((format(printf, 3, 4))) static void report(struct loader *loader, const char *section,
                                                         const char *format, ...)
{
    char line[ERROR_BYTES];
    const char *origin = loader->origin[0] ? loader->origin : "default";
    int length = snprintf(line, sizeof line, section ? "%s: [%.80s] " : "%s: ", origin, section);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    loader->failed = true;
    loader->on_error(line);
}

static void report_unknown(struct loader *loader, const char *section, const char *key)
{
    const char *suggestion = option_nearest(section, key);
    char hint[KEY_BYTES + 24] = "";
    if (suggestion)
        snprintf(hint, sizeof hint, " (did you mean \"%s\"?)", suggestion);
    if (option_section_known(section))
        report(loader, section, "unknown key \"%.60s\"%s", key, hint);
    else
        report(loader, section, "unknown section%s", hint);
}

/* Reports a value that was refused. One that may hold a password or a key, as URLs do before an "@" and after
 * a "?", is not repeated; neither is what readers quote of it. */
static void report_refused(struct loader *loader, const struct setting *setting)
{
    const struct option *option = setting->option;
    const char *error = setting->error, *quoted = strchr(error, '"'), *end = strrchr(error, '"');
    bool hidden = option->secret || strpbrk(setting->text, "@?");
    bool comment = strstr(setting->text, " #") || strstr(setting->text, " ;");
    const char *hint = comment ? "; a comment needs a line of its own" : "";
    if (hidden && quoted)
        report(loader, option->section, "%s = \"...\": %.*s...%s%s", option->key, (int)(quoted + 1 - error),
               error, end, hint);
    else
        report(loader, option->section, "%s = \"%s\": %s%s", option->key, hidden ? "..." : setting->text,
               error, hint);
}

/* Gives option `i` a value, trimmed as that of a file is. */
static void assign(struct loader *loader, size_t i, const char *text)
{
    const struct option *option = &option_table[i];
    char value[LINE_BYTES];
    struct setting setting = {
        .option = option, .folder = loader->folder, .field = (char *)loader->config + option->offset};
    size_t length = (size_t)snprintf(value, sizeof value, "%s", text);
    setting.text = trim(value);
    if (length >= sizeof value || strlen(setting.text) >= CONFIG_VALUE_BYTES) {
        report(loader, option->section, "%s: value longer than %d bytes", option->key,
               CONFIG_VALUE_BYTES - 1);
        return;
    }
    strcpy(loader->config->values[i].text, setting.text);
    ARRAY_COPY(loader->config->values[i].origin, loader->origin);
    if (strpbrk(value, "\r\n"))
        report(loader, option->section, "%s: a value is one line", option->key);
    else if (!option->read(&setting))
        report_refused(loader, &setting);
}

static void load_section(struct loader *loader, const char *name)
{
    snprintf(loader->section, sizeof loader->section, "%s", name);
    if (!option_section_known(loader->section))
        report_unknown(loader, loader->section, "");
}

static void load_pair(struct loader *loader, const char *key, const char *value)
{
    const char *section = loader->section;
    size_t i = option_index(section, key);
    if (section[0] == '\0')
        report(loader, NULL, "a key before the first [section]");
    else if (!option_section_known(section))
        return; /* reported where the section begins */
    else if (i == option_count)
        report_unknown(loader, section, key);
    else if (loader->seen[i])
        report(loader, section, "%s given twice", key);
    else
        assign(loader, i, value);
    if (i < option_count)
        loader->seen[i] = true;
}

/* Reads a line of the file, which it changes. */
static void load_line(struct loader *loader, char *line, size_t length)
{
    if (length >= LINE_BYTES || strlen(line) != length) {
        report(loader, NULL, length >= LINE_BYTES ? "line too long" : "holds a NUL byte");
        return;
    }
    while (length > 0 && strchr("\r\n", line[length - 1]))
        line[--length] = '\0';
    char *text = trim(line), *end = strpbrk(text, *text == '[' ? "]" : "=:");
    if (*text == '\0' || strchr("#;", *text))
        return;
    if (!end) {
        report(loader, NULL, "neither [section] nor key = value");
        return;
    }
    *end = '\0';
    if (*text == '[')
        load_section(loader, text + 1);
    else
        load_pair(loader, trim(text), end + 1);
}

static void load_file(struct loader *loader)
{
    char *line = NULL;
    size_t size = 0, mark = strlen(BYTE_ORDER_MARK);
    ssize_t length;
    snprintf(loader->origin, sizeof loader->origin, "%s", loader->file);
    const char *reason;
    FILE *file = file_open_stream(loader->file, FILE_FOLLOW, &reason);
    if (!file) {
        report(loader, NULL, "%s", reason ? reason : strerror(ENOENT));
        return;
    }
    for (int number = 1; (length = getline(&line, &size, file)) >= 0; number++) {
        size_t skipped = number == 1 && strncmp(line, BYTE_ORDER_MARK, mark) == 0 ? mark : 0;
        snprintf(loader->origin, sizeof loader->origin, "%s:%d", loader->file, number);
        load_line(loader, line + skipped, (size_t)length - skipped);
    }
    if (!feof(file))
        report(loader, NULL, "cannot be read on: %s", strerror(errno));
    free(line);
    fclose(file);
}

/* "section<separator>key=value", from the environment or the command line; the origin is set. */
static void load_assignment(struct loader *loader, const char *text, const char *separator)
{
    char name[2 * KEY_BYTES];
    const char *equals = strchr(text, '=');
    char *split = NULL;
    if (equals && (size_t)(equals - text) < sizeof name) {
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        for (char *c = name; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        split = strstr(name, separator);
    }
    if (!split) {
        report(loader, NULL, "must be SECTION.KEY=VALUE");
        return;
    }
    *split = '\0';
    const char *key = split + strlen(separator);
    size_t i = option_index(name, key);
    if (i == option_count)
        report_unknown(loader, name, key);
    else
        assign(loader, i, equals + 1);
}

static void load_environment(struct loader *loader)
{
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, ENVIRONMENT, strlen(ENVIRONMENT)) != 0)
            continue;
        snprintf(loader->origin, sizeof loader->origin, "environment %.*s", (int)strcspn(*entry, "="),
                 *entry);
        load_assignment(loader, *entry + strlen(ENVIRONMENT), "__");
    }
}

static void load_sets(struct loader *loader, const struct config_sources *sources)
{
    for (size_t i = 0; i < sources->set_count; i++) {
        const char *set = sources->sets[i];
        snprintf(loader->origin, sizeof loader->origin, "--set %.*s", (int)strcspn(set, "="), set);
        load_assignment(loader, set, ".");
    }
}

void config_find_file(struct config_sources *sources)
{
    static const char *const usual[] = {"widget.conf", "/etc/masthead/widget.conf"};
    for (size_t i = 0; !sources->file && i < sizeof usual / sizeof usual[0]; i++)
        if (access(usual[i], F_OK) == 0)
            sources->file = usual[i];
}

static void set_folder(struct loader *loader)
{
    const char *slash = loader->file ? strrchr(loader->file, '/') : NULL;
    int length = snprintf(loader->folder, sizeof loader->folder, "%.*s",
                          slash ? (int)(slash - loader->file) : 1, slash ? loader->file : ".");
    if ((size_t)length < sizeof loader->folder)
        return;
    report(loader, NULL, "the path of the file's folder is too long");
    strcpy(loader->folder, "."); /* or each relative path would be an error, too */
}

static void set_state(struct loader *loader)
{
    char *state = loader->config->place.state;
    const char *given = getenv("STATE_DIRECTORY");
    int length;
    if (state[0])
        return;
    if (given && given[0])
        length = snprintf(state, PLACE_PATH_BYTES, "%.*s", (int)strcspn(given, ":"), given);
    else
        length = snprintf(state, PLACE_PATH_BYTES, "%s/var", loader->folder);
    if (length >= PLACE_PATH_BYTES)
        report(loader, "server", "state: path too long");
}

/* Outputs are relative to the state folder. */
static void set_outputs(struct loader *loader)
{
    struct weather_options *weather = &loader->config->weather;
    const char *state = loader->config->place.state;
    struct load_options *load = &weather->earth.load;
    char name[sizeof weather->snapshot];
    snprintf(weather->budgets, sizeof weather->budgets, "%s/budgets", state);
    snprintf(load->path, sizeof load->path, "%s/earth.grid", state);
    snprintf(load->orography, sizeof load->orography, "%s/earth.orography", state);
    snprintf(weather->earth.bytes, sizeof weather->earth.bytes, "%s/earth.bytes", state);
    ARRAY_COPY(name, weather->snapshot);
    if (name[0] == '\0' || name[0] == '/')
        return;
    int length = snprintf(weather->snapshot, sizeof weather->snapshot, "%s/%s", state, name);
    if ((size_t)length >= sizeof weather->snapshot)
        report(loader, "cache", "snapshot: path too long");
}

/* Reports what only two values together can get wrong. */
static void check_together(struct loader *loader)
{
    const struct config *c = loader->config;
    if (c->weather.keep_ms < c->weather.refresh_ms)
        report(loader, "weather", "keep is shorter than refresh");
    if (c->weather.provider_count == 0 && c->weather.earth.grid == EARTH_NO_GRID)
        report(loader, "weather",
               "providers: none is named, and [earth] grid is no: nobody knows the weather");
    if (c->public.port != 0 && c->public.port == c->ops.port && strcmp(c->public.host, c->ops.host) == 0)
        report(loader, "server", "listen and ops_listen are the same address");
}

/* Gives each room what it shares with others. */
static void share(struct config *c)
{
    c->public.dev = c->ops.dev = c->visits.dev = c->dev;
    c->ops.hosts = c->visits.hosts = c->public.hosts;
    c->ops.request_timeout_ms = c->public.request_timeout_ms;
    c->ops.keep_alive_ms = c->public.keep_alive_ms;
    c->visits.units = c->widget.units;
    c->weather.max_waiters = c->public.threads / 4;
    c->weather.simulated = c->weather.earth.load.simulated = c->widget.simulated;
}

bool config_load(const struct config_sources *sources, struct config *out)
{
    static const char whole[] = "configuration"; /* the origin of what concerns no single value */
    struct loader loader = {.config = out,
                            .on_error = sources->on_error ? sources->on_error : print_error,
                            .file = sources->file};
    *out = (struct config){.log = {.level = LOG_INFO}};
    strcpy(loader.origin, whole);
    set_folder(&loader);
    loader.origin[0] = '\0';
    for (size_t i = 0; i < option_count; i++)
        assign(&loader, i, option_table[i].fallback);
    if (loader.file)
        load_file(&loader);
    load_environment(&loader);
    load_sets(&loader, sources);
    strcpy(loader.origin, whole);
    set_state(&loader);
    set_outputs(&loader);
    if (!loader.failed)
        check_together(&loader);
    share(out);
    return !loader.failed;
}

bool config_reloadable(const struct config *present, const struct config *next, config_error *on_error)
{
    bool ok = true;
    for (size_t i = 0; i < option_count; i++) {
        const struct option *option = &option_table[i];
        bool same = strcmp(present->values[i].text, next->values[i].text) == 0 ||
                    memcmp((const char *)present + option->offset, (const char *)next + option->offset,
                           option->size) == 0; /* however it is written: 5s, 5000ms */
        if (option->reloads || same)
            continue;
        struct loader loader = {.on_error = on_error ? on_error : print_error};
        ARRAY_COPY(loader.origin, next->values[i].origin);
        report(&loader, option->section, "%s: only a restart can change this", option->key);
        ok = false;
    }
    return ok;
}

bool config_setting(const struct config *config, size_t i, struct config_setting *out)
{
    if (i >= option_count)
        return false;
    const struct option *option = &option_table[i];
    const char *value = config->values[i].text;
    *out = (struct config_setting){option->section, option->key, option->secret && value[0] ? NULL : value,
                                   config->values[i].origin};
    return true;
}

bool config_keyless(const struct config *config)
{
    const struct weather_options *weather = &config->weather;
    bool open_meteo = false;
    for (size_t i = 0; i < weather->provider_count; i++)
        open_meteo = open_meteo || strcmp(weather->providers[i], "open-meteo") == 0;
    return open_meteo && !config->dev && !weather->provider[PROVIDER_OPEN_METEO].key_file[0] &&
           strcmp(weather->provider[PROVIDER_OPEN_METEO].url, WEATHER_FREE_HOST) == 0;
}

/* Warns of networks that no owner of proxies has: each client in them could say that it is any reader. */
static void warn_of_wide_networks(const struct network_set *set, const char *key)
{
    enum { V4_BITS = 8, V6_BITS = 16 }; /* of the widest block that one owner has */
    for (size_t i = 0; i < set->count; i++) {
        const struct network *network = &set->networks[i];
        if (network->bits < (network->base.family == ADDRESS_V4 ? V4_BITS : V6_BITS))
            log_event(LOG_WARN,
                      "a network as wide as the internet, in which any client may say that it is any reader; "
                      "name those of your own machines alone, such as 10.0.0.0/8",
                      log_str("key", key));
    }
}

void config_warn(const struct config *config)
{
    const char *contact = config->weather.contact;
    warn_of_wide_networks(&config->visits.client.trusted_proxies, "visitor.trusted_proxies");
    if (config->dev)
        warn_of_wide_networks(&config->visits.dev_from, "dev.from");
    if (contact[0] && !strchr(contact, '@') && !strstr(contact, "://"))
        log_line(LOG_WARN, "nobody can be reached by this weather.contact, for which providers may refuse "
                           "requests; write an e-mail address or a URL, such as you@example.org");
    if (config_keyless(config))
        log_line(LOG_WARN,
                 "Open-Meteo's free host is for non-commercial use, and a site with ads or subscriptions is "
                 "commercial; set weather.open_meteo_key_file");
    if (config->dev)
        log_line(LOG_WARN,
                 "developer mode: never on a public host. Clients in dev.from may be any reader; a proxy on "
                 "this machine that sends no forwarding header makes every reader such a client, and "
                 "nothing here can tell");
}

/* The comment on an option: what it is, its words where it is a choice, whether it reloads, its origin. */
static void print_comment(const struct option *option, const char *origin)
{
    bool choice = option->read == read_choice;
    printf("# %s%s", option->help, choice ? ": " : "");
    for (const char *c = choice ? option->words : ""; *c; c++)
        printf(*c == ' ' ? ",%c" : "%c", *c);
    printf(". %s\n", option->reloads ? "SIGHUP changes it." : "Restart to change it.");
    if (origin[0])
        printf("# from %s\n", origin);
}

void config_print(const struct config *config)
{
    const char *section = "";
    for (size_t i = 0; i < option_count; i++) {
        const struct option *option = &option_table[i];
        const char *value = config->values[i].text;
        if (strcmp(section, option->section) != 0)
            printf("%s[%s]\n", i > 0 ? "\n" : "", option->section);
        section = option->section;
        print_comment(option, config->values[i].origin);
        if (option->secret && value[0])
            printf("# %s is set, and secret\n", option->key);
        else
            printf("%s =%s%s\n", option->key, value[0] ? " " : "", value);
    }
}
