// SPDX-License-Identifier: MIT
#include "ctf/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/intern.h"
#include "base/memory.h"
#include "records/writer.h"
#include "traces/eventname.h"
#include "traces/keys.h"

/* An integer that has been planned, by its path from its scope's root: lengths and tags refer to it. */
struct plan_visible {
	struct slice path;	/* with the names as the metadata has them */
	enum plan_scope_name scope;
	uint32_t step;
};

/* Keys that must differ, and those of what is around. */
struct taken {
	struct intern *keys;
	struct taken *outer;
};

struct planner {
	struct ctf_metadata *metadata;
	struct arena *arena;
	const struct selection *selection;
	struct ctf_plan *plan;
	size_t steps_room;
	struct plan_visible *visible;
	size_t visible_n, visible_room;
	enum plan_scope_name scope;
	unsigned registers;		/* of the event, or of the header */
	struct taken *taken;		/* NULL for a header, which has no keys */
	bool in_array;
	struct ctf_header *header;	/* NULL while an event is planned */
	struct ctf_header *const *outer;	/* the headers that are recorded before */
	const char *const *names;	/* of the values that it keeps */
	char path[PLAN_KEY_MAX];	/* of the structure that is being planned, with a final dot */
	size_t path_len;
	size_t level[CTF_NESTING_MAX + 1];	/* how much of the path leads to each structure around */
	unsigned levels;
	char *error;
	size_t error_size;
	jmp_buf failed;
};

_Noreturn static void fail(struct planner *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct planner *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->error, p->error_size, format, args);
	va_end(args);
	longjmp(p->failed, 1);
}

static int shown(struct slice text)
{
	return text.len > 60 ? 60 : (int)text.len;
}

/* The step is addressed by its index: adding steps moves them. */
static struct plan_step *step_at(struct planner *p, uint32_t index)
{
	return &p->plan->steps[index];
}

static uint32_t add_step(struct planner *p, enum plan_op op, uint32_t align)
{
	uint32_t index = p->plan->steps_n;

	if (index >= PLAN_STEPS_MAX)
		fail(p, "more than %d fields", PLAN_STEPS_MAX);
	if (arena_bytes(p->arena) > p->metadata->memory_max)
		fail(p, "the fields of all events take more than %zu MiB", p->metadata->memory_max >> 20);
	p->plan->steps = memory_grow(p->plan->steps, &p->steps_room, index + 1, sizeof *p->plan->steps);
	p->plan->steps[index] = (struct plan_step){ .op = op, .align = align };
	p->plan->steps_n++;
	return index;
}

/* A name as the record has it: without the underscore that tracers put before names. */
static struct slice bare(struct slice name)
{
	if (name.len > 1 && name.at[0] == '_')
		return (struct slice){ name.at + 1, name.len - 1 };
	return name;
}

/* SHOWN and TAIL as the step's key, padded so that it can be copied in whole blocks. */
static void set_key(struct planner *p, uint32_t step, struct slice shown, const char *tail)
{
	size_t tail_len = strlen(tail), len = shown.len + tail_len;
	char *key = arena_get(p->arena, len + PLAN_KEY_PADDING);

	if (shown.len)
		memcpy(key, shown.at, shown.len);
	memcpy(key + shown.len, tail, tail_len);
	step_at(p, step)->key = key;
	step_at(p, step)->key_len = (uint32_t)len;
}

static uint8_t new_register(struct planner *p)
{
	unsigned from = p->header ? ctf_header_register(p->header) : PLAN_EVENT_REGISTER;
	unsigned max = p->header ? PLAN_HEADER_REGISTERS : PLAN_REGISTERS - PLAN_EVENT_REGISTER;

	if (++p->registers >= max)
		fail(p, "more than %u lengths and tags", max - 1);
	if (p->header)
		p->header->registers = (uint8_t)p->registers;
	return (uint8_t)(from + p->registers);
}

/* The same for a value of a header that was made before. */
static uint8_t outer_register(struct planner *p, struct ctf_header *header)
{
	if (header->registers + 1 >= PLAN_HEADER_REGISTERS)
		fail(p, "more than %d lengths and tags", PLAN_HEADER_REGISTERS - 1);
	return (uint8_t)(ctf_header_register(header) + ++header->registers);
}

/* The register for times of SIZE bits. */
static uint8_t time_register(struct planner *p, uint32_t size)
{
	struct ctf_header *h = p->header;

	for (unsigned i = 0; i < h->times; i++)
		if (h->time[i].size == size)
			return h->time[i].keep;
	if (h->times == HEADER_TIMES_MAX)
		fail(p, "times of more than %d widths in a header", HEADER_TIMES_MAX);
	h->time[h->times].size = (uint8_t)size;
	h->time[h->times].keep = new_register(p);
	if (size == 0)
		new_register(p);	/* for the width */
	return h->time[h->times++].keep;
}

/* Has a value of a header kept, if it is one that was asked for, or a time. */
static void keep_header_value(struct planner *p, const struct ctf_field *field, uint32_t step)
{
	for (unsigned i = 0; p->names[i]; i++) {
		if (slice_equal(ctf_field_role(p->metadata, field), slice_of(p->names[i]))) {
			if (!p->header->name[i])
				p->header->name[i] = new_register(p);
			step_at(p, step)->keep = p->header->name[i];
			return;
		}
	}
	if (field->type->clock && (field->type->kind == CTF_INTEGER || field->type->kind == CTF_ENUM)) {
		p->header->clock = field->type->clock;
		step_at(p, step)->keep = time_register(p, field->type->is_variable ? 0 : field->type->size);
		step_at(p, step)->keeps_width = field->type->is_variable;
	}
}

/* --- references ------------------------------------------------------------------------------------- */

