/* SPDX-License-Identifier: MIT */
/* The names that today's LTTng gives to events, for those that older tracers and perf name otherwise. */
#ifndef WEIR_EVENTNAME_H
#define WEIR_EVENTNAME_H

#include "base/slice.h"

enum { EVENTNAME_ROOM = 320 };

/*
 * Today's name of the kernel event NAME: NAME itself where it is no old one (or longer than 255 bytes),
 * else a text at TO. For events of user space, `provider:event`, the name stays, unless the provider is
 * called like a group of the kernel's events (sched, irq, ...).
 */
struct slice eventname_today(struct slice name, char to[EVENTNAME_ROOM]);

#endif
