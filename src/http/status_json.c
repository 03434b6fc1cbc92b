#include "http/status.h"

static void write_table(const struct status_report *report, const struct table *table, struct text *out)
{
    bool list = table->row_bytes > 0;
    text_format(out, ",\n \"%s\":%s", table->key, list ? "[" : "");
    for (size_t i = 0; i < status_rows(report, table); i++) {
        text_string(out, i > 0 ? ",\n  " : "");
        for (size_t c = 0; c < table->column_count; c++) {
            text_format(out, "%s\"%s\":", c > 0 ? "," : "{", table->columns[c].key);
            status_write_fact(report, &table->columns[c], status_row(report, table, i), false, out);
        }
        text_string(out, "}");
    }
    text_string(out, list ? "]" : "");
}

/* What a counter grew by in each slot, or the level at its end; null where it is not known. */
static void write_series(const struct history_slot *slots, size_t count, size_t counter, struct text *out)
{
    bool level = counter == STATUS_COUNTERS;
    text_format(out, ",\n  \"%s\":", level ? "budget_percent" : status_counters[counter].name);
    for (size_t i = 0; i < count; i++) {
        text_string(out, i > 0 ? "," : "[");
        if (!slots[i].known || (level && slots[i].level_percent < 0))
            text_string(out, "null");
        else
            text_format(out, "%lld", level ? slots[i].level_percent : (long long)slots[i].grown[counter]);
    }
    text_string(out, "]");
}

void status_json(const struct status_report *report, struct text *out)
{
    text_format(out, "{\"level\":\"%s\",\n \"verdict\":", status_level_names[report->level]);
    text_json(out, report->verdict);
    text_string(out, ",\n \"findings\":[");
    for (size_t i = 0; i < report->finding_count; i++) {
        text_format(out, "%s{\"level\":\"%s\",\"text\":", i > 0 ? ",\n  " : "",
                    status_level_names[report->findings[i].level]);
        text_json(out, report->findings[i].sentence);
        text_string(out, "}");
    }
    text_string(out, "]");
    for (size_t i = 0; i < status_table_count; i++)
        write_table(report, &status_tables[i], out);
    for (size_t span = 0; span < HISTORY_SPANS; span++) {
        const struct history_ring *ring = &history_rings[span];
        char ends[CLOCK_RFC3339_BYTES];
        clock_format(report->history.ends_s[span], ends);
        text_format(out, ",\n \"last_%s\":{\"slot_s\":%lld,\"ends\":\"%s\"", ring->name,
                    (long long)ring->slot_s, ends);
        for (size_t counter = 0; counter <= STATUS_COUNTERS; counter++)
            write_series(report->history.slots[span], ring->slots, counter, out);
        text_string(out, "}");
    }
    text_string(out, "}\n");
}
