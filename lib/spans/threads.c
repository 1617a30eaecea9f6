// SPDX-License-Identifier: MIT
#include "spans/threads.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"

struct threads *threads_new(void)
{
	struct threads *threads = memory_zeroed(sizeof *threads);

	threads->by_tid = table_new(sizeof(struct thread *));
	threads->processes = processes_new();
	threads->gap_until = threads->gap_everywhere = INT64_MIN;
	return threads;
}

void threads_close_call(struct thread *thread)
{
	struct call *call = &thread->call;

	if (!call->open)
		return;
	call->open = false;
	text_drop(call->path);
	text_drop(call->argv);
	file_drop(call->file);
}

/* Frees it, but for its places in the table and on a CPU. */
static void discard(struct threads *threads, struct thread *thread)
{
	threads_close_call(thread);
	processes_leave(threads->processes, &thread->process);
	text_drop(thread->stack);
	free(thread);
}

void threads_free(struct threads *threads)
{
	uint64_t *tids = table_keys(threads->by_tid);

	for (size_t i = table_count(threads->by_tid); i-- > 0;)
		discard(threads, *(struct thread **)table_find(threads->by_tid, tids[i]));
	free(tids);
	table_free(threads->by_tid);
	processes_free(threads->processes);
	for (size_t i = 0; i < threads->cpus_n; i++)
		free(threads->cpus[i]);
	free(threads->cpus);
	free(threads);
}

void threads_name(struct thread *thread, int64_t pid, struct slice comm)
{
	if (pid >= 0)
		thread->pid = pid;
	if (comm.len && !slice_equal(label_text(&thread->comm), comm)) {
		label_set(&thread->comm, comm);
		thread->who.len = 0;
	}
}

struct slice threads_who(struct thread *thread)
{
	if (!thread->who.len || thread->who.pid != thread->pid || thread->who.tid != thread->tid) {
		thread->who.pid = thread->pid;
		thread->who.tid = thread->tid;
		thread->who.len = span_who(thread->who.text, thread->pid, thread->tid, label_text(&thread->comm));
	}
	return (struct slice){ thread->who.text, thread->who.len };
}

struct cpu *threads_cpu(struct threads *threads, int64_t number)
{
	size_t n = (size_t)number;
	struct cpu *cpu;

	if (number < 0 || number >= CPUS_MAX)
		return NULL;
	if (n >= threads->cpus_n) {
		threads->cpus = memory_resize(threads->cpus, (n + 1) * sizeof cpu);
		memset(threads->cpus + threads->cpus_n, 0, (n + 1 - threads->cpus_n) * sizeof cpu);
		threads->cpus_n = n + 1;
	}
	cpu = threads->cpus[n];
	if (!cpu) {
		threads->cpus[n] = cpu = memory_zeroed(sizeof *cpu);
		cpu->number = cpu->idle.cpu = (int32_t)number;
		cpu->gap_until = threads->gap_everywhere;
	}
	return cpu;
}

/* Its state is not known from now on: the stretch and the call under way are dropped. */
static void forget(struct threads *threads, struct thread *thread)
{
	thread->state = THREAD_UNKNOWN;
	thread->losses = threads->losses;
	threads_close_call(thread);
	thread->call.known = false;
	thread->woken = thread->exiting = false;
	thread->born = 0;
}

/* Events were lost that may have changed what the thread does: it is forgotten. */
static void heed_loss(struct threads *threads, struct thread *thread)
{
	/* One that runs was forgotten by the loss itself, where the loss was on its CPU. */
	if (thread->state != THREAD_RUNNING && thread->losses != threads->losses)
		forget(threads, thread);
}

