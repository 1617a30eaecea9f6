// SPDX-License-Identifier: MIT
#include "base/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *program = "weir";

void message_program(const char *name)
{
	program = name;
}

const char *message_name(void)
{
	return program;
}

static void say(const char *format, va_list args, const char *tail)
{
	char text[1024], line[4096];
	size_t n;

	if (vsnprintf(text, sizeof text, format, args) < 0)
		return;
	n = (size_t)snprintf(line, sizeof line, "%.64s: ", program);
	for (const unsigned char *p = (const unsigned char *)text; *p && n < sizeof line - 80; p++) {
		if (*p < 0x20 || *p == 0x7f)
			n += (size_t)snprintf(line + n, 5, "\\x%02x", *p);
		else
			line[n++] = (char)*p;
	}
	n += (size_t)snprintf(line + n, 80, "%s\n", tail);
	/* Nothing can be done, or told, about a stderr that does not take it. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

void message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args, "");
	va_end(args);
}

void message_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args, "");
	va_end(args);
	exit(EXIT_FAILED);
}

void message_usage(const char *format, ...)
{
	va_list args;
	char tail[80];

	snprintf(tail, sizeof tail, "; see '%.40s --help'", program);
	va_start(args, format);
	say(format, args, tail);
	va_end(args);
	exit(EXIT_USAGE);
}
