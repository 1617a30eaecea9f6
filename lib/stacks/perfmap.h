/* SPDX-License-Identifier: MIT */
/*
 * Functions made while a program runs, as runtimes tell them (Python -X perf, node --perf-basic-prof, Java):
 * lines `START SIZE NAME`, numbers in hexadecimal, in /tmp/perf-PID.map.
 */
#ifndef WEIR_PERFMAP_H
#define WEIR_PERFMAP_H

#include "base/slice.h"

enum {
	PERFMAP_TEXT_MAX = 256 << 20,	/* bytes that are read; what follows is left out */
	PERFMAP_MAX = 8 << 20,		/* functions */
};

struct perfmap;

/* Reads FD, whose process may write to it meanwhile; lines that are not of this form are passed over. */
struct perfmap *perfmap_read(int fd);
void perfmap_free(struct perfmap *perfmap);

/*
 * The function that ADDRESS lies in; of several that were at the same place, the one that was told last.
 * Valid as long as PERFMAP, any bytes but LF and NUL. False: none. O(log n).
 */
bool perfmap_find(const struct perfmap *perfmap, uint64_t address, struct slice *name);

#endif
