#include "weather/earth/earth_metrics.h"

#include "base/metrics.h"

#include <stdatomic.h>

enum { REQUEST_OK, REQUEST_FAILED, REQUEST_ENDS };
static const char *const source_names[EARTH_SOURCES] = {[EARTH_MODEL] = "gfs", [EARTH_AIRPORTS] = "metar"};
static const char *const request_ends[REQUEST_ENDS] = {"ok", "failed"};
static atomic_uint_fast64_t received[EARTH_SOURCES];

enum { RUN, STATIONS, ERROR_KELVIN, MISSING, STOPPED, REQUESTS, BYTES, ROWS };
static metric_collector collect;
static struct metric rows[ROWS] = {
    [RUN] = GAUGE("masthead_earth_run_timestamp_seconds", "Time of the model's run that is read, 0 for none.",
                  collect),
    [STATIONS] = GAUGE("masthead_earth_stations", "Airports whose reports correct the model.", collect),
    [ERROR_KELVIN] = GAUGE("masthead_earth_error_kelvin",
                           "By how much airports' reports differ from what readers there would be shown "
                           "without them: root of the mean square.",
                           collect),
    [MISSING] = GAUGE("masthead_earth_fields_missing", "Fields that the model's run lacks: all without one.",
                      collect),
    [STOPPED] =
        GAUGE("masthead_earth_stopped",
              "Whether that has taken what it may in a day, so that nothing more is fetched.", collect),
    [REQUESTS] =
        COUNTER("masthead_earth_requests_total", "Requests for the weather of the whole earth.",
                .labels = {{"source", source_names, EARTH_SOURCES}, {"outcome", request_ends, REQUEST_ENDS}}),
    [BYTES] = COUNTER("masthead_earth_received_bytes_total", "Bytes received by them.",
                      .labels = {{"source", source_names, EARTH_SOURCES}}, .collect = collect),
};

static void collect(void *context, size_t row, struct metric_samples *samples)
{
    struct earth_report report;
    earth_report(context, &report);
    const double values[ROWS] = {[RUN] = (double)report.run_s,
                                 [STATIONS] = (double)report.stations.used,
                                 [ERROR_KELVIN] = report.error.rms_kelvin,
                                 [MISSING] = report.missing,
                                 [STOPPED] = report.stopped};
    for (size_t i = 0; row == BYTES && i < EARTH_SOURCES; i++)
        metric_sample(samples, (double)atomic_load(&received[i]), source_names[i], NULL);
    if (row != BYTES && (row != ERROR_KELVIN || report.error.stations > 0))
        metric_value(samples, values[row]);
}

void earth_register_metrics(struct earth *earth)
{
    metrics_register(rows, ROWS, earth);
}

void earth_count(enum earth_source source, bool good, size_t bytes)
{
    metric_add(&rows[REQUESTS], source, good ? REQUEST_OK : REQUEST_FAILED);
    atomic_fetch_add(&received[source], bytes);
}
