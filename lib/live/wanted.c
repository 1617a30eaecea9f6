// SPDX-License-Identifier: MIT
/* pkg-config: libbpf */
#include "live/wanted.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "live/audience.h"
#include "live/cgroup.h"

enum { MARKS_MAX = 1024, PIDS_MAX = 512 };

#define HOST_PIDS 0xEFFFFFFC	/* inode of the first PID namespace: PROC_PID_INIT_INO of the kernel */

struct wanted {
	const struct collect_options *options;
	regex_t *regexes;
	uint32_t pids[PIDS_MAX];
	int names;		/* descriptor of the map */
	size_t decided;		/* names in it */
	const struct settings *settings;
	bool host_pids;
};

static void take_names(struct wanted *wanted, struct settings *settings)
{
	const struct collect_options *options = wanted->options;

	for (size_t i = 0; i < options->processes.count; i++) {
		const char *name = options->processes.items[i];

		if (!*name || strlen(name) >= COMM)
			message_usage("cannot filter by the name '%s': the kernel keeps 1 to %d bytes of a name; "
				      "try --prefix", name, COMM - 1);
	}
	wanted->regexes = memory_get((options->regexes.count + 1) * sizeof *wanted->regexes);
	for (size_t i = 0; i < options->regexes.count; i++) {
		int error = regcomp(&wanted->regexes[i], options->regexes.items[i], REG_EXTENDED | REG_NOSUB);
		char reason[128];

		if (!error)
			continue;
		regerror(error, &wanted->regexes[i], reason, sizeof reason);
		message_usage("cannot filter by the expression '%s': %s", options->regexes.items[i], reason);
	}
	if (options->processes.count > NAMES_MAX / 2)
		message_usage("cannot filter by %zu names: %d are possible", options->processes.count,
			      NAMES_MAX / 2);
	if (options->prefixes.count || options->regexes.count)
		settings->names_by = NAMES_ASKED;
	else if (options->processes.count)
		settings->names_by = NAMES_LISTED;
}

static void take_pids(struct wanted *wanted)
{
	const struct collect_options *options = wanted->options;

	if (options->pids.count > PIDS_MAX)
		message_usage("cannot filter by %zu processes: %d are possible", options->pids.count, PIDS_MAX);
	for (size_t i = 0; i < options->pids.count; i++) {
		uint64_t pid;

		if (!number_u64(slice_of(options->pids.items[i]), &pid) || !pid || pid > INT32_MAX)
			message_usage("cannot filter by the process '%s': it is no process id",
				      options->pids.items[i]);
		if (kill((pid_t)pid, 0) && errno == ESRCH)
			message_die("cannot record the process %s: there is none", options->pids.items[i]);
		wanted->pids[i] = (uint32_t)pid;
	}
	if (options->children && !options->pids.count)
		message_usage("--children goes with -P; a command's descendants are recorded anyway");
	if (options->all && !options->pids.count && !*options->command)
		message_usage("--all goes with -P or a command: without them all is recorded anyway");
	if (options->pids.count && *options->command)
		message_usage("cannot run a command and record the processes of -P at once");
}

static void add_cgroup(struct settings *settings, uint64_t id)
{
	if (settings->cgroups_n == CGROUPS_MAX)
		message_usage("cannot filter by more than %d cgroups", CGROUPS_MAX);
	settings->cgroups[settings->cgroups_n++] = id;
}

static void take_cgroups(const struct collect_options *options, struct settings *settings)
{
	for (size_t i = 0; i < options->cgroups.count; i++) {
		uint64_t id = cgroup_id(options->cgroups.items[i]);

		if (!id)
			message_die("cannot find the cgroup '%s': %s", options->cgroups.items[i],
				    errno == ENOTSUP ? "it is no directory of a cgroup file system" :
						       strerror(errno));
		add_cgroup(settings, id);
	}
	for (size_t i = 0; i < options->containers.count; i++) {
		uint64_t ids[CGROUPS_MAX];
		size_t n = cgroup_of_container(options->containers.items[i], ids, CGROUPS_MAX);

		if (!n)
			message_die("cannot find the container '%s': no cgroup bears its id, and neither docker nor "
				    "podman knows it as running", options->containers.items[i]);
		for (size_t k = 0; k < n; k++)
			add_cgroup(settings, ids[k]);
	}
}

