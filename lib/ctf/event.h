/* SPDX-License-Identifier: MIT */
/* Carrying out a plan: from the bits of one event to its record's fields. */
#ifndef WEIR_CTF_EVENT_H
#define WEIR_CTF_EVENT_H

#include "ctf/batch.h"
#include "ctf/plan.h"

/* What contexts came out as when they were written last. */
struct context_text {
	const struct ctf_plan *alike;	/* NULL: there is none yet */
	uint8_t bytes[PLAN_ALIKE_BYTES];
	size_t len;
	char text[1024];
};

/* Where reading is in a packet. Nothing behind `end` is touched. */
struct cursor {
	const uint8_t *base;		/* the packet */
	uint64_t at, end;		/* bits from there */
	uint64_t reg[PLAN_REGISTERS];
	struct batch *out;
	struct context_text context;
	/* While an event is written: */
	size_t room;			/* the plan's */
	uint32_t left;			/* fields that arrays may still have */
	bool cut;			/* an array or a text was cut */
	const struct selection *selection;	/* the plan's */
	const struct selection *only;	/* the fields that are wanted below an array, by their keys; NULL: all */
};

/*
 * Passes the N steps at STEPS without writing; registers are set. False when they reach behind the end,
 * or nothing is known of a tag's value.
 */
bool ctf_event_pass(const struct plan_step *steps, uint32_t n, struct cursor *cursor);

/* Passes a header at the cursor, whose values are in registers then (UINT64_MAX: not told). False: it is cut. */
static inline bool ctf_event_header(const struct ctf_header *header, struct cursor *c)
{
	c->at = (c->at + header->align - 1) & -(uint64_t)header->align;
	memset(c->reg + ctf_header_register(header) + 1, 0xff, header->registers * sizeof *c->reg);
	return c->at <= c->end && ctf_event_pass(header->steps, header->steps_n, c);
}

/*
 * Reads the event's contexts and payload at the cursor and writes its fields at TO, which lies in
 * cursor->out and is the end of what is written of the record. Returns the new end; NULL where
 * ctf_event_pass() would be false.
 */
char *ctf_event_write(const struct ctf_plan *plan, struct cursor *cursor, char *to);

/* The same without writing. */
bool ctf_event_skip(const struct ctf_plan *plan, struct cursor *cursor);

#endif
