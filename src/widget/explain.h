/* Why a reader is shown what they are shown, as JSON for people. Nothing here asks anybody or changes
 * anything.
 */
#pragma once

#include "base/text.h"
#include "place/place.h"
#include "visitor/client.h"
#include "widget/widget.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes one object: the address, its place and verdict, and the evidence. `pretty` spreads it over lines,
 * and names what only a running service can tell, as null. */
void explain_place(const struct address *, const struct place *, const struct place_evidence *, bool pretty,
                   struct text *);

#define ORIGIN_LINES 64 /* as many as a request can have */

/* Where a visit comes from. */
struct origin {
    const struct client_options *options;
    struct address peer;             /* of the connection */
    const char *lines[ORIGIN_LINES]; /* values of the forwarding header */
    size_t line_count;
};

/* Writes the whole decision about a visit as one object over lines: the header and its hops, what
 * explain_place writes, the weather of the cell, and how things stand with its providers. */
void explain_visit(const struct widget *, const struct origin *, const struct visit *, struct text *);
