// SPDX-License-Identifier: MIT
#include "stacks/callpaths.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"

struct callpaths_node {
	uint32_t parent, frame, depth;
	uint64_t ns, calls;
};

struct thread {
	uint32_t node;		/* the path that it is in; 0: none is known */
	uint32_t deeper;	/* calls under way below CALLPATHS_DEPTH */
	int64_t ts;		/* of its last event */
};

struct callpaths *callpaths_new(void)
{
	struct callpaths *c = memory_zeroed(sizeof *c);

	c->node = memory_grow(NULL, &c->room, 1, sizeof *c->node);
	c->node[0] = (struct callpaths_node){ 0 };
	c->nodes = 1;
	c->children = table_new(sizeof(uint32_t));
	c->threads = table_new(sizeof(struct thread));
	return c;
}

void callpaths_free(struct callpaths *c)
{
	if (!c)
		return;
	table_free(c->children);
	table_free(c->threads);
	free(c->node);
	free(c);
}

static uint32_t child(struct callpaths *c, uint32_t parent, uint32_t frame)
{
	uint32_t *id = table_at(c->children, (uint64_t)parent << 32 | frame);

	if (*id == 0) {
		c->node = memory_grow(c->node, &c->room, c->nodes + 1, sizeof *c->node);
		c->node[c->nodes] = (struct callpaths_node){
			.parent = parent,
			.frame = frame,
			.depth = c->node[parent].depth + 1,
		};
		*id = (uint32_t)c->nodes++;
	}
	return *id;
}

/* The time since the thread's last event was spent in its path. */
static struct thread *pass(struct callpaths *c, uint64_t tid, int64_t ts)
{
	struct thread *thread = table_at(c->threads, tid);

	if (thread->node && ts >= thread->ts)
		c->node[thread->node].ns += (uint64_t)(ts - thread->ts);
	else if (thread->node)
		c->contradictions++;
	thread->ts = ts;
	return thread;
}

void callpaths_enter(struct callpaths *c, uint64_t tid, uint32_t root, uint32_t frame, int64_t ts)
{
	struct thread *thread = pass(c, tid, ts);

	if (c->node[thread->node].depth >= CALLPATHS_DEPTH) {
		thread->deeper++;
		return;
	}
	thread->node = child(c, thread->node ? thread->node : child(c, 0, root), frame);
	c->node[thread->node].calls++;
}

void callpaths_leave(struct callpaths *c, uint64_t tid, uint32_t frame, int64_t ts)
{
	struct thread *thread = pass(c, tid, ts);
	uint32_t left = thread->node;

	if (thread->deeper) {
		thread->deeper--;
		return;
	}
	if (left == 0) {
		c->unentered++;
		return;
	}
	/* A jump out of several functions leaves no exit of the inner ones. */
	while (frame != UINT32_MAX && c->node[left].depth > 1 && c->node[left].frame != frame)
		left = c->node[left].parent;
	c->contradictions += left != thread->node;
	if (c->node[left].depth > 1)
		left = c->node[left].parent;
	else
		left = thread->node;	/* it was entered before all that is known: that goes on */
	/* Only the root is left: in none of the thread's functions. */
	thread->node = c->node[left].depth > 1 ? left : 0;
}

void callpaths_forget(struct callpaths *c)
{
	table_free(c->threads);
	c->threads = table_new(sizeof(struct thread));
}

void callpaths_each(const struct callpaths *c, void visit(void *, const uint32_t *, size_t, uint64_t, uint64_t),
		    void *data)
{
	uint32_t *frame = memory_get((CALLPATHS_DEPTH + 2) * sizeof *frame);

	for (size_t i = 1; i < c->nodes; i++) {
		const struct callpaths_node *node = &c->node[i];
		size_t n = node->depth;

		if (node->depth < 2)
			continue;
		for (size_t at = i, k = n; k-- > 0; at = c->node[at].parent)
			frame[k] = c->node[at].frame;
		visit(data, frame, n, node->ns, node->calls);
	}
	free(frame);
}
