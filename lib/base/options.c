// SPDX-License-Identifier: MIT
#include "base/options.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"

#ifndef WEIR_VERSION
#define WEIR_VERSION "0.1"
#endif

static const struct option standard[] = {
	{ .name = "help", .help = "print this text" },
	{ .name = "version", .help = "print the version" },
	{ 0 },
};

static void help_option(FILE *out, const struct option *o)
{
	char left[80];

	snprintf(left, sizeof left, "%s%c%s%s%s%s%s", o->letter ? "-" : " ", o->letter ? o->letter : ' ',
		 o->letter && o->name ? ", " : "  ", o->name ? "--" : "", o->name ? o->name : "",
		 o->argument ? " " : "", o->argument ? o->argument : "");
	if (strlen(left) > 24)
		fprintf(out, "  %s\n  %-24s  %s\n", left, "", o->help);
	else
		fprintf(out, "  %-24s  %s\n", left, o->help);
}

static void print_help(const struct program *program)
{
	fprintf(stdout, "%s: %s\n\nusage: %s [options]%s%s\n\n", program->name, program->does,
		program->name, *program->operands ? " " : "", program->operands);
	for (const struct option *o = program->options; o->name || o->letter; o++)
		help_option(stdout, o);
	for (const struct option *o = standard; o->name; o++)
		help_option(stdout, o);
	if (program->examples && *program->examples)
		fprintf(stdout, "\nexamples:\n%s", program->examples);
	if (fflush(stdout) || ferror(stdout))
		message_die("cannot write the help text: %m");
	exit(EXIT_COMPLETE);
}

static void print_version(const struct program *program)
{
	printf("%s (weir) %s\n", program->name, WEIR_VERSION);
	if (fflush(stdout) || ferror(stdout))
		message_die("cannot write the version: %m");
	exit(EXIT_COMPLETE);
}

static void append(struct option_list *list, const char *item)
{
	list->items = memory_grow(list->items, &list->room, list->count + 1,
				  sizeof *list->items);
	list->items[list->count++] = item;
}

static bool in_range(const struct option *o, uint64_t value)
{
	return value >= o->min && (o->max == 0 || value <= o->max);
}

/* Stores ARGUMENT where the option wants it; false: it is not such a value. */
static bool store(const struct option *o, const char *argument)
{
	struct slice text = slice_of(argument ? argument : "");
	uint64_t *number = o->to;
	double real;

	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)o->to = true;
		return true;
	case OPTION_TEXT:
		*(const char **)o->to = argument;
		return true;
	case OPTION_LIST:
		append(o->to, argument);
		return true;
	case OPTION_COUNT:
		return number_u64(text, number) && in_range(o, *number);
	case OPTION_REAL:
		if (!number_real(text, &real) || real < (double)o->min ||
		    (o->max && real > (double)o->max))
			return false;
		*(double *)o->to = real;
		return true;
	case OPTION_MILLISECONDS:
		return number_duration(text, 1000000, number) && in_range(o, *number);
	case OPTION_SECONDS:
		return number_duration(text, 1000000000, number) && in_range(o, *number);
	case OPTION_SIZE:
		return number_size(text, number) && in_range(o, *number);
	case OPTION_CHOICE:
		for (int i = 0; o->choices[i]; i++) {
			if (strcmp(o->choices[i], argument) == 0) {
				*(int *)o->to = i;
				return true;
			}
		}
		return false;
	case OPTION_MOMENT:
		return number_moment(text, o->to);
	}
	return false;
}

/* BYTES as a size is written: 60K. */
static const char *size_text(uint64_t bytes, char to[24])
{
	static const char units[] = "\0KMGT";
	int unit = 0;

	for (; bytes && bytes % 1024 == 0 && units[unit + 1]; unit++)
		bytes /= 1024;
	snprintf(to, 24, "%llu%.1s", (unsigned long long)bytes, units + unit);
	return to;
}

static void wanted(const struct option *o, char *text, size_t size)
{
	char least[24], most[24];
	size_t n = 0;

	switch (o->kind) {
	case OPTION_COUNT:
	case OPTION_REAL:
		if (o->max)
			snprintf(text, size, "a number from %llu to %llu", (unsigned long long)o->min,
				 (unsigned long long)o->max);
		else
			snprintf(text, size, "a number from %llu", (unsigned long long)o->min);
		return;
	case OPTION_MILLISECONDS:
	case OPTION_SECONDS:
		snprintf(text, size, "a duration such as 10ms or 5s");
		return;
	case OPTION_SIZE:
		if (o->max)
			snprintf(text, size, "a size from %s to %s", size_text(o->min, least), size_text(o->max, most));
		else
			snprintf(text, size, "a size such as 64K or 4M, from %s", size_text(o->min, least));
		return;
	case OPTION_CHOICE:
		for (int i = 0; o->choices[i] && n < size; i++)
			n += (size_t)snprintf(text + n, size - n, "%s%s", i ? ", " : "one of ",
					      o->choices[i]);
		return;
	case OPTION_MOMENT:
		snprintf(text, size, "a time such as 12:30:05.5, 2026-11-21T12:30:05Z, +2s or nanoseconds "
				     "since the epoch");
		return;
	default:
		snprintf(text, size, "a value");
	}
}

