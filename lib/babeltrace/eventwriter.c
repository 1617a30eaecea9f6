// SPDX-License-Identifier: MIT
// pkg-config: babeltrace2
#include "babeltrace/eventwriter.h"

#include "records/reader.h"
#include "traces/keys.h"

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

static void put_scalar(struct eventplan *plan, struct writer *out, const struct fieldplan *node,
		       struct key key, struct key length, const bt_field *field)
{
	uint64_t bits;

	switch (node->kind) {
	case FIELD_UNSIGNED:
		writer_u64(out, key, bt_field_integer_unsigned_get_value(field));
		break;
	case FIELD_SIGNED:
		writer_i64(out, key, bt_field_integer_signed_get_value(field));
		break;
	case FIELD_UNSIGNED_HEX:
		writer_hex(out, key, bt_field_integer_unsigned_get_value(field));
		break;
	case FIELD_SIGNED_HEX:
		bits = (uint64_t)bt_field_integer_signed_get_value(field);
		writer_hex(out, key, node->bits < 64 ? bits & (((uint64_t)1 << node->bits) - 1) : bits);
		break;
	case FIELD_TEXT:
		put_text(plan, out, key, length, field);
		break;
	case FIELD_UNSIGNED_LABEL:
	case FIELD_SIGNED_LABEL:
		put_labels(out, key, field, node->kind == FIELD_SIGNED_LABEL);
		break;
	case FIELD_SINGLE:
		/* The shortest text that reads back as this float is shorter than the double's. */
		writer_real(out, key, (double)bt_field_real_single_precision_get_value(field));
		break;
	case FIELD_DOUBLE:
		writer_real(out, key, bt_field_real_double_precision_get_value(field));
		break;
	case FIELD_BOOLEAN:
		writer_u64(out, key, bt_field_bool_get_value(field) ? 1 : 0);
		break;
	case FIELD_BITS:
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

static void put_elements(struct eventplan *plan, struct writer *out, const struct fieldplan *node,
			 struct path *path, bool all, const bt_field *field);

/* What is below an array: its keys are made as it comes. */
static void put_below(struct eventplan *plan, struct writer *out, const struct fieldplan *node,
		      struct path *path, bool all, const bt_field *field)
{
	size_t len = path->len;

	switch (node->kind) {
	case FIELD_STRUCTURE:
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
	case FIELD_OPTION:
		field = bt_field_option_borrow_field_const(field);
		if (field)
			put_below(plan, out, &node->child[0], path, all, field);
		return;
	case FIELD_VARIANT:
		put_below(plan, out, &node->child[bt_field_variant_get_selected_option_index(field)], path,
			  all, bt_field_variant_borrow_selected_option_field_const(field));
		return;
	case FIELD_ARRAY:
		put_elements(plan, out, node, path, all, field);
		return;
	case FIELD_NOTHING:
		return;
	default:
		if (plan->left == 0)
			plan->whole = false;
		else if (all || selection_field(plan->selection, (struct slice){ path->text + 1, len - 1 }))
			put_scalar(plan, out, node, path_key(path), (struct key){ "", 0 }, field);
	}
}

static void put_elements(struct eventplan *plan, struct writer *out, const struct fieldplan *node,
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

static void put(struct eventplan *plan, struct writer *out, const struct fieldplan *node,
		const bt_field *field)
{
	struct path path;

	switch (node->kind) {
	case FIELD_STRUCTURE:
		for (uint32_t i = 0; i < node->n; i++)
			put(plan, out, &node->child[i],
			    bt_field_structure_borrow_member_field_by_index_const(field,
										  node->child[i].index));
		return;
	case FIELD_OPTION:
		field = bt_field_option_borrow_field_const(field);
		if (field)
			put(plan, out, &node->child[0], field);
		return;
	case FIELD_VARIANT:
		put(plan, out, &node->child[bt_field_variant_get_selected_option_index(field)],
		    bt_field_variant_borrow_selected_option_field_const(field));
		return;
	case FIELD_ARRAY:
		if (node->wanted == FIELD_NONE)
			return;
		path.len = node->key.len - 1;
		memcpy(path.text, node->key.at, path.len);
		put_elements(plan, out, node, &path, node->wanted == FIELD_ALL, field);
		return;
	default:
		if (node->wanted != FIELD_ALL)
			return;
		if (plan->left)
			put_scalar(plan, out, node, node->key, node->length_key, field);
		else
			plan->whole = false;
	}
}

/* Nearly all fields of nearly all events: whole numbers, whose key and digits need one check for room. */
static bool put_number(struct writer *out, const struct fieldplan *node, const bt_field *field)
{
	static const char hex[] = "0123456789abcdef";
	char *to = writer_room(out, node->key.len + FIELD_KEY_STRIDE + NUMBER_TEXT);
	uint64_t value;
	int shift;

	memcpy(to, node->key.at, FIELD_KEY_STRIDE);
	if (node->key.len > FIELD_KEY_STRIDE)
		memcpy(to, node->key.at, node->key.len);
	to += node->key.len;
	switch (node->kind) {
	case FIELD_UNSIGNED:
		out->at = to + number_put_u64(to, bt_field_integer_unsigned_get_value(field));
		return true;
	case FIELD_SIGNED:
		out->at = to + number_put_i64(to, bt_field_integer_signed_get_value(field));
		return true;
	case FIELD_UNSIGNED_HEX:
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

bool eventwriter_put(struct eventplan *plan, struct writer *out, const bt_event *event, int64_t ts,
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
	for (const struct eventplan_step *step = plan->steps, *end = step + plan->n; step < end; step++) {
		const bt_field *field;

		if (step->section == NO_SECTION) {
			writer_bytes(out, step->field.key.at, step->field.key.len);
			plan->left--;
			continue;
		}
		if (!section[step->section])
			continue;
		field = bt_field_structure_borrow_member_field_by_index_const(section[step->section],
									      step->field.index);
		if (step->field.wanted == FIELD_ALL && plan->left && put_number(out, &step->field, field))
			plan->left--;
		else
			put(plan, out, &step->field, field);
	}
	writer_end(out);
	return plan->whole;
}
