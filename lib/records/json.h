/* SPDX-License-Identifier: MIT */
/*
 * One JSON value (RFC 8259), written so that it survives readers that keep numbers as doubles and text as
 * Unicode. The caller writes braces, commas, colons and line feeds; the keys of records need no escape.
 *
 * Text is a string in UTF-8. Bytes below 0x20 and the code points U+007F to U+009F are written \u00XX (or
 * \t \n \r), so no text drives a terminal. A byte that is not part of valid UTF-8 is written as the lone
 * surrogate \udc80 to \udcff: the scheme of Python's `surrogateescape` (PEP 383), which no valid text can
 * collide with.
 */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include "records/writer.h"

/* A string, quotes included, of any text without escapes. O(length). */
void json_text(struct writer *writer, struct slice text);

/* The same for a value as it stands in a record: its escapes are undone first. */
void json_string(struct writer *writer, struct slice value);

/*
 * A value as it stands in a record: as a number when it is one that comes back from a double as the same
 * text (see number_canonical()), else as a string: 007, +1, 1.50, 0x10, and integers from 2^53 up.
 */
void json_value(struct writer *writer, struct slice value);

#endif
