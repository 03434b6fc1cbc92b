#include "sim/faults.h"

#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SLOW_MAX_MS    3600000
#define EARLY_S        60    /* GFS' files are whole within 180 */
#define HUGE_CHUNKS    16384 /* of 4 KiB each: 64 MiB in all */
#define DEEP_LEVELS    100000
#define LOCATION_BYTES (WIRE_REQUEST_BYTES + 1024)

#define GZIP_HEADER      "Content-Encoding: gzip\r\n"
#define GZIP_WINDOW_BITS (15 + 16) /* the largest window; 16 asks zlib for gzip's header and trailer */
#define MEMORY_LEVEL     8         /* zlib's default */

/* Packs `length` bytes, `times` over, as one gzip stream, for the caller to free. NULL, and
 * *packed_length untouched, when memory is out. */
static char *gzip_pack(const char *bytes, size_t length, size_t times, size_t *packed_length)
{
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    size_t bound = deflateBound(&stream, length * times);
    char *packed = malloc(bound); /* no more of it is touched than is written */
    stream.next_out = (unsigned char *)packed;
    stream.avail_out = (unsigned)bound;
    for (size_t i = 1; packed && i <= times; i++) {
        stream.next_in = (unsigned char *)bytes;
        stream.avail_in = (unsigned)length;
        deflate(&stream, i < times ? Z_NO_FLUSH : Z_FINISH);
    }
    if (packed)
        *packed_length = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

static void send_error(struct exchange *x, int status, const char *headers, const char *reason)
{
    char storage[API_ERROR_BYTES];
    struct text body = text_init(storage, sizeof storage);
    x->api->error(&body, status, reason);
    wire_answer(x->wire, status, x->api->error_type, headers, body.bytes, body.length);
}

/* Makes a file of a body: its bytes packed. */
static void pack_file(struct text *body)
{
    size_t length = 0;
    char *packed = gzip_pack(body->bytes, body->length, 1, &length);
    free(body->bytes);
    *body = (struct text){.bytes = packed, .length = length};
}

/* Reads "bytes=0-99", "bytes=100-" or "bytes=-100" as it applies to a body of this length; *first is past it
 * when there is nothing of that. False for anything else, which means the whole body. */
static bool read_range(const char *range, size_t length, size_t *first, size_t *last)
{
    unsigned long long from = 0, to = ULLONG_MAX;
    int end = 0;
    bool of_end = sscanf(range, "bytes=-%18llu%n", &to, &end) == 1;
    if (of_end) {
        from = to < length ? length - to : 0;
        to = ULLONG_MAX;
    } else if (sscanf(range, "bytes=%18llu-%n%18llu%n", &from, &end, &to, &end) < 1)
        return false;
    *first = from;
    *last = to < length ? to : length - 1;
    return end > 0 && range[end] == '\0' && from <= to;
}

/* Leaves of a body the part that was asked for. False when there is none, and an error was sent. */
static bool cut_part(struct exchange *x, struct text *body)
{
    size_t first, last;
    if (!x->api->ranges || x->fault->corruption == WHOLE_FILE ||
        !read_range(x->wire->range, body->length, &first, &last))
        return true;
    if (first >= body->length) {
        snprintf(x->part, sizeof x->part, "Content-Range: bytes */%zu\r\n", body->length);
        send_error(x, 416, x->part, "");
        return false;
    }
    snprintf(x->part, sizeof x->part, "Content-Range: bytes %zu-%zu/%zu\r\n", first, last, body->length);
    x->status = 206;
    body->length = last - first + 1;
    memmove(body->bytes, body->bytes + first, body->length);
    return true;
}

/* Writes the forecast that was asked for, or the part of it. The caller frees the bytes; there are none when
 * an error was sent instead. */
static struct text body_or_error(struct exchange *x)
{
    char *storage = x->forecast ? malloc(API_REPLY_BYTES) : NULL;
    struct text body = text_init(storage, storage ? API_REPLY_BYTES : 0);
    x->status = 200;
    if (!x->forecast)
        send_error(x, x->refusal_status, "", x->refusal);
    else if (storage)
        x->api->write(&body, x->forecast, x->fault->corruption);
    if (storage && x->api->file)
        pack_file(&body);
    if (x->forecast && (!body.bytes || body.overflow))
        send_error(x, 500, "", "The simulator cannot make this.");
    else if (!body.bytes || cut_part(x, &body))
        return body;
    free(body.bytes);
    return (struct text){.bytes = NULL};
}

static void answer(struct exchange *x)
{
    struct text body = body_or_error(x);
    if (!body.bytes)
        return;
    char headers[API_HEADERS_BYTES + sizeof x->part + sizeof GZIP_HEADER], *packed = NULL;
    size_t length = body.length;
    int status = x->fault->status ? x->fault->status : x->status;
    bool unmodified =
        x->unmodified && x->fault->status == 0 && x->fault->corruption == HONEST; /* a body is needed */
    status = unmodified ? 304 : status;
    if (x->api->gzip && x->wire->accepts_gzip && !unmodified)
        packed = gzip_pack(body.bytes, body.length, 1, &length);
    snprintf(headers, sizeof headers, "%s%s%s", x->headers, unmodified ? "" : x->part,
             packed ? GZIP_HEADER : "");
    wire_answer(x->wire, status, x->api->type, headers, packed ? packed : body.bytes,
                unmodified ? 0 : length);
    free(packed);
    free(body.bytes);
}

static void answer_late(struct exchange *x)
{
    if (wire_wait(x->wire, atoi(x->value)))
        answer(x);
}

/* As if the file had been changed a moment ago. */
static void answer_early(struct exchange *x)
{
    char modified[CLOCK_HTTP_BYTES], headers[API_HEADERS_BYTES];
    clock_format_http(clock_now().wall_ms / 1000 - EARLY_S, modified);
    snprintf(headers, sizeof headers, "Last-Modified: %s\r\n", modified);
    x->headers = headers;
    answer(x);
}

static void hang(struct exchange *x)
{
    wire_wait(x->wire, -1);
}

static void reset_connection(struct exchange *x)
{
    static const char start[] = "HTTP/1.1 200 OK\r\nContent-Ty";
    wire_write(x->wire, start, sizeof start - 1);
    wire_reset(x->wire);
}

/* Sends half of the body and then the row's reason, with a Content-Length that agrees; without a reason, with
 * one that promises all of the body. */
static void send_half(struct exchange *x)
{
    const char *tail = x->fault->reason;
    struct text body = body_or_error(x);
    size_t half = body.length / 2, tail_length = tail ? strlen(tail) : 0;
    if (body.bytes && wire_head(x->wire, x->status, x->api->type, x->part,
                                (long long)(tail ? half + tail_length : body.length))) {
        wire_write(x->wire, body.bytes, half);
        wire_write(x->wire, tail, tail_length);
    }
    free(body.bytes);
}

static void drip(struct exchange *x)
{
    struct text body = body_or_error(x);
    size_t sent = 0;
    if (body.bytes && wire_head(x->wire, x->status, x->api->type, x->part, (long long)body.length))
        while (sent < body.length && wire_write(x->wire, body.bytes + sent, 1) && wire_wait(x->wire, 1000))
            sent++;
    free(body.bytes);
}

static void send_huge(struct exchange *x)
{
    char chunk[6 + 0x1000 + 3];
    snprintf(chunk, sizeof chunk, "1000\r\n%4096s\r\n", "");
    bool sent = wire_head(x->wire, 200, JSON_TYPE, "Transfer-Encoding: chunked\r\n", -1);
    for (int i = 0; sent && i < HUGE_CHUNKS; i++)
        sent = wire_write(x->wire, chunk, sizeof chunk - 1);
    if (sent)
        wire_write(x->wire, "0\r\n\r\n", 5);
}

/* As much, in some 64 KiB of gzip. */
static void send_bomb(struct exchange *x)
{
    char spaces[0x1000];
    size_t length = 0;
    memset(spaces, ' ', sizeof spaces);
    char *body = gzip_pack(spaces, sizeof spaces, HUGE_CHUNKS, &length);
    if (body)
        wire_answer(x->wire, 200, x->api->type, x->api->file ? "" : GZIP_HEADER, body, length);
    free(body);
}

/* A web page, or nothing. */
static void send_text(struct exchange *x)
{
    const char *text = x->fault->reason;
    wire_answer(x->wire, 200, text[0] ? "text/html; charset=utf-8" : JSON_TYPE, "", text, strlen(text));
}

/* The same bytes each time: a linear congruential generator with Knuth's MMIX constants, its top byte. */
static void send_garbage(struct exchange *x)
{
    char bytes[2048];
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)(state >> 56);
    }
    wire_answer(x->wire, 200, JSON_TYPE, "", bytes, sizeof bytes);
}

