// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
/*
 * from-sqlite: records from an SQLite database: those that to-sqlite stored, as they were, or the rows of
 * a query.
 *
 *	$ from-sqlite spans.db | stats dur_ns
 *	$ from-sqlite spans.db 'select ts, ev, dur_ns from syscall where ret < 0'
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "database/database.h"
#include "records/writer.h"

enum { APPLICATION = 0x77656972 };	/* as to-sqlite marks its databases */

struct sheet {			/* a table, and the row of it that comes next */
	sqlite3_stmt *rows;	/* columns: seq, more, key_order, then one for each key */
	int64_t seq;
	struct key *keys;
	struct intern *names;	/* of the keys, in the same order */
	size_t n, room;
};

/* A field begins with TAB, but for the first of a line. */
static void put_field(struct writer *out, bool *first, struct key key, sqlite3_stmt *rows, int column)
{
	struct key bare = { key.at + *first, key.len - *first };

	if (database_put(out, bare, rows, column))
		*first = false;
}

/* Fields that are joined by TAB already. */
static void put_fields(struct writer *out, bool *first, struct slice fields)
{
	if (fields.len == 0)
		return;
	if (!*first)
		writer_bytes(out, "\t", 1);
	writer_bytes(out, fields.at, fields.len);
	*first = false;
}

static struct sheet open_sheet(sqlite3 *db, const char *name, bool more, bool order, int64_t run)
{
	sqlite3_str *sql = sqlite3_str_new(db);
	sqlite3_stmt *q = database_prepare(db, "SELECT key, \"column\" FROM columns WHERE \"table\" = ? "
					       "ORDER BY position");
	struct sheet sheet = { .names = intern_new() };
	char *text;

	sqlite3_str_appendf(sql, "SELECT seq, %s, %s", more ? "more" : "NULL", order ? "key_order" : "NULL");
	database_bind_text(q, 1, slice_of(name));
	while (database_step(db, q)) {
		char *column = memory_copy(database_text(q, 1));
		struct slice key = database_text(q, 0);

		if (intern_id(sheet.names, key) == sheet.n) {
			sheet.keys = memory_grow(sheet.keys, &sheet.room, sheet.n + 1, sizeof *sheet.keys);
			sheet.keys[sheet.n++] = key_of(key);
			sqlite3_str_appendf(sql, ", \"%w\"", column);
		}
		free(column);
	}
	sqlite3_finalize(q);
	sqlite3_str_appendf(sql, " FROM main.\"%w\"", name);
	if (run)
		sqlite3_str_appendf(sql, " WHERE run = %lld", (long long)run);
	sqlite3_str_appendall(sql, " ORDER BY seq");
	text = sqlite3_str_finish(sql);
	if (!text)
		message_die("cannot read %s: out of memory", name);
	sheet.rows = database_prepare(db, text);
	sqlite3_free(text);
	return sheet;
}

static void close_sheet(struct sheet *sheet)
{
	for (size_t i = 0; i < sheet->n; i++)
		free((void *)(uintptr_t)sheet->keys[i].at);
	free(sheet->keys);
	intern_free(sheet->names);
	sqlite3_finalize(sheet->rows);
}

static bool next_row(sqlite3 *db, struct sheet *sheet)
{
	if (!database_step(db, sheet->rows))
		return false;
	sheet->seq = sqlite3_column_int64(sheet->rows, 0);
	return true;
}

/* The field KEY within fields that are joined by TAB; empty: it is not there. */
static struct slice find_field(struct slice fields, struct slice key)
{
	while (fields.len) {
		const char *tab = memchr(fields.at, '\t', fields.len);
		size_t len = tab ? (size_t)(tab - fields.at) : fields.len;

		if (len > key.len && fields.at[key.len] == '=' && memcmp(fields.at, key.at, key.len) == 0)
			return (struct slice){ fields.at, len };
		len += tab != NULL;
		fields.at += len;
		fields.len -= len;
	}
	return (struct slice){ 0 };
}

/* A row whose keys had an order of their own. */
static void put_ordered(struct writer *out, bool *first, struct sheet *sheet, struct slice order,
			struct slice more)
{
	for (const char *p = order.at, *end = order.at + order.len, *stop; p < end; p = stop + 1) {
		struct slice key;
		uint32_t id;

		stop = memchr(p, ' ', (size_t)(end - p));
		if (!stop)
			stop = end;
		key = (struct slice){ p, (size_t)(stop - p) };
		id = intern_find(sheet->names, key);
		if (id != UINT32_MAX)
			put_field(out, first, sheet->keys[id], sheet->rows, (int)id + 3);
		else
			put_fields(out, first, find_field(more, key));
	}
}

static void put_row(struct writer *out, struct sheet *sheet)
{
	bool first = true;
	struct slice more = database_text(sheet->rows, 1), order = database_text(sheet->rows, 2);

	if (order.len) {
		put_ordered(out, &first, sheet, order, more);
	} else {
		for (size_t i = 0; i < sheet->n; i++)
			put_field(out, &first, sheet->keys[i], sheet->rows, (int)i + 3);
		put_fields(out, &first, more);
	}
	if (!first)	/* nothing is no record */
		writer_end(out);
}

