// SPDX-License-Identifier: MIT
#include "stats/contrast.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The sorted values, and with blocks the numbers 0, 1, ... of theirs. */
static struct sample sample_of(struct reservoir *r)
{
	struct sample sample = { .value = r->value, .n = r->n };
	int64_t *tags;
	uint32_t *block;

	reservoir_sort(r);
	if (!r->tag)
		return sample;
	tags = memory_get(r->n * sizeof *tags);
	block = memory_get(r->n * sizeof *block);
	memcpy(tags, r->tag, r->n * sizeof *tags);
	qsort(tags, r->n, sizeof *tags, by_number);
	for (size_t i = 0; i < r->n; i++)
		if (i == 0 || tags[i] != tags[sample.blocks - 1])
			tags[sample.blocks++] = tags[i];
	for (size_t i = 0; i < r->n; i++) {
		const int64_t *at = bsearch(&r->tag[i], tags, sample.blocks, sizeof *tags, by_number);

		block[i] = (uint32_t)(at - tags);
	}
	free(tags);
	sample.block = block;
	return sample;
}

static int by_real(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The sorted medians of the blocks; free() it. */
static double *block_medians(const struct sample *sample)
{
	size_t *end = memory_zeroed((sample->blocks + 1) * sizeof *end);
	double *grouped = memory_get(sample->n * sizeof *grouped);
	double *medians = memory_get(sample->blocks * sizeof *medians);

	for (size_t i = 0; i < sample->n; i++)
		end[sample->block[i] + 1]++;
	for (size_t b = 0; b < sample->blocks; b++)
		end[b + 1] += end[b];
	/* end[b] is where block b begins, and moves to where it ends. */
	for (size_t i = 0; i < sample->n; i++)
		grouped[end[sample->block[i]]++] = sample->value[i];
	for (size_t b = 0; b < sample->blocks; b++) {
		size_t from = b ? end[b - 1] : 0;
		struct sample block = { .value = grouped + from, .n = end[b] - from };

		medians[b] = bootstrap_quantile(&block, 0.5);
	}
	qsort(medians, sample->blocks, sizeof *medians, by_real);
	free(grouped);
	free(end);
	return medians;
}

static double ratio_of(double base, double new)
{
	return base == new ? 1 : base == 0 ? INFINITY : new / base;
}

static void measure_ratios(struct contrast *c, const struct contrast_plan *plan, uint64_t stream)
{
	struct random random = random_start(plan->seed, stream);
	struct interval (*draw)(struct random *, const struct sample *, const struct sample *, double, double,
				size_t) = plan->blocks ? bootstrap_ratio_blocks : bootstrap_ratio;
	const struct sample *a = &c->sample[CONTRAST_BASE], *b = &c->sample[CONTRAST_NEW];

	c->ratio = ratio_of(c->median[CONTRAST_BASE], c->median[CONTRAST_NEW]);
	c->p99_ratio = ratio_of(c->p99[CONTRAST_BASE], c->p99[CONTRAST_NEW]);
	c->range = draw(&random, a, b, 0.5, plan->confidence, plan->replicates);
	c->p99_range = draw(&random, a, b, 0.99, plan->confidence, plan->replicates);
}

void contrast_measure(struct contrast *c, struct reservoir side[CONTRAST_SIDES],
		      const struct contrast_plan *plan, uint64_t stream)
{
	const struct sample *base = &c->sample[CONTRAST_BASE], *new = &c->sample[CONTRAST_NEW];

	*c = (struct contrast){ .verdict = CONTRAST_SAME };
	for (int i = 0; i < CONTRAST_SIDES; i++) {
		if (side[i].n == 0)
			continue;
		c->sample[i] = sample_of(&side[i]);
		c->median[i] = bootstrap_quantile(&c->sample[i], 0.5);
		c->p99[i] = bootstrap_quantile(&c->sample[i], 0.99);
	}
	if (base->n == 0 || new->n == 0) {
		c->verdict = base->n ? CONTRAST_ONLY_BASE : CONTRAST_ONLY_NEW;
		return;
	}
	c->test = rank_compare(base->value, base->n, new->value, new->n);
	if (plan->blocks) {
		double effect = c->test.effect, *a = block_medians(base), *b = block_medians(new);

		/* The test is of blocks, the size of the effect that of the values. */
		c->test = rank_compare(a, base->blocks, b, new->blocks);
		c->test.effect = effect;
		free(a);
		free(b);
	}
	if (base->value[0] < 0 || new->value[0] < 0)
		c->verdict = CONTRAST_NO_RATIO;
	else
		measure_ratios(c, plan, stream);
}

/* The least p that samples of these sizes can have: all values of the one below all of the other. */
static double least_p(double a, double b)
{
	double ways = lgamma(a + b + 1) - lgamma(a + 1) - lgamma(b + 1);

	return ways > 700 ? 0 : 2 * exp(-ways);
}

static double units(const struct contrast *c, const struct contrast_plan *plan, int side)
{
	return (double)(plan->blocks ? c->sample[side].blocks : c->sample[side].n);
}

static void judge(struct contrast *c, const struct contrast_plan *plan, size_t tested)
{
	double more = 1 + plan->threshold, less = 1 - plan->threshold;
	bool found = c->holm <= 1 - plan->confidence;
	bool rose = found && c->test.effect > 0.5 && c->ratio > more;
	bool fell = found && c->test.effect < 0.5 && c->ratio < less;

	if (c->verdict != CONTRAST_SAME)
		return;
	if (rose || fell)
		c->verdict = rose == plan->lower_is_worse ? CONTRAST_BETTER : CONTRAST_WORSE;
	else if (least_p(units(c, plan, CONTRAST_BASE), units(c, plan, CONTRAST_NEW)) * (double)tested >
		 1 - plan->confidence)
		c->verdict = CONTRAST_FEW;
}

void contrast_judge(struct contrast *contrasts, size_t n, const struct contrast_plan *plan)
{
	double *p = memory_get((n + 1) * sizeof *p);
	size_t tested = 0, i = 0;

	for (size_t k = 0; k < n; k++)
		if (contrasts[k].verdict < CONTRAST_ONLY_BASE)
			p[tested++] = contrasts[k].test.p;
	rank_holm(p, tested);
	for (size_t k = 0; k < n; k++) {
		if (contrasts[k].verdict < CONTRAST_ONLY_BASE)
			contrasts[k].holm = p[i++];
		judge(&contrasts[k], plan, tested);
	}
	free(p);
}

void contrast_free(struct contrast *c)
{
	for (int i = 0; i < CONTRAST_SIDES; i++)
		free((void *)(uintptr_t)c->sample[i].block);
}
