// SPDX-License-Identifier: MIT
/*
 * contention: do threads have to wait for CPUs, and who takes them? A verdict with an exit status, the
 * measures that it comes from, and a matrix of victims and culprits; of one recording, or of two.
 *
 *	$ lttng-convert TRACE | spans | contention
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "base/progress.h"
#include "contention/comparison.h"
#include "contention/demand.h"
#include "contention/pressure.h"
#include "contention/verdict.h"
#include "live/live.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/writer.h"

enum { EXIT_CONTENDED = 4 };

/* Sets RECORDS to how many there are. */
static bool read_recording(struct demand *demand, char *file, struct loss *loss, uint64_t *records, bool forced,
			   bool none)
{
	struct reader *in = reader_open((char *[]){ file, NULL }, NULL);
	const struct record *record;
	struct progress progress;
	struct loss lost = LOSS;

	*records = 0;
	progress_start(&progress, "records", forced, none);
	while ((record = reader_next(in))) {
		++*records;
		if (progress.shown)
			progress_at(&progress, reader_bytes(in), reader_size(in), *records);
		if (loss_is(&lost, record))
			demand_gap(demand);
		else
			demand_take(demand, record);
	}
	progress_end(&progress);
	demand_finish(demand);
	if (demand_unusable(demand))
		message("%llu spans lack ts, tid or a duration below 12 days: they are left out",
			(unsigned long long)demand_unusable(demand));
	loss->records += lost.records;
	loss->events += lost.events;
	loss->unknown |= lost.unknown;
	lookup_free(&lost.ev);
	lookup_free(&lost.n);
	return reader_close(in);
}

/* The status, for N recordings. */
static int conclude(const struct pressure *pressure, size_t n, struct loss *loss, bool strict, bool complete)
{
	const struct pressure *last = &pressure[n - 1];
	int status = last->verdict == PRESSURE_CONTENDED ? EXIT_CONTENDED : EXIT_COMPLETE;
	bool unknown = false;
	uint64_t spans = 0;

	for (size_t i = 0; i < n; i++) {
		unknown |= pressure[i].verdict == PRESSURE_UNKNOWN;
		spans += pressure[i].sum.slices + pressure[i].sum.waits;
	}
	if (unknown) {
		message(spans ? "there is too little data for a verdict: record for longer" :
			"there are no spans to judge; of raw events, spans(1) makes them");
		status = strict ? EXIT_LOSS : status;
	}
	if (loss_report(loss, "the verdict's data is", strict))
		status = EXIT_LOSS;
	return complete ? status : EXIT_FAILED;
}

/* All threads are recorded, those of the command and those that take its CPUs. */
static pid_t record(uint64_t duration_ns, char **command)
{
	static char name[] = "collect-sched", lasts[] = "-d", duration[40], all[] = "--all", end[] = "--";
	char **argv;
	size_t n = 0, words = 0;
	pid_t collector;

	while (command[words])
		words++;
	argv = memory_zeroed((words + 6) * sizeof *argv);
	argv[n++] = name;
	if (duration_ns) {
		snprintf(duration, sizeof duration, "%lluns", (unsigned long long)duration_ns);
		argv[n++] = lasts;
		argv[n++] = duration;
	}
	if (words) {
		argv[n++] = all;
		argv[n++] = end;
	}
	memcpy(argv + n, command, words * sizeof *argv);
	collector = live_start(argv);
	free(argv);
	return collector;
}

