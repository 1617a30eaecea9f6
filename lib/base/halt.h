/* SPDX-License-Identifier: MIT */
/* Pauses of many threads, which all end when the program is to stop. */
#ifndef WEIR_HALT_H
#define WEIR_HALT_H

#include "base/slice.h"

/* Blocks SIGINT and SIGTERM in this thread and those that it makes. The first call. */
void halt_start(void);

/* Waits for one of these signals, or NS nanoseconds (0: for ever). True: a signal came. */
bool halt_wait(uint64_t ns);

/* From now on every pause ends at once. */
void halt_now(void);

/* Waits until the moment UNTIL (clock_monotonic()). False: the program is to stop. */
bool halt_pause(uint64_t until);

#endif
