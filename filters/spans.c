// SPDX-License-Identifier: MIT
/*
 * spans: raw records of a tracer become what users ask about: how long each thread ran, waited for a
 * CPU and slept, how long each system call and interrupt handler took, who started and ended.
 *
 *	$ lttng-convert TRACE | spans
 *	ts=1795225110481469996	ev=syscall	cpu=1	pid=218	tid=218	comm=redis-server	name=write	dur_ns=16821	ret=5
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "events.h"
#include "loss.h"
#include "memory.h"
#include "message.h"
#include "number.h"
#include "options.h"
#include "reader.h"
#include "taskstate.h"
#include "threads.h"
#include "writer.h"

enum span { ONCPU, RUNQ, BLOCKED, SYSCALL, IRQ, SOFTIRQ, FORK, EXEC, EXIT, SPANS };
static const char *const span_names[SPANS + 1] = {
	"oncpu", "runq", "blocked", "syscall", "irq", "softirq", "fork", "exec", "exit",
};
static const char *const why_names[] = { "preempt", "yield", "wakeup", "new", "sleep", "exit" };
static const char *const vector_names[] = {
	"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU",
};

enum field {
	TS, EV, CPU, PID, TID, COMM, PAYLOAD_PID, PAYLOAD_TID, PAYLOAD_COMM,
	PREV_TID, PREV_COMM, PREV_STATE, NEXT_TID, NEXT_COMM, TARGET_CPU,
	PARENT_PID, PARENT_TID, PARENT_COMM, CHILD_PID, CHILD_TID, CHILD_COMM,
	FILENAME, OLD_TID, NAME, ID, RET, ERROR_CODE, IRQ_NUMBER, VEC, LAST_TS, FIELDS,
};
#define FIELD_KEYS { \
	LOOKUP("ts"), LOOKUP("ev"), LOOKUP("cpu"), LOOKUP("pid"), LOOKUP("tid"), LOOKUP("comm"), \
	LOOKUP("payload.pid"), LOOKUP("payload.tid"), LOOKUP("payload.comm"), \
	LOOKUP("prev_tid"), LOOKUP("prev_comm"), LOOKUP("prev_state"), LOOKUP("next_tid"), \
	LOOKUP("next_comm"), LOOKUP("target_cpu"), \
	LOOKUP("parent_pid"), LOOKUP("parent_tid"), LOOKUP("parent_comm"), \
	LOOKUP("child_pid"), LOOKUP("child_tid"), LOOKUP("child_comm"), \
	LOOKUP("filename"), LOOKUP("old_tid"), LOOKUP("name"), LOOKUP("id"), LOOKUP("ret"), \
	LOOKUP("error_code"), LOOKUP("irq"), LOOKUP("vec"), LOOKUP("last_ts") }

/* What could not be made a span, for the line at the end. */
enum unpaired {
	NO_ENTRY, NO_EXIT, NO_HANDLER_ENTRY, NO_HANDLER_EXIT, NOBODY, UNPAIRED,
};

struct spans {
	struct reader *in;
	struct writer *out;
	struct events *events;
	struct threads *threads;
	struct loss loss;
	struct lookup field[FIELDS];
	bool wanted[SPANS];
	bool keep;
	bool wakeups;		/* sched_wakeup has been seen */
	bool by_waking;		/* there is none: sched_waking takes its place */
	uint64_t unpaired[UNPAIRED];
	uint64_t unusable;

	/* The record at hand: */
	const struct record *record;
	int64_t ts, last_ts;	/* its time; the latest of all */
	struct cpu *cpu;	/* NULL: it has none */
	struct thread *thread;	/* of its context; NULL: not known */
};

static struct slice text(struct spans *s, enum field field)
{
	const struct slice *value = lookup_value(&s->field[field], s->record);

	return value ? *value : (struct slice){ "", 0 };
}

static int64_t number(struct spans *s, enum field field, int64_t otherwise)
{
	int64_t value;

	return lookup_i64(&s->field[field], s->record, &value) ? value : otherwise;
}

