// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "database/catalog.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "base/utf8.h"
#include "database/views.h"
#include "records/kind.h"

enum { TABLES_MAX = 1000, TYPES = 16 };

/* By DATABASE_INTEGER and so on, or-ed. */
static const char *const type_names[TYPES] = {
	"", "integer", "real", "integer,real",
	"text", "integer,text", "real,text", "integer,real,text",
	"blob", "integer,blob", "real,blob", "integer,real,blob",
	"text,blob", "integer,text,blob", "real,text,blob", "integer,real,text,blob",
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

bool catalog_is_table_name(const char *name)
{
	size_t len = strlen(name);

	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return len > 0 && len <= CATALOG_NAME && utf8_valid(slice_of(name)) &&
	       strncasecmp(name, "sqlite_", 7) != 0 && strcasecmp(name, "runs") != 0 &&
	       strcasecmp(name, "tables") != 0 && strcasecmp(name, "columns") != 0 &&
	       strcasecmp(name, "settings") != 0;
}

/* ---- what is in the database ---- */

static void forget(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++) {
		sqlite3_finalize(c->sheets[i].insert);
		for (uint32_t k = 0; k < intern_count(c->sheets[i].keys); k++)
			free(c->sheets[i].columns[k].name);
		free(c->sheets[i].columns);
		free(c->sheets[i].name);
		intern_free(c->sheets[i].keys);
		intern_free(c->sheets[i].names);
	}
	c->n = 0;
	c->named = NULL;
	intern_free(c->evs);
	intern_free(c->names);
	c->evs = intern_new();
	c->names = intern_new();
}

static struct sheet *add_sheet(struct catalog *c, char *name)
{
	static const char *const ours[] = { "seq", "run", "more", "key_order" };
	struct sheet *sheet;

