/* A slot belongs to the fleet's thread, but while it is READY or FLYING; its state is guarded by the lock. */
#include "weather/fleet/fleet.h"

#include "base/file.h"
#include "weather/fleet/tally.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS       (2 * FLEET_AHEAD)
#define KEY_BYTES   64
#define TOKEN_BYTES 17
#define POLL_MS     1000 /* what is listed without a word waits no longer */

/* The names that all versions of this program share with others; another format of values is another number.
 */
#define PREFIX           "masthead:1:"
#define PREFIX_SIMULATED "masthead:1:simulated:"

/* Releases a lock only for its holder. */
static const char release_script[] =
    "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) end return 0";

enum state {
    FREE,
    MISSED, /* nothing of use was there: waits until a fetch may begin */
    READY,  /* to be fetched, with the lock or without one */
    FLYING, /* the fetch thread has it */
    ENDED,  /* what came of it is to be given */
};

struct slot {
    enum state state;
    struct cache_fetch fetch;
    uint64_t arrival;        /* of two of a class the lower one goes first */
    char token[TOKEN_BYTES]; /* of the lock; "": there is none */
    bool fetched;
};

struct fleet {
    struct fleet_options options;
    struct cache *cache;
    struct redis *redis;
    struct tally tally;
    pthread_mutex_t lock;
    pthread_cond_t work, drawn;
    /* All below guarded by lock. */
    bool stopped;
    bool listed; /* the cache may have something */
    enum { DRAW_NONE, DRAW_ASKED, DRAW_ANSWERED, DRAW_FAILED } draw;
    struct budget budget; /* while DRAW_ASKED it belongs to the fleet's thread */
    uint64_t arrivals;
    struct slot slots[SLOTS];
    int64_t instances; /* of the last answer to a draw */
};

void fleet_report(struct fleet *fleet, struct fleet_report *out)
{
    tally_report(&fleet->tally, out);
    pthread_mutex_lock(&fleet->lock);
    out->instances = fleet->instances;
    pthread_mutex_unlock(&fleet->lock);
}

/* --- What is said to Redis --- */

static const char *prefix_of(const struct fleet *fleet)
{
    return fleet->options.simulated ? PREFIX_SIMULATED : PREFIX;
}

static void key_of(const struct fleet *fleet, const char *kind, uint64_t cell, char out[KEY_BYTES])
{
    char name[CELL_NAME_BYTES];
    cell_name(cell_of_key(cell), fleet->options.cell_udeg, name);
    snprintf(out, KEY_BYTES, "%s%s%s", prefix_of(fleet), kind, name);
}