/* Says that the record is not what its ev promises; of many such only the first is told in full. */
static void complain(struct spans *s, enum field field, const char *reason)
{
	if (s->unusable++ == 0)
		reader_complain(s->in, s->field[field].key.at, reason);
}

/* A number that must be there, from 0 up. */
static bool need(struct spans *s, enum field field, int64_t *value)
{
	*value = number(s, field, -1);
	if (*value >= 0)
		return true;
	complain(s, field, text(s, field).len ? "it is not a number from 0 up" : "the record has none");
	return false;
}

/* The thread a record names by TID on CPU: 0 is the CPU's idle thread. NULL: not known which. */
static struct thread *thread_of(struct spans *s, int64_t tid, struct cpu *cpu)
{
	if (tid > 0)
		return threads_at(s->threads, tid, s->ts);
	return tid == 0 && cpu ? &cpu->idle : NULL;
}

/* The CPU and the thread of the record; false when the record is wrong. */
static bool context(struct spans *s)
{
	int64_t tid = number(s, TID, -1), cpu = number(s, CPU, -1);

	s->thread = NULL;
	s->cpu = NULL;
	if (cpu >= 0) {
		s->cpu = threads_cpu(s->threads, cpu);
		if (!s->cpu) {
			complain(s, CPU, "there are at most 8192 CPUs");
			return false;
		}
	}
	if (tid >= 0) {
		s->thread = s->cpu ? s->cpu->current : NULL;
		if (!s->thread || s->thread->tid != tid)
			s->thread = thread_of(s, tid, s->cpu);
		else
			threads_current(s->threads, s->cpu, s->ts);
		if (s->thread) {
			threads_name(s->thread, number(s, PID, -1), text(s, COMM));
			if (s->cpu)
				threads_observe(s->threads, s->cpu, s->thread, s->ts);
		}
	} else if (s->cpu) {
		s->thread = threads_current(s->threads, s->cpu, s->ts);
	}
	return true;
}

static void begin(struct spans *s, enum span span, int64_t ts, int64_t cpu, const struct thread *thread)
{
	writer_begin(s->out, ts, slice_of(span_names[span]));
	if (cpu >= 0)
		writer_i64(s->out, KEY("cpu"), cpu);
	if (!thread)
		return;
	if (thread->tid == 0)
		writer_raw(s->out, KEY("pid"), SLICE("0"));
	else if (thread->pid >= 0)
		writer_i64(s->out, KEY("pid"), thread->pid);
	writer_i64(s->out, KEY("tid"), thread->tid);
	if (thread->comm.len)
		writer_raw(s->out, KEY("comm"), label_text(&thread->comm));
}

static void put_text(struct spans *s, struct key key, struct slice value)
{
	if (value.len)
		writer_raw(s->out, key, value);
}

static void finish(struct spans *s, bool unfinished)
{
	if (unfinished)
		writer_raw(s->out, KEY("unfinished"), SLICE("1"));
	writer_end(s->out);
}

/* oncpu, runq, blocked: S->record, where the stretch is finished, is the event that ended it. */
static void put_oncpu(struct spans *s, const struct thread *thread, const struct stretch *stretch, bool unfinished)
{
	if (!s->wanted[ONCPU])
		return;
	begin(s, ONCPU, s->ts, stretch->cpu, thread);
	writer_i64(s->out, KEY("dur_ns"), stretch->dur_ns);
	if (!unfinished) {
		put_text(s, KEY("why"), slice_of(why_names[stretch->why]));
		put_text(s, KEY("next_tid"), text(s, NEXT_TID));
		put_text(s, KEY("next_comm"), text(s, NEXT_COMM));
	}
	finish(s, unfinished);
}

