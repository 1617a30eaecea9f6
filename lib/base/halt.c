// SPDX-License-Identifier: MIT
#include "base/halt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/message.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t halted;
static bool is_halted;
static sigset_t ends;

void halt_start(void)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&halted, &monotonic);
	pthread_condattr_destroy(&monotonic);
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){ (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
}

bool halt_wait(uint64_t ns)
{
	uint64_t until = clock_monotonic() + ns, now;

	for (;;) {
		struct timespec left;
		int got;

		now = clock_monotonic();
		left = timespec_of(ns && now < until ? until - now : 0);
		got = ns ? sigtimedwait(&ends, NULL, &left) : sigwaitinfo(&ends, NULL);
		if (got > 0)
			return true;
		if (errno == EAGAIN)
			return false;
		if (errno != EINTR)
			message_die("cannot wait for signals: %m");
	}
}

void halt_now(void)
{
	pthread_mutex_lock(&lock);
	is_halted = true;
	pthread_cond_broadcast(&halted);
	pthread_mutex_unlock(&lock);
}

bool halt_pause(uint64_t until)
{
	struct timespec at = timespec_of(until);
	bool stop;

	pthread_mutex_lock(&lock);
	while (!is_halted && clock_monotonic() < until)
		pthread_cond_timedwait(&halted, &lock, &at);
	stop = is_halted;
	pthread_mutex_unlock(&lock);
	return !stop;
}
