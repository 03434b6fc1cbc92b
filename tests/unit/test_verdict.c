/* The verdict of the status page: one sentence that says what readers see, what is wrong, and what happens
 * next. A table of conditions, each with the sentence it makes; then how conditions outrank each other. */
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

#define NBSP "\u00a0"
#define WELL "Fresh for 100" NBSP "% of readers in the last 5 minutes; "
#define NONE "Fresh for 0" NBSP "% of readers in the last 5 minutes, "

static const struct {
    const char *name;
    void (*set)(struct status_report *);
    enum status_level level;
    const char *verdict;
} conditions[] = {
    {"all well", set_nothing, STATUS_WELL, WELL "all is well."},
    {"no readers", set_no_readers, STATUS_WELL,
     "No readers in the last 5 minutes, 7 in the last hour; all is well."},
    {"some of each", set_some_of_each, STATUS_WELL,
     "Fresh for 97.5" NBSP "% of readers in the last 5 minutes, stale for 0.5" NBSP
     "%, without a number for 0.1" NBSP "%, without a known place for 1.9" NBSP "%; all is well."},
    {"half without a number", set_without_numbers, STATUS_BAD,
     "Fresh for 50" NBSP "% of readers in the last 5 minutes, without a number for 50" NBSP
     "%; their weather has come since, or is fetched when they ask again."},
    {"the budget is gone, and it shows", set_spent_without_numbers, STATUS_BAD,
     "Fresh for 16.7" NBSP "% of readers in the last 5 minutes, without a number for 83.3" NBSP
     "%; open-meteo has spent its 10000 requests for the day, serving its curves until 12:00 UTC on 5 Feb, "
     "new "
     "budget at 00:00 UTC tomorrow."},
    {"the upstream is down for longer than keep", set_failing_past_keep, STATUS_BAD,
     "Fresh for 0" NBSP "% of readers in the last 5 minutes, without a number for 100" NBSP
     "%; open-meteo failing since 12:00 UTC yesterday (no answer in time), next try 12:05 UTC."},
    {"one of many", set_all_but_one, STATUS_WELL,
     "Fresh for 99.9" NBSP "% of readers in the last 5 minutes, without a known place for 0.1" NBSP
     "%; all is well."},
    {"a few, who wait", set_few_waiting, STATUS_DEGRADED,
     NONE "without a number for 100" NBSP "%; their weather is still being fetched (cells under way: 3)."},
    {"a few, whose fetch failed", set_few_refused, STATUS_DEGRADED,
     NONE "without a number for 100" NBSP "%; fetching their weather has failed, next try 12:01 UTC."},
    {"a few, while an upstream fails", set_failing_for_a_few, STATUS_DEGRADED,
     NONE "without a number for 100" NBSP
          "%; open-meteo failing since 12:00 UTC yesterday (no answer in time), next try 12:05 UTC."},
    {"a few, one of whom has a number", set_few_served_since, STATUS_WELL,
     "Fresh for 14.3" NBSP "% of readers in the last 5 minutes, without a number for 85.7" NBSP
     "%; all is well."},
    {"a few without a place", set_few_without_place, STATUS_WELL,
     NONE "without a known place for 100" NBSP "%; too few to judge by."},
    {"most without a place", set_without_places, STATUS_BAD,
     "Fresh for 50" NBSP "% of readers in the last 5 minutes, without a known place for 50" NBSP
     "%; most readers are at no known place: check geoip.databases and visitor.trusted_proxies."},
    {"cities withheld", set_withheld, STATUS_WELL,
     "Fresh for 50" NBSP "% of readers in the last 5 minutes, without a known place for 50" NBSP
     "%; all is well."},
    {"proxy not configured", set_private, STATUS_BAD,
     WELL
     "most readers come with a private or unreadable address: visitor.trusted_proxies and visitor.header do "
     "not say what the proxy in front does."},
    {"upstream failing", set_failing, STATUS_DEGRADED,
     WELL
     "open-meteo failing since 12:04 UTC (no answer in time), serving its curves until 14:10 UTC tomorrow, "
     "next try 12:09 UTC."},
    {"upstream failing, nobody asks", set_failing_quietly, STATUS_DEGRADED,
     WELL "open-meteo failing since 12:00 UTC yesterday (no answer in time), next try when a cell is due."},
    {"upstream failing, a cell rests", set_failing_while_cells_rest, STATUS_DEGRADED,
     WELL "open-meteo failing since 12:00 UTC yesterday (no answer in time), next try 12:05 UTC."},
    {"upstream failing, and being asked", set_failing_while_trying, STATUS_DEGRADED,
     WELL "open-meteo failing since 12:00 UTC yesterday (no answer in time), next try under way."},
    {"another provider answers", set_replaced, STATUS_DEGRADED,
     WELL "open-meteo failing since 12:04 UTC (no answer in time), met-norway answers in its place, next try "
          "12:09 "
          "UTC."},
    {"budget gone", set_spent, STATUS_DEGRADED,
     WELL
     "open-meteo has spent its 10000 requests for the day, serving its curves until 12:00 UTC on 5 Feb, new "
     "budget at 00:00 UTC tomorrow."},
    {"budget nearly gone", set_scarce, STATUS_DEGRADED,
     WELL "open-meteo has 1000 of 10000 requests left for the day and keeps them for new cells, serving its "
          "curves until 12:00 UTC on 5 "
          "Feb, new "
          "budget at 00:00 UTC tomorrow."},
    {"database old", set_old, STATUS_DEGRADED,
     WELL "the database city.mmdb is 46 days old: make geoip fetches a new one."},
    {"no database", set_missing, STATUS_BAD, WELL "no city database is loaded, so that readers get no city."},
    {"one database missing", set_one_missing, STATUS_DEGRADED,
     WELL "the database <b>.mmdb cannot be loaded: No such file or directory."},
    {"new database refused", set_refused, STATUS_DEGRADED,
     WELL
     "the database city.mmdb was not replaced, since there is no place in it; the one of 12:00 UTC on 27 Dec "
     "2024 goes on serving."},
    {"disk full", set_disk_full, STATUS_DEGRADED,
     WELL "the snapshot cannot be written (No space left on device), so that a restart would be cold."},
    {"threads out", set_threads_out, STATUS_BAD, WELL "256 of 256 threads are held by open connections."},
    {"clock jumped", set_jumped, STATUS_DEGRADED,
     WELL "this machine's clock was set back by 7200 s at 11:59 UTC."},
    {"clock jumped long ago", set_jumped_long_ago, STATUS_WELL, WELL "all is well."},
    {"reload refused", set_reload_refused, STATUS_DEGRADED,
     WELL "the last reload was refused: the configuration is not good, see the log; the old configuration is "
          "in force until a SIGHUP succeeds."},
    {"the whole earth's model answers", set_earth, STATUS_WELL, WELL "all is well."},
    {"a budget gone, the model answers", set_earth_and_spent, STATUS_WELL, WELL "all is well."},
    {"upstream failing, the model answers", set_earth_and_failing, STATUS_DEGRADED,
     WELL "open-meteo failing since 12:04 UTC (no answer in time), the whole earth's model answers in its "
          "place, next "
          "try 12:09 UTC."},
    {"a run is late", set_earth_late, STATUS_DEGRADED,
     WELL "the whole earth's model is of 06:00 UTC, the next run was expected at 10:59 UTC, last failure: "
          "status 503, "
          "asking again."},
    {"a run is hardly late", set_earth_not_late_yet, STATUS_WELL, WELL "all is well."},
    {"the run is stale", set_earth_stale, STATUS_DEGRADED,
     WELL "the whole earth's model is of 23:59 UTC yesterday, its numbers are stale and last until 10:00 UTC "
          "on 2 Feb, "
          "that of 06:00 UTC is being loaded (fields: 12 of 66)."},
    {"the run has ended", set_earth_ended, STATUS_BAD,
     WELL "the whole earth's model ended at 11:59 UTC and gives no number, that of 06:00 UTC is being loaded "
          "(fields: 12 "
          "of 66)."},
    {"no run yet", set_earth_to_come, STATUS_WELL, WELL "all is well."},
    {"no run can be had", set_earth_unreachable, STATUS_DEGRADED,
     WELL "no run of the whole earth's model has come yet, last failure: cannot connect, asking again."},
    {"no run yet, and it shows", set_earth_to_come_and_awaited, STATUS_BAD,
     "Fresh for 50" NBSP "% of readers in the last 5 minutes, without a number for 50" NBSP
     "%; no run of the whole earth's model has come yet, that of 06:00 UTC is being loaded (fields: 0 of "
     "66)."},
    {"the first run has come", set_earth_come_since, STATUS_BAD,
     "Fresh for 50" NBSP "% of readers in the last 5 minutes, without a number for 50" NBSP
     "%; the whole earth's model has come since, and answers wherever they are."},
    {"nothing reads the model", set_earth_impossible, STATUS_BAD,
     WELL "the whole earth's model cannot be read: the program masthead-grib is not installed (earth.grid = "
          "no does "
          "without)."},
    {"nothing reads the model, points answer", set_earth_impossible_beside_points, STATUS_WELL,
     WELL "all is well."},
    {"fields missing", set_earth_with_gaps, STATUS_WELL, WELL "all is well."},
    {"the day's bytes are spent", set_earth_stopped, STATUS_DEGRADED,
     WELL "the whole earth has taken 500 MB today and gets no more until 00:00 UTC tomorrow."},
    {"airports not read", set_earth_without_airports, STATUS_DEGRADED,
     WELL "the airports' reports were last read at 11:00 UTC (status 404), next try 12:01 UTC."},
    {"most reports old", set_earth_with_old_reports, STATUS_DEGRADED,
     WELL
     "only 819 of 1639 airports correct the whole earth's model: 800 reports are too old, 20 too far off."},
    {"draining", set_draining, STATUS_DEGRADED, WELL "draining: the service is about to end."},
    {"developer mode", set_developer, STATUS_WELL, WELL "all is well."},
};

