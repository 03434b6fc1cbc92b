#include "weather/earth/feed.h"

#include <stdio.h>

bool feed_next(struct feed *feed, const char *url, const struct instant *now,
               struct transfer_request *request)
{
    if (feed->active || now->boot_ms < feed->due_ms)
        return false;
    *request = (struct transfer_request){.url = url, .modified_s = feed->modified_s, .tag = feed};
    feed->active = true;
    return true;
}

static const char *take_body(struct feed *feed, const struct transfer_answer *answer, int64_t now_s)
{
    struct metar_file file;
    const char *fault = metar_read(answer->body, answer->length, now_s, &file);
    if (!fault && file.count == 0)
        fault = "it has no usable report";
    if (fault) {
        metar_free(&file);
        return fault;
    }
    metar_free(&feed->file);
    feed->file = file;
    feed->modified_s = answer->last_modified_s;
    return NULL;
}

static const char *take(struct feed *feed, const struct transfer_answer *answer, int64_t now_s,
                        char error[FEED_ERROR_BYTES])
{
    if (answer->end != TRANSFER_ANSWERED)
        return answer->end == TRANSFER_TOO_LARGE ? "it is too large" : answer->error;
    if (answer->status == 304 && feed->modified_s > 0)
        return NULL;
    snprintf(error, FEED_ERROR_BYTES, "status %d", answer->status);
    return answer->status == 200 ? take_body(feed, answer, now_s) : error;
}

const char *feed_end(struct feed *feed, const struct transfer_answer *answer, int64_t every_ms,
                     const struct instant *now, char error[FEED_ERROR_BYTES])
{
    const char *fault = take(feed, answer, now->wall_ms / 1000, error);
    feed->active = false;
    feed->due_ms = now->boot_ms + (fault && every_ms > FEED_RETRY_MS ? FEED_RETRY_MS : every_ms);
    if (!fault)
        feed->read_s = now->wall_ms / 1000;
    else if (feed->read_s == 0 && ++feed->failures < FEED_FIRST_TRIES)
        feed->due_ms = now->boot_ms;
    return fault;
}
