/* SPDX-License-Identifier: MIT */
/* Two recordings, base and new: which measures got worse, who waits more, who takes more. */
#ifndef WEIR_CONTENTION_COMPARISON_H
#define WEIR_CONTENTION_COMPARISON_H

#include "contention/document.h"

/* PRESSURE: the two. */
void comparison_show(struct document *document, const struct pressure *pressure);

#endif
