#include "weather/point/provider.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const outcome_names[OUTCOMES] = {
    [OUTCOME_OK] = "ok",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_CONNECT] = "connect",
    [OUTCOME_TRANSFER] = "transfer",
    [OUTCOME_TOO_LARGE] = "too_large",
    [OUTCOME_HTTP_3XX] = "http_3xx",
    [OUTCOME_HTTP_4XX] = "http_4xx",
    [OUTCOME_HTTP_4XX_CELL] = "http_4xx_cell",
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
    [OUTCOME_HTTP_4XX_CELL] = "some places refused, status 400, 404 or 422",
    [OUTCOME_HTTP_429] = "too many requests, status 429",
    [OUTCOME_HTTP_5XX] = "its own error, status 5xx",
    [OUTCOME_PARSE] = "an answer that cannot be read",
    [OUTCOME_IMPLAUSIBLE] = "weather that cannot be",
};

const struct provider *const providers[WEATHER_PROVIDERS] = {
#define ROW(id, symbol, name) [PROVIDER_##id] = &symbol,
    WEATHER_PROVIDER_ROWS(ROW)
#undef ROW
};

const char *const provider_names[WEATHER_PROVIDERS] = {
#define ROW(id, symbol, name) [PROVIDER_##id] = name,
    WEATHER_PROVIDER_ROWS(ROW)
#undef ROW
};

size_t provider_by_name(const char *name)
{
    size_t id = 0;
    while (id < WEATHER_PROVIDERS && strcmp(provider_names[id], name) != 0)
        id++;
    return id;
}

static enum outcome outcome_of_status(int status)
{
    if (status == 429)
        return OUTCOME_HTTP_429;
    if (status == 400 || status == 404 || status == 422)
        return OUTCOME_HTTP_4XX_CELL;
    if (status >= 500)
        return OUTCOME_HTTP_5XX;
    if (status >= 400)
        return OUTCOME_HTTP_4XX;
    if (status >= 300)
        return OUTCOME_HTTP_3XX;
    return status == 200 || status == 203 ? OUTCOME_OK : OUTCOME_PARSE;
}

enum outcome outcome_of(const struct transfer_answer *answer)
{
    static const enum outcome ends[] = {
        [TRANSFER_TIMEOUT] = OUTCOME_TIMEOUT,
        [TRANSFER_CONNECT] = OUTCOME_CONNECT,
        [TRANSFER_BROKEN] = OUTCOME_TRANSFER,
        [TRANSFER_TOO_LARGE] = OUTCOME_TOO_LARGE,
    };
    return answer->end == TRANSFER_ANSWERED ? outcome_of_status(answer->status) : ends[answer->end];
}

bool outcome_is_of_cell(enum outcome outcome)
{
    return outcome == OUTCOME_HTTP_4XX_CELL || outcome == OUTCOME_IMPLAUSIBLE;
}

const char *provider_lacks(const struct provider *provider, const struct weather_provider_options *options,
                           const char *contact)
{
    if (provider->needs_contact && !contact[0])
        return "provider skipped: it wants to know who asks, set weather.contact";
    if (provider->needs_key && !options->key_file[0])
        return "provider skipped: no key file is set";
    return NULL;
}

/* Reads the one line of a key file. */
static bool read_key(const char *path, char out[PROVIDER_KEY_BYTES])
{
    FILE *file = fopen(path, "re");
    char line[PROVIDER_KEY_BYTES + 1] = "";
    if (!file) {
        log_event(LOG_ERROR, "cannot read key file", log_str("file", path),
                  log_str("error", strerror(errno)));
        return false;
    }
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    size_t length = strcspn(line, "\r\n");
    if (length == 0 || length >= PROVIDER_KEY_BYTES || strspn(line, "\t ") > 0) {
        log_event(LOG_ERROR, "the key file must hold the key in its first line", log_str("file", path));
        return false;
    }
    snprintf(out, PROVIDER_KEY_BYTES, "%.*s", (int)length, line);
    return true;
}

bool provider_prepare(const struct provider *provider, const struct weather_provider_options *options,
                      struct provider_access *out)
{
    *out = (struct provider_access){.key = ""};
    if (options->key_file[0] && !read_key(options->key_file, out->key))
        return false;
    bool moved = out->key[0] && provider->keyed_host && strcmp(options->url, WEATHER_FREE_HOST) == 0;
    snprintf(out->url, sizeof out->url, "%s", moved ? provider->keyed_host : options->url);
    return true;
}
