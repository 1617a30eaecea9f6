// SPDX-License-Identifier: MIT
#include "stacks/flame.h"

#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/table.h"
#include "stacks/stack.h"

struct flame *flame_new(void)
{
	struct flame *f = memory_zeroed(sizeof *f);

	f->names = intern_new();
	f->children = table_new(sizeof(uint32_t));
	f->node = memory_grow(NULL, &f->room, 1, sizeof *f->node);
	f->node[0] = (struct flame_node){ .name = intern_id(f->names, SLICE("all")) };
	f->nodes = 1;
	return f;
}

void flame_free(struct flame *f)
{
	intern_free(f->names);
	table_free(f->children);
	free(f->node);
	free(f->last);
	free(f->name);
	free(f);
}

static uint32_t child(struct flame *f, uint32_t parent, struct slice frame)
{
	struct slice name = { f->name, stack_unescape(f->name, frame) };
	uint32_t name_id = intern_id(f->names, name);
	uint32_t *id = table_at(f->children, (uint64_t)parent << 32 | name_id);

	if (*id)
		return *id;
	if (f->nodes == UINT32_MAX)
		message_die("cannot draw: there are more than 4294967294 call paths");
	f->node = memory_grow(f->node, &f->room, f->nodes + 1, sizeof *f->node);
	f->node[f->nodes] = (struct flame_node){
		.name = name_id,
		.parent = parent,
		.depth = f->node[parent].depth + 1,
	};
	if (f->node[f->nodes].depth > f->depth)
		f->depth = f->node[f->nodes].depth;
	return *id = (uint32_t)f->nodes++;
}

/* How many bytes STACK and the last one begin with alike. */
static size_t alike(const struct flame *f, struct slice stack)
{
	size_t n = stack.len < f->last_len ? stack.len : f->last_len, i = 0;

	while (i + 32 <= n && memcmp(stack.at + i, f->last + i, 32) == 0)
		i += 32;
	while (i < n && stack.at[i] == f->last[i])
		i++;
	return i;
}

/* How many frames STACK shares with the last one; *REST is what follows them. */
static uint32_t shared(const struct flame *f, struct slice stack, struct slice *rest)
{
	const char *p = stack.at, *end = p + alike(f, stack), *next;
	uint32_t frames = 0;

	for (; frames < FLAME_DEPTH && p < end && (next = memchr(p, ';', (size_t)(end - p))); p = next + 1)
		frames++;
	*rest = (struct slice){ p, stack.len - (size_t)(p - stack.at) };
	return frames;
}

bool flame_add(struct flame *f, struct slice stack, uint64_t weight, bool base)
{
	struct slice rest, frame;
	uint32_t depth = shared(f, stack, &rest);
	uint64_t *all = base ? &f->node[0].base : &f->node[0].weight;

	if (weight > INT64_MAX - *all)
		return false;
	f->name = memory_grow(f->name, &f->name_room, stack.len + 1, 1);
	while (depth < FLAME_DEPTH && stack_next(&rest, &frame)) {
		f->path[depth + 1] = child(f, f->path[depth], frame);
		depth++;
	}
	f->cut += rest.len > 0;
	for (uint32_t i = 0; i <= depth; i++)
		*(base ? &f->node[f->path[i]].base : &f->node[f->path[i]].weight) += weight;
	f->last = memory_grow(f->last, &f->last_room, stack.len + 1, 1);
	memcpy(f->last, stack.at, stack.len);
	f->last_len = stack.len;
	return true;
}

static int by_name(const void *a, const void *b, void *data)
{
	const struct flame *f = data;
	const uint32_t *x = a, *y = b;

	return slice_compare(intern_text(f->names, f->node[*x].name), intern_text(f->names, f->node[*y].name));
}

uint32_t *flame_lay_out(struct flame *f)
{
	uint32_t *rows = memory_get(f->nodes * sizeof *rows);
	uint32_t *first = memory_zeroed(f->nodes * sizeof *first), *next = memory_get(f->nodes * sizeof *next);

	/* The children of each, in the order in which they came: that of their names, where the stacks are sorted. */
	for (size_t i = f->nodes; i-- > 1;) {
		next[i] = first[f->node[i].parent];
		first[f->node[i].parent] = (uint32_t)i;
	}
	/* Who comes behind whose parent: a row is complete when the one above it is. */
	rows[0] = 0;
	for (size_t i = 0, end = 1; i < f->nodes; i++) {
		uint64_t x = f->node[rows[i]].x;
		size_t begin = end;
		bool sorted = true;

		for (uint32_t child = first[rows[i]]; child; child = next[child]) {
			rows[end] = child;
			sorted = sorted && (end == begin || by_name(&rows[end - 1], &rows[end], f) < 0);
			end++;
		}
		if (!sorted)
			qsort_r(rows + begin, end - begin, sizeof *rows, by_name, f);
		for (size_t k = begin; k < end; k++) {
			f->node[rows[k]].x = x;
			x += f->node[rows[k]].weight;
		}
	}
	free(first);
	free(next);
	return rows;
}
