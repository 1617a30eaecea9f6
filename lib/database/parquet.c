// SPDX-License-Identifier: MIT
// pkg-config: duckdb
#include "database/parquet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/staging.h"
#include "database/duckapi.h"
#include "records/kind.h"

enum {
	SHEETS_MAX = 1000,
	COLUMNS_MAX = 2000,
	NAME_BYTES = 100,
	BUFFER = 32 << 10,		/* of each sheet */
	CHUNK_BYTES = 4 << 20,		/* of records, after which a chunk ends */
	GROUP_BYTES = 32 << 20,		/* of rows that DuckDB writes at once */
};

/* What the values of a column were. */
enum {
	SEEN_NEGATIVE = 1, SEEN_BIG = 2,	/* integers below 0, from 2^63 up */
	SEEN_INTEGER = 4,		/* any */
	SEEN_INEXACT = 8,		/* beyond what a double holds */
	SEEN_HEX = 16, SEEN_BIG_HEX = 32, SEEN_REAL = 64, SEEN_TEXT = 128,
};

enum type { TYPE_BIGINT, TYPE_UBIGINT, TYPE_DECIMAL, TYPE_DOUBLE, TYPE_TEXT };

struct column {
	char *name;
	unsigned seen;
	/* Once all is known: */
	enum type type;
	struct lookup lookup;
	duckdb_vector vector;	/* of the chunk that is being filled */
	void *data;
	uint64_t *valid;
};

/* The records of one ev. */
struct sheet {
	char *name;
	struct intern *keys;	/* a key's id is its column */
	struct intern *names;	/* of columns, in lower case */
	struct column *column;
	size_t room;
	uint32_t shape;		/* of the last record, and its fields' columns */
	uint32_t *place;
	size_t place_room;
	char *buffer;		/* records, before they go to the file that has them */
	size_t used;
};

struct parquet {
	duckdb_database database;
	duckdb_connection connection;
	const char *directory;
	struct staging *staging;
	struct sheet *sheet;
	size_t sheets, room;
	struct intern *evs;	/* an ev's id is its sheet's, but for those of the last sheet */
	struct intern *names;	/* of files, in lower case */
	struct lookup ev;
	/* The sheet that is being written, which DuckDB asks for; a reader of its records. */
	struct sheet *feeding;
	struct reader *feed;
	struct progress *progress;
	uint64_t kept, written;	/* records */
	char *text;		/* unescaped, mended */
	size_t text_room;
};

/* ---- DuckDB ---- */

static _Noreturn void die(const struct parquet *p, const char *error)
{
	const char *end = error ? strchrnul(error, '\n') : NULL;

	message_die("cannot write %s: %.*s", p->directory, error ? (int)(end - error) : 13,
		    error ? error : "out of memory");
}

static void run(struct parquet *p, const char *sql)
{
	duckdb_result result;

	if (duckdb_query(p->connection, sql, &result) != DUCKDB_SUCCESS)
		die(p, duckdb_result_error(&result));
	duckdb_destroy_result(&result);
}

/* TEXT within quotes of SQL. */
static void put_quoted(FILE *sql, char quote, const char *text)
{
	putc(quote, sql);
	for (; *text; text++) {
		if (*text == quote)
			putc(quote, sql);
		putc(*text, sql);
	}
	putc(quote, sql);
}

static void start(struct parquet *p)
{
	/* One thread, since groups can be bounded by bytes only where DuckDB need not restore the order. */
	static const char *const settings[][2] = {
		{ "threads", "1" }, { "preserve_insertion_order", "false" },
		{ "autoinstall_known_extensions", "false" },
	};
	duckdb_config config;
	char *error = NULL;

	if (duckdb_create_config(&config) != DUCKDB_SUCCESS)
		die(p, NULL);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (duckdb_set_config(config, settings[i][0], settings[i][1]) != DUCKDB_SUCCESS)
			message_die("cannot set %s of DuckDB: this version has no such setting",
				    settings[i][0]);
	if (duckdb_open_ext(NULL, &p->database, config, &error) != DUCKDB_SUCCESS ||
	    duckdb_connect(p->database, &p->connection) != DUCKDB_SUCCESS)
		die(p, error);
	duckdb_destroy_config(&config);
}

/* ---- names ---- */

/*
 * A name like TEXT of letters, digits and characters of ALLOWED that NAMES does not hold yet, not even in the
 * other case, and now does: cleaned, cut, numbered.
 */
