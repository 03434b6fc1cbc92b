#include "weather/cell/judge.h"

#define TURN_REFRESHES 2 /* a refresh that has waited for so many times `refresh_ms` has not had its turn */

int64_t judge_age_ms(const struct entry *entry, const struct instant *now)
{
    return now->boot_ms > entry->fetched_ms ? now->boot_ms - entry->fetched_ms : 0;
}

bool judge_readable(const struct judge *judge, const struct entry *entry, const struct instant *now)
{
    bool kept = entry->ground ? judge->ground != 0 : judge_age_ms(entry, now) < judge->options.keep_ms;
    return kept && entry->curve.count > 0 && curve_covers(&entry->curve, now->wall_ms / 1000);
}

bool judge_wants_ground(const struct judge *judge, const struct entry *entry, const struct instant *now)
{
    int64_t overdue_ms = now->boot_ms - entry->refresh_ms;
    if (judge->ground == 0 || !judge_readable(judge, entry, now))
        return judge->ground != 0;
    return entry->ground ? entry->ground != judge->ground
                         : overdue_ms >= TURN_REFRESHES * judge->options.refresh_ms;
}

bool judge_in_flight(const struct entry *entry)
{
    return entry->active || entry->class != FETCH_UNLISTED;
}

int64_t judge_refused_ms(const struct judge *judge, enum fetch_class class, const struct instant *now)
{
    int64_t left_ms = judge->refused_until_ms[class] - now->boot_ms;
    return left_ms > 0 && left_ms <= JUDGE_REFUSED_MS ? left_ms : 0;
}

int64_t judge_blocked_ms(const struct judge *judge, const struct entry *entry, enum fetch_class class,
                         const struct instant *now)
{
    int64_t own_ms = entry->failures > 0 || entry->postponed ? entry->retry_ms - now->boot_ms : 0;
    int64_t held_ms = judge_refused_ms(judge, class, now);
    return own_ms > held_ms ? own_ms : held_ms;
}

enum weather_state judge_state(const struct judge *judge, const struct entry *entry, enum fetch_class class,
                               const struct instant *now)
{
    int32_t waited_s = (int32_t)((uint32_t)(now->boot_ms / 1000) - entry->listed_s);
    bool waited = judge_in_flight(entry) && waited_s >= TURN_REFRESHES * judge->options.refresh_ms / 1000;
    if (judge_readable(judge, entry, now) && entry->ground)
        return now->wall_ms / 1000 < entry->curve.stale_s ? WEATHER_FRESH : WEATHER_STALE;
    if (judge_readable(judge, entry, now))
        return entry->failures > 0 || entry->refused >= class || waited ? WEATHER_STALE : WEATHER_FRESH;
    bool comes = judge_in_flight(entry) ||
                 (!judge->options.fetchless && judge_blocked_ms(judge, entry, class, now) == 0);
    return comes ? WEATHER_MISS : WEATHER_NEGATIVE;
}

struct cache_view judge_view(const struct judge *judge, const struct entry *entry, enum fetch_class class,
                             const struct instant *now)
{
    bool is_held = entry->failures > 0 || entry->postponed;
    int64_t next_in_ms = is_held ? judge_blocked_ms(judge, entry, class, now) : 0;
    struct cache_view view = {
        .state = judge_state(judge, entry, class, now),
        .in_flight = judge_in_flight(entry),
        .age_ms = judge_age_ms(entry, now),
        .refresh_in_ms = next_in_ms,
        .retry_in_ms = entry->failures > 0 ? next_in_ms : 0,
    };
    if (view.state == WEATHER_FRESH || view.state == WEATHER_STALE) {
        view.curve = entry->curve;
        view.until_s =
            entry->ground ? INT64_MAX : (now->wall_ms - view.age_ms + judge->options.keep_ms) / 1000;
        view.refresh_in_ms =
            entry->ground ? entry->curve.expires_s * 1000 - now->wall_ms : entry->refresh_ms - now->boot_ms;
    }
    return view;
}

enum fetch_class judge_class(enum weather_client client, bool is_readable)
{
    if (client == WEATHER_FOR_CHOICE || client == WEATHER_IF_KNOWN)
        return FETCH_PUBLIC;
    return is_readable ? FETCH_REFRESH : FETCH_URGENT;
}

bool judge_worth_fetching(const struct judge *judge, const struct entry *entry)
{
    return entry->visits >= (judge->stretch - 1) * judge->usual_visits;
}
