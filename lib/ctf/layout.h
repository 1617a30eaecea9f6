/* SPDX-License-Identifier: MIT */
/*
 * A trace's metadata, made ready for decoding: headers and plans of all its streams. Read only once it is
 * made, so that threads can share it.
 */
#ifndef WEIR_CTF_LAYOUT_H
#define WEIR_CTF_LAYOUT_H

#include "ctf/plan.h"

/* The values that are looked for in headers: indexes of ctf_header.name. */
enum { PACKET_MAGIC_FIELD, PACKET_STREAM_ID, PACKET_INSTANCE_ID };
enum { CONTEXT_BEGIN, CONTEXT_END, CONTEXT_CONTENT_SIZE, CONTEXT_PACKET_SIZE, CONTEXT_DISCARDED, CONTEXT_SEQUENCE,
       CONTEXT_CPU };
enum { EVENT_ID };

/* Event headers that nearly all traces have are read without steps: LTTng's compact and large ones. */
enum header_form { HEADER_STEPS, HEADER_COMPACT, HEADER_LARGE };

struct ctf_stream_layout {
	const struct ctf_stream *stream;
	struct ctf_header *packet_context, *event_header;
	enum header_form form;
	const struct ctf_clock *clock;		/* of the events; NULL: they have no time */
	bool is_ns;				/* whose unit is 1 ns, counted from: */
	int64_t origin_ns;
	uint64_t clock_max;			/* up to this value the times fit */
	unsigned discarded_bits;		/* width of the counter of discarded events; 0: has none */
	struct ctf_plan **plans;		/* by event id, below plans_n; NULL: no such event */
	uint64_t plans_n;
};

struct ctf_layout {
	struct ctf_metadata *metadata;
	struct ctf_header *packet_header;
	/* Where packets have the magic number, as these bytes, and the trace's uuid; -1: they have none. */
	int64_t magic_at, uuid_at;
	uint8_t magic[4];
	struct ctf_stream_layout *streams;
	uint32_t streams_n;
};

/* Takes the metadata over. NULL when it makes no sense, with the reason in ERROR; it is freed then. */
struct ctf_layout *ctf_layout_make(struct ctf_metadata *metadata, const struct selection *selection, char *error,
				   size_t error_size);
void ctf_layout_free(struct ctf_layout *layout);

/* The layout of the stream with this id, NULL: none. */
const struct ctf_stream_layout *ctf_layout_stream(const struct ctf_layout *layout, uint64_t id);

/*
 * Nanoseconds since the clock's origin (the Unix epoch, mostly) of its VALUE. ctf_clock_time() is false where
 * they do not fit 64 bits; ctf_clock_ns() gives the nearest number that does.
 */
bool ctf_clock_time(const struct ctf_clock *clock, uint64_t value, int64_t *ns);
int64_t ctf_clock_ns(const struct ctf_clock *clock, uint64_t value);

#endif
