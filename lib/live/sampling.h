/* SPDX-License-Identifier: MIT */
/* Running a BPF program many times a second on each CPU, wherever that CPU is. */
#ifndef WEIR_SAMPLING_H
#define WEIR_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

struct sampling;

/*
 * HERTZ times a second of the time that a CPU works: by its own count of cycles, or by a clock of the kernel where
 * there is none (virtual machines). Ends the program with a message when neither can be had, or HERTZ is more
 * than kernel.perf_event_max_sample_rate. Needs CAP_PERFMON.
 */
struct sampling *sampling_open(uint64_t hertz);

/* What counts: `cycles` or `cpu-clock`. */
const char *sampling_clock(const struct sampling *sampling);

/* Has the program run from now on, until it is stopped. No right is needed any more. */
void sampling_start(struct sampling *sampling, int program);
void sampling_stop(struct sampling *sampling);
void sampling_free(struct sampling *sampling);

#endif
