// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf
#include "stacks/space.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/intern.h"
#include "base/memory.h"

enum { PATIENCE_MIN_NS = 10 * 1000 * 1000, PATIENCE_MAX_NS = 1000 * 1000 * 1000 };

static int64_t now_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* A regular file at PATH as seen from ROOT, to be read; nothing else is opened, as that may have effects. */
static int open_regular(int root, const char *path, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = resolve };
	struct stat status;
	char self[32];
	int fd, found = (int)syscall(SYS_openat2, root, path, &how, sizeof how);

	if (found < 0)
		return -1;
	snprintf(self, sizeof self, "/proc/self/fd/%d", found);
	errno = EINVAL;
	fd = fstat(found, &status) == 0 && S_ISREG(status.st_mode) ? open(self, O_RDONLY | O_CLOEXEC) : -1;
	close(found);
	return fd;
}

/* Files of no file system, where some runtimes put the functions that they make. */
static bool is_memory(const char *path)
{
	return strncmp(path, "/memfd:", 7) == 0 || strncmp(path, "/SYSV", 5) == 0 ||
	       strcmp(path, "/dev/zero") == 0 || strncmp(path, "//anon", 6) == 0;
}

/* A file that is mapped. */
struct mapped_file {
	struct identity identity;	/* its inode 0: none */
	int fd;				/* -1: who adopts it has it already */
};

