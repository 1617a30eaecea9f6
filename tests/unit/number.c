// SPDX-License-Identifier: MIT
/*
 * Without arguments: a million random numbers are written and read back, as libc does. With one, `moments`:
 * reads lines of text and prints each as a moment, KIND NS, or `-`.
 */
#include <math.h>

#include "base/number.h"
#include "check.h"

static double random_double(void)
{
	uint64_t bits = random_bits();
	double value;

	memcpy(&value, &bits, 8);
	/* Half of them are such as people measure. */
	return bits % 2 ? value : (double)(int64_t)(bits >> 20) / (double)(1 << bits % 20);
}

static void check_real(double value)
{
	char text[NUMBER_TEXT + 1], shortest[40];
	double again;

	text[number_put_real(text, value)] = '\0';
	if (!isfinite(value)) {
		CHECK(!number_real(slice_of(text), &again));
		return;
	}
	CHECK(number_real(slice_of(text), &again) && again == value && strtod(text, NULL) == value);
	/* Nothing shorter of the same form reads back. */
	for (int digits = 15; digits < 17; digits++) {
		snprintf(shortest, sizeof shortest, "%.*g", digits, value);
		CHECK(strtod(shortest, NULL) != value || strlen(text) <= strlen(shortest) ||
		      value == trunc(value));
	}
}

static void check_whole(uint64_t bits)
{
	char text[NUMBER_TEXT + 1], want[40];
	uint64_t u;
	int64_t i;

	text[number_put_u64(text, bits)] = '\0';
	snprintf(want, sizeof want, "%llu", (unsigned long long)bits);
	CHECK(strcmp(text, want) == 0 && number_u64(slice_of(text), &u) && u == bits);
	text[number_put_i64(text, (int64_t)bits)] = '\0';
	snprintf(want, sizeof want, "%lld", (long long)bits);
	CHECK(strcmp(text, want) == 0 && number_i64(slice_of(text), &i) && i == (int64_t)bits);
	CHECK(number_padded_i64(slice_of(text), &i) && i == (int64_t)bits);
	CHECK(number_padded_bits(slice_of(text), &u) && u == bits);
}

/* NUMBER UNIT of random digits, against long double. */
static void check_units(void)
{
	static const struct { const char *name; long double scale; bool size; } units[] = {
		{ "ns", 1, false }, { "us", 1e3L, false }, { "ms", 1e6L, false }, { "s", 1e9L, false },
		{ "m", 60e9L, false }, { "h", 3600e9L, false }, { "d", 86400e9L, false }, { "k", 1024, true },
		{ "MiB", 1048576, true }, { "GB", 1e9L, true }, { "T", 1099511627776.0L, true },
	};
	uint64_t bits = random_bits(), got = 0;
	size_t i = bits % (sizeof units / sizeof *units);
	unsigned whole = (unsigned)(bits >> 8 & 0xffff), part = (unsigned)(bits >> 32) % 1000;
	long double want;
	char text[60];
	bool good;

	snprintf(text, sizeof text, "%u.%03u%s", whole, part, units[i].name);
	good = units[i].size ? number_size(slice_of(text), &got) : number_duration(slice_of(text), 0, &got);
	want = ((long double)whole + part / 1000.0L) * units[i].scale;
	if (want >= 18446744073709551615.0L)
		CHECK(!good);
	else
		CHECK(good && fabsl((long double)got - want) <= 0.5L + want * 1e-15L);
}

static int print_moments(void)
{
	char line[200];

	while (fgets(line, sizeof line, stdin)) {
		struct moment moment;

		line[strcspn(line, "\n")] = '\0';
		if (number_moment(slice_of(line), &moment))
			printf("%d %lld\n", (int)moment.from, (long long)moment.ns);
		else
			puts("-");
	}
	return 0;
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return print_moments();
	for (int i = 0; i < 1000000; i++) {
		check_real(random_double());
		check_whole(random_bits() >> (i % 64));
		check_units();
	}
	return 0;
}
