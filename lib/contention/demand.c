// SPDX-License-Identifier: MIT
#include "contention/demand.h"

#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/table.h"
#include "spans/occupancy.h"
#include "spans/throttled.h"

enum {
	NAP_MAX = 1024,		/* sleeps of a thread that are kept until its call ends */
	PENDING_MAX = 16384,
};

/* A sleep. */
struct nap {
	int64_t begin, ns;
};

/* A thread, whatever its name. */
struct thread {
	int64_t pid;		/* 0: not yet known */
	struct nap *naps;	/* since its last call ended */
	uint32_t n;
	size_t room;
};

/* A wait: who ran meanwhile is known when all spans that end when the thread gets its CPU have been read. */
struct wait {
	uint64_t cpu;
	int64_t begin, end, got;
	uint32_t victim;
	bool has_cpu;
};

struct demand {
	struct lookup ev, ts, cpu, pid, tid, comm, dur, why, state, next, name, unfinished;
	struct throttled_fields throttled;
	struct intern *names;
	struct table *threads;	/* struct thread by tid */
	struct table *ids;	/* uint32_t task by tid and comm, and by its pid where that is told */
	struct demand_task *task;
	size_t room;
	uint32_t n;
	struct occupancy *occupancy;
	struct table *pairs;	/* uint64_t by victim << 32 | culprit */
	struct wait *pending;
	size_t pending_n, pending_room;
	int64_t pending_first;	/* the earliest of `got` */
	uint32_t victim;	/* of the wait that is being divided */
	bool any, gaps;
	int64_t first_ts, last_ts;
	uint64_t unusable;
};

struct demand *demand_new(void)
{
	struct demand *d = memory_zeroed(sizeof *d);

	*d = (struct demand){
		.ev = LOOKUP("ev"), .ts = LOOKUP("ts"), .cpu = LOOKUP("cpu"), .pid = LOOKUP("pid"),
		.tid = LOOKUP("tid"), .comm = LOOKUP("comm"), .dur = LOOKUP("dur_ns"), .why = LOOKUP("why"),
		.state = LOOKUP("state"), .next = LOOKUP("next_tid"), .name = LOOKUP("name"),
		.unfinished = LOOKUP("unfinished"), .throttled = THROTTLED_FIELDS,
	};
	d->names = intern_new();
	d->threads = table_new(sizeof(struct thread));
	d->ids = table_new(sizeof(uint32_t));
	d->pairs = table_new(sizeof(uint64_t));
	d->occupancy = occupancy_new();
	d->task = memory_grow(NULL, &d->room, 1, sizeof *d->task);
	d->task[d->n++] = (struct demand_task){ .tid = -1, .pid = -1 };
	return d;
}

void demand_free(struct demand *d)
{
	struct lookup *lookups[] = { &d->ev, &d->ts, &d->cpu, &d->pid, &d->tid, &d->comm, &d->dur, &d->why,
				     &d->state, &d->next, &d->name, &d->unfinished };
	uint64_t *tids = table_keys(d->threads);

	for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++)
		lookup_free(lookups[i]);
	throttled_free(&d->throttled);
	for (size_t i = 0; i < table_count(d->threads); i++)
		free(((struct thread *)table_find(d->threads, tids[i]))->naps);
	free(tids);
	for (uint32_t i = 0; i < d->n; i++)
		if (d->task[i].wait)
			sketch_free(d->task[i].wait);
	free(d->task);
	free(d->pending);
	intern_free(d->names);
	table_free(d->threads);
	table_free(d->ids);
	table_free(d->pairs);
	occupancy_free(d->occupancy);
	free(d);
}

/* What a span says. */
struct span {
	int64_t ts, dur, tid, pid, cpu;
	bool has_cpu;
	uint32_t task;
	struct thread *thread;	/* NULL: one too many */
};

/*
 * The task of a thread: one for each name, and for each process that bears the number in turn. A span
 * that does not tell the process is of the one that the thread was last known to be of.
 */
static uint32_t task_of(struct demand *d, const struct span *span, const struct slice *comm)
{
	int64_t pid = span->pid >= 0 ? span->pid : span->thread && span->thread->pid ? span->thread->pid : -1;
	uint32_t name = comm ? intern_id(d->names, *comm) + 1 : 0;
	/* Exact for what a kernel gives out: tid and pid below 2^22, and 2^20 names. */
	uint64_t key = ((uint64_t)span->tid << 42 | (uint64_t)(pid + 1) << 20) ^ name;
	uint32_t *id = table_find(d->ids, key);

	if (id)
		return *id;
	if (d->n == DEMAND_TASKS)
		return 0;
	*(uint32_t *)table_at(d->ids, key) = d->n;
	d->task = memory_grow(d->task, &d->room, d->n + 1, sizeof *d->task);
	d->task[d->n] = (struct demand_task){ .tid = span->tid, .pid = pid };
	if (comm)
		d->task[d->n].comm = intern_text(d->names, name - 1);
	return d->n++;
}

