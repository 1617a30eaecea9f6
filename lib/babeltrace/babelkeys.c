// SPDX-License-Identifier: MIT
#include "babeltrace/babelkeys.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "records/writer.h"
#include "traces/keys.h"

enum {
	NAMES_MAX = 1 << 17,	/* more names than this, or more bytes in them, and all are forgotten */
	BYTES_MAX = 16 << 20,
	PATH_MAX_BYTES = 4096,
};

struct babelkey {
	struct key key;
	uint64_t used;		/* the line that used it last */
	uint64_t context;	/* the line that had a context of this key last */
	uint64_t copied;	/* the line that `copies` is about */
	uint32_t copies;
	bool wanted;
	bool reserved;
};

static struct slice slice_key(struct key key)
{
	return (struct slice){ key.at + 1, key.len - 2 };
}

/* The id of a key as the writer wants it, TAB and `=` included. */
static uint32_t intern_key(struct babelkeys *k, struct slice text)
{
	uint32_t id = intern_id(k->intern, text);

	if (id == k->keys_n) {
		struct slice kept = intern_text(k->intern, id), name = { kept.at + 1, kept.len - 2 };
		static const char *const reserved[] = { "ts", "ev", "cpu", "pid", "tid", "comm" };
		struct babelkey key = {
			.key = { kept.at, kept.len },
			.wanted = selection_field(k->selection, name),
		};

		for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
			key.reserved |= slice_equal(name, slice_of(reserved[i]));
		k->keys = memory_grow(k->keys, &k->keys_room, ++k->keys_n, sizeof *k->keys);
		k->keys[id] = key;
		k->bytes += kept.len + sizeof key;
	}
	return id;
}

uint32_t babelkeys_key(struct babelkeys *k, struct slice name)
{
	struct key key = key_of(name);
	uint32_t id = intern_key(k, (struct slice){ key.at, key.len });

	free((void *)(uintptr_t)key.at);
	return id;
}

bool babelkeys_wanted(const struct babelkeys *k, uint32_t key)
{
	return k->keys[key].wanted;
}

void babelkeys_note_context(struct babelkeys *k, uint32_t key)
{
	k->keys[key].context = k->line;
}

bool babelkeys_is_context(const struct babelkeys *k, uint32_t key)
{
	return k->keys[key].context == k->line;
}

struct key babelkeys_use(struct babelkeys *k, uint32_t id)
{
	char text[PATH_MAX_BYTES + 64];

	if (k->keys[id].used != k->line) {
		k->keys[id].used = k->line;
		return k->keys[id].key;
	}
	if (k->keys[id].copied != k->line) {
		k->keys[id].copied = k->line;
		k->keys[id].copies = 1;
	}
	for (;;) {
		struct slice name = slice_key(k->keys[id].key);
		int n = snprintf(text, sizeof text, "\t%.*s_%u=", (int)name.len, name.at,
				 ++k->keys[id].copies);
		uint32_t copy = intern_key(k, (struct slice){ text, (size_t)n });

		if (k->keys[copy].used != k->line) {
			k->keys[copy].used = k->line;
			return k->keys[copy].key;
		}
	}
}

static bool begins_and_ends(struct slice text, struct slice begin, struct slice end)
{
	return text.len > begin.len + end.len && memcmp(text.at, begin.at, begin.len) == 0 &&
	       memcmp(text.at + text.len - end.len, end.at, end.len) == 0;
}

static enum babelrole role_of(const struct babelname *name)
{
	static const struct slice contexts[] = { SLICE(""), SLICE("pid"), SLICE("tid"), SLICE("procname"),
						 SLICE("vpid"), SLICE("vtid") };

	if (name->depth == 1 && name->scope == SCOPE_PACKET && slice_equal(name->text, SLICE("cpu_id")))
		return ROLE_CPU;
	if (name->depth == 1 && name->scope == SCOPE_PAYLOAD)
		return slice_equal(name->text, SLICE("perf_pid"))   ? ROLE_PERF_PID
		       : slice_equal(name->text, SLICE("perf_tid")) ? ROLE_PERF_TID
								    : ROLE_OTHER;
	if (name->depth == 1 && name->scope == SCOPE_CONTEXT)
		for (int role = ROLE_PID; role <= ROLE_VTID; role++)
			if (slice_equal(name->text, contexts[role]))
				return (enum babelrole)role;
	return ROLE_OTHER;
}

static struct slice join(struct slice path, struct slice text)
{
	size_t n = path.len ? path.len + 1 : 0;
	char *joined = memory_get(n + text.len + 1);

	memcpy(joined, path.at, path.len);
	if (n)
		joined[n - 1] = '.';
	memcpy(joined + n, text.at, text.len);
	return (struct slice){ joined, n + text.len };
}

static size_t slot_of(const struct babelkeys *k, uint64_t hash, uint32_t parent, struct slice text)
{
	size_t slot = hash & (k->table_room - 1);

	for (; k->table[slot]; slot = (slot + 1) & (k->table_room - 1)) {
		const struct babelname *name = &k->names[k->table[slot]];

		if (name->hash == hash && name->parent == parent && slice_equal(name->text, text))
			break;
	}
	return slot;
}

static void grow_table(struct babelkeys *k)
{
	free(k->table);
	k->table_room *= 2;
	k->table = memory_zeroed(k->table_room * sizeof *k->table);
	for (uint32_t i = 1; i < k->n; i++) {
		size_t slot = k->names[i].hash & (k->table_room - 1);

		while (k->table[slot])
			slot = (slot + 1) & (k->table_room - 1);
		k->table[slot] = i;
	}
}

