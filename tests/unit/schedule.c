// SPDX-License-Identifier: MIT
/* Schedules against integer arithmetic. */
#include "http/schedule.h"

#include "check.h"

/* RATE requests each second for LENGTH_NS: each is due within 1 ns of its time, and there are as many as said. */
static void check_open(uint64_t rate, uint64_t length_ns, uint64_t count, uint64_t want)
{
	struct schedule s = { .start_ns = 1795225110481469996, .interval_ns = 1e9L / (long double)rate,
			      .count = count, .length_ns = length_ns };
	uint64_t due, n = 0;

	CHECK(schedule_total(&s) == want);
	while ((due = schedule_due(&s)) != SCHEDULE_NEVER) {
		uint64_t exact = s.start_ns + (uint64_t)((__uint128_t)n * 1000000000 / rate);

		CHECK(due - exact + 1 <= 2);
		/* Taken late, it was meant for the same time. */
		CHECK(schedule_take(&s, due + random_bits() % 1000000000) == due);
		n++;
	}
	CHECK(n == want);
}

static void check_years(void)
{
	struct schedule s = { .start_ns = 5, .interval_ns = 1e9L / 3, .count = UINT64_MAX, .length_ns = UINT64_MAX };

	for (uint64_t k = 1; k < 3000000000; k += k / 2 + 1) {	/* 30 years */
		s.taken = k;
		CHECK(schedule_due(&s) - (5 + (uint64_t)((__uint128_t)k * 1000000000 / 3)) + 1 <= 2);
	}
}

static void check_closed(void)
{
	struct schedule s = { .start_ns = 100, .interval_ns = 10, .count = 4, .length_ns = UINT64_MAX, .closed = true };

	CHECK(schedule_due(&s) == 100 && schedule_take(&s, 100) == 100);
	CHECK(schedule_due(&s) == 110 && schedule_take(&s, 150) == 150);	/* it slips */
	CHECK(schedule_due(&s) == 160 && schedule_take(&s, 160) == 160);
	CHECK(schedule_due(&s) == 170 && schedule_take(&s, 171) == 171);
	CHECK(schedule_due(&s) == SCHEDULE_NEVER);
	CHECK(schedule_total(&s) == 4);
}

int main(void)
{
	check_open(1, 300000000000, UINT64_MAX, 300);
	check_open(3, 1000000000, UINT64_MAX, 3);
	check_open(7, 1000000001, UINT64_MAX, 8);
	check_open(20000, 1000000000, UINT64_MAX, 20000);
	check_open(1000, UINT64_MAX, 17, 17);
	check_open(1000, 5000000, 17, 5);
	check_years();
	check_closed();
	return 0;
}
