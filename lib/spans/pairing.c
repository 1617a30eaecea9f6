// SPDX-License-Identifier: MIT
#include "spans/pairing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "records/writer.h"
#include "spans/calls.h"
#include "spans/requests.h"
#include "spans/span.h"
#include "spans/taskstate.h"
#include "spans/threads.h"
#include "stacks/callstack.h"

static const char *const why_names[] = { "preempt", "yield", "wakeup", "new", "sleep", "exit" };
enum field {
	TS, CPU, PID, TID, COMM, PAYLOAD_PID, PAYLOAD_TID, PAYLOAD_COMM,
	PREV_TID, PREV_COMM, PREV_STATE, NEXT_TID, NEXT_COMM, TARGET_CPU,
	PARENT_PID, PARENT_TID, PARENT_COMM, CHILD_PID, CHILD_TID, CHILD_COMM,
	FILENAME, OLD_TID, NAME, ID, RET, ERROR_CODE, IRQ_NUMBER, VEC, LAST_TS,
	DEV, SECTOR, NR_SECTOR, BYTES, RWBS, ERROR, PREV_YIELDS, IN_IRQ,
	NEXT_THROTTLED_NS, NEXT_THROTTLED_AFTER_NS, NEXT_CGROUP, FIELDS,
};
#define FIELD_KEYS { \
	[TS] = LOOKUP("ts"), [CPU] = LOOKUP("cpu"), [PID] = LOOKUP("pid"), [TID] = LOOKUP("tid"), \
	[COMM] = LOOKUP("comm"), [PAYLOAD_PID] = LOOKUP("payload.pid"), \
	[PAYLOAD_TID] = LOOKUP("payload.tid"), [PAYLOAD_COMM] = LOOKUP("payload.comm"), \
	[PREV_TID] = LOOKUP("prev_tid"), [PREV_COMM] = LOOKUP("prev_comm"), \
	[PREV_STATE] = LOOKUP("prev_state"), [NEXT_TID] = LOOKUP("next_tid"), \
	[NEXT_COMM] = LOOKUP("next_comm"), [TARGET_CPU] = LOOKUP("target_cpu"), \
	[PARENT_PID] = LOOKUP("parent_pid"), [PARENT_TID] = LOOKUP("parent_tid"), \
	[PARENT_COMM] = LOOKUP("parent_comm"), [CHILD_PID] = LOOKUP("child_pid"), \
	[CHILD_TID] = LOOKUP("child_tid"), [CHILD_COMM] = LOOKUP("child_comm"), \
	[FILENAME] = LOOKUP("filename"), [OLD_TID] = LOOKUP("old_tid"), [NAME] = LOOKUP("name"), \
	[ID] = LOOKUP("id"), [RET] = LOOKUP("ret"), [ERROR_CODE] = LOOKUP("error_code"), \
	[IRQ_NUMBER] = LOOKUP("irq"), [VEC] = LOOKUP("vec"), [LAST_TS] = LOOKUP("last_ts"), \
	[DEV] = LOOKUP("dev"), [SECTOR] = LOOKUP("sector"), [NR_SECTOR] = LOOKUP("nr_sector"), \
	[BYTES] = LOOKUP("bytes"), [RWBS] = LOOKUP("rwbs"), [ERROR] = LOOKUP("error"), \
	[PREV_YIELDS] = LOOKUP("prev_yields"), [IN_IRQ] = LOOKUP("in_irq"), \
	[NEXT_THROTTLED_NS] = LOOKUP("next_throttled_ns"), \
	[NEXT_THROTTLED_AFTER_NS] = LOOKUP("next_throttled_after_ns"), [NEXT_CGROUP] = LOOKUP("next_cgroup") }

enum selection_extent pairing_reads(struct slice ev)
{
	switch (events_kind(ev)) {
	case EVENT_OTHER: return SELECTION_NOTHING;
	case EVENT_SPAN: case EVENT_LOST: return SELECTION_WHOLE;	/* they go through */
	default: return SELECTION_FIELDS;
	}
}

struct key_list {
	char **at;
	size_t n, room;
};

static void add_key(const char *key, void *data)
{
	struct key_list *list = data;

	list->at = memory_grow(list->at, &list->room, list->n + 2, sizeof *list->at);
	list->at[list->n++] = (char *)(uintptr_t)key;
	list->at[list->n] = NULL;
}

char **pairing_keys(void)
{
	static const struct lookup fields[FIELDS] = FIELD_KEYS;
	struct key_list list = { 0 };

	for (size_t i = 0; i < FIELDS; i++)
		add_key(fields[i].key.at, &list);
	calls_keys(add_key, &list);
	return list.at;
}