static void put_runq(struct spans *s, const struct thread *thread, const struct stretch *stretch, bool unfinished)
{
	if (!s->wanted[RUNQ])
		return;
	begin(s, RUNQ, s->ts, stretch->cpu, thread);
	writer_i64(s->out, KEY("dur_ns"), stretch->dur_ns);
	put_text(s, KEY("why"), slice_of(why_names[stretch->why]));
	if (!unfinished && !slice_equal(text(s, PREV_TID), SLICE("0"))) {
		put_text(s, KEY("by_tid"), text(s, PREV_TID));
		put_text(s, KEY("by_comm"), text(s, PREV_COMM));
	}
	finish(s, unfinished);
}

static void put_blocked(struct spans *s, const struct thread *thread, const struct stretch *stretch,
			bool unfinished)
{
	if (!s->wanted[BLOCKED])
		return;
	begin(s, BLOCKED, s->ts, stretch->cpu, thread);
	writer_i64(s->out, KEY("dur_ns"), stretch->dur_ns);
	put_text(s, KEY("state"), (struct slice){ &stretch->letter, 1 });
	if (!unfinished && thread->woken_by) {
		writer_i64(s->out, KEY("waker_tid"), thread->waker_tid);
		put_text(s, KEY("waker_comm"), label_text(&thread->waker_comm));
		if (thread->waker_irq)
			writer_raw(s->out, KEY("waker_irq"), SLICE("1"));
	}
	finish(s, unfinished);
}

static void put_stretch(struct spans *s, const struct thread *thread, const struct stretch *stretch,
			bool unfinished)
{
	if (stretch->state == THREAD_RUNNING)
		put_oncpu(s, thread, stretch, unfinished);
	else if (stretch->state == THREAD_RUNNABLE)
		put_runq(s, thread, stretch, unfinished);
	else
		put_blocked(s, thread, stretch, unfinished);
}

/* The call under way ends: with a return, or, unfinished, without. */
static void put_call(struct spans *s, struct thread *thread, bool unfinished)
{
	struct call *call = &thread->call;

	call->open = false;
	if (!s->wanted[SYSCALL] || s->ts < call->since)
		return;
	begin(s, SYSCALL, s->ts, thread->cpu, thread);
	put_text(s, KEY("name"), call->name);
	if (call->id >= 0)
		writer_i64(s->out, KEY("id"), call->id);
	writer_i64(s->out, KEY("dur_ns"), s->ts - call->since);
	if (!unfinished)
		put_text(s, KEY("ret"), text(s, RET));
	finish(s, unfinished);
}

static void put_handler(struct spans *s, const struct cpu *cpu, const struct thread *thread,
			const struct handler *handler, bool unfinished)
{
	if (!s->wanted[handler->soft ? SOFTIRQ : IRQ] || s->ts < handler->since)
		return;
	begin(s, handler->soft ? SOFTIRQ : IRQ, s->ts, cpu->number, thread);
	writer_i64(s->out, handler->soft ? KEY("vec") : KEY("irq"), handler->number);
	put_text(s, KEY("name"), label_text(&handler->name));
	writer_i64(s->out, KEY("dur_ns"), s->ts - handler->since);
	if (!handler->soft && !unfinished)
		put_text(s, KEY("ret"), text(s, RET));
	finish(s, unfinished);
}

static void thread_ends(struct spans *s, struct thread *thread)
{
	if (thread->call.open)
		put_call(s, thread, true);
	threads_remove(s->threads, thread);
}

static enum thread_why why_it_leaves(const struct thread *thread, char letter)
{
	if (letter == 'R')
		return thread->call.open && slice_equal(thread->call.name, SLICE("sched_yield")) ?
			WHY_YIELD : WHY_PREEMPT;
	if (letter == 'X' || letter == 'Z')
		return WHY_EXIT;
	/* Kernels before 4.14 give the dead state as a bit that means parked or idle today. */
	return thread->exiting && (letter == 'P' || letter == 'I') ? WHY_EXIT : WHY_SLEEP;
}

