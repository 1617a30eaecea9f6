/* SPDX-License-Identifier: MIT */
/* Memory that is taken in small pieces and freed all at once. */
#ifndef WEIR_ARENA_H
#define WEIR_ARENA_H

#include "base/slice.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* SIZE zeroed bytes, aligned for any type. Never fails (memory.h). */
void *arena_get(struct arena *arena, size_t size) __attribute__((returns_nonnull));

/* How much memory it holds. */
size_t arena_bytes(const struct arena *arena);

/* A copy of the bytes, NUL-terminated behind its length. */
struct slice arena_copy(struct arena *arena, struct slice text);

#endif
