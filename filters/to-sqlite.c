// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
/*
 * to-sqlite: records into an SQLite database, a table for each ev.
 *
 *	$ spans trace.tskv | to-sqlite spans.db
 *	$ sqlite3 spans.db 'select name, count(*), sum(dur_ns) from syscall group by name'
 *
 * man/to-sqlite.1 describes the tables. Two things give every record back as it was: seq, which counts the
 * records of all tables, and columns.position, by which the keys of a table are ordered; a record with
 * its keys in another order says so in key_order.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "database.h"
#include "intern.h"
#include "kind.h"
#include "loss.h"
#include "memory.h"
#include "message.h"
#include "number.h"
#include "options.h"
#include "progress.h"
#include "reader.h"
#include "table.h"
#include "utf8.h"

enum {
	APPLICATION = 0x77656972,	/* `weir`, in the database's header */
	FORMAT = 1,
	TABLES_MAX = 2000,
	COLUMNS_MAX = 1990,	/* SQLite allows 2000; seq, run, more and key_order are ours */
	NAME_MAX_BYTES = 100,
	STATEMENTS_MAX = 1000,
	BATCH = 50000,
	TYPES = 16,
};

static const char *const type_names[TYPES] = {
	"", "integer", "real", "integer,real", "text", "integer,text", "real,text", "integer,real,text", "blob",
	"integer,blob", "real,blob", "integer,real,blob", "text,blob", "integer,text,blob", "real,text,blob",
	"integer,real,text,blob",
};

struct column {
	char *name;
	uint32_t position;	/* among the keys of its table */
	bool text, indexed;
	unsigned types, types_stored;	/* DATABASE_INTEGER and so on, seen and in the database */
};

struct sheet {			/* a table of the database */
	char *name;
	struct intern *keys;	/* a key's id is its column's index */
	struct intern *names;	/* of the columns, in lower case */
	struct column *columns;
	size_t room;
	bool has_more, has_order;
};

/* How records of one shape are inserted into one table. */
struct insert {
	sqlite3_stmt *statement;
	struct field {
		uint32_t column;	/* UINT32_MAX: none, the field goes to `more` */
		bool text;
	} *fields;
	int more;		/* the parameter of `more`; 0: none */
};

struct store {
	sqlite3 *db;
	const char *path, *only;	/* the table of --table, or NULL */
	struct sheet *sheets;
	size_t n, room;
	struct intern *evs;	/* as they stand in the records */
	uint32_t *sheet_of_ev;
	size_t evs_room;
	struct intern *names;	/* in the schema, in lower case */
	const char *named;	/* the name that named_sheet() was asked for last, and its answer */
	size_t named_sheet;
	struct table *inserts;	/* struct insert, by sheet << 32 | shape */
	size_t inserts_n;
	sqlite3_stmt *begin, *commit, *version, *update, *types;
	int64_t run, seq, data_version, first_seq;
	int64_t first_ts, last_ts;
	uint64_t rows, in_batch, committed;
	bool in_transaction;
	struct loss loss;
	struct lookup ts, ev;
	char *scratch, *more;	/* for the values of one record */
	size_t scratch_room, more_room;
};

/* ---- names ---- */

/* SQLite compares names without regard to the case of ASCII letters. */
static uint32_t lower_id(struct intern *names, const char *name, bool insert)
{
	char *lower = memory_copy(slice_of(name));
	uint32_t id;

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p | 0x20);
	id = insert ? intern_id(names, slice_of(lower)) : intern_find(names, slice_of(lower));
	free(lower);
	return id;
}

