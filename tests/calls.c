/* SPDX-License-Identifier: MIT */
/*
 * calls COUNT FAILURES OPENS CHILDREN: known system calls. COUNT of getpid and COUNT of write, of 1 to COUNT bytes;
 * FAILURES of close that fail; OPENS of files that are not there, the name of each in a page that was not touched
 * before; CHILDREN that wait in a read of a byte; and one each of some calls that take a path.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_cold(long opens, const char *file)
{
	long page = sysconf(_SC_PAGESIZE);
	int fd = memfd_create("paths", 0);
	char path[64];

	for (long i = 0; i < opens; i++) {
		int n = snprintf(path, sizeof path, "%s.%ld", file, i);

		pwrite(fd, path, (size_t)n + 1, i * page);
	}
	/* Pages of a mapping that nobody has touched yet: none is resident for this process. */
	for (long i = 0; i < opens; i++) {
		char *at = mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, fd, i * page);

		syscall(SYS_openat, AT_FDCWD, at, O_RDONLY);
		munmap(at, (size_t)page);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	long count = atol(argv[1]), failures = atol(argv[2]), opens = atol(argv[3]), children = atol(argv[4]);
	static char bytes[65536];
	struct stat status;
	int ends[2], null = open("/dev/null", O_WRONLY);

	if (argc != 5 || pipe(ends))
		return 2;
	for (long i = 0; i < count; i++)
		syscall(SYS_getpid);
	for (long i = 0; i < failures; i++)
		close(-1);
	for (long i = 1; i <= count; i++)
		write(null, bytes, (size_t)i);
	open_cold(opens, "/nonexistent/file");
	for (long i = 0; i < children; i++) {
		pid_t child = fork();

		if (child == 0) {
			read(ends[0], bytes, 1);
			_exit(0);
		}
		write(ends[1], bytes, 1);
		waitpid(child, NULL, 0);
	}
	fstat(null, &status);
	mkdir("/nonexistent/directory", 0700);
	unlink("/nonexistent/link");
	rename("/nonexistent/old", "/nonexistent/new");
	symlink("/nonexistent/target", "/nonexistent/name");
	return dup(null) < 0;
}
