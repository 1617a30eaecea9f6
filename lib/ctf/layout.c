// SPDX-License-Identifier: MIT
#include "ctf/layout.h"

#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "memory.h"

enum { EVENT_IDS_MAX = 1 << 20 };

static const char *const packet_names[] = { "magic", "stream_id", "stream_instance_id", NULL };
static const char *const context_names[] = { "timestamp_begin", "timestamp_end", "content_size", "packet_size",
					     "events_discarded", "packet_seq_num", "cpu_id", NULL };
static const char *const event_names[] = { "id", NULL };

static bool is_number(const struct ctf_type *type, enum ctf_kind kind, uint32_t size, uint32_t align)
{
	return type->kind == kind && type->size == size && type->align == align && !type->is_signed;
}

/* `struct { uintN id; uint64 timestamp; }`, the option for ids and times that the short form cannot hold. */
static bool is_extended(const struct ctf_type *type)
{
	return type->kind == CTF_STRUCT && type->n == 2 && type->align == 8 &&
	       is_number(type->fields[0].type, CTF_INTEGER, 32, 8) &&
	       is_number(type->fields[1].type, CTF_INTEGER, 64, 8) && type->fields[1].type->clock;
}

static bool is_little(const struct ctf_metadata *m, const struct ctf_type *type)
{
	if (type->kind == CTF_INTEGER || type->kind == CTF_ENUM)
		return (type->order == CTF_NATIVE ? m->order : type->order) == CTF_LITTLE;
	for (uint32_t i = 0; i < type->n; i++)
		if (!is_little(m, type->fields[i].type))
			return false;
	return true;
}

static bool selects(const struct ctf_type *tag, const char *label, uint64_t low, uint64_t high)
{
	for (uint32_t i = 0; i < tag->n; i++)
		if (slice_equal(tag->ranges[i].label, slice_of(label)))
			return tag->ranges[i].low == low && tag->ranges[i].high == high;
	return false;
}

/*
 * LTTng's headers (lttng-modules, lttng-abi and metadata generation): an id of 5 or 16 bits, whose highest
 * value says that id and time follow in full; else the low 27 or 32 bits of the time follow.
 */
static enum header_form form_of(const struct ctf_metadata *m, const struct ctf_type *type)
{
	const struct ctf_type *id, *v, *time;
	bool compact;

	if (!type || type->n != 2 || type->align != 8 || !is_little(m, type))
		return HEADER_STEPS;
	id = type->fields[0].type;
	v = type->fields[1].type;
	if (id->kind != CTF_ENUM || v->kind != CTF_VARIANT || v->n != 2 || id->n != 2 ||
	    !slice_equal(type->fields[0].name, SLICE("id")) || !slice_equal(v->reference, SLICE("id")) ||
	    !slice_equal(v->fields[0].name, SLICE("compact")) || !slice_equal(v->fields[1].name, SLICE("extended")) ||
	    v->fields[0].type->kind != CTF_STRUCT || v->fields[0].type->n != 1 || !is_extended(v->fields[1].type))
		return HEADER_STEPS;
	time = v->fields[0].type->fields[0].type;
	compact = is_number(id, CTF_ENUM, 5, 1) && is_number(time, CTF_INTEGER, 27, 1) &&
		  v->fields[0].type->align == 1 && selects(id, "compact", 0, 30) && selects(id, "extended", 31, 31);
	if (compact && time->clock)
		return HEADER_COMPACT;
	if (is_number(id, CTF_ENUM, 16, 8) && is_number(time, CTF_INTEGER, 32, 8) && time->clock &&
	    selects(id, "compact", 0, 65534) && selects(id, "extended", 65535, 65535))
		return HEADER_LARGE;
	return HEADER_STEPS;
}

static unsigned width_of(const struct ctf_type *type, const char *name)
{
	for (uint32_t i = 0; type && i < type->n; i++)
		if (slice_equal(type->fields[i].name, slice_of(name)))
			return type->fields[i].type->size;
	return 0;
}