static void make_visible(struct planner *p, struct slice name, uint32_t step)
{
	char path[2 * PLAN_KEY_MAX];
	size_t len = p->path_len + name.len;

	if (len > sizeof path)
		fail(p, "a path of more than %zu characters", sizeof path);
	memcpy(path, p->path, p->path_len);
	memcpy(path + p->path_len, name.at, name.len);
	p->visible = memory_grow(p->visible, &p->visible_room, p->visible_n + 1, sizeof *p->visible);
	p->visible[p->visible_n++] = (struct plan_visible){
		.path = arena_copy(p->arena, (struct slice){ path, len }),
		.scope = p->scope,
		.step = step,
	};
}

static bool find_visible(const struct plan_visible *visible, size_t n, enum plan_scope_name scope,
			 struct slice prefix, struct slice name, uint32_t *step)
{
	while (n-- > 0) {
		const struct plan_visible *v = &visible[n];

		if (v->scope == scope && v->path.len == prefix.len + name.len &&
		    memcmp(v->path.at, prefix.at, prefix.len) == 0 &&
		    memcmp(v->path.at + prefix.len, name.at, name.len) == 0) {
			*step = v->step;
			return true;
		}
	}
	return false;
}

/* What is referred to: a step of a header recorded before, or of the plan that is being made (NULL). */
struct target {
	struct ctf_header *header;
	uint32_t step;
};

/* Looks for PATH from the root of SCOPE, which is this one or one before. */
static bool find_in_scope(const struct planner *p, enum plan_scope_name scope, struct slice path,
			  struct target *target)
{
	target->header = NULL;
	if (scope < SCOPE_STREAM_CONTEXT && scope < p->scope) {
		target->header = p->outer[scope];
		return find_visible(target->header->visible, target->header->visible_n, scope, SLICE(""), path,
				    &target->step);
	}
	return find_visible(p->visible, p->visible_n, scope, SLICE(""), path, &target->step);
}

/*
 * The integer that REFERENCE names (CTF 1.8.3, 7.3.2): absolute, or looked for in the structures around,
 * the innermost first, then in the scopes recorded before.
 */
static struct target resolve(struct planner *p, const struct ctf_type *type)
{
	static const char *const roots[SCOPE_COUNT] = { "trace.packet.header.", "stream.packet.context.",
						   "stream.event.header.", "stream.event.context.",
						   "event.context.", "event.fields." };
	struct slice reference = type->reference;
	struct target target = { 0 };
	bool found = false;

	for (enum plan_scope_name scope = 0; scope <= p->scope && !found; scope++) {
		size_t n = strlen(roots[scope]);

		if (reference.len > n && memcmp(reference.at, roots[scope], n) == 0)
			found = find_in_scope(p, scope, (struct slice){ reference.at + n, reference.len - n }, &target);
	}
	if (type->is_exact && !found && type->up < p->levels) {
		target.header = NULL;
		found = find_visible(p->visible, p->visible_n, p->scope,
				     (struct slice){ p->path, p->level[p->levels - 1 - type->up] }, reference,
				     &target.step);
	}
	for (size_t len = p->path_len; !found && !type->is_exact;) {
		target.header = NULL;
		found = find_visible(p->visible, p->visible_n, p->scope, (struct slice){ p->path, len }, reference,
				     &target.step);
		if (len == 0)
			break;
		for (len--; len && p->path[len - 1] != '.'; len--)
			;
	}
	for (unsigned scope = p->scope; scope-- > 0 && !found && !type->is_exact;)
		found = find_in_scope(p, scope, reference, &target);
	if (!found)
		fail(p, "nothing recorded before is called '%.*s'", shown(reference), reference.at);
	return target;
}

/* Valid until a step is added. */
static struct plan_step *target_step(struct planner *p, struct target target)
{
	return target.header ? &target.header->steps[target.step] : step_at(p, target.step);
}

static uint8_t kept(struct planner *p, struct target target);

/* The register of a length. */
static uint8_t length_register(struct planner *p, const struct ctf_type *type)
{
	struct target target = resolve(p, type);
	const struct plan_step *step = target_step(p, target);

	if (step->is_signed || step->is_bool)
		fail(p, "the length '%.*s' is not an unsigned integer", shown(type->reference), type->reference.at);
	return kept(p, target);
}

/* The register that has the target's value. */
static uint8_t kept(struct planner *p, struct target target)
{
	struct plan_step *step = target_step(p, target);

	if (step->keep == 0)
		step->keep = target.header ? outer_register(p, target.header) : new_register(p);
	if (target.header)
		target.header->referred = true;
	return step->keep;
}

/* --- names ------------------------------------------------------------------------------------------ */

/* What a field is called. */
struct naming {
	struct slice full;	/* its key, indexes of arrays left out: for -f, and to tell keys apart */
	struct slice shown;	/* what its step writes; within an array, what comes behind the index */
	bool silent;		/* not wanted */
};

static void names_begin(struct planner *p)
{
	struct taken *inner = memory_get(sizeof *inner);

	*inner = (struct taken){ intern_new(), p->taken };
	p->taken = inner;
}

/* Names within an array, or an option, meet only each other. */
static void names_apart(struct planner *p, struct slice base)
{
	names_begin(p);
	intern_id(p->taken->keys, base);
}

static void names_back(struct planner *p)
{
	struct taken *inner = p->taken;

	p->taken = inner->outer;
	intern_free(inner->keys);
	free(inner);
}

static struct slice join(struct planner *p, struct slice a, const char *between, struct slice b)
{
	size_t n = strlen(between);
	char *text = arena_get(p->arena, a.len + n + b.len);

	memcpy(text, a.at, a.len);
	memcpy(text + a.len, between, n);
	memcpy(text + a.len + n, b.at, b.len);
	return (struct slice){ text, a.len + n + b.len };
}

