// SPDX-License-Identifier: MIT
#include "ctf/stream.h"

#include <setjmp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/number.h"
#include "base/table.h"
#include "records/writer.h"

enum {
	LARGE_PACKET = 256 << 10,	/* bytes from which on it is worth to leave a packet unread */
	TRIES_MAX = 1 << 16,	/* places with the magic number, but without a packet, in a stream */
};

/* Whether the packet of the index's entry I is there, with a header that says the same. */
static bool is_indexed(struct ctf_stream_reader *r, size_t i)
{
	struct packetindex_entry e = packetindex_entry(&r->index, i);
	struct ctf_packet p;
	char error[300];

	return r->index.tries++ < TRIES_MAX &&
	       ctf_packet_read(r->layout, &r->files[r->file], e.offset, NULL, &p, error, sizeof error) &&
	       ctf_packet_is(&p, &e);
}

/*
 * The next offset from FROM on at which a packet begins, by its magic number, at the latest where the index
 * has one; the file's size: none.
 */
static uint64_t find_packet(struct ctf_stream_reader *r, uint64_t from)
{
	const struct ctf_layout *layout = r->layout;
	const struct ctf_file *file = &r->files[r->file];
	uint64_t magic_at = (uint64_t)layout->magic_at, end = file->size, to = end;
	size_t i = packetindex_find(&r->index, from);
	struct ctf_packet packet;
	char error[300];

	while (i < r->index.n && r->index.tries < TRIES_MAX && !is_indexed(r, i))
		i++;
	if (i < r->index.n && r->index.tries < TRIES_MAX)
		end = packetindex_entry(&r->index, i).offset;
	if (layout->magic_at < 0)
		return end;
	if (end + magic_at < to)
		to = end + magic_at;
	for (from += magic_at; from < to && r->tries < TRIES_MAX; from++) {
		const uint8_t *found = memmem(file->at + from, to - from, layout->magic, 4);

		if (!found)
			break;
		from = (uint64_t)(found - file->at);
		if (ctf_packet_read(layout, file, from - magic_at, NULL, &packet, error, sizeof error))
			return from - magic_at;
		r->tries++;
	}
	return end;
}

/* --- reports ---------------------------------------------------------------------------------------- */

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
	to = PUT(to, "ts=");
	return to + number_put_ns(&r->second, to, ts);
}

/* How both kinds of ev=lost begin: when, whose, how many (LOST_UNKNOWN: not known), between which times. */
static char *put_lost(struct ctf_stream_reader *r, char *to, int64_t ts, uint64_t n, bool timed, int64_t first,
		      int64_t last)
{
	to = put_ts(r, to, ts);
	to = PUT(to, "\tev=lost");
	to = put(to, r->cpu, r->cpu_len);
	to = PUT(to, "\tn=");
	if (n == LOST_UNKNOWN)
		*to++ = '?';
	else
		to += number_put_u64(to, n);
	to = PUT(to, "\tsource=");
	to += writer_escape(to, r->source);
	if (timed) {
		to = PUT(to, "\tfirst_ts=");
		to += number_put_i64(to, first);
		to = PUT(to, "\tlast_ts=");
		to += number_put_i64(to, last);
	}
	return to;
}

/* N events (LOST_UNKNOWN: some number), or those of as many PACKETS, or an unknown number of packets. */
static void write_loss(struct ctf_stream_reader *r, struct batch *batch, uint64_t n, uint64_t packets, bool timed,
		       int64_t first, int64_t last)
{
	int64_t ts = timed ? first : r->last_ts == INT64_MIN ? 0 : r->last_ts;
	char *to;

	if (timed && (first > r->selection->end_ns || last < r->selection->begin_ns))
		return;
	r->account.lost_places++;
	if (n == LOST_UNKNOWN)
		r->account.lost_unknown++;
	else
		r->account.lost += n;
	to = batch_room(batch, batch->text + batch->len, 512 + r->source.len * 4);
	to = put_lost(r, to, ts, n, timed, first, last);
	if (packets) {
		to = PUT(to, "\tpackets=");
		to += number_put_u64(to, packets);
	}
	*to++ = '\n';
	batch_line(batch, to, ts);
}

