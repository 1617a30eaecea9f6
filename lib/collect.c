// SPDX-License-Identifier: MIT
/* pkg-config: libbpf */
#include "collect.h"

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
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "inorder.h"
#include "memory.h"
#include "message.h"
#include "privilege.h"
#include "wanted.h"

enum {
	LOOK_MS = 20,			/* how often the ring is looked at */
	LATE_NS = 20 * 1000 * 1000,	/* what may lie between an event and its way into the ring */
	HELD_BYTES = 8 << 20,
	ROUND_NS = 100 * 1000 * 1000,	/* at most between two looks at signals and the command */
	ITERATORS_MAX = 8,
	MEASURED_RUNS = 1 << 18,	/* of programs: at most some more than these are measured */
	REASON = 256,
};

struct iterator {
	const char *program;
	int link, fd;		/* fd -1: it was read, and is opened anew */
};

/* What the kernel knows of the programs' runs. */
struct runs {
	uint64_t ns, n;		/* while it measured them */
	uint64_t missed;	/* because the program ran on that CPU already */
};

struct collect {
	const struct collect_options *options;
	struct collect_program *programs;
	struct bpf_object_skeleton *skeleton;
	struct bpf_object *object;
	struct wanted *wanted;
	struct writer *out;
	struct command command;
	int64_t epoch;			/* of the monotonic clock's 0 */
	uint64_t began, ended;
	int measuring;			/* the kernel measures programs while this is open */
	bool refused;			/* it does not */
	bool sampled;			/* it has measured enough; */
	struct runs measured;		/* that is this */

	struct iterator iterators[ITERATORS_MAX];
	size_t iterators_n;

	struct ring_buffer *ring;
	struct inorder *inorder;
	struct counter *counters;
	uint64_t told[COUNTED_CPUS];	/* of what each CPU lost */
	uint64_t seen, lost;
	uint64_t round;			/* when this round of taking events began */

	collect_event *event;
	void *state;
	collect_detach *detach;		/* of what the collector has attached itself; may be NULL */
	void *attached;
};

static volatile sig_atomic_t stopped;
static char last_words[REASON];	/* of libbpf, for when it fails */

/* Ctrl-C reaches a command too, whose end is waited for then. */
static void stop(int signal)
{
	stopped += signal == SIGTERM ? 2 : 1;
}

static int hear(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char line[REASON];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof line, format, arguments);
	line[strcspn(line, "\n")] = '\0';
	/* The first one says what; those that follow say that therefore all fails. */
	if (!*last_words && *line)
		snprintf(last_words, sizeof last_words, "%s", line);
	return 0;
}

static bool may_trace(void)
{
	return privilege_has(PRIVILEGE(CAP_SYS_ADMIN)) ||
	       privilege_has(PRIVILEGE(CAP_BPF) | PRIVILEGE(CAP_PERFMON));
}

static bool has_types(void)
{
	return access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

/* What is there to do about a failure to load. */
static const char *remedy(int error)
{
	if (!may_trace())
		return "; run as root, or with the capabilities CAP_BPF and CAP_PERFMON";
	if (!has_types())
		return "; this kernel has no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)";
	return error == EPERM ? "; a lockdown or security module may refuse it" : "; --check tells which program";
}

/* Settings */

static struct bpf_map *section(struct bpf_object *object, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		if (!strcmp(bpf_map__name(map), name))
			return map;
	message_die("cannot find %s in the BPF object: the build is broken", name);
}

static void *variables(struct bpf_object *object, const char *name, size_t size)
{
	size_t there;
	void *at = (void *)(uintptr_t)bpf_map__initial_value(section(object, name), &there);

	if (!at || there != size)
		message_die("cannot set %s in the BPF object: the build is broken", name);
	return at;
}

/* A ring's size is a power of two, of whole pages. */
static uint32_t ring_size(uint64_t asked)
{
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);

	while (size < asked)
		size *= 2;
	return (uint32_t)size;
}

