/* SPDX-License-Identifier: MIT */
/*
 * Block requests on their way: inserted into a queue, issued to the device, completed. They have no number
 * of their own, so a request is known by its device, first sector and kind. Where several in flight are
 * equal in these, a completion is that of the oldest one of its size.
 */
#ifndef WEIR_REQUESTS_H
#define WEIR_REQUESTS_H

#include "base/label.h"

enum { REQUESTS_MAX = 1 << 16 };	/* known at a time; more are not followed */

/* What events name a request by. */
struct request_key {
	int64_t dev;
	uint64_t sector;
	char kind;		/* R W D F N: the operation without its flags */
};

struct request {
	struct request_key key;	/* the sector is that of the part to be completed next */
	bool issued;
	uint64_t left;		/* sectors that are not completed yet */
	int64_t queued_ts, issued_ts;	/* -1: not known */
	uint64_t sector, bytes;	/* as issued */
	int64_t cpu, pid, tid;	/* who issued it; -1: not known */
	struct label comm, dev, op;
	int64_t error;		/* of a part, above 0; 0: none */
	uint64_t order;
	struct request *next;
};

struct requests {
	struct table *by_key;
	uint64_t order;
	size_t n;
	uint64_t forgotten;	/* because there were too many */
};

struct requests *requests_new(void);
void requests_free(struct requests *requests);

/* Inserted into a queue. */
void requests_insert(struct requests *requests, struct request_key key, int64_t ts);

/*
 * Issued: the request, whose queued_ts is set; the caller fills what it wants from `sector` on. NULL when
 * there are too many. Valid until the next call.
 */
struct request *requests_issue(struct requests *requests, struct request_key key, int64_t ts,
			       uint64_t sectors);

/* Back in the queue, to be issued again. */
void requests_requeue(struct requests *requests, struct request_key key);

/* In the queue: a bio went before the request, which begins at KEY now, SECTORS earlier. */
void requests_front_merge(struct requests *requests, struct request_key key, uint64_t sectors);

/* In the queue: the request became part of another one. */
void requests_merge(struct requests *requests, struct request_key key);

/*
 * SECTORS from KEY on are done. True when one is complete: it is copied to DONE. *UNKNOWN becomes true when
 * there is no such request.
 */
bool requests_complete(struct requests *requests, struct request_key key, uint64_t sectors, int64_t error,
		       struct request *done, bool *unknown);

/* Events were lost: nothing is known. */
void requests_forget(struct requests *requests);

/* Those in flight, oldest first: free() the array. */
struct request **requests_in_flight(struct requests *requests, size_t *n);

/* The text that the kernel's own tracing has for rwbs, which is that text or LTTng's bits; its kind. */
struct label requests_op(struct slice rwbs);
char requests_kind(const struct label *op);

#endif
