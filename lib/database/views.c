// SPDX-License-Identifier: MIT
// pkg-config: sqlite3
#include "database/views.h"

#include <stdio.h>

#include "base/message.h"

enum { SOURCES_MAX = 8, LIST_ROOM = 400 };

/* A table or view that a view reads: @NAME in its text. Each has run and seq besides its COLUMNS. */
struct source {
	const char *name;
	const char *columns;	/* NULL stands for a missing one; one marked ! must be there */
	bool needed;		/* no view without it; else any one of the sources suffices */
};

struct view {
	const char *name;
	struct source sources[SOURCES_MAX];
	const char *sql;	/* lib/views/NAME.sql: behind the line of the licence, the view's SELECT */
};

static const struct {
	const char *name, *value, *meaning;
} settings[] = {
	{ "sequence_gap_ns", "100000000", "sequences: the longest gap between two calls of one" },
	{ "socket_gap_ns", "50000000", "sequences: the same on sockets" },
	{ "critical_run", "NULL", "critical_path: the run (NULL: the last)" },
	{ "critical_tid", "NULL", "critical_path: the thread (NULL: the one with the most CPU time)" },
	{ "critical_begin", "NULL", "critical_path: from this ts (NULL: the first of the thread)" },
	{ "critical_end", "NULL", "critical_path: to this ts (NULL: the last of the thread)" },
	{ "critical_depth", "32", "critical_path: follow so many wakers in a row" },
};

/* Each comes after those that it reads. */
static const struct view views[] = {

{ "io_call", {
	{ "syscall", "ts pid tid comm name! dur_ns ret fd path bytes", true },
},
#include "views/io_call.sql.inc"
},

{ "thread", {
	{ "oncpu", "ts pid tid! comm dur_ns!", false }, { "runq", "ts pid tid! comm dur_ns! throttled_ns", false },
	{ "blocked", "ts pid tid! comm dur_ns!", false },
	{ "syscall", "ts pid tid! comm dur_ns name!", false },
	{ "io_call", "begin_ts end_ts pid tid comm operation bytes", false },
	{ "fork", "ts pid tid child_pid child_tid! child_comm", false },
	{ "exec", "ts pid tid! comm", false }, { "exit", "ts pid tid! comm cpu_ns code", false },
},
#include "views/thread.sql.inc"
},

{ "process", {
	{ "thread", "pid tid comm first_ts last_ts cpu_ns syscalls read_bytes written_bytes creator_pid "
	  "exit_code", true },
	{ "exec", "ts pid path argv", false }, { "exit", "ts pid argv", false },
},
#include "views/process.sql.inc"
},

{ "cpu", {
	{ "oncpu", "ts cpu! dur_ns!", false }, { "irq", "ts cpu! dur_ns!", false },
	{ "softirq", "ts cpu! dur_ns!", false },
},
#include "views/cpu.sql.inc"
},

{ "file", {
	{ "io_call", "begin_ts end_ts dur_ns operation type bytes failed path", true },
	{ "syscall", "path!", true },
},
#include "views/file.sql.inc"
},

{ "socket", {
	{ "io_call", "begin_ts end_ts dur_ns pid operation type bytes failed path", true },
	{ "syscall", "path!", true },
},
#include "views/socket.sql.inc"
},

{ "io_by_file", {
	{ "io_call", "dur_ns comm operation type target path bytes failed", true },
	{ "syscall", "path!", true },
},
#include "views/io_by_file.sql.inc"
},

{ "sequences", {
	{ "io_call", "begin_ts end_ts dur_ns pid tid comm operation type target bytes failed", true },
	{ "settings", "name value", true },
},
#include "views/sequences.sql.inc"
},

{ "syscall_stats", {
	{ "syscall", "comm name! dur_ns! ret", true },
},
#include "views/syscall_stats.sql.inc"
},

{ "command_time", {
	{ "exit", "ts pid tid! comm dur_ns argv", true },
	{ "exec", "ts tid! path argv", false },
},
#include "views/command_time.sql.inc"
},

{ "command_cpu", {
	{ "process", "comm path argv cpu_ns", true },
},
#include "views/command_cpu.sql.inc"
},

{ "wake_edges", {
	{ "blocked", "tid! comm dur_ns! waker_tid! waker_comm waker_irq", true },
},
#include "views/wake_edges.sql.inc"
},

{ "critical_path", {
	{ "oncpu", "ts tid! comm dur_ns!", true },
	{ "blocked", "ts tid! comm dur_ns! waker_tid! waker_comm waker_irq", true },
	{ "runq", "ts tid! comm dur_ns! by_tid by_comm throttled_ns", false },
	{ "syscall", "ts tid! dur_ns! name!", false },
	{ "fork", "ts tid child_tid!", false }, { "settings", "name value", true },
},
#include "views/critical_path.sql.inc"
},
};
enum { VIEWS = sizeof views / sizeof *views, SETTINGS = sizeof settings / sizeof *settings };

