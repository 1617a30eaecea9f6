// SPDX-License-Identifier: MIT
#include "stacks/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

/* Reads a number in BASE that ENDING ends, and passes both. */
static bool number(const char **at, const char *end, unsigned base, char ending, uint64_t *value)
{
	const char *p = *at;

	for (*value = 0; p < end && *p != ending; p++) {
		unsigned digit = *p >= '0' && *p <= '9' ? (unsigned)(*p - '0') :
				 *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a' + 10) : base;

		if (digit >= base || __builtin_mul_overflow(*value, base, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return false;
	}
	if (p == *at || p == end)
		return false;
	*at = p + 1;
	return true;
}

static void remove_deleted(struct slice *path)
{
	const struct slice mark = SLICE(" (deleted)");

	if (path->len > mark.len && memcmp(path->at + path->len - mark.len, mark.at, mark.len) == 0)
		path->len -= mark.len;
}

/* 55d0a2e2b000-55d0a2e2d000 r-xp 00002000 fe:00 1718                       /usr/bin/cat */
static bool parse(struct mapping *mapping, bool *runs, const char *at, const char *end)
{
	uint64_t major, minor;
	const char *rights;

	if (!number(&at, end, 16, '-', &mapping->start) || !number(&at, end, 16, ' ', &mapping->end) ||
	    mapping->start >= mapping->end || end - at < 5)
		return false;
	rights = at;
	at += 5;
	if (rights[4] != ' ' || !number(&at, end, 16, ' ', &mapping->offset) ||
	    !number(&at, end, 16, ':', &major) || !number(&at, end, 16, ' ', &minor))
		return false;
	/* Without a path some kernels end the line behind the inode, others behind a blank. */
	if (memchr(at, ' ', (size_t)(end - at)) ? !number(&at, end, 10, ' ', &mapping->inode) :
	    !number(&at, end + 1, 10, '\n', &mapping->inode))
		return false;
	while (at < end && *at == ' ')
		at++;
	mapping->path = (struct slice){ at < end ? at : end, at < end ? (size_t)(end - at) : 0 };
	remove_deleted(&mapping->path);
	mapping->image = UINT32_MAX;
	*runs = rights[2] == 'x';
	return true;
}

/* All of FD, and an LF and NUL behind it. */
static int read_all(int fd, char **text, size_t *len)
{
	size_t room = 0;
	ssize_t got;

	*text = NULL;
	*len = 0;
	do {
		*text = memory_grow(*text, &room, *len + (32 << 10), 1);
		while ((got = read(fd, *text + *len, room - *len - 2)) < 0 && errno == EINTR)
			;
		if (got < 0)
			return errno;
		*len += (size_t)got;
		if (*len > MAPS_TEXT_MAX)
			return EFBIG;
	} while (got > 0);
	if (*len && (*text)[*len - 1] != '\n')
		(*text)[(*len)++] = '\n';
	(*text)[*len] = '\0';
	return 0;
}

int maps_read(struct maps *maps, int fd, size_t *line)
{
	size_t len, room = 0;
	int error = read_all(fd, &maps->text, &len);
	char *end;

	maps->at = NULL;
	maps->n = 0;
	*line = 0;
	for (char *at = maps->text, *past = maps->text + len; !error && at < past; at = end + 1) {
		struct mapping mapping;
		bool runs;

		++*line;
		end = memchr(at, '\n', (size_t)(past - at));
		if (!parse(&mapping, &runs, at, end) ||
		    (maps->n && runs && mapping.start < maps->at[maps->n - 1].end)) {
			error = EINVAL;
		} else if (runs && maps->n < MAPS_MAX) {
			maps->text[mapping.path.at - maps->text + (ptrdiff_t)mapping.path.len] = '\0';
			maps->at = memory_grow(maps->at, &room, maps->n + 1, sizeof *maps->at);
			maps->at[maps->n++] = mapping;
		}
	}
	if (error)
		maps_free(maps);
	return error;
}

void maps_free(struct maps *maps)
{
	free(maps->at);
	free(maps->text);
	*maps = (struct maps){ 0 };
}

const struct mapping *maps_find(const struct maps *maps, uint64_t address)
{
	size_t low = 0, high = maps->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (maps->at[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < maps->n && maps->at[low].start <= address ? &maps->at[low] : NULL;
}

struct slice maps_base_name(struct slice path)
{
	const char *slash = memrchr(path.at, '/', path.len);

	return slash ? (struct slice){ slash + 1, path.len - (size_t)(slash + 1 - path.at) } : path;
}
