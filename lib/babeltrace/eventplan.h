/* SPDX-License-Identifier: MIT */
/*
 * How the events of one class become records: which fields, under which keys, in which order. Made once for
 * each event class of libbabeltrace2; eventwriter.h carries it out. (pkg-config: babeltrace2)
 */
#ifndef WEIR_EVENTPLAN_H
#define WEIR_EVENTPLAN_H

#include "babeltrace/fieldplan.h"

/* NO_SECTION: a constant, whose value is in the field's key. */
enum eventplan_section { COMMON_CONTEXT, SPECIFIC_CONTEXT, PAYLOAD, SECTIONS, NO_SECTION = SECTIONS };

/* A member of one of the event's sections. */
struct eventplan_step {
	enum eventplan_section section;
	struct fieldplan field;
};

struct eventplan {
	bool wanted, has_clock;	/* whether the events are wanted at all; whether they have a time */
	const struct selection *selection;
	struct slice begin;	/* `<TAB>ev=NAME` */
	struct key cpu;		/* without length: not wanted */
	struct eventplan_step *steps;
	size_t n, room;
	uint32_t fixed;		/* fields that an event has at most besides elements of arrays */
	bool sections[SECTIONS];	/* that have something to write */
	/* While an event is written: */
	uint32_t left;		/* fields that it may still have */
	bool whole;
};

/* What the events of this class in TRACE become under SELECTION, which is kept. It lives as long as the program. */
struct eventplan *eventplan_new(const bt_trace *trace, const bt_event_class *class, const struct selection *selection);

#endif
