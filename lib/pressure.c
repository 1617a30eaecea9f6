// SPDX-License-Identifier: MIT
#include "pressure.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"

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
	return rank + 1 < wait->n ? below + (sketch_at(wait, rank + 1) - below) * (place - (double)rank) : below;
}

static void measure(struct pressure *r, const struct demand *demand, const struct pressure_plan *plan)
{
	double seconds = (double)r->time_ns / 1e9 * (double)r->cpus;
	struct rivals *threads = rivals_new(demand, RIVALS_TID, &plan->names);
	const struct rival *sum = &r->sum;
	struct measure *m = r->measure;

	memcpy(m, plan->limits, sizeof plan->limits);
	m[PRESSURE_WAIT_SHARE].value = pressure_part(sum->waited_ns, pressure_wanted(sum));
	m[PRESSURE_SWITCHES].value = seconds > 0 ? (double)sum->slices / seconds : NAN;
	m[PRESSURE_CALL].value = pressure_part(sum->calls_ns, sum->calls);
	m[PRESSURE_SLICE].value = pressure_part(sum->slices_ns, sum->slices);
	m[PRESSURE_FAIRNESS].value = rivals_fairness(r->rivals);
	m[PRESSURE_PREEMPTIONS].value = seconds > 0 ? (double)sum->preempted / seconds : NAN;
	m[PRESSURE_RUNQ_P50].value = pressure_wait(sum, 0.5);
	m[PRESSURE_RUNQ_P95].value = pressure_wait(sum, 0.95);
	m[PRESSURE_RUNQ_P99].value = pressure_wait(sum, 0.99);
	m[PRESSURE_FAIRNESS_THREADS].value = rivals_fairness(threads);
	m[PRESSURE_IO_WAIT].value = pressure_part(sum->disk_ns, sum->disk_ns + pressure_wanted(sum));
	rivals_free(threads);
}

void pressure_find(struct pressure *r, const struct demand *demand, const struct pressure_plan *plan)
{
	uint64_t wanted;

	*r = (struct pressure){ .rivals = rivals_new(demand, plan->by, &plan->names),
				.time_ns = demand_time(demand), .last_ts = demand_last(demand),
				.cpus = demand_cpus(demand) };
	r->sum = rivals_sum(r->rivals);
	measure(r, demand, plan);
	r->score = limits_verdict(r->measure);
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

enum pressure_change pressure_change(const struct measure *base, const struct measure *new)
{
	double old_score = limits_score(base, base->value), score = limits_score(new, new->value);
	double x = base->value, y = new->value;

	if (isnan(x) || isnan(y))
		return PRESSURE_ALIKE;
	if (!isnan(score))
		return score >= old_score + 0.1 ? PRESSURE_WORSE : score <= old_score - 0.1 ? PRESSURE_BETTER : PRESSURE_ALIKE;
	if (new->low_is_bad) {
		x = new->value;
		y = base->value;
	}
	return y > x * 1.25 ? PRESSURE_WORSE : x > y * 1.25 ? PRESSURE_BETTER : PRESSURE_ALIKE;
}

static int by_comm(const void *a, const void *b)
{
	return slice_compare(((const struct pressure_pair *)a)->comm, ((const struct pressure_pair *)b)->comm);
}

/* What waits more comes first. */
static int by_rise(const void *a, const void *b)
{
	const struct pressure_pair *x = a, *y = b;
	double of_x = x->waited[1] - x->waited[0], of_y = y->waited[1] - y->waited[0];

	return of_x != of_y ? (of_x > of_y ? -1 : 1) : by_comm(a, b);
}

struct pressure_pair *pressure_pairs(const struct pressure *base, const struct pressure *new, size_t *n)
{
	struct pressure_pair *pair = NULL;
	size_t room = 0, kept = 0;

	*n = 0;
	for (int side = 0; side < 2; side++) {
		const struct pressure *r = side ? new : base;
		double time = (double)r->time_ns * (double)r->cpus;
		uint32_t rivals;
		const struct rival *all = rivals_all(r->rivals, &rivals);

		pair = memory_grow(pair, &room, *n + rivals, sizeof *pair);
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
	}
	if (*n)
		qsort(pair, *n, sizeof *pair, by_comm);
	for (size_t i = 0; i < *n; i++) {
		if (kept && slice_equal(pair[kept - 1].comm, pair[i].comm)) {
			/* Judged and others of one name are two rivals: the one with more time stands for both. */
			for (int side = 0; side < 2; side++) {
				struct pressure_pair *p = &pair[kept - 1];

				p->waited[side] += pair[i].waited[side];
				p->took[side] += pair[i].took[side];
				if (!p->side[side] || (pair[i].side[side] &&
				    pressure_wanted(pair[i].side[side]) > pressure_wanted(p->side[side])))
					p->side[side] = pair[i].side[side];
			}
		} else {
			pair[kept++] = pair[i];
		}
	}
	*n = kept;
	if (kept)
		qsort(pair, kept, sizeof *pair, by_rise);
	return pair;
}

double pressure_pair_share(const struct pressure_pair *p, int side)
{
	return p->side[side] ? pressure_part(p->side[side]->waited_ns, pressure_wanted(p->side[side])) : NAN;
}

enum pressure_change pressure_pair_change(const struct pressure_pair *p)
{
	double rise = p->waited[1] - p->waited[0];
	double points = (p->side[1] ? pressure_pair_share(p, 1) : 0) - (p->side[0] ? pressure_pair_share(p, 0) : 0);

	return rise >= 0.005 && points >= 0.05 ? PRESSURE_WORSE : rise <= -0.005 && points <= -0.05 ? PRESSURE_BETTER : PRESSURE_ALIKE;
}
