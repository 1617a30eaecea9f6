/* SPDX-License-Identifier: MIT */
/*
 * What contention(1) writes: sentences and tables for people, or records; and how values and rivals are
 * called in it. Names of processes are cut, and harmless for a terminal. Nothing is kept between calls.
 */
#ifndef WEIR_CONTENTION_DOCUMENT_H
#define WEIR_CONTENTION_DOCUMENT_H

#include "contention/pressure.h"
#include "records/rows.h"
#include "records/writer.h"

struct document {
	struct writer *out;
	bool table;			/* for people, else records */
	uint64_t top;			/* so many rivals in tables; 0: all */
	const struct pressure_plan *plan;
};

enum { DOCUMENT_TEXT = 400 };	/* bytes that hold a rival's name or a value */

/* Writes text; more than 1999 bytes at once are cut. */
void document_say(struct document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Write to TO, which holds DOCUMENT_TEXT bytes, and return it: a time; a value of a measure, `-` for NAN. */
const char *document_time(char *to, double ns);
const char *document_value(char *to, enum measure_unit unit, double value);

/* The same: `comm`, `comm (pid)` or `comm (tid)`. Names are up to 16 bytes; of longer ones, 60 columns. */
const char *document_rival(const struct document *document, char *to, const struct rival *rival);

/* Begins a table after an empty line, or records; rows_close() it. */
struct rows *document_rows(struct document *document, const struct column *column, size_t n);

/* A value as a cell: in tables its text, which TO holds until the row is put; in records the number. */
struct cell document_value_cell(const struct document *document, char *to, enum measure_unit unit,
				double value);

/* The three cells that name a rival: comm, pid, tid. */
void document_name_cells(struct cell *cell, const struct rival *rival);

/* Whether the rival has a row, after LISTED others. Rivals without a span of the scheduler have none. */
bool document_lists(const struct document *document, const struct rival *rival, uint64_t listed);

#endif
