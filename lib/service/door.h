/* SPDX-License-Identifier: MIT */
/*
 * Lets connections in, so many at a time: further ones wait in the kernel's queue until one has left.
 * (libmicrohttpd's own limit closes them.) pkg-config: libmicrohttpd
 */
#ifndef WEIR_SERVICE_DOOR_H
#define WEIR_SERVICE_DOOR_H

#include <microhttpd.h>

#include "base/slice.h"

struct door;

/* FD listens. A thread gives its connections to the daemon, once door_open() has named it. */
struct door *door_new(int fd, uint64_t limit);
void door_open(struct door *door, struct MHD_Daemon *daemon);

/* What the daemon must call, as its MHD_OPTION_NOTIFY_CONNECTION with the door. */
void door_notify(void *door, struct MHD_Connection *connection, void **kept,
		 enum MHD_ConnectionNotificationCode code);

/* Nobody comes in any more; closes the socket that listens. */
void door_close(struct door *door);

/* After the daemon has been stopped. */
void door_free(struct door *door);

#endif
