// SPDX-License-Identifier: MIT
#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND 1000000000
#define DAY_NS (86400LL * SECOND)

/*
 * Eight digits at once: false unless all are. Neighbours are joined to numbers of two, four and eight digits,
 * the first in the lowest byte.
 */
static inline bool eight_digits(const char *p, uint64_t *value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint64_t v;

	memcpy(&v, p, 8);
	v ^= 0x3030303030303030u;
	/* A byte above 9 sets its upper half, itself or when 6 is added; there is no carry unless one was set. */
	if ((v | (v + 0x0606060606060606u)) & 0xf0f0f0f0f0f0f0f0u)
		return false;
	v = (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ffu;
	v = (v * 100 + (v >> 16)) & 0x0000ffff0000ffffu;
	*value = (v * 10000 + (v >> 32)) & 0xffffffffu;
	return true;
#else
	*value = 0;
	for (int i = 0; i < 8; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		*value = *value * 10 + (uint64_t)(p[i] - '0');
	}
	return true;
#endif
}

bool number_u64(struct slice text, uint64_t *value)
{
	uint64_t v = 0, eight;
	size_t i = 0;

	if (text.len == 0)
		return false;
	for (; i < 16 && i + 8 <= text.len; i += 8) {
		if (!eight_digits(text.at + i, &eight))
			return false;
		v = v * 100000000 + eight;
	}
	for (; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.at[i] - '0';

		if (digit > 9)
			return false;
		if (i >= 19 && (v > UINT64_MAX / 10 || v * 10 > UINT64_MAX - digit))
			return false;
		v = v * 10 + digit;
	}
	*value = v;
	return true;
}

bool number_i64(struct slice text, int64_t *value)
{
	bool negative = text.len > 0 && text.at[0] == '-';
	uint64_t v;

	if (!number_u64((struct slice){ text.at + negative, text.len - negative }, &v))
		return false;
	if (v > (uint64_t)INT64_MAX + negative)
		return false;
	*value = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

bool number_bits(struct slice text, uint64_t *value)
{
	int64_t number;

	if (text.len < 3 || text.at[0] != '0' || text.at[1] != 'x') {
		if (!number_i64(text, &number))
			return number_u64(text, value);
		*value = (uint64_t)number;
		return true;
	}
	*value = 0;
	for (size_t i = 2; i < text.len; i++) {
		char c = text.at[i];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
			c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;

		if (digit > 15 || i >= 18)
			return false;
		*value = *value << 4 | digit;
	}
	return true;
}

/* Only the characters of a number, so that strtod's `inf`, `nan`, blanks and hex floats stay out. */
static bool is_decimal(struct slice text)
{
	const char *p = text.at, *end = text.at + text.len;
	size_t digits = 0;

	if (p < end && *p == '-')
		p++;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		digits++;
	if (p < end && *p == '.')
		for (p++; p < end && *p >= '0' && *p <= '9'; p++)
			digits++;
	if (digits == 0)
		return false;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '-' || *p == '+'))
			p++;
		if (p == end)
			return false;
		for (; p < end && *p >= '0' && *p <= '9'; p++)
			;
	}
	return p == end;
}

static bool hexadecimal(struct slice text, double *value)
{
	uint64_t v = 0;

	if (text.len > 18)
		return false;
	for (size_t i = 2; i < text.len; i++) {
		char c = text.at[i];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
				 c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) :
				 c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10) : 16;

		if (digit > 15)
			return false;
		v = v << 4 | digit;
	}
	*value = (double)v;
	return true;
}

bool number_real(struct slice text, double *value)
{
	char copy[512];
	int64_t whole;

	if (text.len <= 15 && number_i64(text, &whole)) {	/* exact, and nearly every number met */
		/* -0 keeps its sign only as a double; nobody measures it. */
		*value = (double)whole;
		return true;
	}
	if (text.len > 2 && text.at[0] == '0' && (text.at[1] == 'x' || text.at[1] == 'X'))
		return hexadecimal(text, value);
	if (text.len >= sizeof copy || !is_decimal(text))
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	*value = strtod(copy, NULL);	/* programs never call setlocale(), so the point is a dot */
	return isfinite(*value);
}

struct unit {
	struct slice name;
	uint64_t scale;
};

/* NUMBER followed by one of the units; a bare number counts in BARE, 0 refuses it. */
static bool with_unit(struct slice text, const struct unit *units, uint64_t bare, uint64_t *result)
{
	size_t n = 0;
	uint64_t scale = bare, whole;
	long double product;
	double number;

	while (n < text.len && ((text.at[n] >= '0' && text.at[n] <= '9') || text.at[n] == '.'))
		n++;
	if (n < text.len) {
		struct slice name = { text.at + n, text.len - n };

		while (units->scale && !slice_equal(units->name, name))
			units++;
		scale = units->scale;
	}
	text.len = n;
	if (scale == 0)
		return false;
	if (number_u64(text, &whole))
		return !__builtin_mul_overflow(whole, scale, result);
	if (!number_real(text, &number))
		return false;
	product = (long double)number * (long double)scale;
	if (product >= 18446744073709551615.0L)
		return false;
	*result = (uint64_t)roundl(product);
	return true;
}

