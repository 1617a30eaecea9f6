// SPDX-License-Identifier: MIT
#include "ctf/event.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "number.h"

static inline bool align(struct cursor *c, uint32_t bits)
{
	c->at = (c->at + bits - 1) & -(uint64_t)bits;
	return c->at <= c->end;
}

/* Whether BITS more are there. */
static inline bool there(const struct cursor *c, uint64_t bits)
{
	return bits <= c->end - c->at;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FROM_LITTLE(bits, v) (v)
#define FROM_BIG(bits, v) __builtin_bswap##bits(v)
#else
#define FROM_LITTLE(bits, v) __builtin_bswap##bits(v)
#define FROM_BIG(bits, v) (v)
#endif

static inline uint64_t load16(const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, 2);
	return FROM_LITTLE(16, v);
}

static inline uint64_t load32(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, 4);
	return FROM_LITTLE(32, v);
}

static inline uint64_t load64(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, 8);
	return FROM_LITTLE(64, v);
}

/*
 * SIZE bits from bit AT. In little endian streams a field's bits begin at the low end of its first byte,
 * in big endian ones at the high end (CTF 1.8.3, 4.1.5).
 */
static uint64_t load_bits(const uint8_t *base, uint64_t at, unsigned size, bool is_big)
{
	uint64_t value = 0;
	unsigned got = 0;

	while (got < size) {
		unsigned skip = (unsigned)(at & 7), take = 8 - skip;
		unsigned byte = base[at >> 3];

		if (take > size - got)
			take = size - got;
		if (is_big)
			value = value << take | (byte >> (8 - skip - take) & ((1u << take) - 1));
		else
			value |= (uint64_t)(byte >> skip & ((1u << take) - 1)) << got;
		got += take;
		at += take;
	}
	return value;
}

static inline int64_t extend(uint64_t value, unsigned size)
{
	return (int64_t)(value << (64 - size)) >> (64 - size);
}

/*
 * Reads the number of the step, wherever it is; c->at is behind it then. False: it is not all there. OP
 * is the step's: where it is a constant, little of this is left.
 */
static inline __attribute__((always_inline)) bool read_op(enum plan_op op, const struct plan_step *s,
							   struct cursor *c, uint64_t *value)
{
	const uint8_t *at;

	if (!align(c, s->align) || !there(c, s->size))
		return false;
	at = c->base + (c->at >> 3);
	switch (op) {
	case PLAN_U8: case PLAN_X8: case PLAN_S8:
		*value = *at;
		break;
	case PLAN_U16: case PLAN_X16: case PLAN_S16:
		*value = load16(at);
		break;
	case PLAN_U32: case PLAN_X32: case PLAN_S32:
		*value = load32(at);
		break;
	case PLAN_U64: case PLAN_X64: case PLAN_S64:
		*value = load64(at);
		break;
	default:
		*value = load_bits(c->base, c->at, s->size, s->is_big);
	}
	switch (op) {
	case PLAN_S8:
		*value = (uint64_t)(int8_t)*value;
		break;
	case PLAN_S16:
		*value = (uint64_t)(int16_t)*value;
		break;
	case PLAN_S32:
		*value = (uint64_t)(int32_t)*value;
		break;
	case PLAN_U8: case PLAN_U16: case PLAN_U32: case PLAN_U64: case PLAN_S64:
		break;
	default:
		if (s->is_signed)
			*value = (uint64_t)extend(*value, s->size);
	}
	c->at += s->size;
	c->reg[s->keep] = *value;	/* register 0 is nobody's */
	return true;
}

static bool read_number(const struct plan_step *s, struct cursor *c, uint64_t *value)
{
	return read_op(s->op, s, c, value);
}

/* The bytes up to the NUL of the string at the cursor, which is behind the NUL then. */
static bool read_string(struct cursor *c, struct slice *text)
{
	const char *at, *nul;
	size_t max;

	if (!align(c, 8))
		return false;
	at = (const char *)c->base + (c->at >> 3);
	max = (c->end - c->at) >> 3;
	nul = memchr(at, '\0', max);
	if (!nul)
		return false;
	*text = (struct slice){ at, (size_t)(nul - at) };
	c->at += (text->len + 1) * 8;
	return true;
}

