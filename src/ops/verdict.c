/* Judges the facts of a report. What is wrong becomes findings, the highest level first. The verdict is the
 * worst fact: that readers see no temperature, whose cause the first finding is, or the first finding. */
#include "ops/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECENT_MINUTES 5
#define FEW_READERS    20 /* shares of fewer mean nothing */
#define JUMP_RECENT_S  3600
#define LATE_S         3600 /* how late a run may be before that is worth a word; mirrors differ by as much */
#define UNREAD_S       1800 /* the same of the airports' reports, of which none is older than an hour */

/* An instant in words, for an argument list. */
#define WHEN(r, unix_s) status_when((unix_s), (r)->now_s, (char[STATUS_WHEN_BYTES]){""})

const char *const status_level_names[STATUS_LEVELS] = {
    [STATUS_WELL] = "well", [STATUS_NOTE] = "note", [STATUS_DEGRADED] = "degraded", [STATUS_BAD] = "bad"};

/* Copies a line, cut to its room; returns what follows it. */
static const char *copy_line(const char *line, char *out, size_t size)
{
    size_t length = strcspn(line, "\n");
    snprintf(out, size, "%.*s", (int)length, line);
    return line + length + (line[length] == '\n');
}

/* Adds a finding behind those of its level; the least of a full list falls out of it. The format has up to
 * three lines: the fact, its cause, what is done or to do. */
__attribute__((format(printf, 3, 4))) static void
add_finding(struct status_report *r, enum status_level level, const char *format, ...)
{
    struct status_finding finding = {.level = level};
    char lines[STATUS_FACT + 2 * STATUS_SENTENCE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lines, sizeof lines, format, arguments);
    va_end(arguments);
    const char *rest = copy_line(lines, finding.fact, sizeof finding.fact);
    rest = copy_line(rest, finding.cause, sizeof finding.cause);
    copy_line(rest, finding.next, sizeof finding.next);
    size_t at = r->finding_count;
    for (; at > 0 && r->findings[at - 1].level < level; at--)
        r->findings[at] = r->findings[at - 1];
    r->findings[at] = finding;
    r->finding_count += r->finding_count < STATUS_FINDINGS;
}

static int64_t recent(const struct status_report *r, enum status_counter counter, size_t minutes)
{
    return status_recent(r, counter, HISTORY_HOUR, minutes);
}

/* What readers were shown recently. The first counters are the indices. */
#define SHOWN (COUNT_UNKNOWN + 1)
struct shown {
    int64_t all, readers[SHOWN];
};

static struct shown answers_in(const struct status_report *r, size_t minutes)
{
    struct shown shown = {.all = 0};
    for (enum status_counter i = COUNT_FRESH; i < SHOWN; i++)
        shown.all += shown.readers[i] = recent(r, i, minutes);
    return shown;
}

static bool none_saw_number(const struct shown *shown)
{
    return shown->all > 0 && shown->readers[COUNT_FRESH] + shown->readers[COUNT_STALE] == 0;
}

/* The level of so many readers without a temperature. */
static enum status_level level_of(const struct shown *shown)
{
    int64_t without = shown->readers[COUNT_PLACE];
    if (shown->all < FEW_READERS)
        return without > 0 && none_saw_number(shown) ? STATUS_DEGRADED : STATUS_WELL;
    return without * 4 >= shown->all    ? STATUS_BAD
           : without * 20 >= shown->all ? STATUS_DEGRADED
                                        : STATUS_WELL;
}

static void judge_readers(struct status_report *r)
{
    struct shown shown = answers_in(r, RECENT_MINUTES);
    int64_t looked_up = recent(r, COUNT_LOOKED_UP, 60), local = recent(r, COUNT_LOCAL, 60);
    int64_t nowhere =
        recent(r, COUNT_NOT_FOUND, RECENT_MINUTES) + recent(r, COUNT_NO_DATABASE, RECENT_MINUTES);
    if (looked_up >= FEW_READERS && local * 2 > looked_up)
        add_finding(r, STATUS_BAD,
                    "Most readers come with a private or unreadable address\n"
                    "visitor.trusted_proxies and visitor.header do not say what the proxy in front does\n"
                    "correct them and reload: until then such readers get no city");
    else if (shown.all >= FEW_READERS && nowhere * 2 > shown.all)
        add_finding(r, STATUS_BAD,
                    "Most readers are at no known place\n"
                    "no database has a record of their addresses\n"
                    "check geoip.databases and visitor.trusted_proxies");
    if (r->threads_busy * 10 >= r->threads * 9)
        add_finding(r, r->threads_busy >= r->threads ? STATUS_BAD : STATUS_DEGRADED,
                    "%lld of %lld threads are held by open connections", (long long)r->threads_busy,
                    (long long)r->threads);
}

