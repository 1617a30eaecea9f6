/* SPDX-License-Identifier: MIT */
/*
 * What a CTF trace says of itself: its types, streams, events and clocks.
 *
 * Read from TSDL, the text of CTF 1.8 ("Common Trace Format Specification v1.8.3", diamon.org/ctf), or
 * from the JSON of CTF 2 (CTF2-SPEC-2.0, same place), plain or in packets. All of it lives in one arena and is freed at once. Input is hostile: nesting,
 * sizes and counts are bounded (the enum below), and what breaks a rule is an error that names its line.
 */
#ifndef WEIR_CTF_METADATA_H
#define WEIR_CTF_METADATA_H

#include "base/slice.h"

enum {
	CTF_METADATA_MAX = 64 << 20,	/* bytes of metadata */
	CTF_NESTING_MAX = 32,		/* types within types */
	CTF_STRUCT_ALIGN_MAX = 1 << 16,	/* bits */
	CTF_STREAMS_MAX = 1024,
	CTF_CLOCKS_MAX = 256,
	CTF_TYPE_MEMORY = 32 << 20,	/* bytes that types and plans may take, and CTF_TYPE_FACTOR for each */
	CTF_TYPE_FACTOR = 6,		/* byte of metadata: hostile types multiply by being used in each other */
};

enum ctf_kind { CTF_INTEGER, CTF_FLOAT, CTF_ENUM, CTF_STRING, CTF_STRUCT, CTF_VARIANT, CTF_ARRAY, CTF_SEQUENCE,
		CTF_BLOB, CTF_OPTIONAL };

enum ctf_order { CTF_NATIVE, CTF_LITTLE, CTF_BIG };

/* A label of an enumeration and the values it stands for, both ends included, as the container has them. */
struct ctf_range {
	struct slice label;
	uint64_t low, high;
	uint32_t option;	/* of a variant that tells its ranges itself: the field that they select */
};

enum ctf_encoding { CTF_UTF8, CTF_UTF16BE, CTF_UTF16LE, CTF_UTF32BE, CTF_UTF32LE };

struct ctf_field {
	struct slice name;	/* as in the metadata, leading underscore and all */
	struct ctf_type *type;
};

struct ctf_type {
	enum ctf_kind kind;
	uint32_t depth;			/* types within types: 1 has none */
	uint32_t align;			/* bits, a power of two */

	/* CTF_INTEGER, CTF_FLOAT; of an enumeration, those of its container */
	uint32_t size;			/* bits: 1 to 64; 32 or 64 */
	enum ctf_order order;
	bool is_signed;
	bool is_text;			/* an 8-bit integer with an encoding, or a string */
	bool is_variable;		/* LEB128: no size; size is 64 then */
	bool is_reversed;		/* the first bit is the other end than the byte order says */
	bool is_bool;			/* 0, or anything else */
	bool is_flags;			/* bits with names: ranges are of bits */
	uint8_t base;			/* 2, 8, 10, 16 */
	uint8_t encoding;		/* of a string or text */
	const char *role;		/* in CTF 2: what CTF 1.8 calls a field of this meaning; NULL: none */
	struct ctf_clock *clock;	/* whose value it is; NULL: none */

	struct ctf_range *ranges;	/* CTF_ENUM; of CTF 2, CTF_VARIANT and CTF_OPTIONAL */
	uint32_t ranges_n;		/* of the latter two */
	struct ctf_field *fields;	/* CTF_STRUCT, CTF_VARIANT (its options) */
	uint32_t n;			/* of ranges or fields */
	struct ctf_type *element;	/* CTF_ARRAY, CTF_SEQUENCE, CTF_OPTIONAL */
	uint64_t length;		/* CTF_ARRAY, CTF_BLOB without a reference */
	struct slice reference;		/* dotted path of a sequence's length, of a variant's tag */
	bool is_exact;			/* the path begins at a root, or in the structure around, */
	uint8_t up;			/* or so many structures further out: nowhere else is looked */
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
	struct ctf_clock *clock;	/* of CTF 2: the default clock */
	struct ctf_stream *next;
};

/* An entry of the environment: host name, kernel release and the like. */
struct ctf_environment {
	struct slice name, value;	/* a number as its text */
	struct ctf_environment *next;
};

struct ctf_metadata {
	unsigned version;		/* 1 or 2 */
	enum ctf_order order;		/* CTF_LITTLE or CTF_BIG */
	bool has_uuid;
	uint8_t uuid[16];
	struct ctf_type *packet_header;	/* NULL: none */
	struct ctf_clock *clocks;
	struct ctf_stream *streams;
	struct ctf_event *events;
	struct ctf_environment *environment;
	struct arena *arena;
	size_t memory_max;	/* of the arena, plans included */
	char *text;		/* what the slices point into; NULL: the caller's */
};

/*
 * Reads the metadata in the LEN bytes at TEXT, which must stay as long as the result. NULL on error, with
 * the reason in ERROR (at least 200 bytes): `line 12: no type is called 'uint33_t'`.
 */
struct ctf_metadata *ctf_metadata_parse(const char *text, size_t len, char *error, size_t error_size);

/*
 * The same of CTF 2: a sequence of JSON texts (RFC 7464). Exists only where the library json-c does.
 */
struct ctf_metadata *ctf_metadata_parse_json(const char *text, size_t len, char *error, size_t error_size);

/* The entry NAME of the environment; empty where there is none. */
struct slice ctf_environment_value(const struct ctf_metadata *metadata, struct slice name);

/* What the field is for in a header: by its name in CTF 1.8, by its role in CTF 2. */
struct slice ctf_field_role(const struct ctf_metadata *metadata, const struct ctf_field *field);

/*
 * The same from the file PATH, of either version, taken out of its packets if it has any (CTF 1.8.3, 7.1.1).
 */
struct ctf_metadata *ctf_metadata_read(const char *path, char *error, size_t error_size);

void ctf_metadata_free(struct ctf_metadata *metadata);

#endif
