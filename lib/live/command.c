// SPDX-License-Identifier: MIT
#include "live/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"

static struct command *running;

/* As shells and env(1) say it. */
enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

static noreturn void die(const char *name, int error, const char *why)
{
	message("cannot run '%s': %s", name, why ? why : strerror(error));
	exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static void end_it(void)
{
	if (running && !running->ended)
		kill(running->pid, SIGTERM);
}

void command_end(struct command *command)
{
	if (running != command)
		return;
	end_it();
	running = NULL;
	free(command->path);
	command->path = NULL;
}

static void child(const struct command *command, char *const argv[], bool stdout_to_stderr, pid_t parent)
{
	sigset_t none;
	int error;
	char byte;

	/* SIGKILL of the parent must not leave it behind. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILED);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (stdout_to_stderr)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	while (read(command->release, &byte, 1) < 0 && errno == EINTR)
		continue;
	execvp(command->path, argv);	/* the path is whole; a script without #! is the shell's */
	error = errno;
	if (write(command->failure, &error, sizeof error) < 0)
		_exit(EXIT_FAILED);
	_exit(127);
}

/* Looked up here, so that the command's own calls begin with one exec. free() it. */
static char *find(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return memory_copy(slice_of(name));
	for (const char *at = path ? path : "/usr/bin:/bin"; *at; at += strcspn(at, ":"), at += *at == ':') {
		char *file;

		if (asprintf(&file, "%.*s/%s", (int)strcspn(at, ":"), at, name) < 0)
			break;
		if (access(file, X_OK) == 0)
			return file;
		free(file);
	}
	die(name, ENOENT, "there is no such program in PATH");
}

void command_prepare(struct command *command, char *const argv[], bool stdout_to_stderr)
{
	int release[2], failure[2];
	char *path = find(argv[0]);
	pid_t parent = getpid();

	if (pipe2(release, O_CLOEXEC) || pipe2(failure, O_CLOEXEC))
		message_die("cannot run '%s': %s", argv[0], strerror(errno));
	*command = (struct command){ .path = path, .pid = fork() };
	if (command->pid < 0)
		message_die("cannot run '%s': %s", argv[0], strerror(errno));
	if (command->pid == 0) {
		close(release[1]);
		command->release = release[0];
		command->failure = failure[1];
		child(command, argv, stdout_to_stderr, parent);
	}
	close(release[0]);
	close(failure[1]);
	command->release = release[1];
	command->failure = failure[0];
	running = command;
	atexit(end_it);
}

void command_release(struct command *command, char *const argv[])
{
	int error = 0;

	close(command->release);
	if (read(command->failure, &error, sizeof error) == sizeof error) {
		running = NULL;
		die(argv[0], error, NULL);
	}
	close(command->failure);
}

bool command_ended(struct command *command)
{
	if (command->pid && !command->ended && waitpid(command->pid, &command->status, WNOHANG) == command->pid)
		command->ended = true;
	return command->ended;
}

int command_exit_status(const struct command *command)
{
	if (WIFEXITED(command->status))
		return WEXITSTATUS(command->status);
	return 128 + WTERMSIG(command->status);
}
