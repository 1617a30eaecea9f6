// SPDX-License-Identifier: MIT
// pkg-config: json-c
/*
 * The metadata of CTF 2 (CTF2-SPEC-2.0): a sequence of JSON objects, its fragments, each behind a record
 * separator (RFC 7464). Names follow the specification: a field class is a type, a data stream class a stream.
 *
 * A fragment is read, turned into types and freed before the next one. An alias is kept as its JSON and
 * read anew wherever it is used, because its timestamps belong to the clock of the stream around.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "ctf/metadata.h"

enum {
	FRAGMENT_MAX = 1 << 20,		/* bytes; JSON takes some fifty times as much memory */
	ALIASES_MAX = 1 << 20,		/* bytes of all aliases */
	JSON_NESTING = 128,
	PATH_MAX_NAMES = 64,
};
#define RECORD_SEPARATOR '\x1e'

struct alias {
	struct slice name;
	json_object *fragment, *type;	/* NULL: one was just forgotten */
	struct alias *next;		/* the one defined before */
};

struct reader {
	struct ctf_metadata *metadata;
	struct arena *arena;
	json_tokener *tokener;
	json_object *fragment;		/* being read */
	unsigned number;		/* of the fragment, from 1 */
	struct alias *aliases;		/* the last one first */
	size_t alias_bytes;
	const struct alias *visible;	/* those that may be used: this one and those before it */
	struct ctf_clock *clock;	/* of the stream that types are read for */
	bool in_event;			/* and not in its packets */
	unsigned nesting;
	struct ctf_event **last_event;
	struct ctf_stream **last_stream;
	struct ctf_environment **last_environment;
	char *error;
	size_t error_size;
	jmp_buf failed;
};

_Noreturn static void fail(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct reader *r, const char *format, ...)
{
	va_list args;
	int n = snprintf(r->error, r->error_size, "fragment %u: ", r->number);

	va_start(args, format);
	if (n > 0 && (size_t)n < r->error_size)
		vsnprintf(r->error + n, r->error_size - (size_t)n, format, args);
	va_end(args);
	longjmp(r->failed, 1);
}

static void *get(struct reader *r, size_t size)
{
	if (arena_bytes(r->arena) > r->metadata->memory_max)
		fail(r, "the types take more than %zu MiB", r->metadata->memory_max >> 20);
	return arena_get(r->arena, size);
}

static int shown(struct slice text)
{
	return text.len > 60 ? 60 : (int)text.len;
}

/* --- properties ------------------------------------------------------------------------------------- */

/* The property, NULL: it is not there. */
static json_object *property(struct reader *r, json_object *object, const char *name, json_type type)
{
	json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		return NULL;
	if (json_object_get_type(value) != type)
		fail(r, "'%s' is not a JSON %s", name, json_type_to_name(type));
	return value;
}

static json_object *needed(struct reader *r, json_object *object, const char *name, json_type type)
{
	json_object *value = property(r, object, name, type);

	if (!value)
		fail(r, "'%s' is missing", name);
	return value;
}

/* Valid as long as the JSON is. */
static struct slice text_of(json_object *value)
{
	return (struct slice){ json_object_get_string(value), (size_t)json_object_get_string_len(value) };
}

static struct slice text_property(struct reader *r, json_object *object, const char *name)
{
	json_object *value = property(r, object, name, json_type_string);

	return value ? text_of(value) : SLICE("");
}

/* An integer as its two's complement. */
static uint64_t integer_of(struct reader *r, json_object *value, const char *name, bool *negative)
{
	int64_t number = json_object_get_int64(value);

	if (json_object_get_type(value) != json_type_int)
		fail(r, "'%s' is not a JSON int", name);
	*negative = number < 0;
	return number < 0 ? (uint64_t)number : json_object_get_uint64(value);
}

static uint64_t unsigned_property(struct reader *r, json_object *object, const char *name, uint64_t otherwise,
				  uint64_t max)
{
	json_object *value = property(r, object, name, json_type_int);
	bool negative;
	uint64_t number = value ? integer_of(r, value, name, &negative) : otherwise;

	if (value && (negative || number > max))
		fail(r, "'%s' takes a number up to %" PRIu64, name, max);
	return number;
}

static uint64_t needed_unsigned(struct reader *r, json_object *object, const char *name, uint64_t max)
{
	needed(r, object, name, json_type_int);
	return unsigned_property(r, object, name, 0, max);
}

