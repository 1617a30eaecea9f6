// SPDX-License-Identifier: MIT
#include "records/json.h"

#include "base/number.h"
#include "base/utf8.h"
#include "records/reader.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* How many of the bytes at P are ASCII that stands for itself. */
static inline size_t plain(const char *p, size_t len)
{
	size_t i = 0;

#ifdef __SSE2__
	/* Signed compares: bytes from 0x80 up are negative, and so below 0x20 too. */
	for (; i + 16 <= len; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
		__m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
					     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
		__m128i all = _mm_or_si128(_mm_or_si128(low, marks),
					   _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
		int mask = _mm_movemask_epi8(all);

		if (mask)
			return i + (size_t)__builtin_ctz((unsigned)mask);
	}
#endif
	for (; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			break;
	}
	return i;
}

static char *put_unit(char *to, const char *begin, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";

	memcpy(to, begin, 4);
	to[4] = hex[byte >> 4];
	to[5] = hex[byte & 15];
	return to + 6;
}

static char *put_ascii(char *to, unsigned char c)
{
	const char *name = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : c == '"' ? "\\\"" :
			   c == '\\' ? "\\\\" : NULL;

	if (!name)
		return put_unit(to, "\\u00", c);
	memcpy(to, name, 2);
	return to + 2;
}

/* Writes TEXT as a string at TO, which has room for 6 bytes each and 2 more; returns the end. */
static char *string(char *to, struct slice text)
{
	size_t i = 0;

	*to++ = '"';
	while (i < text.len) {
		const unsigned char *p = (const unsigned char *)text.at + i;
		size_t n = plain(text.at + i, text.len - i);

		memcpy(to, p, n);
		to += n;
		i += n;
		p += n;
		if (i == text.len)
			break;
		if (*p < 0x80) {
			to = put_ascii(to, *p);
			i++;
			continue;
		}
		n = utf8_sequence(text.at + i, text.len - i);
		if (n == 0) {
			to = put_unit(to, "\\udc", *p);
			i++;
		} else if (*p == 0xc2 && p[1] < 0xa0) {
			to = put_unit(to, "\\u00", p[1]);
			i += n;
		} else {
			memcpy(to, p, n);
			to += n;
			i += n;
		}
	}
	*to++ = '"';
	return to;
}

void json_text(struct writer *writer, struct slice text)
{
	writer->at = string(writer_room(writer, text.len * 6 + 2), text);
}

void json_string(struct writer *writer, struct slice value)
{
	/* The unescaped text lies behind what is written from it, which cannot reach it. */
	size_t most = value.len * 6 + 2;
	char *to = writer_room(writer, most + value.len);

	if (reader_escaped(value)) {
		value.len = reader_unescape(value, to + most);
		value.at = to + most;
	}
	writer->at = string(to, value);
}

void json_value(struct writer *writer, struct slice value)
{
	if (number_canonical(value))
		writer_bytes(writer, value.at, value.len);
	else
		json_string(writer, value);
}