/* A name like TEXT that NAMES does not hold yet, and now does: cleaned, shortened, and numbered if need be. */
static char *new_name(struct intern *names, struct slice text, size_t most)
{
	char *name = memory_get(most + 32), *end = name;

	if (text.len == 0 || (text.len >= 7 && strncasecmp(text.at, "sqlite_", 7) == 0))
		*end++ = '_';
	for (size_t i = 0, n; i < text.len; i += n) {
		n = utf8_sequence(text.at + i, text.len - i);
		if ((size_t)(end - name) + n > most)
			break;
		if (n == 0 || (unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f) {
			*end++ = '_';
			n = 1;
		} else {
			memcpy(end, text.at + i, n);
			end += n;
		}
	}
	*end = '\0';
	for (unsigned i = 2; lower_id(names, name, false) != UINT32_MAX; i++)
		snprintf(end, 24, "_%u", i);
	lower_id(names, name, true);
	return name;
}

/* ---- what is in the database ---- */

static void forget_inserts(struct store *s)
{
	uint64_t *keys = table_keys(s->inserts);

	for (size_t i = 0; i < table_count(s->inserts); i++) {
		struct insert *insert = table_find(s->inserts, keys[i]);

		sqlite3_finalize(insert->statement);
		free(insert->fields);
	}
	free(keys);
	table_free(s->inserts);
	s->inserts = table_new(sizeof(struct insert));
}

static void forget(struct store *s)
{
	forget_inserts(s);
	for (size_t i = 0; i < s->n; i++) {
		for (uint32_t c = 0; c < intern_count(s->sheets[i].keys); c++)
			free(s->sheets[i].columns[c].name);
		free(s->sheets[i].columns);
		free(s->sheets[i].name);
		intern_free(s->sheets[i].keys);
		intern_free(s->sheets[i].names);
	}
	s->n = 0;
	s->named = NULL;
	intern_free(s->evs);
	intern_free(s->names);
	s->evs = intern_new();
	s->names = intern_new();
}

static struct sheet *add_sheet(struct store *s, char *name)
{
	static const char *const ours[] = { "seq", "run", "more", "key_order" };
	struct sheet *sheet;

	s->sheets = memory_grow(s->sheets, &s->room, s->n + 1, sizeof *s->sheets);
	sheet = &s->sheets[s->n++];
	*sheet = (struct sheet){ .name = name, .keys = intern_new(), .names = intern_new() };
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		lower_id(sheet->names, ours[i], true);
	return sheet;
}

static struct column *add_column(struct sheet *sheet, struct slice key, char *name)
{
	uint32_t id = intern_id(sheet->keys, key);

	sheet->columns = memory_grow(sheet->columns, &sheet->room, id + 1, sizeof *sheet->columns);
	sheet->columns[id] = (struct column){ .name = name, .text = kind_of(key) == KIND_TEXT };
	return &sheet->columns[id];
}

static void know_ev(struct store *s, struct slice ev, size_t sheet)
{
	uint32_t id = intern_id(s->evs, ev);

	s->sheet_of_ev = memory_grow(s->sheet_of_ev, &s->evs_room, id + 1, sizeof *s->sheet_of_ev);
	s->sheet_of_ev[id] = (uint32_t)sheet;
}

static void load_columns(struct store *s, struct sheet *sheet)
{
	sqlite3_stmt *q = database_prepare(s->db, "SELECT key, \"column\", indexed, types FROM columns "
						  "WHERE \"table\" = ? ORDER BY position");

	database_bind_text(q, 1, slice_of(sheet->name));
	for (uint32_t position = 0; database_step(s->db, q); position++) {
		struct column *column = add_column(sheet, database_text(q, 0), memory_copy(database_text(q, 1)));
		struct slice types = database_text(q, 3);

		lower_id(sheet->names, column->name, true);
		column->position = position;
		column->indexed = sqlite3_column_int(q, 2);
		for (unsigned i = 0; i < TYPES; i++)
			if (slice_equal(types, slice_of(type_names[i])))
				column->types = column->types_stored = i;
	}
	sqlite3_finalize(q);
}

static void load(struct store *s)
{
	sqlite3_stmt *q;

	forget(s);
	q = database_prepare(s->db, "SELECT name FROM sqlite_schema");
	while (database_step(s->db, q)) {
		char *name = memory_copy(database_text(q, 0));

		lower_id(s->names, name, true);
		free(name);
	}
	sqlite3_finalize(q);
	q = database_prepare(s->db, "SELECT name, ev, more, key_order FROM tables");
	while (database_step(s->db, q)) {
		struct sheet *sheet = add_sheet(s, memory_copy(database_text(q, 0)));

		sheet->has_more = sqlite3_column_int(q, 2);
		sheet->has_order = sqlite3_column_int(q, 3);
		if (sqlite3_column_type(q, 1) != SQLITE_NULL)
			know_ev(s, database_text(q, 1), s->n - 1);
		load_columns(s, sheet);
	}
	sqlite3_finalize(q);
	s->seq = database_number(s->db, "SELECT coalesce(max(last_seq), 0) FROM runs");
}

/* ---- transactions ---- */

static void run_statement(struct store *s, sqlite3_stmt *statement)
{
	database_step(s->db, statement);
	sqlite3_reset(statement);
}

static void begin(struct store *s)
{
	int64_t version;

	run_statement(s, s->begin);
	s->in_transaction = true;
	database_step(s->db, s->version);
	version = sqlite3_column_int64(s->version, 0);
	sqlite3_reset(s->version);
	if (version != s->data_version)	/* another program has written */
		load(s);
	s->data_version = version;
}

static void store_types(struct store *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct sheet *sheet = &s->sheets[i];

		for (uint32_t c = 0; c < intern_count(sheet->keys); c++) {
			struct column *column = &sheet->columns[c];

			if (column->types == column->types_stored)
				continue;
			sqlite3_bind_text(s->types, 1, type_names[column->types], -1, SQLITE_STATIC);
			sqlite3_bind_text(s->types, 2, sheet->name, -1, SQLITE_STATIC);
			sqlite3_bind_text(s->types, 3, column->name, -1, SQLITE_STATIC);
			run_statement(s, s->types);
			column->types_stored = column->types;
		}
	}
}

