// SPDX-License-Identifier: MIT
/* The grammar of TSDL (CTF 1.8.3, annex C), by recursive descent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "ctf/lexer.h"
#include "ctf/metadata.h"

/* A type that has a name; structs, variants and enums have name spaces of their own. */
enum space { NAMED_ALIAS, NAMED_STRUCT, NAMED_VARIANT, NAMED_ENUM };

struct named {
	enum space space;
	struct slice name;
	struct ctf_type *type;
	struct named *next;
};

/* Names by their hashes: open addressing, never more than half full. Empty until there are many. */
struct index {
	const void **slots;
	uint32_t room, n;
};

enum { FEW = 16 };	/* so many names are looked through one by one */

struct scope {
	struct scope *outer;
	struct named *names;
	uint32_t names_n;
	struct index index;
};

struct parser {
	struct lexer lexer;
	struct token token;		/* the one looked at */
	struct ctf_metadata *metadata;
	struct arena *arena;
	struct scope *scope;
	struct ctf_event **last_event;	/* where the next one goes, so that they stay in order */
	struct ctf_stream **last_stream;
	struct ctf_environment **last_environment;
	unsigned nesting;
	char *error;
	size_t error_size;
	jmp_buf failed;
};

_Noreturn static void fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(struct parser *p, const char *format, ...)
{
	va_list args;
	int n = snprintf(p->error, p->error_size, "line %u: ", p->lexer.line);

	va_start(args, format);
	if (n > 0 && (size_t)n < p->error_size)
		vsnprintf(p->error + n, p->error_size - (size_t)n, format, args);
	va_end(args);
	longjmp(p->failed, 1);
}

/* The budget is looked at where types are made, so it may be passed by as much as one list. */
static void *get(struct parser *p, size_t size)
{
	if (arena_bytes(p->arena) > p->metadata->memory_max)
		fail(p, "the types take more than %zu MiB", p->metadata->memory_max >> 20);
	return arena_get(p->arena, size);
}

/* Room for one more behind the N items of SIZE bytes in LIST, which doubles. */
static void *grow(struct parser *p, void *list, uint32_t n, uint32_t *room, size_t size)
{
	void *more;

	if (n < *room)
		return list;
	*room = *room ? *room * 2 : 8;
	more = get(p, *room * size);
	if (n)
		memcpy(more, list, n * size);
	return more;
}

/* --- names by their hashes -------------------------------------------------------------------------- */

static void index_add(struct parser *p, struct index *index, const void *item, uint64_t hash,
		      uint64_t (*hash_of)(const void *))
{
	uint32_t at;

	if (index->n * 2 >= index->room) {
		struct index larger = { .room = index->room ? index->room * 2 : 4 * FEW };

		larger.slots = get(p, larger.room * sizeof *larger.slots);
		for (uint32_t i = 0; i < index->room; i++)
			if (index->slots[i])
				index_add(p, &larger, index->slots[i], hash_of(index->slots[i]), hash_of);
		*index = larger;
	}
	for (at = (uint32_t)hash & (index->room - 1); index->slots[at]; at = (at + 1) & (index->room - 1))
		;
	index->slots[at] = item;
	index->n++;
}

/* Calls for each item that may have the hash: `for (at = hash; (item = index_next(&index, &at));)` */
static const void *index_next(const struct index *index, uint64_t *at)
{
	const void *item = index->room ? index->slots[*at & (index->room - 1)] : NULL;

	++*at;
	return item;
}

/* For messages: the length to print of a slice. */
static int shown(struct slice text)
{
	return text.len > 60 ? 60 : (int)text.len;
}

static void advance(struct parser *p)
{
	p->token = lexer_next(&p->lexer);
	if (p->token.kind == TOKEN_WRONG)
		fail(p, "%.*s", shown(p->token.text), p->token.text.at);
}

static bool is_sign(const struct parser *p, char sign)
{
	return p->token.kind == TOKEN_SIGN && p->token.sign == sign;
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->token.kind == TOKEN_NAME && slice_equal(p->token.text, slice_of(word));
}

static bool take_sign(struct parser *p, char sign)
{
	if (!is_sign(p, sign))
		return false;
	advance(p);
	return true;
}

static bool take_word(struct parser *p, const char *word)
{
	if (!is_word(p, word))
		return false;
	advance(p);
	return true;
}

static void expect(struct parser *p, char sign)
{
	if (!take_sign(p, sign))
		fail(p, "expected '%c'", sign);
}

