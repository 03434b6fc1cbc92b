/* What is to go wrong, and for which requests: a short list of rules, each limited to an API or a path, to a
 * mirror, to a box of coordinates and to a share of the requests. The first that matches a request is
 * applied. A rule without any limit stands last, so that it never hides another.
 *
 * Thread-safe. */
#pragma once

#include "sim/faults.h"

#define FAULT_RULES_MAX 16

/* How a rule is written, for the manual. */
extern const char fault_rules_manual[];

/* Reads a rule from the request's query and puts it in force, in place of the one with the same limits if
 * there is one. The fault "none" without a limit ends all rules instead. NULL, or why it is refused; then
 * nothing has changed. */
const char *fault_rules_add(const struct wire *);

/* Chooses the fault of a request, counts it, and writes the fault and its value into the exchange. A request
 * whose query was refused lies in no box. */
void fault_rules_apply(struct exchange *);

/* Writes the state as members of a JSON object: "fault", "value" and "times" of the rule without limits, and
 * "faults", all of them with their counts. */
void fault_rules_write(struct text *);
