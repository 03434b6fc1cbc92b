/* The configuration: the nearer source wins, every mistake is named with its file and line, nothing wrong is
 * let pass, and what --print-config writes reads back as the same. What each kind of value may be is the
 * matter of test_config_values.c. */
#include "unit.h"

#include "config_file.h"

static struct config other;
static char printed[SAID_BYTES], printed_again[SAID_BYTES];

/* --- Where values come from --- */

TEST(defaults_are_those_of_the_contract)
{
    assert_good("");
    assert_string_equal(config.public.host, "127.0.0.1");
    assert_int_equal(config.public.port, 8080);
    assert_int_equal(config.ops.port, 8081);
    assert_int_equal(config.public.threads, 256);
    assert_int_equal(config.public.request_timeout_ms, 3000);
    assert_int_equal(config.public.keep_alive_ms, 5000);
    assert_int_equal(config.drain_ms, 0);
    assert_int_equal(config.public.hosts.count, 0);
    assert_string_equal(config.visits.client.header, "X-Forwarded-For");
    assert_int_equal(config.visits.client.trusted_proxies.count, 1);
    assert_int_equal(config.visits.client.trusted_proxies.networks[0].bits, 8);
    assert_true(config.place.max_radius_km == 100);
    assert_string_equal(config.place.vague, "");
    assert_int_equal(config.place.home.source, PLACE_FROM_NONE);
    assert_int_equal(config.watch_ms, 60000);
    assert_int_equal(config.weather.provider_count, 2);
    assert_string_equal(config.weather.providers[0], "open-meteo");
    assert_string_equal(config.weather.providers[1], "met-norway");
    assert_string_equal(config.weather.provider[PROVIDER_OPEN_METEO].url, "https://api.open-meteo.com");
    assert_int_equal(config.weather.cell_udeg, 100000);
    assert_int_equal(config.weather.refresh_ms, 7200000);
    assert_int_equal(config.weather.keep_ms, 48 * 3600000);
    assert_int_equal(config.weather.wait_ms, 250);
    assert_int_equal(config.weather.timeout_ms, 5000);
    assert_int_equal(config.weather.parallel, 0);
    assert_int_equal(config.weather.capacity, 100000);
    assert_string_equal(config.widget.lang, "en");
    assert_int_equal(config.widget.units, UNITS_CELSIUS);
    assert_int_equal(config.widget.credits, WIDGET_CREDITS_INLINE);
    assert_int_equal(config.widget.max_age_ms, 300000);
    assert_string_equal(config.widget.unknown, "");
    assert_int_equal(config.log.level, LOG_INFO);
    assert_int_equal(config.log.format, LOG_LOGFMT);
    assert_false(config.dev || config.widget.simulated || config.access.lines);
    assert_int_equal(config.visits.dev_from.count, 1);
    assert_int_equal(config.dev_at_s, 0);
}

static const char *origin_of_threads(void)
{
    for (size_t i = 0; i < CONFIG_OPTIONS_MAX; i++)
        if (strcmp(config.values[i].text, "12") == 0 || strcmp(config.values[i].text, "13") == 0 ||
            strcmp(config.values[i].text, "14") == 0)
            return config.values[i].origin;
    return "default";
}

TEST(the_nearer_source_wins)
{
    static const char text[] = "# one\n[server]\nthreads = 12\n";
    struct config_sources sources = {.file = "widget.conf"};
    assert_good(text);
    assert_int_equal(config.public.threads, 12);
    assert_string_equal(origin_of_threads(), "widget.conf:3");

    setenv("MASTHEAD__SERVER__THREADS", "13", 1);
    setenv("MASTHEAD_SERVER_THREADS", "junk", 1); /* single underscores are not ours */
    setenv("MASTHEADS__SERVER__THREADS", "junk", 1);
    assert_true(load_sources(&sources, &config));
    assert_int_equal(config.public.threads, 13);
    assert_non_null(strstr(origin_of_threads(), "MASTHEAD__SERVER__THREADS"));

    sources.sets[sources.set_count++] = "server.threads=99";
    sources.sets[sources.set_count++] = "server.threads=14";
    assert_true(load_sources(&sources, &config));
    assert_int_equal(config.public.threads, 14);
    assert_non_null(strstr(origin_of_threads(), "--set"));
    unsetenv("MASTHEAD__SERVER__THREADS");
    unsetenv("MASTHEAD_SERVER_THREADS");
    unsetenv("MASTHEADS__SERVER__THREADS");
}

