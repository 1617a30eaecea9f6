// SPDX-License-Identifier: MIT
#include "base/display.h"

#include <math.h>
#include <stdio.h>

/* The code point at P and its length, or 0 where there is no valid UTF-8. */
static size_t decode(const unsigned char *p, size_t len, uint32_t *code)
{
	unsigned char c = p[0];
	size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;

	if (n == 0 || n > len)
		return 0;
	*code = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	if ((n == 3 && *code < 0x800) || (n == 4 && (*code < 0x10000 || *code > 0x10ffff)) ||
	    (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return n;
}

struct range {
	uint32_t from, to;
};

static bool within(uint32_t code, const struct range *range, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= range[i].from && code <= range[i].to)
			return true;
	return false;
}
#define WITHIN(code, ranges) within(code, ranges, sizeof(ranges) / sizeof *(ranges))

/* What moves the cursor, turns the direction or cannot be seen: C1, line and bidirectional marks, tags. */
static const struct range hidden[] = {
	{ 0x00, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x200b, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xe0000, 0xe0fff },
};
/* Nearly all of what takes no column, and two (Unicode 15; EastAsianWidth W and F). */
static const struct range combining[] = {
	{ 0x300, 0x36f }, { 0x483, 0x489 }, { 0x591, 0x5bd }, { 0x610, 0x61a }, { 0x64b, 0x65f },
	{ 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};
static const struct range wide[] = {
	{ 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xa960, 0xa97f }, { 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1faff }, { 0x20000, 0x3fffd },
};

/* Writes N bytes that are one character, or each as \xHH; returns the length. */
static size_t put_character(char *to, const unsigned char *p, size_t n, bool as_it_is)
{
	static const char hex[] = "0123456789abcdef";

	if (as_it_is) {
		memcpy(to, p, n);
		return n;
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(to + 4 * i, "\\x", 2);
		to[4 * i + 2] = hex[p[i] >> 4];
		to[4 * i + 3] = hex[p[i] & 15];
	}
	return 4 * n;
}

/* The bytes of the character at P, whether it shows as it is, and the columns that it takes. */
static size_t measure(const unsigned char *p, size_t left, bool *good, size_t *width)
{
	uint32_t code = 0;
	size_t n = decode(p, left, &code);

	*good = n && !WITHIN(code, hidden);
	n = n ? n : 1;
	*width = !*good ? 4 * n : WITHIN(code, combining) ? 0 : WITHIN(code, wide) ? 2 : 1;
	return n;
}

size_t display_text(char *to, struct slice value, size_t max, size_t *columns)
{
	const unsigned char *p = (const unsigned char *)value.at;
	size_t left = value.len, len = 0, fits = 0, fits_columns = 0;

	for (*columns = 0; left;) {
		size_t width;
		bool good;
		size_t n = measure(p, left, &good, &width);

		if (*columns + width > max) {
			memcpy(to + fits, "\u2026", 3);
			*columns = fits_columns + 1;
			return fits + 3;
		}
		len += put_character(to + len, p, n, good);
		*columns += width;
		if (*columns < max) {	/* the ellipsis has room behind this */
			fits = len;
			fits_columns = *columns;
		}
		p += n;
		left -= n;
	}
	return len;
}

size_t display_both_ends(char *to, struct slice value, size_t max, size_t *columns)
{
	const unsigned char *p = (const unsigned char *)value.at;
	size_t left = value.len, len, rest, width, tail;
	bool good;

	len = display_text(to, value, SIZE_MAX, &rest);
	*columns = rest;
	if (rest <= max)
		return len;
	len = display_text(to, value, max / 3, columns);
	/* What is left out before the other end. */
	for (size_t n; rest > max - *columns; p += n, left -= n) {
		n = measure(p, left, &good, &width);
		rest -= width;
	}
	len += display_text(to + len, (struct slice){ (const char *)p, left }, SIZE_MAX, &tail);
	*columns += tail;
	return len;
}

/* Three digits of VALUE in the largest of N units, STEP apart, that leaves one before the point. */
static size_t scaled(char *to, double value, double step, const char *const *units, int n)
{
	int unit = 0, digits = 2;
	double size;

	/* 999.5 rounds to 1000, which is one of the next unit. */
	for (; unit + 1 < n && fabs(value) >= (unit ? step - 0.5 : step); unit++)
		value /= step;
	size = fabs(value);
	if (size >= 99.95 || (unit == 0 && value == trunc(value)))
		digits = 0;
	else if (size >= 9.995)
		digits = 1;
	if (size >= 1e15)
		return (size_t)snprintf(to, DISPLAY_NUMBER, "%.3g %s", value, units[unit]);
	return (size_t)snprintf(to, DISPLAY_NUMBER, "%.*f %s", digits, value, units[unit]);
}

size_t display_duration(char *to, double ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };

	return scaled(to, ns, 1000, units, 4);
}

size_t display_size(char *to, double bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

	return scaled(to, bytes, 1024, units, 7);
}

size_t display_real(char *to, double value)
{
	double size = fabs(value);

	if (size >= 1e5 && size < 1e15)
		return (size_t)snprintf(to, DISPLAY_NUMBER, "%.0f", value);
	return (size_t)snprintf(to, DISPLAY_NUMBER, "%.6g", value);
}