static void expect_assign(struct parser *p)
{
	if (p->token.kind != TOKEN_ASSIGN)
		fail(p, "expected ':='");
	advance(p);
}

static struct slice take_name(struct parser *p)
{
	struct slice name = p->token.text;

	if (p->token.kind != TOKEN_NAME)
		fail(p, "expected a name");
	advance(p);
	return name;
}

/* --- values ----------------------------------------------------------------------------------------- */

struct value {
	enum { VALUE_NUMBER, VALUE_TEXT, VALUE_NAME } kind;
	bool negative;
	uint64_t number;	/* two's complement where negative */
	struct slice text;	/* of a string (escapes undone), or a dotted name */
};

static struct slice unquote(struct parser *p, struct slice text)
{
	char *to = arena_get(p->arena, text.len + 1), *start = to;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\\' && i + 1 < text.len) {
			c = text.at[++i];
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'a' ? '\a' :
			    c == 'b' ? '\b' : c == 'f' ? '\f' : c == 'v' ? '\v' : c;
		}
		*to++ = c;
	}
	return (struct slice){ start, (size_t)(to - start) };
}

/* A path such as `stream.event.header.id`, blanks left out. */
static struct slice dotted(struct parser *p)
{
	char to[512];
	size_t n = 0;

	do {
		struct slice name = take_name(p);

		if (n + name.len + 2 > sizeof to)
			fail(p, "a path of more than %zu characters", sizeof to);
		if (n)
			to[n++] = '.';
		memcpy(to + n, name.at, name.len);
		n += name.len;
	} while (take_sign(p, '.'));
	return arena_copy(p->arena, (struct slice){ to, n });
}

static struct value value(struct parser *p)
{
	struct value v = { .kind = VALUE_NUMBER };

	if (p->token.kind == TOKEN_STRING) {
		v.kind = VALUE_TEXT;
		v.text = unquote(p, p->token.text);
		advance(p);
		return v;
	}
	if (p->token.kind == TOKEN_NAME) {
		v.kind = VALUE_NAME;
		v.text = dotted(p);
		return v;
	}
	if (take_sign(p, '-'))
		v.negative = true;
	else
		take_sign(p, '+');
	if (p->token.kind != TOKEN_NUMBER)
		fail(p, "expected a value");
	v.number = v.negative ? 0 - p->token.number : p->token.number;
	v.text = p->token.text;
	advance(p);
	return v;
}

static uint64_t number_value(struct parser *p, struct slice key, uint64_t max)
{
	struct value v = value(p);

	if (v.kind != VALUE_NUMBER || v.negative || v.number > max)
		fail(p, "'%.*s' takes a number up to %llu", shown(key), key.at, (unsigned long long)max);
	return v.number;
}

static bool one_of(struct slice text, const char *const *words)
{
	for (; *words; words++)
		if (slice_equal(text, slice_of(*words)))
			return true;
	return false;
}

static enum ctf_order order_value(struct parser *p)
{
	static const char *const little[] = { "le", "LE", NULL };
	static const char *const big[] = { "be", "BE", "network", NULL };
	struct value v = value(p);

	if (v.kind == VALUE_NUMBER || !v.text.len)
		fail(p, "a byte order is le, be, network or native");
	if (one_of(v.text, little))
		return CTF_LITTLE;
	if (one_of(v.text, big))
		return CTF_BIG;
	if (!slice_equal(v.text, SLICE("native")))
		fail(p, "a byte order is le, be, network or native");
	return CTF_NATIVE;
}

static bool bool_value(struct parser *p)
{
	static const char *const yes[] = { "true", "TRUE", NULL }, *const no[] = { "false", "FALSE", NULL };
	struct value v = value(p);

	if (v.kind == VALUE_NUMBER && v.number <= 1)
		return v.number == 1;
	if (v.kind == VALUE_NAME && (one_of(v.text, yes) || one_of(v.text, no)))
		return one_of(v.text, yes);
	fail(p, "expected true or false");
}

static uint8_t base_value(struct parser *p)
{
	static const struct {
		const char *const words[8];
		uint8_t base;
	} bases[] = {
		{ { "decimal", "dec", "d", "i", "u", NULL }, 10 },
		{ { "hexadecimal", "hex", "x", "X", "p", NULL }, 16 },
		{ { "octal", "oct", "o", NULL }, 8 },
		{ { "binary", "bin", "b", NULL }, 2 },
	};
	struct value v = value(p);

	if (v.kind == VALUE_NUMBER) {
		if (v.number == 2 || v.number == 8 || v.number == 10 || v.number == 16)
			return (uint8_t)v.number;
	} else {
		for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
			if (one_of(v.text, bases[i].words))
				return bases[i].base;
	}
	fail(p, "a base is 2, 8, 10 or 16");
}

