/* SPDX-License-Identifier: MIT */
/* Finding the CTF traces below directories. */
#ifndef WEIR_TRACEFIND_H
#define WEIR_TRACEFIND_H

#include "base/slice.h"

/* A directory that holds `metadata` and streams. */
struct found {
	char *path;
	uint64_t bytes;		/* of its streams */
	uint64_t first, last;	/* clock cycles of its packets, from LTTng's index; both 0 without one */
	bool has_uuid;
	unsigned char uuid[16];	/* of the trace; chunks of one trace have the same */
};

struct tracefind {
	struct found *found;	/* in the order of the operands, by name below each */
	size_t n, room;
	struct table *seen;	/* directories, so that none comes twice */
};

/*
 * Adds the traces at and below DIRECTORY, at any depth down to 64; symbolic links are followed. A
 * `metadata` without streams beside it is passed over with a message. False when something was reported
 * that makes the result incomplete: a directory that cannot be read, or no trace at all.
 */
bool tracefind_below(struct tracefind *find, const char *directory);

#endif