static uint32_t alignment(struct reader *r, json_object *object, const char *name)
{
	uint64_t align = unsigned_property(r, object, name, 1, CTF_STRUCT_ALIGN_MAX);

	if (align == 0 || (align & (align - 1)))
		fail(r, "'%s' is a power of two", name);
	return (uint32_t)align;
}

/*
 * A name may be any text; what no key of a record may hold becomes `_`, here and in references. As names of
 * CTF 1.8 lose one leading underscore, one that begins with an underscore gets another.
 */
static struct slice name_of(struct reader *r, struct slice text)
{
	char *to = get(r, text.len + 2), *start = to;

	if (text.len == 0 || text.at[0] == '_')
		*to++ = '_';
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		*to++ = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
	}
	if (to == start + 1 && start[0] == '_')
		*to++ = '_';
	return (struct slice){ start, (size_t)(to - start) };
}

/* --- types ------------------------------------------------------------------------------------------ */

static struct ctf_type *type_of(struct reader *r, json_object *json);

static struct ctf_type *new_type(struct reader *r, enum ctf_kind kind)
{
	struct ctf_type *type = get(r, sizeof *type);

	type->kind = kind;
	type->depth = 1;
	type->align = 1;
	type->base = 10;
	return type;
}

static void contain(struct reader *r, struct ctf_type *outer, const struct ctf_type *inner)
{
	if (outer->depth <= inner->depth)
		outer->depth = inner->depth + 1;
	if (outer->depth > CTF_NESTING_MAX)
		fail(r, "types nest deeper than %d", CTF_NESTING_MAX);
}

/* Of the values that ranges are of. */
enum sign { UNSIGNED, SIGNED, EITHER };

static void add_range(struct reader *r, struct ctf_type *type, uint32_t *n, uint32_t *room, struct ctf_range range)
{
	if (*n == *room) {
		uint32_t more = *room ? *room * 2 : 4;
		struct ctf_range *list = get(r, more * sizeof *list);

		if (*n)
			memcpy(list, type->ranges, *n * sizeof *list);
		type->ranges = list;
		*room = more;
	}
	type->ranges[(*n)++] = range;
}

/*
 * Appends the ranges of a set; LABEL and OPTION are what they stand for. Numbers that no value can have
 * select nothing: they are cut away.
 */
static void add_ranges(struct reader *r, json_object *set, struct ctf_type *type, uint32_t *n, uint32_t *room,
		       struct slice label, uint32_t option, enum sign sign)
{
	size_t count = json_object_get_type(set) == json_type_array ? json_object_array_length(set) : 0;

	if (count == 0)
		fail(r, "a set of ranges has at least one");
	for (size_t i = 0; i < count; i++) {
		json_object *pair = json_object_array_get_idx(set, i);
		struct ctf_range range = { .label = label, .option = option };
		bool low_negative, high_negative;

		if (json_object_get_type(pair) != json_type_array || json_object_array_length(pair) != 2)
			fail(r, "a range has two numbers");
		range.low = integer_of(r, json_object_array_get_idx(pair, 0), "range", &low_negative);
		range.high = integer_of(r, json_object_array_get_idx(pair, 1), "range", &high_negative);
		if (low_negative != high_negative ? high_negative : range.low > range.high)
			fail(r, "a range that ends before it begins");
		if (sign == EITHER && low_negative && !high_negative) {
			add_range(r, type, n, room, (struct ctf_range){ label, range.low, UINT64_MAX, option });
			range.low = 0;
		}
		if ((sign == UNSIGNED && high_negative) || (sign == SIGNED && !low_negative && range.low > INT64_MAX))
			continue;
		if (sign == UNSIGNED && low_negative)
			range.low = 0;
		if (sign == SIGNED && !high_negative && range.high > INT64_MAX)
			range.high = INT64_MAX;
		add_range(r, type, n, room, range);
	}
}

/* `mappings` or `flags`: labels and their ranges. */
static void add_labels(struct reader *r, json_object *labels, struct ctf_type *type)
{
	uint32_t room = 0;

	type->ranges = get(r, 1);
	json_object_object_foreach(labels, label, set)
		add_ranges(r, set, type, &type->n, &room, arena_copy(r->arena, slice_of(label)), 0,
			   type->is_signed ? SIGNED : UNSIGNED);
}

