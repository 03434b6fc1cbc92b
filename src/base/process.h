/* The process's own metrics, process_*, under the names that Prometheus's client libraries use. */
#pragma once

#include <stdint.h>

/* Registers them. Call once, before threads. */
void process_register(void);

/* Lets the process have at least `count` descriptors, if the hard limit allows; else as many as it does.
 * Returns how many it may have. */
uint64_t process_want_descriptors(uint64_t count);
