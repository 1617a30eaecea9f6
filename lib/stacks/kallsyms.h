/* SPDX-License-Identifier: MIT */
/* The kernel's functions, from /proc/kallsyms or a copy of it. (pkg-config: zlib) */
#ifndef WEIR_KALLSYMS_H
#define WEIR_KALLSYMS_H

#include "base/slice.h"

enum {
	KALLSYMS_TEXT_MAX = 256 << 20,	/* bytes of names */
	KALLSYMS_LINE = 1024,		/* bytes of a line */
};

struct kallsyms;

/*
 * Reads FILE, which gzip may have compressed. NULL: errno says why; EINVAL: it is none; EFBIG; EPERM: it
 * shows no addresses to this process. Memory: the names and 16 bytes for each function.
 */
struct kallsyms *kallsyms_read(const char *file);
void kallsyms_free(struct kallsyms *kallsyms);

/*
 * The function that ADDRESS lies in: the last that begins at or before it; NUL-terminated, valid as long as
 * KALLSYMS. False: none. Of several names for one address the one with the fewest leading underscores.
 * O(log n).
 */
bool kallsyms_find(const struct kallsyms *kallsyms, uint64_t address, struct slice *name);

#endif
