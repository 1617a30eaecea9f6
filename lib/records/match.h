/* SPDX-License-Identifier: MIT */
/* Conditions KEY=VALUE of the command line, compared as text with the escapes of the record undone. */
#ifndef WEIR_MATCH_H
#define WEIR_MATCH_H

#include "records/reader.h"

struct match {
	struct lookup key;
	struct slice value;
};

/* Whether a value, as it stands in a record, is this text. */
bool match_text(struct slice value, struct slice text);

/* Parses KEY=VALUE; keeps views into TEXT. False when it is none. lookup_free(&match->key) it. */
bool match_parse(struct match *match, const char *text);

/* Whether the record has the key, and this value. */
bool match_holds(struct match *match, const struct record *record);

#endif
