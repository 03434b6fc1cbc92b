#include "ops/status.h"

#define PLOT_WIDTH  480
#define PLOT_HEIGHT 72

/* What fills the time before the process began, in all plots. */
#define HATCHING                                                                                  \
    "<svg class=\"hidden\" aria-hidden=\"true\"><pattern id=\"before\" width=\"6\" height=\"6\" " \
    "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path d=\"M0 "               \
    "0h2v6H0z\"/></pattern></svg>\n"

/* Writes the one row of a table, a line for each fact. */
static void write_record(const struct status_report *report, const struct table *table, struct text *out)
{
    text_string(out, "<dl>\n");
    for (size_t c = 0; c < table->column_count; c++) {
        text_format(out, "<div><dt>%s</dt><dd>", table->columns[c].heading);
        status_write_field(report, &table->columns[c], (const char *)report, true, out);
        text_string(out, "</dd></div>\n");
    }
    text_string(out, "</dl>\n");
}

static void write_rows(const struct status_report *report, const struct table *table, struct text *out)
{
    text_string(out, "<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>");
    for (size_t c = 0; c < table->column_count; c++)
        text_format(out, "<th scope=\"col\">%s</th>", table->columns[c].heading);
    text_string(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < status_rows(report, table); i++) {
        text_string(out, "<tr>");
        for (size_t c = 0; c < table->column_count; c++) {
            text_string(out, c == 0 ? "<th scope=\"row\">" : "<td>");
            status_write_field(report, &table->columns[c], status_row(report, table, i), true, out);
            text_string(out, c == 0 ? "</th>" : "</td>");
        }
        text_string(out, "</tr>\n");
    }
    text_string(out, "</tbody></table></div>\n");
}

static void write_table(const struct status_report *report, const struct table *table, struct text *out)
{
    size_t rows = status_rows(report, table);
    if (rows == 0 && table->row_bytes == 0)
        return;
    text_format(out, "<section class=\"%1$s\">\n<h2 id=\"%1$s\">%2$s</h2>\n", table->key, table->heading);
    if (table->note && rows > 0)
        text_format(out, "<p>%s</p>\n", table->note);
    if (table->row_bytes == 0)
        write_record(report, table, out);
    else if (rows == 0)
        text_format(out, "<p>%s</p>\n", table->none);
    else
        write_rows(report, table, out);
    text_string(out, "</section>\n");
}

/* The bars show the growth of counters, stacked; a mean; or the budget's level. */
enum plot_kind { PLOT_COUNTS, PLOT_MEAN, PLOT_LEVEL };

/* clang-format off */
static const struct plot {
    const char *heading, *unit; /* of the highest bar */
    enum plot_kind kind;
    bool of_apis; /* shown where there are some */
    size_t series_count;
    struct {
        enum status_counter counter;
        const char *class, *label;
    } series[4];
} plots[] = {
    {"Readers", "", PLOT_COUNTS, false, 4,
     {{COUNT_FRESH, "fresh", "fresh"}, {COUNT_STALE, "stale", "stale"}, {COUNT_PLACE, "none", "no number"},
      {COUNT_UNKNOWN, "unknown", "no place"}}},
    {"Lookups of cells", "", PLOT_COUNTS, false, 4,
     {{COUNT_HIT, "fresh", "hit"}, {COUNT_STALE_HIT, "stale", "stale"}, {COUNT_MISS, "miss", "miss"},
      {COUNT_NEGATIVE, "none", "negative"}}},
    {"Requests to weather APIs", "", PLOT_COUNTS, true, 2,
     {{COUNT_ANSWERED, "fresh", "answered"}, {COUNT_FAILED, "none", "failed"}}},
    {"Time a request took, mean", "\u00a0ms", PLOT_MEAN, true, 1, {{COUNT_TAKEN_MS, "miss", "ms"}}},
    {"Budget left, first provider", "\u00a0%", PLOT_LEVEL, true, 1, {{COUNT_ANSWERED, "fresh", "%"}}},
};
/* clang-format on */

static double value_of(const struct plot *plot, size_t series, const struct history_slot *slot)
{
    uint64_t requests = slot->grown[COUNT_ANSWERED] + slot->grown[COUNT_FAILED];
    switch (plot->kind) {
    case PLOT_MEAN:
        return requests > 0 ? (double)slot->grown[COUNT_TAKEN_MS] / (double)requests : 0;
    case PLOT_LEVEL:
        return slot->level_percent > 0 ? slot->level_percent : 0;
    default:
        return (double)slot->grown[plot->series[series].counter];
    }
}

/* The height of the bars below a series. */
static double below(const struct plot *plot, size_t series, const struct history_slot *slot)
{
    double sum = 0;
    for (size_t i = 0; i < series; i++)
        sum += value_of(plot, i, slot);
    return sum;
}

static void write_bars(const struct plot *plot, size_t series, const struct history_slot *slots, size_t count,
                       double highest, struct text *out)
{
    double width = (double)PLOT_WIDTH / (double)count, scale = highest > 0 ? PLOT_HEIGHT / highest : 0;
    text_format(out, "<path class=\"%s\" d=\"M0 0", plot->series[series].class);
    for (size_t i = 0; i < count; i++) {
        double height = value_of(plot, series, &slots[i]) * scale;
        if (height > 0)
            text_format(out, "M%.4g %.4gh%.3gv-%.4gh-%.3gz", (double)i * width,
                        PLOT_HEIGHT - below(plot, series, &slots[i]) * scale, width - 1, height, width - 1);
    }
    text_string(out, "\"/>");
}

