// SPDX-License-Identifier: MIT
#include "live/live.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/message.h"

static void execute(char *const argv[])
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path);
	char *slash = n > 0 && (size_t)n < sizeof path ? memrchr(path, '/', (size_t)n) : NULL;

	if (slash) {
		size_t room = sizeof path - (size_t)(slash + 1 - path);

		if ((size_t)snprintf(slash + 1, room, "%s", argv[0]) < room)
			execv(path, argv);
	}
	execvp(argv[0], argv);
	message("cannot run %s: %s", argv[0], strerror(errno));
	_exit(EXIT_FAILED);
}

pid_t live_start(char *const argv[])
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		message_die("cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		message_die("cannot run %s: %s", argv[0], strerror(errno));
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execute(argv);
	}
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

int live_end(pid_t collector)
{
	int status = 0;

	while (waitpid(collector, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
