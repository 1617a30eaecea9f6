// SPDX-License-Identifier: MIT
#include "base/table.h"

#include <stdlib.h>

#include "base/memory.h"

/* Open addressing with linear probing; a removal moves the entries behind it up, so none is wasted. */
struct table {
	size_t value_size;
	size_t slots, count;
	uint64_t *keys;
	unsigned char *used;
	char *values;
};

static size_t home(const struct table *t, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15u;

	return (h ^ h >> 32) & (t->slots - 1);
}

static void allocate(struct table *t, size_t slots)
{
	t->slots = slots;
	t->keys = memory_get(slots * sizeof *t->keys);
	t->used = memory_zeroed(slots);
	t->values = memory_get(slots * t->value_size);
}

struct table *table_new(size_t value_size)
{
	struct table *t = memory_zeroed(sizeof *t);

	t->value_size = value_size;
	allocate(t, 64);
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	free(t->keys);
	free(t->used);
	free(t->values);
	free(t);
}

static size_t find_slot(const struct table *t, uint64_t key)
{
	size_t slot = home(t, key);

	while (t->used[slot] && t->keys[slot] != key)
		slot = (slot + 1) & (t->slots - 1);
	return slot;
}

static void grow(struct table *t)
{
	struct table old = *t;

	allocate(t, old.slots * 2);
	for (size_t i = 0; i < old.slots; i++) {
		size_t slot;

		if (!old.used[i])
			continue;
		slot = find_slot(t, old.keys[i]);
		t->used[slot] = 1;
		t->keys[slot] = old.keys[i];
		memcpy(t->values + slot * t->value_size, old.values + i * t->value_size, t->value_size);
	}
	free(old.keys);
	free(old.used);
	free(old.values);
}

void *table_find(const struct table *t, uint64_t key)
{
	size_t slot = find_slot(t, key);

	return t->used[slot] ? t->values + slot * t->value_size : NULL;
}

void *table_at(struct table *t, uint64_t key)
{
	size_t slot = find_slot(t, key);

	if (!t->used[slot]) {
		if ((t->count + 1) * 2 > t->slots) {
			grow(t);
			slot = find_slot(t, key);
		}
		t->used[slot] = 1;
		t->keys[slot] = key;
		t->count++;
		memset(t->values + slot * t->value_size, 0, t->value_size);
	}
	return t->values + slot * t->value_size;
}

void table_remove(struct table *t, uint64_t key)
{
	size_t hole = find_slot(t, key), slot = hole;

	if (!t->used[hole])
		return;
	t->count--;
	for (;;) {
		size_t wants;

		slot = (slot + 1) & (t->slots - 1);
		if (!t->used[slot])
			break;
		/* An entry may fill the hole unless its home lies behind the hole. */
		wants = home(t, t->keys[slot]);
		if (((slot - wants) & (t->slots - 1)) < ((slot - hole) & (t->slots - 1)))
			continue;
		t->keys[hole] = t->keys[slot];
		memcpy(t->values + hole * t->value_size, t->values + slot * t->value_size, t->value_size);
		hole = slot;
	}
	t->used[hole] = 0;
}

size_t table_count(const struct table *t)
{
	return t->count;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t *table_keys(const struct table *t)
{
	uint64_t *keys = memory_get(t->count * sizeof *keys);
	size_t n = 0;

	for (size_t i = 0; i < t->slots; i++)
		if (t->used[i])
			keys[n++] = t->keys[i];
	qsort(keys, n, sizeof *keys, by_value);
	return keys;
}
