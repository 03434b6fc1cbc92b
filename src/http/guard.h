/* The guard: what a request must be before any route sees it. civetweb accepts forms of framing that let a
 * second request hide inside the first, or a proxy's header line get lost; this refuses them all, and closes.
 */
#pragma once

struct mg_request_info;

/* 0 when the request may pass, else the status to refuse it with (400, 431, 505). Pure. */
int guard_status(const struct mg_request_info *);