static bool encoding_value(struct parser *p)
{
	static const char *const text[] = { "UTF8", "utf8", "utf-8", "UTF-8", "ascii", "ASCII", NULL };
	struct value v = value(p);

	if (v.kind == VALUE_NUMBER)
		fail(p, "an encoding is none, UTF8 or ASCII");
	return one_of(v.text, text);
}

static uint32_t align_value(struct parser *p, struct slice key)
{
	uint64_t align = number_value(p, key, CTF_STRUCT_ALIGN_MAX);

	if (align == 0 || (align & (align - 1)))
		fail(p, "an alignment is a power of two");
	return (uint32_t)align;
}

/* --- names and types -------------------------------------------------------------------------------- */

static uint64_t named_hash(const void *item)
{
	const struct named *named = item;

	return slice_hash(named->name) + named->space;
}

static struct named *find_in(const struct scope *scope, enum space space, struct slice name)
{
	if (scope->index.n) {
		uint64_t at = slice_hash(name) + space;
		const struct named *named;

		while ((named = index_next(&scope->index, &at)))
			if (named->space == space && slice_equal(named->name, name))
				return (struct named *)(uintptr_t)named;
		return NULL;
	}
	for (struct named *n = scope->names; n; n = n->next)
		if (n->space == space && slice_equal(n->name, name))
			return n;
	return NULL;
}

static void name_type(struct parser *p, enum space space, struct slice name, struct ctf_type *type)
{
	struct scope *scope = p->scope;
	struct named *named;

	if (find_in(scope, space, name))
		fail(p, "'%.*s' is named twice", shown(name), name.at);
	named = get(p, sizeof *named);
	named->space = space;
	named->name = name;
	named->type = type;
	named->next = scope->names;
	scope->names = named;
	if (++scope->names_n == FEW)
		for (struct named *n = named; n; n = n->next)
			index_add(p, &scope->index, n, named_hash(n), named_hash);
	else if (scope->names_n > FEW)
		index_add(p, &scope->index, named, named_hash(named), named_hash);
}

static struct ctf_type *find_type(struct parser *p, enum space space, struct slice name)
{
	for (struct scope *s = p->scope; s; s = s->outer) {
		struct named *named = find_in(s, space, name);

		if (named)
			return named->type;
	}
	fail(p, "no type is called '%.*s'", shown(name), name.at);
}

/* OUTER has a part of type INNER. */
static void contain(struct parser *p, struct ctf_type *outer, const struct ctf_type *inner)
{
	if (outer->depth <= inner->depth)
		outer->depth = inner->depth + 1;
	if (outer->depth > CTF_NESTING_MAX)
		fail(p, "types nest deeper than %d", CTF_NESTING_MAX);
}

static struct ctf_type *new_type(struct parser *p, enum ctf_kind kind)
{
	struct ctf_type *type = get(p, sizeof *type);

	type->kind = kind;
	type->depth = 1;
	type->align = 1;
	type->base = 10;
	return type;
}

static struct ctf_type *type_specifier(struct parser *p);
static struct ctf_type *declarator(struct parser *p, struct ctf_type *type, struct slice *name);
static void type_definition(struct parser *p);

/* `map = clock.NAME.value` (also without `.value`). */
static struct ctf_clock *map_value(struct parser *p)
{
	struct value v = value(p);
	struct slice name = v.text;
	struct ctf_clock *clock;

	if (v.kind != VALUE_NAME || name.len < 7 || memcmp(name.at, "clock.", 6) != 0)
		fail(p, "a map is clock.NAME.value");
	name.at += 6;
	name.len -= 6;
	if (name.len > 6 && memcmp(name.at + name.len - 6, ".value", 6) == 0)
		name.len -= 6;
	for (clock = p->metadata->clocks; clock; clock = clock->next)
		if (slice_equal(clock->name, name))
			return clock;
	fail(p, "no clock is called '%.*s'", shown(name), name.at);
}

static struct ctf_type *integer(struct parser *p)
{
	struct ctf_type *type = new_type(p, CTF_INTEGER);
	bool has_align = false, has_text = false;