static void update_run(struct store *s, bool complete)
{
	sqlite3_bind_int64(s->update, 1, (int64_t)s->rows);
	if (s->first_ts <= s->last_ts) {
		sqlite3_bind_int64(s->update, 2, s->first_ts);
		sqlite3_bind_int64(s->update, 3, s->last_ts);
	}
	if (s->rows) {
		sqlite3_bind_int64(s->update, 4, s->first_seq);
		sqlite3_bind_int64(s->update, 5, s->seq);
	}
	if (s->loss.unknown)
		sqlite3_bind_null(s->update, 6);
	else
		sqlite3_bind_int64(s->update, 6, (int64_t)s->loss.events);
	sqlite3_bind_int(s->update, 7, complete);
	sqlite3_bind_int64(s->update, 8, s->run);
	run_statement(s, s->update);
}

static void commit(struct store *s, bool complete)
{
	store_types(s);
	update_run(s, complete);
	run_statement(s, s->commit);
	s->in_transaction = false;
	s->in_batch = 0;
	s->committed = s->rows;
}

static void commit_when_idle(void *store)
{
	struct store *s = store;

	if (s->in_transaction)
		commit(s, false);
}

/* ---- tables and columns ---- */

static size_t create_sheet(struct store *s, struct slice name, bool of_ev, struct slice ev)
{
	sqlite3_stmt *q;
	struct sheet *sheet = add_sheet(s, new_name(s->names, name, NAME_MAX_BYTES));

	database_run(s->db, "CREATE TABLE \"%w\"(seq INTEGER PRIMARY KEY, run)", sheet->name);
	q = database_prepare(s->db, "INSERT INTO tables(name, ev) VALUES(?, ?)");
	database_bind_text(q, 1, slice_of(sheet->name));
	if (of_ev) {
		know_ev(s, ev, s->n - 1);
		database_bind_text(q, 2, ev);
	}
	run_statement(s, q);
	sqlite3_finalize(q);
	return s->n - 1;
}

static size_t named_sheet(struct store *s, const char *name)
{
	if (s->named == name)
		return s->named_sheet;
	s->named = name;
	for (s->named_sheet = 0; s->named_sheet < s->n; s->named_sheet++)
		if (strcasecmp(s->sheets[s->named_sheet].name, name) == 0)
			return s->named_sheet;
	create_sheet(s, slice_of(name), false, (struct slice){ 0 });
	if (strcmp(s->sheets[s->named_sheet].name, name))
		message_die("cannot create the table %s in %s: the name is taken, or cannot be one", name, s->path);
	return s->named_sheet;
}

/* The index of the table that the record goes to. */
static size_t sheet_of(struct store *s, const struct record *record)
{
	const struct slice *value = lookup_value(&s->ev, record);
	char *plain = NULL;
	struct slice ev;
	uint32_t id;
	size_t sheet;

	if (s->only)
		return named_sheet(s, s->only);
	if (!value)
		return named_sheet(s, "records");
	ev = *value;
	if (reader_escaped(ev)) {
		plain = memory_get(ev.len);
		ev = (struct slice){ plain, reader_unescape(ev, plain) };
	}
	id = intern_find(s->evs, ev);
	if (id != UINT32_MAX)
		sheet = s->sheet_of_ev[id];
	else if (s->n < TABLES_MAX)
		sheet = create_sheet(s, ev, true, ev);
	else
		sheet = named_sheet(s, "other");
	free(plain);
	return sheet;
}

