// SPDX-License-Identifier: MIT
#include "live/audience.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands between a writer and its readers. */
struct channel {
	dev_t dev;
	ino_t ino;
	int tty;	/* number of the terminal; -1: a pipe */
};

static bool channel_at(const char *path, struct channel *channel)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	*channel = (struct channel){ st.st_dev, st.st_ino, -1 };
	if (S_ISCHR(st.st_mode) && (st.st_rdev >> 8) >= 136 && (st.st_rdev >> 8) <= 143)	/* pts */
		channel->tty = (int)((((st.st_rdev >> 8) - 136) << 8) | (st.st_rdev & 0xff));
	return S_ISFIFO(st.st_mode) || channel->tty >= 0;
}

/* The number of the terminal whose other end PATH (/proc/PID/fd/N) is; -1: it is none. */
static int master_of(const char *path)
{
	char target[64], info[128], line[128];
	ssize_t len = readlink(path, target, sizeof target - 1);
	int tty = -1;
	FILE *file;
	char *fd;

	if (len < 0)
		return -1;
	target[len] = '\0';
	if (strcmp(target, "/dev/ptmx") && strcmp(target, "/dev/pts/ptmx"))
		return -1;
	snprintf(info, sizeof info, "%.100s", path);
	fd = strstr(info, "/fd/");
	if (!fd || snprintf(fd, sizeof info - (size_t)(fd - info), "/fdinfo/%.20s", strstr(path, "/fd/") + 4) < 0)
		return -1;
	file = fopen(info, "re");
	while (file && fgets(line, sizeof line, file))
		sscanf(line, "tty-index: %d", &tty);
	if (file)
		fclose(file);
	return tty;
}

/* Whether the process has the reading end of CHANNEL open. */
static bool reads(const char *pid, const struct channel *channel)
{
	char path[128];
	struct dirent *entry;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	fds = opendir(path);
	if (!fds)
		return false;
	while (!found && (entry = readdir(fds))) {
		struct stat link;
		struct channel own;

		snprintf(path, sizeof path, "/proc/%.20s/fd/%.20s", pid, entry->d_name);
		if (channel->tty >= 0)
			found = master_of(path) == channel->tty;
		else
			found = !lstat(path, &link) && (link.st_mode & S_IRUSR) && channel_at(path, &own) &&
				own.tty < 0 && own.dev == channel->dev && own.ino == channel->ino;
	}
	closedir(fds);
	return found;
}

static bool knows(const struct audience *found, size_t n, uint32_t pid)
{
	for (size_t i = 0; i < n; i++)
		if (found[i].pid == pid)
			return true;
	return pid == (uint32_t)getpid();
}

static size_t readers(const struct channel *channel, struct audience *found, size_t n, size_t max)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;

	while (processes && n < max && (entry = readdir(processes))) {
		uint32_t pid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (isdigit((unsigned char)entry->d_name[0]) && !knows(found, n, pid) &&
		    reads(entry->d_name, channel))
			found[n++] = (struct audience){ pid, channel->tty >= 0 };
	}
	if (processes)
		closedir(processes);
	return n;
}

size_t audience_of(int fd, struct audience *found, size_t max)
{
	struct channel channel;
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (channel_at(path, &channel))
		n = readers(&channel, found, 0, max);
	for (size_t i = 0; i < n; i++) {
		if (found[i].terminal)
			continue;
		snprintf(path, sizeof path, "/proc/%u/fd/1", found[i].pid);
		if (channel_at(path, &channel))
			n = readers(&channel, found, n, max);
	}
	return n;
}