/*
 * Reports damage at OFFSET of the file: what was there is lost, an unknown number of events from the last
 * sound one up to the clock value LAST (UINT64_MAX: not known).
 */
static void damaged(struct ctf_stream_reader *r, struct batch *batch, uint64_t offset, const char *reason,
		    const struct ctf_stream_layout *stream, uint64_t last)
{
	bool timed = stream && stream->clock && last != UINT64_MAX;
	int64_t last_ts = timed ? clock_ns(stream, last) : INT64_MIN, first_ts = r->last_ts;
	char *to;

	/* Before any event, the packet's begin is the best that is known. */
	if (first_ts == INT64_MIN && r->in_packet && r->packet.stream->clock && r->packet.begin != UINT64_MAX)
		first_ts = clock_ns(r->packet.stream, r->packet.begin);
	if (first_ts == INT64_MIN)
		first_ts = timed ? last_ts : 0;

	if (r->account.damaged++ == 0)
		snprintf(r->account.reason, sizeof r->account.reason, "%s, byte %llu: %s", r->files[r->file].path,
			 (unsigned long long)offset, reason);
	if (last_ts < first_ts)
		last_ts = first_ts;
	if (first_ts > r->selection->end_ns || last_ts < r->selection->begin_ns)
		return;
	r->account.lost_unknown++;
	r->account.lost_places++;
	to = batch_room(batch, batch->text + batch->len, 1024 + r->source.len * 4);
	to = put_lost(r, to, first_ts, LOST_UNKNOWN, timed, first_ts, last_ts);
	to = PUT(to, "\treason=");
	to = put(to, reason, strlen(reason));	/* our own words: nothing in them wants an escape */
	to = PUT(to, "\toffset=");
	to += number_put_u64(to, offset);
	*to++ = '\n';
	batch_line(batch, to, first_ts);
}

/* The same once the time at which it ends is known. */
static void report_pending(struct ctf_stream_reader *r, struct batch *batch, const struct ctf_packet *next)
{
	if (!r->pending.reason[0])
		return;
	damaged(r, batch, r->pending.offset, r->pending.reason, next ? next->stream : NULL,
		next ? next->begin : UINT64_MAX);
	r->pending.reason[0] = '\0';
}

/* Packets that are missing between the one before and this one, by their numbers. */
static void account_packets(struct ctf_stream_reader *r, struct batch *batch)
{
	const struct ctf_packet *p = &r->packet, *b = &r->before;
	bool timed = p->stream->clock && b->end != UINT64_MAX && p->begin != UINT64_MAX;
	int64_t first = clock_ns(p->stream, b->end), last = clock_ns(p->stream, p->begin);
	uint64_t packets;

	if (p->sequence == UINT64_MAX || b->sequence == UINT64_MAX || p->sequence == b->sequence ||
	    p->sequence == b->sequence + 1)
		return;
	packets = p->sequence - b->sequence - 1;
	/* A number that goes back: some tracer began anew, and what was lost meanwhile nobody knows. */
	if (p->sequence < b->sequence || discards_absurd(packets, timed, first, last))
		packets = 0;
	write_loss(r, batch, LOST_UNKNOWN, packets, timed, first, last);
}