/* Reads what all spans have. */
static bool read_span(struct demand *d, const struct record *record, struct span *span)
{
	bool good = lookup_i64(&d->ts, record, &span->ts) && lookup_i64(&d->tid, record, &span->tid) &&
		    lookup_i64(&d->dur, record, &span->dur) && span->tid >= 0 && span->tid < 1 << 22 &&
		    span->ts >= 0 && span->ts < INT64_MAX && span->dur >= 0 &&
		    span->dur / 1000000 <= DEMAND_LONGEST;

	if (!good) {
		d->unusable++;
		return false;
	}
	if (!lookup_i64(&d->pid, record, &span->pid) || span->pid >= (1 << 22) - 1)
		span->pid = -1;
	span->has_cpu = lookup_i64(&d->cpu, record, &span->cpu) && span->cpu >= 0;
	span->thread = table_find(d->threads, (uint64_t)span->tid);
	if (!span->thread && table_count(d->threads) < DEMAND_TASKS)
		span->thread = table_at(d->threads, (uint64_t)span->tid);
	if (span->thread && span->pid > 0)
		span->thread->pid = span->pid;
	span->task = task_of(d, span, lookup_value(&d->comm, record));
	return true;
}

/* The window is that of the scheduler's spans. */
static void note_time(struct demand *d, const struct span *span)
{
	int64_t begin = span->ts - span->dur;

	if (!d->any || begin < d->first_ts)
		d->first_ts = begin;
	if (!d->any || span->ts > d->last_ts)
		d->last_ts = span->ts;
	d->any = true;
}

static bool is(const struct slice *value, struct slice text)
{
	return value && slice_equal(*value, text);
}

static void take_oncpu(struct demand *d, const struct record *record, const struct span *span)
{
	struct demand_task *task = &d->task[span->task];

	note_time(d, span);
	task->got_ns += (uint64_t)span->dur;
	if (!lookup_value(&d->unfinished, record)) {
		task->slices++;
		task->slices_ns += (uint64_t)span->dur;
		task->preempted += is(lookup_value(&d->why, record), SLICE("preempt"));
	}
	if (span->has_cpu)
		occupancy_add(d->occupancy, (uint64_t)span->cpu, span->ts - span->dur, span->ts, span->task,
			      is(lookup_value(&d->next, record), SLICE("0")));
}

static void add_share(void *context, uint32_t culprit, uint64_t ns)
{
	struct demand *d = context;
	uint64_t key = (uint64_t)d->victim << 32 | culprit, *share = table_find(d->pairs, key);

	if (!share && table_count(d->pairs) >= DEMAND_PAIRS)
		key = (uint64_t)d->victim << 32 | (culprit < OCCUPANCY_UNKNOWN ? 0 : culprit);
	if (!share)
		share = table_at(d->pairs, key);
	*share += ns;
}

static void divide(struct demand *d, const struct wait *wait)
{
	d->victim = wait->victim;
	if (wait->has_cpu)
		occupancy_split(d->occupancy, wait->cpu, wait->begin, wait->end, add_share, d);
	else if (wait->end > wait->begin)
		add_share(d, OCCUPANCY_UNKNOWN, (uint64_t)(wait->end - wait->begin));
}

/* Divides the waits of those who got their CPU before TS. */
static void divide_before(struct demand *d, int64_t ts)
{
	size_t left = 0;
	int64_t first = INT64_MAX;

	if (d->pending_n == 0 || d->pending_first >= ts)
		return;
	for (size_t i = 0; i < d->pending_n; i++) {
		const struct wait wait = d->pending[i];

		if (wait.got < ts) {
			divide(d, &wait);
			continue;
		}
		d->pending[left++] = wait;
		first = wait.got < first ? wait.got : first;
	}
	d->pending_n = left;
	d->pending_first = first;
}

/* The CPU is wanted from BEGIN to END. */
static void wait_for(struct demand *d, const struct span *span, int64_t begin, int64_t end)
{
	if (begin >= end)
		return;
	if (d->pending_n == PENDING_MAX)
		divide_before(d, INT64_MAX);
	if (d->pending_n == 0 || span->ts < d->pending_first)
		d->pending_first = span->ts;
	d->pending = memory_grow(d->pending, &d->pending_room, d->pending_n + 1, sizeof *d->pending);
	d->pending[d->pending_n++] = (struct wait){ .cpu = (uint64_t)span->cpu, .begin = begin, .end = end,
						    .got = span->ts, .victim = span->task, .has_cpu = span->has_cpu };
}

