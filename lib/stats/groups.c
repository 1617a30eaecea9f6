// SPDX-License-Identifier: MIT
#include "stats/groups.h"

#include <stdlib.h>

#include "base/memory.h"
#include "records/cell.h"
#include "records/reader.h"
#include "records/writer.h"

enum { BLOCK = 64 << 10, SLOTS = 256, ABSENT_LEN = -1 };

/*
 * What is compared of a value: its first 16 bytes, zeros behind it, and its length. Longer values are
 * compared whole after that.
 */
struct head {
	uint64_t word[2];
	uint64_t len;		/* (uint64_t)ABSENT_LEN: the key is absent */
};

/*
 * A sequence of values as it was met. One that has escapes may be another spelling of an earlier
 * group, and then has that group's id.
 */
struct entry {
	uint32_t id;
	uint32_t tag;
	const char *text;	/* the values, one behind the other */
	struct head head[];	/* n of them */
};

struct block {
	struct block *next;
	size_t used, size;
	char bytes[];
};

struct slot {
	uint32_t tag;		/* upper half of the hash */
	uint32_t entry;		/* index + 1; 0: free */
};

struct groups {
	size_t n;
	struct slot *slot;	/* open addressing */
	size_t slots;
	struct entry **entry;
	size_t entries, entry_room;
	struct entry **group;	/* by id: the entry that has its values in canonical form */
	size_t count, group_room;
	struct block *blocks;
	size_t bytes;
};

static void *keep(struct groups *g, size_t size)
{
	struct block *block = g->blocks;
	void *at;

	size = (size + 7) & ~(size_t)7;
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK ? size : BLOCK;

		block = memory_get(sizeof *block + room);
		*block = (struct block){ .next = g->blocks, .size = room };
		g->blocks = block;
		g->bytes += room;
	}
	at = block->bytes + block->used;
	block->used += size;
	return at;
}

struct groups *groups_new(size_t n)
{
	struct groups *g = memory_zeroed(sizeof *g);

	g->n = n;
	g->slots = SLOTS;
	g->slot = memory_zeroed(g->slots * sizeof *g->slot);
	return g;
}

void groups_clear(struct groups *g)
{
	for (struct block *next; g->blocks; g->blocks = next) {
		next = g->blocks->next;
		free(g->blocks);
	}
	g->entries = g->count = 0;
	g->bytes = 0;
	memset(g->slot, 0, g->slots * sizeof *g->slot);
}

