// SPDX-License-Identifier: MIT
#include "spans/throttled.h"

void throttled_free(struct throttled_fields *f)
{
	lookup_free(&f->ns);
	lookup_free(&f->after);
}

struct throttled throttled_of(struct throttled_fields *f, const struct record *record, int64_t dur_ns)
{
	int64_t ns, after;

	if (!lookup_i64(&f->ns, record, &ns) || ns <= 0)
		return (struct throttled){ 0, 0 };
	if (!lookup_i64(&f->after, record, &after) || after < 0)
		after = 0;
	after = after < dur_ns ? after : dur_ns;
	return (struct throttled){ after, ns < dur_ns - after ? after + ns : dur_ns };
}
