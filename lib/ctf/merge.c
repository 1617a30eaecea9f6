// SPDX-License-Identifier: MIT
#include "ctf/merge.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"

/* A stream and its batches: a ring of MERGE_AHEAD, `taken` to `made` of which wait for the merge. */
struct lane {
	struct ctf_stream_reader *reader;
	struct batch batches[MERGE_AHEAD];
	uint64_t made, taken;
	bool busy;		/* a thread is decoding */
	bool over;		/* nothing will be made any more */

	/* The merge's own: the batch that it is in. */
	const struct batch *batch;
	size_t line;
	int64_t ts;		/* of that line */
};

struct merge {
	struct lane *lanes;
	uint32_t n;
	struct lane **heap;	/* those that have lines, the earliest first */
	uint32_t waiting;
	pthread_mutex_t lock;
	pthread_cond_t work, more;	/* there is something to decode; a batch was made */
	bool stop;
	bool threaded;
};

/* The lane that is most in need of a batch, or NULL. The lock is held. */
static struct lane *neediest(struct merge *m)
{
	struct lane *found = NULL;

	for (uint32_t i = 0; i < m->n; i++) {
		struct lane *lane = &m->lanes[i];

		if (!lane->over && !lane->busy && lane->made - lane->taken < MERGE_AHEAD &&
		    (!found || lane->made - lane->taken < found->made - found->taken))
			found = lane;
	}
	return found;
}

static bool decode(struct lane *lane)
{
	struct batch *batch = &lane->batches[lane->made % MERGE_AHEAD];

	batch_clear(batch);
	return ctf_stream_decode(lane->reader, batch);
}