TEST(each_condition_has_its_sentence)
{
    struct status_report *r = malloc(sizeof *r);
    for (size_t i = 0; i < COUNT(conditions); i++) {
        set_well(r);
        conditions[i].set(r);
        status_judge(r);
        if (strcmp(r->verdict, conditions[i].verdict) != 0 || r->level != conditions[i].level)
            print_error("%s: level %d\n", conditions[i].name, r->level);
        assert_string_equal(r->verdict, conditions[i].verdict);
        assert_int_equal(r->level, conditions[i].level);
    }
    free(r);
}

/* What is as it should be, if it goes on, is told all the same. */
TEST(notes_of_the_whole_earth_are_told)
{
    static const struct {
        void (*set)(struct status_report *);
        const char *note;
    } notes[] = {
        {set_earth_and_spent,
         "open-meteo has spent its 10000 requests for the day, the whole earth's model answers in its "
         "place, new budget at 00:00 UTC tomorrow"},
        {set_earth_to_come, "no run of the whole earth's model has come yet, asking again"},
        {set_earth_impossible_beside_points,
         "the whole earth's model cannot be read: the program masthead-grib is not "
         "installed (earth.grid = no does without)"},
        {set_earth_with_gaps, "the whole earth's model of 06:00 UTC lacks 3 of its 66 fields"},
    };
    struct status_report *r = malloc(sizeof *r);
    for (size_t i = 0; i < COUNT(notes); i++) {
        set_well(r);
        notes[i].set(r);
        status_judge(r);
        assert_int_equal(r->finding_count, 1);
        assert_int_equal(r->findings[0].level, STATUS_NOTE);
        assert_string_equal(r->findings[0].sentence, notes[i].note);
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
    assert_non_null(strstr(r->findings[0].sentence, "threads"));
    assert_non_null(strstr(r->findings[1].sentence, "days old"));
    assert_non_null(strstr(r->findings[2].sentence, "snapshot"));
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
        assert_true(strlen(r->findings[i].sentence) < STATUS_SENTENCE - 1);
    free(r);
}

UNIT_MAIN(NULL, NULL)
