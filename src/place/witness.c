#include "place/witness.h"

double distance_between(const struct record *a, const struct record *b)
{
    return great_circle_km(a->latitude, a->longitude, b->latitude, b->longitude);
}

bool witness_is_strong(const struct witness *witness, const struct witness_rules *rules)
{
    return witness->database == PLACE_BY_PROXY ||
           (witness->record.radius_km >= 0 && witness->record.radius_km <= rules->max_radius_km);
}

/* The first with a city among those of a standing, or NULL. */
static const struct witness *first_named(const struct witness witnesses[], size_t count,
                                         const struct witness_rules *rules, bool strong)
{
    for (size_t i = 0; i < count; i++)
        if (witnesses[i].reason == PLACE_REASON_NONE && witness_is_strong(&witnesses[i], rules) == strong)
            return &witnesses[i];
    return NULL;
}

/* The first that has more against it than that it names no city, else the first. */
static const struct witness *first_rejected(const struct witness witnesses[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (witnesses[i].reason != PLACE_NO_CITY)
            return &witnesses[i];
    return count > 0 ? &witnesses[0] : NULL;
}

/* Compares a city with what the others say: may find it confirmed, or in conflict. */
static void compare(const struct witness witnesses[], size_t count, const struct witness_rules *rules,
                    bool strong, struct witness_verdict *verdict)
{
    for (size_t i = 0; i < count; i++) {
        const struct witness *other = &witnesses[i];
        if (other == verdict->decides || other->reason != PLACE_REASON_NONE)
            continue;
        double distance_km = distance_between(&verdict->decides->record, &other->record);
        if (distance_km <= CONFIRMED_KM)
            verdict->confidence = PLACE_CONFIRMED;
        else if (distance_km > rules->max_radius_km && witness_is_strong(other, rules) == strong)
            verdict->reason = PLACE_CONFLICT;
    }
}

struct witness_verdict witnesses_judge(const struct witness witnesses[], size_t count,
                                       const struct witness_rules *rules)
{
    const struct witness *strong = first_named(witnesses, count, rules, true);
    const struct witness *named = strong ? strong : first_named(witnesses, count, rules, false);
    if (!named) {
        const struct witness *rejected = first_rejected(witnesses, count);
        return (struct witness_verdict){rejected, rejected ? rejected->reason : PLACE_NO_CITY, 0};
    }
    struct witness_verdict verdict = {named, PLACE_REASON_NONE, PLACE_CLAIMED};
    if (strong && named->database != PLACE_BY_PROXY) /* its radius is within the limit */
        verdict.confidence = PLACE_CONFIRMED;
    compare(witnesses, count, rules, strong, &verdict);
    if (verdict.reason == PLACE_CONFLICT) {
        verdict.confidence = PLACE_CLAIMED;
        if (!rules->hide_conflict)
            verdict.reason = PLACE_REASON_NONE;
    }
    if (verdict.reason == PLACE_REASON_NONE && verdict.confidence == PLACE_CLAIMED && rules->only_confirmed)
        verdict.reason = PLACE_UNCONFIRMED;
    return verdict;
}
