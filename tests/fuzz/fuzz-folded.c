// SPDX-License-Identifier: MIT
/*
 * Any line is a folded stack or is not, for a reason; any stacks are a tree in which frames add up, and a picture
 * in which no byte of theirs is markup; any frames are the same once escaped and undone.
 */
#include "fuzz.h"
#include "stacks/flamesvg.h"
#include "stacks/folded.h"
#include "stacks/stack.h"

static void check_frame(struct slice frame)
{
	char *escaped = malloc(4 * frame.len + 1), *plain = malloc(4 * frame.len + 1);

	for (int in_record = 0; in_record < 2; in_record++) {
		struct slice text = { escaped, stack_escape(escaped, frame, in_record) };

		CHECK(text.len == 0 || !memchr(text.at, ';', text.len));
		CHECK(slice_equal(frame, (struct slice){ plain, stack_unescape(plain, text) }));
	}
	free(escaped);
	free(plain);
}

/* What a node's children weigh is not more than it. */
static void check_tree(const struct flame *flame)
{
	uint64_t *children = calloc(flame->nodes, sizeof *children);

	for (size_t i = 1; i < flame->nodes; i++) {
		CHECK(flame->node[i].parent < i);
		children[flame->node[i].parent] += flame->node[i].weight;
	}
	for (size_t i = 0; i < flame->nodes; i++)
		CHECK(children[i] <= flame->node[i].weight);
	free(children);
}

/* As many elements as we wrote, and nothing that XML cannot hold. */
static void check_picture(struct slice svg, size_t frames)
{
	size_t titles = 0, scripts = 0;

	for (const char *p = svg.at, *end = p + svg.len; p < end; p++) {
		CHECK((unsigned char)*p >= ' ' || *p == '\n' || *p == '\t');
		titles += end - p > 7 && memcmp(p, "<title>", 7) == 0;
		scripts += end - p > 7 && memcmp(p, "<script", 7) == 0;
	}
	CHECK(titles == frames && scripts == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flamesvg options = { .title = "t", .unit = "samples", .min_width = 0 };
	struct slice input = { (const char *)data, size }, stack;
	struct flame *flame = flame_new();
	struct writer *out;
	uint64_t weight;
	int fd = memfd_create("svg", MFD_CLOEXEC);
	size_t frames;
	off_t length;
	char *svg;

	check_frame(input);
	options.diff = size % 2;
	options.colors = size % 3 ? FLAMESVG_WARM : FLAMESVG_KIND;
	for (bool base = false; input.len; base = options.diff && !base) {
		const char *lf = memchr(input.at, '\n', input.len);
		struct slice line = { input.at, lf ? (size_t)(lf - input.at) : input.len };

		if (!folded_parse(line, &stack, &weight)) {
			CHECK(stack.len > 0 && stack.at >= line.at && stack.at + stack.len < line.at + line.len);
			flame_add(flame, stack, weight, base);
		}
		input.at += line.len + (lf != NULL);
		input.len -= line.len + (lf != NULL);
	}
	check_tree(flame);
	out = writer_open(dup(fd), "svg");
	frames = flamesvg_write(flame, &options, out).frames;
	writer_close(out);
	length = lseek(fd, 0, SEEK_END);
	svg = malloc((size_t)length + 1);
	CHECK(pread(fd, svg, (size_t)length, 0) == length);
	check_picture((struct slice){ svg, (size_t)length }, frames);
	free(svg);
	close(fd);
	flame_free(flame);
	return 0;
}
