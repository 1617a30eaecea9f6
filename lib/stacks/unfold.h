/* SPDX-License-Identifier: MIT */
/* Folded stacks and the samples of perf script as records again: ev=cpu, with `weight` and `stack`. */
#ifndef WEIR_UNFOLD_H
#define WEIR_UNFOLD_H

#include "records/keylist.h"
#include "records/writer.h"
#include "stacks/perfscript.h"

enum { UNFOLD_KEYS_MAX = 16 };

/*
 * Writes STACK, in its folded form; its first frames become fields, as fold-stacks(1) made them of KEYS (at most
 * UNFOLD_KEYS_MAX). ts is 0. Returns NULL, or why the stack does not do.
 */
const char *unfold_line(struct writer *out, const struct keylist *keys, struct slice stack, uint64_t weight);

/* Writes a sample, which has a stack; its weight is the period. */
void unfold_sample(struct writer *out, const struct perfscript_sample *sample);

#endif
