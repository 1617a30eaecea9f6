// SPDX-License-Identifier: MIT
#include "traces/packetindex.h"

#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define INDEX_MAGIC 0xc1f1dcc1u

enum { HEAD_MAGIC, HEAD_MAJOR, HEAD_MINOR, HEAD_ENTRY_LEN, HEAD_WORDS };
enum { OFFSET, PACKET_SIZE, CONTENT_SIZE, BEGIN, END, DISCARDED, STREAM_ID, ENTRY_WORDS,	/* version 1.0 */
       INSTANCE_ID = ENTRY_WORDS, SEQUENCE, ENTRY_WORDS_1_1 };

enum { ENTRY_LEN_MAX = 4096 };

static uint64_t number(const uint8_t *entry, unsigned word)
{
	uint64_t value;

	memcpy(&value, entry + word * sizeof value, sizeof value);
	return be64toh(value);
}

struct packetindex_entry packetindex_entry(const struct packetindex *index, size_t i)
{
	const uint8_t *at = index->entries + i * index->entry_len;
	bool is_1_1 = index->entry_len >= ENTRY_WORDS_1_1 * sizeof(uint64_t);

	return (struct packetindex_entry){
		.offset = number(at, OFFSET),
		.bytes = number(at, PACKET_SIZE) / 8,
		.content = number(at, CONTENT_SIZE),
		.begin = number(at, BEGIN),
		.end = number(at, END),
		.discarded = number(at, DISCARDED),
		.stream_id = number(at, STREAM_ID),
		.instance_id = is_1_1 ? number(at, INSTANCE_ID) : UINT64_MAX,
		.sequence = is_1_1 ? number(at, SEQUENCE) : UINT64_MAX,
	};
}

/* How many packets the index has of a file of SIZE bytes; 0 where it contradicts itself. */
static size_t count_sane(const struct packetindex *index, uint64_t size)
{
	uint64_t at = 0;

	for (size_t i = 0; i < index->n; i++) {
		struct packetindex_entry e = packetindex_entry(index, i);

		if (e.offset != at || e.bytes == 0 || e.content > e.bytes * 8 || e.begin > e.end)
			return 0;
		if (e.bytes > size - at)	/* the file is cut */
			return i;
		at += e.bytes;
	}
	return index->n;
}

/* The entries of the index that is open at FD, whole ones; false: it is none. */
static bool read_entries(struct packetindex *index, int fd)
{
	uint32_t head[HEAD_WORDS];
	struct stat st;
	size_t size;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > PACKETINDEX_MAX ||
	    pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head)
		return false;
	index->entry_len = be32toh(head[HEAD_ENTRY_LEN]);
	if (be32toh(head[HEAD_MAGIC]) != INDEX_MAGIC || be32toh(head[HEAD_MAJOR]) != 1 ||
	    index->entry_len < ENTRY_WORDS * sizeof(uint64_t) || index->entry_len > ENTRY_LEN_MAX)
		return false;
	index->n = ((size_t)st.st_size - sizeof head) / index->entry_len;
	size = index->n * index->entry_len;
	index->entries = memory_get(size + 1);
	return pread(fd, index->entries, size, sizeof head) == (ssize_t)size;
}

void packetindex_read(struct packetindex *index, const char *path, uint64_t size)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char beside[PATH_MAX];
	int fd;

	*index = (struct packetindex){ 0 };
	if ((size_t)snprintf(beside, sizeof beside, "%.*sindex/%s.idx", (int)(name - path), path, name) >=
	    sizeof beside)
		return;
	fd = open(beside, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	index->n = read_entries(index, fd) ? count_sane(index, size) : 0;
	close(fd);
	if (!index->n)
		packetindex_free(index);
}

void packetindex_free(struct packetindex *index)
{
	free(index->entries);
	*index = (struct packetindex){ 0 };
}

size_t packetindex_find(const struct packetindex *index, uint64_t offset)
{
	size_t from = 0, to = index->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (number(index->entries + middle * index->entry_len, OFFSET) < offset)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}
