// SPDX-License-Identifier: MIT
/* pkg-config: libbpf */
#include "live/bpfobject.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "live/privilege.h"

enum {
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
	uint64_t missed, missed_sums;	/* because the program ran on that CPU already */
};

struct bpfobject {
	struct bpfobject_program *programs;
	struct bpf_object_skeleton *skeleton;
	struct bpf_object *object;
	struct iterator iterators[ITERATORS_MAX];
	size_t iterators_n;
	struct counter *counters;	/* the kernel's, one for each CPU */
	size_t counters_n;
	int measuring;			/* the kernel measures programs while this is open */
	bool refused;			/* it does not */
	bool sampled;			/* it has measured enough; */
	struct runs measured;		/* that is this */
};

static char last_words[REASON];	/* of libbpf, for when it fails */

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
	if (error == EMFILE)
		return "; allow it more files: ulimit -n 256";
	return error == EPERM ? "; a lockdown or security module may refuse it" : "; --check tells which program";
}

/* Its parts */

static struct bpf_map *map_of(const struct bpf_object *object, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	if (!map)
		message_die("cannot find %s in the BPF object: the build is broken", name);
	return map;
}

void *bpfobject_variables(const struct bpfobject *object, const char *section, size_t size)
{
	size_t there;
	void *at = (void *)(uintptr_t)bpf_map__initial_value(map_of(object->object, section), &there);

	if (!at || there != size)
		message_die("cannot set %s in the BPF object: the build is broken", section);
	return at;
}

int bpfobject_map(const struct bpfobject *object, const char *name)
{
	return bpf_map__fd(map_of(object->object, name));
}

void bpfobject_room(const struct bpfobject *object, const char *map, uint32_t entries)
{
	bpf_map__set_max_entries(map_of(object->object, map), entries);
}

static bool iterates(const struct bpf_program *program)
{
	return bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

/* What has no fixed place to attach to is attached by the collector. */
static bool has_place(const struct bpf_program *program)
{
	return bpf_program__type(program) != BPF_PROG_TYPE_PERF_EVENT;
}

/* NULL, and errno, when it fails. */
static struct bpf_link *attach(const struct bpfobject_program *programs, const struct bpf_object *object,
			       const struct bpf_program *program)
{
	union bpf_iter_link_info info = { 0 };
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof info);

	for (const struct bpfobject_program *p = programs; p->name; p++) {
		if (!p->map || strcmp(p->name, bpf_program__name(program)) != 0)
			continue;
		info.map.map_fd = (uint32_t)bpf_map__fd(map_of(object, p->map));
		return bpf_program__attach_iter(program, &options);
	}
	return bpf_program__attach(program);
}

/* Choosing: each program is tried alone */

/* Programs that WEIR_WITHOUT names, with commas between, are taken for refused: for tests of those in their place. */
static bool is_refused(const char *name)
{
	const char *list = getenv("WEIR_WITHOUT");
	char **names = options_split(list ? list : ""), **one = names;
	bool refused;

	while (*one && strcmp(*one, name))
		one++;
	refused = *one != NULL;
	free(names);
	return refused;
}

/* Loads and attaches the program alone: 0, or what it failed with. */
static int try_alone(const struct bpfobject *object, const char *name)
{
	const struct bpf_object_skeleton *skeleton = object->skeleton;
	struct bpf_object *trial = bpf_object__open_mem(skeleton->data, skeleton->data_sz, NULL);
	struct bpf_program *program, *tried = NULL;
	struct bpf_link *link = NULL;
	int error = 0;

	*last_words = '\0';
	if (!trial)
		return errno;
	bpf_object__for_each_program(program, trial) {
		bool it = !strcmp(bpf_program__name(program), name);

		bpf_program__set_autoload(program, it);
		if (it)
			tried = program;
	}
	bpf_map__set_max_entries(map_of(trial, "ring"), (uint32_t)sysconf(_SC_PAGESIZE));
	if (!tried)
		error = ENOENT;
	else if (is_refused(name))
		error = EPERM;
	else if (bpf_object__load(trial))
		error = errno;
	else if (has_place(tried) && !(link = attach(object->programs, trial, tried)))
		error = errno;
	bpf_link__destroy(link);
	bpf_object__close(trial);
	return error;
}

bool bpfobject_has(const struct bpfobject *object, const char *program)
{
	for (const struct bpfobject_program *p = object->programs; p->name; p++)
		if (!strcmp(p->name, program))
			return !p->off;
	return false;
}

