/* The verdict of the status page: the worst fact, its cause, and what happens next. A table of conditions,
 * each with the words it makes; then how conditions outrank each other. */
#include "unit.h"

#include "ops/status.h"

#define NOON_S 1769860800 /* 2026-01-31T12:00:00Z */
#define HOUR_S 3600
#define DAY_S  86400

/* A thousand readers in the last five minutes, one provider, one database of yesterday: all is well. */
static void set_well(struct status_report *r)
{
    *r = (struct status_report){.now_s = NOON_S, .threads = 256, .upstream_count = 1, .database_count = 1};
    r->ready = r->reload_ok = true;
    r->history.slots[HISTORY_HOUR][57].grown[COUNT_FRESH] = 1000;
    r->history.slots[HISTORY_HOUR][57].grown[COUNT_LOOKED_UP] = 1000;
    r->upstreams[0] = (struct weather_upstream){.name = "open-meteo", .last_success_s = NOON_S - 10};
    r->databases[0] = (struct place_database){.label = "city.mmdb",
                                              .loaded = true,
                                              .reload_ok = true,
                                              .has_radii = true,
                                              .built_s = NOON_S - DAY_S};
}

#define SETTER(name, change)                  \
    static void name(struct status_report *r) \
    {                                         \
        change;                               \
    }

static void set_nothing(struct status_report *r)
{
    (void)r;
}

static void set_no_readers(struct status_report *r)
{
    memset(&r->history, 0, sizeof r->history);
    r->history.slots[HISTORY_HOUR][3].grown[COUNT_UNKNOWN] = 7;
}

static void set_some_of_each(struct status_report *r)
{
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_STALE] = 5;
    r->history.slots[HISTORY_HOUR][55].grown[COUNT_PLACE] = 1;
    r->history.slots[HISTORY_HOUR][54].grown[COUNT_PLACE] = 500; /* six minutes ago */
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_UNKNOWN] = 20;
}

SETTER(set_without_numbers, r->history.slots[HISTORY_HOUR][59].grown[COUNT_PLACE] = 1000)

/* Five of six, so that either share lies between two tenths. */
static void set_five_sixths_without(struct status_report *r)
{
    r->history.slots[HISTORY_HOUR][57].grown[COUNT_FRESH] = 333;
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_PLACE] = 1667;
}

static void set_all_but_one(struct status_report *r)
{
    r->history.slots[HISTORY_HOUR][57].grown[COUNT_FRESH] = 100000;
    r->history.slots[HISTORY_HOUR][57].grown[COUNT_UNKNOWN] = 1;
}

static void set_few(struct status_report *r, enum status_counter counter)
{
    memset(&r->history, 0, sizeof r->history);
    r->history.slots[HISTORY_HOUR][59].grown[counter] = 6;
}

static void set_few_waiting(struct status_report *r)
{
    set_few(r, COUNT_PLACE);
    r->cells_in_flight = 3;
}

static void set_few_refused(struct status_report *r)
{
    set_few(r, COUNT_PLACE);
    r->retry_s = NOON_S + 60;
}

static void set_few_served_since(struct status_report *r)
{
    set_few_waiting(r);
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_FRESH] = 1;
}

SETTER(set_few_without_place, set_few(r, COUNT_UNKNOWN))

static void set_without_places(struct status_report *r)
{
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_UNKNOWN] = 1001;
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_NOT_FOUND] = 1001;
}

/* A city that is withheld is as it should be. */
static void set_withheld(struct status_report *r)
{
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_UNKNOWN] = 1001;
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_LOOKED_UP] = 1001;
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_OFFICE] = 900;
    r->history.slots[HISTORY_HOUR][59].grown[COUNT_CONFLICT] = 101;
}

static void set_private(struct status_report *r)
{
    r->history.slots[HISTORY_HOUR][20].grown[COUNT_LOOKED_UP] = 3000;
    r->history.slots[HISTORY_HOUR][20].grown[COUNT_LOCAL] = 3000;
}

