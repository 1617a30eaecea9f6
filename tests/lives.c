// SPDX-License-Identifier: MIT
/*
 * Makes known numbers of processes, programs and threads: lives FORKS VFORKS FAILS THREADS
 * or one thing: lives exit CODE, lives burn MS, lives hold MIB, lives from-thread|by-descriptor PROGRAM ARGUMENT...
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void *nothing(void *unused)
{
	return unused;
}

static void *execute(void *argv)
{
	execv(((char **)argv)[0], argv);
	return NULL;
}

static void burn(long ms)
{
	struct timespec used;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < ms);
}

static int one(char **argv)
{
	pthread_t thread;

	if (!strcmp(argv[1], "exit"))
		return atoi(argv[2]);
	if (!strcmp(argv[1], "burn"))
		return burn(atol(argv[2])), 0;
	if (!strcmp(argv[1], "hold"))
		return memset(malloc(atol(argv[2]) << 20), 1, atol(argv[2]) << 20) == NULL;
	if (!strcmp(argv[1], "from-thread")) {
		pthread_create(&thread, NULL, execute, argv + 2);
		pthread_join(thread, NULL);
	} else if (!strcmp(argv[1], "by-descriptor")) {
		syscall(SYS_execveat, open(argv[2], O_RDONLY | O_CLOEXEC), "", argv + 2, environ, 0x1000);
	}
	return 99;
}

int main(int argc, char **argv)
{
	char *child[] = { argv[0], "exit", "5", NULL }, *missing[] = { "missing", "one two", NULL };

	if (argc < 5 || argv[1][0] > '9')
		return one(argv);
	for (int i = 0; i < atoi(argv[1]); i++) {
		if (fork() == 0)
			_exit(7);
		wait(NULL);
	}
	for (int i = 0; i < atoi(argv[2]); i++) {
		if (vfork() == 0) {
			execv(argv[0], child);
			_exit(1);
		}
		wait(NULL);
	}
	for (int i = 0; i < atoi(argv[3]); i++)
		execv(i % 2 ? "/nonexistent/program" : "/etc/passwd", missing);
	for (int i = 0; i < atoi(argv[4]); i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, nothing, NULL);
		pthread_join(thread, NULL);
	}
	return 0;
}
