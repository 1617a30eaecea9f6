/* SPDX-License-Identifier: MIT */
/*
 * The address spaces of the processes of a saved trace, as a command line names them: which files give their
 * addresses names (symbols.h does it).
 */
#ifndef WEIR_SPACES_H
#define WEIR_SPACES_H

#include "base/options.h"
#include "stacks/callstack.h"

struct spaces;

/*
 * KALLSYMS: a copy of /proc/kallsyms, or NULL. MAPS and ELF: `[WHO=]FILE`, copies of /proc/PID/maps and programs
 * that are not position-independent or are in a MAPS of the same WHO: a pid, a comm, or left out for all other
 * processes. A file that cannot be read ends the program.
 */
struct spaces *spaces_new(const char *kallsyms, const struct option_list *maps, const struct option_list *elf);
void spaces_free(struct spaces *spaces);

/*
 * The trace itself says that process PID has the program or library FILE, which is here, mapped at BASE (as
 * symbols_saved_elf() takes it). What names PID or its comm on the command line goes before that. Up to
 * SPACES_TRACED processes.
 */
enum { SPACES_TRACED = 16 << 10 };
void spaces_mapped(struct spaces *spaces, int64_t pid, const char *file, uint64_t base);

/*
 * The frames of a stack of the process with this PID (-1: not known) and COMM, and of the function at one of
 * its addresses, as a record has them in `stack`. Of the kernel's frames, those of LTTng itself, by which the
 * stack was taken, are left out at the leaf. Valid until the next call.
 */
struct slice spaces_stack(struct spaces *spaces, int64_t pid, struct slice comm, const struct callstack *stack);
struct slice spaces_function(struct spaces *spaces, int64_t pid, struct slice comm, uint64_t address);

/* Says on stderr how many frames have no name, and how many stacks are truncated, if there are any. */
void spaces_report(const struct spaces *spaces);

#endif