/* A member of the structure that is called PARENT. */
static struct naming name_member(struct planner *p, const struct naming *parent, struct slice name)
{
	struct naming member = { .silent = parent->silent };
	struct keys_name key;
	struct slice part;

	keys_make(&key, p->taken->keys, parent->full, name);
	member.full = arena_copy(p->arena, (struct slice){ key.text, key.len });
	part = member.full;
	if (part.len > parent->full.len) {
		part.at += parent->full.len + 1;
		part.len -= parent->full.len + 1;
	}
	member.shown = join(p, parent->shown, ".", part);
	return member;
}

/* A field of a context or of the payload: AS where that is not NULL, else NAME, below PARENT ("": none). */
static struct naming name_top(struct planner *p, const char *as, struct slice parent, struct slice name)
{
	struct naming top = { 0 };
	struct keys_name key;

	keys_make(&key, p->taken->keys, parent, as ? slice_of(as) : name);
	top.full = arena_copy(p->arena, (struct slice){ key.text, key.len });
	top.shown = join(p, SLICE("\t"), "", top.full);
	return top;
}

/* Whether something below the field is wanted by its name: `-f addr.0`. */
static bool wants_part(const struct selection *selection, struct slice key)
{
	for (char **field = selection->fields; field && *field; field++)
		if (strlen(*field) > key.len && memcmp(*field, key.at, key.len) == 0 && (*field)[key.len] == '.')
			return true;
	return false;
}

/* --- types ------------------------------------------------------------------------------------------ */

static void plan_type(struct planner *p, const struct ctf_type *type, const struct naming *name);

/* Whether a value is not written. Within an array that is seen by its key, which is made as it comes. */
static bool is_silent(const struct planner *p, const struct naming *name)
{
	return name->silent || (!p->in_array && !selection_field(p->selection, name->full));
}

static bool is_big(const struct planner *p, const struct ctf_type *type)
{
	return (type->order == CTF_NATIVE ? p->metadata->order : type->order) == CTF_BIG;
}

static enum plan_op integer_op(const struct planner *p, const struct ctf_type *type)
{
	unsigned which = type->size == 8 ? 0 : type->size == 16 ? 1 : type->size == 32 ? 2 : 3;

	if (type->is_variable || type->is_reversed || type->is_bool || type->align < 8 || (type->size != 8 && type->size != 16 && type->size != 32 && type->size != 64) ||
	    (is_big(p, type) && type->size != 8))
		return PLAN_BITS;
	if (type->base == 16)
		return (enum plan_op)(PLAN_X8 + which);
	return (enum plan_op)((type->is_signed ? PLAN_S8 : PLAN_U8) + which);
}

static struct slice escaped(struct planner *p, struct slice text)
{
	struct writer scratch = { .at = arena_get(p->arena, text.len * 4 + 1) };

	scratch.buffer = scratch.at;
	scratch.limit = scratch.at + text.len * 4 + 1;
	writer_escaped(&scratch, text);
	return (struct slice){ scratch.buffer, (size_t)(scratch.at - scratch.buffer) };
}

static int compare_unsigned(const void *a, const void *b)
{
	const struct plan_range *x = a, *y = b;

	return (x->low > y->low) - (x->low < y->low);
}

static int compare_signed(const void *a, const void *b)
{
	const struct plan_range *x = a, *y = b;

	return ((int64_t)x->low > (int64_t)y->low) - ((int64_t)x->low < (int64_t)y->low);
}

/*
 * Sorts N options or labels of SIZE bytes, if none overlap. Few are not worth it: false then, and when some
 * overlap, whose order counts.
 */
static bool sorted(struct planner *p, void *ranges, uint32_t n, size_t size, bool is_signed)
{
	bool overlap = false;
	char *copy;

	if (n <= 8)
		return false;
	copy = memory_get(n * size);
	memcpy(copy, ranges, n * size);
	qsort(copy, n, size, is_signed ? compare_signed : compare_unsigned);
	for (uint32_t i = 1; i < n && !overlap; i++) {
		const struct plan_range *a = (const void *)(copy + (i - 1) * size);
		const struct plan_range *b = (const void *)(copy + i * size);

		overlap = is_signed ? (int64_t)b->low <= (int64_t)a->high : b->low <= a->high;
	}
	if (!overlap)
		memcpy(ranges, copy, n * size);
	free(copy);
	if (overlap && n > PLAN_OVERLAPS_MAX)
		fail(p, "%u ranges, some of which overlap: %d can be tried one by one", n, PLAN_OVERLAPS_MAX);
	return !overlap;
}

static uint32_t plan_number(struct planner *p, const struct ctf_type *type, const struct naming *name)
{
	enum plan_op op = type->kind == CTF_FLOAT ? PLAN_FLOAT : type->is_flags ? PLAN_FLAGS :
			  type->kind == CTF_ENUM ? PLAN_ENUM : integer_op(p, type);
	uint32_t index = add_step(p, op, type->align);
	struct plan_step *step = step_at(p, index);

	step->size = (uint8_t)type->size;
	step->is_signed = type->is_signed;
	step->is_big = is_big(p, type);
	step->is_hex = type->base == 16;
	step->is_variable = type->is_variable;
	step->is_reversed = type->is_reversed;
	step->is_bool = type->is_bool;
	step->is_bare = op == PLAN_BITS && !type->is_variable && !type->is_reversed && !type->is_bool && !type->is_signed &&
			type->base != 16;
	step->silent = is_silent(p, name);
	if (type->kind == CTF_ENUM) {
		struct plan_label *labels = arena_get(p->arena, type->n * sizeof *labels + 1);

		for (uint32_t i = 0; i < type->n; i++)
			labels[i] = (struct plan_label){ { type->ranges[i].low, type->ranges[i].high },
							 escaped(p, type->ranges[i].label) };
		step->labels = labels;
		step->options_n = type->n;
		step->is_sorted = op == PLAN_ENUM &&
				  sorted(p, labels, type->n, sizeof *labels, type->is_signed);
	}
	set_key(p, index, name->shown, "=");
	return index;
}

