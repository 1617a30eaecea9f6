// SPDX-License-Identifier: MIT
#include "spans/files.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/table.h"

struct text *text_new(struct processes *p, struct slice a, struct slice b, struct slice c)
{
	size_t len = a.len + b.len + c.len;
	struct text *text;

	if (len > FILES_TEXT_MAX || p->text_bytes + sizeof *text + len > FILES_TEXTS_MAX)
		return NULL;
	text = memory_get(sizeof *text + len);
	text->all = p;
	text->holders = 1;
	text->len = (uint32_t)len;
	memcpy(text->at, a.at, a.len);
	memcpy(text->at + a.len, b.at, b.len);
	memcpy(text->at + a.len + b.len, c.at, c.len);
	p->text_bytes += sizeof *text + len;
	return text;
}

struct text *text_hold(struct text *text)
{
	if (text)
		text->holders++;
	return text;
}

void text_drop(struct text *text)
{
	if (!text || --text->holders)
		return;
	text->all->text_bytes -= sizeof *text + text->len;
	free(text);
}

struct file *file_new(struct text *name)
{
	struct file *file = memory_get(sizeof *file);

	*file = (struct file){ .name = name, .holders = 1, .family = -1, .type = -1, .protocol = -1 };
	return file;
}

struct file *file_hold(struct file *file)
{
	if (file)
		file->holders++;
	return file;
}

void file_drop(struct file *file)
{
	if (!file || --file->holders)
		return;
	text_drop(file->name);
	free(file);
}

void file_rename(struct file *file, struct text *name)
{
	text_hold(name);
	text_drop(file->name);
	file->name = name;
}

void files_each(struct processes *p, struct files *files, uint64_t first, uint64_t last,
		void visit(struct processes *, struct files *, int64_t fd, void *data), void *data)
{
	size_t n = table_count(files->table);
	uint64_t *fds = table_keys(files->table);

	for (size_t i = 0; i < n; i++)
		if (fds[i] >= first && fds[i] <= last)
			visit(p, files, (int64_t)fds[i], data);
	free(fds);
}

static void clear(struct processes *p, struct files *files)
{
	size_t n = table_count(files->table);
	uint64_t *fds = n ? table_keys(files->table) : NULL;

	for (size_t i = 0; i < n; i++)
		file_drop(((struct descriptor *)table_find(files->table, fds[i]))->file);
	free(fds);
	p->descriptors -= n;
	if (n) {
		table_free(files->table);
		files->table = table_new(sizeof(struct descriptor));
	}
	files->epoch = p->epoch;
	files->since = ++p->version;
	if (files->processes > 1)
		files->dark = true;
}

static void heed_loss(struct processes *p, struct files *files)
{
	if (files->epoch != p->epoch)
		clear(p, files);
}

/* Held by one process. */
static struct files *files_new(struct processes *p)
{
	struct files *files = memory_zeroed(sizeof *files);

	files->table = table_new(sizeof(struct descriptor));
	files->epoch = p->epoch;
	files->since = p->version;
	files->processes = 1;
	files->next = p->first;
	if (p->first)
		p->first->before = files;
	p->first = files;
	return files;
}

static void files_leave(struct processes *p, struct files *files)
{
	if (--files->processes)
		return;
	clear(p, files);
	if (files->next)
		files->next->before = files->before;
	*(files->before ? &files->before->next : &p->first) = files->next;
	table_free(files->table);
	free(files);
}

struct descriptor *files_find(struct processes *p, struct files *files, int64_t fd)
{
	heed_loss(p, files);
	return fd < 0 ? NULL : table_find(files->table, (uint64_t)fd);
}

struct descriptor *files_at(struct processes *p, struct files *files, int64_t fd)
{
	struct descriptor *at = files_find(p, files, fd);

	if (at)
		return at;
	if (p->descriptors >= FILES_MAX) {
		p->epoch++;
		p->forgotten++;
		for (struct files *each = p->first; each; each = each->next)
			clear(p, each);
	}
	p->descriptors++;
	return table_at(files->table, (uint64_t)fd);
}

