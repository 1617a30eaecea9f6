// SPDX-License-Identifier: MIT
#include "spans/events.h"

#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"

enum { RECENT = 256 };

struct events {
	struct intern *names;
	struct intern *calls;	/* names of system calls */
	struct event *at;	/* by the id of the name */
	size_t room;
	/* Names met lately, by a hash of few of their bytes: most records have one of few names. */
	struct {
		struct slice name;
		uint32_t id;
	} recent[RECENT];
};

static const struct {
	const char *name;
	enum event_kind kind;
} kinds[] = {
	{ "lost", EVENT_LOST },
	{ "oncpu", EVENT_SPAN }, { "runq", EVENT_SPAN }, { "blocked", EVENT_SPAN }, { "syscall", EVENT_SPAN },
	{ "irq", EVENT_SPAN }, { "softirq", EVENT_SPAN }, { "block", EVENT_SPAN }, { "fork", EVENT_SPAN },
	{ "exec", EVENT_SPAN }, { "exit", EVENT_SPAN }, { "rss", EVENT_SPAN }, { "usage", EVENT_SPAN },
	{ "pages", EVENT_SPAN }, { "period", EVENT_SPAN },
	{ "tcp", EVENT_SPAN }, { "http", EVENT_SPAN }, { "cpu", EVENT_SPAN },
	{ "sched_switch", EVENT_SWITCH }, { "sched_waking", EVENT_WAKING }, { "sched_wakeup", EVENT_WAKEUP },
	{ "sched_wakeup_new", EVENT_WAKEUP_NEW }, { "sched_process_fork", EVENT_FORK },
	{ "sched_process_exec", EVENT_EXEC }, { "sched_process_exit", EVENT_EXIT },
	{ "lttng_statedump_process_state", EVENT_STATEDUMP },
	{ "lttng_statedump_file_descriptor", EVENT_STATEDUMP_FD },
	{ "lttng_statedump_start", EVENT_STATEDUMP_START }, { "lttng_statedump_end", EVENT_STATEDUMP_END },
	{ "irq_handler_entry", EVENT_IRQ_ENTRY }, { "irq_handler_exit", EVENT_IRQ_EXIT },
	{ "irq_softirq_entry", EVENT_SOFTIRQ_ENTRY }, { "irq_softirq_exit", EVENT_SOFTIRQ_EXIT },
	{ "block_rq_insert", EVENT_BLOCK_INSERT }, { "block_rq_issue", EVENT_BLOCK_ISSUE },
	{ "block_rq_requeue", EVENT_BLOCK_REQUEUE }, { "block_rq_merge", EVENT_BLOCK_MERGE },
	{ "block_bio_frontmerge", EVENT_BLOCK_FRONT_MERGE }, { "block_rq_complete", EVENT_BLOCK_COMPLETE },
};

static const struct {
	const char *name;
	enum call_kind kind;
} calls[] = {
	{ "clone", CALL_FORKS }, { "clone3", CALL_FORKS }, { "fork", CALL_FORKS }, { "vfork", CALL_FORKS },
	{ "exit", CALL_EXITS }, { "exit_group", CALL_EXITS }, { "sched_yield", CALL_YIELDS },
	{ "rt_sigreturn", CALL_SIGRETURN }, { "sigreturn", CALL_SIGRETURN }, { "unknown", CALL_UNKNOWN },
};

struct events *events_new(void)
{
	struct events *events = memory_zeroed(sizeof *events);

	events->names = intern_new();
	events->calls = intern_new();
	return events;
}

void events_free(struct events *events)
{
	intern_free(events->names);
	intern_free(events->calls);
	free(events->at);
	free(events);
}

/* Whether EV is PREFIX and a name, which is put to NAME. */
static bool begins(struct slice ev, struct slice prefix, struct slice *name)
{
	if (ev.len <= prefix.len || memcmp(ev.at, prefix.at, prefix.len) != 0)
		return false;
	*name = (struct slice){ ev.at + prefix.len, ev.len - prefix.len };
	return true;
}

/* The kind; of system calls, CALL is what EV calls it. */
static enum event_kind kind_of(struct slice ev, struct slice *call)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_equal(ev, slice_of(kinds[i].name)))
			return kinds[i].kind;
	if (begins(ev, SLICE("syscall_entry_"), call) || begins(ev, SLICE("compat_syscall_entry_"), call))
		return EVENT_CALL_ENTRY;
	if (begins(ev, SLICE("syscall_exit_"), call) || begins(ev, SLICE("compat_syscall_exit_"), call))
		return EVENT_CALL_EXIT;
	return EVENT_OTHER;
}

enum event_kind events_kind(struct slice ev)
{
	struct slice call;

	return ev.len > EVENT_NAME_MAX ? EVENT_OTHER : kind_of(ev, &call);
}

static struct event classify(struct events *events, struct slice ev)
{
	struct slice name = { NULL, 0 };
	struct event event = { .kind = kind_of(ev, &name) };

	if (!name.len)
		return event;
	event.name = intern_text(events->calls, intern_id(events->calls, name));
	event.syscall = syscalls_find(name);
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (slice_equal(name, slice_of(calls[i].name)))
			event.call = calls[i].kind;
	return event;
}

static uint32_t recent(struct slice ev)
{
	uint64_t word = 0;

	if (ev.len >= 8)
		memcpy(&word, ev.at + ev.len - 8, 8);
	else if (ev.len)
		word = slice_word(ev.at, ev.len);
	return (uint32_t)((word ^ ev.len) * 0x9e3779b97f4a7c15u >> 56) % RECENT;
}

const struct event *events_find(struct events *events, struct slice ev)
{
	static const struct event other = { .kind = EVENT_OTHER };
	uint32_t n = intern_count(events->names), id, slot = recent(ev);

	if (slice_equal(events->recent[slot].name, ev))
		return &events->at[events->recent[slot].id];
	if (ev.len > EVENT_NAME_MAX)
		return &other;
	id = n < EVENTS_MAX ? intern_id(events->names, ev) : intern_find(events->names, ev);
	if (id == UINT32_MAX)
		return &other;
	if (id == n) {
		events->at = memory_grow(events->at, &events->room, n + 1, sizeof *events->at);
		events->at[n] = classify(events, ev);
	}
	events->recent[slot].name = intern_text(events->names, id);
	events->recent[slot].id = id;
	return &events->at[id];
}

enum call_kind events_call_by_id(int64_t id)
{
	/* Numbers from 424 up are the same everywhere; 15 is x86-64's, 139 is arm64's and riscv's. */
	return id == 435 ? CALL_FORKS : id == 15 || id == 139 ? CALL_SIGRETURN : CALL_PLAIN;
}
