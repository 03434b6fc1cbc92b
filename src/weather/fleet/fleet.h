/* The shared tier: several instances share curves in Redis, and buy each only once. It stands between the
 * cache, which lists what is due, and the fetch thread, which then takes from here in place of there:
 *
 *   look      a curve in Redis that is fresher than ours goes into the cache, and nothing is fetched
 *   take      else, once a fetch may begin, the cell's lock is taken, and looked again: fleet_next hands it
 * out. Where another instance has the lock, the cell keeps what it has until that would have ended give what
 * was fetched is written, and the lock released
 *
 * Each is one round trip. The lock is a lease, and best effort: an instance that dies delays nobody longer,
 * and one that is slow costs a fetch too many. Where Redis fails, cells are fetched as if there were none,
 * and whatever stands in it is judged like any bytes from outside. No reader's request waits for it.
 *
 * One thread calls fleet_wait and fleet_step in turn, and only these talk to Redis; all else is thread-safe
 * and never blocks. */
#pragma once

#include "weather/cell/cache.h"
#include "weather/fleet/budget.h"
#include "weather/fleet/redis.h"
#include "weather/fleet/tally.h"
#include "weather/fleet/value.h"

#define FLEET_PATH_BYTES 256

struct fleet_options {
    struct redis_server server;
    char password_file[FLEET_PATH_BYTES]; /* "": none */
    int64_t timeout_ms;                   /* of a round trip */
    /* What the room knows of itself. */
    int64_t keep_ms;  /* how long a curve stays in Redis */
    int64_t lease_ms; /* how long a lock holds */
    size_t parallel;  /* fetches at one time, 1 to FLEET_AHEAD */
    int32_t cell_udeg;
    bool simulated; /* whether the weather is: neither kind is read as the other */
    struct value_sources sources;
};

#define FLEET_AHEAD 32 /* cells that have been looked up in vain and wait for a fetch, at most */

struct fleet;

/* Registers its metrics; calls nothing over the network but to look the server's name up. NULL on failure
 * (logged). The cache is borrowed and must outlive it. */
struct fleet *fleet_open(const struct fleet_options *, struct cache *);
void fleet_close(struct fleet *);

/* Tells that something was listed in the cache. */
void fleet_wake(struct fleet *);

/* Waits until there is something to do. False once it is stopped. */
bool fleet_wait(struct fleet *);
void fleet_stop(struct fleet *);

/* Does one thing. Whether there is something for fleet_next since. Blocks as redis_exchange does. */
bool fleet_step(struct fleet *);

/* Takes the next cell that this instance is to fetch, as cache_next. False when there is none. */
bool fleet_next(struct fleet *, struct cache_fetch *out);

/* Draws from a budget that all instances share: see budget.h. Waits until the fleet's thread has asked, which
 * is for a few times `timeout_ms` at most; for one thread at a time. False when there was no answer. */
bool fleet_draw(struct fleet *, struct budget *);

/* How it stands. */
void fleet_report(struct fleet *, struct fleet_report *out);

/* Says that a fetch which was taken has been ended in the cache, and whether with a curve. */
void fleet_end(struct fleet *, uint64_t key, bool fetched);
