// SPDX-License-Identifier: MIT
#include "ctf/event.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/number.h"
#include "ctf/metadata.h"
#include "records/writer.h"

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
static inline uint64_t load_bits(const uint8_t *base, uint64_t at, unsigned size, bool is_big)
{
	uint64_t value = 0;
	unsigned got = 0;

	if ((at & 7) + size <= 8)
		return (unsigned)base[at >> 3] >> (is_big ? 8 - (at & 7) - size : at & 7) & ((1u << size) - 1);
	if (at % 8 == 0) {
		const uint8_t *from = base + (at >> 3);

		switch (size) {
		case 16:
			return is_big ? __builtin_bswap16((uint16_t)load16(from)) : load16(from);
		case 32:
			return is_big ? __builtin_bswap32((uint32_t)load32(from)) : load32(from);
		case 64:
			return is_big ? __builtin_bswap64(load64(from)) : load64(from);
		}
	}
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

/* The same bits, the last one first. */
static uint64_t reversed(uint64_t value, unsigned size)
{
	uint64_t out = 0;

	for (unsigned i = 0; i < size; i++)
		out |= (value >> i & 1) << (size - 1 - i);
	return out;
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
		if (s->is_reversed)
			*value = reversed(*value, s->size);
		if (s->is_bool)
			*value = *value != 0;
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

/* LEB128: seven bits in each byte, the low ones first; the eighth says that more follow. */
static bool read_variable(const struct plan_step *s, struct cursor *c, uint64_t *value)
{
	unsigned shift = 0;
	uint8_t byte;

	if (!align(c, 8))
		return false;
	*value = 0;
	do {
		if (!there(c, 8) || shift > 63)
			return false;
		byte = c->base[c->at >> 3];
		c->at += 8;
		/* Of the tenth byte, one bit has room; more must be its sign. */
		if (shift == 63 && (byte & 0x7f) > 1 && !(s->is_signed && (byte & 0x7f) == 0x7f))
			return false;
		*value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (s->is_signed && shift < 64)
		*value = (uint64_t)extend(*value, shift);
	c->reg[s->keep] = *value;
	return true;
}

/* How many bits of a time LEB128 tells. */
static unsigned variable_bits(const struct cursor *c, uint64_t from)
{
	return (unsigned)((c->at - ((from + 7) & ~(uint64_t)7)) / 8 * 7);
}

static bool read_number(const struct plan_step *s, struct cursor *c, uint64_t *value)
{
	uint64_t from = c->at;

	if (__builtin_expect(s->is_variable, 0)) {
		if (!read_variable(s, c, value))
			return false;
		if (s->keeps_width)
			c->reg[s->keep + 1] = variable_bits(c, from);
		return true;
	}
	return read_op(s->op, s, c, value);
}

/* Bytes of a code unit. */
static unsigned unit_of(const struct plan_step *s)
{
	return s->encoding == CTF_UTF8 ? 1 : s->encoding == CTF_UTF16BE || s->encoding == CTF_UTF16LE ? 2 : 4;
}

/* Where the first unit of zeros is in N bytes; NULL: nowhere. */
static const char *find_nul(const struct plan_step *s, const char *at, size_t n)
{
	static const char zeros[4];
	unsigned unit = unit_of(s);

	if (__builtin_expect(unit == 1, 1))
		return n ? memchr(at, '\0', n) : NULL;
	for (; n >= unit; at += unit, n -= unit)
		if (memcmp(at, zeros, unit) == 0)
			return at;
	return NULL;
}

/* The bytes up to the NUL of the string at the cursor, which is behind the NUL then. */
static bool read_string(const struct plan_step *s, struct cursor *c, struct slice *text)
{
	const char *at, *nul;

	if (!align(c, 8))
		return false;
	at = (const char *)c->base + (c->at >> 3);
	nul = find_nul(s, at, (c->end - c->at) >> 3);
	if (!nul)
		return false;
	*text = (struct slice){ at, (size_t)(nul - at) };
	c->at += (text->len + unit_of(s)) * 8;
	return true;
}

/* A given number of bytes. */
static inline bool read_bytes(const struct plan_step *s, struct cursor *c, struct slice *bytes)
{
	uint64_t n = s->use ? c->reg[s->use] : s->length;

	if (!align(c, s->align) || n > c->end >> 3 || !there(c, n * 8))
		return false;
	*bytes = (struct slice){ (const char *)c->base + (c->at >> 3), n };
	c->at += n * 8;
	return true;
}

/* The text in an array of bytes: up to a NUL, or all of it. */
static inline bool read_text(const struct plan_step *s, struct cursor *c, struct slice *text)
{
	const char *nul;

	if (!read_bytes(s, c, text))
		return false;
#ifdef __SSE2__
	if (text->len == 16 && s->encoding == CTF_UTF8) {	/* the name of a task */
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text->at);

		text->len = (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes,
										      _mm_setzero_si128())) |
						  1u << 16);
		return true;
	}
#endif
	nul = find_nul(s, text->at, text->len);
	if (nul)
		text->len = (size_t)(nul - text->at);
	return true;
}