TEST(mistakes_outside_the_file)
{
    static const struct {
        const char *set, *needle;
    } sets[] = {
        {"server.thread=8", "did you mean \"threads\"?"},
        {"serve.threads=8", "did you mean \"server\"?"},
        {"server.threads=x", "[server] threads"},
        {"server.threads", "SECTION.KEY=VALUE"},
        {"threads=8", "SECTION.KEY=VALUE"},
        {"=", "SECTION.KEY=VALUE"},
        {"", "SECTION.KEY=VALUE"},
        {".=", "unknown section"},
    };
    write_bytes("widget.conf", "", 0);
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct config_sources sources = {.file = "widget.conf", .sets = {sets[i].set}, .set_count = 1};
        assert_false(load_sources(&sources, &config));
        assert_said(sets[i].set, "--set ", sets[i].needle);
    }
    static const struct {
        const char *name, *value, *needle;
    } variables[] = {
        {"MASTHEAD__SERVER__THREAD", "8", "did you mean \"threads\"?"},
        {"MASTHEAD__SERVER__THREADS", "x", "[server] threads"},
        {"MASTHEAD__FLOOT__URL", "x", "unknown section"},
        {"MASTHEAD__THREADS", "8", "MASTHEAD__THREADS"},
        {"MASTHEAD__", "8", "MASTHEAD__"},
    };
    for (size_t i = 0; i < COUNT(variables); i++) {
        setenv(variables[i].name, variables[i].value, 1);
        assert_false(load_text(""));
        unsetenv(variables[i].name);
        assert_said(variables[i].name, "environment MASTHEAD__", variables[i].needle);
    }
}

/* --- Mistakes in the file --- */

