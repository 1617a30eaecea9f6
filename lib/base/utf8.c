// SPDX-License-Identifier: MIT
#include "base/utf8.h"

size_t utf8_sequence(const char *at, size_t len)
{
	const unsigned char *p = (const unsigned char *)at;
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	unsigned char low = 0x80, high = 0xbf;

	if (n == 1)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len < n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return n;
}

bool utf8_valid(struct slice text)
{
	const char *p = text.at, *end = text.at + text.len;

	while (p < end) {
		uint64_t word[2];
		size_t n;

		if (end - p >= 16) {
			memcpy(word, p, 16);
			if (((word[0] | word[1]) & 0x8080808080808080u) == 0) {
				p += 16;
				continue;
			}
		}
		n = utf8_sequence(p, (size_t)(end - p));
		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

size_t utf8_mend(char *to, struct slice text)
{
	static const char digits[] = "0123456789abcdef";
	char *begin = to;

	for (size_t i = 0, n; i < text.len; i += n) {
		n = utf8_sequence(text.at + i, text.len - i);
		if (n) {
			memcpy(to, text.at + i, n);
			to += n;
		} else {
			*to++ = '\\';
			*to++ = 'x';
			*to++ = digits[(unsigned char)text.at[i] >> 4];
			*to++ = digits[(unsigned char)text.at[i] & 15];
			n = 1;
		}
	}
	return (size_t)(to - begin);
}
