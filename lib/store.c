// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "database.h"
#include "intern.h"
#include "kind.h"
#include "memory.h"
#include "message.h"
#include "options.h"
#include "table.h"
#include "utf8.h"
#include "views.h"

enum {
	APPLICATION = 0x77656972,	/* `weir`, in the database's header */
	FORMAT = 1,
	TABLES_MAX = 1000,
	COLUMNS_MAX = 1990,	/* SQLite allows 2000; seq, run, more and key_order are ours */
	NAME_MAX_BYTES = 100,
	PLANS_MAX = 2000,
	ROWS = 512,		/* that wait for one INSERT: they fit the second-level cache */
	ROOM = 256 << 10,	/* their text */
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
	sqlite3_stmt *insert;	/* NULL after a change of the columns */
	struct row *first, *last;	/* that wait */
};

/* Where the fields of records of one shape go in one table. */
struct plan {
	uint32_t *field;	/* of each of the first n columns; NO_FIELD */
	uint32_t n;
	bool more;		/* some fields have no column */
	char *order;		/* the keys, where they are not in the table's order */
};
#define NO_FIELD UINT32_MAX

struct row {
	size_t sheet;
	const struct plan *plan;
	struct row *next;	/* of the same table */
	int64_t seq;
	struct slice *value, more;
};

