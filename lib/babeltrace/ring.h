/* SPDX-License-Identifier: MIT */
/*
 * Records on their way from one process to another, through shared memory.
 *
 * The producer formats records in place with a struct writer and publishes each when it is whole; the
 * consumer takes them in order, text and time, without parsing. When the producer dies, whatever its
 * end, all records that it published are still there, and a successor can continue.
 *
 * One producer process and one consumer process, both forked after ring_new(). A record costs the
 * producer some 5 ns besides its text; a wakeup comes once in some 512 KiB. Memory: 2.5 MiB for each ring,
 * up to RING_RECORD_MAX more while a record of that length is passed.
 */
#ifndef WEIR_RING_H
#define WEIR_RING_H

#include <stdatomic.h>

#include "records/writer.h"

enum {
	RING_TEXT = 2 << 20,		/* bytes of records under way */
	RING_ITEMS = 1 << 15,		/* records under way */
	RING_RECORD_MAX = 96 << 20,	/* the room one record may ask for */
};

/* What a consumer that has nothing to do sleeps on; shared by its rings, in shared memory. */
struct bell {
	_Atomic uint32_t waiting;
};

struct ring_item {
	int64_t ts;
	uint32_t len;		/* bytes of the record, LF included */
	uint32_t source;	/* the producer's number for where it came from */
};

struct ring {
	/* The producer's side. */
	_Alignas(64) _Atomic uint64_t tail;	/* items published */
	_Atomic uint64_t tail_bytes;
	_Atomic int64_t now; /* no later record is older than this, unless time steps back */
	_Atomic uint32_t over;			/* nothing more will come */
	_Atomic uint32_t starved;		/* the producer sleeps for want of room */
	/* The consumer's side. */
	_Alignas(64) _Atomic uint64_t head;	/* items taken */
	_Atomic uint64_t head_bytes;
	_Atomic uint32_t aside_busy;		/* a long record waits in `aside` */
	/* Set up before the fork. */
	_Alignas(64) struct ring_item *items;
	char *text;				/* mapped twice, one behind the other: no record is cut */
	char *aside;				/* for a record longer than the ring */
	struct bell *bell;
	void *map;				/* what ring_free() unmaps */
};

/* A ring in shared memory, with the bell that it rings; NULL, errno set, without memory. */
struct ring *ring_new(struct bell *bell);
void ring_free(struct ring *ring);

/* A bell in shared memory; the process's end frees it. */
struct bell *bell_new(void);

/*
 * The producer's writer, which begins where an earlier producer's published records end.
 * writer->buffer is the beginning of the record under way.
 */
struct ring_writer {
	struct writer writer;	/* first, so that a struct writer * is one of these */
	struct ring *ring;
	uint64_t tail, wake_at;
	bool is_aside;
	/* ring_produce_lines(): */
	uint32_t source;
	void (*each)(void *data, struct slice line);
	void *data;
};
void ring_produce(struct ring_writer *out, struct ring *ring);

/*
 * The same for makers of records that know nothing of rings: each line is published when room is made
 * or the writer is flushed; EACH (may be NULL) is shown the line. At the end, flush the writer.
 */
void ring_produce_lines(struct ring_writer *out, struct ring *ring, uint32_t source,
			void (*each)(void *data, struct slice line), void *data);

/* Publishes the record that has been written (and ended). */
void ring_publish(struct ring_writer *out, int64_t ts, uint32_t source);

/* Tells the consumer how far in time the producer is, records or not. A plain store. */
static inline void ring_now(struct ring_writer *out, int64_t ts)
{
	atomic_store_explicit(&out->ring->now, ts, memory_order_release);
}

/* Nothing more comes. */
void ring_over(struct ring *ring);

/* The consumer's side: how many items wait; the first of them, and its text. */
static inline uint64_t ring_count(const struct ring *ring)
{
	return atomic_load_explicit(&((struct ring *)(uintptr_t)ring)->tail, memory_order_acquire) -
	       atomic_load_explicit(&((struct ring *)(uintptr_t)ring)->head, memory_order_relaxed);
}
static inline const struct ring_item *ring_item(const struct ring *ring, uint64_t at)
{
	return &ring->items[at % RING_ITEMS];
}

/* Whether an item's text waits in `aside`. */
static inline bool ring_is_aside(const struct ring_item *item)
{
	return item->len > RING_TEXT;
}

/* Takes N items whose texts are BYTES long together; none of them, or the only one, is aside. */
void ring_take(struct ring *ring, uint64_t n, uint64_t bytes);

/* Sleeps until a producer has something or has ended, at most NS. */
void bell_wait(struct bell *bell, uint64_t ns);
void bell_ring(struct bell *bell);

#endif
