// SPDX-License-Identifier: MIT
/* pkg-config: libbpf */
#include "live/collect.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/message.h"
#include "live/bpfobject.h"
#include "live/command.h"
#include "live/privilege.h"
#include "live/wanted.h"
#include "records/inorder.h"

enum {
	LOOK_MS = 20,			/* how often the ring is looked at */
	LATE_NS = 20 * 1000 * 1000,	/* what may lie between an event and its way into the ring */
	HELD_BYTES = 8 << 20,
	ROUND_NS = 100 * 1000 * 1000,	/* at most between two looks at signals and the command */
};

struct collect {
	const struct collect_options *options;
	struct bpfobject *object;
	struct wanted *wanted;
	struct writer *out;
	struct command command;
	int64_t epoch;			/* of the monotonic clock's 0 */
	uint64_t began, ended;
	uint64_t released;		/* when the command was let go */

	struct ring_buffer *ring;
	struct inorder *inorder;
	uint64_t told[COUNTED_CPUS];	/* of what each CPU lost */
	uint64_t seen, lost, overrun;	/* overrun: of those lost, the ones that a full ring lost */
	uint64_t round;			/* when this round of taking events began */

	collect_event *event;
	void *state;
	collect_detach *detach;		/* of what the collector has attached itself; may be NULL */
	void *attached;
};

static volatile sig_atomic_t stopped;

/* Ctrl-C reaches a command too, whose end is waited for then. */
static void stop(int signal)
{
	stopped += signal == SIGTERM ? 2 : 1;
}

/* A ring's size is a power of two, of whole pages. */
static uint32_t ring_size(uint64_t asked)
{
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);

	while (size < asked)
		size *= 2;
	return (uint32_t)size;
}

/* Events */

/* Stands in the order of events for those that are missing. */
struct missing {
	struct event event;
	uint64_t n, first;
	char source[COMM];
};
enum { KIND_MISSING = 0xff };

static void write_missing(struct collect *collect, const struct missing *missing)
{
	bool timed = missing->first != 0;

	writer_lost(collect->out, collect_ts(collect, missing->event.ts), missing->n, slice_of(missing->source),
		    timed ? collect_ts(collect, missing->first) : 0,
		    timed ? collect_ts(collect, missing->event.ts) : 0);
	writer_end(collect->out);
}

bool collect_wants(struct collect *collect, const struct event *event)
{
	return !event->asked || wanted_decides(collect->wanted, event);
}

static void pass(void *state, uint64_t ts, const void *at, size_t size)
{
	struct collect *collect = state;
	const struct event *event = at;
	struct label comm;
	struct span span;

	(void)ts;
	if (event->kind == KIND_MISSING) {
		write_missing(collect, at);
	} else if (collect_wants(collect, event)) {
		collect_span(collect, event, &comm, &span);
		collect->event(collect->state, event, size, &span);
	}
}

void collect_add(struct collect *collect, const struct event *event, size_t size)
{
	if (inorder_add(collect->inorder, event->ts, event, size))
		return;
	inorder_pass(collect->inorder, 0, pass, collect);
	inorder_add(collect->inorder, event->ts, event, size);
}

/* One event of the ring; less than 0 ends the round. */
static int take(void *state, void *at, size_t size)
{
	struct collect *collect = state;

	if (size < sizeof(struct event))
		return 0;
	collect->seen++;
	collect_add(collect, at, size);
	return collect->seen % 256 || clock_monotonic() - collect->round < ROUND_NS ? 0 : -EAGAIN;
}

static void hold_missing(struct collect *collect, uint64_t n, const char *source, uint64_t first, uint64_t last)
{
	struct missing missing = { .event = { .ts = last, .kind = KIND_MISSING }, .n = n, .first = first };

	snprintf(missing.source, sizeof missing.source, "%s", source);
	collect->lost += n;
	collect_add(collect, &missing.event, sizeof missing);
}

void collect_lost(struct collect *collect, uint64_t n, const char *source)
{
	hold_missing(collect, n, source, 0, clock_monotonic());
}

void collect_summed(struct collect *collect, uint64_t n)
{
	collect->seen += n;
}

static void take_losses(struct collect *collect)
{
	size_t cpus;
	struct counter *counters = bpfobject_counters(collect->object, &cpus);

	for (size_t cpu = 0; cpu < cpus; cpu++) {
		struct counter *counter = &counters[cpu];
		uint64_t lost = __atomic_load_n(&counter->lost, __ATOMIC_ACQUIRE);

		if (lost == collect->told[cpu])
			continue;
		collect->overrun += lost - collect->told[cpu];
		hold_missing(collect, lost - collect->told[cpu], "ring", counter->first_lost, counter->last_lost);
		counter->first_lost = 0;
		collect->told[cpu] = lost;
	}
}