/* Makes a column for KEY, at POSITION among the keys of the table. */
static void create_column(struct store *s, struct sheet *sheet, struct slice key, uint32_t position)
{
	struct column *column = add_column(sheet, key, new_name(sheet->names, key, key.len));
	sqlite3_stmt *q;

	database_run(s->db, "ALTER TABLE \"%w\" ADD COLUMN \"%w\" %s", sheet->name, column->name,
		     column->text ? "TEXT" : "");
	for (uint32_t c = 0; c + 1 < intern_count(sheet->keys); c++)
		sheet->columns[c].position += sheet->columns[c].position >= position;
	if (position + 1 < intern_count(sheet->keys))
		database_run(s->db, "UPDATE columns SET position = position + 1 WHERE \"table\" = %Q AND "
				    "position >= %u", sheet->name, position);
	column->position = position;
	q = database_prepare(s->db, "INSERT INTO columns(\"table\", \"column\", key, position, unit) "
				    "VALUES(?, ?, ?, ?, ?)");
	database_bind_text(q, 1, slice_of(sheet->name));
	database_bind_text(q, 2, slice_of(column->name));
	database_bind_text(q, 3, key);
	sqlite3_bind_int64(q, 4, position);
	sqlite3_bind_text(q, 5, kind_unit(key), -1, SQLITE_STATIC);
	run_statement(s, q);
	sqlite3_finalize(q);
}

static void create_extra(struct store *s, const char *sheet, const char *column)
{
	database_run(s->db, "ALTER TABLE \"%w\" ADD COLUMN %s", sheet, column);
	database_run(s->db, "UPDATE tables SET %s = 1 WHERE name = %Q", column, sheet);
}

/* Places the fields of a shape: makes the columns that are missing. True: its keys are in the table's order. */
static bool place(struct store *s, struct sheet *sheet, const struct shape *shape, struct insert *insert)
{
	uint32_t position = 0;	/* behind the last key */
	bool ordered = true, more = false;

	for (uint32_t i = 0; i < shape->n; i++) {
		uint32_t column = intern_find(sheet->keys, shape->key[i]);

		if (column == UINT32_MAX && intern_count(sheet->keys) < COLUMNS_MAX &&
		    shape->key[i].len <= NAME_MAX_BYTES) {
			create_column(s, sheet, shape->key[i], position);
			column = intern_count(sheet->keys) - 1;
		}
		insert->fields[i].column = column;
		if (column == UINT32_MAX) {
			more = true;
			continue;
		}
		insert->fields[i].text = sheet->columns[column].text;
		ordered &= !more && sheet->columns[column].position >= position;
		position = sheet->columns[column].position + 1;
	}
	if (more && !sheet->has_more) {
		create_extra(s, sheet->name, "more");
		sheet->has_more = true;
	}
	if (!ordered && !sheet->has_order) {
		create_extra(s, sheet->name, "key_order");
		sheet->has_order = true;
	}
	insert->more = more;
	return ordered;
}

/* The keys in their order, with a blank between them. */
static void bind_order(sqlite3_stmt *statement, int parameter, const struct shape *shape)
{
	sqlite3_str *text = sqlite3_str_new(NULL);

	for (uint32_t i = 0; i < shape->n; i++) {
		if (i)
			sqlite3_str_appendchar(text, 1, ' ');
		sqlite3_str_append(text, shape->key[i].at, (int)shape->key[i].len);
	}
	sqlite3_bind_text64(statement, parameter, sqlite3_str_value(text), (sqlite3_uint64)sqlite3_str_length(text),
			    SQLITE_TRANSIENT, SQLITE_UTF8);
	sqlite3_free(sqlite3_str_finish(text));
}

/* INSERT with the parameters: 1 seq, 2 run, from 3 the columns in the shape's order, more, key_order. */
static void prepare_insert(struct store *s, struct sheet *sheet, const struct shape *shape,
			   struct insert *insert)
{
	sqlite3_str *sql = sqlite3_str_new(s->db);
	int parameters = 2;
	bool ordered;
	char *text;