static void switch_from(struct spans *s, int64_t tid, char letter)
{
	struct thread *thread = thread_of(s, tid, s->cpu);
	struct stretch stretch;
	enum thread_why why;

	threads_name(thread, -1, text(s, PREV_COMM));
	why = why_it_leaves(thread, letter);
	if (threads_switch_out(s->threads, s->cpu, thread, s->ts, why, letter, &stretch))
		put_stretch(s, thread, &stretch, false);
	if (why == WHY_EXIT && tid)
		thread_ends(s, thread);
}

static void switch_to(struct spans *s, int64_t tid)
{
	struct thread *thread = thread_of(s, tid, s->cpu);
	struct stretch stretch;

	threads_name(thread, -1, text(s, NEXT_COMM));
	if (threads_switch_in(s->threads, s->cpu, thread, s->ts, &stretch)) {
		if (stretch.state == THREAD_BLOCKED && thread->woken_by && !s->wakeups)
			s->by_waking = true;
		put_stretch(s, thread, &stretch, false);
	}
	thread->woken_by = false;
}

static void on_switch(struct spans *s)
{
	int64_t cpu, prev, next;
	char letter = taskstate_letter(text(s, PREV_STATE));

	if (!need(s, CPU, &cpu) || !need(s, PREV_TID, &prev) || !need(s, NEXT_TID, &next) || !context(s))
		return;
	if (!letter) {
		complain(s, PREV_STATE, "it is no state of a thread");
		return;
	}
	switch_from(s, prev, letter);
	switch_to(s, next);
}

/* Remembers who wakes the thread: the one that the event came from. */
static void set_waker(struct spans *s, struct thread *thread, const struct thread *waker)
{
	thread->woken_by = true;
	thread->waker_tid = waker->tid;
	thread->waker_comm = waker->comm;
	thread->waker_irq = waker->tid == 0 || (s->cpu && s->cpu->handlers.n);
}

static void on_wakeup(struct spans *s, enum event_kind kind)
{
	struct thread *thread, waker;
	struct stretch stretch;
	int64_t tid, target;
	bool known;

	if (!need(s, PAYLOAD_TID, &tid) || tid == 0 || !context(s))
		return;
	/* A copy: the thread that is woken may be new, and take its place. */
	known = s->thread != NULL;
	if (known)
		waker = *s->thread;
	thread = threads_at(s->threads, tid, s->ts);
	threads_name(thread, -1, text(s, PAYLOAD_COMM));
	if (kind == EVENT_WAKING || !thread->woken_by) {
		thread->woken_by = false;
		if (known)
			set_waker(s, thread, &waker);
	}
	if (kind == EVENT_WAKING && !s->by_waking)
		return;
	if (kind == EVENT_WAKEUP) {
		s->wakeups = true;
		s->by_waking = false;
	}
	if (threads_wake(s->threads, thread, s->ts, kind == EVENT_WAKEUP_NEW, &stretch))
		put_stretch(s, thread, &stretch, false);
	thread->woken_by = false;
	target = number(s, TARGET_CPU, -1);
	if (target >= 0 && target < CPUS_MAX && thread->state == THREAD_RUNNABLE)
		thread->cpu = (int32_t)target;
}

static void on_fork(struct spans *s)
{
	int64_t child, parent = number(s, PARENT_TID, -1);
	struct thread *thread;

	if (!need(s, CHILD_TID, &child) || !context(s))
		return;
	if (s->wanted[FORK]) {
		thread = s->thread;
		if (parent > 0 && (!thread || thread->tid != parent)) {
			thread = threads_at(s->threads, parent, s->ts);
			threads_name(thread, number(s, PARENT_PID, -1), text(s, PARENT_COMM));
		}
		begin(s, FORK, s->ts, s->cpu ? s->cpu->number : -1, thread);
		put_text(s, KEY("child_pid"), text(s, CHILD_PID));
		put_text(s, KEY("child_tid"), text(s, CHILD_TID));
		put_text(s, KEY("child_comm"), text(s, CHILD_COMM));
		finish(s, false);
	}
	thread = threads_born(s->threads, child, s->ts);
	threads_name(thread, number(s, CHILD_PID, -1), text(s, CHILD_COMM));
}

