// SPDX-License-Identifier: MIT
/*
 * columns: which tables records make, a table for each ev, and of which type the columns are.
 *
 *	$ spans trace.tskv | columns | where of=syscall
 *	... ev=column	table=syscall	of=syscall	key=dur_ns	type=integer	count=2391	rows=2391
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "records/kind.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/writer.h"

enum {
	TABLES_MAX = 1000,	/* fewer than the files that a process may have open, as a rule */
	COLUMNS_MAX = 10000,
	NAME_BYTES = 100,	/* of an ev, in the name of a table */
	HASH_ROOM = 18,
	EXACT_BITS = 53,	/* integers up to 2^53 are exact as doubles */
};

/* What was found in a column, as bits. */
enum { NEGATIVE = 1, WIDE = 2, BEYOND = 4, FRACTION = 8, TEXT = 16 };

struct column {
	unsigned found;
	uint64_t count;
};

struct sheet {
	char name[NAME_BYTES + HASH_ROOM];
	struct intern *keys;
	struct column *columns;
	size_t room;
	uint32_t **places;	/* by shape id: the column of each field */
	size_t shapes;
	uint64_t rows;
	int64_t last_ts;
	struct writer *out;
	char *path;
};

struct sheets {
	struct intern *evs;	/* with a letter before, because records without ev have a table too */
	struct intern *names;
	struct sheet *at[TABLES_MAX];
	const char *dir;	/* NULL: nothing is split */
};

/*
 * EV as a name that is safe as a file's and, in quotes, as a table's anywhere. Where that is not EV itself, or
 * is taken, a hash is behind it, so that each is the same in every run and no two meet.
 */
static void name_table(char *to, const struct slice *ev)
{
	size_t n = 0;

	if (!ev) {
		strcpy(to, "records");
		return;
	}
	for (; n < ev->len && n < NAME_BYTES; n++) {
		char c = ev->at[n];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     c == '_' || (n && (c == ':' || c == '-'));

		to[n] = c;
		if (!plain)
			to[n] = '_';
	}
	to[n] = '\0';
	if (n == 0 || n != ev->len || memcmp(to, ev->at, n) != 0 || strcmp(to, "records") == 0 ||
	    strcmp(to, "runs") == 0)
		snprintf(to + n, HASH_ROOM, "_%016llx", (unsigned long long)slice_hash(*ev));
}

static struct sheet *add_sheet(struct sheets *sheets, const struct slice *ev)
{
	struct sheet *sheet = memory_zeroed(sizeof *sheet);
	uint32_t names = intern_count(sheets->names);

	name_table(sheet->name, ev);
	sheet->keys = intern_new();
	if (intern_id(sheets->names, slice_of(sheet->name)) != names)
		message_die("cannot make table %s of two different ev", sheet->name);
	if (sheets->dir) {
		sheet->path = memory_get(strlen(sheets->dir) + strlen(sheet->name) + sizeof "/.tskv");
		sprintf(sheet->path, "%s/%s.tskv", sheets->dir, sheet->name);
		sheet->out = writer_file(sheet->path);
	}
	return sheet;
}

static struct sheet *sheet_of(struct sheets *sheets, const struct slice *ev)
{
	char room[256], *key = room;
	size_t len = ev ? ev->len : 0;
	uint32_t id;

	if (len >= sizeof room)
		key = memory_get(1 + len);
	key[0] = ev ? 'e' : '-';
	if (len)
		memcpy(key + 1, ev->at, len);
	id = intern_id(sheets->evs, (struct slice){ key, 1 + len });
	if (key != room)
		free(key);
	if (id == TABLES_MAX)
		message_die("cannot make more than %d tables: the records have more different ev", TABLES_MAX);
	if (!sheets->at[id])
		sheets->at[id] = add_sheet(sheets, ev);
	return sheets->at[id];
}

static uint32_t column_id(struct sheet *sheet, struct slice key)
{
	size_t old = sheet->room;
	uint32_t id = intern_id(sheet->keys, key);

	if (id == COLUMNS_MAX)
		message_die("cannot make more than %d columns: the records of table %s have more different keys",
			    COLUMNS_MAX, sheet->name);
	sheet->columns = memory_grow(sheet->columns, &sheet->room, id + 1, sizeof *sheet->columns);
	memset(sheet->columns + old, 0, (sheet->room - old) * sizeof *sheet->columns);
	if (!sheet->columns[id].count && kind_of(key) == KIND_TEXT)
		sheet->columns[id].found = TEXT;
	return id;
}

/* The columns of a record's fields, in their order; valid until the next call. */
static const uint32_t *columns_of(struct sheet *sheet, const struct shape *shape)
{
	static uint32_t *passing;
	static size_t passing_room;
	size_t old = sheet->shapes;
	uint32_t *places;

	if (shape->id == SHAPE_PASSING) {
		places = passing = memory_grow(passing, &passing_room, shape->n + 1, sizeof *passing);
	} else {
		sheet->places = memory_grow(sheet->places, &sheet->shapes, shape->id + 1, sizeof *sheet->places);
		memset(sheet->places + old, 0, (sheet->shapes - old) * sizeof *sheet->places);
		if (sheet->places[shape->id])
			return sheet->places[shape->id];
		places = sheet->places[shape->id] = memory_get((shape->n + 1) * sizeof *places);
	}
	for (uint32_t i = 0; i < shape->n; i++)
		places[i] = column_id(sheet, shape->key[i]);
	return places;
}