#define MARK " AS -- of to-sqlite\n"	/* VIEWS_OTHER_NAMES knows it */
#define SETTINGS_TABLE \
	"CREATE TABLE settings(name TEXT PRIMARY KEY, value NUMERIC, meaning TEXT) WITHOUT ROWID"

/* TAKEN: the name is that of something else. */
enum presence { ABSENT, PRESENT, TAKEN };

struct making {
	sqlite3 *db;
	sqlite3_stmt *table, *column, *schema;
	enum presence view[VIEWS];
};

/* Whether there is a row; its columns stay until the statement is reset. */
static bool find(struct making *m, sqlite3_stmt *q, const char *a, struct slice b)
{
	sqlite3_reset(q);
	database_bind_text(q, 1, slice_of(a));
	if (b.at)
		database_bind_text(q, 2, b);
	return database_step(m->db, q);
}

/* What made the object called NAME in the schema, or NULL; valid until the next call. */
static const char *schema_sql(struct making *m, const char *name)
{
	if (!find(m, m->schema, name, (struct slice){ 0 }))
		return NULL;
	if (sqlite3_column_type(m->schema, 0) != SQLITE_TEXT)
		return "";
	return (const char *)sqlite3_column_text(m->schema, 0);
}

/* The next name in a list of columns; false at its end. */
static bool next_column(const char **list, struct slice *column, bool *must)
{
	size_t n;

	*list += strspn(*list, " ");
	n = strcspn(*list, " !");
	*column = (struct slice){ *list, n };
	*must = (*list)[n] == '!';
	*list += n + *must;
	return n > 0;
}

/* Whether the table of an ev is there, with the columns that it must have; appends the others to MISSING. */
static enum presence table_presence(struct making *m, const struct source *source, sqlite3_str *missing)
{
	const char *list = source->columns;
	struct slice column;
	bool must;

	if (!find(m, m->table, source->name, (struct slice){ 0 }))
		return ABSENT;
	if (!sqlite3_column_int(m->table, 0))
		return TAKEN;
	while (next_column(&list, &column, &must)) {
		if (find(m, m->column, source->name, column)) {
			if (!sqlite3_column_int(m->column, 0))
				return TAKEN;
		} else if (must) {
			return ABSENT;
		} else {
			sqlite3_str_appendf(missing, ", NULL AS %.*s", (int)column.len, column.at);
		}
	}
	return PRESENT;
}

static enum presence presence(struct making *m, const struct source *source, sqlite3_str *missing)
{
	if (strcmp(source->name, "settings") == 0) {
		const char *sql = schema_sql(m, "settings");

		return sql && strcmp(sql, SETTINGS_TABLE) == 0 ? PRESENT : TAKEN;
	}
	for (size_t i = 0; i < VIEWS; i++)
		if (strcmp(source->name, views[i].name) == 0)
			return m->view[i];
	return table_presence(m, source, missing);
}

/* Appends what stands for the source. */
static void put_source(struct making *m, const struct source *source, sqlite3_str *text)
{
	sqlite3_str *missing = sqlite3_str_new(m->db);
	enum presence is = presence(m, source, missing);
	char *nulls = sqlite3_str_finish(missing);

	if (is == PRESENT && nulls) {
		sqlite3_str_appendf(text, "(SELECT *%s FROM %s)", nulls, source->name);
	} else if (is == PRESENT) {
		sqlite3_str_appendall(text, source->name);
	} else {
		const char *list = source->columns;
		struct slice column;
		bool must;

		sqlite3_str_appendall(text, "(SELECT NULL AS seq, NULL AS run");
		while (next_column(&list, &column, &must))
			sqlite3_str_appendf(text, ", NULL AS %.*s", (int)column.len, column.at);
		sqlite3_str_appendall(text, " WHERE 0)");
	}
	sqlite3_free(nulls);
}

static const struct source *source_named(const struct view *view, struct slice name)
{
	const struct source *source = view->sources;

	while (!slice_equal(slice_of(source->name), name))
		source++;
	return source;
}

