/* What a day of weather costs upstream, and how right the shown temperature is, against what others do.
 *
 *   economy [--short] DATABASE.mmdb
 *
 * A million visits from random addresses of the city database, first of India, then of the world, over one
 * day of UTC on instants made by hand, through the real cells, cache, quota and curves; only HTTP is
 * replaced: a fetch ends at once. Prints a table for each, and SIEVE (the cache's) beside LRU on the same
 * visits. Ends with 1 if India costs more, or is shown worse, than measure() promises.
 *
 * What is assumed, written down before the first run and tuned to nothing since:
 *
 * Visits. An address is drawn evenly from all those the database places in a city, anew for each visit. The
 * hour follows 1 - 0.8 cos(2 pi (h - 4) / 24) in local time: nine times busier at 16 h than at 4 h.
 *
 * Truth. The synthetic weather at the cell's centre (5 degrees between the day's mean and peak at the
 * equator), plus noise of 0.2 degrees that changes within the hour and that no forecast knows.
 *
 * Forecast. The upstream's model runs every 6 hours, as global models do, and is served 4 hours after its
 * start. A run's error at a lead of h hours has a standard deviation of 0.15 + 0.02 h degrees. It is
 * Gaussian, keeps its course for about 6 hours of valid time, and 0.7 of it is passed on to the next run; so
 * that a new run changes the hours ahead by about 0.3 degrees (RMS). ECMWF's Forecast User Guide watches this
 * difference ("jumpiness"), and finds that errors of the 2 m temperature often depend little on the range;
 * the amounts are our estimate. With a slope of 0.04 for 0.02 every policy, and a value fetched anew for each
 * visit too, is past 1 degree at the 95th percentile. Left out is what no newer run corrects, being the same
 * for all: the upstream's bias (under 0.5 degrees by the same guide), and where in the grid box one stands.
 *
 * The others. A value is the newest run read at the moment of the fetch, is shown unchanged for 15 minutes
 * and then fetched again by the next visit: one for each visitor's address, or one for each of our cells. At
 * the end of a budget they have nothing to show: visits are blank until midnight UTC. All round to tenths. */
#include "base/log.h"
#include "measure.h"
#include "synthetic/synthetic_weather.h"
#include "weather/cell/cache.h"
#include "weather/cell/cell.h"
#include "weather/cell/curve.h"
#include "weather/point/quota.h"

#include <inttypes.h>
#include <math.h>

#define VISITS         1000000
#define VISITS_SHORT   20000
#define START_S        INT64_C(1777593600) /* 2026-05-01T00:00:00Z */
#define REFRESH_MS     7200000             /* widget.conf's default, whose `keep` is 24 times that */
#define VALUE_LIVES_MS 900000
#define HOURS          26 /* points of a run that the day can read */
#define RUNS           5  /* that are served during the day; the first began six hours before it */
#define RUN_EVERY_H    6
#define RUN_SERVED_H   4
#define RUN_KEEPS      0.7
#define ERROR_FIRST    0.15
#define ERROR_PER_HOUR 0.02
#define ERROR_LASTS_S  21600
#define NOISE          0.2
#define BINS           2000 /* hundredths of a degree */
#define LRU_MAX        2000

/* Consecutive addresses of one record. */
struct range {
    uint64_t before; /* addresses in the ranges before it */
    uint32_t first;
    double latitude, longitude;
};

#define RANGES_MAX (8u << 20)
static struct ranges {
    struct range rows[RANGES_MAX];
    size_t count;
    uint64_t addresses;
} india, world;

struct visit {
    uint32_t time_ms, reader, site;
    float truth;
};

/* A cell that is visited. */
struct site {
    uint64_t key;
    double latitude, longitude; /* of its centre */
    int16_t forecast_cdeg[RUNS][HOURS];
};

/* Numbers for keys, in order of arrival. */
#define NUMBERS_ROOM (2u << 20)
struct numbers {
    uint64_t keys[NUMBERS_ROOM]; /* key + 1; 0: free */
    uint32_t numbers[NUMBERS_ROOM], count;
};
static struct numbers site_numbers, reader_numbers;

