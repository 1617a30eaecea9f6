// SPDX-License-Identifier: MIT
#include "ctf/packet.h"

#include <stdio.h>
#include <string.h>

#include "ctf/event.h"

#define PACKET_MAGIC 0xc1fc1fc1u

enum { HEADER_MAX = 64 << 10 };	/* bytes of a packet's header and context together */

static uint64_t header_value(const struct ctf_header *header, const struct cursor *c, unsigned which)
{
	return header->name[which] ? c->reg[header->name[which]] : UINT64_MAX;
}

/* What comes before the events of a packet. By an index it is one whatever its magic number and uuid are. */
static bool read_packet_header(const struct ctf_layout *layout, const struct ctf_file *file, uint64_t offset,
			       bool indexed, struct ctf_packet *packet, struct cursor *c, char *error,
			       size_t error_size)
{
	const struct ctf_header *header = layout->packet_header;
	const uint8_t *at = file->at + offset;
	uint64_t rest = file->size - offset, id;

	/* Before any length in the header is believed. */
	if (!indexed && layout->magic_at >= 0 && rest >= (uint64_t)layout->magic_at + 4 &&
	    memcmp(at + layout->magic_at, layout->magic, 4) != 0) {
		snprintf(error, error_size, "no packet begins here: it has not the magic number 0x%x", PACKET_MAGIC);
		return false;
	}
	if (!ctf_event_header(header, c)) {
		snprintf(error, error_size, "the packet's header is cut");
		return false;
	}
	if (!indexed && header->name[PACKET_MAGIC_FIELD] &&
	    (uint32_t)header_value(header, c, PACKET_MAGIC_FIELD) != PACKET_MAGIC) {
		snprintf(error, error_size, "no packet begins here: it has not the magic number 0x%x", PACKET_MAGIC);
		return false;
	}
	if (!indexed && layout->uuid_at >= 0 &&
	    memcmp(at + layout->uuid_at, layout->metadata->uuid, 16) != 0) {
		snprintf(error, error_size, "a packet of another trace: its uuid is not the metadata's");
		return false;
	}
	packet->stream_id = header_value(header, c, PACKET_STREAM_ID);
	packet->instance_id = header_value(header, c, PACKET_INSTANCE_ID);
	id = packet->stream_id;
	if (id == UINT64_MAX)	/* an only stream needs no id */
		id = layout->streams_n == 1 ? layout->streams[0].stream->id : 0;
	packet->stream = ctf_layout_stream(layout, id);
	if (!packet->stream) {
		snprintf(error, error_size, "the metadata has no stream %llu", (unsigned long long)id);
		return false;
	}
	if (!ctf_event_header(packet->stream->packet_context, c)) {
		snprintf(error, error_size, "the packet's context is cut");
		return false;
	}
	return true;
}

/* Whether the index tells the same as the packet's header, but for sizes. Without times that cannot be told. */
static bool agrees(const struct packetindex_entry *e, const struct ctf_packet *p)
{
	unsigned bits = p->stream->discarded_bits;
	uint64_t mask = bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;

	return e->begin == p->begin && e->end == p->end && e->stream_id == p->stream->stream->id &&
	       (p->discarded == UINT64_MAX || p->discarded == (e->discarded & mask)) &&
	       (p->sequence == UINT64_MAX || e->sequence == UINT64_MAX || p->sequence == e->sequence) &&
	       (p->instance_id == UINT64_MAX || e->instance_id == UINT64_MAX ||
		p->instance_id == e->instance_id);
}

/* With the ENTRY of an index (else NULL) the sizes are from there, where the rest of the header agrees. */
static bool read_packet(const struct ctf_layout *layout, const struct ctf_file *file, uint64_t offset,
			const struct packetindex_entry *entry, struct ctf_packet *packet, char *error,
			size_t error_size)
{
	uint64_t rest = file->size - offset, size;
	struct cursor c;
	const struct ctf_header *context;

	*packet = (struct ctf_packet){ .offset = offset };
	c.base = file->at + offset;
	c.at = 0;
	c.end = 8 * (rest < HEADER_MAX ? rest : HEADER_MAX);
	if (!read_packet_header(layout, file, offset, entry != NULL, packet, &c, error, error_size))
		return false;
	context = packet->stream->packet_context;
	if (layout->packet_header->referred)
		memcpy(packet->reg, c.reg, PLAN_HEADER_REGISTERS * sizeof *c.reg);
	if (context->referred)
		memcpy(packet->reg + PLAN_HEADER_REGISTERS, c.reg + PLAN_HEADER_REGISTERS,
		       PLAN_HEADER_REGISTERS * sizeof *c.reg);
	size = header_value(context, &c, CONTEXT_PACKET_SIZE);
	packet->content = header_value(context, &c, CONTEXT_CONTENT_SIZE);
	packet->begin = header_value(context, &c, CONTEXT_BEGIN);
	packet->end = header_value(context, &c, CONTEXT_END);
	packet->discarded = header_value(context, &c, CONTEXT_DISCARDED);
	packet->sequence = header_value(context, &c, CONTEXT_SEQUENCE);
	packet->cpu = header_value(context, &c, CONTEXT_CPU);
	packet->events = c.at;
	if (entry) {
		packet->bytes = entry->bytes;
		packet->content = entry->content;
		return agrees(entry, packet) && packet->content >= packet->events;
	}
	/* Sizes that are not told: the rest of the file is the packet, the whole packet is content. */
	if (size == UINT64_MAX)
		size = packet->content == UINT64_MAX ? rest * 8 : packet->content;
	if (packet->content == UINT64_MAX)
		packet->content = size;
	if (size == 0 || size % 8 || packet->content > size || packet->content < packet->events) {
		snprintf(error, error_size, "a packet of %llu bits with a content of %llu",
			 (unsigned long long)size, (unsigned long long)packet->content);
		return false;
	}
	packet->bytes = size / 8;
	return true;
}

bool ctf_packet_read(const struct ctf_layout *layout, const struct ctf_file *file, uint64_t offset,
		     const struct packetindex_entry *entry, struct ctf_packet *packet, char *error, size_t error_size)
{
	sigjmp_buf here;
	bool good;

	if (ctf_file_guard)
		return read_packet(layout, file, offset, entry, packet, error, error_size);
	if (sigsetjmp(here, 0)) {
		ctf_file_guard = NULL;
		snprintf(error, error_size, "the file was cut while it was read");
		return false;
	}
	ctf_file_guard = &here;
	good = read_packet(layout, file, offset, entry, packet, error, error_size);
	ctf_file_guard = NULL;
	return good;
}

bool ctf_packet_is(const struct ctf_packet *p, const struct packetindex_entry *e)
{
	return e->offset == p->offset && e->bytes == p->bytes && e->content == p->content && agrees(e, p);
}