static char *new_name(struct intern *names, struct slice text, const char *allowed)
{
	char *name = memory_get(NAME_BYTES + NUMBER_TEXT), lower[NAME_BYTES + NUMBER_TEXT];
	size_t len = 0;

	for (size_t i = 0; i < text.len && len < NAME_BYTES; i++) {
		char c = text.at[i];
		bool letter = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9');

		name[len] = letter || (len && c && strchr(allowed, c)) ? c : '_';
		len++;
	}
	if (len == 0)
		name[len++] = '_';
	name[len] = '\0';
	for (unsigned i = 2;; i++) {
		size_t n = 0;

		for (; name[n]; n++)
			lower[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] | 0x20) : name[n];
		if (intern_find(names, (struct slice){ lower, n }) == UINT32_MAX) {
			intern_id(names, (struct slice){ lower, n });
			return name;
		}
		sprintf(name + len, "_%u", i);
	}
}

/* ---- records come ---- */

static struct sheet *add_sheet(struct parquet *p, struct slice ev)
{
	struct sheet *sheet;

	p->sheet = memory_grow(p->sheet, &p->room, p->sheets + 1, sizeof *p->sheet);
	sheet = &p->sheet[p->sheets++];
	*sheet = (struct sheet){ .name = new_name(p->names, ev, "_.+-"), .keys = intern_new(),
				 .names = intern_new(), .shape = SHAPE_PASSING,
				 .buffer = memory_get(BUFFER) };
	return sheet;
}

/* The last sheet takes what is beyond SHEETS_MAX. */
static struct sheet *sheet_of(struct parquet *p, const struct record *record)
{
	const struct slice *ev = lookup_value(&p->ev, record);
	struct slice text = ev ? *ev : SLICE("records");
	uint32_t id = intern_find(p->evs, text);

	if (id != UINT32_MAX)
		return &p->sheet[id];
	if (p->sheets == SHEETS_MAX)
		return &p->sheet[SHEETS_MAX - 1];
	if (p->sheets == SHEETS_MAX - 1)
		text = SLICE("other");
	intern_id(p->evs, text);
	return add_sheet(p, text);
}

static uint32_t column_of(struct parquet *p, struct sheet *sheet, struct slice key)
{
	uint32_t known = intern_count(sheet->keys), c = intern_id(sheet->keys, key);

	if (c < known)
		return c;
	if (c == COLUMNS_MAX)
		message_die("cannot write %s: records of %s have more than %d keys", p->directory,
			    sheet->name, COLUMNS_MAX);
	sheet->column = memory_grow(sheet->column, &sheet->room, c + 1, sizeof *sheet->column);
	sheet->column[c] = (struct column){ .name = new_name(sheet->names, key, "_."),
					    .seen = kind_of(key) == KIND_TEXT ? SEEN_TEXT : 0 };
	return c;
}

static void spill(struct parquet *p, struct sheet *sheet, const char *at, size_t len)
{
	char *path = staging_path(p->staging, sheet->name, "records");
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	while (fd >= 0 && len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno != EINTR)
			break;
		at += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || len || close(fd))
		message_die("cannot write %s: %m", path);
	free(path);
}

static void keep(struct parquet *p, struct sheet *sheet, const struct record *record)
{
	if (record->len > BUFFER - sheet->used) {
		spill(p, sheet, sheet->buffer, sheet->used);
		sheet->used = 0;
	}
	if (record->len > BUFFER) {
		spill(p, sheet, record->line, record->len);
	} else {
		memcpy(sheet->buffer + sheet->used, record->line, record->len);
		sheet->used += record->len;
	}
}

/* What the value is. */
static unsigned classify(struct slice value)
{
	int64_t whole;
	uint64_t bits;
	double real;

	if (value.len == 0 || value.at[0] > '9')
		return SEEN_TEXT;
	if (number_plain(value)) {
		if (number_padded_i64(value, &whole))
			return SEEN_INTEGER | (whole < 0 ? SEEN_NEGATIVE : 0) |
			       (whole > 1ll << 53 || whole < -(1ll << 53) ? SEEN_INEXACT : 0);
		if (number_u64(value, &bits))
			return SEEN_INTEGER | SEEN_BIG | SEEN_INEXACT;
	}
	if (value.len > 2 && value.at[0] == '0' && value.at[1] == 'x' && number_bits(value, &bits))
		return bits > INT64_MAX ? SEEN_HEX | SEEN_BIG_HEX : SEEN_HEX;
	return number_canonical(value) && number_real(value, &real) ? SEEN_REAL : SEEN_TEXT;
}

