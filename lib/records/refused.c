// SPDX-License-Identifier: MIT
#include "records/refused.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/message.h"

void refused_count(struct refused *r, const char *reason, const struct reader *reader)
{
	size_t i = 0;

	while (i < r->reasons && r->reason[i].reason != reason)
		i++;
	if (i == REFUSED_REASONS)
		i = REFUSED_REASONS - 1;
	if (i == r->reasons) {
		r->reason[i] = (struct refused_reason){ .reason = reason, .line = reader_line(reader) };
		snprintf(r->reason[i].file, sizeof r->reason[i].file, "%s", reader_file(reader));
		r->reasons++;
	}
	r->reason[i].n++;
	r->n++;
}

static int by_frequency(const void *a, const void *b)
{
	const struct refused_reason *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : (x->line > y->line) - (x->line < y->line);
}

void refused_report(struct refused *r, uint64_t all, const char *what)
{
	qsort(r->reason, r->reasons, sizeof *r->reason, by_frequency);
	for (size_t i = 0; i < r->reasons; i++)
		message("refused %" PRIu64 " of %" PRIu64 " %s: %s (first %s:%" PRIu64 ")", r->reason[i].n, all,
			what, r->reason[i].reason, r->reason[i].file, r->reason[i].line);
}