/* Chooses among programs and those that can take their place, which may have such themselves. */
static void choose(struct bpfobject *object)
{
	for (struct bpfobject_program *p = object->programs; p->name; p++) {
		bool refused = !p->off && (p->instead || p->optional) && try_alone(object, p->name) != 0;

		p->off |= refused;
		for (struct bpfobject_program *q = object->programs; q->name && p->instead; q++)
			if (!strcmp(q->name, p->instead) && !refused)
				q->off = true;
	}
	for (struct bpfobject_program *p = object->programs; p->name; p++)
		if (p->with && !bpfobject_has(object, p->with))
			p->off = true;
}

static void check_line(const char *what, const char *verdict)
{
	printf("%-24s %s\n", what, verdict);
}

/* Whether PROGRAM only takes the place of one that works. */
static bool is_spare(const struct bpfobject *object, const struct bpfobject_program *program)
{
	for (const struct bpfobject_program *p = object->programs; p->name; p++)
		if (p->instead && !p->off && strcmp(p->instead, program->name) == 0)
			return true;
	return false;
}

bool bpfobject_check(struct bpfobject *object)
{
	struct utsname kernel;
	bool fine = may_trace() && has_types();

	if (uname(&kernel) == 0)
		check_line("kernel", kernel.release);
	check_line("types (BTF)", has_types() ? "ok" :
		   "missing: a kernel with CONFIG_DEBUG_INFO_BTF has /sys/kernel/btf/vmlinux");
	check_line("rights", may_trace() ? "ok" : "missing: run as root, or with CAP_BPF and CAP_PERFMON");
	/* Without rights nothing can be tried. */
	if (!may_trace()) {
		fflush(stdout);
		return false;
	}
	choose(object);
	for (const struct bpfobject_program *p = object->programs; p->name; p++) {
		bool spare = is_spare(object, p);
		int error = spare ? 0 : try_alone(object, p->name);
		char verdict[2 * REASON];

		if (!error)
			snprintf(verdict, sizeof verdict, "%s%s", spare || (p->off && !p->optional) ? "not needed: " : "ok: ",
				 p->gives);
		else
			snprintf(verdict, sizeof verdict, "missing: %s%s%s (%s%s%s)", p->gives,
				 p->instead ? "; instead: " : p->optional ? "; does without" : "",
				 p->instead ? p->instead : "", strerror(error), *last_words ? ": " : "", last_words);
		fine &= !error || p->off;
		check_line(p->name, verdict);
	}
	return fine && fflush(stdout) == 0;
}

/* Life */

struct bpfobject *bpfobject_new(struct bpf_object_skeleton *skeleton, struct bpfobject_program *programs)
{
	struct bpfobject *object;

	libbpf_set_print(hear);
	if (!skeleton)
		message_die("cannot open the BPF object: %s", strerror(errno));
	object = memory_zeroed(sizeof *object);
	object->programs = programs;
	object->skeleton = skeleton;
	object->object = *skeleton->obj;
	object->measuring = -1;
	return object;
}

void bpfobject_free(struct bpfobject *object)
{
	for (size_t i = 0; i < object->iterators_n; i++)
		if (object->iterators[i].fd >= 0)
			close(object->iterators[i].fd);
	if (object->measuring >= 0)
		close(object->measuring);
	bpf_object__destroy_skeleton(object->skeleton);
	free(object);
}

static void attach_one(const struct bpfobject *object, struct bpf_prog_skeleton *p)
{
	struct bpf_program *program = *p->prog;

	if (*p->link || !bpf_program__autoload(program) || !has_place(program))
		return;
	*p->link = attach(object->programs, object->object, program);
	if (!*p->link)
		message_die("cannot attach the BPF program %s: %s%s", p->name, strerror(errno), remedy(errno));
}

/* Iterators are opened now, and run when they are read. */
static void open_iterators(struct bpfobject *object)
{
	for (int i = 0; i < object->skeleton->prog_cnt; i++) {
		struct bpf_prog_skeleton *p = &object->skeleton->progs[i];
		int fd;

		if (!iterates(*p->prog) || !bpf_program__autoload(*p->prog))
			continue;
		attach_one(object, p);
		fd = bpf_iter_create(bpf_link__fd(*p->link));
		if (fd < 0 || object->iterators_n == ITERATORS_MAX)
			message_die("cannot open the BPF iterator %s: %s%s", p->name, strerror(errno), remedy(errno));
		object->iterators[object->iterators_n++] = (struct iterator){ p->name, bpf_link__fd(*p->link), fd };
	}
}

static size_t counted_cpus(void)
{
	int cpus = libbpf_num_possible_cpus();

	return cpus > 0 && cpus < COUNTED_CPUS ? (size_t)cpus : COUNTED_CPUS;
}