/* The text in an array of bytes: up to a NUL, or all of it. */
static inline bool read_text(const struct plan_step *s, struct cursor *c, struct slice *text)
{
	uint64_t n = s->use ? c->reg[s->use] : s->length;
	const char *nul;

	if (!align(c, s->align) || n > c->end >> 3 || !there(c, n * 8))
		return false;
	text->at = (const char *)c->base + (c->at >> 3);
	nul = n ? memchr(text->at, '\0', n) : NULL;
	text->len = nul ? (size_t)(nul - text->at) : n;
	c->at += n * 8;
	return true;
}

static const struct plan_option *selected(const struct plan_step *s, const struct cursor *c)
{
	uint64_t tag = c->reg[s->use];

	for (uint32_t i = 0; i < s->options_n; i++) {
		const struct plan_option *o = &s->options[i];

		if (s->is_signed ? (int64_t)tag >= (int64_t)o->low && (int64_t)tag <= (int64_t)o->high :
				   tag >= o->low && tag <= o->high)
			return o;
	}
	return NULL;
}

/* How many elements; false when so many cannot be there: an element of no bits would never end. */
static bool array_length(const struct plan_step *s, const struct cursor *c, uint64_t *n)
{
	*n = s->use ? c->reg[s->use] : s->length;
	return *n <= c->end - c->at || *n == 0;
}

bool ctf_event_pass(const struct plan_step *s, uint32_t n, struct cursor *c)
{
	const struct plan_step *end = s + n;
	const struct plan_option *option;
	struct slice text;
	uint64_t value;

	for (; s < end; s += 1 + s->body) {
		switch (s->op) {
		case PLAN_ALIGN:
			if (!align(c, s->align))
				return false;
			break;
		case PLAN_STRING:
			if (!read_string(c, &text))
				return false;
			break;
		case PLAN_TEXT:
			if (!read_text(s, c, &text))
				return false;
			break;
		case PLAN_ARRAY:
			if (!align(c, s->align) || !array_length(s, c, &value))
				return false;
			while (value--)
				if (!ctf_event_pass(s + 1, s->body, c))
					return false;
			break;
		case PLAN_VARIANT:
			option = selected(s, c);
			if (!option || !ctf_event_pass(s + 1 + option->from, option->n, c))
				return false;
			break;
		default:
			if (!read_number(s, c, &value))
				return false;
		}
	}
	return true;
}

/* --- writing ---------------------------------------------------------------------------------------- */

/* Keys are padded, so most are copied in one or two blocks. */
static inline char *put_key(char *to, const struct plan_step *s)
{
	memcpy(to, s->key, 16);
	if (s->key_len > 16) {
		memcpy(to + 16, s->key + 16, 16);
		if (s->key_len > 32)
			memcpy(to + 32, s->key + 32, s->key_len - 32);
	}
	return to + s->key_len;
}

static inline char *put_hex(char *to, uint64_t value)
{
	static const char hex[] = "0123456789abcdef";
	int shift = value ? (63 - __builtin_clzll(value)) / 4 * 4 : 0;

	*to++ = '0';
	*to++ = 'x';
	for (; shift >= 0; shift -= 4)
		*to++ = hex[value >> shift & 15];
	return to;
}

static inline char *put_integer(char *to, const struct plan_step *s, uint64_t value)
{
	if (s->is_hex)
		return put_hex(to, s->is_signed && s->size < 64 ? value & ((1ull << s->size) - 1) : value);
	if (s->is_signed)
		return to + number_put_i64(to, (int64_t)value);
	return to + number_put_u64(to, value);
}

/* Whether the 16 bytes at P hold a byte that must be escaped, or a NUL. */
static inline bool is_plain16(const char *p)
{
#ifdef __SSE2__
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
	__m128i bad = _mm_or_si128(_mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
				   _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));

	return _mm_movemask_epi8(bad) == 0;
#else
	for (int i = 0; i < 16; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == '\\' || p[i] == 0x7f)
			return false;
	return true;
#endif
}