static void words(struct redis_command *command, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        redis_word(command, words[i], strlen(words[i]));
}
#define WORDS(command, ...) \
    words((command), (const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

/* What an exchange that did not succeed, or a refusal among its replies, counts as; FLEET_OUTCOMES where all
 * is well. */
static enum fleet_outcome fault_of(enum redis_end end, const struct redis_reply *replies, size_t n)
{
    static const enum fleet_outcome faults[] = {
        [REDIS_LEFT_ALONE] = FLEET_LEFT_ALONE, [REDIS_UNREACHABLE] = FLEET_UNREACHABLE,
        [REDIS_TIMEOUT] = FLEET_TIMEOUT,       [REDIS_BROKEN] = FLEET_BROKEN,
        [REDIS_MALFORMED] = FLEET_MALFORMED,
    };
    if (end != REDIS_ANSWERED)
        return faults[end];
    for (size_t i = 0; i < n; i++)
        if (replies[i].kind == REDIS_ERROR)
            return FLEET_REFUSED;
    return FLEET_OUTCOMES;
}

/* Judges the value that stands for a cell, and gives it to the cache if it is of use. FLEET_HIT: that ended
 * the fetch. */
static enum fleet_outcome adopt(struct fleet *fleet, uint64_t cell, const struct redis_reply *reply)
{
    static const enum fleet_outcome verdicts[] = {[VALUE_DAMAGED] = FLEET_DAMAGED,
                                                  [VALUE_VERSION] = FLEET_VERSION,
                                                  [VALUE_SWAPPED] = FLEET_SWAPPED,
                                                  [VALUE_UNKNOWN] = FLEET_UNKNOWN};
    struct instant now = clock_now();
    struct cache_record record;
    if (reply->kind == REDIS_ERROR)
        return FLEET_REFUSED;
    if (reply->kind != REDIS_STRING && reply->kind != REDIS_NIL)
        return FLEET_MALFORMED;
    if (reply->length == 0)
        return FLEET_MISS;
    enum value_verdict verdict =
        value_decode((const uint8_t *)reply->bytes, reply->length, cell, &fleet->options.sources, &record);
    if (verdict != VALUE_SOUND)
        return verdicts[verdict];
    return cache_adopt(fleet->cache, &record, &now) ? FLEET_HIT : FLEET_MISS;
}

/* Looks whether another instance has fetched the cell. What the slot becomes. */
static enum state look(struct fleet *fleet, struct slot *slot)
{
    char key[KEY_BYTES];
    struct redis_command command = {.count = 0};
    struct redis_reply reply;
    key_of(fleet, "", slot->fetch.key, key);
    WORDS(&command, "GETRANGE", key, "0", "4095");
    enum fleet_outcome outcome = fault_of(redis_exchange(fleet->redis, &command, 1, &reply), &reply, 1);
    bool answered = outcome == FLEET_OUTCOMES;
    if (answered)
        outcome = adopt(fleet, slot->fetch.key, &reply);
    tally_count(&fleet->tally, outcome, outcome == FLEET_REFUSED ? reply.bytes : key);
    return outcome == FLEET_HIT ? FREE : answered ? MISSED : READY;
}

static void release(const struct slot *slot, const char *lock, struct redis_command *command)
{
    WORDS(command, "EVAL", release_script, "1", lock, slot->token);
}

/* Takes the cell's lock and looks again. What the slot becomes. */
static enum state take(struct fleet *fleet, struct slot *slot)
{
    char key[KEY_BYTES], lock[KEY_BYTES], lease[24];
    struct redis_command commands[2] = {{.count = 0}};
    struct redis_reply replies[2];
    struct instant now = clock_now();
    key_of(fleet, "", slot->fetch.key, key);
    key_of(fleet, "lock:", slot->fetch.key, lock);
    snprintf(lease, sizeof lease, "%lld", (long long)fleet->options.lease_ms);
    snprintf(slot->token, sizeof slot->token, "%08x%08x", arc4random(), arc4random());
    WORDS(&commands[0], "SET", lock, slot->token, "NX", "PX", lease);
    WORDS(&commands[1], "GETRANGE", key, "0", "4095");
    enum redis_end end = redis_exchange(fleet->redis, commands, 2, replies);
    enum fleet_outcome outcome = fault_of(end, replies, 2);
    bool taken = end == REDIS_ANSWERED && replies[0].kind == REDIS_STATUS;
    bool locked = end == REDIS_ANSWERED && replies[0].kind == REDIS_NIL;
    if (end == REDIS_ANSWERED && adopt(fleet, slot->fetch.key, &replies[1]) == FLEET_HIT)
        outcome = FLEET_HIT;
    if (outcome == FLEET_OUTCOMES)
        outcome = taken ? FLEET_TAKEN : locked ? FLEET_LOCKED : FLEET_MALFORMED;
    tally_count(&fleet->tally, outcome, outcome == FLEET_REFUSED ? replies[0].bytes : lock);
    if (!taken)
        slot->token[0] = '\0';
    if (outcome == FLEET_HIT)
        return taken ? ENDED : FREE;
    if (locked)
        cache_postpone(fleet->cache, slot->fetch.key, fleet->options.lease_ms, &now);
    return locked ? FREE : READY;
}

/* Writes what was fetched, and releases the lock. */
static void give(struct fleet *fleet, const struct slot *slot)
{
    char key[KEY_BYTES], lock[KEY_BYTES], keep[24];
    uint8_t value[VALUE_BYTES];
    struct redis_command commands[2] = {{.count = 0}};
    struct redis_reply replies[2];
    struct cache_record record;
    size_t n = 0;
    key_of(fleet, "", slot->fetch.key, key);
    key_of(fleet, "lock:", slot->fetch.key, lock);
    snprintf(keep, sizeof keep, "%lld", (long long)fleet->options.keep_ms);
    bool gives = slot->fetched && cache_record(fleet->cache, slot->fetch.key, &record);
    if (gives) {
        WORDS(&commands[n], "SET", key);
        redis_word(&commands[n], (const char *)value, value_encode(value, &record, &fleet->options.sources));
        WORDS(&commands[n++], "PX", keep);
    }
    if (slot->token[0])
        release(slot, lock, &commands[n++]);
    if (n == 0)
        return;
    enum fleet_outcome outcome = fault_of(redis_exchange(fleet->redis, commands, n, replies), replies, n);
    tally_count(&fleet->tally,
                outcome != FLEET_OUTCOMES ? outcome
                : gives                   ? FLEET_GIVEN
                                          : FLEET_RELEASED,
                outcome == FLEET_REFUSED ? replies[0].bytes : key);
}

/* Answers fleet_draw. */
static void draw(struct fleet *fleet)
{
    struct redis_reply reply;
    enum redis_end end = budget_draw(fleet->redis, prefix_of(fleet), &fleet->budget, &reply);
    enum fleet_outcome outcome = fault_of(end, &reply, 1);
    tally_count(&fleet->tally, outcome != FLEET_OUTCOMES ? outcome : FLEET_DRAWN,
                outcome == FLEET_REFUSED ? reply.bytes : fleet->budget.provider);
    pthread_mutex_lock(&fleet->lock);
    fleet->draw = outcome == FLEET_OUTCOMES ? DRAW_ANSWERED : DRAW_FAILED;
    if (outcome == FLEET_OUTCOMES)
        fleet->instances = fleet->budget.instances;
    pthread_cond_signal(&fleet->drawn);
    pthread_mutex_unlock(&fleet->lock);
}

/* --- What is to be done --- */

static size_t count_of(const struct fleet *fleet, enum state state)
{
    size_t found = 0;
    for (size_t i = 0; i < SLOTS; i++)
        found += fleet->slots[i].state == state;
    return found;
}

/* The slot in that state that goes first: of the highest class, then the oldest. NULL when there is none. */
static struct slot *first_of(struct fleet *fleet, enum state state)
{
    struct slot *first = NULL;
    for (struct slot *slot = fleet->slots; slot < fleet->slots + SLOTS; slot++)
        if (slot->state == state &&
            (!first || slot->fetch.class > first->fetch.class ||
             (slot->fetch.class == first->fetch.class && slot->arrival < first->arrival)))
            first = slot;
    return first;
}

/* The slot to work on next, with the lock held; NULL when there is nothing to do. */
static struct slot *next_work(struct fleet *fleet)
{
    struct slot *ended = first_of(fleet, ENDED), *missed = first_of(fleet, MISSED);
    size_t ready = count_of(fleet, READY);
    if (ended)
        return ended;
    if (missed && ready + count_of(fleet, FLYING) < fleet->options.parallel)
        return missed;
    return fleet->listed && ready + count_of(fleet, MISSED) < FLEET_AHEAD ? first_of(fleet, FREE) : NULL;
}

/* Takes what the cache lists next and looks for it. What the slot becomes. */
static enum state begin(struct fleet *fleet, struct slot *slot)
{
    struct instant now = clock_now();
    struct cache_fetch next;
    pthread_mutex_lock(&fleet->lock);
    fleet->listed = false;
    pthread_mutex_unlock(&fleet->lock);
    if (!cache_next(fleet->cache, &now, &next))
        return FREE;
    pthread_mutex_lock(&fleet->lock);
    fleet->listed = true;
    *slot = (struct slot){.fetch = next, .arrival = fleet->arrivals++};
    pthread_mutex_unlock(&fleet->lock);
    return look(fleet, slot);
}

bool fleet_step(struct fleet *fleet)
{
    pthread_mutex_lock(&fleet->lock);
    bool draws = fleet->draw == DRAW_ASKED;
    struct slot *slot = draws ? NULL : next_work(fleet);
    enum state state = slot ? slot->state : FREE;
    pthread_mutex_unlock(&fleet->lock);
    if (draws)
        draw(fleet);
    if (!slot)
        return false;
    if (state == ENDED) {
        give(fleet, slot);
        state = FREE;
    } else {
        state = state == MISSED ? take(fleet, slot) : begin(fleet, slot);
    }
    pthread_mutex_lock(&fleet->lock);
    slot->state = state;
    pthread_mutex_unlock(&fleet->lock);
    return state == READY;
}

bool fleet_wait(struct fleet *fleet)
{
    int status = 0;
    struct timespec until = clock_timespec(clock_monotonic_ms() + POLL_MS);
    pthread_mutex_lock(&fleet->lock);
    while (!fleet->stopped && fleet->draw != DRAW_ASKED && !next_work(fleet) && status == 0)
        status = pthread_cond_clockwait(&fleet->work, &fleet->lock, CLOCK_MONOTONIC, &until);
    fleet->listed = fleet->listed || status != 0;
    bool goes_on = !fleet->stopped;
    pthread_mutex_unlock(&fleet->lock);
    return goes_on;
}

/* Sets a flag and has the thread look at it. */
static void tell(struct fleet *fleet, bool *flag)
{
    pthread_mutex_lock(&fleet->lock);
    *flag = true;
    pthread_cond_signal(&fleet->work);
    pthread_cond_signal(&fleet->drawn);
    pthread_mutex_unlock(&fleet->lock);
}

void fleet_wake(struct fleet *fleet)
{
    tell(fleet, &fleet->listed);
}

void fleet_stop(struct fleet *fleet)
{
    tell(fleet, &fleet->stopped);
}

bool fleet_draw(struct fleet *fleet, struct budget *budget)
{
    pthread_mutex_lock(&fleet->lock);
    fleet->budget = *budget;
    fleet->draw = DRAW_ASKED;
    pthread_cond_signal(&fleet->work);
    while (fleet->draw == DRAW_ASKED && !fleet->stopped)
        pthread_cond_wait(&fleet->drawn, &fleet->lock);
    bool answered = fleet->draw == DRAW_ANSWERED;
    if (answered)
        *budget = fleet->budget;
    fleet->draw = DRAW_NONE;
    pthread_mutex_unlock(&fleet->lock);
    return answered;
}

bool fleet_next(struct fleet *fleet, struct cache_fetch *out)
{
    pthread_mutex_lock(&fleet->lock);
    struct slot *slot = first_of(fleet, READY);
    if (slot) {
        slot->state = FLYING;
        *out = slot->fetch;
        pthread_cond_signal(&fleet->work); /* there is room for another */
    }
    pthread_mutex_unlock(&fleet->lock);
    return slot;
}

void fleet_end(struct fleet *fleet, uint64_t key, bool fetched)
{
    pthread_mutex_lock(&fleet->lock);
    struct slot *slot = fleet->slots;
    while (slot->state != FLYING || slot->fetch.key != key)
        slot++;
    slot->fetched = fetched;
    slot->state = ENDED;
    fleet->listed = true; /* it may be listed anew */
    pthread_cond_signal(&fleet->work);
    pthread_mutex_unlock(&fleet->lock);
}

struct fleet *fleet_open(const struct fleet_options *options, struct cache *cache)
{
    char password[REDIS_PASSWORD_BYTES] = "";
    if (options->password_file[0] && !file_read_key(options->password_file, password, sizeof password))
        return NULL;
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet)
        return NULL;
    fleet->options = *options;
    fleet->cache = cache;
    pthread_mutex_init(&fleet->lock, NULL);
    pthread_cond_init(&fleet->work, NULL);
    pthread_cond_init(&fleet->drawn, NULL);
    tally_open(&fleet->tally);
    fleet->redis = redis_open(&options->server, password, options->timeout_ms);
    if (fleet->redis)
        return fleet;
    fleet_close(fleet);
    return NULL;
}

void fleet_close(struct fleet *fleet)
{
    if (!fleet)
        return;
    redis_close(fleet->redis);
    pthread_cond_destroy(&fleet->drawn);
    pthread_cond_destroy(&fleet->work);
    pthread_mutex_destroy(&fleet->lock);
    free(fleet);
}