bool number_duration(struct slice text, uint64_t unit, uint64_t *ns)
{
	static const struct unit units[] = {
		{ SLICE("ns"), 1 }, { SLICE("us"), 1000 }, { SLICE("\u00b5s"), 1000 },
		{ SLICE("ms"), 1000000 }, { SLICE("s"), SECOND }, { SLICE("m"), 60ull * SECOND },
		{ SLICE("min"), 60ull * SECOND }, { SLICE("h"), 3600ull * SECOND },
		{ SLICE("d"), 86400ull * SECOND }, { { "", 0 }, 0 },
	};

	return with_unit(text, units, unit, ns);
}

bool number_size(struct slice text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ SLICE("B"), 1 },
		{ SLICE("k"), 1024 }, { SLICE("K"), 1024 }, { SLICE("KiB"), 1024 }, { SLICE("kB"), 1000 },
		{ SLICE("M"), 1 << 20 }, { SLICE("MiB"), 1 << 20 }, { SLICE("MB"), 1000000 },
		{ SLICE("G"), 1 << 30 }, { SLICE("GiB"), 1 << 30 }, { SLICE("GB"), 1000000000 },
		{ SLICE("T"), 1ull << 40 }, { SLICE("TiB"), 1ull << 40 }, { SLICE("TB"), 1000000000000 },
		{ { "", 0 }, 0 },
	};

	return with_unit(text, units, 1, bytes);
}

/*
 * The eight decimal digits of VALUE, below 10^8, the first one in the lowest byte: divisions by 100 and 10
 * of all parts at once, by multiplication with 2^20 / 100 and 2^10 / 10, which are exact for so few digits.
 */
static inline uint64_t digits_of(uint32_t value)
{
	uint64_t digits = value / 10000 | (uint64_t)(value % 10000) << 32, high;

	high = digits * 10486 >> 20 & 0x0000007f0000007f;
	digits = high | (digits - high * 100) << 16;
	high = digits * 103 >> 10 & 0x000f000f000f000f;
	return high | (digits - high * 10) << 8;
}

static inline void put_digits(char *to, uint64_t digits)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	digits = __builtin_bswap64(digits);
#endif
	memcpy(to, &digits, 8);
}

/*
 * At most eight digits, without leading zeros. Writes eight bytes. How many digits there are is asked by
 * branches, which are foreseen mostly: what comes behind the number need not wait for it then.
 */
static inline size_t put_short(char *to, uint32_t value)
{
	unsigned n;

	if (value < 10) {
		*to = (char)('0' + value);
		return 1;
	}
	if (value < 10000)
		n = value < 100 ? 2 : value < 1000 ? 3 : 4;
	else if (value < 1000000)
		n = value < 100000 ? 5 : 6;
	else
		n = value < 10000000 ? 7 : 8;
	switch (n) {	/* a jump: n itself would be waited for */
#define DIGITS(n) \
	case n: \
		put_digits(to, (digits_of(value) | 0x3030303030303030) >> (8 - n) * 8); \
		return n;
	DIGITS(2)
	DIGITS(3)
	DIGITS(4)
	DIGITS(5)
	DIGITS(6)
	DIGITS(7)
	default:
	DIGITS(8)
#undef DIGITS
	}
}

size_t number_put_u64(char *to, uint64_t value)
{
	uint64_t high;
	size_t n;

	if (value < 100000000)
		return put_short(to, (uint32_t)value);
	high = value / 100000000;
	n = high < 100000000 ? put_short(to, (uint32_t)high) : number_put_u64(to, high);
	put_digits(to + n, digits_of((uint32_t)(value % 100000000)) | 0x3030303030303030);
	return n + 8;
}

void number_put_nine(char *to, uint32_t value)
{
	*to = (char)('0' + value / 100000000);
	put_digits(to + 1, digits_of(value % 100000000) | 0x3030303030303030);
}

size_t number_put_i64(char *to, int64_t value)
{
	if (value >= 0)
		return number_put_u64(to, (uint64_t)value);
	*to = '-';
	return 1 + number_put_u64(to + 1, 0 - (uint64_t)value);
}

size_t number_put_ns(struct number_second *last, char *to, int64_t ts)
{
	int64_t second = ts / SECOND;

	if (ts < 1000000000000000000)	/* before 2001-09-09: fewer digits */
		return number_put_i64(to, ts);
	if (second != last->second) {
		last->second = second;
		number_put_i64(last->digits, second);
	}
	memcpy(to, last->digits, 10);
	number_put_nine(to + 10, (uint32_t)(ts - second * SECOND));
	return 19;
}

size_t number_put_real(char *to, double value)
{
	int n = 0;

	if (fabs(value) < 9007199254740992.0 && value == trunc(value))
		return number_put_i64(to, (int64_t)value);
	/* 15 digits are enough for most, 17 for all: the first that reads back is the shortest. */
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(to, NUMBER_TEXT, "%.*g", digits, value);
		if (!isfinite(value) || strtod(to, NULL) == value)
			break;
	}
	return (size_t)n;
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