	for (expect(p, '{'); !take_sign(p, '}'); expect(p, ';')) {
		struct slice key = take_name(p);

		expect(p, '=');
		if (slice_equal(key, SLICE("size"))) {
			type->size = (uint32_t)number_value(p, key, 64);
			if (type->size == 0)
				fail(p, "an integer of 0 bits");
		} else if (slice_equal(key, SLICE("align"))) {
			type->align = align_value(p, key);
			has_align = true;
		} else if (slice_equal(key, SLICE("signed"))) {
			type->is_signed = bool_value(p);
		} else if (slice_equal(key, SLICE("byte_order"))) {
			type->order = order_value(p);
		} else if (slice_equal(key, SLICE("base"))) {
			type->base = base_value(p);
		} else if (slice_equal(key, SLICE("encoding"))) {
			has_text = encoding_value(p);
		} else if (slice_equal(key, SLICE("map"))) {
			type->clock = map_value(p);
		} else {
			value(p);	/* an attribute of a later version */
		}
	}
	if (type->size == 0)
		fail(p, "an integer without size");
	if (!has_align)
		type->align = type->size % 8 ? 1 : 8;
	type->is_text = has_text && type->size == 8;
	return type;
}

static struct ctf_type *floating_point(struct parser *p)
{
	struct ctf_type *type = new_type(p, CTF_FLOAT);
	uint64_t exponent = 0, mantissa = 0;
	bool has_align = false;

	for (expect(p, '{'); !take_sign(p, '}'); expect(p, ';')) {
		struct slice key = take_name(p);

		expect(p, '=');
		if (slice_equal(key, SLICE("exp_dig"))) {
			exponent = number_value(p, key, 64);
		} else if (slice_equal(key, SLICE("mant_dig"))) {
			mantissa = number_value(p, key, 64);
		} else if (slice_equal(key, SLICE("align"))) {
			type->align = align_value(p, key);
			has_align = true;
		} else if (slice_equal(key, SLICE("byte_order"))) {
			type->order = order_value(p);
		} else {
			value(p);
		}
	}
	if ((exponent != 8 || mantissa != 24) && (exponent != 11 || mantissa != 53))
		fail(p, "a floating point number has exp_dig 8 and mant_dig 24, or 11 and 53");
	type->size = (uint32_t)(exponent + mantissa);
	type->is_signed = true;
	if (!has_align)
		type->align = 8;
	return type;
}

static struct ctf_type *string_type(struct parser *p)
{
	struct ctf_type *type = new_type(p, CTF_STRING);

	type->align = 8;
	type->is_text = true;
	if (take_sign(p, '{')) {
		while (!take_sign(p, '}')) {
			take_name(p);
			expect(p, '=');
			value(p);
			expect(p, ';');
		}
	}
	return type;
}

static void open_scope(struct parser *p, struct scope *scope)
{
	*scope = (struct scope){ .outer = p->scope };
	p->scope = scope;
	if (++p->nesting > CTF_NESTING_MAX)
		fail(p, "types nest deeper than %d", CTF_NESTING_MAX);
}

static void close_scope(struct parser *p)
{
	p->scope = p->scope->outer;
	p->nesting--;
}

static uint64_t name_hash(const void *item)
{
	return slice_hash(*(const struct slice *)item);
}

/* The names of a structure's fields. The index refers to copies: the list of fields moves. */
struct field_names {
	struct index index;
};

static void add_field_name(struct parser *p, struct field_names *names, const struct ctf_field *list, uint32_t n,
			   struct slice name)
{
	uint64_t at = slice_hash(name);
	const struct slice *other;
	struct slice *copy;

	for (uint32_t i = 0; n < FEW && i < n; i++)
		if (slice_equal(list[i].name, name))
			fail(p, "field '%.*s' comes twice", shown(name), name.at);
	if (n < FEW)
		return;
	for (uint32_t i = 0; n == FEW && i < n; i++) {
		copy = get(p, sizeof *copy);
		*copy = list[i].name;
		index_add(p, &names->index, copy, name_hash(copy), name_hash);
	}
	while ((other = index_next(&names->index, &at)))
		if (slice_equal(*other, name))
			fail(p, "field '%.*s' comes twice", shown(name), name.at);
	copy = get(p, sizeof *copy);
	*copy = name;
	index_add(p, &names->index, copy, name_hash(copy), name_hash);
}

