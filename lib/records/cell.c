// SPDX-License-Identifier: MIT
#include "records/cell.h"

#include <math.h>

#include "base/number.h"

struct cell cell_real(double real)
{
	return (struct cell){ .kind = isfinite(real) ? CELL_REAL : CELL_NONE, .real = real };
}

size_t cell_put_whole(char *to, __int128 value)
{
	const uint64_t billions = 10000000000000000000u;	/* 10^19 */
	unsigned __int128 left = value < 0 ? 0 - (unsigned __int128)value : (unsigned __int128)value;
	char *start = to, digits[20];
	uint64_t part[3];
	size_t n = 0;

	if (value < 0)
		*to++ = '-';
	do {
		part[n++] = (uint64_t)(left % billions);
		left /= billions;
	} while (left);
	to += number_put_u64(to, part[--n]);
	while (n) {
		size_t len = number_put_u64(digits, part[--n]);

		memset(to, '0', 19 - len);
		memcpy(to + 19 - len, digits, len);
		to += 19;
	}
	return (size_t)(to - start);
}

bool cell_get_whole(struct slice text, __int128 *value)
{
	bool negative = text.len > 0 && text.at[0] == '-';
	__int128 v = 0;

	if (text.len == negative)
		return false;
	for (size_t i = negative; i < text.len; i++) {
		int digit = text.at[i] - '0';

		if (digit < 0 || digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_sub_overflow(v, digit, &v))	/* downwards: the smallest has no opposite */
			return false;
	}
	return !__builtin_mul_overflow(v, negative ? 1 : -1, value);
}

struct slice cell_value(const struct cell *cell, char *space)
{
	switch (cell->kind) {
	case CELL_TEXT:
		return cell->text;
	case CELL_WHOLE:
		return (struct slice){ space, cell_put_whole(space, cell->whole) };
	case CELL_REAL:
		return (struct slice){ space, number_put_real(space, cell->real) };
	case CELL_NONE:
	default:
		return (struct slice){ 0 };
	}
}

bool cell_number(const struct cell *cell, double *number)
{
	*number = cell->kind == CELL_WHOLE ? (double)cell->whole : cell->real;
	return cell->kind == CELL_WHOLE || cell->kind == CELL_REAL ||
	       (cell->kind == CELL_TEXT && number_real(cell->text, number));
}

bool cell_whole_of(const struct cell *cell, __int128 *whole)
{
	*whole = cell->whole;
	return cell->kind == CELL_WHOLE || (cell->kind == CELL_TEXT && cell_get_whole(cell->text, whole));
}

int cell_compare(const struct cell *a, const struct cell *b)
{
	bool a_number, b_number;
	__int128 i, k;
	double x, y;

	if (a->kind == CELL_NONE || b->kind == CELL_NONE)
		return (a->kind != CELL_NONE) - (b->kind != CELL_NONE);
	if (cell_whole_of(a, &i) && cell_whole_of(b, &k) && i != k)
		return i < k ? -1 : 1;
	a_number = cell_number(a, &x);
	b_number = cell_number(b, &y);
	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (a_number && x != y)
		return x < y ? -1 : 1;
	return a->kind == CELL_TEXT && b->kind == CELL_TEXT ? slice_compare(a->text, b->text) : 0;
}
