/* SPDX-License-Identifier: MIT */
/*
 * Values in the text that babeltrace prints of an event: numbers, strings and enumerations, as they are in a
 * record. Every function takes where it reads, and returns where it stopped; NULL: that is none, `why` tells.
 */
#ifndef WEIR_BABELLEXER_H
#define WEIR_BABELLEXER_H

#include "base/slice.h"

struct babellexer {
	bool unquoted;		/* in: strings come without escapes, as babeltrace 1 prints them */
	bool saw_unquoted;	/* out: something stood there that babeltrace 2 would have escaped */
	bool open_string;	/* out: what failed is a string that does not end */
	const char *why;	/* out: the reason when it failed */
	const char *end;	/* of the text; one more byte may be read */
	/* Its own: values that do not stand in the text as they are wanted. */
	char *scratch, *scratch_at;
	size_t scratch_room;
};

/*
 * For a text up to END. ROOM: twice its length, and twice NUMBER_TEXT for each value. Then comes
 * babellexer_restart(), which also reads the same text again: values stay until then. free() the scratch.
 */
void babellexer_begin(struct babellexer *lexer, const char *end, size_t room);
void babellexer_restart(struct babellexer *lexer);

/* Notes WHY, which is a literal, and returns NULL. */
const char *babellexer_failed(struct babellexer *lexer, const char *why);

/* Whether WITH stands at P. */
static inline bool babellexer_begins(const struct babellexer *lexer, const char *p, struct slice with)
{
	return (size_t)(lexer->end - p) >= with.len && memcmp(p, with.at, with.len) == 0;
}

/* The length of the name at P, which ` = ` follows; 0: none is there. */
size_t babellexer_name(const struct babellexer *lexer, const char *p);

/* The number or word (true, false) at P, up to one of `, )` or the end. */
const char *babellexer_number(struct babellexer *lexer, const char *p, struct slice *value);

/* The string whose first byte is at P, behind the quote, without escapes. */
const char *babellexer_string(struct babellexer *lexer, const char *p, struct slice *value);

/* The enumeration whose `( ` is at P: its labels, joined by `|`, or the number where it has none. */
const char *babellexer_enumeration(struct babellexer *lexer, const char *p, struct slice *value);

#endif