/* Takes what the ring holds; what may still be overtaken is held back. True when there is more. */
static bool drain(struct collect *collect)
{
	uint64_t before = clock_monotonic();
	int n;

	collect->round = before;
	n = ring_buffer__consume(collect->ring);
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		message_die("cannot read the ring of events: %s", strerror(-n));
	take_losses(collect);
	inorder_pass(collect->inorder, before - LATE_NS, pass, collect);
	return n == -EAGAIN;
}

/* Nobody reads the output any more: seen here, because it may be long until something is written. */
static bool unread(const struct collect *collect)
{
	struct pollfd output = { .fd = collect->out->fd };

	return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

static bool goes_on(struct collect *collect)
{
	uint64_t duration = collect->options->duration_ns;

	if (duration && clock_monotonic() - collect->began >= duration)
		return false;
	if (unread(collect))
		return false;
	return collect->command.pid ? !command_ended(&collect->command) && stopped < 2 : !stopped;
}

void collect_attached(struct collect *collect, collect_detach *detach, void *state)
{
	collect->detach = detach;
	collect->attached = state;
}

/* Life */

struct collect *collect_new(const struct collect_options *options, struct bpf_object_skeleton *skeleton,
			    struct bpfobject_program *programs)
{
	struct collect *collect;
	struct settings *settings;

	collect = memory_zeroed(sizeof *collect);
	collect->options = options;
	collect->object = bpfobject_new(skeleton, programs);
	settings = bpfobject_variables(collect->object, ".rodata.settings", sizeof *settings);
	collect->wanted = wanted_new(options, settings);
	if (options->check)
		exit(bpfobject_check(collect->object) ? EXIT_COMPLETE : EXIT_FAILED);
	settings->threshold_ns = options->threshold_ns;
	settings->wake_bytes = ring_size(options->ring_bytes) / 4;
	bpfobject_room(collect->object, "ring", ring_size(options->ring_bytes));
	return collect;
}

/* Threads that start while the others are marked must have their role too, so this is first. */
static void give_roles(const struct collect *collect)
{
	bpfobject_attach(collect->object, "inherit_role");
	bpfobject_iterate(collect->object, "mark_tasks", 1, NULL, NULL);
}

static void drop_rights(const struct collect *collect)
{
	uint64_t bpf = PRIVILEGE(CAP_BPF);
	uint32_t key = 0;
	uint8_t value;

	/* Whether maps can be used without any right depends on the kernel: with 5.19 they can. */
	privilege_lower(~UINT64_C(0));
	if (bpf_map_lookup_elem(bpfobject_map(collect->object, "marks"), &key, &value) == 0 || errno != EPERM)
		bpf = 0;
	privilege_keep(collect->options->rights | bpf);
}

void collect_start(struct collect *collect)
{
	const struct collect_options *options = collect->options;
	bool to_stdout = !options->output || !strcmp(options->output, "-");
	struct sigaction action = { .sa_handler = stop };

	collect->out = to_stdout ? writer_stdout() : writer_file(options->output);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (*options->command)
		command_prepare(&collect->command, options->command, to_stdout);
	bpfobject_load(collect->object);
	collect->ring = ring_buffer__new(bpfobject_map(collect->object, "ring"), take, collect, NULL);
	if (!collect->ring)
		message_die("cannot open the ring of events: %s", strerror(errno));
	collect->inorder = inorder_new(HELD_BYTES);
	wanted_fill(collect->wanted, collect->object, (uint32_t)collect->command.pid, collect->out->fd);
	give_roles(collect);
	if (!collect_host_pids(collect))
		message("it runs in a PID namespace: records have the numbers that processes have on the host");
	collect->epoch = clock_monotonic_epoch();
	collect->began = clock_monotonic();
	bpfobject_attach_all(collect->object);
	drop_rights(collect);
}

/* Sleeps until the ring is a quarter full, or it is time to look at it. */
static void wait_for_events(int waiting)
{
	struct epoll_event event;

	epoll_wait(waiting, &event, 1, LOOK_MS);
}

/* Edge-triggered: woken by the kernel's side, not by each event that is there. */
static int waiting_for(int ring)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int waiting = epoll_create1(EPOLL_CLOEXEC);

	if (waiting < 0 || epoll_ctl(waiting, EPOLL_CTL_ADD, ring, &event))
		message_die("cannot wait for events: %s", strerror(errno));
	return waiting;
}

