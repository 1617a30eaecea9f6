/* SPDX-License-Identifier: MIT */
/*
 * HTTP requests, many at a time on one thread, each with the time of its phases. pkg-config: libcurl
 *
 * What libcurl does is driven by epoll(7). A prober has a fixed number of probes, each a request in flight or
 * none; connections are kept and used again. No answer is kept: a body of any size takes the memory of one
 * buffer. A request ends at the latest with the plan's timeout, whatever the server does.
 *
 *	while ((probe = prober_idle(prober)))
 *		prober_send(prober, probe, target);
 *	prober_wait(prober, until_ns);
 *	while ((probe = prober_finished(prober)))
 *		... look at it, then send it again or prober_release() it
 *
 * Times are those of clock_monotonic(). Cost: some 20 us for a small request, system calls included.
 */
#ifndef WEIR_PROBER_H
#define WEIR_PROBER_H

#include "http/failure.h"
#include "http/target.h"

enum {
	PROBER_HEADER_BYTES = 256 << 10,	/* more of them is FAILURE_PROTOCOL */
	PROBER_MOST = 100000,		/* probes */
};

/* What all requests have in common. All of it must outlive the prober. */
struct prober_plan {
	size_t probes;			/* requests in flight at most */
	uint64_t timeout_ns;		/* from sending to the last byte; rounded up to whole ms */
	const char *method;		/* NULL: GET, or POST where there is a body */
	const char *const *headers;	/* `Name: value` */
	size_t n_headers;
	struct slice body;
	bool has_body;
	bool insecure;			/* certificates are not checked */
	bool fresh;			/* a new connection for each request */
	const char *ca_file;		/* of trusted certificates; NULL: those of the system */
	const char *proxy;		/* NULL: what the environment names */
	enum prober_http { PROBER_HTTP_AUTO, PROBER_HTTP_1, PROBER_HTTP_2 } http;
};

struct probe_end {
	char address[64];	/* a longer one is left out */
	unsigned port;
};

struct probe {
	/* Results, once it is finished. */
	uint64_t sent_ns, end_ns;
	enum failure failure;		/* of the exchange; what a status means is for the caller to say */
	uint64_t rx_bytes;		/* of headers and body */
	int64_t dns_ns, connect_ns, tls_ns;	/* below 0: it was not, or was not completed */
	uint64_t first_ns;		/* when the first byte of the answer came; 0: none did */
	unsigned status;		/* 0: none came */
	bool reused;			/* no new connection was made */
	struct probe_end here, there;	/* of the connection; port 0: there was none */

	/* For the caller, who may keep here what belongs to the request. */
	const struct target *target;
	uint64_t intended_ns;
	unsigned attempt;
	uint64_t again_ns;
	struct probe *next;		/* in a list of the caller's; the prober's own while it has the probe */

	/* The prober's. */
	struct prober *prober;
	void *easy, *url;	/* url: that which easy is set to */
	size_t header_bytes;
	bool in_flight, flooded;
};

struct prober;

/* Never fails: what cannot be set up ends the program with a message. */
struct prober *prober_open(const struct prober_plan *plan);
void prober_close(struct prober *prober);

/* A probe that is free, which is then the caller's; NULL when all are in use. prober_release() frees it. */
struct probe *prober_take(struct prober *prober);
bool prober_has_idle(const struct prober *prober);
void prober_release(struct prober *prober, struct probe *probe);

/* Sends the request; the probe comes back by prober_finished(). */
void prober_send(struct prober *prober, struct probe *probe, const struct target *target);

/* Waits for something to happen on connections or descriptors that are watched, until UNTIL_NS at most. */
void prober_wait(struct prober *prober, uint64_t until_ns);

/* The prober stops waiting when FD can be read. */
void prober_watch(struct prober *prober, int fd);

/* The next probe that is finished, in the order of their ends; NULL: none is. It is the caller's again. */
struct probe *prober_finished(struct prober *prober);

/* Ends all requests in flight with FAILURE_STOPPED. */
void prober_abandon(struct prober *prober);

/* How many are in flight. */
size_t prober_in_flight(const struct prober *prober);

#endif
