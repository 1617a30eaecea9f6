/* SPDX-License-Identifier: MIT */
/* Memory that is there: on failure these say so and exit(EXIT_FAILED), so callers need no check. */
#ifndef WEIR_MEMORY_H
#define WEIR_MEMORY_H

#include "base/slice.h"

/* SIZE bytes, not cleared; SIZE zeroed bytes. free() them. */
void *memory_get(size_t size) __attribute__((malloc, returns_nonnull));
void *memory_zeroed(size_t size) __attribute__((malloc, returns_nonnull));

/*
 * Makes room for at least COUNT items of SIZE bytes in the array AT (NULL: a new one), whose present
 * room is *ROOM items, and returns it. Doubles, so that appending is O(1) amortized. New room is not
 * cleared.
 */
void *memory_grow(void *at, size_t *room, size_t count, size_t size) __attribute__((returns_nonnull));

/* realloc() that does not fail. */
void *memory_resize(void *at, size_t size) __attribute__((returns_nonnull));

/* A NUL-terminated copy of the bytes; free() it. */
char *memory_copy(struct slice text) __attribute__((malloc, returns_nonnull));

#endif