/* The fields of a structure, or the options of a variant, from `{` to `}`. */
static void fields(struct parser *p, struct ctf_type *type)
{
	struct field_names names = { 0 };
	struct ctf_field *list = NULL;
	struct scope scope;
	uint32_t room = 0;

	open_scope(p, &scope);
	for (expect(p, '{'); !take_sign(p, '}');) {
		struct ctf_type *base;

		if (is_word(p, "typealias") || is_word(p, "typedef")) {
			type_definition(p);
			continue;
		}
		base = type_specifier(p);
		do {
			struct ctf_field field;

			field.type = declarator(p, base, &field.name);
			contain(p, type, field.type);
			add_field_name(p, &names, list, type->n, field.name);
			list = grow(p, list, type->n, &room, sizeof *list);
			list[type->n++] = field;
			if (type->kind == CTF_STRUCT && field.type->align > type->align)
				type->align = field.type->align;
		} while (take_sign(p, ','));
		expect(p, ';');
	}
	type->fields = list;
	close_scope(p);
}

static struct ctf_type *structure(struct parser *p)
{
	struct slice name = { 0 };
	struct ctf_type *type;

	if (p->token.kind == TOKEN_NAME) {
		name = take_name(p);
		if (!is_sign(p, '{'))
			return find_type(p, NAMED_STRUCT, name);
	}
	type = new_type(p, CTF_STRUCT);
	fields(p, type);
	if (take_word(p, "align")) {
		uint32_t align;

		expect(p, '(');
		align = align_value(p, SLICE("align"));
		if (align > type->align)
			type->align = align;
		expect(p, ')');
	}
	if (name.len)
		name_type(p, NAMED_STRUCT, name, type);
	return type;
}

/* A variant's type may be named without a tag, and used later with one. */
static struct ctf_type *variant(struct parser *p)
{
	struct slice name = { 0 }, tag = { 0 };
	struct ctf_type *type;

	if (p->token.kind == TOKEN_NAME)
		name = take_name(p);
	if (take_sign(p, '<')) {
		tag = dotted(p);
		expect(p, '>');
	}
	if (is_sign(p, '{')) {
		type = new_type(p, CTF_VARIANT);
		fields(p, type);
		if (name.len)
			name_type(p, NAMED_VARIANT, name, type);
	} else {
		type = find_type(p, NAMED_VARIANT, name);
	}
	if (tag.len) {
		struct ctf_type *tagged = new_type(p, CTF_VARIANT);

		*tagged = *type;
		tagged->reference = tag;
		return tagged;
	}
	return type;
}

static uint64_t enumerator_value(struct parser *p, const struct ctf_type *type)
{
	struct value v = value(p);

	if (v.kind != VALUE_NUMBER)
		fail(p, "an enumerator's value is a number");
	if (!type->is_signed && v.negative && v.number != 0)
		fail(p, "a negative value in an enumeration of unsigned integers");
	return v.number;
}

static void enumerators(struct parser *p, struct ctf_type *type)
{
	struct ctf_range *list = NULL;
	uint64_t next = 0;
	uint32_t room = 0;

	expect(p, '{');
	while (!is_sign(p, '}')) {
		struct ctf_range range = { .low = next, .high = next };

		if (p->token.kind == TOKEN_STRING) {
			range.label = unquote(p, p->token.text);
			advance(p);
		} else {
			range.label = take_name(p);
		}
		if (take_sign(p, '=')) {
			range.low = range.high = enumerator_value(p, type);
			if (p->token.kind == TOKEN_ELLIPSIS) {
				advance(p);
				range.high = enumerator_value(p, type);
			}
		}
		if (type->is_signed ? (int64_t)range.low > (int64_t)range.high : range.low > range.high)
			fail(p, "a range that ends before it begins");
		next = range.high + 1;
		list = grow(p, list, type->n, &room, sizeof *list);
		list[type->n++] = range;
		if (!take_sign(p, ','))
			break;
	}
	expect(p, '}');
	type->ranges = list;
}

static struct ctf_type *enumeration(struct parser *p)
{
	struct ctf_type *type = new_type(p, CTF_ENUM), *container = NULL;
	struct slice name = { 0 };

	if (p->token.kind == TOKEN_NAME)
		name = take_name(p);
	if (take_sign(p, ':')) {
		if (++p->nesting > CTF_NESTING_MAX)
			fail(p, "types nest deeper than %d", CTF_NESTING_MAX);
		container = type_specifier(p);
		p->nesting--;
	}
	if (!is_sign(p, '{')) {
		if (!name.len || container)
			fail(p, "expected '{'");
		return find_type(p, NAMED_ENUM, name);
	}
	if (!container)
		container = find_type(p, NAMED_ALIAS, SLICE("int"));
	if (container->kind != CTF_INTEGER)
		fail(p, "the container of an enumeration is an integer");
	*type = *container;
	type->kind = CTF_ENUM;
	type->is_text = false;
	enumerators(p, type);
	if (name.len)
		name_type(p, NAMED_ENUM, name, type);
	return type;
}

