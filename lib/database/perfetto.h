/* SPDX-License-Identifier: MIT */
/*
 * Traces as ui.perfetto.dev and trace_processor read them: a stream of TracePackets of Perfetto's public
 * schema (protos/perfetto/trace/), with tracks, and events on tracks (TrackEvent).
 *
 * Times are nanoseconds since the Unix epoch. The first packet says that BOOTTIME, the clock of a trace's
 * timestamps, and REALTIME show the same: so every reader shows each timestamp as it is, and as a date.
 *
 * Events need no order: a reader sorts all packets by time before it looks at them, and keeps the order of
 * those with one time. So a slice may be written when it has ended, if no other slice of its track is open
 * within it; where one ends as the next begins, the earlier must be written first.
 *
 * Names, categories, names of arguments and short texts are written once and numbered; after 65536 of a kind
 * the numbers start anew, which the packet says, so memory is bounded.
 */
#ifndef WEIR_PERFETTO_H
#define WEIR_PERFETTO_H

#include "records/writer.h"

struct perfetto;

/* Writes to OUT. TS is a time of the trace. */
struct perfetto *perfetto_new(struct writer *out, int64_t ts);
void perfetto_free(struct perfetto *perfetto);

/*
 * Tracks, by their id. PARENT is a track or 0. Texts are as they stand in records. RANK is the
 * place among siblings. A new track for a process or thread that
 * has one means that the number was used again; naming it once more means that it has another name.
 */
uint64_t perfetto_track(struct perfetto *perfetto, uint64_t parent, struct slice name, int32_t rank);
uint64_t perfetto_process(struct perfetto *perfetto, int64_t pid, struct slice name);
uint64_t perfetto_thread(struct perfetto *perfetto, uint64_t process, int64_t pid, int64_t tid,
			 struct slice name);
void perfetto_name_process(struct perfetto *perfetto, uint64_t track, int64_t pid, struct slice name);
void perfetto_name_thread(struct perfetto *perfetto, uint64_t track, uint64_t process, int64_t pid,
			  int64_t tid, struct slice name);
enum perfetto_unit { PERFETTO_NS = 1, PERFETTO_BYTES = 3 };	/* CounterDescriptor.Unit */
uint64_t perfetto_counter(struct perfetto *perfetto, uint64_t parent, struct slice name,
			  enum perfetto_unit unit);

/* One event: perfetto_event(), then what belongs to it, then perfetto_put(). */
enum perfetto_type { PERFETTO_BEGIN = 1, PERFETTO_INSTANT = 3 };	/* TrackEvent.Type */
void perfetto_event(struct perfetto *perfetto, int64_t ts, enum perfetto_type type, uint64_t track,
		    struct slice category, struct slice name);

/* An argument, of a record's field: a number, an address (0x...), else text. */
void perfetto_argument(struct perfetto *perfetto, struct slice key, struct slice value);

/* An arrow goes from an event that has this number to the next that has it as its END. */
void perfetto_flow(struct perfetto *perfetto, uint64_t flow, bool end);
void perfetto_put(struct perfetto *perfetto);

/* Ends the slice that is open on TRACK at TS. */
void perfetto_end(struct perfetto *perfetto, int64_t ts, uint64_t track);

void perfetto_count(struct perfetto *perfetto, int64_t ts, uint64_t counter, int64_t value);

#endif