TEST(mistakes_are_named_with_file_and_line)
{
    static const struct {
        const char *text, *prefix, *needle;
    } rows[] = {
        {"[server]\n\n# x\n[cache]\ncapcity = 5\n",
         "widget.conf:5: [cache] unknown key \"capcity\" (did you mean \"capacity\"?)\n", ""},
        {"[cache]\nquite_another_thing = 5\n", "widget.conf:2: [cache] unknown key \"quite_another_thing\"\n",
         ""},
        {"[cahce]\ncapacity = 50\n", "widget.conf:", "[cahce] unknown section (did you mean \"cache\"?)"},
        {"[something]\nx = 1\n", "widget.conf:", "[something] unknown section\n"},
        {"\n[cahce]\n", "widget.conf:2: ", "cahce"},
        {"capacity = 50\n", "widget.conf:1: ", ""},
        {"[cache]\ncapacity = 50\ncapacity = 50\n", "widget.conf:3: [cache] ", ""},
        {"[cache]\ncapacity = 50\n[log]\n[cache]\ncapacity = 60\n", "widget.conf:5: [cache] ", ""},
        {"[cache]\n\ncapacity\n", "widget.conf:3: ", ""},
        {"[cache\n[cache]\ncapacity = 50\n", "widget.conf:1: ", ""},
        {"[Cache]\ncapacity = 50\n", "widget.conf:", "did you mean \"cache\"?"},
        {"[cache]\nCapacity = 50\n", "widget.conf:2: [cache] ", "did you mean \"capacity\"?"},
        {"[server]\nthreads = \n", "widget.conf:2: [server] threads", ""},
        {"[server]\n threads = x", "widget.conf:2: [server] threads", ""}, /* no newline at the end */
        {"[server]\r\nthreads = x\r\n", "widget.conf:2: [server] threads = \"x\"", ""},
        {"\xef\xbb\xbf[server]\nthreads = x\n", "widget.conf:2: [server] threads", ""},
        {"[weather]\nkeep = 1h\nrefresh = 2h\n", "", "keep"},
        {"[server]\nlisten = 127.0.0.1:80\nops_listen = 127.0.0.1:80\n", "", "ops_listen"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_bad(rows[i].text, rows[i].prefix, rows[i].needle);
}

TEST(every_mistake_is_named_not_the_first_alone)
{
    static const char text[] =
        "[server]\nthreads = x\nno equals sign\n[cache]\ncapcity = 1\nnor here\nsnapshot = a\n"
        "snapshot = b\n";
    static const char *const lines[] = {
        "widget.conf:2: ", "widget.conf:3: ", "widget.conf:5: ", "widget.conf:6: ", "widget.conf:8: "};
    assert_false(load_text(text));
    for (size_t i = 0; i < COUNT(lines); i++)
        if (!strstr(said, lines[i]))
            fail_msg("not a word about %sin\n%s", lines[i], said);
}

/* `length` times the same byte. */
static const char *many(char byte, size_t length)
{
    static char text[6000];
    memset(text, byte, length);
    text[length] = '\0';
    return text;
}

TEST(long_lines_are_refused_not_cut)
{
    char text[8192];
    static const char *const before[] = {"contact = ", "# ", ""};
    for (size_t i = 0; i < COUNT(before); i++) {
        snprintf(text, sizeof text, "[weather]\n%s%s\n%s", before[i], many('x', 5000),
                 i ? "contact = a\n" : "");
        assert_bad(text, "widget.conf:2: ", "");
    }
    snprintf(text, sizeof text, "[weather]\n%s\n",
             many('x', 5000)); /* and lines after it keep their numbers */
    strcat(text, "contact = a\ncontac = a\n");
    assert_false(load_text(text));
    assert_non_null(strstr(said, "widget.conf:4: [weather] unknown key \"contac\""));

    assert_good(file_of("weather", "contact", many('x', WEATHER_CONTACT_BYTES - 1)));
    assert_int_equal(strlen(config.weather.contact), WEATHER_CONTACT_BYTES - 1);
    assert_bad(file_of("weather", "contact", many('x', WEATHER_CONTACT_BYTES)),
               "widget.conf:2: [weather] contact", "");
    assert_bad(file_of("weather", "contact", many('x', CONFIG_VALUE_BYTES)),
               "widget.conf:2: [weather] contact", "");
    assert_bad(file_of("geoip", "vague", many('x', CONFIG_VALUE_BYTES - 1)), "widget.conf:2: [geoip] vague",
               "");
}

TEST(a_nul_byte_is_a_mistake)
{
    static const struct {
        const char *bytes;
        size_t length;
    } rows[] = {
#define ROW(literal) {literal, sizeof(literal) - 1}
        ROW("[server]\nthreads = 8\0 9\nthreadz = 9\n"),
        ROW("[server]\n\0threads = 9\nthreadz = 9\n"),
#undef ROW
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_bytes("widget.conf", rows[i].bytes, rows[i].length);
        assert_false(load_sources(&(struct config_sources){.file = "widget.conf"}, &config));
        assert_non_null(strstr(said, "widget.conf:2: "));
        assert_non_null(strstr(said, "widget.conf:3: "));
    }
}

TEST(files_that_cannot_be_read)
{
    static const char *const paths[] = {"missing.conf", "folder.conf", "folder.conf/missing", "fifo.conf",
                                        "/dev/zero"};
    mkdir("folder.conf", 0755);
    assert_int_equal(mkfifo("fifo.conf", 0600), 0); /* at once, though nobody writes */
    for (size_t i = 0; i < COUNT(paths); i++) {
        if (load_sources(&(struct config_sources){.file = paths[i]}, &config))
            fail_msg("%s passed", paths[i]);
        assert_said(paths[i], paths[i], "");
    }
}

/* --- Paths --- */

TEST(inputs_are_relative_to_the_file)
{
    static const char text[] = "[geoip]\ndatabases = a.mmdb, /abs/b.mmdb, ../c.mmdb\nvague = v.txt\n"
                               "[weather]\nopen_meteo_key_file = key\n";
    mkdir("conf", 0755);
    write_bytes("conf/widget.conf", text, sizeof text - 1);
    assert_true(load_sources(&(struct config_sources){.file = "conf/widget.conf"}, &config));
    assert_string_equal(config.place.databases[0], "conf/a.mmdb");
    assert_string_equal(config.place.databases[1], "/abs/b.mmdb");
    assert_string_equal(config.place.databases[2], "conf/../c.mmdb");
    assert_string_equal(config.place.vague, "conf/v.txt");
    assert_string_equal(config.weather.provider[PROVIDER_OPEN_METEO].key_file, "conf/key");
    assert_good(text);
    assert_string_equal(config.place.databases[0], "a.mmdb");

    write_bytes("conf/widget.conf", "", 0);
    struct config_sources sources = {.file = "conf/widget.conf", .sets = {"geoip.vague=v"}, .set_count = 1};
    assert_true(load_sources(&sources, &config));
    assert_string_equal(config.place.vague, "conf/v");
}

TEST(the_state_folder)
{
    unsetenv("STATE_DIRECTORY");
    assert_good("");
    assert_string_equal(config.place.state, "./var");
    setenv("STATE_DIRECTORY", "/var/lib/a:/var/lib/b", 1);
    assert_good("");
    assert_string_equal(config.place.state, "/var/lib/a");
    assert_good("[server]\nstate = /srv/state\n");
    assert_string_equal(config.place.state, "/srv/state");
    setenv("STATE_DIRECTORY", "", 1);
    assert_good("");
    assert_string_equal(config.place.state, "./var");
    unsetenv("STATE_DIRECTORY");
}

/* Cut, they would be other folders. */
TEST(folders_that_are_too_long_are_errors)
{
    char folders[PLACE_PATH_BYTES + 2] = "/", file[2 * PLACE_PATH_BYTES] = "";
    memset(folders + 1, 's', PLACE_PATH_BYTES - 2);
    setenv("STATE_DIRECTORY", folders, 1);
    assert_good("");
    assert_string_equal(config.place.state, folders);
    folders[PLACE_PATH_BYTES - 1] = 's';
    setenv("STATE_DIRECTORY", folders, 1);
    assert_bad("", "configuration: [server] state", "path too long");
    unsetenv("STATE_DIRECTORY");

    write_bytes("widget.conf", "", 0);
    for (size_t i = 0; i < PLACE_PATH_BYTES / 2; i++)
        strcat(file, "./");
    strcat(file, "/widget.conf");
    assert_false(load_sources(&(struct config_sources){.file = file}, &config));
    assert_said("", "configuration:", "the path of the file's folder is too long");
    assert_false(load_sources(&(struct config_sources){.file = file + 4}, &config));
    assert_non_null(strstr(said, "default: [geoip] databases"));
    assert_non_null(strstr(said, "\nconfiguration: [server] state: path too long\n"));
}

TEST(the_file_is_found_once)
{
    struct config_sources none = {0}, found = {0}, named = {.file = "other.conf"};
    unlink("widget.conf");
    config_find_file(&none);
    write_bytes("widget.conf", "[server]\nthreads = 12\n", 22);
    config_find_file(&found);
    config_find_file(&named);
    assert_string_equal(named.file, "other.conf");
    assert_true(load_sources(&found, &config));
    assert_int_equal(config.public.threads, 12);
    if (none.file && strcmp(none.file, "/etc/masthead/widget.conf") == 0)
        skip(); /* this machine has one */
    assert_null(none.file);
    assert_true(load_sources(&none, &config)); /* one that came later is not looked for */
    assert_int_equal(config.public.threads, 256);
    unlink("widget.conf");
    assert_false(load_sources(&found, &config)); /* nor another in place of one that went */
    assert_said("", "widget.conf: ", "No such file");
}

/* --- Printing --- */

static void print(char out[SAID_BYTES])
{
    struct capture capture = capture_begin(STDOUT_FILENO);
    config_print(&config);
    capture_end(&capture, out, SAID_BYTES);
}

/* Without the lines that say where a value comes from. */
static void drop_origins(char *text)
{
    char *out = text;
    for (char *line = text, *next; *line; line = next) {
        next = line + strcspn(line, "\n") + 1;
        if (strncmp(line, "# from ", 7) == 0)
            continue;
        memmove(out, line, (size_t)(next - line));
        out += next - line;
    }
    *out = '\0';
}

TEST(what_is_printed_reads_back_the_same)
{
    static const char *const texts[] = {
        "",
        "[server]\nthreads = 12\nhosts = a, b\n[geoip]\nhome = S\xc3\xa3o Paulo, BR, -23.55, -46.63\n"
        "databases = \nwatch = 0s\n[weather]\ncontact = me; # \"x\" = y\ncell = 0.25\nproviders = "
        "met-norway\n"
        "[log]\nlevel = debug\n[dev]\nat = 2026-01-31T23:30:00Z\nenabled = yes\n",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_good(texts[i]);
        print(printed);
        other = config;
        assert_good(printed);
        print(printed_again);
        drop_origins(printed);
        drop_origins(printed_again);
        assert_string_equal(printed, printed_again);
        for (size_t v = 0; v < CONFIG_OPTIONS_MAX; v++)
            assert_string_equal(config.values[v].text, other.values[v].text);
        assert_true(config_reloadable(&other, &config, NULL));
    }
    assert_string_equal(config.place.home.name, "S\xc3\xa3o Paulo");
    assert_string_equal(config.weather.contact, "me; # \"x\" = y");
}

/* Values from the command line are cut to what a file could hold, or they would not read back. */
TEST(values_from_outside_the_file_print_as_they_read_back)
{
    static const char *const sets[] = {"weather.contact=  me  ", "server.threads= 12 ",
                                       "geoip.home=Mum\nbai, IN, 19.08, 72.88"};
    for (size_t i = 0; i < COUNT(sets); i++) {
        write_bytes("widget.conf", "", 0);
        struct config_sources sources = {.file = "widget.conf", .sets = {sets[i]}, .set_count = 1};
        if (!load_sources(&sources, &config))
            continue; /* refused: as good */
        other = config;
        print(printed);
        assert_good(printed);
        assert_string_equal(config.weather.contact, other.weather.contact);
        assert_int_equal(config.public.threads, other.public.threads);
        assert_string_equal(config.place.home.name, other.place.home.name);
    }
}

TEST(secrets_are_not_printed)
{
    assert_good("[weather]\nproxy = http://user:s3cret@proxy.example:3128\n");
    assert_string_equal(config.weather.proxy, "http://user:s3cret@proxy.example:3128");
    print(printed);
    assert_null(strstr(printed, "s3cret"));
    assert_bad("[weather]\nproxy = user:s3cret@proxy.example:3128\n", "widget.conf:2: [weather] proxy", "");
    assert_null(strstr(said, "s3cret"));
}

/* Whichever option it was meant for, and wherever in the value it stands. */
TEST(a_refused_value_never_shows_a_password)
{
    static const struct {
        const char *section, *key, *value;
    } rows[] = {
        {"weather", "open_meteo_url", "https://user:s3cret@api.example"},
        {"weather", "open_meteo_url", "https://api.example/?apikey=s3cret"},
        {"weather", "met_norway_url", "user:s3cret@api.example"},
        {"weather", "openweathermap_url", "http://user:s3cret@api.example"},
        {"weather", "proxy", "socks5://user:s3cret@proxy.example"},
        {"widget", "origins", "https://www.example.com, https://user:s3cret@www.example"},
        {"server", "hosts", "user:s3cret@www.example"},
        {"server", "listen", "user:s3cret@127.0.0.1:80"},
        {"visitor", "trusted_proxies", "10.0.0.0/8, user:s3cret@10.0.0.1"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_bad(file_of(rows[i].section, rows[i].key, rows[i].value), "widget.conf:2: ", rows[i].key);
        if (strstr(said, "s3cret"))
            fail_msg("%s: said '%s'", rows[i].value, said);
    }
    assert_bad(file_of("server", "threads", "many"), "widget.conf:2: ", "\"many\""); /* others are shown */
}

/* --- Reloading --- */

TEST(only_some_keys_may_change_while_running)
{
    assert_good("[log]\nlevel = info\n[server]\nthreads = 12\n");
    other = config;
    assert_good("[log]\nlevel = debug\nformat = json\n[geoip]\nmax_radius = 5 km\nhome = X, IN, 1, 2\n"
                "[server]\nthreads = 12\n");
    assert_true(config_reloadable(&other, &config, NULL));
    assert_good("[server]\nthreads = 16\n\n[cache]\ncapacity = 50\n");
    struct capture capture = capture_begin(STDERR_FILENO);
    bool reloadable = config_reloadable(&other, &config, NULL);
    capture_end(&capture, said, sizeof said);
    assert_false(reloadable);
    assert_non_null(strstr(said, "widget.conf:2: [server] threads"));
    assert_non_null(strstr(said, "widget.conf:5: [cache] capacity"));
}

UNIT_MAIN(enter_folder, leave_folder)