static void *work(void *data)
{
	struct merge *m = data;

	pthread_mutex_lock(&m->lock);
	while (!m->stop) {
		struct lane *lane = neediest(m);
		bool more;

		if (!lane) {
			pthread_cond_wait(&m->work, &m->lock);
			continue;
		}
		lane->busy = true;
		pthread_mutex_unlock(&m->lock);
		more = decode(lane);
		pthread_mutex_lock(&m->lock);
		lane->busy = false;
		lane->over = !more;
		lane->made++;
		pthread_cond_signal(&m->more);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* Gives the lane's batch back and gets its next one that has lines; false: there is none. */
static bool next_batch(struct merge *m, struct lane *lane)
{
	for (;;) {
		if (m->threaded)
			pthread_mutex_lock(&m->lock);
		if (lane->batch) {
			lane->taken++;
			lane->batch = NULL;
			if (m->threaded)
				pthread_cond_signal(&m->work);
		}
		if (m->threaded) {
			while (lane->made == lane->taken && !lane->over)
				pthread_cond_wait(&m->more, &m->lock);
		} else if (!lane->over) {
			lane->over = !decode(lane);
			lane->made++;
		}
		if (lane->made > lane->taken)
			lane->batch = &lane->batches[lane->taken % MERGE_AHEAD];
		if (m->threaded)
			pthread_mutex_unlock(&m->lock);
		if (!lane->batch)
			return false;
		lane->line = 0;
		if (lane->batch->n) {
			lane->ts = lane->batch->lines[0].ts;
			return true;
		}
	}
}

static bool is_before(const struct lane *a, const struct lane *b)
{
	return a->ts < b->ts || (a->ts == b->ts && a < b);
}

static void sift_down(struct merge *m, uint32_t at)
{
	struct lane *lane = m->heap[at];

	for (uint32_t child; (child = 2 * at + 1) < m->waiting; at = child) {
		if (child + 1 < m->waiting && is_before(m->heap[child + 1], m->heap[child]))
			child++;
		if (!is_before(m->heap[child], lane))
			break;
		m->heap[at] = m->heap[child];
	}
	m->heap[at] = lane;
}

/* The earliest lane after the first: up to its time the first lane's lines go out in one piece. */
static const struct lane *second(const struct merge *m)
{
	if (m->waiting < 3)
		return m->waiting == 2 ? m->heap[1] : NULL;
	return is_before(m->heap[1], m->heap[2]) ? m->heap[1] : m->heap[2];
}

static size_t line_begin(const struct batch *batch, size_t line)
{
	return line ? batch->lines[line - 1].end : 0;
}

static int64_t run(struct merge *m, struct writer *out, struct progress *progress, uint64_t total)
{
	int64_t latest = INT64_MIN;
	uint64_t events = 0;

	while (m->waiting) {
		struct lane *lane = m->heap[0];
		const struct lane *other = second(m);
		const struct batch *batch = lane->batch;
		size_t from = line_begin(batch, lane->line), first = lane->line;

		do
			lane->line++;
		while (lane->line < batch->n &&
		       (!other || batch->lines[lane->line].ts < other->ts ||
			(batch->lines[lane->line].ts == other->ts && lane < other)));
		writer_bytes(out, batch->text + from, line_begin(batch, lane->line) - from);
		events += lane->line - first;
		if (batch->lines[lane->line - 1].ts > latest)
			latest = batch->lines[lane->line - 1].ts;
		if (lane->line < batch->n) {
			lane->ts = batch->lines[lane->line].ts;
		} else {
			uint64_t done = 0;

			for (uint32_t i = 0; progress->shown && i < m->n; i++)
				done += m->lanes[i].reader->done;
			progress_now(progress, done, total, events);
			if (!next_batch(m, lane))
				m->heap[0] = m->heap[--m->waiting];
		}
		if (m->waiting)
			sift_down(m, 0);
	}
	return latest;
}

/* Many streams have small batches. */
static size_t batch_size(uint32_t streams)
{
	size_t share = MERGE_MEMORY / MERGE_AHEAD / (streams ? streams : 1);

	return share < STREAM_BATCH / 16 ? STREAM_BATCH / 16 : share < STREAM_BATCH ? share : STREAM_BATCH;
}

int64_t ctf_merge(struct ctf_stream_reader *readers, uint32_t n, unsigned threads, struct writer *out,
		  struct progress *progress, uint64_t total)
{
	struct merge m = { .n = n, .threaded = threads > 1 };
	pthread_t *thread = memory_get(threads * sizeof *thread);
	unsigned started = 0;
	int64_t latest;

	m.lanes = memory_zeroed(n * sizeof *m.lanes);
	m.heap = memory_get(n * sizeof(struct lane *));
	for (uint32_t i = 0; i < n; i++) {
		m.lanes[i].reader = &readers[i];
		readers[i].batch_max = batch_size(n);
	}
	pthread_mutex_init(&m.lock, NULL);
	pthread_cond_init(&m.work, NULL);
	pthread_cond_init(&m.more, NULL);
	if (threads > n)
		threads = n;
	while (m.threaded && started < threads && pthread_create(&thread[started], NULL, work, &m) == 0)
		started++;
	m.threaded = started > 0;	/* without a thread, this one does it all */
	for (uint32_t i = 0; i < n; i++)
		if (next_batch(&m, &m.lanes[i]))
			m.heap[m.waiting++] = &m.lanes[i];
	for (uint32_t i = m.waiting; i-- > 0;)
		sift_down(&m, i);
	latest = run(&m, out, progress, total);
	pthread_mutex_lock(&m.lock);
	m.stop = true;
	pthread_cond_broadcast(&m.work);
	pthread_mutex_unlock(&m.lock);
	while (started)
		pthread_join(thread[--started], NULL);
	for (uint32_t i = 0; i < n; i++)
		for (unsigned k = 0; k < MERGE_AHEAD; k++)
			batch_free(&m.lanes[i].batches[k]);
	pthread_cond_destroy(&m.more);
	pthread_cond_destroy(&m.work);
	pthread_mutex_destroy(&m.lock);
	free(m.lanes);
	free(m.heap);
	free(thread);
	return latest;
}