void parquet_put(struct parquet *p, const struct record *record)
{
	struct sheet *sheet = sheet_of(p, record);
	const struct shape *shape = record->shape;

	if (shape->id == SHAPE_PASSING || shape->id != sheet->shape) {
		sheet->place = memory_grow(sheet->place, &sheet->place_room, shape->n, sizeof *sheet->place);
		for (uint32_t i = 0; i < shape->n; i++)
			sheet->place[i] = column_of(p, sheet, shape->key[i]);
		sheet->shape = shape->id;
	}
	for (uint32_t i = 0; i < shape->n; i++) {
		struct column *column = &sheet->column[sheet->place[i]];

		if (!(column->seen & SEEN_TEXT))
			column->seen |= classify(record->value[i]);
	}
	keep(p, sheet, record);
	p->kept++;
}

/* ---- records go ---- */

/* The narrowest type that has each value. */
static enum type type_of(const struct column *column)
{
	bool big = column->seen & (SEEN_BIG | SEEN_BIG_HEX), hex = column->seen & SEEN_HEX;

	if (column->seen & SEEN_TEXT)
		return TYPE_TEXT;
	if (column->seen & SEEN_REAL)
		return hex || column->seen & SEEN_INEXACT ? TYPE_TEXT : TYPE_DOUBLE;
	if (!(column->seen & SEEN_INTEGER))
		return TYPE_TEXT;	/* addresses, all of them */
	if (!big)
		return TYPE_BIGINT;
	return column->seen & SEEN_NEGATIVE ? TYPE_DECIMAL : TYPE_UBIGINT;
}

/* The function `records` of SQL: its columns are those of the sheet that is written. */
static void bind_columns(duckdb_bind_info info)
{
	static const enum duckdb_type types[] = {
		[TYPE_BIGINT] = DUCKDB_BIGINT, [TYPE_UBIGINT] = DUCKDB_UBIGINT,
		[TYPE_DOUBLE] = DUCKDB_DOUBLE, [TYPE_TEXT] = DUCKDB_VARCHAR,
	};
	struct parquet *p = duckdb_bind_get_extra_info(info);

	for (uint32_t c = 0; c < intern_count(p->feeding->keys); c++) {
		struct column *column = &p->feeding->column[c];
		duckdb_logical_type type = column->type == TYPE_DECIMAL ? duckdb_create_decimal_type(20, 0) :
			duckdb_create_logical_type(types[column->type]);

		duckdb_bind_add_result_column(info, column->name, type);
		duckdb_destroy_logical_type(&type);
	}
}

static void start_rows(duckdb_init_info info)
{
	(void)info;	/* nothing: the reader is open; but DuckDB wants this function */
}

static void put_value(struct parquet *p, struct column *column, uint64_t row, struct slice value)
{
	uint64_t bits = 0;
	__int128 whole;

	switch (column->type) {
	case TYPE_BIGINT:
	case TYPE_UBIGINT:
		number_bits(value, &bits);
		((uint64_t *)column->data)[row] = bits;
		break;
	case TYPE_DECIMAL:
		number_bits(value, &bits);
		whole = value.at[0] == '-' ? (__int128)(int64_t)bits : (__int128)bits;
		memcpy((char *)column->data + row * sizeof whole, &whole, sizeof whole);
		break;
	case TYPE_DOUBLE:
		number_real(value, (double *)column->data + row);
		break;
	case TYPE_TEXT:
		value = reader_utf8(value, &p->text, &p->text_room);
		duckdb_vector_assign_string_element_len(column->vector, row, value.at, value.len);
		break;
	}
	column->valid[row / 64] |= 1ull << row % 64;
}

