#include "weather/point/provider.h"

const char *const outcome_names[OUTCOMES] = {
    [OUTCOME_OK] = "ok",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_CONNECT] = "connect",
    [OUTCOME_TRANSFER] = "transfer",
    [OUTCOME_TOO_LARGE] = "too_large",
    [OUTCOME_HTTP_3XX] = "http_3xx",
    [OUTCOME_HTTP_4XX] = "http_4xx",
    [OUTCOME_HTTP_429] = "http_429",
    [OUTCOME_HTTP_5XX] = "http_5xx",
    [OUTCOME_PARSE] = "parse",
    [OUTCOME_IMPLAUSIBLE] = "implausible",
};

const char *const outcome_words[OUTCOMES] = {
    [OUTCOME_OK] = "answered",
    [OUTCOME_TIMEOUT] = "no answer in time",
    [OUTCOME_CONNECT] = "cannot be reached",
    [OUTCOME_TRANSFER] = "the connection broke",
    [OUTCOME_TOO_LARGE] = "an answer too large",
    [OUTCOME_HTTP_3XX] = "a redirect, status 3xx",
    [OUTCOME_HTTP_4XX] = "refused, status 4xx",
    [OUTCOME_HTTP_429] = "too many requests, status 429",
    [OUTCOME_HTTP_5XX] = "its own error, status 5xx",
    [OUTCOME_PARSE] = "an answer that cannot be read",
    [OUTCOME_IMPLAUSIBLE] = "weather that cannot be",
};

const struct provider *const providers[PROVIDERS] = {
    [PROVIDER_OPEN_METEO] = &open_meteo,
    [PROVIDER_MET_NORWAY] = &met_norway,
    [PROVIDER_OPENWEATHERMAP] = &openweathermap,
};

enum outcome outcome_of_status(long status)
{
    if (status == 429)
        return OUTCOME_HTTP_429;
    if (status >= 500)
        return OUTCOME_HTTP_5XX;
    if (status >= 400)
        return OUTCOME_HTTP_4XX;
    if (status >= 300)
        return OUTCOME_HTTP_3XX;
    return status == 200 || status == 203 ? OUTCOME_OK : OUTCOME_PARSE;
}