static void send_deep(struct exchange *x)
{
    size_t length = 2 * (size_t)DEEP_LEVELS;
    char *body = malloc(length);
    if (!body)
        return;
    memset(body, '[', DEEP_LEVELS);
    memset(body + DEEP_LEVELS, ']', DEEP_LEVELS);
    wire_answer(x->wire, 200, JSON_TYPE, "", body, length);
    free(body);
}

/* Where a redirect leads: to `origin`, followed by the request's Host if `to_host`, its path and its query.
 * The parameter "hop" counts; a request that has been redirected `hops` times is answered. MET Norway
 * requires clients to follow redirects; Open-Meteo answers a key on its keyless host with one. Names under
 * .example never resolve (RFC 2606), so a client that follows them reaches nobody. */
static const struct target {
    const char *name, *origin;
    bool to_host;
    int hops; /* 0: never answered */
} targets[] = {
    {"loop", "", false, 0},       {"1", "", false, 1},
    {"2", "", false, 2},          {"host", "https://weather.example", false, 1},
    {"http", "http://", true, 1},
};

static const struct target *target_of(const char *name)
{
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        if (strcmp(name, targets[i].name) == 0)
            return &targets[i];
    return NULL;
}

static void redirect(struct exchange *x)
{
    const struct target *to = target_of(x->value);
    const struct wire *wire = x->wire;
    int64_t hop = 0;
    wire_integer(wire, "hop", 0, to->hops, &hop);
    if (to->hops > 0 && hop == to->hops) {
        answer(x);
        return;
    }
    char *bytes = malloc(LOCATION_BYTES);
    if (!bytes)
        return;
    struct text location = text_init(bytes, LOCATION_BYTES);
    text_format(&location, "Location: %s%s%s?", to->origin, to->to_host ? wire->host : "", wire->path);
    if (to->hops > 0)
        text_format(&location, "hop=%d&", (int)hop + 1);
    text_format(&location, "%s\r\n", wire->query);
    wire_answer(x->wire, 301, "text/plain", bytes, "", 0);
    free(bytes);
}

