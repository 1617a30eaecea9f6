// SPDX-License-Identifier: MIT
#include "ctf/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "number.h"

#define PACKET_MAGIC 0xc1fc1fc1u

/* --- files and packets ------------------------------------------------------------------------------ */

bool ctf_file_open(struct ctf_file *file, const char *path, char *error, size_t error_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *at = NULL;
	struct stat st;

	*file = (struct ctf_file){ .path = path };
	if (fd < 0 || fstat(fd, &st))
		goto failed;
	if (st.st_size) {
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			goto failed;
		madvise(at, (size_t)st.st_size, MADV_SEQUENTIAL);
	}
	close(fd);
	file->at = at;
	file->size = (uint64_t)st.st_size;
	return true;
failed:
	snprintf(error, error_size, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return false;
}

void ctf_file_close(struct ctf_file *file)
{
	if (file->at)
		munmap((void *)(uintptr_t)file->at, file->size);
	file->at = NULL;
}

static bool read_header(const struct ctf_header *header, struct cursor *c)
{
	c->at = (c->at + header->align - 1) & -(uint64_t)header->align;
	memset(c->reg, 0xff, sizeof c->reg);
	return c->at <= c->end && ctf_event_pass(header->steps, header->steps_n, c);
}

static uint64_t header_value(const struct ctf_header *header, const struct cursor *c, unsigned which)
{
	return header->name[which] ? c->reg[header->name[which]] : UINT64_MAX;
}

bool ctf_packet_read(const struct ctf_layout *layout, const struct ctf_file *file, uint64_t offset,
		     struct ctf_packet *packet, char *error, size_t error_size)
{
	uint64_t rest = file->size - offset, size, id;
	struct cursor c = { .base = file->at + offset, .end = rest > UINT64_MAX / 8 ? UINT64_MAX : rest * 8 };
	const struct ctf_header *context;

	*packet = (struct ctf_packet){ .offset = offset };
	if (!read_header(layout->packet_header, &c)) {
		snprintf(error, error_size, "the packet's header is cut");
		return false;
	}
	if (layout->packet_header->name[PACKET_MAGIC_FIELD] &&
	    header_value(layout->packet_header, &c, PACKET_MAGIC_FIELD) != PACKET_MAGIC) {
		snprintf(error, error_size, "no packet begins here: its magic number is 0x%llx",
			 (unsigned long long)header_value(layout->packet_header, &c, PACKET_MAGIC_FIELD));
		return false;
	}
	packet->stream_id = header_value(layout->packet_header, &c, PACKET_STREAM_ID);
	packet->instance_id = header_value(layout->packet_header, &c, PACKET_INSTANCE_ID);
	id = packet->stream_id == UINT64_MAX ? 0 : packet->stream_id;
	packet->stream = ctf_layout_stream(layout, id);
	if (!packet->stream) {
		snprintf(error, error_size, "the metadata has no stream %llu", (unsigned long long)id);
		return false;
	}
	context = packet->stream->packet_context;
	if (!read_header(context, &c)) {
		snprintf(error, error_size, "the packet's context is cut");
		return false;
	}
	size = header_value(context, &c, CONTEXT_PACKET_SIZE);
	packet->content = header_value(context, &c, CONTEXT_CONTENT_SIZE);
	packet->begin = header_value(context, &c, CONTEXT_BEGIN);
	packet->end = header_value(context, &c, CONTEXT_END);
	packet->discarded = header_value(context, &c, CONTEXT_DISCARDED);
	packet->sequence = header_value(context, &c, CONTEXT_SEQUENCE);
	packet->cpu = header_value(context, &c, CONTEXT_CPU);
	packet->events = c.at;
	/* Sizes that are not told: the rest of the file is the packet, the whole packet is content. */
	if (size == UINT64_MAX)
		size = packet->content == UINT64_MAX ? c.end : packet->content;
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

/* --- reports ---------------------------------------------------------------------------------------- */

static void damaged(struct ctf_stream_reader *r, uint64_t byte, const char *reason)
{
	if (r->account.damaged++ == 0)
		snprintf(r->account.reason, sizeof r->account.reason, "%s, byte %llu: %s", r->files[r->file].path,
			 (unsigned long long)byte, reason);
}

static int64_t clock_ns(const struct ctf_stream_layout *stream, uint64_t value)
{
	return stream->clock ? ctf_clock_ns(stream->clock, value) : 0;
}

static char *put(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}
#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_ts(struct ctf_stream_reader *r, char *to, int64_t ts)
{
	int64_t second = ts / 1000000000;
	uint32_t rest = (uint32_t)(ts - second * 1000000000), high, low;

	to = PUT(to, "ts=");
	if (ts < 1000000000000000000)	/* before 2001-09-09: fewer digits */
		return to + number_put_i64(to, ts);
	if (second != r->last_second) {
		r->last_second = second;
		number_put_i64(r->second, second);
	}
	memcpy(to, r->second, 10);
	high = rest / 100000;
	low = rest % 100000;
	for (int i = 3; i >= 0; i--, high /= 10)
		to[10 + i] = (char)('0' + high % 10);
	for (int i = 4; i >= 0; i--, low /= 10)
		to[14 + i] = (char)('0' + low % 10);
	return to + 19;
}

/* More events than nanoseconds: the tracer's counter has wrapped, or was torn. */
static bool is_absurd(uint64_t n, bool timed, int64_t first, int64_t last)
{
	uint64_t span = timed && last > first ? (uint64_t)last - (uint64_t)first : 0;

	return n > (timed ? span + 1000 : (uint64_t)1 << 48);
}

static void write_loss(struct ctf_stream_reader *r, struct batch *batch, uint64_t n, uint64_t packets, bool timed,
		       int64_t first, int64_t last)
{
	bool known = !is_absurd(packets ? packets : n, timed, first, last);
	int64_t ts = timed ? first : r->last_ts == INT64_MIN ? 0 : r->last_ts;
	char *to;

	if (timed && (first > r->selection->end_ns || last < r->selection->begin_ns))
		return;
	r->account.lost_places++;
	if (packets || !known)
		r->account.lost_unknown++;
	else
		r->account.lost += n;
	to = batch_room(batch, batch->text + batch->len, 512 + r->source.len * 4);
	to = put_ts(r, to, ts);
	to = PUT(to, "\tev=lost");
	to = put(to, r->cpu, r->cpu_len);
	to = PUT(to, "\tn=");
	if (packets || !known)
		*to++ = '?';
	else
		to += number_put_u64(to, n);
	to = PUT(to, "\tsource=");
	to = ctf_event_escape(to, r->source);
	if (timed) {
		to = PUT(to, "\tfirst_ts=");
		to += number_put_i64(to, first);
		to = PUT(to, "\tlast_ts=");
		to += number_put_i64(to, last);
	}
	if (packets && known) {
		to = PUT(to, "\tpackets=");
		to += number_put_u64(to, packets);
	}
	*to++ = '\n';
	batch_line(batch, to, ts);
}

/* What was lost between the packet before and this one, by their counters. */
static void account_losses(struct ctf_stream_reader *r, struct batch *batch)
{
	const struct ctf_packet *p = &r->packet, *b = &r->before;
	unsigned bits = p->stream->discarded_bits;
	bool timed = p->stream->clock && p->begin != UINT64_MAX && p->end != UINT64_MAX;
	int64_t last = timed ? clock_ns(p->stream, p->end) : 0;
	uint64_t n;

	if (r->has_before && p->sequence != UINT64_MAX && b->sequence != UINT64_MAX && p->sequence > b->sequence + 1)
		write_loss(r, batch, 0, p->sequence - b->sequence - 1, timed, clock_ns(p->stream, b->end),
			   clock_ns(p->stream, p->begin));
	if (p->discarded == UINT64_MAX || (p->discarded == 0 && !r->has_before))
		return;
	n = p->discarded - (r->has_before ? b->discarded : 0);
	if (bits && bits < 64)
		n &= (1ull << bits) - 1;
	if (n)
		write_loss(r, batch, n, 0, timed, r->has_before ? clock_ns(p->stream, b->end) :
							clock_ns(p->stream, p->begin), last);
}

/* --- going through packets -------------------------------------------------------------------------- */

static void leave_packet(struct ctf_stream_reader *r)
{
	const struct ctf_file *file = &r->files[r->file];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t from = r->packet.offset & -page, to = (r->packet.offset + r->packet.bytes) & -page;

	r->in_packet = false;
	r->before = r->packet;
	r->has_before = true;
	r->done += r->packet.bytes;
	if (to > from && to <= file->size)
		madvise((void *)(uintptr_t)(file->at + from), to - from, MADV_DONTNEED);
}

static void enter_packet(struct ctf_stream_reader *r, struct batch *batch)
{
	const struct ctf_file *file = &r->files[r->file];
	struct ctf_packet *p = &r->packet;
	uint64_t rest = (file->size - p->offset) * 8;

	r->cpu_len = 0;
	if (p->cpu != UINT64_MAX) {
		memcpy(r->cpu, "\tcpu=", 5);
		r->cpu_len = 5 + number_put_u64(r->cpu + 5, p->cpu);
	}
	account_losses(r, batch);
	if (p->begin != UINT64_MAX)
		r->clock = p->begin;
	r->cursor.base = file->at + p->offset;
	r->cursor.at = p->events;
	r->cursor.end = p->content;
	if (p->content > rest) {
		damaged(r, p->offset, "the packet is cut");
		r->cursor.end = rest;
	}
	r->in_packet = true;
}

/* Whether the packet is wholly outside of the wanted time. */
static bool is_unwanted(const struct ctf_stream_reader *r)
{
	const struct ctf_packet *p = &r->packet;

	if (!p->stream->clock || p->begin == UINT64_MAX || p->end == UINT64_MAX || p->end < p->begin)
		return false;
	return clock_ns(p->stream, p->end) < r->selection->begin_ns ||
	       clock_ns(p->stream, p->begin) > r->selection->end_ns;
}

/* Goes to the next packet with wanted events; false when there is none. */
static bool next_packet(struct ctf_stream_reader *r, struct batch *batch)
{
	char error[300];

	for (; r->file < r->files_n; r->file++, r->next_offset = 0) {
		const struct ctf_file *file = &r->files[r->file];

		while (r->next_offset < file->size) {
			uint64_t offset = r->next_offset;

			if (!ctf_packet_read(r->layout, file, offset, &r->packet, error, sizeof error)) {
				/* Packets have no mark by which the next one could be found. */
				damaged(r, offset, error);
				break;
			}
			r->next_offset = r->packet.bytes > file->size - offset ? file->size :
										 offset + r->packet.bytes;
			if (!is_unwanted(r)) {
				enter_packet(r, batch);
				return true;
			}
			leave_packet(r);
		}
	}
	return false;
}

/* --- events ----------------------------------------------------------------------------------------- */

/* The whole value of a time of which SIZE bits are recorded (CTF 1.8.3, 8). */
static inline uint64_t whole_time(uint64_t clock, uint64_t low, unsigned size)
{
	uint64_t mask, value;

	if (size >= 64)
		return low;
	mask = (1ull << size) - 1;
	value = (clock & ~mask) | low;
	return value < clock ? value + mask + 1 : value;
}

static inline uint64_t load(const uint8_t *at, unsigned bytes)
{
	uint64_t v = 0;

	memcpy(&v, at, bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* Reads the event's header: its id, and the clock. False: it is cut. */
static inline bool event_header(struct ctf_stream_reader *r, uint64_t *id)
{
	const struct ctf_stream_layout *stream = r->packet.stream;
	const struct ctf_header *header = stream->event_header;
	struct cursor *c = &r->cursor;
	const uint8_t *at;
	unsigned bytes;

	if (stream->form == HEADER_STEPS) {
		if (!read_header(header, c))
			return false;
		*id = header->name[EVENT_ID] ? c->reg[header->name[EVENT_ID]] : 0;
		for (unsigned i = 0; i < header->times; i++)
			if (c->reg[header->time[i].keep] != UINT64_MAX)
				r->clock = whole_time(r->clock, c->reg[header->time[i].keep], header->time[i].size);
		return true;
	}
	c->at = (c->at + 7) & ~(uint64_t)7;
	if (c->at > c->end || c->end - c->at < 32)
		return false;
	at = c->base + (c->at >> 3);
	if (stream->form == HEADER_COMPACT) {
		*id = load(at, 1) & 31;
		bytes = *id == 31 ? 13 : 4;
		if ((c->end - c->at) >> 3 < bytes)
			return false;
		if (bytes == 4)
			r->clock = whole_time(r->clock, load(at, 4) >> 5, 27);
	} else {
		*id = load(at, 2);
		bytes = *id == 65535 ? 14 : 6;
		if ((c->end - c->at) >> 3 < bytes)
			return false;
		if (bytes == 6)
			r->clock = whole_time(r->clock, load(at + 2, 4), 32);
	}
	if (bytes > 6) {
		*id = load(at + bytes - 12, 4);
		r->clock = load(at + bytes - 8, 8);
	}
	c->at += bytes * 8;
	return true;
}

/* The event that begins at the cursor. NULL, or what is wrong with it. */
static const char *event(struct ctf_stream_reader *r, struct batch *batch)
{
	const struct ctf_stream_layout *stream = r->packet.stream;
	const struct ctf_plan *plan;
	int64_t ts = 0;
	uint64_t id;
	char *to;

	if (!event_header(r, &id))
		return "the event's header is cut";
	if (id >= stream->plans_n || !stream->plans[id])
		return "the metadata has no event of this id";
	plan = stream->plans[id];
	if (stream->clock)
		ts = ctf_clock_ns(stream->clock, r->clock);
	if (ts < r->last_ts)
		r->account.backwards++;
	r->last_ts = ts;
	if (!plan->wanted || !selection_time(r->selection, ts))
		return ctf_event_skip(plan, &r->cursor) ? NULL : "the event is cut, or an impossible length";
	to = batch_room(batch, batch->text + batch->len, 128 + plan->begin.len);
	to = put_ts(r, to, ts);
	to = put(to, plan->begin.at, plan->begin.len);
	if (plan->wants_cpu)
		to = put(to, r->cpu, r->cpu_len);
	r->cursor.out = batch;
	to = ctf_event_write(plan, &r->cursor, to);
	if (!to)
		return "the event is cut, or an impossible length";
	r->account.cut += r->cursor.cut;
	to = batch_room(batch, to, 1);
	*to++ = '\n';
	batch_line(batch, to, ts);
	return NULL;
}

bool ctf_stream_decode(struct ctf_stream_reader *r, struct batch *batch)
{
	const char *wrong;

	while (!r->over && batch->len < STREAM_BATCH) {
		if (!r->in_packet && !next_packet(r, batch)) {
			r->over = true;
			break;
		}
		while (r->cursor.at < r->cursor.end && batch->len < STREAM_BATCH) {
			uint64_t at = r->cursor.at;

			wrong = event(r, batch);
			if (wrong) {
				damaged(r, r->packet.offset + at / 8, wrong);
				r->cursor.at = r->cursor.end;
			}
		}
		if (r->cursor.at >= r->cursor.end)
			leave_packet(r);
	}
	return !r->over;
}

bool ctf_stream_first(const struct ctf_stream_reader *reader, int64_t *ts)
{
	static const struct selection everything = { .begin_ns = INT64_MIN, .end_ns = INT64_MAX };
	struct ctf_stream_reader probe = *reader;
	struct batch batch = { 0 };
	uint64_t id;
	bool found = false;

	probe.selection = &everything;
	while (!probe.over && !found && next_packet(&probe, &batch)) {
		if (batch.n) {
			*ts = batch.lines[0].ts;
			found = true;
		} else if (probe.cursor.at < probe.cursor.end && event_header(&probe, &id)) {
			*ts = probe.packet.stream->clock ? ctf_clock_ns(probe.packet.stream->clock, probe.clock) : 0;
			found = true;
		} else {
			leave_packet(&probe);
		}
	}
	batch_free(&batch);
	return found;
}
