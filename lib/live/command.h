/* SPDX-License-Identifier: MIT */
/*
 * A command that is run to be watched: made ready, held until the watching has begun, and waited for. When
 * this program ends before it, it gets SIGTERM.
 */
#ifndef WEIR_COMMAND_H
#define WEIR_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct command {
	pid_t pid;		/* 0: there is none */
	char *path;		/* of its program */
	int release;		/* it starts when this is closed */
	int failure;		/* the errno of its exec comes here */
	bool ended;
	int status;		/* as waitpid(2) gives it, when it has ended */
};

/* Makes the process, which waits. With STDOUT_TO_STDERR its stdout is our stderr. Ends the program when it fails. */
void command_prepare(struct command *command, char *const argv[], bool stdout_to_stderr);

/* Lets it go. Ends the program, with status 126, or 127 when it is not there, when it cannot be executed. */
void command_release(struct command *command, char *const argv[]);

/* True once it has ended; does not wait. */
bool command_ended(struct command *command);

/* Ends it if it has not ended; COMMAND may go then. At exit this is done too. */
void command_end(struct command *command);

/* The exit status that tells the command's: its own, or 128 + the signal. */
int command_exit_status(const struct command *command);

#endif
