// SPDX-License-Identifier: MIT
#include "stacks/folded.h"

#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "records/cell.h"

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

enum { AHEAD = 8 };

struct item {
	uint64_t head;		/* eight bytes of the text, as a number of the same order; zeros behind its end */
	struct slice text;
	uint32_t id;
};

static uint64_t head_at(struct slice text, size_t depth)
{
	uint64_t head = 0;

	if (depth + 8 <= text.len) {
		memcpy(&head, text.at + depth, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		head = __builtin_bswap64(head);
#endif
		return head;
	}
	for (size_t i = depth; i < depth + 8; i++)
		head = head << 8 | (i < text.len ? (unsigned char)text.at[i] : 0);
	return head;
}

/* Texts lie about in memory: what will be read soon is asked for early. */
static void foresee(const struct item *item, size_t i, size_t n, size_t depth)
{
	if (i + AHEAD < n)
		__builtin_prefetch(item[i + AHEAD].text.at + depth);
}

/* How far all of N texts, the same up to DEPTH, are the same. */
static size_t common(const struct item *item, size_t n, size_t depth)
{
	size_t end = item[0].text.len;

	for (size_t i = 1; i < n && end > depth; i++) {
		const char *a = item[0].text.at, *b = item[i].text.at;
		size_t at = depth;

		foresee(item, i, n, depth);
		if (item[i].text.len < end)
			end = item[i].text.len;
		while (at + 8 <= end && memcmp(a + at, b + at, 8) == 0)
			at += 8;
		while (at < end && a[at] == b[at])
			at++;
		end = at;
	}
	return end;
}

static void swap(struct item *a, struct item *b)
{
	struct item t = *a;

	*a = *b;
	*b = t;
}

/*
 * Sorts texts that are the same up to DEPTH: into those whose next eight bytes are less than some middle ones, the
 * same, and more (J. Bentley and R. Sedgewick, Fast algorithms for sorting and searching strings, 1997). Stacks
 * share long beginnings, which are passed over at once.
 */
static void sort(struct item *item, size_t n, size_t depth, bool fresh)
{
	while (n > 1) {
		size_t less = 0, i = 0, more = n;
		uint64_t middle;

		if (fresh) {
			depth = common(item, n, depth);
			for (i = 0; i < n; i++) {
				foresee(item, i, n, depth);
				item[i].head = head_at(item[i].text, depth);
			}
		}
		middle = item[n / 2].head;
		for (i = 0; i < more;) {
			if (item[i].head < middle)
				swap(&item[less++], &item[i++]);
			else if (item[i].head > middle)
				swap(&item[i], &item[--more]);
			else
				i++;
		}
		sort(item, less, depth, false);
		sort(item + more, n - more, depth, false);
		item += less;
		n = more - less;
		depth += 8;
		fresh = true;
	}
}

struct folded_sum folded_write(const struct folded *f, uint64_t unit, struct writer *out)
{
	struct folded_sum sum = { .stacks = intern_count(f->stacks) };
	struct item *item = memory_get((sum.stacks + (size_t)1) * sizeof *item);

	for (uint32_t id = 0; id < sum.stacks; id++)
		item[id] = (struct item){ .text = intern_text(f->stacks, id), .id = id };
	sort(item, sum.stacks, 0, true);
	for (uint32_t i = 0; i < sum.stacks; i++) {
		unsigned __int128 weight = f->weight[item[i].id], units = (weight + unit / 2) / unit;
		struct slice stack = item[i].text;
		char *to;

		foresee(item, i, sum.stacks, 0);
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
