/* SPDX-License-Identifier: MIT */
/*
 * The first bytes of HTTP/1 messages (RFC 9112): what is asked, and the status. Bytes that are something else,
 * or that do not tell, give nothing: no guess.
 */
#ifndef WEIR_REQUESTLINE_H
#define WEIR_REQUESTLINE_H

#include "base/slice.h"

/* Views into the message; empty: not known. */
struct requestline {
	struct slice method;	/* GET ... */
	struct slice path;	/* the target without what follows `?`: that may hold secrets */
};

/*
 * False: no request of HTTP/1. Where the line is cut before its version, ANSWER, the first bytes of the answer,
 * must be of HTTP/1. O(length).
 */
bool requestline_read(struct slice message, struct slice answer, struct requestline *line);

/* The status of an answer, 100 to 999; -1: it is none of HTTP/1. */
int requestline_status(struct slice answer);

#endif
