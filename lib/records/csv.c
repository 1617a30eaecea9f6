// SPDX-License-Identifier: MIT
#include "records/csv.h"

#include "records/reader.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What a byte asks for. */
enum { QUOTE = 1, CONTROL = 2, ESCAPE = 4 };
static const unsigned char care[256] = {
	[0 ... 8] = QUOTE | CONTROL, ['\t'] = QUOTE, ['\n'] = QUOTE, [11 ... 12] = QUOTE | CONTROL,
	['\r'] = QUOTE, [14 ... 0x1f] = QUOTE | CONTROL, ['"'] = QUOTE, [','] = QUOTE, ['\\'] = ESCAPE,
	[0x7f] = QUOTE | CONTROL,
};

/* How many of the bytes at P ask for nothing. */
static inline size_t plain(const char *p, size_t len)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; i + 16 <= len; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
		__m128i marks = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
					     _mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
		__m128i rest = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
					    _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f)));
		int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, marks), rest));

		if (mask)
			return i + (size_t)__builtin_ctz((unsigned)mask);
	}
#endif
	while (i < len && !care[(unsigned char)p[i]])
		i++;
	return i;
}

/* Writes TEXT, whose bytes may stand behind TO's room, quoted; TO has room for 4 bytes each and 2 more. */
static char *quoted(char *to, struct slice text, bool exact)
{
	static const char hex[] = "0123456789abcdef";

	*to++ = '"';
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if ((care[c] & CONTROL) && !exact) {
			*to++ = '\\';
			*to++ = 'x';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
			continue;
		}
		if (c == '"')
			*to++ = '"';
		*to++ = (char)c;
	}
	*to++ = '"';
	return to;
}

static inline bool blank_ends(struct slice text)
{
	return text.len == 0 || text.at[0] == ' ' || text.at[text.len - 1] == ' ';
}

/* Text that was seen to need care. Kept out of the way of the common case. */
static __attribute__((noinline)) void careful(struct writer *writer, struct slice text, bool escaped,
					      bool exact)
{
	/* The unescaped text lies behind what is written from it, which cannot reach it. */
	size_t most = text.len * 4 + 2;
	char *to = writer_room(writer, most + text.len);
	unsigned char asked = 0;

	if (escaped && reader_escaped(text)) {
		text.len = reader_unescape(text, to + most);
		text.at = to + most;
	}
	for (size_t i = 0; i < text.len; i++)
		asked |= care[(unsigned char)text.at[i]];
	if ((asked & QUOTE) || blank_ends(text)) {
		writer->at = quoted(to, text, exact);
	} else {
		memmove(to, text.at, text.len);
		writer->at = to + text.len;
	}
}

static inline void cell(struct writer *writer, struct slice text, bool escaped, bool exact)
{
	if (blank_ends(text) || plain(text.at, text.len) < text.len)
		careful(writer, text, escaped, exact);
	else
		writer_bytes(writer, text.at, text.len);
}

void csv_text(struct writer *writer, struct slice text)
{
	cell(writer, text, false, false);
}

void csv_value(struct writer *writer, struct slice value)
{
	cell(writer, value, true, false);
}

void csv_value_exact(struct writer *writer, struct slice value)
{
	cell(writer, value, true, true);
}
