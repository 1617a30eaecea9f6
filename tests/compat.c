/* SPDX-License-Identifier: MIT */
/* compat COUNT: so many 32-bit calls of getpid (20), which is writev's number of 64 bits, and one open (5). x86-64. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int call(int number, const void *first)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(first), "c"(0), "d"(0) : "memory");
	return result;
}

int main(int argc, char **argv)
{
	char *path = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (path == MAP_FAILED)
		return 1;
	strcpy(path, "/nonexistent/32");

	for (long i = argc > 1 ? atol(argv[1]) : 0; i > 0; i--)
		call(20, NULL);
	return call(5, path) >= 0;
}