static void set_order(struct reader *r, json_object *json, struct ctf_type *type)
{
	struct slice order = text_of(needed(r, json, "byte-order", json_type_string));
	struct slice bits = text_property(r, json, "bit-order");

	type->order = slice_equal(order, SLICE("big-endian")) ? CTF_BIG : CTF_LITTLE;
	if (type->order == CTF_LITTLE && !slice_equal(order, SLICE("little-endian")))
		fail(r, "'byte-order' is big-endian or little-endian");
	if (!bits.len)
		return;
	if (!slice_equal(bits, SLICE("first-to-last")) && !slice_equal(bits, SLICE("last-to-first")))
		fail(r, "'bit-order' is first-to-last or last-to-first");
	type->is_reversed = slice_equal(bits, SLICE("first-to-last")) == (type->order == CTF_BIG);
}

/* What fields of this role are called in CTF 1.8. */
static void set_role(struct reader *r, json_object *json, struct ctf_type *type)
{
	static const struct {
		const char *role, *name;
	} roles[] = {
		{ "packet-magic-number", "magic" }, { "metadata-stream-uuid", "uuid" },
		{ "data-stream-class-id", "stream_id" }, { "data-stream-id", "stream_instance_id" },
		{ "packet-total-length", "packet_size" }, { "packet-content-length", "content_size" },
		{ "packet-end-default-clock-timestamp", "timestamp_end" },
		{ "discarded-event-record-counter-snapshot", "events_discarded" },
		{ "packet-sequence-number", "packet_seq_num" }, { "event-record-class-id", "id" },
	};
	json_object *list = property(r, json, "roles", json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *role = json_object_array_get_idx(list, i);

		if (json_object_get_type(role) != json_type_string)
			fail(r, "a role is not a JSON string");
		for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
			if (slice_equal(text_of(role), slice_of(roles[k].role)))
				type->role = roles[k].name;
		if (slice_equal(text_of(role), SLICE("default-clock-timestamp"))) {
			if (!r->clock)
				fail(r, "a timestamp in a stream without a clock");
			if (r->in_event)
				type->clock = r->clock;
			else
				type->role = "timestamp_begin";
		}
	}
}

static void set_base(struct reader *r, json_object *json, struct ctf_type *type)
{
	uint64_t base = unsigned_property(r, json, "preferred-display-base", 10, 16);

	if (base != 2 && base != 8 && base != 10 && base != 16)
		fail(r, "'preferred-display-base' is 2, 8, 10 or 16");
	type->base = (uint8_t)base;
}

static struct ctf_type *fixed_length(struct reader *r, json_object *json, struct slice kind)
{
	struct ctf_type *type = new_type(r, CTF_INTEGER);
	uint64_t length = needed_unsigned(r, json, "length", UINT32_MAX);
	json_object *labels = NULL;

	type->align = alignment(r, json, "alignment");
	set_order(r, json, type);
	if (slice_equal(kind, SLICE("fixed-length-floating-point-number"))) {
		type->kind = CTF_FLOAT;
		type->is_signed = true;
		if (length != 32 && length != 64)
			fail(r, "a floating point number of %" PRIu64 " bits: only 32 and 64 are read", length);
	} else if (slice_equal(kind, SLICE("fixed-length-boolean"))) {
		type->is_bool = true;
	} else if (slice_equal(kind, SLICE("fixed-length-bit-array"))) {
		type->base = 16;
	} else if (slice_equal(kind, SLICE("fixed-length-bit-map"))) {
		type->is_flags = true;
		labels = needed(r, json, "flags", json_type_object);
	} else {
		type->is_signed = slice_equal(kind, SLICE("fixed-length-signed-integer"));
		if (!type->is_signed && !slice_equal(kind, SLICE("fixed-length-unsigned-integer")))
			fail(r, "no type is called '%.*s'", shown(kind), kind.at);
		set_base(r, json, type);
		set_role(r, json, type);
		labels = property(r, json, "mappings", json_type_object);
	}
	if (length == 0 || length > 64)
		fail(r, "a field of %" PRIu64 " bits: 1 to 64 are read", length);
	type->size = (uint32_t)length;
	if (labels && json_object_object_length(labels)) {
		type->kind = CTF_ENUM;
		add_labels(r, labels, type);
	}
	for (uint32_t i = 0; type->is_flags && i < type->n; i++)
		if (type->ranges[i].high >= length)
			fail(r, "a flag of bit %" PRIu64 " in %" PRIu64 " bits", type->ranges[i].high, length);
	return type;
}

