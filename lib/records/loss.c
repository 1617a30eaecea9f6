// SPDX-License-Identifier: MIT
#include "records/loss.h"

#include "base/message.h"
#include "base/number.h"

bool loss_is(struct loss *loss, const struct record *record)
{
	const struct slice *ev = lookup_value(&loss->ev, record), *n;
	uint64_t events;

	if (!ev || !slice_equal(*ev, SLICE("lost")))
		return false;
	loss->records++;
	n = lookup_value(&loss->n, record);
	if (n && number_u64(*n, &events) && !__builtin_add_overflow(loss->events, events, &events))
		loss->events = events;
	else
		loss->unknown = true;
	return true;
}

int loss_report(struct loss *loss, const char *what, bool strict)
{
	lookup_free(&loss->ev);
	lookup_free(&loss->n);
	if (loss->records == 0)
		return EXIT_COMPLETE;
	if (loss->unknown && loss->events == 0)
		message("an unknown number of events was lost in %llu place%s: %s incomplete",
			(unsigned long long)loss->records, loss->records == 1 ? "" : "s", what);
	else
		message("%s%llu event%s lost in %llu place%s: %s incomplete", loss->unknown ? "at least " : "",
			(unsigned long long)loss->events, loss->events == 1 ? " was" : "s were",
			(unsigned long long)loss->records, loss->records == 1 ? "" : "s", what);
	return strict ? EXIT_LOSS : EXIT_COMPLETE;
}
