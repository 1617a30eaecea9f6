// SPDX-License-Identifier: MIT
#include "http/schedule.h"

#include <math.h>

uint64_t schedule_due(const struct schedule *s)
{
	uint64_t due;

	if (s->taken >= s->count)
		return SCHEDULE_NEVER;
	if (s->closed)
		due = s->taken ? s->last_ns + (uint64_t)s->interval_ns : s->start_ns;
	else
		due = s->start_ns + (uint64_t)((long double)s->taken * s->interval_ns);
	return due - s->start_ns < s->length_ns ? due : SCHEDULE_NEVER;
}

uint64_t schedule_take(struct schedule *s, uint64_t now)
{
	uint64_t due = s->closed ? now : schedule_due(s);

	s->last_ns = now;
	s->taken++;
	return due;
}

uint64_t schedule_total(const struct schedule *s)
{
	long double most;

	if (s->closed || s->length_ns == UINT64_MAX)
		return s->count;
	most = s->interval_ns > 0 ? ceill((long double)s->length_ns / s->interval_ns) : INFINITY;
	return most < (long double)s->count ? (uint64_t)most : s->count;
}