static void set_failing(struct status_report *r)
{
    r->upstreams[0].failing_since_s = NOON_S + 4 * 60;
    r->upstreams[0].last_failure = "no answer in time";
    r->upstreams[0].next_try_s = NOON_S + 9 * 60;
    r->curves_until_s = NOON_S + DAY_S + 2 * HOUR_S + 600;
}

static void set_failing_quietly(struct status_report *r)
{
    set_failing(r);
    r->upstreams[0].next_try_s = 0;
    r->upstreams[0].failing_since_s = NOON_S - DAY_S;
    r->curves_until_s = 0;
}

static void set_failing_while_cells_rest(struct status_report *r)
{
    set_failing_quietly(r);
    r->retry_s = NOON_S + 300;
}

static void set_failing_while_trying(struct status_report *r)
{
    set_failing_while_cells_rest(r);
    r->cells_in_flight = 1;
}

static void set_failing_past_keep(struct status_report *r)
{
    set_failing_while_cells_rest(r);
    r->history.slots[HISTORY_HOUR][57].grown[COUNT_FRESH] = 0;
    r->history.slots[HISTORY_HOUR][57].grown[COUNT_PLACE] = 1000;
}

static void set_failing_for_a_few(struct status_report *r)
{
    set_few_refused(r);
    set_failing_while_cells_rest(r);
}

static void set_replaced(struct status_report *r)
{
    set_failing(r);
    r->upstreams[1] = (struct weather_upstream){.name = "met-norway", .last_success_s = NOON_S};
    r->upstream_count = 2;
}

static void set_spent(struct status_report *r)
{
    r->upstreams[0].windows[0] = (struct weather_window){"minute", 600, 600, NOON_S + 60};
    r->upstreams[0].windows[1] = (struct weather_window){"day", 10000, 0, NOON_S + DAY_S / 2};
    r->upstreams[0].window_count = 2;
    r->upstreams[0].next_try_s = NOON_S + DAY_S / 2;
    r->curves_until_s = NOON_S + 5 * DAY_S;
}

static void set_spent_without_numbers(struct status_report *r)
{
    set_spent(r);
    set_five_sixths_without(r);
}

static void set_scarce(struct status_report *r)
{
    set_spent(r);
    r->upstreams[0].windows[1].remaining = 1000;
    r->upstreams[0].next_try_s = 0;
}

static void set_old(struct status_report *r)
{
    r->databases[0].built_s = NOON_S - 46 * DAY_S;
    r->databases[0].old = true;
}

SETTER(set_missing, r->databases[0].loaded = false)

static void set_one_missing(struct status_report *r)
{
    r->databases[1] = (struct place_database){.label = "<b>.mmdb", .refusal = "No such file or directory"};
    r->database_count = 2;
}

static void set_refused(struct status_report *r)
{
    r->databases[0].reload_ok = false;
    strcpy(r->databases[0].refusal, "there is no place in it");
    r->databases[0].loaded_s = NOON_S - 400 * DAY_S;
}

SETTER(set_disk_full, strcpy(r->weather.snapshot_error, "No space left on device"))

static void set_fleet_away(struct status_report *r)
{
    r->weather.fleet = (struct fleet_report){.failing = true, .failed_s = NOON_S, .failure = "no connection"};
}

static void set_fleet_back(struct status_report *r)
{
    set_fleet_away(r);
    r->weather.fleet.failing = false;
}

SETTER(set_threads_out, r->threads_busy = 256)

static void set_jumped(struct status_report *r)
{
    r->history.jump_s = -7200;
    r->history.jumped_at_s = NOON_S - 60;
}

static void set_jumped_long_ago(struct status_report *r)
{
    r->history.jump_s = -7200;
    r->history.jumped_at_s = NOON_S - 2 * HOUR_S;
}

static void set_reload_refused(struct status_report *r)
{
    r->reload_ok = false;
    r->reload_refusal = "the configuration is not good";
}

SETTER(set_draining, r->draining = true)

static void set_developer(struct status_report *r)
{
    r->dev = r->simulated = true;
    r->databases[0].has_radii = false;
}