/* What could not be made a span, for the line at the end. */
enum unpaired {
	BEGAN_BEFORE, NO_ENTRY, NO_EXIT, NO_HANDLER_ENTRY, NO_HANDLER_EXIT, NOBODY, NO_ISSUE,
	UNPAIRED,
};

/* What the fields cpu, pid, tid and comm of a record said: the next one on that CPU mostly says the same. */
struct said {
	int64_t cpu, pid, tid;
	size_t len;
	char text[120];
};
enum { SAID = 16 };

struct pairing {
	struct reader *in;
	struct writer *out;
	struct threads *threads;
	struct calls *calls;
	struct requests *requests;
	struct callstack callstack;
	struct lookup field[FIELDS];
	bool wanted[PAIRING_KINDS];
	bool follow;		/* what descriptors stand for: somebody wants it */
	bool forks;		/* sched_process_fork has been seen */
	bool wakeups;		/* sched_wakeup has been seen */
	bool by_waking;		/* there is none: sched_waking takes its place */
	uint64_t unpaired[UNPAIRED];
	uint64_t unusable;

	struct said said[SAID];

	/* The record at hand: */
	const struct record *record;
	int64_t ts, last_ts;	/* its time; the latest of all */
	struct cpu *cpu;	/* NULL: it has none */
	struct thread *thread;	/* of its context; NULL: not known */
};

struct pairing *pairing_new(struct reader *in, struct writer *out, const bool *wanted)
{
	struct pairing *p = memory_get(sizeof *p);

	*p = (struct pairing){
		.in = in,
		.out = out,
		.threads = threads_new(),
		.callstack = CALLSTACK,
		.field = FIELD_KEYS,
		.last_ts = INT64_MIN,
	};
	p->calls = calls_new(p->threads);
	p->requests = requests_new();
	memcpy(p->wanted, wanted, sizeof p->wanted);
	p->follow = wanted[PAIRING_SYSCALL] || wanted[PAIRING_EXEC] || wanted[PAIRING_EXIT];
	return p;
}

void pairing_free(struct pairing *p)
{
	for (size_t i = 0; i < FIELDS; i++)
		lookup_free(&p->field[i]);
	callstack_free(&p->callstack);
	requests_free(p->requests);
	calls_free(p->calls);
	threads_free(p->threads);
	free(p);
}

static struct slice text(struct pairing *p, enum field field)
{
	const struct slice *value = p->record ? lookup_value(&p->field[field], p->record) : NULL;

	return value ? *value : (struct slice){ "", 0 };
}

static int64_t number(struct pairing *p, enum field field, int64_t otherwise)
{
	int64_t value;

	return p->record && lookup_i64(&p->field[field], p->record, &value) ? value : otherwise;
}

/* Of records that are not what their ev promises, only the first is told in full. */
void pairing_complain(struct pairing *p, const char *key, const char *reason)
{
	if (p->unusable++ == 0)
		reader_complain(p->in, key, reason);
}

static void complain(struct pairing *p, enum field field, const char *reason)
{
	pairing_complain(p, p->field[field].key.at, reason);
}

/* A number that must be there, from 0 up. */
static bool need(struct pairing *p, enum field field, int64_t *value)
{
	*value = number(p, field, -1);
	if (*value >= 0)
		return true;
	complain(p, field, text(p, field).len ? "it is not a number from 0 up" : "the record has none");
	return false;
}

/* The thread a record names by TID on CPU: 0 is the CPU's idle thread. NULL: not known which. */
static struct thread *thread_of(struct pairing *p, int64_t tid, struct cpu *cpu)
{
	if (tid > 0)
		return threads_at(p->threads, tid, p->ts);
	return tid == 0 && cpu ? &cpu->idle : NULL;
}

/* The fields cpu, pid and tid of the record, -1 where it has none; in OTHERWISE where they are not kept. */
static const struct said *who(struct pairing *p, struct said *otherwise)
{
	const struct shape *shape = p->record->shape;
	int first = lookup_index(&p->field[CPU], shape), last = lookup_index(&p->field[COMM], shape);
	struct said *said = otherwise;
	struct slice text_of = { "", 0 };

	if (first >= 0 && last == first + 3 && lookup_index(&p->field[PID], shape) == first + 1 &&
	    lookup_index(&p->field[TID], shape) == first + 2) {
		const struct slice *cpu = &p->record->value[first], *comm = &p->record->value[last];

		text_of = (struct slice){ cpu->at, (size_t)(comm->at + comm->len - cpu->at) };
		if (text_of.len <= sizeof said->text) {
			said = &p->said[(unsigned char)cpu->at[cpu->len ? cpu->len - 1 : 0] % SAID];
			if (slice_equal(text_of, (struct slice){ said->text, said->len }))
				return said;
		}
	}
	said->cpu = number(p, CPU, -1);
	said->pid = number(p, PID, -1);
	said->tid = number(p, TID, -1);
	if (said != otherwise) {
		said->len = text_of.len;
		memcpy(said->text, text_of.at, text_of.len);
	}
	return said;
}

