// SPDX-License-Identifier: MIT
#include "records/outfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"

/* A file that is not whole yet, which must not stay when the program ends early. */
static char *unfinished;
static void remove_unfinished(void)
{
	if (unfinished)
		unlink(unfinished);
}

void outfile_put(struct writer *out, struct slice bytes)
{
	for (size_t at = 0, n; at < bytes.len; at += n) {
		n = bytes.len - at < WRITER_BUFFER ? bytes.len - at : WRITER_BUFFER;
		writer_bytes(out, bytes.at + at, n);
	}
	writer_close(out);
}

void outfile_write(const char *file, struct slice bytes)
{
	struct stat st;
	bool replace = stat(file, &st) || S_ISREG(st.st_mode);
	size_t size = strlen(file) + 5;
	char *name = memory_get(size);
	int fd;

	snprintf(name, size, "%s%s", file, replace ? ".tmp" : "");
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | (replace ? O_NOFOLLOW : 0), 0666);
	if (fd < 0)
		message_die("cannot create %s: %m", name);
	if (replace) {
		unfinished = name;
		atexit(remove_unfinished);
	}
	outfile_put(writer_open(fd, name), bytes);
	if (replace && rename(name, file))
		message_die("cannot rename %s to %s: %m", name, file);
	unfinished = NULL;
	free(name);
}
