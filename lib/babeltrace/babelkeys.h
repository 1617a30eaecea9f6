/* SPDX-License-Identifier: MIT */
/*
 * The keys of the records that babeltrace's text becomes: from the names in its braces to keys of
 * records(5), each once in a record.
 *
 * Names form a tree: event, scope, field, member... A name remembers which one followed it last time,
 * so in a regular stream the next name costs one comparison. Memory is bounded: babelkeys_tidy()
 * forgets all when there are too many.
 */
#ifndef WEIR_BABELKEYS_H
#define WEIR_BABELKEYS_H

#include "base/slice.h"
#include "records/writer.h"
#include "traces/selection.h"

enum babelscope { SCOPE_PACKET, SCOPE_CONTEXT, SCOPE_PAYLOAD, SCOPE_BESIDE, SCOPES };

/* What a context is to a record; perf has pid and tid in the payload. */
enum babelrole { ROLE_CPU, ROLE_PID, ROLE_TID, ROLE_COMM, ROLE_VPID, ROLE_VTID, ROLE_PERF_PID, ROLE_PERF_TID,
		 ROLE_OTHER };

struct babelname {
	struct slice text;	/* as it stands in the braces */
	struct slice path;	/* of the record's key, before cleaning */
	uint64_t hash;
	uint32_t parent;
	uint32_t next;		/* the name that followed last time; 0: none did */
	uint32_t key;
	uint32_t depth;		/* 1: a field of the event, 2: a member of it... */
	enum babelscope scope;
	enum babelrole role;
	bool is_length;		/* _NAME_length */
	bool wanted;		/* it, or what it is a part of, is in the selection */
};

struct babelevent {
	struct slice name;	/* today's; NUL-terminated behind its length */
	bool wanted;
	uint32_t groups;	/* pairs of braces that its last line had */
	uint32_t root[SCOPES];	/* names to begin at */
};

struct babelkeys {
	const struct selection *selection;
	struct intern *intern;
	struct babelname *names;	/* [0] is the root of all */
	size_t n, room;
	uint32_t *table;	/* open addressing: hash to name */
	size_t table_room;
	size_t bytes;		/* of all paths */
	struct babelevent *events;
	size_t events_n, events_room;
	struct babelkey *keys;	/* by interned id */
	size_t keys_n, keys_room;
	uint32_t ts, ev, standard[4];	/* cpu, pid, tid, comm */
	uint64_t line;
};

/* SELECTION is kept. */
struct babelkeys *babelkeys_new(const struct selection *selection);
void babelkeys_free(struct babelkeys *keys);

/* Between lines: all events, ids and keys from before may be void from now on. */
void babelkeys_tidy(struct babelkeys *keys);

/* Begins a line: no key is used yet. */
void babelkeys_line(struct babelkeys *keys);

/*
 * The event of this name; FIELDS is the text of its braces, which tells events of user space, whose
 * names stay. Valid until the next call. O(1).
 */
struct babelevent *babelkeys_event(struct babelkeys *keys, struct slice name, struct slice fields);

/*
 * The name TEXT below PARENT, as an id; 0 when its path would be longer than 4 KiB. O(length).
 * Names that are reserved (ts ev cpu pid tid comm) have a path that begins with `payload.` or
 * `context.`, as have all of SCOPE_BESIDE.
 */
uint32_t babelkeys_child(struct babelkeys *keys, uint32_t parent, struct slice text);

/* Whether the key is in the selection. */
bool babelkeys_wanted(const struct babelkeys *keys, uint32_t key);

/* The key itself where this line has not used it, else NAME_2, NAME_3... Uses it. */
struct key babelkeys_use(struct babelkeys *keys, uint32_t key);

/* Notes that this line has a context of that key; asks whether it has. */
void babelkeys_note_context(struct babelkeys *keys, uint32_t key);
bool babelkeys_is_context(const struct babelkeys *keys, uint32_t key);

/* The id of a key that is no name in the text. */
uint32_t babelkeys_key(struct babelkeys *keys, struct slice name);

#endif
