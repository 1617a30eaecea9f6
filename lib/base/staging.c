// SPDX-License-Identifier: MIT
#include "base/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"

struct staging {
	const char *directory;
	char *path;
};

static struct staging *unfinished;	/* what the end of the program removes */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_unfinished(void)
{
	if (unfinished)
		nftw(unfinished->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct staging *staging_new(const char *directory)
{
	static const char suffix[] = ".XXXXXX";
	struct staging *staging = memory_zeroed(sizeof *staging);
	size_t len = strlen(directory);
	struct stat st;
	mode_t mask;

	if (lstat(directory, &st) == 0)
		message_die("cannot make %s: it is there already (remove it, or name another with -o)",
			    directory);
	while (len > 1 && directory[len - 1] == '/')
		len--;
	staging->directory = directory;
	staging->path = memory_get(len + sizeof suffix);
	memcpy(staging->path, directory, len);
	strcpy(staging->path + len, suffix);
	if (!mkdtemp(staging->path))
		message_die("cannot make a directory beside %s: %m", directory);
	umask(mask = umask(0));
	chmod(staging->path, 0777 & ~mask);	/* not 0700, as mkdtemp() has it */
	unfinished = staging;
	atexit(remove_unfinished);
	return staging;
}

char *staging_path(const struct staging *staging, const char *name, const char *suffix)
{
	char *path;

	if (asprintf(&path, "%s/%s.%s", staging->path, name, suffix) < 0)
		message_die("cannot write %s: out of memory", name);
	return path;
}

static int sync_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)st;
	(void)type;
	(void)ftw;
	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		message_die("cannot write %s: %m", path);
	close(fd);
	return 0;
}

void staging_show(struct staging *staging)
{
	nftw(staging->path, sync_one, 16, FTW_DEPTH | FTW_PHYS);
	if (rename(staging->path, staging->directory))
		message_die("cannot rename %s to %s: %m", staging->path, staging->directory);
	unfinished = NULL;
	free(staging->path);
	free(staging);
}
