/* SPDX-License-Identifier: MIT */
/*
 * Command lines: one table gives the parser, `--help` and the check of the man page.
 *
 * `-x VALUE`, `-xVALUE`, `-xyz` (flags), `--name VALUE`, `--name=VALUE`. Options end at the first
 * operand or at `--`; `-` is an operand. No abbreviations. `--help` and `--version` are added to every
 * table. What is wrong is said in one line on stderr, with exit status 2.
 */
#ifndef WEIR_OPTIONS_H
#define WEIR_OPTIONS_H

#include "base/slice.h"

enum option_kind {
	OPTION_FLAG,		/* bool: set to true */
	OPTION_TEXT,		/* const char *: the argument, as it is; the last one counts */
	OPTION_LIST,		/* struct option_list: every argument, in order */
	OPTION_COUNT,		/* uint64_t: a whole number from min to max */
	OPTION_REAL,		/* double: a number from min to max */
	OPTION_MILLISECONDS,	/* uint64_t: a duration in ns; a bare number is milliseconds */
	OPTION_SECONDS,		/* uint64_t: a duration in ns; a bare number is seconds */
	OPTION_SIZE,		/* uint64_t: bytes, from min to max */
	OPTION_CHOICE,		/* int: the index of the argument among `choices` */
	OPTION_MOMENT,		/* struct moment (number.h); *seen is set */
};

struct option_list {
	const char **items;	/* the strings of argv; free() the array */
	size_t count, room;
};

struct option {
	char letter;		/* 0: none */
	const char *name;	/* NULL: none; one of the two is there */
	const char *argument;	/* what --help calls the argument; NULL for a flag */
	const char *help;	/* one line, without a full stop; %s is not interpreted */
	enum option_kind kind;
	void *to;
	uint64_t min, max;	/* for numbers; max 0: no bound */
	const char *const *choices;	/* NULL-terminated, for OPTION_CHOICE */
	bool *seen;		/* set when the option is given; may be NULL */
};

struct program {
	const char *name;
	const char *does;	/* one sentence, lower case, without a full stop */
	const char *operands;	/* usage after the options, e.g. "EXPR..."; "" for none */
	const struct option *options;	/* ends with an entry of zeroes */
	const char *examples;	/* lines for --help, each ends with LF */
};

/*
 * The first call of every main: parses argv by PROGRAM's table, calls message_program(), and returns
 * the operands, the NULL-terminated rest of argv. Does not return for --help, --version or a wrong
 * command line. Also ignores SIGPIPE (children inherit that: see process.h) and occupies standard
 * descriptors that are closed.
 */
char **options_parse(const struct program *program, char **argv);

/*
 * Splits TEXT at commas into a NULL-terminated array of NUL-terminated strings, one allocation
 * (free() it). A backslash keeps the next character: `a\,b` is one item. Empty items are kept.
 */
char **options_split(const char *text);

#endif
