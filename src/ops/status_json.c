#include "ops/status.h"

#include "base/json.h"

static void write_table(const struct status_report *report, const struct table *table, struct text *out)
{
    bool list = table->row_bytes > 0;
    size_t rows = status_rows(report, table);
    json_write(out, list ? ",\n %s:[" : rows > 0 ? ",\n %s:" : ",\n %s:null", table->key);
    for (size_t i = 0; i < rows; i++) {
        json_write(out, list ? ",\n  {" : "{");
        for (size_t c = 0; c < table->column_count; c++) {
            json_write(out, ",%s:", table->columns[c].key);
            status_write_field(report, &table->columns[c], status_row(report, table, i), false, out);
        }
        text_string(out, "}");
    }
    text_string(out, list ? "]" : "");
}

/* What a counter grew by in each slot, or the level at its end; null where it is not known. */
static void write_series(const struct history_slot *slots, size_t count, size_t counter, struct text *out)
{
    bool level = counter == STATUS_COUNTERS;
    json_write(out, ",\n  %s:[", level ? "budget_percent" : status_counters[counter].name);
    for (size_t i = 0; i < count; i++) {
        int64_t value = level ? slots[i].level_percent : (int64_t)slots[i].grown[counter];
        json_write(out, ",%jd", slots[i].known && !(level && value < 0) ? value : JSON_NONE);
    }
    text_string(out, "]");
}

void status_json(const struct status_report *report, struct text *out)
{
    json_write(out, "{'level':%s,\n 'verdict':%s,\n 'cause':%s,\n 'next':%s,\n 'readers':%s,\n 'findings':[",
               status_level_names[report->level], report->verdict, report->cause, report->next,
               report->readers);
    for (size_t i = 0; i < report->finding_count; i++) {
        const struct status_finding *finding = &report->findings[i];
        json_write(out, ",\n  {'level':%s,'fact':%s,'cause':%s,'next':%s}",
                   status_level_names[finding->level], finding->fact, finding->cause, finding->next);
    }
    text_string(out, "]");
    for (size_t i = 0; i < status_table_count; i++)
        write_table(report, &status_tables[i], out);
    for (size_t span = 0; span < HISTORY_SPANS; span++) {
        const struct history_ring *ring = &history_rings[span];
        text_format(out, ",\n \"last_%s\":", ring->name);
        json_write(out, "{'slot_s':%jd,'ends':%td", ring->slot_s, report->history.ends_s[span]);
        for (size_t counter = 0; counter <= STATUS_COUNTERS; counter++)
            write_series(report->history.slots[span], ring->slots, counter, out);
        text_string(out, "}");
    }
    text_string(out, "}\n");
}
