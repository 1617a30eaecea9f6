// SPDX-License-Identifier: MIT
/*
 * The grammar, as babeltrace prints it:
 *
 *	groups	[LABEL = ] members {, [LABEL = ] members}
 *	members	{ [NAME = ] value {, [NAME = ] value} }		or { }
 *	array	[ [[N] = ] value {, [[N] = ] value} ]		or [ ]
 *	enum	( "LABEL" {, "LABEL"} : [container = ] integer )	or ( <unknown> : ... )
 *	value	members, array, enum, "string", number, true, false, <none>
 *
 * Names are left out under --names; a variant of babeltrace 2 is braces around one value.
 */
#include "babelfields.h"

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"
#include "number.h"

enum {
	DEPTH_MAX = 64,
	/* ts and ev come before. */
	FIELDS_MAX = RECORD_FIELDS_MAX - 2,
};

/* A context, before it is known which of them are pid and tid. */
struct babelcontext {
	uint32_t key;
	enum babelrole role;
	bool wanted;
	struct slice value;
};

void babelfields_init(struct babelfields *f, const struct selection *selection)
{
	*f = (struct babelfields){ .keys = babelkeys_new(selection) };
}

void babelfields_free(struct babelfields *f)
{
	babelkeys_free(f->keys);
	free(f->field);
	free(f->contexts);
	free(f->scratch);
}

static const char *failed(struct babelfields *f, const char *why)
{
	f->why = why;
	return NULL;
}

static inline bool begins(const struct babelfields *f, const char *p, struct slice with)
{
	return (size_t)(f->end - p) >= with.len && memcmp(p, with.at, with.len) == 0;
}

static void add_field(struct babelfields *f, uint32_t key, bool wanted, struct slice value)
{
	f->field = memory_grow(f->field, &f->field_room, f->n + 1, sizeof *f->field);
	f->field[f->n++] = (struct babelfield){ babelkeys_use(f->keys, key), value, wanted };
}

/* perf's pid or tid, which goes before all that is not cpu, where no context told. */
static void add_perf(struct babelfields *f, bool is_tid, struct slice value)
{
	size_t place = f->has_cpu + (is_tid ? f->has_pid : 0u);
	uint32_t key = f->keys->standard[is_tid ? 2 : 1];
	struct babelfield field;

	add_field(f, key, babelkeys_wanted(f->keys, key), value);
	field = f->field[f->n - 1];
	memmove(&f->field[place + 1], &f->field[place], (f->n - 1 - place) * sizeof field);
	f->field[place] = field;
	*(is_tid ? &f->has_tid : &f->has_pid) = true;
}

/* A value is whole: notes it as a context, or as a field of the payload. */
static void leaf(struct babelfields *f, uint32_t id, struct slice value)
{
	const struct babelname *name = &f->keys->names[id];

	if (name->role == ROLE_PERF_TID && !f->has_tid) {
		add_perf(f, true, value);
	} else if (name->role == ROLE_PERF_PID && !f->has_pid) {
		add_perf(f, false, value);
	} else if (name->scope == SCOPE_PAYLOAD || name->scope == SCOPE_BESIDE) {
		add_field(f, name->key, name->wanted, value);
	} else {
		f->contexts = memory_grow(f->contexts, &f->contexts_room, f->contexts_n + 1,
					  sizeof *f->contexts);
		f->contexts[f->contexts_n++] =
			(struct babelcontext){ name->key, name->role, name->wanted, value };
	}
}

static struct babelcontext *context_of(struct babelfields *f, enum babelrole role)
{
	for (size_t i = 0; i < f->contexts_n; i++)
		if (f->contexts[i].role == role)
			return &f->contexts[i];
	return NULL;
}

/*
 * All contexts are there: cpu, pid, tid and comm come first, the others under their own names. vpid
 * stands for a pid that is not there, vtid for a tid.
 */