/*
 * Names such as `unsigned long` are several words. In a declaration the last word before the
 * declarator's end is what is declared: ALL tells that there is no declarator.
 */
static struct slice type_name(struct parser *p, bool all)
{
	char to[256];
	size_t n = 0;

	for (;;) {
		struct slice word = p->token.text;
		struct lexer ahead = p->lexer;

		if (p->token.kind != TOKEN_NAME)
			fail(p, "expected the name of a type");
		if (!slice_equal(word, SLICE("const"))) {
			if (n + word.len + 2 > sizeof to)
				fail(p, "a type's name has more than %zu characters", sizeof to);
			if (n)
				to[n++] = ' ';
			memcpy(to + n, word.at, word.len);
			n += word.len;
		}
		advance(p);
		if (p->token.kind != TOKEN_NAME)
			break;
		/* One more name: is it part of the type, or what is declared? */
		ahead = p->lexer;
		if (!all && lexer_next(&ahead).kind != TOKEN_NAME)
			break;
	}
	while (take_sign(p, '*'))
		if (n < sizeof to)
			to[n++] = '*';
	return arena_copy(p->arena, (struct slice){ to, n });
}

static struct ctf_type *type_specifier(struct parser *p)
{
	while (take_word(p, "const"))
		;
	if (take_word(p, "integer"))
		return integer(p);
	if (take_word(p, "floating_point"))
		return floating_point(p);
	if (take_word(p, "string"))
		return string_type(p);
	if (take_word(p, "struct"))
		return structure(p);
	if (take_word(p, "variant"))
		return variant(p);
	if (take_word(p, "enum"))
		return enumeration(p);
	return find_type(p, NAMED_ALIAS, type_name(p, false));
}

/* `name`, `name[3]`, `name[length]`, `name[2][3]`; the type of what is declared. */
static struct ctf_type *declarator(struct parser *p, struct ctf_type *type, struct slice *name)
{
	struct ctf_type *dimensions[8];
	unsigned n = 0;

	*name = take_name(p);
	while (take_sign(p, '[')) {
		struct ctf_type *array;

		if (n == 8)
			fail(p, "an array of more than 8 dimensions");
		if (p->token.kind == TOKEN_NUMBER) {
			array = new_type(p, CTF_ARRAY);
			array->length = p->token.number;
			advance(p);
		} else {
			array = new_type(p, CTF_SEQUENCE);
			array->reference = dotted(p);
		}
		expect(p, ']');
		dimensions[n++] = array;
	}
	while (n--) {
		dimensions[n]->element = type;
		dimensions[n]->align = type->align;
		contain(p, dimensions[n], type);
		type = dimensions[n];
	}
	return type;
}

/* `typealias TYPE := NAME;` and `typedef TYPE NAME;` */
static void type_definition(struct parser *p)
{
	struct ctf_type *type;
	struct slice name;

	if (take_word(p, "typealias")) {
		type = type_specifier(p);
		expect_assign(p);
		name = type_name(p, true);
	} else {
		advance(p);
		type = type_specifier(p);
		type = declarator(p, type, &name);
	}
	name_type(p, NAMED_ALIAS, name, type);
	expect(p, ';');
}

/* --- blocks ----------------------------------------------------------------------------------------- */

/* Passes `{ ... }` that says nothing to us. */
static void skip_block(struct parser *p)
{
	unsigned depth = 0;

	do {
		if (p->token.kind == TOKEN_END)
			fail(p, "a block without end");
		if (is_sign(p, '{'))
			depth++;
		if (is_sign(p, '}'))
			depth--;
		advance(p);
	} while (depth);
}

/* Reads `:= TYPE` into TO, once. */
static void type_attribute(struct parser *p, struct ctf_type **to, struct slice key)
{
	expect_assign(p);
	if (*to)
		fail(p, "'%.*s' comes twice", shown(key), key.at);
	*to = type_specifier(p);
	if ((*to)->kind != CTF_STRUCT)
		fail(p, "'%.*s' is not a structure", shown(key), key.at);
}

/* Next `key =` or `key :=` of a block; false at its end. Type definitions on the way are taken. */
static bool attribute(struct parser *p, struct slice *key)
{
	while (is_word(p, "typealias") || is_word(p, "typedef"))
		type_definition(p);
	if (take_sign(p, '}'))
		return false;
	*key = dotted(p);
	return true;
}

