// SPDX-License-Identifier: MIT
/* Numbers against libc; what is written is read back; options_split() takes what it was made of. */
#include <errno.h>
#include <math.h>

#include "base/number.h"
#include "base/options.h"
#include "fuzz.h"

static bool only(const char *text, const char *bytes)
{
	return *text && text[strspn(text, bytes)] == '\0';
}

static void check_integers(const char *text)
{
	struct slice slice = slice_of(text);
	bool is_signed = text[0] == '-', is_whole = only(text + is_signed, "0123456789");
	uint64_t u;
	int64_t i;

	errno = 0;
	if (number_u64(slice, &u)) {
		CHECK(is_whole && !is_signed && strtoull(text, NULL, 10) == u && errno == 0);
	} else {
		CHECK(!is_whole || is_signed || (strtoull(text, NULL, 10) == UINT64_MAX && errno == ERANGE));
	}
	errno = 0;
	if (number_i64(slice, &i))
		CHECK(is_whole && strtoll(text, NULL, 10) == i && errno == 0);
	else
		CHECK(!is_whole || (strtoll(text, NULL, 10) != 0 && errno == ERANGE));
}

static void check_real(const char *text)
{
	char written[NUMBER_TEXT + 1];
	double value, again;

	if (!number_real(slice_of(text), &value))
		return;
	CHECK(isfinite(value));
	CHECK(only(text, "0123456789+-.eExXabcdefABCDEF"));
	if (!strpbrk(text, "xX") && strlen(text) < 500)
		CHECK(strtod(text, NULL) == value);
	written[number_put_real(written, value)] = '\0';
	CHECK(number_real(slice_of(written), &again) && again == value);
	CHECK(strlen(written) < NUMBER_TEXT);
}

static void check_bits(const uint8_t *data, size_t size)
{
	char text[NUMBER_TEXT + 1], want[40];
	uint64_t bits, u;
	double real, again;
	int64_t i;

	if (size < 8)
		return;
	memcpy(&bits, data, 8);
	memcpy(&real, data, 8);
	text[number_put_u64(text, bits)] = '\0';
	snprintf(want, sizeof want, "%llu", (unsigned long long)bits);
	CHECK(strcmp(text, want) == 0 && number_u64(slice_of(text), &u) && u == bits);
	text[number_put_i64(text, (int64_t)bits)] = '\0';
	snprintf(want, sizeof want, "%lld", (long long)bits);
	CHECK(strcmp(text, want) == 0 && number_i64(slice_of(text), &i) && i == (int64_t)bits);
	text[number_put_real(text, real)] = '\0';
	CHECK(number_real(slice_of(text), &again) ? again == real : !isfinite(real));
}

static void check_units(const char *text)
{
	struct moment moment;
	uint64_t scaled;

	if (number_duration(slice_of(text), 0, &scaled))
		CHECK(strpbrk(text, "nusmhd"));
	if (number_duration(slice_of(text), 1, &scaled) && only(text, "0123456789"))
		CHECK(scaled == strtoull(text, NULL, 10));
	if (number_size(slice_of(text), &scaled) && only(text, "0123456789"))
		CHECK(scaled == strtoull(text, NULL, 10));
	if (number_moment(slice_of(text), &moment)) {
		number_moment_ns(moment, 0);
		number_moment_ns(moment, INT64_MAX);
		number_moment_ns(moment, 1795225110481469996);
	}
}

/* Joined again, with the escapes that are needed, the items are the text without needless ones. */
static void check_split(const char *text)
{
	char **items = options_split(text);
	const char *p = text;

	for (char **item = items; *item; item++) {
		for (const char *c = *item; *c; c++, p++) {
			if (*p == '\\' && p[1])
				p++;
			CHECK(*p == *c);
		}
		CHECK(item[1] ? *p++ == ',' : *p == '\0');
	}
	CHECK(items[0]);
	free(items);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	check_bits(data, size);
	check_integers(text);
	check_real(text);
	check_units(text);
	check_split(text);
	free(text);
	return 0;
}
