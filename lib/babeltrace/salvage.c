// SPDX-License-Identifier: MIT
#include "babeltrace/salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

enum { SIGNATURE = 20, BLOCK = 1 << 20, HEAD = 256 };

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	remove(path);
	return 0;
}

/* A child that removes ROOT once this process and all its children are gone, or close PIPES[1]. */
static pid_t hire_janitor(const char *root, int pipes[2])
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	close(pipes[1]);
	while (read(pipes[0], &byte, 1) < 0 && errno == EINTR)
		continue;
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	_exit(0);
}

bool salvage_make(struct salvage *salvage)
{
	char *root = salvage->root;
	int pipes[2];
	const char *tmp = getenv("TMPDIR");

	if (!tmp || !*tmp || snprintf(root, SALVAGE_ROOT, "%s/weir-XXXXXX", tmp) >= SALVAGE_ROOT)
		snprintf(root, SALVAGE_ROOT, "/tmp/weir-XXXXXX");
	if (!mkdtemp(root) || pipe2(pipes, O_CLOEXEC)) {
		*root = '\0';
		return false;
	}
	salvage->janitor = hire_janitor(root, pipes);
	close(pipes[0]);
	salvage->hold = pipes[1];
	return true;
}

void salvage_remove(struct salvage *salvage)
{
	if (!*salvage->root)
		return;
	close(salvage->hold);
	while (waitpid(salvage->janitor, NULL, 0) < 0 && errno == EINTR)
		continue;
	*salvage->root = '\0';
}

static bool is_packet(const unsigned char *head)
{
	static const unsigned char magic[2][4] = { { 0xc1, 0x1f, 0xfc, 0xc1 }, { 0xc1, 0xfc, 0x1f, 0xc1 } };

	return memcmp(head, magic[0], 4) == 0 || memcmp(head, magic[1], 4) == 0;
}

uint64_t *salvage_packets(const char *file, size_t *n)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	unsigned char head[SIGNATURE];
	char *block = memory_get(BLOCK + SIGNATURE);
	size_t room = 0, kept = 0;
	uint64_t *at = NULL, offset = 0;
	ssize_t got;

	*n = 0;
	if (fd >= 0 && pread(fd, head, SIGNATURE, 0) == SIGNATURE && is_packet(head)) {
		while ((got = pread(fd, block + kept, BLOCK, (off_t)(offset + kept))) > 0) {
			size_t have = kept + (size_t)got;
			const char *p = block, *found;

			while ((found = memmem(p, have - (size_t)(p - block), head, SIGNATURE))) {
				at = memory_grow(at, &room, *n + 2, sizeof *at);
				at[(*n)++] = offset + (uint64_t)(found - block);
				p = found + SIGNATURE;
			}
			kept = have < SIGNATURE - 1 ? have : SIGNATURE - 1;
			if (p > block + have - kept)
				kept = (size_t)(block + have - p);
			memmove(block, block + have - kept, kept);
			offset += have - kept;
		}
		if (at)
			at[*n] = offset + kept;
	}
	free(block);
	if (fd >= 0)
		close(fd);
	return at;
}

size_t salvage_sizes(const char *file, uint64_t from, uint64_t end, uint64_t *sizes, size_t max)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	unsigned char head[HEAD];
	ssize_t got = fd < 0 ? 0 : pread(fd, head, sizeof head, (off_t)from);
	size_t n = 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t at = 0; at + 8 <= got && n < max; at += 4) {
		for (int swap = 0; swap < 2 && n < max; swap++) {
			uint64_t bits, bytes;
			bool known = false;

			memcpy(&bits, head + at, 8);
			if (swap)
				bits = __builtin_bswap64(bits);
			bytes = bits / 8;
			for (size_t i = 0; i < n; i++)
				known |= sizes[i] == bytes;
			if (bits % 8 == 0 && bytes != end - from && bytes > HEAD &&
			    bytes < (uint64_t)1 << 30 && !known)
				sizes[n++] = bytes;
		}
	}
	/* The packet's size comes with that of its content, which is less. */
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && sizes[j] > sizes[j - 1]; j--) {
			uint64_t other = sizes[j];

			sizes[j] = sizes[j - 1];
			sizes[j - 1] = other;
		}
	return n;
}

static bool fill(int to, uint64_t at, uint64_t size)
{
	char block[4096];

	memset(block, 0xff, sizeof block);
	while (at < size) {
		size_t n = size - at < sizeof block ? (size_t)(size - at) : sizeof block;

		if (pwrite(to, block, n, (off_t)at) != (ssize_t)n)
			return false;
		at += n;
	}
	return true;
}

static bool copy(const char *file, const char *piece, uint64_t from, uint64_t end, uint64_t size)
{
	int in = open(file, O_RDONLY | O_CLOEXEC);
	int out = open(piece, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char *block = memory_get(BLOCK);
	uint64_t at = from;
	bool good = in >= 0 && out >= 0;

	while (good && at < end) {
		ssize_t n = pread(in, block, end - at < BLOCK ? (size_t)(end - at) : BLOCK, (off_t)at);

		good = n > 0 && pwrite(out, block, (size_t)n, (off_t)(at - from)) == n;
		at += n > 0 ? (uint64_t)n : 0;
	}
	/* Beyond some pages nothing is read any more: a hole will do. */
	if (good && size > end - from)
		good = fill(out, end - from, size - (end - from) > 65536 ? end - from + 65536 : size) &&
		       ftruncate(out, (off_t)size) == 0;
	free(block);
	if (in >= 0)
		close(in);
	if (out >= 0)
		good &= close(out) == 0;
	return good;
}

static bool link_to(const char *piece, const char *directory, const char *name, const char *as)
{
	char target[PATH_MAX], link[PATH_MAX], *whole;
	bool good;

	if ((size_t)snprintf(target, sizeof target, "%s/%s", directory, name) >= sizeof target ||
	    (size_t)snprintf(link, sizeof link, "%s/%s", piece, as) >= sizeof link)
		return false;
	whole = realpath(target, NULL);
	good = whole && symlink(whole, link) == 0;
	free(whole);
	return good;
}

char *salvage_piece(const struct salvage *salvage, const char *directory, const char *name, uint64_t from,
		    uint64_t to, uint64_t size)
{
	char piece[SALVAGE_ROOT + 16], file[PATH_MAX], part[PATH_MAX], index[300], made[PATH_MAX];
	static unsigned number;
	bool good;

	snprintf(piece, sizeof piece, "%s/%u", salvage->root, number++);
	if (mkdir(piece, 0700) || !link_to(piece, directory, "metadata", "metadata"))
		return NULL;
	if (!name) {
		good = true;
	} else if (to > from) {
		good = (size_t)snprintf(file, sizeof file, "%s/%s", directory, name) < sizeof file &&
		       (size_t)snprintf(part, sizeof part, "%s/%s", piece, name) < sizeof part &&
		       copy(file, part, from, to, size);
	} else {
		good = link_to(piece, directory, name, name);
		snprintf(index, sizeof index, "index/%.280s.idx", name);
		snprintf(made, sizeof made, "%s/index", piece);
		/* The index is a help, no more. */
		if (good && mkdir(made, 0700) == 0)
			link_to(piece, directory, index, index);
	}
	return good ? memory_copy(slice_of(piece)) : NULL;
}
