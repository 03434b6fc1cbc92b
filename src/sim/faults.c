#include "sim/faults.h"

#include "sim/gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE   "application/json; charset=utf-8"
#define SLOW_MAX_MS 3600000
#define HUGE_CHUNKS 16384 /* of 4 KiB each: 64 MiB in all */
#define DEEP_LEVELS 100000

static void send_json(struct exchange *x, int status, const char *body, size_t length)
{
    wire_answer(x->wire, status, JSON_TYPE, "", body, length);
    x->status = status;
}

/* `headers`: further lines, or "". */
static void send_error(struct exchange *x, int status, const char *headers, const char *reason)
{
    char body[API_ERROR_BYTES];
    size_t length = x->api->error(status, reason, body);
    wire_answer(x->wire, status, x->api->error_type, headers, body, length);
    x->status = status;
}

/* The body that the query deserves, for the caller to free; NULL when an error was sent instead. */
static char *body_or_error(struct exchange *x, size_t *length)
{
    if (!x->forecast) {
        send_error(x, x->refusal_status, "", x->refusal);
        return NULL;
    }
    char *body = x->api->write(x->forecast, x->fault->corruption, length);
    if (!body)
        send_error(x, 500, "", "The simulator is out of memory.");
    return body;
}

static void answer(struct exchange *x)
{
    size_t length = 0;
    char *body = body_or_error(x, &length);
    if (!body)
        return;
    bool unmodified =
        x->unmodified && x->fault->corruption == HONEST; /* a fault is in the body, so there must be one */
    x->status = unmodified ? 304 : x->fault->status ? x->fault->status : 200;
    size_t packed_length = 0;
    bool packs = x->api->gzip && x->wire->accepts_gzip && !unmodified;
    char *packed = packs ? gzip_pack(body, length, 1, &packed_length) : NULL;
    char headers[API_HEADERS_BYTES + 32];
    snprintf(headers, sizeof headers, "%s%s", x->headers, packed ? GZIP_HEADER : "");
    wire_answer(x->wire, x->status, JSON_TYPE, headers, packed ? packed : body,
                packed       ? packed_length
                : unmodified ? 0
                             : length);
    free(packed);
    free(body);
}

