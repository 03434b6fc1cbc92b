/* The command line, and the commands that are done at once. */
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "demo.h"
#include "place/place.h"
#include "place/validate.h"
#include "service.h"
#include "weather/weather.h"
#include "widget/explain.h"
#include "widget/widget.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE     2
#define LOOKUP_BYTES   4096
#define FRAGMENT_BYTES 8192

static const char usage[] =
    "usage: masthead [--config FILE] [--set SECTION.KEY=VALUE]...      run in the foreground\n"
    "       masthead lookup  [--config FILE] [--set ...] [--pretty] IP...  the place of addresses, and why\n"
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

static int check(const struct config *config)
{
    config_warn(config);
    struct places *places = places_open(&config->place);
    bool good = weather_usable(&config->weather) && places && places_loaded(places);
    places_close(places);
    if (good)
        puts("configuration is good");
    else
        fputs("masthead: the service would not be ready with this configuration; see above\n", stderr);
    return good ? EXIT_SUCCESS : EXIT_USAGE;
}

static bool parse_argument(const char *text, struct address *address)
{
    if (address_parse(text, strlen(text), address))
        return true;
    fprintf(stderr, "masthead: not an IP address: %s\n", text);
    return false;
}

static int lookup(const struct config *config, char **addresses, int count, bool pretty)
{
    struct places *places = places_open(&config->place);
    int status = places ? EXIT_SUCCESS : EXIT_FAILURE;
    for (int i = 0; places && i < count; i++) {
        struct address address;
        struct place place;
        struct place_evidence evidence;
        char storage[LOOKUP_BYTES];
        struct text out = text_init(storage, sizeof storage);
        if (!parse_argument(addresses[i], &address)) {
            status = EXIT_USAGE;
            continue;
        }
        places_find(places, &address, NULL, config->widget.lang, &place, &evidence);
        explain_place(&address, &place, &evidence, pretty, &out);
        fputs(out.bytes, stdout);
    }
    places_close(places);
    return status;
}

static void print_fragment(struct widget *widget, const struct visit *visit)
{
    struct answer answer;
    char storage[FRAGMENT_BYTES];
    struct text out = text_init(storage, sizeof storage);
    widget_answer(widget, visit, &answer);
    widget_html(&answer, &out);
    fputs(out.bytes, stdout);
}

static int snippet(struct config *config, const char *argument)
{
    struct visit visit = {.now = clock_now(), .units = (enum units)config->widget.units};
    if (!parse_argument(argument, &visit.address))
        return EXIT_USAGE;
    config->weather.wait_ms =
        config->weather.timeout_ms * WEATHER_PROVIDERS; /* nobody else is waiting for us */
    struct places *places = places_open(&config->place);
    struct weather *weather = places ? weather_open(&config->weather) : NULL;
    struct widget *widget = weather ? widget_open(&config->widget, places, weather) : NULL;
    if (widget)
        print_fragment(widget, &visit);
    widget_close(widget);
    weather_close(weather);
    places_close(places);
    return widget ? EXIT_SUCCESS : EXIT_FAILURE;
}

enum command { RUN, CHECK, PRINT, LOOKUP, SNIPPET, DEMO, VERSION, HELP, BAD };

struct arguments {
    enum command command;
    struct config_sources sources;
    bool pretty;
    const char *scenario; /* of a demo; "": none */
    char **rest;
    int rest_count;
};

static enum command command_of(const char *word)
{
    static const struct {
        const char *word;
        enum command command;
    } words[] = {
        {"--check-config", CHECK},
        {"--print-config", PRINT},
        {"lookup", LOOKUP},
        {"snippet", SNIPPET},
        {"demo", DEMO},
        {"--version", VERSION},
        {"--help", HELP},
        {"-h", HELP},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i].word) == 0)
            return words[i].command;
    return BAD;
}

/* Takes an option with a value, "--config FILE" or "--config=FILE". Returns how many words it took, 0 if it
 * is none. */