static inline bool in_range(const struct plan_step *s, const struct plan_range *range, uint64_t value)
{
	return s->is_signed ? (int64_t)value >= (int64_t)range->low && (int64_t)value <= (int64_t)range->high :
			      value >= range->low && value <= range->high;
}

/* Of sorted options or labels, of SIZE bytes each, the one that VALUE is in; NULL: none. */
static const void *search(const struct plan_step *s, const void *ranges, size_t size, uint64_t value)
{
	uint64_t bias = s->is_signed ? 1ull << 63 : 0;	/* makes the order of signed numbers that of unsigned ones */
	uint32_t from = 0, to = s->options_n;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;
		const struct plan_range *range = (const void *)((const char *)ranges + middle * size);

		if ((range->low ^ bias) > (value ^ bias))
			to = middle;
		else if (in_range(s, range, value))
			return range;
		else
			from = middle + 1;
	}
	return NULL;
}

static const struct plan_option *selected(const struct plan_step *s, const struct cursor *c)
{
	uint64_t tag = c->reg[s->use];

	if (s->is_sorted)
		return search(s, s->options, sizeof *s->options, tag);
	for (uint32_t i = 0; i < s->options_n; i++)
		if (in_range(s, &s->options[i].range, tag))
			return &s->options[i];
	return NULL;
}

static uint64_t array_length(const struct plan_step *s, const struct cursor *c)
{
	return s->use ? c->reg[s->use] : s->length;
}

/*
 * Passes N elements. However many are claimed, no more are tried than there are bits: where one has none,
 * the others have none either.
 */
static bool pass_elements(const struct plan_step *s, uint64_t n, struct cursor *c)
{
	uint64_t bits = s->body && s[1].plain_n == s->body && (c->at & 7) == 0 ? s[1].plain_bits : 0;

	if (bits) {
		if (n > (c->end - c->at) / bits)
			return false;
		c->at += n * bits;
		return true;
	}
	for (uint64_t before = c->at; n--; before = c->at) {
		if (!ctf_event_pass(s + 1, s->body, c))
			return false;
		if (c->at == before)
			break;
	}
	return true;
}

