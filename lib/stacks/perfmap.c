// SPDX-License-Identifier: MIT
#include "stacks/perfmap.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

struct function {
	uint64_t start, size;
	uint32_t name, len;	/* where it is in `text` */
};

struct perfmap {
	char *text;
	struct function *at;
	size_t n;
};

static bool hexadecimal(const char **at, const char *end, uint64_t *value)
{
	const char *p = *at;

	*value = 0;
	if (end - p > 2 && p[0] == '0' && p[1] == 'x')
		p += 2;
	for (const char *first = p; p < end && p - first <= 16; p++) {
		unsigned digit = *p >= '0' && *p <= '9' ? (unsigned)(*p - '0') :
				 *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a' + 10) :
				 *p >= 'A' && *p <= 'F' ? (unsigned)(*p - 'A' + 10) : 16;

		if (digit == 16) {
			*at = p + 1;
			return p > first && *p == ' ';
		}
		*value = *value << 4 | digit;
	}
	return false;
}

/* By address; the later one behind, as names lie in the order of lines. */
static int compare(const void *left, const void *right)
{
	const struct function *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->name < b->name ? -1 : 1;
}

/* What is there now: up to PERFMAP_TEXT_MAX bytes. */
static char *read_all(int fd, size_t *len)
{
	size_t room = 0;
	char *text = NULL;
	ssize_t got;

	*len = 0;
	do {
		text = memory_grow(text, &room, *len + (64 << 10), 1);
		got = read(fd, text + *len, room - *len);
		if (got > 0)
			*len += (size_t)got;
	} while (*len < PERFMAP_TEXT_MAX && (got > 0 || (got < 0 && errno == EINTR)));
	return text;
}

struct perfmap *perfmap_read(int fd)
{
	struct perfmap *map = memory_zeroed(sizeof *map);
	size_t len, room = 0, n = 0;
	const char *end;

	map->text = read_all(fd, &len);
	for (const char *at = map->text, *past = at + len; at < past && map->n < PERFMAP_MAX; at = end + 1) {
		struct function function;
		const char *p = at;

		/* The last line may be half written. */
		end = memchr(at, '\n', (size_t)(past - at));
		if (!end)
			break;
		if (!hexadecimal(&p, end, &function.start) || !hexadecimal(&p, end, &function.size) ||
		    p >= end || memchr(p, '\0', (size_t)(end - p)))
			continue;
		function.name = (uint32_t)(p - map->text);
		function.len = (uint32_t)(end - p);
		map->at = memory_grow(map->at, &room, map->n + 1, sizeof *map->at);
		map->at[map->n++] = function;
	}
	if (map->n)
		qsort(map->at, map->n, sizeof *map->at, compare);
	for (size_t i = 0; i < map->n; i++)
		if (i + 1 == map->n || map->at[i + 1].start != map->at[i].start)
			map->at[n++] = map->at[i];
	map->n = n;
	return map;
}

void perfmap_free(struct perfmap *perfmap)
{
	if (!perfmap)
		return;
	free(perfmap->text);
	free(perfmap->at);
	free(perfmap);
}

bool perfmap_find(const struct perfmap *map, uint64_t address, struct slice *name)
{
	size_t low = 0, high = map->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (map->at[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address - map->at[low - 1].start >= map->at[low - 1].size)
		return false;
	*name = (struct slice){ map->text + map->at[low - 1].name, map->at[low - 1].len };
	return true;
}
