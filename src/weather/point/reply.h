/* Reading of JSON from outside, as the decoders of providers share it. jansson is for them alone. */
#pragma once

#include "weather/point/provider.h"
#include "weather/point/resample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;

/* The object that the body is, to be released; NULL when it is anything else, or more. */
struct json_t *reply_object(const char *body, size_t length);

bool reply_string_is(const struct json_t *, const char *expected);

/* A temperature in degrees Celsius. CURVE_NO_TEMPERATURE for null or nothing, which is no error. */
enum outcome reply_celsius(const struct json_t *, int16_t *cdeg);

/* A coordinate of at max `max` degrees either way; else NAN. */
double reply_degrees(const struct json_t *, double max);

/* The string `key` of the object that the body is, as clean text; "" when there is none. */
void reply_reason(const char *body, size_t length, const char *key, char out[PROVIDER_REASON_BYTES]);