static void end_contexts(struct babelfields *f)
{
	static const struct {
		const char *key;
		enum babelrole role, otherwise;
	} first[] = {
		{ "cpu", ROLE_CPU, ROLE_CPU }, { "pid", ROLE_PID, ROLE_VPID },
		{ "tid", ROLE_TID, ROLE_VTID }, { "comm", ROLE_COMM, ROLE_COMM },
	};
	struct babelcontext *used[4];

	for (int i = 0; i < 4; i++) {
		used[i] = context_of(f, first[i].role);
		if (!used[i])
			used[i] = context_of(f, first[i].otherwise);
		if (used[i])
			add_field(f, f->keys->standard[i], babelkeys_wanted(f->keys, f->keys->standard[i]),
				  used[i]->value);
	}
	f->has_cpu = used[0];
	f->has_pid = used[1];
	f->has_tid = used[2];
	for (size_t i = 0; i < f->contexts_n; i++) {
		struct babelcontext *context = &f->contexts[i];

		if (context == used[0] || context == used[1] || context == used[2] || context == used[3])
			continue;
		add_field(f, context->key, context->wanted, context->value);
	}
	f->contexts_n = 0;
}

/* The name TEXT below PARENT: the one that followed last time, or another. */
static uint32_t name_below(struct babelfields *f, uint32_t parent, struct slice text)
{
	uint32_t id = f->keys->names[f->previous].next;
	const struct babelname *name = &f->keys->names[id];

	if (!id || name->parent != parent || !slice_equal(name->text, text)) {
		id = babelkeys_child(f->keys, parent, text);
		f->keys->names[f->previous].next = id;
	}
	f->previous = id;
	return id;
}

/* The length of the name at P, which ` = ` follows; 0: none is there. */
static size_t name_length(const struct babelfields *f, const char *p)
{
	const char *q = p;

	while (q < f->end && (unsigned char)*q > ' ' && !strchr(",\"{}[]()<", *q))
		q++;
	return q > p && begins(f, q, SLICE(" = ")) ? (size_t)(q - p) : 0;
}

/*
 * The name of the member at P of PARENT, and where its value begins; 0: it failed. A payload field that
 * is named like a context of this event is beside it, in `payload.`.
 */
static uint32_t member_name(struct babelfields *f, const char **p, uint32_t parent, unsigned index)
{
	const struct babelname *above = &f->keys->names[parent], *likely;
	uint32_t id = f->keys->names[f->previous].next;
	char text[40];
	size_t n;

	likely = &f->keys->names[id];
	if (id && likely->parent == parent && begins(f, *p, likely->text) &&
	    begins(f, *p + likely->text.len, SLICE(" = "))) {
		*p += likely->text.len + 3;
		f->previous = id;
	} else if ((n = name_length(f, *p))) {
		id = name_below(f, parent, (struct slice){ *p, n });
		*p += n + 3;
	} else if (above->depth > 0 && index == 0 && !f->unnamed) {
		return parent;	/* the value of a variant */
	} else {
		static const char *const scopes[] = { "packet.", "context.", "payload.", "payload." };

		f->unnamed = true;
		n = (size_t)snprintf(text, sizeof text, "%s%u",
				     above->depth ? "" : scopes[above->scope], index);
		id = name_below(f, parent, (struct slice){ text, n });
	}
	if (id && f->keys->names[id].scope == SCOPE_CONTEXT && f->keys->names[id].depth == 1)
		babelkeys_note_context(f->keys, f->keys->names[id].key);
	if (id && f->keys->names[id].scope == SCOPE_PAYLOAD && f->keys->names[id].depth == 1 &&
	    babelkeys_is_context(f->keys, f->keys->names[id].key))
		id = babelkeys_child(f->keys, f->beside_root, f->keys->names[id].text);
	if (!id)
		failed(f, "a name is too long");
	return id;
}

static const char *value_at(struct babelfields *f, const char *p, uint32_t id);

/* A helper of the sequence or text that comes next: it says nothing that this does not. */
static bool is_helper(const struct babelfields *f, const struct babelname *name, const char *after)
{
	struct slice of = { name->text.at + 1, name->text.len - sizeof "_length" };

	return begins(f, after, SLICE(", ")) && begins(f, after + 2, of) &&
	       (begins(f, after + 2 + of.len, SLICE(" = [")) ||
		begins(f, after + 2 + of.len, SLICE(" = \"")));
}

