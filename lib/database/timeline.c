// SPDX-License-Identifier: MIT
#include "database/timeline.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/label.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/table.h"
#include "database/perfetto.h"

/* The fields that decide where a record goes and what it is called. */
enum field {
	TS, EV, CPU, PID, TID, COMM, DUR, NAME, ID, STATE, WHY, WAKER_TID, WAKER_COMM, WAKER_IRQ, IRQ, VEC,
	DEV, OP, URL, DADDR, DPORT, BYTES, RSS, CPU_NS, CHILD_PID, CHILD_TID, N, FIELDS
};
static const struct slice field_keys[FIELDS] = {
	SLICE("ts"), SLICE("ev"), SLICE("cpu"), SLICE("pid"), SLICE("tid"), SLICE("comm"), SLICE("dur_ns"),
	SLICE("name"), SLICE("id"), SLICE("state"), SLICE("why"), SLICE("waker_tid"), SLICE("waker_comm"),
	SLICE("waker_irq"), SLICE("irq"), SLICE("vec"), SLICE("dev"), SLICE("op"), SLICE("url"),
	SLICE("daddr"), SLICE("dport"), SLICE("bytes"), SLICE("rss_bytes"), SLICE("cpu_ns"),
	SLICE("child_pid"), SLICE("child_tid"), SLICE("n"),
};

/* The tracks of one name under one parent: which of them is free from when on. */
struct lanes {
	uint64_t *track;
	int64_t *end;
	size_t n, room, end_room;
};

struct process {
	uint64_t track;
	struct label name;
};

struct thread {
	uint64_t track, process;
	int64_t pid;		/* -1: not known */
	struct label name;
	uint64_t flow;		/* from who woke it at woken_ts; 0: none */
	int64_t woken_ts;
};

struct timeline {
	struct perfetto *to;
	struct writer *out;
	struct reader *reader;
	struct lookup lookup[FIELDS];
	struct table *processes, *threads;	/* by pid, tid */
	struct table *tracks;	/* uint64_t, by parent and name */
	struct table *lanes;	/* struct lanes, by parent and name */
	struct intern *names;
	uint64_t flows, crowded;
	/* The record under way: */
	const struct record *record;
	const struct slice *value[FIELDS];	/* NULL: absent */
	int64_t ts, begin, cpu, pid, tid;	/* below 0: not known */
	struct slice ev;
};

typedef uint64_t track;

/* ---- tracks ---- */

static uint64_t track_key(struct timeline *t, track parent, struct slice name)
{
	return parent << 32 | intern_id(t->names, name);
}

/* Where the track NAME under PARENT is kept; 0 stands there while it was not made. */
static track *place_of(struct timeline *t, track parent, struct slice name)
{
	return table_at(t->tracks, track_key(t, parent, name));
}

static track named(struct timeline *t, track parent, struct slice name, int32_t rank)
{
	track *place = place_of(t, parent, name);

	if (!*place)
		*place = perfetto_track(t->to, parent, name, rank);
	return *place;
}

static track counter(struct timeline *t, track parent, struct slice name, enum perfetto_unit unit)
{
	track *place = place_of(t, parent, name);

	if (!*place)
		*place = perfetto_counter(t->to, parent, name, unit);
	return *place;
}

/*
 * A track NAME under PARENT that is free from t->begin to t->ts: of those, the one that is free for the
 * shortest time, so that few are needed. FIRST (0: none) is the first of them. 0: there are too many.
 */
static track lane(struct timeline *t, track parent, struct slice name, track first)
{
	struct lanes *lanes = table_at(t->lanes, track_key(t, parent, name));
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < lanes->n; i++)
		if (lanes->end[i] <= t->begin && (best == SIZE_MAX || lanes->end[i] > lanes->end[best]))
			best = i;
	if (best == SIZE_MAX) {
		if (lanes->n == TIMELINE_LANES)
			return 0;
		best = lanes->n++;
		lanes->track = memory_grow(lanes->track, &lanes->room, lanes->n, sizeof *lanes->track);
		lanes->end = memory_grow(lanes->end, &lanes->end_room, lanes->n, sizeof *lanes->end);
		lanes->track[best] = best == 0 && first ? first : perfetto_track(t->to, parent, name, 0);
	}
	lanes->end[best] = t->ts;
	return lanes->track[best];
}

