/* SPDX-License-Identifier: MIT */
/*
 * System calls by number: the name, the arguments, and which of these are a descriptor and a path. The numbers
 * are those of the machine that it was built on, and of its 32-bit calls where the headers have them; the names
 * of arguments are those that the kernel, and LTTng after it, gives them.
 */
#ifndef WEIR_CALLBOOK_H
#define WEIR_CALLBOOK_H

#include "spans/syscalls.h"

enum {
	CALLBOOK_NUMBERS = 512,		/* calls have lower ones */
	CALLBOOK_ARGUMENTS = 6,
};

/* Which numbers: the machine's own, or those of 32-bit programs. */
enum callbook_abi { CALLBOOK_NATIVE, CALLBOOK_COMPAT, CALLBOOK_ABIS };

/* What the register of the result holds. */
enum callbook_result {
	CALLBOOK_NUMBER,
	CALLBOOK_ADDRESS,
	CALLBOOK_NO_RESULT,	/* that of what a signal interrupted */
};

struct callbook_entry {
	struct slice name;			/* empty: there is no such call */
	const struct syscall *syscall;		/* what is known of a call of this name */
	struct slice argument[CALLBOOK_ARGUMENTS];	/* `-`: of no use without what it points to */
	bool is_int[CALLBOOK_ARGUMENTS];	/* 32 bits with a sign */
	unsigned arguments;			/* how many; 0 may mean that they are not known */
	unsigned fd, path, directory;		/* which one it is, from 1; 0: none */
	enum callbook_result result;
};

/* Fills BOOK once; O(numbers * names). */
typedef struct callbook_entry callbook[CALLBOOK_ABIS][CALLBOOK_NUMBERS];
void callbook_fill(callbook book);

#endif
