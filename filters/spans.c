// SPDX-License-Identifier: MIT
/*
 * spans: raw records of a tracer become what users ask about: how long each thread ran, waited for a
 * CPU and slept, how long each system call, interrupt handler and disk request took, on which file, and
 * who started and ended.
 *
 *	$ lttng-convert TRACE | spans
 *	... ev=syscall	cpu=1	pid=218	tid=218	comm=redis-server	name=write	dur_ns=16821 ...
 */
#include <stdlib.h>

#include "base/message.h"
#include "base/options.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/writer.h"
#include "spans/events.h"
#include "spans/pairing.h"

/* In the order of enum pairing_kind. */
#define KINDS "oncpu,runq,blocked,syscall,irq,softirq,block,fork,exec,exit"

/* ONLY, a list of kinds, to flags. */
static void choose(bool *wanted, const char *only)
{
	char **all = options_split(KINDS), **names = options_split(only);

	for (char **name = names; *name; name++) {
		size_t i = 0;

		while (i < PAIRING_KINDS && strcmp(*name, all[i]) != 0)
			i++;
		if (i == PAIRING_KINDS)
			message_usage("cannot make spans '%.100s': there are " KINDS, *name);
		wanted[i] = true;
	}
	free(names);
	free(all);
}

int main(int argc, char **argv)
{
	bool keep = false, strict = false, wanted[PAIRING_KINDS] = { false };
	const char *only = KINDS;
	const struct option options[] = {
		{ 'e', "only", "KINDS", "make only these spans of " KINDS, OPTION_TEXT, .to = &only },
		{ 'k', "keep", NULL, "pass the raw records too", OPTION_FLAG, .to = &keep },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "spans",
		.does = "turn raw records into spans: slices on CPUs, waits, sleeps, calls, interrupts, "
			"disk requests",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  lttng-convert TRACE | spans | where ev=syscall 'dur_ns>=10ms'\n"
			    "  spans -e oncpu,runq,blocked raw.tskv | stats -g ev,comm dur_ns\n",
	};
	char **files = options_parse(&program, argv);
	struct lookup ev_lookup = LOOKUP("ev");
	struct loss loss = LOSS;
	const struct record *record;
	struct pairing *pairing;
	struct events *events;
	struct reader *in;
	struct writer *out;
	int status;

	(void)argc;
	choose(wanted, only);
	out = writer_stdout();
	in = reader_open(files, out);
	events = events_new();
	pairing = pairing_new(in, out, wanted);
	while ((record = reader_next(in))) {
		const struct slice *ev = lookup_value(&ev_lookup, record);
		const struct event *event = ev ? events_find(events, *ev) : NULL;

		if (!event) {
			pairing_complain(pairing, "ev", "the record has none");
			continue;
		}
		if (event->kind == EVENT_LOST)
			loss_is(&loss, record);
		if (event->kind == EVENT_SPAN || event->kind == EVENT_LOST || keep)
			writer_bytes(out, record->line, record->len);
		if (event->kind != EVENT_SPAN)
			pairing_record(pairing, record, event);
	}
	pairing_end(pairing);
	pairing_report(pairing);
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	writer_close(out);
	if (loss_report(&loss, "what the spans tell is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	pairing_free(pairing);
	events_free(events);
	lookup_free(&ev_lookup);
	return status;
}
