// SPDX-License-Identifier: MIT
/*
 * Whatever text comes as perf script's, samples are what they promise: stacks in folded form, whose escapes
 * come back the same; and whatever a function is called, its sample stays one.
 */
#include "fuzz.h"
#include "stacks/perfscript.h"
#include "stacks/stack.h"

/* Each frame, undone and escaped again, is itself: there is one folded form. */
static void check_stack(struct slice stack)
{
	struct slice frame;

	for (size_t i = 0; i < stack.len; i++)
		CHECK((unsigned char)stack.at[i] > ' ' && stack.at[i] != 0x7f);
	while (stack_next(&stack, &frame)) {
		char *plain = malloc(frame.len + 1), *again = malloc(4 * frame.len + 1);
		struct slice name = { plain, stack_unescape(plain, frame) };

		CHECK(slice_equal(frame, (struct slice){ again, stack_escape(again, name, false) }));
		free(plain);
		free(again);
	}
}

static void check(void *data, const struct perfscript_sample *sample)
{
	++*(uint64_t *)data;
	CHECK(sample->comm.len > 0 && sample->period > 0);
	check_stack(sample->stack);
}

static void feed(struct perfscript *perf, struct slice text)
{
	while (text.len) {
		const char *lf = memchr(text.at, '\n', text.len);
		size_t n = lf ? (size_t)(lf - text.at) : text.len;
		char *line = malloc(n + 1);	/* so that a read past its end is seen */

		memcpy(line, text.at, n);
		perfscript_line(perf, (struct slice){ line, n });
		free(line);
		text.at += n + (lf != NULL);
		text.len -= n + (lf != NULL);
	}
	perfscript_end(perf);
}

/* Whatever stands behind an address is one frame of the one sample. */
static void check_name(struct slice name)
{
	char *text;
	size_t size;
	uint64_t n = 0;
	struct perfscript *perf = perfscript_new(false, check, &n);
	FILE *file = open_memstream(&text, &size);

	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] == '\n')
			name.len = i;
	fputs("my prog 1/2 [003] 4.5: 6 cycles: \n\t 1f ", file);
	fwrite(name.at, 1, name.len, file);
	fputs("+0x1 (/bin/x)\n\n", file);
	fclose(file);
	feed(perf, (struct slice){ text, size });
	CHECK(n == 1);
	perfscript_free(perf);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = { (const char *)data + 1, size - 1 };
	uint64_t n = 0;
	struct perfscript *perf;

	if (size == 0)
		return 0;
	perf = perfscript_new(data[0] & 1, check, &n);
	perfscript_detect(input);
	feed(perf, input);
	perfscript_free(perf);
	check_name(input);
	return 0;
}