static void write_legend(const struct plot *plot, const struct history_slot *slots, size_t count,
                         struct text *out)
{
    for (size_t series = 0; plot->kind == PLOT_COUNTS && series < plot->series_count; series++) {
        double sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += value_of(plot, series, &slots[i]);
        text_format(out, " <span class=\"key %s\">%s %.0f</span>", plot->series[series].class,
                    plot->series[series].label, sum);
    }
}

static void write_plot(const struct status_report *report, const struct plot *plot, enum history_span span,
                       struct text *out)
{
    const struct history_ring *ring = &history_rings[span];
    const struct history_slot *slots = report->history.slots[span];
    size_t before = 0; /* slots that ended before the process began */
    double highest = plot->kind == PLOT_LEVEL ? 100 : 0;
    char begin[STATUS_WHEN_BYTES], start[STATUS_WHEN_BYTES];
    for (size_t i = 0; i < ring->slots; i++) {
        double height = below(plot, plot->series_count, &slots[i]);
        highest = height > highest ? height : highest;
        before += !slots[i].known;
    }
    int64_t begins_s = report->history.ends_s[span] - ring->slot_s * (int64_t)ring->slots;
    status_when(begins_s, report->now_s, begin);
    status_when(report->started_s, report->now_s, start);
    text_format(out, "<figure><figcaption><b>%s</b> <i>%s</i>", plot->heading, ring->heading);
    write_legend(plot, slots, ring->slots, out);
    if (before > 0)
        text_format(out, " <span class=\"key before\">not running before %s</span>", start);
    text_format(
        out,
        "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s, %s: up to %.0f%s%s%s\">"
        "<rect fill=\"url(#before)\" width=\"%zu\" height=\"%d\"/>",
        PLOT_WIDTH, PLOT_HEIGHT, plot->heading, ring->heading, highest, plot->unit,
        before > 0 ? "; not running before " : "", before > 0 ? start : "", before * PLOT_WIDTH / ring->slots,
        PLOT_HEIGHT);
    for (size_t series = 0; series < plot->series_count; series++)
        write_bars(plot, series, slots, ring->slots, highest, out);
    text_format(
        out,
        "</svg>\n<p class=\"axis\"><span>%s</span><span>up to %.0f%s</span><span>now</span></p></figure>\n",
        begin, highest, plot->unit);
}

/* Writes a line of its own for a cause or a next step, where there is one. */
static void write_line(const char *label, const char *words, struct text *out)
{
    if (!words[0])
        return;
    text_format(out, "<p><b>%s</b> ", label);
    text_html(out, words);
    text_string(out, "</p>\n");
}

/* Writes the findings, without the first where the verdict tells it. */
static void write_findings(const struct status_report *report, struct text *out)
{
    size_t first = report->level == STATUS_WELL ? 0 : 1;
    if (report->finding_count <= first)
        return;
    text_string(out, "<ul class=\"findings\">\n");
    for (size_t i = first; i < report->finding_count; i++) {
        const struct status_finding *finding = &report->findings[i];
        text_format(out, "<li class=\"%1$s\"><span class=\"level\">%1$s</span> ",
                    status_level_names[finding->level]);
        text_html(out, finding->fact);
        write_line("Cause", finding->cause, out);
        write_line("Next", finding->next, out);
        text_string(out, "</li>\n");
    }
    text_string(out, "</ul>\n");
}

static void write_head(const struct status_report *report, struct text *out)
{
    char now[CLOCK_RFC3339_BYTES];
    clock_format(report->now_s, now);
    text_string(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    text_html(out, report->verdict);
    text_format(out,
                "</title>\n<link rel=\"stylesheet\" href=\"/status/pages.css\">\n<link rel=\"stylesheet\" "
                "href=\"/status.css\">\n<link rel=\"icon\" "
                "href=\"/status/icon.svg\">\n</head>\n<body class=\"%1$s\">\n<header>\n<p><span "
                "class=\"level\">%1$s</span> Masthead, as of %2$s</p>\n<h1>",
                status_level_names[report->level], now);
    text_html(out, report->verdict);
    text_string(out, "</h1>\n");
    write_line("Cause", report->cause, out);
    write_line("Next", report->next, out);
    write_line("Readers", report->readers, out);
    write_findings(report, out);
    text_format(out,
                "<nav aria-label=\"Other forms\"><a href=\"/status.json\">the same as JSON</a> "
                "<a href=\"/metrics\">metrics</a> <a href=\"/status%s\">%s</a></nav>\n</header>\n<main>\n",
                report->still ? "" : "?refresh=no", report->still ? "refresh by itself" : "stop refreshing");
}

void status_html(const struct status_report *report, struct text *out)
{
    write_head(report, out);
    text_string(out, "<section class=\"plots\">\n<h2 id=\"seen\">What readers saw</h2>\n" HATCHING);
    for (size_t i = 0; i < sizeof plots / sizeof plots[0]; i++)
        for (enum history_span span = 0; span < HISTORY_SPANS; span++)
            if ((!plots[i].of_apis || report->upstream_count > 0) &&
                (plots[i].kind != PLOT_LEVEL || span == HISTORY_DAY)) /* in an hour a level hardly moves */
                write_plot(report, &plots[i], span, out);
    text_string(out, "</section>\n");
    status_map(report, out);
    for (size_t i = 0; i < status_table_count; i++)
        write_table(report, &status_tables[i], out);
    text_string(out, "</main>\n</body>\n</html>\n");
}
