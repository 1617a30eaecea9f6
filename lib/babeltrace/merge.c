// SPDX-License-Identifier: MIT
#include "babeltrace/merge.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
	CHUNK = 64 << 10,		/* bytes passed at once, so that other things get their turn */
	GIVE_BACK = RING_TEXT / 8,	/* bytes of room, and records, that a producer gets back at once */
	GIVE_BACK_ITEMS = RING_ITEMS / 8,
};

/* How far the merge is in a ring; the ring itself is told in larger steps. */
struct cursor {
	struct ring *ring;
	uint64_t head, bytes;		/* the next record, and where its text is */
	uint64_t given_head, given_bytes;
	uint64_t tail;			/* records up to here are known to be there */
	/* The next record: it is there; or none comes before ts, as far as is known; or none comes. */
	enum { AHEAD, UNKNOWN, OVER } is;
	int64_t ts;
	uint32_t source;
};

static void give_back(struct cursor *cursor)
{
	if (cursor->head == cursor->given_head)
		return;
	ring_take(cursor->ring, cursor->head - cursor->given_head, cursor->bytes - cursor->given_bytes);
	cursor->given_head = cursor->head;
	cursor->given_bytes = cursor->bytes;
}

static void look(struct cursor *cursor)
{
	struct ring *ring = cursor->ring;

	if (cursor->head == cursor->tail) {
		/* In this order: what was published before `over` or `now` was set is seen. */
		bool over = atomic_load_explicit(&ring->over, memory_order_acquire);
		int64_t now = atomic_load_explicit(&ring->now, memory_order_acquire);

		cursor->tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (cursor->head == cursor->tail) {
			give_back(cursor);
			cursor->is = over ? OVER : UNKNOWN;
			cursor->ts = over ? INT64_MAX : now;
			cursor->source = over ? UINT32_MAX : 0;
			return;
		}
	}
	cursor->is = AHEAD;
	cursor->ts = ring_item(ring, cursor->head)->ts;
	cursor->source = ring_item(ring, cursor->head)->source;
}

/* Whether a record of this time and source comes before whatever THAN stands at. */
static bool is_before(int64_t ts, uint32_t source, const struct cursor *than)
{
	return ts < than->ts || (ts == than->ts && than->is != UNKNOWN && source <= than->source);
}

static void write_text(struct writer *out, const char *text, size_t len)
{
	for (; len > CHUNK; text += CHUNK, len -= CHUNK)
		writer_bytes(out, text, CHUNK);
	writer_bytes(out, text, len);
}

static void pass_aside(struct merge *merge, struct cursor *cursor)
{
	struct ring *ring = cursor->ring;

	give_back(cursor);
	write_text(merge->out, ring->aside, ring_item(ring, cursor->head)->len);
	ring_take(ring, 1, 0);
	cursor->given_head = ++cursor->head;
}

/* Passes the records that come before LIMIT, the first one at least. */
static void pass(struct merge *merge, struct cursor *cursor, const struct cursor *limit)
{
	struct ring *ring = cursor->ring;
	uint64_t bytes = 0;

	if (ring_is_aside(ring_item(ring, cursor->head))) {
		pass_aside(merge, cursor);
		return;
	}
	do {
		const struct ring_item *item = ring_item(ring, cursor->head);

		if (!is_before(item->ts, item->source, limit) || ring_is_aside(item))
			break;
		bytes += item->len;
	} while (++cursor->head != cursor->tail && bytes < CHUNK);
	write_text(merge->out, ring->text + cursor->bytes % RING_TEXT, bytes);
	cursor->bytes += bytes;
	if (cursor->bytes - cursor->given_bytes >= GIVE_BACK ||
	    cursor->head - cursor->given_head >= GIVE_BACK_ITEMS)
		give_back(cursor);
}

/*
 * The cursor whose record is next, with the earliest of the others in LIMIT. NULL: that is not known
 * yet, or, with *OVER, nothing comes any more.
 */
static struct cursor *next(struct cursor *cursors, size_t n, const struct cursor **limit, bool *over)
{
	static const struct cursor end = { .is = OVER, .ts = INT64_MAX, .source = UINT32_MAX };
	struct cursor *best = NULL;

	*limit = &end;
	for (size_t i = 0; i < n; i++) {
		struct cursor *cursor = &cursors[i];

		look(cursor);
		if (cursor->is == OVER)
			continue;
		if (!best || (cursor->is == AHEAD ? is_before(cursor->ts, cursor->source, best)
						  : cursor->ts <= best->ts)) {
			*limit = best ? best : &end;
			best = cursor;
		} else if ((*limit)->is == OVER || is_before(cursor->ts, cursor->source, *limit)) {
			*limit = cursor;
		}
	}
	*over = !best;
	return best && best->is == AHEAD ? best : NULL;
}

void merge_run(struct merge *merge)
{
	struct cursor *cursors = memory_zeroed(merge->n * sizeof *cursors);
	uint32_t turns = 0;
	bool over = false;

	for (size_t i = 0; i < merge->n; i++)
		cursors[i].ring = merge->rings[i];
	while (!over) {
		const struct cursor *limit;
		struct cursor *cursor = next(cursors, merge->n, &limit, &over);

		if (!cursor && !over) {
			/* Once more, so that what came just now is not slept through. */
			atomic_store(&merge->bell->waiting, 1);
			cursor = next(cursors, merge->n, &limit, &over);
			if (!cursor && !over) {
				for (size_t i = 0; i < merge->n; i++)
					give_back(&cursors[i]);
				writer_flush(merge->out);
				bell_wait(merge->bell, 1000000);
				merge->idle(merge->data);
				continue;
			}
			atomic_store(&merge->bell->waiting, 0);
		}
		if (cursor)
			pass(merge, cursor, limit);
		if (++turns % 256 == 0)
			merge->idle(merge->data);
	}
	free(cursors);
}
