/* SPDX-License-Identifier: MIT */
/*
 * The callers of a function whose program keeps no frame pointers: from a copy of the stack, the registers,
 * and the call frame information of the files that are mapped (.eh_frame, .debug_frame), as the C++ runtime
 * does it for exceptions. For x86-64 and arm64. (pkg-config: libdw libelf)
 */
#ifndef WEIR_UNWIND_H
#define WEIR_UNWIND_H

#include "stacks/space.h"

enum { UNWIND_REGISTERS = 33 };	/* x86-64 has 17, arm64 33 */

/* Registers by their numbers in DWARF, the instruction pointer as the last. */
struct unwind {
	uint64_t registers[UNWIND_REGISTERS];
	const char *stack;	/* copy of what begins at the stack pointer */
	size_t stack_bytes;
};

/*
 * Fills the registers from the kernel's struct pt_regs (x86-64; 21 words) or struct user_pt_regs (arm64; 34
 * words) of the machine that this was built for. False: this is another machine.
 */
bool unwind_registers(struct unwind *unwind, const uint64_t *words);

/*
 * Writes at most MAX addresses, the innermost first, all but that one return addresses; returns how many.
 * *WHOLE: the last one has no caller. Where a file has no such information (functions made at run time), its
 * frame pointers are followed. Costs about 3 us a frame.
 */
size_t unwind_stack(const struct unwind *unwind, struct images *images, struct space *space,
		    uint64_t *addresses, size_t max, bool *whole);

#endif
