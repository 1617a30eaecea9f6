/* SPDX-License-Identifier: MIT */
/* Sockets that listen for connections. */
#ifndef WEIR_SERVICE_LISTENER_H
#define WEIR_SERVICE_LISTENER_H

#include "base/slice.h"

enum { LISTENER_URL = 80 };

/*
 * A socket that listens on the numeric ADDRESS (IPv4 or IPv6) and PORT, 0: one that the kernel chooses. URL
 * (LISTENER_URL bytes) gets `http://ADDRESS:PORT`, PORT the port. Where it cannot, says why and
 * exits with EXIT_FAILED; with EXIT_USAGE when ADDRESS is none.
 */
int listener_open(const char *address, uint64_t *port, char *url);

#endif
