/* SPDX-License-Identifier: MIT */
/* The server's side of the latest exchanges over TCP, to be found by their connection: ev=tcp role=server. */
#ifndef WEIR_EXCHANGE_H
#define WEIR_EXCHANGE_H

#include "base/label.h"
#include "records/reader.h"

enum {
	EXCHANGES = 4096,		/* that are remembered */
	EXCHANGE_CONNECTION = 120,	/* bytes; both addresses and ports of a connection */
};

struct exchange {
	int64_t pid, tid;	/* pid -1: not known */
	struct label comm;
	int64_t from, to;	/* ns since the epoch */
	size_t len;
	char connection[EXCHANGE_CONNECTION];
};

struct exchanges;
struct exchanges *exchanges_new(void);
void exchanges_free(struct exchanges *exchanges);

/* Keeps the record, if it is the server's side of a connection. TID, FROM and TO are its thread and time. */
void exchanges_add(struct exchanges *exchanges, const struct record *record, int64_t tid, int64_t from,
		   int64_t to);

/*
 * The connection of a record that is not the server's side itself, as text that is the same from both sides.
 * TO has EXCHANGE_CONNECTION bytes. Its length, 0 when the record has none.
 */
size_t exchanges_connection(struct exchanges *exchanges, const struct record *record, char *to);

/*
 * The exchange on the connection that has the most of the time from FROM to TO; NULL when there is none.
 * Valid until one is added. O(EXCHANGES).
 */
const struct exchange *exchanges_find(const struct exchanges *exchanges, struct slice connection, int64_t from,
				      int64_t to);

#endif
