/* SPDX-License-Identifier: MIT */
/* One recording: the verdict, the measures that it comes from, the rivals, and who waited for whom. */
#ifndef WEIR_CONTENTION_VERDICT_H
#define WEIR_CONTENTION_VERDICT_H

#include "contention/document.h"

/* All of it, as a document. O(rivals + shares) besides sorting. */
void verdict_show(struct document *document, const struct pressure *pressure);

/* The verdict alone: in words, or as the record ev=verdict. */
void verdict_say(struct document *document, const struct pressure *pressure);
void verdict_put(struct document *document, const struct pressure *pressure);

#endif
