/* SPDX-License-Identifier: MIT */
/*
 * Names for addresses: the frames of stacks, of processes that run, that ended, of the kernel, and of
 * saved traces. (pkg-config: libdw libelf zlib; library: iberty)
 *
 *	struct symbols *symbols = symbols_new();
 *	symbols_kernel(symbols, NULL);
 *	...
 *	struct space *space = symbols_process(symbols, pid);
 *	writer_raw(out, KEY("stack"), symbols_stack(symbols, space, &stack));
 *
 * A frame is a function's name, demangled (C++, Rust), without file and line. Functions that the compiler
 * put inside others have frames of their own, from debug information (beside the file, or under
 * /usr/lib/debug; from debuginfod where DEBUGINFOD_URLS is set). What has no name is
 * `[module+0xoffset]`, the offset in the file; where there is no file, `[anon+0x…]` from the beginning of
 * the mapping, `[kernel+0xaddress]`, `[unmapped+0xaddress]`. A frame is never left out.
 *
 * Frames are text as a record has it: escaped, with `;` in a name as \\x3b (stack.h). Ready for writer_raw().
 *
 * Memory: 64 files are open at a time; up to SYMBOLS_CACHED addresses and SYMBOLS_TEXT bytes of their
 * names are remembered (then all are forgotten and looked up anew); up to SYMBOLS_SPACES processes.
 */
#ifndef WEIR_SYMBOLS_H
#define WEIR_SYMBOLS_H

#include "base/slice.h"

enum {
	SYMBOLS_CACHED = 1 << 20,
	SYMBOLS_TEXT = 128 << 20,
	SYMBOLS_SPACES = 16 << 10,
	SYMBOLS_NOTED = 4096,	/* programs captured by symbols_note() that wait to be taken over */
	SYMBOLS_FRAME = 1024,	/* bytes of one frame before escapes; a longer name is cut, and ends in `...` */
};

struct symbols;
struct space;			/* where a process has which files mapped */

struct symbols *symbols_new(void);
void symbols_free(struct symbols *symbols);

/*
 * Names for kernel addresses from FILE (as /proc/kallsyms; may be compressed by gzip), NULL:
 * /proc/kallsyms itself. Without this call kernel frames have no names. A FILE that cannot be read, or is
 * none, ends the program. False, after a message: this process may not see the kernel's addresses.
 */
bool symbols_kernel(struct symbols *symbols, const char *file);

/*
 * The live process PID (a thread group). The first call captures its mappings and keeps its files open, so
 * call it when the process is first heard of: then frames have names after it ended too. Later calls cost
 * one lookup and a look at the process's start time, by which a pid that was given again is
 * noticed. For a process that ended before the first call, all user frames are `[unmapped+0x…]`.
 * Valid until the next call.
 */
struct space *symbols_process(struct symbols *symbols, int64_t pid);

/*
 * As symbols_process(), for who is told when a process executes another program: EXEC is another number then
 * (the kernel's self_exec_id). What was captured of the program before stays, for its addresses.
 */
struct space *symbols_program(struct symbols *symbols, int64_t pid, uint64_t exec);

/*
 * Captures that program now, as it is. Another thread than the one that asks for names may call this (one such
 * thread), as that one may be busy reading a file while programs end. Costs some 50 us.
 */
void symbols_note(struct symbols *symbols, int64_t pid, uint64_t exec);

/*
 * A process of a saved trace, with the mappings of MAPS, a copy of its /proc/PID/maps (NULL: none). A file
 * on this machine counts as the one that was mapped when its inode number is the same. Valid as long as
 * SYMBOLS. A MAPS that cannot be read ends the program.
 */
struct space *symbols_saved(struct symbols *symbols, const char *maps);

/*
 * The file ELF is what the process ran: it stands for the file of the same name in the mappings, whatever
 * its inode; when they have none of that name, it is mapped at BASE (added to the addresses in ELF: 0 for
 * a program that is not position-independent). An ELF that cannot be read ends the program.
 */
void symbols_saved_elf(struct symbols *symbols, struct space *space, const char *elf, uint64_t base);

/* Addresses as the kernel gives them: the innermost first. All but the innermost are return addresses. */
struct stack {
	const uint64_t *user, *kernel;
	size_t users, kernels;	/* how many */
	bool truncated;		/* it goes on, but its outer frames were not taken */
	bool leaf_returns;	/* the innermost is a return address as well */
};

/*
 * The frames from the root to the leaf, user before kernel, joined by `;`. A truncated one begins with
 * `[truncated]`. Empty when there is no address. Valid until the next call. Costs a binary search among the
 * mappings and one look into a hash table per address that was seen before.
 */
struct slice symbols_stack(struct symbols *symbols, struct space *space, const struct stack *stack);

/*
 * One address: its frames, from the outer to the innermost that is inlined there, joined by `;`. RETURNS:
 * it is a return address. SPACE NULL: of the kernel. Valid until the next call.
 */
struct slice symbols_address(struct symbols *symbols, struct space *space, uint64_t address, bool returns);

/* unwind_stack() (unwind.h) with the files that SYMBOLS has. */
struct unwind;
size_t symbols_unwind(struct symbols *symbols, struct space *space, const struct unwind *unwind,
		      uint64_t *addresses, size_t max, bool *whole);

struct symbols_counts {
	uint64_t stacks, truncated;
	uint64_t frames, unknown;	/* of addresses; unknown: without a name */
	uint64_t replaced;		/* unknown, because the file was replaced meanwhile */
};
const struct symbols_counts *symbols_counts(const struct symbols *symbols);

/* Messages, if there is something to say: the shares of frames without names and of truncated stacks. */
void symbols_report(const struct symbols *symbols);

#endif
