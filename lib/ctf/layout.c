// SPDX-License-Identifier: MIT
#include "ctf/layout.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/memory.h"

enum { EVENT_IDS_MAX = 1 << 20 };

static const char *const packet_names[] = { "magic", "stream_id", "stream_instance_id", NULL };
static const char *const context_names[] = { "timestamp_begin", "timestamp_end", "content_size", "packet_size",
					     "events_discarded", "packet_seq_num", "cpu_id", NULL };
static const char *const event_names[] = { "id", NULL };

static bool is_number(const struct ctf_type *type, enum ctf_kind kind, uint32_t size, uint32_t align)
{
	return type->kind == kind && type->size == size && type->align == align && !type->is_signed &&
	       !type->is_variable && !type->is_reversed && !type->is_bool;
}

/* `struct { uintN id; uint64 timestamp; }`, the option for ids and times that the short form cannot hold. */
static bool is_extended(const struct ctf_metadata *m, const struct ctf_type *type)
{
	return type->kind == CTF_STRUCT && type->n == 2 && type->align == 8 &&
	       slice_equal(ctf_field_role(m, &type->fields[0]), SLICE("id")) &&
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

/* Whether the tag selects option K of the variant, called LABEL, from LOW to HIGH and nowhere else. */
static bool selects(const struct ctf_type *tag, const struct ctf_type *v, uint32_t k, const char *label, uint64_t low,
		    uint64_t high)
{
	const struct ctf_range *ranges = v->ranges ? v->ranges : tag->ranges;
	uint32_t n = v->ranges ? v->ranges_n : tag->n;

	for (uint32_t i = 0; n == 2 && i < n; i++)
		if (v->ranges ? ranges[i].option == k : slice_equal(ranges[i].label, slice_of(label)))
			return ranges[i].low == low && ranges[i].high == high;
	return false;
}

/*
 * LTTng's headers (lttng-modules, lttng-abi and metadata generation): an id of 5 or 16 bits, whose highest
 * value says that id and time follow in full; else the low 27 or 32 bits of the time follow.
 */
static enum header_form form_of(const struct ctf_metadata *m, const struct ctf_type *type)
{
	const struct ctf_type *id, *v, *time;

	if (!type || type->n != 2 || type->align != 8)
		return HEADER_STEPS;
	id = type->fields[0].type;
	v = type->fields[1].type;
	if ((id->kind != CTF_ENUM && !(v->ranges && id->kind == CTF_INTEGER)) || v->kind != CTF_VARIANT || v->n != 2 ||
	    !slice_equal(ctf_field_role(m, &type->fields[0]), SLICE("id")) || id->is_reversed ||
	    !slice_equal(v->reference, type->fields[0].name) || v->up ||
	    v->fields[0].type->kind != CTF_STRUCT || v->fields[0].type->n != 1 || !is_extended(m, v->fields[1].type) ||
	    !is_little(m, type))
		return HEADER_STEPS;
	if (!v->ranges && (!slice_equal(v->fields[0].name, SLICE("compact")) ||
			   !slice_equal(v->fields[1].name, SLICE("extended"))))
		return HEADER_STEPS;
	time = v->fields[0].type->fields[0].type;
	if (is_number(id, id->kind, 5, 1) && is_number(time, CTF_INTEGER, 27, 1) && v->fields[0].type->align == 1 &&
	    selects(id, v, 0, "compact", 0, 30) && selects(id, v, 1, "extended", 31, 31) && time->clock)
		return HEADER_COMPACT;
	if (is_number(id, id->kind, 16, 8) && is_number(time, CTF_INTEGER, 32, 8) && v->fields[0].type->align == 8 &&
	    selects(id, v, 0, "compact", 0, 65534) && selects(id, v, 1, "extended", 65535, 65535) && time->clock)
		return HEADER_LARGE;
	return HEADER_STEPS;
}

static unsigned width_of(const struct ctf_metadata *m, const struct ctf_type *type, const char *name)
{
	for (uint32_t i = 0; type && i < type->n; i++)
		if (slice_equal(ctf_field_role(m, &type->fields[i]), slice_of(name)))
			return type->fields[i].type->size;
	return 0;
}

/* Some of a stream's plans, of which no two are alike: enough for those that -f and --for make of its contexts. */
struct kinds {
	const struct ctf_plan *of[8];
	size_t n;
};

static void find_alike(struct ctf_plan *plan, struct kinds *kinds)
{
	for (size_t i = 0; i < kinds->n; i++)
		if (ctf_plan_alike(plan, kinds->of[i]))
			return;
	if (kinds->n < sizeof kinds->of / sizeof *kinds->of && ctf_plan_alike(plan, NULL))
		kinds->of[kinds->n++] = plan;
}

static bool add_plans(struct ctf_layout *layout, struct ctf_stream_layout *s, const struct selection *selection,
		      char *error, size_t error_size)
{
	struct ctf_metadata *m = layout->metadata;
	struct ctf_header *const outer[] = { layout->packet_header, s->packet_context, s->event_header };
	struct kinds kinds = { .n = 0 };
	char reason[200];

	for (const struct ctf_event *e = m->events; e; e = e->next)
		if (e->stream_id == s->stream->id && e->id >= s->plans_n)
			s->plans_n = e->id + 1;
	if (s->plans_n > EVENT_IDS_MAX) {
		snprintf(error, error_size, "an event's id is %llu", (unsigned long long)s->plans_n - 1);
		return false;
	}
	if (arena_bytes(m->arena) + s->plans_n * sizeof *s->plans > m->memory_max) {
		snprintf(error, error_size, "the events take more than %zu MiB", m->memory_max >> 20);
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
		if (arena_bytes(m->arena) > m->memory_max) {
			snprintf(error, error_size, "the events take more than %zu MiB", m->memory_max >> 20);
			return false;
		}
		s->plans[e->id] = ctf_plan_make(m, s->stream, outer, e, selection, reason, sizeof reason);
		if (!s->plans[e->id]) {
			snprintf(error, error_size, "event %.*s: %s", e->name.len > 80 ? 80 : (int)e->name.len,
				 e->name.at, reason);
			return false;
		}
		find_alike(s->plans[e->id], &kinds);
	}
	return true;
}

static bool add_stream(struct ctf_layout *layout, struct ctf_stream_layout *s, const struct ctf_stream *stream,
		       const struct selection *selection, char *error, size_t error_size)
{
	struct ctf_metadata *m = layout->metadata;
	struct ctf_header *outer[] = { layout->packet_header, NULL };

	s->stream = stream;
	s->packet_context = ctf_header_make(m, SCOPE_PACKET_CONTEXT, outer, stream->packet_context, context_names,
					    error, error_size);
	if (!s->packet_context)
		return false;
	outer[1] = s->packet_context;
	s->event_header = ctf_header_make(m, SCOPE_EVENT_HEADER, outer, stream->event_header, event_names, error,
					  error_size);
	if (!s->event_header)
		return false;
	s->clock = s->event_header->clock;
	if (s->clock && s->clock->frequency == 1000000000 && ctf_clock_time(s->clock, 0, &s->origin_ns)) {
		s->is_ns = true;
		s->clock_max = (uint64_t)(INT64_MAX - (s->origin_ns > 1 ? s->origin_ns : 1));
	}
	s->discarded_bits = width_of(m, stream->packet_context, "events_discarded");
	if (!add_plans(layout, s, selection, error, error_size))
		return false;
	s->form = s->event_header->referred ? HEADER_STEPS : form_of(m, stream->event_header);
	return true;
}

/* Finds the magic number and the uuid among the fields of the packet header before any without fixed size. */
static void find_marks(struct ctf_layout *layout)
{
	const struct ctf_metadata *m = layout->metadata;
	const struct ctf_type *header = m->packet_header;
	int64_t at = 0;

	layout->magic_at = layout->uuid_at = -1;
	for (uint32_t i = 0; header && i < header->n; i++) {
		const struct ctf_field *field = &header->fields[i];
		const struct ctf_type *type = field->type;
		bool is_bytes = type->length == 16 && !type->reference.len &&
				(type->kind == CTF_BLOB ||
				 (type->kind == CTF_ARRAY && is_number(type->element, CTF_INTEGER, 8, 8)));

		at = (at + type->align - 1) & -(int64_t)type->align;
		if (type->kind == CTF_INTEGER && type->size == 32 && at % 8 == 0 &&
		    slice_equal(ctf_field_role(m, field), SLICE("magic"))) {
			bool big = (type->order == CTF_NATIVE ? m->order : type->order) == CTF_BIG;

			layout->magic_at = at / 8;
			memcpy(layout->magic, big ? "\xc1\xfc\x1f\xc1" : "\xc1\x1f\xfc\xc1", 4);
		} else if (is_bytes && m->has_uuid && slice_equal(ctf_field_role(m, field), SLICE("uuid"))) {
			layout->uuid_at = at / 8;
		}
		if ((type->kind != CTF_INTEGER && type->kind != CTF_ENUM && !is_bytes) || type->is_variable)
			return;
		at += is_bytes ? 128 : type->size;
	}
}

struct ctf_layout *ctf_layout_make(struct ctf_metadata *metadata, const struct selection *selection, char *error,
				   size_t error_size)
{
	struct ctf_layout *layout = memory_zeroed(sizeof *layout);

	layout->metadata = metadata;
	for (const struct ctf_stream *s = metadata->streams; s; s = s->next)
		layout->streams_n++;
	layout->streams = arena_get(metadata->arena, layout->streams_n * sizeof *layout->streams + 1);
	layout->packet_header = ctf_header_make(metadata, SCOPE_PACKET_HEADER, NULL, metadata->packet_header,
						packet_names, error, error_size);
	if (!layout->packet_header)
		goto failed;
	find_marks(layout);
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

/* The time of the clock's value 0. False: it does not fit. */
static bool origin(const struct ctf_clock *clock, int64_t *ns)
{
	int64_t frequency = (int64_t)clock->frequency, seconds = clock->offset_seconds, cycles = clock->offset;

	if (frequency > 0) {
		/* Whole seconds first, so that little is left to round. */
		if (__builtin_add_overflow(seconds, cycles / frequency, &seconds))
			return false;
		cycles %= frequency;
		if (cycles < 0) {
			if (__builtin_sub_overflow(seconds, 1, &seconds))
				return false;
			cycles += frequency;
		}
	}
	return !__builtin_mul_overflow(seconds, 1000000000, ns) &&
	       !__builtin_add_overflow(*ns, cycles_ns(clock->frequency, (uint64_t)cycles), ns);
}

bool ctf_clock_time(const struct ctf_clock *clock, uint64_t value, int64_t *ns)
{
	uint64_t since = cycles_ns(clock->frequency, value);

	/* As libbabeltrace2 has it, the time since the origin must fit by itself, too. */
	return origin(clock, ns) && since < INT64_MAX && !__builtin_add_overflow(*ns, since, ns);
}

int64_t ctf_clock_ns(const struct ctf_clock *clock, uint64_t value)
{
	int64_t ns;

	return ctf_clock_time(clock, value, &ns) ? ns : clock->offset_seconds < 0 ? INT64_MIN : INT64_MAX;
}