static struct ctf_type *variable_length(struct reader *r, json_object *json, struct slice kind)
{
	struct ctf_type *type = new_type(r, CTF_INTEGER);
	json_object *labels = property(r, json, "mappings", json_type_object);

	type->is_signed = slice_equal(kind, SLICE("variable-length-signed-integer"));
	if (!type->is_signed && !slice_equal(kind, SLICE("variable-length-unsigned-integer")))
		fail(r, "no type is called '%.*s'", shown(kind), kind.at);
	type->is_variable = true;
	type->size = 64;
	type->align = 8;
	set_base(r, json, type);
	set_role(r, json, type);
	if (labels && json_object_object_length(labels)) {
		type->kind = CTF_ENUM;
		add_labels(r, labels, type);
	}
	return type;
}

/* The path to a field, as dotted(); of an origin, as CTF 1.8 has it. */
static void set_location(struct reader *r, json_object *json, const char *property_name, struct ctf_type *type)
{
	static const struct {
		const char *origin, *root;
	} roots[] = {
		{ "packet-header", "trace.packet.header." }, { "packet-context", "stream.packet.context." },
		{ "event-record-header", "stream.event.header." },
		{ "event-record-common-context", "stream.event.context." },
		{ "event-record-specific-context", "event.context." }, { "event-record-payload", "event.fields." },
	};
	json_object *location = needed(r, json, property_name, json_type_object);
	json_object *path = needed(r, location, "path", json_type_array);
	struct slice origin = text_property(r, location, "origin");
	size_t n = json_object_array_length(path), len = 0;
	char text[512];

	for (size_t i = 0; origin.len && i < sizeof roots / sizeof *roots; i++) {
		if (!slice_equal(origin, slice_of(roots[i].origin)))
			continue;
		len = strlen(roots[i].root);
		memcpy(text, roots[i].root, len);
	}
	if (origin.len && !len)
		fail(r, "no origin is called '%.*s'", shown(origin), origin.at);
	if (n == 0 || n > PATH_MAX_NAMES)
		fail(r, "a path of %zu names", n);
	type->is_exact = true;
	for (size_t i = 0; i < n; i++) {
		json_object *element = json_object_array_get_idx(path, i);
		struct slice name;

		if (!element && i == type->up && i + 1 < n && !origin.len) {
			type->up++;
			continue;
		}
		if (json_object_get_type(element) != json_type_string)
			fail(r, "a path has names, and nulls before them");
		name = name_of(r, text_of(element));
		if (len + name.len + 1 > sizeof text)
			fail(r, "a path of more than %zu characters", sizeof text);
		if (i > type->up)
			text[len++] = '.';
		memcpy(text + len, name.at, name.len);
		len += name.len;
	}
	type->reference = arena_copy(r->arena, (struct slice){ text, len });
}

static void set_encoding(struct reader *r, json_object *json, struct ctf_type *type)
{
	static const char *const names[] = { "utf-8", "utf-16be", "utf-16le", "utf-32be", "utf-32le" };
	struct slice name = text_property(r, json, "encoding");

	for (uint8_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!name.len || slice_equal(name, slice_of(names[i]))) {
			type->encoding = i;
			return;
		}
	}
	fail(r, "no encoding is called '%.*s'", shown(name), name.at);
}

/* Strings of a length of their own are arrays of text. */
static struct ctf_type *string(struct reader *r, json_object *json, struct slice kind)
{
	bool is_static = slice_equal(kind, SLICE("static-length-string"));
	struct ctf_type *type = new_type(r, is_static ? CTF_ARRAY : CTF_SEQUENCE);

	set_encoding(r, json, type);
	type->align = 8;
	type->is_text = true;
	if (slice_equal(kind, SLICE("null-terminated-string"))) {
		type->kind = CTF_STRING;
		return type;
	}
	type->element = new_type(r, CTF_INTEGER);
	type->element->size = type->element->align = 8;
	type->element->is_text = true;
	if (is_static)
		type->length = needed_unsigned(r, json, "length", UINT64_MAX);
	else
		set_location(r, json, "length-field-location", type);
	return type;
}

