/* Reading of JSON from outside, as the decoders of providers share it. jansson is for them alone. */
#pragma once

#include "weather/point/resample.h"

struct json_t;

/* Reads a document, an object, into *curve, which holds what the step before has read. */
typedef enum outcome reply_reader(const struct json_t *root, int64_t now_s, struct curve *curve);

/* Lets `read` read the object that the body is, as in struct provider_step; OUTCOME_PARSE when it is anything
 * else, or more. */
enum outcome reply_document(const char *body, size_t length, int64_t now_s, reply_reader *read,
                            struct curve *out);

bool reply_string_is(const struct json_t *, const char *expected);

/* A temperature in degrees Celsius. CURVE_NO_TEMPERATURE for null or nothing, which is no error. */
enum outcome reply_celsius(const struct json_t *, int16_t *cdeg);

/* As what it feels, in degrees Celsius. CURVE_NO_TEMPERATURE for anything else, or what cannot be. */
int16_t reply_feels(const struct json_t *);

/* A probability of which `whole` is certainty, in per cent. CURVE_NO_RAIN for anything else. */
uint8_t reply_percent(const struct json_t *, double whole);

/* A coordinate of at max `max` degrees either way; else NAN. */
double reply_degrees(const struct json_t *, double max);

/* The string `key` of the object that the body is, as clean text; "" when there is none. */
void reply_reason(const char *body, size_t length, const char *key, char out[PROVIDER_REASON_BYTES]);
