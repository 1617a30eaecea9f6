// SPDX-License-Identifier: MIT
#include "spans/programs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/table.h"
#include "records/writer.h"

struct entry {
	struct proc_program program;
	struct running running;
	char *text;
};

struct programs {
	struct table *by_pid;
};

struct programs *programs_new(void)
{
	struct programs *programs = memory_zeroed(sizeof *programs);

	programs->by_pid = table_new(sizeof(struct entry));
	return programs;
}

void programs_free(struct programs *programs)
{
	uint64_t *pids = table_keys(programs->by_pid);

	for (size_t i = table_count(programs->by_pid); i-- > 0;)
		free(((struct entry *)table_find(programs->by_pid, pids[i]))->text);
	free(pids);
	table_free(programs->by_pid);
	free(programs);
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("@%+=:,./_-", c));
}

static size_t quote_one(char *to, struct slice argument)
{
	bool plain = argument.len > 0;
	char *start = to;

	for (size_t i = 0; i < argument.len; i++)
		plain = plain && is_plain(argument.at[i]);
	if (plain) {
		memcpy(to, argument.at, argument.len);
		return argument.len;
	}
	*to++ = '\'';
	for (size_t i = 0; i < argument.len; i++) {
		if (argument.at[i] == '\'') {
			memcpy(to, "'\\\\''", 5);	/* the backslash escaped as a value */
			to += 5;
		} else {
			to += writer_escape(to, (struct slice){ argument.at + i, 1 });
		}
	}
	*to++ = '\'';
	return (size_t)(to - start);
}

size_t programs_quote(char *to, struct slice arguments)
{
	const char *at = arguments.at, *end = at + arguments.len;
	char *start = to;

	while (at < end) {
		size_t len = strnlen(at, (size_t)(end - at));

		if (to > start)
			*to++ = ' ';
		to += quote_one(to, (struct slice){ at, len });
		at += len + 1;
	}
	return (size_t)(to - start);
}

/* The entry of PID, emptied. */
static struct entry *entry_of(struct programs *programs, uint32_t pid, struct proc_program program)
{
	struct entry *entry = table_at(programs->by_pid, pid);

	free(entry->text);
	*entry = (struct entry){ .program = program };
	return entry;
}

const struct running *programs_set(struct programs *programs, uint32_t pid, struct proc_program program,
				   struct slice path, struct slice arguments, bool truncated)
{
	struct entry *entry = entry_of(programs, pid, program);
	size_t n;

	entry->text = memory_get(4 * path.len + 5 * arguments.len + 8);
	n = writer_escape(entry->text, path);
	entry->running.path = (struct slice){ entry->text, n };
	entry->running.argv = (struct slice){ entry->text + n, programs_quote(entry->text + n, arguments) };
	entry->running.truncated = truncated;
	return &entry->running;
}

void programs_look(struct programs *programs, uint32_t pid, struct proc_program program)
{
	char name[64], arguments[PROC_ARGV + 1];
	size_t have = 0;
	ssize_t n;
	int fd;

	snprintf(name, sizeof name, "/proc/%u/cmdline", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (have < sizeof arguments && (n = read(fd, arguments + have, sizeof arguments - have)) > 0)
		have += (size_t)n;
	close(fd);
	if (have)
		programs_set(programs, pid, program, (struct slice){ "", 0 },
			     (struct slice){ arguments, have > PROC_ARGV ? PROC_ARGV : have }, have > PROC_ARGV);
}

void programs_fork(struct programs *programs, uint32_t pid, struct proc_program program, uint32_t child_pid,
		   struct proc_program child)
{
	struct running running = *programs_find(programs, pid, program);
	struct entry *entry = entry_of(programs, child_pid, child);

	entry->text = memory_get(running.path.len + running.argv.len + 1);
	memcpy(entry->text, running.path.at, running.path.len);
	memcpy(entry->text + running.path.len, running.argv.at, running.argv.len);
	entry->running = (struct running){
		.path = { entry->text, running.path.len },
		.argv = { entry->text + running.path.len, running.argv.len },
		.truncated = running.truncated,
	};
}

const struct running *programs_find(struct programs *programs, uint32_t pid, struct proc_program program)
{
	static const struct running unknown = { .path = { "", 0 }, .argv = { "", 0 } };
	const struct entry *entry = table_find(programs->by_pid, pid);

	if (!entry || !entry->text || entry->program.born != program.born || entry->program.execs != program.execs)
		return &unknown;
	return &entry->running;
}

void programs_end(struct programs *programs, uint32_t pid)
{
	struct entry *entry = table_find(programs->by_pid, pid);

	if (!entry)
		return;
	free(entry->text);
	table_remove(programs->by_pid, pid);
}