static bool iterates(const struct bpf_program *program)
{
	return bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

/* NULL, and errno, when it fails. */
static struct bpf_link *attach_program(const struct collect_program *programs, const struct bpf_object *object,
				       const struct bpf_program *program)
{
	union bpf_iter_link_info info = { 0 };
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof info);

	for (const struct collect_program *p = programs; p->name; p++) {
		if (!p->map || strcmp(p->name, bpf_program__name(program)) != 0)
			continue;
		info.map.map_fd = (uint32_t)bpf_object__find_map_fd_by_name(object, p->map);
		return bpf_program__attach_iter(program, &options);
	}
	return bpf_program__attach(program);
}

/* Trying programs one by one */

/* Loads and attaches the program alone: 0, or what it failed with. */
static int try_alone(const struct collect *collect, const char *name)
{
	const struct bpf_object_skeleton *skeleton = collect->skeleton;
	struct bpf_object *object = bpf_object__open_mem(skeleton->data, skeleton->data_sz, NULL);
	struct bpf_program *program, *tried = NULL;
	struct bpf_link *link = NULL;
	int error = 0;

	*last_words = '\0';
	if (!object)
		return errno;
	bpf_object__for_each_program(program, object) {
		bool it = !strcmp(bpf_program__name(program), name);

		bpf_program__set_autoload(program, it);
		if (it)
			tried = program;
	}
	bpf_map__set_max_entries(section(object, "ring"), ring_size(0));
	if (!tried)
		error = ENOENT;
	else if (bpf_object__load(object))
		error = errno;
	/* What has no fixed place to attach to is attached by the collector: perf events. */
	else if (bpf_program__type(tried) != BPF_PROG_TYPE_PERF_EVENT &&
		 !(link = attach_program(collect->programs, object, tried)))
		error = errno;
	bpf_link__destroy(link);
	bpf_object__close(object);
	return error;
}

bool collect_has(const struct collect *collect, const char *program)
{
	for (const struct collect_program *p = collect->programs; p->name; p++)
		if (!strcmp(p->name, program))
			return !p->off;
	return false;
}

/* Chooses among programs and those that can take their place. */
static void choose(struct collect *collect)
{
	for (struct collect_program *p = collect->programs; p->name; p++) {
		if (p->off || (!p->instead && !p->optional))
			continue;
		p->off = try_alone(collect, p->name) != 0;
		for (struct collect_program *q = collect->programs; q->name && p->instead; q++)
			if (!strcmp(q->name, p->instead) && !p->off)
				q->off = true;
	}
	for (struct collect_program *p = collect->programs; p->name; p++)
		if (p->with && !collect_has(collect, p->with))
			p->off = true;
}

static void check_line(const char *what, const char *verdict)
{
	printf("%-24s %s\n", what, verdict);
}