static void send_fixed_error(struct exchange *x)
{
    send_error(x, x->fault->status, "", x->fault->reason);
}

/* Open-Meteo distinguishes its limits in the reason only; it sets no Retry-After. NULL: no such limit. */
static const char *limit_reason(const char *name)
{
    static const char *const limits[][2] = {
        {"minutely", "Minutely API request limit exceeded. Please try again in one minute."},
        {"hourly", "Hourly API request limit exceeded. Please try again in the next hour."},
        {"daily", "Daily API request limit exceeded. Please try again tomorrow."},
        {"concurrent", "Too many concurrent requests"},
    };
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (strcmp(name, limits[i][0]) == 0)
            return limits[i][1];
    return NULL;
}

static void send_limit(struct exchange *x)
{
    send_error(x, 429, "", limit_reason(x->value));
}

#define OVERLOADED "The service is overloaded. Please try again later."

static void send_retry_after(struct exchange *x)
{
    char header[FAULT_VALUE_BYTES + 16];
    snprintf(header, sizeof header, "Retry-After: %s\r\n", x->value);
    send_error(x, 503, header, OVERLOADED);
}

const struct fault faults[] = {
    {"none", "the honest answer", answer, .corruption = HONEST},
    {"slow", "answers after VALUE milliseconds (1000)", answer_late, .default_value = "1000"},
    {"hang", "never answers, until the client leaves or the simulator stops", hang, .corruption = HONEST},
    {"reset", "breaks the connection with a TCP reset in mid-header", reset_connection, .corruption = HONEST},
    {"partial", "closes after half of the body that Content-Length promised", send_half,
     .corruption = HONEST},
    {"drip", "sends the body at one byte a second", drip, .corruption = HONEST},
    {"huge", "sends 64 MiB of spaces, chunked", send_huge, .corruption = HONEST},
    {"429", "over a limit; VALUE: minutely (default), hourly, daily or concurrent", send_limit,
     .default_value = "minutely"},
    {"203", "the honest answer, from a version that is going to end", answer, .status = 203},
    {"400", "bad request", send_fixed_error, .status = 400, .reason = "Data corrupted at path ''."},
    {"401", "key required", send_fixed_error, .status = 401, .reason = "API key required."},
    {"403", "the key does not include this", send_fixed_error, .status = 403,
     .reason = "The API key's plan does not include this."},
    {"404", "not found", send_fixed_error, .status = 404, .reason = "Not Found"},
    {"500", "internal error", send_fixed_error, .status = 500, .reason = "Internal Server Error"},
    {"503", "overloaded", send_fixed_error, .status = 503, .reason = OVERLOADED},
    {"retry-after", "overloaded, with VALUE (seconds or a date; 120) as Retry-After", send_retry_after,
     .default_value = "120"},
    {"gzip-bomb", "sends 64 KiB of gzip that decode to 64 MiB", send_bomb, .corruption = HONEST},
    {"redirect", "301; VALUE: loop (default), 1 or 2 (then the answer), host or http (elsewhere)", redirect,
     .default_value = "loop"},
    {"html", "200 with a web page, like a captive portal", send_text,
     .reason = "<!DOCTYPE html><title>Sign in</title><p>Welcome to the airport's wireless network.</p>\n"},
    {"empty", "200 with no body", send_text, .reason = ""},
    {"garbage", "200 with random bytes", send_garbage, .corruption = HONEST},
    {"truncated", "JSON cut in half, Content-Length agreeing", send_half, .reason = ""},
    {"stream-error", "JSON that breaks off into an error text, still 200", send_half,
     .reason = "Unexpected error while streaming data: timeoutReached"},
    {"deep", "100,000 nested arrays", send_deep, .corruption = HONEST},
    {"nulls", "every third temperature null", answer, .corruption = NULLS},
    {"nan", "every third temperature the token NaN", answer, .corruption = NANS},
    {"cold", "all temperatures -300", answer, .corruption = COLD},
    {"old", "all points ten days ago", answer, .corruption = OLD},
    {"unordered", "times run backwards", answer, .corruption = UNORDERED},
    {"uneven", "the first variable's array is one shorter than the others", answer, .corruption = UNEVEN},
    {"wrong-units", "degrees Fahrenheit named as the unit (of the same numbers)", answer,
     .corruption = WRONG_UNITS},
    {"wrong-types", "numbers as strings", answer, .corruption = WRONG_TYPES},
    {"no-hourly", "no arrays and no units", answer, .corruption = NO_HOURLY},
    {"other-order", "METAR: columns in another order", answer, .corruption = OTHER_ORDER},
    {"status-lines", "METAR: as until 2023, status lines before the header", answer,
     .corruption = STATUS_LINES},
    {"nowhere", "METAR: every third station at 0,0", answer, .corruption = NOWHERE},
    {"stuck", "METAR: every third station reports 55", answer, .corruption = STUCK},
    {"haze", "METAR: haze everywhere", answer, .corruption = HAZY},
    {"warm", "METAR: every station reports 6 degrees too much", answer, .corruption = WARM},
    {"stale-index", "GFS: the index has the offsets of the run before", answer, .corruption = STALE_INDEX},
    {"short-index", "GFS: the index breaks off in the line of PRATE", answer, .corruption = SHORT_INDEX},
    {"past-end", "GFS: from TMP at 2 m on, the index points past the file's end", answer,
     .corruption = INDEX_PAST_END},
    {"twins", "GFS: the index has each field twice, by name and forecast", answer, .corruption = TWINS},
    {"early", "GFS: listed before it is whole: a minute old, and half of it", answer_early,
     .corruption = EARLY},
    {"whole-file", "GFS: 200 with all of the file, whatever range is asked for", answer,
     .corruption = WHOLE_FILE},
    {"cut-message", "GFS: zeroes from the middle of each message on", answer, .corruption = CUT_MESSAGE},
    {"wrong-grid", "GFS: fields on a grid of 7.5 degrees", answer, .corruption = WRONG_GRID},
    {"wrong-param", "GFS: messages say that they are of another parameter", answer,
     .corruption = WRONG_PARAMETER},
    {"wrong-hour", "GFS: messages say that they are of the hour after", answer, .corruption = WRONG_HOUR},
    {"wrong-run", "GFS: messages say that they are of the run before", answer, .corruption = WRONG_RUN},
    {"gaps", "GFS: one value in 200 is missing", answer, .corruption = GAPS},
    {"many-gaps", "GFS: one value in three is missing", answer, .corruption = MANY_GAPS},
    {"simple", "GFS: packing 5.0", answer, .corruption = PACKED_SIMPLE},
    {"complex", "GFS: packing 5.2", answer, .corruption = PACKED_COMPLEX},
    {"png", "GFS: packing 5.41", answer, .corruption = PACKED_PNG},
    {"huge-grid", "GFS: messages say that they have 2^31 - 1 columns and rows", answer,
     .corruption = HUGE_GRID},
    {"shifted", "GFS: values moved by 180 degrees of longitude", answer, .corruption = SHIFTED},
    {.name = NULL},
};

static bool is_value(const struct fault *fault, const char *value)
{
    if (fault->respond == send_limit)
        return limit_reason(value);
    if (fault->respond == redirect)
        return target_of(value);
    if (fault->respond == send_retry_after)
        return value[0] >= ' ' && !strpbrk(value, "\r\n");
    char *end;
    long ms = strtol(value, &end, 10);
    return value[0] >= '0' && value[0] <= '9' && *end == '\0' && ms <= SLOW_MAX_MS;
}

const char *fault_read(const char *kind, const char *value, const struct fault **fault,
                       char out[FAULT_VALUE_BYTES])
{
    const struct fault *row = faults;
    while (row->name && strcmp(row->name, kind) != 0)
        row++;
    if (!row->name)
        return "no such fault; masthead-sim --help lists them";
    if (value[0] == '\0')
        value = row->default_value ? row->default_value : "";
    else if (!row->default_value)
        return "this fault takes no value";
    else if (strlen(value) >= FAULT_VALUE_BYTES || !is_value(row, value))
        return row->help;
    snprintf(out, FAULT_VALUE_BYTES, "%s", value);
    *fault = row;
    return NULL;
}
