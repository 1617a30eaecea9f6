/* SPDX-License-Identifier: MIT */
/*
 * What the fields of a trace's event are called in its record (records(5)), whoever decodes the trace.
 *
 *	structures	NAME.MEMBER
 *	arrays		NAME.0, NAME.1, ...; NAME= when there is no element
 *	payload		NAME, or payload.NAME where NAME is reserved or is one of the event's contexts
 *	contexts	pid, tid, comm (see keys_who()), else NAME, or context.NAME where that is reserved
 */
#ifndef WEIR_KEYS_H
#define WEIR_KEYS_H

#include "base/intern.h"
#include "traces/eventname.h"

enum {
	KEYS_LENGTH_MAX = 255,		/* longer keys are cut */
	KEYS_ENVIRONMENT_MAX = 255,	/* bytes of an environment's value that a record has */
	KEYS_ELEMENTS_MAX = 8189,	/* what RECORD_FIELDS_MAX leaves besides ts, ev and cpu */
	KEYS_BYTES_MAX = 12 << 20,	/* arrays and texts end where a record has so many bytes */
};

/* A key that is in no record twice: one of KEYS_LENGTH_MAX + 16 characters at most. */
struct keys_name {
	char text[KEYS_LENGTH_MAX + 17];
	size_t len;
};

/*
 * The key of PARENT.NAME (NAME, where PARENT is empty): characters that no key may hold are `_`; where
 * it is among TAKEN it gets _2, _3 ... Adds it to TAKEN.
 */
void keys_make(struct keys_name *key, struct intern *taken, struct slice parent, struct slice name);

/* ts, ev, cpu, pid, tid or comm. */
bool keys_reserved(struct slice name);

/*
 * NAME is `_OF_length`: LTTng records the length of the sequence or text OF in a field of this name, which
 * is not written, because OF tells it. *OF is set.
 */
bool keys_is_length(struct slice name, struct slice *of);

/*
 * Which field tells who ran, by preference: the contexts pid, tid and procname; vpid and vtid in user
 * space's traces, which have no others; the payload's perf_pid and perf_tid in perf's.
 */
struct keys_who {
	const char *pid, *tid, *comm;	/* a field's name; NULL: none */
};
struct keys_who keys_who(bool (*has)(const void *event, bool in_payload, const char *name), const void *event);

/*
 * What stands for AS, which is pid or comm, in a trace's environment: that of one process alone (--buffers-pid)
 * tells there who ran, and its events do not. It is used where no field is AS. NULL: nothing does.
 */
const char *keys_environment(const char *as);

/* pid, tid or comm, where the field NAME is that; else NULL. */
const char *keys_who_key(const struct keys_who *who, bool in_payload, struct slice name);

/*
 * What an event is called: GIVEN, today's name of an old one (eventname.h), event_ID where it has none,
 * event.lost instead of lost, which only we say. In user space's traces, whose names have two parts and
 * whose events HAVE_VPID, or whose environment does, names stay. At most 4096 bytes, in GIVEN or in ROOM.
 */
struct slice keys_event(struct slice given, uint64_t id, bool have_vpid, char room[EVENTNAME_ROOM]);

#endif
