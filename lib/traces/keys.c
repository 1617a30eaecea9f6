// SPDX-License-Identifier: MIT
#include "traces/keys.h"

#include <stdio.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static size_t add(struct keys_name *key, size_t n, struct slice text)
{
	for (size_t i = 0; i < text.len && n < KEYS_LENGTH_MAX; i++) {
		char c = text.at[i];

		if (n == 0 && !is_letter(c) && (c == '.' || (c >= '0' && c <= '9')))
			key->text[n++] = '_';
		key->text[n++] = is_letter(c) || (c >= '0' && c <= '9') || c == '.' ? c : '_';
	}
	return n;
}

void keys_make(struct keys_name *key, struct intern *taken, struct slice parent, struct slice name)
{
	size_t n = add(key, 0, parent), bare;

	if (parent.len && n < KEYS_LENGTH_MAX)
		key->text[n++] = '.';
	if (parent.len == 0 && name.len == 0)
		key->text[n++] = '_';
	bare = key->len = add(key, n, name);
	for (unsigned i = 2; intern_find(taken, (struct slice){ key->text, key->len }) != UINT32_MAX; i++)
		key->len = bare + (size_t)snprintf(key->text + bare, sizeof key->text - bare, "_%u", i);
	intern_id(taken, (struct slice){ key->text, key->len });
}

bool keys_reserved(struct slice name)
{
	static const char *const reserved[] = { "ts", "ev", "cpu", "pid", "tid", "comm" };

	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (slice_equal(name, slice_of(reserved[i])))
			return true;
	return false;
}

bool keys_is_length(struct slice name, struct slice *of)
{
	const size_t tail = sizeof "_length" - 1;

	if (name.len < tail + 2 || name.at[0] != '_' || memcmp(name.at + name.len - tail, "_length", tail) != 0)
		return false;
	*of = (struct slice){ name.at + 1, name.len - tail - 1 };
	return true;
}

struct keys_who keys_who(bool (*has)(const void *event, bool in_payload, const char *name), const void *event)
{
	bool perf = has(event, true, "perf_tid");

	return (struct keys_who){
		.pid = has(event, false, "pid") ? "pid" : has(event, false, "vpid") ? "vpid" :
		       perf ? "perf_pid" : NULL,
		.tid = has(event, false, "tid") ? "tid" : has(event, false, "vtid") ? "vtid" :
		       perf ? "perf_tid" : NULL,
		.comm = has(event, false, "procname") ? "procname" : NULL,
	};
}

const char *keys_environment(const char *as)
{
	return strcmp(as, "pid") == 0 ? "vpid" : strcmp(as, "comm") == 0 ? "procname" : NULL;
}

static bool is(const char *name, struct slice text)
{
	return name && slice_equal(text, slice_of(name));
}

const char *keys_who_key(const struct keys_who *who, bool in_payload, struct slice name)
{
	/* Only perf has them in the payload, where all of its own begin so. */
	if (in_payload != (name.len > 5 && memcmp(name.at, "perf_", 5) == 0))
		return NULL;
	return is(who->pid, name) ? "pid" : is(who->tid, name) ? "tid" : is(who->comm, name) ? "comm" : NULL;
}

struct slice keys_event(struct slice given, uint64_t id, bool have_vpid, char room[EVENTNAME_ROOM])
{
	bool is_user_space = have_vpid && given.len && memchr(given.at, ':', given.len);
	struct slice name = given;

	if (!name.len)
		name = (struct slice){ room, (size_t)snprintf(room, EVENTNAME_ROOM, "event_%llu",
							      (unsigned long long)id) };
	else if (!is_user_space)
		name = eventname_today(name, room);
	if (slice_equal(name, SLICE("lost")))
		name = SLICE("event.lost");
	if (name.len > 4096)
		name.len = 4096;
	return name;
}
