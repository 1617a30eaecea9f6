// SPDX-License-Identifier: MIT
/*
 * plot-flame: a flame graph of folded stacks, one SVG that answers mouse and keys.
 *
 *	$ fold-stacks cpu.tskv | plot-flame --title 'CPU, one minute' > cpu.svg
 */
#include <stdlib.h>

#include "base/message.h"
#include "base/options.h"
#include "records/reader.h"
#include "records/refused.h"
#include "stacks/flamesvg.h"
#include "stacks/folded.h"

struct input {
	struct flame *flame;
	struct refused refused;
	uint64_t lines;
};

/* False when a file could not be read, or not all of its lines could. */
static bool take(struct input *input, char **files, bool base)
{
	struct reader *in = reader_open(files, NULL);
	struct slice line, stack;
	uint64_t weight;

	while (reader_peek(in).len)
		while (reader_text(in, &line)) {
			const char *refused = folded_parse(line, &stack, &weight);

			input->lines++;
			if (!refused && !flame_add(input->flame, stack, weight, base))
				refused = "the weights together pass 2^63";
			if (refused)
				refused_count(&input->refused, refused, in);
		}
	return reader_close(in);
}

int main(int argc, char **argv)
{
	static const char *const colors[] = { "warm", "cool", "green", "kind", NULL };
	const char *base = NULL;
	int color = FLAMESVG_WARM;
	struct flamesvg svg = { .title = "Flame graph", .unit = "samples", .min_width = 0.1 };
	const struct option options[] = {
		{ 't', "title", "TEXT", "what stands above it", OPTION_TEXT, .to = &svg.title },
		{ 'u', "unit", "UNIT", "what weights are: ns, us, ms, s, bytes, or any word (default: samples)",
		  OPTION_TEXT, .to = &svg.unit },
		{ 'd', "diff", "BASE", "colours tell the difference to the folded stacks of this file", OPTION_TEXT,
		  .to = &base },
		{ 0, "absolute", NULL, "with --diff: compare weights, not shares of all", OPTION_FLAG,
		  .to = &svg.absolute },
		{ 0, "icicle", NULL, "the root on top", OPTION_FLAG, .to = &svg.icicle },
		{ 'c', "colors", "NAME", "warm (default), cool, green, or kind: by kind of code", OPTION_CHOICE, .to = &color,
		  .choices = colors },
		{ 0, "width", "PIXELS", "always so wide (default: as wide as the window)", OPTION_COUNT, .to = &svg.width,
		  .min = 300, .max = 100000 },
		{ 0, "min-width", "PIXELS", "leave out narrower frames (default: 0.1)", OPTION_REAL, .to = &svg.min_width,
		  .max = 1000 },
		{ 0 },
	};
	const struct program program = {
		.name = "plot-flame",
		.does = "draw folded stacks as a flame graph, an interactive SVG",
		.operands = "[FOLDED...]",
		.options = options,
		.examples = "  fold-stacks cpu.tskv | plot-flame --title 'CPU, one minute' > cpu.svg\n"
			    "  fold-stacks -w dur_ns off.tskv | plot-flame -u us -c cool > off-cpu.svg\n"
			    "  plot-flame --diff before.folded after.folded > diff.svg\n",
	};
	char **files = options_parse(&program, argv), *base_files[] = { NULL, NULL };
	struct input input = { .flame = flame_new() };
	struct flamesvg_sum sum;
	struct writer *out;
	bool good;

	(void)argc;
	svg.colors = (enum flamesvg_colors)color;
	svg.diff = base != NULL;
	if (svg.absolute && !svg.diff)
		message_usage("cannot compare absolutely: --diff names nothing to compare with");
	base_files[0] = (char *)(uintptr_t)base;
	good = take(&input, files, false);
	if (svg.diff)
		good = take(&input, base_files, true) && good;
	out = writer_stdout();
	sum = flamesvg_write(input.flame, &svg, out);
	writer_close(out);
	refused_report(&input.refused, input.lines, "lines");
	if (sum.frames == 0)
		message("no stacks: the picture is empty");
	if (input.flame->cut)
		message("%llu stacks are deeper than %d frames, and cut at the leaf",
			(unsigned long long)input.flame->cut, FLAME_DEPTH);
	good = good && input.refused.n == 0;
	flame_free(input.flame);
	return good ? EXIT_COMPLETE : EXIT_FAILED;
}