/* The CPU and the thread of the record; false when the record is wrong. */
static bool context(struct pairing *p)
{
	struct said other_said;
	const struct said *said = who(p, &other_said);
	int64_t tid = said->tid, cpu = said->cpu;

	p->thread = NULL;
	p->cpu = NULL;
	if (cpu >= 0) {
		p->cpu = threads_cpu(p->threads, cpu);
		if (!p->cpu) {
			complain(p, CPU, "there are at most 8192 CPUs");
			return false;
		}
	}
	if (tid >= 0) {
		p->thread = p->cpu ? p->cpu->current : NULL;
		if (!p->thread || p->thread->tid != tid)
			p->thread = thread_of(p, tid, p->cpu);
		else
			threads_current(p->threads, p->cpu, p->ts);
		if (p->thread) {
			threads_name(p->thread, said->pid, text(p, COMM));
			if (p->cpu)
				threads_observe(p->threads, p->cpu, p->thread, p->ts);
		}
	} else if (p->cpu) {
		p->thread = threads_current(p->threads, p->cpu, p->ts);
	}
	return true;
}

/* A span of THREAD (NULL: not known) that ends now. */
static struct span span_of(const struct pairing *p, int64_t cpu, struct thread *thread, int64_t dur_ns)
{
	return (struct span){
		.ts = p->ts,
		.cpu = cpu,
		.pid = thread ? thread->pid : -1,
		.tid = thread ? thread->tid : -1,
		.comm = thread ? label_text(&thread->comm) : (struct slice){ "", 0 },
		.who = thread ? threads_who(thread) : (struct slice){ "", 0 },
		.dur_ns = dur_ns,
		.unfinished = p->record == NULL,
	};
}

static int64_t cpu_number(const struct pairing *p)
{
	return p->cpu ? p->cpu->number : -1;
}

/* The thread that two fields of the record name. */
static struct span_other other(struct pairing *p, enum field tid, enum field comm)
{
	return (struct span_other){ number(p, tid, -1), text(p, comm) };
}

/* oncpu, runq or blocked: the record at hand is the event that ended it. */
static void put_stretch(struct pairing *p, struct thread *thread, const struct stretch *stretch)
{
	struct span span = span_of(p, stretch->cpu, thread, stretch->dur_ns);
	struct slice why = slice_of(why_names[stretch->why]);
	struct span_other who = { -1, { "", 0 } };

	if (stretch->state == THREAD_RUNNING && p->wanted[PAIRING_ONCPU]) {
		span_oncpu(p->out, &span, p->record ? why : who.comm, other(p, NEXT_TID, NEXT_COMM));
	} else if (stretch->state == THREAD_RUNNABLE && p->wanted[PAIRING_RUNQ]) {
		/* Behind the idle thread it did not wait for anybody. */
		if (number(p, PREV_TID, 0) > 0)
			who = other(p, PREV_TID, PREV_COMM);
		span_runq(p->out, &span, why, who, (struct span_throttled){
			number(p, NEXT_THROTTLED_NS, 0), number(p, NEXT_THROTTLED_AFTER_NS, 0), text(p, NEXT_CGROUP) });
	} else if (stretch->state == THREAD_BLOCKED && p->wanted[PAIRING_BLOCKED]) {
		if (p->record && thread->woken)
			who = (struct span_other){ thread->waker_tid, label_text(&thread->waker_comm) };
		span_blocked(p->out, &span, stretch->letter, who, who.tid >= 0 && thread->waker_irq,
			     text_slice(thread->stack));
	}
}

/* The call under way ends, with a return or unfinished. */
static void put_call(struct pairing *p, struct thread *thread, bool returns)
{
	struct call *call = &thread->call;
	struct span span = span_of(p, thread->cpu, thread, p->ts - call->since);
	struct span_call told = {
		.name = call->name,
		.id = call->id,
		.ret = returns ? text(p, RET) : (struct slice){ "", 0 },
		.fd = -1,
		.bytes = -1,
	};

	if (p->follow)
		calls_end(p->calls, returns ? p->record : NULL, thread, p->ts, &told);
	span.unfinished = !returns;
	if (p->wanted[PAIRING_SYSCALL] && span.dur_ns >= 0)
		span_syscall(p->out, &span, &told);
	threads_close_call(thread);
}