/* Room for N bytes of values that do not stand in the text as they are wanted. */
static char *scratch(struct babelfields *f, size_t n)
{
	/* babelfields_read() made room for all of the line, and for each real and octal number. */
	char *at = f->scratch_at;

	f->scratch_at += n;
	return at;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* 0x…, 0b… or 0…: what babeltrace prints of integers whose base is not ten. */
static bool other_base(struct babelfields *f, struct slice text, struct slice *value)
{
	bool hex = text.at[1] == 'x', binary = text.at[1] == 'b';
	int base = hex ? 16 : binary ? 2 : 8;
	struct slice digits = { text.at + (hex || binary ? 2 : 1), text.len - (hex || binary ? 2 : 1) };
	char *to = scratch(f, NUMBER_TEXT);
	uint64_t number = 0;

	if (digits.len == 0)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		int digit = hex_digit(digits.at[i]);

		if (digit >= base || __builtin_mul_overflow(number, (uint64_t)base, &number))
			return false;
		number |= (uint64_t)digit;
	}
	value->at = to;
	if (!hex) {
		value->len = number_put_u64(to, number);
		return true;
	}
	*to++ = '0';
	*to++ = 'x';
	for (int shift = number ? (63 - __builtin_clzll(number)) / 4 * 4 : 0; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[number >> shift & 15];
	value->len = (size_t)(to - value->at);
	return true;
}

/* A number that is no plain decimal integer, or a word. */
static bool odd_scalar(struct babelfields *f, struct slice text, struct slice *value)
{
	double real;

	if (text.len > 1 && text.at[0] == '0' && text.at[1] != '.' && text.at[1] != 'e')
		return other_base(f, text, value);
	if (slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("false"))) {
		*value = text.at[0] == 't' ? SLICE("1") : SLICE("0");
		return true;
	}
	*value = text;
	if (slice_equal(text, SLICE("nan")) || slice_equal(text, SLICE("-nan")) ||
	    slice_equal(text, SLICE("inf")) || slice_equal(text, SLICE("-inf")))
		return true;
	if (!number_real(text, &real))
		return false;
	value->at = scratch(f, NUMBER_TEXT);
	value->len = number_put_real((char *)(uintptr_t)value->at, real);
	return true;
}

/* Reads the number at P, up to one of `, )` or the end; NULL: it is none. */
static const char *scalar(struct babelfields *f, const char *p, struct slice *value)
{
	const char *from = p, *digits;

	if (p < f->end && *p == '-')
		p++;
	for (digits = p; p < f->end && *p >= '0' && *p <= '9'; p++)
		;
	if (p > digits && (p == f->end || *p == ' ' || *p == ',' || *p == ')') && p - digits <= 20 &&
	    (*digits != '0' || p - from == 1)) {
		*value = (struct slice){ from, (size_t)(p - from) };
		return p;
	}
	while (p < f->end && *p != ' ' && *p != ',' && *p != ')')
		p++;
	if (p == from || !odd_scalar(f, (struct slice){ from, (size_t)(p - from) }, value))
		return failed(f, p == f->end ? "the line is cut" : "a value is no number, string or list");
	return p;
}

/* What `\` and the byte at P stand for; *P goes behind it. */
static char unescaped(const char **p, const char *end)
{
	static const char letters[] = "0abefnrtv", meant[] = "\0\a\b\033\f\n\r\t\v";
	const char *letter;
	char c = *(*p)++;

	if (c == 'x' && end - *p >= 2 && hex_digit((*p)[0]) < 16 && hex_digit((*p)[1]) < 16) {
		*p += 2;
		return (char)(hex_digit((*p)[-2]) << 4 | hex_digit((*p)[-1]));
	}
	letter = c ? strchr(letters, c) : NULL;
	return letter ? meant[letter - letters] : c;
}

