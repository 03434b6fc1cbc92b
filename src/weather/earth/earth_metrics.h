/* The metrics of the earth's weather. Private to the room. */
#pragma once

#include "weather/earth/earth.h"

enum earth_source { EARTH_MODEL, EARTH_AIRPORTS, EARTH_SOURCES };

/* Registers them, once, before threads. */
void earth_register_metrics(struct earth *);

/* Counts a request that has ended, and the bytes that came. Thread-safe. */
void earth_count(enum earth_source, bool good, size_t bytes);
