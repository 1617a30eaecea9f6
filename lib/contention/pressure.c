// SPDX-License-Identifier: MIT
#include "contention/pressure.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static const struct measure defaults[PRESSURE_MEASURES + 1] = {
	[PRESSURE_WAIT_SHARE] = { "wait_share", MEASURE_SHARE, false, 0.1, 0.2, 5, NAN },
	[PRESSURE_SWITCHES] = { "switches", MEASURE_RATE, false, 100, 1000, 1, NAN },
	[PRESSURE_CALL] = { "call_ns", MEASURE_NS, false, 10e3, 100e3, 1, NAN },
	[PRESSURE_SLICE] = { "slice_ns", MEASURE_NS, true, 100e3, 100e3, 1, NAN },
	[PRESSURE_FAIRNESS] = { "fairness", MEASURE_SHARE, true, 0.95, 0.8, 1, NAN },
	[PRESSURE_PREEMPTIONS] = { "preemptions", MEASURE_RATE, false, NAN, NAN, 0, NAN },
	[PRESSURE_RUNQ_P50] = { "runq_p50_ns", MEASURE_NS, false, NAN, NAN, 0, NAN },
	[PRESSURE_RUNQ_P95] = { "runq_p95_ns", MEASURE_NS, false, NAN, NAN, 0, NAN },
	[PRESSURE_RUNQ_P99] = { "runq_p99_ns", MEASURE_NS, false, NAN, NAN, 0, NAN },
	[PRESSURE_FAIRNESS_THREADS] = { "fairness_threads", MEASURE_SHARE, true, NAN, NAN, 0, NAN },
	[PRESSURE_IO_WAIT] = { "io_wait", MEASURE_SHARE, false, NAN, NAN, 0, NAN },
};

void pressure_defaults(struct pressure_plan *plan)
{
	memcpy(plan->limits, defaults, sizeof defaults);
	plan->score = 0.5;
	plan->min_runnable = 100e6;
	plan->min_spans = 20;
}

double pressure_part(uint64_t of, uint64_t all)
{
	return all ? (double)of / (double)all : NAN;
}

/* By linear interpolation between the two values next to (n-1)q, as stats has it. */
double pressure_wait(const struct rival *rival, double q)
{
	const struct sketch *wait = rival->wait;
	double place, below;
	uint64_t rank;

	if (!wait || wait->n == 0)
		return NAN;
	place = (double)(wait->n - 1) * q;
	rank = (uint64_t)place;
	below = sketch_at(wait, rank);
	if (rank + 1 == wait->n)
		return below;
	return below + (sketch_at(wait, rank + 1) - below) * (place - (double)rank);
}

static void measure(struct pressure *r)
{
	double seconds = (double)r->time_ns / 1e9 * (double)r->cpus;
	const struct rival *sum = &r->sum;
	struct measure *m = r->measure;

	m[PRESSURE_WAIT_SHARE].value = pressure_part(sum->waited_ns, pressure_wanted(sum));
	m[PRESSURE_SWITCHES].value = seconds > 0 ? (double)sum->slices / seconds : NAN;
	m[PRESSURE_CALL].value = pressure_part(sum->calls_ns, sum->calls);
	m[PRESSURE_SLICE].value = pressure_part(sum->slices_ns, sum->slices);
	m[PRESSURE_FAIRNESS].value = rivals_fairness(r->rivals);
	m[PRESSURE_PREEMPTIONS].value = seconds > 0 ? (double)sum->preempted / seconds : NAN;
	m[PRESSURE_RUNQ_P50].value = pressure_wait(sum, 0.5);
	m[PRESSURE_RUNQ_P95].value = pressure_wait(sum, 0.95);
	m[PRESSURE_RUNQ_P99].value = pressure_wait(sum, 0.99);
	m[PRESSURE_IO_WAIT].value = pressure_part(sum->disk_ns, sum->disk_ns + pressure_wanted(sum));
}

void pressure_find(struct pressure *r, const struct demand *demand, const struct pressure_plan *plan)
{
	uint64_t wanted;

	*r = (struct pressure){ .time_ns = demand_time(demand), .last_ts = demand_last(demand),
				.cpus = demand_cpus(demand), .gaps = demand_gaps(demand) };
	memcpy(r->measure, plan->limits, sizeof plan->limits);
	r->rivals = rivals_new(demand, RIVALS_TID, &plan->names);
	r->measure[PRESSURE_FAIRNESS_THREADS].value = rivals_fairness(r->rivals);
	if (plan->by != RIVALS_TID) {
		rivals_free(r->rivals);
		r->rivals = rivals_new(demand, plan->by, &plan->names);
	}
	r->sum = rivals_sum(r->rivals);
	measure(r);
	r->score = measure_verdict(r->measure);
	wanted = pressure_wanted(&r->sum);
	if (wanted == 0 || (double)wanted < plan->min_runnable || isnan(r->score) ||
	    (double)(r->sum.slices + r->sum.waits) < plan->min_spans)
		r->verdict = PRESSURE_UNKNOWN;
	else
		r->verdict = r->score >= plan->score ? PRESSURE_CONTENDED : PRESSURE_CALM;
}

