// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "database/feed.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"

enum {
	ROWS = 512,		/* that wait for one INSERT: they fit the second-level cache */
	ROOM = 256 << 10,	/* their text */
};

struct row {
	size_t sheet;
	const struct mapping *mapping;
	struct row *next;	/* of the same table */
	int64_t seq;
	struct slice *value, more;
};

struct feed {
	struct catalog *catalog;
	int64_t run;
	struct row row[ROWS];	/* that wait */
	size_t waiting;
	char *text;		/* what they hold: lines, slices */
	size_t text_room, text_used;
	struct sheet *feeding;	/* whose rows the virtual table gives */
};

/* ---- the virtual table ---- */

enum { VTAB_SEQ, VTAB_MORE, VTAB_ORDER, VTAB_COLUMNS };

struct vtab {
	sqlite3_vtab base;
	const struct feed *feed;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct sheet *sheet;
	struct row *row;
};

static int vtab_connect(sqlite3 *db, void *feed, int argc, const char *const *argv, sqlite3_vtab **table,
			char **error)
{
	sqlite3_str *sql = sqlite3_str_new(db);
	struct vtab *vtab = memory_zeroed(sizeof *vtab);
	char *text;
	int result;

	(void)argc;
	(void)argv;
	(void)error;
	sqlite3_str_appendall(sql, "CREATE TABLE feed(seq, more, key_order");
	for (int i = 0; i < CATALOG_COLUMNS; i++)
		sqlite3_str_appendf(sql, ", c%d", i);
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	result = text ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;
	sqlite3_free(text);
	vtab->feed = feed;
	*table = &vtab->base;
	return result;
}

static int vtab_disconnect(sqlite3_vtab *table)
{
	free(table);
	return SQLITE_OK;
}

static int vtab_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedCost = ROWS;
	return SQLITE_OK;
}

static int vtab_open(sqlite3_vtab *table, sqlite3_vtab_cursor **opened)
{
	struct cursor *cursor = memory_zeroed(sizeof *cursor);

	(void)table;
	*opened = &cursor->base;
	return SQLITE_OK;
}

static int vtab_close(sqlite3_vtab_cursor *cursor)
{
	free(cursor);
	return SQLITE_OK;
}

static int vtab_filter(sqlite3_vtab_cursor *base, int index, const char *text, int argc, sqlite3_value **argv)
{
	struct cursor *cursor = (struct cursor *)base;

	(void)index;
	(void)text;
	(void)argc;
	(void)argv;
	cursor->sheet = ((struct vtab *)base->pVtab)->feed->feeding;
	cursor->row = cursor->sheet->first;
	return SQLITE_OK;
}

static int vtab_next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;

	cursor->row = cursor->row->next;
	return SQLITE_OK;
}

static int vtab_eof(sqlite3_vtab_cursor *base)
{
	return !((struct cursor *)base)->row;
}

static int vtab_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int index)
{
	struct cursor *cursor = (struct cursor *)base;
	struct row *row = cursor->row;
	const struct mapping *mapping = row->mapping;
	uint32_t c = (uint32_t)index - VTAB_COLUMNS;

	if (index >= VTAB_COLUMNS) {
		struct column *column = &cursor->sheet->columns[c];

		if (c < mapping->n && mapping->field[c] != MAPPING_NONE)
			column->types |= (unsigned)database_result(context, &row->value[mapping->field[c]],
								   column->text);
	} else if (index == VTAB_SEQ) {
		sqlite3_result_int64(context, row->seq);
	} else if (index == VTAB_MORE && mapping->more) {
		database_result_text(context, row->more);
	} else if (index == VTAB_ORDER && mapping->order) {
		database_result_text(context, slice_of(mapping->order));
	}
	return SQLITE_OK;
}

static int vtab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *rowid)
{
	*rowid = ((struct cursor *)base)->row->seq;
	return SQLITE_OK;
}

static const sqlite3_module vtab_module = {
	.xConnect = vtab_connect,
	.xDisconnect = vtab_disconnect,
	.xBestIndex = vtab_best_index,
	.xOpen = vtab_open,
	.xClose = vtab_close,
	.xFilter = vtab_filter,
	.xNext = vtab_next,
	.xEof = vtab_eof,
	.xColumn = vtab_column,
	.xRowid = vtab_rowid,
};

