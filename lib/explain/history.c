// SPDX-License-Identifier: MIT
#include "explain/history.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/table.h"
#include "spans/throttled.h"

enum {
	NAME_BYTES = 256,	/* a longer name is not known */
	LOSSES = 64,		/* that are told apart */
	ENDED = 1024,		/* threads that are kept after their end */
};

/* deed.flags of states and slices */
enum { BY_IRQ = 1, IDLE_NEXT = 2 };
/* deed.flags of calls; detail is the kind of path */
enum { TIMED_OUT = 1 };

struct loss_time {
	int64_t from, to;
};

/* What is gathered for one split, before the first few are chosen. */
struct share {
	int64_t key, ns, run;
	uint32_t name;
	uint64_t n;
};
struct shares {
	struct share *at;
	size_t n, room;
};

struct history {
	int64_t reach;
	bool calls;
	struct table *lives;		/* struct life * by tid */
	struct life *recent;
	struct past **cpus;		/* what ran there */
	size_t cpus_n;
	struct intern *names;
	enum call_kind *kinds;		/* by name; CALL_NONE: not yet known */
	size_t kinds_room;
	struct loss_time losses[LOSSES];
	size_t losses_n;
	int64_t ended[ENDED];		/* tids, a ring */
	uint64_t ended_n;
	uint64_t disordered;
	struct shares who, what;
	struct {
		struct lookup ts, cpu, tid, comm, dur_ns, name, ret, path, state, next_tid, by_tid, by_comm,
			waker_tid, waker_comm, waker_irq, why, first_ts, last_ts, cgroup;
	} field;
	struct throttled_fields throttled;
};

struct history *history_new(int64_t reach, bool calls)
{
	struct history *h = memory_zeroed(sizeof *h);

	h->reach = reach;
	h->calls = calls;
	h->lives = table_new(sizeof(struct life *));
	h->names = intern_new();
#define FIELD(key) h->field.key = (struct lookup)LOOKUP(#key)
	FIELD(ts), FIELD(cpu), FIELD(tid), FIELD(comm), FIELD(dur_ns), FIELD(name), FIELD(ret), FIELD(path);
	FIELD(state), FIELD(next_tid), FIELD(by_tid), FIELD(by_comm), FIELD(waker_tid), FIELD(waker_comm);
	FIELD(waker_irq), FIELD(why), FIELD(first_ts), FIELD(last_ts);
	FIELD(cgroup);
	h->throttled = (struct throttled_fields)THROTTLED_FIELDS;
#undef FIELD
	return h;
}

static void life_free(struct life *life)
{
	free(life->states.at);
	free(life->calls.at);
	free(life->irqs.at);
	free(life->requests.at);
	free(life);
}

void history_free(struct history *h)
{
	struct lookup *fields = (struct lookup *)&h->field;
	uint64_t *tids = table_keys(h->lives);

	for (size_t i = 0; i < table_count(h->lives); i++)
		life_free(*(struct life **)table_find(h->lives, tids[i]));
	free(tids);
	table_free(h->lives);
	for (size_t i = 0; i < h->cpus_n; i++)
		if (h->cpus[i]) {
			free(h->cpus[i]->at);
			free(h->cpus[i]);
		}
	free(h->cpus);
	intern_free(h->names);
	free(h->kinds);
	free(h->who.at);
	free(h->what.at);
	for (size_t i = 0; i < sizeof h->field / sizeof *fields; i++)
		lookup_free(&fields[i]);
	throttled_free(&h->throttled);
	free(h);
}

enum history_kind history_kind(struct slice ev)
{
	switch (ev.len) {
	case 3:
		return slice_equal(ev, SLICE("irq")) ? HISTORY_IRQ : HISTORY_NOTHING;
	case 4:
		return slice_equal(ev, SLICE("runq")) ? HISTORY_RUNQ : HISTORY_NOTHING;
	case 5:
		return slice_equal(ev, SLICE("oncpu")) ? HISTORY_ONCPU :
		       slice_equal(ev, SLICE("block")) ? HISTORY_BLOCK : HISTORY_NOTHING;
	case 7:
		return slice_equal(ev, SLICE("syscall")) ? HISTORY_SYSCALL :
		       slice_equal(ev, SLICE("blocked")) ? HISTORY_BLOCKED :
		       slice_equal(ev, SLICE("softirq")) ? HISTORY_IRQ : HISTORY_NOTHING;
	default:
		return HISTORY_NOTHING;
	}
}

