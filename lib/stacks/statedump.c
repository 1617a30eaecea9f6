// SPDX-License-Identifier: MIT
// pkg-config: libdw libelf
#include "stacks/statedump.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"

enum { BUILD_ID_MAX = 64 };

struct statedump {
	struct spaces *spaces;
	struct lookup baddr, path, is_pic;
	/* What the last record mapped; its build id is in the next one. */
	int64_t pid;
	uint64_t base;
	bool is_fixed;		/* at the addresses that the file has */
	char file[PATH_MAX];
	uint64_t differ;
};

struct statedump *statedump_new(struct spaces *spaces)
{
	struct statedump *s = memory_zeroed(sizeof *s);

	s->spaces = spaces;
	s->pid = -1;
	s->baddr = (struct lookup)LOOKUP("baddr");
	s->path = (struct lookup)LOOKUP("path");
	s->is_pic = (struct lookup)LOOKUP("is_pic");
	return s;
}

void statedump_free(struct statedump *s)
{
	lookup_free(&s->baddr);
	lookup_free(&s->path);
	lookup_free(&s->is_pic);
	free(s);
}

/* Whether there is such a FILE with the build id ID of N bytes. */
static bool has_id(const char *file, const uint8_t *id, size_t n)
{
	const void *found;
	struct stat st;
	bool same = false;
	int fd = -1;
	Elf *elf;

	/* A trace may name anything; to open a device can be to use it. */
	if (stat(file, &st) == 0 && S_ISREG(st.st_mode))
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf) {
		ssize_t len = dwelf_elf_gnu_build_id(elf, &found);

		same = len > 0 && (size_t)len == n && memcmp(found, id, n) == 0;
		elf_end(elf);
	}
	close(fd);
	return same;
}

static void take_file(struct statedump *s, const struct record *record, int64_t pid)
{
	const struct slice *path = lookup_value(&s->path, record), *baddr = lookup_value(&s->baddr, record);
	const struct slice *is_pic = lookup_value(&s->is_pic, record);

	s->pid = -1;
	if (pid < 0 || !path || !baddr || !number_bits(*baddr, &s->base) || path->len >= sizeof s->file)
		return;
	s->file[reader_unescape(*path, s->file)] = '\0';
	s->is_fixed = is_pic && slice_equal(*is_pic, SLICE("0"));
	if (*s->file == '/')
		s->pid = pid;
}

/* build_id.0, build_id.1, ... are its bytes. */
static void take_id(struct statedump *s, const struct record *record, int64_t pid)
{
	uint8_t id[BUILD_ID_MAX];
	uint64_t base, value;
	size_t n = 0;

	if (s->pid < 0 || pid != s->pid || !lookup_value(&s->baddr, record) ||
	    !number_bits(*lookup_value(&s->baddr, record), &base) || base != s->base)
		return;
	for (uint32_t i = 0; i < record->shape->n && n < BUILD_ID_MAX; i++) {
		struct slice key = record->shape->key[i];

		if (slice_starts(key, SLICE("build_id.")) && number_bits(record->value[i], &value) && value < 256)
			id[n++] = (uint8_t)value;
	}
	if (n && has_id(s->file, id, n))
		spaces_mapped(s->spaces, pid, s->file, s->is_fixed ? 0 : base);
	else
		s->differ++;
	s->pid = -1;
}

bool statedump_take(struct statedump *s, const struct record *record, struct slice ev, int64_t pid)
{
	static const struct slice providers[] = { SLICE("lttng_ust_statedump:"), SLICE("lttng_ust_dl:") };
	struct slice name = { NULL, 0 };

	for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
		if (slice_starts(ev, providers[i]))
			name = (struct slice){ ev.at + providers[i].len, ev.len - providers[i].len };
	if (!name.len)
		return false;
	if (slice_equal(name, SLICE("bin_info")) || slice_equal(name, SLICE("dlopen")))
		take_file(s, record, pid);
	else if (slice_equal(name, SLICE("build_id")))
		take_id(s, record, pid);
	return true;
}

void statedump_report(const struct statedump *s)
{
	if (s->differ)
		message(s->differ == 1 ? "%llu mapped file is not here, or is another by its build id: no names from it" :
			"%llu mapped files are not here, or are others by their build id: no names from them",
			(unsigned long long)s->differ);
}
