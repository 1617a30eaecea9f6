/* SPDX-License-Identifier: MIT */
/*
 * Why time passes for a thread: it runs, or why it does not. What a sleep waits for is told by the system
 * call it is in, by what the call is on and what it returned, by the state, and by what woke the thread.
 */
#ifndef WEIR_CAUSE_H
#define WEIR_CAUSE_H

#include "base/slice.h"

/* Each nanosecond has one of these. A new one is a new line here and in cause.c. */
enum cause {
	CAUSE_RUN, CAUSE_IRQ, CAUSE_RUNQ,
	CAUSE_THROTTLED,	/* a CPU quota of its cgroup holds it back */
	/* Blocked: */
	CAUSE_DISK, CAUSE_SOCKET, CAUSE_LOCK, CAUSE_TIMER, CAUSE_PIPE, CAUSE_FD, CAUSE_CHILD, CAUSE_FAULT,
	CAUSE_STOP, CAUSE_OTHER,
	/* Of a request, not in the server: */
	CAUSE_DNS, CAUSE_CONNECT, CAUSE_TLS, CAUSE_OUTSIDE,
	CAUSE_UNKNOWN,
	CAUSES,
};

/* `run`, `disk` ... as keys of records have it; `running`, `blocked on disk` ... for people. */
struct slice cause_name(enum cause cause);
struct slice cause_phrase(enum cause cause);

/* What system calls wait for, by their names. */
enum call_kind {
	CALL_OTHER, CALL_NONE, CALL_UNKNOWN, CALL_FILE, CALL_TREE, CALL_SYNC, CALL_SOCKET, CALL_POLL,
	CALL_EVENTS, CALL_LOCK, CALL_SLEEP, CALL_SIGNAL, CALL_CHILD, CALL_MEMORY,
};
/* By the name of a call, CALL_OTHER when it is not among those told apart. O(log n). */
enum call_kind cause_call(struct slice name);

/* What a call is on, by its path. */
enum path_kind { PATH_UNKNOWN, PATH_FILE, PATH_PIPE, PATH_SOCKET, PATH_TIMER, PATH_OTHER };
enum path_kind cause_path(struct slice path);

/* Whether RET says that such a call ended because its time was over. */
bool cause_timed_out(enum call_kind kind, int64_t ret);

struct wait {
	enum call_kind call;	/* CALL_NONE: outside of any; CALL_UNKNOWN: it is not known whether */
	enum path_kind path;
	bool timed_out;
	char state;		/* as in /proc/PID/stat */
	bool by_irq;		/* an interrupt handler woke it */
	bool request;		/* a disk request of the thread was under way */
};
enum cause cause_of_sleep(const struct wait *wait);

#endif
