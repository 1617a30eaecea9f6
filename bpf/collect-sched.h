/* SPDX-License-Identifier: (MIT OR GPL-2.0-only) */
/* What the two sides of collect-sched tell each other. */
#ifndef WEIR_BPF_COLLECT_SCHED_H
#define WEIR_BPF_COLLECT_SCHED_H

#include "shared.h"

enum sched_state { SCHED_UNKNOWN, SCHED_RUNNING, SCHED_RUNNABLE, SCHED_BLOCKED };

/* How a stretch of RUNNING ended; how one of RUNNABLE began. */
enum sched_why { SCHED_PREEMPT, SCHED_YIELD, SCHED_WAKEUP, SCHED_NEW, SCHED_SLEEP, SCHED_EXIT };

/* The kinds of event: spans, and what LTTng records of the same moments. */
enum sched_kind { SCHED_SPAN, SCHED_RAW_SWITCH, SCHED_RAW_WAKING, SCHED_RAW_WAKEUP, SCHED_RAW_NEW };

/* A stretch of one state that has ended. */
struct sched_span {
	struct event event;
	__u64 dur_ns;
	__u32 other_tid;	/* RUNNING: who is next; RUNNABLE: who ran before; BLOCKED: the waker */
	__u8 state, why, letter;
	__u8 clipped;		/* it had begun before the recording */
	__u8 waker_irq;
	__u8 has_other;
	__u8 throttled;		/* RUNNABLE: it is a struct sched_throttled */
	__u8 unused[3];
	__u8 kernels, users;	/* addresses of the stack behind it: of the kernel, of the program */
	char other_comm[COMM];
};

/* How a CPU quota held a thread back in a wait. */
struct sched_held {
	__u64 ns;		/* so long; 0: not at all, and the rest means nothing */
	__u64 after_ns;		/* so long after the begin of the wait */
	__u64 cgroup;		/* id of the one with the quota; 0: not known */
};

/* A wait in which it did. */
struct sched_throttled {
	struct sched_span span;
	struct sched_held held;
};

/* The program that sleeps; where stacks are asked for, between the span and its addresses. */
struct sched_program {
	__u64 exec;		/* changes when the process executes another program */
	__u32 pid, unused;	/* as the collector sees it in /proc */
};

/* Where a sleep began: the innermost address first, the kernel's before the program's. */
enum { SCHED_DEPTH = 127 };	/* as kernel.perf_event_max_stack has it */
struct sched_stack {
	struct sched_program program;
	__u32 kernels, users;
	__u64 addresses[2 * SCHED_DEPTH];
};

struct sched_raw {
	struct event event;	/* of the thread that runs */
	struct sched_held held;	/* a switch: in the wait of the next one */
	__u32 prev_prio, prev_state;
	__u32 next_tid, next_prio;	/* of a wakeup: the woken thread */
	__u32 target_cpu;
	__u32 flag;		/* a switch: it yields; waking: from an interrupt handler */
	char next_comm[COMM];
};

/* What a thread does at the beginning or end of the recording. */
struct sched_now {
	struct event event;
	__u64 since;
	struct sched_held held;
	__u8 state, why, letter, clipped;
	__u8 wanted;
	__u8 unused[3];
};

#ifndef __bpf__
_Static_assert(sizeof(struct sched_span) == 80, "no holes");
_Static_assert(sizeof(struct sched_throttled) == 104, "no holes");
_Static_assert(sizeof(struct sched_raw) == 104, "no holes");
_Static_assert(sizeof(struct sched_now) == 80, "no holes");
#endif

#endif
