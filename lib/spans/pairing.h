/* SPDX-License-Identifier: MIT */
/*
 * Pairing: raw records go in, in the order of time, and spans come out as they end. What each span is
 * from where to where, and what is done where events are missing, is written in spans(1).
 */
#ifndef WEIR_PAIRING_H
#define WEIR_PAIRING_H

#include "records/reader.h"
#include "spans/events.h"
#include "traces/selection.h"

struct writer;

enum pairing_kind {
	PAIRING_ONCPU, PAIRING_RUNQ, PAIRING_BLOCKED, PAIRING_SYSCALL, PAIRING_IRQ, PAIRING_SOFTIRQ,
	PAIRING_BLOCK, PAIRING_FORK, PAIRING_EXEC, PAIRING_EXIT, PAIRING_KINDS,
};

struct pairing;

/* Spans of the WANTED kinds go to OUT. IN is where wrong records are complained of. */
struct pairing *pairing_new(struct reader *in, struct writer *out, const bool *wanted);
void pairing_free(struct pairing *pairing);

/*
 * What pairing reads of raw events, for who writes them: the keys of the fields (NULL-terminated; free() the
 * array), and how much of the events named EV. Records without the rest make the same spans.
 */
char **pairing_keys(void);
enum selection_extent pairing_reads(struct slice ev);

/* The next raw record, or ev=lost; EVENT is what its ev says. O(1) amortized. */
void pairing_record(struct pairing *pairing, const struct record *record, const struct event *event);

/* A record lacks the KEY that every record has. */
void pairing_complain(struct pairing *pairing, const char *key, const char *reason);

/* The input has ended: what is under way comes out as unfinished, in a fixed order. */
void pairing_end(struct pairing *pairing);

/* Says on stderr, in one line, what could not be paired, if there is anything. */
void pairing_report(const struct pairing *pairing);

#endif