void pressure_free(struct pressure *r)
{
	rivals_free(r->rivals);
	if (r->sum.wait)
		sketch_free(r->sum.wait);
}

/* Whether a measure went from A to B for the worse. */
static bool is_worse(const struct measure *a, const struct measure *b)
{
	double score = measure_score(b, b->value);
	bool quarter = b->low_is_bad ? a->value > b->value * 1.25 : b->value > a->value * 1.25;

	/* NANs compare false: a measure without limits has no score. */
	return score >= measure_score(a, a->value) + 0.1 || (quarter && score != 0);
}

enum pressure_change pressure_change(const struct measure *base, const struct measure *new)
{
	return is_worse(base, new) ? PRESSURE_WORSE : is_worse(new, base) ? PRESSURE_BETTER : PRESSURE_ALIKE;
}

static int by_comm(const void *a, const void *b)
{
	const struct pressure_pair *x = a, *y = b;

	return slice_compare(x->comm, y->comm);
}

/* What waits more comes first. */
static int by_rise(const void *a, const void *b)
{
	const struct pressure_pair *x = a, *y = b;
	double of_x = x->waited[1] - x->waited[0], of_y = y->waited[1] - y->waited[0];

	return of_x != of_y ? (of_x > of_y ? -1 : 1) : by_comm(a, b);
}

/* Judged ones and others of one name are two rivals: the one that wanted more stands for both. */
static void join(struct pressure_pair *to, const struct pressure_pair *from)
{
	for (int side = 0; side < 2; side++) {
		const struct rival *rival = from->side[side], *old = to->side[side];

		to->waited[side] += from->waited[side];
		to->took[side] += from->took[side];
		if (!old || (rival && pressure_wanted(rival) > pressure_wanted(old)))
			to->side[side] = rival;
	}
}

/* Appends the rivals of a recording. */
static struct pressure_pair *list(struct pressure_pair *pair, size_t *room, size_t *n,
				  const struct pressure *r, int side)
{
	double time = (double)r->time_ns * (double)r->cpus;
	uint32_t rivals;
	const struct rival *all = rivals_all(r->rivals, &rivals);

	pair = memory_grow(pair, room, *n + rivals, sizeof *pair);
	for (uint32_t i = 0; i < rivals; i++) {
		struct pressure_pair *p = &pair[*n];

		if (pressure_wanted(&all[i]) == 0)
			continue;
		*p = (struct pressure_pair){ .comm = all[i].comm };
		p->side[side] = &all[i];
		p->waited[side] = all[i].judged && time > 0 ? (double)all[i].waited_ns / time : 0;
		p->took[side] = time > 0 ? (double)all[i].took_ns / time : 0;
		++*n;
	}
	return pair;
}

struct pressure_pair *pressure_pairs(const struct pressure *base, const struct pressure *new, size_t *n)
{
	struct pressure_pair *pair;
	size_t room = 0, listed = 0;

	pair = list(NULL, &room, &listed, base, 0);
	pair = list(pair, &room, &listed, new, 1);
	*n = 0;
	if (listed == 0)
		return pair;
	qsort(pair, listed, sizeof *pair, by_comm);
	for (size_t i = 0; i < listed; i++) {
		if (*n && slice_equal(pair[*n - 1].comm, pair[i].comm))
			join(&pair[*n - 1], &pair[i]);
		else
			pair[(*n)++] = pair[i];
	}
	qsort(pair, *n, sizeof *pair, by_rise);
	return pair;
}

double pressure_pair_share(const struct pressure_pair *p, int side)
{
	return p->side[side] ? pressure_part(p->side[side]->waited_ns, pressure_wanted(p->side[side])) : NAN;
}

enum pressure_change pressure_pair_change(const struct pressure_pair *p)
{
	double rise = p->waited[1] - p->waited[0], points = 0;

	for (int side = 0; side < 2; side++)
		points += p->side[side] ? pressure_pair_share(p, side) * (side ? 1 : -1) : 0;
	if (rise >= 0.005 && points >= 0.05)
		return PRESSURE_WORSE;
	return rise <= -0.005 && points <= -0.05 ? PRESSURE_BETTER : PRESSURE_ALIKE;
}
