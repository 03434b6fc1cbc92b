#include "weather/fleet/budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_BYTES 24
#define COUNT_MAX    (INT64_C(1) << 40) /* far beyond any budget */

/* KEYS: where the hashes' names begin. ARGV: instance, wanted, then limit and own count of each window. */
static const char script[] =
    "local spans={60,3600,86400} local now=tonumber(redis.call('time')[1])\n"
    "local granted=tonumber(ARGV[2]) local keys,mine,others={},{},{}\n"
    "for i=1,3 do\n"
    "  local limit,sum=tonumber(ARGV[1+2*i]),0\n"
    "  keys[i]=KEYS[1]..spans[i]..':'..math.floor(now/spans[i])\n"
    "  for _,count in ipairs(redis.call('hvals',keys[i])) do sum=sum+tonumber(count) end\n"
    "  local before=tonumber(redis.call('hget',keys[i],ARGV[1]) or 0)\n"
    "  others[i]=sum-before\n"
    "  mine[i]=math.max(before,tonumber(ARGV[2+2*i]))\n"
    "  if limit>0 then granted=math.min(granted,limit-others[i]-mine[i]) end\n"
    "end\n"
    "granted=math.max(granted,0)\n"
    "for i=1,3 do\n"
    "  local count=math.max(mine[i],tonumber(ARGV[2+2*i])+granted)\n"
    "  redis.call('hset',keys[i],ARGV[1],string.format('%.0f',count))\n"
    "  redis.call('expire',keys[i],2*spans[i])\n"
    "end\n"
    "return string.format('%.0f %.0f %.0f %.0f %.0f %.0f',\n"
    "  granted,now,others[1],others[2],others[3],redis.call('hlen',keys[2]))";

/* Every number may be anything: those beyond reason are none. */
static bool read_reply(const struct redis_reply *reply, struct budget *budget)
{
    int64_t *others = budget->others;
    int end = 0;
    int fields = sscanf(
        reply->bytes, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 "%n",
        &budget->granted, &budget->now_s, &others[0], &others[1], &others[2], &budget->instances, &end);
    bool ok = reply->kind == REDIS_STRING && fields == 6 && (size_t)end == reply->length &&
              budget->granted >= 0 && budget->granted <= budget->wanted && budget->now_s >= 0 &&
              budget->instances > 0 && budget->instances < COUNT_MAX;
    for (size_t i = 0; i < BUDGET_WINDOWS; i++)
        ok = ok && others[i] >= 0 && others[i] < COUNT_MAX;
    return ok;
}

enum redis_end budget_draw(struct redis *redis, const char *prefix, struct budget *budget,
                           struct redis_reply *reply)
{
    char key[BUDGET_KEY_BYTES], instance[NUMBER_BYTES], numbers[1 + 2 * BUDGET_WINDOWS][NUMBER_BYTES];
    struct redis_command command = {.count = 0};
    const char *const words[] = {"EVAL", script, "1", key, instance};
    snprintf(key, sizeof key, "%sbudget:%s:", prefix, budget->provider);
    snprintf(instance, sizeof instance, "%016" PRIx64, budget->instance);
    snprintf(numbers[0], NUMBER_BYTES, "%" PRId64, budget->wanted);
    for (size_t i = 0; i < BUDGET_WINDOWS; i++) {
        snprintf(numbers[1 + 2 * i], NUMBER_BYTES, "%" PRId64, budget->limits[i]);
        snprintf(numbers[2 + 2 * i], NUMBER_BYTES, "%" PRId64, budget->own[i]);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        redis_word(&command, words[i], strlen(words[i]));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        redis_word(&command, numbers[i], strlen(numbers[i]));
    enum redis_end end = redis_exchange(redis, &command, 1, reply);
    if (end == REDIS_ANSWERED && reply->kind != REDIS_ERROR && !read_reply(reply, budget))
        end = REDIS_MALFORMED;
    return end;
}