static void on_exec(struct spans *s)
{
	int64_t tid = number(s, PAYLOAD_TID, -1), old_tid = number(s, OLD_TID, tid);
	struct thread *thread;

	if (tid > 0 && old_tid > 0 && old_tid != tid)
		threads_rename(s->threads, old_tid, tid, s->ts);
	if (!context(s))
		return;
	thread = tid > 0 ? threads_at(s->threads, tid, s->ts) : s->thread;
	if (!s->wanted[EXEC])
		return;
	begin(s, EXEC, s->ts, s->cpu ? s->cpu->number : -1, thread);
	put_text(s, KEY("path"), text(s, FILENAME));
	finish(s, false);
}

static void on_thread_exit(struct spans *s)
{
	struct thread *thread;
	int64_t tid;

	if (!context(s))
		return;
	tid = number(s, PAYLOAD_TID, -1);
	thread = tid > 0 ? threads_at(s->threads, tid, s->ts) : s->thread;
	if (!thread || thread->tid == 0) {
		s->unpaired[NOBODY]++;
		return;
	}
	threads_name(thread, -1, text(s, PAYLOAD_COMM));
	thread->exiting = true;
	if (s->wanted[EXIT]) {
		begin(s, EXIT, s->ts, s->cpu ? s->cpu->number : thread->cpu, thread);
		if (thread->exit_code >= 0)
			writer_i64(s->out, KEY("code"), thread->exit_code);
		if (thread->born && s->ts >= thread->born) {
			writer_i64(s->out, KEY("dur_ns"), s->ts - thread->born);
			if (thread->state == THREAD_RUNNING && s->ts >= thread->since)
				writer_u64(s->out, KEY("cpu_ns"),
					   thread->cpu_ns + (uint64_t)(s->ts - thread->since));
		}
		finish(s, false);
	}
	/* Where there are switches, its last one is still to come. */
	if (!s->threads->switches)
		thread_ends(s, thread);
}

static void on_statedump(struct spans *s)
{
	int64_t tid = number(s, PAYLOAD_TID, -1);

	if (tid > 0)
		threads_name(threads_at(s->threads, tid, s->ts), number(s, PAYLOAD_PID, -1), text(s, NAME));
}

static void on_handler(struct spans *s, bool soft, bool entry)
{
	struct handler handler;
	int64_t cpu, n;

	if (!need(s, CPU, &cpu) || !need(s, soft ? VEC : IRQ_NUMBER, &n) || !context(s) ||
	    s->ts <= s->cpu->gap_until)
		return;
	if (entry) {
		bool named = soft && (size_t)n < sizeof vector_names / sizeof *vector_names;

		if (!handlers_begin(&s->cpu->handlers, soft, n, s->ts,
				    named ? slice_of(vector_names[n]) : text(s, NAME)))
			s->unpaired[NO_HANDLER_EXIT]++;
	} else if (handlers_end(&s->cpu->handlers, soft, n, &handler, &s->unpaired[NO_HANDLER_EXIT])) {
		put_handler(s, s->cpu, s->thread, &handler, false);
	} else {
		s->unpaired[NO_HANDLER_ENTRY]++;
	}
}

/* Whether the call under way, the tracer's name for it being the same, is one that leaves no exit. */
static enum call_kind kind_of(enum call_kind kind, int64_t id)
{
	return kind == CALL_UNKNOWN ? events_call_by_id(id) : kind;
}

