/* SPDX-License-Identifier: MIT */
/*
 * The recent history of all threads and CPUs, from a stream of spans (records(5)) in the order of their
 * ends, and the question that it answers: where did this thread's time go, from when to when?
 *
 * Times are nanoseconds. Texts are as they stand in records.
 */
#ifndef WEIR_HISTORY_H
#define WEIR_HISTORY_H

#include "base/intern.h"
#include "base/past.h"
#include "explain/cause.h"
#include "records/reader.h"

enum {
	HISTORY_THREADS_MAX = 1 << 18,	/* past that, those heard of longest ago are forgotten */
	HISTORY_CPUS_MAX = 1 << 13,
	HISTORY_NAMES_MAX = 1 << 16,	/* names of threads and calls that are told apart */
	HISTORY_TOP = 3,
};

/* A name that is not known. */
#define HISTORY_NO_NAME UINT32_MAX

enum history_kind {
	HISTORY_NOTHING, HISTORY_ONCPU, HISTORY_RUNQ, HISTORY_BLOCKED, HISTORY_SYSCALL, HISTORY_IRQ,
	HISTORY_BLOCK,
	HISTORY_THROTTLED,	/* of a HISTORY_RUNQ its begin, where it says so */
};

/* The thread and time of a span; tid -1: it is of no thread. */
struct history_span {
	int64_t tid, from, to;
};

/* A system call, as far as it tells what its sleeps wait for. */
struct history_call {
	uint32_t name;
	enum call_kind kind;
	enum path_kind path;
	bool timed_out;
};

struct explained;

struct life {
	int64_t tid;
	int64_t seen;
	uint32_t name;
	bool ended;		/* its last slice has passed */
	bool held;		/* the caller's: it must not be forgotten */
	int64_t first_call;	/* when the first known system call ended */
	bool has_calls;
	int64_t settled;	/* nothing before this will be asked for */
	struct past states, calls, irqs, requests;
	struct explained *first, *last;	/* the caller's, waiting for this thread; none when it is made */
};

struct split {
	int64_t part[CAUSES];	/* their sum is the length */
	bool knows_calls;	/* the next two are known; their sum is part[CAUSE_RUN] */
	int64_t run_user, run_call;
	/* Who ran while it was runnable, by time; all these add up to part[CAUSE_RUNQ]. */
	struct split_by {
		int64_t tid, ns;
		uint32_t name;
	} by[HISTORY_TOP];
	size_t by_n;
	int64_t by_others, by_nobody;	/* others: or not known who; nobody: the CPU was idle */
	/* The longest time at once that it was throttled; ns 0: never. */
	struct split_throttled {
		int64_t ns;
		uint32_t cgroup;
	} throttled;
	/* The system calls, by time. */
	struct split_call {
		uint32_t name;
		uint64_t n;
		int64_t ns, run;
	} call[HISTORY_TOP];
	size_t call_n;
	/* The longest sleep; ns 0: there is none. */
	struct split_sleep {
		int64_t ns, waker_tid;
		enum cause cause;
		uint32_t call, waker;
		bool by_irq;
	} sleep;
	bool incomplete;	/* events were lost meanwhile */
};

struct history;

/*
 * Spans that ended more than REACH before are forgotten. CALLS: system calls are remembered; else
 * history_settle() tells what of a thread will not be asked for any more.
 */
struct history *history_new(int64_t reach, bool calls);
void history_free(struct history *history);

/* What a record with this ev has to tell. */
enum history_kind history_kind(struct slice ev);

/* The time of a record, and its thread if it has one; false when it lacks the time, or it is none. */
bool history_time(struct history *history, const struct record *record, struct history_span *span);

/* The same, but it must have a thread. TID 0 is one. */
bool history_span(struct history *history, const struct record *record, struct history_span *span);

/*
 * Adds a span. Returns the thread whose states or calls are known up to a later time now, or NULL.
 * O(1) amortized, but for irq and block O(those it contains).
 */
struct life *history_add(struct history *history, enum history_kind kind, const struct history_span *span,
			 const struct record *record);

/* Events are missing, as the ev=lost record says. */
void history_lost(struct history *history, const struct record *record);

/* The thread, made when it is new; or NULL. Valid until a thread is made, unless it is held or waited for. */
struct life *history_at(struct history *history, int64_t tid, int64_t now);
struct life *history_find(struct history *history, int64_t tid);

/* What the record of a system call tells of it. */
struct history_call history_call(struct history *history, const struct record *record);

/*
 * Splits the time from FROM to TO of a thread. SELF: all of it is in this system call; NULL: the calls that
 * are remembered count. O(spans within, times log of those remembered).
 */
void history_split(struct history *history, const struct life *life, int64_t from, int64_t to,
		   const struct history_call *self, struct split *split);

/* Since when the thread has not slept, at the time AT; at least LIMIT. O(log n + spans since). */
int64_t history_awake(const struct life *life, int64_t at, int64_t limit);

/* The text of a name; empty when it is not known. */
struct slice history_name(const struct history *history, uint32_t name);

/* Spans that came after one of the same thread that ended later. They are not used. */
uint64_t history_disordered(const struct history *history);

#endif