void groups_free(struct groups *g)
{
	if (!g)
		return;
	groups_clear(g);
	free(g->slot);
	free(g->entry);
	free(g->group);
	free(g);
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Fills HEADS from the values and returns their hash; *LONGER: some value has more than 16 bytes. */
static inline uint64_t take_heads(const struct slice *values, size_t n, struct head *heads, bool *longer)
{
	static const unsigned char masks[32] = { 255, 255, 255, 255, 255, 255, 255, 255,
						 255, 255, 255, 255, 255, 255, 255, 255 };
	uint64_t hash = 0x9e3779b97f4a7c15u;

	*longer = false;
	for (size_t i = 0; i < n; i++) {
		size_t len = values[i].len, brief = len < 16 ? len : 16;
		uint64_t low = 0, high = 0, low_mask, high_mask;

		if (__builtin_expect(!values[i].at, 0)) {
			len = (size_t)ABSENT_LEN;
		} else {
			memcpy(&low, values[i].at, 8);
			memcpy(&high, values[i].at + 8, 8);
			memcpy(&low_mask, masks + 16 - brief, 8);
			memcpy(&high_mask, masks + 24 - brief, 8);
			low &= low_mask;
			high &= high_mask;
			if (__builtin_expect(len > 16, 0)) {
				*longer = true;
				hash ^= slice_hash(values[i]);
			}
		}
		heads[i] = (struct head){ { low, high }, len };
		hash = mix(low ^ hash, high ^ (len * 0xc4ceb9fe1a85ec53u + 0x632be59bd9b4e019u)) +
		       0x9e3779b97f4a7c15u;
	}
	return hash ^ hash >> 32;
}

static bool rest_equal(const struct entry *entry, const struct slice *values, size_t n)
{
	const char *text = entry->text;

	for (size_t i = 0; i < n; i++) {
		if (!values[i].at)
			continue;
		if (values[i].len > 16 && memcmp(text + 16, values[i].at + 16, values[i].len - 16) != 0)
			return false;
		text += values[i].len;
	}
	return true;
}

static inline bool heads_equal(const struct head *a, const struct head *b, size_t n)
{
	uint64_t differ = 0;

	for (size_t i = 0; i < n; i++)
		differ |= (a[i].word[0] ^ b[i].word[0]) | (a[i].word[1] ^ b[i].word[1]) |
			  (a[i].len ^ b[i].len);
	return differ == 0;
}

static inline struct slot *find(const struct groups *g, const struct slice *values, const struct head *heads,
				uint64_t hash, bool longer)
{
	uint32_t tag = (uint32_t)(hash >> 32);

	for (size_t at = hash & (g->slots - 1);; at = (at + 1) & (g->slots - 1)) {
		struct slot *slot = &g->slot[at];
		const struct entry *entry;

		if (slot->entry == 0)
			return slot;
		if (slot->tag != tag)
			continue;
		entry = g->entry[slot->entry - 1];
		if (heads_equal(entry->head, heads, g->n) && (!longer || rest_equal(entry, values, g->n)))
			return slot;
	}
}

static void grow(struct groups *g)
{
	struct slot *old = g->slot;
	size_t old_slots = g->slots;

	g->slots *= 2;
	g->slot = memory_zeroed(g->slots * sizeof *g->slot);
	for (size_t i = 0; i < old_slots; i++) {
		struct slice values[GROUPS_KEYS_MAX];
		struct head heads[GROUPS_KEYS_MAX];
		const struct entry *entry;
		const char *text;
		size_t at;
		bool longer;

		if (!old[i].entry)
			continue;
		entry = g->entry[old[i].entry - 1];
		text = entry->text;
		for (size_t k = 0; k < g->n; k++) {
			bool absent = entry->head[k].len == (uint64_t)ABSENT_LEN;

			values[k] = absent ? (struct slice){ 0 } : (struct slice){ text, entry->head[k].len };
			text += values[k].len;
		}
		at = take_heads(values, g->n, heads, &longer) & (g->slots - 1);
		while (g->slot[at].entry)
			at = (at + 1) & (g->slots - 1);
		g->slot[at] = old[i];
	}
	free(old);
}

static uint32_t insert(struct groups *g, const struct slice *values);

/* The id of values of which one has an escape: that of the values as the writer would escape them. */
static uint32_t canonical(struct groups *g, const struct slice *values, bool *same)
{
	struct slice proper[GROUPS_KEYS_MAX];
	size_t room = 16;
	char *text, *to, *plain;
	uint32_t id = 0;

	for (size_t i = 0; i < g->n; i++)
		room += values[i].len * 4;
	text = to = memory_zeroed(room);
	plain = memory_get(room);
	*same = true;
	for (size_t i = 0; i < g->n; i++) {
		size_t len = reader_unescape(values[i], plain);

		proper[i] = (struct slice){ values[i].at ? to : NULL,
					    writer_escape(to, (struct slice){ plain, len }) };
		to += proper[i].len;
		*same &= slice_equal(proper[i], values[i]);
	}
	if (!*same)
		id = groups_id(g, proper);
	free(plain);
	free(text);
	return id;
}

static uint32_t insert(struct groups *g, const struct slice *values)
{
	struct head heads[GROUPS_KEYS_MAX];
	bool longer, escaped = false, same = true;
	uint64_t hash = take_heads(values, g->n, heads, &longer);
	struct entry *entry;
	struct slot *slot;
	uint32_t id = 0;
	size_t len = 16;	/* a head is read whole */
	char *text;

	for (size_t i = 0; i < g->n; i++) {
		len += values[i].len;
		escaped |= values[i].at && reader_escaped(values[i]);
	}
	if (escaped)
		id = canonical(g, values, &same);
	entry = keep(g, sizeof *entry + g->n * sizeof *heads);
	entry->text = text = keep(g, len);
	for (size_t i = 0; i < g->n; i++) {
		if (values[i].at)
			memcpy(text, values[i].at, values[i].len);
		text += values[i].len;
	}
	memset(text, 0, 16);
	if (same) {
		id = (uint32_t)g->count;
		g->group = memory_grow(g->group, &g->group_room, ++g->count, sizeof *g->group);
		g->group[id] = entry;
	}
	entry->id = id;
	entry->tag = (uint32_t)(hash >> 32);
	memcpy(entry->head, heads, g->n * sizeof *heads);
	g->entry = memory_grow(g->entry, &g->entry_room, ++g->entries, sizeof(struct entry *));
	g->entry[g->entries - 1] = entry;
	if (g->entries * 2 > g->slots)
		grow(g);
	slot = find(g, values, heads, hash, longer);
	*slot = (struct slot){ entry->tag, (uint32_t)g->entries };
	return id;
}

uint32_t groups_id(struct groups *g, const struct slice *values)
{
	struct head heads[GROUPS_KEYS_MAX];
	bool longer;
	uint64_t hash = take_heads(values, g->n, heads, &longer);
	const struct slot *slot = find(g, values, heads, hash, longer);

	return slot->entry ? g->entry[slot->entry - 1]->id : insert(g, values);
}

struct slice groups_value(const struct groups *g, uint32_t id, size_t k)
{
	const struct entry *entry = g->group[id];
	const char *text = entry->text;

	if (entry->head[k].len == (uint64_t)ABSENT_LEN)
		return (struct slice){ 0 };
	for (size_t i = 0; i < k; i++)
		if (entry->head[i].len != (uint64_t)ABSENT_LEN)
			text += entry->head[i].len;
	return (struct slice){ text, entry->head[k].len };
}

int groups_compare(const struct groups *g, uint32_t a, uint32_t b)
{
	int order = 0;

	for (size_t k = 0; k < g->n && order == 0; k++) {
		struct cell left = cell_text(groups_value(g, a, k)), right = cell_text(groups_value(g, b, k));

		order = cell_compare(&left, &right);
	}
	return order;
}

uint32_t groups_count(const struct groups *g)
{
	return (uint32_t)g->count;
}

size_t groups_bytes(const struct groups *g)
{
	return g->bytes + g->slots * sizeof *g->slot +
	       (g->entry_room + g->group_room) * sizeof(struct entry *);
}
