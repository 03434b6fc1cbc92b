/* What civetweb does not offer: to stop accepting without cutting off answers. */
#pragma once

/* Stops accepting on this process's listening socket with this address (an IPv4 literal) and port, which
 * civetweb does not tell. */
void accepting_stop(const char *host, int port);