/* Cities that are withheld are as they should be: a note, never more. */
static void note_withheld(struct status_report *r)
{
    int64_t looked_up = recent(r, COUNT_LOOKED_UP, 60), withheld = 0, most = 0;
    const char *reason = "";
    for (enum status_counter i = COUNT_NO_CITY; i <= COUNT_UNCONFIRMED; i++) {
        int64_t readers = recent(r, i, 60);
        withheld += readers;
        if (readers > most) {
            most = readers;
            reason = status_counters[i].name;
        }
    }
    if (looked_up >= FEW_READERS && withheld * 20 >= looked_up)
        add_finding(r, STATUS_NOTE,
                    "No city is named for %lld\u00a0%% of readers\n"
                    "no database knows it well enough, mostly for the reason %s\n"
                    "they are invited to choose it",
                    (long long)(100 * withheld / looked_up), reason);
}

static void judge_database(struct status_report *r, const struct place_database *database)
{
    if (!database->loaded)
        add_finding(r, STATUS_DEGRADED, "A city database cannot be loaded\n%.60s: %.160s", database->label,
                    database->refusal);
    else if (!database->reload_ok)
        add_finding(r, STATUS_DEGRADED,
                    "A city database was not replaced\n%.60s: %.160s\nthe one of %s goes on serving",
                    database->label, database->refusal, WHEN(r, database->loaded_s));
    if (database->old)
        add_finding(r, STATUS_DEGRADED,
                    "A city database is %lld days old\n%.60s has not been replaced\n"
                    "make geoip fetches a new one",
                    (long long)(r->now_s - database->built_s) / 86400, database->label);
}

static void judge_places(struct status_report *r)
{
    note_withheld(r);
    size_t loaded = 0, with_radii = 0;
    for (size_t i = 0; i < r->database_count; i++) {
        loaded += r->databases[i].loaded;
        with_radii += r->databases[i].has_radii;
        judge_database(r, &r->databases[i]);
    }
    if (loaded == 0)
        add_finding(r, STATUS_BAD, "No city database is loaded\n\nuntil one is, readers get no city");
    else if (with_radii == 0)
        add_finding(r, STATUS_NOTE, "No city database has radii\n\ngeoip.max_radius has no effect");
}

/* Another provider that answers; NULL: none. */
static const struct weather_upstream *fallback_provider(const struct status_report *r,
                                                        const struct weather_upstream *upstream)
{
    for (size_t i = 0; i < r->upstream_count; i++) {
        const struct weather_upstream *other = &r->upstreams[i];
        if (other != upstream && other->last_success_s > 0 && !other->failing_since_s && !other->next_try_s)
            return other;
    }
    return NULL;
}

bool status_earth_answers(const struct status_report *r)
{
    return r->earth.report.run_s > 0 && r->now_s >= r->earth.report.first_s &&
           r->now_s <= r->earth.report.last_s;
}

/* The longest window of which at most a tenth is left; NULL: none. */
static const struct weather_window *scarcest(const struct weather_upstream *upstream)
{
    size_t i = upstream->window_count;
    while (i > 0 && upstream->windows[i - 1].remaining * 10 > upstream->windows[i - 1].limit)
        i--;
    return i > 0 ? &upstream->windows[i - 1] : NULL;
}

/* Appends what readers get while a provider gives nothing. */
static void write_meanwhile(const struct status_report *r, const struct weather_upstream *upstream,
                            struct text *out)
{
    const struct weather_upstream *other = fallback_provider(r, upstream);
    if (other)
        text_format(out, "%s answers in its place, ", other->name);
    else if (status_earth_answers(r))
        text_string(out, "the whole earth's model takes over as its curves age, ");
    else if (r->curves_until_s > 0)
        text_format(out, "its curves serve until %s, ", WHEN(r, r->curves_until_s));
}

