// SPDX-License-Identifier: MIT
// pkg-config: babeltrace2
#include "eventplan.h"

#include <stdio.h>
#include <stdlib.h>

#include "eventname.h"
#include "intern.h"
#include "keys.h"
#include "memory.h"
#include "reader.h"

enum kind { BOOLEAN, BITS, UNSIGNED, UNSIGNED_HEX, SIGNED, SIGNED_HEX, UNSIGNED_LABEL, SIGNED_LABEL, SINGLE,
	    DOUBLE, TEXT, STRUCTURE, ARRAY, OPTION, VARIANT, NOTHING };

enum wanted { NONE, SOME, ALL };

/* A field, where it stands in its structure, and what it becomes. */
struct node {
	enum kind kind;
	enum wanted wanted;
	uint32_t index;		/* among the members of the structure that it is one of */
	int bits;		/* width, where it matters */
	struct key key;		/* ready for the writer */
	struct key length_key;	/* NAME.length */
	struct slice part; /* the last part of the name: what is added to a path that is made per event */
	struct node *child;	/* members; options; the element */
	uint32_t n;
};

enum section { COMMON_CONTEXT, SPECIFIC_CONTEXT, PAYLOAD, SECTIONS };

/* A member of one of the event's sections. */
struct step {
	enum section section;
	struct node node;
};

struct eventplan {
	bool wanted, has_clock;
	const struct selection *selection;
	struct slice begin;	/* `<TAB>ev=NAME` */
	struct key cpu;		/* without length: not wanted */
	struct step *steps;
	size_t n, room;
	uint32_t fixed;		/* fields that an event has at most besides elements of arrays */
	bool sections[SECTIONS];
	/* While an event is written: */
	uint32_t left;		/* fields that it may still have */
	bool whole;
};

/* While a plan is made. */
struct maker {
	const struct selection *selection;
	struct intern *names;	/* taken so far */
	uint32_t fixed;
};

static struct slice key_name(struct key key)
{
	return (struct slice){ key.at + 1, key.len - 2 };
}

/* Whether a part of what is called NAME may be wanted by name: `-f addr.0`. */
static bool wants_part(const struct selection *selection, struct slice name)
{
	for (char **field = selection->fields; field && *field; field++)
		if (strlen(*field) > name.len && memcmp(*field, name.at, name.len) == 0 &&
		    (*field)[name.len] == '.')
			return true;
	return false;
}

/* What put_number() copies of a key at once: so much is readable behind each key's beginning. */
enum { KEY_STRIDE = 32 };

static struct key padded(struct key key)
{
	return (struct key){ memory_resize((char *)(uintptr_t)key.at,
					   (key.len + KEY_STRIDE - 1) / KEY_STRIDE * KEY_STRIDE), key.len };
}

/* The key of PARENT.NAME, unlike all others. */
static struct key make_key(struct maker *maker, struct slice parent, struct slice name)
{
	struct keys_name key;

	keys_make(&key, maker->names, parent, name);
	return padded(key_of((struct slice){ key.text, key.len }));
}

static struct key length_key(struct slice name)
{
	char text[KEYS_LENGTH_MAX + 32];

	return key_of((struct slice){ text, (size_t)snprintf(text, sizeof text, "%.*s.length", (int)name.len,
							      name.at) });
}

static enum kind integer_kind(const bt_field_class *class, bool is_signed)
{
	bool hex = bt_field_class_integer_get_preferred_display_base(class) ==
		   BT_FIELD_CLASS_INTEGER_PREFERRED_DISPLAY_BASE_HEXADECIMAL;

	return is_signed ? (hex ? SIGNED_HEX : SIGNED) : (hex ? UNSIGNED_HEX : UNSIGNED);
}

static enum kind kind_of(const bt_field_class *class)
{
	bt_field_class_type type = bt_field_class_get_type(class);

