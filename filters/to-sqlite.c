// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
/*
 * to-sqlite: records into an SQLite database, a table for each ev.
 *
 *	$ spans trace.tskv | to-sqlite spans.db
 *	$ sqlite3 spans.db 'select name, count(*), sum(dur_ns) from syscall group by name'
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "base/progress.h"
#include "base/stop.h"
#include "database/inserter.h"
#include "database/store.h"
#include "records/loss.h"
#include "records/reader.h"

/* What the table runs tells of the input; free() it. */
static char *source_of(const struct option_list *files)
{
	size_t room = sizeof "stdin";
	char *text, *to;

	for (size_t i = 0; i < files->count; i++)
		room += strlen(files->items[i]) + 1;
	text = to = memory_get(room);
	strcpy(text, files->count ? "" : "stdin");
	for (size_t i = 0; i < files->count; i++)
		to = stpcpy(stpcpy(to, i ? " " : ""), files->items[i]);
	return text;
}

static void interrupt_store(void *store)
{
	store_interrupt(store);
}

/* Where records go: tables of our own, or one that somebody else has declared. */
struct sink {
	struct store *store;
	struct inserter *inserter;
};

static void commit(void *data)
{
	struct sink *sink = data;

	if (sink->inserter)
		inserter_commit(sink->inserter);
	else
		store_commit(sink->store);
}

/* False when not all could be read. */
static bool read_all(struct sink *sink, struct loss *loss, const char **files, uint64_t batch,
		     struct progress *progress)
{
	struct reader *in = reader_open((char **)(uintptr_t)files, NULL);
	const struct record *record;
	uint64_t rows = 0;

	reader_on_idle(in, commit, sink);
	reader_stop_on(in, stop_descriptor());
	while ((record = reader_next(in))) {
		loss_is(loss, record);
		if (sink->inserter)
			inserter_put(sink->inserter, record);
		else
			store_put(sink->store, record);
		if (++rows % batch == 0)
			commit(sink);
		progress_at(progress, reader_bytes(in), reader_size(in), rows);
	}
	return reader_close(in) && !stop_wanted();
}

/* Ends the load of a table that somebody else has declared. */
static void finish_inserter(struct inserter *inserter, const char *table, const char *path)
{
	uint64_t rows = inserter_close(inserter);

	message("%llu record%s into %.*s of %s", (unsigned long long)rows, rows == 1 ? "" : "s",
		(int)strcspn(table, "( "), table, path);
}

static void finish_store(struct store *store, const char *indexes, const char *path, bool good)
{
	struct store_totals totals;

	stop_calls(interrupt_store, store);	/* indexes may be left undone */
	if (!stop_wanted())
		store_index(store, indexes);
	stop_calls(NULL, NULL);
	totals = store_totals(store);
	store_close(store);
	message("%llu record%s into %zu table%s of %s, run %lld%s", (unsigned long long)totals.rows,
		totals.rows == 1 ? "" : "s", totals.tables, totals.tables == 1 ? "" : "s", path,
		(long long)totals.run, good ? "" : ", which is marked as incomplete");
}

int main(int argc, char **argv)
{
	const char *indexes = "ts,tid,child_tid";
	bool own = false, indexed = false, append = false, strict = false, force = false, none = false, good;
	uint64_t batch = 50000, wait_ns = 10000000000;
	struct option_list files = { 0 };
	const char *table = NULL, *into = NULL;
	struct loss loss = LOSS;
	const struct option options[] = {
		{ 'a', "append", NULL, "add to the database when there is one", OPTION_FLAG, .to = &append, .seen = &own },
		{ 'f', "file", "FILE", "read FILE instead of stdin; may be repeated", OPTION_LIST, .to = &files },
		{ 0, "table", "NAME", "put all records into this table", OPTION_TEXT, .to = &table,
		  .seen = &own },
		{ 0, "into", "TABLE", "put the fields into the columns of a table of yours; 'NAME(COLUMN TYPE, ...)' "
		  "makes it", OPTION_TEXT, .to = &into },
		{ 0, "index", "KEY,...", "index these columns when the records are in (ts,tid,child_tid; '' for "
		  "none)", OPTION_TEXT, .to = &indexes, .seen = &indexed },
		{ 0, "batch", "N", "commit every N records (50000), and when the input pauses", OPTION_COUNT,
		  .to = &batch, .min = 1, .max = 1000000000 },
		{ 0, "wait", "DURATION", "wait so long for other programs that write (10s)", OPTION_SECONDS,
		  .to = &wait_ns, .max = 86400000000000 },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		PROGRESS_OPTIONS(force, none),
		{ 0 },
	};
	const struct program program = {
		.name = "to-sqlite",
		.does = "put records into an SQLite database, a table for each ev",
		.operands = "DATABASE",
		.options = options,
		.examples = "  spans trace.tskv | to-sqlite spans.db\n"
			    "  sqlite3 spans.db 'select comm, sum(dur_ns) from oncpu group by comm'\n",
	};
	char **operands = options_parse(&program, argv);
	struct progress progress;
	struct sink sink = { 0 };
	char *source;
	int status;

	(void)argc;
	if (table && !store_is_table_name(table))
		message_usage("cannot use '%.200s' as a table: it is taken, begins with sqlite_, is too long, or "
			      "holds control characters", table);
	if (into && (own || indexed))
		message_usage("cannot use --into with -a, --table or --index: the table is yours");
	if (!operands[0] || operands[1])
		message_usage("cannot store: one database is wanted");
	files.items = memory_grow(files.items, &files.room, files.count + 1, sizeof *files.items);
	files.items[files.count] = NULL;
	stop_catch(files.count == 0);
	source = source_of(&files);
	if (into)
		sink.inserter = inserter_open(operands[0], into, wait_ns);
	else
		sink.store = store_open(operands[0], append, table, source, &loss, wait_ns);
	progress_start(&progress, "records", force, none);
	good = read_all(&sink, &loss, files.items, batch, &progress);
	if (sink.store)
		store_complete(sink.store, good);
	progress_end(&progress);
	if (sink.store)
		finish_store(sink.store, indexes, operands[0], good);
	else
		finish_inserter(sink.inserter, into, operands[0]);
	status = good ? EXIT_COMPLETE : EXIT_FAILED;
	if (loss_report(&loss, "what was stored is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	free(source);
	free(files.items);
	return status;
}
