// SPDX-License-Identifier: MIT
#include "database/perfetto.h"

#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/number.h"
#include "database/protobuf.h"
#include "records/kind.h"
#include "records/reader.h"

enum { INTERNED_MAX = 1 << 16, INTERNED_BYTES = 256 };

/* Field numbers of protos/perfetto/trace/, by message. */
enum { TRACE_PACKET = 1 };
enum {
	PACKET_CLOCK_SNAPSHOT = 6, PACKET_TIMESTAMP = 8, PACKET_SEQUENCE_ID = 10, PACKET_TRACK_EVENT = 11,
	PACKET_INTERNED_DATA = 12, PACKET_SEQUENCE_FLAGS = 13, PACKET_TRACK_DESCRIPTOR = 60,
};
enum { SEQUENCE_CLEARED = 1, SEQUENCE_NEEDS_STATE = 2 };	/* bits of sequence_flags */
enum { SNAPSHOT_CLOCKS = 1, CLOCK_ID = 1, CLOCK_TIMESTAMP = 2, CLOCK_REALTIME_ID = 1, CLOCK_BOOTTIME_ID = 6 };
enum {
	TRACK_UUID = 1, TRACK_NAME = 2, TRACK_PROCESS = 3, TRACK_THREAD = 4, TRACK_PARENT = 5,
	TRACK_COUNTER = 8, TRACK_CHILD_ORDERING = 11, TRACK_RANK = 12, ORDERING_EXPLICIT = 3,
};
enum { PROCESS_PID = 1, PROCESS_NAME = 6, THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5, COUNTER_UNIT = 3 };
enum {
	EVENT_CATEGORY = 3, EVENT_ARGUMENT = 4, EVENT_TYPE = 9, EVENT_NAME = 10, EVENT_TRACK = 11,
	EVENT_CATEGORY_TEXT = 22, EVENT_NAME_TEXT = 23,
	EVENT_COUNTER_VALUE = 30, EVENT_FLOW = 47, EVENT_FLOW_END = 48,
	TYPE_END = 2, TYPE_COUNTER = 4,
};
enum {
	ARGUMENT_NAME = 1, ARGUMENT_UNSIGNED = 3, ARGUMENT_SIGNED = 4, ARGUMENT_DOUBLE = 5, ARGUMENT_TEXT = 6,
	ARGUMENT_POINTER = 7, ARGUMENT_NAME_TEXT = 10, ARGUMENT_INTERNED_TEXT = 17,
};
enum { INTERNED_ID = 1, INTERNED_TEXT = 2 };

/* What is interned; the values are the fields of InternedData. */
static const uint32_t interned_field[] = { 1, 2, 3, 29 };
enum interned { CATEGORIES, NAMES, ARGUMENTS, TEXTS, INTERNED };

struct perfetto {
	struct writer *out;
	struct protobuf packet, event, fresh;	/* fresh: InternedData that the event needs */
	struct intern *interned[INTERNED];
	bool cleared;		/* the next event starts the numbers anew */
	int64_t ts;		/* of the event under way */
	uint64_t tracks;
	char *text;		/* unescaped, mended */
	size_t text_room;
};

/* ---- packets ---- */

static void put_packet(struct perfetto *p)
{
	char *to = writer_room(p->out, PROTOBUF_HEAD + p->packet.len);

	/* A Trace is nothing but packets. */
	to += protobuf_head((unsigned char *)to, TRACE_PACKET, p->packet.len);
	memcpy(to, p->packet.at, p->packet.len);
	p->out->at = to + p->packet.len;
}

static void begin_packet(struct perfetto *p)
{
	protobuf_clear(&p->packet);
	protobuf_varint(&p->packet, PACKET_SEQUENCE_ID, 1);
}

static void put_event(struct perfetto *p)
{
	begin_packet(p);
	protobuf_varint(&p->packet, PACKET_TIMESTAMP, (uint64_t)p->ts);
	protobuf_varint(&p->packet, PACKET_SEQUENCE_FLAGS,
			SEQUENCE_NEEDS_STATE | (p->cleared ? SEQUENCE_CLEARED : 0));
	p->cleared = false;
	if (p->fresh.len)
		protobuf_text(&p->packet, PACKET_INTERNED_DATA, protobuf_bytes(&p->fresh));
	protobuf_text(&p->packet, PACKET_TRACK_EVENT, protobuf_bytes(&p->event));
	put_packet(p);
}

