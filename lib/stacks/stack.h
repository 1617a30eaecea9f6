/* SPDX-License-Identifier: MIT */
/*
 * A call stack as text: frames from the root to the leaf with `;` between, as the field `stack` has it
 * (records(5)), and the lines of folded stacks (folded.h).
 *
 * A frame is any bytes. What would end it is written \xHH: `;`, in folded stacks spaces and control characters
 * too, and a backslash that would be taken for the begin of such an escape. These are undone, and no others:
 * names with backslashes that other programs wrote stay what they are.
 */
#ifndef WEIR_STACK_H
#define WEIR_STACK_H

#include "base/slice.h"

/* Takes the next frame off REST, still escaped; false when there is none. An empty text has no frame. */
bool stack_next(struct slice *rest, struct slice *frame);

/*
 * Writes FRAME at TO (room for 4 * len), escaped for a folded stack or, IN_RECORD, for a field, whose own escapes
 * are still to come; and back, which never takes more room. Both return the length. A plain frame is the same
 * when it is escaped (false may be wrong).
 */
bool stack_plain(struct slice frame);
size_t stack_escape(char *to, struct slice frame, bool in_record);
size_t stack_unescape(char *to, struct slice frame);

/*
 * A folded stack in the making: zero-initialize, reset `len` for a new one, free() both buffers in the end.
 * Each of these adds frames behind those that are there, O(length):
 */
struct stack_text {
	char *at;
	size_t len, room;
	char *space;
	size_t space_room;
};

/* A frame that is not escaped; behind PREFIX, which needs no escapes. */
void stack_add_frame(struct stack_text *text, struct slice prefix, struct slice frame);

/* Frames in their folded form. */
void stack_add_folded(struct stack_text *text, struct slice frames);

/*
 * The value of a field `stack`, as it stands in a record. A `;` that the record's own escape hides (one
 * backslash less) is no end of a frame either.
 */
void stack_add_value(struct stack_text *text, struct slice value);

static inline struct slice stack_slice(const struct stack_text *text)
{
	return (struct slice){ text->at, text->len };
}

void stack_text_free(struct stack_text *text);

#endif
