// SPDX-License-Identifier: MIT
#include "traces/tracefind.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/table.h"
#include "traces/packetindex.h"

enum { DEPTH_MAX = 64, HEAD = 64 << 10 };

static bool seen_before(struct tracefind *find, const struct stat *status)
{
	uint64_t id[2] = { (uint64_t)status->st_dev, (uint64_t)status->st_ino };
	uint64_t hash = slice_hash((struct slice){ (const char *)id, sizeof id });
	char *value;

	if (!find->seen)
		find->seen = table_new(1);
	value = table_at(find->seen, hash);
	if (*value)
		return true;
	*value = 1;
	return false;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* `uuid = "..."` in the block `trace { ... }` of metadata that is text. */
static bool text_uuid(const char *text, unsigned char *uuid)
{
	const char *p = text;
	int digits = 0;

	do {
		p = strstr(p, "trace");
		if (!p)
			return false;
		p += 5;
	} while (p[strspn(p, " \t\r\n")] != '{');
	p = strstr(p, "uuid");
	p = p ? p + 4 : NULL;
	p = p ? p + strspn(p, " \t") : NULL;
	p = p && *p == '=' ? p + 1 + strspn(p + 1, " \t") : NULL;
	if (!p || *p != '"')
		return false;
	for (p++; *p && *p != '"' && digits < 32; p++) {
		int digit = hex_digit(*p);

		if (digit < 0)
			continue;
		uuid[digits / 2] = (unsigned char)(digits % 2 ? uuid[digits / 2] | digit : digit << 4);
		digits++;
	}
	return digits == 32;
}

/*
 * Metadata in packets, as LTTng writes it, that ends within one: libbabeltrace2 2.0 reads that for ever.
 * The sizes, in bits, are at 28 of each packet's header.
 */
static bool is_cut_off(int fd, bool swap)
{
	unsigned char head[32];
	uint64_t at = 0;
	struct stat status;
	uint32_t bits;

	if (fstat(fd, &status))
		return true;
	while (at < (uint64_t)status.st_size) {
		if (pread(fd, head, sizeof head, (off_t)at) != sizeof head)
			return true;
		memcpy(&bits, head + 28, sizeof bits);
		bits = swap ? __builtin_bswap32(bits) : bits;
		if (bits < 8 * sizeof head)
			return true;
		at += bits / 8;
	}
	return at != (uint64_t)status.st_size;
}

/* False: the metadata is cut off. */
static bool read_metadata(struct found *found, int directory)
{
	static const unsigned char magic[2][4] = { { 0x57, 0x1d, 0xd1, 0x75 }, { 0x75, 0xd1, 0x1d, 0x57 } };
	int fd = openat(directory, "metadata", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *head = memory_get(HEAD + 1);
	ssize_t n = fd < 0 ? 0 : read(fd, head, HEAD);
	bool whole = true;

	if (n >= 20 && (memcmp(head, magic[0], 4) == 0 || memcmp(head, magic[1], 4) == 0)) {
		const uint32_t native = 0x75d11d57;

		memcpy(found->uuid, head + 4, 16);
		found->has_uuid = true;
		whole = !is_cut_off(fd, memcmp(head, &native, 4) != 0);
	} else if (n > 0) {
		head[n] = '\0';
		found->has_uuid = text_uuid(head, found->uuid);
	}
	free(head);
	if (fd >= 0)
		close(fd);
	return whole;
}

/* The times of the stream's packets, by LTTng's index of them. */
static void read_index(struct found *found, const char *directory, const char *stream, uint64_t size)
{
	struct packetindex index;
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, stream) >= sizeof path)
		return;
	packetindex_read(&index, path, size);
	if (index.n) {
		uint64_t first = packetindex_entry(&index, 0).begin, last = packetindex_entry(&index, index.n - 1).end;

		if (!found->last || first < found->first)
			found->first = first;
		if (last > found->last)
			found->last = last;
	}
	packetindex_free(&index);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, sorted; NULL, errno set, when it cannot be read. */
static char **list(int fd, size_t *n)
{
	DIR *directory = fdopendir(fd);
	char **names = NULL;
	size_t room = 0;
	struct dirent *entry;

	*n = 0;
	if (!directory)
		return NULL;
	names = memory_grow(NULL, &room, 1, sizeof *names);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		names = memory_grow(names, &room, *n + 1, sizeof *names);
		names[(*n)++] = memory_copy(slice_of(entry->d_name));
	}
	closedir(directory);
	qsort(names, *n, sizeof *names, compare_names);
	return names;
}

static bool walk(struct tracefind *find, const char *path, int depth);

/* What a directory holds: a trace, perhaps, and directories. */
static bool look_into(struct tracefind *find, const char *path, int fd, char **names, size_t n, int depth)
{
	struct found found = { .path = NULL };
	bool has_metadata = false, good = true;
	size_t streams = 0;
	struct stat status;
	char below[PATH_MAX];

	for (size_t i = 0; i < n; i++) {
		if (fstatat(fd, names[i], &status, 0) || !S_ISREG(status.st_mode))
			continue;
		if (strcmp(names[i], "metadata") == 0) {
			has_metadata = true;
		} else if (status.st_size) {
			streams++;
			found.bytes += (uint64_t)status.st_size;
			read_index(&found, path, names[i], (uint64_t)status.st_size);
		}
	}
	if (has_metadata && streams) {
		if (read_metadata(&found, fd)) {
			found.path = memory_copy(slice_of(path));
			find->found = memory_grow(find->found, &find->room, find->n + 1, sizeof *find->found);
			find->found[find->n++] = found;
		} else {
			message("cannot read %s: its metadata is cut off", path);
			good = false;
		}
	} else if (has_metadata) {
		message("passing over %s/metadata: no stream with data is beside it", path);
	}
	for (size_t i = 0; i < n; i++) {
		if (fstatat(fd, names[i], &status, 0) || !S_ISDIR(status.st_mode))
			continue;
		if (has_metadata && strcmp(names[i], "index") == 0)
			continue;
		if ((size_t)snprintf(below, sizeof below, "%s/%s", path, names[i]) >= sizeof below) {
			message("cannot open %s/%s: its name is too long", path, names[i]);
			good = false;
			continue;
		}
		good &= walk(find, below, depth + 1);
	}
	return good;
}

static bool walk(struct tracefind *find, const char *path, int depth)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), list_fd;
	struct stat status;
	char **names;
	bool good;
	size_t n;

	if (fd < 0) {
		message("cannot open %s: %m", path);
		return false;
	}
	if (fstat(fd, &status) || depth > DEPTH_MAX || seen_before(find, &status)) {
		close(fd);
		return true;
	}
	list_fd = dup(fd);
	names = list_fd < 0 ? NULL : list(list_fd, &n);
	if (!names) {
		message("cannot read %s: %m", path);
		close(fd);
		return false;
	}
	good = look_into(find, path, fd, names, n, depth);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	close(fd);
	return good;
}

bool tracefind_below(struct tracefind *find, const char *directory)
{
	size_t before = find->n, directories = find->seen ? table_count(find->seen) : 0;
	bool good = walk(find, directory, 0);

	if (good && find->seen && table_count(find->seen) == directories) {
		message("%s was named before: it is read once", directory);
		return true;
	}
	if (good && find->n == before) {
		message("cannot find a trace in %s: no metadata file with streams beside it is there or "
			"below",
			directory);
		return false;
	}
	return good;
}