static struct ctf_type *blob(struct reader *r, json_object *json, bool is_static)
{
	struct ctf_type *type = new_type(r, CTF_BLOB);

	type->align = 8;
	if (is_static)
		type->length = needed_unsigned(r, json, "length", UINT64_MAX);
	else
		set_location(r, json, "length-field-location", type);
	set_role(r, json, type);
	if (type->role && (!is_static || type->length != 16))
		fail(r, "a uuid has 16 bytes");
	return type;
}

static struct ctf_type *array(struct reader *r, json_object *json, bool is_static)
{
	struct ctf_type *type = new_type(r, is_static ? CTF_ARRAY : CTF_SEQUENCE);
	json_object *element;

	if (!json_object_object_get_ex(json, "element-field-class", &element))
		fail(r, "'element-field-class' is missing");
	type->element = type_of(r, element);
	contain(r, type, type->element);
	type->align = alignment(r, json, "minimum-alignment");
	if (type->element->align > type->align)
		type->align = type->element->align;
	if (is_static)
		type->length = needed_unsigned(r, json, "length", UINT64_MAX);
	else
		set_location(r, json, "length-field-location", type);
	return type;
}

static struct ctf_type *structure(struct reader *r, json_object *json)
{
	struct ctf_type *type = new_type(r, CTF_STRUCT);
	json_object *members = property(r, json, "member-classes", json_type_array);
	size_t n = members ? json_object_array_length(members) : 0;

	type->align = alignment(r, json, "minimum-alignment");
	type->fields = get(r, n * sizeof *type->fields + 1);
	for (size_t i = 0; i < n; i++) {
		json_object *member = json_object_array_get_idx(members, i), *inner;
		struct ctf_field *field = &type->fields[i];

		if (json_object_get_type(member) != json_type_object ||
		    !json_object_object_get_ex(member, "field-class", &inner))
			fail(r, "a member without 'field-class'");
		field->name = name_of(r, text_of(needed(r, member, "name", json_type_string)));
		field->type = type_of(r, inner);
		contain(r, type, field->type);
		if (field->type->align > type->align)
			type->align = field->type->align;
	}
	type->n = (uint32_t)n;
	return type;
}

static struct ctf_type *optional(struct reader *r, json_object *json)
{
	struct ctf_type *type = new_type(r, CTF_OPTIONAL);
	json_object *inner, *ranges = property(r, json, "selector-field-ranges", json_type_array);
	uint32_t room = 0;

	if (!json_object_object_get_ex(json, "field-class", &inner))
		fail(r, "'field-class' is missing");
	type->element = type_of(r, inner);
	contain(r, type, type->element);
	set_location(r, json, "selector-field-location", type);
	/* Whether the selector has a sign is not known here: two's complement serves both. */
	if (ranges)
		add_ranges(r, ranges, type, &type->ranges_n, &room, SLICE(""), 0, EITHER);
	if (ranges && !type->ranges)
		type->ranges = get(r, 1);
	return type;
}

static struct ctf_type *variant(struct reader *r, json_object *json)
{
	struct ctf_type *type = new_type(r, CTF_VARIANT);
	json_object *options = needed(r, json, "options", json_type_array);
	size_t n = json_object_array_length(options);
	uint32_t room = 0;

	if (n == 0)
		fail(r, "a variant without options");
	set_location(r, json, "selector-field-location", type);
	type->fields = get(r, n * sizeof *type->fields);
	type->ranges = get(r, 1);
	for (size_t i = 0; i < n; i++) {
		json_object *option = json_object_array_get_idx(options, i), *inner;
		char unnamed[32];

		if (json_object_get_type(option) != json_type_object ||
		    !json_object_object_get_ex(option, "field-class", &inner))
			fail(r, "an option without 'field-class'");
		snprintf(unnamed, sizeof unnamed, "option%zu", i);
		type->fields[i].name = name_of(r, property(r, option, "name", json_type_string) ?
						       text_property(r, option, "name") : slice_of(unnamed));
		type->fields[i].type = type_of(r, inner);
		contain(r, type, type->fields[i].type);
		add_ranges(r, needed(r, option, "selector-field-ranges", json_type_array), type, &type->ranges_n, &room,
			   SLICE(""), (uint32_t)i, EITHER);
	}
	type->n = (uint32_t)n;
	return type;
}

