// SPDX-License-Identifier: MIT
#include "stack.h"

#include <stdlib.h>

#include "memory.h"
#include "reader.h"

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

size_t stack_escape(char *to, struct slice frame, bool in_record)
{
	static const char hex[] = "0123456789abcdef";
	const char *end = frame.at + frame.len;
	char *start = to;

	for (const char *p = frame.at; p < end; p++) {
		unsigned char c;
		uint64_t word;

		while (end - p >= 8) {
			memcpy(&word, p, 8);
			if (maybe_special(word))
				break;
			memcpy(to, p, 8);
			to += 8;
			p += 8;
		}
		if (p == end)
			break;
		c = (unsigned char)*p;
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
	const char *p = frame.at, *end = frame.at + frame.len;
	char *start = to;

	while (p < end) {
		int c = escaped(p, end);

		*to++ = c < 0 ? *p : (char)c;
		p += c < 0 ? 1 : 4;
	}
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
	struct slice frame;

	if (!reader_escaped(value) && !memchr(value.at, ' ', value.len)) {
		stack_add_folded(t, value);
		return;
	}
	t->space = memory_grow(t->space, &t->space_room, value.len + 1, 1);
	while (stack_next(&value, &frame)) {
		struct slice plain = { t->space, reader_unescape(frame, t->space) };

		plain.len = stack_unescape(t->space, plain);
		stack_add_frame(t, SLICE(""), plain);
	}
}

void stack_text_free(struct stack_text *t)
{
	free(t->at);
	free(t->space);
}
