// SPDX-License-Identifier: MIT
#include "base/intern.h"

#include <stdlib.h>

#include "base/memory.h"

enum { BLOCK = 64 << 10 };

struct entry {
	struct slice text;
	uint64_t hash;
};

struct block {
	struct block *next;
	size_t used, size;
	char bytes[];
};

struct intern {
	struct entry *entries;
	size_t room;
	uint32_t count;
	uint32_t *table;	/* open addressing: id + 1 */
	size_t slots;
	struct block *blocks;
};

struct intern *intern_new(void)
{
	struct intern *in = memory_zeroed(sizeof *in);

	in->slots = 64;
	in->table = memory_zeroed(in->slots * sizeof *in->table);
	return in;
}

void intern_free(struct intern *in)
{
	if (!in)
		return;
	for (struct block *next; in->blocks; in->blocks = next) {
		next = in->blocks->next;
		free(in->blocks);
	}
	free(in->entries);
	free(in->table);
	free(in);
}

static size_t find_slot(const struct intern *in, struct slice text, uint64_t hash)
{
	size_t slot = hash & (in->slots - 1);

	for (; in->table[slot]; slot = (slot + 1) & (in->slots - 1)) {
		const struct entry *entry = &in->entries[in->table[slot] - 1];

		if (entry->hash == hash && slice_equal(entry->text, text))
			break;
	}
	return slot;
}

static void grow(struct intern *in)
{
	free(in->table);
	in->slots *= 2;
	in->table = memory_zeroed(in->slots * sizeof *in->table);
	for (uint32_t id = 0; id < in->count; id++) {
		size_t slot = in->entries[id].hash & (in->slots - 1);

		while (in->table[slot])
			slot = (slot + 1) & (in->slots - 1);
		in->table[slot] = id + 1;
	}
}

static struct slice keep(struct intern *in, struct slice text)
{
	struct block *block = in->blocks;
	char *copy;

	if (!block || block->size - block->used < text.len + 1) {
		size_t size = text.len + 1 > BLOCK ? text.len + 1 : BLOCK;

		block = memory_get(sizeof *block + size);
		*block = (struct block){ .next = in->blocks, .size = size };
		in->blocks = block;
	}
	copy = block->bytes + block->used;
	if (text.len)
		memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	block->used += text.len + 1;
	return (struct slice){ copy, text.len };
}

uint32_t intern_id(struct intern *in, struct slice text)
{
	uint64_t hash = slice_hash(text);
	size_t slot = find_slot(in, text, hash);

	if (in->table[slot])
		return in->table[slot] - 1;
	in->entries = memory_grow(in->entries, &in->room, in->count + 1, sizeof *in->entries);
	in->entries[in->count] = (struct entry){ keep(in, text), hash };
	in->table[slot] = ++in->count;
	if ((size_t)in->count * 2 > in->slots)
		grow(in);
	return in->count - 1;
}

uint32_t intern_find(const struct intern *in, struct slice text)
{
	return in->table[find_slot(in, text, slice_hash(text))] - 1;
}

struct slice intern_text(const struct intern *in, uint32_t id)
{
	return in->entries[id].text;
}

uint32_t intern_count(const struct intern *in)
{
	return in->count;
}