/* A number in a field; ABSENT when there is none. */
static int64_t number(struct lookup *field, const struct record *record, int64_t absent)
{
	const struct slice *text = lookup_value(field, record);
	int64_t value;

	return text && number_padded_i64(*text, &value) ? value : absent;
}

static struct slice text(struct lookup *field, const struct record *record)
{
	const struct slice *value = lookup_value(field, record);

	return value ? *value : SLICE("");
}

static uint32_t name_of(struct history *h, struct slice text)
{
	uint32_t id;

	if (text.len == 0 || text.len > NAME_BYTES)
		return HISTORY_NO_NAME;
	if (intern_count(h->names) < HISTORY_NAMES_MAX)
		return intern_id(h->names, text);
	id = intern_find(h->names, text);
	return id == UINT32_MAX ? HISTORY_NO_NAME : id;
}

struct slice history_name(const struct history *h, uint32_t name)
{
	return name == HISTORY_NO_NAME ? SLICE("") : intern_text(h->names, name);
}

uint64_t history_disordered(const struct history *h)
{
	return h->disordered;
}

bool history_time(struct history *h, const struct record *record, struct history_span *span)
{
	int64_t dur = number(&h->field.dur_ns, record, -1);

	span->tid = number(&h->field.tid, record, -1);
	span->to = number(&h->field.ts, record, INT64_MIN);
	if (span->tid < 0 || span->tid > INT32_MAX)
		span->tid = -1;
	return dur >= 0 && span->to != INT64_MIN && !__builtin_sub_overflow(span->to, dur, &span->from);
}

bool history_span(struct history *h, const struct record *record, struct history_span *span)
{
	return history_time(h, record, span) && span->tid >= 0;
}

static int later_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y) - (x > y);
}

static void forget(struct history *h, struct life *life)
{
	if (h->recent == life)
		h->recent = NULL;
	table_remove(h->lives, (uint64_t)life->tid);
	life_free(life);
}

/* Makes room for new threads: the half that was heard of longest ago goes, but whom somebody waits for. */
static void forget_half(struct history *h)
{
	size_t n = table_count(h->lives);
	uint64_t *tids = table_keys(h->lives);
	int64_t *seen = memory_get(n * sizeof *seen), limit;

	for (size_t i = 0; i < n; i++)
		seen[i] = (*(struct life **)table_find(h->lives, tids[i]))->seen;
	qsort(seen, n, sizeof *seen, later_first);
	limit = seen[n / 2];
	for (size_t i = 0; i < n; i++) {
		struct life *life = *(struct life **)table_find(h->lives, tids[i]);

		if (life->seen <= limit && !life->first && !life->held)
			forget(h, life);
	}
	free(seen);
	free(tids);
}

struct life *history_find(struct history *h, int64_t tid)
{
	struct life **at;

	if (h->recent && h->recent->tid == tid)
		return h->recent;
	at = table_find(h->lives, (uint64_t)tid);
	if (!at)
		return NULL;
	h->recent = *at;
	return *at;
}

struct life *history_at(struct history *h, int64_t tid, int64_t now)
{
	struct life *life = history_find(h, tid);

	if (!life) {
		if (table_count(h->lives) >= HISTORY_THREADS_MAX)
			forget_half(h);
		life = memory_zeroed(sizeof *life);
		life->tid = tid;
		life->name = HISTORY_NO_NAME;
		life->settled = INT64_MIN;
		*(struct life **)table_at(h->lives, (uint64_t)tid) = life;
		h->recent = life;
	}
	life->seen = now;
	return life;
}

static void set_name(struct history *h, struct life *life, struct slice comm)
{
	if (comm.len && !slice_equal(history_name(h, life->name), comm))
		life->name = name_of(h, comm);
}

