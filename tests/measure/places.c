/* What a lookup costs, and whether a city is ever invented: random addresses through the whole room.
 *
 *   places [--short] STATE_FOLDER DATABASE.mmdb...
 *
 * Half the addresses are IPv4, half IPv6 from 2000::/4. Prints verdicts, the median and 99th percentile of a
 * lookup with verdict and label, and fails if an address whose record has no city, or none at all, was given
 * one. */
#include "measure.h"
#include "place/place.h"

#include <time.h>

#define ADDRESSES       2000000 /* a million of each family */
#define ADDRESSES_SHORT 20000

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static uint32_t timed_find(struct places *places, const struct address *address, struct place *place)
{
    struct timespec begun, ended;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    places_find(places, address, NULL, "en", place, NULL);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    return (uint32_t)((ended.tv_sec - begun.tv_sec) * 1000000000 + (ended.tv_nsec - begun.tv_nsec));
}

static bool invented(const struct place *place, const struct place_evidence *evidence)
{
    const struct witness *decides = place_decides(evidence);
    bool recorded = decides && record_has_city(&decides->record);
    return (place->verdict == PLACE_CITY || place->name[0]) && !recorded;
}

int main(int argc, char **argv)
{
    read_arguments(&argc, &argv, 2, "places [--short] STATE_FOLDER DATABASE.mmdb...");
    size_t addresses = short_run ? ADDRESSES_SHORT : ADDRESSES;
    struct place_options options = {.max_radius_km = 100};
    for (int i = 2; i < argc && options.database_count < PLACE_DATABASES; i++)
        snprintf(options.databases[options.database_count++], PLACE_PATH_BYTES, "%s", argv[i]);
    snprintf(options.state, sizeof options.state, "%s", argv[1]);
    struct places *places = places_open(&options);
    uint32_t *taken_ns = malloc(addresses * sizeof *taken_ns);
    if (!places || !places_loaded(places) || !taken_ns)
        return 1;
    unsigned verdicts[PLACE_VERDICTS] = {0}, inventions = 0;
    for (size_t i = 0; i < addresses; i++) {
        struct place place, again;
        struct place_evidence evidence;
        struct address address = random_address(i % 2 ? ADDRESS_V6 : ADDRESS_V4);
        taken_ns[i] = timed_find(places, &address, &place);
        places_find(places, &address, NULL, "en", &again, &evidence);
        verdicts[place.verdict]++;
        inventions += invented(&place, &evidence) || memcmp(place.name, again.name, sizeof place.name) != 0;
    }
    qsort(taken_ns, addresses, sizeof *taken_ns, compare);
    for (size_t i = 0; i < PLACE_VERDICTS; i++)
        printf("%-12s %7u\n", place_verdict_names[i], verdicts[i]);
    printf("lookup       median %u ns, 99th percentile %u ns\n", taken_ns[addresses / 2],
           taken_ns[addresses / 100 * 99]);
    printf("invented     %u\n", inventions);
    places_close(places);
    free(taken_ns);
    return inventions == 0 ? 0 : 1;
}
