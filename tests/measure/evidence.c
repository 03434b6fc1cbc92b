/* How far a city database can be believed, before and after the rules of src/place, judged by a second one:
 *
 *   evidence [--short] STATE_FOLDER DATABASE.mmdb... -- SECOND.mmdb...
 *
 * Draws addresses from the networks of the first databases, each address as likely as any other, or each
 * network; prints, as a table of Markdown, for networks of carriers and for countries: the share that is
 * named, before (every city of a record) and after the rules; the share of these that the second opinion
 * confirms (it names a city within 50 km) of those where it names one at all; the share of the confirmed that
 * is kept; the share of all at what is the most frequent point before; and with both databases in use, what
 * is named and what of that a witness contradicts that itself gives a city. The second opinion errs, too:
 * what it contradicts may be right. */
#include "measure.h"
#include "place/map.h"
#include "place/offices.h"
#include "place/place.h"
#include "place/witness.h"

#define SAMPLES       20000
#define SAMPLES_SHORT 200

struct population {
    const char *name, *country; /* NULL: all */
    const char *network;        /* NULL: all */
    enum address_family family;
    bool by_network;
    struct network within;
    double total, next, seen;

    unsigned all, named, kept, both;
    unsigned confirmed, confirmed_kept, contradicted, contradicted_kept, both_confirmed, both_contradicted;
    struct map points, points_kept;
};

/* clang-format off */
#define COUNTRY(name, code)                                                             \
    {name ", IPv4 addresses", code, NULL, ADDRESS_V4, false, .all = 0},                 \
    {name ", IPv4 networks", code, NULL, ADDRESS_V4, true, .all = 0},                   \
    {name ", IPv6 addresses", code, NULL, ADDRESS_V6, false, .all = 0},                 \
    {name ", IPv6 networks", code, NULL, ADDRESS_V6, true, .all = 0}
static struct population populations[] = {
    {"Reliance Jio 2409:4000::/22", NULL, "2409:4000::/22", ADDRESS_V6, false, .all = 0},
    {"Airtel 2401:4900::/32", NULL, "2401:4900::/32", ADDRESS_V6, false, .all = 0},
    {"Vodafone Idea 2402:3a80::/32", NULL, "2402:3a80::/32", ADDRESS_V6, false, .all = 0},
    {"Vodafone Idea 2402:8100::/32", NULL, "2402:8100::/32", ADDRESS_V6, false, .all = 0},
    {"T-Mobile US 2607:fb90::/32", NULL, "2607:fb90::/32", ADDRESS_V6, false, .all = 0},
    {"Jio 157.32.0.0/11", NULL, "157.32.0.0/11", ADDRESS_V4, false, .all = 0},
    {"Jio 49.32.0.0/11", NULL, "49.32.0.0/11", ADDRESS_V4, false, .all = 0},
    {"BSNL 117.192.0.0/10", NULL, "117.192.0.0/10", ADDRESS_V4, false, .all = 0},
    {"Airtel 122.160.0.0/12", NULL, "122.160.0.0/12", ADDRESS_V4, false, .all = 0},
    {"ACT 49.204.0.0/14", NULL, "49.204.0.0/14", ADDRESS_V4, false, .all = 0},
    {"Comcast 73.0.0.0/8", NULL, "73.0.0.0/8", ADDRESS_V4, false, .all = 0},
    {"Verizon Fios 71.160.0.0/11", NULL, "71.160.0.0/11", ADDRESS_V4, false, .all = 0},
    {"Deutsche Telekom 91.0.0.0/10", NULL, "91.0.0.0/10", ADDRESS_V4, false, .all = 0},
    COUNTRY("India", "IN"), COUNTRY("United States", "US"), COUNTRY("Germany", "DE"),
    COUNTRY("Britain", "GB"), COUNTRY("World", NULL),
};
/* clang-format on */
#define POPULATIONS (sizeof populations / sizeof populations[0])

/* No registry has given away a larger network of IPv6: what a database says of those is about nobody. */
#define V6_LARGEST_BITS 12