/* What was lost between the packet before and this one, by their counters; whose it and the events are. */
static void account_losses(struct ctf_stream_reader *r, struct batch *batch)
{
	const struct ctf_packet *p = &r->packet, *b = &r->before;
	bool follows = r->has_before && b->stream == p->stream;	/* else the counters are others */
	bool timed = p->stream->clock && p->begin != UINT64_MAX && p->end != UINT64_MAX;
	int64_t first = timed ? clock_ns(p->stream, follows ? b->end : p->begin) : 0;
	int64_t last = timed ? clock_ns(p->stream, p->end) : 0;
	unsigned bits = p->stream->discarded_bits;
	uint64_t n = p->discarded - (follows ? b->discarded : 0);

	r->cpu_len = 0;
	if (p->cpu != UINT64_MAX) {
		memcpy(r->cpu, "\tcpu=", 5);
		r->cpu_len = 5 + number_put_u64(r->cpu + 5, p->cpu);
	}
	if (follows)
		account_packets(r, batch);
	else
		r->discards = (struct discards){ 0 };
	if (p->discarded == UINT64_MAX || n == 0)
		return;
	/* Of a trace whose first packets are not here, the count has what was lost before, too. */
	n = !follows && p->sequence != 0 ? LOST_UNKNOWN : discards_count(&r->discards, n, bits, timed, first, last);
	if (n)
		write_loss(r, batch, n, 0, timed, first, last);
}

/* --- going through packets -------------------------------------------------------------------------- */

/* Tells the kernel how the pages from byte FROM of the file to byte TO will be used. */
static void advise(const struct ctf_stream_reader *r, uint64_t from, uint64_t to, int advice)
{
	const struct ctf_file *file = &r->files[r->file];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	from &= -page;
	to &= -page;
	if (to > from)
		madvise((void *)(uintptr_t)(file->at + from), to - from, advice);
}

static void leave_packet(struct ctf_stream_reader *r, struct batch *batch)
{
	char reason[100];

	if (r->is_cut) {
		snprintf(reason, sizeof reason, "the packet is cut: %llu of its %llu bytes are here",
			 (unsigned long long)(r->next_offset - r->packet.offset), (unsigned long long)r->packet.bytes);
		damaged(r, batch, r->sound, reason, r->packet.stream, r->packet.end);
	}
	r->is_cut = false;
	r->in_packet = false;
	r->before = r->packet;
	r->has_before = true;
	r->done += r->next_offset - r->packet.offset;
	if (r->next_offset - r->given < LARGE_PACKET && r->next_offset > r->given)
		return;
	advise(r, r->given, r->next_offset, MADV_DONTNEED);
	r->given = r->next_offset;
}

static void enter_packet(struct ctf_stream_reader *r)
{
	const struct ctf_file *file = &r->files[r->file];
	struct ctf_packet *p = &r->packet;
	uint64_t bits = (r->next_offset - p->offset) * 8;

	if (p->begin != UINT64_MAX)
		r->clock = p->begin;
	r->cursor.base = file->at + p->offset;
	r->cursor.at = p->events;
	r->cursor.end = p->content < bits ? p->content : bits;
	r->sound = p->offset + p->events / 8;
	memcpy(r->cursor.reg, p->reg, sizeof p->reg);
	if (p->bytes >= LARGE_PACKET)
		advise(r, p->offset, r->next_offset, MADV_SEQUENTIAL);
	r->in_packet = true;
}

/* Whether the packet is before (-1) or after (1) all that is wanted. */
static int unwanted_side(const struct ctf_stream_reader *r, uint64_t begin, uint64_t end)
{
	const struct ctf_stream_layout *stream = r->packet.stream;

	if (!stream->clock || begin == UINT64_MAX || end == UINT64_MAX || end < begin)
		return 0;
	if (clock_ns(stream, end) < r->selection->begin_ns)
		return -1;
	return clock_ns(stream, begin) > r->selection->end_ns;
}

/* Where the packet's successor begins: at the latest where another packet is found in what it should fill. */
static void find_successor(struct ctf_stream_reader *r)
{
	const struct ctf_file *file = &r->files[r->file];
	const struct ctf_packet *p = &r->packet;

	/* Small packets are read on and on, be it for their headers, unless the index helps to skip them. */
	if (!r->sequential && p->bytes < LARGE_PACKET &&
	    (!r->index.n || !unwanted_side(r, p->begin, p->end))) {
		advise(r, p->offset, file->size, MADV_SEQUENTIAL);
		r->sequential = true;
	}
	r->is_cut = p->bytes > file->size - p->offset;
	r->next_offset = r->is_cut ? find_packet(r, p->offset + 1) : p->offset + p->bytes;
}

