/* SPDX-License-Identifier: MIT */
/*
 * Another service that is asked by HTTP, with retries and back-off. pkg-config: libcurl
 *
 * What may fail for a while (no connection, a timeout, status 429 or 5xx) is tried again after a pause that
 * doubles each time and is shortened at random by up to a half, so that many clients do not come back
 * at once. Connections are kept for later requests. Any thread may ask; each waits for its answer.
 */
#ifndef WEIR_SERVICE_UPSTREAM_H
#define WEIR_SERVICE_UPSTREAM_H

#include "base/slice.h"

enum {
	UPSTREAM_RETRIES = 10,		/* at most */
	UPSTREAM_BODY = 256 << 10,	/* longer answers are errors */
	UPSTREAM_ERROR = 200,
};

struct upstream_plan {
	const char *base;	/* http:// or https://, without a slash at the end */
	bool direct;		/* never through a proxy */
	uint64_t timeout_ns;	/* of each attempt */
	uint64_t retries;
	uint64_t backoff_ns;	/* the first pause */
	/* Waits so long; false when there is no use in going on. */
	bool (*pause)(uint64_t ns, void *data);
	void *data;
};

struct upstream_attempt {
	int64_t ts;		/* when it began, since the epoch */
	uint64_t dur_ns;
	long status;		/* 0: no answer came */
};

struct upstream_answer {
	char *body;		/* NUL-terminated; NULL: none of the attempts succeeded */
	size_t len;
	struct upstream_attempt attempt[UPSTREAM_RETRIES + 1];
	size_t attempts;
	char error[UPSTREAM_ERROR];	/* why the last attempt failed */
};

struct upstream;

/* Copies the plan. Exits with EXIT_USAGE when the base is no URL of HTTP. */
struct upstream *upstream_new(const struct upstream_plan *plan);
void upstream_free(struct upstream *upstream);

/* Asks for BASE/PATH. True: the status is 2xx, and the body is there; free() it. */
bool upstream_get(struct upstream *upstream, const char *path, struct upstream_answer *answer);

#endif
