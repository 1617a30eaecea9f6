// SPDX-License-Identifier: MIT
#include "records/inorder.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct held {
	uint64_t ts;
	size_t at, size;
};

struct inorder {
	char *bytes, *spare;	/* the events; where those that stay are moved */
	size_t room, used;
	struct held *held;	/* by time */
	size_t n, n_room;
	uint64_t passed, late;	/* the latest time handed over */
};

struct inorder *inorder_new(size_t bytes)
{
	struct inorder *inorder = memory_zeroed(sizeof *inorder);

	inorder->bytes = memory_get(bytes);
	inorder->spare = memory_get(bytes);
	inorder->room = bytes;
	return inorder;
}

void inorder_free(struct inorder *inorder)
{
	if (!inorder)
		return;
	free(inorder->bytes);
	free(inorder->spare);
	free(inorder->held);
	free(inorder);
}

bool inorder_add(struct inorder *inorder, uint64_t ts, const void *event, size_t size)
{
	size_t whole = (size + 7) & ~(size_t)7, i;

	if (inorder->room - inorder->used < whole)
		return false;
	memcpy(inorder->bytes + inorder->used, event, size);
	inorder->held = memory_grow(inorder->held, &inorder->n_room, inorder->n + 1, sizeof *inorder->held);
	for (i = inorder->n++; i > 0 && inorder->held[i - 1].ts > ts; i--)
		inorder->held[i] = inorder->held[i - 1];
	inorder->held[i] = (struct held){ ts, inorder->used, size };
	inorder->used += whole;
	return true;
}

/* Moves the events from the number FIRST on to the beginning. */
static void keep_from(struct inorder *inorder, size_t first)
{
	char *bytes = inorder->bytes;
	size_t used = 0;

	for (size_t i = first; i < inorder->n; i++) {
		struct held *held = &inorder->held[i];

		memcpy(inorder->spare + used, bytes + held->at, held->size);
		inorder->held[i - first] = (struct held){ held->ts, used, held->size };
		used += (held->size + 7) & ~(size_t)7;
	}
	inorder->n -= first;
	inorder->used = used;
	inorder->bytes = inorder->spare;
	inorder->spare = bytes;
}

void inorder_pass(struct inorder *inorder, uint64_t until,
		  void (*each)(void *state, uint64_t ts, const void *event, size_t size), void *state)
{
	size_t i = 0, left = inorder->used;

	for (; i < inorder->n; i++) {
		const struct held *held = &inorder->held[i];

		if (held->ts > until && left <= inorder->room / 2)
			break;
		if (held->ts < inorder->passed)
			inorder->late++;
		else
			inorder->passed = held->ts;
		left -= (held->size + 7) & ~(size_t)7;
		each(state, held->ts, inorder->bytes + held->at, held->size);
	}
	if (i)
		keep_from(inorder, i);
}

uint64_t inorder_late(const struct inorder *inorder)
{
	return inorder->late;
}