static bool rename_label(struct label *label, struct slice name)
{
	struct label new;

	label_set(&new, name);
	if (name.len == 0 || slice_equal(label_text(label), label_text(&new)))
		return false;
	*label = new;
	return true;
}

/* A process is called what its first thread is called, or who is met before. */
static track process_track(struct timeline *t, int64_t pid, int64_t tid, struct slice comm)
{
	struct process *process = table_at(t->processes, (uint64_t)pid);

	if (!process->track) {
		rename_label(&process->name, comm);
		process->track = perfetto_process(t->to, pid, comm);
	} else if (pid == tid && rename_label(&process->name, comm)) {
		perfetto_name_process(t->to, process->track, pid, comm);
	}
	return process->track;
}

/*
 * The thread TID, of the process PID (below 0: not known), now called COMM. The pointer is valid until the
 * next call.
 */
static struct thread *thread_at(struct timeline *t, int64_t tid, int64_t pid, struct slice comm)
{
	struct thread *thread = table_at(t->threads, (uint64_t)tid);
	char text[LABEL_BYTES + NUMBER_TEXT];
	struct label name;

	if (thread->track && (pid < 0 || pid == thread->pid)) {
		if (thread->pid < 0 || !rename_label(&thread->name, comm))
			return thread;
		perfetto_name_thread(t->to, thread->track, thread->process, thread->pid, tid, comm);
		if (thread->pid == tid)
			process_track(t, thread->pid, tid, comm);
		return thread;
	}
	*thread = (struct thread){ .pid = pid };
	rename_label(&thread->name, comm);
	if (pid >= 0) {
		thread->process = process_track(t, pid, tid, comm);
		thread->track = perfetto_thread(t->to, thread->process, pid, tid, comm);
		return thread;
	}
	/* Perfetto's threads have a process; those of which it is not known are tracks with a name. */
	label_set(&name, comm);
	snprintf(text, sizeof text, "%.*s [%lld]", (int)name.len, name.at, (long long)tid);
	thread->process = named(t, 0, SLICE("Threads of unknown processes"), 0);
	thread->track = perfetto_track(t->to, thread->process, slice_of(text), 0);
	return thread;
}

static struct slice text_of(const struct timeline *t, enum field field, struct slice other)
{
	return t->value[field] ? *t->value[field] : other;
}

static struct slice comm_of(const struct timeline *t)
{
	return text_of(t, COMM, (struct slice){ "", 0 });
}

static track cpu_track(struct timeline *t)
{
	track all = named(t, 0, SLICE("CPUs"), 0);
	char text[NUMBER_TEXT + 8];

	snprintf(text, sizeof text, "CPU %lld", (long long)t->cpu);
	return named(t, all, slice_of(text), t->cpu <= INT32_MAX ? (int32_t)t->cpu : 0);
}

/* Who the record is about: its thread, else its process, else its CPU; 0: nobody. */
static track owner(struct timeline *t)
{
	if (t->tid > 0)
		return thread_at(t, t->tid, t->pid, comm_of(t))->track;
	if (t->pid > 0)
		return process_track(t, t->pid, -1, comm_of(t));
	return t->cpu >= 0 ? cpu_track(t) : 0;
}

/* ---- events ---- */

/* The record's fields, without those that track, time and name of the event tell. */
static void put_arguments(struct timeline *t, bool of_thread, bool slice, bool has_name)
{
	for (uint32_t i = 0; i < t->record->shape->n; i++) {
		const struct slice *value = &t->record->value[i];
		bool who = value == t->value[PID] || value == t->value[TID] || value == t->value[COMM];

		if (value == t->value[TS] || value == t->value[EV] || (slice && value == t->value[DUR]) ||
		    (has_name && value == t->value[NAME]) || (of_thread && who))
			continue;
		perfetto_argument(t->to, t->record->shape->key[i], *value);
	}
}

