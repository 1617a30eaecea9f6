/* SPDX-License-Identifier: MIT */
/*
 * Records in an SQLite database: a table for each ev, a column for each key (man/to-sqlite.1 has them all).
 *
 * Two things give every record back as it was: seq, which counts the records of all tables, and
 * columns.position, by which the keys of a table are ordered; a record with its keys in another order
 * says so in key_order. Whatever fails is said, and ends the program with EXIT_FAILED; what had been
 * committed stays.
 */
#ifndef WEIR_STORE_H
#define WEIR_STORE_H

#include "records/loss.h"
#include "records/reader.h"

struct store;

/*
 * Opens a new database at PATH, or with APPEND adds to it, and begins a run, which counts as incomplete.
 * TABLE: the one table for all records, or NULL. SOURCE is told in the table runs; LOSS is what the caller
 * counts. PATH, TABLE and LOSS are kept. WAIT_NS is how long other programs that write are waited for.
 */
struct store *store_open(const char *path, bool append, const char *table, const char *source,
			 const struct loss *loss, uint64_t wait_ns);

/* Whether TABLE can be the name of a table for all. */
bool store_is_table_name(const char *name);

/* Adds a record. Some hundred are kept, and inserted together; one costs less than 1 us. */
void store_put(struct store *store, const struct record *record);

/* Commits what came, with the views of it. From then on it survives that the program is killed. */
void store_commit(struct store *store);

/* Commits, says whether the run is complete, and complains of views (views.h) that cannot be made. */
void store_complete(struct store *store, bool complete);

/* Indexes the columns of `KEY,...`, then ts, in every table that has them and no index on them yet. */
void store_index(struct store *store, const char *keys);

/* Lets store_index() fail; may be called by a signal handler. */
void store_interrupt(struct store *store);

struct store_totals {
	uint64_t rows;
	size_t tables;		/* of the database */
	int64_t run;
};
struct store_totals store_totals(const struct store *store);

void store_close(struct store *store);

#endif
