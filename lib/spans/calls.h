/* SPDX-License-Identifier: MIT */
/*
 * System calls and file descriptors: what the arguments of a call say that it works on, and what the call
 * changes in the table of its process. The thread's struct call carries the one to the other.
 *
 * A descriptor means what it stood for when the call began. What a call closes or replaces is in doubt from
 * its entry to its exit: other threads that use the descriptor meanwhile are told nothing.
 */
#ifndef WEIR_CALLS_H
#define WEIR_CALLS_H

#include "records/reader.h"
#include "spans/span.h"
#include "spans/threads.h"

struct calls;

/* Works on the processes of THREADS. */
struct calls *calls_new(struct threads *threads);
void calls_free(struct calls *calls);

/* Tells the keys that it looks up, those of addresses included, each by a call of ADD. */
void calls_keys(void add(const char *key, void *data), void *data);

/*
 * The call that THREAD has just opened; its entry is RECORD, SYSCALL what is known of the call. O(1), but
 * for forks, execs and close_range: O(open files).
 */
void calls_begin(struct calls *calls, const struct record *record, struct thread *thread,
		 const struct syscall *syscall, int64_t ts);

/*
 * It returns: its exit is RECORD; NULL when it does not. Fills what TOLD has from fd on; the path is valid
 * until the caller closes the call.
 */
void calls_end(struct calls *calls, const struct record *record, struct thread *thread, int64_t ts,
	       struct span_call *told);

/* PARENT (NULL: not known) has made CHILD. */
void calls_fork(struct calls *calls, struct thread *parent, struct thread *child);

/* The thread has started another program, as RECORD says; PATH may be empty. */
void calls_exec(struct calls *calls, const struct record *record, struct thread *thread, struct slice path);

/* Records of the tracer's dump of the state: of THREAD, and of an open file (TS: now). */
void calls_dump_thread(struct calls *calls, const struct record *record, struct thread *thread);
void calls_dump_file(struct calls *calls, const struct record *record, int64_t ts);

/* The process of the thread, or NULL. */
struct process *calls_process(struct calls *calls, struct thread *thread);

/* Calls that were given a descriptor that was open, so far; and of these, those whose path is known. */
uint64_t calls_asked(const struct calls *calls);
uint64_t calls_answered(const struct calls *calls);

#endif
