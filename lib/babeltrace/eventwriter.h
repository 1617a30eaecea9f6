/* SPDX-License-Identifier: MIT */
/*
 * Writing an event of libbabeltrace2 as a record, after its class's plan. What a record may have (records(5))
 * is counted while it is written. (pkg-config: babeltrace2)
 */
#ifndef WEIR_EVENTWRITER_H
#define WEIR_EVENTWRITER_H

#include "babeltrace/eventplan.h"

#define CPU_UNKNOWN INT64_MIN
/*
 * Writes the record, LF included. writer->buffer is where the record begins. False when an array or a
 * text had to be cut for the limits of records(5); NAME.length is its full length then. Some 100 ns.
 */
bool eventwriter_put(struct eventplan *plan, struct writer *out, const bt_event *event, int64_t ts,
		     int64_t cpu);

#endif