	insert->fields = memory_get(shape->n * sizeof *insert->fields);
	ordered = place(s, sheet, shape, insert);
	sqlite3_str_appendf(sql, "INSERT INTO \"%w\"(seq, run", sheet->name);
	for (uint32_t i = 0; i < shape->n; i++) {
		if (insert->fields[i].column == UINT32_MAX)
			continue;
		sqlite3_str_appendf(sql, ", \"%w\"", sheet->columns[insert->fields[i].column].name);
		parameters++;
	}
	if (insert->more) {
		sqlite3_str_appendall(sql, ", more");
		insert->more = ++parameters;
	}
	if (!ordered) {
		sqlite3_str_appendall(sql, ", key_order");
		parameters++;
	}
	sqlite3_str_appendall(sql, ") VALUES(?");
	for (int i = 1; i < parameters; i++)
		sqlite3_str_appendall(sql, ",?");
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	if (!text)
		message_die("cannot write %s: out of memory", s->path);
	insert->statement = database_prepare(s->db, text);
	sqlite3_free(text);
	sqlite3_bind_int64(insert->statement, 2, s->run);
	if (!ordered)
		bind_order(insert->statement, parameters, shape);
}

/* ---- rows ---- */

/* Binds the fields without a column as they stand in the record. */
static void bind_more(struct store *s, const struct insert *insert, const struct record *record)
{
	char *to;

	s->more = memory_grow(s->more, &s->more_room, record->len, 1);
	to = s->more;
	for (uint32_t i = 0; i < record->shape->n; i++) {
		const char *key = record->value[i].at - record->shape->key[i].len - 1;
		size_t len = record->shape->key[i].len + 1 + record->value[i].len;

		if (insert->fields[i].column != UINT32_MAX)
			continue;
		if (to > s->more)
			*to++ = '\t';
		memcpy(to, key, len);
		to += len;
	}
	database_bind_text(insert->statement, insert->more, (struct slice){ s->more, (size_t)(to - s->more) });
}

static void put_row(struct store *s, struct column *columns, const struct insert *insert,
		    const struct record *record)
{
	char *scratch;
	int parameter = 3;

	s->scratch = memory_grow(s->scratch, &s->scratch_room, record->len, 1);
	scratch = s->scratch;
	sqlite3_bind_int64(insert->statement, 1, ++s->seq);
	for (uint32_t i = 0; i < record->shape->n; i++) {
		const struct field *field = &insert->fields[i];

		if (field->column == UINT32_MAX)
			continue;
		columns[field->column].types |= (unsigned)database_bind(insert->statement, parameter++,
									 record->value[i], field->text,
									 &scratch);
	}
	if (insert->more)
		bind_more(s, insert, record);
	if (sqlite3_step(insert->statement) != SQLITE_DONE)
		database_die(s->db, "write");
	sqlite3_reset(insert->statement);
}

static void put(struct store *s, const struct record *record)
{
	const struct shape *shape = record->shape;
	struct insert passing = { 0 }, *insert;
	int64_t ts;
	size_t sheet;

	if (!s->in_transaction)
		begin(s);
	loss_is(&s->loss, record);
	sheet = sheet_of(s, record);
	if (shape->id == SHAPE_PASSING) {
		insert = &passing;
	} else {
		if (table_count(s->inserts) >= STATEMENTS_MAX)
			forget_inserts(s);
		insert = table_at(s->inserts, (uint64_t)sheet << 32 | shape->id);
	}
	if (!insert->statement)
		prepare_insert(s, &s->sheets[sheet], shape, insert);
	put_row(s, s->sheets[sheet].columns, insert, record);
	if (insert == &passing) {
		sqlite3_finalize(passing.statement);
		free(passing.fields);
	}
	if (lookup_i64(&s->ts, record, &ts)) {
		s->first_ts = ts < s->first_ts ? ts : s->first_ts;
		s->last_ts = ts > s->last_ts ? ts : s->last_ts;
	}
	if (s->rows++ == 0)
		s->first_seq = s->seq;
	s->in_batch++;
}

/* ---- begin and end ---- */

/* Makes the file, so that only one program can; with -a one that exists is taken. */
static void create_file(const char *path, bool append)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | (append ? 0 : O_EXCL), 0666);

	if (fd < 0 && errno == EEXIST)
		message_die("cannot create %s: it exists (-a adds to it)", path);
	if (fd < 0)
		message_die("cannot %s %s: %m", append ? "open" : "create", path);
	close(fd);
}

