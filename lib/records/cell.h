/* SPDX-License-Identifier: MIT */
/* A cell of a table: nothing, text of a record, a whole number of up to 128 bits, or a double. */
#ifndef WEIR_CELL_H
#define WEIR_CELL_H

#include "base/slice.h"

struct cell {
	enum { CELL_NONE, CELL_TEXT, CELL_WHOLE, CELL_REAL } kind;
	struct slice text;	/* escaped, as it stands in a record; owned by somebody else */
	__int128 whole;
	double real;
};

enum { CELL_TEXT_MAX = 48 };	/* bytes that hold any number as text */

static inline struct cell cell_whole(__int128 whole)
{
	return (struct cell){ .kind = CELL_WHOLE, .whole = whole };
}

/* A double; CELL_NONE when it is not finite. */
struct cell cell_real(double real);

/* Text; CELL_NONE when `at` is NULL. */
static inline struct cell cell_text(struct slice text)
{
	return (struct cell){ .kind = text.at ? CELL_TEXT : CELL_NONE, .text = text };
}

/* The decimal digits of VALUE at TO (CELL_TEXT_MAX bytes); how many. No NUL. */
size_t cell_put_whole(char *to, __int128 value);

/* The other way; false when TEXT is no integer of 128 bits. */
bool cell_get_whole(struct slice text, __int128 *value);

/* The cell as a record has it, in SPACE (CELL_TEXT_MAX bytes) where it is a number; `at` NULL: none. */
struct slice cell_value(const struct cell *cell, char *space);

/* The number that the cell is or whose text it holds, rounded to a double; false: none. */
bool cell_number(const struct cell *cell, double *number);

/* The whole number that the cell is or whose text it holds; false: none. */
bool cell_whole_of(const struct cell *cell, __int128 *whole);

/* The order of two cells: none first, then numbers by size (exactly), then text by bytes. */
int cell_compare(const struct cell *a, const struct cell *b);

#endif
