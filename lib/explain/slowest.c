// SPDX-License-Identifier: MIT
#include "explain/slowest.h"

#include <stdlib.h>

#include "base/memory.h"
#include "records/rows.h"

/* The least of two: the shorter one, and of those as long the later one. */
static bool less(const struct explained *a, const struct explained *b)
{
	int64_t x = a->to - a->from, y = b->to - b->from;

	return x != y ? x < y : a->to != b->to ? a->to > b->to : a->tid > b->tid;
}

static void swap(struct explained **a, struct explained **b)
{
	struct explained *other = *a;

	*a = *b;
	*b = other;
}

static void sift_down(struct explained **heap, size_t n, size_t at)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < n && less(heap[child + 1], heap[child]))
			child++;
		if (child >= n || !less(heap[child], heap[at]))
			return;
		swap(&heap[child], &heap[at]);
		at = child;
	}
}

struct explained *slowest_keep(struct slowest *s, struct explained *item)
{
	if (s->n == s->max) {
		if (!less(s->heap[0], item))
			return item;
		swap(&s->heap[0], &item);
		sift_down(s->heap, s->n, 0);
		return item;
	}
	s->heap = memory_grow(s->heap, &s->room, s->n + 1, sizeof *s->heap);
	s->heap[s->n++] = item;
	for (size_t i = s->n - 1; i && less(s->heap[i], s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&s->heap[i], &s->heap[(i - 1) / 2]);
	return NULL;
}

void slowest_print(struct slowest *s, struct writer *out, const struct history *history, struct slice by)
{
	static const struct column columns[] = {
		{ { "took", 4 }, COLUMN_NS }, { { "what", 4 }, COLUMN_TEXT }, { { "who", 3 }, COLUMN_TEXT },
		{ { "where the time went", 19 }, COLUMN_SENTENCE },
	};
	struct rows *rows = rows_open(out, ROWS_TABLE, columns, 4, true);
	size_t n = s->n;

	/* A heap sort: the least goes to the end. */
	while (n > 1) {
		swap(&s->heap[0], &s->heap[--n]);
		sift_down(s->heap, n, 0);
	}
	for (size_t i = 0; i < s->n; i++) {
		char what[EXPLAINED_TEXT], who[EXPLAINED_TEXT], why[EXPLAINED_TEXT];
		const struct explained *item = s->heap[i];

		rows_put(rows, item->to, SLICE("explain"), (struct cell[]){
			cell_whole(item->to - item->from), cell_text(explained_what(item, by, what)),
			cell_text(explained_who(item, who)), cell_text(explained_why(history, item, why)) });
	}
	rows_close(rows);
}

void slowest_free(struct slowest *s)
{
	for (size_t i = 0; i < s->n; i++)
		explained_free(s->heap[i]);
	free(s->heap);
}
