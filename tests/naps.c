// SPDX-License-Identifier: MIT
/*
 * naps SLEEPS YIELDS CHILDREN: sleeps 1 ms and yields that often, starts that many processes which exit, then
 * prints what the kernel counted of it: voluntary and involuntary switches, time on and waited for a CPU (ns).
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long long run = 0, wait_ns = 0, slices = 0;
	struct rusage usage;
	FILE *file;

	if (argc != 4)
		return 2;
	for (int i = atoi(argv[1]); i > 0; i--)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	for (int i = atoi(argv[2]); i > 0; i--)
		sched_yield();
	for (int i = atoi(argv[3]); i > 0; i--) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	file = fopen("/proc/self/schedstat", "r");
	if (!file || fscanf(file, "%llu %llu %llu", &run, &wait_ns, &slices) != 3)
		return 1;
	getrusage(RUSAGE_SELF, &usage);
	printf("%ld %ld %llu %llu %llu\n", usage.ru_nvcsw, usage.ru_nivcsw, run, wait_ns, slices);
	return 0;
}
