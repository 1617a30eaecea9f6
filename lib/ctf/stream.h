/* SPDX-License-Identifier: MIT */
/*
 * A data stream: the files that hold its packets, one after the other, decoded to record lines.
 *
 * The files of a stream may overlap, as snapshots do: a packet that is in several of them is read once. That
 * takes 64 bytes for each packet that is not older than the next file.
 *
 * Files are mapped; what has been decoded is given back to the kernel, so a stream takes the memory of
 * one packet and of its batch. Where a packet is damaged, its sound events have been decoded, the rest of
 * it is reported, and reading goes on with the next packet. Where no packet is, the next one is searched
 * for by the magic number and the trace's uuid.
 */
#ifndef WEIR_CTF_STREAM_H
#define WEIR_CTF_STREAM_H

#include "ctf/batch.h"
#include "ctf/event.h"
#include "ctf/file.h"
#include "ctf/layout.h"
#include "ctf/packet.h"
#include "traces/discards.h"
#include "traces/packetindex.h"

enum { STREAM_BATCH = 256 << 10 };	/* bytes of lines after which a batch is full */

/* What a stream has lost, and what went wrong. */
struct ctf_account {
	uint64_t lost, lost_unknown, lost_places;	/* events; how often their number is not known */
	uint64_t timeless;		/* events without a time, or with one that 64 bits of ns cannot hold */
	uint64_t backwards, cut;	/* events earlier than the one before; with an array cut short */
	uint64_t damaged;		/* places; each has an ev=lost with its reason and offset */
	char reason[400];		/* of the first damage: `FILE, byte N: ...`; empty: none */
};

struct ctf_stream_reader {
	const struct ctf_layout *layout;
	const struct selection *selection;
	struct ctf_file *files;		/* in the order of their first packets */
	uint32_t files_n, file;		/* how many; the one being read */
	struct slice source;		/* the first file's name, for ev=lost */
	struct ctf_account account;

	/* Where reading is. */
	struct ctf_packet packet, before;
	bool in_packet, has_before, over;
	struct discards discards;
	struct packetindex index;		/* of the file being read */
	struct table *seen;		/* packets that may come again; NULL: none */
	bool is_cut;			/* the packet is not all there */
	bool sequential;		/* the kernel knows that the file is read from here to its end */
	size_t batch_max;		/* bytes of lines; 0: STREAM_BATCH */
	uint64_t next_offset;
	uint64_t given;			/* byte of the file up to which pages are the kernel's again */
	uint64_t sound;			/* byte of the file up to which all was sound */
	uint32_t tries;			/* for packets, where none was expected */
	struct {
		uint64_t offset;
		char reason[300];	/* empty: none */
	} pending;			/* damage before the next packet, whose time is not known yet */
	struct cursor cursor;
	uint64_t clock;			/* the last value */
	int64_t last_ts;		/* INT64_MIN before the first event */
	int64_t last_included;		/* of the events that -e, -x and the times allow but nothing was wanted of */
	char cpu[32];			/* "\tcpu=N", or empty */
	size_t cpu_len;
	struct number_second second;	/* of the last ts */
	_Atomic uint64_t done;		/* bytes of packets that are behind us */
};

/*
 * Decodes lines to BATCH, which must be empty, until it is full. False when the stream is over: the batch
 * may have lines then, too. ts is that of the record; lines come in the order they were recorded.
 */
bool ctf_stream_decode(struct ctf_stream_reader *reader, struct batch *batch);

/* The time of the stream's first event, wanted or not, or loss. False: it has none. READER stays as it is. */
bool ctf_stream_first(const struct ctf_stream_reader *reader, int64_t *ts);

#endif