/* No packet is at OFFSET: goes to the next that is found. */
static void skip_to_packet(struct ctf_stream_reader *r, struct batch *batch, uint64_t offset, const char *reason)
{
	const struct ctf_file *file = &r->files[r->file];
	uint64_t from = r->sound && r->sound < offset ? r->sound : offset + 1;

	report_pending(r, batch, NULL);
	r->next_offset = find_packet(r, from);
	r->pending.offset = offset;
	snprintf(r->pending.reason, sizeof r->pending.reason, "%s; %llu bytes are skipped%s", reason,
		 (unsigned long long)(r->next_offset > offset ? r->next_offset - offset : 0),
		 r->next_offset == file->size ? " up to the end" : "");
	r->done += r->next_offset - offset;	/* less, where a packet is found before: unsigned sums wrap */
}

/*
 * Whether the packet has been read, from a file before: snapshots overlap, and each has what was still in the
 * ring. Only packets that may come again are remembered: those that are not before the next file's first one.
 */
static bool is_repeated(struct ctf_stream_reader *r)
{
	const struct ctf_packet *p = &r->packet;
	const uint64_t mark[] = { p->begin, p->end, p->sequence, p->bytes };
	uint64_t key = 0;
	uint64_t *seen;

	if (p->begin == UINT64_MAX || (!r->seen && p->begin < r->files[r->file].repeats_from))
		return false;
	for (unsigned i = 0; i < 4; i++)
		key = (key ^ mark[i]) * 0x9e3779b97f4a7c15;
	if (!r->seen)
		r->seen = table_new(sizeof mark);
	if ((seen = table_find(r->seen, key)) && memcmp(seen, mark, sizeof mark) == 0)
		return true;
	if (p->begin >= r->files[r->file].repeats_from && !r->is_cut)
		memcpy(table_at(r->seen, key), mark, sizeof mark);
	return false;
}

static void next_file(struct ctf_stream_reader *r)
{
	packetindex_free(&r->index);
	r->file++;
	r->next_offset = r->sound = r->given = 0;
	r->sequential = false;
}

/* Whether the index's entry I ends where the next one's packet is, or the file ends. */
static bool is_bounded(struct ctf_stream_reader *r, size_t i)
{
	struct packetindex_entry e = packetindex_entry(&r->index, i);

	return i + 1 < r->index.n ? is_indexed(r, i + 1) : e.offset + e.bytes == r->files[r->file].size;
}

/*
 * Where the header at OFFSET is BROKEN (empty: it is not), or has a size that takes in the next packet of the
 * index: the sizes are taken from there. False: there is nothing that makes sense.
 */
static bool mend_packet(struct ctf_stream_reader *r, struct batch *batch, uint64_t offset, const char *broken)
{
	size_t i = packetindex_find(&r->index, offset);
	struct packetindex_entry e;
	struct ctf_packet mended;
	char error[200];

	if (i == r->index.n)
		return !*broken;
	e = packetindex_entry(&r->index, i);
	if (e.offset != offset || (!*broken && (r->packet.bytes <= e.bytes || !is_bounded(r, i))) ||
	    !ctf_packet_read(r->layout, &r->files[r->file], offset, &e, &mended, error, sizeof error))
		return !*broken;
	report_pending(r, batch, &mended);
	r->pending.offset = offset;
	if (*broken)
		snprintf(r->pending.reason, sizeof r->pending.reason, "%s; it is read by the index", broken);
	else
		snprintf(r->pending.reason, sizeof r->pending.reason,
			 "a packet of %llu bits, of which the index has %llu; it is read by the index",
			 (unsigned long long)r->packet.bytes * 8, (unsigned long long)e.bytes * 8);
	r->packet = mended;
	return true;
}