int main(int argc, char **argv)
{
	static const char *const forms[] = { "table", "tskv", NULL };
	static const char *const bys[] = { "comm", "pid", "tid", NULL };
	struct pressure_plan plan = { 0 };
	struct pressure pressure[2] = { 0 };
	struct demand *demand[2];
	struct document document = { .plan = &plan, .top = 8 };
	bool strict = false, progress_forced = false, no_progress = false, complete = true, live = false;
	uint64_t duration_ns = 0, records;
	pid_t collector = 0;
	const char *limits_file = NULL;
	int form = 0, by = -1, status = EXIT_FAILED;
	size_t recordings;
	const struct measure_limit others[] = {
		{ "score", MEASURE_SHARE, &plan.score },
		{ "min_runnable", MEASURE_NS, &plan.min_runnable },
		{ "min_spans", MEASURE_RATE, &plan.min_spans }, { 0 },
	};
	const struct option options[] = {
		{ 'g', "group", "BY", "rivals have one comm, pid or tid (pid; of two recordings, comm)",
		  OPTION_CHOICE, .to = &by, .choices = bys },
		{ 'p', "process", "NAME", "judge only threads of this name (a pattern) or process id; may be "
		  "repeated", OPTION_LIST, .to = &plan.names },
		{ 'l', "limits", "FILE", "limits and weights of the verdict", OPTION_TEXT,
		  .to = &limits_file },
		{ 'n', "top", "COUNT", "so many rivals in tables (8); 0: all", OPTION_COUNT,
		  .to = &document.top },
		{ 'o', "output", "FORM", "table (the default) or tskv", OPTION_CHOICE, .to = &form,
		  .choices = forms },
		{ 0, "live", NULL, "judge what happens now, or while COMMAND runs: record it by collect-sched(1)",
		  OPTION_FLAG, .to = &live },
		{ 'd', "duration", "TIME", "with --live: for so long (a bare number is seconds)", OPTION_SECONDS,
		  .to = &duration_ns, .min = 1 },
		{ 0, "strict", NULL, "exit with status 3 when events were lost, or too few are there",
		  OPTION_FLAG, .to = &strict },
		PROGRESS_OPTIONS(progress_forced, no_progress),
		{ 0 },
	};
	const struct program program = {
		.name = "contention",
		.does = "tell whether threads have to wait for CPUs, and who takes them",
		.operands = "[RECORDS | BASE NEW | --live -- COMMAND...]",
		.options = options,
		.examples = "  lttng-convert TRACE | spans | contention\n"
			    "  contention -p redis-server spans.tskv\n"
			    "  contention --live -d 10 -- make\n"
			    "  contention --limits ours.conf base.tskv new.tskv || echo slower\n",
	};
	char **files = options_parse(&program, argv), **command = files, *from_stdin[] = { (char[]){ "-" }, NULL };
	struct loss loss = LOSS;

	(void)argc;
	if (duration_ns && !live)
		message_usage("-d goes with --live");
	if (live)
		collector = record(duration_ns, files);
	if (live || !*files)
		files = from_stdin;
	if (files[1] && files[2])
		message_usage("cannot judge more than two recordings");
	if (files[1] && strcmp(files[0], "-") == 0 && strcmp(files[1], "-") == 0)
		message_usage("cannot compare stdin with itself");
	recordings = files[1] ? 2 : 1;
	if (recordings == 2 && by > RIVALS_COMM)
		message_usage("cannot compare by %s: recordings have other numbers for the same", bys[by]);
	plan.by = by >= 0 ? (enum rivals_by)by : recordings == 2 ? RIVALS_COMM : RIVALS_PID;
	document.table = form == 0;
	pressure_defaults(&plan);
	if (limits_file)
		measure_read_limits(limits_file, plan.limits, others);

	for (size_t i = 0; i < recordings; i++) {
		demand[i] = demand_new();
		if (!read_recording(demand[i], files[i], &loss, &records, progress_forced, no_progress))
			complete = false;
		pressure_find(&pressure[i], demand[i], &plan);
	}
	if (live && live_end(collector) != EXIT_COMPLETE) {
		/* It was refused, and has said so. */
		if (!records)
			goto refused;
		/* A command's status is not the verdict's. */
		complete = complete && *command;
	}
	document.out = writer_stdout();
	if (recordings == 1)
		verdict_show(&document, pressure);
	else
		comparison_show(&document, pressure);
	writer_close(document.out);
	status = conclude(pressure, recordings, &loss, strict, complete);
refused:
	for (size_t i = 0; i < recordings; i++) {
		pressure_free(&pressure[i]);
		demand_free(demand[i]);
	}
	free(plan.names.items);
	return status;
}
