// SPDX-License-Identifier: MIT
#include "records/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/display.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "records/csv.h"
#include "records/json.h"

enum { BLOCK_ROWS = 10000, TIME_TEXT = 40, WIDEST = 60 };

/* A cell of the table's block: its text, and the columns that this takes. */
struct piece {
	size_t from, len, columns;
};

struct rows {
	struct writer *out;
	enum rows_form form;
	const struct column *column;
	size_t n;
	bool timed;
	struct key *key;	/* records: TAB name = */
	bool headed;

	/* Tables */
	size_t shown;		/* columns, that of ts included */
	size_t *width;
	char *text;
	size_t text_n, text_room;
	struct piece *piece;
	size_t pieces, piece_room;
};

const char *const rows_forms[] = { "table", "tskv", "csv", "json", NULL };

enum rows_form rows_form_of(int chosen)
{
	if (chosen < 0)
		return isatty(STDOUT_FILENO) ? ROWS_TABLE : ROWS_RECORDS;
	return (enum rows_form)chosen;
}

static bool ends_with(struct slice name, struct slice end)
{
	return name.len >= end.len && memcmp(name.at + name.len - end.len, end.at, end.len) == 0;
}

enum column_role rows_role(struct slice name, enum column_role other)
{
	return ends_with(name, SLICE("_ns")) ? COLUMN_NS : ends_with(name, SLICE("bytes")) ? COLUMN_BYTES :
	       ends_with(name, SLICE("_ts")) ? COLUMN_TIME : other;
}

static bool is_shown(const struct rows *r, size_t column)
{
	return r->column[column].role != COLUMN_NOTE;
}

struct rows *rows_open(struct writer *writer, enum rows_form form, const struct column *columns, size_t n,
		       bool timed)
{
	struct rows *r = memory_zeroed(sizeof *r);

	*r = (struct rows){ .out = writer, .form = form, .column = columns, .n = n, .timed = timed };
	r->key = memory_zeroed(n * sizeof *r->key);
	for (size_t i = 0; i < n; i++)
		r->key[i] = key_of(columns[i].name);
	r->width = memory_zeroed((n + 1) * sizeof *r->width);
	return r;
}

static void put_record(struct rows *r, int64_t ts, struct slice ev, const struct cell *cells)
{
	char space[CELL_TEXT_MAX];

	writer_begin(r->out, ts, SLICE(""));
	writer_bytes(r->out, ev.at, ev.len);
	for (size_t i = 0; i < r->n; i++)
		if (cells[i].kind != CELL_NONE && r->column[i].role != COLUMN_EV)
			writer_raw(r->out, r->key[i], cell_value(&cells[i], space));
	writer_end(r->out);
}

static void head_csv(struct rows *r)
{
	writer_bytes(r->out, "ts", 2);
	for (size_t i = 0; i < r->n; i++) {
		writer_bytes(r->out, ",", 1);
		csv_text(r->out, r->column[i].name);
	}
	writer_bytes(r->out, "\n", 1);
}

static void put_csv(struct rows *r, int64_t ts, const struct cell *cells)
{
	char space[CELL_TEXT_MAX];

	writer_bytes(r->out, space, number_put_i64(space, ts));
	for (size_t i = 0; i < r->n; i++) {
		writer_bytes(r->out, ",", 1);
		if (cells[i].kind != CELL_NONE)
			csv_value(r->out, cell_value(&cells[i], space));
	}
	writer_bytes(r->out, "\n", 1);
}

static void put_json(struct rows *r, int64_t ts, const struct cell *cells)
{
	char space[CELL_TEXT_MAX];

	writer_bytes(r->out, "{\"ts\":", 6);
	json_string(r->out, (struct slice){ space, number_put_i64(space, ts) });
	for (size_t i = 0; i < r->n; i++) {
		writer_bytes(r->out, ",", 1);
		json_text(r->out, r->column[i].name);
		writer_bytes(r->out, ":", 1);
		if (cells[i].kind == CELL_NONE)
			writer_bytes(r->out, "null", 4);
		else
			json_value(r->out, cell_value(&cells[i], space));
	}
	writer_bytes(r->out, "}\n", 2);
}

/* Adds a piece of at most ROOM bytes to the table's block; returns where its text goes. */
static char *piece_room(struct rows *r, size_t room)
{
	r->text = memory_grow(r->text, &r->text_room, r->text_n + room, 1);
	r->piece = memory_grow(r->piece, &r->piece_room, r->pieces + 1, sizeof *r->piece);
	return r->text + r->text_n;
}

static void add_piece(struct rows *r, size_t len, size_t columns)
{
	size_t column = r->pieces % r->shown;

	r->piece[r->pieces++] = (struct piece){ r->text_n, len, columns };
	r->text_n += len;
	if (columns > r->width[column])
		r->width[column] = columns;
}

/* 2026-11-21T01:25:10.481469996Z, the fraction without zeros at its end. */
static size_t put_time(char *to, int64_t ts)
{
	time_t seconds = ts / 1000000000 - (ts % 1000000000 < 0);
	int n, ns = (int)(ts - (int64_t)seconds * 1000000000);
	struct tm day;

	gmtime_r(&seconds, &day);
	n = (int)strftime(to, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &day);
	if (ns)
		n += snprintf(to + n, TIME_TEXT - (size_t)n, ".%09d", ns);
	/* Whole ms or us; single digits that are left out would make every tenth cell of a column shorter. */
	for (; ns && ns % 1000 == 0; ns /= 1000)
		n -= 3;
	to[n++] = 'Z';
	return (size_t)n;
}