	switch (type) {
	case BT_FIELD_CLASS_TYPE_BOOL:
		return BOOLEAN;
	case BT_FIELD_CLASS_TYPE_BIT_ARRAY:
		return BITS;
	case BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER:
		return integer_kind(class, false);
	case BT_FIELD_CLASS_TYPE_SIGNED_INTEGER:
		return integer_kind(class, true);
	case BT_FIELD_CLASS_TYPE_UNSIGNED_ENUMERATION:
		return UNSIGNED_LABEL;
	case BT_FIELD_CLASS_TYPE_SIGNED_ENUMERATION:
		return SIGNED_LABEL;
	case BT_FIELD_CLASS_TYPE_SINGLE_PRECISION_REAL:
		return SINGLE;
	case BT_FIELD_CLASS_TYPE_DOUBLE_PRECISION_REAL:
		return DOUBLE;
	case BT_FIELD_CLASS_TYPE_STRING:
		return TEXT;
	case BT_FIELD_CLASS_TYPE_STRUCTURE:
		return STRUCTURE;
	default:
		if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY))
			return ARRAY;
		if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_OPTION))
			return OPTION;
		if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_VARIANT))
			return VARIANT;
		return NOTHING;
	}
}

static struct node make(struct maker *maker, const bt_field_class *class, struct slice parent,
			struct slice name, const struct key *ready);

/* `_NAME_length`, which LTTng puts before the sequence or the text NAME. */
static bool is_only_a_length(const bt_field_class *structure, const char *name)
{
	const bt_field_class_structure_member *member;
	enum kind kind;
	struct slice of;
	char *text;

	if (!keys_is_length(slice_of(name), &of))
		return false;
	text = memory_copy(of);
	member = bt_field_class_structure_borrow_member_by_name_const(structure, text);
	free(text);
	if (!member)
		return false;
	kind = kind_of(bt_field_class_structure_member_borrow_field_class_const(member));
	return kind == ARRAY || kind == TEXT;
}

/* A node for something that repeats or replaces: its names only meet each other. */
static struct node make_apart(struct maker *maker, const bt_field_class *class, struct slice base)
{
	struct intern *names = maker->names;
	struct node node;

	maker->names = intern_new();
	node = make(maker, class, (struct slice){ "", 0 }, base, NULL);
	intern_free(maker->names);
	maker->names = names;
	return node;
}

static void make_members(struct maker *maker, struct node *node, const bt_field_class *class)
{
	uint64_t count = bt_field_class_structure_get_member_count(class);

	node->child = memory_get(count * sizeof *node->child);
	for (uint64_t i = 0; i < count; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(class, i);
		const char *name = bt_field_class_structure_member_get_name(member);

		if (is_only_a_length(class, name))
			continue;
		node->child[node->n] =
			make(maker, bt_field_class_structure_member_borrow_field_class_const(member),
			     key_name(node->key), slice_of(name), NULL);
		node->child[node->n++].index = (uint32_t)i;
	}
}

static void make_options(struct maker *maker, struct node *node, const bt_field_class *class)
{
	uint64_t count = bt_field_class_variant_get_option_count(class);
	uint32_t fixed = maker->fixed, most = fixed;

	node->child = memory_get(count * sizeof *node->child);
	for (uint64_t i = 0; i < count; i++) {
		maker->fixed = fixed;
		node->child[node->n++] =
			make_apart(maker,
				   bt_field_class_variant_option_borrow_field_class_const(
					   bt_field_class_variant_borrow_option_by_index_const(class, i)),
				   key_name(node->key));
		if (maker->fixed > most)
			most = maker->fixed;
	}
	maker->fixed = most;
}

static struct node make(struct maker *maker, const bt_field_class *class, struct slice parent,
			struct slice name, const struct key *ready)
{
	struct node node = { .kind = kind_of(class) };
	struct slice own;

