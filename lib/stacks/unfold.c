// SPDX-License-Identifier: MIT
#include "stacks/unfold.h"

#include <stdlib.h>

#include "base/memory.h"
#include "stacks/stack.h"

/* The last fields of the record at hand. */
static void end(struct writer *out, uint64_t weight, struct slice stack)
{
	char *plain = memory_get(stack.len + 1), *text = memory_get(4 * stack.len + 1);
	struct slice frame;
	bool first = true;

	writer_u64(out, KEY("weight"), weight);
	writer_raw(out, KEY("stack"), SLICE(""));
	for (; stack_next(&stack, &frame); first = false) {
		struct slice name = { plain, stack_unescape(plain, frame) };

		if (!first)
			writer_bytes(out, ";", 1);
		writer_escaped(out, (struct slice){ text, stack_escape(text, name, true) });
	}
	writer_end(out);
	free(plain);
	free(text);
}

const char *unfold_line(struct writer *out, const struct keylist *keys, struct slice stack, uint64_t weight)
{
	struct slice value[UNFOLD_KEYS_MAX];

	for (size_t i = 0; i < keys->n; i++) {
		struct slice key = keys->lookup[i].key, frame;
		size_t prefix = slice_equal(key, SLICE("comm")) ? 0 : key.len + 1;

		if (!stack_next(&stack, &frame) || frame.len < prefix ||
		    (prefix && (memcmp(frame.at, key.at, key.len) != 0 || frame.at[key.len] != '=')))
			return "its first frames are not those that -g tells of";
		value[i] = (struct slice){ frame.at + prefix, frame.len - prefix };
	}
	if (stack.len == 0)
		return "it has no frame besides those of -g";
	writer_begin(out, 0, SLICE("cpu"));
	for (size_t i = 0; i < keys->n; i++) {
		struct key key = key_of(keys->lookup[i].key);
		char *plain = memory_get(value[i].len + 1);

		writer_text(out, key, (struct slice){ plain, stack_unescape(plain, value[i]) });
		free((void *)(uintptr_t)key.at);
		free(plain);
	}
	end(out, weight, stack);
	return NULL;
}

void unfold_sample(struct writer *out, const struct perfscript_sample *sample)
{
	const struct { struct key key; int64_t value; } numbers[] = {
		{ KEY("cpu"), sample->cpu }, { KEY("pid"), sample->pid }, { KEY("tid"), sample->tid },
	};

	writer_begin(out, sample->ts > 0 ? sample->ts : 0, SLICE("cpu"));
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i].value >= 0)
			writer_i64(out, numbers[i].key, numbers[i].value);
	writer_text(out, KEY("comm"), sample->comm);
	writer_text(out, KEY("event"), sample->event);
	end(out, sample->period, sample->stack);
}
