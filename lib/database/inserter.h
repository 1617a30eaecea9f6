/* SPDX-License-Identifier: MIT */
/*
 * Records into a table that somebody else has declared, for programs that want their own columns: a field
 * goes to the column of its name, and the column's type says what becomes of the text, by SQLite's rules of
 * affinity ("200" in an INTEGER column is a number; in a TEXT column it stays text). A column declared
 * INTEGER or BOOLEAN takes true and false (True, False) as 1 and 0. Columns that a record lacks are NULL.
 *
 * Whatever fails is said, and ends the program with EXIT_FAILED; what had been committed stays.
 */
#ifndef WEIR_INSERTER_H
#define WEIR_INSERTER_H

#include "records/reader.h"

struct inserter;

/*
 * Opens the database at PATH, which is made where there is none, and in it the TABLE: a name of one that is
 * there, or `NAME(COLUMN TYPE, ...)` as CREATE TABLE has it, which is made where there is none of that name.
 * TABLE is the user's own text, never data. WAIT_NS is how long other programs that write are waited for.
 */
struct inserter *inserter_open(const char *path, const char *table, uint64_t wait_ns);

/* Adds a record: one INSERT, some 3 us. Fields that have no column are left out, and their keys counted. */
void inserter_put(struct inserter *inserter, const struct record *record);

/* Commits what came. */
void inserter_commit(struct inserter *inserter);

/* Commits, says which keys had no column, and closes; how many records there were. */
uint64_t inserter_close(struct inserter *inserter);

#endif
