#include "weather/fleet/redis.h"

#include "base/clock.h"
#include "base/log.h"

#include <hiredis/hiredis.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_BYTES    64
#define PORT_BYTES       8
#define BREAKER_FAILURES 3    /* in a row */
#define AWAY_FIRST_MS    1000 /* for which it is left alone then */
#define AWAY_DOUBLES     6
#define AWAY_MAX_MS      ((int64_t)AWAY_FIRST_MS << AWAY_DOUBLES)
#define UNREAD_MAX       ((size_t)REDIS_TOGETHER * (REDIS_VALUE_BYTES + 64)) /* bytes of replies */

struct redis {
    char address[ADDRESS_BYTES], password[REDIS_PASSWORD_BYTES], database[24];
    int64_t port, timeout_ms;
    redisContext *context; /* NULL: not connected */
    unsigned failures;     /* in a row */
    int64_t away_until_ms; /* boot time */
};

struct redis *redis_open(const struct redis_server *server, const char *password, int64_t timeout_ms)
{
    struct redis *redis = calloc(1, sizeof *redis);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (!redis)
        return NULL;
    int status = getaddrinfo(server->host, NULL, &hints, &found);
    if (status == 0)
        status = getnameinfo(found->ai_addr, found->ai_addrlen, redis->address, sizeof redis->address, NULL,
                             0, NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
    if (status != 0) {
        log_event(LOG_ERROR, "the fleet's Redis has no address", log_str("host", server->host),
                  log_str("error", gai_strerror(status)));
        free(redis);
        return NULL;
    }
    redis->port = server->port;
    redis->timeout_ms = timeout_ms;
    snprintf(redis->password, sizeof redis->password, "%s", password);
    snprintf(redis->database, sizeof redis->database, "%lld", (long long)server->database);
    return redis;
}

static void disconnect(struct redis *redis)
{
    if (redis->context)
        redisFree(redis->context);
    redis->context = NULL;
}

void redis_close(struct redis *redis)
{
    if (!redis)
        return;
    disconnect(redis);
    free(redis);
}

void redis_word(struct redis_command *command, const char *bytes, size_t length)
{
    command->words[command->count] = bytes;
    command->lengths[command->count++] = length;
}

/* Copies a reply out; false when it is none that is expected. */
static bool copy_reply(const redisReply *reply, struct redis_reply *out)
{
    static const enum redis_kind kinds[] = {[REDIS_REPLY_NIL] = REDIS_NIL,
                                            [REDIS_REPLY_STATUS] = REDIS_STATUS,
                                            [REDIS_REPLY_ERROR] = REDIS_ERROR,
                                            [REDIS_REPLY_INTEGER] = REDIS_INTEGER,
                                            [REDIS_REPLY_STRING] = REDIS_STRING};
    bool has_bytes = reply->type != REDIS_REPLY_NIL && reply->type != REDIS_REPLY_INTEGER;
    size_t length = has_bytes ? (size_t)reply->len : 0;
    if (length > REDIS_VALUE_BYTES)
        return false;
    out->kind = kinds[reply->type];
    out->integer = reply->integer;
    out->length = length;
    if (length > 0)
        memcpy(out->bytes, reply->str, length);
    out->bytes[length] = '\0';
    return true;
}

/* Whether the unread bytes, of which there are some, go on with a reply, or begin one that is a simple value:
 * for a nested one memory would be allocated as it demands. */
static bool is_simple(const redisReader *reader)
{
    return reader->ridx >= 0 || memchr("+-:$", reader->buf[reader->pos], 4);
}

/* Takes the next reply out of what was read; *whole is false where it is not all there. */
static enum redis_end take_reply(redisContext *context, struct redis_reply *out, bool *whole)
{
    void *reply = NULL;
    *whole = false;
    if (context->reader->pos == context->reader->len) /* before its first byte a reply must not be begun */
        return REDIS_ANSWERED;
    if (!is_simple(context->reader) || redisGetReplyFromReader(context, &reply) != REDIS_OK)
        return REDIS_MALFORMED;
    if (!reply)
        return REDIS_ANSWERED;
    *whole = copy_reply(reply, out);
    freeReplyObject(reply);
    return *whole ? REDIS_ANSWERED : REDIS_MALFORMED;
}

/* Reads what has arrived, or waits for it until the real monotonic clock reaches `until_ms`. */
static enum redis_end read_more(redisContext *context, int64_t until_ms)
{
    struct pollfd socket = {.fd = context->fd, .events = POLLIN};
    int64_t left_ms = until_ms - clock_monotonic_ms();
    if (left_ms <= 0 || poll(&socket, 1, (int)left_ms) <= 0)
        return REDIS_TIMEOUT;
    return redisBufferRead(context) == REDIS_OK ? REDIS_ANSWERED : REDIS_BROKEN;
}

static enum redis_end read_replies(redisContext *context, size_t count, int64_t until_ms,
                                   struct redis_reply *out)
{
    enum redis_end end = REDIS_ANSWERED;
    bool whole = false;
    for (size_t done = 0; done < count && end == REDIS_ANSWERED; done += whole) {
        end = take_reply(context, &out[done], &whole);
        if (end == REDIS_ANSWERED && !whole)
            end = context->reader->len < UNREAD_MAX ? read_more(context, until_ms) : REDIS_MALFORMED;
    }
    bool more = context->reader->pos < context->reader->len; /* than was asked for */
    return end == REDIS_ANSWERED && more ? REDIS_MALFORMED : end;
}

static enum redis_end send_and_read(struct redis *redis, const struct redis_command *commands, size_t count,
                                    struct redis_reply *out)
{
    int64_t until_ms = clock_monotonic_ms() + redis->timeout_ms;
    int sent = 0;
    for (size_t i = 0; i < count; i++) {
        const struct redis_command *command = &commands[i];
        const char *words[REDIS_WORDS];
        memcpy(words, command->words, sizeof words);
        if (redisAppendCommandArgv(redis->context, (int)command->count, words, command->lengths) != REDIS_OK)
            return REDIS_BROKEN;
    }
    while (!sent)
        if (redisBufferWrite(redis->context, &sent) != REDIS_OK)
            return REDIS_BROKEN;
    return read_replies(redis->context, count, until_ms, out);
}

/* Says who we are and which database we mean. */
static bool introduce(struct redis *redis)
{
    struct redis_command commands[REDIS_TOGETHER] = {{.count = 0}};
    struct redis_reply replies[REDIS_TOGETHER];
    size_t count = 0;
    if (redis->password[0]) {
        redis_word(&commands[count], "AUTH", 4);
        redis_word(&commands[count++], redis->password, strlen(redis->password));
    }
    redis_word(&commands[count], "SELECT", 6);
    redis_word(&commands[count++], redis->database, strlen(redis->database));
    bool ok = send_and_read(redis, commands, count, replies) == REDIS_ANSWERED;
    for (size_t i = 0; i < count && ok; i++) {
        ok = replies[i].kind == REDIS_STATUS;
        if (replies[i].kind == REDIS_ERROR)
            log_throttled(LOG_WARN, "the fleet's Redis refuses the connection",
                          log_str("error", replies[i].bytes));
    }
    return ok;
}

static bool connect_to(struct redis *redis)
{
    struct timeval timeout = {redis->timeout_ms / 1000, redis->timeout_ms % 1000 * 1000};
    redis->context = redisConnectWithTimeout(redis->address, (int)redis->port, timeout);
    bool ok = redis->context && !redis->context->err &&
              redisSetTimeout(redis->context, timeout) == REDIS_OK && introduce(redis);
    if (!ok)
        disconnect(redis);
    return ok;
}

/* With jitter, so that a fleet does not come back as one. */
static void count_failure(struct redis *redis)
{
    redis->failures++;
    if (redis->failures < BREAKER_FAILURES)
        return;
    unsigned more = redis->failures - BREAKER_FAILURES;
    int64_t away_ms = (int64_t)AWAY_FIRST_MS << (more < AWAY_DOUBLES ? more : AWAY_DOUBLES);
    redis->away_until_ms =
        clock_now().boot_ms + away_ms / 2 + (int64_t)arc4random_uniform((uint32_t)away_ms / 2);
}

/* A clock that was moved back ends it. */
static bool is_left_alone(const struct redis *redis)
{
    int64_t left_ms = redis->away_until_ms - clock_now().boot_ms;
    return redis->failures >= BREAKER_FAILURES && left_ms > 0 && left_ms <= AWAY_MAX_MS;
}

static bool all_refused(const struct redis_reply *replies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (replies[i].kind != REDIS_ERROR)
            return false;
    return true;
}

enum redis_end redis_exchange(struct redis *redis, const struct redis_command *commands, size_t count,
                              struct redis_reply *out)
{
    enum redis_end end = REDIS_UNREACHABLE;
    if (is_left_alone(redis))
        return REDIS_LEFT_ALONE;
    if (redis->context || connect_to(redis))
        end = send_and_read(redis, commands, count, out);
    if (end != REDIS_ANSWERED)
        disconnect(redis);
    if (end != REDIS_ANSWERED || all_refused(out, count))
        count_failure(redis);
    else
        redis->failures = 0;
    return end;
}