/* Whether what stands behind a quote shows that it ended the string; babeltrace 1 escapes nothing. */
static bool ends_string(const struct babelfields *f, const char *p)
{
	if (begins(f, p, SLICE(" :")))
		return true;
	if (begins(f, p, SLICE(" }")) || begins(f, p, SLICE(" ]"))) {
		p += 2;
		return p == f->end || *p == ' ' || *p == ',';
	}
	if (!begins(f, p, SLICE(", ")))
		return false;
	p += 2;
	return name_length(f, p) || (p < f->end && strchr("\"[{(-0123456789", *p));
}

static const char *unquoted_string(struct babelfields *f, const char *p, struct slice *value)
{
	const char *from = p;

	while ((p = memchr(p, '"', (size_t)(f->end - p)))) {
		if (ends_string(f, p + 1)) {
			*value = (struct slice){ from, (size_t)(p - from) };
			return p + 1;
		}
		p++;
	}
	f->open_string = true;
	return failed(f, "a string does not end");
}

/* Reads the string whose first byte is at P, behind the quote. */
static const char *string(struct babelfields *f, const char *p, struct slice *value)
{
	const char *from = p;
	char *to;

	if (f->unquoted)
		return unquoted_string(f, p, value);
	for (; p < f->end && *p != '"' && *p != '\\'; p++)
		f->saw_unquoted |= *p == '\'' || *p == '?' || (unsigned char)*p < ' ';
	if (p < f->end && *p == '"') {
		*value = (struct slice){ from, (size_t)(p - from) };
		return p + 1;
	}
	/* Undone, it takes no more than it took. */
	to = f->scratch_at;
	memcpy(to, from, (size_t)(p - from));
	value->at = to;
	to += p - from;
	while (p < f->end && *p != '"') {
		if (*p == '\\' && p + 1 < f->end) {
			p++;
			f->saw_unquoted |= !memchr("\\'\"?0abefnrtvx", *p, 14);
			*to++ = unescaped(&p, f->end);
		} else {
			f->saw_unquoted |= *p == '\'' || *p == '?' || (unsigned char)*p < ' ';
			*to++ = *p++;
		}
	}
	if (p == f->end) {
		f->open_string = true;
		return failed(f, "a string does not end");
	}
	value->len = (size_t)(to - value->at);
	scratch(f, value->len);
	return p + 1;
}

/*
 * Reads *COUNT labels, as many as there are. Joins them by `|` at TO; where that is NULL, only says in
 * JOINED how long they are, unless it is one.
 */
static const char *labels(struct babelfields *f, const char *p, char *to, struct slice *joined,
			  unsigned *count)
{
	*joined = (struct slice){ to, 0 };
	for (*count = 0; begins(f, p, SLICE("\"")); ++*count) {
		char *scratch_before = f->scratch_at;
		struct slice label;

		p = string(f, p + 1, &label);
		if (!p)
			return NULL;
		p += begins(f, p, SLICE(", ")) ? 2 : 0;
		if (to && *count)
			to[joined->len] = '|';
		joined->len += *count ? 1 : 0;
		if (to)
			memmove(to + joined->len, label.at, label.len);
		else
			joined->at = label.at;
		joined->len += label.len;
		if (to || *count)
			f->scratch_at = scratch_before;
	}
	return p;
}

/* One label is taken as it stands; several are read again, once it is known how much room they take. */
static const char *joined_labels(struct babelfields *f, const char *p, struct slice *value)
{
	char *scratch_before = f->scratch_at;
	unsigned count;
	const char *after = labels(f, p, NULL, value, &count);

	if (!after || count < 2)
		return after;
	f->scratch_at = scratch_before;
	return labels(f, p, scratch(f, value->len), value, &count);
}

/* A number that stands where a label would is decimal. */
static struct slice decimal(struct babelfields *f, struct slice number)
{
	uint64_t value = 0;
	char *to;

	if (number.len < 3 || number.at[1] != 'x')
		return number;
	for (size_t i = 2; i < number.len; i++)
		value = value << 4 | (uint64_t)hex_digit(number.at[i]);
	to = scratch(f, NUMBER_TEXT);
	return (struct slice){ to, number_put_u64(to, value) };
}

