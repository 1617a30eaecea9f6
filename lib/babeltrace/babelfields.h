/* SPDX-License-Identifier: MIT */
/*
 * The fields of one event as babeltrace prints them,
 * `{ cpu_id = 1 }, { pid = 3, procname = "x" }, { fd = 4, buf = "a\"b", list = [ [0] = 0x1F ] }`,
 * as the fields of one record, in its order.
 */
#ifndef WEIR_BABELFIELDS_H
#define WEIR_BABELFIELDS_H

#include "babeltrace/babelkeys.h"
#include "babeltrace/babellexer.h"
#include "records/reader.h"

struct babelfield {
	struct key key;
	struct slice value;	/* plain, to be escaped; a number as it stands in a record */
	bool wanted;
};

struct babelfields {
	struct babelkeys *keys;
	struct babellexer lexer;	/* its flags, and `why` when it failed */
	bool unnamed;		/* out: fields came without names */
	struct slice pid, comm;	/* in: where no context tells; empty: not known */
	struct babelfield *field;	/* out: without ts and ev */
	size_t n;
	/* Its own. */
	size_t field_room, contexts_n, contexts_room, seen;
	struct babelcontext *contexts;
	uint32_t previous, beside_root;
	unsigned depth;
	bool has_cpu, has_pid, has_tid;
};

/* SELECTION is kept. Free with babelfields_free(). */
void babelfields_init(struct babelfields *fields, const struct selection *selection);
void babelfields_free(struct babelfields *fields);

/*
 * Reads the braces of EVENT from AT to END, where one more byte may be read. False when they are not
 * what babeltrace prints; lexer.why tells. O(length). What it gives is valid until the next call.
 */
bool babelfields_read(struct babelfields *fields, struct babelevent *event, const char *at, const char *end);

#endif