/* Up to when what a thread or CPU did is not needed any more. */
static int64_t limit_of(const struct history *h, int64_t now)
{
	int64_t limit;

	return __builtin_sub_overflow(now, h->reach, &limit) ? INT64_MIN : limit;
}

static bool add(struct history *h, struct past *past, struct deed deed, int64_t limit)
{
	past_forget(past, limit);
	if (past_add(past, deed))
		return true;
	h->disordered++;
	return false;
}

static struct past *cpu_at(struct history *h, int64_t cpu)
{
	size_t had = h->cpus_n;

	if (cpu < 0 || cpu >= HISTORY_CPUS_MAX)
		return NULL;
	if ((size_t)cpu >= had) {
		h->cpus = memory_grow(h->cpus, &h->cpus_n, (size_t)cpu + 1, sizeof(struct past *));
		for (size_t i = had; i < h->cpus_n; i++)
			h->cpus[i] = NULL;
	}
	if (!h->cpus[cpu])
		h->cpus[cpu] = memory_zeroed(sizeof *h->cpus[cpu]);
	return h->cpus[cpu];
}

/* The thread has ended. It stays for those who ask a little later. */
static void end(struct history *h, struct life *life)
{
	int64_t *slot = &h->ended[h->ended_n % ENDED];

	if (h->ended_n++ >= ENDED) {
		struct life *old = history_find(h, *slot);

		if (old && old != life && old->ended && !old->first && !old->held)
			forget(h, old);
	}
	*slot = life->tid;
	life->ended = true;
	h->recent = NULL;
}

/* What of a wait was throttled, and what was before that; leaves what was after it. */
static void add_throttled(struct history *h, struct life *life, struct deed *wait, const struct record *record,
			  int64_t limit)
{
	struct throttled part = throttled_of(&h->throttled, record, wait->to - wait->from);
	struct deed before = *wait, throttled = *wait;

	if (part.to == 0)
		return;
	before.to = throttled.from = wait->from + part.from;
	throttled.to = wait->from + part.to;
	throttled.kind = HISTORY_THROTTLED;
	throttled.name = name_of(h, text(&h->field.cgroup, record));
	if (part.from > 0)
		add(h, &life->states, before, limit);
	if (add(h, &life->states, throttled, limit))
		wait->from = throttled.to;
}

static struct life *add_state(struct history *h, enum history_kind kind, const struct history_span *span,
			      const struct record *record)
{
	struct deed deed = { .from = span->from, .to = span->to, .tid = -1, .kind = (unsigned char)kind,
			     .name = HISTORY_NO_NAME,
			     .cpu = (int32_t)number(&h->field.cpu, record, -1) };
	int64_t limit = limit_of(h, span->to);
	struct life *life;
	struct past *cpu;

	if (span->tid == 0)
		return NULL;
	life = history_at(h, span->tid, span->to);
	set_name(h, life, text(&h->field.comm, record));
	life->ended = false;
	switch (kind) {
	case HISTORY_ONCPU:
		cpu = cpu_at(h, deed.cpu);
		if (cpu) {
			struct deed slice = deed;

			slice.tid = (int32_t)span->tid;
			slice.name = life->name;
			slice.flags = number(&h->field.next_tid, record, -1) == 0 ? IDLE_NEXT : 0;
			add(h, cpu, slice, limit);
		}
		if (slice_equal(text(&h->field.why, record), SLICE("exit")))
			end(h, life);
		break;
	case HISTORY_RUNQ:
		deed.tid = (int32_t)number(&h->field.by_tid, record, -1);
		deed.name = name_of(h, text(&h->field.by_comm, record));
		add_throttled(h, life, &deed, record, limit);
		break;
	default: {
		struct slice state = text(&h->field.state, record);

		deed.detail = state.len == 1 ? (unsigned char)*state.at : '?';
		deed.tid = (int32_t)number(&h->field.waker_tid, record, -1);
		deed.name = name_of(h, text(&h->field.waker_comm, record));
		deed.flags = slice_equal(text(&h->field.waker_irq, record), SLICE("1")) ? BY_IRQ : 0;
	}
	}
	if (life->settled > limit)
		limit = life->settled;
	past_forget(&life->irqs, limit);
	past_forget(&life->requests, limit);
	return add(h, &life->states, deed, limit) ? life : NULL;
}

