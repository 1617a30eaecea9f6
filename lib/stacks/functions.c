// SPDX-License-Identifier: MIT
#include "stacks/functions.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "stacks/callpaths.h"
#include "stacks/stack.h"

struct functions {
	struct spaces *spaces;
	struct callpaths *paths;
	struct intern *frames;		/* folded text, to the number that callpaths knows it by */
	struct intern *addresses;	/* process and address, to a place in: */
	uint32_t *frame;
	size_t room;
	struct stack_text text;
	struct lookup ts, addr, last_ts;
	int64_t gap;			/* until then, events may be missing */
	bool any;

	/* While folding: */
	struct folded *folded;
	bool calls;
};

struct functions *functions_new(struct spaces *spaces)
{
	struct functions *f = memory_get(sizeof *f);

	*f = (struct functions){
		.spaces = spaces,
		.paths = callpaths_new(),
		.frames = intern_new(),
		.addresses = intern_new(),
		.ts = LOOKUP("ts"),
		.addr = LOOKUP("addr"),
		.last_ts = LOOKUP("last_ts"),
		.gap = INT64_MIN,
	};
	return f;
}

void functions_free(struct functions *f)
{
	callpaths_free(f->paths);
	intern_free(f->frames);
	intern_free(f->addresses);
	free(f->frame);
	stack_text_free(&f->text);
	lookup_free(&f->ts);
	lookup_free(&f->addr);
	lookup_free(&f->last_ts);
	free(f);
}

enum functions_event functions_event(struct slice ev)
{
	static const char provider[] = "lttng_ust_cyg_profile";
	struct slice name = { ev.at + sizeof provider - 1, ev.len - (sizeof provider - 1) };

	if (ev.len < sizeof provider || memcmp(ev.at, provider, sizeof provider - 1) != 0)
		return FUNCTIONS_NONE;
	if (slice_equal(name, SLICE(":func_entry")) || slice_equal(name, SLICE("_fast:func_entry")))
		return FUNCTIONS_ENTRY;
	if (slice_equal(name, SLICE(":func_exit")) || slice_equal(name, SLICE("_fast:func_exit")))
		return FUNCTIONS_EXIT;
	return FUNCTIONS_NONE;
}

/* The function that ADDR is of, as callpaths knows it. */
static uint32_t function(struct functions *f, int64_t pid, struct slice comm, uint64_t address)
{
	const uint64_t key[] = { (uint64_t)pid, address };
	uint32_t known = intern_count(f->addresses), id;

	id = intern_id(f->addresses, (struct slice){ (const char *)key, sizeof key });
	if (id == known) {
		f->text.len = 0;
		stack_add_value(&f->text, spaces_function(f->spaces, pid, comm, address));
		f->frame = memory_grow(f->frame, &f->room, id + 1, sizeof *f->frame);
		f->frame[id] = intern_id(f->frames, stack_slice(&f->text));
	}
	return f->frame[id];
}

const char *functions_take(struct functions *f, const struct record *record, enum functions_event event,
			   int64_t pid, int64_t tid, struct slice comm, struct slice root)
{
	const struct slice *addr = lookup_value(&f->addr, record);
	uint32_t frame = UINT32_MAX;
	uint64_t address;
	int64_t ts;

	f->any = true;
	if (!lookup_i64(&f->ts, record, &ts))
		return "it has no ts";
	if (tid < 0)
		return "whose call it is cannot be told: it has no tid or vtid (lttng add-context -u -t vtid)";
	if (addr && number_bits(*addr, &address))
		frame = function(f, pid, comm, address);
	else if (event == FUNCTIONS_ENTRY)
		return "it has no addr";
	if (event == FUNCTIONS_ENTRY && ts <= f->gap)
		return NULL;
	if (event == FUNCTIONS_ENTRY)
		callpaths_enter(f->paths, (uint64_t)tid, intern_id(f->frames, root), frame, ts);
	else
		callpaths_leave(f->paths, (uint64_t)tid, frame, ts);
	return NULL;
}

void functions_lost(struct functions *f, const struct record *lost)
{
	int64_t until;

	if (lookup_i64(&f->last_ts, lost, &until) && until > f->gap)
		f->gap = until;
	callpaths_forget(f->paths);
}

static void add(void *data, const uint32_t *frame, size_t n, uint64_t ns, uint64_t calls)
{
	struct functions *f = data;

	f->text.len = 0;
	for (size_t i = 0; i < n; i++)
		if (intern_text(f->frames, frame[i]).len)
			stack_add_folded(&f->text, intern_text(f->frames, frame[i]));
	folded_add(f->folded, stack_slice(&f->text), f->calls ? calls : ns);
}

bool functions_fold(struct functions *f, bool calls, struct folded *folded)
{
	f->folded = folded;
	f->calls = calls;
	callpaths_each(f->paths, add, f);
	return f->any;
}

void functions_report(const struct functions *f)
{
	if (f->paths->unentered)
		message("%" PRIu64 " exits of functions that were entered before the trace or a gap",
			f->paths->unentered);
	if (f->paths->contradictions)
		message("%" PRIu64 " entries and exits of functions contradict each other",
			f->paths->contradictions);
}