/* Arrays and sequences, of text and of anything. */
static void plan_array(struct planner *p, const struct ctf_type *type, const struct naming *name)
{
	bool is_text = type->element->is_text && type->element->kind == CTF_INTEGER && type->element->align == 8;
	uint8_t use = type->kind == CTF_SEQUENCE ? length_register(p, type) : 0;
	uint32_t index = add_step(p, is_text ? PLAN_TEXT : PLAN_ARRAY, type->align);
	struct plan_step *step = step_at(p, index);

	step->use = use;
	step->length = type->kind == CTF_ARRAY ? type->length : 0;
	step->encoding = type->encoding;
	set_key(p, index, name->shown, is_text ? "=" : "");
	if (is_text) {
		step->silent = is_silent(p, name);
	} else {
		/* Within an array, keys begin behind the element's index. */
		struct naming element = { name->full, SLICE(""), name->silent };
		bool was_in_array = p->in_array;

		names_apart(p, name->full);
		step->silent = name->silent || (is_silent(p, name) && !wants_part(p->selection, name->full));
		step->by_index = is_silent(p, name) && !step->silent;
		p->in_array = true;
		plan_type(p, type->element, &element);
		p->in_array = was_in_array;
		names_back(p);
		step_at(p, index)->body = p->plan->steps_n - index - 1;
	}
}

/* The length of a sequence or text beside it. */
static bool is_only_a_length(const struct ctf_type *type, struct slice name)
{
	struct slice of;

	if (!keys_is_length(bare(name), &of))
		return false;
	for (uint32_t i = 0; i < type->n; i++) {
		enum ctf_kind kind = type->fields[i].type->kind;

		if ((kind == CTF_ARRAY || kind == CTF_SEQUENCE || kind == CTF_STRING) &&
		    slice_equal(bare(type->fields[i].name), of))
			return true;
	}
	return false;
}

static void enter(struct planner *p, struct slice name, size_t *old)
{
	*old = p->path_len;
	if (name.len == 0)
		return;
	if (p->path_len + name.len + 1 > sizeof p->path)
		fail(p, "a path of more than %zu characters", sizeof p->path);
	memcpy(p->path + p->path_len, name.at, name.len);
	p->path[p->path_len + name.len] = '.';
	p->path_len += name.len + 1;
}

static void plan_field(struct planner *p, const struct ctf_field *field, const struct naming *name)
{
	uint32_t index = p->plan->steps_n;
	size_t old;

	enter(p, field->name, &old);
	plan_type(p, field->type, name);
	p->path_len = old;
	if (field->type->kind == CTF_INTEGER || field->type->kind == CTF_ENUM) {
		if (p->header)
			keep_header_value(p, field, index);
		make_visible(p, field->name, index);
	}
}

static void plan_struct(struct planner *p, const struct ctf_type *type, const struct naming *name)
{
	static const struct naming unwritten = { { "", 0 }, { "", 0 }, true };

	add_step(p, PLAN_ALIGN, type->align);
	if (p->levels > CTF_NESTING_MAX)
		fail(p, "types nest deeper than %d", CTF_NESTING_MAX);
	p->level[p->levels++] = p->path_len;
	for (uint32_t i = 0; i < type->n; i++) {
		const struct ctf_field *field = &type->fields[i];
		struct naming member;

		if (name->silent || is_only_a_length(type, field->name)) {
			plan_field(p, field, &unwritten);
		} else {
			member = name_member(p, name, bare(field->name));
			plan_field(p, field, &member);
		}
	}
	p->levels--;
}

/* The option of a variant that a label of the tag's enumeration selects has the label's name. */
static void plan_variant(struct planner *p, const struct ctf_type *type, const struct naming *name)
{
	struct target target = { 0 };
	const struct plan_step *tag;
	uint32_t index, n = 0;
	struct plan_option *options, *bodies = arena_get(p->arena, type->n * sizeof *bodies + 1);

	if (!type->reference.len)
		fail(p, "a variant without a tag");
	target = resolve(p, type);
	if (!type->ranges && target_step(p, target)->op != PLAN_ENUM)
		fail(p, "the tag of a variant is not an enumeration");
	index = add_step(p, PLAN_VARIANT, 1);
	step_at(p, index)->use = kept(p, target);
	for (uint32_t i = 0; i < type->n; i++) {
		names_apart(p, name->full);
		bodies[i].from = p->plan->steps_n - index - 1;
		/* The option's own name is not part of the key: the variant's is. */
		plan_field(p, &type->fields[i], name);
		names_back(p);
		bodies[i].n = p->plan->steps_n - index - 1 - bodies[i].from;
	}
	step_at(p, index)->body = p->plan->steps_n - index - 1;

	tag = target_step(p, target);
	if ((uint64_t)tag->options_n * type->n > PLAN_MATCHES_MAX)
		fail(p, "a variant of %u options with %u labels", type->n, tag->options_n);
	options = arena_get(p->arena, (type->ranges ? type->ranges_n : tag->options_n) * sizeof *options + 1);
	for (uint32_t i = 0; i < type->ranges_n; i++) {
		options[n] = bodies[type->ranges[i].option];
		options[n++].range = (struct plan_range){ type->ranges[i].low, type->ranges[i].high };
	}
	for (uint32_t i = 0; !type->ranges && i < tag->options_n; i++) {
		const struct plan_label *label = &tag->labels[i];

		for (uint32_t k = 0; k < type->n; k++) {
			if (slice_equal(type->fields[k].name, label->text) ||
			    slice_equal(bare(type->fields[k].name), label->text)) {
				options[n] = bodies[k];
				options[n++].range = label->range;
				break;
			}
		}
	}
	step_at(p, index)->options = options;
	step_at(p, index)->options_n = n;
	step_at(p, index)->is_signed = tag->is_signed;
	step_at(p, index)->is_sorted = sorted(p, options, n, sizeof *options, tag->is_signed);
}