struct store {
	sqlite3 *db;
	const char *path, *only;	/* the table of --table, or NULL */
	struct sheet *sheets;
	size_t n, room;
	struct intern *evs;
	uint32_t *sheet_of_ev;
	size_t evs_room;
	struct intern *names;	/* in the schema, in lower case */
	const char *named;	/* the name that named_sheet() was asked for last, and its answer */
	size_t named_sheet;
	struct table *plans;	/* struct plan *, by sheet << 32 | shape */
	sqlite3_stmt *begin, *commit, *version, *update, *types;
	int64_t run, seq, data_version, first_seq;
	int64_t first_ts, last_ts;
	uint64_t rows;
	bool in_transaction, reshaped;	/* since the views were made */
	const struct loss *loss;
	struct lookup ts, ev;
	struct row row[ROWS];	/* that wait */
	size_t waiting;
	char *text;		/* what they hold: lines, slices */
	size_t text_room, text_used;
	struct sheet *feeding;	/* whose rows the virtual table `feed` gives */
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

/* A name like TEXT that NAMES does not hold yet, and now does: cleaned, shortened, numbered. */
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

/* A table that a user names has that name or none. */
bool store_is_table_name(const char *name)
{
	size_t len = strlen(name);

	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return len > 0 && len <= NAME_MAX_BYTES && utf8_valid(slice_of(name)) &&
	       strncasecmp(name, "sqlite_", 7) != 0 && strcasecmp(name, "runs") != 0 &&
	       strcasecmp(name, "tables") != 0 && strcasecmp(name, "columns") != 0 &&
	       strcasecmp(name, "settings") != 0;
}

/* ---- what is in the database ---- */

static void free_plan(struct plan *plan)
{
	free(plan->field);
	free(plan->order);
	free(plan);
}

static void forget_plans(struct store *s)
{
	uint64_t *keys = table_keys(s->plans);

	for (size_t i = 0; i < table_count(s->plans); i++)
		free_plan(*(struct plan **)table_find(s->plans, keys[i]));
	free(keys);
	table_free(s->plans);
	s->plans = table_new(sizeof(struct plan *));
}

static void forget(struct store *s)
{
	forget_plans(s);
	for (size_t i = 0; i < s->n; i++) {
		sqlite3_finalize(s->sheets[i].insert);
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
	q = database_prepare(s->db, VIEWS_OTHER_NAMES);
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
	if (s->loss->unknown)
		sqlite3_bind_null(s->update, 6);
	else
		sqlite3_bind_int64(s->update, 6, (int64_t)s->loss->events);
	sqlite3_bind_int(s->update, 7, complete);
	sqlite3_bind_int64(s->update, 8, clock_epoch());
	sqlite3_bind_int64(s->update, 9, s->run);
	run_statement(s, s->update);
}

static void flush(struct store *s);

/* LAST: the run ends here. */
static void commit(struct store *s, bool complete, bool last)
{
	flush(s);
	store_types(s);
	update_run(s, complete);
	if (s->reshaped || last)
		views_make(s->db, last);
	s->reshaped = false;
	run_statement(s, s->commit);
	s->in_transaction = false;
}

void store_commit(struct store *s)
{
	if (s->in_transaction)
		commit(s, false, false);
}

void store_complete(struct store *s, bool complete)
{
	if (!s->in_transaction)
		begin(s);
	commit(s, complete, true);
}

/* ---- tables and columns ---- */

static size_t create_sheet(struct store *s, struct slice name, bool of_ev, struct slice ev)
{
	sqlite3_stmt *q;
	struct sheet *sheet = add_sheet(s, new_name(s->names, name, NAME_MAX_BYTES));

	s->reshaped = true;
	views_give_way(s->db, sheet->name);
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

static void forget_insert(struct sheet *sheet)
{
	sqlite3_finalize(sheet->insert);
	sheet->insert = NULL;
}

/* Makes a column for KEY, at POSITION among the keys of the table. */
static void create_column(struct store *s, struct sheet *sheet, struct slice key, uint32_t position)
{
	struct column *column = add_column(sheet, key, new_name(sheet->names, key, key.len));
	sqlite3_stmt *q;

	forget_insert(sheet);
	s->reshaped = true;
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

static void create_extra(struct store *s, struct sheet *sheet, const char *column)
{
	forget_insert(sheet);
	database_run(s->db, "ALTER TABLE \"%w\" ADD COLUMN %s", sheet->name, column);
	database_run(s->db, "UPDATE tables SET %s = 1 WHERE name = %Q", column, sheet->name);
}

/* The keys in their order, with a blank between them. */
static char *join_keys(const struct shape *shape)
{
	size_t room = 1;
	char *text, *to;

	for (uint32_t i = 0; i < shape->n; i++)
		room += shape->key[i].len + 1;
	text = to = memory_get(room);
	for (uint32_t i = 0; i < shape->n; i++) {
		if (i)
			*to++ = ' ';
		memcpy(to, shape->key[i].at, shape->key[i].len);
		to += shape->key[i].len;
	}
	*to = '\0';
	return text;
}

/* Plans where the fields of a shape go, and makes the columns that are missing. */
static struct plan *make_plan(struct store *s, struct sheet *sheet, const struct shape *shape)
{
	struct plan *plan = memory_zeroed(sizeof *plan);
	uint32_t position = 0;	/* behind the last key */
	bool ordered = true;

	for (uint32_t i = 0; i < shape->n; i++) {
		uint32_t column = intern_find(sheet->keys, shape->key[i]);

		if (column == UINT32_MAX && intern_count(sheet->keys) < COLUMNS_MAX &&
		    shape->key[i].len <= NAME_MAX_BYTES) {
			create_column(s, sheet, shape->key[i], position);
			column = intern_count(sheet->keys) - 1;
		}
		if (column == UINT32_MAX) {
			plan->more = true;
			continue;
		}
		ordered &= !plan->more && sheet->columns[column].position >= position;
		position = sheet->columns[column].position + 1;
	}
	plan->n = intern_count(sheet->keys);
	plan->field = memory_get(plan->n * sizeof *plan->field);
	memset(plan->field, 0xff, plan->n * sizeof *plan->field);
	for (uint32_t i = 0; i < shape->n; i++) {
		uint32_t column = intern_find(sheet->keys, shape->key[i]);

		if (column != UINT32_MAX)
			plan->field[column] = i;
	}
	if (!ordered)
		plan->order = join_keys(shape);
	if (plan->more && !sheet->has_more) {
		create_extra(s, sheet, "more");
		sheet->has_more = true;
	}
	if (!ordered && !sheet->has_order) {
		create_extra(s, sheet, "key_order");
		sheet->has_order = true;
	}
	return plan;
}

/* ---- the feed: a virtual table over the rows that wait ---- */

/*
 * INSERT ... SELECT from a virtual table, some hundred rows at a time, was measured a quarter faster than
 * an INSERT for each row, and it needs one statement for a table, whatever the shapes of its records.
 */
enum { FEED_SEQ, FEED_MORE, FEED_ORDER, FEED_COLUMNS };

struct feed {
	sqlite3_vtab base;
	struct store *store;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct sheet *sheet;
	struct row *row;
};

static int feed_connect(sqlite3 *db, void *store, int argc, const char *const *argv, sqlite3_vtab **table,
			char **error)
{
	sqlite3_str *sql = sqlite3_str_new(db);
	struct feed *feed = memory_zeroed(sizeof *feed);
	char *text;
	int result;

	(void)argc;
	(void)argv;
	(void)error;
	sqlite3_str_appendall(sql, "CREATE TABLE feed(seq, more, key_order");
	for (int i = 0; i < COLUMNS_MAX; i++)
		sqlite3_str_appendf(sql, ", c%d", i);
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	result = text ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;
	sqlite3_free(text);
	feed->store = store;
	*table = &feed->base;
	return result;
}

static int feed_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

static int feed_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = ROWS;
	return SQLITE_OK;
}

static int feed_open(sqlite3_vtab *table, sqlite3_vtab_cursor **opened)
{
	struct cursor *cursor = memory_zeroed(sizeof *cursor);

	(void)table;
	*opened = &cursor->base;
	return SQLITE_OK;
}

static int feed_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int feed_filter(sqlite3_vtab_cursor *base, int index, const char *text, int argc, sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;

	(void)index;
	(void)text;
	(void)argc;
	(void)argv;
	cursor->sheet = ((struct feed *)base->pVtab)->store->feeding;
	cursor->row = cursor->sheet->first;
	return SQLITE_OK;
}

static int feed_next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	cursor->row = cursor->row->next;
	return SQLITE_OK;
}

static int feed_eof(sqlite3_vtab_cursor *base)
{
	return !((struct cursor *)base)->row;
}

static int feed_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
	struct cursor *cursor = (struct cursor *)base;
	struct row *row = cursor->row;
	const struct plan *plan = row->plan;
	uint32_t c = (uint32_t)index - FEED_COLUMNS;

	if (index >= FEED_COLUMNS) {
		struct column *column = &cursor->sheet->columns[c];

		if (c < plan->n && plan->field[c] != NO_FIELD)
			column->types |= (unsigned)database_result(context, &row->value[plan->field[c]],
								   column->text);
	} else if (index == FEED_SEQ) {
		sqlite3_result_int64(context, row->seq);
	} else if (index == FEED_MORE && plan->more) {
		database_result_text(context, row->more);
	} else if (index == FEED_ORDER && plan->order) {
		database_result_text(context, slice_of(plan->order));
	}
	return SQLITE_OK;
}

static int feed_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = ((struct cursor *)base)->row->seq;
	return SQLITE_OK;
}