static void on_call_entry(struct spans *s, const struct event *event)
{
	struct thread *thread;
	struct call *call;
	int64_t id, code;

	if (!context(s))
		return;
	thread = s->thread;
	if (!thread || thread->tid == 0) {
		s->unpaired[NOBODY]++;
		return;
	}
	call = &thread->call;
	id = event->call == CALL_UNKNOWN ? number(s, ID, -1) : -1;
	if (call->open && !call->no_exit)
		s->unpaired[NO_EXIT]++;
	*call = (struct call){
		.open = threads_may_open(s->threads, thread, s->ts),
		.no_exit = kind_of(event->call, id) == CALL_SIGRETURN,
		.name = event->name,
		.id = id,
		.since = s->ts,
	};
	if (event->call == CALL_EXITS) {
		code = number(s, ERROR_CODE, -1);
		thread->exit_code = code >= 0 ? code & 0xff : -1;
	}
}

static void on_call_exit(struct spans *s, const struct event *event)
{
	struct thread *thread;
	struct call *call;
	int64_t id;

	if (!context(s))
		return;
	thread = s->thread;
	if (!thread || thread->tid == 0) {
		s->unpaired[NOBODY]++;
		return;
	}
	call = &thread->call;
	id = event->call == CALL_UNKNOWN ? number(s, ID, -1) : -1;
	if (call->open && call->name.at == event->name.at && call->id == id) {
		put_call(s, thread, false);
		return;
	}
	if (call->open && !call->no_exit)
		s->unpaired[NO_EXIT]++;
	call->open = false;
	if (kind_of(event->call, id) != CALL_FORKS || number(s, RET, -1) != 0)
		s->unpaired[NO_ENTRY]++;
}

static void on_loss(struct spans *s)
{
	int64_t number_of_cpu = number(s, CPU, -1);
	struct cpu *cpu = number_of_cpu < 0 ? NULL : threads_cpu(s->threads, number_of_cpu);
	int64_t until = number(s, LAST_TS, s->ts);

	loss_is(&s->loss, s->record);
	threads_lost(s->threads, cpu, until > s->ts ? until : s->ts);
}

static void one(struct spans *s)
{
	const struct slice *ev = lookup_value(&s->field[EV], s->record);
	const struct event *event;

	if (!ev) {
		complain(s, EV, "the record has none");
		return;
	}
	event = events_find(s->events, *ev);
	if (event->kind == EVENT_SPAN || event->kind == EVENT_LOST || s->keep)
		writer_bytes(s->out, s->record->line, s->record->len);
	if (event->kind == EVENT_SPAN)
		return;
	if (!lookup_i64(&s->field[TS], s->record, &s->ts)) {
		complain(s, TS, text(s, TS).len ? "it is not a whole number" : "the record has none");
		return;
	}
	if (s->ts > s->last_ts)
		s->last_ts = s->ts;
	switch (event->kind) {
	case EVENT_LOST: on_loss(s); break;
	case EVENT_SWITCH: on_switch(s); break;
	case EVENT_WAKING:
	case EVENT_WAKEUP:
	case EVENT_WAKEUP_NEW: on_wakeup(s, event->kind); break;
	case EVENT_FORK: on_fork(s); break;
	case EVENT_EXEC: on_exec(s); break;
	case EVENT_EXIT: on_thread_exit(s); break;
	case EVENT_STATEDUMP: on_statedump(s); break;
	case EVENT_IRQ_ENTRY: on_handler(s, false, true); break;
	case EVENT_IRQ_EXIT: on_handler(s, false, false); break;
	case EVENT_SOFTIRQ_ENTRY: on_handler(s, true, true); break;
	case EVENT_SOFTIRQ_EXIT: on_handler(s, true, false); break;
	case EVENT_CALL_ENTRY: on_call_entry(s, event); break;
	case EVENT_CALL_EXIT: on_call_exit(s, event); break;
	default: break;
	}
}