static void put_instant(struct timeline *t, track on, bool of_thread, struct slice name)
{
	perfetto_event(t->to, t->ts, PERFETTO_INSTANT, on, t->ev, name);
	put_arguments(t, of_thread, false, false);
	perfetto_put(t->to);
}

static void put_slice(struct timeline *t, track on, bool of_thread, struct slice name)
{
	if (!on) {
		t->crowded++;
		put_instant(t, named(t, 0, SLICE("Crowded out"), 0), false, name);
		return;
	}
	perfetto_event(t->to, t->begin, PERFETTO_BEGIN, on, t->ev, name);
	put_arguments(t, of_thread, true, t->value[NAME] && name.at == t->value[NAME]->at);
	perfetto_put(t->to);
	perfetto_end(t->to, t->ts, on);
}

static void put_other(struct timeline *t)
{
	track on = owner(t);

	put_instant(t, on ? on : named(t, 0, SLICE("Events"), 0), t->tid > 0, t->ev);
}

/* A slice of any kind, on a track CALLED so that belongs to its thread, its process, or its CPU. */
static void put_any(struct timeline *t, struct slice called, struct slice name)
{
	put_slice(t, lane(t, owner(t), called, 0), t->tid > 0, name);
}

/* ---- what threads did ---- */

static struct slice state_name(struct timeline *t)
{
	static const struct {
		char state;
		struct slice name;	/* as Perfetto calls them */
	} names[] = {
		{ 'S', SLICE("Sleeping") }, { 'D', SLICE("Uninterruptible Sleep") },
		{ 'T', SLICE("Stopped") }, { 't', SLICE("Traced") },
		{ 'X', SLICE("Exit (Dead)") }, { 'Z', SLICE("Exit (Zombie)") },
		{ 'P', SLICE("Parked") }, { 'I', SLICE("Idle") },
	};
	const struct slice *state = t->value[STATE];

	if (slice_equal(t->ev, SLICE("oncpu")))
		return SLICE("Running");
	if (slice_equal(t->ev, SLICE("runq")))
		return slice_equal(text_of(t, WHY, t->ev), SLICE("preempt")) ? SLICE("Runnable (Preempted)") :
			SLICE("Runnable");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (state && state->len == 1 && state->at[0] == names[i].state)
			return names[i].name;
	return t->ev;
}

/* The state of the thread; an arrow comes to it from who woke it. WHOLE: with all the record's fields. */
static void put_state(struct timeline *t, bool whole)
{
	struct thread *thread = thread_at(t, t->tid, t->pid, comm_of(t));
	uint64_t flow = thread->flow && thread->woken_ts == t->begin ? thread->flow : 0;
	track on;

	if (flow)
		thread->flow = 0;
	on = lane(t, thread->track, SLICE("State"), 0);
	if (!on) {
		put_slice(t, on, true, state_name(t));
		return;
	}
	perfetto_event(t->to, t->begin, PERFETTO_BEGIN, on, t->ev, state_name(t));
	if (flow)
		perfetto_flow(t->to, flow, true);
	if (whole)
		put_arguments(t, true, true, false);
	else if (t->value[CPU])
		perfetto_argument(t->to, field_keys[CPU], *t->value[CPU]);
	perfetto_put(t->to);
	perfetto_end(t->to, t->ts, on);
}

static void put_oncpu(struct timeline *t)
{
	char text[LABEL_BYTES + NUMBER_TEXT];
	struct label name;
	track cpu;

	if (t->cpu >= 0) {
		cpu = cpu_track(t);
		label_set(&name, comm_of(t));
		snprintf(text, sizeof text, "%.*s [%lld]", (int)name.len, name.at, (long long)t->tid);
		put_slice(t, lane(t, cpu, SLICE("Running"), cpu), false, slice_of(text));
	}
	if (t->tid > 0)
		put_state(t, t->cpu < 0);
}

