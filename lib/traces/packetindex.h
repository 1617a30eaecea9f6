/* SPDX-License-Identifier: MIT */
/*
 * LTTng's packet index: where each packet of a stream's file is, and when it was.
 *
 * It is beside the stream's file, as index/NAME.idx (lttng-tools, src/common/index/ctf-index.h): all
 * big-endian, a magic number, a version and the length of an entry in 32 bits each, then an entry of 64-bit
 * numbers for each packet. LTTng writes there what it writes into the packets' headers, so it helps where these
 * are damaged, or need not be looked at. It may be cut, stale or a lie: what an entry says is believed together
 * with a header that says the same, no sooner.
 */
#ifndef WEIR_PACKETINDEX_H
#define WEIR_PACKETINDEX_H

#include "base/slice.h"

enum { PACKETINDEX_MAX = 64 << 20 };	/* bytes of an index; of a larger one nothing is read */

struct packetindex {
	uint8_t *entries;	/* as in the file */
	size_t n, entry_len;
	uint32_t tries;		/* headers looked at for what the index says of them */
	bool lies;		/* one was not as it says: no packet is passed over by it any more */
};

struct packetindex_entry {
	uint64_t offset, bytes;		/* in the stream's file */
	uint64_t content;		/* bits */
	uint64_t begin, end;		/* clock values */
	uint64_t discarded, stream_id;
	uint64_t instance_id, sequence;	/* UINT64_MAX: not told, before version 1.1 */
};

/*
 * Reads the index of the stream's file PATH, which has SIZE bytes. There are no entries when there is no
 * index, or it makes no sense; else they are of whole packets, each of which begins where the one before ends,
 * from the file's first byte on. The packets at the file's end may have none. O(entries).
 */
void packetindex_read(struct packetindex *index, const char *path, uint64_t size);
void packetindex_free(struct packetindex *index);

/* Entry number I, below n. */
struct packetindex_entry packetindex_entry(const struct packetindex *index, size_t i);

/* The number of the first entry at OFFSET or behind it; n: there is none. O(log n). */
size_t packetindex_find(const struct packetindex *index, uint64_t offset);

#endif
