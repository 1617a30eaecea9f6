// SPDX-License-Identifier: MIT
// pkg-config: babeltrace2
#include "babeltrace/eventplan.h"

#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "traces/eventname.h"
#include "traces/keys.h"

static const bt_field_class *section_class(const bt_event_class *event, enum eventplan_section section)
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

static void add_step(struct eventplan *plan, enum eventplan_section section, uint64_t index,
		     struct fieldplan field)
{
	plan->steps = memory_grow(plan->steps, &plan->room, plan->n + 1, sizeof *plan->steps);
	field.index = (uint32_t)index;
	plan->steps[plan->n++] = (struct eventplan_step){ section, field };
	if (section != NO_SECTION)
		plan->sections[section] |= field.wanted != FIELD_NONE || field.n;
}

static void add_members(struct eventplan *plan, struct fieldplan_maker *maker, const bt_event_class *event,
			const struct keys_who *who, enum eventplan_section section, const char *only)
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
		if (!only && fieldplan_is_length(class, name))
			continue;
		if (!as && (keys_reserved(slice_of(name)) || (section == PAYLOAD && is_context(event, name))))
			parent = section == PAYLOAD ? SLICE("payload") : SLICE("context");
		add_step(plan, section, i, fieldplan_make(maker, field, parent, slice_of(as ? as : name)));
		if (only)
			return;
	}
}

static const bt_value *environment(const bt_trace *trace, const char *as)
{
	const char *name = keys_environment(as);

	return name ? bt_trace_borrow_environment_entry_value_by_name_const(trace, name) : NULL;
}

/* Where no field is AS: what the environment says instead. */
static void add_constant(struct eventplan *plan, struct fieldplan_maker *maker, const bt_trace *trace, const char *as)
{
	const bt_value *value = environment(trace, as);
	struct writer *text;
	struct key key;

	if (!value || !selection_field(plan->selection, slice_of(as)))
		return;
	text = writer_open(-1, "memory");
	key = strcmp(as, "pid") == 0 ? KEY("pid") : KEY("comm");
	if (bt_value_is_signed_integer(value)) {
		writer_i64(text, key, bt_value_integer_signed_get(value));
	} else if (bt_value_is_string(value)) {
		struct slice name = slice_of(bt_value_string_get(value));

		if (name.len > KEYS_ENVIRONMENT_MAX)
			name.len = KEYS_ENVIRONMENT_MAX;
		if (name.len)
			writer_text(text, key, name);
	}
	key.len = (size_t)(text->at - text->buffer);
	key.at = memory_copy((struct slice){ text->buffer, key.len });
	if (key.len) {
		add_step(plan, NO_SECTION, 0, (struct fieldplan){ .key = key });
		maker->fixed++;
	}
	free(text->buffer);
	free(text);
}

static void name_event(struct eventplan *plan, const bt_trace *trace, const bt_event_class *event)
{
	const char *given = bt_event_class_get_name(event);
	char room[EVENTNAME_ROOM], *copy;
	struct writer *text;
	struct slice name;

	name = keys_event(slice_of(given ? given : ""), bt_event_class_get_id(event),
			  is_context(event, "vpid") || environment(trace, "pid"), room);
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

struct eventplan *eventplan_new(const bt_trace *trace, const bt_event_class *event, const struct selection *selection)
{
	static const char *const first[] = { "pid", "tid", "comm" };
	struct eventplan *plan = memory_zeroed(sizeof *plan);
	struct fieldplan_maker maker = { .selection = selection };
	struct keys_who who;

	plan->selection = selection;
	plan->has_clock = bt_stream_class_borrow_default_clock_class_const(
				  bt_event_class_borrow_stream_class_const(event)) != NULL;
	name_event(plan, trace, event);
	if (!plan->wanted)
		return plan;
	if (selection_field(selection, SLICE("cpu")))
		plan->cpu = KEY("cpu");
	who = keys_who(has_field, event);
	maker.names = intern_new();
	for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
		size_t before = plan->n;

		for (enum eventplan_section s = 0; s < SECTIONS && plan->n == before; s++)
			add_members(plan, &maker, event, &who, s, first[i]);
		if (plan->n == before)
			add_constant(plan, &maker, trace, first[i]);
	}
	for (enum eventplan_section s = 0; s < SECTIONS; s++)
		add_members(plan, &maker, event, &who, s, NULL);
	plan->fixed = maker.fixed;
	intern_free(maker.names);
	return plan;
}