/*
 * From a packet before or after what is wanted to the last but one that is there, too, by the index, without
 * looking at those between: they were recorded between two whose headers say so. The last one is left to come
 * after it, since its losses are told from the one before.
 */
static void skip_unwanted(struct ctf_stream_reader *r)
{
	const struct ctf_packet *p = &r->packet;
	int side = unwanted_side(r, p->begin, p->end);
	size_t first = packetindex_find(&r->index, r->next_offset), i = first;
	struct packetindex_entry e;

	if (r->seen || r->index.lies)
		return;
	for (; i < r->index.n; i++) {
		e = packetindex_entry(&r->index, i);
		if (e.stream_id != p->stream->stream->id || unwanted_side(r, e.begin, e.end) != side ||
		    e.begin >= r->files[r->file].repeats_from)
			break;
	}
	if (i < first + 3)
		return;
	e = packetindex_entry(&r->index, i - 2);
	r->index.lies = !is_indexed(r, i - 2);
	if (r->index.lies)
		return;
	r->done += e.offset - r->next_offset;
	r->next_offset = e.offset;
}

/* Goes to the next packet with wanted events; false when there is none. */
static bool next_packet(struct ctf_stream_reader *r, struct batch *batch)
{
	char error[200];

	for (; r->file < r->files_n; next_file(r)) {
		const struct ctf_file *file = &r->files[r->file];

		if (r->next_offset == 0)
			packetindex_read(&r->index, file->path, file->size);
		while (r->next_offset < file->size) {
			uint64_t offset = r->next_offset;

			error[0] = '\0';
			ctf_packet_read(r->layout, file, offset, NULL, &r->packet, error, sizeof error);
			if (!mend_packet(r, batch, offset, error)) {
				skip_to_packet(r, batch, offset, error);
				continue;
			}
			report_pending(r, batch, &r->packet);
			find_successor(r);
			r->sound = offset + r->packet.events / 8;
			if (r->files_n > 1 && is_repeated(r)) {
				r->done += r->next_offset - offset;
				continue;
			}
			account_losses(r, batch);
			if (!unwanted_side(r, r->packet.begin, r->packet.end)) {
				enter_packet(r);
				return true;
			}
			leave_packet(r, batch);
			skip_unwanted(r);
		}
		report_pending(r, batch, NULL);
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
		if (!ctf_event_header(header, c))
			return false;
		*id = header->name[EVENT_ID] ? c->reg[header->name[EVENT_ID]] : 0;
		for (unsigned i = 0; i < header->times; i++) {
			uint64_t time = c->reg[header->time[i].keep];
			unsigned size = header->time[i].size;

			if (size == 0)
				size = (unsigned)c->reg[header->time[i].keep + 1];
			if (time != UINT64_MAX)
				r->clock = whole_time(r->clock, time, size);
		}
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

/* The event's time; where it has none that fits 64 bits, the one before. */
static int64_t unusual_time(struct ctf_stream_reader *r)
{
	const struct ctf_clock *clock = r->packet.stream->clock;
	int64_t ts;

	if (clock && ctf_clock_time(clock, r->clock, &ts))
		return ts;
	r->account.timeless++;
	return clock && r->last_ts != INT64_MIN ? r->last_ts : 0;
}

/* The event that begins at the cursor. NULL, or what is wrong with it. */
static const char *event(struct ctf_stream_reader *r, struct batch *batch)
{
	const struct ctf_stream_layout *stream = r->packet.stream;
	const struct ctf_plan *plan;
	uint64_t id;
	int64_t ts;
	char *to;

	if (!event_header(r, &id))
		return "the event's header is cut";
	if (id >= stream->plans_n || !stream->plans[id])
		return "the metadata has no event of this id";
	plan = stream->plans[id];
	if (stream->is_ns && r->clock <= stream->clock_max)
		ts = stream->origin_ns + (int64_t)r->clock;
	else
		ts = unusual_time(r);
	if (ts < r->last_ts)
		r->account.backwards++;
	r->last_ts = ts;
	if (!plan->wanted || !selection_time(r->selection, ts)) {
		if (plan->included && ts > r->last_included && selection_time(r->selection, ts))
			r->last_included = ts;
		return ctf_event_skip(plan, &r->cursor) ? NULL : "the event is cut, or an impossible length";
	}
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

static void decode(struct ctf_stream_reader *r, struct batch *batch)
{
	size_t max = r->batch_max ? r->batch_max : STREAM_BATCH;
	bool failed = false;

	while (batch->len < max) {
		if (!r->in_packet && !next_packet(r, batch)) {
			r->over = true;
			break;
		}
		while (r->cursor.at < r->cursor.end && batch->len < max) {
			uint64_t at = r->cursor.at;
			const char *wrong = event(r, batch);

			if (!wrong && r->cursor.at == at)
				wrong = "an event of no bits, which would come again for ever";
			if (!wrong)
				continue;
			r->sound = r->packet.offset + at / 8;
			if (!r->is_cut)
				damaged(r, batch, r->sound, wrong, r->packet.stream, r->packet.end);
			r->cursor.at = r->cursor.end;
			failed = true;
		}
		if (r->cursor.at < r->cursor.end)
			continue;
		if (!failed)
			r->sound = r->packet.offset + (r->cursor.end + 7) / 8;
		leave_packet(r, batch);
		failed = false;
	}
}

bool ctf_stream_decode(struct ctf_stream_reader *r, struct batch *batch)
{
	sigjmp_buf here;

	if (!batch->text)
		batch_grow(batch, NULL, 1);
	if (sigsetjmp(here, 0) == 0) {
		ctf_file_guard = &here;
		if (!r->over)
			decode(r, batch);
	} else {
		/* What is whole in the batch stays; nothing more of this file can be trusted to be there. */
		damaged(r, batch, r->in_packet ? r->packet.offset : r->next_offset,
			"the file was cut while it was read", NULL, UINT64_MAX);
		r->in_packet = r->is_cut = false;
		next_file(r);
	}
	ctf_file_guard = NULL;
	return !r->over;
}

/* The first time that going through the packets comes by. */
static bool first_time(struct ctf_stream_reader *probe, struct batch *batch, int64_t *ts)
{
	uint64_t id;

	while (next_packet(probe, batch)) {
		if (batch->n == 0 && probe->cursor.at < probe->cursor.end && event_header(probe, &id)) {
			*ts = probe->packet.stream->clock ? ctf_clock_ns(probe->packet.stream->clock, probe->clock) : 0;
			return true;
		}
		if (batch->n == 0)
			leave_packet(probe, batch);
		if (batch->n)
			break;
	}
	if (batch->n)
		*ts = batch->lines[0].ts;
	return batch->n != 0;
}

bool ctf_stream_first(const struct ctf_stream_reader *reader, int64_t *ts)
{
	static const struct selection everything = { .begin_ns = INT64_MIN, .end_ns = INT64_MAX };
	struct ctf_stream_reader probe = *reader;
	struct batch batch = { 0 };
	volatile bool found = false;
	sigjmp_buf here;

	probe.selection = &everything;
	probe.index = (struct packetindex){ 0 };
	probe.sequential = true;	/* it goes no further than the first event */
	batch_grow(&batch, NULL, 1);
	if (sigsetjmp(here, 0) == 0) {
		ctf_file_guard = &here;
		found = first_time(&probe, &batch, ts);
	}
	ctf_file_guard = NULL;
	batch_free(&batch);
	packetindex_free(&probe.index);
	table_free(probe.seen);
	return found;
}