bool ctf_event_pass(const struct plan_step *s, uint32_t n, struct cursor *c)
{
	const struct plan_step *end = s + n;
	const struct plan_option *option;
	struct slice text;
	uint64_t value;

	for (; s < end; s += 1 + s->body) {
		if (s->plain_n && s->plain_n <= (size_t)(end - s) && (c->at & 7) == 0) {
			if (!there(c, s->plain_bits))
				return false;
			c->at += s->plain_bits;
			s += s->plain_n - 1;
			continue;
		}
		switch (s->op) {
		case PLAN_ALIGN:
			if (!align(c, s->align))
				return false;
			break;
		case PLAN_STRING:
			if (!read_string(s, c, &text))
				return false;
			break;
		case PLAN_TEXT:
			if (!read_text(s, c, &text))
				return false;
			break;
		case PLAN_BLOB:
			if (!read_bytes(s, c, &text))
				return false;
			break;
		case PLAN_ARRAY:
			if (!align(c, s->align) || !pass_elements(s, array_length(s, c), c))
				return false;
			break;
		case PLAN_VARIANT:
			option = selected(s, c);
			if (!option && s->is_optional)
				break;
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

/* LEN bytes in whole blocks: at both places, PLAN_KEY_PADDING more may be touched. */
static inline char *put_blocks(char *to, const char *from, size_t len)
{
	for (size_t i = 0; i < len; i += PLAN_KEY_PADDING)
		memcpy(to + i, from + i, PLAN_KEY_PADDING);
	return to + len;
}

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

/* The eight hexadecimal digits of VALUE, the first one in the lowest byte. */
static inline uint64_t hex_digits(uint32_t value)
{
	uint64_t nibbles = (value & 0xffff0000ull) << 16 | (value & 0xffff), letters;

	nibbles = (nibbles << 8 | nibbles) & 0x00ff00ff00ff00ff;
	nibbles = (nibbles << 4 | nibbles) & 0x0f0f0f0f0f0f0f0f;
	letters = (nibbles + 0x0606060606060606) >> 4 & 0x0101010101010101;	/* 1 from ten on */
	return __builtin_bswap64(nibbles + 0x3030303030303030 + letters * ('a' - '0' - 10));
}

static inline void put_eight(char *to, uint64_t digits)
{
	digits = FROM_LITTLE(64, digits);
	memcpy(to, &digits, 8);
}

/* Writes up to 18 bytes. */
static inline char *put_hex(char *to, uint64_t value)
{
	unsigned n = (67 - (unsigned)__builtin_clzll(value | 1)) / 4;

	memcpy(to, "0x", 2);
	to += 2;
	if (n > 8) {
		put_eight(to, hex_digits((uint32_t)(value >> 32)) >> (16 - n) * 8);
		put_eight(to + n - 8, hex_digits((uint32_t)value));
	} else {
		put_eight(to, hex_digits((uint32_t)value) >> (8 - n) * 8);
	}
	return to + n;
}

static inline char *put_integer(char *to, const struct plan_step *s, uint64_t value)
{
	if (s->is_hex)
		return put_hex(to, s->is_signed && s->size < 64 ? value & ((1ull << s->size) - 1) : value);
	if (s->is_signed)
		return to + number_put_i64(to, (int64_t)value);
	return to + number_put_u64(to, value);
}

#ifdef __SSE2__
/* Bits of the 16 bytes that must be escaped: below 0x20, a backslash, 0x7f. */
static inline unsigned special16(__m128i bytes)
{
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(
		_mm_or_si128(low, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
		_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f))));
}
#endif

static char *put_escaped_byte(char *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	if (c >= 0x20 && c != '\\' && c != 0x7f) {
		*to++ = (char)c;
		return to;
	}
	*to++ = '\\';
	if (c == '\\' || c == '\t' || c == '\n' || c == '\r' || c == '\0') {
		*to++ = c == '\t' ? 't' : c == '\n' ? 'n' : c == '\r' ? 'r' : c ? '\\' : '0';
	} else {
		*to++ = 'x';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return to;
}

/* The text of a packet: its page is there to its end, so 16 bytes may be read where no page ends. */
static inline char *put_escaped(char *to, struct slice text)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; i < text.len; i += 16, to += 16) {
		size_t rest = text.len - i;
		__m128i bytes;
		unsigned special;

		if (rest < 16 && ((uintptr_t)(text.at + i) & 4095) > 4096 - 16)
			break;
		bytes = _mm_loadu_si128((const __m128i *)(const void *)(text.at + i));
		special = special16(bytes);
		if (rest < 16)
			special &= (1u << rest) - 1;
		if (special)
			break;
		_mm_storeu_si128((__m128i *)(void *)to, bytes);
		if (rest <= 16)
			return to + rest;
	}
#endif
	for (; i < text.len; i++)
		to = put_escaped_byte(to, (unsigned char)text.at[i]);
	return to;
}

static char *put_utf8(char *to, uint32_t code)
{
	if (code < 0x80)
		return put_escaped_byte(to, (unsigned char)code);
	if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*to++ = (char)(0xe0 | code >> 12);
		} else {
			*to++ = (char)(0xf0 | code >> 18);
			*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (code & 0x3f));
	return to;
}