static char *put_escaped(char *to, struct slice text)
{
	static const char hex[] = "0123456789abcdef";
	size_t i = 0;

	for (; i + 16 <= text.len && is_plain16(text.at + i); i += 16, to += 16)
		memcpy(to, text.at + i, 16);
	for (; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c >= 0x20 && c != '\\' && c != 0x7f) {
			*to++ = (char)c;
			continue;
		}
		*to++ = '\\';
		if (c == '\\' || c == '\t' || c == '\n' || c == '\r' || c == '\0') {
			*to++ = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c ? '\\' : '0';
		} else {
			*to++ = 'x';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	return to;
}

char *ctf_event_escape(char *to, struct slice text)
{
	return put_escaped(to, text);
}

static bool in_label(const struct plan_step *s, const struct plan_label *l, uint64_t value)
{
	return s->is_signed ? (int64_t)value >= (int64_t)l->low && (int64_t)value <= (int64_t)l->high :
			      value >= l->low && value <= l->high;
}

static char *put_labels(const struct plan_step *s, struct cursor *c, char *to, uint64_t value)
{
	unsigned found = 0;

	for (uint32_t i = 0; i < s->options_n; i++) {
		const struct plan_label *label = &s->labels[i];

		if (!in_label(s, label, value))
			continue;
		to = batch_room(c->out, to, label->text.len + c->room + 64);
		if (found++)
			*to++ = '|';
		memcpy(to, label->text.at, label->text.len);
		to += label->text.len;
	}
	if (found)
		return to;
	return to + (s->is_signed ? number_put_i64(to, (int64_t)value) : number_put_u64(to, value));
}

static char *put_float(const struct plan_step *s, char *to, uint64_t value)
{
	double real;

	if (s->size == 32) {
		uint32_t bits = (uint32_t)value;
		float single;

		memcpy(&single, &bits, 4);
		real = (double)single;
	} else {
		memcpy(&real, &value, 8);
	}
	return to + number_put_real(to, real);
}

/* The key of an array's element so far: `<TAB>name.3`. */
struct prefix {
	char text[PLAN_KEY_MAX + 32];
	size_t len;
};

static char *write_steps(const struct plan_step *s, uint32_t n, struct cursor *c, char *to, struct prefix *prefix);

/* What a step writes before its value; within an array that is the element's key, too. */
static inline char *put_whole_key(const struct plan_step *s, char *to, const struct prefix *prefix)
{
	if (__builtin_expect(prefix != NULL, 0)) {
		memcpy(to, prefix->text, prefix->len);
		to += prefix->len;
	}
	return put_key(to, s);
}

/* Bytes of the record so far; it begins behind the batch's last whole line. */
static size_t record_bytes(const struct cursor *c, const char *to)
{
	return (size_t)(to - c->out->text) - c->out->len;
}

/*
 * Whether a value below an array may be written: it is wanted, its key is not too long, and the record
 * does not have too many fields. It is counted then.
 */
static bool may_write(const struct plan_step *s, struct cursor *c, const struct prefix *prefix)
{
	char key[2 * PLAN_KEY_MAX + 32];
	size_t len = prefix->len + s->key_len - 1;	/* without `=` */

	if (len > PLAN_KEY_MAX || c->left == 0) {
		c->cut = true;
		return false;
	}
	if (c->only) {
		memcpy(key, prefix->text, prefix->len);
		memcpy(key + prefix->len, s->key, s->key_len);
		if (!selection_field(c->only, (struct slice){ key + 1, len - 1 }))
			return false;
	}
	c->left--;
	return true;
}

/* Writes `=TEXT` or `.length=N` behind the array's own key. */
static char *put_array_field(struct cursor *c, char *to, const struct prefix *prefix, size_t stem, const char *what)
{
	c->left--;
	to = batch_room(c->out, to, c->room + 2 * PLAN_KEY_MAX);
	memcpy(to, prefix->text, stem);
	to += stem;
	while (*what)
		*to++ = *what++;
	return to;
}

static char *write_array(const struct plan_step *s, struct cursor *c, char *to, struct prefix *outer)
{
	const struct selection *only = c->only;
	struct prefix prefix = { .len = 0 };
	uint64_t n, i = 0;
	size_t stem;

	if (!align(c, s->align) || !array_length(s, c, &n))
		return NULL;
	if (outer) {
		memcpy(prefix.text, outer->text, outer->len);
		prefix.len = outer->len;
	} else if (s->by_index) {
		c->only = c->selection;
	}
	stem = prefix.len + s->key_len;
	if (stem <= PLAN_KEY_MAX) {
		memcpy(prefix.text + prefix.len, s->key, s->key_len);
		/* Nothing at all would read as a field that the event does not have. */
		if (n == 0 && !c->only && (c->left || !outer))
			to = put_array_field(c, to, &prefix, stem, "=");
		for (; i < n; i++) {
			if (c->left == 0 || record_bytes(c, to) > KEYS_BYTES_MAX)
				break;
			prefix.text[stem] = '.';
			prefix.len = stem + 1 + number_put_u64(prefix.text + stem + 1, i);
			if (prefix.len > PLAN_KEY_MAX)
				break;
			to = write_steps(s + 1, s->body, c, to, &prefix);
			if (!to)
				return NULL;
		}
	}
	if (i < n) {
		c->cut = true;
		if (stem + 7 <= PLAN_KEY_MAX && (c->left || !outer)) {
			to = put_array_field(c, to, &prefix, stem, ".length=");
			to += number_put_u64(to, n);
		}
		for (; i < n; i++)
			if (!ctf_event_pass(s + 1, s->body, c))
				return NULL;
	}
	c->only = only;
	return to;
}

/* How many bytes of TEXT fit, escaped, in ROOM. */
static size_t fitting(struct slice text, size_t room)
{
	size_t used = 0;

	if (text.len <= room / 4)
		return text.len;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char b = (unsigned char)text.at[i];

		used += b >= 0x20 && b != 0x7f && b != '\\' ? 1 : 4;
		if (used > room)
			return i;
	}
	return text.len;
}

