/* SPDX-License-Identifier: MIT */
/*
 * Two calls of the upstream, the second of which needs the first one's answer: a post, then its author,
 * who is stored. pkg-config: libcurl sqlite3 json-c
 */
#ifndef WEIR_SERVICE_CHAIN_H
#define WEIR_SERVICE_CHAIN_H

#include "service/ledger.h"
#include "service/traffic.h"

enum { CHAIN_CALLS = 2, CHAIN_PROBLEM = 400, CHAIN_SOURCE = 32 };

struct json_object;

struct chain {
	struct json_object *post, *user;	/* NULL: did not come */
	struct upstream_answer answer[CHAIN_CALLS];
	struct ledger_call call[CHAIN_CALLS];
	uint64_t dur_ns[CHAIN_CALLS];		/* of each call, its pauses and retries included */
	char source[CHAIN_CALLS][CHAIN_SOURCE];
	size_t n;				/* calls that were made */
	char problem[CHAIN_PROBLEM];		/* why not both came */
};

/* Makes the calls, and counts them. True: both answers came. Free the chain in any case. */
bool chain_follow(struct chain *chain, struct upstream *upstream, struct traffic *traffic);

/* Stores what the calls gave: the user, each attempt, and the problem. False: ERROR says why it could not. */
bool chain_store(const struct chain *chain, struct ledger *ledger, char *error);

/* Each call's source, last status, attempts and latency, as an array. */
struct json_object *chain_describe(const struct chain *chain);

/* What nobody has taken of the answers, too. */
void chain_free(struct chain *chain);

#endif
