/* SPDX-License-Identifier: MIT */
/*
 * Messages to people, on stderr, as `prog: cannot VERB OBJECT: reason`.
 *
 * Bytes below 0x20 and 0x7f that reach a message (file names, process names) are written as \xHH,
 * so that no message can drive a terminal. Each message is one write(2) of at most 4 KiB.
 */
#ifndef WEIR_MESSAGE_H
#define WEIR_MESSAGE_H

#include <stdnoreturn.h>

/* Exit statuses that every program shares; a verdict has its own codes from 4 up. */
enum {
	EXIT_COMPLETE = 0,
	EXIT_FAILED = 1,	/* failed or incomplete */
	EXIT_USAGE = 2,
	EXIT_LOSS = 3,		/* events were lost, and --strict was given */
};

/* Sets the name that messages start with. NAME is kept, not copied. */
void message_program(const char *name);

/* The name that message_program() was given. */
const char *message_name(void);

/* Writes `prog: TEXT` and a line feed. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Like message(), then exit(EXIT_FAILED). */
noreturn void message_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Like message() plus `; see 'prog --help'`, then exit(EXIT_USAGE). */
noreturn void message_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
