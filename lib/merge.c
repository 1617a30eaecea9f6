// SPDX-License-Identifier: MIT
#include "merge.h"

enum { CHUNK = 64 << 10, SIGHT = 1 << 16 };

/* How far a ring's next record may be taken, and where it stands. */
struct sight {
	int64_t ts;
	uint32_t source;
	enum { AHEAD, UNKNOWN, OVER } is;	/* the record is there; not before ts; nothing comes */
};

/* The order of reading matters: what was published before `now` or `over` was set is seen. */
static struct sight look(const struct ring *ring)
{
	bool over = atomic_load(&((struct ring *)(uintptr_t)ring)->over);
	int64_t now = atomic_load(&((struct ring *)(uintptr_t)ring)->now);

	if (ring_count(ring)) {
		const struct ring_item *item = ring_item(ring, atomic_load(&((struct ring *)(uintptr_t)ring)->head));

		return (struct sight){ item->ts, item->source, AHEAD };
	}
	if (over)
		return (struct sight){ INT64_MAX, UINT32_MAX, OVER };
	return (struct sight){ now, 0, UNKNOWN };
}

static bool is_before(int64_t ts, uint32_t source, const struct sight *than)
{
	return ts < than->ts || (ts == than->ts && than->is != UNKNOWN && source <= than->source);
}

static void write_text(struct writer *out, const char *text, size_t len)
{
	for (; len > CHUNK; text += CHUNK, len -= CHUNK)
		writer_bytes(out, text, CHUNK);
	writer_bytes(out, text, len);
}

/* Passes the ring's records that come before LIMIT. */
static void pass(struct merge *merge, struct ring *ring, const struct sight *limit)
{
	uint64_t head = atomic_load(&ring->head), at = head, end = head + ring_count(ring), bytes = 0;
	const char *text = ring->text + atomic_load(&ring->head_bytes) % RING_TEXT;

	for (; at < end && bytes < CHUNK; at++) {
		const struct ring_item *item = ring_item(ring, at);

		if (!is_before(item->ts, item->source, limit))
			break;
		if (ring_is_aside(item)) {
			if (at > head)
				break;
			write_text(merge->out, ring->aside, item->len);
			ring_take(ring, 1, 0);
			return;
		}
		bytes += item->len;
	}
	write_text(merge->out, text, bytes);
	ring_take(ring, at - head, bytes);
}

/*
 * The ring whose record is next, and in LIMIT the earliest of the others; NULL when that is not known
 * yet, with *OVER set when nothing comes any more.
 */
static struct ring *next_ring(struct merge *merge, struct sight *limit, bool *over)
{
	struct sight best = { INT64_MAX, UINT32_MAX, OVER };
	struct ring *ring = NULL;

	*limit = best;
	for (size_t i = 0; i < merge->n; i++) {
		struct sight sight = look(merge->rings[i]);

		if (sight.is == OVER)
			continue;
		if (best.is == OVER || (sight.is == AHEAD ? is_before(sight.ts, sight.source, &best)
							  : sight.ts <= best.ts)) {
			*limit = best;
			best = sight;
			ring = merge->rings[i];
		} else if (limit->is == OVER || is_before(sight.ts, sight.source, limit)) {
			*limit = sight;
		}
	}
	*over = best.is == OVER;
	return best.is == AHEAD ? ring : NULL;
}

void merge_run(struct merge *merge)
{
	uint32_t turns = 0;

	for (;;) {
		struct sight limit;
		struct ring *ring;
		bool over;

		ring = next_ring(merge, &limit, &over);
		if (!ring && !over) {
			/* Once more, so that what came just now is not slept through. */
			atomic_store(&merge->bell->waiting, 1);
			ring = next_ring(merge, &limit, &over);
			if (!ring && !over) {
				writer_flush(merge->out);
				bell_wait(merge->bell, 1000000);
				merge->idle(merge->data);
				continue;
			}
			atomic_store(&merge->bell->waiting, 0);
		}
		if (over)
			return;
		pass(merge, ring, &limit);
		if (++turns % 64 == 0)
			merge->idle(merge->data);
	}
}