/* The day that is measured. */
static struct visit visits[VISITS]; /* by time, as far as `visit_count` */
static size_t visit_count = VISITS;
static struct site sites[VISITS]; /* touched as far as they are used */

struct score {
    uint64_t requests, shown, blank, missed; /* missed: the cell was not in the cache */
    double error_sum, error_95th;
};
static uint64_t errors[BINS]; /* of the policy that is being scored */

/* The finalizer of SplitMix64 (Steele et al. 2014). */
static uint64_t mix(uint64_t bits)
{
    bits += 0x9e3779b97f4a7c15u;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return bits ^ bits >> 31;
}

/* A Gaussian number that belongs to a cell, a seed and a step of time (Box and Muller 1958). */
static double gaussian(uint64_t cell, unsigned seed, int64_t step)
{
    uint64_t first = mix(mix(mix(cell) + seed) + (uint64_t)step), second = mix(first);
    double u = ((double)(first >> 11) + 1) * 0x1p-53, v = (double)(second >> 11) * 0x1p-53;
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* The same, between steps of `lasts_s`, continuous and of unit variance everywhere. */
static double smooth(uint64_t cell, unsigned seed, int64_t second, int64_t lasts_s)
{
    int64_t step = second / lasts_s;
    double share = (double)(second % lasts_s) / (double)lasts_s;
    double sum = (1 - share) * gaussian(cell, seed, step) + share * gaussian(cell, seed, step + 1);
    return sum / sqrt((1 - share) * (1 - share) + share * share);
}

static void add_range(struct ranges *ranges, const struct record *record, uint64_t first, uint64_t count)
{
    if (ranges->count == RANGES_MAX)
        abort();
    ranges->rows[ranges->count++] =
        (struct range){ranges->addresses, (uint32_t)first, record->latitude, record->longitude};
    ranges->addresses += count;
}

/* Walks all of IPv4, record by record; where there is none, by blocks of 256. */
static void read_ranges(const struct mmdb *db)
{
    uint64_t next;
    for (uint64_t at = 0; at < UINT64_C(1) << 32; at = next) {
        struct record record;
        struct address address = {ADDRESS_V4, {(uint8_t)(at >> 24), (uint8_t)(at >> 16), (uint8_t)(at >> 8)}};
        address.bytes[3] = (uint8_t)at;
        bool found = mmdb_find(db, &address, "en", &record);
        uint64_t size = found ? UINT64_C(1) << (32 - record.prefix_bits) : 256;
        next = (at / size + 1) * size;
        if (!found || !record.located || !record.city[0] || record.anycast)
            continue;
        add_range(&world, &record, at, next - at);
        if (strcmp(record.country, "IN") == 0)
            add_range(&india, &record, at, next - at);
    }
}

static const struct range *range_at(const struct ranges *ranges, uint64_t address)
{
    size_t low = 0, high = ranges->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        bool before = ranges->rows[middle].before <= address;
        low = before ? middle : low;
        high = before ? high : middle;
    }
    return &ranges->rows[low];
}

static uint32_t number_of(struct numbers *numbers, uint64_t key)
{
    uint32_t at = (uint32_t)mix(key) % NUMBERS_ROOM;
    while (numbers->keys[at] != 0 && numbers->keys[at] != key + 1)
        at = (at + 1) % NUMBERS_ROOM;
    if (numbers->keys[at] == 0)
        numbers->numbers[at] = numbers->count++;
    numbers->keys[at] = key + 1;
    return numbers->numbers[at];
}

/* A moment of the day of UTC, by the rhythm of the local one. */
static uint32_t random_time_ms(const struct site *site)
{
    double hour;
    do {
        hour = 24 * drand48();
    } while (1.8 * drand48() > 1 - 0.8 * cos(2 * M_PI * (hour - 4) / 24));
    double utc = hour + 24 - synthetic_zone(site->latitude, site->longitude).offset_s / 3600.0;
    return (uint32_t)(fmod(utc, 24) * 3600000);
}

