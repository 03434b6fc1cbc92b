/* Answers to the requests of a load, indexes and ranges, each as somebody else's server may give it: whatever
 * comes, requests stay within the mirrors and their ranges within what a message may have, no more are under
 * way than may be, and a load whose answers are all bad comes to an end.
 *
 * Of the input an answer has a byte that says how it ends, one for its length, and its body, in which 0x01
 * stands for the hour that was asked for. Where a range was asked for, one bit makes a message of it, as far
 * as its ends go. masthead-grib is not there. */
#include "fuzz.h"

#include "weather/earth/load.h"

#define RUN_S    INT64_C(1780272000) /* of which the corpus is */
#define FIRST    3
#define MIRRORS  2
#define ENOUGH   (4 * GRID_HOURS * MIRRORS * LOAD_ROUNDS) /* requests, to have seen every hour given up */
#define BODY_MAX 8192
#define LONG_MS  INT64_C(600001) /* longer than any pause */

enum { BROKEN = 1, TOO_LARGE = 2, ABSENT = 4, YOUNG = 8, MESSAGE = 16 }; /* bits of the first byte */

static char body[BODY_MAX];

static int hour_of(const struct transfer_request *request)
{
    const char *hour = strstr(request->url, "pgrb2.0p25.f");
    PROPERTY(hour && strncmp(request->url, "http://mirror", 13) == 0);
    return atoi(hour + 12);
}

static size_t write_message(const struct transfer_request *request)
{
    size_t length = (size_t)(request->last - request->first + 1);
    if (length < 20 || length > BODY_MAX)
        return 0;
    memcpy(body, "GRIB\0\0\0\2\0\0\0\0\0\0", 14);
    body[14] = (char)(length >> 8);
    body[15] = (char)length;
    memcpy(body + length - 4, "7777", 4);
    return length;
}

static size_t write_body(const struct transfer_request *request, const uint8_t *from, size_t length)
{
    size_t at = 0;
    for (size_t i = 0; i < length && at + 4 < BODY_MAX; i++)
        if (from[i] == 1)
            at += (size_t)snprintf(body + at, 4, "%d", hour_of(request));
        else
            body[at++] = (char)from[i];
    return at;
}

static struct transfer_answer answer_to(const struct transfer_request *request, const uint8_t **data,
                                        size_t *size, const struct instant *now)
{
    unsigned bits = *size > 1 ? (*data)[0] : ABSENT;
    size_t length = *size > 1 ? (*data)[1] * 4U : 0, taken = *size < 2 ? *size : 2;
    *data += taken;
    *size -= taken;
    length = length < *size ? length : *size;
    struct transfer_answer answer = {.tag = request->tag, .error = "", .body = body};
    answer.end = bits & BROKEN ? TRANSFER_BROKEN : bits & TOO_LARGE ? TRANSFER_TOO_LARGE : TRANSFER_ANSWERED;
    answer.status = bits & ABSENT ? 404 : request->last > 0 ? 206 : 200;
    answer.last_modified_s = now->wall_ms / 1000 - (bits & YOUNG ? 0 : GFS_SETTLED_S);
    answer.length = write_body(request, *data, length);
    if (bits & MESSAGE && request->last > 0)
        answer.length = write_message(request);
    *data += length;
    *size -= length;
    return answer;
}

static bool ended(const struct load *load)
{
    enum load_state state = load_facts(load).state;
    return state != LOAD_PROBING && state != LOAD_GOING;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct load_options options = {.mirrors = {"http://mirror0", "http://mirror1"},
                                                .mirror_count = MIRRORS,
                                                .path = "/nonexistent/earth.grid",
                                                .orography = "/nonexistent/earth.orography"};
    struct instant now = {.wall_ms = (RUN_S + 5 * 3600) * 1000, .boot_ms = LONG_MS};
    struct load *load = load_begin(&options, RUN_S, FIRST, size % 2, 0);
    size_t requests = 0;
    while (!ended(load)) {
        struct transfer_request flights[LOAD_FLIGHTS + 1];
        size_t count = 0;
        while (count <= LOAD_FLIGHTS && load_next(load, &now, &flights[count])) {
            const struct transfer_request *request = &flights[count++];
            PROPERTY(request->first >= 0 && (request->last == 0 || request->last >= request->first));
            PROPERTY(request->last - request->first < GRIB_MESSAGE_MAX && load_owns(load, request->tag));
            PROPERTY(hour_of(request) >= FIRST && hour_of(request) < FIRST + GRID_HOURS);
        }
        PROPERTY(count <= LOAD_FLIGHTS && (count > 0 || load_idle(load)));
        for (size_t i = 0; i < count; i++) {
            struct transfer_answer answer = answer_to(&flights[i], &data, &size, &now);
            load_end(load, &answer, &now);
        }
        requests += count;
        PROPERTY(requests < ENOUGH);
        now.boot_ms += count == 0 ? LONG_MS : 0;
    }
    PROPERTY(load_facts(load).hours == 0);
    load_close(load);
    return 0;
}