static const sqlite3_module feed_module = {
	.xConnect = feed_connect,
	.xDisconnect = feed_disconnect,
	.xBestIndex = feed_best_index,
	.xOpen = feed_open,
	.xClose = feed_close,
	.xFilter = feed_filter,
	.xNext = feed_next,
	.xEof = feed_eof,
	.xColumn = feed_column,
	.xRowid = feed_rowid,
};

static void prepare_insert(struct store *s, struct sheet *sheet)
{
	sqlite3_str *sql = sqlite3_str_new(s->db);
	uint32_t columns = intern_count(sheet->keys);
	const char *more = sheet->has_more ? ", more" : "", *order = sheet->has_order ? ", key_order" : "";
	char *text;

	sqlite3_str_appendf(sql, "INSERT INTO main.\"%w\"(seq, run%s%s", sheet->name, more, order);
	for (uint32_t c = 0; c < columns; c++)
		sqlite3_str_appendf(sql, ", \"%w\"", sheet->columns[c].name);
	sqlite3_str_appendf(sql, ") SELECT seq, %lld%s%s", (long long)s->run, more, order);
	for (uint32_t c = 0; c < columns; c++)
		sqlite3_str_appendf(sql, ", c%u", c);
	sqlite3_str_appendall(sql, " FROM temp.feed");
	text = sqlite3_str_finish(sql);
	if (!text)
		message_die("cannot write %s: out of memory", s->path);
	sheet->insert = database_prepare(s->db, text);
	sqlite3_free(text);
}

/* ---- rows ---- */

