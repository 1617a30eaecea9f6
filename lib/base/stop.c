// SPDX-License-Identifier: MIT
#include "base/stop.h"

#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;	/* the signal */
static int event = -1;
static bool outlive_interrupt;
static void (*volatile called)(void *);
static void *volatile called_data;

static void on_signal(int number)
{
	uint64_t one = 1;

	if (number == SIGINT && outlive_interrupt) {	/* the program that feeds the pipe ends: read on */
		outlive_interrupt = false;
		return;
	}
	stopped = number;
	signal(number, SIG_DFL);
	if (called)
		called(called_data);
	if (write(event, &one, sizeof one) < 0)
		return;	/* it is full: the reader knows already */
}

void stop_catch(bool stdin_read)
{
	static const int caught[] = { SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	struct stat st;

	outlive_interrupt = stdin_read && (fstat(STDIN_FILENO, &st) || !S_ISREG(st.st_mode));
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
		if (sigaction(caught[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(caught[i], &action, NULL);
	signal(SIGXFSZ, SIG_IGN);
}

bool stop_wanted(void)
{
	return stopped;
}

int stop_descriptor(void)
{
	return event;
}

void stop_calls(void (*call)(void *), void *data)
{
	called = NULL;
	called_data = data;
	called = call;
}
