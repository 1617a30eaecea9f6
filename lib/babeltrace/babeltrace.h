/* SPDX-License-Identifier: MIT */
/*
 * CTF traces, through libbabeltrace2, as records.
 *
 * What is here runs in processes that may die of what they read (crew.h): libbabeltrace2 aborts, hangs or
 * allocates without bound on some broken traces. So all that must survive them is in shared memory: the
 * records (ring.h), and the state of each stream. libbabeltrace2 stops a stream at the first thing it
 * cannot decode, and only that stream.
 */
#ifndef WEIR_BABELTRACE_H
#define WEIR_BABELTRACE_H

#include "babeltrace/ring.h"
#include "traces/selection.h"

enum { BABELTRACE_TEXT = 400 };	/* bytes of a port's name, of a reason */

/* What is decoded together, by one component: the directories of one trace, or the URL of a live one. */
struct trace {
	char **paths;
	size_t n;
	bool live;
	const char *name;	/* for messages */
	uint64_t bytes;		/* of its streams, as far as known */
	/* A part of a trace that is refused as a whole (rescue.h): */
	bool is_padded;		/* its one packet is cut off; there is rubbish behind the cut */
	struct rescued *rescued;
};

enum stream_state { STREAM_OPEN, STREAM_ENDED, STREAM_BROKEN };

/* A data stream: in shared memory, written by the worker that decodes it. */
struct stream {
	char port[BABELTRACE_TEXT];	/* libbabeltrace2's name for it */
	uint32_t trace;			/* which one it is of */
	uint32_t order;			/* its place among all streams */
	uint32_t worker;
	_Atomic uint32_t state;
	_Atomic uint64_t consumed;	/* messages that are done with: a successor begins behind them */
	uint64_t lost, lost_places, lost_unknown;	/* events; losses; those whose number is not known */
	uint64_t backwards, cut, timeless; /* events: earlier than the one before, shortened, without time */
	char file[BABELTRACE_TEXT];	/* the stream's name, once it is known */
	char reason[BABELTRACE_TEXT];	/* why it is broken */
};

/* What a worker and the process that merges share. */
struct share {
	struct ring *ring;
	_Atomic int pid;		/* of the worker */
	_Atomic uint32_t current;	/* the stream in libbabeltrace2's hands, or -1 */
	_Atomic uint64_t beat;		/* changes as long as there is progress */
	_Atomic uint64_t events;
	_Atomic uint32_t has_first;	/* first_ts is known (INT64_MAX: no event) */
	int64_t first_ts;
};

/* Shared by all: what the workers wait for before the first record. */
struct start {
	_Atomic uint32_t is_set;
	int64_t begin_ns, end_ns;
};

struct babeltrace;

/* Loads libbabeltrace2's reader. NULL with the reason in WHY (of BABELTRACE_TEXT bytes). */
struct babeltrace *babeltrace_load(char *why);

/* Opens a trace as number NUMBER. False with the reason in WHY. */
bool babeltrace_open(struct babeltrace *babeltrace, uint32_t number, const struct trace *trace, char *why);

/* The ports of an open trace: how many, their names. */
uint64_t babeltrace_ports(const struct babeltrace *babeltrace, uint32_t number);
const char *babeltrace_port(const struct babeltrace *babeltrace, uint32_t number, uint64_t i);

/*
 * Decodes those of the N STREAMS that are WORKER's and open, from where an earlier worker left them, to
 * SHARE's ring, ordered by time and then by the streams' order. The reasons of those that broke are in
 * the streams.
 */
void babeltrace_decode(struct babeltrace *babeltrace, const struct trace *traces, struct stream *streams,
		       uint32_t n, uint32_t worker, struct share *share, const struct start *start,
		       struct selection *selection);

#endif
