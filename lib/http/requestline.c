// SPDX-License-Identifier: MIT
#include "http/requestline.h"

enum { METHOD_MAX = 20 };

static bool begins(struct slice text, struct slice with)
{
	return text.len >= with.len && memcmp(text.at, with.at, with.len) == 0;
}

static struct slice from(struct slice text, size_t at)
{
	return (struct slice){ text.at + at, text.len - at };
}

/* A target has no spaces and nothing below them. */
static size_t target_length(struct slice text)
{
	size_t n = 0;

	while (n < text.len && (unsigned char)text.at[n] > ' ' && text.at[n] != 0x7f)
		n++;
	return n;
}

bool requestline_read(struct slice message, struct slice answer, struct requestline *line)
{
	static const struct slice version = { " HTTP/1.", 8 };
	struct slice rest;
	size_t n = 0, length;

	while (n < message.len && n < METHOD_MAX && message.at[n] >= 'A' && message.at[n] <= 'Z')
		n++;
	if (!n || n == message.len || message.at[n] != ' ')
		return false;
	line->method = (struct slice){ message.at, n };
	rest = from(message, n + 1);
	length = target_length(rest);
	if (!length)
		return false;
	line->path = (struct slice){ rest.at, length };
	rest = from(rest, length);
	if (rest.len >= version.len && !begins(rest, version))
		return false;
	if (rest.len < version.len && (!begins(version, rest) || requestline_status(answer) < 0))
		return false;
	for (n = 0; n < length; n++) {
		if (line->path.at[n] != '?' && line->path.at[n] != '#')
			continue;
		line->path.len = n;
		break;
	}
	return true;
}

int requestline_status(struct slice answer)
{
	static const struct slice version = { "HTTP/1.", 7 };
	int status = 0;

	if (answer.len < 12 || !begins(answer, version) || answer.at[7] < '0' || answer.at[7] > '9' ||
	    answer.at[8] != ' ')
		return -1;
	for (size_t i = 9; i < 12; i++) {
		if (answer.at[i] < '0' || answer.at[i] > '9')
			return -1;
		status = status * 10 + answer.at[i] - '0';
	}
	if (answer.len > 12 && answer.at[12] != ' ' && answer.at[12] != '\r' && answer.at[12] != '\n')
		return -1;
	return status >= 100 ? status : -1;
}