static void put_handler(struct pairing *p, const struct cpu *cpu, struct thread *thread,
			const struct handler *handler)
{
	struct span span = span_of(p, cpu->number, thread, p->ts - handler->since);

	if (!p->wanted[handler->soft ? PAIRING_SOFTIRQ : PAIRING_IRQ] || span.dur_ns < 0)
		return;
	if (handler->soft)
		span_softirq(p->out, &span, handler->number);
	else
		span_irq(p->out, &span, handler->number, label_text(&handler->name), text(p, RET));
}

static void thread_ends(struct pairing *p, struct thread *thread)
{
	if (thread->call.open && !thread->call.no_exit)
		put_call(p, thread, false);
	threads_remove(p->threads, thread);
}

/* collect-sched, which records no calls, tells of a yield itself, as it does of interrupts in wakeups. */
static enum thread_why why_it_leaves(struct pairing *p, const struct thread *thread, char letter)
{
	if (letter == 'R')
		return (thread->call.open && slice_equal(thread->call.name, SLICE("sched_yield"))) ||
			text(p, PREV_YIELDS).len ? WHY_YIELD : WHY_PREEMPT;
	if (letter == 'X' || letter == 'Z')
		return WHY_EXIT;
	/* Kernels before 4.14 give the dead state as a bit that means parked or idle today. */
	return thread->exiting && (letter == 'P' || letter == 'I') ? WHY_EXIT : WHY_SLEEP;
}

/* Where the thread sleeps, if the tracer tells: its stack when it left the CPU. */
static void keep_stack(struct pairing *p, struct thread *thread)
{
	struct slice fields = callstack_fields(&p->callstack, p->record), none = { "", 0 };

	text_drop(thread->stack);
	thread->stack = fields.len ? text_new(p->threads->processes, fields, none, none) : NULL;
}

static void switch_from(struct pairing *p, int64_t tid, char letter)
{
	struct thread *thread = thread_of(p, tid, p->cpu);
	struct stretch stretch;
	enum thread_why why;

	threads_name(thread, -1, text(p, PREV_COMM));
	why = why_it_leaves(p, thread, letter);
	if (threads_switch_out(p->threads, p->cpu, thread, p->ts, why, letter, &stretch))
		put_stretch(p, thread, &stretch);
	if (why == WHY_SLEEP && tid && p->wanted[PAIRING_BLOCKED])
		keep_stack(p, thread);
	if (why == WHY_EXIT && tid)
		thread_ends(p, thread);
}

static void switch_to(struct pairing *p, int64_t tid)
{
	struct thread *thread = thread_of(p, tid, p->cpu);
	struct stretch stretch;

	threads_name(thread, -1, text(p, NEXT_COMM));
	if (threads_switch_in(p->threads, p->cpu, thread, p->ts, &stretch)) {
		if (stretch.state == THREAD_BLOCKED && thread->woken && !p->wakeups)
			p->by_waking = true;
		put_stretch(p, thread, &stretch);
	}
	thread->woken = false;
}

static void on_switch(struct pairing *p)
{
	int64_t cpu, prev, next;
	char letter = taskstate_letter(text(p, PREV_STATE));

	if (!need(p, CPU, &cpu) || !need(p, PREV_TID, &prev) || !need(p, NEXT_TID, &next) || !context(p))
		return;
	if (!letter) {
		complain(p, PREV_STATE, "it is no state of a thread");
		return;
	}
	switch_from(p, prev, letter);
	switch_to(p, next);
}

static void on_wakeup(struct pairing *p, enum event_kind kind)
{
	struct stretch stretch;
	struct thread *thread;
	struct label waker_comm = { 0 };
	int64_t tid, target, waker = -1;
	bool irq = false;

	if (!need(p, PAYLOAD_TID, &tid) || tid == 0 || !context(p))
		return;
	if (p->thread) {
		waker = p->thread->tid;
		waker_comm = p->thread->comm;
		irq = waker == 0 || (p->cpu && p->cpu->handlers.n) || text(p, IN_IRQ).len;
	}
	thread = threads_at(p->threads, tid, p->ts);
	threads_name(thread, -1, text(p, PAYLOAD_COMM));
	/* The wakeup itself may run where the thread will: the waking comes from who does it. */
	if (kind == EVENT_WAKING || !thread->woken) {
		thread->woken = true;
		thread->waker_tid = waker;
		thread->waker_irq = irq;
		thread->waker_comm = waker_comm;
	}
	if (kind == EVENT_WAKING && !p->by_waking)
		return;
	if (kind == EVENT_WAKEUP) {
		p->wakeups = true;
		p->by_waking = false;
	}
	if (threads_wake(p->threads, thread, p->ts, kind == EVENT_WAKEUP_NEW, &stretch))
		put_stretch(p, thread, &stretch);
	thread->woken = false;
	target = number(p, TARGET_CPU, -1);
	if (target >= 0 && target < CPUS_MAX && thread->state == THREAD_RUNNABLE)
		thread->cpu = (int32_t)target;
}

