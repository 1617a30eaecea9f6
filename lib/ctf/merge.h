/* SPDX-License-Identifier: MIT */
/*
 * Decoding several streams side by side, and merging their lines by time.
 *
 * Threads decode batches ahead; the caller's thread merges. Lines of the same time come in the order of
 * the streams, so the output is the same whatever the number of threads. Memory: for each stream at most
 * MERGE_AHEAD batches of STREAM_BATCH bytes, less where they would be more than MERGE_MEMORY together, and
 * one line.
 */
#ifndef WEIR_CTF_MERGE_H
#define WEIR_CTF_MERGE_H

#include "base/progress.h"
#include "ctf/stream.h"
#include "records/writer.h"

enum { MERGE_AHEAD = 4, MERGE_MEMORY = 32 << 20 };

/*
 * Writes the lines of the N READERS to OUT with THREADS threads (1: all in the caller's). PROGRESS counts
 * events of the TOTAL bytes of packets. Returns the time of the latest line; INT64_MIN: there was none.
 */
int64_t ctf_merge(struct ctf_stream_reader *readers, uint32_t n, unsigned threads, struct writer *out,
		  struct progress *progress, uint64_t total);

#endif
