// SPDX-License-Identifier: MIT
#include "live/sampling.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"

struct sampling {
	const char *clock;
	int *events;		/* one for each CPU */
	size_t n, room;
};

static int open_event(uint32_t type, uint64_t config, uint64_t hertz, int cpu)
{
	struct perf_event_attr attributes = {
		.size = sizeof attributes, .type = type, .config = config, .freq = 1, .sample_freq = hertz,
		.disabled = 1,
	};

	return (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* On all CPUs that are there. False: errno. */
static bool open_all(struct sampling *sampling, uint32_t type, uint64_t config, uint64_t hertz)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	for (int cpu = 0; cpu < cpus; cpu++) {
		int event = open_event(type, config, hertz, cpu);

		if (event < 0 && errno == ENODEV)	/* it is switched off */
			continue;
		if (event < 0)
			return false;
		sampling->events = memory_grow(sampling->events, &sampling->room, sampling->n + 1,
					       sizeof *sampling->events);
		sampling->events[sampling->n++] = event;
	}
	return sampling->n > 0;
}

static void close_all(struct sampling *sampling)
{
	for (size_t i = 0; i < sampling->n; i++)
		close(sampling->events[i]);
	sampling->n = 0;
}

struct sampling *sampling_open(uint64_t hertz)
{
	struct sampling *sampling = memory_zeroed(sizeof *sampling);

	sampling->clock = "cycles";
	if (open_all(sampling, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, hertz))
		return sampling;
	close_all(sampling);
	sampling->clock = "cpu-clock";
	if (open_all(sampling, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, hertz))
		return sampling;
	message_die("cannot take samples: %s; %s", strerror(errno),
		    errno == EINVAL ? "kernel.perf_event_max_sample_rate may be less than -F" :
		    errno == EMFILE ? "raise the limit of open files (ulimit -n)" :
		    "run as root, or with the capability CAP_PERFMON");
}

const char *sampling_clock(const struct sampling *sampling)
{
	return sampling->clock;
}

void sampling_start(struct sampling *sampling, int program)
{
	for (size_t i = 0; i < sampling->n; i++)
		if (ioctl(sampling->events[i], PERF_EVENT_IOC_SET_BPF, program) ||
		    ioctl(sampling->events[i], PERF_EVENT_IOC_ENABLE, 0))
			message_die("cannot take samples: %s", strerror(errno));
}

void sampling_stop(struct sampling *sampling)
{
	close_all(sampling);
}

void sampling_free(struct sampling *sampling)
{
	close_all(sampling);
	free(sampling->events);
	free(sampling);
}
