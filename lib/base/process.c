// SPDX-License-Identifier: MIT
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

extern char **environ;

enum { INPUT, OUTPUT, ERROR, PIPES };

static void close_all(int (*pipes)[2])
{
	for (int i = 0; i < PIPES; i++)
		for (int end = 0; end < 2; end++)
			if (pipes[i][end] >= 0)
				close(pipes[i][end]);
}

/* Starts the program; pipes[i][i == INPUT ? 1 : 0] are our ends. */
static int start(char *const argv[], int (*pipes)[2], pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults, none;
	int error;

	for (int i = 0; i < PIPES; i++)
		if (pipe2(pipes[i], O_CLOEXEC))
			return errno;
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < PIPES; i++)
		posix_spawn_file_actions_adddup2(&actions, pipes[i][i == INPUT ? 0 : 1], i);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGINT);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	for (int i = 0; i < PIPES; i++) {
		int *theirs = &pipes[i][i == INPUT ? 0 : 1];

		close(*theirs);
		*theirs = -1;
	}
	return error;
}

static void end(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void feed(int *fd, struct slice *input)
{
	ssize_t n = write(*fd, input->at, input->len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		input->at += n;
		input->len -= (size_t)n;
	}
	/* A program that closed its input has its reasons: they show in its status. */
	if (n < 0 || input->len == 0)
		end(fd);
}

static void collect(int *fd, struct process_output *output, size_t *room)
{
	ssize_t n;

	output->at = memory_grow(output->at, room, output->len + (64 << 10), 1);
	n = read(*fd, output->at + output->len, 64 << 10);
	if (n > 0)
		output->len += (size_t)n;
	else if (n == 0 || errno != EINTR)
		end(fd);
}

static void collect_error(int *fd, struct process_output *output, size_t *used)
{
	char more[512];
	ssize_t n = read(*fd, more, sizeof more);

	if (n <= 0) {
		if (n == 0 || errno != EINTR)
			end(fd);
		return;
	}
	for (ssize_t i = 0; i < n && *used < sizeof output->error - 1; i++)
		output->error[(*used)++] = more[i] ? more[i] : ' ';
}

int process_run(char *const argv[], struct slice input, size_t max, struct process_output *output)
{
	int pipes[PIPES][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 } }, error;
	int *in = &pipes[INPUT][1], *out = &pipes[OUTPUT][0], *err = &pipes[ERROR][0];
	size_t room = 0, used = 0;
	pid_t pid;

	*output = (struct process_output){ 0 };
	error = start(argv, pipes, &pid);
	if (error) {
		close_all(pipes);
		return error;
	}
	fcntl(*in, F_SETFL, O_NONBLOCK);
	if (input.len == 0)
		end(in);
	while (*out >= 0 || *err >= 0) {
		/* A closed descriptor is -1, which poll() passes over. */
		struct pollfd ready[PIPES] = { { *in, POLLOUT, 0 }, { *out, POLLIN, 0 }, { *err, POLLIN, 0 } };

		if (poll(ready, PIPES, -1) < 0 && errno != EINTR)
			break;
		if (ready[INPUT].revents)
			feed(in, &input);
		if (ready[OUTPUT].revents)
			collect(out, output, &room);
		if (ready[ERROR].revents)
			collect_error(err, output, &used);
		if (output->len > max) {
			error = EFBIG;
			kill(pid, SIGKILL);
			break;
		}
	}
	close_all(pipes);
	while (waitpid(pid, &output->status, 0) < 0 && errno == EINTR)
		;
	return error;
}

const char *process_reason(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(text, size, "killed by signal %d", WTERMSIG(status));
	else
		snprintf(text, size, "exit status %d", WEXITSTATUS(status));
	return text;
}
