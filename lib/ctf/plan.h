/* SPDX-License-Identifier: MIT */
/*
 * How to get from the bits of an event to the text of its record: a list of steps for each kind of
 * event, made once, so that decoding looks nothing up.
 *
 * A step reads one value at the place that the steps before it have left, and writes `key=value`. Arrays
 * and variants are followed by the steps of their elements or options, their body. A value that the
 * length of a sequence or the tag of a variant refers to is kept in a register.
 */
#ifndef WEIR_CTF_PLAN_H
#define WEIR_CTF_PLAN_H

#include "ctf/metadata.h"
#include "traces/keys.h"
#include "traces/selection.h"

enum {
	PLAN_REGISTERS = 256,	/* values that lengths and tags refer to; each scope has its own, see below */
	PLAN_STEPS_MAX = 1 << 13,	/* steps of one event; a record has no more fields */
	PLAN_KEY_MAX = KEYS_LENGTH_MAX + 1,	/* of a key with its TAB, `=` left out */
	PLAN_KEY_PADDING = 32,	/* readable bytes behind a key */
	PLAN_MATCHES_MAX = 1 << 22,	/* options of a variant times labels of its tag */
	PLAN_OVERLAPS_MAX = 4096,	/* labels where some overlap, which are tried one by one */
	PLAN_LABELS_MAX = 64,	/* labels written of one value, */
	PLAN_LABEL_MAX = 65536,	/* and bytes of each */
	PLAN_PARTS_MAX = 256,	/* fields of the contexts, */
	PLAN_CONSTANTS_MAX = 2,	/* and what the environment tells instead: pid, comm */
	PLAN_ALIKE_BYTES = 128,	/* of contexts whose text is kept for the next event, */
	PLAN_ALIKE_TEXT = 64,	/* and of each text among them */
};

/*
 * Where values are recorded, in this order (CTF 1.8.3, 7.3.2). What is recorded later may refer to what
 * is earlier, so each scope's registers are left alone by the others; the event's three share theirs.
 */
enum plan_scope_name { SCOPE_PACKET_HEADER, SCOPE_PACKET_CONTEXT, SCOPE_EVENT_HEADER, SCOPE_STREAM_CONTEXT,
		       SCOPE_EVENT_CONTEXT, SCOPE_PAYLOAD, SCOPE_COUNT };
enum { PLAN_HEADER_REGISTERS = 32, PLAN_EVENT_REGISTER = 3 * PLAN_HEADER_REGISTERS };

enum plan_op {
	/* Integers in whole bytes, little endian: unsigned, signed, as 0x... */
	PLAN_U8, PLAN_U16, PLAN_U32, PLAN_U64,
	PLAN_S8, PLAN_S16, PLAN_S32, PLAN_S64,
	PLAN_X8, PLAN_X16, PLAN_X32, PLAN_X64,
	PLAN_BITS,		/* any other integer */
	PLAN_FLAGS,		/* bits that have names: `labels` */
	PLAN_ENUM,
	PLAN_FLOAT,
	PLAN_STRING,
	PLAN_BLOB,		/* `length` bytes, or as many as the register says, as hexadecimal digits */
	PLAN_TEXT,		/* an array of `length` bytes of text, or of as many as the register says */
	PLAN_ARRAY,		/* the body `length` times, or as often as the register says */
	PLAN_VARIANT,		/* that part of the body which the register selects; an optional has one */
	PLAN_ALIGN,		/* nothing but an alignment: a structure's */
	PLAN_CONSTANT,		/* nothing: what is written is all in `key` */
};

struct plan_step {
	enum plan_op op;
	uint8_t size;		/* bits, of a number */
	bool is_signed, is_big, is_hex;
	bool is_variable, is_reversed, is_bool;	/* as of a ctf_type */
	bool is_bare;		/* of PLAN_BITS: none of these, nor signed, nor written in hexadecimal */
	bool is_optional;	/* nothing may be selected */
	bool keeps_width;	/* the register behind `keep` gets how many bits LEB128 had */
	uint8_t encoding;	/* of a string or text */
	bool is_sorted;		/* options or labels: by what they begin with, and none overlap */
	bool silent;		/* read, but not written; */
	bool by_index;		/* of an array, those elements only that -f asks for by their keys */
	uint8_t keep;		/* the register that the value goes to; 0: none */
	uint8_t use;		/* the register with the length or tag; 0: `length` is the length */
	uint32_t align;		/* bits */
	uint32_t key_len;
	const char *key;	/* "\tname=", or "\tname" of an array; within one, without what stands before */
	uint64_t length;
	uint32_t body;		/* how many of the next steps belong to this one */
	uint32_t silent_n;	/* this and the next ones are not: how many steps, bodies included */
	uint64_t silent_bits;	/* how long they are together, wherever one byte begins; 0: that is not fixed */
	uint32_t plain_n;	/* this and the next ones that are plain bytes, wherever one byte begins: how many */
	uint64_t plain_bits;	/* and how long they are together */
	uint32_t options_n;
	const struct plan_option *options;	/* of a variant */
	const struct plan_label *labels;	/* of an enumeration, `options_n` of them */
};

