/* Why a reader is shown what they are shown, as JSON for people. */
#ifndef WIDGET_EXPLAIN_H
#define WIDGET_EXPLAIN_H

#include "base/text.h"
#include "place/place.h"

#include <stdbool.h>

/* Writes one object: the address, its place and verdict, and the evidence. `pretty` spreads it over lines. */
void explain_place(const struct address *, const struct place *, const struct place_evidence *, bool pretty,
                   struct text *);

#endif
