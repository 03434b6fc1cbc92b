/* What has been ordered to go wrong, and for which requests: a short list of faults, each narrowed to an API
 * or a path, to a box of coordinates and to a share of the requests. The first that fits a request strikes.
 * One that is not narrowed at all stands last, so that it never hides another.
 *
 * Thread-safe. */
#pragma once

#include "base/text.h"
#include "sim/faults.h"

#define ORDERS_MAX 16

/* How an order is written, for the manual. */
extern const char orders_manual[];

/* Reads an order from the request's query and puts it in force: in the place of one that is narrowed alike,
 * if there is one. The fault "none", not narrowed, ends all others instead. NULL, or why it is refused; then
 * nothing has changed. */
const char *orders_set(const struct wire *);

/* Ends all orders. */
void orders_clear(void);

/* Decides what befalls a request to `dialect`, counts it, and writes the fault and its value into the
 * exchange. `forecast` is NULL when the query was refused: such a request lies in no box. */
void orders_choose(struct exchange *);

/* Writes how things stand as members of a JSON object: "fault", "value" and "times" of the order that is not
 * narrowed, and "faults", all of them with their counts. */
void orders_write(struct text *);