/* ---- rows ---- */

static void prepare_insert(struct feed *f, struct sheet *sheet)
{
	sqlite3_str *sql = sqlite3_str_new(f->catalog->db);
	uint32_t columns = intern_count(sheet->keys);
	const char *more = sheet->has_more ? ", more" : "", *order = sheet->has_order ? ", key_order" : "";
	char *text;

	sqlite3_str_appendf(sql, "INSERT INTO main.\"%w\"(seq, run%s%s", sheet->name, more, order);
	for (uint32_t c = 0; c < columns; c++)
		sqlite3_str_appendf(sql, ", \"%w\"", sheet->columns[c].name);
	sqlite3_str_appendf(sql, ") SELECT seq, %lld%s%s", (long long)f->run, more, order);
	for (uint32_t c = 0; c < columns; c++)
		sqlite3_str_appendf(sql, ", c%u", c);
	sqlite3_str_appendall(sql, " FROM temp.feed");
	text = sqlite3_str_finish(sql);
	if (!text)
		message_die("cannot write %s: out of memory", f->catalog->path);
	sheet->insert = database_prepare(f->catalog->db, text);
	sqlite3_free(text);
}

void feed_flush(struct feed *f)
{
	for (size_t i = 0; i < f->waiting; i++) {
		struct sheet *sheet = &f->catalog->sheets[f->row[i].sheet];

		if (!sheet->first)
			continue;
		if (!sheet->insert)
			prepare_insert(f, sheet);
		f->feeding = sheet;
		if (sqlite3_step(sheet->insert) != SQLITE_DONE)
			database_die(f->catalog->db, "write");
		sqlite3_reset(sheet->insert);
		sheet->first = sheet->last = NULL;
	}
	f->waiting = 0;
	f->text_used = 0;
}

/* The fields without a column, as they stand in the record; TO has room. */
static struct slice copy_more(char *to, const struct mapping *mapping, const struct record *record)
{
	char *begin = to;
	uint64_t has_column[RECORD_FIELDS_MAX / 64] = { 0 };

	for (uint32_t c = 0; c < mapping->n; c++)
		if (mapping->field[c] != MAPPING_NONE)
			has_column[mapping->field[c] / 64] |= 1ull << mapping->field[c] % 64;
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

/* A row is a copy of the record: its values, its line, and what has no column. */
void feed_put(struct feed *f, size_t index, const struct mapping *mapping, int64_t seq,
	      const struct record *record)
{
	struct sheet *sheet = &f->catalog->sheets[index];
	struct row *row = &f->row[f->waiting++];
	struct slice *value = (struct slice *)(void *)(f->text + f->text_used);
	char *line = (char *)(value + record->shape->n);
	size_t used = record->shape->n * sizeof *value + record->len;

	memcpy(line, record->line, record->len);
	for (uint32_t i = 0; i < record->shape->n; i++)
		value[i] = (struct slice){ line + (record->value[i].at - record->line),
					   record->value[i].len };
	*row = (struct row){ .sheet = index, .mapping = mapping, .seq = seq, .value = value };
	if (mapping->more) {
		row->more = copy_more(line + record->len, mapping, record);
		used += row->more.len;
	}
	f->text_used += (used + 15) & ~(size_t)15;
	if (sheet->last)
		sheet->last->next = row;
	else
		sheet->first = row;
	sheet->last = row;
}

void feed_reserve(struct feed *f, const struct record *record)
{
	size_t most = record->shape->n * sizeof(struct slice) + 2 * record->len + 16;

	if (f->waiting == ROWS || f->text_used + most > f->text_room) {
		feed_flush(f);
		if (most > f->text_room) {
			free(f->text);
			f->text_room = most > ROOM ? most : ROOM;
			f->text = memory_get(f->text_room);
		}
	}
}

struct feed *feed_new(struct catalog *catalog, int64_t run)
{
	struct feed *f = memory_zeroed(sizeof *f);

	f->catalog = catalog;
	f->run = run;
	if (sqlite3_create_module(catalog->db, "feed", &vtab_module, f) != SQLITE_OK)
		database_die(catalog->db, "use");
	return f;
}

void feed_free(struct feed *f)
{
	free(f->text);
	free(f);
}
