/* SPDX-License-Identifier: MIT */
/* A hash table from 64-bit numbers (thread ids, sockets) to values of one size, held in place. */
#ifndef WEIR_TABLE_H
#define WEIR_TABLE_H

#include "base/slice.h"

struct table;

/* A table whose values have VALUE_SIZE bytes. */
struct table *table_new(size_t value_size);
void table_free(struct table *table);

/*
 * The value of KEY, zeroed and inserted when it was not there; table_find() gives NULL then. O(1)
 * amortized. The pointer is valid until the next insertion or removal.
 */
void *table_at(struct table *table, uint64_t key);
void *table_find(const struct table *table, uint64_t key);

/* Removes KEY, if it is there. Amortized O(1). */
void table_remove(struct table *table, uint64_t key);

size_t table_count(const struct table *table);

/*
 * All keys in ascending order, so that what is printed from a table is in a fixed order: an array of
 * table_count() keys; free() it. O(n log n).
 */
uint64_t *table_keys(const struct table *table);

#endif
