/* SPDX-License-Identifier: MIT */
/*
 * Running another program: no shell, its input from memory, its output into memory.
 */
#ifndef WEIR_PROCESS_H
#define WEIR_PROCESS_H

#include "base/slice.h"

struct process_output {
	char *at;		/* what the program wrote to stdout; free() it */
	size_t len;
	char error[1024];	/* the beginning of what it wrote to stderr, NUL-terminated */
	int status;		/* as waitpid(2) gives it */
};

/*
 * Runs ARGV[0], looked up in PATH, with ARGV and feeds it INPUT. Both of its outputs are read while it is
 * fed, so neither side can wait for the other. The program starts with SIGPIPE and SIGINT as every
 * program expects them. Returns 0, or the errno of what kept it from running (ENOENT: there is no such
 * program). Memory: its whole output; more than MAX bytes is EFBIG, and the program is killed.
 */
int process_run(char *const argv[], struct slice input, size_t max, struct process_output *output);

/* What a failed program died of, for messages: `exit status 3`, `killed by signal 9`. */
const char *process_reason(int status, char *text, size_t size);

#endif