/* What a value is: a number only where the number, printed again, is the same text. */
static unsigned look(struct slice value)
{
	size_t sign = value.len && value.at[0] == '-';
	bool zero = value.len > sign && value.at[sign] == '0';
	int64_t whole;
	uint64_t beyond;

	if (!value.len || (zero && (sign || value.len > 1) && !memchr(value.at, '.', value.len)))
		return TEXT;
	if (number_padded_i64(value, &whole))
		return (whole < 0 ? NEGATIVE : 0u) |
		       (whole > 1LL << EXACT_BITS || whole < -(1LL << EXACT_BITS) ? WIDE : 0u);
	if (number_u64(value, &beyond))
		return WIDE | BEYOND;
	return number_canonical(value) ? FRACTION : TEXT;
}

static const char *type_of(unsigned found)
{
	if ((found & TEXT) || (found & (FRACTION | WIDE)) == (FRACTION | WIDE) ||
	    (found & (NEGATIVE | BEYOND)) == (NEGATIVE | BEYOND))
		return "text";
	return found & FRACTION ? "real" : found & BEYOND ? "unsigned" : "integer";
}

/* A line with escapes is written as our writer would: other readers take some of the rest for something else. */
static void put_line(struct writer *out, const struct record *record)
{
	char *text;

	if (!memchr(record->line, '\\', record->len)) {
		writer_bytes(out, record->line, record->len);
		return;
	}
	text = memory_get(record->len);
	for (uint32_t i = 0; i < record->shape->n; i++) {
		struct slice key = record->shape->key[i], value = record->value[i];

		if (i)
			writer_bytes(out, "\t", 1);
		writer_bytes(out, key.at, key.len);
		writer_bytes(out, "=", 1);
		writer_escaped(out, (struct slice){ text, reader_unescape(value, text) });
	}
	writer_end(out);
	free(text);
}

static void take(struct sheets *sheets, struct lookup *ev, struct lookup *ts, const struct record *record)
{
	struct sheet *sheet = sheet_of(sheets, lookup_value(ev, record));
	const uint32_t *places = columns_of(sheet, record->shape);
	int64_t when;

	for (uint32_t i = 0; i < record->shape->n; i++) {
		struct column *column = &sheet->columns[places[i]];

		column->count++;
		if (!(column->found & TEXT))
			column->found |= look(record->value[i]);
	}
	sheet->rows++;
	if (lookup_i64(ts, record, &when) && when > sheet->last_ts)
		sheet->last_ts = when;
	if (sheet->out)
		put_line(sheet->out, record);
}

static void tell(struct writer *out, const struct sheet *sheet, struct slice ev)
{
	for (uint32_t i = 0; i < intern_count(sheet->keys); i++) {
		writer_begin(out, sheet->last_ts, SLICE("column"));
		writer_text(out, KEY("table"), slice_of(sheet->name));
		if (ev.at[0] == 'e')	/* as it stood in the records */
			writer_raw(out, KEY("of"), (struct slice){ ev.at + 1, ev.len - 1 });
		writer_text(out, KEY("key"), intern_text(sheet->keys, i));
		writer_text(out, KEY("type"), slice_of(type_of(sheet->columns[i].found)));
		writer_u64(out, KEY("count"), sheet->columns[i].count);
		writer_u64(out, KEY("rows"), sheet->rows);
		writer_end(out);
	}
}

static void free_sheet(struct sheet *sheet)
{
	if (sheet->out)
		writer_close(sheet->out);
	for (size_t i = 0; i < sheet->shapes; i++)
		free(sheet->places[i]);
	free(sheet->places);
	free(sheet->columns);
	intern_free(sheet->keys);
	free(sheet->path);
	free(sheet);
}

int main(int argc, char **argv)
{
	struct sheets sheets = { 0 };
	bool strict = false;
	const struct option options[] = {
		{ 0, "split", "DIR", "write the records of each table to DIR/TABLE.tskv, too", OPTION_TEXT,
		  .to = &sheets.dir },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "columns",
		.does = "tell which tables records make, a table for each ev, and the types of their columns",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  columns spans.tskv | list -o table -f table,key,type,count,rows\n"
			    "  spans raw.tskv | columns --split tables/\n",
	};
	char **files = options_parse(&program, argv);
	struct lookup ev = LOOKUP("ev"), ts = LOOKUP("ts");
	struct loss loss = LOSS;
	const struct record *record;
	struct reader *in;
	struct writer *out;
	int status;

	(void)argc;
	sheets.evs = intern_new();
	sheets.names = intern_new();
	if (sheets.dir && mkdir(sheets.dir, 0777) && errno != EEXIST)
		message_die("cannot make %s: %s", sheets.dir, strerror(errno));
	out = writer_stdout();
	in = reader_open(files, NULL);
	while ((record = reader_next(in))) {
		loss_is(&loss, record);
		take(&sheets, &ev, &ts, record);
	}
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	for (uint32_t i = 0; i < intern_count(sheets.evs); i++) {
		tell(out, sheets.at[i], intern_text(sheets.evs, i));
		free_sheet(sheets.at[i]);
	}
	writer_close(out);
	if (loss_report(&loss, "what the tables hold is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	intern_free(sheets.evs);
	intern_free(sheets.names);
	lookup_free(&ev);
	lookup_free(&ts);
	return status;
}