/* UTF-16 or UTF-32 as UTF-8; what is no code point is U+FFFD. At most 4 bytes for each unit. */
static char *put_encoded(char *to, const struct plan_step *s, struct slice text)
{
	bool big = s->encoding == CTF_UTF16BE || s->encoding == CTF_UTF32BE;
	unsigned unit = unit_of(s) * 8;
	uint64_t bits = text.len / (unit / 8) * unit;
	const uint8_t *at = (const uint8_t *)text.at;

	for (uint64_t i = 0; i < bits; i += unit) {
		uint64_t code = load_bits(at, i, unit, big);

		if (unit == 16 && code >= 0xd800 && code < 0xdc00 && i + unit < bits) {
			uint64_t low = load_bits(at, i + unit, unit, big);

			if (low >= 0xdc00 && low < 0xe000) {
				code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
				i += unit;
			}
		}
		to = put_utf8(to, code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0xfffd : (uint32_t)code);
	}
	return to;
}

static inline char *put_text(char *to, const struct plan_step *s, struct slice text)
{
	return __builtin_expect(s->encoding != CTF_UTF8, 0) ? put_encoded(to, s, text) : put_escaped(to, text);
}

static bool has_label(const struct plan_step *s, const struct plan_range *range, uint64_t value)
{
	if (s->op == PLAN_FLAGS)	/* bits from low to high */
		return value >> range->low & (UINT64_MAX >> (63 - (range->high - range->low)));
	return in_range(s, range, value);
}

static char *put_labels(const struct plan_step *s, struct cursor *c, char *to, uint64_t value)
{
	const struct plan_label *label = s->is_sorted ? search(s, s->labels, sizeof *label, value) : s->labels;
	const struct plan_label *end = !s->is_sorted ? s->labels + s->options_n : label ? label + 1 : NULL;
	unsigned found = 0;

	for (; label != end; label++) {
		size_t len = label->text.len < PLAN_LABEL_MAX ? label->text.len : PLAN_LABEL_MAX;

		if (!has_label(s, &label->range, value))
			continue;
		to = batch_room(c->out, to, len + c->room + 64);
		if (found++)
			*to++ = '|';
		memcpy(to, label->text.at, len);
		to += len;
		if (found == PLAN_LABELS_MAX)
			break;
	}
	if (found)
		return to;
	if (s->op == PLAN_FLAGS)
		return put_hex(to, value);
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
	if (__builtin_expect(prefix != NULL, 0))
		to = put_blocks(to, prefix->text, prefix->len);
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

/* Whether all elements of the array are numbers of one byte or more that are written. */
static inline bool is_numbers(const struct plan_step *s, const struct cursor *c)
{
	return s->body == 1 && s[1].op < PLAN_BITS && !s[1].silent && !c->only;
}

/* Up to N elements that are numbers, behind PREFIX, whose first STEM bytes are the array's own key; sets I to how many. */
static char *write_numbers(const struct plan_step *s, uint64_t n, struct cursor *c, char *to, struct prefix *prefix,
			   size_t stem, uint64_t *i)
{
	uint64_t value;

	prefix->text[stem] = '.';
	for (*i = 0; *i < n && c->left && record_bytes(c, to) <= KEYS_BYTES_MAX; ++*i) {
		prefix->len = stem + 1;
		if (*i < 10)
			prefix->text[prefix->len++] = (char)('0' + *i);
		else
			prefix->len += number_put_u64(prefix->text + prefix->len, *i);
		if (prefix->len > PLAN_KEY_MAX)
			break;
		if (!read_op(s->op, s, c, &value))
			return NULL;
		c->left--;
		to = batch_room(c->out, to, 4 * PLAN_KEY_MAX + 512);
		to = put_integer(put_whole_key(s, to, prefix), s, value);
	}
	return to;
}

/* The same for elements of BODY steps, whatever they are. */
static char *write_elements(const struct plan_step *s, uint32_t body, uint64_t n, struct cursor *c, char *to,
			    struct prefix *prefix, size_t stem, uint64_t *i)
{
	for (*i = 0; *i < n; ++*i) {
		uint64_t at = c->at;
		size_t bytes = record_bytes(c, to);

		if (c->left == 0 || bytes > KEYS_BYTES_MAX)
			break;
		prefix->text[stem] = '.';
		prefix->len = stem + 1 + number_put_u64(prefix->text + stem + 1, *i);
		if (prefix->len > PLAN_KEY_MAX)
			break;
		to = write_steps(s, body, c, to, prefix);
		if (!to)
			return NULL;
		if (c->at == at && record_bytes(c, to) == bytes)
			*i = n - 1;	/* nothing is there, and nothing will come of the others */
	}
	return to;
}

static char *write_array(const struct plan_step *s, struct cursor *c, char *to, struct prefix *outer)
{
	const struct selection *only = c->only;
	struct prefix prefix = { .len = 0 };
	uint64_t n = array_length(s, c), i = 0;
	size_t stem;

	if (!align(c, s->align))
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
		to = is_numbers(s, c) ? write_numbers(s + 1, n, c, to, &prefix, stem, &i) :
		     write_elements(s + 1, s->body, n, c, to, &prefix, stem, &i);
		if (!to)
			return NULL;
	}
	if (i < n) {
		c->cut = true;
		if (stem + 7 <= PLAN_KEY_MAX && (c->left || !outer)) {
			to = put_array_field(c, to, &prefix, stem, ".length=");
			to += number_put_u64(to, n);
		}
		if (!pass_elements(s, n - i, c))
			return NULL;
	}
	c->only = only;
	return to;
}

