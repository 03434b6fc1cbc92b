/* JSON, written piece by piece into a text. A piece is given as it will look, its values as to printf, so
 * that the compiler checks them. */
#pragma once

#include "base/text.h"

#define JSON_NONE INT64_MIN

/* Appends `shape` with a double quote for each single one. A comma at its start is left out where none is
 * due: after a bracket that opens. Each conversion has values that stand for none, and are written as null:
 *   %s         const char *, quoted and escaped as text_json does it; none: NULL, ""
 *   %-s        the same; none: NULL
 *   %d         int
 *   %jd        int64_t; none: JSON_NONE
 *   %td        int64_t, Unix seconds, written as clock_format does it; none: JSON_NONE
 *   %i         int or bool, true or false; none: negative
 *   %.Nf %.Ng  double, N a digit; none: NaN, infinities
 * There are no others. */
void json_write(struct text *, const char *shape, ...) __attribute__((format(printf, 2, 3)));
