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
#include "babeltrace/babelfields.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"

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
	free(f->lexer.scratch);
}

static const char *failed(struct babelfields *f, const char *why)
{
	return babellexer_failed(&f->lexer, why);
}

static inline bool begins(const struct babelfields *f, const char *p, struct slice with)
{
	return babellexer_begins(&f->lexer, p, with);
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
	const struct slice otherwise[] = { SLICE(""), f->pid, SLICE(""), f->comm };
	struct babelcontext *used[4];

	for (int i = 0; i < 4; i++) {
		bool wanted = babelkeys_wanted(f->keys, f->keys->standard[i]);

		used[i] = context_of(f, first[i].role);
		if (!used[i])
			used[i] = context_of(f, first[i].otherwise);
		if (used[i])
			add_field(f, f->keys->standard[i], wanted, used[i]->value);
		else if (otherwise[i].len)
			add_field(f, f->keys->standard[i], wanted, otherwise[i]);
	}
	f->has_cpu = used[0];
	f->has_pid = used[1] || f->pid.len;
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
	} else if ((n = babellexer_name(&f->lexer, *p))) {
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

/* Behind a value of a list that closes with CLOSE: *LAST is set where it ends. */
static const char *separator(struct babelfields *f, const char *p, char close, bool *last)
{
	*last = f->lexer.end - p >= 2 && p[0] == ' ' && p[1] == close;
	if (*last || begins(f, p, SLICE(", ")))
		return p + 2;
	return failed(f, p == f->lexer.end ? "the line is cut" : "something stands behind a value");
}

/* The members between braces; P is behind the opening one. */
static const char *members(struct babelfields *f, const char *p, uint32_t parent)
{
	bool last = begins(f, p, SLICE(" }"));

	if (last)
		return p + 2;
	if (!begins(f, p, SLICE(" ")))
		return failed(f, p == f->lexer.end ? "the line is cut" : "a blank is missing behind a brace");
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
		return failed(f, p == f->lexer.end ? "the line is cut" :
						     "a blank is missing behind a bracket");
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
	if (p >= f->lexer.end)
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
		p = babellexer_string(&f->lexer, p + 1, &value);
		break;
	case '(':
		p = begins(f, p, SLICE("( ")) ? babellexer_enumeration(&f->lexer, p, &value) :
						failed(f, "an enumeration is empty");
		break;
	case '<':
		return begins(f, p, SLICE("<none>")) ? p + 6
						     : failed(f, "a value is no number, string or list");
	default:
		p = babellexer_number(&f->lexer, p, &value);
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
	    (groups > 1 || !memchr(p, ',', (size_t)(f->lexer.end - p))))
		return SCOPE_PACKET;
	/* Without names: the packet's context comes first, where three are there. */
	if (index == 0 && groups > 2 && f->lexer.end - p > 2 && p[2] >= '0' && p[2] <= '9')
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
	babellexer_restart(&f->lexer);
	f->unnamed = f->has_cpu = f->has_pid = f->has_tid = false;
	f->beside_root = event->root[SCOPE_BESIDE];
	babelkeys_line(f->keys);
	babelkeys_use(f->keys, f->keys->ts);
	babelkeys_use(f->keys, f->keys->ev);
	for (; p < f->lexer.end; index++) {
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
			failed(f, p == f->lexer.end ? "the line is cut" :
						      "something stands behind the fields");
			return 0;
		}
		f->previous = event->root[scope];
		p = members(f, p + 1, event->root[scope]);
		if (!p)
			return 0;
		if (p == f->lexer.end)
			continue;
		if (!begins(f, p, SLICE(", "))) {
			failed(f, "something stands behind the fields");
			return 0;
		}
		p += 2;
		if (p == f->lexer.end) {
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

	babellexer_begin(&f->lexer, end, want);
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