/* Makes THREAD (NULL: one not known) the current one of CPU. */
static void set_current(struct threads *threads, struct cpu *cpu, struct thread *thread)
{
	struct thread *before = cpu->current;

	if (before == thread)
		return;
	if (before) {
		if (before->state == THREAD_RUNNING)
			forget(threads, before);
		before->on = NULL;
	}
	if (thread && thread->on) {
		if (thread->state == THREAD_RUNNING)
			forget(threads, thread);
		thread->on->current = NULL;
	}
	if (thread) {
		thread->on = cpu;
		thread->cpu = cpu->number;
	}
	cpu->current = thread;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Removes the half that was seen longest ago, but for those on a CPU. */
static void make_room(struct threads *threads)
{
	size_t n = table_count(threads->by_tid);
	uint64_t *tids = table_keys(threads->by_tid);
	int64_t *seen = memory_get(n * sizeof *seen), median;

	for (size_t i = 0; i < n; i++)
		seen[i] = (*(struct thread **)table_find(threads->by_tid, tids[i]))->seen;
	qsort(seen, n, sizeof *seen, by_number);
	median = seen[n / 2];
	for (size_t i = 0; i < n; i++) {
		struct thread *thread = *(struct thread **)table_find(threads->by_tid, tids[i]);

		if (thread->seen > median || thread->on)
			continue;
		threads_remove(threads, thread);
		threads->forgotten++;
	}
	free(seen);
	free(tids);
}

static struct thread *make(struct threads *threads, int64_t tid, int64_t ts)
{
	struct thread *thread;

	if (table_count(threads->by_tid) >= THREADS_MAX)
		make_room(threads);
	thread = memory_zeroed(sizeof *thread);
	thread->tid = tid;
	thread->pid = thread->exit_code = -1;
	thread->cpu = -1;
	thread->losses = threads->losses;
	thread->seen = ts;
	*(struct thread **)table_at(threads->by_tid, (uint64_t)tid) = thread;
	return thread;
}

struct thread *threads_find(struct threads *threads, int64_t tid, int64_t ts)
{
	struct thread **found = table_find(threads->by_tid, (uint64_t)tid);

	if (!found)
		return NULL;
	heed_loss(threads, *found);
	(*found)->seen = ts;
	return *found;
}

struct thread *threads_at(struct threads *threads, int64_t tid, int64_t ts)
{
	struct thread *thread = threads_find(threads, tid, ts);

	return thread ? thread : make(threads, tid, ts);
}

struct thread *threads_current(struct threads *threads, struct cpu *cpu, int64_t ts)
{
	if (cpu->current) {
		heed_loss(threads, cpu->current);
		cpu->current->seen = ts;
	}
	return cpu->current;
}

void threads_observe(struct threads *threads, struct cpu *cpu, struct thread *thread, int64_t ts)
{
	if (ts <= cpu->gap_until || cpu->current == thread)
		return;
	if ((cpu->current && cpu->current->state == THREAD_RUNNING) || thread->state == THREAD_RUNNING ||
	    thread->state == THREAD_BLOCKED || (thread->state == THREAD_RUNNABLE && !thread->presumed)) {
		threads->contradictions++;
		forget(threads, thread);
	}
	if (thread->state == THREAD_RUNNABLE)
		thread->state = THREAD_UNKNOWN;
	set_current(threads, cpu, thread);
}

void threads_remove(struct threads *threads, struct thread *thread)
{
	if (thread->on)
		thread->on->current = NULL;
	table_remove(threads->by_tid, (uint64_t)thread->tid);
	discard(threads, thread);
}

struct thread *threads_born(struct threads *threads, int64_t tid, int64_t ts)
{
	struct thread *thread = threads_find(threads, tid, ts);

	if (thread) {
		/* Its end was not seen. */
		threads->contradictions += thread->state != THREAD_UNKNOWN || thread->call.open;
		threads_remove(threads, thread);
	}
	thread = make(threads, tid, ts);
	thread->born = ts > threads->gap_until ? ts : 0;
	return thread;
}

struct thread *threads_rename(struct threads *threads, int64_t old_tid, int64_t tid, int64_t ts)
{
	struct thread *thread, *leader;

	if (old_tid == tid)
		return threads_at(threads, tid, ts);
	thread = threads_at(threads, old_tid, ts);
	leader = threads_find(threads, tid, ts);
	if (leader)
		threads_remove(threads, leader);
	table_remove(threads->by_tid, (uint64_t)old_tid);
	thread->tid = tid;
	*(struct thread **)table_at(threads->by_tid, (uint64_t)tid) = thread;
	return thread;
}

bool threads_unfinished(const struct thread *thread, int64_t ts, struct stretch *stretch)
{
	if (thread->state == THREAD_UNKNOWN || (thread->state == THREAD_RUNNABLE && thread->presumed) ||
	    ts < thread->since)
		return false;
	*stretch = (struct stretch){
		.state = thread->state,
		.why = thread->why,
		.letter = thread->letter,
		.cpu = thread->cpu,
		.dur_ns = ts - thread->since,
	};
	return true;
}

/* Ends the state under way, which must be known. False when time ran backwards. */
static bool end(struct threads *threads, struct thread *thread, int64_t ts, struct stretch *stretch)
{
	thread->presumed = false;
	if (threads_unfinished(thread, ts, stretch))
		return true;
	threads->contradictions++;
	forget(threads, thread);
	return false;
}

/* Enters a state off the CPUs, unless a loss may hide how it goes on. */
static void leave_cpu(struct threads *threads, struct thread *thread, enum thread_state state, int64_t ts)
{
	if (ts <= threads->gap_until) {
		forget(threads, thread);
		return;
	}
	thread->state = state;
	thread->since = ts;
	thread->losses = threads->losses;
	thread->presumed = false;
}

bool threads_switch_out(struct threads *threads, struct cpu *cpu, struct thread *thread, int64_t ts,
			enum thread_why leaves, char letter, struct stretch *stretch)
{
	bool ended = false;

	threads->switches = true;
	if (ts <= cpu->gap_until) {
		forget(threads, thread);
		set_current(threads, cpu, NULL);
		return false;
	}
	if (cpu->current != thread)
		threads_observe(threads, cpu, thread, ts);
	if (thread->tid == 0) {
		set_current(threads, cpu, NULL);
		return false;
	}
	if (thread->state == THREAD_RUNNING) {
		ended = end(threads, thread, ts, stretch);
		stretch->why = leaves;
		if (ended)
			thread->cpu_ns += (uint64_t)stretch->dur_ns;
	}
	thread->state = THREAD_UNKNOWN;	/* no longer running: what follows may drop nothing */
	set_current(threads, cpu, NULL);
	if (leaves == WHY_EXIT)
		return ended;
	thread->why = leaves;
	thread->letter = letter;
	leave_cpu(threads, thread, leaves == WHY_SLEEP ? THREAD_BLOCKED : THREAD_RUNNABLE, ts);
	return ended;
}

bool threads_switch_in(struct threads *threads, struct cpu *cpu, struct thread *thread, int64_t ts,
		       struct stretch *stretch)
{
	bool ended = false;

	if (ts <= cpu->gap_until) {
		forget(threads, thread);
		set_current(threads, cpu, NULL);
		return false;
	}
	if (thread->state == THREAD_RUNNING) {
		threads->contradictions++;
		forget(threads, thread);
	}
	if (thread->state == THREAD_BLOCKED)
		threads->unwoken++;
	if (thread->state != THREAD_UNKNOWN)
		ended = end(threads, thread, ts, stretch);
	if (ended && stretch->state == THREAD_RUNNABLE)
		stretch->cpu = cpu->number;
	set_current(threads, cpu, thread);
	if (thread->tid == 0)
		return false;
	thread->state = THREAD_RUNNING;
	thread->since = ts;
	return ended;
}

bool threads_wake(struct threads *threads, struct thread *thread, int64_t ts, bool is_new,
		  struct stretch *stretch)
{
	bool ended = false;

	if (thread->tid == 0 || thread->state == THREAD_RUNNING || thread->state == THREAD_RUNNABLE)
		return false;
	if (thread->state == THREAD_BLOCKED) {
		ended = end(threads, thread, ts, stretch);
	} else if (thread->on) {
		/* On its CPU since before the trace, and woken before it had left. */
		return false;
	}
	thread->why = is_new ? WHY_NEW : WHY_WAKEUP;
	leave_cpu(threads, thread, THREAD_RUNNABLE, ts);
	thread->presumed = !ended && !is_new;
	return ended;
}

bool threads_may_open(const struct threads *threads, const struct thread *thread, int64_t ts)
{
	return thread->state == THREAD_RUNNING || ts > threads->gap_until;
}

void threads_lost(struct threads *threads, struct cpu *cpu, int64_t until)
{
	threads->losses++;
	processes_lost(threads->processes);
	if (until > threads->gap_until)
		threads->gap_until = until;
	if (!cpu && until > threads->gap_everywhere)
		threads->gap_everywhere = until;
	for (size_t i = 0; i < threads->cpus_n; i++) {
		struct cpu *each = threads->cpus[i];

		if (!each || (cpu && each != cpu))
			continue;
		set_current(threads, each, NULL);
		each->handlers.n = 0;
		if (until > each->gap_until)
			each->gap_until = until;
	}
}

struct thread **threads_all(struct threads *threads, int64_t ts, size_t *n)
{
	uint64_t *tids = table_keys(threads->by_tid);
	struct thread **all;

	*n = table_count(threads->by_tid);
	all = memory_get(*n * sizeof *all);
	for (size_t i = 0; i < *n; i++)
		all[i] = threads_find(threads, (int64_t)tids[i], ts);
	free(tids);
	return all;
}