/* What is there when the selector is in one of the ranges, or a true boolean. */
static void plan_optional(struct planner *p, const struct ctf_type *type, const struct naming *name)
{
	struct target target = resolve(p, type);
	const struct plan_step *selector = target_step(p, target);
	bool is_signed = selector->is_signed;
	uint32_t index, n = type->ranges ? type->ranges_n : 1;
	struct plan_option *options = arena_get(p->arena, n * sizeof *options);

	if (!type->ranges && !selector->is_bool)
		fail(p, "the selector of an optional field without ranges is not a boolean");
	index = add_step(p, PLAN_VARIANT, 1);
	step_at(p, index)->use = kept(p, target);
	plan_type(p, type->element, name);
	step_at(p, index)->body = p->plan->steps_n - index - 1;
	for (uint32_t i = 0; i < n; i++)
		options[i] = (struct plan_option){ { type->ranges ? type->ranges[i].low : 1,
						     type->ranges ? type->ranges[i].high : 1 }, 0,
						   step_at(p, index)->body };
	step_at(p, index)->options = options;
	step_at(p, index)->options_n = n;
	step_at(p, index)->is_signed = is_signed;
	step_at(p, index)->is_sorted = sorted(p, options, n, sizeof *options, is_signed);
	step_at(p, index)->is_optional = true;
}

static void plan_blob(struct planner *p, const struct ctf_type *type, const struct naming *name)
{
	uint8_t use = type->reference.len ? length_register(p, type) : 0;
	uint32_t index = add_step(p, PLAN_BLOB, 8);

	step_at(p, index)->use = use;
	step_at(p, index)->length = type->length;
	step_at(p, index)->silent = is_silent(p, name);
	set_key(p, index, name->shown, "=");
}

static void plan_type(struct planner *p, const struct ctf_type *type, const struct naming *name)
{
	uint32_t index;

	switch (type->kind) {
	case CTF_INTEGER:
	case CTF_FLOAT:
	case CTF_ENUM:
		plan_number(p, type, name);
		break;
	case CTF_STRING:
		index = add_step(p, PLAN_STRING, 8);
		step_at(p, index)->encoding = type->encoding;
		step_at(p, index)->silent = is_silent(p, name);
		set_key(p, index, name->shown, "=");
		break;
	case CTF_STRUCT:
		plan_struct(p, type, name);
		break;
	case CTF_VARIANT:
		plan_variant(p, type, name);
		break;
	case CTF_ARRAY:
	case CTF_SEQUENCE:
		plan_array(p, type, name);
		break;
	case CTF_BLOB:
		plan_blob(p, type, name);
		break;
	case CTF_OPTIONAL:
		plan_optional(p, type, name);
		break;
	}
}

/* --- contexts and payload --------------------------------------------------------------------------- */

enum { PAYLOAD = 2, SCOPES };

struct scopes {
	const struct ctf_type *type[SCOPES];	/* the stream's context, the event's own, the payload; NULL: none */
};

static const struct ctf_field *find_field(const struct ctf_type *type, const char *name)
{
	for (uint32_t i = 0; type && i < type->n; i++)
		if (slice_equal(bare(type->fields[i].name), slice_of(name)))
			return &type->fields[i];
	return NULL;
}

static bool has_field(const void *event, bool in_payload, const char *name)
{
	const struct scopes *scopes = event;

	return in_payload ? find_field(scopes->type[PAYLOAD], name) != NULL :
			    find_field(scopes->type[0], name) || find_field(scopes->type[1], name);
}

/* What a top-level field of a scope is called; silent: nothing. */
static struct naming name_field(struct planner *p, const struct scopes *scopes, unsigned scope, uint32_t i,
				const char *as)
{
	const struct ctf_type *type = scopes->type[scope];
	struct slice name = bare(type->fields[i].name), parent = SLICE("");
	char *text;

	if (!as && is_only_a_length(type, type->fields[i].name))
		return (struct naming){ { "", 0 }, { "", 0 }, true };
	text = memory_copy(name);
	if (!as && (keys_reserved(name) || (scope == PAYLOAD && has_field(scopes, false, text))))
		parent = scope == PAYLOAD ? SLICE("payload") : SLICE("context");
	free(text);
	return name_top(p, as, parent, name);
}

/*
 * The names of the parts, and the order of writing: pid, tid and comm come before all others. KIND is one
 * of these, or NULL for the others.
 */
static void name_parts(struct planner *p, const struct scopes *scopes, const struct keys_who *who, const char *kind,
		       struct naming *names, uint32_t *written)
{
	uint32_t n = 0;

	for (unsigned scope = 0; scope < p->plan->scopes_n; scope++) {
		const struct ctf_type *type = scopes->type[scope];

		for (uint32_t i = 0; type && i < type->n; i++, n++) {
			const char *as = keys_who_key(who, scope == PAYLOAD, bare(type->fields[i].name));

			if (names[n].full.len || (kind ? !as || strcmp(as, kind) != 0 : as != NULL))
				continue;
			names[n] = name_field(p, scopes, scope, i, as);
			p->plan->order[(*written)++] = n;
			if (kind)
				return;
		}
	}
}

