/* SPDX-License-Identifier: MIT */
/*
 * Events that arrive nearly in the order of time, put into order: each is held until none that is older can
 * come any more.
 */
#ifndef WEIR_INORDER_H
#define WEIR_INORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inorder;

/* Holds up to BYTES of events. */
struct inorder *inorder_new(size_t bytes);
void inorder_free(struct inorder *inorder);

/* Copies an event; false when there is no room: call inorder_pass(). O(1) when it is in order. */
bool inorder_add(struct inorder *inorder, uint64_t ts, const void *event, size_t size);

/*
 * Hands over, oldest first, the events up to the time UNTIL, and the older half of them when the rest
 * would fill more than half of the room. Equal times stay in the order of arrival.
 */
void inorder_pass(struct inorder *inorder, uint64_t until,
		  void (*each)(void *state, uint64_t ts, const void *event, size_t size), void *state);

/* How many events were handed over behind a later one. */
uint64_t inorder_late(const struct inorder *inorder);

#endif
