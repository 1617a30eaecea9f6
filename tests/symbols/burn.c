// SPDX-License-Identifier: MIT
/* Works in known functions, called by each other, for the seconds of its argument; `sleep` waits there instead. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned long sum;
static double seconds;

static __attribute__((noinline)) void seldom(void)
{
	sum++;
}

/* Nearly all time is spent here. A function that calls nothing would have no frame, whatever the compiler is told. */
static __attribute__((noinline)) void leaf(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		sum += i * i;
		if (i == n / 2)
			seldom();
	}
}

static __attribute__((noinline)) double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static __attribute__((noinline)) void inner(double end)
{
	/* More than a page of stack lies between it and what it calls. */
	volatile char room[6000];

	memset((char *)room, 1, sizeof room);
	while (now() < end)
		leaf(1000000 + room[5]);
	if (seconds == 0)
		pause();
	sum++;
}

static __attribute__((noinline)) void middle(double end)
{
	inner(end);
	sum++;
}

static __attribute__((noinline)) int compare(const void *left, const void *right)
{
	(void)left, (void)right;
	middle(now() + seconds);
	return 0;
}

/* Through a library, that has no frame pointers: qsort() calls back. Or (-DDIRECT) not. */
static __attribute__((noinline)) void outer(void)
{
	int pair[2] = { 1, 2 };

#ifdef DIRECT
	compare(pair, pair + 1);
#else
	qsort(pair, 2, sizeof *pair, compare);
#endif
	sum++;
}

int main(int argc, char **argv)
{
	seconds = argc > 1 ? atof(argv[1]) : 0;
	outer();
	return 0;
}