/* Where no field is AS: what the environment says instead. CONSTANTS: how many of such the plan has. */
static void add_constant(struct planner *p, const char *as, uint32_t *constants, uint32_t *written)
{
	const char *name = keys_environment(as);
	struct slice value = name ? ctf_environment_value(p->metadata, slice_of(name)) : SLICE("");
	struct ctf_plan *plan = p->plan;
	uint32_t part = plan->parts_n + *constants, step;

	if (!value.len || !selection_field(p->selection, slice_of(as)))
		return;
	if (value.len > KEYS_ENVIRONMENT_MAX)
		value.len = KEYS_ENVIRONMENT_MAX;
	step = add_step(p, PLAN_CONSTANT, 1);
	set_key(p, step, join(p, join(p, SLICE("\t"), as, SLICE("=")), "", escaped(p, value)), "");
	plan->parts[part] = (struct plan_part){ .from = step, .n = 1 };
	plan->order[(*written)++] = part;
	plan->writes = true;
	++*constants;
}

/* The size in bits of the steps FROM..FROM+N, placed at bit AT of something aligned; -1: not fixed. */
static int64_t fixed_size(const struct ctf_plan *plan, uint32_t from, uint32_t n, int64_t at)
{
	for (uint32_t i = from; i < from + n; i++) {
		const struct plan_step *s = &plan->steps[i];

		at = (at + s->align - 1) & -(int64_t)s->align;
		switch (s->op) {
		case PLAN_STRING:
		case PLAN_BLOB:
		case PLAN_ARRAY:
		case PLAN_VARIANT:
			return -1;
		case PLAN_TEXT:
			if (s->use || s->length > 1 << 20)
				return -1;
			at += 8 * (int64_t)s->length;
			break;
		default:
			if (s->is_variable)
				return -1;
			at += s->size;
		}
	}
	return at;
}

static void plan_parts(struct planner *p, unsigned scope, const struct ctf_type *type, const struct naming *names,
		       uint32_t *part)
{
	struct ctf_plan *plan = p->plan;
	int64_t at = 0;

	plan->scopes[scope] = (struct plan_scope){ .align = 1 };
	if (!type)
		return;
	p->scope = SCOPE_STREAM_CONTEXT + scope;
	p->path_len = 0;
	p->levels = 1;
	plan->scopes[scope].align = type->align;
	for (uint32_t i = 0; i < type->n; i++, ++*part) {
		struct plan_part *to = &plan->parts[*part];

		*to = (struct plan_part){ .from = plan->steps_n, .scope = scope, .offset = -1 };
		plan_field(p, &type->fields[i], &names[*part]);
		to->n = plan->steps_n - to->from;
		if (at >= 0) {
			int64_t align = type->fields[i].type->align;

			to->offset = (at + align - 1) & -align;
			at = fixed_size(plan, to->from, to->n, at);
			if (at < 0)
				to->offset = -1;
		}
	}
	plan->scopes[scope].size = at;
}

static void plan_payload(struct planner *p, const struct scopes *scopes)
{
	const struct ctf_type *type = scopes->type[PAYLOAD];
	struct ctf_plan *plan = p->plan;

	plan->payload = plan->steps_n;
	plan->payload_align = 1;
	if (!type || plan->scopes_n > PAYLOAD)
		return;
	p->scope = SCOPE_PAYLOAD;
	p->path_len = 0;
	p->levels = 1;
	plan->payload_align = type->align;
	for (uint32_t i = 0; i < type->n; i++) {
		struct naming name = name_field(p, scopes, PAYLOAD, i, NULL);

		plan_field(p, &type->fields[i], &name);
	}
	plan->payload_size = fixed_size(plan, plan->payload, plan->steps_n - plan->payload, 0);
}

/* The parts of all scopes that are written in another order than they are recorded. */
static void plan_scopes(struct planner *p, const struct scopes *scopes)
{
	static const char *const first[] = { "pid", "tid", "comm" };
	struct keys_who who = keys_who(has_field, scopes);
	bool is_perf = who.tid && strncmp(who.tid, "perf_", 5) == 0;
	struct ctf_plan *plan = p->plan;
	uint32_t written = 0, part = 0, constants = 0;
	struct naming *names;

	plan->scopes_n = is_perf ? SCOPES : PAYLOAD;
	for (unsigned scope = 0; scope < plan->scopes_n; scope++)
		plan->parts_n += scopes->type[scope] ? scopes->type[scope]->n : 0;
	if (plan->parts_n > PLAN_PARTS_MAX)
		fail(p, "contexts of more than %d fields", PLAN_PARTS_MAX);
	plan->parts = arena_get(p->arena, (plan->parts_n + PLAN_CONSTANTS_MAX) * sizeof *plan->parts);
	plan->order = arena_get(p->arena, (plan->parts_n + PLAN_CONSTANTS_MAX) * sizeof *plan->order);
	names = arena_get(p->arena, plan->parts_n * sizeof *names + 1);
	for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
		uint32_t before = written;

		name_parts(p, scopes, &who, first[i], names, &written);
		if (written == before)
			add_constant(p, first[i], &constants, &written);
	}
	name_parts(p, scopes, &who, NULL, names, &written);
	/* A second field that tells who ran has no name, and is passed over. */
	for (uint32_t i = 0; i < plan->parts_n; i++)
		names[i].silent |= names[i].full.len == 0;
	plan->order_n = written;
	for (unsigned scope = 0; scope < plan->scopes_n; scope++)
		plan_parts(p, scope, scopes->type[scope], names, &part);
}

/*
 * Texts are given room as they come, and so are labels; arrays make room for each element. LEFT: how many
 * fields a record may have besides those that are always there.
 */