static int by_time(const void *a, const void *b)
{
    const struct visit *x = a, *y = b;
    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

static void draw_visits(const struct ranges *ranges)
{
    memset(&site_numbers, 0, sizeof site_numbers);
    memset(&reader_numbers, 0, sizeof reader_numbers);
    for (size_t i = 0; i < visit_count; i++) {
        uint64_t address = (uint64_t)(drand48() * (double)ranges->addresses);
        const struct range *range = range_at(ranges, address);
        struct cell cell = cell_of(range->latitude, range->longitude, CELL_MICRODEGREES / 10);
        struct visit *visit = &visits[i];
        visit->reader = number_of(&reader_numbers, range->first + (address - range->before));
        visit->site = number_of(&site_numbers, cell_key(cell));
        struct site *site = &sites[visit->site];
        site->key = cell_key(cell);
        site->latitude = (double)cell.latitude_udeg / CELL_MICRODEGREES;
        site->longitude = (double)cell.longitude_udeg / CELL_MICRODEGREES;
        visit->time_ms = random_time_ms(site);
    }
    qsort(visits, visit_count, sizeof *visits, by_time);
}

/* Each run goes on with a part of the error of the run before. */
static void run_models(struct site *site)
{
    for (int hour = 0; hour < HOURS; hour++) {
        double truth = synthetic_celsius(site->latitude, site->longitude, START_S + hour * 3600);
        double error = 0;
        for (int run = 0; run < RUNS; run++) {
            double fresh = smooth(site->key, (unsigned)run + 1, hour * 3600, ERROR_LASTS_S);
            int lead = hour - (run - 1) * RUN_EVERY_H;
            error = run == 0 ? fresh : RUN_KEEPS * error + sqrt(1 - RUN_KEEPS * RUN_KEEPS) * fresh;
            double celsius = truth + error * (ERROR_FIRST + ERROR_PER_HOUR * (lead > 0 ? lead : 0));
            site->forecast_cdeg[run][hour] = (int16_t)lround(100 * celsius);
        }
    }
}

static void make_day(const struct ranges *ranges)
{
    draw_visits(ranges);
    for (uint32_t i = 0; i < site_numbers.count; i++)
        run_models(&sites[i]);
    for (size_t i = 0; i < visit_count; i++) {
        struct visit *visit = &visits[i];
        const struct site *site = &sites[visit->site];
        int64_t second = visit->time_ms / 1000;
        double noise = NOISE * smooth(site->key, 0, second, 3600);
        visit->truth = (float)(synthetic_celsius(site->latitude, site->longitude, START_S + second) + noise);
    }
}

/* The root of the mean square of what a new run changes in the six hours after it is served. */
static double mean_change(void)
{
    double sum = 0;
    int from = RUN_SERVED_H, to = from + (RUNS - 2) * RUN_EVERY_H;
    for (const struct site *site = sites; site < sites + site_numbers.count; site++)
        for (int hour = from; hour < to; hour++) {
            const int16_t *before = site->forecast_cdeg[(hour - from) / RUN_EVERY_H];
            const int16_t *after = site->forecast_cdeg[(hour - from) / RUN_EVERY_H + 1];
            sum += pow((after[hour] - before[hour]) / 100.0, 2);
        }
    return sqrt(sum / (to - from) / site_numbers.count);
}

/* What the upstream answers: its newest run, hour by hour. */
static struct curve fetch_curve(const struct site *site, int64_t second)
{
    int64_t run = (second / 3600 + RUN_EVERY_H - RUN_SERVED_H) / RUN_EVERY_H;
    int64_t from = second >= 3600 ? second / 3600 - 1 : 0;
    struct curve curve = {
        .start_s = START_S + from * 3600, .fetched_s = START_S + second, .count = (uint8_t)(HOURS - from)};
    memcpy(curve.temperature_cdeg, &site->forecast_cdeg[run][from],
           curve.count * sizeof *curve.temperature_cdeg);
    return curve;
}

static void show(struct score *score, const struct visit *visit, int ddeg)
{
    double error = fabs(ddeg / 10.0 - visit->truth);
    size_t bin = (size_t)(error * 100);
    errors[bin < BINS ? bin : BINS - 1]++;
    score->error_sum += error;
    score->shown++;
}

/* Ends a score, and makes room for the next. */
static struct score sum_up(struct score score)
{
    uint64_t below = 0;
    size_t bin = 0;
    while (bin < BINS && (below += errors[bin]) * 100 < score.shown * 95)
        bin++;
    score.error_95th = ((double)bin + 1) / 100;
    memset(errors, 0, sizeof errors);
    return score;
}

/* A value for each visitor, or for each cell, that is shown as it was fetched. Budget 0: none. */
static struct score keep_values(bool by_reader, uint64_t budget)
{
    static struct {
        int64_t until_ms;
        struct curve_value read;
    } values[VISITS];
    memset(values, 0, sizeof values);
    struct score score = {.requests = 0};
    for (size_t i = 0; i < visit_count; i++) {
        const struct visit *visit = &visits[i];
        size_t holder = by_reader ? visit->reader : visit->site;
        if (visit->time_ms >= values[holder].until_ms && (budget == 0 || score.requests < budget)) {
            struct curve curve = fetch_curve(&sites[visit->site], visit->time_ms / 1000);
            curve_read(&curve, START_S + visit->time_ms / 1000, &values[holder].read);
            values[holder].until_ms = visit->time_ms + VALUE_LIVES_MS;
            score.requests++;
        }
        if (visit->time_ms < values[holder].until_ms)
            show(&score, visit, values[holder].read.temperature_ddeg);
        else
            score.blank++;
    }
    return sum_up(score);
}

/* As the fetch thread does with what is listed: asks the quota, and then ends the fetch at once. */
static void fetch_listed(struct cache *cache, struct quota *quota, const struct site *site,
                         const struct instant *now, struct cache_view *view, struct score *score)
{
    struct cache_fetch fetch;
    struct quota_grant grant;
    if (!cache_next(cache, now, &fetch) || fetch.key != site->key)
        abort();
    if (quota_acquire(quota, PROVIDER_OPEN_METEO, fetch.class, 1, now, &grant) == QUOTA_GRANTED) {
        struct curve curve = fetch_curve(site, now->wall_ms / 1000 - START_S);
        struct weather_upstream stats;
        struct quota_result result = {.outcome = OUTCOME_OK, .cell = site->key, .sent = 1};
        score->requests++;
        quota_report(quota, PROVIDER_OPEN_METEO, &grant, &result, now);
        quota_get_stats(quota, PROVIDER_OPEN_METEO, now, &stats);
        cache_put(cache, site->key, now, &curve, stats.stretch);
    } else {
        cache_release(cache, site->key, fetch.class, now);
    }
    if (view->state == WEATHER_MISS) /* a visitor without a number waits for the fetch */
        cache_get(cache, site->key, WEATHER_PEEK, 0, now, view);
}

/* The real thing, with room for so many cells. Budget 0: none. */
static struct score keep_curves(size_t capacity, uint64_t budget)
{
    struct cache_options options = {
        .capacity = capacity, .refresh_ms = REFRESH_MS, .keep_ms = 24 * REFRESH_MS};
    struct quota_options limits = {.limits[PROVIDER_OPEN_METEO][QUOTA_DAY] = (int64_t)budget};
    struct instant start = {.wall_ms = START_S * 1000, .boot_ms = 3600000};
    struct quota *quota = quota_open(&limits, &start);
    struct cache *cache = cache_open(&options);
    struct score score = {.requests = 0};
    if (!quota || !cache)
        abort();
    for (size_t i = 0; i < visit_count; i++) {
        const struct visit *visit = &visits[i];
        const struct site *site = &sites[visit->site];
        struct instant now = {start.wall_ms + visit->time_ms, start.boot_ms + visit->time_ms};
        struct cache_view view;
        struct curve_value read;
        cache_get(cache, site->key, WEATHER_FOR_VISITOR, 0, &now, &view);
        score.missed += view.state == WEATHER_MISS;
        if (view.listed)
            fetch_listed(cache, quota, site, &now, &view, &score);
        bool readable = view.state == WEATHER_FRESH || view.state == WEATHER_STALE;
        if (readable && curve_read(&view.curve, now.wall_ms / 1000, &read))
            show(&score, visit, read.temperature_ddeg);
        else
            score.blank++;
    }
    cache_close(cache);
    quota_close(quota);
    return sum_up(score);
}

/* The visits that would miss if the cell asked for longest ago were evicted. */
static uint64_t lru_misses(size_t capacity)
{
    static struct {
        size_t slots[VISITS + 1]; /* by the number of a cell plus 1: its slot plus 1; 0: not held */
        size_t held[LRU_MAX], used[LRU_MAX]; /* by slot: such a number, and the last visit plus 1 */
    } lru;
    size_t misses = 0;
    memset(&lru, 0, sizeof lru);
    for (size_t i = 0; i < visit_count; i++) {
        size_t cell = (size_t)visits[i].site + 1, *slot = &lru.slots[cell], oldest = 0;
        if (*slot == 0) {
            misses++;
            for (size_t other = 1; other < capacity; other++)
                oldest = lru.used[other] < lru.used[oldest] ? other : oldest;
            lru.slots[lru.held[oldest]] = 0;
            lru.held[oldest] = cell;
            *slot = oldest + 1;
        }
        lru.used[*slot - 1] = i + 1;
    }
    return misses;
}

static void print_score(const char *name, const struct score *score, uint64_t per_cell)
{
    printf("  %-24s %8" PRIu64 "  %6.3f  %5.2f %%  %5.2f  %5.2f\n", name, score->requests,
           (double)score->requests / (double)per_cell, 100.0 * (double)score->blank / (double)visit_count,
           score->error_sum / (double)score->shown, score->error_95th);
}

/* Prints a day under a budget (0: none), against what values per cell cost without one (0: as now). True if
 * ours costs at most `share` of that, leaves nobody blank and is less than 1 degree wrong for 95 in 100. */
static bool compare(uint64_t budget, double share, uint64_t *per_cell)
{
    struct score visitor = keep_values(true, budget), cell = keep_values(false, budget);
    struct score ours = keep_curves(VISITS, budget);
    *per_cell = *per_cell > 0 ? *per_cell : cell.requests;
    print_score("per visitor, 15 min", &visitor, *per_cell);
    print_score("per cell, 15 min", &cell, *per_cell);
    print_score("ours, 2 h", &ours, *per_cell);
    return (double)ours.requests <= share * (double)*per_cell && ours.blank == 0 && ours.error_95th < 1;
}

/* Prints the day of one country. Whether it keeps what is promised for India. */
static bool measure(const char *whose, const struct ranges *ranges)
{
    uint64_t per_cell = 0;
    make_day(ranges);
    printf("%s: %zu visits from %" PRIu32 " addresses in %" PRIu32 " cells; a new run changes %.2f degrees\n",
           whose, visit_count, reader_numbers.count, site_numbers.count, mean_change());
    printf("  %-24s %8s  %6s  %7s  %5s  %5s\n", "", "requests", "ratio", "blank", "error", "95th");
    bool usual = compare(0, 0.4, &per_cell);
    printf("  with at most %" PRIu64 " requests:\n", per_cell / 5);
    bool pressed = compare(per_cell / 5, 0.2, &per_cell);
    for (size_t capacity = 500; capacity <= LRU_MAX; capacity *= 2)
        printf("  missed with room for %4zu cells: SIEVE %5.2f %%, LRU %5.2f %%\n", capacity,
               100.0 * (double)keep_curves(capacity, 0).missed / (double)visit_count,
               100.0 * (double)lru_misses(capacity) / (double)visit_count);
    return usual && pressed;
}

int main(int argc, char **argv)
{
    read_arguments(&argc, &argv, 1, "economy [--short] DATABASE.mmdb");
    visit_count = short_run ? VISITS_SHORT : VISITS;
    struct mmdb *db = open_database(argv[1]);
    read_ranges(db);
    mmdb_close(db);
    if (india.count == 0) {
        fprintf(stderr, "economy: no city of India in %s\n", argv[1]);
        return 1;
    }
    log_configure(&(struct log_options){.level = LOG_ERROR}); /* that a budget is spent is no news here */
    bool kept = measure("India", &india);
    measure("World", &world);
    printf(kept ? "India keeps its promises\n" : "India: A PROMISE IS MISSED\n");
    return kept ? 0 : 1;
}