/* Inserts all rows that wait. */
static void flush(struct store *s)
{
	for (size_t i = 0; i < s->waiting; i++) {
		struct sheet *sheet = &s->sheets[s->row[i].sheet];

		if (!sheet->first)
			continue;
		if (!sheet->insert)
			prepare_insert(s, sheet);
		s->feeding = sheet;
		if (sqlite3_step(sheet->insert) != SQLITE_DONE)
			database_die(s->db, "write");
		sqlite3_reset(sheet->insert);
		sheet->first = sheet->last = NULL;
	}
	s->waiting = 0;
	s->text_used = 0;
}

/* The fields without a column, as they stand in the record; TO has room. */
static struct slice copy_more(char *to, const struct plan *plan, const struct record *record)
{
	char *begin = to;
	uint64_t has_column[RECORD_FIELDS_MAX / 64] = { 0 };

	for (uint32_t c = 0; c < plan->n; c++)
		if (plan->field[c] != NO_FIELD)
			has_column[plan->field[c] / 64] |= 1ull << plan->field[c] % 64;
	for (uint32_t i = 0; i < record->shape->n; i++) {
		size_t key = record->shape->key[i].len + 1, len = key + record->value[i].len;

		if (has_column[i / 64] >> i % 64 & 1)
			continue;
		if (to > begin)
			*to++ = '\t';
		memcpy(to, record->value[i].at - key, len);
		to += len;
	}
	return (struct slice){ begin, (size_t)(to - begin) };
}

/* Makes the record wait, as a copy: its values, its line, and what has no column. There is room. */
static void put_row(struct store *s, size_t sheet, const struct plan *plan, const struct record *record)
{
	struct row *row = &s->row[s->waiting++];
	struct slice *value = (struct slice *)(void *)(s->text + s->text_used);
	char *line = (char *)(value + record->shape->n);
	size_t used = record->shape->n * sizeof *value + record->len;

	memcpy(line, record->line, record->len);
	for (uint32_t i = 0; i < record->shape->n; i++)
		value[i] = (struct slice){ line + (record->value[i].at - record->line), record->value[i].len };
	*row = (struct row){ .sheet = sheet, .plan = plan, .seq = ++s->seq, .value = value };
	if (plan->more) {
		row->more = copy_more(line + record->len, plan, record);
		used += row->more.len;
	}
	s->text_used += (used + 15) & ~(size_t)15;
	if (s->sheets[sheet].last)
		s->sheets[sheet].last->next = row;
	else
		s->sheets[sheet].first = row;
	s->sheets[sheet].last = row;
}

static void make_room(struct store *s, const struct record *record)
{
	size_t most = record->shape->n * sizeof(struct slice) + 2 * record->len + 16;

	if (s->waiting == ROWS || s->text_used + most > s->text_room) {
		flush(s);
		if (most > s->text_room) {
			free(s->text);
			s->text_room = most > ROOM ? most : ROOM;
			s->text = memory_get(s->text_room);
		}
	}
}

