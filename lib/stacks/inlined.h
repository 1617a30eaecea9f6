/* SPDX-License-Identifier: MIT */
/*
 * From debug information (DWARF): which functions the compiler put inside which. (pkg-config: libdw libelf)
 *
 * An index that is made as it is needed: which compilation unit covers an address, once per file; which
 * function, once per unit. It walks no deeper and no longer than bounds allow, whatever the file says.
 */
#ifndef WEIR_INLINED_H
#define WEIR_INLINED_H

#include <elfutils/libdwfl.h>

#include "base/slice.h"

enum { INLINED_WALK = 16 << 20 };	/* entries of a unit that are looked at */

struct inlined;

/* Of MODULE, which stays. NULL when it has no debug information. */
struct inlined *inlined_new(Dwfl_Module *module);
void inlined_free(struct inlined *inlined);

/*
 * The functions that ADDRESS (as MODULE's) lies in, the outermost first, at most MAX: their mangled names
 * where they have them. A function without a name is `?`. Returns how many; 0: not known, or INLINED is NULL.
 */
size_t inlined_find(struct inlined *inlined, uint64_t address, const char *names[], size_t max);

#endif
