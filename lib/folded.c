// SPDX-License-Identifier: MIT
#include "folded.h"

#include <stdlib.h>

#include "cell.h"
#include "intern.h"
#include "memory.h"
#include "message.h"
#include "number.h"

struct folded {
	struct intern *stacks;
	unsigned __int128 *weight;	/* by the stack's id */
	size_t room;
};

struct folded *folded_new(void)
{
	struct folded *f = memory_zeroed(sizeof *f);

	f->stacks = intern_new();
	return f;
}

void folded_free(struct folded *f)
{
	intern_free(f->stacks);
	free(f->weight);
	free(f);
}

void folded_add(struct folded *f, struct slice stack, uint64_t weight)
{
	uint32_t count = intern_count(f->stacks), id;

	if (count == UINT32_MAX - 1)
		message_die("cannot fold: there are more than 4294967294 distinct stacks");
	id = intern_id(f->stacks, stack);
	if (id == count) {
		f->weight = memory_grow(f->weight, &f->room, (size_t)id + 1, sizeof *f->weight);
		f->weight[id] = 0;
	}
	f->weight[id] += weight;
}

/* The eight bytes of the text from DEPTH on, as a number of the same order; zeros behind its end. */
struct item {
	uint64_t head;
	uint32_t id;
};

static uint64_t head_at(struct slice text, size_t depth)
{
	uint64_t head = 0;

	for (size_t i = depth; i < depth + 8; i++)
		head = head << 8 | (i < text.len ? (unsigned char)text.at[i] : 0);
	return head;
}

static int by_head(const void *a, const void *b)
{
	uint64_t x = ((const struct item *)a)->head, y = ((const struct item *)b)->head;

	return (x > y) - (x < y);
}

/*
 * Sorts texts that are the same up to DEPTH by the next eight bytes, then those that are the same in these, and
 * so on: stacks share long beginnings, which are not compared again and again.
 */
static void sort(const struct intern *texts, struct item *item, size_t n, size_t depth)
{
	for (;;) {
		size_t largest = 0, largest_n = 0;

		for (size_t i = 0; i < n; i++)
			item[i].head = head_at(intern_text(texts, item[i].id), depth);
		qsort(item, n, sizeof *item, by_head);
		depth += 8;
		/* The largest part of them is for the loop, so that the calls are never deeper than log n. */
		for (int pass = 0; pass < 2; pass++)
			for (size_t from = 0, to; from < n; from = to) {
				for (to = from + 1; to < n && item[to].head == item[from].head; to++)
					continue;
				if (to - from > largest_n) {
					largest = from;
					largest_n = to - from;
				}
				if (pass && from != largest && to - from > 1)
					sort(texts, item + from, to - from, depth);
			}
		if (largest_n <= 1)
			return;
		item += largest;
		n = largest_n;
	}
}

struct folded_sum folded_write(const struct folded *f, uint64_t unit, struct writer *out)
{
	struct folded_sum sum = { .stacks = intern_count(f->stacks) };
	struct item *item = memory_get((sum.stacks + (size_t)1) * sizeof *item);

	for (uint32_t id = 0; id < sum.stacks; id++)
		item[id].id = id;
	sort(f->stacks, item, sum.stacks, 0);
	for (uint32_t i = 0; i < sum.stacks; i++) {
		unsigned __int128 weight = f->weight[item[i].id], units = (weight + unit / 2) / unit;
		struct slice stack = intern_text(f->stacks, item[i].id);
		char *to;

		sum.weight += weight;
		if (units == 0) {
			sum.light++;
			continue;
		}
		writer_bytes(out, stack.at, stack.len);
		to = writer_room(out, CELL_TEXT_MAX + 2);
		*to++ = ' ';
		to += units <= UINT64_MAX ? number_put_u64(to, (uint64_t)units) :
					    cell_put_whole(to, (__int128)units);
		*to++ = '\n';
		out->at = to;
	}
	free(item);
	return sum;
}

const char *folded_parse(struct slice line, struct slice *stack, uint64_t *weight)
{
	const char *start = line.at, *end = line.at + line.len, *digits;

	while (end > start && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (end == start)
		return "it is empty";
	for (digits = end; digits > start && digits[-1] != ' ' && digits[-1] != '\t'; digits--)
		continue;
	if (!number_u64((struct slice){ digits, (size_t)(end - digits) }, weight)) {
		double real;

		if (!number_real((struct slice){ digits, (size_t)(end - digits) }, &real))
			return "it does not end in a number";
		return real < 0 ? "its number is below 0" : "its number is not whole, or beyond 64 bits";
	}
	end = digits;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (end == start)
		return "there is no stack before the number";
	*stack = (struct slice){ start, (size_t)(end - start) };
	return NULL;
}
