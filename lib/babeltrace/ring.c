// SPDX-License-Identifier: MIT
#include "babeltrace/ring.h"

#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"

enum {
	WAKE_BYTES = RING_TEXT / 4,		/* so much is worth a wakeup */
	PAGE = 64 << 10,		/* no machine's page is larger */
	HEAD_BYTES = PAGE,
	ITEM_BYTES = RING_ITEMS * sizeof(struct ring_item),
};

static void futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t ns)
{
	struct timespec timeout = { .tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000) };

	syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

struct bell *bell_new(void)
{
	struct bell *bell =
		mmap(NULL, sizeof *bell, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return bell == MAP_FAILED ? NULL : bell;
}

void bell_wait(struct bell *bell, uint64_t ns)
{
	futex_wait(&bell->waiting, 1, ns);
	atomic_store(&bell->waiting, 0);
}

void bell_ring(struct bell *bell)
{
	if (atomic_exchange(&bell->waiting, 0))
		futex_wake(&bell->waiting);
}

struct ring *ring_new(struct bell *bell)
{
	size_t size = (size_t)HEAD_BYTES + ITEM_BYTES + RING_TEXT + RING_RECORD_MAX;
	int fd = memfd_create("records", MFD_CLOEXEC);
	struct ring *ring = NULL;
	char *map, *twice;