static void take_runq(struct demand *d, const struct record *record, const struct span *span)
{
	struct demand_task *task = &d->task[span->task];
	/* Whoever had the CPU then took nothing from it. */
	struct throttled part = throttled_of(&d->throttled, record, span->dur);
	int64_t begin = span->ts - span->dur, waited = span->dur - (part.to - part.from);

	note_time(d, span);
	task->throttled_ns += (uint64_t)(span->dur - waited);
	if (waited == 0 && span->dur)
		return;
	task->waited_ns += (uint64_t)waited;
	task->waits++;
	if (!task->wait)
		task->wait = sketch_new();
	sketch_add(task->wait, (double)waited);
	wait_for(d, span, begin, begin + part.from);
	wait_for(d, span, begin + part.to, span->ts);
}

static void take_blocked(struct demand *d, const struct record *record, const struct span *span)
{
	struct thread *thread = span->thread;
	const struct slice *state = lookup_value(&d->state, record);

	if (state && state->len && state->at[0] == 'D')
		d->task[span->task].disk_ns += (uint64_t)span->dur;
	if (!thread)
		return;
	if (thread->n == NAP_MAX) {
		/* In one call as a rule: what matters is their sum. */
		thread->naps[thread->n - 1].ns += span->dur;
		return;
	}
	thread->naps = memory_grow(thread->naps, &thread->room, thread->n + 1, sizeof *thread->naps);
	thread->naps[thread->n++] = (struct nap){ span->ts - span->dur, span->dur };
}

/* A call's sleeps have all ended before it, and begun after it did. */
static void take_call(struct demand *d, const struct record *record, const struct span *span)
{
	int64_t ns = span->dur;

	if (!span->thread)
		return;
	for (uint32_t i = 0; i < span->thread->n; i++)
		if (span->thread->naps[i].begin >= span->ts - span->dur)
			ns -= span->thread->naps[i].ns;
	span->thread->n = 0;
	if (lookup_value(&d->unfinished, record))
		return;
	if (ns < span->dur && is(lookup_value(&d->name, record), SLICE("futex")))
		d->task[span->task].lock_ns += (uint64_t)span->dur;
	d->task[span->task].calls++;
	d->task[span->task].calls_ns += ns > 0 ? (uint64_t)ns : 0;
}

void demand_take(struct demand *d, const struct record *record)
{
	const struct slice *ev = lookup_value(&d->ev, record);
	bool oncpu = is(ev, SLICE("oncpu")), runq = is(ev, SLICE("runq"));
	bool blocked = is(ev, SLICE("blocked")), call = is(ev, SLICE("syscall"));
	struct span span = { .cpu = -1 };

	if (!oncpu && !runq && !blocked && !call)
		return;
	if (!read_span(d, record, &span))
		return;
	divide_before(d, span.ts);
	/* The idle task wants no CPU; it is where nobody runs. */
	if (oncpu && span.tid != 0)
		take_oncpu(d, record, &span);
	else if (runq && span.tid != 0)
		take_runq(d, record, &span);
	else if (blocked)
		take_blocked(d, record, &span);
	else if (call)
		take_call(d, record, &span);
}

void demand_gap(struct demand *d)
{
	d->gaps = true;
	divide_before(d, INT64_MAX);
	occupancy_gap(d->occupancy);
}

void demand_finish(struct demand *d)
{
	divide_before(d, INT64_MAX);
	/* Spans before the first that told a thread's process. */
	for (uint32_t i = 1; i < d->n; i++) {
		const struct thread *thread = table_find(d->threads, (uint64_t)d->task[i].tid);

		if (d->task[i].pid < 0 && thread && thread->pid)
			d->task[i].pid = thread->pid;
	}
}

const struct demand_task *demand_tasks(const struct demand *d, uint32_t *n)
{
	*n = d->n;
	return d->task;
}

struct demand_share *demand_shares(const struct demand *d, size_t *n)
{
	uint64_t *keys = table_keys(d->pairs);
	struct demand_share *shares;

	*n = table_count(d->pairs);
	shares = memory_get((*n + 1) * sizeof *shares);
	for (size_t i = 0; i < *n; i++)
		shares[i] = (struct demand_share){ (uint32_t)(keys[i] >> 32), (uint32_t)keys[i],
						   *(uint64_t *)table_find(d->pairs, keys[i]) };
	free(keys);
	return shares;
}

uint64_t demand_time(const struct demand *d)
{
	return d->any ? (uint64_t)(d->last_ts - d->first_ts) : 0;
}

int64_t demand_last(const struct demand *d)
{
	return d->last_ts;
}

size_t demand_cpus(const struct demand *d)
{
	return occupancy_cpus(d->occupancy);
}

bool demand_gaps(const struct demand *d)
{
	return d->gaps;
}

uint64_t demand_unusable(const struct demand *d)
{
	return d->unusable;
}