static void measure(struct ctf_plan *plan)
{
	uint32_t fixed = 0;

	for (uint32_t i = 0; i < plan->steps_n; i++) {
		const struct plan_step *s = &plan->steps[i];

		plan->room += s->key_len + PLAN_KEY_PADDING + 64 * 4;
		if (s->op == PLAN_ARRAY) {
			fixed += 2;	/* NAME= or NAME.length=, and one to spare */
			i += s->body;
		} else {
			fixed += s->op != PLAN_ALIGN && s->op != PLAN_VARIANT;
		}
	}
	plan->left = fixed < KEYS_ELEMENTS_MAX ? KEYS_ELEMENTS_MAX - fixed : 0;
}

static void name_event(struct planner *p, const struct ctf_event *event, const struct scopes *scopes)
{
	char room[EVENTNAME_ROOM], *copy, *begin;
	bool have_vpid = has_field(scopes, false, "vpid") || ctf_environment_value(p->metadata, SLICE("vpid")).len;
	struct slice name = keys_event(event->name, event->id, have_vpid, room);
	const struct selection *within;

	copy = memory_copy(name);
	p->plan->included = selection_event(p->selection, copy);
	free(copy);
	within = p->plan->included ? selection_within(p->selection, name) : NULL;
	p->plan->wanted = within != NULL;
	if (within)
		p->selection = within;
	name = escaped(p, name);
	begin = arena_get(p->arena, name.len + 4);
	memcpy(begin, "\tev=", 4);
	memcpy(begin + 4, name.at, name.len);
	p->plan->begin = (struct slice){ begin, name.len + 4 };
}

/* Moves the steps, which are complete, to the arena. */
static void keep_steps(struct planner *p)
{
	struct ctf_plan *plan = p->plan;
	struct plan_step *steps = arena_get(p->arena, plan->steps_n * sizeof *steps + 1);

	if (plan->steps_n)
		memcpy(steps, plan->steps, plan->steps_n * sizeof *steps);
	free(plan->steps);
	plan->steps = steps;
}

static void free_planner(struct planner *p)
{
	while (p->taken)
		names_back(p);
	free(p->visible);
	free(p);
}

/* Whether a step takes a fixed number of bytes wherever one byte begins, and nothing refers to its value. */
static bool is_plain(const struct plan_step *s, uint64_t *bits)
{
	*bits = 0;
	if (s->keep || s->align > 8)
		return false;
	if (s->op == PLAN_ALIGN || (s->op == PLAN_TEXT && !s->use && s->length <= 1 << 20)) {
		*bits = s->op == PLAN_TEXT ? s->length * 8 : 0;
		return true;
	}
	*bits = s->size;
	return s->op <= PLAN_FLOAT && !s->is_variable && s->align == 8 && s->size % 8 == 0;
}

/* A bit field: several of them may fill whole bytes. */
static bool is_bits(const struct plan_step *s)
{
	return !s->keep && s->align < 8 && s->op <= PLAN_FLOAT && !s->is_variable;
}

/* How many bits N bit fields take from where a byte begins; 0 where one would have to be aligned. */
static uint64_t bits_together(const struct plan_step *s, uint32_t n)
{
	uint64_t sum = 0;

	for (; n; s++, n--) {
		if (s->align && sum % s->align)
			return 0;
		sum += s->size;
	}
	return sum;
}

/* The same for the steps from FROM up to END, all of which are plain or bit fields. */
static void mark_run(struct plan_step *s, uint32_t from, uint32_t end)
{
	uint32_t next[8] = { 0 };	/* where bit fields before it may end, by the bits from there to `end`, modulo 8 */
	unsigned place = 0;

	next[0] = end;
	for (uint32_t k = end; k-- > from;) {
		bool plain;
		uint64_t bits;
		uint32_t then = k + 1;

		plain = is_plain(&s[k], &bits);
		if (plain) {
			memset(next, 0, sizeof next);
			next[place = 0] = k;
		} else {
			place = (place + s[k].size) & 7;
			then = next[place];
			next[place] = k;
			bits = then ? bits_together(&s[k], then - k) : 0;
			if (!bits)
				continue;
		}
		s[k].plain_n = then - k + (then < end ? s[then].plain_n : 0);
		s[k].plain_bits = bits + (then < end ? s[then].plain_bits : 0);
	}
}

/* Tells each step how many plain ones follow, so that those of unwanted events are passed at once. */
static void mark_plain(struct plan_step *s, uint32_t n)
{
	for (uint32_t i = 0, end; i < n; i = end) {
		uint64_t bits;

		for (end = i; end < n && (is_plain(&s[end], &bits) || is_bits(&s[end])); end++)
			;
		mark_run(s, i, end);
		if (end == n)
			break;
		if (s[end].op == PLAN_VARIANT)
			for (uint32_t k = 0; k < s[end].options_n; k++)
				mark_plain(&s[end + 1 + s[end].options[k].from], s[end].options[k].n);
		else
			mark_plain(&s[end + 1], s[end].body);
		end += 1 + s[end].body;
	}
}

/* Tells each step how many go on that are not written, so that they are passed at once. Whether any is. */
static bool mark_silent(struct plan_step *s, uint32_t n)
{
	bool writes = false;

	for (uint32_t i = 0, end; i < n; i = end) {
		uint64_t sum = 0;
		bool plain = true;

		for (end = i; end < n && s[end].silent; end += 1 + s[end].body)
			;
		for (uint32_t k = i; k < end; k += 1 + s[k].body) {
			uint64_t bits;

			s[k].silent_n = end - k;
			if (!is_plain(&s[k], &bits))
				plain = false;
			sum += bits;
		}
		s[i].silent_bits = plain ? sum : 0;
		if (end == n)
			break;
		if (s[end].op == PLAN_VARIANT) {
			for (uint32_t k = 0; k < s[end].options_n; k++)
				writes |= mark_silent(&s[end + 1 + s[end].options[k].from], s[end].options[k].n);
		} else {
			writes |= s[end].op != PLAN_ALIGN;
			mark_silent(&s[end + 1], s[end].body);
		}
		end += 1 + s[end].body;
	}
	return writes;
}