/* The file of a mapping of PROCESS (-1: a saved one), or -1. */
static int open_mapped(int process, int root, const struct mapping *mapping)
{
	struct stat status;
	char name[64];
	int fd = -1;

	if (!mapping->inode || is_memory(mapping->path.at))
		return -1;
	snprintf(name, sizeof name, "map_files/%" PRIx64 "-%" PRIx64, mapping->start, mapping->end);
	if (process >= 0)
		fd = open_regular(process, name, 0);
	if (fd >= 0)
		return fd;
	fd = open_regular(root, mapping->path.at, root == AT_FDCWD ? 0 : RESOLVE_IN_ROOT);
	/* Not by its device: file systems that are made of others tell different ones. */
	if (fd >= 0 && (fstat(fd, &status) != 0 || status.st_ino != mapping->inode)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static struct mapped_file mapped_file(int fd, struct intern *sent)
{
	struct mapped_file file = { .fd = fd };
	struct slice bytes = { (const char *)&file.identity, sizeof file.identity };

	if (fd < 0 || images_identify(fd, &file.identity)) {
		if (fd < 0 || !sent)
			return file;
		if (intern_find(sent, bytes) == UINT32_MAX) {
			intern_id(sent, bytes);
			return file;
		}
	}
	close(fd);
	file.fd = -1;
	return file;
}

static size_t read_text(int process, const char *name, char *text, size_t size)
{
	int fd = openat(process, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* The 22nd field of its stat: the name, the second, may hold blanks and parentheses. 0: it is gone. */
static uint64_t start_time(int process)
{
	char text[1024], *at;

	if (!read_text(process, "stat", text, sizeof text))
		return 0;
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* NSpid:	pid as we know it, ... as it knows itself */
static int64_t own_pid(int process)
{
	char text[4096], *line;

	read_text(process, "status", text, sizeof text);
	line = strstr(text, "\nNSpid:");
	if (!line)
		return 0;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	line = strrchr(line, '\t');
	return line ? strtoll(line + 1, NULL, 10) : 0;
}

static int open_process(int64_t pid)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%lld", (long long)pid);
	return open(path, O_DIRECTORY | O_PATH | O_CLOEXEC);
}

/* Its root directory, when it lives in other mounts than we; -1: it is ours. */
static int open_root(int process)
{
	char its[64], ours[64];
	ssize_t n = readlinkat(process, "ns/mnt", its, sizeof its);

	if (n <= 0 ||
	    (n == readlink("/proc/self/ns/mnt", ours, sizeof ours) && memcmp(its, ours, (size_t)n) == 0))
		return -1;
	return openat(process, "root", O_DIRECTORY | O_PATH | O_CLOEXEC);
}

static void drop_files(struct space *space)
{
	for (size_t i = 0; space->files && i < space->maps.n; i++)
		if (space->files[i].fd >= 0)
			close(space->files[i].fd);
	free(space->files);
	space->files = NULL;
}

static void take_maps(struct space *space, int process, struct maps *maps, struct intern *sent)
{
	int root = space->root >= 0 ? space->root : AT_FDCWD;

	drop_files(space);
	maps_free(&space->maps);
	space->maps = *maps;
	space->files = memory_get((maps->n + 1) * sizeof *space->files);
	for (size_t i = 0; i < maps->n; i++)
		space->files[i] = mapped_file(open_mapped(process, root, &maps->at[i]), sent);
}

/* The kernel's own library in every process: our copy of it. */
static uint32_t add_vdso(struct images *images, size_t size)
{
	static uint32_t id = IMAGES_NONE;
	const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR); // NOLINT(performance-no-int-to-ptr)
	struct identity identity;
	int fd;

	if (id != IMAGES_NONE || !vdso)
		return id;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, vdso, size) > 0 && images_identify(fd, &identity))
		id = images_add(images, &identity, fd, "[vdso]");
	return id;
}

void space_adopt(struct space *space, struct images *images)
{
	for (size_t i = 0; space->files && i < space->maps.n; i++) {
		struct mapping *mapping = &space->maps.at[i];
		struct mapped_file *file = &space->files[i];

		if (space->pid && slice_equal(mapping->path, SLICE("[vdso]")))
			mapping->image = add_vdso(images, mapping->end - mapping->start);
		else if (file->identity.inode)
			mapping->image = images_add(images, &file->identity, file->fd, mapping->path.at);
	}
	free(space->files);
	space->files = NULL;
}

/* What is there: a process that ends has no mappings any more, and keeps those that were seen. */
static bool capture(struct space *space, int process, struct intern *sent)
{
	int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
	struct maps maps;
	size_t line;
	int error;

	if (fd < 0)
		return false;
	error = maps_read(&maps, fd, &line);
	close(fd);
	if (error || maps.n == 0) {
		if (!error)
			maps_free(&maps);
		return false;
	}
	take_maps(space, process, &maps, sent);
	return true;
}

struct space *space_saved(void)
{
	struct space *space = memory_zeroed(sizeof *space);

	space->root = -1;
	return space;
}

struct space *space_new(int64_t pid, struct intern *sent)
{
	struct space *space = space_saved();
	int process = open_process(pid);
	struct stat status;

	space->pid = pid;
	space->looked_ns = now_ns(CLOCK_MONOTONIC_COARSE);
	if (process < 0)
		return space;
	space->started = start_time(process);
	space->live = space->started != 0;
	space->uid = fstat(process, &status) == 0 ? status.st_uid : 0;
	space->inner_pid = own_pid(process);
	space->root = open_root(process);
	capture(space, process, sent);
	close(process);
	return space;
}

void space_free(struct space *space)
{
	if (!space)
		return;
	drop_files(space);
	maps_free(&space->maps);
	perfmap_free(space->perfmap);
	if (space->root >= 0)
		close(space->root);
	free(space);
}

void space_settle(struct space *space)
{
	space->live = false;
}

bool space_is_current(struct space *space)
{
	int64_t now = now_ns(CLOCK_MONOTONIC_COARSE);
	uint64_t started;
	int process;

	if (now - space->looked_ns < 100000000)
		return true;
	space->looked_ns = now;
	process = open_process(space->pid);
	if (process < 0)
		return true;
	started = start_time(process);
	close(process);
	return started == 0 || started == space->started;
}

bool space_again(struct space *space, struct images *images)
{
	int64_t now = now_ns(CLOCK_MONOTONIC_COARSE);
	size_t before = space->maps.n;
	bool others = false;
	int process;

	if (!space->live || now < space->again_ns)
		return false;
	process = open_process(space->pid);
	if (process >= 0 && start_time(process) == space->started)
		others = capture(space, process, NULL);
	if (process >= 0)
		close(process);
	space_adopt(space, images);
	space->patience_ns = PATIENCE_MIN_NS + (space->maps.n != before ? 0 : space->patience_ns * 2);
	if (space->patience_ns > PATIENCE_MAX_NS)
		space->patience_ns = PATIENCE_MAX_NS;
	space->again_ns = now + space->patience_ns;
	return others;
}

/* The file of functions made at run time, or -1. */
static int open_perfmap(const struct space *space)
{
	char path[64];
	struct stat status;
	int64_t start_ns = (int64_t)(space->started * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK)));
	int fd;

	snprintf(path, sizeof path, "/tmp/perf-%lld.map",
		 (long long)(space->root >= 0 ? space->inner_pid : space->pid));
	fd = open_regular(space->root >= 0 ? space->root : AT_FDCWD, path,
			  RESOLVE_NO_SYMLINKS | (space->root >= 0 ? RESOLVE_IN_ROOT : 0));
	if (fd < 0)
		return -1;
	/* One that an earlier process of this number left is of no use; clock ticks are coarse. */
	start_ns += now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME) - 1000000000;
	if (fstat(fd, &status) == 0 && (status.st_uid == 0 || status.st_uid == space->uid) &&
	    status.st_mtim.tv_sec * 1000000000ll + status.st_mtim.tv_nsec >= start_ns)
		return fd;
	close(fd);
	return -1;
}

