/* SPDX-License-Identifier: MIT */
/* What a key's name promises of its values (records(5)): for formats whose columns have types and units. */
#ifndef WEIR_KIND_H
#define WEIR_KIND_H

#include "base/slice.h"

enum kind {
	KIND_OPEN,	/* nothing: each value is what it looks like */
	KIND_TEXT,	/* text, even where it looks like a number: comm, name, path, *_comm */
	KIND_TIME,	/* nanoseconds since the epoch: ts, *_ts */
};
enum kind kind_of(struct slice key);

/* The unit, for people: "ns", "bytes", "ns since 1970-01-01"; NULL where the name tells none. */
const char *kind_unit(struct slice key);

#endif