struct wanted *wanted_new(const struct collect_options *options, struct settings *settings)
{
	struct wanted *wanted = memory_zeroed(sizeof *wanted);
	struct stat space;

	wanted->options = options;
	wanted->settings = settings;
	wanted->host_pids = stat("/proc/self/ns/pid", &space) || space.st_ino == HOST_PIDS;
	take_names(wanted, settings);
	take_pids(wanted);
	take_cgroups(options, settings);
	settings->children = options->children || *options->command;
	settings->job_only = (options->pids.count || *options->command) && !options->all;
	/* Readers of the output are found when it is open; then it may be that nobody has a role. */
	settings->roles = true;
	return wanted;
}

void wanted_free(struct wanted *wanted)
{
	if (!wanted)
		return;
	for (size_t i = 0; i < wanted->options->regexes.count; i++)
		regfree(&wanted->regexes[i]);
	free(wanted->regexes);
	free(wanted);
}

static bool matches(const struct wanted *wanted, const char *name)
{
	const struct collect_options *options = wanted->options;

	for (size_t i = 0; i < options->processes.count; i++)
		if (!strcmp(options->processes.items[i], name))
			return true;
	for (size_t i = 0; i < options->prefixes.count; i++)
		if (!strncmp(options->prefixes.items[i], name, strlen(options->prefixes.items[i])))
			return true;
	for (size_t i = 0; i < options->regexes.count; i++)
		if (!regexec(&wanted->regexes[i], name, 0, NULL, 0))
			return true;
	return false;
}

static bool decide(struct wanted *wanted, const char *name)
{
	char key[COMM] = { 0 };
	uint8_t verdict = matches(wanted, name);

	memcpy(key, name, strnlen(name, COMM - 1));
	/* A full map: such names go on being asked for, which is right and dearer. */
	if (bpf_map_update_elem(wanted->names, key, &verdict, BPF_NOEXIST) == 0)
		wanted->decided++;
	return verdict;
}

bool wanted_host_pids(const struct wanted *wanted)
{
	return wanted->host_pids;
}

/* The names of all threads that are there. */
static void decide_present(struct wanted *wanted)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry, *thread;

	while (processes && (entry = readdir(processes))) {
		char path[96], name[COMM + 1];
		DIR *threads;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof path, "/proc/%.20s/task", entry->d_name);
		threads = opendir(path);
		while (threads && (thread = readdir(threads))) {
			ssize_t n = -1;
			int fd;

			snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/comm", entry->d_name, thread->d_name);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd >= 0) {
				n = read(fd, name, sizeof name - 1);
				close(fd);
			}
			if (n <= 0)
				continue;
			name[n - 1] = '\0';	/* its line feed */
			decide(wanted, name);
		}
		if (threads)
			closedir(threads);
	}
	if (processes)
		closedir(processes);
}

static void mark(int map, uint32_t pid, uint8_t role)
{
	bpf_map_update_elem(map, &pid, &role, BPF_ANY);
}

void wanted_fill(struct wanted *wanted, struct bpfobject *object, uint32_t command, int output)
{
	int marks = bpfobject_map(object, "marks");
	struct audience audience[64];
	size_t n = audience_of(output, audience, sizeof audience / sizeof *audience);

	wanted->names = bpfobject_map(object, "names");
	for (size_t i = 0; i < wanted->options->processes.count; i++)
		decide(wanted, wanted->options->processes.items[i]);
	if (wanted->settings->names_by == NAMES_ASKED)
		decide_present(wanted);
	mark(marks, (uint32_t)getpid(), ROLE_SELF);
	for (size_t i = 0; i < n; i++)
		mark(marks, audience[i].pid, audience[i].terminal ? ROLE_TERMINAL : ROLE_READER);
	for (size_t i = 0; i < wanted->options->pids.count; i++)
		mark(marks, wanted->pids[i], ROLE_JOB);
	if (command)
		mark(marks, command, ROLE_JOB);
}

bool wanted_decides(struct wanted *wanted, const struct event *event)
{
	char name[COMM + 1], path[64];
	ssize_t n;
	int fd;

	snprintf(name, sizeof name, "%.*s", COMM, event->comm);
	if (decide(wanted, name))
		return true;
	if (!wanted->host_pids)
		return false;
	snprintf(path, sizeof path, "/proc/%u/comm", event->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, name, sizeof name - 1);
	close(fd);
	if (n <= 0)
		return false;
	name[n - 1] = '\0';
	return decide(wanted, name);
}
