// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "database/inserter.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "database/database.h"

enum { KEYS_TOLD = 10 };

struct column {
	struct lookup lookup;
	bool boolean;		/* declared so that true and false are 1 and 0 */
	bool number;		/* and so that text that is a number becomes one (sqlite.org/datatype3.html, 3.1) */
};

struct inserter {
	sqlite3 *db;
	char *name;
	struct column *columns;
	size_t n, room;
	sqlite3_stmt *insert;
	char *text;		/* the values of a record, without escapes */
	size_t text_room;
	struct intern *columns_known, *left_out;
	uint32_t shapes;	/* of which the keys have been looked at */
	uint64_t rows;
	bool in_transaction;
};

/* The name of `NAME(...)`, or the whole text; *DECLARED: there are columns behind it. */
static char *name_of(const char *table, bool *declared)
{
	size_t len = strcspn(table, "(");

	*declared = table[len] == '(';
	while (len && isspace((unsigned char)table[len - 1]))
		len--;
	return memory_copy((struct slice){ table, len });
}

static bool is_number(const char *type)
{
	return strstr(type, "INT") || !(!*type || strstr(type, "CHAR") || strstr(type, "CLOB") ||
					strstr(type, "TEXT") || strstr(type, "BLOB"));
}

/* The columns of the table in the database, and the statement that fills them. */
static void know_columns(struct inserter *s, const char *path)
{
	sqlite3_str *sql = sqlite3_str_new(s->db);
	sqlite3_stmt *q = database_prepare(s->db, "SELECT name, upper(type) FROM pragma_table_info(?)");
	char *text;

	database_bind_text(q, 1, slice_of(s->name));
	sqlite3_str_appendf(sql, "INSERT INTO \"%w\"(", s->name);
	while (database_step(s->db, q)) {
		char *name = memory_copy(database_text(q, 0)), *type = memory_copy(database_text(q, 1));

		s->columns = memory_grow(s->columns, &s->room, s->n + 1, sizeof *s->columns);
		s->columns[s->n] = (struct column){ .lookup.key = slice_of(name) };
		s->columns[s->n].boolean = strstr(type, "INT") || strstr(type, "BOOL");
		s->columns[s->n].number = is_number(type);
		intern_id(s->columns_known, slice_of(name));
		sqlite3_str_appendf(sql, "%s\"%w\"", s->n++ ? "," : "", name);
		free(type);
	}
	sqlite3_finalize(q);
	if (!s->n)
		message_die("cannot write %s: it has no table %s (--into 'NAME(COLUMN TYPE, ...)' makes one)", path,
			    s->name);
	sqlite3_str_appendall(sql, ") VALUES(");
	for (size_t i = 0; i < s->n; i++)
		sqlite3_str_appendall(sql, i ? ",?" : "?");
	sqlite3_str_appendall(sql, ")");
	text = sqlite3_str_finish(sql);
	if (!text)
		message_die("cannot write %s: out of memory", path);
	s->insert = database_prepare(s->db, text);
	sqlite3_free(text);
}

/* One statement only, so that what stands behind the declaration is an error. */
static void declare(struct inserter *s, const char *table)
{
	char *sql = sqlite3_mprintf("CREATE TABLE IF NOT EXISTS %s", table);
	sqlite3_stmt *statement = NULL;
	const char *tail = NULL;

	if (!sql || sqlite3_prepare_v2(s->db, sql, -1, &statement, &tail) != SQLITE_OK)
		database_die(s->db, "create the table in");
	if (*tail)
		message_usage("cannot use '%.200s' as a table: it is more than one declaration", table);
	database_step(s->db, statement);
	sqlite3_finalize(statement);
	sqlite3_free(sql);
}

struct inserter *inserter_open(const char *path, const char *table, uint64_t wait_ns)
{
	struct inserter *s = memory_zeroed(sizeof *s);
	bool declared;

