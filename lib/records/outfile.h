/* SPDX-License-Identifier: MIT */
/* Writing a whole document at once. What fails is said, and ends the program with EXIT_FAILED. */
#ifndef WEIR_OUTFILE_H
#define WEIR_OUTFILE_H

#include "records/writer.h"

/* Writes BYTES to OUT, and closes it. */
void outfile_put(struct writer *out, struct slice bytes);

/*
 * FILE has all of BYTES afterwards, or what it was before: a regular file is written beside, as FILE.tmp, and
 * renamed; anything else (a pipe, /dev/null) is written to. For one thread.
 */
void outfile_write(const char *file, struct slice bytes);

#endif
