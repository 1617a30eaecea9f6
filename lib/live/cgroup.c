// SPDX-License-Identifier: MIT
#include "live/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/process.h"
#include "records/writer.h"

enum { DEPTH_MAX = 16, REMEMBERED = 64 };

static uint64_t id_of(const char *path)
{
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) || statfs(path, &fs))
		return 0;
	if (fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC) {
		errno = ENOTSUP;
		return 0;
	}
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return 0;
	}
	return st.st_ino;
}

/* Calls EACH with every place where cgroups are mounted, until it is true. */
static bool each_mount(bool (*each)(void *state, const char *dir, const char *options), void *state)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *m;
	bool done = false;

	if (!mounts)
		return false;
	while (!done && (m = getmntent(mounts)))
		if (!strcmp(m->mnt_type, "cgroup2") || !strcmp(m->mnt_type, "cgroup"))
			done = each(state, m->mnt_dir, m->mnt_opts);
	endmntent(mounts);
	return done;
}

struct wanted {
	const char *name;
	uint64_t *ids;
	size_t n, max;
};

static bool add(struct wanted *wanted, uint64_t id)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->ids[i] == id)
			return true;
	if (id && wanted->n < wanted->max)
		wanted->ids[wanted->n++] = id;
	return id != 0;
}

static bool below(void *state, const char *dir, const char *options)
{
	struct wanted *wanted = state;
	char path[PATH_MAX];

	(void)options;
	if (snprintf(path, sizeof path, "%s/%s", dir, wanted->name) >= (int)sizeof path)
		return false;
	return add(wanted, id_of(path));
}

/* Version 1 shows its hierarchies side by side: cpu/x, as cgcreate and systemd-cgls name it. */
static bool beside(void *state, const char *dir, const char *options)
{
	struct wanted *wanted = state;
	const char *last = strrchr(dir, '/');
	char path[PATH_MAX];

	(void)options;
	if (!last || snprintf(path, sizeof path, "%.*s/%s", (int)(last - dir), dir, wanted->name) >=
		     (int)sizeof path)
		return false;
	return add(wanted, id_of(path));
}

uint64_t cgroup_id(const char *path)
{
	uint64_t id = 0;
	struct wanted wanted = { .name = path, .ids = &id, .max = 1 };

	if (*path == '/')
		return id_of(path);
	if (!each_mount(below, &wanted) && !each_mount(beside, &wanted))
		errno = ENOENT;
	return id;
}

/* Looks for directories whose names hold the container's id, and for what systemd makes of it. */
static void search(struct wanted *wanted, const char *dir, int depth)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;

	if (!entries)
		return;
	while ((entry = readdir(entries))) {
		char path[PATH_MAX];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) >= (int)sizeof path)
			continue;
		if (strstr(entry->d_name, wanted->name))
			add(wanted, id_of(path));
		else if (depth < DEPTH_MAX)
			search(wanted, path, depth + 1);
	}
	closedir(entries);
}

static bool search_mount(void *state, const char *dir, const char *options)
{
	(void)options;
	search(state, dir, 0);
	return false;
}

static bool is_id(const char *name)
{
	size_t n = strspn(name, "0123456789abcdef");

	return n >= 12 && n <= 64 && name[n] == '\0';
}

/* One hierarchy of a process: `4:memory:/docker/…`. */
static bool of_line(struct wanted *wanted, char *line)
{
	char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
	struct wanted one = *wanted;
	char name[PATH_MAX];

	if (!path || !strcmp(path, ":/\n"))
		return false;	/* the root: everything lies in it */
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (snprintf(name, sizeof name, "%s%s", controllers + 1, path) >= (int)sizeof name)
		return false;
	one.name = controllers[1] ? name : path + 1;
	if (!each_mount(controllers[1] ? beside : below, &one))
		return false;
	*wanted = (struct wanted){ wanted->name, one.ids, one.n, one.max };
	return true;
}

static void of_process(struct wanted *wanted, uint64_t pid)
{
	char path[64], line[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%" PRIu64 "/cgroup", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof line, file))
		of_line(wanted, line);
	fclose(file);
}

static void ask_engine(struct wanted *wanted, const char *engine)
{
	char *argv[] = { (char *)(uintptr_t)engine, (char *)(uintptr_t)"inspect", (char *)(uintptr_t)"-f",
			 (char *)(uintptr_t)"{{.State.Pid}}", (char *)(uintptr_t)"--",
			 (char *)(uintptr_t)wanted->name, NULL };
	struct process_output output = { 0 };
	uint64_t pid;

	if (process_run(argv, (struct slice){ "", 0 }, 4096, &output))
		return;
	while (output.len && output.at[output.len - 1] == '\n')
		output.len--;
	if (output.status == 0 && number_u64((struct slice){ output.at, output.len }, &pid) && pid)
		of_process(wanted, pid);
	free(output.at);
}

size_t cgroup_of_container(const char *name, uint64_t *ids, size_t max)
{
	struct wanted wanted = { .name = name, .ids = ids, .max = max };

	if (is_id(name))
		each_mount(search_mount, &wanted);
	if (!wanted.n)
		ask_engine(&wanted, "docker");
	if (!wanted.n)
		ask_engine(&wanted, "podman");
	return wanted.n;
}

/* A cgroup that is looked for by its id. */
struct found {
	uint64_t id;
	bool is;
	size_t len, mount;	/* of the path, and of that where it is mounted */
	char path[PATH_MAX];
};

static void find(struct found *found, int depth)
{
	size_t len = found->len;
	DIR *entries = opendir(found->path);
	struct dirent *entry;

	while (entries && !found->is && (entry = readdir(entries))) {
		if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    len + strlen(entry->d_name) + 2 > sizeof found->path)
			continue;
		found->len = len + (size_t)sprintf(found->path + len, "/%s", entry->d_name);
		found->is = entry->d_ino == found->id;
		if (!found->is && depth < DEPTH_MAX)
			find(found, depth + 1);
	}
	if (entries)
		closedir(entries);
}

static bool find_in(struct found *found, const char *dir)
{
	found->mount = strlen(dir);
	found->len = (size_t)snprintf(found->path, sizeof found->path, "%s", dir);
	if (found->len < sizeof found->path)
		find(found, 0);
	return true;
}

/* Ids are those of one hierarchy: of version 1 the one with the controller, else version 2. */
static bool find_first(void *state, const char *dir, const char *options)
{
	const struct mntent mount = { .mnt_opts = (char *)(uintptr_t)options };

	return hasmntopt(&mount, "cpu") && find_in(state, dir);
}

static bool find_second(void *state, const char *dir, const char *options)
{
	struct statfs fs;

	(void)options;
	return statfs(dir, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC && find_in(state, dir);
}

struct slice cgroup_name(uint64_t id)
{
	static struct {
		uint64_t id;
		struct slice name;
	} known[REMEMBERED];
	size_t at = id % REMEMBERED;
	struct found found = { .id = id };
	char *name = NULL;

	if (known[at].id == id)
		return known[at].name;
	free((char *)(uintptr_t)known[at].name.at);
	if (!each_mount(find_first, &found))
		each_mount(find_second, &found);
	if (found.is) {
		found.len -= found.mount;
		name = memory_get(4 * found.len);
		found.len = writer_escape(name, (struct slice){ found.path + found.mount, found.len });
	}
	known[at].id = id;
	known[at].name = (struct slice){ name, name ? found.len : 0 };
	return known[at].name;
}
