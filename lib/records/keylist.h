/* SPDX-License-Identifier: MIT */
/* Lists of keys on the command line, and what a record has under them. */
#ifndef WEIR_KEYLIST_H
#define WEIR_KEYLIST_H

#include "records/reader.h"

struct keylist {
	struct lookup *lookup;	/* n of them; their key is the name */
	size_t n;
	char **names;		/* what the keys are slices of */
};

/*
 * The keys of TEXT, a list with commas (NULL: none). A name that cannot be a key, or that comes twice, is
 * wrong usage, in whose message they are called WHAT.
 */
struct keylist keylist_parse(const char *text, const char *what);
void keylist_free(struct keylist *keys);

/* Fills VALUES, keys->n slices; `at` is NULL where the record lacks the key. How many it has. */
size_t keylist_values(struct keylist *keys, const struct record *record, struct slice *values);

/* Whether NAME may be a key. */
bool keylist_valid(struct slice name);

#endif
