/* SPDX-License-Identifier: MIT */
/*
 * How the events of one class become records: which fields, under which keys, in which order.
 * Made once for each event class of libbabeltrace2, so that an event costs no lookup by name.
 * (pkg-config: babeltrace2)
 */
#ifndef WEIR_EVENTPLAN_H
#define WEIR_EVENTPLAN_H

#include <babeltrace2/babeltrace.h>

#include "selection.h"
#include "writer.h"

struct eventplan;

/* What the events of this class become under SELECTION (may go away afterwards). */
struct eventplan *eventplan_new(const bt_event_class *class, const struct selection *selection);

/* Whether the events are wanted at all; whether they have a time. */
bool eventplan_wanted(const struct eventplan *plan);
bool eventplan_has_clock(const struct eventplan *plan);

#define CPU_UNKNOWN INT64_MIN
/*
 * Writes the record, LF included. writer->buffer is where the record begins. False when an array or a
 * text had to be cut for the limits of records(5); NAME.length is its full length then. Some 100 ns.
 */
bool eventplan_write(struct eventplan *plan, struct writer *out, const bt_event *event, int64_t ts,
		     int64_t cpu);

#endif
