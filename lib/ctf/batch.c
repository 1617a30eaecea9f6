// SPDX-License-Identifier: MIT
#include "ctf/batch.h"

#include <stdlib.h>

#include "base/memory.h"

char *batch_grow(struct batch *batch, char *to, size_t size)
{
	size_t used = batch->text ? (size_t)(to - batch->text) : 0;

	batch->text = memory_grow(batch->text, &batch->room, used + size, 1);
	return batch->text + used;
}

void batch_more_lines(struct batch *batch)
{
	batch->lines = memory_grow(batch->lines, &batch->lines_room, batch->n + 1, sizeof *batch->lines);
}

void batch_free(struct batch *batch)
{
	free(batch->text);
	free(batch->lines);
	*batch = (struct batch){ 0 };
}
