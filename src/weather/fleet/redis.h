/* Redis, or Valkey, over one connection: commands that are sent together, and their replies as flat values.
 * The server is hostile: a reply is bounded in bytes and in time as a whole, and what is no simple value of
 * the protocol ends the connection. What failed is never sent again. A server that fails is left alone for a
 * while, twice as long after each failure.
 *
 * For one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REDIS_HOST_BYTES     254
#define REDIS_PASSWORD_BYTES 128
#define REDIS_VALUE_BYTES    4096 /* of a reply that is kept; a longer one ends the connection */
#define REDIS_WORDS          16
#define REDIS_TOGETHER       2 /* commands in one round trip */

struct redis_server {
    char host[REDIS_HOST_BYTES]; /* "": none */
    int64_t port, database;
};

/* How a round trip ended. */
enum redis_end {
    REDIS_ANSWERED,    /* each command has a reply, which may be a refusal */
    REDIS_LEFT_ALONE,  /* nothing was sent: it failed too often */
    REDIS_UNREACHABLE, /* no connection, or it refuses the password or the database */
    REDIS_TIMEOUT,     /* not all replies came in time */
    REDIS_BROKEN,      /* the connection ended */
    REDIS_MALFORMED,   /* no protocol, a nested reply, or one too long */
};

enum redis_kind { REDIS_NIL, REDIS_STATUS, REDIS_ERROR, REDIS_INTEGER, REDIS_STRING };

struct redis_reply {
    enum redis_kind kind;
    int64_t integer;
    size_t length; /* of `bytes`, after which there is a zero */
    char bytes[REDIS_VALUE_BYTES + 1];
};

struct redis_command {
    size_t count;
    const char *words[REDIS_WORDS];
    size_t lengths[REDIS_WORDS];
};

struct redis;

/* Looks the server's name up, once, which may take a while; connects to nothing. `password` may be "", and
 * nothing of a round trip takes longer than timeout_ms. NULL on failure (logged). */
struct redis *redis_open(const struct redis_server *, const char *password, int64_t timeout_ms);
void redis_close(struct redis *);

/* Adds a word to a command, which borrows it. */
void redis_word(struct redis_command *, const char *bytes, size_t length);

/* Sends `count` commands, at most REDIS_TOGETHER, and reads their replies. Blocks for timeout_ms at most;
 * where a connection is made first, for twice as long. */
enum redis_end redis_exchange(struct redis *, const struct redis_command *, size_t count,
                              struct redis_reply *out);
