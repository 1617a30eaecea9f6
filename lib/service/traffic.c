// SPDX-License-Identifier: MIT
#include "service/traffic.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

enum { STATUS_FIRST = 100, STATUSES = 500 };

/* The upper ends of the buckets of durations, in ns. */
static const uint64_t bucket_end[] = {
	500000, 1000000, 2500000, 5000000, 10000000, 25000000, 50000000, 100000000, 250000000, 500000000,
	1000000000, 2500000000, 5000000000, 10000000000,
};
enum { BUCKETS = sizeof bucket_end / sizeof *bucket_end };

struct page {
	const char *path;
	atomic_uint_fast64_t status[STATUSES];
	atomic_uint_fast64_t bucket[BUCKETS + 1];	/* the last: longer than all ends */
	atomic_uint_fast64_t sum_ns;
};

struct traffic {
	int64_t begun;		/* since the epoch */
	size_t pages;
	atomic_uint_fast64_t in_flight, ended, failed, not_stored, retries;
	atomic_uint_fast64_t upstream[6];	/* by the first digit of the status; 0: no answer */
	struct page page[];
};

static uint64_t load(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

struct traffic *traffic_new(const char *const *paths, size_t pages)
{
	struct traffic *traffic = memory_zeroed(sizeof *traffic + pages * sizeof *traffic->page);

	traffic->begun = clock_epoch();
	traffic->pages = pages;
	for (size_t i = 0; i < pages; i++)
		traffic->page[i].path = paths[i];
	return traffic;
}

void traffic_free(struct traffic *traffic)
{
	free(traffic);
}

void traffic_begin(struct traffic *traffic)
{
	add(&traffic->in_flight, 1);
}

void traffic_end(struct traffic *traffic, size_t page, unsigned status, uint64_t dur_ns)
{
	struct page *p = &traffic->page[page];
	size_t bucket = 0;

	while (bucket < BUCKETS && dur_ns > bucket_end[bucket])
		bucket++;
	add(&p->bucket[bucket], 1);
	add(&p->sum_ns, dur_ns);
	add(&p->status[(status - STATUS_FIRST) % STATUSES], 1);
	add(&traffic->ended, 1);
	if (status >= 500)
		add(&traffic->failed, 1);
	atomic_fetch_sub_explicit(&traffic->in_flight, 1, memory_order_relaxed);
}

void traffic_upstream(struct traffic *traffic, long status, bool retry)
{
	add(&traffic->upstream[status >= 100 && status < 600 ? status / 100 : 0], 1);
	if (retry)
		add(&traffic->retries, 1);
}

void traffic_not_stored(struct traffic *traffic)
{
	add(&traffic->not_stored, 1);
}

uint64_t traffic_in_flight(const struct traffic *traffic)
{
	return load(&traffic->in_flight);
}

uint64_t traffic_ended(const struct traffic *traffic)
{
	return load(&traffic->ended);
}

uint64_t traffic_failed(const struct traffic *traffic)
{
	return load(&traffic->failed);
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	fprintf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void write_requests(const struct traffic *traffic, FILE *out)
{
	head(out, "demo_requests_total", "counter", "Requests answered.");
	for (size_t i = 0; i < traffic->pages; i++)
		for (int s = 0; s < STATUSES; s++) {
			uint64_t n = load(&traffic->page[i].status[s]);

			if (n)
				fprintf(out, "demo_requests_total{path=\"%s\",status=\"%d\"} %llu\n",
					traffic->page[i].path, s + STATUS_FIRST, (unsigned long long)n);
		}
}

static void write_durations(const struct traffic *traffic, FILE *out)
{
	static const char name[] = "demo_request_duration_seconds";

	head(out, name, "histogram", "From a request's head to the end of its answer.");
	for (size_t i = 0; i < traffic->pages; i++) {
		const struct page *page = &traffic->page[i];
		uint64_t n = 0;

		for (int b = 0; b < BUCKETS; b++) {
			n += load(&page->bucket[b]);
			fprintf(out, "%s_bucket{path=\"%s\",le=\"%g\"} %llu\n", name, page->path,
				(double)bucket_end[b] / 1e9, (unsigned long long)n);
		}
		n += load(&page->bucket[BUCKETS]);
		fprintf(out, "%s_bucket{path=\"%s\",le=\"+Inf\"} %llu\n", name, page->path, (unsigned long long)n);
		fprintf(out, "%s_sum{path=\"%s\"} %.9f\n", name, page->path, (double)load(&page->sum_ns) / 1e9);
		fprintf(out, "%s_count{path=\"%s\"} %llu\n", name, page->path, (unsigned long long)n);
	}
}

static void write_upstream(const struct traffic *traffic, FILE *out)
{
	static const char *const outcome[] = { "no answer", "1xx", "2xx", "3xx", "4xx", "5xx" };

	head(out, "demo_upstream_attempts_total", "counter", "Requests to the upstream, by what came back.");
	for (int i = 0; i < 6; i++)
		fprintf(out, "demo_upstream_attempts_total{status=\"%s\"} %llu\n", outcome[i],
			(unsigned long long)load(&traffic->upstream[i]));
	single(out, "demo_upstream_retries_total", "counter", "Of these, attempts after the first of their call.",
	       load(&traffic->retries));
}

static void write_process(const struct traffic *traffic, FILE *out)
{
	struct rusage used;
	long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");

	if (statm) {
		if (fscanf(statm, "%*s %ld", &pages) != 1)
			pages = 0;
		fclose(statm);
	}
	getrusage(RUSAGE_SELF, &used);
	head(out, "process_cpu_seconds_total", "counter", "CPU time of the process, user and system.");
	fprintf(out, "process_cpu_seconds_total %.6f\n",
		(double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	single(out, "process_resident_memory_bytes", "gauge", "Memory of the process that is resident.",
	       (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE));
	head(out, "process_start_time_seconds", "gauge", "When the service began, since the epoch.");
	fprintf(out, "process_start_time_seconds %.3f\n", (double)traffic->begun / 1e9);
}

void traffic_write(const struct traffic *traffic, FILE *out)
{
	write_requests(traffic, out);
	write_durations(traffic, out);
	single(out, "demo_requests_in_flight", "gauge", "Requests that wait for their answer.",
	       traffic_in_flight(traffic));
	write_upstream(traffic, out);
	single(out, "demo_not_stored_total", "counter", "What could not be stored in the database.",
	       load(&traffic->not_stored));
	write_process(traffic, out);
}