	node.key = ready ? *ready : make_key(maker, parent, name);
	own = key_name(node.key);
	node.part = own;
	if (parent.len && own.len > parent.len) {
		node.part.at += parent.len + 1;
		node.part.len -= parent.len + 1;
	}
	node.wanted = selection_field(maker->selection, own)	? ALL
		      : wants_part(maker->selection, own)	? SOME
								: NONE;
	switch (node.kind) {
	case STRUCTURE:
		make_members(maker, &node, class);
		return node;
	case VARIANT:
		make_options(maker, &node, class);
		return node;
	case OPTION:
		node.child = memory_get(sizeof *node.child);
		node.child[node.n++] =
			make_apart(maker, bt_field_class_option_borrow_field_class_const(class), own);
		return node;
	case ARRAY: {
		uint32_t fixed = maker->fixed;

		node.child = memory_get(sizeof *node.child);
		node.child[node.n++] =
			make_apart(maker, bt_field_class_array_borrow_element_field_class_const(class), own);
		maker->fixed = fixed + 2;
		node.length_key = length_key(own);
		return node;
	}
	case TEXT:
		node.length_key = length_key(own);
		maker->fixed++;
		break;
	case SIGNED_HEX:
		node.bits = (int)bt_field_class_integer_get_field_value_range(class);
		break;
	default:
		break;
	}
	maker->fixed++;
	return node;
}

/* ---- the plan of an event ---- */

static const bt_field_class *section_class(const bt_event_class *event, enum section section)
{
	switch (section) {
	case COMMON_CONTEXT:
		return bt_stream_class_borrow_event_common_context_field_class_const(
			bt_event_class_borrow_stream_class_const(event));
	case SPECIFIC_CONTEXT:
		return bt_event_class_borrow_specific_context_field_class_const(event);
	default:
		return bt_event_class_borrow_payload_field_class_const(event);
	}
}

static bool has_member(const bt_field_class *structure, const char *name)
{
	return structure && bt_field_class_structure_borrow_member_by_name_const(structure, name);
}

static bool is_context(const bt_event_class *event, const char *name)
{
	return has_member(section_class(event, COMMON_CONTEXT), name) ||
	       has_member(section_class(event, SPECIFIC_CONTEXT), name);
}

static bool has_field(const void *event, bool in_payload, const char *name)
{
	return in_payload ? has_member(section_class(event, PAYLOAD), name) : is_context(event, name);
}

static void add_step(struct eventplan *plan, enum section section, uint64_t index, struct node node)
{
	plan->steps = memory_grow(plan->steps, &plan->room, plan->n + 1, sizeof *plan->steps);
	node.index = (uint32_t)index;
	plan->steps[plan->n++] = (struct step){ section, node };
	plan->sections[section] |= node.wanted != NONE || node.n;
}

static void add_members(struct eventplan *plan, struct maker *maker, const bt_event_class *event,
			const struct keys_who *who, enum section section, const char *only)
{
	const bt_field_class *class = section_class(event, section);
	uint64_t count = class ? bt_field_class_structure_get_member_count(class) : 0;

	for (uint64_t i = 0; i < count; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(class, i);
		const bt_field_class *field =
			bt_field_class_structure_member_borrow_field_class_const(member);
		const char *name = bt_field_class_structure_member_get_name(member);
		const char *as = keys_who_key(who, section == PAYLOAD, slice_of(name));
		struct slice parent = { "", 0 };

		if (only ? !as || strcmp(as, only) != 0 : as != NULL)
			continue;
		if (!only && is_only_a_length(class, name))
			continue;
		if (!as && (keys_reserved(slice_of(name)) || (section == PAYLOAD && is_context(event, name))))
			parent = section == PAYLOAD ? SLICE("payload") : SLICE("context");
		add_step(plan, section, i, make(maker, field, parent, slice_of(as ? as : name), NULL));
		if (only)
			return;
	}
}