/* Its labels, or the number where it has none. */
static const char *enumeration(struct babelfields *f, const char *p, struct slice *value)
{
	bool braces, labelled;
	struct slice number;

	p += 2;
	braces = begins(f, p, SLICE("{ "));
	p += braces ? 2 : 0;
	labelled = begins(f, p, SLICE("\""));
	if (begins(f, p, SLICE("<unknown>")))
		p += sizeof "<unknown>" - 1;
	else
		p = joined_labels(f, p, value);
	if (!p)
		return NULL;
	p += braces && begins(f, p, SLICE(" }")) ? 2 : 0;
	if (!begins(f, p, SLICE(" : ")))
		return failed(f, "an enumeration has no number");
	p += 3;
	p += begins(f, p, SLICE("container = ")) ? sizeof "container = " - 1 : 0;
	p = scalar(f, p, &number);
	if (!p)
		return NULL;
	p += begins(f, p, SLICE(" "));
	if (!begins(f, p, SLICE(")")))
		return failed(f, "an enumeration does not end");
	if (!labelled)
		*value = decimal(f, number);
	return p + 1;
}

/* Behind a value of a list that closes with CLOSE: *LAST is set where it ends. */
static const char *separator(struct babelfields *f, const char *p, char close, bool *last)
{
	*last = f->end - p >= 2 && p[0] == ' ' && p[1] == close;
	if (*last || begins(f, p, SLICE(", ")))
		return p + 2;
	return failed(f, p == f->end ? "the line is cut" : "something stands behind a value");
}

/* The members between braces; P is behind the opening one. */
static const char *members(struct babelfields *f, const char *p, uint32_t parent)
{
	bool last = begins(f, p, SLICE(" }"));

	if (last)
		return p + 2;
	if (!begins(f, p, SLICE(" ")))
		return failed(f, p == f->end ? "the line is cut" : "a blank is missing behind a brace");
	p++;
	for (unsigned index = 0; !last; index++) {
		uint32_t id = member_name(f, &p, parent, index);

		p = id ? value_at(f, p, id) : NULL;
		p = p ? separator(f, p, '}', &last) : NULL;
		if (!p)
			return NULL;
	}
	return p;
}

static const char *elements(struct babelfields *f, const char *p, uint32_t parent)
{
	bool last = begins(f, p, SLICE(" ]"));

	if (last) {
		/* Nothing at all would read as a field that the event does not have. */
		leaf(f, parent, (struct slice){ p, 0 });
		return p + 2;
	}
	if (!begins(f, p, SLICE(" ")))
		return failed(f, p == f->end ? "the line is cut" : "a blank is missing behind a bracket");
	p++;
	for (unsigned index = 0; !last; index++) {
		char text[24];
		size_t n = number_put_u64(text + 1, index);
		uint32_t id = name_below(f, parent, (struct slice){ text + 1, n });

		if (!id)
			return failed(f, "a name is too long");
		text[0] = '[';
		memcpy(text + 1 + n, "] = ", 4);
		if (begins(f, p, (struct slice){ text, n + 5 }))
			p += n + 5;
		p = value_at(f, p, id);
		p = p ? separator(f, p, ']', &last) : NULL;
		if (!p)
			return NULL;
	}
	return p;
}

/* Reads the value at P of the name ID; returns what is behind it. */
static const char *value_at(struct babelfields *f, const char *p, uint32_t id)
{
	const struct babelname *name = &f->keys->names[id];
	struct slice value;

	/* Counted whether they become fields or not, so that nothing grows without bound. */
	if (++f->seen > FIELDS_MAX)
		return failed(f, "it has more than 8190 fields");
	if (p >= f->end)
		return failed(f, "the line is cut");
	switch (*p) {
	case '{':
	case '[':
		if (++f->depth > DEPTH_MAX)
			return failed(f, "it is nested more than 64 deep");
		p = *p == '{' ? members(f, p + 1, id) : elements(f, p + 1, id);
		f->depth--;
		return p;
	case '"':
		p = string(f, p + 1, &value);
		break;
	case '(':
		p = begins(f, p, SLICE("( ")) ? enumeration(f, p, &value)
					      : failed(f, "an enumeration is empty");
		break;
	case '<':
		return begins(f, p, SLICE("<none>")) ? p + 6
						     : failed(f, "a value is no number, string or list");
	default:
		p = scalar(f, p, &value);
		if (p && name->is_length && is_helper(f, name, p))
			return p;
	}
	if (p)
		leaf(f, id, value);
	return p;
}