/* A structure that is only defined: `struct name { ... };` in a block or at the top. */
static bool bare_definition(struct parser *p)
{
	if (!is_word(p, "struct") && !is_word(p, "variant") && !is_word(p, "enum"))
		return false;
	type_specifier(p);
	expect(p, ';');
	return true;
}

static void other_attribute(struct parser *p)
{
	if (p->token.kind == TOKEN_ASSIGN) {
		advance(p);
		type_specifier(p);
	} else {
		expect(p, '=');
		value(p);
	}
}

static bool uuid_value(struct parser *p, uint8_t uuid[16])
{
	struct value v = value(p);
	unsigned n = 0;

	for (size_t i = 0; v.kind == VALUE_TEXT && i < v.text.len; i++) {
		char c = v.text.at[i];
		int nibble = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
			     c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (c == '-')
			continue;
		if (nibble < 0 || n == 32)
			fail(p, "a uuid has 32 hexadecimal digits");
		uuid[n / 2] = (uint8_t)(n % 2 ? uuid[n / 2] | nibble : nibble << 4);
		n++;
	}
	if (n != 32)
		fail(p, "a uuid has 32 hexadecimal digits");
	return true;
}

static void trace_block(struct parser *p)
{
	struct ctf_metadata *m = p->metadata;
	struct scope scope;
	struct slice key;

	open_scope(p, &scope);
	expect(p, '{');
	while (attribute(p, &key)) {
		if (slice_equal(key, SLICE("packet.header"))) {
			type_attribute(p, &m->packet_header, key);
		} else if (slice_equal(key, SLICE("byte_order"))) {
			expect(p, '=');
			m->order = order_value(p);
			if (m->order == CTF_NATIVE)
				fail(p, "the trace's byte order is le or be");
		} else if (slice_equal(key, SLICE("uuid"))) {
			expect(p, '=');
			m->has_uuid = uuid_value(p, m->uuid);
		} else if (slice_equal(key, SLICE("major")) || slice_equal(key, SLICE("minor"))) {
			uint64_t want = slice_equal(key, SLICE("major")) ? 1 : 8;

			expect(p, '=');
			if (number_value(p, key, 255) != want)
				fail(p, "this is not version 1.8 of CTF");
		} else {
			other_attribute(p);
		}
		expect(p, ';');
	}
	close_scope(p);
}

static void environment_block(struct parser *p)
{
	struct slice key;

	expect(p, '{');
	while (attribute(p, &key)) {
		struct ctf_environment *entry = get(p, sizeof *entry);
		struct value v;

		expect(p, '=');
		v = value(p);
		entry->name = key;
		entry->value = v.text;
		if (v.negative) {
			char *text = arena_get(p->arena, v.text.len + 1);

			text[0] = '-';
			memcpy(text + 1, v.text.at, v.text.len);
			entry->value = (struct slice){ text, v.text.len + 1 };
		}
		*p->last_environment = entry;
		p->last_environment = &entry->next;
		expect(p, ';');
	}
}

static void clock_block(struct parser *p)
{
	struct ctf_clock *clock = arena_get(p->arena, sizeof *clock);
	struct slice key;
	unsigned n = 0;

	clock->frequency = 1000000000;
	expect(p, '{');
	while (attribute(p, &key)) {
		expect(p, '=');
		if (slice_equal(key, SLICE("name"))) {
			clock->name = value(p).text;
		} else if (slice_equal(key, SLICE("freq"))) {
			clock->frequency = number_value(p, key, UINT64_MAX);
			if (clock->frequency == 0)
				fail(p, "a clock's frequency is not 0");
		} else if (slice_equal(key, SLICE("offset_s")) || slice_equal(key, SLICE("offset"))) {
			struct value v = value(p);

			if (v.kind != VALUE_NUMBER)
				fail(p, "a clock's offset is a number");
			*(key.len == 6 ? &clock->offset : &clock->offset_seconds) = (int64_t)v.number;
		} else if (slice_equal(key, SLICE("absolute"))) {
			clock->absolute = bool_value(p);
		} else {
			value(p);
		}
		expect(p, ';');
	}
	if (!clock->name.len)
		fail(p, "a clock without name");
	for (const struct ctf_clock *c = p->metadata->clocks; c; c = c->next, n++)
		if (slice_equal(c->name, clock->name))
			fail(p, "two clocks are called '%.*s'", shown(c->name), c->name.at);
	if (n >= CTF_CLOCKS_MAX)
		fail(p, "more than %d clocks", CTF_CLOCKS_MAX);
	clock->next = p->metadata->clocks;
	p->metadata->clocks = clock;
}

