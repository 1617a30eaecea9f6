/* SPDX-License-Identifier: MIT */
/* Clocks, in nanoseconds. */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC: for durations. */
uint64_t clock_monotonic(void);

/* CLOCK_REALTIME: nanoseconds since the Unix epoch. */
int64_t clock_epoch(void);

/*
 * What clock_epoch() was when clock_monotonic() was 0, for turning the one into the other: of several readings
 * that which was interrupted the least, so within a microsecond or so. It changes when the clock is set.
 */
int64_t clock_monotonic_epoch(void);

#endif