/* A text of more than 64 bytes: it is cut where the record would be longer than a record may be. */
static char *write_long_text(const struct plan_step *s, struct cursor *c, char *to, const struct prefix *prefix,
			     struct slice text)
{
	size_t full = text.len, used = record_bytes(c, to);

	text.len = writer_fitting(text, used < KEYS_BYTES_MAX ? KEYS_BYTES_MAX - used : 0);
	if (text.len != full)
		text.len &= -(size_t)unit_of(s);
	to = batch_room(c->out, to, text.len * 4 + c->room + 4 * PLAN_KEY_MAX);
	to = put_text(put_whole_key(s, to, prefix), s, text);
	if (text.len == full)
		return to;
	c->cut = true;
	if (!prefix) {
		memcpy(to, s->key, s->key_len - 1);
		memcpy(to + s->key_len - 1, ".length=", 8);
		to += s->key_len + 7;
		to += number_put_u64(to, full);
	}
	return to;
}

/* Bytes as hexadecimal digits. */
static char *write_blob(const struct plan_step *s, struct cursor *c, char *to, const struct prefix *prefix)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = record_bytes(c, to), most = used < KEYS_BYTES_MAX ? (KEYS_BYTES_MAX - used) / 2 : 0;
	struct slice bytes;

	if (!read_bytes(s, c, &bytes))
		return NULL;
	if (bytes.len > most) {
		bytes.len = most;
		c->cut = true;
	}
	to = batch_room(c->out, to, bytes.len * 2 + c->room + 4 * PLAN_KEY_MAX);
	to = put_whole_key(s, to, prefix);
	for (size_t i = 0; i < bytes.len; i++) {
		*to++ = hex[(uint8_t)bytes.at[i] >> 4];
		*to++ = hex[bytes.at[i] & 15];
	}
	return to;
}

