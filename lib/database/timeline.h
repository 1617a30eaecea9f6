/* SPDX-License-Identifier: MIT */
/*
 * Records on the tracks of a Perfetto trace (perfetto.h): which track, which name, which arguments
 * (man/to-perfetto.1 has the list).
 *
 * A record with dur_ns is a slice from ts - dur_ns to ts. Slices of one track never overlap: where one would,
 * it goes to another track of the same name. Memory grows with the threads, processes, CPUs and tracks,
 * which are remembered, not with the records.
 */
#ifndef WEIR_TIMELINE_H
#define WEIR_TIMELINE_H

#include "records/reader.h"
#include "records/writer.h"

enum { TIMELINE_LANES = 4096 };	/* slices that may overlap on the tracks of one name */

struct timeline;

/* Writes the trace to OUT. READER is told of records that cannot be used. */
struct timeline *timeline_new(struct writer *out, struct reader *reader);

/* Adds a record. O(fields + slices that overlap it on its track). */
void timeline_put(struct timeline *timeline, const struct record *record);

/* Ends the trace. How many slices had no track left, and became instants at their end. */
uint64_t timeline_end(struct timeline *timeline);

#endif
