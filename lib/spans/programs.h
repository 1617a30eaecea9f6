/* SPDX-License-Identifier: MIT */
/*
 * The program that each process runs: its path and its command line, kept from its exec to its end, and
 * taken over by the processes that it forks.
 */
#ifndef WEIR_PROGRAMS_H
#define WEIR_PROGRAMS_H

#include "../bpf/collect-proc.h"
#include "base/slice.h"

/* In the form that records have; empty: not known. */
struct running {
	struct slice path, argv;
	bool truncated;		/* not all of argv is here */
};

struct programs;

/* Memory: path and command line of each process, five times their length at most. */
struct programs *programs_new(void);
void programs_free(struct programs *programs);

/*
 * What PROGRAM is from now on. PATH and ARGUMENTS are raw, each of the latter with a NUL behind it. Valid until the
 * next call.
 */
const struct running *programs_set(struct programs *programs, uint32_t pid, struct proc_program program,
				   struct slice path, struct slice arguments, bool truncated);

/* What a process that is there already runs, as far as /proc tells. */
void programs_look(struct programs *programs, uint32_t pid, struct proc_program program);

/* The child runs what its parent does. */
void programs_fork(struct programs *programs, uint32_t pid, struct proc_program program, uint32_t child_pid,
		   struct proc_program child);

/* What PROGRAM of the process PID is; its fields are empty when that was never told. Valid until the next call. */
const struct running *programs_find(struct programs *programs, uint32_t pid, struct proc_program program);

/* The process has ended. */
void programs_end(struct programs *programs, uint32_t pid);

/*
 * Writes ARGUMENTS, each with a NUL behind it, at TO as a shell would read them: joined by spaces, those that are
 * empty or have other bytes than letters, digits and @%+=:,./_- in single quotes, a single quote within as '\''.
 * Then escaped as a value. TO has room for 5 bytes for each and 8 more; returns the length.
 */
size_t programs_quote(char *to, struct slice arguments);

#endif
