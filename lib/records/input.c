// SPDX-License-Identifier: MIT
#include "records/input.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "records/writer.h"

static void interrupted(int signal_number)
{
	signal(signal_number, SIG_DFL);
}

static void outlive_first_interrupt(void)
{
	struct sigaction old, action = { .sa_handler = interrupted, .sa_flags = SA_RESTART };

	if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
		sigaction(SIGINT, &action, NULL);
}

bool input_may_block(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		return false;
	}
	outlive_first_interrupt();
	return true;
}

void input_flush_before_blocking(int fd, struct writer *out)
{
	struct pollfd input = { .fd = fd, .events = POLLIN };
	struct writer *waiting = out;

	while (waiting && waiting->at == waiting->buffer)
		waiting = waiting->also;
	if (waiting && poll(&input, 1, 0) == 0)
		for (; out; out = out->also)
			writer_flush(out);
}

void input_no_files(char *const *words)
{
	for (; *words; words++)
		if (strchr(*words, '.') && !strpbrk(*words, "=<>~") && access(*words, F_OK) == 0)
			message_usage("cannot take '%.100s' for a field: it is a file, which -f reads", *words);
}