static int take_option(struct arguments *arguments, char **words)
{
    static const char *const names[] = {"--config", "--set"};
    size_t i = strncmp(words[0], names[0], strlen(names[0])) != 0, length = strlen(names[i]);
    if (strncmp(words[0], names[i], length) != 0 || (words[0][length] && words[0][length] != '='))
        return 0;
    bool joined = words[0][length] == '=';
    const char *value = joined ? words[0] + length + 1 : words[1]; /* NULL behind the last word */
    if (!value || arguments->sources.set_count == CONFIG_SETS_MAX)
        arguments->command = BAD;
    else if (i == 0)
        arguments->sources.file = value;
    else
        arguments->sources.sets[arguments->sources.set_count++] = value;
    return value && !joined ? 2 : 1;
}

static struct arguments parse_arguments(int argc, char **argv)
{
    struct arguments arguments = {.command = RUN, .scenario = ""};
    int i = 1;
    while (i < argc && arguments.command != BAD) {
        int taken = take_option(&arguments, argv + i);
        bool takes_addresses = arguments.command == LOOKUP || arguments.command == SNIPPET;
        i += taken;
        if (taken > 0)
            continue;
        if (arguments.command == LOOKUP && strcmp(argv[i], "--pretty") == 0)
            arguments.pretty = true;
        else if (arguments.command == DEMO && strcmp(argv[i], "--scenario") == 0 && i + 1 < argc)
            arguments.scenario = argv[++i];
        else if (takes_addresses && argv[i][0] != '-')
            break;
        else
            arguments.command = arguments.command == RUN ? command_of(argv[i]) : BAD;
        if (arguments.command == BAD)
            fprintf(stderr, "masthead: %s: not expected here\n", argv[i]);
        i++;
    }
    arguments.rest = argv + i;
    arguments.rest_count = argc - i;
    if ((arguments.command == LOOKUP && arguments.rest_count == 0) ||
        (arguments.command == SNIPPET && arguments.rest_count != 1))
        arguments.command = BAD;
    return arguments;
}

/* What is done at once writes nothing: what is in the state folder is a running service's. */
static void write_nothing(struct config *config)
{
    config->place.state[0] = '\0';
    config->weather.snapshot[0] = '\0';
    config->weather.budgets[0] = '\0';
}

static int run_command(const struct arguments *arguments, struct config *config, const struct demo *demo)
{
    if (arguments->command != RUN && arguments->command != DEMO)
        write_nothing(config);
    switch (arguments->command) {
    case CHECK:
        return check(config);
    case PRINT:
        config_print(config);
        return EXIT_SUCCESS;
    case LOOKUP:
        return lookup(config, arguments->rest, arguments->rest_count, arguments->pretty);
    case SNIPPET:
        return snippet(config, arguments->rest[0]);
    default:
        return service_run(config, &arguments->sources, demo);
    }
}

static int with_config(struct arguments *arguments, const struct demo *demo)
{
    struct config *config = malloc(sizeof *config);
    int status = EXIT_USAGE;
    config_find_file(&arguments->sources);
    if (config && config_load(&arguments->sources, config)) {
        log_configure(&config->log);
        access_configure(&config->access);
        status = run_command(arguments, config, demo);
    }
    free(config);
    return status;
}

static int run_demo(struct arguments *arguments)
{
    struct demo demo;
    int status = demo_open(&demo, arguments->scenario, &arguments->sources);
    if (status == EXIT_SUCCESS)
        status = with_config(arguments, &demo);
    demo_close(&demo);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], VALIDATE_COMMAND) == 0)
        return validate_main(argv[2]);

    struct arguments arguments = parse_arguments(argc, argv);
    signal(SIGPIPE, SIG_IGN); /* whoever went away is told by an error */
    if (arguments.command == RUN || arguments.command == DEMO)
        service_block_signals();
    switch (arguments.command) {
    case BAD:
        fputs(usage, stderr);
        return EXIT_USAGE;
    case HELP:
        fputs(usage, stdout);
        return EXIT_SUCCESS;
    case VERSION:
        puts("masthead " MASTHEAD_VERSION);
        return EXIT_SUCCESS;
    case DEMO:
        return run_demo(&arguments);
    default:
        return with_config(&arguments, NULL);
    }
}