static void give_rows(duckdb_function_info info, duckdb_data_chunk chunk)
{
	struct parquet *p = duckdb_function_get_extra_info(info);
	uint32_t n = intern_count(p->feeding->keys);
	const struct record *record;
	uint64_t rows = 0;
	size_t bytes = 0;

	for (uint32_t c = 0; c < n; c++) {
		struct column *column = &p->feeding->column[c];

		column->vector = duckdb_data_chunk_get_vector(chunk, c);
		duckdb_vector_ensure_validity_writable(column->vector);
		column->data = duckdb_vector_get_data(column->vector);
		column->valid = duckdb_vector_get_validity(column->vector);
		memset(column->valid, 0, DUCKDB_CHUNK_ROWS / 8);	/* NULL, until there is a value */
	}
	while (rows < DUCKDB_CHUNK_ROWS && bytes < CHUNK_BYTES && (record = reader_next(p->feed))) {
		for (uint32_t c = 0; c < n; c++) {
			const struct slice *value = lookup_value(&p->feeding->column[c].lookup, record);

			if (value)
				put_value(p, &p->feeding->column[c], rows, *value);
		}
		rows++;
		bytes += record->len;
		progress_at(p->progress, p->written, p->kept, p->written);
		p->written++;
	}
	duckdb_data_chunk_set_size(chunk, rows);
}

static void register_rows(struct parquet *p)
{
	duckdb_table_function function = duckdb_create_table_function();

	duckdb_table_function_set_name(function, "records");
	duckdb_table_function_set_extra_info(function, p, NULL);
	duckdb_table_function_set_bind(function, bind_columns);
	duckdb_table_function_set_init(function, start_rows);
	duckdb_table_function_set_function(function, give_rows);
	if (duckdb_register_table_function(p->connection, function) != DUCKDB_SUCCESS)
		die(p, NULL);
	duckdb_destroy_table_function(&function);
}

static void copy_rows(struct parquet *p, const char *path, bool complete, const struct loss *loss)
{
	char *sql;
	size_t len;
	FILE *text = open_memstream(&sql, &len);

	fputs("COPY (SELECT * FROM records()) TO ", text);
	put_quoted(text, '\'', path);
	fprintf(text, " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES %d, KV_METADATA {"
		"complete: '%d', lost: '%llu%s'})", GROUP_BYTES, complete,
		(unsigned long long)loss->events, loss->unknown ? "+" : "");
	fclose(text);
	run(p, sql);
	free(sql);
}

static void write_sheet(struct parquet *p, struct sheet *sheet, bool complete, const struct loss *loss)
{
	char *from = staging_path(p->staging, sheet->name, "records");
	char *to = staging_path(p->staging, sheet->name, "parquet");

	spill(p, sheet, sheet->buffer, sheet->used);
	for (uint32_t c = 0; c < intern_count(sheet->keys); c++) {
		sheet->column[c].type = type_of(&sheet->column[c]);
		sheet->column[c].lookup.key = intern_text(sheet->keys, c);
	}
	p->feeding = sheet;
	p->feed = reader_open((char *[]){ from, NULL }, NULL);
	copy_rows(p, to, complete, loss);
	if (!reader_close(p->feed) || unlink(from))
		message_die("cannot write %s: its records could not be read again", p->directory);
	for (uint32_t c = 0; c < intern_count(sheet->keys); c++)
		lookup_free(&sheet->column[c].lookup);
	free(from);
	free(to);
}

size_t parquet_write(struct parquet *p, bool complete, const struct loss *loss, struct progress *progress)
{
	p->progress = progress;
	for (size_t i = 0; i < p->sheets; i++)
		write_sheet(p, &p->sheet[i], complete, loss);
	duckdb_disconnect(&p->connection);
	duckdb_close(&p->database);
	staging_show(p->staging);
	return p->sheets;
}

void parquet_interrupt(void *data)
{
	struct parquet *p = data;

	duckdb_interrupt(p->connection);
}

struct parquet *parquet_open(const char *directory)
{
	struct parquet *p = memory_zeroed(sizeof *p);

	p->directory = directory;
	p->evs = intern_new();
	p->names = intern_new();
	p->ev = (struct lookup)LOOKUP("ev");
	p->staging = staging_new(directory);
	start(p);
	register_rows(p);
	return p;
}

void parquet_close(struct parquet *p)
{
	for (size_t i = 0; i < p->sheets; i++) {
		struct sheet *sheet = &p->sheet[i];

		for (uint32_t c = 0; c < intern_count(sheet->keys); c++)
			free(sheet->column[c].name);
		free(sheet->column);
		free(sheet->name);
		free(sheet->place);
		free(sheet->buffer);
		intern_free(sheet->keys);
		intern_free(sheet->names);
	}
	free(p->sheet);
	intern_free(p->evs);
	intern_free(p->names);
	lookup_free(&p->ev);
	free(p->text);
	free(p);
}