static void put_clocks(struct perfetto *p, int64_t ts)
{
	static const uint64_t ids[] = { CLOCK_BOOTTIME_ID, CLOCK_REALTIME_ID };
	size_t snapshot;

	begin_packet(p);
	snapshot = protobuf_begin(&p->packet, PACKET_CLOCK_SNAPSHOT);
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		size_t clock = protobuf_begin(&p->packet, SNAPSHOT_CLOCKS);

		protobuf_varint(&p->packet, CLOCK_ID, ids[i]);
		protobuf_varint(&p->packet, CLOCK_TIMESTAMP, (uint64_t)ts);
		protobuf_end(&p->packet, clock);
	}
	protobuf_end(&p->packet, snapshot);
	put_packet(p);
}

/* ---- text ---- */

static void start_numbers(struct perfetto *p)
{
	for (size_t i = 0; i < INTERNED; i++) {
		intern_free(p->interned[i]);
		p->interned[i] = intern_new();
	}
	p->cleared = true;
}

/*
 * Puts text into the event: its number, which the event's packet explains when it is new, in the field
 * BY_NUMBER; long text, which is seldom met twice, as it is.
 */
static void put_text(struct perfetto *p, enum interned kind, uint32_t by_number, uint32_t as_text,
		     struct slice value)
{
	uint32_t known = intern_count(p->interned[kind]), id;

	if (value.len > INTERNED_BYTES) {
		protobuf_text(&p->event, as_text, reader_utf8(value, &p->text, &p->text_room));
		return;
	}
	id = intern_id(p->interned[kind], value);
	if (id == known) {
		size_t entry = protobuf_begin(&p->fresh, interned_field[kind]);

		protobuf_varint(&p->fresh, INTERNED_ID, (uint64_t)id + 1);
		protobuf_text(&p->fresh, INTERNED_TEXT, reader_utf8(value, &p->text, &p->text_room));
		protobuf_end(&p->fresh, entry);
	}
	protobuf_varint(&p->event, by_number, (uint64_t)id + 1);
}

/* ---- tracks ---- */

static size_t begin_track(struct perfetto *p, uint64_t track, uint64_t parent)
{
	size_t descriptor;

	begin_packet(p);
	descriptor = protobuf_begin(&p->packet, PACKET_TRACK_DESCRIPTOR);
	protobuf_varint(&p->packet, TRACK_UUID, track);
	if (parent)
		protobuf_varint(&p->packet, TRACK_PARENT, parent);
	return descriptor;
}

static void end_track(struct perfetto *p, size_t descriptor)
{
	protobuf_end(&p->packet, descriptor);
	put_packet(p);
}

uint64_t perfetto_track(struct perfetto *p, uint64_t parent, struct slice name, int32_t rank)
{
	size_t descriptor = begin_track(p, ++p->tracks, parent);

	protobuf_text(&p->packet, TRACK_NAME, reader_utf8(name, &p->text, &p->text_room));
	protobuf_varint(&p->packet, TRACK_CHILD_ORDERING, ORDERING_EXPLICIT);
	protobuf_varint(&p->packet, TRACK_RANK, (uint64_t)(int64_t)rank);
	end_track(p, descriptor);
	return p->tracks;
}

void perfetto_name_process(struct perfetto *p, uint64_t track, int64_t pid, struct slice name)
{
	size_t descriptor = begin_track(p, track, 0), process = protobuf_begin(&p->packet, TRACK_PROCESS);

	protobuf_varint(&p->packet, PROCESS_PID, (uint64_t)pid);
	if (name.len)
		protobuf_text(&p->packet, PROCESS_NAME, reader_utf8(name, &p->text, &p->text_room));
	protobuf_end(&p->packet, process);
	end_track(p, descriptor);
}

uint64_t perfetto_process(struct perfetto *p, int64_t pid, struct slice name)
{
	perfetto_name_process(p, ++p->tracks, pid, name);
	return p->tracks;
}

void perfetto_name_thread(struct perfetto *p, uint64_t track, uint64_t process, int64_t pid, int64_t tid,
			  struct slice name)
{
	size_t descriptor = begin_track(p, track, process), thread = protobuf_begin(&p->packet, TRACK_THREAD);

	protobuf_varint(&p->packet, THREAD_PID, (uint64_t)pid);
	protobuf_varint(&p->packet, THREAD_TID, (uint64_t)tid);
	if (name.len)
		protobuf_text(&p->packet, THREAD_NAME, reader_utf8(name, &p->text, &p->text_room));
	protobuf_end(&p->packet, thread);
	end_track(p, descriptor);
}

