/* SPDX-License-Identifier: MIT */
/*
 * The fields of one event as babeltrace prints them,
 * `{ cpu_id = 1 }, { pid = 3, procname = "x" }, { fd = 4, buf = "a\"b", list = [ [0] = 0x1F ] }`,
 * as the fields of one record, in its order.
 */
#ifndef WEIR_BABELFIELDS_H
#define WEIR_BABELFIELDS_H

#include "babelkeys.h"
#include "reader.h"

struct babelfield {
	struct key key;
	struct slice value;	/* plain, to be escaped; a number as it stands in a record */
	bool wanted;
};

struct babelfields {
	struct babelkeys *keys;
	bool unquoted;		/* in: strings come without escapes, as babeltrace 1 prints them */
	bool saw_unquoted;	/* out: something stood there that babeltrace 2 would have escaped */
	bool unnamed;		/* out: fields came without names */
	bool open_string;	/* out: what failed is a string that does not end */
	struct babelfield *field;	/* out: without ts and ev */
	size_t n;
	const char *why;	/* out: the reason when it failed */
	/* Its own. */
	size_t field_room, contexts_n, contexts_room, seen;
	struct babelcontext *contexts;
	uint32_t previous, beside_root;
	unsigned depth;
	bool has_cpu, has_pid, has_tid;
	const char *end;
	char *scratch, *scratch_at;
	size_t scratch_room;
};

/* SELECTION is kept. Free with babelfields_free(). */
void babelfields_init(struct babelfields *fields, const struct selection *selection);
void babelfields_free(struct babelfields *fields);

/*
 * Reads the braces of EVENT from AT to END, where one more byte may be read. False when they are not
 * what babeltrace prints; `why` tells. O(length). What it gives is valid until the next call.
 */
bool babelfields_read(struct babelfields *fields, struct babelevent *event, const char *at, const char *end);

#endif
