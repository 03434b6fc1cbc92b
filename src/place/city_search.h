/* Searching the cities by what people type. */
#pragma once

#include "place/city_table.h"

#define CITY_SEARCH_MAX 10

/* The cities that a query finds, as gazetteer_search says; returns how many indices of rows were written, at
 * most `max` and CITY_SEARCH_MAX. */
size_t city_search(const struct city_table *, const char *query, const char *country,
                   size_t found[CITY_SEARCH_MAX], size_t max);