static struct places *one, *both;
static struct mmdb *seconds[PLACE_DATABASES];
static size_t second_count;
static uint64_t random_state = XORSHIFT_SEED;

struct walk {
    const struct mmdb *db;
    struct map countries; /* of each record, in two letters; 1: none */
    bool sums;            /* the first of two walks, for the totals */
};

static struct address address_in(const struct mmdb_network *network)
{
    struct address address = {.family = (uint8_t)network->family};
    unsigned width = network->family == ADDRESS_V4 ? 32 : 64;
    uint64_t host = network->bits == 0      ? UINT64_MAX
                    : network->bits < width ? (UINT64_C(1) << (width - network->bits)) - 1
                                            : 0;
    uint64_t bits = network->base | (xorshift(&random_state) & host);
    for (unsigned i = 0; i < width / 8; i++)
        address.bytes[i] = (uint8_t)(bits >> (width - 8 * (i + 1)));
    return address;
}

static bool second_opinion(const struct address *address, struct record *out)
{
    for (size_t i = 0; i < second_count; i++)
        if (mmdb_find(seconds[i], address, "en", out) && record_has_city(out))
            return true;
    return false;
}

static void count_point(struct map *points, const struct record *record)
{
    uint64_t *count = map_at(points, office_point(record));
    if (count)
        ++*count;
}

/* What both databases together say, and whether a witness that gives a city speaks against it. */
static void judge_both(struct population *population, const struct address *address)
{
    struct place place;
    struct place_evidence evidence;
    places_find(both, address, NULL, "en", &place, &evidence);
    if (place.verdict != PLACE_CITY)
        return;
    population->both++;
    population->both_confirmed += place.confidence == PLACE_CONFIRMED;
    const struct witness *decides = place_decides(&evidence);
    for (size_t i = 0; i < evidence.witness_count; i++)
        if (evidence.witnesses[i].reason == PLACE_REASON_NONE &&
            distance_between(&evidence.witnesses[i].record, &decides->record) > 100) {
            population->both_contradicted++;
            return;
        }
}

static void judge(struct population *population, const struct mmdb *db, const struct mmdb_network *network)
{
    struct address address = address_in(network);
    struct record record, second;
    struct place place;
    population->all++;
    judge_both(population, &address);
    mmdb_record(db, network->record, "en", &record);
    if (!record_has_city(&record))
        return;
    places_find(one, &address, NULL, "en", &place, NULL);
    bool kept = place.verdict == PLACE_CITY, judged = second_opinion(&address, &second);
    bool confirmed = judged && distance_between(&record, &second) <= CONFIRMED_KM;
    population->named++;
    population->kept += kept;
    population->confirmed += confirmed;
    population->confirmed_kept += confirmed && kept;
    population->contradicted += judged && !confirmed;
    population->contradicted_kept += judged && !confirmed && kept;
    count_point(&population->points, &record);
    if (kept)
        count_point(&population->points_kept, &record);
}

static bool is_of(const struct population *population, const struct mmdb_network *network, uint64_t country)
{
    if (population->family != network->family ||
        (network->family == ADDRESS_V6 && network->bits <= V6_LARGEST_BITS))
        return false;
    if (population->network) {
        struct address address = address_in(network);
        return network_contains(&population->within, &address);
    }
    const char *code = population->country;
    return !code || country == ((uint64_t)(uint8_t)code[0] << 8 | (uint8_t)code[1]);
}

static uint64_t country_of(struct walk *walk, uint32_t number)
{
    struct record record;
    uint64_t *country = map_at(&walk->countries, number);
    if (!country)
        abort();
    if (*country == 0) {
        mmdb_record(walk->db, number, "en", &record);
        *country =
            record.country[0] ? (uint64_t)(uint8_t)record.country[0] << 8 | (uint8_t)record.country[1] : 1;
    }
    return *country;
}

