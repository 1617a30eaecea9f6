// SPDX-License-Identifier: MIT
#include "base/past.h"

#include <stdlib.h>

#include "base/memory.h"

static struct deed *slot(struct past *p, size_t i)
{
	return &p->at[(p->first + i) & (p->room - 1)];
}

static void grow(struct past *p)
{
	size_t room = p->room ? p->room * 2 : 16;
	struct deed *at = memory_get(room * sizeof *at);

	for (size_t i = 0; i < p->n; i++)
		at[i] = *slot(p, i);
	free(p->at);
	p->at = at;
	p->first = 0;
	p->room = room;
}

static void drop_first(struct past *p)
{
	p->first = (p->first + 1) & (p->room - 1);
	p->n--;
}

bool past_add(struct past *p, struct deed deed)
{
	if (p->begun && deed.to < p->end)
		return false;
	if (p->begun && deed.from < p->end)
		deed.from = p->end;
	p->begun = true;
	p->end = deed.to;
	if (deed.from == deed.to)
		return true;
	if (p->n == PAST_MAX)
		drop_first(p);
	if (p->n == p->room)
		grow(p);
	*slot(p, p->n++) = deed;
	return true;
}

bool past_add_outer(struct past *p, struct deed deed)
{
	if (p->begun && deed.to < p->end)
		return false;
	while (p->n && slot(p, p->n - 1)->from >= deed.from)
		p->n--;
	p->end = p->n ? slot(p, p->n - 1)->to : INT64_MIN;
	return past_add(p, deed);
}

void past_forget(struct past *p, int64_t until)
{
	while (p->n > PAST_MIN && slot(p, 0)->to <= until)
		drop_first(p);
}

size_t past_after(const struct past *p, int64_t t)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (past_deed(p, middle)->to > t)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

int64_t past_filled(const struct past *p, int64_t from, int64_t to)
{
	int64_t sum = 0;

	for (size_t i = past_after(p, from); i < p->n && past_deed(p, i)->from < to; i++)
		sum += deed_within(past_deed(p, i), from, to);
	return sum;
}
