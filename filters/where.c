// SPDX-License-Identifier: MIT
/*
 * where: the records that satisfy every expression, byte for byte.
 *
 *	$ where comm=redis-server 'dur_ns>=10ms' < spans.tskv
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "records/expression.h"
#include "records/input.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/writer.h"

int main(int argc, char **argv)
{
	bool invert = false, strict = false;
	struct option_list files = { 0 };
	const char *to = NULL;
	const struct option options[] = {
		{ 'v', "invert", NULL, "pass the records for which not all expressions hold", OPTION_FLAG,
		  .to = &invert },
		{ 'f', "file", "FILE", "read FILE instead of stdin; may be repeated", OPTION_LIST,
		  .to = &files },
		{ 't', "to", "TO", "write the records that pass to TO, and all records to stdout", OPTION_TEXT,
		  .to = &to },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "where",
		.does = "pass the records for which every expression holds",
		.operands = "EXPR...",
		.options = options,
		.examples = "  where comm=redis-server 'dur_ns>=10ms'\n"
			    "  where ev=syscall 'name~open*' 'path=~^/etc/' pid=1,2,3\n"
			    "  spans raw.tskv | where --to calls.tskv ev=syscall | to-sqlite all.db\n",
	};
	char **expressions = options_parse(&program, argv);
	const struct record *record;
	struct loss loss = LOSS;
	struct reader *in;
	struct writer *out, *passed;
	struct expression *expression;
	int status;

	(void)argc;
	if (!*expressions && !to)
		message_usage("cannot filter: no expression is given");
	input_no_files(expressions);
	expression = expression_parse(expressions);
	files.items = memory_grow(files.items, &files.room, files.count + 1, sizeof *files.items);
	files.items[files.count] = NULL;

	passed = out = writer_stdout();
	if (to)
		out->also = passed = writer_file(to);
	in = reader_open((char **)(uintptr_t)files.items, out);
	while ((record = reader_next(in))) {
		bool lost = loss_is(&loss, record);

		if (expression_holds(expression, record) != invert || lost)
			writer_bytes(passed, record->line, record->len);
		if (to)
			writer_bytes(out, record->line, record->len);
	}
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	if (to)
		writer_close(passed);
	writer_close(out);
	if (loss_report(&loss, "what passed is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	expression_free(expression);
	free(files.items);
	return status;
}
