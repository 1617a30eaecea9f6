// SPDX-License-Identifier: MIT
/*
 * to-perfetto: records as a trace that ui.perfetto.dev and trace_processor open.
 *
 *	$ lttng-convert TRACE | spans | to-perfetto -o trace.pftrace
 */
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "base/progress.h"
#include "database/timeline.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/writer.h"

int main(int argc, char **argv)
{
	const char *to = "-";
	bool strict = false, force = false, none = false;
	const struct option options[] = {
		{ 'o', "output", "FILE", "write to FILE instead of stdout", OPTION_TEXT, .to = &to },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		PROGRESS_OPTIONS(force, none),
		{ 0 },
	};
	const struct program program = {
		.name = "to-perfetto",
		.does = "write records as a trace for Perfetto",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  lttng-convert TRACE | spans | to-perfetto -o trace.pftrace\n"
			    "  where comm=redis-server <spans.tskv | to-perfetto >redis.pftrace\n",
	};
	char **files = options_parse(&program, argv);
	bool to_stdout = strcmp(to, "-") == 0;
	const struct record *record;
	struct loss loss = LOSS;
	struct progress progress;
	struct timeline *timeline;
	struct reader *in;
	struct writer *out;
	uint64_t records = 0, crowded;
	int status;

	(void)argc;
	if (to_stdout && isatty(STDOUT_FILENO))
		message_usage("cannot write to a terminal: a trace is binary (-o FILE, or > FILE)");
	out = to_stdout ? writer_stdout() : writer_file(to);
	in = reader_open(files, out);
	timeline = timeline_new(out, in);
	progress_start(&progress, "records", force, none);
	while ((record = reader_next(in))) {
		loss_is(&loss, record);
		timeline_put(timeline, record);
		progress_at(&progress, reader_bytes(in), reader_size(in), ++records);
	}
	crowded = timeline_end(timeline);
	progress_end(&progress);
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	writer_close(out);
	if (crowded) {
		message("%llu slice%s became instants: more than %d overlapped on one track (are the records "
			"in the order of their time? LC_ALL=C sort puts them so)", (unsigned long long)crowded,
			crowded == 1 ? "" : "s", TIMELINE_LANES);
		status = EXIT_FAILED;
	}
	if (loss_report(&loss, "the trace is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	return status;
}
