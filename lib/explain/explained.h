/* SPDX-License-Identifier: MIT */
/* A span that is explained: who it was, what its time went to, and how that is written. */
#ifndef WEIR_EXPLAINED_H
#define WEIR_EXPLAINED_H

#include "explain/account.h"
#include "explain/exchange.h"

enum { EXPLAINED_BYTES = 4096 };	/* of a span's own fields; further ones are left out */

/* Either that, or a record ev=lost on its way between such. */
struct explained {
	struct explained *next;	/* waits for the same thread */
	int64_t from, to, tid;	/* tid -1: none is told of this request, `split` is of the server's */
	/* Which thread is to be known better; the caller's, as is `next`. */
	enum { EXPLAINED_EXCHANGE, EXPLAINED_OWN_SIDE, EXPLAINED_SERVER_SIDE, EXPLAINED_DONE } waits_for;
	bool lost;
	bool in_call;		/* it is a system call: */
	struct history_call call;
	int64_t wait_ns, transfer_ns, late_ns;	/* -1: not known; late: it was sent after it was due */
	int64_t phase[CAUSE_TLS - CAUSE_DNS + 1];	/* of its begin, one after the other */
	struct split split;
	struct explained_server {
		struct exchange exchange;
		struct split split;
	} *server;		/* NULL: not in the stream; until it is found, just its connection */
	size_t who, len;	/* the text: cpu pid tid comm, then its other fields */
	char text[];
};

/* What is read of a span's record. */
struct explained_fields {
	struct lookup dns, connect, tls, ttfb, intended, wait;
	/* By shape: which of its first 64 fields tell who it was, which others are kept. 0: not known yet. */
	struct explained_kept {
		uint64_t who, rest;
	} *kept;
	size_t room;
};
#define EXPLAINED_FIELDS \
	{ LOOKUP("dns_ns"), LOOKUP("connect_ns"), LOOKUP("tls_ns"), LOOKUP("ttfb_ns"), LOOKUP("intended_ts"), \
	  LOOKUP("wait_ns"), NULL, 0 }
void explained_fields_free(struct explained_fields *fields);

/* The span of a record, which is not split yet; CONNECTION (or empty) leads to its server's side. Copies all. */
struct explained *explained_new(struct explained_fields *fields, const struct record *record,
			   const struct history_span *span, struct slice connection);
/* An ev=lost. */
struct explained *explained_lost(const struct record *record);
void explained_free(struct explained *item);

/* A request took so long BEFORE its server began with it, and AFTER that was done: what that time went to. */
void explained_outside(struct explained *item, int64_t before, int64_t after);

/* The record ev=explain of a span with ev=BY. */
void explained_write(struct writer *out, const struct history *history, const struct explained *item,
		     struct slice by);

/*
 * For people, escaped as in records: what the span is (the name of a call, a URL, an address, else BY), whose
 * it is, and what its time went to. TO has room for EXPLAINED_TEXT bytes, in which the slice may lie.
 */
enum { EXPLAINED_TEXT = EXPLAINED_BYTES + 512 };
struct slice explained_what(const struct explained *item, struct slice by, char *to);
struct slice explained_who(const struct explained *item, char *to);
struct slice explained_why(const struct history *history, const struct explained *item, char *to);

#endif
