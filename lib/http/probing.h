/* SPDX-License-Identifier: MIT */
/*
 * A run of requests by a schedule: each is sent when it is due, tried again where that is wanted, and given
 * up when it could not be sent in time; what became of each attempt goes to the caller, and into the figures.
 *
 *	while (probing_send(&probing, &next))
 *		prober_wait(probing.prober, next);
 */
#ifndef WEIR_PROBING_H
#define WEIR_PROBING_H

#include "http/latency.h"
#include "http/prober.h"
#include "http/schedule.h"

enum {
	PROBING_RETRIES = 20,	/* at most */
	PROBING_STATUSES = 1000,
};

/* Attempts that wait for their back-off, which is the same for all of one list: so it is in order. */
struct probing_waiting {
	struct probe *first, **end;
};

struct probing {
	/* Set by the caller, all else being 0. */
	struct schedule schedule;
	struct prober *prober;
	uint64_t patience_ns;	/* a request of an open schedule that waited so long is late */
	const struct target *targets;	/* asked in turn */
	size_t n_targets;
	uint64_t retries, backoff_ns;	/* the wait before the second attempt; then it doubles */
	bool good[PROBING_STATUSES];
	/* Is given each attempt that has ended, and late requests (sent_ns 0), in the order of their ends. */
	void (*put)(void *data, const struct probe *probe);
	void *data;

	struct latency latency;	/* what came of it; the caller's to free */
	struct probing_waiting waiting[PROBING_RETRIES];
	bool stopped;
};

/* The schedule starts now. */
void probing_start(struct probing *probing);

/*
 * Takes what has ended, and sends what is due. True: come again when the prober has heard of something, or at
 * *NEXT. False: all is done.
 */
bool probing_send(struct probing *probing, uint64_t *next);

/* Nothing more is sent; what was due is late, what is in flight may end. */
void probing_stop(struct probing *probing);

/* Ends what is in flight, too. */
void probing_abandon(struct probing *probing);

#endif
