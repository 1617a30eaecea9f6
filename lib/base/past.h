/* SPDX-License-Identifier: MIT */
/*
 * The recent past of something: what it did from when to when, in the order of time, without overlaps.
 * The oldest goes first. Zero-initialize; free() `at`.
 */
#ifndef WEIR_PAST_H
#define WEIR_PAST_H

#include "base/slice.h"

enum {
	PAST_MAX = 1 << 18,	/* deeds that are remembered */
	PAST_MIN = 32,		/* that are kept however old they are */
};

/* What was done from FROM until just before TO, in nanoseconds; the rest is the owner's. */
struct deed {
	int64_t from, to;
	int32_t tid, cpu;
	uint32_t name;
	unsigned char kind, detail, flags;
};

struct past {
	struct deed *at;
	size_t room, first, n;	/* room: a power of two */
	int64_t end;		/* of the last deed that there was */
	bool begun;
};

/*
 * Adds the deed that ended last; what it has in common with the one before is taken from it. False when
 * it ended before that one did: it is not added. O(1) amortized.
 */
bool past_add(struct past *past, struct deed deed);

/* The same for deeds that may contain others: they replace those that they contain. */
bool past_add_outer(struct past *past, struct deed deed);

/* Forgets what ended up to the time UNTIL, but for the last PAST_MIN. O(1) amortized. */
void past_forget(struct past *past, int64_t until);

/* The number of the first deed that ended after T; past->n when there is none. O(log n). */
size_t past_after(const struct past *past, int64_t t);

/* How much of the time from FROM to TO they fill. O(log n + those within). */
int64_t past_filled(const struct past *past, int64_t from, int64_t to);

static inline const struct deed *past_deed(const struct past *past, size_t i)
{
	return &past->at[(past->first + i) & (past->room - 1)];
}

/* What the time from A to B and the deed have in common; 0 or less when it is nothing. */
static inline int64_t deed_within(const struct deed *deed, int64_t a, int64_t b)
{
	return (deed->to < b ? deed->to : b) - (deed->from > a ? deed->from : a);
}

#endif