/* Adds NAME, whose text and path it copies. */
static uint32_t add(struct babelkeys *k, struct babelname name, struct slice path_before)
{
	size_t slot = slot_of(k, name.hash, name.parent, name.text);
	uint32_t id = (uint32_t)k->n;

	name.path = join(path_before, name.text);
	name.text = (struct slice){ memory_copy(name.text), name.text.len };
	k->bytes += name.path.len + name.text.len;
	k->names = memory_grow(k->names, &k->room, ++k->n, sizeof *k->names);
	k->names[id] = name;
	k->table[slot] = id;
	if (k->n * 2 > k->table_room)
		grow_table(k);
	return id;
}

static uint64_t hash_of(uint32_t parent, struct slice text)
{
	return slice_hash(text) + parent * 0x9e3779b97f4a7c15u;
}

uint32_t babelkeys_child(struct babelkeys *k, uint32_t parent, struct slice text)
{
	uint64_t hash = hash_of(parent, text);
	size_t slot = slot_of(k, hash, parent, text);
	struct slice before = k->names[parent].path;
	struct babelname name = {
		.text = text,
		.hash = hash,
		.parent = parent,
		.depth = k->names[parent].depth + 1,
		.scope = k->names[parent].scope,
	};
	uint32_t id, plain;

	if (k->table[slot])
		return k->table[slot];
	if (before.len + text.len > PATH_MAX_BYTES - 16)
		return 0;
	name.role = role_of(&name);
	name.is_length = begins_and_ends(text, SLICE("_"), SLICE("_length"));
	plain = babelkeys_key(k, text);
	if (name.depth == 1 && name.scope != SCOPE_BESIDE && name.role == ROLE_OTHER &&
	    k->keys[plain].reserved)
		before = name.scope == SCOPE_PAYLOAD ? SLICE("payload") : SLICE("context");
	name.wanted = k->names[parent].wanted;
	id = add(k, name, before);
	k->names[id].key = babelkeys_key(k, k->names[id].path);
	k->names[id].wanted |= babelkeys_wanted(k, k->names[id].key);
	return id;
}

static struct babelevent *add_event(struct babelkeys *k, struct slice text, struct slice fields,
				    uint64_t hash)
{
	struct babelevent event = { .groups = 3, .name = text };
	char room[EVENTNAME_ROOM];
	uint32_t id;

	id = add(k, (struct babelname){ .text = text, .hash = hash, .key = (uint32_t)k->events_n },
		 SLICE(""));
	event.name = keys_event(text, 0, memmem(fields.at, fields.len, "vpid = ", 7) != NULL, room);
	event.name.at = memory_copy(event.name);
	event.wanted = selection_event(k->selection, event.name.at);
	for (uint32_t scope = 0; scope < SCOPES; scope++) {
		struct babelname root = { .parent = id, .scope = scope };

		/* Never looked up, but in the table: where a hash says, not all in one place. */
		root.text = scope == SCOPE_BESIDE ? SLICE("payload") : SLICE("");
		root.hash = hash_of(id, root.text) + scope * 0x9e3779b97f4a7c15u;
		event.root[scope] = add(k, root, SLICE(""));
	}
	k->events = memory_grow(k->events, &k->events_room, ++k->events_n, sizeof *k->events);
	k->events[k->events_n - 1] = event;
	return &k->events[k->events_n - 1];
}

struct babelevent *babelkeys_event(struct babelkeys *k, struct slice name, struct slice fields)
{
	uint64_t hash = hash_of(0, name);
	size_t slot = slot_of(k, hash, 0, name);

	if (k->table[slot])
		return &k->events[k->names[k->table[slot]].key];
	return add_event(k, name, fields, hash);
}

static void forget(struct babelkeys *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free((void *)(uintptr_t)k->names[i].text.at);
		free((void *)(uintptr_t)k->names[i].path.at);
	}
	for (size_t i = 0; i < k->events_n; i++)
		free((void *)(uintptr_t)k->events[i].name.at);
	free(k->names);
	free(k->table);
	free(k->events);
	free(k->keys);
	intern_free(k->intern);
	*k = (struct babelkeys){ .selection = k->selection, .line = k->line };
}

static void begin(struct babelkeys *k)
{
	k->intern = intern_new();
	k->table_room = 1024;
	k->table = memory_zeroed(k->table_room * sizeof *k->table);
	k->names = memory_grow(NULL, &k->room, 1, sizeof *k->names);
	k->names[0] = (struct babelname){ .text = { memory_get(1), 0 }, .path = { memory_get(1), 0 } };
	k->n = 1;
	k->ts = babelkeys_key(k, SLICE("ts"));
	k->ev = babelkeys_key(k, SLICE("ev"));
	k->standard[0] = babelkeys_key(k, SLICE("cpu"));
	k->standard[1] = babelkeys_key(k, SLICE("pid"));
	k->standard[2] = babelkeys_key(k, SLICE("tid"));
	k->standard[3] = babelkeys_key(k, SLICE("comm"));
}

struct babelkeys *babelkeys_new(const struct selection *selection)
{
	struct babelkeys *k = memory_zeroed(sizeof *k);

	k->selection = selection;
	begin(k);
	return k;
}

void babelkeys_free(struct babelkeys *k)
{
	if (k)
		forget(k);
	free(k);
}

void babelkeys_tidy(struct babelkeys *k)
{
	if (k->n > NAMES_MAX || k->keys_n > NAMES_MAX || k->bytes > BYTES_MAX) {
		forget(k);
		begin(k);
	}
}

void babelkeys_line(struct babelkeys *k)
{
	k->line++;
}