/* Nobody is asked for point forecasts: the whole earth's model of six hours ago answers. */
static void set_earth(struct status_report *r)
{
    r->upstream_count = 0;
    r->earth = (struct status_earth){.wanted = true, .used = 4000, .old = 800, .off = 20};
    r->earth.report = (struct earth_report){.grid = true,
                                            .metar = true,
                                            .run_s = NOON_S - 6 * HOUR_S,
                                            .first_s = NOON_S - 2 * HOUR_S,
                                            .last_s = NOON_S + 46 * HOUR_S,
                                            .expected_s = NOON_S + 4 * HOUR_S,
                                            .metar_s = NOON_S - 60};
}

/* The same, and a provider whose budget is spent. */
static void set_earth_and_spent(struct status_report *r)
{
    set_earth(r);
    set_spent(r);
    r->upstream_count = 1;
}

static void set_earth_and_failing(struct status_report *r)
{
    set_earth(r);
    set_failing(r);
    r->upstream_count = 1;
}

static void set_earth_late(struct status_report *r)
{
    set_earth(r);
    r->earth.report.expected_s = NOON_S - HOUR_S - 1;
    strcpy(r->earth.report.failure, "status 503");
}

static void set_earth_not_late_yet(struct status_report *r)
{
    set_earth_late(r);
    r->earth.report.expected_s = NOON_S - HOUR_S;
}

static void set_earth_stale(struct status_report *r)
{
    set_earth(r);
    r->earth.report.run_s = NOON_S - 12 * HOUR_S - 1;
    r->earth.report.expected_s = NOON_S - 2 * HOUR_S;
    r->earth.report.loading_s = NOON_S - 6 * HOUR_S;
    r->earth.loading_fields = 12;
}

static void set_earth_ended(struct status_report *r)
{
    set_earth_stale(r);
    r->earth.report.last_s = NOON_S - 1;
}

static void set_earth_to_come(struct status_report *r)
{
    set_earth(r);
    r->earth.report.run_s = r->earth.report.first_s = r->earth.report.last_s = r->earth.report.expected_s = 0;
    r->earth.used = r->earth.old = r->earth.off = 0;
}

static void set_earth_unreachable(struct status_report *r)
{
    set_earth_to_come(r);
    strcpy(r->earth.report.failure, "cannot connect");
}

static void set_earth_to_come_and_awaited(struct status_report *r)
{
    set_earth_to_come(r);
    r->earth.report.loading_s = NOON_S - 6 * HOUR_S;
    set_without_numbers(r);
}

static void set_earth_come_since(struct status_report *r)
{
    set_earth(r);
    set_without_numbers(r);
    r->retry_s = NOON_S + 60;
}

static void set_earth_impossible(struct status_report *r)
{
    set_earth_to_come(r);
    r->earth.report.grid = r->earth.report.metar = false;
}

static void set_earth_impossible_beside_points(struct status_report *r)
{
    set_earth_impossible(r);
    r->upstream_count = 1;
}

static void set_earth_with_gaps(struct status_report *r)
{
    set_earth(r);
    r->earth.missing = 3;
}

static void set_earth_stopped(struct status_report *r)
{
    set_earth(r);
    r->earth.report.stopped = true;
    r->earth.report.bytes_today = 500700000;
}

static void set_earth_without_airports(struct status_report *r)
{
    set_earth(r);
    strcpy(r->earth.report.metar_failure, "status 404");
    r->earth.report.metar_s = NOON_S - HOUR_S;
    r->earth.report.metar_expected_s = NOON_S + 60;
}

static void set_earth_with_old_reports(struct status_report *r)
{
    set_earth(r);
    r->earth.used = 819;
}

