/* Airports hold the model to the truth: from the newest reports and from what the model says for the same
 * stations, heights and instants, a field of corrections, and what the weather at a station is.
 *
 * A station's difference d is report minus model. The correction at a point and an instant is
 *
 *     sum of (w d f) / (v + sum of w),   w = (R² - r²) / (R² + r²)
 *
 * over the stations nearer than R: Cressman's weights of distance r ("An operational objective analysis
 * system", Monthly Weather Review 87, 1959), with the model's own vote v for no correction, which is the
 * ratio of the reports' error variance to the model's (Kalnay, "Atmospheric modeling, data assimilation and
 * predictability", 2003, section 5.2). So one station is believed by 1 / (1 + v) beside it, several are
 * believed more, and everything fades to nothing at R without a step.
 *
 * f = exp(-t / T) fades with the time since the report: the model errs by another amount in the night than at
 * noon, so that six hours later about a fifth is left.
 *
 * A field is one block of memory, built once, and never changed: reading it is thread-safe without a lock.
 * Who replaces it sees to it that nobody reads the old one any more. Its memory is about 130 kB and 64 bytes
 * per station. */
#pragma once

#include "weather/earth/metar.h"

#include <stdbool.h>

#define AIRPORTS_REACH_KM     75.0  /* R */
#define AIRPORTS_FADE_S       14400 /* T: 4 h */
#define AIRPORTS_OLD_S        5400 /* reports older than this are left out: 90 minutes; stations report hourly */
#define AIRPORTS_OFF_K        8.0  /* nor is more than this believed to be the model's error */
#define AIRPORTS_FAR_K        4.0  /* half of a right model's values are not as far off: 1 to 2 K are usual */
#define AIRPORTS_JUDGES       10   /* reports, without which a model is not judged */
#define AIRPORTS_CONDITION_KM 25.0 /* as far as a station's weather is told as a reader's */

/* Stations in the squares of a degree around a point that are looked at, which bounds a read: far more than
 * stand anywhere, so that only a file that means harm has others. */
#define AIRPORTS_SEEN_MAX 256

/* v. Reports: rounded to whole degrees (variance 1/12) and 0.5 K for sensor and site, so 0.33; model: 1.5 K,
 * an assumption, to be judged by airports_error. */
#define AIRPORTS_VOTE 0.15

struct airports;

/* What became of the reports. */
struct airports_counts {
    size_t used;
    size_t old;       /* older than AIRPORTS_OLD_S */
    size_t off;       /* differ by more than AIRPORTS_OFF_K: a stuck sensor, a wrong position */
    size_t modelless; /* without a value of the model */
    size_t far;       /* of those used and off: differ by more than AIRPORTS_FAR_K */
};

/* Builds the field as it is at `now_s`. `reports`: `count` of them, METAR_STATIONS_MAX at most, as metar_read
 * gives them. `model_celsius`: for each what the model says at its place, height and instant; NAN: nothing,
 * for instance because its height is not known. Both stay the caller's. NULL when out of memory. Thread-safe.
 */
struct airports *airports_build(const struct station_report *reports, const float *model_celsius,
                                size_t count, int64_t now_s, struct airports_counts *);

/* What the reports say of the model as a whole: they contradict it if more than half of them are far from it.
 */
enum airports_verdict {
    AIRPORTS_SILENT, /* fewer than AIRPORTS_JUDGES */
    AIRPORTS_AGREE,
    AIRPORTS_CONTRADICT,
};
enum airports_verdict airports_verdict(const struct airports_counts *);

void airports_free(struct airports *);

struct airports_correction {
    double kelvin; /* to be added to the model's value; 0 where nothing is known; within AIRPORTS_OFF_K */
    int stations;  /* that it is made of */
    int64_t observed_s; /* Unix time of the newest report of those; 0: none */

    /* The weather of the nearest station within AIRPORTS_CONDITION_KM that has one and whose report is not
     * older at the instant than AIRPORTS_OLD_S; METAR_NO_CONDITION: none. It goes before the model's, in the
     * present only. */
    int condition;
    int64_t condition_at_s; /* Unix time of that report; 0: none */
};

/* The correction at a point (latitude in -90..90, any finite longitude) and an instant, which should not be
 * before the field's; a report from after it counts in full. Takes a few microseconds, and 20 at most.
 * Thread-safe. */
struct airports_correction airports_read(const struct airports *, double latitude, double longitude,
                                         int64_t at_s);

/* By how much the correction of an instant is to be multiplied `after_s` seconds later, so that one read
 * serves a whole curve; exactly, where no report is from after that instant. 1 for what is not later. Pure.
 */
double airports_fade(int64_t after_s);

/* A station within AIRPORTS_REACH_KM of a point, for people who want to know why. */
struct airports_station {
    char id[METAR_ID_BYTES];
    double latitude, longitude, distance_km;
    double celsius;    /* as reported */
    double difference; /* K: report minus model */
    double weight;     /* w / (v + sum of w); what is left to 1 is the model's vote */
    double kelvin;     /* its part of the correction: weight times difference, faded */
    int64_t observed_s;
    int condition; /* METAR_NO_CONDITION: none */
};

/* Writes the stations that airports_read uses, the nearest `max` of them, the nearest first; returns how
 * many. Thread-safe. */
size_t airports_explain(const struct airports *, double latitude, double longitude, int64_t at_s,
                        struct airports_station *out, size_t max);

/* The stations one after the other, for a map: those that correct, then those that are off, whose difference
 * is more than AIRPORTS_OFF_K. The one at `index`; false past the last. Its distance, weight and part are 0.
 * Thread-safe. */
bool airports_at(const struct airports *, size_t index, struct airports_station *out);

/* Leave-one-out: how far each station's report is from what a reader there would be shown, were there no
 * station, at the instant of its report. Only of stations that have another within reach. */
struct airports_error {
    size_t stations;
    double rms_kelvin;       /* root of the mean square, whole degrees included; NAN without stations */
    double model_rms_kelvin; /* the same without any correction: the airports are worth the difference */
};

/* Takes some ten milliseconds for 5,000 stations; more where they stand close. Thread-safe. */
struct airports_error airports_leave_one_out(const struct airports *);