static void read_perfmap(struct space *space)
{
	struct stat status;
	int fd = open_perfmap(space);

	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && (uint64_t)status.st_size != space->perfmap_bytes) {
		perfmap_free(space->perfmap);
		space->perfmap = perfmap_read(fd);
		space->perfmap_bytes = (uint64_t)status.st_size;
	}
	close(fd);
}

bool space_made(struct space *space, uint64_t address, struct slice *name)
{
	int64_t now, took;

	if (space->perfmap && perfmap_find(space->perfmap, address, name))
		return true;
	now = now_ns(CLOCK_MONOTONIC);
	if (!space->live || now < space->perfmap_again_ns)
		return false;
	read_perfmap(space);
	took = now_ns(CLOCK_MONOTONIC) - now;
	space->perfmap_again_ns = now + PATIENCE_MIN_NS + 20 * took;
	return space->perfmap && perfmap_find(space->perfmap, address, name);
}

int space_saved_maps(struct space *space, struct images *images, int maps_fd, size_t *line)
{
	struct maps maps;
	int error = maps_read(&maps, maps_fd, line);

	if (!error)
		take_maps(space, -1, &maps, NULL);
	space_adopt(space, images);
	return error;
}

static int compare(const void *left, const void *right)
{
	const struct mapping *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

/* Maps what runs of IMAGE at BASE, among what is there. */
static void map_image(struct space *space, const struct image *image, uint32_t id, const char *path,
		      uint64_t base)
{
	const struct segment *segments;
	size_t n = image_segments(image, &segments);
	struct maps *maps = &space->maps;

	maps->at = memory_resize(maps->at, (maps->n + n) * sizeof *maps->at);
	for (size_t i = 0; i < n; i++)
		maps->at[maps->n++] = (struct mapping){
			.start = base + segments[i].address, .offset = segments[i].offset,
			.end = base + segments[i].address + segments[i].size,
			.path = slice_of(path), .image = id,
		};
	qsort(maps->at, maps->n, sizeof *maps->at, compare);
}

int space_saved_elf(struct space *space, struct images *images, const char *elf, uint64_t base)
{
	int fd = open_regular(AT_FDCWD, elf, 0);
	bool mapped = false, replaced;
	struct identity identity;
	const struct image *image;
	uint32_t id;

	if (fd < 0 || !images_identify(fd, &identity))
		return fd < 0 ? errno : EINVAL;
	id = images_add(images, &identity, fd, elf);
	image = images_at(images, id, &replaced);
	if (!image)
		return ENOEXEC;
	for (size_t i = 0; i < space->maps.n; i++) {
		struct mapping *mapping = &space->maps.at[i];

		if (slice_equal(maps_base_name(mapping->path), maps_base_name(slice_of(elf)))) {
			mapping->image = id;
			mapped = true;
		}
	}
	if (!mapped)
		map_image(space, image, id, elf, base);
	return 0;
}