static const struct {
    const char *name;
    void (*set)(struct status_report *);
    enum status_level level;
    const char *words; /* verdict, cause and next step, a line each */
} conditions[] = {
    {"all well", set_nothing, STATUS_WELL, "All is well"},
    {"no readers", set_no_readers, STATUS_WELL, "All is well"},
    {"some of each", set_some_of_each, STATUS_WELL, "All is well"},
    {"half without a number", set_without_numbers, STATUS_BAD,
     "No temperature for 50\u00a0% of readers\n"
     "Their weather has come since, or comes when they ask again"},
    {"the budget is gone, and it shows", set_spent_without_numbers, STATUS_BAD,
     "No temperature for 83\u00a0% of readers\n"
     "open-meteo has spent its 10000 requests for the day\n"
     "its curves serve until 12:00 UTC on 5 Feb, new budget at 00:00 UTC tomorrow"},
    {"the upstream is down for longer than keep", set_failing_past_keep, STATUS_BAD,
     "No temperature for 100\u00a0% of readers\n"
     "open-meteo failing since 12:00 UTC yesterday: no answer in time\n"
     "asked again at 12:05 UTC"},
    {"one of many", set_all_but_one, STATUS_WELL, "All is well"},
    {"a few, who wait", set_few_waiting, STATUS_DEGRADED,
     "No temperature for 100\u00a0% of readers\n"
     "Their weather is being fetched (cells under way: 3)"},
    {"a few, whose fetch failed", set_few_refused, STATUS_DEGRADED,
     "No temperature for 100\u00a0% of readers\n"
     "Fetching their weather has failed\n"
     "fetched again at 12:01 UTC"},
    {"a few, while an upstream fails", set_failing_for_a_few, STATUS_DEGRADED,
     "No temperature for 100\u00a0% of readers\n"
     "open-meteo failing since 12:00 UTC yesterday: no answer in time\n"
     "asked again at 12:05 UTC"},
    {"a few, one of whom has a number", set_few_served_since, STATUS_WELL, "All is well"},
    {"a few without a place", set_few_without_place, STATUS_WELL, "Too few readers to judge by"},
    {"most without a place", set_without_places, STATUS_BAD,
     "Most readers are at no known place\n"
     "no database has a record of their addresses\n"
     "check geoip.databases and visitor.trusted_proxies"},
    {"cities withheld", set_withheld, STATUS_WELL, "All is well"},
    {"proxy not configured", set_private, STATUS_BAD,
     "Most readers come with a private or unreadable address\n"
     "visitor.trusted_proxies and visitor.header do not say what the proxy in front does\n"
     "correct them and reload: until then such readers get no city"},
    {"upstream failing", set_failing, STATUS_DEGRADED,
     "open-meteo failing since 12:04 UTC\n"
     "no answer in time\n"
     "its curves serve until 14:10 UTC tomorrow, asked again at 12:09 UTC"},
    {"upstream failing, nobody asks", set_failing_quietly, STATUS_DEGRADED,
     "open-meteo failing since 12:00 UTC yesterday\n"
     "no answer in time\n"
     "asked again when a cell is due"},
    {"upstream failing, a cell rests", set_failing_while_cells_rest, STATUS_DEGRADED,
     "open-meteo failing since 12:00 UTC yesterday\n"
     "no answer in time\n"
     "asked again at 12:05 UTC"},
    {"upstream failing, and being asked", set_failing_while_trying, STATUS_DEGRADED,
     "open-meteo failing since 12:00 UTC yesterday\n"
     "no answer in time\n"
     "being asked again"},
    {"another provider answers", set_replaced, STATUS_DEGRADED,
     "open-meteo failing since 12:04 UTC\n"
     "no answer in time\n"
     "met-norway answers in its place, asked again at 12:09 UTC"},
    {"budget gone", set_spent, STATUS_DEGRADED,
     "open-meteo has spent its 10000 requests for the day\n"
     "\n"
     "its curves serve until 12:00 UTC on 5 Feb, new budget at 00:00 UTC tomorrow"},
    {"budget nearly gone", set_scarce, STATUS_DEGRADED,
     "open-meteo: 1000 of the day's 10000 requests left\n"
     "\n"
     "they are kept for new cells, its curves serve until 12:00 UTC on 5 Feb, new budget at 00:00 UTC "
     "tomorrow"},
    {"database old", set_old, STATUS_DEGRADED,
     "A city database is 46 days old\n"
     "city.mmdb has not been replaced\n"
     "make geoip fetches a new one"},
    {"no database", set_missing, STATUS_BAD,
     "No city database is loaded\n"
     "\n"
     "until one is, readers get no city"},
    {"one database missing", set_one_missing, STATUS_DEGRADED,
     "A city database cannot be loaded\n"
     "<b>.mmdb: No such file or directory"},
    {"new database refused", set_refused, STATUS_DEGRADED,
     "A city database was not replaced\n"
     "city.mmdb: there is no place in it\n"
     "the one of 12:00 UTC on 27 Dec 2024 goes on serving"},
    {"disk full", set_disk_full, STATUS_DEGRADED,
     "The snapshot cannot be written\n"
     "No space left on device\n"
     "a restart would be cold"},
    {"threads out", set_threads_out, STATUS_BAD, "256 of 256 threads are held by open connections"},
    {"clock jumped", set_jumped, STATUS_DEGRADED, "Clock set back by 7200 s at 11:59 UTC"},
    {"fleet away", set_fleet_away, STATUS_DEGRADED,
     "The fleet's Redis is of no use\n"
     "no connection\n"
     "this instance fetches as if it were alone"},
    {"fleet back", set_fleet_back, STATUS_WELL, "All is well"},
    {"clock jumped long ago", set_jumped_long_ago, STATUS_WELL, "All is well"},
    {"reload refused", set_reload_refused, STATUS_DEGRADED,
     "The last reload was refused\n"
     "the configuration is not good, see the log\n"
     "the old configuration is in force until a SIGHUP succeeds"},
    {"the whole earth's model answers", set_earth, STATUS_WELL, "All is well"},
    {"a budget gone, the model answers", set_earth_and_spent, STATUS_WELL, "All is well"},
    {"upstream failing, the model answers", set_earth_and_failing, STATUS_DEGRADED,
     "open-meteo failing since 12:04 UTC\n"
     "no answer in time\n"
     "the whole earth's model takes over as its curves age, asked again at 12:09 UTC"},
    {"a run is late", set_earth_late, STATUS_DEGRADED,
     "A run of the whole earth's model is late\n"
     "status 503\n"
     "its numbers last until 10:00 UTC on 2 Feb, the next is being asked for"},
    {"a run is hardly late", set_earth_not_late_yet, STATUS_WELL, "All is well"},
    {"the run is stale", set_earth_stale, STATUS_DEGRADED,
     "The whole earth's model is stale: of 23:59 UTC yesterday\n"
     "the next run was expected at 10:00 UTC\n"
     "its numbers last until 10:00 UTC on 2 Feb, that of 06:00 UTC is being loaded (fields: 12 of 66)"},
    {"the run has ended", set_earth_ended, STATUS_BAD,
     "The whole earth's model ended at 11:59 UTC\n"
     "the next run was expected at 10:00 UTC\n"
     "that of 06:00 UTC is being loaded (fields: 12 of 66)"},
    {"no run yet", set_earth_to_come, STATUS_WELL, "All is well"},
    {"no run can be had", set_earth_unreachable, STATUS_DEGRADED,
     "No run of the whole earth's model has come yet\n"
     "cannot connect\n"
     "the next is being asked for"},
    {"no run yet, and it shows", set_earth_to_come_and_awaited, STATUS_BAD,
     "No temperature for 50\u00a0% of readers\n"
     "No run of the whole earth's model has come yet\n"
     "that of 06:00 UTC is being loaded (fields: 0 of 66)"},
    {"the first run has come", set_earth_come_since, STATUS_BAD,
     "No temperature for 50\u00a0% of readers\n"
     "The whole earth's model has come since\n"
     "it answers wherever they are"},
    {"nothing reads the model", set_earth_impossible, STATUS_BAD,
     "The whole earth's model cannot be read\n"
     "the program masthead-grib is not installed\n"
     "install it; earth.grid = no does without"},
    {"nothing reads the model, points answer", set_earth_impossible_beside_points, STATUS_WELL,
     "All is well"},
    {"fields missing", set_earth_with_gaps, STATUS_WELL, "All is well"},
    {"the day's bytes are spent", set_earth_stopped, STATUS_DEGRADED,
     "The whole earth has taken 500 MB today\n"
     "\n"
     "it gets no more until 00:00 UTC tomorrow"},
    {"airports not read", set_earth_without_airports, STATUS_DEGRADED,
     "The airports' reports are of 11:00 UTC\n"
     "status 404\n"
     "read again at 12:01 UTC"},
    {"most reports old", set_earth_with_old_reports, STATUS_DEGRADED,
     "Only 819 of 1639 airports correct the model\n"
     "800 reports are too old, 20 too far off"},
    {"draining", set_draining, STATUS_DEGRADED, "Draining: the service is about to end"},
    {"developer mode", set_developer, STATUS_WELL, "All is well"},
};