/* Finds what is wrong with a provider, what readers get meanwhile, and what the service does next. Where the
 * whole earth's model answers, a budget that is spent is no more than that. */
static void judge_upstream(struct status_report *r, const struct weather_upstream *upstream,
                           enum status_level level)
{
    const struct weather_window *window = scarcest(upstream);
    bool failing = upstream->failing_since_s > 0;
    if (!failing && !window)
        return;
    char fact[STATUS_FACT], then[STATUS_SENTENCE];
    struct text next = text_init(then, sizeof then);
    if (failing)
        snprintf(fact, sizeof fact, "%s failing since %s", upstream->name,
                 WHEN(r, upstream->failing_since_s));
    else if (window->remaining == 0)
        snprintf(fact, sizeof fact, "%s has spent its %lld requests for the %s", upstream->name,
                 (long long)window->limit, window->name);
    else {
        snprintf(fact, sizeof fact, "%s: %lld of the %s's %lld requests left", upstream->name,
                 (long long)window->remaining, window->name, (long long)window->limit);
        text_string(&next, "they are kept for new cells, ");
    }
    write_meanwhile(r, upstream, &next);
    if (!failing)
        text_format(&next, "new budget at %s", WHEN(r, window->reset_s));
    else if (upstream->next_try_s > 0)
        text_format(&next, "asked again at %s", WHEN(r, upstream->next_try_s));
    else if (r->cells_in_flight > 0)
        text_string(&next, "being asked again");
    else if (r->retry_s > 0)
        text_format(&next, "asked again at %s", WHEN(r, r->retry_s));
    else
        text_string(&next, "asked again when a cell is due");
    bool spared = !failing && level == STATUS_DEGRADED && status_earth_answers(r);
    add_finding(r, spared ? STATUS_NOTE : level, "%s\n%s\n%s", fact, failing ? upstream->last_failure : "",
                then);
}

/* Appends what the service does about a model that is missing or old. */
static void write_next_run(const struct status_report *r, struct text *out)
{
    const struct earth_report *earth = &r->earth.report;
    if (earth->run_s > 0 && r->now_s <= earth->last_s)
        text_format(out, "its numbers last until %s, ", WHEN(r, earth->last_s));
    if (earth->stopped)
        text_string(out, "no other is fetched today");
    else if (earth->loading_s > 0)
        text_format(out, "that of %s is being loaded (fields: %lld of %d)", WHEN(r, earth->loading_s),
                    (long long)r->earth.loading_fields, STATUS_EARTH_FIELDS);
    else
        text_string(out, "the next is being asked for");
}

/* Finds what is wrong with the run of the model. `level`: of readers without a number. */
static void judge_run(struct status_report *r, enum status_level level)
{
    const struct earth_report *earth = &r->earth.report;
    char then[STATUS_SENTENCE], when[STATUS_WHEN_BYTES] = "";
    struct text next = text_init(then, sizeof then);
    enum status_level without = level > STATUS_WELL ? level : STATUS_NOTE; /* where there is no run yet */
    const char *fact;
    if (!earth->grid) {
        add_finding(r, r->upstream_count > 0 || status_earth_answers(r) ? without : STATUS_BAD,
                    "The whole earth's model cannot be read\nthe program masthead-grib is not installed\n"
                    "install it; earth.grid = no does without");
        return;
    }
    if (earth->run_s == 0) {
        fact = "No run of the whole earth's model has come yet";
        level = earth->failure[0] && without == STATUS_NOTE ? STATUS_DEGRADED : without;
    } else if (r->now_s > earth->last_s) {
        fact = "The whole earth's model ended at ";
        status_when(earth->last_s, r->now_s, when);
        level = r->upstream_count > 0 ? STATUS_DEGRADED : STATUS_BAD;
    } else if (r->now_s - earth->run_s > FIELDS_STALE_S) {
        fact = "The whole earth's model is stale: of ";
        status_when(earth->run_s, r->now_s, when);
        level = STATUS_DEGRADED;
    } else if (r->now_s > earth->expected_s + LATE_S) {
        fact = "A run of the whole earth's model is late";
        level = STATUS_DEGRADED;
    } else
        return;
    write_next_run(r, &next);
    if (earth->failure[0] || earth->run_s == 0)
        add_finding(r, level, "%s%s\n%s\n%s", fact, when, earth->failure, then);
    else
        add_finding(r, level, "%s%s\nthe next run was expected at %s\n%s", fact, when,
                    WHEN(r, earth->expected_s), then);
}