/* PREFIX is NULL outside of arrays; there the plan's room is enough for all but texts and labels. */
static char *write_steps(const struct plan_step *s, uint32_t n, struct cursor *c, char *to, struct prefix *prefix)
{
	const struct plan_step *end = s + n, *next;
	const struct plan_option *option;
	struct slice text;
	uint64_t value;

	for (; s < end; s = next) {
		next = s + 1 + s->body;
		if (__builtin_expect(s->silent, 0)) {
			if (s->silent_bits && (c->at & 7) == 0) {
				if (!there(c, s->silent_bits))
					return NULL;
				c->at += s->silent_bits;
			} else if (!ctf_event_pass(s, s->silent_n, c)) {
				return NULL;
			}
			next = s + s->silent_n;
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
			if (s->op == PLAN_STRING ? !read_string(s, c, &text) : !read_text(s, c, &text))
				return NULL;
			to = __builtin_expect(text.len > 64, 0) ? write_long_text(s, c, to, prefix, text) :
			     put_text(put_whole_key(s, to, prefix), s, text);
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
			if (!option && s->is_optional)
				break;
			if (!option)
				return NULL;
			to = write_steps(s + 1 + option->from, option->n, c, to, prefix);
			if (!to)
				return NULL;
			break;
		case PLAN_BLOB:
			to = write_blob(s, c, to, prefix);
			if (!to)
				return NULL;
			break;
		case PLAN_CONSTANT:
			to = put_key(to, s);
			break;
		case PLAN_FLAGS:
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
		case PLAN_X64:
			if (!read_op(PLAN_X64, s, c, &value))
				return NULL;
			to = put_hex(put_whole_key(s, to, prefix), value);
			break;
#undef UNSIGNED
#undef SIGNED
		default:
			if (s->is_bare) {
				if (!align(c, s->align) || !there(c, s->size))
					return NULL;
				value = load_bits(c->base, c->at, s->size, s->is_big);
				c->at += s->size;
				c->reg[s->keep] = value;
				to = put_whole_key(s, to, prefix);
				to += number_put_u64(to, value);
				break;
			}
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

/* The fields of the contexts; the cursor is behind these then. */
static char *write_contexts(const struct ctf_plan *plan, struct cursor *c, char *to)
{
	uint64_t begin[PLAN_PARTS_MAX + PLAN_CONSTANTS_MAX], behind;

	if (!find_parts(plan, c, begin))
		return NULL;
	behind = c->at;
	for (uint32_t i = 0; i < PLAN_CONSTANTS_MAX; i++)
		begin[plan->parts_n + i] = behind;
	for (uint32_t i = 0; i < plan->order_n; i++) {
		const struct plan_part *part = &plan->parts[plan->order[i]];

		c->at = begin[plan->order[i]];
		to = write_steps(&plan->steps[part->from], part->n, c, to, NULL);
		if (!to)
			return NULL;
	}
	c->at = behind;
	return to;
}

/* The same, for contexts that come as they are again and again: a thread makes many events in a row. */
static char *write_like_before(const struct ctf_plan *plan, struct cursor *c, char *to)
{
	struct context_text *last = &c->context;
	size_t size = (size_t)plan->scopes[0].size / 8;
	const uint8_t *bytes;
	char *end;

	if (!align(c, plan->scopes[0].align) || !there(c, size * 8))
		return NULL;
	bytes = c->base + c->at / 8;
	if (last->alike == plan->alike && memcmp(last->bytes, bytes, size) == 0) {
		c->at += size * 8;
		return put_blocks(to, last->text, last->len);
	}
	end = write_contexts(plan, c, to);
	if (!end)
		return NULL;
	last->len = (size_t)(end - to);
	last->alike = last->len <= sizeof last->text - PLAN_KEY_PADDING ? plan->alike : NULL;
	if (last->alike) {
		memcpy(last->bytes, bytes, size);
		memcpy(last->text, to, last->len);
	}
	return end;
}

char *ctf_event_write(const struct ctf_plan *plan, struct cursor *c, char *to)
{

	if (!plan->writes) {
		c->cut = false;
		return ctf_event_skip(plan, c) ? to : NULL;
	}
	c->room = plan->room;
	c->left = plan->left;
	c->cut = false;
	c->only = NULL;
	c->selection = plan->selection;
	to = batch_room(c->out, to, plan->room);
	to = plan->alike ? write_like_before(plan, c, to) : write_contexts(plan, c, to);
	if (!to)
		return NULL;
	if (!align(c, plan->payload_align))
		return NULL;
	return write_steps(&plan->steps[plan->payload], plan->steps_n - plan->payload, c, to, NULL);
}

/* Puts the cursor behind the contexts. */
static bool pass_parts(const struct ctf_plan *plan, struct cursor *c)
{
	uint64_t begin[PLAN_PARTS_MAX], from = c->at;

	for (const struct plan_scope *scope = plan->scopes; scope < plan->scopes + plan->scopes_n; scope++) {
		if (scope->size < 0) {
			c->at = from;
			return find_parts(plan, c, begin);
		}
		if (!align(c, scope->align) || !there(c, (uint64_t)scope->size))
			return false;
		c->at += (uint64_t)scope->size;
	}
	return true;
}

bool ctf_event_skip(const struct ctf_plan *plan, struct cursor *c)
{
	if (!pass_parts(plan, c) || !align(c, plan->payload_align))
		return false;
	if (plan->payload_size >= 0) {
		if (!there(c, (uint64_t)plan->payload_size))
			return false;
		c->at += (uint64_t)plan->payload_size;
		return true;
	}
	return ctf_event_pass(&plan->steps[plan->payload], plan->steps_n - plan->payload, c);
}
