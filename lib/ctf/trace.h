/* SPDX-License-Identifier: MIT */
/* Traces as directories: their metadata, and their stream files put together to streams. */
#ifndef WEIR_CTF_TRACE_H
#define WEIR_CTF_TRACE_H

#include "ctf/stream.h"
#include "records/writer.h"

/* The streams of all traces that have been opened, ordered by trace, stream class and stream. */
struct ctf_traces {
	struct ctf_stream_reader *readers;
	uint32_t n;
	uint64_t bytes;			/* of all stream files */
	const struct selection *selection;
	struct ctf_layout **layouts;	/* one for each trace */
	size_t layouts_n, layouts_room, readers_room;
};

/*
 * Opens the N directories PATHS, chunks of one trace, as the next trace. SELECTION is kept; its window in
 * time may still be open. False with the reason in WHY (300 bytes) when its metadata cannot be used, and
 * nothing has been added then. Stream files that cannot be opened are accounted as damaged.
 */
bool ctf_traces_open(struct ctf_traces *traces, char *const *paths, size_t n, const struct selection *selection,
		     char *why, size_t why_size);
void ctf_traces_close(struct ctf_traces *traces);

/* The time of the first event of all, loss included; false: there is none. Opens no window. */
bool ctf_traces_first(const struct ctf_traces *traces, int64_t *ts);

/*
 * What became of each stream, once all has been decoded: said on stderr where something is wrong. Adds up
 * the rest. False: something could not be decoded.
 */
struct ctf_sum {
	uint64_t lost, lost_places;
	bool lost_unknown;
	uint64_t cut, timeless;		/* as in ctf_account */
};
bool ctf_traces_report(const struct ctf_traces *traces, struct ctf_sum *sum);

/*
 * Writes what trace number WHICH says of itself as a record: ev=trace, when its first event was, PATH, how
 * many streams and bytes it has, and the environment of its metadata (hostname, kernel_release, ...).
 */
void ctf_traces_describe(const struct ctf_traces *traces, size_t which, const char *path, struct writer *out);

#endif