static void on_fork(struct pairing *p)
{
	int64_t child, parent = number(p, PARENT_TID, -1);
	struct thread *thread, *child_thread;

	if (!need(p, CHILD_TID, &child) || !context(p))
		return;
	thread = parent > 0 ? threads_at(p->threads, parent, p->ts) : p->thread;
	if (thread && thread->tid == parent)
		threads_name(thread, number(p, PARENT_PID, -1), text(p, PARENT_COMM));
	if (p->wanted[PAIRING_FORK]) {
		struct span span = span_of(p, cpu_number(p), thread, -1);

		span_fork(p->out, &span, number(p, CHILD_PID, -1), other(p, CHILD_TID, CHILD_COMM));
	}
	p->forks = true;
	parent = thread ? thread->tid : -1;
	child_thread = threads_born(p->threads, child, p->ts);
	threads_name(child_thread, number(p, CHILD_PID, -1), text(p, CHILD_COMM));
	if (p->follow)
		calls_fork(p->calls, parent == child ? NULL : threads_find(p->threads, parent, p->ts),
			   child_thread);
}

static void on_exec(struct pairing *p)
{
	int64_t tid = number(p, PAYLOAD_TID, -1), old_tid = number(p, OLD_TID, tid);
	struct process *process;
	struct thread *thread;
	struct span span;

	if (tid > 0 && old_tid > 0 && old_tid != tid)
		threads_rename(p->threads, old_tid, tid, p->ts);
	if (!context(p))
		return;
	thread = tid > 0 ? threads_at(p->threads, tid, p->ts) : p->thread;
	if (thread && p->follow)
		calls_exec(p->calls, p->record, thread, text(p, FILENAME));
	if (!p->wanted[PAIRING_EXEC])
		return;
	span = span_of(p, cpu_number(p), thread, -1);
	process = thread ? calls_process(p->calls, thread) : NULL;
	span_exec(p->out, &span, &(struct span_exec){
		.path = text(p, FILENAME),
		.argv = text_slice(process ? process->argv : NULL),
	});
}

/* Its life and its time on CPUs are told only where all of them is known. */
static void put_exit(struct pairing *p, struct thread *thread)
{
	/* The program is that of the whole process: its first thread tells it. */
	struct process *process = thread->tid == thread->pid ? calls_process(p->calls, thread) : NULL;
	bool born = thread->born && p->ts >= thread->born;
	bool runs = thread->state == THREAD_RUNNING && p->ts >= thread->since;
	struct span span = span_of(p, thread->cpu, thread, born ? p->ts - thread->born : -1);

	span_exit(p->out, &span, &(struct span_exit){
		.code = thread->exit_code,
		.signal = -1,
		.cpu_ns = born && runs ? (int64_t)thread->cpu_ns + p->ts - thread->since : -1,
		.process_ns = -1,
		.process_cpu_ns = -1,
		.maxrss_bytes = -1,
		.path = text_slice(process ? process->path : NULL),
		.argv = text_slice(process ? process->argv : NULL),
	});
}

static void on_thread_exit(struct pairing *p)
{
	struct thread *thread;
	int64_t tid;

	if (!context(p))
		return;
	tid = number(p, PAYLOAD_TID, -1);
	thread = tid > 0 ? threads_at(p->threads, tid, p->ts) : p->thread;
	if (!thread || thread->tid == 0) {
		p->unpaired[NOBODY]++;
		return;
	}
	threads_name(thread, -1, text(p, PAYLOAD_COMM));
	thread->exiting = true;
	if (p->wanted[PAIRING_EXIT])
		put_exit(p, thread);
	/* Where there are switches, its last one is still to come. */
	if (!p->threads->switches)
		thread_ends(p, thread);
}

