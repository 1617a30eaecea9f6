/* SPDX-License-Identifier: MIT */
/*
 * What the demo service stores: tables users(id, name, email), logs(id, timestamp, message) and
 * api_calls(id, timestamp, source, status_code, latency_ms) in SQLite. pkg-config: sqlite3
 *
 * Times are UTC in ISO 8601. All that one request stores is one transaction. Any thread may store.
 */
#ifndef WEIR_SERVICE_LEDGER_H
#define WEIR_SERVICE_LEDGER_H

#include "service/upstream.h"

enum { LEDGER_ERROR = 200 };

struct ledger;

/*
 * Opens or makes the database at PATH, with the tables; where there are no users, makes USERS of them.
 * Says what is wrong and exits with EXIT_FAILED where it cannot. A lock is waited for no longer than
 * WAIT_NS, here and later.
 */
struct ledger *ledger_open(const char *path, uint64_t users, uint64_t wait_ns);
void ledger_close(struct ledger *ledger);

struct ledger_user {
	int64_t id;
	struct slice name, email;
};

/* One call of an upstream: SOURCE and its attempts, each of which becomes a row with its own latency. */
struct ledger_call {
	const char *source;
	const struct upstream_answer *answer;
};

/* What a request stores; parts that are NULL or 0 are left out. */
struct ledger_entry {
	const struct ledger_user *user;
	const struct ledger_call *calls;
	size_t n_calls;
	const char *message;
};

/* False: nothing of it was stored, and ERROR (LEDGER_ERROR bytes) says why. */
bool ledger_store(struct ledger *ledger, const struct ledger_entry *entry, char *error);

#endif