void store_put(struct store *s, const struct record *record)
{
	const struct shape *shape = record->shape;
	struct plan *passing = NULL, **plan = &passing;
	int64_t ts;
	size_t sheet;

	if (!s->in_transaction)
		begin(s);
	make_room(s, record);
	sheet = sheet_of(s, record);
	if (shape->id != SHAPE_PASSING) {
		if (table_count(s->plans) >= PLANS_MAX) {
			flush(s);
			forget_plans(s);
		}
		plan = table_at(s->plans, (uint64_t)sheet << 32 | shape->id);
	}
	if (!*plan)
		*plan = make_plan(s, &s->sheets[sheet], shape);
	put_row(s, sheet, *plan, record);
	if (passing) {
		flush(s);
		free_plan(passing);
	}
	if (lookup_i64(&s->ts, record, &ts)) {
		s->first_ts = ts < s->first_ts ? ts : s->first_ts;
		s->last_ts = ts > s->last_ts ? ts : s->last_ts;
	}
	if (s->rows++ == 0)
		s->first_seq = s->seq;
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

static void insert_run(struct store *s, const char *source)
{
	sqlite3_stmt *q = database_prepare(s->db, "INSERT INTO runs(source, begin_ns, rows, lost, complete, "
						  "version) VALUES(?, ?, 0, 0, 0, ?)");

	database_bind_text(q, 1, slice_of(source));
	sqlite3_bind_int64(q, 2, clock_epoch());
	sqlite3_bind_text(q, 3, WEIR_VERSION, -1, SQLITE_STATIC);
	run_statement(s, q);
	s->run = sqlite3_last_insert_rowid(s->db);
	sqlite3_finalize(q);
}

static void start(struct store *s, const char *source)
{
	/* Write-ahead logging: what is committed survives a kill, and others read while this writes. */
	database_run(s->db, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000; "
			    "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8000; PRAGMA secure_delete = OFF");
	if (sqlite3_create_module(s->db, "feed", &feed_module, s) != SQLITE_OK)
		database_die(s->db, "use");
	s->begin = database_prepare(s->db, "BEGIN IMMEDIATE");
	s->commit = database_prepare(s->db, "COMMIT");
	s->version = database_prepare(s->db, "PRAGMA data_version");
	run_statement(s, s->begin);
	check_schema(s);
	views_settings(s->db);
	s->update = database_prepare(s->db, "UPDATE runs SET rows = ?, first_ts = ?, last_ts = ?, first_seq = ?, "
					    "last_seq = ?, lost = ?, complete = ?, end_ns = ? WHERE id = ?");
	s->types = database_prepare(s->db, "UPDATE columns SET types = ? WHERE \"table\" = ? AND \"column\" = ?");
	insert_run(s, source);
	load(s);
	database_step(s->db, s->version);
	s->data_version = sqlite3_column_int64(s->version, 0);
	sqlite3_reset(s->version);
	run_statement(s, s->commit);
}

/* One index of one table. With ts behind the key, one finds what came next of the same thread, file, ... */
static void create_index(struct store *s, struct sheet *sheet, struct column *column)
{
	uint32_t ts = intern_find(sheet->keys, SLICE("ts"));
	bool and_ts = ts != UINT32_MAX && column != &sheet->columns[ts];
	char *both = memory_get(strlen(sheet->name) + strlen(column->name) + 2), *name;

	sprintf(both, "%s.%s", sheet->name, column->name);
	name = new_name(s->names, slice_of(both), strlen(both));
	database_run(s->db, "CREATE INDEX \"%w\" ON \"%w\"(\"%w\"%s%w%s)", name, sheet->name, column->name,
		     and_ts ? ", \"" : "", and_ts ? sheet->columns[ts].name : "", and_ts ? "\"" : "");
	database_run(s->db, "UPDATE columns SET indexed = 1 WHERE \"table\" = %Q AND \"column\" = %Q", sheet->name,
		     column->name);
	column->indexed = true;
	free(name);
	free(both);
}

void store_index(struct store *s, const char *list)
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

struct store *store_open(const char *path, bool append, const char *table, const char *source,
			 const struct loss *loss, uint64_t wait_ns)
{
	struct store *s;

	create_file(path, append);
	s = memory_zeroed(sizeof *s);
	s->path = path;
	s->only = table;
	s->loss = loss;
	s->first_ts = INT64_MAX;
	s->last_ts = INT64_MIN;
	s->ts = (struct lookup)LOOKUP("ts");
	s->ev = (struct lookup)LOOKUP("ev");
	s->plans = table_new(sizeof(struct plan *));
	s->db = database_open(path, SQLITE_OPEN_READWRITE, wait_ns);
	start(s, source);
	return s;
}

struct store_totals store_totals(const struct store *s)
{
	return (struct store_totals){ s->rows, s->n, s->run };
}

void store_interrupt(struct store *s)
{
	sqlite3_interrupt(s->db);
}

void store_close(struct store *s)
{
	sqlite3_stmt *statements[] = { s->begin, s->commit, s->version, s->update, s->types };

	/* One file again, which a directory that cannot be written does not hinder. Others may still read. */
	sqlite3_busy_timeout(s->db, 0);
	sqlite3_exec(s->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
		sqlite3_finalize(statements[i]);
	forget(s);
	database_close(s->db);
	intern_free(s->evs);
	intern_free(s->names);
	table_free(s->plans);
	lookup_free(&s->ts);
	lookup_free(&s->ev);
	free(s->sheets);
	free(s->sheet_of_ev);
	free(s->text);
	free(s);
}
