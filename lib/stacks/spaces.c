// SPDX-License-Identifier: MIT
#include "stacks/spaces.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/table.h"
#include "stacks/symbols.h"

struct owned {
	struct slice who;	/* empty: all others */
	int64_t pid;		/* -1: it is a comm */
	const char *maps;
	struct space *space;
};

struct spaces {
	struct symbols *symbols;
	struct owned *owned;
	size_t n, room;
	struct table *traced;	/* struct space * by pid */
	struct space *unknown;	/* without any mapping */
};

/* Takes `WHO=` off what the option has, and finds or makes its entry. */
static struct owned *owned_by(struct spaces *s, const char **file)
{
	const char *equals = strchr(*file, '='), *slash = strchr(*file, '/');
	struct slice who = { "", 0 };
	struct owned *owned;

	if (equals && (!slash || slash > equals)) {
		who = (struct slice){ *file, (size_t)(equals - *file) };
		*file = equals + 1;
	}
	for (size_t i = 0; i < s->n; i++)
		if (slice_equal(s->owned[i].who, who))
			return &s->owned[i];
	s->owned = memory_grow(s->owned, &s->room, s->n + 1, sizeof *s->owned);
	owned = &s->owned[s->n++];
	*owned = (struct owned){ .who = who, .pid = -1 };
	if (!number_i64(who, &owned->pid))
		owned->pid = -1;
	return owned;
}

struct spaces *spaces_new(const char *kallsyms, const struct option_list *maps, const struct option_list *elf)
{
	struct spaces *s = memory_zeroed(sizeof *s);

	s->symbols = symbols_new();
	s->traced = table_new(sizeof(struct space *));
	if (kallsyms)
		symbols_kernel(s->symbols, kallsyms);
	for (size_t i = 0; i < maps->count; i++) {
		const char *file = maps->items[i];
		struct owned *owned = owned_by(s, &file);

		if (owned->maps)
			message_usage("cannot use --maps %.200s: there is one for this process already",
				      maps->items[i]);
		owned->maps = file;
		owned->space = symbols_saved(s->symbols, file);
	}
	for (size_t i = 0; i < elf->count; i++) {
		const char *file = elf->items[i];
		struct owned *owned = owned_by(s, &file);

		if (!owned->space)
			owned->space = symbols_saved(s->symbols, NULL);
		symbols_saved_elf(s->symbols, owned->space, file, 0);
	}
	return s;
}

void spaces_free(struct spaces *s)
{
	if (!s)
		return;
	symbols_free(s->symbols);
	table_free(s->traced);
	free(s->owned);
	free(s);
}

void spaces_mapped(struct spaces *s, int64_t pid, const char *file, uint64_t base)
{
	struct space **space = table_find(s->traced, (uint64_t)pid);

	if (!space && table_count(s->traced) == SPACES_TRACED)
		return;
	space = table_at(s->traced, (uint64_t)pid);
	if (!*space)
		*space = symbols_saved(s->symbols, NULL);
	symbols_saved_elf(s->symbols, *space, file, base);
}

static struct space *find(struct spaces *s, int64_t pid, struct slice comm)
{
	struct space *other = NULL, **traced = pid >= 0 ? table_find(s->traced, (uint64_t)pid) : NULL;

	for (size_t i = 0; i < s->n; i++) {
		const struct owned *owned = &s->owned[i];

		if (owned->who.len == 0)
			other = owned->space;
		else if (owned->pid >= 0 ? owned->pid == pid : slice_equal(owned->who, comm))
			return owned->space;
	}
	if (traced)
		return *traced;
	if (other)
		return other;
	if (!s->unknown)
		s->unknown = symbols_saved(s->symbols, NULL);
	return s->unknown;
}

static bool tracers(struct slice frame)
{
	static const char *const begins[] = { "lttng_", "__event_probe__", "__lttng_", "syscall_entry_event_",
					      "syscall_exit_event_" };

	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (frame.len >= strlen(begins[i]) && memcmp(frame.at, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

struct slice spaces_stack(struct spaces *s, int64_t pid, struct slice comm, const struct callstack *callstack)
{
	struct stack stack = {
		.user = callstack->user,
		.users = callstack->users,
		.kernel = callstack->kernel,
		.kernels = callstack->kernels,
		.truncated = callstack->truncated,
		/* The tracer is called where the event happens: all that stands is where calls return. */
		.leaf_returns = true,
	};
	struct slice text = symbols_stack(s->symbols, find(s, pid, comm), &stack);

	for (size_t i = 0; i < callstack->kernels && text.len; i++) {
		const char *before = memrchr(text.at, ';', text.len), *at = before ? before + 1 : text.at;

		if (!tracers((struct slice){ at, (size_t)(text.at + text.len - at) }))
			break;
		text.len = before ? (size_t)(before - text.at) : 0;
	}
	return text;
}

struct slice spaces_function(struct spaces *s, int64_t pid, struct slice comm, uint64_t address)
{
	return symbols_address(s->symbols, find(s, pid, comm), address, false);
}

void spaces_report(const struct spaces *s)
{
	symbols_report(s->symbols);
}
