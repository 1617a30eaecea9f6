// SPDX-License-Identifier: MIT
// pkg-config: zlib
#include "stacks/kallsyms.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"

struct function {
	uint64_t start;
	uint32_t name, len;	/* where it is in `text` */
};

struct kallsyms {
	struct function *at;
	size_t n, room;
	char *text;
	size_t len, text_room;
};

/* Functions begin in the upper half; the symbols below are offsets in the memory of a CPU. */
static const uint64_t kernel = 1ull << 63;

/* ffffffff81000000 T startup_64\t[module] */
static bool parse(const char *line, uint64_t *start, char *type, struct slice *name)
{
	char *end;

	errno = 0;
	*start = strtoull(line, &end, 16);
	if (errno || end - line < 8 || end[0] != ' ' || !end[1] || end[2] != ' ')
		return false;
	*type = end[1];
	name->at = end + 3;
	name->len = strcspn(name->at, "\t\n");
	return name->len > 0;
}

static void add(struct kallsyms *k, uint64_t start, struct slice name)
{
	k->at = memory_grow(k->at, &k->room, k->n + 1, sizeof *k->at);
	k->text = memory_grow(k->text, &k->text_room, k->len + name.len + 1, 1);
	k->at[k->n++] = (struct function){ start, (uint32_t)k->len, (uint32_t)name.len };
	memcpy(k->text + k->len, name.at, name.len);
	k->text[k->len + name.len] = '\0';
	k->len += name.len + 1;
}

static size_t underscores(const char *name)
{
	return strspn(name, "_");
}

static int compare(const void *left, const void *right, void *data)
{
	const struct function *a = left, *b = right;
	const char *text = data, *a_name = text + a->name, *b_name = text + b->name;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (underscores(a_name) != underscores(b_name))
		return underscores(a_name) < underscores(b_name) ? -1 : 1;
	return strcmp(a_name, b_name);
}

static int read_lines(struct kallsyms *k, gzFile file)
{
	char line[KALLSYMS_LINE], type;
	bool any = false;
	struct slice name;
	uint64_t start;
	int error;

	errno = 0;
	while (gzgets(file, line, sizeof line)) {
		if (!parse(line, &start, &type, &name))
			return EINVAL;
		any = true;
		if (start >= kernel && strchr("tTwW", type))
			add(k, start, name);
		if (k->len > KALLSYMS_TEXT_MAX)
			return EFBIG;
		errno = 0;
	}
	gzerror(file, &error);
	if (error == Z_ERRNO)
		return errno ? errno : EIO;
	if (error != Z_OK && error != Z_STREAM_END)
		return EINVAL;
	return k->n ? 0 : any ? EPERM : EINVAL;
}

struct kallsyms *kallsyms_read(const char *path)
{
	gzFile file = gzopen(path, "re");
	struct kallsyms *k;
	size_t n = 0;
	int error;

	if (!file)
		return NULL;
	gzbuffer(file, 128 << 10);
	k = memory_zeroed(sizeof *k);
	error = read_lines(k, file);
	gzclose(file);
	if (error) {
		kallsyms_free(k);
		errno = error;
		return NULL;
	}
	qsort_r(k->at, k->n, sizeof *k->at, compare, k->text);
	for (size_t i = 0; i < k->n; i++)
		if (i == 0 || k->at[i].start != k->at[n - 1].start)
			k->at[n++] = k->at[i];
	k->n = n;
	return k;
}

void kallsyms_free(struct kallsyms *kallsyms)
{
	if (!kallsyms)
		return;
	free(kallsyms->at);
	free(kallsyms->text);
	free(kallsyms);
}

bool kallsyms_find(const struct kallsyms *k, uint64_t address, struct slice *name)
{
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->at[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	*name = (struct slice){ k->text + k->at[low - 1].name, k->at[low - 1].len };
	return true;
}
