/* Weather providers: one table of functions. Another weather API is one new file with its row, and its name
 * here. */
#pragma once

#include "base/credit.h"
#include "base/text.h"
#include "weather/cell/cell.h"
#include "weather/cell/curve.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum provider_id { PROVIDER_OPEN_METEO, PROVIDER_MET_NORWAY, PROVIDER_OPENWEATHERMAP, PROVIDERS };

/* How a request to an upstream ended. */
enum outcome {
    OUTCOME_OK,
    OUTCOME_TIMEOUT,  /* not answered whole within `timeout` */
    OUTCOME_CONNECT,  /* name, connection or TLS failed */
    OUTCOME_TRANSFER, /* the connection broke, or what came was not HTTP */
    OUTCOME_TOO_LARGE,
    OUTCOME_HTTP_3XX, /* redirects are not followed */
    OUTCOME_HTTP_4XX,
    OUTCOME_HTTP_429,
    OUTCOME_HTTP_5XX,
    OUTCOME_PARSE,       /* not the document that was asked for */
    OUTCOME_IMPLAUSIBLE, /* well-formed, but no weather that can be now */
    OUTCOMES
};
extern const char *const outcome_names[OUTCOMES]; /* in metrics and the log */
extern const char *const outcome_words[OUTCOMES]; /* for people */

/* What the status of an HTTP answer makes of it; OUTCOME_OK: its body is worth reading. */
enum outcome outcome_of_status(long status);

#define PROVIDER_URL_BYTES    256
#define PROVIDER_KEY_BYTES    128
#define PROVIDER_REASON_BYTES 128

struct provider_options {
    char url[PROVIDER_URL_BYTES]; /* base, without a slash at the end */
    char key[PROVIDER_KEY_BYTES]; /* "": keyless */
};

struct provider {
    const char *name;
    struct credit credit;
    bool conditional; /* a known curve may be asked for by If-Modified-Since, and confirmed by a 304 */

    /* What is asked after this, in the same flight; NULL: the curve is whole. Only `request`, `read` and
     * `reason` of a second part count, and its `read` is given in *out what the first one made. */
    const struct provider *then;

    /* Writes the URL to get, and one header line or nothing, for the weather of a cell. */
    void (*request)(const struct provider_options *, struct cell, struct text *url, struct text *header);

    /* Reads the body of a 200 into *out (all but `provider`, `modified_s`, `fetched_s` and `expires_s`),
     * which is untouched unless the outcome is OUTCOME_OK. The last part's curve covers `now_s`. Every byte
     * of the body is hostile. */
    enum outcome (*read)(const char *body, size_t length, int64_t now_s, struct curve *out);

    /* What an error body says, as clean text, for the log; "" when it says nothing. */
    void (*reason)(const char *body, size_t length, char out[PROVIDER_REASON_BYTES]);

    /* For how many seconds a 429 with this reason means to be left alone, where no header says; NULL: not
     * known. */
    int64_t (*pause)(const char *reason, int64_t now_s);
};

/* Indexed by enum provider_id. */
extern const struct provider *const providers[PROVIDERS];

extern const struct provider open_meteo, met_norway, openweathermap;