uint64_t perfetto_thread(struct perfetto *p, uint64_t process, int64_t pid, int64_t tid, struct slice name)
{
	perfetto_name_thread(p, ++p->tracks, process, pid, tid, name);
	return p->tracks;
}

uint64_t perfetto_counter(struct perfetto *p, uint64_t parent, struct slice name, enum perfetto_unit unit)
{
	size_t descriptor = begin_track(p, ++p->tracks, parent), counter;

	protobuf_text(&p->packet, TRACK_NAME, reader_utf8(name, &p->text, &p->text_room));
	counter = protobuf_begin(&p->packet, TRACK_COUNTER);
	protobuf_varint(&p->packet, COUNTER_UNIT, unit);
	protobuf_end(&p->packet, counter);
	end_track(p, descriptor);
	return p->tracks;
}

/* ---- events ---- */

static void begin_event(struct perfetto *p, int64_t ts, uint64_t type, uint64_t track)
{
	p->ts = ts;
	protobuf_clear(&p->event);
	protobuf_clear(&p->fresh);
	protobuf_varint(&p->event, EVENT_TYPE, type);
	protobuf_varint(&p->event, EVENT_TRACK, track);
}

void perfetto_event(struct perfetto *p, int64_t ts, enum perfetto_type type, uint64_t track,
		    struct slice category, struct slice name)
{
	for (size_t i = 0; i < INTERNED; i++)
		if (intern_count(p->interned[i]) >= INTERNED_MAX)
			start_numbers(p);
	begin_event(p, ts, type, track);
	put_text(p, CATEGORIES, EVENT_CATEGORY, EVENT_CATEGORY_TEXT, category);
	put_text(p, NAMES, EVENT_NAME, EVENT_NAME_TEXT, name);
}

static void put_value(struct perfetto *p, struct slice value, bool text)
{
	bool number = !text && value.len && value.at[0] <= '9';
	uint64_t u;
	int64_t i;
	double real;

	if (number && number_plain(value) && number_i64(value, &i))
		protobuf_varint(&p->event, ARGUMENT_SIGNED, (uint64_t)i);
	else if (number && number_plain(value) && number_u64(value, &u))
		protobuf_varint(&p->event, ARGUMENT_UNSIGNED, u);
	else if (number && value.len > 2 && value.at[1] == 'x' && number_bits(value, &u))
		protobuf_varint(&p->event, ARGUMENT_POINTER, u);
	else if (number && number_canonical(value) && number_real(value, &real))
		protobuf_double(&p->event, ARGUMENT_DOUBLE, real);
	else
		put_text(p, TEXTS, ARGUMENT_INTERNED_TEXT, ARGUMENT_TEXT, value);
}

void perfetto_argument(struct perfetto *p, struct slice key, struct slice value)
{
	size_t argument = protobuf_begin(&p->event, EVENT_ARGUMENT);

	put_text(p, ARGUMENTS, ARGUMENT_NAME, ARGUMENT_NAME_TEXT, key);
	put_value(p, value, kind_of(key) == KIND_TEXT);
	protobuf_end(&p->event, argument);
}

void perfetto_flow(struct perfetto *p, uint64_t flow, bool end)
{
	protobuf_fixed64(&p->event, end ? EVENT_FLOW_END : EVENT_FLOW, flow);
}

void perfetto_put(struct perfetto *p)
{
	put_event(p);
}

void perfetto_end(struct perfetto *p, int64_t ts, uint64_t track)
{
	begin_event(p, ts, TYPE_END, track);
	put_event(p);
}

void perfetto_count(struct perfetto *p, int64_t ts, uint64_t counter, int64_t value)
{
	begin_event(p, ts, TYPE_COUNTER, counter);
	protobuf_varint(&p->event, EVENT_COUNTER_VALUE, (uint64_t)value);
	put_event(p);
}

struct perfetto *perfetto_new(struct writer *out, int64_t ts)
{
	struct perfetto *p = memory_zeroed(sizeof *p);

	p->out = out;
	start_numbers(p);
	put_clocks(p, ts);
	return p;
}

void perfetto_free(struct perfetto *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < INTERNED; i++)
		intern_free(p->interned[i]);
	free(p->packet.at);
	free(p->event.at);
	free(p->fresh.at);
	free(p->text);
	free(p);
}
