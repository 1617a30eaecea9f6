/* SPDX-License-Identifier: MIT */
/*
 * The catalog of a database of records: which tables and columns there are, for which evs and keys; it makes
 * those that are missing. What it says is in the tables `tables` and `columns` too (to-sqlite(1)).
 *
 * A sheet is a table of the database. Sheets are told by index, which is good until catalog_load(); a struct
 * sheet stays where it is until the next one is made. All changes belong to the caller's transaction; what
 * fails is said, and ends the program with EXIT_FAILED.
 */
#ifndef WEIR_STORE_CATALOG_H
#define WEIR_STORE_CATALOG_H

#include "base/intern.h"
#include "database/database.h"

enum {
	CATALOG_COLUMNS = 1990,	/* of a table: SQLite allows 2000; seq, run, more and key_order are ours */
	CATALOG_NAME = 100,	/* bytes of a name of a table; longer keys have no column */
};

struct column {
	char *name;
	uint32_t position;	/* among the keys of its table */
	bool text, indexed;
	unsigned types, types_stored;	/* DATABASE_INTEGER and so on, seen and in the database */
};

struct row;

struct sheet {
	char *name;
	struct intern *keys;	/* a key's id is its column's index */
	struct intern *names;	/* of the columns, in lower case */
	struct column *columns;
	size_t room;
	bool has_more, has_order;
	/* The feed's (feed.h): */
	sqlite3_stmt *insert;	/* NULL after a change of the columns */
	struct row *first, *last;	/* that wait */
};

struct catalog {
	sqlite3 *db;
	const char *path;
	struct sheet *sheets;
	size_t n, room;
	struct intern *evs;
	uint32_t *sheet_of_ev;
	size_t evs_room;
	struct intern *names;	/* in the schema, in lower case */
	const char *named;	/* the name that was asked for last, and its sheet */
	size_t named_sheet;
	sqlite3_stmt *write_types;
	bool reshaped;		/* set by each change of tables or columns; the caller takes it back */
};

/* Reads what DB has, whose tables `tables` and `columns` are there. PATH, for messages, is kept. */
struct catalog *catalog_new(sqlite3 *db, const char *path);
void catalog_free(struct catalog *catalog);

/* Reads it anew, after another program has written. */
void catalog_load(struct catalog *catalog);

/* Whether NAME can be the name of a table that a user chose: it has that name or none. */
bool catalog_is_table_name(const char *name);

/*
 * The sheet for the records of EV, without escapes, or the one called NAME; made where there is none. The
 * name of a table is the ev, cleaned and shortened and numbered until it is new; past 1000 tables, the rest
 * is in `other`. NAME is known again by its address. O(1).
 */
size_t catalog_sheet_of_ev(struct catalog *catalog, struct slice ev);
size_t catalog_sheet_named(struct catalog *catalog, const char *name);

/* Makes a column for KEY, at POSITION among the keys of the table. Its index. */
uint32_t catalog_add_column(struct catalog *catalog, struct sheet *sheet, struct slice key,
			    uint32_t position);

/* Makes the column `more`, for fields without a column, or `key_order`, unless it is there. */
void catalog_add_more(struct catalog *catalog, struct sheet *sheet);
void catalog_add_order(struct catalog *catalog, struct sheet *sheet);

/* Indexes the columns of `KEY,...`, then ts, in every table that has them and no index on them yet. */
void catalog_index(struct catalog *catalog, const char *keys);

/* Stores which types the columns have, where new ones were seen. */
void catalog_write_types(struct catalog *catalog);

#endif