static char *write_text(const struct plan_step *s, struct cursor *c, char *to, const struct prefix *prefix,
			struct slice text)
{
	size_t full = text.len, used = record_bytes(c, to);

	if (full > 64) {
		text.len = fitting(text, used < KEYS_BYTES_MAX ? KEYS_BYTES_MAX - used : 0);
		to = batch_room(c->out, to, text.len * 4 + c->room + 4 * PLAN_KEY_MAX);
	}
	to = put_escaped(put_whole_key(s, to, prefix), text);
	if (__builtin_expect(text.len != full, 0)) {
		c->cut = true;
		if (!prefix) {
			memcpy(to, s->key, s->key_len - 1);
			memcpy(to + s->key_len - 1, ".length=", 8);
			to += s->key_len + 7;
			to += number_put_u64(to, full);
		}
	}
	return to;
}

/* PREFIX is NULL outside of arrays; there the plan's room is enough for all but texts and labels. */
static char *write_steps(const struct plan_step *s, uint32_t n, struct cursor *c, char *to, struct prefix *prefix)
{
	const struct plan_step *end = s + n;
	const struct plan_option *option;
	struct slice text;
	uint64_t value;

	for (; s < end; s += 1 + s->body) {
		if (__builtin_expect(s->silent, 0)) {
			if (!ctf_event_pass(s, 1, c))
				return NULL;
			continue;
		}
		if (prefix) {
			to = batch_room(c->out, to, 4 * PLAN_KEY_MAX + 512);
			if (s->op < PLAN_ARRAY && !may_write(s, c, prefix)) {
				if (!ctf_event_pass(s, 1, c))
					return NULL;
				continue;
			}
		}
		switch (s->op) {
		case PLAN_ALIGN:
			if (!align(c, s->align))
				return NULL;
			break;
		case PLAN_STRING:
		case PLAN_TEXT:
			if (s->op == PLAN_STRING ? !read_string(c, &text) : !read_text(s, c, &text))
				return NULL;
			to = write_text(s, c, to, prefix, text);
			break;
		case PLAN_ARRAY:
			to = write_array(s, c, to, prefix);
			if (!to)
				return NULL;
			if (!prefix)
				to = batch_room(c->out, to, c->room);
			break;
		case PLAN_VARIANT:
			option = selected(s, c);
			if (!option)
				return NULL;
			to = write_steps(s + 1 + option->from, option->n, c, to, prefix);
			if (!to)
				return NULL;
			break;
		case PLAN_ENUM:
			if (!read_number(s, c, &value))
				return NULL;
			to = put_labels(s, c, put_whole_key(s, to, prefix), value);
			break;
		case PLAN_FLOAT:
			if (!read_number(s, c, &value))
				return NULL;
			to = put_float(s, put_whole_key(s, to, prefix), value);
			break;
#define UNSIGNED(op) \
		case op: \
			if (!read_op(op, s, c, &value)) \
				return NULL; \
			to = put_whole_key(s, to, prefix); \
			to += number_put_u64(to, value); \
			break;
#define SIGNED(op) \
		case op: \
			if (!read_op(op, s, c, &value)) \
				return NULL; \
			to = put_whole_key(s, to, prefix); \
			to += number_put_i64(to, (int64_t)value); \
			break;
		UNSIGNED(PLAN_U8)
		UNSIGNED(PLAN_U16)
		UNSIGNED(PLAN_U32)
		UNSIGNED(PLAN_U64)
		SIGNED(PLAN_S8)
		SIGNED(PLAN_S16)
		SIGNED(PLAN_S32)
		SIGNED(PLAN_S64)
#undef UNSIGNED
#undef SIGNED
		default:
			if (!read_number(s, c, &value))
				return NULL;
			to = put_integer(put_whole_key(s, to, prefix), s, value);
		}
	}
	return to;
}