static void name_event(struct eventplan *plan, const bt_event_class *event)
{
	const char *given = bt_event_class_get_name(event);
	char room[EVENTNAME_ROOM], *copy;
	struct writer *text;
	struct slice name;

	name = keys_event(slice_of(given ? given : ""), bt_event_class_get_id(event), is_context(event, "vpid"),
			  room);
	copy = memory_copy(name);
	plan->wanted = selection_event(plan->selection, copy);
	free(copy);
	text = writer_open(-1, "memory");
	writer_bytes(text, "\tev=", 4);
	writer_escaped(text, name);
	plan->begin.len = (size_t)(text->at - text->buffer);
	plan->begin.at = memory_copy((struct slice){ text->buffer, plan->begin.len });
	free(text->buffer);
	free(text);
}

struct eventplan *eventplan_new(const bt_event_class *event, const struct selection *selection)
{
	static const char *const first[] = { "pid", "tid", "comm" };
	struct eventplan *plan = memory_zeroed(sizeof *plan);
	struct maker maker = { .selection = selection };
	struct keys_who who;

	plan->selection = selection;
	plan->has_clock = bt_stream_class_borrow_default_clock_class_const(
				  bt_event_class_borrow_stream_class_const(event)) != NULL;
	name_event(plan, event);
	if (!plan->wanted)
		return plan;
	if (selection_field(selection, SLICE("cpu")))
		plan->cpu = KEY("cpu");
	who = keys_who(has_field, event);
	maker.names = intern_new();
	for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
		size_t before = plan->n;

		for (enum section s = 0; s < SECTIONS && plan->n == before; s++)
			add_members(plan, &maker, event, &who, s, first[i]);
	}
	for (enum section s = 0; s < SECTIONS; s++)
		add_members(plan, &maker, event, &who, s, NULL);
	plan->fixed = maker.fixed;
	intern_free(maker.names);
	return plan;
}

bool eventplan_wanted(const struct eventplan *plan)
{
	return plan->wanted;
}

bool eventplan_has_clock(const struct eventplan *plan)
{
	return plan->has_clock;
}

/* ---- writing an event ---- */

static void put_text(struct eventplan *plan, struct writer *out, struct key key, struct key length,
		     const bt_field *field)
{
	struct slice text = { bt_field_string_get_value(field), bt_field_string_get_length(field) };
	size_t full = text.len;

	if (full > 64) {
		size_t used = (size_t)(out->at - out->buffer);

		text.len = writer_fitting(text, used < KEYS_BYTES_MAX ? KEYS_BYTES_MAX - used : 0);
	}
	writer_text(out, key, text);
	if (text.len != full && length.len) {
		writer_u64(out, length, full);
		plan->whole = false;
	}
}

static void put_labels(struct writer *out, struct key key, const bt_field *field, bool is_signed)
{
	bt_field_class_enumeration_mapping_label_array labels;
	uint64_t count = 0;

	if (is_signed)
		bt_field_enumeration_signed_get_mapping_labels(field, &labels, &count);
	else
		bt_field_enumeration_unsigned_get_mapping_labels(field, &labels, &count);
	if (count == 0) {
		if (is_signed)
			writer_i64(out, key, bt_field_integer_signed_get_value(field));
		else
			writer_u64(out, key, bt_field_integer_unsigned_get_value(field));
		return;
	}
	for (uint64_t i = 0; i < count && i < 64; i++) {
		struct slice label = slice_of(labels[i]);

		if (label.len > 65536)
			label.len = 65536;
		if (i == 0) {
			writer_text(out, key, label);
		} else {
			writer_bytes(out, "|", 1);
			writer_escaped(out, label);
		}
	}
}

static void put_scalar(struct eventplan *plan, struct writer *out, const struct node *node, struct key key,
		       struct key length, const bt_field *field)
{
	uint64_t bits;