static void take(const struct option *o, const char *shown, const char *argument)
{
	char want[512];

	if (!store(o, argument)) {
		wanted(o, want, sizeof want);
		message_usage("cannot use '%.200s' for %s: it takes %s", argument, shown, want);
	}
	if (o->seen)
		*o->seen = true;
}

static const struct option *find_long(const struct option *o, const char *name, size_t len)
{
	for (; o->name || o->letter; o++)
		if (o->name && strlen(o->name) == len && memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

/* Handles `--name` or `--name=value`; returns how many further arguments it took. */
static int long_option(const struct program *program, char **at)
{
	const char *name = *at + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *o = find_long(program->options, name, len);
	char shown[80];

	if (!o) {
		o = find_long(standard, name, len);
		if (o && !equals)
			(o == standard ? print_help : print_version)(program);
		message_usage("unknown option '--%.*s'", len > 60 ? 60 : (int)len, name);
	}
	snprintf(shown, sizeof shown, "--%s", o->name);
	if (!o->argument) {
		if (equals)
			message_usage("%s takes no value", shown);
		take(o, shown, NULL);
		return 0;
	}
	if (equals) {
		take(o, shown, equals + 1);
		return 0;
	}
	if (!at[1])
		message_usage("%s wants %s", shown, o->argument);
	take(o, shown, at[1]);
	return 1;
}

/* Handles `-x`, `-xyz`, `-xVALUE`, `-x VALUE`; returns how many further arguments it took. */
static int short_options(const struct program *program, char **at)
{
	for (const char *p = *at + 1; *p; p++) {
		const struct option *o = program->options;
		char shown[3] = { '-', *p, '\0' };

		while ((o->name || o->letter) && o->letter != *p)
			o++;
		if (!o->letter)
			message_usage("unknown option '-%c'", *p);
		if (!o->argument) {
			take(o, shown, NULL);
			continue;
		}
		if (p[1]) {
			take(o, shown, p + 1);
			return 0;
		}
		if (!at[1])
			message_usage("%s wants %s", shown, o->argument);
		take(o, shown, at[1]);
		return 1;
	}
	return 0;
}

/*
 * A closed standard descriptor would be given to the next file opened, a database perhaps, and then be
 * written to as if it were stdout. Occupied the wrong way round, it gives errors instead.
 */
static void occupy_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			exit(EXIT_FAILED);
}

/* Options behind operands would be taken for files. What comes before a command's own options is another matter. */
static void refuse_options(const struct program *program, char **operands)
{
	if (!*operands || !strncmp(program->operands, "[-- ", 4))
		return;
	for (char **word = operands + 1; *word; word++) {
		const char *name = *word + 2;
		bool known = false;

		if (word[0][0] != '-' || !word[0][1])
			continue;
		if (word[0][1] == '-')
			known = find_long(program->options, name, strcspn(name, "="));
		for (const struct option *o = program->options; !known && (o->name || o->letter); o++)
			known = o->letter && o->letter == word[0][1];
		if (known)
			message_usage("cannot take %.60s behind '%.60s': options come first", *word, *operands);
	}
}

char **options_parse(const struct program *program, char **argv)
{
	message_program(program->name);
	occupy_standard_descriptors();
	/* A closed pipe is seen as EPIPE by the writer, which knows whether that is an error. */
	signal(SIGPIPE, SIG_IGN);
	if (!*argv)
		return argv;
	for (argv++; *argv && argv[0][0] == '-' && argv[0][1]; argv++) {
		if (argv[0][1] == '-' && argv[0][2] == '\0') {
			if (!argv[1] && strstr(program->operands, "-- COMMAND"))
				message_usage("-- wants COMMAND");
			return argv + 1;
		}
		if (argv[0][1] == '-')
			argv += long_option(program, argv);
		else
			argv += short_options(program, argv);
	}
	refuse_options(program, argv);
	return argv;
}

char **options_split(const char *text)
{
	size_t items = 1, len = strlen(text);
	char **list, *to;

	for (const char *p = text; *p; p++)
		items += *p == ',';
	list = memory_get((items + 1) * sizeof *list + len + 1);
	to = (char *)(list + items + 1);
	items = 0;
	list[items++] = to;
	for (const char *p = text; *p; p++) {
		if (*p == ',') {
			*to++ = '\0';
			list[items++] = to;
		} else {
			if (*p == '\\' && p[1])
				p++;
			*to++ = *p;
		}
	}
	*to = '\0';
	list[items] = NULL;
	return list;
}