/* Moves the first sheet of a heap by seq to its place. */
static void sift(struct sheet *heap, size_t n)
{
	for (size_t at = 0, child; (child = 2 * at + 1) < n; at = child) {
		struct sheet sheet = heap[at];

		if (child + 1 < n && heap[child + 1].seq < heap[child].seq)
			child++;
		if (heap[at].seq <= heap[child].seq)
			break;
		heap[at] = heap[child];
		heap[child] = sheet;
	}
}

static int by_seq(const void *a, const void *b)
{
	const struct sheet *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* All records, or those of one run, in the order in which they were stored. */
static void put_all(sqlite3 *db, struct writer *out, int64_t run, const char *path)
{
	struct sheet *heap = NULL;
	size_t n = 0, room = 0;
	sqlite3_stmt *q;

	if (database_number(db, "SELECT count(*) FROM sqlite_schema") == 0)
		return;
	if (database_number(db, "PRAGMA application_id") != APPLICATION)
		message_die("cannot read %s: to-sqlite did not make it (name a query)", path);
	database_run(db, "BEGIN");
	q = database_prepare(db, "SELECT name, more, key_order FROM tables");
	while (database_step(db, q)) {
		char *name = memory_copy(database_text(q, 0));
		struct sheet sheet = open_sheet(db, name, sqlite3_column_int(q, 1), sqlite3_column_int(q, 2), run);

		free(name);
		if (!next_row(db, &sheet)) {
			close_sheet(&sheet);
			continue;
		}
		heap = memory_grow(heap, &room, n + 1, sizeof *heap);
		heap[n++] = sheet;
	}
	sqlite3_finalize(q);
	if (n)
		qsort(heap, n, sizeof *heap, by_seq);	/* a sorted array is a heap */
	while (n) {
		put_row(out, &heap[0]);
		if (!next_row(db, &heap[0])) {
			close_sheet(&heap[0]);
			heap[0] = heap[--n];
		}
		sift(heap, n);
	}
	free(heap);
}

/* The rows of one query; the names of its columns are the keys. */
static void put_query(sqlite3 *db, struct writer *out, const char *sql)
{
	struct intern *names = intern_new();
	const char *rest = NULL;
	struct key *keys;
	sqlite3_stmt *q;
	int n;

	if (sqlite3_prepare_v3(db, sql, -1, 0, &q, &rest) != SQLITE_OK)
		message_die("cannot use the query: %s", sqlite3_errmsg(db));
	while (*rest == ' ' || *rest == '\n' || *rest == '\t' || *rest == ';')
		rest++;
	if (!q || *rest)
		message_usage("cannot use the query: one statement is wanted");
	n = sqlite3_column_count(q);
	keys = memory_get((size_t)n * sizeof *keys);
	for (int i = 0; i < n; i++) {
		struct slice name;

		keys[i] = key_of(slice_of(sqlite3_column_name(q, i)));
		name = (struct slice){ keys[i].at, keys[i].len };
		if (intern_id(names, name) + 1 != (uint32_t)i + 1)
			message_usage("cannot use the query: two of its columns are called %s (use `as`)",
				      sqlite3_column_name(q, i));
	}
	while (database_step(db, q)) {
		bool first = true;

		for (int i = 0; i < n; i++)
			put_field(out, &first, keys[i], q, i);
		if (!first)
			writer_end(out);
	}
	for (int i = 0; i < n; i++)
		free((void *)(uintptr_t)keys[i].at);
	free(keys);
	intern_free(names);
	sqlite3_finalize(q);
}

int main(int argc, char **argv)
{
	uint64_t run = 0, wait_ns = 10000000000;
	const struct option options[] = {
		{ 0, "run", "N", "only the records of this run (see the table runs)", OPTION_COUNT, .to = &run,
		  .min = 1, .max = INT64_MAX },
		{ 0, "wait", "DURATION", "wait so long for a program that locks the database (10s)", OPTION_SECONDS,
		  .to = &wait_ns, .max = 86400000000000 },
		{ 0 },
	};
	const struct program program = {
		.name = "from-sqlite",
		.does = "write the records of an SQLite database, or the rows of a query as records",
		.operands = "DATABASE [QUERY]",
		.options = options,
		.examples = "  from-sqlite spans.db | stats -g ev dur_ns\n"
			    "  from-sqlite spans.db 'select ts, ev, comm, dur_ns from syscall where ret < 0'\n",
	};
	char **operands = options_parse(&program, argv);
	struct writer *out;
	sqlite3 *db;

	(void)argc;
	if (!operands[0] || (operands[1] && operands[2]))
		message_usage("cannot read: a database is wanted, and at most one query");
	if (operands[1] && run)
		message_usage("cannot use --run with a query: say `where run = %llu`", (unsigned long long)run);
	out = writer_stdout();
	/* What a writer that was killed left behind is cleaned up by the next to open it, if it may write. */
	db = database_open_read(operands[0], wait_ns);
	if (operands[1])
		put_query(db, out, operands[1]);
	else
		put_all(db, out, (int64_t)run, operands[0]);
	writer_close(out);
	sqlite3_close(db);
	return EXIT_COMPLETE;
}