static bool begins(struct slice text, const char *with)
{
	size_t n = strlen(with);

	return text.len >= n && memcmp(text.at, with, n) == 0;
}

static struct ctf_type *class_of(struct reader *r, json_object *json)
{
	struct slice kind = text_of(needed(r, json, "type", json_type_string));

	if (begins(kind, "fixed-length-"))
		return fixed_length(r, json, kind);
	if (begins(kind, "variable-length-"))
		return variable_length(r, json, kind);
	if (slice_equal(kind, SLICE("structure")))
		return structure(r, json);
	if (slice_equal(kind, SLICE("null-terminated-string")) || slice_equal(kind, SLICE("static-length-string")) ||
	    slice_equal(kind, SLICE("dynamic-length-string")))
		return string(r, json, kind);
	if (slice_equal(kind, SLICE("static-length-array")) || slice_equal(kind, SLICE("dynamic-length-array")))
		return array(r, json, kind.at[0] == 's');
	if (slice_equal(kind, SLICE("static-length-blob")) || slice_equal(kind, SLICE("dynamic-length-blob")))
		return blob(r, json, kind.at[0] == 's');
	if (slice_equal(kind, SLICE("optional")))
		return optional(r, json);
	if (slice_equal(kind, SLICE("variant")))
		return variant(r, json);
	fail(r, "no type is called '%.*s'", shown(kind), kind.at);
}

/* A type, or the name of an alias. */
static struct ctf_type *type_of(struct reader *r, json_object *json)
{
	const struct alias *before = r->visible, *alias;
	struct ctf_type *type;
	struct slice name;

	if (++r->nesting > CTF_NESTING_MAX)
		fail(r, "types nest deeper than %d", CTF_NESTING_MAX);
	if (json_object_get_type(json) == json_type_object) {
		type = class_of(r, json);
		r->nesting--;
		return type;
	}
	if (json_object_get_type(json) != json_type_string)
		fail(r, "a field class is an object or an alias");
	name = text_of(json);
	for (alias = r->visible; alias && !slice_equal(alias->name, name); alias = alias->next)
		;
	if (!alias)
		fail(r, "no type is called '%.*s'", shown(name), name.at);
	r->visible = alias->next;	/* what it was defined with; so no alias contains itself */
	type = type_of(r, alias->type);
	r->visible = before;
	r->nesting--;
	return type;
}

/* The structure called NAME of the fragment; NULL: it has none. */
static struct ctf_type *root(struct reader *r, const char *name)
{
	json_object *json;
	struct ctf_type *type;

	if (!json_object_object_get_ex(r->fragment, name, &json))
		return NULL;
	type = type_of(r, json);
	if (type->kind != CTF_STRUCT)
		fail(r, "'%s' is not a structure", name);
	return type;
}

/* --- fragments -------------------------------------------------------------------------------------- */

static void preamble(struct reader *r)
{
	json_object *uuid = property(r, r->fragment, "uuid", json_type_array);
	json_object *extensions = property(r, r->fragment, "extensions", json_type_object);

	if (needed_unsigned(r, r->fragment, "version", UINT64_MAX) != 2)
		fail(r, "this is not version 2 of CTF");
	if (extensions && json_object_object_length(extensions))
		fail(r, "extensions are declared, and none is known here");
	if (uuid && json_object_array_length(uuid) != 16)
		fail(r, "a uuid has 16 bytes");
	for (size_t i = 0; uuid && i < 16; i++) {
		json_object *byte = json_object_array_get_idx(uuid, i);
		bool negative;
		uint64_t value = integer_of(r, byte, "uuid", &negative);

		if (value > 255)
			fail(r, "a uuid has 16 bytes");
		r->metadata->uuid[i] = (uint8_t)value;
	}
	r->metadata->has_uuid = uuid != NULL;
}

static void alias_fragment(struct reader *r, size_t bytes)
{
	struct slice name = text_of(needed(r, r->fragment, "name", json_type_string));
	struct alias *alias = get(r, sizeof *alias);

	for (const struct alias *a = r->aliases; a; a = a->next)
		if (slice_equal(a->name, name))
			fail(r, "'%.*s' is named twice", shown(name), name.at);
	r->alias_bytes += bytes;
	if (r->alias_bytes > ALIASES_MAX)
		fail(r, "aliases of more than %d bytes", ALIASES_MAX);
	if (!json_object_object_get_ex(r->fragment, "field-class", &alias->type))
		fail(r, "'field-class' is missing");
	alias->name = arena_copy(r->arena, name);
	alias->fragment = json_object_get(r->fragment);
	alias->next = r->aliases;
	r->aliases = alias;
}

