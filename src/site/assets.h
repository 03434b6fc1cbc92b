/* The files that a page loads, compiled into the program: loader, style, playground. */
#pragma once

#include "http/server.h"

/* Serves the asset at the request's path. Caches may keep it for an hour, under a path with the hash of its
 * content ("/masthead.0123456789abcdef.js") for ever. 404 when there is none. */
http_handler assets_serve;