/* What is still under way at the end: handlers by CPU, then threads by tid. */
static void end_of_input(struct spans *s)
{
	struct thread **all;
	size_t n;

	s->ts = s->last_ts;
	for (size_t i = 0; i < s->threads->cpus_n; i++) {
		struct cpu *cpu = s->threads->cpus[i];

		for (unsigned k = cpu ? cpu->handlers.n : 0; k-- > 0;)
			put_handler(s, cpu, cpu->current, &cpu->handlers.at[k], true);
	}
	all = threads_all(s->threads, s->ts, &n);
	for (size_t i = 0; i < n; i++) {
		struct stretch stretch;

		if (threads_unfinished(all[i], s->ts, &stretch))
			put_stretch(s, all[i], &stretch, true);
		if (all[i]->call.open && !all[i]->call.no_exit)
			put_call(s, all[i], true);
	}
	free(all);
}

/* One line about what did not become spans, if there is anything. */
static void report(const struct spans *s)
{
	const struct {
		uint64_t n;
		const char *what;
	} counts[] = {
		{ s->unpaired[NO_ENTRY], "exits of system calls without entry" },
		{ s->unpaired[NO_EXIT], "entries of system calls without exit" },
		{ s->unpaired[NO_HANDLER_ENTRY], "ends of interrupt handlers without begin" },
		{ s->unpaired[NO_HANDLER_EXIT], "begins of interrupt handlers without end" },
		{ s->threads->unwoken, "sleeps without wakeup" },
		{ s->threads->contradictions, "events that contradict earlier ones" },
		{ s->unpaired[NOBODY], "events of a thread not known" },
		{ s->threads->forgotten, "threads too many, and forgotten" },
		{ s->unusable > 1 ? s->unusable - 1 : 0, "more records that are wrong" },
	};
	char line[1024];
	size_t len = 0;

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (counts[i].n)
			len += (size_t)snprintf(line + len, sizeof line - len, "%s%" PRIu64 " %s",
						len ? ", " : "", counts[i].n, counts[i].what);
	if (len)
		message("unpaired: %s", line);
}

/* `oncpu,runq`: the kinds that are wanted; NULL: all. */
static void choose(bool *wanted, const char *only)
{
	char **names = options_split(only ? only : "oncpu,runq,blocked,syscall,irq,softirq,fork,exec,exit");

	for (char **name = names; *name; name++) {
		size_t i = 0;

		while (i < SPANS && strcmp(*name, span_names[i]) != 0)
			i++;
		if (i == SPANS)
			message_usage("cannot make spans '%.100s': they are oncpu runq blocked syscall irq "
				      "softirq fork exec exit", *name);
		wanted[i] = true;
	}
	free(names);
}

int main(int argc, char **argv)
{
	bool keep = false, strict = false;
	const char *only = NULL;
	const struct option options[] = {
		{ 'e', "only", "EV,...", "make only these spans: oncpu runq blocked syscall irq softirq "
		  "fork exec exit", OPTION_TEXT, .to = &only },
		{ 'k', "keep", NULL, "pass the raw records too", OPTION_FLAG, .to = &keep },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "spans",
		.does = "turn raw records into spans: slices on a CPU, waits, sleeps, system calls, interrupts",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  lttng-convert TRACE | spans | where ev=syscall 'dur_ns>=10ms'\n"
			    "  spans -e oncpu,runq,blocked raw.tskv | stats -g ev,comm dur_ns\n",
	};
	char **files = options_parse(&program, argv);
	struct spans s = { .field = FIELD_KEYS, .loss = LOSS, .last_ts = INT64_MIN };
	int status;

	(void)argc;
	choose(s.wanted, only);
	s.keep = keep;
	s.events = events_new();
	s.threads = threads_new();
	s.out = writer_stdout();
	s.in = reader_open(files, s.out);
	while ((s.record = reader_next(s.in)))
		one(&s);
	end_of_input(&s);
	report(&s);
	status = reader_close(s.in) ? EXIT_COMPLETE : EXIT_FAILED;
	writer_close(s.out);
	if (loss_report(&s.loss, "what the spans tell is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	for (size_t i = 0; i < FIELDS; i++)
		lookup_free(&s.field[i]);
	threads_free(s.threads);
	events_free(s.events);
	return status;
}