static void create_schema(struct store *s)
{
	database_run(s->db, "CREATE TABLE runs(id INTEGER PRIMARY KEY, source TEXT, begin_ns, end_ns, first_ts, "
			    "last_ts, first_seq, last_seq, rows, lost, complete, version TEXT)");
	database_run(s->db, "CREATE TABLE tables(name TEXT PRIMARY KEY, ev, more, key_order) WITHOUT ROWID");
	database_run(s->db, "CREATE TABLE columns(\"table\" TEXT, \"column\" TEXT, key TEXT, position, unit TEXT, "
			    "types TEXT, indexed, PRIMARY KEY(\"table\", \"column\")) WITHOUT ROWID");
	database_run(s->db, "PRAGMA application_id = %d", APPLICATION);
	database_run(s->db, "PRAGMA user_version = %d", FORMAT);
}

static void check_schema(struct store *s)
{
	int64_t format;

	if (database_number(s->db, "SELECT count(*) FROM sqlite_schema") == 0) {
		create_schema(s);
		return;
	}
	format = database_number(s->db, "PRAGMA user_version");
	if (database_number(s->db, "PRAGMA application_id") != APPLICATION)
		message_die("cannot add to %s: to-sqlite did not make it (attach it to a database of its own)",
			    s->path);
	if (format != FORMAT)
		message_die("cannot add to %s: it has format %lld, and this program knows %d", s->path,
			    (long long)format, FORMAT);
}

static void insert_run(struct store *s, const struct option_list *files)
{
	sqlite3_stmt *q = database_prepare(s->db, "INSERT INTO runs(source, begin_ns, rows, lost, complete, "
						  "version) VALUES(?, ?, 0, 0, 0, ?)");
	sqlite3_str *source = sqlite3_str_new(NULL);
	struct slice text;

	for (size_t i = 0; i < files->count; i++)
		sqlite3_str_appendf(source, "%s%s", i ? " " : "", files->items[i]);
	if (files->count == 0)
		sqlite3_str_appendall(source, "stdin");
	text = (struct slice){ sqlite3_str_value(source), (size_t)sqlite3_str_length(source) };
	database_bind_text(q, 1, text);
	sqlite3_bind_int64(q, 2, clock_epoch());
	sqlite3_bind_text(q, 3, WEIR_VERSION, -1, SQLITE_STATIC);
	run_statement(s, q);
	s->run = sqlite3_last_insert_rowid(s->db);
	sqlite3_finalize(q);
	sqlite3_free(sqlite3_str_finish(source));
}

static void start(struct store *s, const struct option_list *files)
{
	/* Write-ahead logging: what is committed survives a kill, and others read while this writes. */
	database_run(s->db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000; "
			    "PRAGMA secure_delete = OFF");
	s->begin = database_prepare(s->db, "BEGIN IMMEDIATE");
	s->commit = database_prepare(s->db, "COMMIT");
	s->version = database_prepare(s->db, "PRAGMA data_version");
	run_statement(s, s->begin);
	check_schema(s);
	s->update = database_prepare(s->db, "UPDATE runs SET rows = ?, first_ts = ?, last_ts = ?, first_seq = ?, "
					    "last_seq = ?, lost = ?, complete = ? WHERE id = ?");
	s->types = database_prepare(s->db, "UPDATE columns SET types = ? WHERE \"table\" = ? AND \"column\" = ?");
	insert_run(s, files);
	load(s);
	database_step(s->db, s->version);
	s->data_version = sqlite3_column_int64(s->version, 0);
	sqlite3_reset(s->version);
	run_statement(s, s->commit);
}

/* One index of one table, in a transaction of its own. */
static void create_index(struct store *s, struct sheet *sheet, struct column *column)
{
	char *both = memory_get(strlen(sheet->name) + strlen(column->name) + 2), *name;

	sprintf(both, "%s.%s", sheet->name, column->name);
	name = new_name(s->names, slice_of(both), strlen(both));
	database_run(s->db, "CREATE INDEX \"%w\" ON \"%w\"(\"%w\")", name, sheet->name, column->name);
	database_run(s->db, "UPDATE columns SET indexed = 1 WHERE \"table\" = %Q AND \"column\" = %Q", sheet->name,
		     column->name);
	column->indexed = true;
	free(name);
	free(both);
}

static void create_indexes(struct store *s, const char *list)
{
	char **keys = options_split(list);

	begin(s);
	for (size_t i = 0; i < s->n; i++) {
		for (char **key = keys; *key; key++) {
			uint32_t column = intern_find(s->sheets[i].keys, slice_of(*key));

			if (column != UINT32_MAX && !s->sheets[i].columns[column].indexed)
				create_index(s, &s->sheets[i], &s->sheets[i].columns[column]);
		}
	}
	run_statement(s, s->commit);
	s->in_transaction = false;
	free(keys);
}