/* A title of a page is no longer than that. */
#define TITLE_CHARACTERS 60

static size_t characters(const char *utf8)
{
    size_t count = 0;
    for (; *utf8; utf8++)
        count += (*utf8 & 0xc0) != 0x80;
    return count;
}

/* The words of a finding, without the lines that are empty at the end. */
static const char *lines_of(const char *fact, const char *cause, const char *next)
{
    static char words[STATUS_FACT + 3 * STATUS_SENTENCE];
    snprintf(words, sizeof words, next[0] ? "%s\n%s\n%s" : cause[0] ? "%s\n%s" : "%s", fact, cause, next);
    return words;
}

TEST(each_condition_has_its_words)
{
    struct status_report *r = malloc(sizeof *r);
    for (size_t i = 0; i < COUNT(conditions); i++) {
        set_well(r);
        conditions[i].set(r);
        status_judge(r);
        const char *words = lines_of(r->verdict, r->cause, r->next);
        if (strcmp(words, conditions[i].words) != 0 || r->level != conditions[i].level)
            print_error("%s: level %d\n", conditions[i].name, r->level);
        assert_string_equal(words, conditions[i].words);
        assert_int_equal(r->level, conditions[i].level);
        for (size_t k = 0; k < r->finding_count; k++)
            assert_in_range(characters(r->findings[k].fact), 1, TITLE_CHARACTERS);
    }
    free(r);
}

