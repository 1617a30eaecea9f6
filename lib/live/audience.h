/* SPDX-License-Identifier: MIT */
/*
 * The processes that take what this one writes: a collector must not record them, or each record would
 * make more of them.
 */
#ifndef WEIR_AUDIENCE_H
#define WEIR_AUDIENCE_H

#include <stddef.h>
#include <stdint.h>

struct audience {
	uint32_t pid;
	int terminal;	/* it shows the terminal that is written to; else it reads a pipe or socket */
};

/*
 * Those that read what goes to the descriptor FD, those that read what they write to their stdout, and so
 * on; for a terminal, the process that drives it. At most MAX; returns how many. Reads /proc: what other
 * users' processes have open shows to root only.
 */
size_t audience_of(int fd, struct audience *found, size_t max);

#endif