/* The statement that makes the view, with what is there for each @NAME. */
static char *text_of(struct making *m, const struct view *view)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
	sqlite3_str *text = sqlite3_str_new(m->db);
	const char *p = strchr(view->sql, '\n') + 1, *end = p + strlen(p) - 1, *at;
	char *sql;

	sqlite3_str_appendf(text, "CREATE VIEW %s" MARK, view->name);
	while ((at = strchr(p, '@'))) {
		size_t n = strspn(at + 1, letters);

		sqlite3_str_append(text, p, (int)(at - p));
		put_source(m, source_named(view, (struct slice){ at + 1, n }), text);
		p = at + 1 + n;
	}
	sqlite3_str_append(text, p, (int)(end - p));
	sql = sqlite3_str_finish(text);
	if (!sql)
		message_die("cannot make the view %s: out of memory", view->name);
	return sql;
}

static enum presence sources_presence(struct making *m, const struct view *view)
{
	enum presence result = ABSENT;

	for (size_t i = 0; i < SOURCES_MAX && view->sources[i].name; i++) {
		const struct source *source = &view->sources[i];
		sqlite3_str *missing = sqlite3_str_new(m->db);
		enum presence is = presence(m, source, missing);

		sqlite3_free(sqlite3_str_finish(missing));
		if (is == ABSENT && source->needed)
			return ABSENT;
		if (is > result)
			result = is;
	}
	return result;
}

/* Creates it, and tries it: an SQLite that is too old for it shall not leave a view that fails. */
static bool create(sqlite3 *db, const char *name, const char *sql, bool say)
{
	char query[64];
	sqlite3_stmt *q = NULL;
	bool good;

	database_run(db, "SAVEPOINT making");
	snprintf(query, sizeof query, "SELECT * FROM %s", name);
	good = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK &&
	       sqlite3_prepare_v2(db, query, -1, &q, NULL) == SQLITE_OK;
	if (!good && sqlite3_errcode(db) != SQLITE_ERROR)
		database_die(db, "use");
	if (!good && say)
		message("cannot make the view %s: %s", name, sqlite3_errmsg(db));
	sqlite3_finalize(q);
	database_run(db, good ? "RELEASE making" : "ROLLBACK TO making; RELEASE making");
	return good;
}

static enum presence make(struct making *m, const struct view *view, bool say)
{
	const char *old = schema_sql(m, view->name);
	bool ours = old && strstr(old, MARK), same;
	enum presence is = sources_presence(m, view);
	char *sql;

	if (is == PRESENT && old && !ours)
		is = TAKEN;
	sql = is == PRESENT ? text_of(m, view) : NULL;
	old = schema_sql(m, view->name);
	same = sql && old && strcmp(old, sql) == 0;
	sqlite3_reset(m->schema);
	if (ours && !same)
		database_run(m->db, "DROP VIEW %s", view->name);
	if (sql && !same && !create(m->db, view->name, sql, say))
		is = ABSENT;
	sqlite3_free(sql);
	return is;
}

void views_settings(sqlite3 *db)
{
	if (database_number(db, "SELECT count(*) FROM sqlite_schema WHERE lower(name) = 'settings'") == 0)
		database_run(db, SETTINGS_TABLE);
	if (database_number(db, "SELECT count(*) FROM sqlite_schema WHERE sql = '" SETTINGS_TABLE "'") == 0)
		return;
	for (size_t i = 0; i < SETTINGS; i++)
		database_run(db, "INSERT OR IGNORE INTO settings VALUES(%Q, %s, %Q)", settings[i].name,
			     settings[i].value, settings[i].meaning);
}

void views_give_way(sqlite3 *db, const char *name)
{
	for (size_t i = 0; i < VIEWS; i++)
		if (strcasecmp(name, views[i].name) == 0)
			database_run(db, "DROP VIEW IF EXISTS %s", views[i].name);
}

void views_make(sqlite3 *db, bool say)
{
	struct making m = {
		.db = db,
		.table = database_prepare(db, "SELECT name = ?1 FROM tables WHERE ev = ?1"),
		.column = database_prepare(db, "SELECT \"column\" = ?2 AND key = ?2 FROM columns WHERE "
					       "\"table\" = ?1 AND \"column\" = ?2 COLLATE NOCASE"),
		.schema = database_prepare(db, "SELECT sql FROM sqlite_schema WHERE lower(name) = ?1"),
	};
	char list[LIST_ROOM] = "";

	for (size_t i = 0, n = 0; i < VIEWS; i++) {
		m.view[i] = make(&m, &views[i], say);
		if (m.view[i] == TAKEN)
			n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "",
					      views[i].name);
		sqlite3_reset(m.table);
		sqlite3_reset(m.column);
		sqlite3_reset(m.schema);
	}
	sqlite3_finalize(m.table);
	sqlite3_finalize(m.column);
	sqlite3_finalize(m.schema);
	if (say && *list)
		message("cannot make the views %s: names that they need are those of other records", list);
}
