/* SPDX-License-Identifier: MIT */
/* Strings as small numbers: each distinct string gets an id, counted from 0 in order of appearance. */
#ifndef WEIR_INTERN_H
#define WEIR_INTERN_H

#include "base/slice.h"

struct intern;

struct intern *intern_new(void);
void intern_free(struct intern *intern);

/* The id of TEXT, which is copied when it is new. O(length) amortized. */
uint32_t intern_id(struct intern *intern, struct slice text);

/* The id of TEXT, or UINT32_MAX when it was never seen. */
uint32_t intern_find(const struct intern *intern, struct slice text);

/* The string of an id; valid as long as the intern. NUL-terminated behind its length. */
struct slice intern_text(const struct intern *intern, uint32_t id);

/* How many there are. */
uint32_t intern_count(const struct intern *intern);

#endif