bool number_canonical(struct slice text)
{
	const char *end = text.at + text.len, *first = text.at + (text.len && text.at[0] == '-'), *point;
	char again[NUMBER_TEXT];
	double value;

	point = skip_digits(first, end);
	if (point == first || text.len > NUMBER_TEXT || (*first == '0' && point > first + 1))
		return false;
	if (point == end)	/* 2^53 has 16 digits */
		return end - first <= 16 && (*first != '0' || first == text.at) && number_real(text, &value) &&
		       fabs(value) < 9007199254740992.0;
	/* 15 digits survive in any double; from 0.0001 up they are written without an exponent. */
	if (*point == '.' && end - first <= 16 && *first != '0' && skip_digits(point + 1, end) == end)
		return point + 1 < end && end[-1] != '0';
	return number_real(text, &value) && number_put_real(again, value) == text.len &&
	       memcmp(again, text.at, text.len) == 0;
}

/* HH:MM[:SS[.fraction]] to nanoseconds of the day. */
static bool time_of_day(struct slice text, int64_t *ns)
{
	int64_t part[3] = { 0 };
	size_t at = 0, parts = 0;

	while (parts < 3) {
		size_t from = at;

		while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9')
			at++;
		if (at - from < 1 || at - from > 2 ||
		    !number_i64((struct slice){ text.at + from, at - from }, &part[parts++]))
			return false;
		if (at == text.len || text.at[at] != ':')
			break;
		at++;
	}
	if (parts < 2 || part[0] > 23 || part[1] > 59 || part[2] > 60)
		return false;
	*ns = ((part[0] * 60 + part[1]) * 60 + part[2]) * SECOND;
	if (at < text.len && text.at[at] == '.' && parts == 3) {
		int64_t unit = SECOND / 10;

		for (at++; at < text.len && text.at[at] >= '0' && text.at[at] <= '9'; at++, unit /= 10)
			*ns += (text.at[at] - '0') * unit;
	}
	return at == text.len;
}

static bool date(struct slice text, int64_t *ns)
{
	struct tm day = { 0 };
	int month_day;
	char copy[11];
	time_t seconds;
	int used = 0;

	if (text.len != 10)
		return false;
	memcpy(copy, text.at, 10);
	copy[10] = '\0';
	if (sscanf(copy, "%4d-%2d-%2d%n", &day.tm_year, &day.tm_mon, &day.tm_mday, &used) != 3 ||
	    used != 10 || day.tm_mon < 1 || day.tm_mon > 12 || day.tm_mday < 1 || day.tm_mday > 31 ||
	    day.tm_year < 1970 || day.tm_year > 2261)
		return false;
	day.tm_year -= 1900;
	day.tm_mon -= 1;
	month_day = day.tm_mday;
	seconds = timegm(&day);
	if (day.tm_mday != month_day)	/* February 30 became March 2 */
		return false;
	*ns = (int64_t)seconds * SECOND;
	return true;
}

bool number_moment(struct slice text, struct moment *moment)
{
	int64_t day, time = 0;
	uint64_t ns;

	if (text.len > 1 && text.at[0] == '+') {
		moment->from = MOMENT_AFTER_FIRST;
		if (!number_duration((struct slice){ text.at + 1, text.len - 1 }, SECOND, &ns) ||
		    ns > INT64_MAX)
			return false;
		moment->ns = (int64_t)ns;
		return true;
	}
	if (text.len >= 10 && date((struct slice){ text.at, 10 }, &day)) {
		struct slice rest = { text.at + 10, text.len - 10 };

		if (rest.len && rest.at[rest.len - 1] == 'Z')
			rest.len--;
		if (rest.len && ((rest.at[0] != 'T' && rest.at[0] != ' ') ||
				 !time_of_day((struct slice){ rest.at + 1, rest.len - 1 }, &time)))
			return false;
		*moment = (struct moment){ MOMENT_EPOCH, day + time };
		return true;
	}
	if (time_of_day(text, &time)) {
		*moment = (struct moment){ MOMENT_OF_DAY, time };
		return true;
	}
	moment->from = MOMENT_EPOCH;
	if (text.len >= 16 && number_i64(text, &moment->ns))
		return true;
	if (!number_duration(text, SECOND, &ns) || ns > INT64_MAX ||
	    (text.len && text.at[text.len - 1] > '9'))
		return false;
	moment->ns = (int64_t)ns;
	return true;
}

int64_t number_moment_ns(struct moment moment, int64_t first_ts)
{
	int64_t ns;

	switch (moment.from) {
	case MOMENT_OF_DAY:
		return __builtin_add_overflow(first_ts - first_ts % DAY_NS, moment.ns, &ns) ? INT64_MAX : ns;
	case MOMENT_AFTER_FIRST:
		return __builtin_add_overflow(first_ts, moment.ns, &ns) ? INT64_MAX : ns;
	case MOMENT_EPOCH:
	default:
		return moment.ns;
	}
}
