/* SPDX-License-Identifier: MIT */
/* Record lines of one stream on their way to the merge: their text, and where each ends and when it was. */
#ifndef WEIR_CTF_BATCH_H
#define WEIR_CTF_BATCH_H

#include "base/slice.h"

struct batch_line {
	int64_t ts;
	size_t end;		/* of the line in `text`, LF included */
};

struct batch {
	char *text;
	size_t len, room;
	struct batch_line *lines;
	size_t n, lines_room;
};

/* Room for SIZE bytes at TO, which lies in the text and has what was written before; TO's new place. */
char *batch_grow(struct batch *batch, char *to, size_t size);
static inline char *batch_room(struct batch *batch, char *to, size_t size)
{
	return __builtin_expect((size_t)(batch->text + batch->room - to) >= size, 1) ? to :
	       batch_grow(batch, to, size);
}

/* The line that has been written from text + len up to END is whole. */
void batch_more_lines(struct batch *batch);
static inline void batch_line(struct batch *batch, const char *end, int64_t ts)
{
	if (__builtin_expect(batch->n == batch->lines_room, 0))
		batch_more_lines(batch);
	batch->len = (size_t)(end - batch->text);
	batch->lines[batch->n++] = (struct batch_line){ ts, batch->len };
}

static inline void batch_clear(struct batch *batch)
{
	batch->len = batch->n = 0;
}

void batch_free(struct batch *batch);

#endif