/* What readers were shown is told to a tenth of a percent: 100 only of all, 0 only of none. */
TEST(readers_are_told_by_their_shares)
{
    static const struct {
        void (*set)(struct status_report *);
        const char *readers;
    } shares[] = {
        {set_nothing, "Fresh for 100\u00a0% of readers in the last 5 minutes"},
        {set_no_readers, "No readers in the last 5 minutes, 7 in the last hour"},
        {set_some_of_each, "Fresh for 97.5\u00a0% of readers in the last 5 minutes, stale for 0.5\u00a0%, "
                           "without a number for 0.1\u00a0%, without a known place for 1.9\u00a0%"},
        {set_spent_without_numbers,
         "Fresh for 16.7\u00a0% of readers in the last 5 minutes, without a number for 83.3\u00a0%"},
        {set_all_but_one,
         "Fresh for 99.9\u00a0% of readers in the last 5 minutes, without a known place for 0.1\u00a0%"},
        {set_few_served_since,
         "Fresh for 14.3\u00a0% of readers in the last 5 minutes, without a number for 85.7\u00a0%"},
        {set_few_without_place,
         "Fresh for 0\u00a0% of readers in the last 5 minutes, without a known place for 100\u00a0%"},
    };
    struct status_report *r = malloc(sizeof *r);
    for (size_t i = 0; i < COUNT(shares); i++) {
        set_well(r);
        shares[i].set(r);
        status_judge(r);
        assert_string_equal(r->readers, shares[i].readers);
    }
    free(r);
}