static bool add_plans(struct ctf_layout *layout, struct ctf_stream_layout *s, const struct selection *selection,
		      char *error, size_t error_size)
{
	struct ctf_metadata *m = layout->metadata;
	char reason[200];

	for (const struct ctf_event *e = m->events; e; e = e->next)
		if (e->stream_id == s->stream->id && e->id >= s->plans_n)
			s->plans_n = e->id + 1;
	if (s->plans_n > EVENT_IDS_MAX) {
		snprintf(error, error_size, "an event's id is %llu", (unsigned long long)s->plans_n - 1);
		return false;
	}
	s->plans = arena_get(m->arena, s->plans_n * sizeof *s->plans + 1);
	for (const struct ctf_event *e = m->events; e; e = e->next) {
		if (e->stream_id != s->stream->id)
			continue;
		if (s->plans[e->id]) {
			snprintf(error, error_size, "two events have the id %llu", (unsigned long long)e->id);
			return false;
		}
		s->plans[e->id] = ctf_plan_make(m, s->stream, e, selection, reason, sizeof reason);
		if (!s->plans[e->id]) {
			snprintf(error, error_size, "event %.*s: %s", e->name.len > 80 ? 80 : (int)e->name.len,
				 e->name.at, reason);
			return false;
		}
	}
	return true;
}

static bool add_stream(struct ctf_layout *layout, struct ctf_stream_layout *s, const struct ctf_stream *stream,
		       const struct selection *selection, char *error, size_t error_size)
{
	struct ctf_metadata *m = layout->metadata;

	s->stream = stream;
	s->packet_context = ctf_header_make(m, stream->packet_context, context_names, error, error_size);
	s->event_header = s->packet_context ? ctf_header_make(m, stream->event_header, event_names, error,
							      error_size) : NULL;
	if (!s->event_header)
		return false;
	s->form = form_of(m, stream->event_header);
	s->clock = s->event_header->clock;
	s->discarded_bits = width_of(stream->packet_context, "events_discarded");
	return add_plans(layout, s, selection, error, error_size);
}

struct ctf_layout *ctf_layout_make(struct ctf_metadata *metadata, const struct selection *selection, char *error,
				   size_t error_size)
{
	struct ctf_layout *layout = memory_zeroed(sizeof *layout);

	layout->metadata = metadata;
	for (const struct ctf_stream *s = metadata->streams; s; s = s->next)
		layout->streams_n++;
	layout->streams = arena_get(metadata->arena, layout->streams_n * sizeof *layout->streams + 1);
	layout->packet_header = ctf_header_make(metadata, metadata->packet_header, packet_names, error, error_size);
	if (!layout->packet_header)
		goto failed;
	layout->streams_n = 0;
	for (const struct ctf_stream *s = metadata->streams; s; s = s->next)
		if (!add_stream(layout, &layout->streams[layout->streams_n++], s, selection, error, error_size))
			goto failed;
	return layout;
failed:
	ctf_layout_free(layout);
	return NULL;
}

void ctf_layout_free(struct ctf_layout *layout)
{
	if (!layout)
		return;
	ctf_metadata_free(layout->metadata);
	free(layout);
}

const struct ctf_stream_layout *ctf_layout_stream(const struct ctf_layout *layout, uint64_t id)
{
	for (uint32_t i = 0; i < layout->streams_n; i++)
		if (layout->streams[i].stream->id == id)
			return &layout->streams[i];
	return NULL;
}

/* Cycles to nanoseconds; exact at 1 GHz, else rounded as libbabeltrace2 does. */
static uint64_t cycles_ns(uint64_t frequency, uint64_t cycles)
{
	double ns;

	if (frequency == 1000000000)
		return cycles;
	ns = 1e9 * (double)cycles / (double)frequency;
	return ns >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)ns;
}

int64_t ctf_clock_ns(const struct ctf_clock *clock, uint64_t value)
{
	int64_t frequency = (int64_t)clock->frequency;
	uint64_t seconds = (uint64_t)clock->offset_seconds;
	int64_t cycles = clock->offset;

	if (frequency > 0) {
		/* Whole seconds first, so that little is left to round. */
		seconds += (uint64_t)(cycles / frequency);
		cycles %= frequency;
		if (cycles < 0) {
			seconds--;
			cycles += frequency;
		}
	}
	/* Unsigned, because hostile offsets may overflow. */
	return (int64_t)(seconds * 1000000000 + cycles_ns(clock->frequency, (uint64_t)cycles) +
			 cycles_ns(clock->frequency, value));
}
