// SPDX-License-Identifier: MIT
#include "babeltrace/babellexer.h"

#include "base/memory.h"
#include "base/number.h"

void babellexer_begin(struct babellexer *in, const char *end, size_t room)
{
	in->end = end;
	in->saw_unquoted = false;
	in->scratch = memory_grow(in->scratch, &in->scratch_room, room, 1);
}

void babellexer_restart(struct babellexer *in)
{
	in->scratch_at = in->scratch;
	in->open_string = false;
}

const char *babellexer_failed(struct babellexer *in, const char *why)
{
	in->why = why;
	return NULL;
}

size_t babellexer_name(const struct babellexer *in, const char *p)
{
	const char *q = p;

	while (q < in->end && (unsigned char)*q > ' ' && !strchr(",\"{}[]()<", *q))
		q++;
	return q > p && babellexer_begins(in, q, SLICE(" = ")) ? (size_t)(q - p) : 0;
}

/* Room for N bytes of values that do not stand in the text as they are wanted. */
static char *scratch(struct babellexer *in, size_t n)
{
	/* babellexer_begin() made room for all of the line, and for each real and octal number. */
	char *at = in->scratch_at;

	in->scratch_at += n;
	return at;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* 0x…, 0b… or 0…: what babeltrace prints of integers whose base is not ten. */
static bool other_base(struct babellexer *in, struct slice text, struct slice *value)
{
	bool hex = text.at[1] == 'x', binary = text.at[1] == 'b';
	int base = hex ? 16 : binary ? 2 : 8;
	struct slice digits = { text.at + (hex || binary ? 2 : 1), text.len - (hex || binary ? 2 : 1) };
	char *to = scratch(in, NUMBER_TEXT);
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
static bool odd_scalar(struct babellexer *in, struct slice text, struct slice *value)
{
	double real;

	if (text.len > 1 && text.at[0] == '0' && text.at[1] != '.' && text.at[1] != 'e')
		return other_base(in, text, value);
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
	value->at = scratch(in, NUMBER_TEXT);
	value->len = number_put_real((char *)(uintptr_t)value->at, real);
	return true;
}

const char *babellexer_number(struct babellexer *in, const char *p, struct slice *value)
{
	const char *from = p, *digits;

	if (p < in->end && *p == '-')
		p++;
	for (digits = p; p < in->end && *p >= '0' && *p <= '9'; p++)
		;
	if (p > digits && (p == in->end || *p == ' ' || *p == ',' || *p == ')') && p - digits <= 20 &&
	    (*digits != '0' || p - from == 1)) {
		*value = (struct slice){ from, (size_t)(p - from) };
		return p;
	}
	while (p < in->end && *p != ' ' && *p != ',' && *p != ')')
		p++;
	if (p == from || !odd_scalar(in, (struct slice){ from, (size_t)(p - from) }, value))
		return babellexer_failed(in, p == in->end ? "the line is cut" :
						"a value is no number, string or list");
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
static bool ends_string(const struct babellexer *in, const char *p)
{
	if (babellexer_begins(in, p, SLICE(" :")))
		return true;
	if (babellexer_begins(in, p, SLICE(" }")) || babellexer_begins(in, p, SLICE(" ]"))) {
		p += 2;
		return p == in->end || *p == ' ' || *p == ',';
	}
	if (!babellexer_begins(in, p, SLICE(", ")))
		return false;
	p += 2;
	return babellexer_name(in, p) || (p < in->end && strchr("\"[{(-0123456789", *p));
}

static const char *unquoted_string(struct babellexer *in, const char *p, struct slice *value)
{
	const char *from = p;

	while ((p = memchr(p, '"', (size_t)(in->end - p)))) {
		if (ends_string(in, p + 1)) {
			*value = (struct slice){ from, (size_t)(p - from) };
			return p + 1;
		}
		p++;
	}
	in->open_string = true;
	return babellexer_failed(in, "a string does not end");
}

const char *babellexer_string(struct babellexer *in, const char *p, struct slice *value)
{
	const char *from = p;
	char *to;

	if (in->unquoted)
		return unquoted_string(in, p, value);
	for (; p < in->end && *p != '"' && *p != '\\'; p++)
		in->saw_unquoted |= *p == '\'' || *p == '?' || (unsigned char)*p < ' ';
	if (p < in->end && *p == '"') {
		*value = (struct slice){ from, (size_t)(p - from) };
		return p + 1;
	}
	/* Undone, it takes no more than it took. */
	to = in->scratch_at;
	memcpy(to, from, (size_t)(p - from));
	value->at = to;
	to += p - from;
	while (p < in->end && *p != '"') {
		if (*p == '\\' && p + 1 < in->end) {
			p++;
			in->saw_unquoted |= !memchr("\\'\"?0abefnrtvx", *p, 14);
			*to++ = unescaped(&p, in->end);
		} else {
			in->saw_unquoted |= *p == '\'' || *p == '?' || (unsigned char)*p < ' ';
			*to++ = *p++;
		}
	}
	if (p == in->end) {
		in->open_string = true;
		return babellexer_failed(in, "a string does not end");
	}
	value->len = (size_t)(to - value->at);
	scratch(in, value->len);
	return p + 1;
}

/*
 * Reads *COUNT labels, as many as there are. Joins them by `|` at TO; where that is NULL, only says in
 * JOINED how long they are, unless it is one.
 */
static const char *labels(struct babellexer *in, const char *p, char *to, struct slice *joined,
			  unsigned *count)
{
	*joined = (struct slice){ to, 0 };
	for (*count = 0; babellexer_begins(in, p, SLICE("\"")); ++*count) {
		char *scratch_before = in->scratch_at;
		struct slice label;

		p = babellexer_string(in, p + 1, &label);
		if (!p)
			return NULL;
		p += babellexer_begins(in, p, SLICE(", ")) ? 2 : 0;
		if (to && *count)
			to[joined->len] = '|';
		joined->len += *count ? 1 : 0;
		if (to)
			memmove(to + joined->len, label.at, label.len);
		else
			joined->at = label.at;
		joined->len += label.len;
		if (to || *count)
			in->scratch_at = scratch_before;
	}
	return p;
}

/* One label is taken as it stands; several are read again, once it is known how much room they take. */
static const char *joined_labels(struct babellexer *in, const char *p, struct slice *value)
{
	char *scratch_before = in->scratch_at;
	unsigned count;
	const char *after = labels(in, p, NULL, value, &count);

	if (!after || count < 2)
		return after;
	in->scratch_at = scratch_before;
	return labels(in, p, scratch(in, value->len), value, &count);
}

/* A number that stands where a label would is decimal. */
static struct slice decimal(struct babellexer *in, struct slice number)
{
	uint64_t value = 0;
	char *to;

	if (number.len < 3 || number.at[1] != 'x')
		return number;
	for (size_t i = 2; i < number.len; i++)
		value = value << 4 | (uint64_t)hex_digit(number.at[i]);
	to = scratch(in, NUMBER_TEXT);
	return (struct slice){ to, number_put_u64(to, value) };
}

const char *babellexer_enumeration(struct babellexer *in, const char *p, struct slice *value)
{
	bool braces, labelled;
	struct slice number;

	p += 2;
	braces = babellexer_begins(in, p, SLICE("{ "));
	p += braces ? 2 : 0;
	labelled = babellexer_begins(in, p, SLICE("\""));
	if (babellexer_begins(in, p, SLICE("<unknown>")))
		p += sizeof "<unknown>" - 1;
	else
		p = joined_labels(in, p, value);
	if (!p)
		return NULL;
	p += braces && babellexer_begins(in, p, SLICE(" }")) ? 2 : 0;
	if (!babellexer_begins(in, p, SLICE(" : ")))
		return babellexer_failed(in, "an enumeration has no number");
	p += 3;
	p += babellexer_begins(in, p, SLICE("container = ")) ? sizeof "container = " - 1 : 0;
	p = babellexer_number(in, p, &number);
	if (!p)
		return NULL;
	p += babellexer_begins(in, p, SLICE(" "));
	if (!babellexer_begins(in, p, SLICE(")")))
		return babellexer_failed(in, "an enumeration does not end");
	if (!labelled)
		*value = decimal(in, number);
	return p + 1;
}
