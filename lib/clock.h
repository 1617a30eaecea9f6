/* SPDX-License-Identifier: MIT */
/* Clocks, in nanoseconds. */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC: for durations. */
uint64_t clock_monotonic(void);

/* CLOCK_REALTIME: nanoseconds since the Unix epoch. */
int64_t clock_epoch(void);

#endif
