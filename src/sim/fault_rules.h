/* What is to go wrong, and for which requests: a short list of rules, each narrowed to an API
 * or a path, to a box of coordinates and to a share of the requests. The first that fits a request strikes.
 * One that is not narrowed at all stands last, so that it never hides another.
 *
 * Thread-safe. */
#pragma once

#include "base/text.h"
#include "sim/faults.h"

#define FAULT_RULES_MAX 16

/* How a rule is written, for the manual. */
extern const char fault_rules_manual[];

/* Reads a rule from the request's query and puts it in force: in the place of one that is narrowed alike,
 * if there is one. The fault "none", not narrowed, ends all others instead. NULL, or why it is refused; then
 * nothing has changed. */
const char *fault_rules_add(const struct wire *);

/* Ends all rules. */
void fault_rules_clear(void);

/* Decides what befalls a request to `api`, counts it, and writes the fault and its value into the
 * exchange. `forecast` is NULL when the query was refused: such a request lies in no box. */
void fault_rules_apply(struct exchange *);

/* Writes how things stand as members of a JSON object: "fault", "value" and "times" of the rule that is not
 * narrowed, and "faults", all of them with their counts. */
void fault_rules_write(struct text *);
