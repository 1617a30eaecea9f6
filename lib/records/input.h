/* SPDX-License-Identifier: MIT */
/* How every program behaves on input that may block: a pipe, a terminal, a socket. */
#ifndef WEIR_INPUT_H
#define WEIR_INPUT_H

#include <stdbool.h>

struct writer;

/*
 * Call once when FD has been opened. False: it is a regular file, which is read ahead from now on.
 * True: reads may block, and the first SIGINT is ignored from now on: Ctrl-C reaches every program of
 * a pipeline, the first one ends, and those behind it read on to the end.
 */
bool input_may_block(int fd);

/*
 * Before a read of such an input: what waits in OUT (may be NULL) and out->also goes out
 * if the read would block.
 */
void input_flush_before_blocking(int fd, struct writer *out);

/*
 * Wrong usage when one of WORDS, which are keys or expressions in a program that names files by -f, is a file of
 * such a name, `spans.tskv`: it would wait for stdin.
 */
void input_no_files(char *const *words);

#endif
