/* SPDX-License-Identifier: MIT */
/*
 * The processes that decode traces. libbabeltrace2 may die, hang or eat memory on a broken trace, so it
 * runs in children with limits:
 *
 *	this process -- nursery -- worker 0, 1, ...
 *
 * The nursery opens the traces, once; the workers are forked from it with the traces open, each decodes
 * its share of the streams. A worker that dies has its records saved (they are in shared memory), the
 * stream that killed it is given up, and a new one goes on where it was. All die with this process.
 */
#ifndef WEIR_CREW_H
#define WEIR_CREW_H

#include <sys/types.h>

#include "babeltrace/babeltrace.h"

enum { STREAMS_MAX = 1 << 15, TRACES_MAX = 1 << 12 };

struct crew {
	struct trace *traces;		/* the caller's */
	size_t n_traces;
	uint32_t n_workers, room;	/* those at work; those there is room for */
	struct crew_board *board;	/* in shared memory */
	pid_t nursery;
	bool is_done;			/* all that was decoded has been taken */
	int go, log;			/* starts the workers; what the children say on stderr */
};

/* Room for as many as WORKERS. Dies without memory. */
void crew_new(struct crew *crew, uint32_t workers);

/*
 * Opens TRACES and lists their streams, sorted. A trace that cannot be opened has its reason in
 * crew_refusal(). False, with a message, when nothing can be opened at all for want of the library.
 */
bool crew_open(struct crew *crew, struct trace *traces, size_t n);
const char *crew_refusal(const struct crew *crew, size_t trace);	/* NULL: it is open */

struct stream *crew_streams(const struct crew *crew, uint32_t *n);
struct share *crew_share(const struct crew *crew, uint32_t worker);
struct bell *crew_bell(const struct crew *crew);

/* Shares the streams out and starts the workers. SELECTION is complete but for the window in time. */
void crew_start(struct crew *crew, struct selection *selection);

/* Once all workers know their first event: sets the window in time, and the workers begin. */
void crew_begin(struct crew *crew, struct selection *selection);

/* Sees to it that a dead nursery does not leave the rings open for ever. Call now and then. */
void crew_look_after(struct crew *crew);

/* Stops reading (a live trace has no end of its own): what was decoded so far is all there is. */
void crew_stop(struct crew *crew);

/* Ends all processes, and waits for them. */
void crew_end(struct crew *crew);

#endif