static int64_t number_in(const struct timeline *t, enum field field)
{
	int64_t value;

	return t->value[field] && number_i64(*t->value[field], &value) ? value : -1;
}

static void put_blocked(struct timeline *t)
{
	int64_t waker = number_in(t, WAKER_TID);
	struct thread *thread;
	char text[NUMBER_TEXT];
	track on;

	put_state(t, true);
	if (waker <= 0 || t->value[WAKER_IRQ])	/* an interrupt woke it: no thread did */
		return;
	on = thread_at(t, waker, -1, text_of(t, WAKER_COMM, (struct slice){ "", 0 }))->track;
	perfetto_event(t->to, t->ts, PERFETTO_INSTANT, on, SLICE("wakeup"), SLICE("wakeup"));
	perfetto_argument(t->to, SLICE("tid"), (struct slice){ text, number_put_i64(text, t->tid) });
	if (t->value[COMM])
		perfetto_argument(t->to, field_keys[COMM], *t->value[COMM]);
	perfetto_flow(t->to, ++t->flows, false);
	perfetto_put(t->to);
	thread = thread_at(t, t->tid, t->pid, comm_of(t));
	thread->flow = t->flows;
	thread->woken_ts = t->ts;
}

static void put_syscall(struct timeline *t)
{
	track on = thread_at(t, t->tid, t->pid, comm_of(t))->track;

	put_slice(t, lane(t, on, SLICE("System calls"), on), true,
		  text_of(t, NAME, text_of(t, ID, t->ev)));
}

/* A new process or thread that has a number which another had is not the other. */
static void put_fork(struct timeline *t)
{
	int64_t pid = number_in(t, CHILD_PID), tid = number_in(t, CHILD_TID);

	put_other(t);
	if (tid > 0)
		table_remove(t->threads, (uint64_t)tid);
	if (pid > 0 && pid == tid)
		table_remove(t->processes, (uint64_t)pid);
}

/* ---- the others ---- */

static void put_handler(struct timeline *t)
{
	struct slice name = text_of(t, NAME, text_of(t, IRQ, text_of(t, VEC, t->ev)));

	if (t->cpu < 0)
		put_any(t, t->ev, name);
	else
		put_slice(t, lane(t, cpu_track(t), t->ev, 0), false, name);
}

static void put_block(struct timeline *t)
{
	put_slice(t, lane(t, named(t, 0, SLICE("Disks"), 0), text_of(t, DEV, t->ev), 0), false,
		  text_of(t, OP, t->ev));
}

static void put_tcp(struct timeline *t)
{
	struct slice host = text_of(t, DADDR, t->ev), port = text_of(t, DPORT, (struct slice){ "", 0 });
	char text[512];

	if (host.len > 256 || port.len > 64)
		host = t->ev;
	snprintf(text, sizeof text, "%.*s%s%.*s", (int)host.len, host.at, port.len ? ":" : "", (int)port.len,
		 port.at);
	put_any(t, t->ev, slice_of(text));
}

static void put_counter(struct timeline *t, enum field field, const char *name, enum perfetto_unit unit)
{
	track process = process_track(t, t->pid, -1, comm_of(t));
	int64_t value;

	if (t->value[field] && number_i64(*t->value[field], &value))
		perfetto_count(t->to, t->ts, counter(t, process, slice_of(name), unit), value);
}

static void put_lost(struct timeline *t)
{
	char text[NUMBER_TEXT + 16];
	struct slice n = text_of(t, N, SLICE("?"));

	snprintf(text, sizeof text, "%.*s events lost", n.len <= NUMBER_TEXT ? (int)n.len : 0, n.at);
	put_instant(t, named(t, 0, SLICE("Lost events"), -1), false, slice_of(text));
}