	switch (node->kind) {
	case UNSIGNED:
		writer_u64(out, key, bt_field_integer_unsigned_get_value(field));
		break;
	case SIGNED:
		writer_i64(out, key, bt_field_integer_signed_get_value(field));
		break;
	case UNSIGNED_HEX:
		writer_hex(out, key, bt_field_integer_unsigned_get_value(field));
		break;
	case SIGNED_HEX:
		bits = (uint64_t)bt_field_integer_signed_get_value(field);
		writer_hex(out, key, node->bits < 64 ? bits & (((uint64_t)1 << node->bits) - 1) : bits);
		break;
	case TEXT:
		put_text(plan, out, key, length, field);
		break;
	case UNSIGNED_LABEL:
	case SIGNED_LABEL:
		put_labels(out, key, field, node->kind == SIGNED_LABEL);
		break;
	case SINGLE: {
		/* The shortest text that reads back as this float is shorter than the double's. */
		writer_real(out, key, (double)bt_field_real_single_precision_get_value(field));
		break;
	}
	case DOUBLE:
		writer_real(out, key, bt_field_real_double_precision_get_value(field));
		break;
	case BOOLEAN:
		writer_u64(out, key, bt_field_bool_get_value(field) ? 1 : 0);
		break;
	case BITS:
		writer_hex(out, key, bt_field_bit_array_get_value_as_integer(field));
		break;
	default:
		return;
	}
	plan->left--;
}

/* The path of a field below an array, and the key made of it. */
struct path {
	char text[KEYS_LENGTH_MAX + 32];	/* TAB, the path, room for `.length=` */
	size_t len;
};

static bool path_add(struct path *path, struct slice part)
{
	if (path->len + 1 + part.len > KEYS_LENGTH_MAX)
		return false;
	path->text[path->len++] = '.';
	memcpy(path->text + path->len, part.at, part.len);
	path->len += part.len;
	return true;
}

static struct key path_key(struct path *path)
{
	path->text[path->len] = '=';
	return (struct key){ path->text, path->len + 1 };
}

static void put_elements(struct eventplan *plan, struct writer *out, const struct node *node,
			 struct path *path, bool all, const bt_field *field);

/* What is below an array: its keys are made as it comes. */
static void put_below(struct eventplan *plan, struct writer *out, const struct node *node, struct path *path,
		      bool all, const bt_field *field)
{
	size_t len = path->len;

	switch (node->kind) {
	case STRUCTURE:
		for (uint32_t i = 0; i < node->n; i++) {
			if (path_add(path, node->child[i].part))
				put_below(plan, out, &node->child[i], path, all,
					  bt_field_structure_borrow_member_field_by_index_const(
						  field, node->child[i].index));
			else
				plan->whole = false;
			path->len = len;
		}
		return;
	case OPTION:
		field = bt_field_option_borrow_field_const(field);
		if (field)
			put_below(plan, out, &node->child[0], path, all, field);
		return;
	case VARIANT:
		put_below(plan, out, &node->child[bt_field_variant_get_selected_option_index(field)], path,
			  all, bt_field_variant_borrow_selected_option_field_const(field));
		return;
	case ARRAY:
		put_elements(plan, out, node, path, all, field);
		return;
	case NOTHING:
		return;
	default:
		if (plan->left == 0)
			plan->whole = false;
		else if (all || selection_field(plan->selection, (struct slice){ path->text + 1, len - 1 }))
			put_scalar(plan, out, node, path_key(path), (struct key){ "", 0 }, field);
	}
}

static void put_elements(struct eventplan *plan, struct writer *out, const struct node *node,
			 struct path *path, bool all, const bt_field *field)
{
	uint64_t n = bt_field_array_get_length(field), i;
	size_t len = path->len;

	/* Nothing at all would read as a field that the event does not have. */
	if (n == 0 && all && plan->left) {
		writer_raw(out, path_key(path), (struct slice){ "", 0 });
		plan->left--;
	}
	for (i = 0; i < n; i++) {
		char number[NUMBER_TEXT];

		if (plan->left <= plan->fixed || out->at - out->buffer > KEYS_BYTES_MAX)
			break;
		if (!path_add(path, (struct slice){ number, number_put_u64(number, i) }))
			break;
		put_below(plan, out, node->child, path, all,
			  bt_field_array_borrow_element_field_by_index_const(field, i));
		path->len = len;
	}
	if (i == n)
		return;
	plan->whole = false;
	if (plan->left && path_add(path, SLICE("length"))) {
		writer_u64(out, path_key(path), n);
		plan->left--;
		path->len = len;
	}
}

