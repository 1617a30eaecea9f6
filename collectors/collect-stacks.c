// SPDX-License-Identifier: MIT
// pkg-config: libbpf libdw libelf zlib
// library: iberty
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>

#include "../bpf/collect-stacks.h"
#include "base/message.h"
#include "collect-stacks.skel.h"
#include "live/collect.h"
#include "live/news.h"
#include "live/sampling.h"
#include "stacks/symbols.h"
#include "stacks/unwind.h"

enum { DEPTH = 1024 };	/* frames of an unwound stack */

static struct bpfobject_program programs[] = {
	{ .name = "on_sample", .gives = "where threads are at each sample" },
	{ .name = "on_exec", .gives = "programs that begin", .optional = true },
	COLLECT_PROGRAMS,
	{ 0 },
};

struct stacks {
	struct collect *collect;
	struct symbols *symbols;
};

/* The user's addresses from its registers and the copy of its stack behind them. */
static size_t unwind(struct stacks *stacks, struct space *space, const struct stacks_sample *sample,
		     const uint64_t *words, uint64_t addresses[DEPTH], bool *whole)
{
	struct unwind unwind = { .stack = (const char *)(words + sample->words), .stack_bytes = sample->copied };

	*whole = true;
	if (!sample->words || !unwind_registers(&unwind, words))
		return 0;
	return symbols_unwind(stacks->symbols, space, &unwind, addresses, DEPTH, whole);
}

static void on_event(void *state, const struct event *event, size_t size, struct span *span)
{
	const struct stacks_sample *sample = (const struct stacks_sample *)event;
	const uint64_t *words = (const uint64_t *)(sample + 1);
	struct stacks *stacks = state;
	uint64_t addresses[DEPTH];
	struct space *space;
	struct stack stack;
	bool whole;

	if (size < sizeof *sample || size < sizeof *sample + sample->copied +
		8ul * (sample->kernels + sample->users + sample->words))
		return;
	space = symbols_program(stacks->symbols, sample->pid, sample->exec);
	stack = (struct stack){
		.kernel = words, .kernels = sample->kernels,
		.user = words + sample->kernels, .users = sample->users,
		.truncated = sample->kernels == STACKS_DEPTH || sample->users == STACKS_DEPTH,
	};
	if (!sample->users) {
		stack.users = unwind(stacks, space, sample, words + sample->kernels, addresses, &whole);
		stack.user = addresses;
		stack.truncated |= !whole;
	}
	span_cpu(collect_out(stacks->collect), span, symbols_stack(stacks->symbols, space, &stack));
}

static void stop_sampling(void *sampling)
{
	sampling_stop(sampling);
}

int main(int argc, char **argv)
{
	struct collect_options common = COLLECT_DEFAULTS;
	static const char *const ways[] = { "pointers", "dwarf", NULL };
	uint64_t hertz = 99, copy_bytes = 16 << 10;
	bool kernel_only = false, user_only = false, copy_given = false;
	int way = 0, status;
	const struct option options[] = {
		{ 'F', "frequency", "HZ", "samples a second on each CPU, up to 10000 (default 99)", OPTION_COUNT,
		  .to = &hertz, .min = 1, .max = 10000 },
		{ 'k', "kernel", NULL, "frames of the kernel only", OPTION_FLAG, .to = &kernel_only },
		{ 'u', "user", NULL, "frames of the programs only", OPTION_FLAG, .to = &user_only },
		{ 0, "unwind", "HOW", "find callers by frame pointers, or by dwarf: for programs without them",
		  OPTION_CHOICE, .to = &way, .choices = ways },
		{ 0, "copy", "SIZE", "with --unwind dwarf: what is copied of a stack (default 16K, at most 60K)",
		  OPTION_SIZE, .to = &copy_bytes, .min = 1024, .max = STACKS_COPY_MAX, .seen = &copy_given },
		COLLECT_OPTIONS(common),
		{ 0 },
	};
	const struct program program = {
		.name = "collect-stacks",
		.does = "record where threads spend the time of the CPUs: their stacks, many times a second",
		.operands = "[-- COMMAND [ARGUMENT...]]",
		.options = options,
		.examples = "  collect-stacks -d 10 -p redis-server | stats -g stack\n"
			    "  collect-stacks --unwind dwarf -o samples.tskv -- python3 program.py\n",
	};
	struct collect_stacks *skeleton;
	struct sampling *sampling;
	struct news *news;
	struct stacks stacks = { 0 };

	(void)argc;
	common.command = options_parse(&program, argv);
	if (kernel_only && user_only)
		message_usage("-k and -u leave nothing");
	if (copy_given && !way)
		message_usage("--copy goes with --unwind dwarf");
	/* To look at programs of others, their mappings and files, before they end. */
	common.rights = NEWS_RIGHTS;
	skeleton = collect_stacks__open();
	stacks.collect = collect_new(&common, skeleton ? skeleton->skeleton : NULL, programs);
	skeleton->rodata->kernel_frames = !user_only;
	skeleton->rodata->user_frames = !kernel_only;
	skeleton->rodata->copy_bytes = way ? (uint32_t)copy_bytes : 0;
	bpf_map__set_max_entries(skeleton->maps.rooms, (uint32_t)libbpf_num_possible_cpus());
	sampling = sampling_open(hertz);
	stacks.symbols = symbols_new();
	if (!user_only)
		symbols_kernel(stacks.symbols, NULL);
	collect_start(stacks.collect);
	news = news_new(stacks.symbols, bpf_map__fd(skeleton->maps.news));
	collect_attached(stacks.collect, stop_sampling, sampling);
	sampling_start(sampling, bpf_program__fd(skeleton->progs.on_sample));
	collect_run(stacks.collect, on_event, NULL, &stacks);
	message("%" PRIu64 " samples a second on each CPU, by %s", hertz, sampling_clock(sampling));
	sampling_free(sampling);
	news_free(news);
	symbols_report(stacks.symbols);
	symbols_free(stacks.symbols);
	status = collect_end(stacks.collect);
	free(skeleton);		/* what it held went with the collector */
	return status;
}