	s->name = name_of(table, &declared);
	s->db = database_open(path, SQLITE_OPEN_READWRITE | (declared ? SQLITE_OPEN_CREATE : 0), wait_ns);
	s->columns_known = intern_new();
	s->left_out = intern_new();
	if (declared)
		declare(s, table);
	know_columns(s, path);
	return s;
}

static bool is_word(struct slice value, const char *small, const char *large)
{
	return slice_equal(value, slice_of(small)) || slice_equal(value, slice_of(large));
}

/* Not an integer, which may have more digits than a double. */
static bool fraction(struct slice value, double *real)
{
	return (memchr(value.at, '.', value.len) || memchr(value.at, 'e', value.len)) && !memchr(value.at, 'x', value.len) &&
	       number_real(value, real);
}

static void bind(struct inserter *s, int index, const struct column *column, struct slice value)
{
	double real;

	if (column->boolean && is_word(value, "true", "True"))
		sqlite3_bind_int(s->insert, index, 1);
	else if (column->boolean && is_word(value, "false", "False"))
		sqlite3_bind_int(s->insert, index, 0);
	else if (column->number && fraction(value, &real))
		sqlite3_bind_double(s->insert, index, real);	/* what SQLite makes of the text is not always the nearest */
	else
		database_bind_text(s->insert, index, value);
}

static void learn_keys(struct inserter *s, const struct shape *shape)
{
	if (shape->id != SHAPE_PASSING && shape->id < s->shapes)
		return;
	if (shape->id != SHAPE_PASSING)
		s->shapes = shape->id + 1;	/* ids count in the order of appearance */
	for (uint32_t i = 0; i < shape->n && intern_count(s->left_out) <= KEYS_TOLD; i++)
		if (intern_find(s->columns_known, shape->key[i]) == UINT32_MAX)
			intern_id(s->left_out, shape->key[i]);
}

void inserter_put(struct inserter *s, const struct record *record)
{
	char *to;

	if (!s->in_transaction)
		database_run(s->db, "BEGIN IMMEDIATE");
	s->in_transaction = true;
	learn_keys(s, record->shape);
	s->text = memory_grow(s->text, &s->text_room, record->len, 1);
	to = s->text;
	for (size_t i = 0; i < s->n; i++) {
		const struct slice *value = lookup_value(&s->columns[i].lookup, record);
		size_t len;

		if (!value) {
			sqlite3_bind_null(s->insert, (int)i + 1);
			continue;
		}
		len = reader_unescape(*value, to);
		bind(s, (int)i + 1, &s->columns[i], (struct slice){ to, len });
		to += len;
	}
	database_step(s->db, s->insert);
	sqlite3_reset(s->insert);
	s->rows++;
}

void inserter_commit(struct inserter *s)
{
	if (s->in_transaction)
		database_run(s->db, "COMMIT");
	s->in_transaction = false;
}

static void tell_left_out(const struct inserter *s)
{
	uint32_t n = intern_count(s->left_out);
	char text[KEYS_TOLD * 64 + 64];
	size_t at = 0;

	if (!n)
		return;
	for (uint32_t i = 0; i < n && i < KEYS_TOLD; i++) {
		struct slice key = intern_text(s->left_out, i);

		at += (size_t)snprintf(text + at, sizeof text - at, "%s%.*s", i ? ", " : "",
				       key.len > 60 ? 60 : (int)key.len, key.at);
	}
	message("left out, as %s has no such columns: %s%s", s->name, text, n > KEYS_TOLD ? ", and others" : "");
}

uint64_t inserter_close(struct inserter *s)
{
	uint64_t rows = s->rows;

	inserter_commit(s);
	tell_left_out(s);
	sqlite3_finalize(s->insert);
	database_close(s->db);
	for (size_t i = 0; i < s->n; i++) {
		lookup_free(&s->columns[i].lookup);
		free((char *)(uintptr_t)s->columns[i].lookup.key.at);
	}
	intern_free(s->columns_known);
	intern_free(s->left_out);
	free(s->columns);
	free(s->text);
	free(s->name);
	free(s);
	return rows;
}