/* Adds up what there is, then draws from it in equal steps. */
static bool visit(void *context, const struct mmdb_network *network, char error[PLACE_ERROR_BYTES])
{
    struct walk *walk = context;
    uint64_t country = country_of(walk, network->record);
    (void)error;
    for (struct population *p = populations; p < populations + POPULATIONS; p++) {
        if (!is_of(p, network, country))
            continue;
        double size =
            p->by_network ? 1 : 1 / (double)(UINT64_C(1) << (network->bits < 63 ? network->bits : 63));
        double step = p->total / (short_run ? SAMPLES_SHORT : SAMPLES);
        p->total += walk->sums ? size : 0;
        p->seen += walk->sums ? 0 : size;
        for (; !walk->sums && p->next < p->seen; p->next += step)
            judge(p, walk->db, network);
    }
    return true;
}

static double percent(unsigned part, unsigned whole)
{
    return whole > 0 ? 100.0 * part / whole : 0;
}

/* The point that most addresses are at before the rules. */
static const struct map_slot *most_frequent(const struct map *points)
{
    const struct map_slot *most = NULL;
    for (size_t i = 0; i < points->count; i++) {
        const struct map_slot *slot = &points->slots[points->taken[i]];
        most = !most || slot->value > most->value ? slot : most;
    }
    return most;
}

/* The share of all at a point. */
static double share_at(struct map *points, const struct map_slot *point, unsigned all)
{
    const uint64_t *count = point ? map_at(points, point->key) : NULL;
    return count ? percent((unsigned)*count, all) : 0;
}

static void print(struct population *p)
{
    const struct map_slot *most = most_frequent(&p->points);
    double before = share_at(&p->points, most, p->all), after = share_at(&p->points_kept, most, p->all);
    printf("| %s | %.1f → %.1f | %.0f → %.0f | %.0f → %.0f | %.0f | %.0f | %.0f | %.1f |\n", p->name, before,
           after, percent(p->named, p->all), percent(p->kept, p->all),
           percent(p->confirmed, p->confirmed + p->contradicted),
           percent(p->confirmed_kept, p->confirmed_kept + p->contradicted_kept),
           percent(p->confirmed_kept, p->confirmed), percent(p->both, p->all),
           percent(p->both_confirmed, p->both), percent(p->both_contradicted, p->both));
}

static void add(struct place_options *options, const char *path)
{
    if (options->database_count < PLACE_DATABASES)
        snprintf(options->databases[options->database_count++], PLACE_PATH_BYTES, "%s", path);
}

int main(int argc, char **argv)
{
    read_arguments(&argc, &argv, 4, "evidence [--short] STATE_FOLDER DATABASE.mmdb... -- SECOND.mmdb...");
    struct place_options first = {.max_radius_km = 100}, all;
    struct mmdb *firsts[PLACE_DATABASES];
    int i = 2;
    snprintf(first.state, sizeof first.state, "%s", argv[1]);
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        add(&first, argv[i]);
    all = first;
    for (i++; i < argc && second_count < PLACE_DATABASES; i++) {
        add(&all, argv[i]);
        seconds[second_count++] = open_database(argv[i]);
    }
    one = places_open(&first);
    both = places_open(&all);
    if (!one || !both || !places_loaded(both))
        return 1;
    for (size_t p = 0; p < POPULATIONS; p++)
        if (populations[p].network)
            network_parse(populations[p].network, strlen(populations[p].network), &populations[p].within);
    for (size_t d = 0; d < first.database_count; d++)
        firsts[d] = open_database(first.databases[d]);
    for (int sums = 1; sums >= 0; sums--)
        for (size_t d = 0; d < first.database_count; d++) {
            char error[PLACE_ERROR_BYTES];
            struct walk walk = {.db = firsts[d], .sums = sums};
            if (!mmdb_walk(firsts[d], visit, &walk, error))
                return 1;
            map_free(&walk.countries);
        }
    printf(
        "| addresses of | at the most frequent point | named | confirmed of judged | confirmed kept | both: "
        "named | both: confirmed | both: contradicted |\n| --- | --- | --- | --- | --- | --- | --- | --- "
        "|\n");
    for (size_t p = 0; p < POPULATIONS; p++)
        print(&populations[p]);
    return 0;
}
