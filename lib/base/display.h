/* SPDX-License-Identifier: MIT */
/* Values for people at a terminal. */
#ifndef WEIR_DISPLAY_H
#define WEIR_DISPLAY_H

#include "base/slice.h"

enum { DISPLAY_NUMBER = 48 };	/* bytes that hold any number displayed here */

/*
 * Writes a value, as it stands in a record, so that it shows as it is but drives nothing: what is
 * escaped stays so, and control characters beyond ASCII, marks that turn the direction of writing, and
 * bytes that are not UTF-8 become \xHH. What takes more than MAX columns (at least 4) is cut and ends in
 * an ellipsis. TO has room for 4 * value.len + 4 bytes. Returns the length, and in *COLUMNS the columns
 * that it takes on a terminal (wide characters two, combining ones none).
 */
size_t display_text(char *to, struct slice value, size_t max, size_t *columns);

/* As that, but what is too long is cut in its midst: paths and stacks tell most at their end. MAX is 12 at least. */
size_t display_both_ends(char *to, struct slice value, size_t max, size_t *columns);

/* Nanoseconds as `16.8 us`, bytes as `1.21 MiB`, with three digits; another number. Length, no NUL. */
size_t display_duration(char *to, double ns);
size_t display_size(char *to, double bytes);
size_t display_real(char *to, double value);

#endif
