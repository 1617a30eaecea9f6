/* SPDX-License-Identifier: MIT */
/*
 * SIGINT and SIGTERM end the reading of a program that then finishes what it has begun, and says that it is
 * incomplete. The second signal has its usual effect.
 */
#ifndef WEIR_STOP_H
#define WEIR_STOP_H

#include <stdbool.h>

/*
 * Catches the signals that are not ignored. When STDIN_READ and it is no file, the first SIGINT is left to the
 * program that feeds the pipe. From now on a file's size limit (SIGXFSZ) is an error as a full disk is.
 */
void stop_catch(bool stdin_read);

/* A signal came. */
bool stop_wanted(void);

/* For reader_stop_on(). */
int stop_descriptor(void);

/* When a signal comes, CALL(DATA) is called by its handler; NULL: nothing. */
void stop_calls(void (*call)(void *), void *data);

#endif