static void on_statedump(struct pairing *p)
{
	int64_t tid = number(p, PAYLOAD_TID, -1);
	struct thread *thread;

	if (tid <= 0)
		return;
	thread = threads_at(p->threads, tid, p->ts);
	threads_name(thread, number(p, PAYLOAD_PID, -1), text(p, NAME));
	if (p->follow)
		calls_dump_thread(p->calls, p->record, thread);
}

static void on_handler(struct pairing *p, bool soft, bool entry)
{
	struct handler handler;
	int64_t cpu, n;

	n = soft ? span_softirq_vector(text(p, VEC)) : -1;
	if (!need(p, CPU, &cpu) || (n < 0 && !need(p, soft ? VEC : IRQ_NUMBER, &n)) || !context(p) ||
	    p->ts <= p->cpu->gap_until)
		return;
	if (entry) {
		if (!handlers_begin(&p->cpu->handlers, soft, n, p->ts, text(p, NAME)))
			p->unpaired[NO_HANDLER_EXIT]++;
	} else if (handlers_end(&p->cpu->handlers, soft, n, &handler, &p->unpaired[NO_HANDLER_EXIT])) {
		put_handler(p, p->cpu, p->thread, &handler);
	} else {
		p->unpaired[NO_HANDLER_ENTRY]++;
	}
}

/* The kind of a call that the tracer may know by number only. */
static enum call_kind kind_of(enum call_kind kind, int64_t id)
{
	return kind == CALL_UNKNOWN ? events_call_by_id(id) : kind;
}

/* The thread of a system call's record, and the number where the call has no name; NULL: not known. */
static struct thread *caller(struct pairing *p, const struct event *event, int64_t *id)
{
	*id = event->call == CALL_UNKNOWN ? number(p, ID, -1) : -1;
	if (!context(p))
		return NULL;
	if (p->thread && p->thread->tid)
		return p->thread;
	p->unpaired[NOBODY]++;
	return NULL;
}

static void on_call_entry(struct pairing *p, const struct event *event)
{
	int64_t id, code;
	struct thread *thread = caller(p, event, &id);

	if (!thread)
		return;
	if (thread->call.open && !thread->call.no_exit)
		p->unpaired[NO_EXIT]++;
	threads_close_call(thread);
	if (threads_may_open(p->threads, thread, p->ts)) {
		thread->call = (struct call){
			.known = true,
			.open = true,
			.no_exit = kind_of(event->call, id) == CALL_SIGRETURN,
			.name = event->name,
			.id = id,
			.since = p->ts,
			.fd = -1,
		};
		if (p->follow)
			calls_begin(p->calls, p->record, thread, event->call == CALL_UNKNOWN ?
				    syscalls_by_number(id) : event->syscall, p->ts);
	}
	if (event->call == CALL_EXITS) {
		code = number(p, ERROR_CODE, -1);
		thread->exit_code = code >= 0 ? code & 0xff : -1;
	}
}

/* The first that is heard of a child where forks are not traced: what was known of its number is not its. */
static void begin_life(struct pairing *p, struct thread *thread)
{
	if (p->follow && !p->forks && thread->pid == thread->tid)
		calls_fork(p->calls, NULL, thread);
}

static void on_call_exit(struct pairing *p, const struct event *event)
{
	int64_t id;
	struct thread *thread = caller(p, event, &id);
	struct call *call;

	if (!thread)
		return;
	call = &thread->call;
	if (call->open && call->name.at == event->name.at && call->id == id) {
		put_call(p, thread, true);
		return;
	}
	if (call->open && !call->no_exit)
		p->unpaired[NO_EXIT]++;
	if (kind_of(event->call, id) == CALL_FORKS && number(p, RET, -1) == 0)
		begin_life(p, thread);
	else
		p->unpaired[call->known ? NO_ENTRY : BEGAN_BEFORE]++;
	threads_close_call(thread);
	call->known = threads_may_open(p->threads, thread, p->ts);
}

static bool unsigned_number(struct pairing *p, enum field field, uint64_t *value)
{
	const struct slice *at = lookup_value(&p->field[field], p->record);

	return at && number_bits(*at, value);
}

/* LTTng gives the kernel's number of a device, the kernel's own tracing `8,0`: the number is put to DEV. */
static bool device(struct pairing *p, int64_t *dev)
{
	struct slice text_of = text(p, DEV);
	const char *comma = text_of.len ? memchr(text_of.at, ',', text_of.len) : NULL;
	uint64_t major, minor;

	if (!comma) {
		*dev = number(p, DEV, -1);
		return *dev >= 0;
	}
	major = minor = UINT64_MAX;
	number_u64((struct slice){ text_of.at, (size_t)(comma - text_of.at) }, &major);
	number_u64((struct slice){ comma + 1, (size_t)(text_of.at + text_of.len - comma - 1) }, &minor);
	*dev = (int64_t)(major << 20 | minor);
	return major < 1 << 12 && minor < 1 << 20;
}