struct history_call history_call(struct history *h, const struct record *record)
{
	struct history_call call = { .name = name_of(h, text(&h->field.name, record)) };
	int64_t ret = number(&h->field.ret, record, INT64_MIN);

	if (call.name == HISTORY_NO_NAME) {
		call.kind = cause_call(text(&h->field.name, record));
	} else {
		size_t had = h->kinds_room;

		h->kinds = memory_grow(h->kinds, &h->kinds_room, call.name + 1, sizeof *h->kinds);
		for (size_t i = had; i < h->kinds_room; i++)
			h->kinds[i] = CALL_NONE;
		if (h->kinds[call.name] == CALL_NONE)
			h->kinds[call.name] = cause_call(text(&h->field.name, record));
		call.kind = h->kinds[call.name];
	}
	call.path = cause_path(text(&h->field.path, record));
	call.timed_out = ret != INT64_MIN && cause_timed_out(call.kind, ret);
	return call;
}

static struct life *add_call(struct history *h, const struct history_span *span, const struct record *record)
{
	int64_t limit = limit_of(h, span->to);
	struct history_call call;
	struct life *life;

	if (span->tid == 0 || !h->calls)
		return NULL;
	life = history_at(h, span->tid, span->to);
	if (!life->has_calls)
		life->first_call = span->to;
	life->has_calls = true;
	call = history_call(h, record);
	if (!add(h, &life->calls, (struct deed){ .from = span->from, .to = span->to, .name = call.name,
						 .kind = (unsigned char)call.kind,
						 .detail = (unsigned char)call.path,
						 .flags = call.timed_out ? TIMED_OUT : 0 }, limit))
		return NULL;
	return life;
}

struct life *history_add(struct history *h, enum history_kind kind, const struct history_span *span,
			 const struct record *record)
{
	struct deed deed = { .from = span->from, .to = span->to };
	struct life *life;

	switch (kind) {
	case HISTORY_ONCPU:
	case HISTORY_RUNQ:
	case HISTORY_BLOCKED:
		return add_state(h, kind, span, record);
	case HISTORY_SYSCALL:
		return add_call(h, span, record);
	case HISTORY_IRQ:
		if (span->tid == 0)
			return NULL;
		life = history_at(h, span->tid, span->to);
		past_forget(&life->irqs, limit_of(h, span->to));
		h->disordered += !past_add_outer(&life->irqs, deed);
		return NULL;
	case HISTORY_BLOCK:
		/* Requests overlap: what is needed is when there was one at all. */
		if (span->tid == 0)
			return NULL;
		life = history_at(h, span->tid, span->to);
		past_forget(&life->requests, limit_of(h, span->to));
		h->disordered += !past_add_outer(&life->requests, deed);
		return NULL;
	default:
		return NULL;
	}
}

void history_lost(struct history *h, const struct record *record)
{
	int64_t ts = number(&h->field.ts, record, INT64_MIN);
	struct loss_time loss = { number(&h->field.first_ts, record, ts),
				  number(&h->field.last_ts, record, ts) };

	if (ts == INT64_MIN)
		return;
	if (ts < loss.from)
		loss.from = ts;
	if (ts > loss.to)
		loss.to = ts;
	if (h->losses_n == LOSSES) {
		/* The two oldest become one. */
		if (h->losses[0].from < h->losses[1].from)
			h->losses[1].from = h->losses[0].from;
		if (h->losses[0].to > h->losses[1].to)
			h->losses[1].to = h->losses[0].to;
		memmove(h->losses, h->losses + 1, --h->losses_n * sizeof *h->losses);
	}
	h->losses[h->losses_n++] = loss;
}

static bool lost_within(const struct history *h, int64_t from, int64_t to)
{
	for (size_t i = 0; i < h->losses_n; i++)
		if (h->losses[i].from <= to && h->losses[i].to >= from)
			return true;
	return false;
}

static struct share *share_new(struct shares *shares)
{
	shares->at = memory_grow(shares->at, &shares->room, shares->n + 1, sizeof *shares->at);
	return &shares->at[shares->n++];
}

