/* The command line, and the commands that are done at once. */
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "demo.h"
#include "lookup.h"
#include "place/validate.h"
#include "service.h"
#include "widget/widget.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE     2
#define FRAGMENT_BYTES 8192

static const char usage[] =
    "usage: masthead [--config FILE] [--set SECTION.KEY=VALUE]...      run in the foreground\n"
    "       masthead lookup  [--config FILE] [--set ...] [--json | --pretty] [IP...]\n"
    "                        the place of addresses, and why; without IP of those on standard input, one a "
    "line\n"
    "       masthead snippet [--config FILE] [--set ...] IP                the HTML fragment for a reader\n"
    "       masthead demo    [--scenario NAME[,NAME]]  service, simulator and fake readers on free ports\n"
    "       masthead --check-config | --print-config [--config FILE] [--set ...]\n"
    "       masthead --version | --help\n"
    "\n"
    "Replaces a page's \"Fetching location... -- °C\" with the reader's city and temperature.\n"
    "Without --config: ./widget.conf, else /etc/masthead/widget.conf, else defaults. The environment\n"
    "(MASTHEAD__SECTION__KEY=VALUE) overrides the file, --set overrides both.\n"
    "SIGHUP reloads configuration and databases, SIGTERM and SIGINT end the service without losing an "
    "answer.\n"
    "Exit status: 0 done, 1 failed, 2 bad usage or configuration.\n";

struct arguments {
    const struct command *command;
    struct config_sources sources;
    bool json;             /* asked for */
    enum lookup_form form; /* of a lookup, where it does not go to a terminal */
    const char *scenario;  /* of a demo; "": none */
    char **addresses;
    int address_count;
    bool bad;
};

static int check(struct config *config, const struct arguments *arguments)
{
    (void)arguments;
    config_warn(config);
    struct places *places = places_open(&config->place);
    bool ok = weather_usable(&config->weather) && places && places_loaded(places);
    places_close(places);
    if (ok)
        puts("configuration is good");
    else
        fputs("masthead: the service would not be ready with this configuration; see above\n", stderr);
    return ok ? EXIT_SUCCESS : EXIT_USAGE;
}

static int print(struct config *config, const struct arguments *arguments)
{
    (void)arguments;
    config_print(config);
    return EXIT_SUCCESS;
}

static int lookup(struct config *config, const struct arguments *arguments)
{
    struct places *places = places_open(&config->place);
    struct lookup how = {places, config->widget.lang, arguments->form};
    if (how.form == LOOKUP_JSON && !arguments->json && isatty(STDOUT_FILENO))
        how.form = LOOKUP_TABLE;
    int status = places ? lookup_run(&how, arguments->addresses, arguments->address_count) : EXIT_FAILURE;
    places_close(places);
    return status;
}