	c->sheets = memory_grow(c->sheets, &c->room, c->n + 1, sizeof *c->sheets);
	sheet = &c->sheets[c->n++];
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

static void know_ev(struct catalog *c, struct slice ev, size_t sheet)
{
	uint32_t id = intern_id(c->evs, ev);

	c->sheet_of_ev = memory_grow(c->sheet_of_ev, &c->evs_room, id + 1, sizeof *c->sheet_of_ev);
	c->sheet_of_ev[id] = (uint32_t)sheet;
}

static void load_columns(struct catalog *c, struct sheet *sheet)
{
	sqlite3_stmt *q = database_prepare(c->db, "SELECT key, \"column\", indexed, types FROM columns "
						  "WHERE \"table\" = ? ORDER BY position");

	database_bind_text(q, 1, slice_of(sheet->name));
	for (uint32_t position = 0; database_step(c->db, q); position++) {
		struct column *column = add_column(sheet, database_text(q, 0),
						   memory_copy(database_text(q, 1)));
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

struct catalog *catalog_new(sqlite3 *db, const char *path)
{
	struct catalog *c = memory_zeroed(sizeof *c);

	c->db = db;
	c->path = path;
	c->write_types = database_prepare(db, "UPDATE columns SET types = ? WHERE \"table\" = ? AND "
					      "\"column\" = ?");
	catalog_load(c);
	return c;
}

void catalog_free(struct catalog *c)
{
	forget(c);
	sqlite3_finalize(c->write_types);
	intern_free(c->evs);
	intern_free(c->names);
	free(c->sheets);
	free(c->sheet_of_ev);
	free(c);
}

void catalog_load(struct catalog *c)
{
	sqlite3_stmt *q;

	forget(c);
	q = database_prepare(c->db, VIEWS_OTHER_NAMES);
	while (database_step(c->db, q)) {
		char *name = memory_copy(database_text(q, 0));

		lower_id(c->names, name, true);
		free(name);
	}
	sqlite3_finalize(q);
	q = database_prepare(c->db, "SELECT name, ev, more, key_order FROM tables");
	while (database_step(c->db, q)) {
		struct sheet *sheet = add_sheet(c, memory_copy(database_text(q, 0)));

		sheet->has_more = sqlite3_column_int(q, 2);
		sheet->has_order = sqlite3_column_int(q, 3);
		if (sqlite3_column_type(q, 1) != SQLITE_NULL)
			know_ev(c, database_text(q, 1), c->n - 1);
		load_columns(c, sheet);
	}
	sqlite3_finalize(q);
}

void catalog_write_types(struct catalog *c)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct sheet *sheet = &c->sheets[i];

		for (uint32_t k = 0; k < intern_count(sheet->keys); k++) {
			struct column *column = &sheet->columns[k];

			if (column->types == column->types_stored)
				continue;
			sqlite3_bind_text(c->write_types, 1, type_names[column->types], -1, SQLITE_STATIC);
			sqlite3_bind_text(c->write_types, 2, sheet->name, -1, SQLITE_STATIC);
			sqlite3_bind_text(c->write_types, 3, column->name, -1, SQLITE_STATIC);
			database_do(c->db, c->write_types);
			column->types_stored = column->types;
		}
	}
}

/* ---- new tables, columns, indexes ---- */

static size_t create_sheet(struct catalog *c, struct slice name, bool of_ev, struct slice ev)
{
	sqlite3_stmt *q;
	struct sheet *sheet = add_sheet(c, new_name(c->names, name, CATALOG_NAME));

	c->reshaped = true;
	views_give_way(c->db, sheet->name);
	database_run(c->db, "CREATE TABLE \"%w\"(seq INTEGER PRIMARY KEY, run)", sheet->name);
	q = database_prepare(c->db, "INSERT INTO tables(name, ev) VALUES(?, ?)");
	database_bind_text(q, 1, slice_of(sheet->name));
	if (of_ev) {
		know_ev(c, ev, c->n - 1);
		database_bind_text(q, 2, ev);
	}
	database_do(c->db, q);
	sqlite3_finalize(q);
	return c->n - 1;
}

size_t catalog_sheet_named(struct catalog *c, const char *name)
{
	if (c->named == name)
		return c->named_sheet;
	c->named = name;
	for (c->named_sheet = 0; c->named_sheet < c->n; c->named_sheet++)
		if (strcasecmp(c->sheets[c->named_sheet].name, name) == 0)
			return c->named_sheet;
	create_sheet(c, slice_of(name), false, (struct slice){ 0 });
	if (strcmp(c->sheets[c->named_sheet].name, name))
		message_die("cannot create the table %s in %s: the name is taken, or cannot be one", name,
			    c->path);
	return c->named_sheet;
}

size_t catalog_sheet_of_ev(struct catalog *c, struct slice ev)
{
	uint32_t id = intern_find(c->evs, ev);

	if (id != UINT32_MAX)
		return c->sheet_of_ev[id];
	return c->n < TABLES_MAX ? create_sheet(c, ev, true, ev) : catalog_sheet_named(c, "other");
}

static void forget_insert(struct sheet *sheet)
{
	sqlite3_finalize(sheet->insert);
	sheet->insert = NULL;
}

uint32_t catalog_add_column(struct catalog *c, struct sheet *sheet, struct slice key, uint32_t position)
{
	struct column *column = add_column(sheet, key, new_name(sheet->names, key, key.len));
	sqlite3_stmt *q;

	forget_insert(sheet);
	c->reshaped = true;
	database_run(c->db, "ALTER TABLE \"%w\" ADD COLUMN \"%w\" %s", sheet->name, column->name,
		     column->text ? "TEXT" : "");
	for (uint32_t k = 0; k + 1 < intern_count(sheet->keys); k++)
		sheet->columns[k].position += sheet->columns[k].position >= position;
	if (position + 1 < intern_count(sheet->keys))
		database_run(c->db, "UPDATE columns SET position = position + 1 WHERE \"table\" = %Q AND "
				    "position >= %u", sheet->name, position);
	column->position = position;
	q = database_prepare(c->db, "INSERT INTO columns(\"table\", \"column\", key, position, unit) "
				    "VALUES(?, ?, ?, ?, ?)");
	database_bind_text(q, 1, slice_of(sheet->name));
	database_bind_text(q, 2, slice_of(column->name));
	database_bind_text(q, 3, key);
	sqlite3_bind_int64(q, 4, position);
	sqlite3_bind_text(q, 5, kind_unit(key), -1, SQLITE_STATIC);
	database_do(c->db, q);
	sqlite3_finalize(q);
	return intern_count(sheet->keys) - 1;
}

static void add_extra(struct catalog *c, struct sheet *sheet, const char *column)
{
	forget_insert(sheet);
	database_run(c->db, "ALTER TABLE \"%w\" ADD COLUMN %s", sheet->name, column);
	database_run(c->db, "UPDATE tables SET %s = 1 WHERE name = %Q", column, sheet->name);
}

void catalog_add_more(struct catalog *c, struct sheet *sheet)
{
	if (!sheet->has_more)
		add_extra(c, sheet, "more");
	sheet->has_more = true;
}

void catalog_add_order(struct catalog *c, struct sheet *sheet)
{
	if (!sheet->has_order)
		add_extra(c, sheet, "key_order");
	sheet->has_order = true;
}

/* One index of one table. With ts behind the key, one finds what came next of the same thread, file, ... */
static void create_index(struct catalog *c, struct sheet *sheet, struct column *column)
{
	uint32_t ts = intern_find(sheet->keys, SLICE("ts"));
	bool and_ts = ts != UINT32_MAX && column != &sheet->columns[ts];
	char *both = memory_get(strlen(sheet->name) + strlen(column->name) + 2), *name;

	sprintf(both, "%s.%s", sheet->name, column->name);
	name = new_name(c->names, slice_of(both), strlen(both));
	database_run(c->db, "CREATE INDEX \"%w\" ON \"%w\"(\"%w\"%s%w%s)", name, sheet->name, column->name,
		     and_ts ? ", \"" : "", and_ts ? sheet->columns[ts].name : "", and_ts ? "\"" : "");
	database_run(c->db, "UPDATE columns SET indexed = 1 WHERE \"table\" = %Q AND \"column\" = %Q",
		     sheet->name, column->name);
	column->indexed = true;
	free(name);
	free(both);
}

void catalog_index(struct catalog *c, const char *list)
{
	char **keys = options_split(list);

	for (size_t i = 0; i < c->n; i++) {
		for (char **key = keys; *key; key++) {
			uint32_t column = intern_find(c->sheets[i].keys, slice_of(*key));

			if (column != UINT32_MAX && !c->sheets[i].columns[column].indexed)
				create_index(c, &c->sheets[i], &c->sheets[i].columns[column]);
		}
	}
	free(keys);
}
