/* The guard: what every request must be. civetweb accepts framing that hides a second request inside the
 * first, and loses header lines that a proxy wrote. The guard refuses both. */
#pragma once

struct mg_request_info;

/* 0 when the request may pass, else the status of the refusal: 400, 431 or 505. `start`: where this thread's
 * requests begin in memory (see connections_read_here). Pure. */
int guard_status(const struct mg_request_info *, const char *start);
