/* A weather API as this room uses it: how to ask for the curve of a cell, and how to read what comes. */
#pragma once

#include "base/credit.h"
#include "base/text.h"
#include "transfer/transfer.h"
#include "weather/cell/cell.h"
#include "weather/cell/curve.h"
#include "weather/point/upstream.h"

/* How a request to an upstream ended, a row each: its name in metrics and the log, and words for people. The
 * first five are those of enum transfer_end. HTTP_3XX is a redirect that is not followed, or one too many;
 * HTTP_4XX refuses the caller, whatever it asks for, and HTTP_4XX_CELL this cell; what is to PARSE is not the
 * document that was asked for, and what is IMPLAUSIBLE is well-formed, but no weather that can be now. */
#define OUTCOME_ROWS(ROW)                                                              \
    ROW(OK, "ok", "answered")                                                          \
    ROW(TIMEOUT, "timeout", "no answer in time")                                       \
    ROW(CONNECT, "connect", "cannot be reached")                                       \
    ROW(TRANSFER, "transfer", "the connection broke")                                  \
    ROW(TOO_LARGE, "too_large", "an answer too large")                                 \
    ROW(HTTP_3XX, "http_3xx", "a redirect, status 3xx")                                \
    ROW(HTTP_4XX, "http_4xx", "refused, status 4xx")                                   \
    ROW(HTTP_4XX_CELL, "http_4xx_cell", "some places refused, status 400, 404 or 422") \
    ROW(HTTP_429, "http_429", "too many requests, status 429")                         \
    ROW(HTTP_5XX, "http_5xx", "its own error, status 5xx")                             \
    ROW(PARSE, "parse", "an answer that cannot be read")                               \
    ROW(IMPLAUSIBLE, "implausible", "weather that cannot be")

enum outcome {
#define ROW(id, name, words) OUTCOME_##id,
    OUTCOME_ROWS(ROW)
#undef ROW
        OUTCOMES
};
extern const char *const outcome_names[OUTCOMES];
extern const char *const outcome_words[OUTCOMES];

/* What an ended transfer makes of it; OUTCOME_OK: its body is worth reading, or, with status 304, confirms.
 */
enum outcome outcome_of(const struct transfer_answer *);

/* Whether something is wrong with the cell that was asked for, rather than with the provider. */
bool outcome_is_of_cell(enum outcome);

#define PROVIDER_KEY_BYTES    128
#define PROVIDER_REASON_BYTES 128
#define PROVIDER_STEPS        2

struct provider_access {
    char url[WEATHER_URL_BYTES];
    char key[PROVIDER_KEY_BYTES]; /* "": keyless */
};

/* One of the requests that make a curve. */
struct provider_step {
    /* Writes the URL to get, and one header line or nothing, for the weather of a cell. */
    void (*request)(const struct provider_access *, struct cell, struct text *url, struct text *header);

    /* Reads the body of a 200 into *out (all but `provider`, `modified_s`, `fetched_s` and `expires_s`),
     * which is untouched unless the outcome is OUTCOME_OK; it holds what the step before has read. The last
     * step's curve covers `now_s`. Every byte of the body is hostile. */
    enum outcome (*read)(const char *body, size_t length, int64_t now_s, struct curve *out);
};

struct provider {
    struct credit credit;
    bool needs_key, needs_contact;
    const char *keyed_host; /* is asked in place of WEATHER_FREE_HOST where there is a key; NULL: the same */
    bool one_at_a_time;     /* without a key it wants one request at a time */
    bool conditional; /* a present curve may be asked for by If-Modified-Since, and confirmed by a 304 */
    size_t step_count;
    struct provider_step steps[PROVIDER_STEPS]; /* in this order; only the last one's curve is whole */

    /* What an error body says, as sanitized text, for the log; "" when it says nothing. */
    void (*reason)(const char *body, size_t length, char out[PROVIDER_REASON_BYTES]);

    /* For how many seconds a 429 with this reason asks for a pause, where no header says; NULL: not known. */
    int64_t (*pause)(const char *reason, int64_t now_s);
};

#define ROW(id, symbol, name) extern const struct provider symbol;
WEATHER_PROVIDER_ROWS(ROW)
#undef ROW

/* Indexed by enum provider_id. */
extern const struct provider *const providers[WEATHER_PROVIDERS];
extern const char *const provider_names[WEATHER_PROVIDERS];

/* WEATHER_PROVIDERS when there is none of that name. */
size_t provider_by_name(const char *name);

/* Why a provider cannot be used with these options; NULL when it can. */
const char *provider_lacks(const struct provider *, const struct weather_provider_options *,
                           const char *contact);

/* Reads the key and fills in how the provider is reached. False when a key file cannot be read (logged). */
bool provider_prepare(const struct provider *, const struct weather_provider_options *,
                      struct provider_access *out);
