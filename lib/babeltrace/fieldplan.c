// SPDX-License-Identifier: MIT
// pkg-config: babeltrace2
#include "babeltrace/fieldplan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "traces/keys.h"

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

static struct key padded(struct key key)
{
	size_t strides = (key.len + FIELD_KEY_STRIDE - 1) / FIELD_KEY_STRIDE;

	return (struct key){ memory_resize((char *)(uintptr_t)key.at, strides * FIELD_KEY_STRIDE), key.len };
}

/* The key of PARENT.NAME, unlike all others. */
static struct key make_key(struct fieldplan_maker *maker, struct slice parent, struct slice name)
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

static enum field_kind integer_kind(const bt_field_class *class, bool is_signed)
{
	bool hex = bt_field_class_integer_get_preferred_display_base(class) ==
		   BT_FIELD_CLASS_INTEGER_PREFERRED_DISPLAY_BASE_HEXADECIMAL;

	if (is_signed)
		return hex ? FIELD_SIGNED_HEX : FIELD_SIGNED;
	return hex ? FIELD_UNSIGNED_HEX : FIELD_UNSIGNED;
}

static enum field_kind kind_of(const bt_field_class *class)
{
	bt_field_class_type type = bt_field_class_get_type(class);

	switch (type) {
	case BT_FIELD_CLASS_TYPE_BOOL:
		return FIELD_BOOLEAN;
	case BT_FIELD_CLASS_TYPE_BIT_ARRAY:
		return FIELD_BITS;
	case BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER:
		return integer_kind(class, false);
	case BT_FIELD_CLASS_TYPE_SIGNED_INTEGER:
		return integer_kind(class, true);
	case BT_FIELD_CLASS_TYPE_UNSIGNED_ENUMERATION:
		return FIELD_UNSIGNED_LABEL;
	case BT_FIELD_CLASS_TYPE_SIGNED_ENUMERATION:
		return FIELD_SIGNED_LABEL;
	case BT_FIELD_CLASS_TYPE_SINGLE_PRECISION_REAL:
		return FIELD_SINGLE;
	case BT_FIELD_CLASS_TYPE_DOUBLE_PRECISION_REAL:
		return FIELD_DOUBLE;
	case BT_FIELD_CLASS_TYPE_STRING:
		return FIELD_TEXT;
	case BT_FIELD_CLASS_TYPE_STRUCTURE:
		return FIELD_STRUCTURE;
	default:
		if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY))
			return FIELD_ARRAY;
		if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_OPTION))
			return FIELD_OPTION;
		if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_VARIANT))
			return FIELD_VARIANT;
		return FIELD_NOTHING;
	}
}

bool fieldplan_is_length(const bt_field_class *structure, const char *name)
{
	const bt_field_class_structure_member *member;
	enum field_kind kind;
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
	return kind == FIELD_ARRAY || kind == FIELD_TEXT;
}

/* A node for something that repeats or replaces: its names only meet each other. */
static struct fieldplan make_apart(struct fieldplan_maker *maker, const bt_field_class *class,
				   struct slice base)
{
	struct intern *names = maker->names;
	struct fieldplan node;

	maker->names = intern_new();
	node = fieldplan_make(maker, class, (struct slice){ "", 0 }, base);
	intern_free(maker->names);
	maker->names = names;
	return node;
}

static void make_members(struct fieldplan_maker *maker, struct fieldplan *node, const bt_field_class *class)
{
	uint64_t count = bt_field_class_structure_get_member_count(class);

	node->child = memory_get(count * sizeof *node->child);
	for (uint64_t i = 0; i < count; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(class, i);
		const char *name = bt_field_class_structure_member_get_name(member);

		if (fieldplan_is_length(class, name))
			continue;
		node->child[node->n] =
			fieldplan_make(maker,
				       bt_field_class_structure_member_borrow_field_class_const(member),
				       key_name(node->key), slice_of(name));
		node->child[node->n++].index = (uint32_t)i;
	}
}

static void make_options(struct fieldplan_maker *maker, struct fieldplan *node, const bt_field_class *class)
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

struct fieldplan fieldplan_make(struct fieldplan_maker *maker, const bt_field_class *class,
				struct slice parent, struct slice name)
{
	struct fieldplan node = { .kind = kind_of(class) };
	struct slice own;

	node.key = make_key(maker, parent, name);
	own = key_name(node.key);
	node.part = own;
	if (parent.len && own.len > parent.len) {
		node.part.at += parent.len + 1;
		node.part.len -= parent.len + 1;
	}
	node.wanted = selection_field(maker->selection, own) ? FIELD_ALL :
		      wants_part(maker->selection, own) ? FIELD_SOME : FIELD_NONE;
	switch (node.kind) {
	case FIELD_STRUCTURE:
		make_members(maker, &node, class);
		return node;
	case FIELD_VARIANT:
		make_options(maker, &node, class);
		return node;
	case FIELD_OPTION:
		node.child = memory_get(sizeof *node.child);
		node.child[node.n++] =
			make_apart(maker, bt_field_class_option_borrow_field_class_const(class), own);
		return node;
	case FIELD_ARRAY: {
		uint32_t fixed = maker->fixed;

		node.child = memory_get(sizeof *node.child);
		node.child[node.n++] =
			make_apart(maker, bt_field_class_array_borrow_element_field_class_const(class), own);
		maker->fixed = fixed + 2;
		node.length_key = length_key(own);
		return node;
	}
	case FIELD_TEXT:
		node.length_key = length_key(own);
		maker->fixed++;
		break;
	case FIELD_SIGNED_HEX:
		node.bits = (int)bt_field_class_integer_get_field_value_range(class);
		break;
	default:
		break;
	}
	maker->fixed++;
	return node;
}