static enum babelscope scope_of(struct babelfields *f, const char *p, uint32_t index, uint32_t groups)
{
	if (index == 0 && begins(f, p, SLICE("{ cpu_id = ")) &&
	    (groups > 1 || !memchr(p, ',', (size_t)(f->end - p))))
		return SCOPE_PACKET;
	/* Without names: the packet's context comes first, where three are there. */
	if (index == 0 && groups > 2 && f->end - p > 2 && p[2] >= '0' && p[2] <= '9')
		return SCOPE_PACKET;
	if (index + 1 < groups)
		return SCOPE_CONTEXT;
	return SCOPE_PAYLOAD;
}

/* `stream.event.context = ` and the like: says which scope it is, where it is there. */
static bool label(struct babelfields *f, const char **p, enum babelscope *scope)
{
	static const struct {
		struct slice text;
		enum babelscope scope;
	} labels[] = {
		{ SLICE("stream.packet.context = "), SCOPE_PACKET },
		{ SLICE("stream.event.header = "), SCOPE_PACKET },
		{ SLICE("stream.event.context = "), SCOPE_CONTEXT },
		{ SLICE("event.context = "), SCOPE_CONTEXT },
		{ SLICE("event.fields = "), SCOPE_PAYLOAD },
	};

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (begins(f, *p, labels[i].text)) {
			*p += labels[i].text.len;
			*scope = labels[i].scope;
			return true;
		}
	return false;
}

/* Reads all, taking the last of GROUPS for the payload; returns how many there were, 0 when it failed. */
static uint32_t read_groups(struct babelfields *f, struct babelevent *event, const char *p, uint32_t groups)
{
	bool contexts = true, labelled = true;
	uint32_t index = 0;

	f->n = f->contexts_n = f->seen = f->depth = 0;
	f->scratch_at = f->scratch;
	f->unnamed = f->open_string = f->has_cpu = f->has_pid = f->has_tid = false;
	f->beside_root = event->root[SCOPE_BESIDE];
	babelkeys_line(f->keys);
	babelkeys_use(f->keys, f->keys->ts);
	babelkeys_use(f->keys, f->keys->ev);
	for (; p < f->end; index++) {
		enum babelscope scope;

		if (!label(f, &p, &scope)) {
			scope = scope_of(f, p, index, groups);
			labelled = false;
		}
		if (scope == SCOPE_PAYLOAD && contexts) {
			end_contexts(f);
			contexts = false;
		}
		if (!begins(f, p, SLICE("{"))) {
			failed(f, p == f->end ? "the line is cut" : "something stands behind the fields");
			return 0;
		}
		f->previous = event->root[scope];
		p = members(f, p + 1, event->root[scope]);
		if (!p)
			return 0;
		if (p == f->end)
			continue;
		if (!begins(f, p, SLICE(", "))) {
			failed(f, "something stands behind the fields");
			return 0;
		}
		p += 2;
		if (p == f->end) {
			failed(f, "the line is cut");
			return 0;
		}
	}
	if (contexts)
		end_contexts(f);
	return labelled ? groups : index;
}

bool babelfields_read(struct babelfields *f, struct babelevent *event, const char *at, const char *end)
{
	size_t want = (size_t)(end - at) * 2 + (size_t)FIELDS_MAX * 2 * NUMBER_TEXT;
	uint32_t groups = event->groups;

	f->end = end;
	f->saw_unquoted = false;
	f->scratch = memory_grow(f->scratch, &f->scratch_room, want, 1);
	for (int tries = 0; tries < 2; tries++) {
		uint32_t found = read_groups(f, event, at, groups);

		if (found == 0 && at < end)
			return false;
		event->groups = found;
		if (found == groups)
			break;
		groups = found;
	}
	return true;
}
