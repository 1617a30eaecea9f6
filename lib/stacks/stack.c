// SPDX-License-Identifier: MIT
#include "stacks/stack.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/memory.h"
#include "records/reader.h"

bool stack_next(struct slice *rest, struct slice *frame)
{
	const char *end;

	if (rest->len == 0 || !rest->at)
		return false;
	end = memchr(rest->at, ';', rest->len);
	*frame = (struct slice){ rest->at, end ? (size_t)(end - rest->at) : rest->len };
	rest->at += frame->len + (end != NULL);
	rest->len -= frame->len + (end != NULL);
	return true;
}

static bool special(unsigned char c)
{
	return c <= ' ' || c == ';' || c == 0x7f || c == '\\';
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What the escape at P stands for; -1: it is none of ours. */
static int escaped(const char *p, const char *end)
{
	int high, low;

	if (end - p < 4 || p[0] != '\\' || p[1] != 'x')
		return -1;
	high = digit(p[2]);
	low = digit(p[3]);
	return high >= 0 && low >= 0 && special((unsigned char)(high << 4 | low)) ? high << 4 | low : -1;
}

/* Whether one of the eight bytes may be special: some others may be found as well. */
static bool maybe_special(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101u, highs = 0x80 * ones;
	uint64_t semicolon = word ^ ';' * ones, backslash = word ^ '\\' * ones, del = word ^ 0x7f * ones;

	return (((word - 0x21 * ones) & ~word) | ((semicolon - ones) & ~semicolon) |
		((backslash - ones) & ~backslash) | ((del - ones) & ~del)) & highs;
}

#ifdef __SSE2__
/* Of the sixteen bytes at P. */
static inline bool any_special(const char *p)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(' ')), bytes);
	__m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(';')),
				     _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
						  _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f))));

	return _mm_movemask_epi8(_mm_or_si128(low, marks)) != 0;
}
#endif

/* Within one buffer, too. Returns the length. */
static size_t copy(char *to, struct slice text)
{
	if (text.len)
		memmove(to, text.at, text.len);
	return text.len;
}

bool stack_plain(struct slice text)
{
	uint64_t word;

	if (text.len == 0)
		return true;
	if (text.len < 8)
		return !maybe_special(slice_word(text.at, text.len) |
				      ~slice_word("\xff\xff\xff\xff\xff\xff\xff", text.len));
#ifdef __SSE2__
	if (text.len >= 16) {
		for (size_t i = 0; i < text.len; i += 16)
			if (any_special(text.at + (i + 16 <= text.len ? i : text.len - 16)))
				return false;
		return true;
	}
#endif
	/* The last bytes may be looked at twice. */
	for (size_t i = 0; i < text.len; i += 8) {
		memcpy(&word, text.at + (i + 8 <= text.len ? i : text.len - 8), 8);
		if (maybe_special(word))
			return false;
	}
	return true;
}

size_t stack_escape(char *to, struct slice frame, bool in_record)
{
	static const char hex[] = "0123456789abcdef";
	const char *end = frame.at + frame.len;
	char *start = to;

	if (stack_plain(frame))
		return copy(to, frame);
	for (const char *p = frame.at; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (!special(c) || (in_record && c != ';' && c != '\\') ||
		    (c == '\\' && escaped(p, end) < 0)) {
			*to++ = *p;
			continue;
		}
		memcpy(to, "\\x", 2);
		to[2] = hex[c >> 4];
		to[3] = hex[c & 15];
		to += 4;
	}
	return (size_t)(to - start);
}

size_t stack_unescape(char *to, struct slice frame)
{
	const char *p = frame.at, *end = frame.at + frame.len, *next;
	char *start = to;

	while (p < end && (next = memchr(p, '\\', (size_t)(end - p)))) {
		int c = escaped(next, end);

		to += copy(to, (struct slice){ p, (size_t)(next - p) });
		*to++ = c < 0 ? '\\' : (char)c;
		p = next + (c < 0 ? 1 : 4);
	}
	to += copy(to, (struct slice){ p, (size_t)(end - p) });
	return (size_t)(to - start);
}

/* Room for LEN bytes, however they are escaped, behind a `;` where there are frames already. */
static char *begin(struct stack_text *t, size_t len)
{
	t->at = memory_grow(t->at, &t->room, t->len + 4 * len + 1, 1);
	if (t->len)
		t->at[t->len++] = ';';
	return t->at + t->len;
}

void stack_add_frame(struct stack_text *t, struct slice prefix, struct slice frame)
{
	char *to = begin(t, prefix.len + frame.len);

	memcpy(to, prefix.at, prefix.len);
	t->len += prefix.len + stack_escape(to + prefix.len, frame, false);
}

void stack_add_folded(struct stack_text *t, struct slice frames)
{
	memcpy(begin(t, frames.len), frames.at, frames.len);
	t->len += frames.len;
}

void stack_add_value(struct stack_text *t, struct slice value)
{
	const char *end = value.at + value.len, *blank;
	struct slice frame;
	char *to;

	if (reader_escaped(value)) {
		t->space = memory_grow(t->space, &t->space_room, value.len + 1, 1);
		while (stack_next(&value, &frame)) {
			struct slice plain = { t->space, reader_unescape(frame, t->space) };

			plain.len = stack_unescape(t->space, plain);
			stack_add_frame(t, SLICE(""), plain);
		}
		return;
	}
	/* What else has to be escaped in folded stacks is so in records. */
	for (to = begin(t, value.len); value.len && (blank = memchr(value.at, ' ', value.len));) {
		to += copy(to, (struct slice){ value.at, (size_t)(blank - value.at) });
		memcpy(to, "\\x20", 4);
		to += 4;
		value = (struct slice){ blank + 1, (size_t)(end - blank - 1) };
	}
	t->len = (size_t)(to - t->at) + copy(to, value);
}

void stack_text_free(struct stack_text *t)
{
	free(t->at);
	free(t->space);
}
