/* Explains an answer as JSON for people. Asks no provider and changes nothing. */
#pragma once

#include "visitor/client.h"
#include "widget/widget.h"

/* Writes one object: the address, its place with the verdict, and the evidence. With `pretty` it has the
 * shape of explain_visit over several lines: what needs a running service is null. */
void explain_place(const struct address *, const struct place *, const struct place_evidence *, bool pretty,
                   struct text *);

/* Writes the whole decision about a visit as one object: the forwarding header and its hops, what
 * explain_place writes, the weather of the cell, how the whole earth's comes about there, and the state of
 * its providers. */
void explain_visit(const struct widget *, const struct client_options *, const struct origin *,
                   const struct visit *, struct text *);