static void finish(struct store *s)
{
	sqlite3_stmt *statements[] = { s->begin, s->commit, s->version, s->update, s->types };

	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
		sqlite3_finalize(statements[i]);
	forget(s);
	database_close(s->db);
	intern_free(s->evs);
	intern_free(s->names);
	table_free(s->inserts);
	lookup_free(&s->ts);
	lookup_free(&s->ev);
	free(s->sheets);
	free(s->sheet_of_ev);
	free(s->scratch);
	free(s->more);
}

/* ---- signals ---- */

static volatile sig_atomic_t stopped;	/* the signal */
static int stop_event = -1;
static bool outlive_interrupt;
static sqlite3 *interruptible;	/* set while work is done that may be left undone */

static void on_signal(int number)
{
	uint64_t one = 1;

	if (number == SIGINT && outlive_interrupt) {	/* the program that feeds the pipe ends: read on */
		outlive_interrupt = false;
		return;
	}
	stopped = number;
	signal(number, SIG_DFL);
	if (write(stop_event, &one, sizeof one) < 0 || interruptible)
		sqlite3_interrupt(interruptible);
}

static void catch_signals(const struct option_list *files)
{
	static const int caught[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	struct stat st;

	outlive_interrupt = files->count == 0 && (fstat(STDIN_FILENO, &st) || !S_ISREG(st.st_mode));
	stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(caught[i], &action, NULL);
	signal(SIGXFSZ, SIG_IGN);	/* a file's size limit is an error as a full disk is */
}

int main(int argc, char **argv)
{
	const char *indexes = "ts,tid";
	bool append = false, strict = false, force = false, none = false, good;
	uint64_t batch = BATCH, wait_ns = 10000000000;
	struct option_list files = { 0 };
	struct store s = { .first_ts = INT64_MAX, .last_ts = INT64_MIN, .loss = LOSS, .ts = LOOKUP("ts"),
			   .ev = LOOKUP("ev") };
	const struct option options[] = {
		{ 'a', "append", NULL, "add to the database when there is one", OPTION_FLAG, .to = &append },
		{ 'f', "file", "FILE", "read FILE instead of stdin; may be repeated", OPTION_LIST, .to = &files },
		{ 0, "table", "NAME", "put all records into this table", OPTION_TEXT, .to = &s.only },
		{ 0, "index", "KEY,...", "index these columns when the records are in (ts,tid; '' for none)",
		  OPTION_TEXT, .to = &indexes },
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
	const struct record *record;
	struct progress progress;
	struct reader *in;
	int status;

	(void)argc;
	if (!operands[0] || operands[1])
		message_usage("cannot store: one database is wanted");
	files.items = memory_grow(files.items, &files.room, files.count + 1, sizeof *files.items);
	files.items[files.count] = NULL;
	s.path = operands[0];
	s.inserts = table_new(sizeof(struct insert));
	catch_signals(&files);
	create_file(s.path, append);
	s.db = database_open(s.path, SQLITE_OPEN_READWRITE, wait_ns);
	start(&s, &files);

	in = reader_open((char **)(uintptr_t)files.items, NULL);
	reader_on_idle(in, commit_when_idle, &s);
	reader_stop_on(in, stop_event);
	progress_start(&progress, "records", force, none);
	while ((record = reader_next(in))) {
		put(&s, record);
		if (s.in_batch == batch)
			commit(&s, false);
		progress_at(&progress, reader_bytes(in), reader_size(in), s.rows);
	}
	good = reader_close(in) && !stopped;
	if (!s.in_transaction)
		begin(&s);
	commit(&s, good);
	progress_end(&progress);
	if (!stopped)
		create_indexes(&s, indexes);
	/* One file again, which a directory that cannot be written does not hinder. Others may still read. */
	sqlite3_busy_timeout(s.db, 0);
	sqlite3_exec(s.db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	message("%llu records into %zu tables of %s, run %lld%s", (unsigned long long)s.rows, s.n, s.path,
		(long long)s.run, good ? "" : ", which is marked as incomplete");
	status = good ? EXIT_COMPLETE : EXIT_FAILED;
	if (loss_report(&s.loss, "what was stored is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	finish(&s);
	free(files.items);
	return status;
}