static void trace_class(struct reader *r)
{
	json_object *environment = property(r, r->fragment, "environment", json_type_object);

	if (r->metadata->packet_header || r->metadata->streams)
		fail(r, "a second trace class, or one behind the streams");
	r->in_event = false;
	r->metadata->packet_header = root(r, "packet-header-field-class");
	if (!environment)
		return;
	json_object_object_foreach(environment, name, value) {
		struct ctf_environment *entry = get(r, sizeof *entry);

		entry->name = arena_copy(r->arena, slice_of(name));
		entry->value = arena_copy(r->arena, slice_of(json_object_get_string(value) ?
								     json_object_get_string(value) : ""));
		*r->last_environment = entry;
		r->last_environment = &entry->next;
	}
}

static struct ctf_clock *find_clock(struct reader *r, struct slice id)
{
	for (struct ctf_clock *c = r->metadata->clocks; c; c = c->next)
		if (slice_equal(c->name, id))
			return c;
	return NULL;
}

static void clock_class(struct reader *r)
{
	struct slice id = text_of(needed(r, r->fragment, "id", json_type_string));
	json_object *offset = property(r, r->fragment, "offset-from-origin", json_type_object), *seconds;
	struct ctf_clock *clock = get(r, sizeof *clock);
	unsigned n = 0;
	bool negative;

	for (const struct ctf_clock *c = r->metadata->clocks; c; c = c->next)
		n++;
	if (n >= CTF_CLOCKS_MAX)
		fail(r, "more than %d clocks", CTF_CLOCKS_MAX);
	if (find_clock(r, id))
		fail(r, "two clocks are called '%.*s'", shown(id), id.at);
	clock->name = arena_copy(r->arena, id);
	clock->frequency = needed_unsigned(r, r->fragment, "frequency", UINT64_MAX);
	if (clock->frequency == 0)
		fail(r, "a clock's frequency is not 0");
	if (offset) {
		seconds = property(r, offset, "seconds", json_type_int);
		clock->offset_seconds = seconds ? (int64_t)integer_of(r, seconds, "seconds", &negative) : 0;
		clock->offset = (int64_t)unsigned_property(r, offset, "cycles", 0, INT64_MAX);
		if ((uint64_t)clock->offset >= clock->frequency)
			fail(r, "'cycles' of a second and more");
	}
	clock->absolute = true;
	clock->next = r->metadata->clocks;
	r->metadata->clocks = clock;
}

static void data_stream_class(struct reader *r)
{
	struct ctf_stream *stream = get(r, sizeof *stream);
	json_object *clock = property(r, r->fragment, "default-clock-class-id", json_type_string);
	unsigned n = 0;

	stream->id = unsigned_property(r, r->fragment, "id", 0, UINT64_MAX);
	for (const struct ctf_stream *s = r->metadata->streams; s; s = s->next, n++)
		if (s->id == stream->id)
			fail(r, "two streams have the id %" PRIu64, s->id);
	if (n >= CTF_STREAMS_MAX)
		fail(r, "more than %d streams", CTF_STREAMS_MAX);
	r->clock = clock ? find_clock(r, text_of(clock)) : NULL;
	if (clock && !r->clock)
		fail(r, "no clock is called '%.*s'", shown(text_of(clock)), text_of(clock).at);
	r->in_event = false;
	stream->packet_context = root(r, "packet-context-field-class");
	r->in_event = true;
	stream->event_header = root(r, "event-record-header-field-class");
	stream->event_context = root(r, "event-record-common-context-field-class");
	stream->clock = r->clock;
	*r->last_stream = stream;
	r->last_stream = &stream->next;
}

