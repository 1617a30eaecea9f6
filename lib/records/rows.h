/* SPDX-License-Identifier: MIT */
/* Rows of cells under named columns, written as records, as a table for people, as CSV or as JSON lines. */
#ifndef WEIR_ROWS_H
#define WEIR_ROWS_H

#include "records/cell.h"
#include "records/writer.h"

enum rows_form { ROWS_TABLE, ROWS_RECORDS, ROWS_CSV, ROWS_JSON };

struct column {
	struct slice name;	/* a key of records */
	enum column_role {
		COLUMN_TEXT,	/* to the left in tables, as are the next ones down to COLUMN_TIME; the others to the right */
		COLUMN_SENTENCE,	/* text that tables do not cut, however long it is */
		COLUMN_EV,	/* the record's `ev`: second in records, in its place elsewhere */
		COLUMN_TIME,	/* a ts, shown as date and time; to the left */
		COLUMN_NUMBER, COLUMN_NS, COLUMN_BYTES, COLUMN_PER_SECOND, COLUMN_PERCENT,	/* with their unit */
		COLUMN_NOTE,	/* not in tables */
	} role;
};

struct rows;

/* The names of the forms, in the order of enum rows_form, for OPTION_CHOICE. */
extern const char *const rows_forms[];

/* The form CHOSEN among them; below 0, none is: a table on a terminal, records elsewhere. */
enum rows_form rows_form_of(int chosen);

/* The role that the end of a key's name tells: _ns, bytes, _ts, or else numbers or OTHER. */
enum column_role rows_role(struct slice name, enum column_role other);

/*
 * Writes rows of N COLUMNS, which are kept by reference, to WRITER. TIMED: tables have a column for
 * ts; the other forms always begin with it (in JSON as a string, as it exceeds a double).
 */
struct rows *rows_open(struct writer *writer, enum rows_form form, const struct column *columns, size_t n,
		       bool timed);

/*
 * One row: in records, EV (escaped) is its second field, and a cell of nothing is left out; in CSV it
 * is empty, in JSON null, in tables `-`. Text in cells need not outlive the call.
 */
void rows_put(struct rows *rows, int64_t ts, struct slice ev, const struct cell *cells);

/* Tables come aligned in blocks: this ends one. It is written no later than after 10000 rows. */
void rows_end_block(struct rows *rows);

void rows_close(struct rows *rows);

/* Says on stderr that N of them, a WHAT each (row, group), were left out by -n TOP, if any were. */
void rows_left_out(uint64_t n, const char *what, uint64_t top);

#endif