static void stream_block(struct parser *p)
{
	struct ctf_stream *stream = arena_get(p->arena, sizeof *stream);
	struct scope scope;
	struct slice key;
	unsigned n = 0;

	open_scope(p, &scope);
	expect(p, '{');
	for (;;) {
		while (bare_definition(p))
			;
		if (!attribute(p, &key))
			break;
		if (slice_equal(key, SLICE("id"))) {
			expect(p, '=');
			stream->id = number_value(p, key, UINT64_MAX);
		} else if (slice_equal(key, SLICE("packet.context"))) {
			type_attribute(p, &stream->packet_context, key);
		} else if (slice_equal(key, SLICE("event.header"))) {
			type_attribute(p, &stream->event_header, key);
		} else if (slice_equal(key, SLICE("event.context"))) {
			type_attribute(p, &stream->event_context, key);
		} else {
			other_attribute(p);
		}
		expect(p, ';');
	}
	close_scope(p);
	for (const struct ctf_stream *s = p->metadata->streams; s; s = s->next, n++)
		if (s->id == stream->id)
			fail(p, "two streams have the id %llu", (unsigned long long)s->id);
	if (n >= CTF_STREAMS_MAX)
		fail(p, "more than %d streams", CTF_STREAMS_MAX);
	*p->last_stream = stream;
	p->last_stream = &stream->next;
}

static void event_block(struct parser *p)
{
	struct ctf_event *event = get(p, sizeof *event);
	struct scope scope;
	struct slice key;

	open_scope(p, &scope);
	expect(p, '{');
	while (attribute(p, &key)) {
		if (slice_equal(key, SLICE("context"))) {
			type_attribute(p, &event->context, key);
		} else if (slice_equal(key, SLICE("fields"))) {
			type_attribute(p, &event->fields, key);
		} else if (slice_equal(key, SLICE("name"))) {
			expect(p, '=');
			event->name = value(p).text;
		} else if (slice_equal(key, SLICE("id"))) {
			expect(p, '=');
			event->id = number_value(p, key, UINT64_MAX);
		} else if (slice_equal(key, SLICE("stream_id"))) {
			expect(p, '=');
			event->stream_id = number_value(p, key, UINT64_MAX);
		} else {
			other_attribute(p);
		}
		expect(p, ';');
	}
	close_scope(p);
	if (!event->name.at) {
		char *name = arena_get(p->arena, 32);

		event->name = (struct slice){ name, (size_t)snprintf(name, 32, "event_%llu", (unsigned long long)event->id) };
	}
	*p->last_event = event;
	p->last_event = &event->next;
}

static void top_level(struct parser *p)
{
	static const struct {
		const char *word;
		void (*block)(struct parser *);
	} blocks[] = {
		{ "trace", trace_block }, { "env", environment_block }, { "clock", clock_block },
		{ "stream", stream_block }, { "event", event_block }, { "callsite", skip_block },
	};

	if (take_sign(p, ';'))
		return;
	if (is_word(p, "typealias") || is_word(p, "typedef")) {
		type_definition(p);
		return;
	}
	if (bare_definition(p))
		return;
	for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
		if (take_word(p, blocks[i].word)) {
			blocks[i].block(p);
			take_sign(p, ';');
			return;
		}
	}
	if (p->token.kind == TOKEN_NAME)
		fail(p, "unknown block '%.*s'", shown(p->token.text), p->token.text.at);
	fail(p, "expected a block such as trace, stream or event");
}

struct ctf_metadata *ctf_metadata_parse(const char *text, size_t len, char *error, size_t error_size)
{
	struct arena *arena = arena_new();
	struct ctf_metadata *metadata = arena_get(arena, sizeof *metadata);
	struct scope top = { 0 };
	struct parser *p = arena_get(arena, sizeof *p);

	metadata->version = 1;
	metadata->arena = arena;
	metadata->memory_max = CTF_TYPE_MEMORY + CTF_TYPE_FACTOR * len;
	*p = (struct parser){
		.lexer = { text, text + len, 1 },
		.metadata = metadata,
		.arena = arena,
		.scope = &top,
		.last_event = &metadata->events,
		.last_stream = &metadata->streams,
		.last_environment = &metadata->environment,
		.error = error,
		.error_size = error_size,
	};
	if (setjmp(p->failed)) {
		arena_free(arena);
		return NULL;
	}
	for (advance(p); p->token.kind != TOKEN_END;)
		top_level(p);
	if (metadata->order == CTF_NATIVE)
		fail(p, "no trace block that tells the byte order");
	return metadata;
}
