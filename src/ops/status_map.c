/* The map of the status page: the temperature of the whole earth in colours, airports, and the cells that
 * readers asked for. */
#include "ops/status.h"

#include <stdlib.h>

/* A class has a colour and begins where the one before ends; status.css has a rule for each. */
#define CLASSES     16
#define FIRST_CDEG  (-3000) /* where the second one begins */
#define CLASS_CDEG  500
#define LABEL_EVERY 2
#define NORTH_ROWS  4  /* rows of temperature north of the map: 12 degrees */
#define MAP_ROWS    45 /* and those on it */

static int class_of(int16_t cdeg)
{
    int above = cdeg - FIRST_CDEG;
    int class = above < 0 ? 0 : 1 + above / CLASS_CDEG;
    return class < CLASSES ? class : CLASSES - 1;
}

/* Writes the rectangles of a class, those side by side as one. */
static void write_class(const struct status_report *report, int class, struct text *out)
{
    text_format(out, "<path class=\"t%d\" d=\"M0 0", class);
    for (int row = 0; row < MAP_ROWS; row++) {
        const int16_t *cdeg = report->cdeg[row + NORTH_ROWS];
        for (int column = 0, next; column < STATUS_MAP_COLUMNS; column = next) {
            next = column;
            while (next < STATUS_MAP_COLUMNS && cdeg[next] != GRID_NO_TEMPERATURE &&
                   class_of(cdeg[next]) == class)
                next++;
            if (next > column)
                text_format(out, "M%d %dh%dv%dH%dz", column * STATUS_MAP_UNITS, row * STATUS_MAP_UNITS,
                            (next - column) * STATUS_MAP_UNITS, STATUS_MAP_UNITS, column * STATUS_MAP_UNITS);
            else
                next++;
        }
    }
    text_string(out, "\"/>");
}

/* Writes the marks of stations that are off, as crosses. */
static void write_crosses(const struct status_report *report, struct text *out)
{
    for (int y = 0; y < WORLD_MAP_HEIGHT; y++)
        for (int x = 0; x < WORLD_MAP_WIDTH; x++)
            if (report->stations[y][x] == STATUS_STATION_OFF)
                text_format(out, "M%d %dl3 3m0-3l-3 3", x - 1, y - 1);
}

static void write_stations(const struct status_report *report, struct text *out)
{
    text_string(out, "<path class=\"station\" d=\"M0 0");
    world_map_dots(report->stations, STATUS_STATION_USED, out);
    text_string(out, "\"/><path class=\"station off\" d=\"M0 0");
    write_crosses(report, out);
    text_string(out, "\"/>");
}

/* Writes the cells, the worst on top, each with a rim that sets it off from what is below. */
static void write_cells(const struct status_report *report, struct text *out)
{
    for (size_t state = WEATHER_FRESH; state < STATUS_CELL_STATES; state++) {
        text_format(out, "<g class=\"dot %s\"><path id=\"cells%zu\" d=\"M0 0",
                    weather_state_names[WEATHER_OF_CELL][state], state);
        world_map_dots(report->map, (uint8_t)state, out);
        text_format(out, "\"/><use href=\"#cells%zu\"/></g>", state);
    }
}

/* Writes the coldest and the hottest of the temperatures on the map. */
static void write_range(const struct status_report *report, struct text *out)
{
    int16_t coldest = INT16_MAX, hottest = INT16_MIN;
    const int16_t *first = report->cdeg[NORTH_ROWS];
    for (const int16_t *cdeg = first; cdeg < first + MAP_ROWS * STATUS_MAP_COLUMNS; cdeg++) {
        if (*cdeg == GRID_NO_TEMPERATURE)
            continue;
        coldest = *cdeg < coldest ? *cdeg : coldest;
        hottest = *cdeg > hottest ? *cdeg : hottest;
    }
    text_format(out, "%.0f to %.0f °C", coldest / 100.0, hottest / 100.0);
}

static void write_degrees(int degrees, struct text *out)
{
    text_format(out, "%s%d°", degrees < 0 ? "−" : "", abs(degrees));
}

static void write_scale(struct text *out)
{
    text_format(out,
                "<p class=\"scale\" role=\"img\" aria-label=\"Colours from below %d °C, dark, to above %d "
                "°C, light\">",
                FIRST_CDEG / 100, (FIRST_CDEG + (CLASSES - 2) * CLASS_CDEG) / 100);
    for (int class = 0; class < CLASSES; class ++) {
        text_format(out, "<span class=\"t%d\">", class);
        if (class % LABEL_EVERY > 0)
            write_degrees((FIRST_CDEG + (class - 1) * CLASS_CDEG) / 100, out);
        text_string(out, "</span>");
    }
    text_string(out, "</p>\n");
}

static void write_keys(const struct status_report *report, struct text *out)
{
    const struct status_earth *earth = &report->earth;
    text_string(out, "<p>Cells: ");
    for (size_t state = WEATHER_FRESH; state < STATUS_CELL_STATES; state++)
        text_format(out, "<span class=\"key %1$s\">%1$s %2$lld</span> ",
                    weather_state_names[WEATHER_OF_CELL][state], (long long)report->cells[state]);
    if (earth->used + earth->off > 0)
        text_format(out,
                    "Airports: <span class=\"key station\">used %lld</span> <span class=\"key station "
                    "off\">too far off %lld</span>",
                    (long long)earth->used, (long long)earth->off);
    text_string(out, "</p>\n");
}

void status_map(const struct status_report *report, struct text *out)
{
    bool earth = status_earth_answers(report);
    char when[STATUS_WHEN_BYTES];
    text_format(
        out,
        "<section class=\"world\">\n<h2 id=\"map\">%s</h2>\n<p>Each coloured dot holds cells of weather, "
        "shared by all readers in them: cells are not readers. Faint dots are cities.",
        earth ? "The earth, and cells on it" : "Cells on the map");
    if (earth)
        text_format(out, " The colours are the temperature that the model has for %s.",
                    status_when(report->now_s, report->now_s, when));
    text_format(
        out,
        "</p>\n<svg class=\"map%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"World map of %lld cells",
        earth ? " earth" : "", WORLD_MAP_WIDTH, WORLD_MAP_HEIGHT, (long long)report->cell_count);
    if (earth) {
        text_format(out, " and %lld airports, over temperatures of ", (long long)report->earth.used);
        write_range(report, out);
    }
    text_string(out, "\">");
    for (int class = 0; earth && class < CLASSES; class ++)
        write_class(report, class, out);
    text_format(out, "<image href=\"/status/map.svg\" width=\"%d\" height=\"%d\"/>", WORLD_MAP_WIDTH,
                WORLD_MAP_HEIGHT);
    if (earth)
        write_stations(report, out);
    write_cells(report, out);
    text_string(out, "</svg>\n");
    if (earth)
        write_scale(out);
    write_keys(report, out);
    text_string(out, "</section>\n");
}
