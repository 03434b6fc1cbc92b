#include "weather/point/provider.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const outcome_names[OUTCOMES] = {
#define ROW(id, name, words) name,
    OUTCOME_ROWS(ROW)
#undef ROW
};

const char *const outcome_words[OUTCOMES] = {
#define ROW(id, name, words) words,
    OUTCOME_ROWS(ROW)
#undef ROW
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
    _Static_assert(OUTCOME_TIMEOUT == (int)TRANSFER_TIMEOUT && OUTCOME_CONNECT == (int)TRANSFER_CONNECT &&
                       OUTCOME_TRANSFER == (int)TRANSFER_BROKEN &&
                       OUTCOME_TOO_LARGE == (int)TRANSFER_TOO_LARGE,
                   "the ends of a transfer come first");
    return answer->end == TRANSFER_ANSWERED ? outcome_of_status(answer->status) : (enum outcome)answer->end;
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

bool provider_prepare(const struct provider *provider, const struct weather_provider_options *options,
                      struct provider_access *out)
{
    *out = (struct provider_access){.key = ""};
    if (options->key_file[0] && !file_read_key(options->key_file, out->key, sizeof out->key))
        return false;
    bool moved = out->key[0] && provider->keyed_host && strcmp(options->url, WEATHER_FREE_HOST) == 0;
    snprintf(out->url, sizeof out->url, "%s", moved ? provider->keyed_host : options->url);
    return true;
}