static void judge_airports(struct status_report *r)
{
    const struct earth_report *earth = &r->earth.report;
    int64_t out = r->earth.old + r->earth.off;
    bool unread = earth->metar_failure[0] && r->now_s - earth->metar_s > UNREAD_S;
    if (unread && earth->metar_s == 0)
        add_finding(r, STATUS_DEGRADED, "The airports' reports cannot be read\n%s\nread again at %s",
                    earth->metar_failure, WHEN(r, earth->metar_expected_s));
    else if (unread)
        add_finding(r, STATUS_DEGRADED, "The airports' reports are of %s\n%s\nread again at %s",
                    WHEN(r, earth->metar_s), earth->metar_failure, WHEN(r, earth->metar_expected_s));
    if (out > r->earth.used)
        add_finding(
            r, STATUS_DEGRADED,
            "Only %lld of %lld airports correct the model\n%lld reports are too old, %lld too far off",
            (long long)r->earth.used, (long long)(r->earth.used + out), (long long)r->earth.old,
            (long long)r->earth.off);
}

static void judge_earth(struct status_report *r, enum status_level level)
{
    const struct earth_report *earth = &r->earth.report;
    if (!r->earth.wanted)
        return;
    judge_run(r, level);
    if (earth->run_s > 0 && r->earth.missing > 0 && earth->loading_s != earth->run_s)
        add_finding(r, STATUS_NOTE, "The whole earth's model lacks %lld of its %d fields",
                    (long long)r->earth.missing, STATUS_EARTH_FIELDS);
    if (earth->stopped)
        add_finding(r, STATUS_DEGRADED,
                    "The whole earth has taken %lld MB today\n\nit gets no more until 00:00 UTC tomorrow",
                    (long long)earth->bytes_today / 1000000);
    if (earth->metar)
        judge_airports(r);
}

/* Finds why readers see no number: a provider, or else the state of their cells. */
static void judge_weather(struct status_report *r)
{
    struct shown shown = answers_in(r, RECENT_MINUTES);
    enum status_level level = level_of(&shown);
    for (size_t i = 0; i < r->upstream_count; i++)
        judge_upstream(r, &r->upstreams[i], level == STATUS_WELL ? STATUS_DEGRADED : level);
    judge_earth(r, level);
    if (level == STATUS_WELL || (r->finding_count > 0 && r->findings[0].level >= level))
        return;
    if (status_earth_answers(r))
        add_finding(r, level, "The whole earth's model has come since\n\nit answers wherever they are");
    else if (r->cells_in_flight > 0)
        add_finding(r, level, "Their weather is being fetched (cells under way: %lld)",
                    (long long)r->cells_in_flight);
    else if (r->retry_s > 0)
        add_finding(r, level, "Fetching their weather has failed\n\nfetched again at %s",
                    WHEN(r, r->retry_s));
    else
        add_finding(r, level, "Their weather has come since, or comes when they ask again");
}

