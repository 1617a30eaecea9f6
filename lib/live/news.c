// SPDX-License-Identifier: MIT
// pkg-config: libbpf libdw libelf zlib
// library: iberty
#include "live/news.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../bpf/news.h"
#include "base/memory.h"
#include "base/message.h"

enum { LOOK_MS = 100 };		/* how often it is looked whether to end */

struct news {
	struct symbols *symbols;
	struct ring_buffer *ring;
	pthread_t taking;
	bool ended;
};

static int on_program(void *state, void *at, size_t size)
{
	const struct news_program *program = at;
	struct news *news = state;

	if (size >= sizeof *program)
		symbols_note(news->symbols, program->pid, program->exec);
	return 0;
}

static void *take(void *state)
{
	struct news *news = state;

	setpriority(PRIO_PROCESS, (id_t)gettid(), -20);
	while (!__atomic_load_n(&news->ended, __ATOMIC_ACQUIRE))
		ring_buffer__poll(news->ring, LOOK_MS);
	return NULL;
}

struct news *news_new(struct symbols *symbols, int ring)
{
	struct news *news = memory_zeroed(sizeof *news);
	int error;

	news->symbols = symbols;
	news->ring = ring_buffer__new(ring, on_program, news, NULL);
	error = news->ring ? pthread_create(&news->taking, NULL, take, news) : errno;
	if (error)
		message_die("cannot watch for programs that begin: %s", strerror(error));
	return news;
}

void news_free(struct news *news)
{
	if (!news)
		return;
	__atomic_store_n(&news->ended, true, __ATOMIC_RELEASE);
	pthread_join(news->taking, NULL);
	ring_buffer__free(news->ring);
	free(news);
}
