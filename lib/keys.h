/* SPDX-License-Identifier: MIT */
/* Lists of keys on the command line, and what a record has under them. */
#ifndef WEIR_KEYS_H
#define WEIR_KEYS_H

#include "reader.h"

struct keys {
	struct lookup *lookup;	/* n of them; their key is the name */
	size_t n;
	char **names;		/* what the keys are slices of */
};

/*
 * The keys of TEXT, a list with commas (NULL: none). A name that cannot be a key, or that comes twice, is
 * wrong usage, in whose message they are called WHAT.
 */
struct keys keys_parse(const char *text, const char *what);
void keys_free(struct keys *keys);

/* Fills VALUES, keys->n slices; `at` is NULL where the record lacks the key. How many it has. */
size_t keys_values(struct keys *keys, const struct record *record, struct slice *values);

/* Whether NAME may be a key. */
bool keys_valid(struct slice name);

#endif
