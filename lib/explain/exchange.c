// SPDX-License-Identifier: MIT
#include "explain/exchange.h"

#include <stdlib.h>

#include "base/memory.h"

struct exchanges {
	struct exchange *at;	/* a ring */
	uint64_t n;
	struct lookup role, saddr, sport, daddr, dport, pid, comm;
};

struct exchanges *exchanges_new(void)
{
	struct exchanges *e = memory_zeroed(sizeof *e);

	e->role = (struct lookup)LOOKUP("role");
	e->saddr = (struct lookup)LOOKUP("saddr");
	e->sport = (struct lookup)LOOKUP("sport");
	e->daddr = (struct lookup)LOOKUP("daddr");
	e->dport = (struct lookup)LOOKUP("dport");
	e->pid = (struct lookup)LOOKUP("pid");
	e->comm = (struct lookup)LOOKUP("comm");
	return e;
}

void exchanges_free(struct exchanges *e)
{
	lookup_free(&e->role);
	lookup_free(&e->saddr);
	lookup_free(&e->sport);
	lookup_free(&e->daddr);
	lookup_free(&e->dport);
	lookup_free(&e->pid);
	lookup_free(&e->comm);
	free(e->at);
	free(e);
}

/* An IPv4 address that a socket of IPv6 has is the same one. */
static struct slice plain(struct slice address)
{
	static const char mapped[] = "::ffff:";
	size_t n = sizeof mapped - 1;

	if (address.len > n && memcmp(address.at, mapped, n) == 0 && memchr(address.at, '.', address.len))
		return (struct slice){ address.at + n, address.len - n };
	return address;
}

static size_t append(char *to, size_t len, struct slice a, struct slice b)
{
	if (len + a.len + b.len + 2 > EXCHANGE_CONNECTION)
		return EXCHANGE_CONNECTION;
	memcpy(to + len, a.at, a.len);
	to[len + a.len] = ' ';
	memcpy(to + len + a.len + 1, b.at, b.len);
	to[len + a.len + 1 + b.len] = ' ';
	return len + a.len + b.len + 2;
}

/* The connection as text that is the same from both sides; its length, 0 when it is not told. */
static size_t connection_of(struct exchanges *e, const struct record *record, char *to)
{
	const struct slice *saddr = lookup_value(&e->saddr, record), *sport = lookup_value(&e->sport, record);
	const struct slice *daddr = lookup_value(&e->daddr, record), *dport = lookup_value(&e->dport, record);
	struct slice a, b;
	size_t len;
	int order;

	if (!saddr || !sport || !daddr || !dport)
		return 0;
	a = plain(*saddr);
	b = plain(*daddr);
	order = slice_compare(a, b);
	if (order == 0)
		order = slice_compare(*sport, *dport);
	len = order <= 0 ? append(to, 0, a, *sport) : append(to, 0, b, *dport);
	len = order <= 0 ? append(to, len, b, *dport) : append(to, len, a, *sport);
	return len == EXCHANGE_CONNECTION ? 0 : len;
}

static bool is_server(struct exchanges *e, const struct record *record)
{
	const struct slice *role = lookup_value(&e->role, record);

	return role && slice_equal(*role, SLICE("server"));
}

void exchanges_add(struct exchanges *e, const struct record *record, int64_t tid, int64_t from, int64_t to)
{
	const struct slice *comm = lookup_value(&e->comm, record);
	struct exchange *slot;
	char connection[EXCHANGE_CONNECTION];
	size_t len = is_server(e, record) ? connection_of(e, record, connection) : 0;

	if (len == 0)
		return;
	if (!e->at)
		e->at = memory_get(EXCHANGES * sizeof *e->at);
	slot = &e->at[e->n++ % EXCHANGES];
	*slot = (struct exchange){ .pid = -1, .tid = tid, .from = from, .to = to, .len = len };
	memcpy(slot->connection, connection, len);
	if (!lookup_i64(&e->pid, record, &slot->pid))
		slot->pid = -1;
	if (comm)
		label_set(&slot->comm, *comm);
}

size_t exchanges_connection(struct exchanges *e, const struct record *record, char *to)
{
	return is_server(e, record) ? 0 : connection_of(e, record, to);
}

const struct exchange *exchanges_find(const struct exchanges *e, struct slice connection, int64_t from,
				      int64_t to)
{
	const struct exchange *best = NULL;
	int64_t most = 0;

	for (uint64_t i = e->n < EXCHANGES ? 0 : e->n - EXCHANGES; i < e->n; i++) {
		const struct exchange *one = &e->at[i % EXCHANGES];
		int64_t a = one->from > from ? one->from : from, b = one->to < to ? one->to : to;

		if (b > a && b - a > most && one->len == connection.len &&
		    memcmp(one->connection, connection.at, connection.len) == 0) {
			best = one;
			most = b - a;
		}
	}
	return best;
}
