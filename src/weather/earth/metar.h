/* The world's airport reports: reads the file of current METARs that NOAA's Aviation Weather Center
 * publishes, https://aviationweather.gov/data/cache/metars.cache.csv.gz, into the newest report of each
 * station. It has about 280 kB, 3.5 MB plain, is rewritten each minute, and holds the reports of the last 80
 * minutes or so, the newest first. Every byte may be hostile.
 *
 * What is known of the file, from rows of the live one of September 2026 and of its predecessor (ADDS, until
 * 2023) that public users keep in their tests:
 *
 * - 44 columns, named in a header line, before which ADDS had status lines ("No errors", "4 ms"). Columns are
 *   found by name; sky_cover is there four times.
 * - Raw texts are quoted, a few hold commas, and some hold bytes of Latin-1. A record is a line here, so that
 *   a quote without its twin damages nothing but its own line.
 * - Times end in ".000Z"; those of ADDS in "Z".
 * - A station without a known position stands at -99.99, -99.99 or has an empty coordinate; one without a
 *   known height has 9999.
 * - Temperatures are whole degrees; stations in the USA say tenths in the remarks ("T01830094"), which are
 *   read.
 * - A clear sky has no sky_cover: only the raw text tells it (CLR, SKC, NCD; CAVOK and NSC, which say nothing
 *   of high clouds).
 * - A station that does not observe the weather says so by "//" in the raw text, AO1, PWINO, or the column
 *   present_weather_sensor_off: its silence tells nothing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define METAR_FILE_MAX_BYTES (16 << 20) /* unpacked */
#define METAR_STATIONS_MAX   16384      /* the world has about 5,000 that report */
#define METAR_ROWS_MAX       65536      /* rows of the file that are kept while it is read */
#define METAR_ID_BYTES       8
#define METAR_AHEAD_S        600 /* what was observed later than that from now is not believed */

/* Codes of WMO table 4677 that no weather model has, for what hides the sun of Indian winters. A rain or a
 * fog that is reported together with them goes before them. */
#define METAR_SMOKE 4 /* FU */
#define METAR_HAZE  5 /* HZ */
#define METAR_DUST  6 /* DU, SA, DS, SS */

#define METAR_NO_CONDITION (-1)
#define METAR_NO_CLOUD     (-1)

struct station_report {
    char id[METAR_ID_BYTES];   /* ICAO's or a national one, 3 to 7 of A-Z and 0-9; NUL-terminated */
    float latitude, longitude; /* degrees, within -90..90 and -180..180 */
    float height_m;            /* above the sea; NAN: not known */
    float celsius;             /* always a believable number (CURVE_COLDEST_CDEG, CURVE_HOTTEST_CDEG) */
    int64_t observed_s;        /* Unix time */

    /* The present weather: a code of WMO table 4677 (as `struct curve` has them, and the three above); where
     * no weather is reported by a station that would, 0 to 3 by the clouds. METAR_NO_CONDITION: not known. */
    int8_t condition;
    int8_t cloud_oktas; /* eighths of the sky that are covered; METAR_NO_CLOUD: not known */
};

struct metar_file {
    struct station_report *reports; /* by `id`, each once; NULL where there are none */
    size_t count;                   /* at most METAR_STATIONS_MAX */

    /* Of the file's rows: */
    size_t rows;      /* all, without header and what stands before it */
    size_t malformed; /* left out: without a usable id, time or temperature */
    size_t placeless; /* left out: without a usable position */
    size_t early;     /* left out: see METAR_AHEAD_S */
    size_t beyond;    /* left out: more rows or stations than are kept */
    /* The others are the newest of their station, or older ones, which are left out, too. */
};

/* Reads a file, packed by gzip or plain, as it is at `now_s` (Unix time). NULL, or what is wrong with the
 * file (static): no gzip that is whole and makes at most METAR_FILE_MAX_BYTES; no header line; out of memory.
 * A file with a header and without a usable row is right. In any case metar_free gives *out back.
 * Thread-safe. */
const char *metar_read(const char *bytes, size_t length, int64_t now_s, struct metar_file *out);

void metar_free(struct metar_file *);