static void put_block(struct pairing *p, const struct request *request)
{
	struct span_block block = {
		.dev = label_text(&request->dev),
		.sector = request->sector,
		.bytes = request->bytes,
		.op = label_text(&request->op),
		.queue_ns = request->queued_ts < 0 ? -1 : request->issued_ts - request->queued_ts,
		.error = syscalls_error(request->error),
	};
	struct span span = {
		.ts = p->ts,
		.cpu = request->cpu,
		.pid = request->pid,
		.tid = request->tid,
		.comm = label_text(&request->comm),
		.dur_ns = p->ts - request->issued_ts,
		.unfinished = p->record == NULL,
	};

	if (span.dur_ns >= 0)
		span_block(p->out, &span, &block);
}

static void on_issue(struct pairing *p, struct request_key key, uint64_t sectors, const struct label *op)
{
	struct request *request = requests_issue(p->requests, key, p->ts, sectors);
	char dev[2 * NUMBER_TEXT];
	int n = snprintf(dev, sizeof dev, "%" PRId64 ":%" PRId64, key.dev >> 20, key.dev & 0xfffff);

	if (!request)
		return;
	request->sector = key.sector;
	if (!unsigned_number(p, BYTES, &request->bytes))
		request->bytes = sectors * 512;
	request->cpu = cpu_number(p);
	request->pid = p->thread ? p->thread->pid : -1;
	request->tid = p->thread ? p->thread->tid : -1;
	request->comm = p->thread ? p->thread->comm : (struct label){ 0 };
	request->op = *op;
	label_set(&request->dev, (struct slice){ dev, (size_t)n });
}

static void on_complete(struct pairing *p, struct request_key key, uint64_t sectors)
{
	int64_t error = number(p, ERROR, 0);
	struct request done;
	bool unknown;

	if (requests_complete(p->requests, key, sectors, error < 0 ? -error : error, &done, &unknown))
		put_block(p, &done);
	/* A write that waited for a flush completes once more, with nothing left to do. */
	p->unpaired[NO_ISSUE] += unknown && sectors;
}

static void on_block(struct pairing *p, enum event_kind kind)
{
	struct label op = requests_op(text(p, RWBS));
	struct request_key key = { .kind = requests_kind(&op) };
	uint64_t sectors;

	if (!p->wanted[PAIRING_BLOCK])
		return;
	if (!device(p, &key.dev)) {
		complain(p, DEV, "it is no device");
		return;
	}
	if (!unsigned_number(p, SECTOR, &key.sector) || !unsigned_number(p, NR_SECTOR, &sectors)) {
		complain(p, SECTOR, "it or nr_sector is not a number");
		return;
	}
	if (!context(p) || p->ts <= p->threads->gap_until)
		return;
	/* A flush has no place, and its completion says -1. */
	if (sectors == 0)
		key.sector = 0;
	switch (kind) {
	case EVENT_BLOCK_INSERT: requests_insert(p->requests, key, p->ts); break;
	case EVENT_BLOCK_ISSUE: on_issue(p, key, sectors, &op); break;
	case EVENT_BLOCK_REQUEUE: requests_requeue(p->requests, key); break;
	case EVENT_BLOCK_MERGE: requests_merge(p->requests, key); break;
	case EVENT_BLOCK_FRONT_MERGE: requests_front_merge(p->requests, key, sectors); break;
	default: on_complete(p, key, sectors); break;
	}
}

static void on_loss(struct pairing *p)
{
	int64_t number_of_cpu = number(p, CPU, -1);
	struct cpu *cpu = number_of_cpu < 0 ? NULL : threads_cpu(p->threads, number_of_cpu);
	int64_t until = number(p, LAST_TS, p->ts);

	requests_forget(p->requests);
	threads_lost(p->threads, cpu, until > p->ts ? until : p->ts);
}

