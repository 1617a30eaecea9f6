/* SPDX-License-Identifier: MIT */
/* The headers of a packet: where it ends, when it was, what it counts. */
#ifndef WEIR_CTF_PACKET_H
#define WEIR_CTF_PACKET_H

#include "ctf/file.h"
#include "ctf/layout.h"
#include "traces/packetindex.h"

struct ctf_packet {
	uint64_t offset, bytes;		/* in the file */
	uint64_t content;		/* bits that hold headers and events */
	uint64_t events;		/* bit where the events begin */
	uint64_t stream_id, instance_id;	/* UINT64_MAX: not told */
	uint64_t begin, end;		/* clock values; UINT64_MAX: not told */
	uint64_t discarded, sequence;	/* counters; UINT64_MAX: not told */
	uint64_t cpu;			/* UINT64_MAX: not told */
	uint64_t reg[PLAN_EVENT_REGISTER];	/* values of the headers that events refer to */
	const struct ctf_stream_layout *stream;
};

/*
 * Reads the headers of the packet at OFFSET. False with the reason in ERROR when there is none that makes sense,
 * or the file was cut. With an ENTRY (else NULL) it is a packet whatever its magic number and uuid are, and has the
 * sizes of the entry, if the rest of its headers says what the entry says.
 */
bool ctf_packet_read(const struct ctf_layout *layout, const struct ctf_file *file, uint64_t offset,
		     const struct packetindex_entry *entry, struct ctf_packet *packet, char *error, size_t error_size);

/* Whether the packet's headers say all that the index's entry says. */
bool ctf_packet_is(const struct ctf_packet *packet, const struct packetindex_entry *entry);

#endif