static void put_record(struct timeline *t)
{
	bool span = t->begin >= 0, of_thread = span && t->tid > 0;
	struct slice ev = t->ev;

	if (slice_equal(ev, SLICE("syscall")) && of_thread)
		put_syscall(t);
	else if (slice_equal(ev, SLICE("oncpu")) && span && (of_thread || t->cpu >= 0))
		put_oncpu(t);
	else if (slice_equal(ev, SLICE("runq")) && of_thread)
		put_state(t, true);
	else if (slice_equal(ev, SLICE("blocked")) && of_thread)
		put_blocked(t);
	else if ((slice_equal(ev, SLICE("irq")) || slice_equal(ev, SLICE("softirq"))) && span)
		put_handler(t);
	else if (slice_equal(ev, SLICE("block")) && span)
		put_block(t);
	else if (slice_equal(ev, SLICE("tcp")) && span)
		put_tcp(t);
	else if (slice_equal(ev, SLICE("http")) && span)
		put_any(t, ev, text_of(t, URL, ev));
	else if (slice_equal(ev, SLICE("period")) && span)
		put_any(t, text_of(t, NAME, ev), text_of(t, NAME, ev));
	else if (slice_equal(ev, SLICE("fork")))
		put_fork(t);
	else if (slice_equal(ev, SLICE("rss")) && t->pid > 0)
		put_counter(t, BYTES, "rss", PERFETTO_BYTES);
	else if (slice_equal(ev, SLICE("usage")) && t->pid > 0) {
		put_counter(t, RSS, "rss", PERFETTO_BYTES);
		put_counter(t, CPU_NS, "CPU time", PERFETTO_NS);
	} else if (slice_equal(ev, SLICE("lost")))
		put_lost(t);
	else if (span && !slice_equal(ev, SLICE("exit")))	/* whose dur_ns is the life of the thread */
		put_any(t, ev, text_of(t, NAME, ev));
	else
		put_other(t);
}

void timeline_put(struct timeline *t, const struct record *record)
{
	int64_t dur;

	t->record = record;
	for (size_t i = 0; i < FIELDS; i++)
		t->value[i] = lookup_value(&t->lookup[i], record);
	t->ts = number_in(t, TS);
	if (!t->value[TS] || t->ts < 0) {
		reader_complain(t->reader, "ts", "it is no time in nanoseconds since 1970");
		return;
	}
	t->ev = text_of(t, EV, SLICE("record"));
	t->cpu = number_in(t, CPU);
	t->pid = number_in(t, PID);
	t->tid = number_in(t, TID);
	t->begin = -1;
	if (t->value[DUR]) {
		dur = number_in(t, DUR);
		if (dur < 0 || dur > t->ts)
			reader_complain(t->reader, "dur_ns", "it is no time that ended at ts");
		else
			t->begin = t->ts - dur;
	}
	if (!t->to)
		t->to = perfetto_new(t->out, t->ts);
	put_record(t);
}

struct timeline *timeline_new(struct writer *out, struct reader *reader)
{
	struct timeline *t = memory_zeroed(sizeof *t);

	t->out = out;
	t->reader = reader;
	for (size_t i = 0; i < FIELDS; i++)
		t->lookup[i].key = field_keys[i];
	t->processes = table_new(sizeof(struct process));
	t->threads = table_new(sizeof(struct thread));
	t->tracks = table_new(sizeof(uint64_t));
	t->lanes = table_new(sizeof(struct lanes));
	t->names = intern_new();
	return t;
}

uint64_t timeline_end(struct timeline *t)
{
	uint64_t *keys = table_keys(t->lanes), crowded = t->crowded;

	if (!t->to)	/* a trace without events is still one */
		t->to = perfetto_new(t->out, 0);
	perfetto_free(t->to);
	for (size_t i = 0; i < table_count(t->lanes); i++) {
		struct lanes *lanes = table_find(t->lanes, keys[i]);

		free(lanes->track);
		free(lanes->end);
	}
	free(keys);
	for (size_t i = 0; i < FIELDS; i++)
		lookup_free(&t->lookup[i]);
	table_free(t->processes);
	table_free(t->threads);
	table_free(t->tracks);
	table_free(t->lanes);
	intern_free(t->names);
	free(t);
	return crowded;
}