static int by_key(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int by_time(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	return x->ns != y->ns ? (x->ns < y->ns) - (x->ns > y->ns) : by_key(a, b);
}

/* Adds up those with the same key, and sorts by time. */
static void rank(struct shares *shares)
{
	size_t n = 0;

	if (shares->n < 2)
		return;
	qsort(shares->at, shares->n, sizeof *shares->at, by_key);
	for (size_t i = 1; i < shares->n; i++) {
		struct share *sum = &shares->at[n], *next = &shares->at[i];

		if (sum->key != next->key) {
			shares->at[++n] = *next;
			continue;
		}
		sum->ns += next->ns;
		sum->run += next->run;
		sum->n += next->n;
		if (sum->name == HISTORY_NO_NAME)
			sum->name = next->name;
	}
	shares->n = n + 1;
	qsort(shares->at, shares->n, sizeof *shares->at, by_time);
}

/* Who ran on the CPU that the thread waited for, from A to B. */
static void split_wait(struct history *h, const struct deed *wait, int64_t a, int64_t b, struct split *s)
{
	const struct past *cpu = wait->cpu >= 0 && (size_t)wait->cpu < h->cpus_n ? h->cpus[wait->cpu] : NULL;
	size_t i = cpu ? past_after(cpu, a) : 0;
	bool idle = cpu && i > 0 && past_deed(cpu, i - 1)->flags & IDLE_NEXT, any = false;
	int64_t at = a, unknown = 0;

	for (; cpu && at < b && i <= cpu->n; i++) {
		const struct deed *slice =
			i < cpu->n && past_deed(cpu, i)->from < b ? past_deed(cpu, i) : NULL;
		int64_t begin = slice && slice->from > at ? slice->from : slice ? at : b;

		if (begin > at) {
			bool known = idle && !lost_within(h, at, begin);

			s->by_nobody += known ? begin - at : 0;
			unknown += known ? 0 : begin - at;
		}
		if (!slice) {
			at = b;
			break;
		}
		at = slice->to < b ? slice->to : b;
		*share_new(&h->who) = (struct share){ .key = slice->tid, .ns = at - begin,
						      .name = slice->name };
		idle = slice->flags & IDLE_NEXT;
		any = true;
	}
	unknown += b - at;
	if (unknown && !any && wait->tid >= 0 && !s->by_nobody)
		*share_new(&h->who) = (struct share){ .key = wait->tid, .ns = unknown, .name = wait->name };
	else
		s->by_others += unknown;
}

/* The system call that the thread was in when it went to sleep. */
static struct wait wait_of(const struct history *h, const struct life *life, const struct deed *sleep,
			   const struct history_call *self, uint32_t *name)
{
	struct wait wait = { .call = CALL_UNKNOWN, .state = (char)sleep->detail,
			     .by_irq = sleep->flags & BY_IRQ };
	size_t i;

	*name = HISTORY_NO_NAME;
	wait.request = life->requests.n && past_filled(&life->requests, sleep->from, sleep->to) > 0;
	if (self) {
		wait.call = self->kind;
		wait.path = self->path;
		wait.timed_out = self->timed_out;
		*name = self->name;
		return wait;
	}
	if (!life->has_calls)
		return wait;
	i = past_after(&life->calls, sleep->from);
	if (i < life->calls.n && past_deed(&life->calls, i)->from <= sleep->from) {
		const struct deed *call = past_deed(&life->calls, i);

		wait.call = (enum call_kind)call->kind;
		wait.path = (enum path_kind)call->detail;
		wait.timed_out = call->flags & TIMED_OUT;
		*name = call->name;
	} else if (sleep->from >= life->first_call && i < life->calls.n &&
		   !lost_within(h, sleep->from, sleep->to)) {
		wait.call = CALL_NONE;
	}
	return wait;
}

static void split_sleep(struct history *h, const struct life *life, const struct deed *sleep, int64_t ns,
			const struct history_call *self, struct split *s)
{
	uint32_t call;
	struct wait wait = wait_of(h, life, sleep, self, &call);
	enum cause cause = cause_of_sleep(&wait);

	s->part[cause] += ns;
	if (ns > s->sleep.ns)
		s->sleep = (struct split_sleep){ .ns = ns, .cause = cause, .call = call,
						 .waker_tid = sleep->tid, .waker = sleep->name, .by_irq = wait.by_irq };
}

/* How long the thread ran from A to B, interruptions left out. */
static int64_t ran(const struct life *life, int64_t a, int64_t b)
{
	int64_t sum = 0;

	for (size_t i = past_after(&life->states, a); i < life->states.n; i++) {
		const struct deed *state = past_deed(&life->states, i);
		int64_t from = state->from > a ? state->from : a, to = state->to < b ? state->to : b;

		if (state->from >= b)
			break;
		if (state->kind == HISTORY_ONCPU)
			sum += to - from - past_filled(&life->irqs, from, to);
	}
	return sum;
}

static void split_calls(struct history *h, const struct life *life, int64_t from, int64_t to, struct split *s)
{
	const struct past *calls = &life->calls;

	h->what.n = 0;
	for (size_t i = past_after(calls, from); i < calls->n && past_deed(calls, i)->from < to; i++) {
		const struct deed *call = past_deed(calls, i);
		int64_t a = call->from > from ? call->from : from, b = call->to < to ? call->to : to;
		int64_t run = ran(life, a, b);

		s->run_call += run;
		*share_new(&h->what) = (struct share){ .key = call->name, .ns = b - a, .run = run, .n = 1,
						       .name = call->name };
	}
	rank(&h->what);
	for (; s->call_n < h->what.n && s->call_n < HISTORY_TOP; s->call_n++) {
		const struct share *share = &h->what.at[s->call_n];

		s->call[s->call_n] = (struct split_call){ share->name, share->n, share->ns, share->run };
	}
	s->knows_calls = true;
	s->run_user = s->part[CAUSE_RUN] - s->run_call;
}

int64_t history_awake(const struct life *life, int64_t at, int64_t limit)
{
	const struct past *states = &life->states;
	int64_t awake = at;

	for (size_t i = past_after(states, at) + 1; i-- > 0 && awake > limit;) {
		const struct deed *state = i < states->n ? past_deed(states, i) : NULL;

		if (!state || state->from >= awake)
			continue;
		if (state->kind == HISTORY_BLOCKED || state->to < awake)
			break;
		awake = state->from;
	}
	return awake > limit ? awake : limit;
}

void history_split(struct history *h, const struct life *life, int64_t from, int64_t to,
		   const struct history_call *self, struct split *s)
{
	const struct past *states = &life->states;
	int64_t known = 0;

	*s = (struct split){ .incomplete = lost_within(h, from, to) };
	h->who.n = 0;
	for (size_t i = past_after(states, from); i < states->n && past_deed(states, i)->from < to; i++) {
		const struct deed *state = past_deed(states, i);
		int64_t a = state->from > from ? state->from : from, b = state->to < to ? state->to : to, irq;

		known += b - a;
		switch (state->kind) {
		case HISTORY_ONCPU:
			irq = past_filled(&life->irqs, a, b);
			s->part[CAUSE_IRQ] += irq;
			s->part[CAUSE_RUN] += b - a - irq;
			break;
		case HISTORY_RUNQ:
			s->part[CAUSE_RUNQ] += b - a;
			split_wait(h, state, a, b, s);
			break;
		case HISTORY_THROTTLED:
			s->part[CAUSE_THROTTLED] += b - a;
			if (b - a > s->throttled.ns)
				s->throttled = (struct split_throttled){ b - a, state->name };
			break;
		default:
			split_sleep(h, life, state, b - a, self, s);
		}
	}
	s->part[CAUSE_UNKNOWN] = to - from - known;
	rank(&h->who);
	for (size_t i = 0; i < h->who.n; i++) {
		const struct share *share = &h->who.at[i];

		if (i < HISTORY_TOP)
			s->by[s->by_n++] = (struct split_by){ share->key, share->ns, share->name };
		else
			s->by_others += share->ns;
	}
	if (!self && life->has_calls)
		split_calls(h, life, from, to, s);
}
