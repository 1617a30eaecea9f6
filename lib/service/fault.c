// SPDX-License-Identifier: MIT
#include "service/fault.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/random.h"

struct fault {
	struct fault_plan plan;
	uint64_t begin;
	enum shape { NONE, CONSTANT, UNIFORM, NORMAL, EXPONENTIAL, LOGNORMAL } shape;
	double a, b;		/* the two numbers of the shape, in ns */
	pthread_mutex_t lock;	/* of the random numbers */
	struct random random;
};

/* In the order of enum shape, from UNIFORM on. */
static const struct {
	const char *prefix;
	int numbers;
} shapes[] = { { "uniform:", 2 }, { "normal:", 2 }, { "exponential:", 1 }, { "lognormal:", 2 } };

static bool duration(struct slice text, double *value)
{
	uint64_t ns;

	if (!number_duration(text, 1000000, &ns) || ns > FAULT_LONGEST)
		return false;
	*value = (double)ns;
	return true;
}

/* `A` or `A,B`. */
static bool durations(const char *text, int numbers, struct fault *fault)
{
	const char *comma = strchr(text, ',');

	if (numbers == 1)
		return duration(slice_of(text), &fault->a);
	return comma && duration((struct slice){ text, (size_t)(comma - text) }, &fault->a) &&
	       duration(slice_of(comma + 1), &fault->b);
}

static bool parse(const char *text, struct fault *fault)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		size_t len = strlen(shapes[i].prefix);

		if (strncmp(text, shapes[i].prefix, len))
			continue;
		fault->shape = UNIFORM + (enum shape)i;
		if (!durations(text + len, shapes[i].numbers, fault))
			return false;
		return fault->shape == UNIFORM ? fault->a <= fault->b :
		       fault->shape == LOGNORMAL ? fault->a > 0 && fault->a <= fault->b : true;
	}
	fault->shape = CONSTANT;
	return durations(text, 1, fault);
}

struct fault *fault_new(const struct fault_plan *plan, uint64_t begin)
{
	struct fault *fault = memory_zeroed(sizeof *fault);

	fault->plan = *plan;
	fault->begin = begin;
	fault->random = random_start(plan->seed, 0);
	pthread_mutex_init(&fault->lock, NULL);
	if (plan->latency && !parse(plan->latency, fault))
		message_usage("cannot use '%.200s' for --latency: it takes DURATION, uniform:MIN,MAX, normal:MEAN,STDDEV, "
			      "exponential:MEAN or lognormal:MEDIAN,P99, of at most 10 minutes", plan->latency);
	return fault;
}

void fault_free(struct fault *fault)
{
	pthread_mutex_destroy(&fault->lock);
	free(fault);
}

static double unit(struct fault *fault)
{
	double value;

	pthread_mutex_lock(&fault->lock);
	value = random_unit(&fault->random);
	pthread_mutex_unlock(&fault->lock);
	return value;
}

/* A standard normal variate (Box, Muller: A note on the generation of random normal deviates, 1958). */
static double normal(struct fault *fault)
{
	double radius = sqrt(-2 * log(unit(fault)));

	return radius * cos(2 * M_PI * unit(fault));
}

uint64_t fault_latency(struct fault *fault)
{
	static const double z99 = 2.3263478740408408;	/* the 99th percentile of the standard normal distribution */
	double ns = 0;

	switch (fault->shape) {
	case NONE:
		return 0;
	case CONSTANT:
		return (uint64_t)fault->a;
	case UNIFORM:
		ns = fault->a + (fault->b - fault->a) * unit(fault);
		break;
	case NORMAL:
		ns = fault->a + fault->b * normal(fault);
		break;
	case EXPONENTIAL:
		ns = -fault->a * log(unit(fault));
		break;
	case LOGNORMAL:
		ns = fault->a * exp(log(fault->b / fault->a) / z99 * normal(fault));
		break;
	}
	return ns <= 0 ? 0 : ns >= (double)FAULT_LONGEST ? FAULT_LONGEST : (uint64_t)ns;
}

bool fault_happens(struct fault *fault, double rate)
{
	return rate > 0 && unit(fault) < rate;
}

bool fault_error(struct fault *fault)
{
	return fault_happens(fault, fault->plan.error_rate);
}

uint64_t fault_stall_end(const struct fault *fault, uint64_t now)
{
	const struct fault_plan *plan = &fault->plan;
	uint64_t since, first = fault->begin + plan->after_ns;

	if (!plan->stall_ns || now < first)
		return 0;
	since = now - first;
	if (plan->every_ns)
		since %= plan->every_ns;
	return since < plan->stall_ns ? now - since + plan->stall_ns : 0;
}