static void judge_machine(struct status_report *r)
{
    int64_t jumped_at_s = r->history.jumped_at_s, jump_s = r->history.jump_s;
    if (r->draining)
        add_finding(r, STATUS_DEGRADED, "Draining: the service is about to end");
    if (!r->reload_ok)
        add_finding(r, STATUS_DEGRADED,
                    "The last reload was refused\n%s, see the log\n"
                    "the old configuration is in force until a SIGHUP succeeds",
                    r->reload_refusal);
    if (r->weather.snapshot_error[0])
        add_finding(r, STATUS_DEGRADED, "The snapshot cannot be written\n%s\na restart would be cold",
                    r->weather.snapshot_error);
    if (r->weather.fleet.failing)
        add_finding(r, STATUS_DEGRADED,
                    "The fleet's Redis is of no use\n%s\nthis instance fetches as if it were alone",
                    r->weather.fleet.failure);
    if (jumped_at_s > 0 && llabs(r->now_s - jumped_at_s) < JUMP_RECENT_S)
        add_finding(r, STATUS_DEGRADED, "Clock set %s by %lld s at %s", jump_s > 0 ? "forward" : "back",
                    llabs(jump_s), WHEN(r, jumped_at_s));
    if (r->dev)
        add_finding(r, STATUS_NOTE, "Developer mode: anyone may fake readers and move the clock");
    if (r->simulated)
        add_finding(r, STATUS_NOTE, "The weather is simulated");
    if (r->keyless)
        add_finding(r, STATUS_NOTE,
                    "Open-Meteo's free host is for non-commercial use\n"
                    "a site with ads or subscriptions is commercial\nset weather.open_meteo_key_file");
}

/* Shares in tenths of a percent, which add up to 1000: 1000 only for all, 0 only for none. The largest takes
 * what rounding leaves. */
static void percentages(const struct shown *shown, int64_t tenths[SHOWN])
{
    int64_t left = 1000;
    size_t largest = 0;
    for (size_t i = 0; i < SHOWN; i++) {
        int64_t some = shown->readers[i], rounded = (2000 * some + shown->all) / (2 * shown->all);
        tenths[i] = some > 0 && rounded == 0 ? 1 : rounded;
        left -= tenths[i];
        largest = some > shown->readers[largest] ? i : largest;
    }
    tenths[largest] += left;
}

static void write_shares(const struct shown *shown, struct text *out)
{
    static const struct {
        const char *before, *after;
    } parts[] = {[COUNT_FRESH] = {"Fresh for", " of readers in the last 5 minutes"},
                 [COUNT_STALE] = {", stale for", ""},
                 [COUNT_PLACE] = {", without a number for", ""},
                 [COUNT_UNKNOWN] = {", without a known place for", ""}};
    int64_t tenths[SHOWN];
    percentages(shown, tenths);
    for (size_t i = 0; i < SHOWN; i++) {
        if (tenths[i] == 0 && i != COUNT_FRESH)
            continue;
        text_format(out, tenths[i] % 10 ? "%s %lld.%lld\u00a0%%" : "%s %lld\u00a0%%", parts[i].before,
                    (long long)tenths[i] / 10, (long long)tenths[i] % 10);
        text_string(out, parts[i].after);
    }
}

void status_judge(struct status_report *r)
{
    struct text readers = text_init(r->readers, sizeof r->readers);
    struct text verdict = text_init(r->verdict, sizeof r->verdict);
    struct text cause = text_init(r->cause, sizeof r->cause);
    struct text next = text_init(r->next, sizeof r->next);
    struct shown shown = answers_in(r, RECENT_MINUTES);
    enum status_level without = level_of(&shown);
    const struct status_finding *first = r->findings;
    r->finding_count = 0;
    judge_weather(r);
    judge_places(r);
    judge_readers(r);
    judge_machine(r);
    bool wrong = r->finding_count > 0 && first->level > STATUS_NOTE;
    r->level = wrong ? first->level : STATUS_WELL;
    if (shown.all > 0)
        write_shares(&shown, &readers);
    else
        text_format(&readers, "No readers in the last 5 minutes, %lld in the last hour",
                    (long long)answers_in(r, 60).all);
    if (!wrong) {
        text_string(&verdict, none_saw_number(&shown) ? "Too few readers to judge by" : "All is well");
    } else if (without > STATUS_WELL && without >= first->level) {
        text_format(&verdict, "No temperature for %lld\u00a0%% of readers",
                    (long long)(100 * shown.readers[COUNT_PLACE] / shown.all));
        text_format(&cause, first->cause[0] ? "%s: %s" : "%s", first->fact, first->cause);
    } else {
        text_string(&verdict, first->fact);
        text_string(&cause, first->cause);
    }
    text_string(&next, wrong ? first->next : "");
}
