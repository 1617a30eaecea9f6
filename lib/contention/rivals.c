// SPDX-License-Identifier: MIT
#include "contention/rivals.h"

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/table.h"
#include "spans/occupancy.h"

struct rivals {
	struct rival *rival;
	uint32_t n;
	struct demand_share *share;
	size_t shares;
};

/* A thread: what it was called last, and whether that, or its process's number, is one of the names. */
struct thread {
	struct slice comm;
	bool matches;
};

/* A thread's number may be used again by another process. */
static uint64_t thread_key(int64_t tid, int64_t pid)
{
	return (uint64_t)tid << 32 | (uint64_t)(pid + 1);
}

static bool matches(struct slice comm, int64_t pid, const struct option_list *names)
{
	char *plain = memory_get(comm.len + 1);
	bool match = false;

	plain[comm.at ? reader_unescape(comm, plain) : 0] = '\0';
	for (size_t i = 0; i < names->count && !match; i++) {
		int64_t number;

		match = (comm.at && fnmatch(names->items[i], plain, 0) == 0) ||
			(number_i64(slice_of(names->items[i]), &number) && number == pid);
	}
	free(plain);
	return match;
}

static struct table *find_threads(const struct demand_task *task, uint32_t n, const struct option_list *names)
{
	struct table *threads = table_new(sizeof(struct thread));

	for (uint32_t i = 1; i < n; i++)
		*(struct thread *)table_at(threads, thread_key(task[i].tid, task[i].pid)) =
			(struct thread){ task[i].comm, matches(task[i].comm, task[i].pid, names) };
	return threads;
}

static void add_sketch(struct sketch **to, const struct sketch *from)
{
	if (!*to)
		*to = sketch_new();
	for (uint32_t i = 0; i < from->above.n; i++)
		if (from->above.count[i])
			sketch_add_bucket(*to, &(*to)->above, from->above.low + i, from->above.count[i]);
	(*to)->zeros += from->zeros;
	(*to)->n += from->zeros;
}

static void add_task(struct rival *rival, const struct demand_task *task)
{
	rival->got_ns += task->got_ns;
	rival->slices += task->slices;
	rival->slices_ns += task->slices_ns;
	rival->preempted += task->preempted;
	rival->disk_ns += task->disk_ns;
	rival->lock_ns += task->lock_ns;
	rival->calls += task->calls;
	rival->calls_ns += task->calls_ns;
	rival->waited_ns += task->waited_ns;
	rival->waits += task->waits;
	rival->throttled_ns += task->throttled_ns;
	if (task->wait)
		add_sketch(&rival->wait, task->wait);
}

/* What a task is grouped by, as text that differs where groups differ. */
static size_t group_name(char *to, const struct demand_task *task, enum rivals_by by, bool judged)
{
	size_t n = 0;

	to[n++] = judged ? 'j' : '-';
	if (by == RIVALS_COMM) {
		to[n++] = task->comm.at ? 'c' : '?';
		memcpy(to + n, task->comm.at ? task->comm.at : "", task->comm.len);
		return n + task->comm.len;
	}
	if (by == RIVALS_PID && task->pid >= 0) {
		to[n++] = 'p';
		return n + number_put_i64(to + n, task->pid);
	}
	to[n++] = 't';
	return n + number_put_i64(to + n, task->tid);
}

static uint32_t *group_tasks(struct rivals *r, const struct demand_task *task, uint32_t n, enum rivals_by by,
			     const struct option_list *names)
{
	struct table *threads = find_threads(task, n, names);
	uint32_t *group = memory_get(n * sizeof *group);
	struct intern *known = intern_new();

	r->rival = memory_zeroed(n * sizeof *r->rival);
	for (uint32_t i = 0; i < n; i++) {
		const struct thread *thread = table_find(threads, thread_key(task[i].tid, task[i].pid));
		const struct thread *process = task[i].pid < 0 ? NULL :
					       table_find(threads, thread_key(task[i].pid, task[i].pid));
		bool judged = names->count == 0 || (thread && thread->matches) ||
			      (process && process->matches);
		char *name = memory_get(task[i].comm.len + NUMBER_TEXT);
		struct rival *rival;

		group[i] = intern_id(known, (struct slice){ name, group_name(name, &task[i], by, judged) });
		rival = &r->rival[group[i]];
		if (group[i] == r->n)
			*rival = (struct rival){
				.pid = by == RIVALS_COMM ? -1 : task[i].pid,
				.tid = by == RIVALS_TID || task[i].pid < 0 ? task[i].tid : -1,
				.judged = judged,
			};
		r->n = intern_count(known);
		rival->comm = by == RIVALS_PID && process ? process->comm : task[i].comm;
		if (by == RIVALS_COMM)
			rival->tid = -1;
		add_task(rival, &task[i]);
		free(name);
	}
	intern_free(known);
	table_free(threads);
	return group;
}

static bool same_kind(const struct demand_task *task, const uint32_t *group, uint32_t a, uint32_t b)
{
	return group[a] == group[b] || (task[a].pid >= 0 && task[a].pid == task[b].pid);
}

static void classify(struct rivals *r, const struct demand_task *task, const uint32_t *group,
		     const struct demand_share *share)
{
	struct rival *victim = &r->rival[group[share->victim]];

	if (share->culprit == OCCUPANCY_IDLE) {
		victim->idle_ns += share->ns;
	} else if (share->culprit == OCCUPANCY_UNKNOWN) {
		victim->unknown_ns += share->ns;
	} else if (same_kind(task, group, share->victim, share->culprit)) {
		victim->own_ns += share->ns;
	} else {
		victim->others_ns += share->ns;
		if (victim->judged)
			r->rival[group[share->culprit]].took_ns += share->ns;
	}
}