/* Values, both ends included; of flags, bits. Begins options and labels. */
struct plan_range {
	uint64_t low, high;
};

struct plan_option {
	struct plan_range range;	/* of the tag */
	uint32_t from, n;	/* steps, from the variant's first on */
};

struct plan_label {
	struct plan_range range;
	struct slice text;	/* escaped */
};

/*
 * A top-level field of a context: contexts are written in another order than they are recorded. So is the
 * payload where it tells who ran, in perf's traces.
 */
struct plan_part {
	uint32_t from, n;	/* steps */
	uint32_t scope;		/* 0: the stream's context, 1: the event's own, 2: the payload */
	int64_t offset;		/* bits from the scope's begin, where that is fixed; else -1 */
};

struct plan_scope {
	uint32_t align;
	int64_t size;		/* bits, where that is fixed; else -1 */
};

struct ctf_plan {
	struct slice begin;	/* `<TAB>ev=NAME` */
	bool included;		/* by -e and -x */
	bool wanted;
	bool wants_cpu;
	bool writes;		/* any field besides ts, ev and cpu */
	struct plan_step *steps;
	uint32_t steps_n;
	struct plan_scope scopes[3];
	uint32_t scopes_n;	/* that have parts: 2 or 3 */
	struct plan_part *parts;	/* in the order they are recorded; then constants, which parts_n leaves out */
	uint32_t parts_n;
	uint32_t *order;	/* in which they are written: indexes of parts */
	uint32_t order_n;
	uint32_t payload;	/* the first step of the payload */
	uint32_t payload_align;
	int64_t payload_size;	/* bits, where that is fixed; else -1 */
	size_t room;		/* bytes that all steps outside of arrays may write, texts left out */
	uint32_t left;		/* fields that arrays may have */
	const struct selection *selection;
	uint64_t id;
	/*
	 * Plans with the same value here write the same text for the same bytes of contexts, of which all are in the
	 * stream's, `scopes[0].size / 8` from where its alignment puts it. NULL: one cannot say.
	 */
	const struct ctf_plan *alike;
};

/*
 * How to read a header: the structure before an event, or before or behind a packet's begin. Its values
 * stay in registers; UINT64_MAX there means that it has none.
 */
enum { HEADER_NAMES_MAX = 8, HEADER_TIMES_MAX = 4 };

struct plan_visible;

struct ctf_header {
	struct plan_step *steps;
	uint32_t steps_n;
	uint32_t align;
	enum plan_scope_name scope;
	uint8_t registers;		/* how many it has, from ctf_header_register() on */
	bool referred;			/* by something recorded later */
	struct plan_visible *visible;	/* what may be referred to */
	uint32_t visible_n;
	uint8_t name[HEADER_NAMES_MAX];	/* the registers of the values that were asked for; 0: has none */
	/* Times of each width that the header may have, in bits, and their registers. */
	struct {
		uint8_t keep, size;	/* 0: LEB128; the next register has the width then */
	} time[HEADER_TIMES_MAX];
	unsigned times;
	const struct ctf_clock *clock;	/* NULL: no times */
};

static inline unsigned ctf_header_register(const struct ctf_header *header)
{
	return (unsigned)header->scope * PLAN_HEADER_REGISTERS;
}

/*
 * The header of TYPE (NULL: an empty one), with the values of the integers called NAMES (NULL-terminated)
 * kept. OUTER are the headers recorded before it, as many as SCOPE says. NULL when it cannot be, with the
 * reason in ERROR. Lives in the metadata's arena.
 */
struct ctf_header *ctf_header_make(struct ctf_metadata *metadata, enum plan_scope_name scope,
				   struct ctf_header *const *outer, const struct ctf_type *type,
				   const char *const *names, char *error, size_t error_size);

/*
 * Makes the plan of EVENT in STREAM, whose three headers are OUTER. NULL when it cannot be, with the reason
 * in ERROR. Lives in the metadata's arena.
 */
struct ctf_plan *ctf_plan_make(struct ctf_metadata *metadata, const struct ctf_stream *stream,
			       struct ctf_header *const *outer, const struct ctf_event *event,
			       const struct selection *selection, char *error, size_t error_size);

/*
 * Sets `alike` of PLAN, whose stream is that of OTHER: to OTHER where they are. NULL for OTHER: to itself, where its
 * contexts can be kept. Whether it was set. O(fields of the contexts).
 */
bool ctf_plan_alike(struct ctf_plan *plan, const struct ctf_plan *other);

#endif