static int snippet(struct config *config, const struct arguments *arguments)
{
    struct visit visit = {.now = clock_now(), .units = (enum units)config->widget.units};
    struct answer answer;
    char storage[FRAGMENT_BYTES];
    struct text out = text_init(storage, sizeof storage);
    if (!address_parse(arguments->addresses[0], strlen(arguments->addresses[0]), &visit.address)) {
        fprintf(stderr, "masthead: not an IP address: %s\n", arguments->addresses[0]);
        return EXIT_USAGE;
    }
    config->weather.wait_ms = config->weather.timeout_ms * WEATHER_PROVIDERS; /* every provider may fail */
    config->weather.earth.kept = true;
    struct places *places = places_open(&config->place);
    struct weather *weather = places ? weather_open(&config->weather, places_gazetteer(places)) : NULL;
    const struct widget widget = {config->widget, places, weather};
    widget_register();
    if (weather) {
        widget_answer(&widget, &visit, &answer);
        widget_html(&answer, &out);
        fputs(out.bytes, stdout);
    }
    weather_close(weather);
    places_close(places);
    return weather ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* A command is a word and what it does with a configuration, once; the first is that without a word. */
static const struct command {
    const char *word;
    int (*run)(struct config *, const struct arguments *); /* NULL: it serves, or needs no configuration */
    int addresses_min, addresses_max;
    const char *text; /* is all that it prints */
} commands[] = {
    {.word = ""},
    {.word = "demo"},
    {.word = "--check-config", .run = check},
    {.word = "--print-config", .run = print},
    {.word = "lookup", .run = lookup, .addresses_max = INT32_MAX},
    {.word = "snippet", .run = snippet, .addresses_min = 1, .addresses_max = 1},
    {.word = "--version", .text = "masthead " MASTHEAD_VERSION "\n"},
    {.word = "--help", .text = usage},
    {.word = "-h", .text = usage},
};
#define COMMANDS (sizeof commands / sizeof commands[0])
enum { SERVE, DEMO };

/* Reads "--config FILE", "--config=FILE" or --set. Returns how many words that took, 0 if it is neither. */
static int read_option(struct arguments *arguments, char **words)
{
    static const char *const names[] = {"--config", "--set"};
    size_t i = strncmp(words[0], names[0], strlen(names[0])) != 0, length = strlen(names[i]);
    if (strncmp(words[0], names[i], length) != 0 || (words[0][length] && words[0][length] != '='))
        return 0;
    bool joined = words[0][length] == '=';
    const char *value = joined ? words[0] + length + 1 : words[1]; /* NULL behind the last word */
    if (!value || arguments->sources.set_count == CONFIG_SETS_MAX)
        arguments->bad = true;
    else if (i == 0)
        arguments->sources.file = value;
    else
        arguments->sources.sets[arguments->sources.set_count++] = value;
    return value && !joined ? 2 : 1;
}

/* Reads a command's name or an option of its own. Returns how many words that took; 0 if it is neither. */
static int read_command(struct arguments *arguments, char **words)
{
    const struct command *command = arguments->command;
    if (command->run == lookup && strcmp(words[0], "--pretty") == 0) {
        arguments->form = LOOKUP_PRETTY;
        return 1;
    }
    if (command->run == lookup && strcmp(words[0], "--json") == 0) {
        arguments->json = true;
        return 1;
    }
    if (command == &commands[DEMO] && strcmp(words[0], "--scenario") == 0 && words[1]) {
        arguments->scenario = words[1];
        return 2;
    }
    for (size_t i = 1; command == &commands[SERVE] && i < COMMANDS; i++)
        if (strcmp(words[0], commands[i].word) == 0) {
            arguments->command = &commands[i];
            return 1;
        }
    return 0;
}

static struct arguments parse_arguments(int argc, char **argv)
{
    struct arguments arguments = {.command = &commands[SERVE], .scenario = ""};
    int i = 1, count = 1;
    while (i < argc && count > 0 && !arguments.bad) {
        count = read_option(&arguments, argv + i);
        if (count == 0)
            count = read_command(&arguments, argv + i);
        i += count;
    }
    arguments.addresses = argv + i;
    arguments.address_count = argc - i;
    if (i < argc && !arguments.bad && (arguments.command->addresses_max == 0 || argv[i][0] == '-')) {
        fprintf(stderr, "masthead: %s: not expected here\n", argv[i]);
        arguments.bad = true;
    }
    arguments.bad = arguments.bad || arguments.address_count < arguments.command->addresses_min ||
                    arguments.address_count > arguments.command->addresses_max;
    return arguments;
}

static int run_configured(struct arguments *arguments, const struct demo *demo)
{
    struct config *config = malloc(sizeof *config);
    int status = config ? EXIT_USAGE : EXIT_FAILURE;
    config_find_file(&arguments->sources);
    if (!config)
        fputs("masthead: no memory\n", stderr);
    else if (config_load(&arguments->sources, config)) {
        log_configure(&config->log);
        access_configure(&config->access);
        if (!arguments->command->run) {
            status = service_run(config, &arguments->sources, demo);
        } else {
            /* What is done at once writes nothing: what is in the state folder is a running service's. */
            config->place.read_only = true;
            config->weather.snapshot[0] = config->weather.budgets[0] = '\0';
            status = arguments->command->run(config, arguments);
        }
    }
    free(config);
    return status;
}

static int run_demo(struct arguments *arguments)
{
    struct demo demo;
    int status = demo_open(&demo, arguments->scenario, &arguments->sources);
    if (status == EXIT_SUCCESS)
        status = run_configured(arguments, &demo);
    demo_close(&demo);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], VALIDATE_COMMAND) == 0)
        return validate_main(argv[2]);

    struct arguments arguments = parse_arguments(argc, argv);
    const struct command *command = arguments.command;
    signal(SIGPIPE, SIG_IGN); /* writing to a closed connection is an error, no end */
    if (arguments.bad || command->text) {
        fputs(arguments.bad ? usage : command->text, arguments.bad ? stderr : stdout);
        return arguments.bad ? EXIT_USAGE : EXIT_SUCCESS;
    }
    if (!command->run)
        service_block_signals();
    return command == &commands[DEMO] ? run_demo(&arguments) : run_configured(&arguments, NULL);
}
