// SPDX-License-Identifier: MIT
/*
 * naps SLEEPS YIELDS CHILDREN: sleeps 1 ms and yields that often, starts that many processes which exit, then
 * prints what the kernel counted of it: voluntary and involuntary switches; time on and waited for a CPU (ns) since
 * it began, and when that was.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct counted {
	long long run, waited;
};

static struct counted count(void)
{
	struct counted counted = { 0 };
	FILE *file = fopen("/proc/self/schedstat", "r");

	if (!file || fscanf(file, "%lld %lld", &counted.run, &counted.waited) != 2)
		exit(1);
	fclose(file);
	return counted;
}

int main(int argc, char **argv)
{
	struct counted begin, end;
	struct timespec began;
	struct rusage usage;

	if (argc != 4)
		return 2;
	clock_gettime(CLOCK_REALTIME, &began);
	begin = count();
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
	end = count();
	getrusage(RUSAGE_SELF, &usage);
	printf("%ld %ld %lld %lld %lld%09ld\n", usage.ru_nvcsw, usage.ru_nivcsw, end.run - begin.run, end.waited - begin.waited,
	       (long long)began.tv_sec, began.tv_nsec);
	return 0;
}