/* A planner for PLAN; errors go to ERROR once setjmp() has been called. */
static struct planner *new_planner(struct ctf_metadata *metadata, struct ctf_plan *plan,
				   const struct selection *selection, struct ctf_header *const *outer, char *error,
				   size_t error_size)
{
	struct planner *p = memory_zeroed(sizeof *p);

	p->metadata = metadata;
	p->arena = metadata->arena;
	p->selection = selection;
	p->plan = plan;
	p->outer = outer;
	p->error = error;
	p->error_size = error_size;
	return p;
}

struct ctf_plan *ctf_plan_make(struct ctf_metadata *metadata, const struct ctf_stream *stream,
			       struct ctf_header *const *outer, const struct ctf_event *event,
			       const struct selection *selection, char *error, size_t error_size)
{
	struct scopes scopes = { { stream->event_context, event->context, event->fields } };
	struct ctf_plan *plan = arena_get(metadata->arena, sizeof *plan);
	struct planner *p = new_planner(metadata, plan, selection, outer, error, error_size);

	if (setjmp(p->failed)) {
		free(p->plan->steps);
		free_planner(p);
		return NULL;
	}
	plan->id = event->id;
	name_event(p, event, &scopes);
	plan->selection = p->selection;
	plan->wants_cpu = selection_field(plan->selection, SLICE("cpu"));
	names_begin(p);
	plan_scopes(p, &scopes);
	plan_payload(p, &scopes);
	measure(plan);
	keep_steps(p);
	mark_plain(plan->steps, plan->payload);
	mark_plain(plan->steps + plan->payload, plan->steps_n - plan->payload);
	/* What the payload refers to has to be read, though its place be fixed. */
	for (uint32_t i = 0; i < plan->parts_n; i++)
		for (uint32_t k = 0; k < plan->parts[i].n; k++)
			if (plan->steps[plan->parts[i].from + k].keep)
				plan->scopes[plan->parts[i].scope].size = -1;
	plan->writes |= mark_silent(plan->steps + plan->payload, plan->steps_n - plan->payload);
	for (uint32_t i = 0; i < plan->parts_n; i++)
		plan->writes |= mark_silent(plan->steps + plan->parts[i].from, plan->parts[i].n);
	free_planner(p);
	return plan;
}

/* Whether the text of the contexts follows from their bytes alone, of which there are a few. */
static bool keeps_text(const struct ctf_plan *plan)
{
	const struct plan_scope *scope = &plan->scopes[0];

	if (plan->scopes_n != 2 || scope->size <= 0 || scope->size % 8 || scope->align % 8 ||
	    scope->size > PLAN_ALIKE_BYTES * 8 || plan->scopes[1].align > 8)
		return false;
	for (uint32_t i = 0; i < plan->parts_n; i++) {
		const struct plan_step *s = &plan->steps[plan->parts[i].from];

		if (plan->parts[i].scope != 0 || plan->parts[i].n != 1 ||
		    !(s->op <= PLAN_BITS || s->op == PLAN_FLOAT || (s->op == PLAN_TEXT && s->length <= PLAN_ALIKE_TEXT)))
			return false;
	}
	return true;
}

bool ctf_plan_alike(struct ctf_plan *plan, const struct ctf_plan *other)
{
	if (!other) {
		plan->alike = keeps_text(plan) ? plan : NULL;
		return plan->alike;
	}
	/* The fields of a stream's context have the same types in all of its events. */
	if (!keeps_text(plan) || plan->order_n != other->order_n ||
	    memcmp(plan->order, other->order, plan->order_n * sizeof *plan->order) != 0)
		return false;
	for (uint32_t i = 0; i < plan->parts_n; i++) {
		const struct plan_step *a = &plan->steps[plan->parts[i].from], *b = &other->steps[other->parts[i].from];

		if (a->silent != b->silent || a->key_len != b->key_len || memcmp(a->key, b->key, a->key_len) != 0)
			return false;
	}
	plan->alike = other;
	return true;
}

struct ctf_header *ctf_header_make(struct ctf_metadata *metadata, enum plan_scope_name scope,
				   struct ctf_header *const *outer, const struct ctf_type *type,
				   const char *const *names, char *error, size_t error_size)
{
	static const struct selection everything;
	static const struct naming unwritten = { { "", 0 }, { "", 0 }, true };
	struct ctf_header *header = arena_get(metadata->arena, sizeof *header);
	struct ctf_plan *plan = arena_get(metadata->arena, sizeof *plan);
	struct planner *p = new_planner(metadata, plan, &everything, outer, error, error_size);

	header->align = type ? type->align : 1;
	header->scope = scope;
	p->scope = scope;
	p->levels = 1;
	p->header = header;
	p->names = names;
	if (setjmp(p->failed)) {
		free(p->plan->steps);
		free_planner(p);
		return NULL;
	}
	for (uint32_t i = 0; type && i < type->n; i++)
		plan_field(p, &type->fields[i], &unwritten);
	keep_steps(p);
	header->steps = p->plan->steps;
	header->steps_n = p->plan->steps_n;
	header->visible_n = (uint32_t)p->visible_n;
	header->visible = arena_get(p->arena, p->visible_n * sizeof *p->visible + 1);
	if (p->visible_n)
		memcpy(header->visible, p->visible, p->visible_n * sizeof *p->visible);
	free_planner(p);
	return header;
}