void bpfobject_load(struct bpfobject *object)
{
	choose(object);
	for (const struct bpfobject_program *p = object->programs; p->name; p++)
		if (p->off)
			bpf_program__set_autoload(bpf_object__find_program_by_name(object->object, p->name), false);
	/* Statistics of the kernel's side; without them bpfobject_cost() says so. */
	object->measuring = bpf_enable_stats(BPF_STATS_RUN_TIME);
	object->refused = object->measuring < 0;
	*last_words = '\0';
	if (bpf_object__load_skeleton(object->skeleton)) {
		int error = errno;

		/* Then its words are only of how it tried all the same. */
		if (!may_trace())
			*last_words = '\0';
		message_die("cannot load the BPF programs: %s%s%s%s%s", strerror(error), *last_words ? " (" : "",
			    last_words, *last_words ? ")" : "", remedy(error));
	}
	object->counters = bpfobject_variables(object, ".data.counters", COUNTED_CPUS * sizeof *object->counters);
	object->counters_n = counted_cpus();
	open_iterators(object);
}

struct counter *bpfobject_counters(const struct bpfobject *object, size_t *n)
{
	*n = object->counters_n;
	return object->counters;
}

void bpfobject_attach(const struct bpfobject *object, const char *name)
{
	for (int i = 0; i < object->skeleton->prog_cnt; i++)
		if (!strcmp(object->skeleton->progs[i].name, name))
			attach_one(object, &object->skeleton->progs[i]);
}

void bpfobject_attach_all(const struct bpfobject *object)
{
	for (int i = 0; i < object->skeleton->prog_cnt; i++)
		if (!iterates(*object->skeleton->progs[i].prog))
			attach_one(object, &object->skeleton->progs[i]);
}

void bpfobject_detach_all(const struct bpfobject *object)
{
	for (int i = 0; i < object->skeleton->prog_cnt; i++) {
		struct bpf_link **link = object->skeleton->progs[i].link;

		if (iterates(*object->skeleton->progs[i].prog))
			continue;
		bpf_link__destroy(*link);
		*link = NULL;
	}
}

/* Iterators */

static struct iterator *iterator_of(struct bpfobject *object, const char *program)
{
	struct iterator *iterator = object->iterators;

	while (strcmp(iterator->program, program))
		iterator++;
	if (iterator->fd < 0)
		iterator->fd = bpf_iter_create(iterator->link);
	if (iterator->fd < 0)
		message_die("cannot open the BPF iterator %s again: %s", program, strerror(errno));
	return iterator;
}

void bpfobject_iterate(struct bpfobject *object, const char *program, size_t size, bpfobject_each *each, void *state)
{
	size_t held = 0, room = (64 << 10) / size * size;
	char *buffer = memory_get(room);
	struct iterator *iterator = iterator_of(object, program);

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

/* Cost */

static bool sums(const struct bpfobject *object, const char *name)
{
	for (const struct bpfobject_program *p = object->programs; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p->sums;
	return false;
}

static struct runs count_runs(const struct bpfobject *object)
{
	struct runs runs = { 0 };

	for (int i = 0; i < object->skeleton->prog_cnt; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof info;
		int fd = bpf_program__fd(*object->skeleton->progs[i].prog);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
			continue;
		runs.ns += info.run_time_ns;
		runs.n += info.run_cnt;
		if (sums(object, object->skeleton->progs[i].name))
			runs.missed_sums += info.recursion_misses;
		else
			runs.missed += info.recursion_misses;
	}
	return runs;
}

/* Also those that were not measured. */
static uint64_t all_runs(const struct bpfobject *object)
{
	uint64_t n = 0;

	for (size_t cpu = 0; cpu < object->counters_n; cpu++)
		n += __atomic_load_n(&object->counters[cpu].runs, __ATOMIC_RELAXED);
	return n;
}

/* (Measuring cannot be resumed: the right to it has been dropped.) */
void bpfobject_measure(struct bpfobject *object)
{
	if (object->measuring < 0 || all_runs(object) < MEASURED_RUNS)
		return;
	object->measured = count_runs(object);
	object->sampled = true;
	close(object->measuring);
	object->measuring = -1;
}

void bpfobject_cost(const struct bpfobject *object, char *text, size_t size)
{
	struct runs runs = object->sampled ? object->measured : count_runs(object);
	uint64_t all = all_runs(object);

	if (object->refused)
		snprintf(text, size, "not measured: the kernel refused to");
	else if (object->sampled)
		snprintf(text, size, "about %.3f s in %" PRIu64 " runs, from the first %" PRIu64,
			 (double)runs.ns / (double)runs.n * (double)all / 1e9, all, runs.n);
	else
		snprintf(text, size, "%.3f s in %" PRIu64 " runs", (double)runs.ns / 1e9, runs.n);
}

uint64_t bpfobject_missed(const struct bpfobject *object)
{
	return count_runs(object).missed;
}

uint64_t bpfobject_missed_sums(const struct bpfobject *object)
{
	return count_runs(object).missed_sums;
}
