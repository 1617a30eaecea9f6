/* SPDX-License-Identifier: MIT */
/*
 * Groups of records that have the same values of some keys: each distinct sequence of values gets an
 * id, counted from 0 in order of appearance. A key that a record lacks is a value of its own. Values
 * are the same when they are the same with their escapes undone.
 */
#ifndef WEIR_GROUPS_H
#define WEIR_GROUPS_H

#include "base/slice.h"

struct groups;

enum { GROUPS_KEYS_MAX = 64 };

/* Groups by N keys (at most GROUPS_KEYS_MAX; 0: there is one group). */
struct groups *groups_new(size_t n);
void groups_free(struct groups *groups);

/* Forgets all groups. */
void groups_clear(struct groups *groups);

/*
 * The id of the group of VALUES, N slices as they stand in a record (`at` NULL: the key is absent),
 * behind which 16 bytes may be read (see RECORD_PADDING). About 20 ns for two short keys.
 */
uint32_t groups_id(struct groups *groups, const struct slice *values);

/* The value of the K-th key of a group, escaped as records want it; `at` NULL: absent. */
struct slice groups_value(const struct groups *groups, uint32_t id, size_t k);

/* The order of two groups: key by key as cell_compare() has it. */
int groups_compare(const struct groups *groups, uint32_t a, uint32_t b);

uint32_t groups_count(const struct groups *groups);

/* The bytes they take. */
size_t groups_bytes(const struct groups *groups);

#endif
