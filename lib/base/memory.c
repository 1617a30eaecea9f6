// SPDX-License-Identifier: MIT
#include "base/memory.h"

#include <stdlib.h>

#include "base/message.h"

static void *checked(void *at, size_t size)
{
	if (!at)
		message_die("cannot allocate %zu bytes: out of memory", size);
	return at;
}

void *memory_get(size_t size)
{
	return checked(malloc(size ? size : 1), size);
}

void *memory_zeroed(size_t size)
{
	return checked(calloc(1, size ? size : 1), size);
}

void *memory_resize(void *at, size_t size)
{
	return checked(realloc(at, size ? size : 1), size);
}

void *memory_grow(void *at, size_t *room, size_t count, size_t size)
{
	size_t want = *room ? *room : 8, bytes;

	if (at && count <= *room)
		return at;
	while (want < count)
		want *= 2;
	if (__builtin_mul_overflow(want, size, &bytes))
		checked(NULL, SIZE_MAX);
	*room = want;
	return checked(realloc(at, bytes), bytes);
}

char *memory_copy(struct slice text)
{
	char *copy = memory_get(text.len + 1);

	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return copy;
}
