// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include <stdlib.h>

#include "base/memory.h"

enum { BLOCK = 64 << 10, ALIGN = 16 };

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(ALIGN) char bytes[];
};

struct arena {
	struct block *blocks;
	size_t bytes;
};

struct arena *arena_new(void)
{
	return memory_zeroed(sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct block *next; arena->blocks; arena->blocks = next) {
		next = arena->blocks->next;
		free(arena->blocks);
	}
	free(arena);
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}

void *arena_get(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;
	void *at;

	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK ? size : BLOCK;

		block = memory_zeroed(sizeof *block + room);
		block->size = room;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->bytes += room;
	}
	at = block->bytes + block->used;
	block->used += size;
	return at;
}

struct slice arena_copy(struct arena *arena, struct slice text)
{
	char *copy = arena_get(arena, text.len + 1);

	memcpy(copy, text.at, text.len);
	return (struct slice){ copy, text.len };
}