void collect_run(struct collect *collect, collect_event *event, collect_every *every, void *state)
{
	int waiting = waiting_for(bpfobject_map(collect->object, "ring"));
	bool more = false;

	collect->event = event;
	collect->state = state;
	if (collect->command.pid) {
		collect->released = clock_monotonic();
		command_release(&collect->command, collect->options->command);
	}
	while (goes_on(collect)) {
		if (!more)
			wait_for_events(waiting);
		more = drain(collect);
		if (every)
			every(state, collect_ts(collect, clock_monotonic()));
		bpfobject_measure(collect->object);
		writer_flush(collect->out);
	}
	close(waiting);
	if (unread(collect))
		exit(EXIT_COMPLETE);	/* quietly, as every program does; the kernel takes all down */
	if (collect->detach)
		collect->detach(collect->attached);
	bpfobject_detach_all(collect->object);
	collect->ended = clock_monotonic();
	while (drain(collect))
		continue;
	inorder_pass(collect->inorder, UINT64_MAX, pass, collect);
	if (every)
		every(state, collect_ts(collect, collect->ended));
}

static double own_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* The last line: how much, and what it cost. */
static void say_cost(const struct collect *collect)
{
	double seconds = (double)(collect->ended - collect->began) / 1e9;
	char programs[160];

	bpfobject_cost(collect->object, programs, sizeof programs);
	message("%" PRIu64 " events in %.3f s, %" PRIu64 " lost; BPF programs: %s; collector: %.3f s of CPU",
		collect->seen, seconds, collect->lost, programs, own_seconds());
}

static void free_all(struct collect *collect)
{
	const struct collect_options *options = collect->options;
	const struct option_list *const lists[] = {
		&options->processes, &options->prefixes, &options->regexes, &options->pids, &options->cgroups,
		&options->containers,
	};

	command_end(&collect->command);
	ring_buffer__free(collect->ring);
	inorder_free(collect->inorder);
	bpfobject_free(collect->object);
	wanted_free(collect->wanted);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		free(lists[i]->items);
	free(collect);
}

int collect_end(struct collect *collect)
{
	uint64_t missed = bpfobject_missed(collect->object);
	int status = collect->command.ended ? command_exit_status(&collect->command) : EXIT_COMPLETE;

	if (missed)
		collect_lost(collect, missed, "recursion");
	inorder_pass(collect->inorder, UINT64_MAX, pass, collect);
	writer_close(collect->out);
	if (inorder_late(collect->inorder))
		message("%" PRIu64 " events came more than %d ms late: records are out of order there",
			inorder_late(collect->inorder), LATE_NS / 1000000);
	if (collect->lost)
		message("%" PRIu64 " event%s lost: what was recorded is incomplete%s", collect->lost,
			collect->lost == 1 ? " was" : "s were", collect->overrun ? "; a larger --ring holds more" : "");
	say_cost(collect);
	free_all(collect);
	return status;
}

struct bpfobject *collect_object(struct collect *collect)
{
	return collect->object;
}

struct writer *collect_out(struct collect *collect)
{
	return collect->out;
}

int64_t collect_ts(const struct collect *collect, uint64_t monotonic)
{
	return collect->epoch + (int64_t)monotonic;
}

uint64_t collect_began(const struct collect *collect)
{
	return collect->began;
}

uint64_t collect_ended(const struct collect *collect)
{
	return collect->ended;
}

bool collect_host_pids(const struct collect *collect)
{
	return wanted_host_pids(collect->wanted);
}

uint64_t collect_released(const struct collect *collect)
{
	return collect->released;
}

void collect_span(struct collect *collect, const struct event *event, struct label *comm, struct span *span)
{
	collect_name(comm, event->comm);
	*span = (struct span){
		.ts = collect_ts(collect, event->ts),
		.cpu = event->cpu,
		.pid = event->pid,
		.tid = event->tid,
		.comm = label_text(comm),
		.dur_ns = -1,
	};
	if (collect->options->all)
		span->role = event->role == ROLE_JOB ? SLICE("job") : SLICE("background");
}

void collect_name(struct label *label, const char name[COMM])
{
	label->len = (unsigned char)writer_escape(label->at, (struct slice){ name, strnlen(name, COMM - 1) });
}
