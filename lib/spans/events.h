/* SPDX-License-Identifier: MIT */
/* What kind of event a record is, by its ev: a span, a loss, or one of the raw events that make spans. */
#ifndef WEIR_EVENTS_H
#define WEIR_EVENTS_H

#include "spans/syscalls.h"

enum {	/* names past these bounds are EVENT_OTHER */
	EVENTS_MAX = 1 << 16,
	EVENT_NAME_MAX = 256,
};

enum event_kind {
	EVENT_OTHER, EVENT_SPAN, EVENT_LOST,
	EVENT_SWITCH, EVENT_WAKING, EVENT_WAKEUP, EVENT_WAKEUP_NEW,
	EVENT_FORK, EVENT_EXEC, EVENT_EXIT,
	EVENT_STATEDUMP, EVENT_STATEDUMP_FD, EVENT_STATEDUMP_START, EVENT_STATEDUMP_END,
	EVENT_IRQ_ENTRY, EVENT_IRQ_EXIT, EVENT_SOFTIRQ_ENTRY, EVENT_SOFTIRQ_EXIT,
	EVENT_CALL_ENTRY, EVENT_CALL_EXIT,
	EVENT_BLOCK_INSERT, EVENT_BLOCK_ISSUE, EVENT_BLOCK_REQUEUE, EVENT_BLOCK_MERGE,
	EVENT_BLOCK_FRONT_MERGE, EVENT_BLOCK_COMPLETE,
};

/* System calls whose entries and exits do not come in pairs. */
enum call_kind {
	CALL_PLAIN,
	CALL_FORKS,		/* returns a second time, 0, in the child */
	CALL_EXITS,		/* does not return */
	CALL_SIGRETURN,		/* the return is not traced */
	CALL_YIELDS,		/* returns; a switch while it is under way is its doing */
	CALL_UNKNOWN,		/* the tracer knows its number only: event_call_by_id() */
};

struct event {
	enum event_kind kind;
	enum call_kind call;
	struct slice name;	/* of the system call: equal names are at equal addresses */
	const struct syscall *syscall;
};

struct events;

struct events *events_new(void);
void events_free(struct events *events);

/* The event named EV; valid until the next call. O(length). */
const struct event *events_find(struct events *events, struct slice ev);

/* Its kind alone. Compares names: ask once for each. */
enum event_kind events_kind(struct slice ev);

/* The kind of a call named `unknown`, by its number, where it is one of those above. */
enum call_kind events_call_by_id(int64_t id);

#endif
