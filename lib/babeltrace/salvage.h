/* SPDX-License-Identifier: MIT */
/*
 * Parts of a broken trace as traces of their own, in a temporary directory, so that libbabeltrace2,
 * which refuses a trace for one bad packet, can read the good ones.
 */
#ifndef WEIR_SALVAGE_H
#define WEIR_SALVAGE_H

#include <sys/types.h>

#include "base/slice.h"

enum { SALVAGE_ROOT = 128 };

struct salvage {
	char root[SALVAGE_ROOT];	/* of the temporary directory; empty: there is none */
	pid_t janitor;
	int hold;
};

/*
 * Makes a temporary directory below $TMPDIR or /tmp; false, with errno. It is removed by
 * salvage_remove(), which does nothing where there is none, or when this process ends, whatever its end.
 */
bool salvage_make(struct salvage *salvage);
void salvage_remove(struct salvage *salvage);

/*
 * Where the packets of a stream file begin, ascending, and at the end the file's size; free() it. *N is
 * the number of packets: 0 when the file does not begin like a packet, or cannot be read (NULL then).
 * Packets are recognized by the 20 bytes (magic number, UUID) that the first one begins with. O(bytes).
 */
uint64_t *salvage_packets(const char *file, size_t *n);

/*
 * Sizes that the packet at FROM, which is cut off at END or has rubbish behind it, may have by its own
 * account: what numbers among its first 256 bytes can mean, in bits. At most MAX of them, the largest
 * first; returns how many.
 */
size_t salvage_sizes(const char *file, uint64_t from, uint64_t end, uint64_t *sizes, size_t max);

/*
 * A trace directory that holds the metadata of the trace in DIRECTORY and the stream file NAME of it (NULL:
 * none), or, with TO > FROM, a copy of its bytes FROM..TO, filled up with 0xff to SIZE bytes when that is
 * more. (No event of LTTng begins with 0xff ff ff ff ff ff: decoding stops there.) Returns its path, which
 * the caller frees; NULL, with errno.
 */
char *salvage_piece(const struct salvage *salvage, const char *directory, const char *name, uint64_t from,
		    uint64_t to, uint64_t size);

#endif
