/* SPDX-License-Identifier: MIT */
/* What a record of a wait (runq) tells of a CPU quota that held its thread back meanwhile. Times are nanoseconds. */
#ifndef WEIR_THROTTLED_H
#define WEIR_THROTTLED_H

#include "records/reader.h"

struct throttled_fields {
	struct lookup ns, after;
};
#define THROTTLED_FIELDS { LOOKUP("throttled_ns"), LOOKUP("throttled_after_ns") }
void throttled_free(struct throttled_fields *fields);

/*
 * From when to when in a wait of DUR_NS, counted from its begin: 0 <= from <= to <= DUR_NS, whatever the record says.
 * Both are 0 where nothing held the thread back. O(1).
 */
struct throttled {
	int64_t from, to;
};
struct throttled throttled_of(struct throttled_fields *fields, const struct record *record, int64_t dur_ns);

#endif