static size_t put_number(char *to, enum column_role role, const struct cell *cell, double number)
{
	size_t n;

	switch (role) {
	case COLUMN_NS:
		return display_duration(to, number);
	case COLUMN_BYTES:
		return display_size(to, number);
	case COLUMN_PER_SECOND:
		n = display_real(to, number);
		memcpy(to + n, "/s", 2);
		return n + 2;
	case COLUMN_PERCENT:
		return (size_t)snprintf(to, DISPLAY_NUMBER, "%.2f %%", number);
	default:
		return cell->kind == CELL_WHOLE ? cell_put_whole(to, cell->whole) : display_real(to, number);
	}
}

static void put_cell(struct rows *r, enum column_role role, const struct cell *cell)
{
	double number;
	size_t len, columns;
	__int128 ts;
	char *to;

	if (role == COLUMN_TIME && cell_whole_of(cell, &ts) && ts >= 0 && ts <= INT64_MAX) {
		to = piece_room(r, TIME_TEXT);
		len = put_time(to, (int64_t)ts);
		add_piece(r, len, len);
	} else if (cell->kind == CELL_NONE) {
		*piece_room(r, 1) = '-';
		add_piece(r, 1, 1);
	} else if (role >= COLUMN_NUMBER && cell_number(cell, &number) &&
		   !(cell->kind == CELL_TEXT && role == COLUMN_NUMBER)) {
		to = piece_room(r, DISPLAY_NUMBER + 2);
		len = put_number(to, role, cell, number);
		add_piece(r, len, len);
	} else {
		char space[CELL_TEXT_MAX];
		struct slice text = cell_value(cell, space);

		to = piece_room(r, text.len * 4 + 4);
		len = display_both_ends(to, text, role == COLUMN_SENTENCE ? SIZE_MAX : WIDEST, &columns);
		add_piece(r, len, columns);
	}
}

static void put_head(struct rows *r)
{
	static const struct cell ts = { .kind = CELL_TEXT, .text = { "time", 4 } };

	if (r->timed)
		put_cell(r, COLUMN_TEXT, &ts);
	for (size_t i = 0; i < r->n; i++) {
		struct cell name = cell_text(r->column[i].name);

		if (is_shown(r, i))
			put_cell(r, COLUMN_TEXT, &name);
	}
}

static void put_table(struct rows *r, int64_t ts, const struct cell *cells)
{
	if (!r->headed) {
		r->shown = r->timed;
		for (size_t i = 0; i < r->n; i++)
			r->shown += is_shown(r, i);
		put_head(r);
		r->headed = true;
	}
	if (r->timed) {
		size_t len = put_time(piece_room(r, TIME_TEXT), ts);

		add_piece(r, len, len);
	}
	for (size_t i = 0; i < r->n; i++)
		if (is_shown(r, i))
			put_cell(r, r->column[i].role, &cells[i]);
	if (r->pieces >= BLOCK_ROWS * r->shown)
		rows_end_block(r);
}

void rows_put(struct rows *r, int64_t ts, struct slice ev, const struct cell *cells)
{
	switch (r->form) {
	case ROWS_TABLE:
		put_table(r, ts, cells);
		return;
	case ROWS_RECORDS:
		put_record(r, ts, ev, cells);
		return;
	case ROWS_CSV:
		if (!r->headed)
			head_csv(r);
		r->headed = true;
		put_csv(r, ts, cells);
		return;
	case ROWS_JSON:
		put_json(r, ts, cells);
		return;
	}
}

/* Whether the I-th shown column has its text to the left. */
static bool to_the_left(const struct rows *r, size_t i)
{
	if (r->timed && i-- == 0)
		return true;
	for (size_t k = 0; k < r->n; k++)
		if (is_shown(r, k) && i-- == 0)
			return r->column[k].role <= COLUMN_TIME;
	return false;
}

void rows_end_block(struct rows *r)
{
	for (size_t i = 0; i < r->pieces; i++) {
		const struct piece *piece = &r->piece[i];
		size_t column = i % r->shown, blanks = r->width[column] - piece->columns;
		bool left = to_the_left(r, column), last = column + 1 == r->shown;

		if (!left)
			memset(writer_room(r->out, blanks), ' ', blanks);
		r->out->at += left ? 0 : blanks;
		writer_bytes(r->out, r->text + piece->from, piece->len);
		blanks = last ? 0 : left ? blanks + 2 : 2;
		memset(writer_room(r->out, blanks), ' ', blanks);
		r->out->at += blanks;
		if (last)
			writer_bytes(r->out, "\n", 1);
	}
	r->pieces = r->text_n = 0;
}

void rows_close(struct rows *r)
{
	rows_end_block(r);
	for (size_t i = 0; i < r->n; i++)
		free((void *)(uintptr_t)r->key[i].at);
	free(r->key);
	free(r->width);
	free(r->text);
	free(r->piece);
	free(r);
}

void rows_left_out(uint64_t n, const char *what, uint64_t top)
{
	if (n)
		message("%llu %s%s left out (-n %llu)", (unsigned long long)n, what, n == 1 ? " is" : "s are",
			(unsigned long long)top);
}
