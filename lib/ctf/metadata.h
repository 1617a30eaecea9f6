/* SPDX-License-Identifier: MIT */
/*
 * What a CTF trace says of itself: its types, streams, events and clocks.
 *
 * Read from TSDL, the text of CTF 1.8 ("Common Trace Format Specification v1.8.3", diamon.org/ctf),
 * plain or in packets. All of it lives in one arena and is freed at once. Input is hostile: nesting,
 * sizes and counts are bounded (the enum below), and what breaks a rule is an error that names its line.
 */
#ifndef WEIR_CTF_METADATA_H
#define WEIR_CTF_METADATA_H

#include "slice.h"

enum {
	CTF_METADATA_MAX = 64 << 20,	/* bytes of metadata */
	CTF_NESTING_MAX = 32,		/* types within types */
	CTF_STRUCT_ALIGN_MAX = 1 << 16,	/* bits */
};

enum ctf_kind { CTF_INTEGER, CTF_FLOAT, CTF_ENUM, CTF_STRING, CTF_STRUCT, CTF_VARIANT, CTF_ARRAY, CTF_SEQUENCE };

enum ctf_order { CTF_NATIVE, CTF_LITTLE, CTF_BIG };

/* A label of an enumeration and the values it stands for, both ends included, as the container has them. */
struct ctf_range {
	struct slice label;
	uint64_t low, high;
};

struct ctf_field {
	struct slice name;	/* as in the metadata, leading underscore and all */
	struct ctf_type *type;
};

struct ctf_type {
	enum ctf_kind kind;
	uint32_t align;			/* bits, a power of two */

	/* CTF_INTEGER, CTF_FLOAT; of an enumeration, those of its container */
	uint32_t size;			/* bits: 1 to 64; 32 or 64 */
	enum ctf_order order;
	bool is_signed;
	bool is_text;			/* an 8-bit integer with an encoding, or a string */
	uint8_t base;			/* 2, 8, 10, 16 */
	struct ctf_clock *clock;	/* whose value it is; NULL: none */

	struct ctf_range *ranges;	/* CTF_ENUM */
	struct ctf_field *fields;	/* CTF_STRUCT, CTF_VARIANT (its options) */
	uint32_t n;			/* of ranges or fields */
	struct ctf_type *element;	/* CTF_ARRAY, CTF_SEQUENCE */
	uint64_t length;		/* CTF_ARRAY */
	struct slice reference;		/* dotted path of a sequence's length, of a variant's tag */
};

struct ctf_clock {
	struct slice name;
	uint64_t frequency;		/* Hz */
	int64_t offset_seconds;
	int64_t offset;			/* cycles */
	bool absolute;
	struct ctf_clock *next;
};

struct ctf_event {
	uint64_t id, stream_id;
	struct slice name;
	struct ctf_type *context, *fields;	/* NULL: none */
	struct ctf_event *next;
};

struct ctf_stream {
	uint64_t id;
	struct ctf_type *packet_context, *event_header, *event_context;	/* NULL: none */
	struct ctf_stream *next;
};

/* An entry of the environment: host name, kernel release and the like. */
struct ctf_environment {
	struct slice name, value;	/* a number as its text */
	struct ctf_environment *next;
};

struct ctf_metadata {
	enum ctf_order order;		/* CTF_LITTLE or CTF_BIG */
	bool has_uuid;
	uint8_t uuid[16];
	struct ctf_type *packet_header;	/* NULL: none */
	struct ctf_clock *clocks;
	struct ctf_stream *streams;
	struct ctf_event *events;
	struct ctf_environment *environment;
	struct arena *arena;
	char *text;		/* what the slices point into; NULL: the caller's */
};

/*
 * Reads the metadata in the LEN bytes at TEXT, which must stay as long as the result. NULL on error, with the reason in ERROR (at least 200
 * bytes): `line 12: no type is called 'uint33_t'`.
 */
struct ctf_metadata *ctf_metadata_parse(const char *text, size_t len, char *error, size_t error_size);

/*
 * The same from the file PATH, taken out of its packets if it has any (CTF 1.8.3, 7.1.1).
 */
struct ctf_metadata *ctf_metadata_read(const char *path, char *error, size_t error_size);

void ctf_metadata_free(struct ctf_metadata *metadata);

#endif