	if (fd < 0 || ftruncate(fd, (off_t)size)) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	twice = mmap(NULL, 2 * RING_TEXT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map != MAP_FAILED && twice != MAP_FAILED &&
	    mmap(twice, RING_TEXT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 HEAD_BYTES + ITEM_BYTES) != MAP_FAILED &&
	    mmap(twice + RING_TEXT, RING_TEXT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		 HEAD_BYTES + ITEM_BYTES) != MAP_FAILED) {
		ring = (struct ring *)(void *)map;
		ring->items = (struct ring_item *)(void *)(map + HEAD_BYTES);
		ring->text = twice;
		ring->aside = map + HEAD_BYTES + ITEM_BYTES + RING_TEXT;
		ring->bell = bell;
		ring->map = map;
		atomic_store(&ring->now, INT64_MIN);
	}
	close(fd);
	return ring;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	munmap(ring->text, 2 * RING_TEXT);
	munmap(ring->map, (size_t)HEAD_BYTES + ITEM_BYTES + RING_TEXT + RING_RECORD_MAX);
}

static uint64_t room(const struct ring_writer *out)
{
	return RING_TEXT - (atomic_load(&out->ring->tail_bytes) - atomic_load(&out->ring->head_bytes));
}

/* Sleeps until the consumer took something, if it has not since HEAD was read. */
static void starve(struct ring *ring, uint64_t head)
{
	bell_ring(ring->bell);
	atomic_store(&ring->starved, 1);
	if (atomic_load(&ring->head) == head)
		futex_wait(&ring->starved, 1, 100000000);
	atomic_store(&ring->starved, 0);
}

/* Moves the record under way aside, where it has room to grow. */
static void step_aside(struct ring_writer *out)
{
	struct ring *ring = out->ring;
	size_t len = (size_t)(out->writer.at - out->writer.buffer);

	while (atomic_load(&ring->aside_busy))
		starve(ring, atomic_load(&ring->head));
	memcpy(ring->aside, out->writer.buffer, len);
	out->writer.buffer = ring->aside;
	out->writer.at = ring->aside + len;
	out->writer.limit = ring->aside + RING_RECORD_MAX;
	out->is_aside = true;
}

static void make_room(struct writer *writer, size_t size)
{
	struct ring_writer *out = (struct ring_writer *)(void *)writer;
	size_t want = (size_t)(writer->at - writer->buffer) + size;

	if (out->is_aside)
		abort();	/* the record's maker broke its promise of RING_RECORD_MAX */
	if (want > RING_TEXT) {
		step_aside(out);
		return;
	}
	for (;;) {
		uint64_t head = atomic_load(&out->ring->head), free_bytes = room(out);

		if (free_bytes >= want) {
			writer->limit = writer->buffer + free_bytes;
			return;
		}
		starve(out->ring, head);
	}
}

/* A record that wanted room to be long, but is not, goes back to its place in the ring. */
static void step_back(struct ring_writer *out, size_t len)
{
	struct ring *ring = out->ring;

	while (room(out) < len)
		starve(ring, atomic_load(&ring->head));
	memcpy(ring->text + atomic_load(&ring->tail_bytes) % RING_TEXT, ring->aside, len);
	out->is_aside = false;
}

static void next_record(struct ring_writer *out)
{
	struct ring *ring = out->ring;

	out->is_aside = false;
	out->writer.buffer = ring->text + atomic_load(&ring->tail_bytes) % RING_TEXT;
	out->writer.at = out->writer.buffer;
	out->writer.limit = out->writer.buffer + room(out);
}

void ring_produce(struct ring_writer *out, struct ring *ring)
{
	*out = (struct ring_writer){ .ring = ring, .tail = atomic_load(&ring->tail) };
	out->wake_at = atomic_load(&ring->tail_bytes) + WAKE_BYTES;
	out->writer.fd = -1;
	out->writer.name = "memory";
	out->writer.full = make_room;
	next_record(out);
}

void ring_publish(struct ring_writer *out, int64_t ts, uint32_t source)
{
	struct ring *ring = out->ring;
	struct writer *writer = &out->writer;
	size_t len = (size_t)(writer->at - writer->buffer);
	uint64_t head, bytes = atomic_load_explicit(&ring->tail_bytes, memory_order_relaxed);
	bool was_aside = out->is_aside, urgent;

	while (out->tail - (head = atomic_load_explicit(&ring->head, memory_order_acquire)) == RING_ITEMS)
		starve(ring, head);
	if (out->is_aside && len <= RING_TEXT)
		step_back(out, len);
	ring->items[out->tail % RING_ITEMS] =
		(struct ring_item){ .ts = ts, .len = (uint32_t)len, .source = source };
	if (out->is_aside)
		atomic_store(&ring->aside_busy, 1);
	else
		bytes += len;
	atomic_store_explicit(&ring->tail_bytes, bytes, memory_order_relaxed);
	atomic_store_explicit(&ring->tail, ++out->tail, memory_order_release);
	/* Not at each record from then on: the consumer may be waiting for another ring's. */
	urgent = was_aside || bytes >= out->wake_at;
	if (urgent && atomic_load_explicit(&ring->bell->waiting, memory_order_relaxed)) {
		out->wake_at = bytes + WAKE_BYTES;
		bell_ring(ring->bell);
	}
	if (!was_aside && writer->at < ring->text + RING_TEXT)
		writer->buffer = writer->at;
	else
		next_record(out);
}

enum { LINES = 64 << 10 };	/* bytes of lines that are published together */

/* The time that a line begins with, `ts=`; 0 where it has none. */
static int64_t line_time(struct slice line)
{
	const char *end = memchr(line.at, '\t', line.len);
	int64_t ts = 0;

	if (end && line.len > 3 && memcmp(line.at, "ts=", 3) == 0)
		number_i64((struct slice){ line.at + 3, (size_t)(end - line.at - 3) }, &ts);
	return ts;
}

/* Publishes the whole lines; what is begun moves with its buffer, as room is made for it. */
static void make_room_for_lines(struct writer *writer, size_t size)
{
	struct ring_writer *out = (struct ring_writer *)(void *)writer;
	char *at = writer->at, *end;

	while ((end = memchr(writer->buffer, '\n', (size_t)(at - writer->buffer)))) {
		struct slice line = { writer->buffer, (size_t)(end + 1 - writer->buffer) };
		size_t rest = (size_t)(at - end - 1);

		if (out->each)
			out->each(out->data, line);
		writer->at = end + 1;
		ring_publish(out, line_time(line), out->source);
		if (writer->buffer == end + 1) {
			writer->at = at;
			continue;
		}
		/* Around the corner, or back from aside: the rest follows. */
		make_room(writer, rest);
		memmove(writer->buffer, end + 1, rest);
		writer->at = writer->buffer + rest;
		at = writer->at;
	}
	if (size == 0) {
		bell_ring(out->ring->bell);
		return;
	}
	if (!out->is_aside || (size_t)(writer->limit - writer->at) < size)
		make_room(writer, size);
	if (!out->is_aside && writer->limit - writer->at > LINES && size <= LINES)
		writer->limit = writer->at + LINES;
}

void ring_produce_lines(struct ring_writer *out, struct ring *ring, uint32_t source,
			void (*each)(void *data, struct slice line), void *data)
{
	ring_produce(out, ring);
	out->source = source;
	out->each = each;
	out->data = data;
	out->writer.full = make_room_for_lines;
	out->writer.limit = out->writer.at;
}

void ring_over(struct ring *ring)
{
	atomic_store(&ring->over, 1);
	bell_ring(ring->bell);
}

void ring_take(struct ring *ring, uint64_t n, uint64_t bytes)
{
	bool aside = ring_is_aside(ring_item(ring, atomic_load(&ring->head)));

	if (aside) {
		madvise(ring->aside, RING_RECORD_MAX, MADV_REMOVE);
		atomic_store(&ring->aside_busy, 0);
		bytes = 0;
	}
	atomic_store(&ring->head_bytes, atomic_load(&ring->head_bytes) + bytes);
	atomic_store(&ring->head, atomic_load(&ring->head) + n);
	if (!atomic_load(&ring->starved))
		return;
	/* Half a ring is worth a wakeup; and a producer that waits for more is never left asleep. */
	if (aside || ring_count(ring) == 0 ||
	    (ring_count(ring) <= RING_ITEMS / 2 &&
	     atomic_load(&ring->tail_bytes) - atomic_load(&ring->head_bytes) <= RING_TEXT / 2)) {
		atomic_store(&ring->starved, 0);
		futex_wake(&ring->starved);
	}
}
