/* The process's own metrics, process_*, under the names that Prometheus's client libraries use. */
#pragma once

#include <stdint.h>

/* Registers these metrics. Call once, before threads. */
void process_register(void);

/* Raises the limit of open descriptors to `count`, or as far as the hard limit allows. Returns how many the
 * process may have; `count` where it may have more. */
uint64_t process_want_descriptors(uint64_t count);