static void put(struct eventplan *plan, struct writer *out, const struct node *node, const bt_field *field)
{
	struct path path;

	switch (node->kind) {
	case STRUCTURE:
		for (uint32_t i = 0; i < node->n; i++)
			put(plan, out, &node->child[i],
			    bt_field_structure_borrow_member_field_by_index_const(field,
										  node->child[i].index));
		return;
	case OPTION:
		field = bt_field_option_borrow_field_const(field);
		if (field)
			put(plan, out, &node->child[0], field);
		return;
	case VARIANT:
		put(plan, out, &node->child[bt_field_variant_get_selected_option_index(field)],
		    bt_field_variant_borrow_selected_option_field_const(field));
		return;
	case ARRAY:
		if (node->wanted == NONE)
			return;
		path.len = node->key.len - 1;
		memcpy(path.text, node->key.at, path.len);
		put_elements(plan, out, node, &path, node->wanted == ALL, field);
		return;
	default:
		if (node->wanted != ALL)
			return;
		if (plan->left)
			put_scalar(plan, out, node, node->key, node->length_key, field);
		else
			plan->whole = false;
	}
}

/* Nearly all fields of nearly all events: whole numbers, whose key and digits need one check for room. */
static bool put_number(struct writer *out, const struct node *node, const bt_field *field)
{
	static const char hex[] = "0123456789abcdef";
	char *to = writer_room(out, node->key.len + KEY_STRIDE + NUMBER_TEXT);
	uint64_t value;
	int shift;

	memcpy(to, node->key.at, KEY_STRIDE);
	if (node->key.len > KEY_STRIDE)
		memcpy(to, node->key.at, node->key.len);
	to += node->key.len;
	switch (node->kind) {
	case UNSIGNED:
		out->at = to + number_put_u64(to, bt_field_integer_unsigned_get_value(field));
		return true;
	case SIGNED:
		out->at = to + number_put_i64(to, bt_field_integer_signed_get_value(field));
		return true;
	case UNSIGNED_HEX:
		value = bt_field_integer_unsigned_get_value(field);
		shift = value ? (63 - __builtin_clzll(value)) / 4 * 4 : 0;
		*to++ = '0';
		*to++ = 'x';
		for (; shift >= 0; shift -= 4)
			*to++ = hex[value >> shift & 15];
		out->at = to;
		return true;
	default:
		return false;
	}
}

bool eventplan_write(struct eventplan *plan, struct writer *out, const bt_event *event, int64_t ts,
		     int64_t cpu)
{
	const bt_field *section[SECTIONS] = { NULL };

	plan->left = RECORD_FIELDS_MAX - 3;
	plan->whole = true;
	writer_i64(out, (struct key){ "ts=", 3 }, ts);
	writer_bytes(out, plan->begin.at, plan->begin.len);
	if (cpu != CPU_UNKNOWN && plan->cpu.len)
		writer_i64(out, plan->cpu, cpu);
	if (plan->sections[COMMON_CONTEXT])
		section[COMMON_CONTEXT] = bt_event_borrow_common_context_field_const(event);
	if (plan->sections[SPECIFIC_CONTEXT])
		section[SPECIFIC_CONTEXT] = bt_event_borrow_specific_context_field_const(event);
	if (plan->sections[PAYLOAD])
		section[PAYLOAD] = bt_event_borrow_payload_field_const(event);
	for (const struct step *step = plan->steps, *end = step + plan->n; step < end; step++) {
		const bt_field *field;

		if (!section[step->section])
			continue;
		field = bt_field_structure_borrow_member_field_by_index_const(section[step->section],
									      step->node.index);
		if (step->node.wanted == ALL && plan->left && put_number(out, &step->node, field))
			plan->left--;
		else
			put(plan, out, &step->node, field);
	}
	writer_end(out);
	return plan->whole;
}
