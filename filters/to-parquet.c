// SPDX-License-Identifier: MIT
// pkg-config: duckdb
/*
 * to-parquet: records into Parquet files, one for each ev.
 *
 *	$ spans trace.tskv | to-parquet -o spans
 *	$ duckdb -c "select name, count(*), sum(dur_ns) from 'spans/syscall.parquet' group by name"
 */
#include <unistd.h>

#include "base/message.h"
#include "base/options.h"
#include "base/progress.h"
#include "base/stop.h"
#include "database/parquet.h"
#include "records/loss.h"
#include "records/reader.h"

int main(int argc, char **argv)
{
	const char *directory = "parquet";
	bool strict = false, force = false, none = false, good;
	uint64_t records = 0;
	const struct option options[] = {
		{ 'o', "output", "DIR", "make this directory for the files (parquet)", OPTION_TEXT,
		  .to = &directory },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		PROGRESS_OPTIONS(force, none),
		{ 0 },
	};
	const struct program program = {
		.name = "to-parquet",
		.does = "put records into Parquet files, one for each ev",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  spans trace.tskv | to-parquet -o spans\n"
			    "  duckdb -c \"select comm, sum(dur_ns) from 'spans/oncpu.parquet' group by 1\"\n",
	};
	char **files = options_parse(&program, argv);
	const struct record *record;
	struct progress progress;
	struct loss loss = LOSS;
	struct parquet *parquet;
	struct reader *in;
	size_t written;
	int status;

	(void)argc;
	stop_catch(!*files);
	parquet = parquet_open(directory);
	in = reader_open(files, NULL);
	reader_stop_on(in, stop_descriptor());
	progress_start(&progress, "records", force, none);
	while ((record = reader_next(in))) {
		loss_is(&loss, record);
		parquet_put(parquet, record);
		progress_at(&progress, reader_bytes(in), reader_size(in), ++records);
	}
	progress_end(&progress);
	good = reader_close(in) && !stop_wanted();
	stop_calls(parquet_interrupt, parquet);
	progress_start(&progress, "records written", force, none);
	written = parquet_write(parquet, good, &loss, &progress);
	progress_end(&progress);
	stop_calls(NULL, NULL);
	parquet_close(parquet);
	if (!good && !written && rmdir(directory) == 0)
		return EXIT_FAILED;	/* for the next try, after a wrong name, say */
	message("%llu record%s into %zu file%s in %s%s", (unsigned long long)records, records == 1 ? "" : "s",
		written, written == 1 ? "" : "s", directory, good ? "" : ", which are marked as incomplete");
	status = good ? EXIT_COMPLETE : EXIT_FAILED;
	if (loss_report(&loss, "what was stored is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	return status;
}