static int check(struct collect *collect)
{
	struct utsname kernel;
	bool fine = may_trace() && has_types();

	if (uname(&kernel) == 0)
		check_line("kernel", kernel.release);
	check_line("types (BTF)", has_types() ? "ok" :
		   "missing: a kernel with CONFIG_DEBUG_INFO_BTF has /sys/kernel/btf/vmlinux");
	check_line("rights", may_trace() ? "ok" : "missing: run as root, or with CAP_BPF and CAP_PERFMON");
	choose(collect);
	for (const struct collect_program *p = collect->programs; p->name; p++) {
		int error = try_alone(collect, p->name);
		char verdict[2 * REASON];

		if (!error)
			snprintf(verdict, sizeof verdict, "%s%s", p->off ? "not needed: " : "ok: ", p->gives);
		else
			snprintf(verdict, sizeof verdict, "missing: %s%s%s (%s%s%s)", p->gives,
				 p->instead ? "; instead: " : p->optional ? "; does without" : "",
				 p->instead ? p->instead : "", strerror(error), *last_words ? ": " : "", last_words);
		fine &= !error || p->off;
		check_line(p->name, verdict);
	}
	return fine && fflush(stdout) == 0 ? EXIT_COMPLETE : EXIT_FAILED;
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

static void hold(struct collect *collect, const struct event *event, size_t size)
{
	if (inorder_add(collect->inorder, event->ts, event, size))
		return;
	inorder_pass(collect->inorder, 0, pass, collect);
	inorder_add(collect->inorder, event->ts, event, size);
}

void collect_add(struct collect *collect, const struct event *event, size_t size)
{
	hold(collect, event, size);
}

/* One event of the ring; less than 0 ends the round. */
static int take(void *state, void *at, size_t size)
{
	struct collect *collect = state;

	if (size < sizeof(struct event))
		return 0;
	collect->seen++;
	hold(collect, at, size);
	return collect->seen % 256 || clock_monotonic() - collect->round < ROUND_NS ? 0 : -EAGAIN;
}

static void hold_missing(struct collect *collect, uint64_t n, const char *source, uint64_t first, uint64_t last)
{
	struct missing missing = { .event = { .ts = last, .kind = KIND_MISSING }, .n = n, .first = first };

	snprintf(missing.source, sizeof missing.source, "%s", source);
	collect->lost += n;
	hold(collect, &missing.event, sizeof missing);
}

void collect_lost(struct collect *collect, uint64_t n, const char *source)
{
	hold_missing(collect, n, source, 0, clock_monotonic());
}

static void take_losses(struct collect *collect)
{
	for (size_t cpu = 0; cpu < COUNTED_CPUS; cpu++) {
		struct counter *counter = &collect->counters[cpu];
		uint64_t lost = __atomic_load_n(&counter->lost, __ATOMIC_ACQUIRE);

		if (lost == collect->told[cpu])
			continue;
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

static void detach(struct collect *collect)
{
	if (collect->detach)
		collect->detach(collect->attached);
	for (int i = 0; i < collect->skeleton->prog_cnt; i++) {
		struct bpf_link **link = collect->skeleton->progs[i].link;

		if (iterates(*collect->skeleton->progs[i].prog))
			continue;
		bpf_link__destroy(*link);
		*link = NULL;
	}
}

/* Life */

struct collect *collect_new(const struct collect_options *options, struct bpf_object_skeleton *skeleton,
			    struct collect_program *programs)
{
	struct collect *collect;
	struct settings *settings;

	libbpf_set_print(hear);
	if (!skeleton)
		message_die("cannot open the BPF object: %s", strerror(errno));
	collect = memory_zeroed(sizeof *collect);
	collect->options = options;
	collect->programs = programs;
	collect->skeleton = skeleton;
	collect->object = *skeleton->obj;
	collect->measuring = -1;
	settings = variables(collect->object, ".rodata.settings", sizeof *settings);
	collect->wanted = wanted_new(options, settings);
	if (options->check)
		exit(check(collect));
	settings->self = (uint32_t)getpid();
	settings->threshold_ns = options->threshold_ns;
	settings->wake_bytes = ring_size(options->ring_bytes) / 4;
	bpf_map__set_max_entries(section(collect->object, "ring"), ring_size(options->ring_bytes));
	return collect;
}

static struct bpf_program *program_of(const struct collect *collect, const char *name)
{
	return bpf_object__find_program_by_name(collect->object, name);
}

static void load(struct collect *collect)
{
	for (const struct collect_program *p = collect->programs; p->name; p++)
		if (p->off)
			bpf_program__set_autoload(program_of(collect, p->name), false);
	/* Statistics of the kernel's side, for the last line; without them the line says so. */
	collect->measuring = bpf_enable_stats(BPF_STATS_RUN_TIME);
	collect->refused = collect->measuring < 0;
	*last_words = '\0';
	if (bpf_object__load_skeleton(collect->skeleton)) {
		int error = errno;

		message_die("cannot load the BPF programs: %s%s%s%s%s", strerror(error), *last_words ? " (" : "",
			    last_words, *last_words ? ")" : "", remedy(error));
	}
}

static void attach_one(const struct collect *collect, struct bpf_prog_skeleton *p)
{
	struct bpf_program *program = *p->prog;

	if (*p->link || !bpf_program__autoload(program) || bpf_program__type(program) == BPF_PROG_TYPE_PERF_EVENT)
		return;		/* perf events are the collector's to attach */
	*p->link = attach_program(collect->programs, collect->object, program);
	if (!*p->link)
		message_die("cannot attach the BPF program %s: %s%s", p->name, strerror(errno), remedy(errno));
}

/* Iterators are opened now, and run when they are read. */
static void open_iterators(struct collect *collect)
{
	for (int i = 0; i < collect->skeleton->prog_cnt; i++) {
		struct bpf_prog_skeleton *p = &collect->skeleton->progs[i];
		int fd;

		if (!iterates(*p->prog) || !bpf_program__autoload(*p->prog))
			continue;
		attach_one(collect, p);
		fd = bpf_iter_create(bpf_link__fd(*p->link));
		if (fd < 0 || collect->iterators_n == ITERATORS_MAX)
			message_die("cannot open the BPF iterator %s: %s", p->name, strerror(errno));
		collect->iterators[collect->iterators_n++] = (struct iterator){ p->name, bpf_link__fd(*p->link), fd };
	}
}

static void attach(struct collect *collect)
{
	for (int i = 0; i < collect->skeleton->prog_cnt; i++)
		if (!iterates(*collect->skeleton->progs[i].prog))
			attach_one(collect, &collect->skeleton->progs[i]);
}

/* Threads that start while the others are marked must have their role too, so this is first. */
static void give_roles(struct collect *collect)
{
	for (int i = 0; i < collect->skeleton->prog_cnt; i++)
		if (!strcmp(collect->skeleton->progs[i].name, "inherit_role"))
			attach_one(collect, &collect->skeleton->progs[i]);
	collect_iterate(collect, "mark_tasks", 1, NULL, NULL);
}

static void drop_rights(const struct collect *collect)
{
	uint64_t bpf = PRIVILEGE(CAP_BPF);
	uint32_t key = 0;
	uint8_t value;

	/* Whether maps can be used without any right depends on the kernel: with 5.19 they can. */
	privilege_lower(~UINT64_C(0));
	if (bpf_map_lookup_elem(bpf_object__find_map_fd_by_name(collect->object, "marks"), &key, &value) == 0 ||
	    errno != EPERM)
		bpf = 0;
	privilege_keep(collect->options->rights | bpf);
}

void collect_start(struct collect *collect)
{
	const struct collect_options *options = collect->options;
	struct sigaction action = { .sa_handler = stop };

	collect->out = options->output ? writer_file(options->output) : writer_stdout();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (*options->command)
		command_prepare(&collect->command, options->command, !options->output);
	choose(collect);
	load(collect);
	collect->counters = variables(collect->object, ".data.counters", COUNTED_CPUS * sizeof *collect->counters);
	collect->ring = ring_buffer__new(bpf_map__fd(section(collect->object, "ring")), take, collect, NULL);
	if (!collect->ring)
		message_die("cannot open the ring of events: %s", strerror(errno));
	collect->inorder = inorder_new(HELD_BYTES);
	open_iterators(collect);
	wanted_fill(collect->wanted, collect->object, (uint32_t)collect->command.pid, collect->out->fd);
	give_roles(collect);
	collect->epoch = clock_monotonic_epoch();
	collect->began = clock_monotonic();
	attach(collect);
	drop_rights(collect);
}

static struct iterator *iterator_of(struct collect *collect, const char *program)
{
	struct iterator *iterator = collect->iterators;

	while (strcmp(iterator->program, program))
		iterator++;
	if (iterator->fd < 0)
		iterator->fd = bpf_iter_create(iterator->link);
	if (iterator->fd < 0)
		message_die("cannot open the BPF iterator %s again: %s", program, strerror(errno));
	return iterator;
}

void collect_iterate(struct collect *collect, const char *program, size_t size, collect_each *each, void *state)
{
	size_t held = 0, room = (64 << 10) / size * size;
	char *buffer = memory_get(room);
	struct iterator *iterator = iterator_of(collect, program);

	for (;;) {
		ssize_t n = read(iterator->fd, buffer + held, room - held);
		size_t at = 0;

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			message_die("cannot read from the BPF iterator %s: %s", program, strerror(errno));
		if (n == 0)
			break;
		held += (size_t)n;
		for (; each && held - at >= size; at += size)
			each(state, buffer + at);
		held -= at;
		memmove(buffer, buffer + at, held);
	}
	close(iterator->fd);
	iterator->fd = -1;
	free(buffer);
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

static struct runs count_runs(const struct collect *collect)
{
	struct runs runs = { 0 };

	for (int i = 0; i < collect->skeleton->prog_cnt; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof info;
		int fd = bpf_program__fd(*collect->skeleton->progs[i].prog);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		runs.ns += info.run_time_ns;
		runs.n += info.run_cnt;
		runs.missed += info.recursion_misses;
	}
	return runs;
}

static uint64_t all_runs(const struct collect *collect)
{
	uint64_t n = 0;

	for (size_t cpu = 0; cpu < COUNTED_CPUS; cpu++)
		n += __atomic_load_n(&collect->counters[cpu].runs, __ATOMIC_RELAXED);
	return n;
}

/*
 * To measure a run costs two more looks at the clock, so only the first ones are. (Measuring cannot be resumed:
 * the right to it has been dropped.)
 */
static void measure_enough(struct collect *collect)
{
	if (collect->measuring < 0 || all_runs(collect) < MEASURED_RUNS)
		return;
	collect->measured = count_runs(collect);
	collect->sampled = true;
	close(collect->measuring);
	collect->measuring = -1;
}

void collect_run(struct collect *collect, collect_event *event, collect_every *every, void *state)
{
	int waiting = waiting_for(bpf_map__fd(section(collect->object, "ring")));
	bool more = false;

	collect->event = event;
	collect->state = state;
	if (collect->command.pid)
		command_release(&collect->command, collect->options->command);
	while (goes_on(collect)) {
		if (!more)
			wait_for_events(waiting);
		more = drain(collect);
		if (every)
			every(state, collect_ts(collect, clock_monotonic()));
		measure_enough(collect);
		writer_flush(collect->out);
	}
	close(waiting);
	if (unread(collect))
		exit(EXIT_COMPLETE);	/* quietly, as every program does; the kernel takes all down */
	detach(collect);
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
static void say_cost(const struct collect *collect, const struct runs *runs)
{
	const struct runs *measured = collect->sampled ? &collect->measured : runs;
	double seconds = (double)(collect->ended - collect->began) / 1e9, ns = (double)measured->ns;
	uint64_t all = all_runs(collect);
	char kernel[160] = "not measured: the kernel refused to";

	if (collect->sampled && measured->n)
		snprintf(kernel, sizeof kernel, "about %.3f s in %" PRIu64 " runs, from the first %" PRIu64,
			 ns / (double)measured->n * (double)all / 1e9, all, measured->n);
	else if (!collect->refused)
		snprintf(kernel, sizeof kernel, "%.3f s in %" PRIu64 " runs", ns / 1e9, measured->n);
	message("%" PRIu64 " events in %.3f s, %" PRIu64 " lost; BPF programs: %s; collector: %.3f s of CPU",
		collect->seen, seconds, collect->lost, kernel, own_seconds());
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
	for (size_t i = 0; i < collect->iterators_n; i++)
		if (collect->iterators[i].fd >= 0)
			close(collect->iterators[i].fd);
	if (collect->measuring >= 0)
		close(collect->measuring);
	bpf_object__destroy_skeleton(collect->skeleton);
	wanted_free(collect->wanted);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		free(lists[i]->items);
	free(collect);
}

int collect_end(struct collect *collect)
{
	struct runs runs = count_runs(collect);
	int status = collect->command.ended ? command_exit_status(&collect->command) : EXIT_COMPLETE;

	if (runs.missed)
		collect_lost(collect, runs.missed, "recursion");
	inorder_pass(collect->inorder, UINT64_MAX, pass, collect);
	writer_close(collect->out);
	if (inorder_late(collect->inorder))
		message("%" PRIu64 " events came more than %d ms late: records are out of order there",
			inorder_late(collect->inorder), LATE_NS / 1000000);
	if (collect->lost)
		message("%" PRIu64 " events were lost: what was recorded is incomplete; a larger --ring holds more",
			collect->lost);
	say_cost(collect, &runs);
	free_all(collect);
	return status;
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

uint32_t collect_command(const struct collect *collect)
{
	return (uint32_t)collect->command.pid;
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