static int by_waiting(const void *a, const void *b, void *context)
{
	const struct rival *rival = context;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	const struct rival *x = &rival[i], *y = &rival[k];

	if (x->waited_ns != y->waited_ns)
		return x->waited_ns > y->waited_ns ? -1 : 1;
	if (x->got_ns != y->got_ns)
		return x->got_ns > y->got_ns ? -1 : 1;
	return (i > k) - (i < k);
}

/* Sorts the rivals; PLACE gets where each went. */
static void sort(struct rivals *r, uint32_t *place)
{
	uint32_t *order = memory_get((r->n + 1) * sizeof *order);
	struct rival *sorted = memory_get((r->n + 1) * sizeof *sorted);

	for (uint32_t i = 0; i < r->n; i++)
		order[i] = i;
	qsort_r(order, r->n, sizeof *order, by_waiting, r->rival);
	for (uint32_t i = 0; i < r->n; i++) {
		sorted[i] = r->rival[order[i]];
		place[order[i]] = i;
	}
	free(order);
	free(r->rival);
	r->rival = sorted;
}

static int by_share(const void *a, const void *b)
{
	const struct demand_share *x = a, *y = b;

	if (x->victim != y->victim)
		return x->victim < y->victim ? -1 : 1;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return (x->culprit > y->culprit) - (x->culprit < y->culprit);
}

/* The shares of tasks become those of groups. */
static void join_shares(struct rivals *r, const struct demand_share *share, size_t n, const uint32_t *group,
			const uint32_t *place)
{
	struct table *pairs = table_new(sizeof(uint64_t));
	uint64_t *keys;

	for (size_t i = 0; i < n; i++) {
		uint32_t victim = place[group[share[i].victim]], culprit = share[i].culprit;

		if (!r->rival[victim].judged)
			continue;
		if (culprit < OCCUPANCY_UNKNOWN)
			culprit = place[group[culprit]];
		*(uint64_t *)table_at(pairs, (uint64_t)victim << 32 | culprit) += share[i].ns;
	}
	keys = table_keys(pairs);
	r->shares = table_count(pairs);
	r->share = memory_get((r->shares + 1) * sizeof *r->share);
	for (size_t i = 0; i < r->shares; i++)
		r->share[i] = (struct demand_share){ (uint32_t)(keys[i] >> 32), (uint32_t)keys[i],
						     *(uint64_t *)table_find(pairs, keys[i]) };
	qsort(r->share, r->shares, sizeof *r->share, by_share);
	free(keys);
	table_free(pairs);
}

struct rivals *rivals_new(const struct demand *demand, enum rivals_by by, const struct option_list *names)
{
	struct rivals *r = memory_zeroed(sizeof *r);
	const struct demand_task *task;
	struct demand_share *share;
	uint32_t n, *group, *place;
	size_t shares;

	task = demand_tasks(demand, &n);
	group = group_tasks(r, task, n, by, names);
	share = demand_shares(demand, &shares);
	for (size_t i = 0; i < shares; i++)
		classify(r, task, group, &share[i]);
	place = memory_get(r->n * sizeof *place);
	sort(r, place);
	join_shares(r, share, shares, group, place);
	free(place);
	free(share);
	free(group);
	return r;
}

void rivals_free(struct rivals *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (r->rival[i].wait)
			sketch_free(r->rival[i].wait);
	free(r->rival);
	free(r->share);
	free(r);
}

const struct rival *rivals_all(const struct rivals *r, uint32_t *n)
{
	*n = r->n;
	return r->rival;
}

const struct demand_share *rivals_shares(const struct rivals *r, size_t *n)
{
	*n = r->shares;
	return r->share;
}

struct rival rivals_sum(const struct rivals *r)
{
	struct rival sum = { .pid = -1, .tid = -1, .judged = true };

	for (uint32_t i = 0; i < r->n; i++) {
		const struct rival *rival = &r->rival[i];

		if (!rival->judged)
			continue;
		sum.got_ns += rival->got_ns;
		sum.slices += rival->slices;
		sum.slices_ns += rival->slices_ns;
		sum.preempted += rival->preempted;
		sum.disk_ns += rival->disk_ns;
		sum.lock_ns += rival->lock_ns;
		sum.calls += rival->calls;
		sum.calls_ns += rival->calls_ns;
		sum.waited_ns += rival->waited_ns;
		sum.waits += rival->waits;
		sum.throttled_ns += rival->throttled_ns;
		sum.own_ns += rival->own_ns;
		sum.others_ns += rival->others_ns;
		sum.idle_ns += rival->idle_ns;
		sum.unknown_ns += rival->unknown_ns;
		if (rival->wait)
			add_sketch(&sum.wait, rival->wait);
	}
	return sum;
}

double rivals_fairness(const struct rivals *r)
{
	double wanted = 0, n = 0, sum = 0, squares = 0;

	for (uint32_t i = 0; i < r->n; i++)
		wanted += (double)(r->rival[i].got_ns + r->rival[i].waited_ns);
	for (uint32_t i = 0; i < r->n; i++) {
		double all = (double)(r->rival[i].got_ns + r->rival[i].waited_ns), part;

		if (all == 0 || all < wanted / 100)
			continue;
		part = (double)r->rival[i].got_ns / all;
		n++;
		sum += part;
		squares += part * part;
	}
	return n < 2 || squares == 0 ? NAN : sum * sum / (n * squares);
}
