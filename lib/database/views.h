/* SPDX-License-Identifier: MIT */
/*
 * The views of a database of records: questions that are asked often, as SQL, one in each file of lib/views/
 * (to-sqlite(1) has them all).
 *
 * Their text is fixed: no value of a record, and no name that a trace chose, becomes part of it. What
 * differs is only what stands for a table or a column that the database lacks: nothing, and NULL.
 */
#ifndef WEIR_VIEWS_H
#define WEIR_VIEWS_H

#include "database/database.h"

/* The names in the schema but those of our views, which give way to a table that wants their name. */
#define VIEWS_OTHER_NAMES \
	"SELECT name FROM sqlite_schema WHERE type <> 'view' OR instr(sql, ' AS -- of to-sqlite') = 0"

/* Makes the table settings, unless there is something of that name, and the rows that it lacks. */
void views_settings(sqlite3 *db);

/* Drops the view of this name, if it is one of ours, for a table that is to have the name. */
void views_give_way(sqlite3 *db, const char *name);

/*
 * Makes each view whose tables are there, anew where these have changed. A view whose name, or the name of
 * a table that it reads, is used for other records is left out; SAY: with a message.
 * Some 8 ms for all of them when they are new; in a transaction of the caller's.
 */
void views_make(sqlite3 *db, bool say);

#endif
