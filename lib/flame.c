// SPDX-License-Identifier: MIT
#include "flame.h"

#include <stdlib.h>

#include "intern.h"
#include "memory.h"
#include "message.h"
#include "stack.h"
#include "table.h"

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

/* How many frames STACK shares with the last one; *REST is what follows them. */
static uint32_t shared(const struct flame *f, struct slice stack, struct slice *rest)
{
	size_t n = stack.len < f->last_len ? stack.len : f->last_len, end = 0;
	uint32_t frames = 0;

	for (size_t i = 0; i < n && stack.at[i] == f->last[i]; i++)
		if (stack.at[i] == ';' && frames < FLAME_DEPTH) {
			frames++;
			end = i + 1;
		}
	*rest = (struct slice){ stack.at + end, stack.len - end };
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

struct place {
	uint32_t node, parent;	/* parent: its place in the row above */
	struct slice name;
};

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->parent != y->parent ? (x->parent > y->parent) - (x->parent < y->parent) :
					slice_compare(x->name, y->name);
}

uint32_t *flame_lay_out(struct flame *f)
{
	uint32_t *rows = memory_get(f->nodes * sizeof *rows), *rank = memory_get(f->nodes * sizeof *rank);
	size_t *begin = memory_zeroed((f->depth + (size_t)2) * sizeof *begin);
	struct place *place = memory_get(f->nodes * sizeof *place);

	/* Nodes by row; a row's begin is where the next one begins once it is filled. */
	for (size_t i = 0; i < f->nodes; i++)
		begin[f->node[i].depth + 1]++;
	for (size_t d = 1; d <= f->depth + (size_t)1; d++)
		begin[d] += begin[d - 1];
	for (size_t i = 0; i < f->nodes; i++)
		rows[begin[f->node[i].depth]++] = (uint32_t)i;
	rank[0] = 0;
	for (size_t d = 1, from = 1; d <= f->depth; from = begin[d++]) {
		uint32_t parent = UINT32_MAX;
		uint64_t x = 0;
		size_t n = begin[d] - from;

		for (size_t i = 0; i < n; i++) {
			const struct flame_node *node = &f->node[rows[from + i]];

			place[i] = (struct place){ rows[from + i], rank[node->parent], intern_text(f->names, node->name) };
		}
		qsort(place, n, sizeof *place, by_place);
		for (size_t i = 0; i < n; i++) {
			struct flame_node *node = &f->node[place[i].node];

			if (node->parent != parent) {
				parent = node->parent;
				x = f->node[parent].x;
			}
			node->x = x;
			x += node->weight;
			rows[from + i] = place[i].node;
			rank[place[i].node] = (uint32_t)i;
		}
	}
	free(place);
	free(begin);
	free(rank);
	return rows;
}