static void event_record_class(struct reader *r)
{
	struct ctf_event *event = get(r, sizeof *event);
	json_object *name = property(r, r->fragment, "name", json_type_string);
	char unnamed[32];
	const struct ctf_stream *s;

	event->id = unsigned_property(r, r->fragment, "id", 0, UINT64_MAX);
	event->stream_id = unsigned_property(r, r->fragment, "data-stream-class-id", 0, UINT64_MAX);
	for (s = r->metadata->streams; s && s->id != event->stream_id; s = s->next)
		;
	if (!s)
		fail(r, "no stream before it has the id %" PRIu64, event->stream_id);
	snprintf(unnamed, sizeof unnamed, "event_%" PRIu64, event->id);
	event->name = arena_copy(r->arena, name ? text_of(name) : slice_of(unnamed));
	r->clock = s->clock;
	r->in_event = true;
	event->context = root(r, "specific-context-field-class");
	event->fields = root(r, "payload-field-class");
	*r->last_event = event;
	r->last_event = &event->next;
}

static void read_fragment(struct reader *r, struct slice text)
{
	struct slice kind;

	if (text.len > FRAGMENT_MAX)
		fail(r, "more than %d bytes", FRAGMENT_MAX);
	json_tokener_reset(r->tokener);
	r->fragment = json_tokener_parse_ex(r->tokener, text.at, (int)text.len);
	if (!r->fragment || json_tokener_get_error(r->tokener) != json_tokener_success) {
		enum json_tokener_error error = json_tokener_get_error(r->tokener);

		fail(r, "%s", error == json_tokener_continue || error == json_tokener_success ?
				      "it is cut, or empty" : json_tokener_error_desc(error));
	}
	for (size_t i = json_tokener_get_parse_end(r->tokener); i < text.len; i++)
		if (!strchr(" \t\r\n", text.at[i]) || !text.at[i])
			fail(r, "something behind the JSON object");
	if (json_object_get_type(r->fragment) != json_type_object)
		fail(r, "it is not a JSON object");
	kind = text_of(needed(r, r->fragment, "type", json_type_string));
	r->visible = r->aliases;
	r->clock = NULL;
	r->nesting = 0;
	if (slice_equal(kind, SLICE("preamble")) != (r->number == 1))
		fail(r, "the preamble comes first, and once");
	if (slice_equal(kind, SLICE("preamble")))
		preamble(r);
	else if (slice_equal(kind, SLICE("field-class-alias")))
		alias_fragment(r, text.len);
	else if (slice_equal(kind, SLICE("trace-class")))
		trace_class(r);
	else if (slice_equal(kind, SLICE("clock-class")))
		clock_class(r);
	else if (slice_equal(kind, SLICE("data-stream-class")))
		data_stream_class(r);
	else if (slice_equal(kind, SLICE("event-record-class")))
		event_record_class(r);
	else
		fail(r, "no fragment is called '%.*s'", shown(kind), kind.at);
	json_object_put(r->fragment);
	r->fragment = NULL;
}

static void forget(struct reader *r)
{
	json_object_put(r->fragment);
	for (struct alias *a = r->aliases; a; a = a->next)
		json_object_put(a->fragment);
	json_tokener_free(r->tokener);
}

struct ctf_metadata *ctf_metadata_parse_json(const char *text, size_t len, char *error, size_t error_size)
{
	struct arena *arena = arena_new();
	struct ctf_metadata *metadata = arena_get(arena, sizeof *metadata);
	struct reader *r = arena_get(arena, sizeof *r);
	const char *volatile at = text;

	*metadata = (struct ctf_metadata){ .version = 2, .order = CTF_LITTLE, .arena = arena,
					   .memory_max = CTF_TYPE_MEMORY + CTF_TYPE_FACTOR * len };
	r->metadata = metadata;
	r->arena = arena;
	r->error = error;
	r->error_size = error_size;
	r->last_event = &metadata->events;
	r->last_stream = &metadata->streams;
	r->last_environment = &metadata->environment;
	r->tokener = json_tokener_new_ex(JSON_NESTING);
	if (setjmp(r->failed)) {
		forget(r);
		arena_free(arena);
		return NULL;
	}
	while (at < text + len) {
		const char *begin = at + 1, *end;

		if (at + 1 < text + len && *begin == RECORD_SEPARATOR) {	/* no text between two is none */
			at++;
			continue;
		}
		r->number++;
		if (*at != RECORD_SEPARATOR)
			fail(r, "no record separator before it");
		end = memchr(begin, RECORD_SEPARATOR, (size_t)(text + len - begin));
		at = end ? end : text + len;
		read_fragment(r, (struct slice){ begin, (size_t)(at - begin) });
	}
	forget(r);
	return metadata;
}
