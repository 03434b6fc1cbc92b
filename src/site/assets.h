/* The files that a page loads, compiled into the program: loader, style, playground. */
#pragma once

#include "http/server.h"

/* Serves the asset at the request's path. Caches may keep it for an hour, under a path with the hash of its
 * content ("/masthead.0123456789abcdef.js") for ever, and for five minutes under one with another hash. What
 * pages of others load is compressed for who takes it so: the caller's Vary names Accept-Encoding. 404 when
 * there is none. */
http_handler assets_serve;
