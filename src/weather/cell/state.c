#include "weather/cell/state.h"

const char *const weather_state_names[WEATHER_NAMINGS][WEATHER_STATES] = {
    /* By state: unknown, fresh, stale, miss, negative. */
    [WEATHER_TO_READERS] = {"unknown", "fresh", "stale", "place", "place"},
    [WEATHER_AS_LOOKUP] = {"", "hit", "stale", "miss", "negative"},
    [WEATHER_OF_CELL] = {"", "fresh", "stale", "none", "none"},
};