/* The longest names and numbers still make a title. */
TEST(a_fact_is_no_longer_than_a_title)
{
    struct status_report *r = malloc(sizeof *r);
    for (int failing = 0; failing < 2; failing++) {
        set_well(r);
        r->now_s = NOON_S;
        r->upstreams[0] = (struct weather_upstream){.name = "openweathermap", .window_count = 1};
        r->upstreams[0].windows[0] = (struct weather_window){"month", 1000000, failing ? 0 : 100000, NOON_S};
        r->upstreams[0].failing_since_s = failing ? NOON_S - 400 * DAY_S : 0;
        r->upstreams[0].last_failure = "no answer in time";
        r->history.jump_s = 100LL * 365 * DAY_S;
        r->history.jumped_at_s = NOON_S - 60;
        set_private(r);
        set_earth_ended(r);
        r->upstream_count = 1;
        r->earth.report.last_s = NOON_S - 400 * DAY_S;
        status_judge(r);
        assert_in_range(r->finding_count, 4, STATUS_FINDINGS);
        for (size_t i = 0; i < r->finding_count; i++)
            assert_in_range(characters(r->findings[i].fact), 1, TITLE_CHARACTERS);
    }
    free(r);
}

/* What is as it should be, if it goes on, is told all the same. */
TEST(notes_are_told)
{
    static const struct {
        void (*set)(struct status_report *);
        const char *note;
    } notes[] = {
        {set_earth_and_spent,
         "open-meteo has spent its 10000 requests for the day\n\n"
         "the whole earth's model takes over as its curves age, new budget at 00:00 UTC tomorrow"},
        {set_earth_to_come, "No run of the whole earth's model has come yet\n\nthe next is being asked for"},
        {set_earth_impossible_beside_points,
         "The whole earth's model cannot be read\nthe program masthead-grib is not installed\n"
         "install it; earth.grid = no does without"},
        {set_earth_with_gaps, "The whole earth's model lacks 3 of its 66 fields"},
        {set_withheld,
         "No city is named for 50\u00a0% of readers\n"
         "no database knows it well enough, mostly for the reason office\nthey are invited to choose it"},
    };
    struct status_report *r = malloc(sizeof *r);
    for (size_t i = 0; i < COUNT(notes); i++) {
        set_well(r);
        notes[i].set(r);
        status_judge(r);
        assert_int_equal(r->finding_count, 1);
        assert_int_equal(r->findings[0].level, STATUS_NOTE);
        const struct status_finding *finding = &r->findings[0];
        assert_string_equal(lines_of(finding->fact, finding->cause, finding->next), notes[i].note);
    }
    free(r);
}

/* The gravest comes first and into the verdict; equals stay in order; notes are told and raise nothing. */
TEST(the_gravest_comes_first)
{
    struct status_report *r = malloc(sizeof *r);
    set_well(r);
    set_developer(r);
    set_disk_full(r);
    set_old(r);
    set_threads_out(r);
    status_judge(r);
    static const enum status_level levels[] = {STATUS_BAD,  STATUS_DEGRADED, STATUS_DEGRADED,
                                               STATUS_NOTE, STATUS_NOTE,     STATUS_NOTE};
    assert_int_equal(r->finding_count, COUNT(levels));
    for (size_t i = 0; i < r->finding_count; i++)
        assert_int_equal(r->findings[i].level, levels[i]);
    assert_non_null(strstr(r->findings[0].fact, "threads"));
    assert_non_null(strstr(r->findings[1].fact, "days old"));
    assert_non_null(strstr(r->findings[2].fact, "snapshot"));
    free(r);
}

/* However much is wrong at once, nothing is written past the room for it. */
TEST(everything_at_once_fits)
{
    struct status_report *r = malloc(sizeof *r);
    set_well(r);
    for (size_t i = 0; i < COUNT(conditions); i++)
        conditions[i].set(r);
    r->database_count = PLACE_DATABASES;
    for (size_t i = 0; i < PLACE_DATABASES; i++) {
        memset(r->databases[i].label, 'x', sizeof r->databases[i].label - 1);
        r->databases[i].loaded = true;
        r->databases[i].reload_ok = false;
        r->databases[i].old = true;
    }
    status_judge(r);
    assert_int_equal(r->finding_count, STATUS_FINDINGS);
    assert_int_equal(r->level, STATUS_BAD);
    for (size_t i = 0; i < r->finding_count; i++)
        assert_true(strlen(r->findings[i].cause) < STATUS_SENTENCE - 1);
    free(r);
}

UNIT_MAIN(NULL, NULL)
