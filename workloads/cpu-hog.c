// SPDX-License-Identifier: MIT
/*
 * cpu-hog: noise for the CPUs, of a set strength.
 *
 *	$ cpu-hog --threads 2 --duty 60 --period 50ms -d 10
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/display.h"
#include "base/halt.h"
#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "records/writer.h"

/* Between two looks at the clock: some 10 us. */
enum { ROUNDS = 10000 };

struct hog {
	uint64_t threads, period_ns, duration_ns;
	double duty;		/* percent */
	uint64_t begun;
	atomic_bool stop;
};

struct worker {
	struct hog *hog;
	pthread_t thread;
	pid_t tid;
	int64_t ended;		/* since the epoch */
	uint64_t dur_ns, cpu_ns, periods, missed;
};

static uint64_t thread_cpu(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void burn(void)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		__asm__ volatile("" : : "r"(i));
}

/*
 * Uses the CPU in each period until it has had its share, or the period is over: what others kept it from
 * in one period is not made up for in the next.
 */
static void *work(void *of)
{
	struct worker *worker = of;
	struct hog *hog = worker->hog;
	uint64_t share = (uint64_t)((double)hog->period_ns * hog->duty / 100), end = hog->begun, first, from, used;

	worker->tid = gettid();
	first = thread_cpu();
	while (!atomic_load_explicit(&hog->stop, memory_order_relaxed)) {
		end += hog->period_ns;
		from = thread_cpu();
		while ((used = thread_cpu() - from) < share && clock_monotonic() < end &&
		       !atomic_load_explicit(&hog->stop, memory_order_relaxed))
			burn();
		worker->periods++;
		worker->missed += used < share - share / 100 && clock_monotonic() >= end;
		if (share < hog->period_ns && !halt_pause(end))
			break;
	}
	worker->cpu_ns = thread_cpu() - first;
	worker->dur_ns = clock_monotonic() - hog->begun;
	worker->ended = clock_epoch();
	return NULL;
}

static void write_usage(struct writer *out, const struct worker *worker)
{
	writer_begin(out, worker->ended, SLICE("usage"));
	writer_u64(out, KEY("pid"), (uint64_t)getpid());
	writer_u64(out, KEY("tid"), (uint64_t)worker->tid);
	writer_text(out, KEY("comm"), SLICE("cpu-hog"));
	writer_u64(out, KEY("dur_ns"), worker->dur_ns);
	writer_u64(out, KEY("cpu_ns"), worker->cpu_ns);
	writer_u64(out, KEY("periods"), worker->periods);
	writer_u64(out, KEY("missed"), worker->missed);
	writer_end(out);
}

static void say_usage(const struct hog *hog, const struct worker *workers)
{
	char used[DISPLAY_NUMBER], took[DISPLAY_NUMBER];
	uint64_t cpu_ns = 0, dur_ns = 0;
	size_t n, m;

	for (uint64_t i = 0; i < hog->threads; i++) {
		cpu_ns += workers[i].cpu_ns;
		dur_ns = workers[i].dur_ns > dur_ns ? workers[i].dur_ns : dur_ns;
	}
	n = display_duration(used, (double)cpu_ns);
	m = display_duration(took, (double)dur_ns);
	message("used %.*s of CPU time in %.*s: %.1f %% of a CPU, where %.1f %% was wanted", (int)n, used, (int)m, took,
		100 * (double)cpu_ns / (double)(dur_ns ? dur_ns : 1), hog->duty * (double)hog->threads);
}

static void run(struct hog *hog, struct writer *out)
{
	struct worker *workers = memory_zeroed(hog->threads * sizeof *workers);

	hog->begun = clock_monotonic();
	for (uint64_t i = 0; i < hog->threads; i++) {
		workers[i].hog = hog;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			message_die("cannot start thread %llu: %m", (unsigned long long)i + 1);
	}
	halt_wait(hog->duration_ns);
	atomic_store(&hog->stop, true);
	halt_now();
	for (uint64_t i = 0; i < hog->threads; i++) {
		pthread_join(workers[i].thread, NULL);
		write_usage(out, &workers[i]);
	}
	say_usage(hog, workers);
	free(workers);
}

int main(int argc, char **argv)
{
	struct hog hog = { .threads = 1, .period_ns = 100000000, .duty = 100 };
	const struct option options[] = {
		{ 'n', "threads", "COUNT", "how many threads (default: 1)", OPTION_COUNT, .to = &hog.threads, .min = 1,
		  .max = 1024 },
		{ 'u', "duty", "PERCENT", "use this share of a CPU, each thread (default: 100)", OPTION_REAL,
		  .to = &hog.duty, .max = 100 },
		{ 'p', "period", "TIME", "use it at the beginning of each TIME (default: 100ms)", OPTION_MILLISECONDS,
		  .to = &hog.period_ns, .min = 1000000, .max = 3600000000000 },
		{ 'd', "duration", "TIME", "stop after TIME (default: at SIGINT or SIGTERM)", OPTION_SECONDS,
		  .to = &hog.duration_ns, .min = 1 },
		{ 0 },
	};
	const struct program program = {
		.name = "cpu-hog",
		.does = "use CPU time, as much as is asked for, and say how much it was",
		.operands = "",
		.options = options,
		.examples = "  cpu-hog -n 2 -d 10\n"
			    "  cpu-hog --duty 60 --period 50ms\n",
	};
	char **operands = options_parse(&program, argv);
	struct writer *out;

	(void)argc;
	if (*operands)
		message_usage("cannot use '%.200s': there are no operands", *operands);
	out = writer_stdout();
	halt_start();
	run(&hog, out);
	writer_close(out);
	return EXIT_COMPLETE;
}