struct file *files_known(struct processes *p, struct files *files, int64_t fd)
{
	struct descriptor *at = files_find(p, files, fd);

	return at && !at->changing ? at->file : NULL;
}

bool files_same(const struct files *files, int64_t fd, uint64_t version)
{
	if (files->since > version)
		return false;
	for (size_t i = 0; i < FILES_GONE; i++)
		if (files->gone[i].fd == fd && files->gone[i].version > version)
			return false;
	return true;
}

struct file *files_come(struct processes *p, struct files *files, int64_t fd, uint64_t version)
{
	struct file *file = files_known(p, files, fd);

	return file && files_same(files, fd, version) ? file : NULL;
}

/* What FD stood for is gone. */
static void take_out(struct processes *p, struct files *files, int64_t fd)
{
	size_t slot = files->gone_n++ % FILES_GONE;

	if (files->gone[slot].version > files->since)
		files->since = files->gone[slot].version;
	files->gone[slot].fd = fd;
	files->gone[slot].version = ++p->version;
}

void files_set(struct processes *p, struct files *files, int64_t fd, struct file *file, bool cloexec)
{
	struct descriptor *at = files_find(p, files, fd);

	if (files->dark || (!at && !file) || fd < 0)
		return;
	file_hold(file);
	if (at)
		take_out(p, files, fd);
	if (!file) {
		file_drop(at->file);
		table_remove(files->table, (uint64_t)fd);
		p->descriptors--;
		return;
	}
	at = files_at(p, files, fd);
	file_drop(at->file);
	*at = (struct descriptor){ .file = file, .version = ++p->version, .cloexec = cloexec };
}

struct processes *processes_new(void)
{
	struct processes *p = memory_zeroed(sizeof *p);

	p->by_pid = table_new(sizeof(struct process *));
	p->by_address = table_new(sizeof(struct process *));
	return p;
}

/* Once no thread holds a process there is none. */
void processes_free(struct processes *p)
{
	table_free(p->by_pid);
	table_free(p->by_address);
	free(p);
}

void processes_lost(struct processes *p)
{
	p->epoch++;
}

static void forget_program(struct process *process)
{
	text_drop(process->cwd);
	text_drop(process->path);
	text_drop(process->argv);
	process->cwd = process->path = process->argv = NULL;
}

struct process *processes_held(struct processes *p, struct process *held)
{
	if (held && held->epoch != p->epoch) {
		forget_program(held);
		held->epoch = p->epoch;
	}
	return held;
}

static struct process *by_pid(const struct processes *p, int64_t pid)
{
	struct process **found = table_find(p->by_pid, (uint64_t)pid);

	return found ? *found : NULL;
}

/* Held by one thread, and with FILES, of which one hold is taken over. */
static struct process *process_new(struct processes *p, int64_t pid, struct files *files)
{
	struct process *process = memory_zeroed(sizeof *process);

	process->pid = pid;
	process->threads = 1;
	process->epoch = p->epoch;
	process->files = files;
	return process;
}

static void forget_address(struct processes *p, const struct process *process)
{
	size_t n = table_count(p->by_address);
	uint64_t *addresses = n ? table_keys(p->by_address) : NULL;

	for (size_t i = 0; i < n; i++)
		if (*(struct process **)table_find(p->by_address, addresses[i]) == process)
			table_remove(p->by_address, addresses[i]);
	free(addresses);
}

void processes_leave(struct processes *p, struct process **held)
{
	struct process *process = *held;

	*held = NULL;
	if (!process || --process->threads)
		return;
	if (by_pid(p, process->pid) == process)
		table_remove(p->by_pid, (uint64_t)process->pid);
	forget_address(p, process);
	files_leave(p, process->files);
	forget_program(process);
	free(process);
}

struct process *processes_at(struct processes *p, struct process **held, int64_t pid)
{
	if (*held && (*held)->pid == pid)
		return processes_held(p, *held);
	if (pid < 0)
		return NULL;
	processes_leave(p, held);
	*held = by_pid(p, pid);
	if (*held) {
		(*held)->threads++;
		return processes_held(p, *held);
	}
	*held = process_new(p, pid, files_new(p));
	*(struct process **)table_at(p->by_pid, (uint64_t)pid) = *held;
	return *held;
}