void pairing_record(struct pairing *p, const struct record *record, const struct event *event)
{
	p->record = record;
	if (!need(p, TS, &p->ts))
		return;
	if (p->ts > p->last_ts)
		p->last_ts = p->ts;
	switch (event->kind) {
	case EVENT_LOST: on_loss(p); break;
	case EVENT_SWITCH: on_switch(p); break;
	case EVENT_WAKING:
	case EVENT_WAKEUP:
	case EVENT_WAKEUP_NEW: on_wakeup(p, event->kind); break;
	case EVENT_FORK: on_fork(p); break;
	case EVENT_EXEC: on_exec(p); break;
	case EVENT_EXIT: on_thread_exit(p); break;
	case EVENT_STATEDUMP: on_statedump(p); break;
	case EVENT_STATEDUMP_FD:
		if (p->follow)
			calls_dump_file(p->calls, p->record, p->ts);
		break;
	case EVENT_STATEDUMP_START:
	case EVENT_STATEDUMP_END: processes_forget_addresses(p->threads->processes); break;
	case EVENT_IRQ_ENTRY: on_handler(p, false, true); break;
	case EVENT_IRQ_EXIT: on_handler(p, false, false); break;
	case EVENT_SOFTIRQ_ENTRY: on_handler(p, true, true); break;
	case EVENT_SOFTIRQ_EXIT: on_handler(p, true, false); break;
	case EVENT_CALL_ENTRY: on_call_entry(p, event); break;
	case EVENT_CALL_EXIT: on_call_exit(p, event); break;
	case EVENT_BLOCK_INSERT: case EVENT_BLOCK_ISSUE: case EVENT_BLOCK_REQUEUE: case EVENT_BLOCK_MERGE:
	case EVENT_BLOCK_FRONT_MERGE: case EVENT_BLOCK_COMPLETE: on_block(p, event->kind); break;
	default: break;
	}
}

static void end_requests(struct pairing *p)
{
	size_t n;
	struct request **all = requests_in_flight(p->requests, &n);

	for (size_t i = 0; i < n; i++)
		put_block(p, all[i]);
	free(all);
}

/* What is still under way at the end: handlers by CPU, requests by age, then threads by tid. */
void pairing_end(struct pairing *p)
{
	struct thread **all;
	size_t n;

	p->record = NULL;
	p->ts = p->last_ts;
	for (size_t i = 0; i < p->threads->cpus_n; i++) {
		struct cpu *cpu = p->threads->cpus[i];

		for (unsigned k = cpu ? cpu->handlers.n : 0; k-- > 0;)
			put_handler(p, cpu, cpu->current, &cpu->handlers.at[k]);
	}
	end_requests(p);
	all = threads_all(p->threads, p->ts, &n);
	for (size_t i = 0; i < n; i++) {
		struct stretch stretch;

		if (threads_unfinished(all[i], p->ts, &stretch))
			put_stretch(p, all[i], &stretch);
		if (all[i]->call.open && !all[i]->call.no_exit)
			put_call(p, all[i], false);
	}
	free(all);
}

/* Says nothing where all is known. The share is cut, not rounded: 100 % is for all. */
static void report_paths(const struct calls *calls)
{
	uint64_t asked = calls_asked(calls), answered = calls_answered(calls), share;

	if (asked == answered)
		return;
	share = (uint64_t)(10000.0 * (double)answered / (double)asked);
	message("path: known for %" PRIu64 " of %" PRIu64 " calls on file descriptors (%" PRIu64 ".%02" PRIu64
		" %%)", answered, asked, share / 100, share % 100);
}

void pairing_report(const struct pairing *p)
{
	const struct {
		uint64_t n;
		const char *what;
	} counts[] = {
		{ p->unpaired[BEGAN_BEFORE], "exits of system calls that began before the trace or a gap" },
		{ p->unpaired[NO_ENTRY], "exits of system calls without entry" },
		{ p->unpaired[NO_EXIT], "entries of system calls without exit" },
		{ p->unpaired[NO_HANDLER_ENTRY], "ends of interrupt handlers without begin" },
		{ p->unpaired[NO_HANDLER_EXIT], "begins of interrupt handlers without end" },
		{ p->unpaired[NO_ISSUE], "completions of block requests without issue" },
		{ p->threads->unwoken, "sleeps without wakeup" },
		{ p->threads->contradictions, "events that contradict earlier ones" },
		{ p->unpaired[NOBODY], "events of a thread not known" },
		{ p->threads->forgotten, "threads too many, and forgotten" },
		{ p->threads->processes->forgotten, "times all descriptors were too many, and forgotten" },
		{ p->requests->forgotten, "block requests too many, and not followed" },
		{ p->unusable > 1 ? p->unusable - 1 : 0, "more records that are wrong" },
	};
	char line[2048];
	size_t len = 0;

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (counts[i].n)
			len += (size_t)snprintf(line + len, sizeof line - len, "%s%" PRIu64 " %s",
						len ? ", " : "", counts[i].n, counts[i].what);
	if (len)
		message("unpaired: %s", line);
	report_paths(p->calls);
}
