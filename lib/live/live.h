/* SPDX-License-Identifier: MIT */
/*
 * Records of what happens now, for a filter with --live: a collector is started, without a shell, and what it
 * writes comes in place of stdin.
 */
#ifndef WEIR_LIVE_H
#define WEIR_LIVE_H

#include <sys/types.h>

/*
 * Starts ARGV[0], the program that lies beside this one or else in PATH. Its stdin and stderr are ours. Ends
 * the program with a message when that fails.
 */
pid_t live_start(char *const argv[]);

/* Waits for its end, after stdin has been read to the end: its exit status; 128 + the signal that killed it. */
int live_end(pid_t collector);

#endif
