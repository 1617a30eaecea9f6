// SPDX-License-Identifier: MIT
#include "number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND 1000000000
#define DAY_NS (86400LL * SECOND)

bool number_u64(struct slice text, uint64_t *value)
{
	uint64_t v = 0;

	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
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
	*result = (uint64_t)llroundl(product);
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

size_t number_put_u64(char *to, uint64_t value)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char digits[20], *p = digits + sizeof digits;
	size_t n;

	while (value >= 100) {
		p -= 2;
		memcpy(p, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		p -= 2;
		memcpy(p, pairs + value * 2, 2);
	} else {
		*--p = (char)('0' + value);
	}
	n = (size_t)(digits + sizeof digits - p);
	memcpy(to, p, n);
	return n;
}

size_t number_put_i64(char *to, int64_t value)
{
	if (value >= 0)
		return number_put_u64(to, (uint64_t)value);
	*to = '-';
	return 1 + number_put_u64(to + 1, 0 - (uint64_t)value);
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
	seconds = timegm(&day);
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
		return first_ts - first_ts % DAY_NS + moment.ns;
	case MOMENT_AFTER_FIRST:
		return __builtin_add_overflow(first_ts, moment.ns, &ns) ? INT64_MAX : ns;
	case MOMENT_EPOCH:
	default:
		return moment.ns;
	}
}
