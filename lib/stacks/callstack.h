/* SPDX-License-Identifier: MIT */
/*
 * The call stack that a record has, not yet resolved to names: addresses of LTTng's contexts
 * callstack_user.N and callstack_kernel.N (the leaf is N=0), or of the fields that spans(1) makes of them,
 * `ustack` and `kstack` (`0x...;0x...`, from the root to the leaf).
 */
#ifndef WEIR_CALLSTACK_H
#define WEIR_CALLSTACK_H

#include "records/reader.h"

enum { CALLSTACK_MAX = 1024 };	/* addresses on each side; the outer ones beyond are not taken */

struct callstack {
	/* Of the last record, the leaf first: */
	uint64_t user[CALLSTACK_MAX], kernel[CALLSTACK_MAX];
	size_t users, kernels;
	bool truncated;		/* of the outer frames, some are missing */

	struct lookup first_user, first_kernel, ustack, kstack, stack;
	char *fields;
	size_t fields_room;
};
#define CALLSTACK { .first_user = LOOKUP("callstack_user.0"), .first_kernel = LOOKUP("callstack_kernel.0"), \
	.ustack = LOOKUP("ustack"), .kstack = LOOKUP("kstack"), .stack = LOOKUP("stack") }

void callstack_free(struct callstack *callstack);

/* Takes the addresses of RECORD; false when it has none. O(addresses). */
bool callstack_get(struct callstack *callstack, const struct record *record);

/*
 * The stack of RECORD as fields for another one: `<TAB>ustack=...<TAB>kstack=...`, or `<TAB>stack=...` as it is
 * there; empty when it has none. Valid until the next call.
 */
struct slice callstack_fields(struct callstack *callstack, const struct record *record);

#endif