static void copy_one(struct processes *p, struct files *files, int64_t fd, void *data)
{
	struct descriptor *from = files_find(p, files, fd), *to;
	uint64_t version;

	if (!from || from->changing || !from->file)
		return;
	version = from->version;
	files_set(p, data, fd, from->file, from->cloexec);
	to = files_find(p, data, fd);
	if (to)
		to->version = version;
}

static struct files *copy(struct processes *p, struct files *files)
{
	struct files *copied = files_new(p);

	heed_loss(p, files);
	files_each(p, files, 0, UINT64_MAX, copy_one, copied);
	return copied;
}

/* As FROM, but for the files. */
static struct process *child_of(struct processes *p, struct process *from, int64_t pid, struct files *files)
{
	struct process *process = process_new(p, pid, files);

	processes_held(p, from);
	process->cwd = text_hold(from->cwd);
	process->path = text_hold(from->path);
	process->argv = text_hold(from->argv);
	process->lost_cwd = from->lost_cwd;
	return process;
}

static void lose_cwd(struct process *process)
{
	process->lost_cwd = true;
	text_drop(process->cwd);
	process->cwd = NULL;
}

void processes_fork(struct processes *p, struct process *parent, struct process **held, int64_t pid,
		    bool shares_files, bool shares_cwd)
{
	bool thread = parent && parent->pid == pid;

	processes_leave(p, held);
	if (pid < 0)
		return;
	if (thread && shares_files && shares_cwd) {
		parent->threads++;
		*held = parent;
		return;
	}
	if (!parent) {
		*held = process_new(p, pid, files_new(p));
	} else if (shares_files) {
		heed_loss(p, parent->files);
		parent->files->processes++;
		*held = child_of(p, parent, pid, parent->files);
	} else {
		*held = child_of(p, parent, pid, copy(p, parent->files));
	}
	if (parent && shares_cwd != thread) {
		lose_cwd(parent);
		lose_cwd(*held);
	}
	/* One whose end was not seen may still be there, held by its threads. */
	if (!thread)
		*(struct process **)table_at(p->by_pid, (uint64_t)pid) = *held;
}

void processes_unshare(struct processes *p, struct process **held)
{
	struct process *before = *held, *process;

	if (before->threads == 1 && before->files->processes == 1 && by_pid(p, before->pid) != before)
		return;
	process = child_of(p, before, before->pid, copy(p, before->files));
	lose_cwd(process);
	lose_cwd(before);
	processes_leave(p, held);
	*held = process;
}

static void close_one(struct processes *p, struct files *files, int64_t fd, void *data)
{
	(void)data;
	if (files_find(p, files, fd)->cloexec)
		files_set(p, files, fd, NULL, false);
}

void processes_exec(struct processes *p, struct process *process, struct text *path, struct text *argv)
{
	struct files *files = process->files;

	if (files->processes > 1) {
		process->files = copy(p, files);
		files_leave(p, files);
		files = process->files;
	}
	heed_loss(p, files);
	files->dark = false;
	files_each(p, files, 0, UINT64_MAX, close_one, NULL);
	text_drop(process->path);
	text_drop(process->argv);
	process->path = path;
	process->argv = argv;
	if (by_pid(p, process->pid) != process)
		*(struct process **)table_at(p->by_pid, (uint64_t)process->pid) = process;
}

void processes_address(struct processes *p, struct process *process, uint64_t address)
{
	struct process **at = table_at(p->by_address, address), *other = *at;

	*at = process;
	if (!other || other->files == process->files)
		return;
	/* They share: what either of them knows, the other may have changed. */
	heed_loss(p, other->files);
	clear(p, other->files);
	files_leave(p, process->files);
	process->files = other->files;
	process->files->processes++;
}

struct files *processes_by_address(struct processes *p, uint64_t address)
{
	struct process **found = table_find(p->by_address, address);

	return found ? (*found)->files : NULL;
}

void processes_forget_addresses(struct processes *p)
{
	table_free(p->by_address);
	p->by_address = table_new(sizeof(struct process *));
}