/* Where each part of the contexts begins, in bits; the cursor is behind the contexts then. */
static bool find_parts(const struct ctf_plan *plan, struct cursor *c, uint64_t *begin)
{
	uint32_t i = 0;

	for (uint32_t scope = 0; scope < plan->scopes_n; scope++) {
		const struct plan_scope *s = &plan->scopes[scope];
		uint64_t base;

		if (!align(c, s->align))
			return false;
		base = c->at;
		if (s->size >= 0) {
			if (!there(c, (uint64_t)s->size))
				return false;
			for (; i < plan->parts_n && plan->parts[i].scope == scope; i++)
				begin[i] = base + (uint64_t)plan->parts[i].offset;
			c->at = base + (uint64_t)s->size;
			continue;
		}
		for (; i < plan->parts_n && plan->parts[i].scope == scope; i++) {
			begin[i] = c->at;
			if (!ctf_event_pass(&plan->steps[plan->parts[i].from], plan->parts[i].n, c))
				return false;
		}
	}
	return true;
}

char *ctf_event_write(const struct ctf_plan *plan, struct cursor *c, char *to)
{
	uint64_t begin[PLAN_PARTS_MAX], behind;

	c->room = plan->room;
	c->left = plan->left;
	c->cut = false;
	c->only = NULL;
	c->selection = plan->selection;
	to = batch_room(c->out, to, plan->room);
	if (!find_parts(plan, c, begin))
		return NULL;
	behind = c->at;
	for (uint32_t i = 0; i < plan->order_n; i++) {
		const struct plan_part *part = &plan->parts[plan->order[i]];

		c->at = begin[plan->order[i]];
		to = write_steps(&plan->steps[part->from], part->n, c, to, NULL);
		if (!to)
			return NULL;
	}
	c->at = behind;
	if (!align(c, plan->payload_align))
		return NULL;
	return write_steps(&plan->steps[plan->payload], plan->steps_n - plan->payload, c, to, NULL);
}

bool ctf_event_skip(const struct ctf_plan *plan, struct cursor *c)
{
	uint64_t begin[PLAN_PARTS_MAX];

	if (!find_parts(plan, c, begin) || !align(c, plan->payload_align))
		return false;
	if (plan->payload_size >= 0) {
		if (!there(c, (uint64_t)plan->payload_size))
			return false;
		c->at += (uint64_t)plan->payload_size;
		return true;
	}
	return ctf_event_pass(&plan->steps[plan->payload], plan->steps_n - plan->payload, c);
}
