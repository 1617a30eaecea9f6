/* SPDX-License-Identifier: MIT */
/* Whether bytes are UTF-8 (Unicode 15, table 3-7: no surrogates, nothing overlong, up to U+10FFFF). */
#ifndef WEIR_UTF8_H
#define WEIR_UTF8_H

#include "base/slice.h"

/* The length of the sequence at P, which has LEN > 0 bytes; 0: it is none. */
size_t utf8_sequence(const char *p, size_t len);

/* Whether all of TEXT is. O(length), 16 bytes at a time where it is ASCII. */
bool utf8_valid(struct slice text);

/*
 * Copies TEXT to TO, which has room for 4 bytes each, with each byte that is not part of UTF-8 as \xHH;
 * returns the length. For formats whose texts have to be UTF-8 and have no way to tell other bytes.
 */
size_t utf8_mend(char *to, struct slice text);

#endif