static void answer_late(struct exchange *x)
{
    if (wire_wait(x->wire, atoi(x->value)))
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

/* Half of the body and then the row's reason, with a Content-Length that agrees; without a reason, with one
 * that promises all of the body. */
static void send_half(struct exchange *x)
{
    const char *tail = x->fault->reason;
    size_t length, tail_length = tail ? strlen(tail) : 0;
    char *body = body_or_error(x, &length);
    if (body &&
        wire_head(x->wire, 200, JSON_TYPE, "", (long long)(tail ? length / 2 + tail_length : length))) {
        wire_write(x->wire, body, length / 2);
        wire_write(x->wire, tail, tail_length);
        x->status = 200;
    }
    free(body);
}

static void drip(struct exchange *x)
{
    size_t length;
    char *body = body_or_error(x, &length);
    if (body && wire_head(x->wire, 200, JSON_TYPE, "", (long long)length)) {
        x->status = 200;
        for (size_t i = 0; i < length && wire_write(x->wire, body + i, 1) && wire_wait(x->wire, 1000); i++)
            continue;
    }
    free(body);
}

static void send_huge(struct exchange *x)
{
    static const char head[] = "1000\r\n", last[] = "0\r\n\r\n";
    char chunk[sizeof head - 1 + 0x1000 + 2];
    memset(chunk, ' ', sizeof chunk);
    memcpy(chunk, head, sizeof head - 1);
    memcpy(chunk + sizeof chunk - 2, "\r\n", 2);
    if (!wire_head(x->wire, 200, JSON_TYPE, "Transfer-Encoding: chunked\r\n", -1))
        return;
    x->status = 200;
    for (int i = 0; i < HUGE_CHUNKS; i++)
        if (!wire_write(x->wire, chunk, sizeof chunk))
            return;
    wire_write(x->wire, last, sizeof last - 1);
}

/* A web page, or nothing. */
static void send_text(struct exchange *x)
{
    const char *text = x->fault->reason;
    wire_answer(x->wire, 200, text[0] ? "text/html; charset=utf-8" : JSON_TYPE, "", text, strlen(text));
    x->status = 200;
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
    send_json(x, 200, bytes, sizeof bytes);
}

static void send_deep(struct exchange *x)
{
    size_t length = 2 * (size_t)DEEP_LEVELS;
    char *body = malloc(length);
    if (!body)
        return;
    memset(body, '[', DEEP_LEVELS);
    memset(body + DEEP_LEVELS, ']', DEEP_LEVELS);
    send_json(x, 200, body, length);
    free(body);
}

/* Some 64 KiB that decode to 64 MiB of spaces. */
static void send_bomb(struct exchange *x)
{
    char spaces[0x1000];
    memset(spaces, ' ', sizeof spaces);
    size_t length;
    char *body = gzip_pack(spaces, sizeof spaces, HUGE_CHUNKS, &length);
    if (!body)
        return;
    wire_answer(x->wire, 200, JSON_TYPE, GZIP_HEADER, body, length);
    x->status = 200;
    free(body);
}

/* Where the fault redirect leads: `base` comes before the request's own path and query, followed
 * for "http" by the request's Host. A request that has gone through `hops` of them, as its parameter "hop"
 * counts, is answered. MET Norway asks clients to follow redirects; Open-Meteo redirects a key that came to
 * its keyless host. The names under .example never resolve (RFC 2606), so a client that follows them reaches
 * nobody. */
static const struct redirection {
    const char *name, *base;
    int hops; /* 0: without end */
} redirections[] = {
    {"loop", "", 0},        {"1", "", 1}, {"2", "", 2}, {"host", "https://weather.example", 1},
    {"http", "http://", 1},
};
#define REDIRECTIONS (sizeof redirections / sizeof redirections[0])

static size_t redirection_index(const char *name)
{
    size_t i = 0;
    while (i < REDIRECTIONS && strcmp(name, redirections[i].name) != 0)
        i++;
    return i;
}

static void redirect(struct exchange *x)
{
    const struct redirection *to = &redirections[redirection_index(x->value)];
    const struct wire *wire = x->wire;
    int64_t hop = 0;
    wire_integer(wire, "hop", 0, INT32_MAX, &hop);
    if (to->hops > 0 && hop >= to->hops) {
        answer(x);
        return;
    }
    size_t size = strlen(to->base) + strlen(wire->host) + strlen(wire->path) + strlen(wire->query) + 64;
    char *bytes = malloc(size);
    if (!bytes)
        return;
    struct text location = text_init(bytes, size);
    text_format(&location, "Location: %s%s%s?", to->base, strcmp(to->name, "http") == 0 ? wire->host : "",
                wire->path);
    if (to->hops > 0)
        text_format(&location, "hop=%d&", (int)hop + 1);
    text_format(&location, "%s\r\n", wire->query);
    wire_answer(x->wire, 301, "text/plain", bytes, "", 0);
    x->status = 301;
    free(bytes);
}

static void send_fixed_error(struct exchange *x)
{
    send_error(x, x->fault->status, "", x->fault->reason);
}

/* Open-Meteo tells its limits apart in the reason only; it sets no Retry-After. */
static const struct {
    const char *name, *reason;
} limits[] = {
    {"minutely", "Minutely API request limit exceeded. Please try again in one minute."},
    {"hourly", "Hourly API request limit exceeded. Please try again in the next hour."},
    {"daily", "Daily API request limit exceeded. Please try again tomorrow."},
    {"concurrent", "Too many concurrent requests"},
};
#define LIMITS (sizeof limits / sizeof limits[0])

static size_t limit_index(const char *name)
{
    size_t i = 0;
    while (i < LIMITS && strcmp(name, limits[i].name) != 0)
        i++;
    return i;
}

static void send_limit(struct exchange *x)
{
    send_error(x, 429, "", limits[limit_index(x->value)].reason);
}

#define OVERLOADED "The service is overloaded. Please try again later."

static void send_retry_after(struct exchange *x)
{
    char header[FAULT_VALUE_BYTES + 16];
    snprintf(header, sizeof header, "Retry-After: %s\r\n", x->value);
    send_error(x, 503, header, OVERLOADED);
}

static const struct fault faults[] = {
    {"none", "the honest answer", answer, .corruption = HONEST},
    {"slow", "answers after VALUE milliseconds (1000)", answer_late, .usual_value = "1000"},
    {"hang", "never answers, until the client leaves or the simulator stops", hang, .corruption = HONEST},
    {"reset", "breaks the connection with a TCP reset in mid-header", reset_connection, .corruption = HONEST},
    {"partial", "closes after half of the body that Content-Length promised", send_half,
     .corruption = HONEST},
    {"drip", "sends the body at one byte a second", drip, .corruption = HONEST},
    {"huge", "sends 64 MiB of spaces, chunked", send_huge, .corruption = HONEST},
    {"429", "over a limit; VALUE: minutely (default), hourly, daily or concurrent", send_limit,
     .usual_value = "minutely"},
    {"203", "the honest answer, from a version that is going to end", answer, .status = 203},
    {"400", "bad request", send_fixed_error, .status = 400, .reason = "Data corrupted at path ''."},
    {"401", "key required", send_fixed_error, .status = 401, .reason = "API key required."},
    {"403", "key not good for this", send_fixed_error, .status = 403,
     .reason = "The API key's plan does not include this."},
    {"404", "not found", send_fixed_error, .status = 404, .reason = "Not Found"},
    {"500", "internal error", send_fixed_error, .status = 500, .reason = "Internal Server Error"},
    {"503", "overloaded", send_fixed_error, .status = 503, .reason = OVERLOADED},
    {"retry-after", "overloaded, with VALUE (seconds or a date; 120) as Retry-After", send_retry_after,
     .usual_value = "120"},
    {"gzip-bomb", "sends 64 KiB of gzip that decode to 64 MiB", send_bomb, .corruption = HONEST},
    {"redirect",
     "301 to the same address for ever (loop); VALUE: 1 or 2 times before the answer,\n"
     "                to another host (host), to this one over plain HTTP (http)",
     redirect, .usual_value = "loop"},
    {"html", "200 with a web page, like a captive portal", send_text,
     .reason = "<!DOCTYPE html><title>Sign in</title><p>Welcome to the airport's wireless network.</p>\n"},
    {"empty", "200 with no body", send_text, .reason = ""},
    {"garbage", "200 with random bytes", send_garbage, .corruption = HONEST},
    {"truncated", "JSON cut in half, Content-Length agreeing", send_half, .reason = ""},
    {"stream-error", "JSON that breaks off into an error text, still 200", send_half,
     .reason = "Unexpected error while streaming data: timeoutReached"},
    {"deep", "100,000 nested arrays", send_deep, .corruption = HONEST},
    {"nulls", "every third temperature null", answer, .corruption = NULLS},
    {"nan", "every third temperature the token NaN", answer, .corruption = NAN_TOKENS},
    {"cold", "all temperatures -300", answer, .corruption = COLD},
    {"old", "all points ten days ago", answer, .corruption = OLD},
    {"unordered", "times run backwards", answer, .corruption = UNORDERED},
    {"uneven", "the first variable's array is one shorter than the others", answer, .corruption = UNEVEN},
    {"wrong-units", "degrees Fahrenheit named as the unit (of the same numbers)", answer,
     .corruption = WRONG_UNITS},
    {"wrong-types", "numbers as strings", answer, .corruption = WRONG_TYPES},
    {"no-hourly", "no arrays and no units", answer, .corruption = NO_HOURLY},
};

const struct fault *fault_at(size_t index)
{
    return index < sizeof faults / sizeof faults[0] ? &faults[index] : NULL;
}

static bool value_suits(const struct fault *fault, const char *value)
{
    if (fault->respond == send_limit)
        return limit_index(value) < LIMITS;
    if (fault->respond == redirect)
        return redirection_index(value) < REDIRECTIONS;
    if (fault->respond == send_retry_after)
        return value[0] >= ' ' && !strpbrk(value, "\r\n");
    char *end;
    long ms = strtol(value, &end, 10);
    return value[0] >= '0' && value[0] <= '9' && *end == '\0' && ms <= SLOW_MAX_MS;
}

const char *fault_read(const char *kind, const char *value, const struct fault **fault,
                       char out[FAULT_VALUE_BYTES])
{
    const struct fault *row = NULL;
    for (size_t i = 0; (row = fault_at(i)) && strcmp(row->name, kind) != 0; i++)
        continue;
    if (!row)
        return "no such fault; masthead-sim --help lists them";
    if (!value || value[0] == '\0')
        value = row->usual_value ? row->usual_value : "";
    else if (!row->usual_value)
        return "this fault takes no value";
    else if (strlen(value) >= FAULT_VALUE_BYTES || !value_suits(row, value))
        return row->help;
    snprintf(out, FAULT_VALUE_BYTES, "%s", value);
    *fault = row;
    return NULL;
}
