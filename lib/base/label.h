/* SPDX-License-Identifier: MIT */
/* A short text held in place, such as a thread's name, in the escaped form that records have. */
#ifndef WEIR_LABEL_H
#define WEIR_LABEL_H

#include "base/slice.h"

enum { LABEL_BYTES = 63 };	/* names of threads have 15, at most 60 when all of them are escaped */

struct label {
	unsigned char len;
	char at[LABEL_BYTES];
};

/* Copies TEXT; a longer one is cut, never within an escape. O(length). */
void label_set(struct label *label, struct slice text);

/* Valid as long as the label is neither set nor moved. */
static inline struct slice label_text(const struct label *label)
{
	return (struct slice){ label->at, label->len };
}

#endif
